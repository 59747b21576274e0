/*
 * The client as a person uses it: a status line, and `q` to leave.
 *
 *	Looking for an address ...
 *	Online [IP: 10.0.2.100]
 *	Offline [no address to be had]
 *	Offline
 *
 * On a terminal it is one line that changes in place, below the log, and `q` needs no Enter; the
 * terminal's settings are put back at the end. Elsewhere each change is a line of its own, and a
 * line "q" (or "quit") is waited for; the end of the input ends nothing there.
 */
#ifndef PROGRAMS_DHCP_CLIENT_STATUS_H
#define PROGRAMS_DHCP_CLIENT_STATUS_H

#include <event2/event.h>
#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

enum { CLIENT_STATUS_SIZE = 160 };

struct client_status {
	void (*quit)(void *program); /* `q` was typed */
	void *program;
	/* Private. */
	bool open, output_is_terminal, input_is_terminal;
	struct termios before;
	struct event *input, *resumed;
	char text[CLIENT_STATUS_SIZE], line[CLIENT_STATUS_SIZE + 16];
	char typed[8];
	unsigned typed_length;
};

/* The public members are set. */
int client_status_open(struct client_status *status, struct event_base *base, struct error *error);

/* Show that text. Does nothing where it is not open. */
void client_status_show(struct client_status *status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Leave the last text standing, with a newline; the terminal is as before. */
void client_status_close(struct client_status *status);

#endif
