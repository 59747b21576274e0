#include "programs/dhcp/client_changes.h"

#include "base/clock.h"
#include "base/log.h"
#include "programs/shared/notify.h"

/* What each change is for a hook, and for the status line. */
static const struct {
	const char *hook; /* NULL: it is not told */
	const char *offline; /* behind "Offline"; NULL: the line stays */
	const char *log; /* before the address; NULL: said elsewhere, or in other words */
} words[] = {
	[DHCP_CHANGE_BOUND] = {"bound", NULL, "bound to"},
	[DHCP_CHANGE_RENEWED] = {"renew", NULL, "bound to"},
	[DHCP_CHANGE_KEPT] = {"bound", NULL, "no server answers: keeping"},
	[DHCP_CHANGE_LINK_BACK] = {"renew", NULL, "the link is back: still using"},
	[DHCP_CHANGE_INFORMED] = {"inform", NULL, "informed about"},
	[DHCP_CHANGE_EXPIRED] = {"deconfig", " [the lease has ended]", "the lease has ended:"},
	[DHCP_CHANGE_REPLACED] = {"deconfig", NULL, "another address was given in place of"},
	[DHCP_CHANGE_RELEASED] = {"deconfig", "", "released"},
	[DHCP_CHANGE_REFUSED] = {"nak", " [the server refused the address]", "DHCPNAK: refused"},
	[DHCP_CHANGE_DECLINED] = {"deconfig", " [the address is used by another host]",
		"another host uses"},
	[DHCP_CHANGE_UNANSWERED] = {"leasefail", " [no address to be had]",
		"no server offers an address"},
	[DHCP_CHANGE_DEFENDED] = {NULL, NULL, "another host uses our address once: defending"},
};

int client_changes_open(struct client_changes *changes, const struct client_changes_setup *setup,
	struct event_base *base, struct error *error)
{
	const struct client_settings *settings = setup->settings;
	const char *name = setup->interface->name;
	bool writes =
		settings->resolver_file ? !settings->no_resolver_file : resolver_file_is_own();
	*changes = (struct client_changes){
		.hook = {.path = settings->hook,
			.interface = name,
			.time_ns = settings->hook_ns,
			.idle = setup->hooks_idle,
			.program = setup->program},
		.apply = {.interface = setup->interface, .only_hook = settings->no_configure},
		.events = {.on = settings->json, .interface = name},
		.status = {.quit = setup->quit, .program = setup->program},
		.file = {.path = settings->lease_file,
			.mac = setup->interface->mac,
			.client_id = settings->machine.client_id},
	};
	const char *path = settings->resolver_file ? settings->resolver_file : RESOLVER_FILE;
	changes->apply.resolver =
		(struct resolver_file){.path = writes ? path : NULL, .interface = name};
	if (!writes && !settings->no_resolver_file)
		log_line("%s is the host's, not this network namespace's: it is left alone "
			 "(--resolver-file names another)",
			RESOLVER_FILE);
	int status = client_hook_open(&changes->hook, base, error);
	if (status == 0 && settings->interactive)
		status = client_status_open(&changes->status, base, error);
	return status;
}

void client_changes_close(struct client_changes *changes)
{
	client_hook_close(&changes->hook);
	client_status_close(&changes->status);
}

bool client_changes_start(
	struct client_changes *changes, struct dhcp_client_lease *ret_saved, uint64_t now_ns)
{
	struct error error;
	client_hook_call(&changes->hook, "deconfig", NULL, now_ns);
	if (!changes->file.path)
		return false;
	int found = lease_file_read(&changes->file, now_ns, ret_saved, &error);
	if (found < 0)
		log_line("%s", error.text);
	return found > 0;
}

static void save(
	struct client_changes *changes, const struct dhcp_client_lease *lease, uint64_t now_ns)
{
	struct error error;
	if (changes->file.path && lease_file_write(&changes->file, lease, now_ns, &error) < 0)
		log_line("%s", error.text);
}

static void forget(struct client_changes *changes)
{
	struct error error;
	if (changes->file.path && lease_file_remove(&changes->file, &error) < 0)
		log_line("%s", error.text);
}

static void log_lease(const struct dhcp_change *change, uint64_t now_ns)
{
	struct dhcp_route routes[DHCP_CLIENT_ROUTES_MAX];
	const struct dhcp_client_lease *lease = change->lease;
	char router[IPV4_TEXT_SIZE + 10] = "", time[24] = "ever";
	size_t count = dhcp_client_lease_routes(lease, routes);
	uint32_t left = dhcp_client_lease_left(lease, now_ns);
	for (size_t i = 0; i < count; i++)
		if (routes[i].destination.length == 0 && !ipv4_is_none(routes[i].router))
			snprintf(
				router, sizeof(router), ", router %s", IPV4_TEXT(routes[i].router));
	if (left != DHCP_LEASE_INFINITE)
		snprintf(time, sizeof(time), "%u s", left);
	log_line("%s %s for %s%s, server %s", words[change->reason].log,
		PREFIX_TEXT(lease->address), time, router, IPV4_TEXT(lease->server));
}

static void tell_hook(
	struct client_changes *changes, const struct dhcp_change *change, uint64_t now_ns)
{
	const char *reason = words[change->reason].hook;
	if (reason)
		client_hook_call(&changes->hook, reason,
			change->reason == DHCP_CHANGE_UNANSWERED ? NULL : change->lease, now_ns);
}

static void show_online(struct client_changes *changes, struct ipv4 address)
{
	client_status_show(&changes->status, "Online [IP: %s]", IPV4_TEXT(address));
}

int client_changes_configure(struct client_changes *changes, const struct dhcp_change *change,
	uint64_t now_ns, struct error *error)
{
	struct error soft;
	int status = 0;
	if (change->reason == DHCP_CHANGE_INFORMED)
		client_apply_options(&changes->apply, change->lease);
	else
		status = client_apply_lease(&changes->apply, change->lease, now_ns, error);
	if (status < 0)
		return status;
	if (change->reason == DHCP_CHANGE_BOUND || change->reason == DHCP_CHANGE_RENEWED)
		save(changes, change->lease, now_ns);
	log_lease(change, now_ns);
	tell_hook(changes, change, now_ns);
	client_events_change(&changes->events, change, now_ns);
	show_online(changes, change->address);
	if (!changes->announced && notify_ready(&soft) < 0)
		log_line("%s", soft.text);
	changes->announced = true;
	return 0;
}

static void tell(struct client_changes *changes, const struct dhcp_change *change, uint64_t now_ns)
{
	bool about = !ipv4_is_none(change->address);
	log_line("%s%s%s", words[change->reason].log, about ? " " : "",
		about ? IPV4_TEXT(change->address) : "");
	tell_hook(changes, change, now_ns);
	client_events_change(&changes->events, change, now_ns);
	if (words[change->reason].offline)
		client_status_show(&changes->status, "Offline%s", words[change->reason].offline);
}

void client_changes_unconfigure(
	struct client_changes *changes, const struct dhcp_change *change, uint64_t now_ns)
{
	client_apply_remove(&changes->apply, change->lease);
	forget(changes);
	tell(changes, change, now_ns);
	if (change->reason == DHCP_CHANGE_REFUSED) /* udhcpc's order */
		client_hook_call(&changes->hook, "deconfig", change->lease, now_ns);
}

void client_changes_notice(
	struct client_changes *changes, const struct dhcp_change *change, uint64_t now_ns)
{
	if (change->reason == DHCP_CHANGE_REFUSED || change->reason == DHCP_CHANGE_DECLINED)
		forget(changes);
	tell(changes, change, now_ns);
}

void client_changes_no_address(struct client_changes *changes, uint64_t now_ns)
{
	log_line("no address");
	client_hook_call(&changes->hook, "leasefail", NULL, now_ns);
	client_events_write(&changes->events, "no-address", NULL);
	client_status_show(&changes->status, "Offline [no address to be had]");
}

void client_changes_state(struct client_changes *changes, enum dhcp_client_state before,
	const struct dhcp_client *client)
{
	if (client->state == before)
		return;
	log_line("%s -> %s", dhcp_client_state_name(before), dhcp_client_state_name(client->state));
	if (changes->events.on)
		client_events_write(&changes->events, "state",
			json_pack("{s:s, s:s}", "from", dhcp_client_state_name(before), "to",
				dhcp_client_state_name(client->state)));
	if (client->state == DHCP_CLIENT_SELECTING && before == DHCP_CLIENT_INIT)
		client_status_show(&changes->status, "Looking for an address ...");
	if (client->state == DHCP_CLIENT_PROBING)
		client_status_show(&changes->status, "Checking that %s is free ...",
			IPV4_TEXT(client->lease.address.address));
}

void client_changes_link(struct client_changes *changes, const struct dhcp_client *client, bool up)
{
	log_line("the link is %s", up ? "up" : "down");
	if (changes->events.on)
		client_events_write(&changes->events, "link", json_pack("{s:b}", "up", up));
	if (!up)
		client_status_show(&changes->status, "Offline [the link is down]");
	else if (client->configured)
		show_online(changes, client->lease.address.address);
	else
		client_status_show(&changes->status, "Looking for an address ...");
}

void client_changes_gone(
	struct client_changes *changes, const struct dhcp_client *client, uint64_t now_ns)
{
	struct error error;
	if (changes->apply.resolver.path && client->configured &&
		resolver_file_restore(&changes->apply.resolver, &error) < 0)
		log_line("%s", error.text);
	client_hook_call(&changes->hook, "deconfig", NULL, now_ns);
	client_events_write(&changes->events, "gone", NULL);
	client_status_show(&changes->status, "Offline [the interface is gone]");
}

void client_changes_finished(
	struct client_changes *changes, const struct dhcp_client *client, int status)
{
	if (changes->events.on)
		client_events_write(
			&changes->events, "finished", json_pack("{s:i}", "status", status));
	if (status == 0 && !client->configured)
		client_status_show(&changes->status, "Offline");
}
