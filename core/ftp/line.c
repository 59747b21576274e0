#include "ftp/line.h"

void ftp_line_init(struct ftp_line *line, size_t clients, size_t places)
{
	*line = (struct ftp_line){.clients = clients, .places = places};
}

enum ftp_line_state ftp_line_arrive(struct ftp_line *line, struct ftp_line_member *member)
{
	if (line->waiting == 0 && line->served < line->clients) {
		line->served++;
		member->state = FTP_LINE_SERVED;
	} else if (line->waiting < line->places) {
		member->ahead = line->last;
		member->behind = NULL;
		if (line->last)
			line->last->behind = member;
		else
			line->first = member;
		line->last = member;
		line->waiting++;
		member->state = FTP_LINE_WAITING;
	}
	return member->state;
}

static void line_unlink(struct ftp_line *line, struct ftp_line_member *member)
{
	if (member->ahead)
		member->ahead->behind = member->behind;
	else
		line->first = member->behind;
	if (member->behind)
		member->behind->ahead = member->ahead;
	else
		line->last = member->ahead;
	member->ahead = member->behind = NULL;
	line->waiting--;
}

void ftp_line_leave(struct ftp_line *line, struct ftp_line_member *member)
{
	if (member->state == FTP_LINE_SERVED)
		line->served--;
	else if (member->state == FTP_LINE_WAITING)
		line_unlink(line, member);
	member->state = FTP_LINE_OUTSIDE;
}

struct ftp_line_member *ftp_line_call(struct ftp_line *line)
{
	struct ftp_line_member *member = line->first;
	if (!member || line->served >= line->clients)
		return NULL;
	line_unlink(line, member);
	line->served++;
	member->state = FTP_LINE_SERVED;
	return member;
}
