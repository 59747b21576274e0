#include "programs/dhcp/lease_wal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Numbers of the format. The magic's lowest bit says in which byte order the sums are made. */
enum {
	HEADER_SIZE = 32,
	FRAME_HEADER_SIZE = 24,
	PAGE_SIZE_MIN = 512,
	PAGE_SIZE_MAX = 65536,
	SALT_AT = 16, /* in the header */
	FRAME_COMMIT_AT = 4, /* the database's pages after a commit, 0: not the last frame */
	FRAME_SALT_AT = 8,
	FRAME_SUM_AT = 16,
	SALT_SIZE = 8,
};

#define MAGIC UINT32_C(0x377f0682)

struct sum {
	uint32_t a, b;
};

static uint32_t big(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little(const uint8_t *at)
{
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void sum_add(struct sum *sum, bool big_endian, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 8) {
		sum->a += (big_endian ? big(bytes + i) : little(bytes + i)) + sum->b;
		sum->b += (big_endian ? big(bytes + i + 4) : little(bytes + i + 4)) + sum->a;
	}
}

static bool sum_is(const struct sum *sum, const uint8_t *at)
{
	return sum->a == big(at) && sum->b == big(at + 4);
}

struct wal {
	FILE *file;
	uint8_t header[HEADER_SIZE];
	uint32_t page_size;
	bool big_endian;
	struct sum sum; /* so far */
};

/* False where the header is damaged. */
static bool read_header(struct wal *wal)
{
	uint32_t magic = big(wal->header);
	wal->page_size = big(wal->header + 8);
	wal->big_endian = magic & 1;
	wal->sum = (struct sum){0, 0};
	sum_add(&wal->sum, wal->big_endian, wal->header, HEADER_SIZE - 8);
	return (magic & ~UINT32_C(1)) == MAGIC && wal->page_size >= PAGE_SIZE_MIN &&
	       wal->page_size <= PAGE_SIZE_MAX && sum_is(&wal->sum, wal->header + HEADER_SIZE - 8);
}

/* What of this round stands behind the last whole transaction; the file is behind its header. */
static struct lease_wal_loss find_loss(struct wal *wal)
{
	uint8_t frame[FRAME_HEADER_SIZE + PAGE_SIZE_MAX];
	size_t size = FRAME_HEADER_SIZE + wal->page_size, got;
	struct lease_wal_loss loss = {0};
	bool whole = true; /* no frame so far was damaged */
	while ((got = fread(frame, 1, size, wal->file)) >= FRAME_HEADER_SIZE) {
		bool commit = big(frame + FRAME_COMMIT_AT) != 0;
		/* The rest is from an earlier round, and has been copied into the database. */
		if (memcmp(frame + FRAME_SALT_AT, wal->header + SALT_AT, SALT_SIZE) != 0)
			break;
		loss.bytes += got;
		loss.transactions += commit;
		whole = whole && got == size;
		if (!whole)
			continue;
		sum_add(&wal->sum, wal->big_endian, frame, FRAME_SALT_AT);
		sum_add(&wal->sum, wal->big_endian, frame + FRAME_HEADER_SIZE, wal->page_size);
		whole = sum_is(&wal->sum, frame + FRAME_SUM_AT);
		if (whole && commit)
			loss = (struct lease_wal_loss){0};
	}
	return loss;
}

int lease_wal_inspect(const char *path, struct lease_wal_loss *ret_loss, struct error *error)
{
	struct wal wal = {0};
	*ret_loss = (struct lease_wal_loss){0};
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return error_system(error, -errno, "cannot read its log '%s'", path);
	wal.file = file;
	if (fread(wal.header, 1, HEADER_SIZE, file) < HEADER_SIZE)
		return 0; /* shorter than a header: there was never a frame */
	if (read_header(&wal)) {
		*ret_loss = find_loss(&wal);
		return 0;
	}
	if (fseeko(file, 0, SEEK_END) == 0 && ftello(file) > 0)
		ret_loss->bytes = (uint64_t)ftello(file);
	return 0;
}
