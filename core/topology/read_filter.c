/* The keys of a `messages` step that say which of them are meant. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology/read_parts.h"

typedef int filter_read(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error);

static int read_giaddr(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error)
{
	(void)topology;
	filter->has_giaddr = true;
	return yaml_read_ipv4(value->source, value->node, "giaddr", &filter->giaddr, error);
}

static int read_address(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error)
{
	(void)topology;
	filter->has_address = true;
	return yaml_read_ipv4(value->source, value->node, "address", &filter->address, error);
}

static int read_client(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error)
{
	CLEANUP(free_pointer) char *name = NULL;
	int status = yaml_read_text(value->source, value->node, "client", &name, error);
	if (status < 0)
		return status;
	long index = topology_find_node(topology, name);
	if (index < 0)
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"'%s' is no node of this topology", name);
	filter->has_client = true;
	filter->client = (size_t)index;
	filter->client_name = topology->nodes[index].name;
	return 0;
}

static int read_lease(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error)
{
	CLEANUP(free_pointer) char *text = NULL;
	uint64_t seconds = UINT32_MAX; /* RFC 2131 section 3.3: for ever */
	(void)topology;
	int status = yaml_read_text(value->source, value->node, "lease", &text, error);
	if (status < 0)
		return status;
	if (strcmp(text, "infinite") != 0 && !text_parse_number(text, 0, UINT32_MAX, &seconds))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"lease must be a number of seconds or infinite, not '%s'", text);
	filter->has_lease = true;
	filter->lease_seconds = (uint32_t)seconds;
	return 0;
}

static int read_port(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error)
{
	uint64_t port;
	(void)topology;
	int status = yaml_read_number(value->source, value->node, "port", UINT16_MAX, &port, error);
	if (status == 0 && port == 0)
		return yaml_fail(
			value->source, yaml_mark(value->node), error, "no port has the number 0");
	filter->port = (uint16_t)port;
	return status;
}

static int read_text(const struct yaml_value *value, const struct topology *topology,
	struct message_filter *filter, struct error *error)
{
	(void)topology;
	return yaml_read_text(value->source, value->node, "text", &filter->text, error);
}

int topology_read_filter(const struct yaml_value *value, void *target, struct error *error)
{
	static const struct {
		const char *name;
		filter_read *read;
	} members[] = {
		{"giaddr", read_giaddr},
		{"address", read_address},
		{"client", read_client},
		{"lease", read_lease},
		{"port", read_port},
		{"text", read_text},
	};
	struct step_target *at = target;
	at->has_filter = true;
	for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
		if (strcmp(members[i].name, value->name) == 0)
			return members[i].read(value, at->topology, &at->step->filter, error);
	return 0;
}
