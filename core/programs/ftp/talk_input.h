/* Commands from standard input that is no terminal, one a line. */
#ifndef PROGRAMS_FTP_TALK_INPUT_H
#define PROGRAMS_FTP_TALK_INPUT_H

#include "base/text.h"
#include "programs/ftp/talk.h"

/* Do them as they come, until there are no more, or the connection is gone. */
void talk_input(struct talk *talk);

/*
 * Take the first line that is whole, without its end, out of what was typed; or, where it has
 * ended, what is left. The caller's; NULL where there is none.
 */
char *talk_input_line(struct text *typed, bool ended);

#endif
