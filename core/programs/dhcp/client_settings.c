#include "programs/dhcp/client_settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "dhcp/option_text.h"
#include "dhcp/text.h"
#include "programs/dhcp/binding_text.h"

#define WAIT_ONCE_NS  (10 * NS_PER_SECOND)
#define HOOK_NS	      (30 * NS_PER_SECOND)
#define PLACE(member) offsetof(struct client_settings, member)

/* Where an option's value goes, for the kinds that need nothing more. */
struct place {
	const char *name;
	size_t offset;
	uint64_t least_ns, most_ns; /* of a duration */
	bool text; /* it goes with the text protocol too */
};

static const struct place flags[] = {
	{"once", PLACE(once), 0, 0, true},
	{"release-on-exit", PLACE(release), 0, 0, true},
	{"interactive", PLACE(interactive), 0, 0, true},
	{"json", PLACE(json), 0, 0, false},
	{"inform", PLACE(inform), 0, 0, false},
	{"no-configure", PLACE(no_configure), 0, 0, false},
	{"rapid-commit", PLACE(machine.rapid_commit), 0, 0, false},
	{"keep-unverified", PLACE(machine.keep_unverified), 0, 0, false},
	{"probe", PLACE(machine.probe), 0, 0, false},
};

static const struct place texts[] = {
	{"hook", PLACE(hook), 0, 0, false},
	{"lease-file", PLACE(lease_file), 0, 0, false},
	{"resolver-file", PLACE(resolver_file), 0, 0, false},
	{"host-name", PLACE(host_name), 0, 0, false},
	{"vendor-class", PLACE(vendor_class), 0, 0, false},
};

#define HOUR_NS (3600 * NS_PER_SECOND)

static const struct place durations[] = {
	{"wait", PLACE(machine.wait_ns), 1, UINT64_MAX, false},
	{"retry", PLACE(machine.retry_ns), NS_PER_MS, HOUR_NS, false},
	{"decline-wait", PLACE(machine.decline_ns), NS_PER_MS, HOUR_NS, false},
	{"hook-time", PLACE(hook_ns), NS_PER_MS, HOUR_NS, false},
};

/* Of --probe-times; the counts are in the settings as they stand here. */
static const struct place probe_durations[] = {
	{"wait", PLACE(machine.probe_times.wait_ns), 0, HOUR_NS, false},
	{"min", PLACE(machine.probe_times.least_ns), 0, HOUR_NS, false},
	{"max", PLACE(machine.probe_times.most_ns), 0, HOUR_NS, false},
	{"announce-wait", PLACE(machine.probe_times.announce_wait_ns), 0, HOUR_NS, false},
	{"announce-interval", PLACE(machine.probe_times.announce_interval_ns), 0, HOUR_NS, false},
	{"defend", PLACE(machine.probe_times.defend_ns), 0, HOUR_NS, false},
};

static const struct place probe_counts[] = {
	{"probes", PLACE(machine.probe_times.probes), 0, 0, false},
	{"announcements", PLACE(machine.probe_times.announcements), 0, 0, false},
};

enum { PROBES_MAX = 100 };

/* The row of that name; NULL: there is none. */
static const struct place *find_place(const struct place *places, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(places[i].name, name) == 0)
			return &places[i];
	return NULL;
}

static void *place_in(struct client_settings *settings, const struct place *place)
{
	return (char *)settings + place->offset;
}

static int accept_flag(void *target, const struct option_value *value, struct error *error)
{
	(void)error;
	bool *flag = place_in(target, find_place(flags, ARRAY_LENGTH(flags), value->name));
	*flag = true;
	return 0;
}

static int accept_text(void *target, const struct option_value *value, struct error *error)
{
	char **text = place_in(target, find_place(texts, ARRAY_LENGTH(texts), value->name));
	if (!*value->text)
		return error_set(error, -EINVAL, "--%s is empty", value->name);
	char *copy = strdup(value->text);
	if (!copy)
		return error_set(error, -ENOMEM, "out of memory");
	free(*text);
	*text = copy;
	return 0;
}

/* --host-name and --vendor-class: they go into an option. */
static int accept_sent_text(void *target, const struct option_value *value, struct error *error)
{
	if (strlen(value->text) > UINT8_MAX)
		return error_set(error, -EINVAL, "--%s is longer than the %d bytes of an option",
			value->name, UINT8_MAX);
	return accept_text(target, value, error);
}

static int accept_duration(void *target, const struct option_value *value, struct error *error)
{
	const struct place *place = find_place(durations, ARRAY_LENGTH(durations), value->name);
	uint64_t ns;
	if (option_seconds(&ns, value, error) < 0)
		return error->code;
	if (ns < place->least_ns || ns > place->most_ns)
		return error_set(error, -EINVAL, "--%s '%s' is not between 0.001 and 3600 seconds",
			value->name, value->text);
	*(uint64_t *)place_in(target, place) = ns;
	return 0;
}

static int accept_wait(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	settings->has_wait = true;
	return accept_duration(target, value, error);
}

static int accept_protocol(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	return option_protocol(&settings->text, "dhcp", value, error);
}

static int accept_server(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	struct endpoint server;
	if (option_endpoint(&server, DHCP_TEXT_PORT, value, error) < 0)
		return error->code;
	if (endpoint_is_any(&server))
		return error_set(
			error, -EINVAL, "server '%s' is no address of a server", value->text);
	settings->server = server;
	return 0;
}

static int accept_interface(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	return option_interface(settings->interface, value, error);
}

static int accept_lease(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	if (!binding_text_lease(value->text, &settings->machine.lease_seconds))
		return error_set(error, -EINVAL,
			"--lease '%s' is no number of seconds from 1 to %u, nor 'infinite'",
			value->text, DHCP_LEASE_INFINITE - 1);
	return 0;
}

static int accept_address(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	if (!ipv4_parse(value->text, &settings->machine.address) ||
		!dhcp_client_address_usable(settings->machine.address))
		return error_set(error, -EINVAL,
			"--address '%s' is no IPv4 address that an interface can have",
			value->text);
	return 0;
}

/* As a server's `bind id:...` has it: hexadecimal, or text in quotes; other text is text too. */
static int accept_client_id(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	struct writer writer = writer_over(settings->client_id, sizeof(settings->client_id));
	const char *text = value->text;
	size_t length = strlen(text);
	CLEANUP(free_pointer) char *hex = text_format("hex:%s", text);
	if (!hex)
		return error_set(error, -ENOMEM, "out of memory");
	if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
		write_bytes(&writer, text + 1, length - 2);
	else if (dhcp_option_text_parse(DHCP_OPTION_CLIENT_ID, hex, &writer, error) < 0) {
		writer = writer_over(settings->client_id, sizeof(settings->client_id));
		write_bytes(&writer, text, length);
	}
	size_t used = writer_used(&writer);
	if (writer.overflow || used < 2)
		return error_set(error, -EINVAL,
			"--client-id '%s' is not 2 to 255 bytes: hexadecimal, or text", text);
	settings->machine.client_id = (struct dhcp_field){settings->client_id, (uint16_t)used};
	return 0;
}

static int accept_request(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	uint16_t count = settings->machine.request.length;
	CLEANUP(free_pointer) char *copy = strdup(value->text);
	char *rest = copy, *name;
	if (!copy)
		return error_set(error, -ENOMEM, "out of memory");
	while ((name = strsep(&rest, ",")) != NULL) {
		uint8_t code;
		if (dhcp_option_text_code(name, &code, error) < 0)
			return error_prefix(error, "--request: ");
		if (count < sizeof(settings->request) && !memchr(settings->request, code, count))
			settings->request[count++] = code;
	}
	settings->machine.request = (struct dhcp_field){settings->request, count};
	return 0;
}

static int accept_probe_time(
	struct client_settings *settings, const char *name, const char *text, struct error *error)
{
	const struct place *duration =
		find_place(probe_durations, ARRAY_LENGTH(probe_durations), name);
	const struct place *count = find_place(probe_counts, ARRAY_LENGTH(probe_counts), name);
	uint64_t number;
	if (duration && text && text_parse_seconds(text, &number) && number <= HOUR_NS)
		*(uint64_t *)place_in(settings, duration) = number;
	else if (count && text && text_parse_number(text, 0, PROBES_MAX, &number))
		*(unsigned *)place_in(settings, count) = (unsigned)number;
	else
		return error_set(error, -EINVAL,
			"--probe-times: '%s%s%s' is none of wait=1, probes=3, min=1, max=2, "
			"announce-wait=2, announcements=2, announce-interval=2, defend=10 "
			"(those are RFC 5227's), seconds up to 3600",
			name, text ? "=" : "", text ? text : "");
	return 0;
}

static int accept_probe_times(void *target, const struct option_value *value, struct error *error)
{
	struct client_settings *settings = target;
	CLEANUP(free_pointer) char *copy = strdup(value->text);
	char *rest = copy, *name;
	if (!copy)
		return error_set(error, -ENOMEM, "out of memory");
	while ((name = strsep(&rest, ",")) != NULL) {
		char *text = name;
		strsep(&text, "=");
		if (accept_probe_time(settings, name, text, error) < 0)
			return error->code;
	}
	const struct dhcp_probe_times *times = &settings->machine.probe_times;
	if (times->least_ns > times->most_ns)
		return error_set(error, -EINVAL, "--probe-times: min is more than max");
	settings->machine.probe = true;
	return 0;
}

static const struct option options[] = {
	{.help = "how it runs"},
	{"interface", "IF", "the interface to configure", accept_interface},
	{"once", NULL, "get a lease, configure the interface, leave it so and exit", accept_flag},
	{"wait", "SECONDS", "how long to try for an address; default: for ever, with --once 10",
		accept_wait},
	{"release-on-exit", NULL, "give the lease back when terminated", accept_flag},
	{"interactive", NULL, "a status line; typing q gives the lease back and leaves",
		accept_flag},
	{"json", NULL, "every event as a line of JSON on standard output", accept_flag},
	{"inform", NULL, "the address is set already: ask for the other options alone, and exit",
		accept_flag},
	{.help = "what it asks for"},
	{"address", "ADDR", "the address to ask for", accept_address},
	{"lease", "SECONDS", "the lease time to ask for; may be infinite", accept_lease},
	{"request", "OPTION,...", "further options to ask for, by name or number", accept_request},
	{"client-id", "ID", "who it is: hexadecimal, or text; default: the hardware address",
		accept_client_id},
	{"host-name", "NAME", "its name, told to the server", accept_sent_text},
	{"vendor-class", "TEXT", "what it is, told to the server", accept_sent_text},
	{"rapid-commit", NULL, "take a lease in two messages from a server that can (RFC 4039)",
		accept_flag},
	{"retry", "SECONDS", "before the first retransmission, then doubled; default: 4",
		accept_duration},
	{.help = "what it does with the lease"},
	{"lease-file", "FILE", "save the lease there, and ask for it again at the next start",
		accept_text},
	{"keep-unverified", NULL, "use the saved lease while it lasts when no server answers",
		accept_flag},
	{"probe", NULL, "before an address is used, see whether another host has it (RFC 5227)",
		accept_flag},
	{"probe-times", "NAME=SECONDS,...",
		"wait=1,probes=3,min=1,max=2,announce-wait=2,announcements=2,\n"
		"announce-interval=2,defend=10 are the RFC's: 4 to 7 s; implies --probe",
		accept_probe_times},
	{"decline-wait", "SECONDS", "after a conflict, before it begins again; default: 10",
		accept_duration},
	{"hook", "FILE", "a program to run at every change, as udhcpc runs its script",
		accept_text},
	{"hook-time", "SECONDS", "how long it may take; default: 30", accept_duration},
	{"no-configure", NULL, "touch nothing of the node: the hook does it", accept_flag},
	{"resolver-file", "FILE",
		"write the name servers there, `none`: nowhere; default: /etc/resolv.conf",
		accept_text},
	{.help = "the report's text protocol instead of DHCP"},
	{"protocol", "PROTOCOL",
		"dhcp, or text: the report's, which shows the address and\ntouches no interface. "
		"That "
		"one goes with --server, --once,\n--wait, --retry (default: 10), --release-on-exit "
		"and\n--interactive alone",
		accept_protocol},
	{"server", "ADDR:PORT", "the server to ask, by UDP; default port: 20001", accept_server},
};

const struct program client_program = {
	.name = "dhcp-client",
	.synopsis =
		"--interface IF [--once] [--wait SECONDS] [options]\n       dhcp-client --protocol "
		"text --server ADDR:PORT [--once] [--wait SECONDS]",
	.purpose =
		"Lease an IPv4 address by DHCP (RFC 2131) and configure an interface with it, in "
		"the\nforeground.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
	.exit_status = "0 done, 2 misuse, 3 the system refused, 4 no address to be had",
};

static struct dhcp_field field_of(const char *text)
{
	return text ? (struct dhcp_field){(const uint8_t *)text, (uint16_t)strlen(text)}
		    : (struct dhcp_field){NULL, 0};
}

/* The first option given that the text protocol has no use for; NULL: there is none. */
static const char *given_for_dhcp(struct client_settings *settings)
{
	const struct dhcp_client_settings *machine = &settings->machine;
	const struct {
		const char *name;
		bool given;
	} others[] = {
		{"interface", *settings->interface},
		{"lease", machine->lease_seconds > 0},
		{"address", !ipv4_is_none(machine->address)},
		{"client-id", machine->client_id.length > 0},
		{"request", machine->request.length > 0},
		{"decline-wait", machine->decline_ns > 0},
		{"hook-time", settings->hook_ns != HOOK_NS},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		if (others[i].given)
			return others[i].name;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		if (*(char **)place_in(settings, &texts[i]))
			return texts[i].name;
	for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
		if (!flags[i].text && *(bool *)place_in(settings, &flags[i]))
			return flags[i].name;
	return NULL;
}

static int check_text(struct client_settings *settings, struct error *error)
{
	const char *other = given_for_dhcp(settings);
	if (other)
		return error_set(error, -EINVAL,
			"--%s is DHCP's: --protocol text goes with --server, --once, --wait, "
			"--retry, "
			"--release-on-exit and --interactive",
			other);
	if (!settings->server.family)
		return error_set(error, -EINVAL, "--server ADDR:PORT is missing");
	if (settings->interactive && settings->once)
		return error_set(error, -EINVAL, "--interactive does not go with --once");
	return 0;
}

static int check(struct client_settings *settings, struct error *error)
{
	if (settings->text)
		return check_text(settings, error);
	if (settings->server.family)
		return error_set(error, -EINVAL,
			"--server goes with --protocol text: DHCP finds its servers by itself");
	if (!*settings->interface)
		return error_set(error, -EINVAL, "--interface IF is missing");
	if (settings->interactive && (settings->json || settings->once || settings->inform))
		return error_set(error, -EINVAL, "--interactive does not go with --%s",
			settings->json	 ? "json"
			: settings->once ? "once"
					 : "inform");
	if (settings->no_configure && !settings->hook && !settings->json)
		return error_set(error, -EINVAL,
			"--no-configure without --hook and --json: nobody would use the lease");
	return 0;
}

int client_settings_read(
	int argc, char **argv, struct client_settings *settings, struct error *error)
{
	settings->machine.probe_times = DHCP_PROBE_TIMES_RFC;
	settings->hook_ns = HOOK_NS;
	int status = options_read(&client_program, argc, argv, settings, NULL, error);
	if (status == 0)
		status = check(settings, error);
	if (status < 0)
		return status;
	settings->machine.host_name = field_of(settings->host_name);
	settings->machine.vendor_class = field_of(settings->vendor_class);
	if ((settings->once || settings->inform) && !settings->has_wait)
		settings->machine.wait_ns = WAIT_ONCE_NS;
	settings->no_resolver_file =
		settings->resolver_file && strcmp(settings->resolver_file, "none") == 0;
	settings->release |= settings->interactive;
	return 0;
}

void client_settings_finish(struct client_settings *settings)
{
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		free(*(char **)place_in(settings, &texts[i]));
	*settings = (struct client_settings){0};
}
