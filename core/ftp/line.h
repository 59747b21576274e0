/*
 * The waiting line of a server that serves N clients at once and keeps M more waiting: first come,
 * first served; one more is refused. Exactly N, never more: whoever arrives while others wait goes
 * behind them, also when a place is free at that moment.
 *
 * A member is embedded in the caller's object for a client; the line only links members and never
 * owns or frees one. Its use:
 *
 *	ftp_line_arrive()	a client connected: served, waiting or refused
 *	ftp_line_leave()	it is gone, whether it was served or waited
 *	ftp_line_call()		after a departure, until NULL: whose turn has come
 *	ftp_line_first/next()	those who still wait, in order, to tell them their new place
 */
#ifndef FTP_LINE_H
#define FTP_LINE_H

#include <stddef.h>

enum ftp_line_state { FTP_LINE_OUTSIDE, FTP_LINE_SERVED, FTP_LINE_WAITING };

/* `= {0}` is one outside. */
struct ftp_line_member {
	enum ftp_line_state state;
	struct ftp_line_member *ahead, *behind; /* in the line, while waiting */
};

struct ftp_line {
	size_t clients; /* N, at least 1 */
	size_t places; /* M */
	size_t served; /* now */
	size_t waiting; /* now */
	struct ftp_line_member *first, *last;
};

void ftp_line_init(struct ftp_line *line, size_t clients, size_t places);

/* The new state of `member`, which was outside; FTP_LINE_OUTSIDE: refused. */
enum ftp_line_state ftp_line_arrive(struct ftp_line *line, struct ftp_line_member *member);

/* Does nothing for a member that is outside. */
void ftp_line_leave(struct ftp_line *line, struct ftp_line_member *member);

/* The one whose turn has come, now served; NULL where nobody waits or no place is free. */
struct ftp_line_member *ftp_line_call(struct ftp_line *line);

/* The first and the following who wait; NULL behind the last. The first's place is number 1. */
static inline struct ftp_line_member *ftp_line_first(const struct ftp_line *line)
{
	return line->first;
}

static inline struct ftp_line_member *ftp_line_next(const struct ftp_line_member *member)
{
	return member->behind;
}

#endif
