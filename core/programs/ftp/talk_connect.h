/* From HOST[:PORT] to a connected socket. */
#ifndef PROGRAMS_FTP_TALK_CONNECT_H
#define PROGRAMS_FTP_TALK_CONNECT_H

#include <stdint.h>

#include "base/error.h"

/*
 * HOST, HOST:PORT, [ADDR], [ADDR]:PORT: the name's addresses one after the other,
 * each for connect_ns.
 * ret_host: the caller's, without brackets and port; ret_fd: the caller's, non-blocking.
 * Returns 0 or a negative errno; -EINVAL is misuse.
 */
int talk_connect(
	const char *text, uint64_t connect_ns, char **ret_host, int *ret_fd, struct error *error);

#endif
