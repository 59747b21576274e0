/*
 * A command that a terminal controls. Between it and its parent stands a leader of their session,
 * in the node as the command is, so that the terminal's keys do what they do elsewhere: with the
 * parent in another session, the kernel would let no Ctrl-Z stop the command.
 *
 *	supervisor -- leader (session, terminal) -- command (foreground process group)
 *
 * The leader stops itself when the command is stopped, so that the supervisor sees it; SIGCONT sent
 * to the leader continues the command in the foreground, and other signals are handed on. It ends
 * as the command ends, with 128 and the signal's number where that was by one, and the command
 * ends with it.
 */
#ifndef PROCESS_TERMINAL_H
#define PROCESS_TERMINAL_H

#include "base/error.h"

/*
 * In a child that leads its session and has the signals' default actions: take the terminal that is
 * its descriptor `fd`, 0 to 2, and go on as the command. Returns there; the leader never returns.
 */
int terminal_lead(int fd, struct error *error);

#endif
