#include "programs/dhcp/client_events.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "dhcp/option_text.h"

static bool write_line(json_t *line)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	CLEANUP(free_pointer) char *dump = json_dumps(line, JSON_COMPACT);
	CLEANUP(free_pointer) char *text = dump ? text_format("%s\n", dump) : NULL;
	size_t length = text ? strlen(text) : 0;
	return text && poll(&out, 1, 0) == 1 &&
	       write(STDOUT_FILENO, text, length) == (ssize_t)length;
}

static json_t *line_begin(const struct client_events *events, const char *event)
{
	char second[24] = "", time_text[40];
	uint64_t now_ns = clock_realtime_ns();
	time_t seconds = (time_t)(now_ns / NS_PER_SECOND);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(time_text, sizeof(time_text), "%s.%03uZ", second,
		(unsigned)(now_ns % NS_PER_SECOND / NS_PER_MS));
	return json_pack("{s:s, s:s, s:s}", "time", time_text, "event", event, "interface",
		events->interface);
}

void client_events_write(struct client_events *events, const char *event, json_t *take_facts)
{
	CLEANUP(json_release) json_t *facts = take_facts;
	if (!events->on)
		return;
	if (events->lost > 0) {
		CLEANUP(json_release) json_t *lost = line_begin(events, "lost-lines");
		json_object_set_new(lost, "count", json_integer(events->lost));
		if (!lost || !write_line(lost)) {
			events->lost++;
			return;
		}
		events->lost = 0;
	}
	CLEANUP(json_release) json_t *line = line_begin(events, event);
	if (facts)
		json_object_update(line, facts);
	if (!line || !write_line(line))
		events->lost++;
}

static json_t *routes_json(const struct dhcp_client_lease *lease)
{
	struct dhcp_route routes[DHCP_CLIENT_ROUTES_MAX];
	size_t count = dhcp_client_lease_routes(lease, routes);
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		bool linked = ipv4_is_none(routes[i].router);
		json_array_append_new(list,
			json_pack("{s:s, s:s?}", "destination", PREFIX_TEXT(routes[i].destination),
				"router", linked ? NULL : IPV4_TEXT(routes[i].router)));
	}
	return list;
}

/* As a server's configuration would have it: {"dns": "10.0.1.10,10.0.1.11"}. */
static json_t *options_json(const struct dhcp_client_lease *lease)
{
	json_t *options = json_object();
	size_t at = 0;
	uint8_t code;
	struct dhcp_field value;
	while (dhcp_client_lease_next(lease, &at, &code, &value)) {
		CLEANUP(text_finish) struct text text = {0};
		dhcp_option_text_format(code, value, ',', &text);
		if (!text.failed)
			json_object_set_new(
				options, DHCP_OPTION_NAME(code), json_string(text_view(&text)));
	}
	return options;
}

static json_t *instant_json(uint64_t instant_ns, uint64_t now_ns)
{
	if (instant_ns == DHCP_NEVER)
		return json_null();
	uint64_t left_ns = instant_ns > now_ns ? instant_ns - now_ns : 0;
	return json_real((double)(left_ns / NS_PER_MS) / 1000);
}

static json_t *lease_json(const struct dhcp_client_lease *lease, uint64_t now_ns)
{
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "address",
		PREFIX_TEXT(lease->address), "server", IPV4_TEXT(lease->server), "lease_seconds",
		(json_int_t)lease->lease_seconds, "renew_in_seconds",
		instant_json(lease->t1_ns, now_ns), "rebind_in_seconds",
		instant_json(lease->t2_ns, now_ns), "ends_in_seconds",
		instant_json(lease->ends_ns, now_ns), "routes", routes_json(lease), "options",
		options_json(lease));
}

void client_events_change(
	struct client_events *events, const struct dhcp_change *change, uint64_t now_ns)
{
	json_t *facts = NULL;
	if (!events->on)
		return;
	if (change->lease && change->lease->lease_seconds > 0)
		facts = lease_json(change->lease, now_ns);
	else if (!ipv4_is_none(change->address))
		facts = json_pack("{s:s}", "address", IPV4_TEXT(change->address));
	client_events_write(events, dhcp_change_reason_name(change->reason), facts);
}
