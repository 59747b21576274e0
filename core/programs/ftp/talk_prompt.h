/*
 * The prompt on a terminal: a line is edited by libedit, with history and completion, while the
 * event loop goes on and shows what the server says meanwhile.
 */
#ifndef PROGRAMS_FTP_TALK_PROMPT_H
#define PROGRAMS_FTP_TALK_PROMPT_H

#include "programs/ftp/talk.h"

/* Whether standard input and standard error are a terminal that lines can be edited on. */
bool talk_prompt_possible(void);

/* Ask for commands and do them until there is no more, or the connection is gone. */
void talk_prompt(struct talk *talk);

#endif
