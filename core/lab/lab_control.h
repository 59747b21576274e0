/*
 * What is said on a lab's control socket: packets (SOCK_SEQPACKET), one kind byte and its contents,
 * with descriptors (SCM_RIGHTS) where they are told. Numbers are in the machine's own order: both
 * ends are on it, and of one version of sim.
 *
 *	client					supervisor
 *	EXEC node, words + 3 descriptors	STARTED, then STOPPED..., then ENDED status
 *	SIGNAL number				(to what EXEC started)
 *	LIST what				ANSWER + a descriptor of the answer's JSON
 *	DOWN					ENDED 0 and notes, when everything is gone
 *	CAPTURE node, interface + 1 descriptor	STARTED, then ENDED
 *
 * Or FAILED error. A client that leaves ends what it started.
 */
#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum lab_control_kind {
	LAB_CONTROL_EXEC = 'E',
	LAB_CONTROL_SIGNAL = 'S',
	LAB_CONTROL_LIST = 'L',
	LAB_CONTROL_DOWN = 'D',
	LAB_CONTROL_CAPTURE = 'C',
	LAB_CONTROL_STARTED = 's',
	LAB_CONTROL_STOPPED = 't', /* by Ctrl-Z in its terminal; SIGNAL SIGCONT continues it */
	LAB_CONTROL_ENDED = 'e', /* int32_t: the exit status; of a lab, lines of text behind it */
	LAB_CONTROL_ANSWER = 'a',
	LAB_CONTROL_FAILED = 'f', /* struct error */
};

/* What LIST is asked for; else all. */
#define LAB_CONTROL_LIST_NAMES "names"
#define LAB_CONTROL_LIST_FIRST "first"

enum {
	LAB_CONTROL_FIRST = 40, /* so many nodes: what a person reads */
	LAB_CONTROL_CONTENT_MOST = 120 * 1024, /* a packet has to fit the kernel's usual buffer */
	LAB_CONTROL_FDS_MOST = 3,
	LAB_CONTROL_WORDS_MOST = 4096,
};

struct lab_control_packet {
	enum lab_control_kind kind;
	size_t length; /* of content */
	char content[LAB_CONTROL_CONTENT_MOST + 1]; /* NUL-terminated besides */
	int fds[LAB_CONTROL_FDS_MOST]; /* -1: none; the packet's */
};

/*
 * Send one; `fds` (NULL: none) stay the caller's. -EMSGSIZE where it is too long, -EAGAIN where the
 * socket does not block and the other end does not read.
 */
int lab_control_send(int fd, enum lab_control_kind kind, const void *content, size_t length,
	const int *fds, size_t fd_count);

/*
 * Receive one. Returns 1; 0 where the other end has closed; a negative errno, -EAGAIN where nothing
 * is there, -EBADMSG for one that is none. packet->fds are closed by lab_control_packet_finish().
 */
int lab_control_receive(int fd, struct lab_control_packet *packet);

/* Close the descriptors that were not taken; for CLEANUP(). */
void lab_control_packet_finish(struct lab_control_packet *packet);

/*
 * The content as strings, each ended by a NUL, into `words` of LAB_CONTROL_WORDS_MOST + 1, NULL behind
 * the last. Returns how many, or -EBADMSG.
 */
int lab_control_words(struct lab_control_packet *packet, char **words);

#endif
