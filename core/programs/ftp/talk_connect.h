/* From HOST[:PORT] to a connected socket. */
#ifndef PROGRAMS_FTP_TALK_CONNECT_H
#define PROGRAMS_FTP_TALK_CONNECT_H

#include <stdint.h>

#include "base/error.h"

struct talk_target {
	const char *text; /* HOST, HOST:PORT, [ADDR], [ADDR]:PORT */
	uint16_t port; /* where `text` has none */
	uint64_t connect_ns; /* how long to try each of the name's addresses */
};

/*
 * To the name's addresses one after the other.
 * ret_host: the caller's, without brackets and port; ret_fd: the caller's, non-blocking.
 * Returns 0 or a negative errno; -EINVAL is misuse.
 */
int talk_connect(
	const struct talk_target *target, char **ret_host, int *ret_fd, struct error *error);

#endif
