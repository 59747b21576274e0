/* What is said on a lab's control socket: packets, descriptors, words; and what is no packet. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "lab/lab_control.h"
#include "unit.h"

static int ends[2];
static struct lab_control_packet packet;
static char *words[LAB_CONTROL_WORDS_MOST + 1];

static void test_there_and_back(void)
{
	int pipe_ends[2];
	EXPECT(pipe(pipe_ends) == 0, "a pipe");
	EXPECT_NUMBER(lab_control_send(ends[0], LAB_CONTROL_EXEC, "a\0b", 4, pipe_ends, 2), 0);
	EXPECT_NUMBER(lab_control_receive(ends[1], &packet), 1);
	EXPECT_NUMBER(packet.kind, LAB_CONTROL_EXEC);
	EXPECT_BYTES(packet.content, packet.length, "a\0b", 4);
	EXPECT(packet.fds[0] >= 0 && packet.fds[1] >= 0, "two descriptors came");
	EXPECT_NUMBER(packet.fds[2], -1);
	EXPECT(write(packet.fds[1], "x", 1) == 1, "the pipe's end is one");
	lab_control_packet_finish(&packet);
	EXPECT_NUMBER(packet.fds[0], -1);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	EXPECT_NUMBER(lab_control_send(ends[0], LAB_CONTROL_DOWN, NULL, 0, NULL, 0), 0);
	EXPECT_NUMBER(lab_control_receive(ends[1], &packet), 1);
	EXPECT_NUMBER(packet.length, 0);
	EXPECT_NUMBER(lab_control_receive(ends[1], &packet), -EAGAIN);
}

static void test_sizes(void)
{
	char *large = calloc(1, LAB_CONTROL_CONTENT_MOST + 2);
	int fds[LAB_CONTROL_FDS_MOST + 1] = {0};
	EXPECT_NUMBER(lab_control_send(
			      ends[0], LAB_CONTROL_EXEC, large, LAB_CONTROL_CONTENT_MOST, NULL, 0),
		0);
	EXPECT_NUMBER(lab_control_receive(ends[1], &packet), 1);
	EXPECT_NUMBER(packet.length, LAB_CONTROL_CONTENT_MOST);
	EXPECT_NUMBER(lab_control_send(ends[0], LAB_CONTROL_EXEC, large,
			      LAB_CONTROL_CONTENT_MOST + 1, NULL, 0),
		-EMSGSIZE);
	EXPECT_NUMBER(
		lab_control_send(ends[0], LAB_CONTROL_EXEC, "", 1, fds, LAB_CONTROL_FDS_MOST + 1),
		-EMSGSIZE);
	/* A stranger's, longer than any of ours. */
	EXPECT(send(ends[0], large, LAB_CONTROL_CONTENT_MOST + 2, 0) > 0, "it is sent");
	EXPECT_NUMBER(lab_control_receive(ends[1], &packet), -EBADMSG);
	free(large);
}

static void test_words(void)
{
	static const struct {
		const char *bytes;
		size_t length;
		int count;
	} cases[] = {{"", 0, 0}, {"a\0", 2, 1}, {"a\0\0b\0", 5, 3}, {"\0", 1, 1},
		{"a", 1, -EBADMSG}, {"a\0b", 3, -EBADMSG}};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		memcpy(packet.content, cases[i].bytes, cases[i].length);
		packet.length = cases[i].length;
		packet.content[packet.length] = '\0';
		EXPECT(lab_control_words(&packet, words) == cases[i].count, "case %zu", i);
		EXPECT(cases[i].count < 0 || !words[cases[i].count], "case %zu: NULL behind", i);
	}
	packet.length = LAB_CONTROL_WORDS_MOST + 1;
	memset(packet.content, 0, packet.length + 1);
	EXPECT_NUMBER(lab_control_words(&packet, words), -EBADMSG);
}

static void test_end(void)
{
	close(ends[0]);
	EXPECT_NUMBER(lab_control_receive(ends[1], &packet), 0);
	EXPECT_NUMBER(lab_control_send(ends[1], LAB_CONTROL_DOWN, NULL, 0, NULL, 0), -EPIPE);
	close(ends[1]);
}

int main(void)
{
	EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0, "a socket pair");
	test_there_and_back();
	test_sizes();
	test_words();
	test_end();
	return unit_finish();
}
