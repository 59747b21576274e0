/*
 * The hook: a program of the user's, told of every change of the lease as busybox udhcpc tells its
 * script, so that scripts written for that one serve.
 *
 *	argument 1	deconfig bound renew nak leasefail, and `inform`
 *	environment	interface ip subnet mask broadcast router dns domain search hostname mtu
 *			ntpsrv staticroutes lease serverid siaddr ... and optNN=HEX for the others
 *
 * It is executed without a shell, one after the other in the order of the changes, and never waited
 * for: one that is not done in time is killed, with its process group, and that is said. At most
 * CLIENT_HOOKS_MAX wait; where there would be more the oldest is dropped, and that is said too.
 */
#ifndef PROGRAMS_DHCP_CLIENT_HOOK_H
#define PROGRAMS_DHCP_CLIENT_HOOK_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/error.h"
#include "dhcp/client_lease.h"

enum { CLIENT_HOOKS_MAX = 8 };

struct client_hook_call {
	char *reason; /* owned */
	char **environment; /* owned, one allocation with its texts; NULL-terminated */
};

struct client_hook {
	const char *path; /* borrowed; NULL: there is none */
	const char *interface; /* borrowed */
	uint64_t time_ns; /* that it may take */
	/* Called when the last one is done; borrowed. */
	void (*idle)(void *program);
	void *program;
	/* Private. */
	struct event_base *base;
	struct event *exited, *late;
	int process_fd;
	pid_t process;
	bool killed;
	struct client_hook_call calls[CLIENT_HOOKS_MAX];
	unsigned count; /* waiting */
};

/* The public members are set. `base` is borrowed. */
int client_hook_open(struct client_hook *hook, struct event_base *base, struct error *error);
/* Kills the one that runs. */
void client_hook_close(struct client_hook *hook);

/* Run it, after those that wait. `lease` may be NULL: then of the interface alone. */
void client_hook_call(struct client_hook *hook, const char *reason,
	const struct dhcp_client_lease *lease, uint64_t now_ns);

bool client_hook_busy(const struct client_hook *hook);

#endif
