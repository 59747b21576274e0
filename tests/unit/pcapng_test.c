/* observe/: pcapng blocks against bytes made by hand, and a file read back block by block; the
 * bounded recording of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/backlog.h"
#include "observe/pcapng.h"
#include "observe/recording.h"
#include "unit.h"

static void test_bytes(void)
{
	/* clang-format off */
	static const uint8_t section[] = {
		/* section header: type, length, magic, version 1.0, unknown section length */
		0x0a, 0x0d, 0x0d, 0x0a, 52, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		3, 0, 5, 0, 'L', 'i', 'n', 'u', 'x', 0, 0, 0, /* shb_os */
		4, 0, 3, 0, 's', 'i', 'm', 0, /* shb_userappl */
		0, 0, 0, 0, 52, 0, 0, 0, /* no more options; the length again */
	};
	/* clang-format on */
	uint8_t bytes[256];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	pcapng_write_section(&writer, "Linux", "sim");
	EXPECT_BYTES(bytes, writer_used(&writer), section, sizeof(section));

	/* clang-format off */
	static const uint8_t interface[] = {
		1, 0, 0, 0, 56, 0, 0, 0, 1, 0, 0, 0, 0xa0, 0xff, 0, 0, /* Ethernet, snaplen 65440 */
		2, 0, 7, 0, 'h', '1', ':', 'e', 't', 'h', '0', 0, /* if_name */
		6, 0, 6, 0, 2, 0, 0, 0, 0, 1, 0, 0, /* if_MACaddr */
		9, 0, 1, 0, 9, 0, 0, 0, /* if_tsresol */
		0, 0, 0, 0, 56, 0, 0, 0,
	};
	static const uint8_t packet[] = {
		6, 0, 0, 0, 40, 0, 0, 0, 3, 0, 0, 0,
		0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, /* time: high word, low word */
		5, 0, 0, 0, 100, 0, 0, 0, 'f', 'r', 'a', 'm', 'e', 0, 0, 0,
		40, 0, 0, 0,
	};
	static const uint8_t statistics[] = {
		5, 0, 0, 0, 64, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,
		4, 0, 8, 0, 10, 0, 0, 0, 0, 0, 0, 0, /* isb_ifrecv */
		7, 0, 8, 0, 4, 0, 0, 0, 1, 0, 0, 0, /* isb_osdrop */
		8, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0, /* isb_usrdeliv */
		0, 0, 0, 0, 64, 0, 0, 0,
	};
	/* clang-format on */
	writer = writer_over(bytes, sizeof(bytes));
	pcapng_write_interface(
		&writer, &(struct pcapng_interface){
				 .name = "h1:eth0", .mac = {{2, 0, 0, 0, 0, 1}}, .snaplen = 65440});
	EXPECT_BYTES(bytes, writer_used(&writer), interface, sizeof(interface));

	writer = writer_over(bytes, sizeof(bytes));
	pcapng_write_packet(&writer, &(struct pcapng_packet){.interface = 3,
					     .time_ns = UINT64_C(0x0123456789abcdef),
					     .length = 100,
					     .captured = 5,
					     .bytes = (const uint8_t *)"frame"});
	EXPECT_BYTES(bytes, writer_used(&writer), packet, sizeof(packet));
	EXPECT_NUMBER(pcapng_packet_size(5), sizeof(packet));
	EXPECT(memcmp(bytes + PCAPNG_PACKET_OFFSET, "frame", 5) == 0, "where the frame begins");

	writer = writer_over(bytes, sizeof(bytes));
	pcapng_write_statistics(&writer, &(struct pcapng_statistics){.interface = 3,
						 .time_ns = UINT64_C(0x100000002),
						 .received = 10,
						 .dropped = UINT64_C(0x100000004),
						 .delivered = 5});
	EXPECT_BYTES(bytes, writer_used(&writer), statistics, sizeof(statistics));
	EXPECT_NUMBER(writer_used(&writer), PCAPNG_STATISTICS_SIZE);

	writer = writer_over(bytes, 20);
	pcapng_write_interface(&writer, &(struct pcapng_interface){.name = "too long for this"});
	EXPECT(writer.overflow, "a block that does not fit");
}

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* Walks blocks as a reader does; returns how many of `type`, or -1 where they are broken. */
static int count_blocks(const uint8_t *bytes, size_t length, uint32_t type)
{
	int count = 0;
	while (length > 0) {
		if (length < 12)
			return -1;
		uint32_t size = le32(bytes + 4);
		if (size < 12 || size % 4 || size > length || le32(bytes + size - 4) != size)
			return -1;
		count += le32(bytes) == type;
		bytes += size;
		length -= size;
	}
	return count;
}

static void test_sizes(void)
{
	uint8_t frame[128] = {1, 2, 3}, bytes[8192];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	for (uint32_t length = 0; length < 40; length++) {
		size_t before = writer_used(&writer);
		pcapng_write_packet(
			&writer, &(struct pcapng_packet){
					 .captured = length, .length = length, .bytes = frame});
		EXPECT_NUMBER(writer_used(&writer) - before, pcapng_packet_size(length));
	}
	EXPECT_NUMBER(count_blocks(bytes, writer_used(&writer), 6), 40);
	EXPECT_NUMBER(count_blocks(bytes, writer_used(&writer) - 1, 6), -1);
}

static void test_recording(void)
{
	CLEANUP(close_fd) int fd = memfd_create("recording", MFD_CLOEXEC);
	uint8_t block[100] = {0};
	struct recording recording = recording_over(fd, 1000, 64);
	unsigned recorded = 0;
	for (int i = 0; i < 20; i++) {
		if (recording_has_room(&recording, 0, sizeof(block)) &&
			recording_append(&recording, block, sizeof(block)))
			recorded++;
	}
	EXPECT_NUMBER(recorded, 9); /* 900 and the 64 kept back */
	EXPECT(recording.full && recording.failure == 0, "full");
	EXPECT(!recording_has_room(&recording, 0, 1), "once full it stays full");
	recording_close(&recording, block, 64);
	EXPECT_NUMBER(lseek(fd, 0, SEEK_END), 964);

	struct recording pending = recording_over(fd, 1000, 0);
	EXPECT(recording_has_room(&pending, 900, 100), "exactly");
	EXPECT(!recording_has_room(&pending, 901, 100), "one too many");

	struct recording none = recording_over(-1, 0, 0);
	EXPECT(!recording_has_room(&none, 0, 1), "nothing is recorded");
	recording_close(&none, block, sizeof(block));
	EXPECT_NUMBER(none.size, 0);
}

/* As on a full disk: a write that succeeds in part, then fails. */
static void test_recording_failure(void)
{
	CLEANUP(close_fd) int fd = memfd_create("recording", MFD_CLOEXEC);
	uint8_t block[100] = {0};
	struct rlimit before, limit;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 250;
	setrlimit(RLIMIT_FSIZE, &limit);
	struct recording recording = recording_over(fd, 0, 0);
	EXPECT(recording_append(&recording, block, sizeof(block)), "first");
	EXPECT(recording_append(&recording, block, sizeof(block)), "second");
	EXPECT(!recording_append(&recording, block, sizeof(block)), "third");
	setrlimit(RLIMIT_FSIZE, &before);
	EXPECT_NUMBER(recording.failure, -EFBIG);
	EXPECT_NUMBER(recording.size, 200);
	EXPECT_NUMBER(lseek(fd, 0, SEEK_END), 200);
	EXPECT(!recording_has_room(&recording, 0, 1), "it has ended");
	recording_close(&recording, block, 64); /* room is back: the statistics still go in */
	EXPECT_NUMBER(lseek(fd, 0, SEEK_END), 264);
	EXPECT_NUMBER(recording.failure, -EFBIG);
}

static void add_frame(struct backlog *backlog, uint64_t time_ns, uint32_t link)
{
	uint8_t bytes[60] = {(uint8_t)link};
	struct capture_frame frame = {
		.time_ns = time_ns, .length = 60, .captured = 60, .bytes = bytes};
	EXPECT(backlog_add(backlog, link, &frame), "room");
}

static void test_backlog(void)
{
	CLEANUP(backlog_finish) struct backlog backlog;
	EXPECT(backlog_init(&backlog, NULL) == 0, "memory");
	static const struct {
		uint64_t time_ns;
		uint32_t link;
	} seen[] = {{50, 0}, {70, 1}, {20, 2}, {60, 3}, {20, 4}, {90, 5}};
	for (size_t i = 0; i < ARRAY_LENGTH(seen); i++)
		add_frame(&backlog, seen[i].time_ns, seen[i].link);
	backlog_sort(&backlog);
	static const uint32_t order[] = {2, 4, 0, 3, 1, 5};
	for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
		EXPECT_NUMBER(backlog.frames[i].link, order[i]);
	backlog_drop(&backlog, 3);
	EXPECT_NUMBER(backlog.count, 3);
	EXPECT_NUMBER(backlog.used, 3 * pcapng_packet_size(60));
	add_frame(&backlog, 65, 6);
	backlog_sort(&backlog);
	static const uint32_t left[] = {3, 6, 1, 5};
	for (size_t i = 0; i < ARRAY_LENGTH(left); i++) {
		EXPECT_NUMBER(backlog.frames[i].link, left[i]);
		EXPECT_NUMBER(backlog_bytes(&backlog, &backlog.frames[i])[0], left[i]);
		EXPECT_NUMBER(count_blocks(backlog_block(&backlog, &backlog.frames[i]),
				      backlog.frames[i].block_size, 6),
			1);
	}
	backlog_drop(&backlog, 4);
	EXPECT(backlog.count == 0 && backlog.used == 0, "empty");

	size_t added = 0;
	while (backlog_room(&backlog, 60) > 0 && added < 1000000) {
		add_frame(&backlog, added, 1);
		added++;
	}
	EXPECT(added >= 10000 && added < 1000000, "%zu frames fit", added);
	struct capture_frame frame = {.captured = 60, .bytes = (uint8_t[60]){0}};
	EXPECT(!backlog_add(&backlog, 0, &frame), "one too many");
}

int main(void)
{
	test_bytes();
	test_sizes();
	test_recording();
	test_recording_failure();
	test_backlog();
	return unit_finish();
}
