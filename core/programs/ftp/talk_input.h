/* Commands from standard input that is no terminal, one a line. */
#ifndef PROGRAMS_FTP_TALK_INPUT_H
#define PROGRAMS_FTP_TALK_INPUT_H

#include "programs/ftp/talk.h"

/* Do them as they come, until there are no more, or the connection is gone. */
void talk_input(struct talk *talk);

#endif
