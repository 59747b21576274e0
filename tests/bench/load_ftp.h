/*
 * A load of FTP clients: sessions that run side by side in one loop, each doing what `mode` says
 * again and again. What they saw is counted in struct load_ftp_result.
 */
#ifndef BENCH_LOAD_FTP_H
#define BENCH_LOAD_FTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "histogram.h"

enum { LOAD_FTP_SESSIONS_MOST = 20000, LOAD_FTP_REPLY_SIZE = 256 };

enum load_ftp_mode {
	LOAD_FTP_GET, /* PASV and RETR */
	LOAD_FTP_PUT, /* PASV and STOR, each under a name of its own */
	LOAD_FTP_LOGIN, /* connect, log in, QUIT */
	LOAD_FTP_IDLE, /* log in once, and stay */
};

struct load_ftp_settings {
	enum load_ftp_mode mode;
	struct ipv4 server;
	uint32_t sessions;
	uint64_t count; /* files or log-ins, at most; 0: until the time is over */
	uint64_t seconds_ns; /* begin none after that time; 0: until `count` */
	uint64_t bytes; /* of a file of LOAD_FTP_PUT */
	const char *path; /* of the file; of LOAD_FTP_PUT the beginning of the names */
	const char *stalled; /* one session more asks for this file and never reads it; or NULL */
};

struct load_ftp_result {
	uint64_t begun, done; /* files or log-ins */
	uint64_t bytes; /* moved over data connections, but for the stalled session's */
	uint64_t counted_ns; /* from the first that was begun to the last that was done */
	uint64_t failed; /* sessions that ended because of an answer, or of none */
	char failure[LOAD_FTP_REPLY_SIZE]; /* the first one's reason */
	struct histogram
		whole; /* ns of each, the log-in of a session that moves files not included */
};

enum load_ftp_state {
	LOAD_FTP_GREETING,
	LOAD_FTP_USER,
	LOAD_FTP_PASS,
	LOAD_FTP_TYPE,
	LOAD_FTP_PASV,
	LOAD_FTP_TRANSFER,
	LOAD_FTP_QUIT,
	LOAD_FTP_RESTING, /* nothing more to do */
	LOAD_FTP_STATE_COUNT
};

struct load_ftp_session {
	enum load_ftp_state state;
	int control, data; /* -1: none */
	bool stalls;
	bool opened; /* 150 was seen */
	bool moved, replied; /* of the transfer: its data is over; 226 was seen */
	uint64_t left; /* bytes to be sent */
	uint64_t began_ns;
	char reply[LOAD_FTP_REPLY_SIZE]; /* what is there of the line that is being received */
	size_t reply_length;
};

struct load_ftp {
	const struct load_ftp_settings *settings;
	int poll, content; /* epoll; what is sent */
	struct load_ftp_session *sessions; /* settings->sessions, and the one that stalls */
	uint32_t total, resting, stalled; /* sessions; of those: at rest; with a stalled transfer */
	uint32_t connected; /* so many of them have begun (LOAD_FTP_IDLE: not all at once) */
	uint64_t started_ns;
	struct load_ftp_result result;
};

/* `load` is zeroed. Close with load_ftp_close(), also after a failure. */
int load_ftp_open(
	struct load_ftp *load, const struct load_ftp_settings *settings, struct error *error);
void load_ftp_close(struct load_ftp *load);

/* Until all sessions are at rest, or *stop is set. Fails where the system refuses. */
int load_ftp_run(struct load_ftp *load, const volatile int *stop, struct error *error);

#endif
