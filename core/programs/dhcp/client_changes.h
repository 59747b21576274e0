/*
 * What a change of the client's lease means for everything around the machine: the node is
 * configured, the lease file written, the hook run, and person and script are told (log, status
 * line, JSON), in that order.
 */
#ifndef PROGRAMS_DHCP_CLIENT_CHANGES_H
#define PROGRAMS_DHCP_CLIENT_CHANGES_H

#include "dhcp/client.h"
#include "programs/dhcp/client_apply.h"
#include "programs/dhcp/client_events.h"
#include "programs/dhcp/client_hook.h"
#include "programs/dhcp/client_settings.h"
#include "programs/dhcp/client_status.h"
#include "programs/dhcp/lease_file.h"

struct client_changes {
	/* Readable; private otherwise. */
	struct client_hook hook;
	struct client_apply apply;
	struct client_events events;
	struct client_status status;
	struct lease_file file; /* path NULL: none */
	bool announced; /* READY=1 was sent */
};

struct client_changes_setup {
	const struct client_settings *settings; /* borrowed, as the others */
	struct interface *interface;
	void *program; /* passed to: */
	void (*quit)(void *program);
	void (*hooks_idle)(void *program);
};

int client_changes_open(struct client_changes *changes, const struct client_changes_setup *setup,
	struct event_base *base, struct error *error);
void client_changes_close(struct client_changes *changes);

/* At start: tell the hook, read the saved lease. False where there is none to be used. */
bool client_changes_start(
	struct client_changes *changes, struct dhcp_client_lease *ret_saved, uint64_t now_ns);

/* Fails where the address cannot be set. */
int client_changes_configure(struct client_changes *changes, const struct dhcp_change *change,
	uint64_t now_ns, struct error *error);
void client_changes_unconfigure(
	struct client_changes *changes, const struct dhcp_change *change, uint64_t now_ns);
void client_changes_notice(
	struct client_changes *changes, const struct dhcp_change *change, uint64_t now_ns);

/* The wait for a first address is over. */
void client_changes_no_address(struct client_changes *changes, uint64_t now_ns);

void client_changes_state(struct client_changes *changes, enum dhcp_client_state before,
	const struct dhcp_client *client);
void client_changes_link(struct client_changes *changes, const struct dhcp_client *client, bool up);

/* The interface is gone, and with it its address. */
void client_changes_gone(
	struct client_changes *changes, const struct dhcp_client *client, uint64_t now_ns);

/* The program ends with that status. */
void client_changes_finished(
	struct client_changes *changes, const struct dhcp_client *client, int status);

#endif
