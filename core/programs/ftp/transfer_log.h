/*
 * What was transferred, one line each, for people's tools: the xferlog form that wu-ftpd began and
 * vsftpd, proftpd and pure-ftpd write, and JSON Lines. A file that cannot be written loses its
 * lines, which is told once; it never stops a transfer.
 */
#ifndef PROGRAMS_FTP_TRANSFER_LOG_H
#define PROGRAMS_FTP_TRANSFER_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ftp/port.h"

/* One transfer of a file, over. */
struct transfer_record {
	const struct endpoint *client;
	const char *user; /* "" for anonymous */
	const char *root; /* the account's, before `path` */
	const char *path;
	bool upload, ascii, complete, secure;
	uint64_t bytes;
	uint64_t duration_ns;
	int64_t ended_seconds; /* since 1970, UTC */
};

struct transfer_log {
	int xferlog, json; /* owned; -1: not written */
	bool complained;
};

#define TRANSFER_LOG_NONE ((struct transfer_log){.xferlog = -1, .json = -1})

/* Append to these files; NULL: not to that one. */
int transfer_log_open(
	struct transfer_log *log, const char *xferlog, const char *json, struct error *error);
void transfer_log_close(struct transfer_log *log);

void transfer_log_write(struct transfer_log *log, const struct transfer_record *record);

#endif
