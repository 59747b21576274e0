/*
 * ftp-client in the report's text protocol: `get` on the command line, each file over a connection
 * of its own, or a prompt that asks for one name after the other over one connection.
 */
#ifndef PROGRAMS_FTP_TEXT_TALK_H
#define PROGRAMS_FTP_TEXT_TALK_H

#include <stddef.h>

#include "programs/ftp/talk_settings.h"

/* words: the command line's; none: the prompt. Returns the exit status; all is told already. */
int text_talk_run(const struct talk_settings *settings, const char *const *words, size_t count);

#endif
