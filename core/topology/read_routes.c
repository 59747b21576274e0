/* `routes:` of a node: in the words of ip-route(8) and netplan, `{to: PREFIX, via: GATEWAY}`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "topology/read_parts.h"

enum { ROUTES_MOST = 1000 };

static int read_to(const struct yaml_value *value, void *target, struct error *error)
{
	struct route_spec *route = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "to", &text, error);
	if (status < 0)
		return status;
	route->is_default = strcmp(text, "default") == 0;
	if (route->is_default)
		return 0;
	if (!ip_prefix_parse(text, &route->destination))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"to must be default or a subnet like 10.0.9.0/24, not '%s'", text);
	struct ip_prefix subnet = ip_prefix_network(route->destination);
	if (!ip_equal(subnet.address, route->destination.address))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"to: %s has bits set beyond its length; the subnet is %s", text,
			IP_PREFIX_TEXT(subnet));
	return 0;
}

/* An address, or else the name of a node, which the plan looks up; or none. */
static int read_via(const struct yaml_value *value, void *target, struct error *error)
{
	struct route_spec *route = target;
	CLEANUP(free_pointer) char *text = NULL;
	int status = yaml_read_text(value->source, value->node, "via", &text, error);
	if (status < 0 || strcmp(text, "none") == 0)
		return status;
	if (ip_parse(text, &route->gateway)) {
		if (!ip_is_none(route->gateway))
			return 0;
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"via: %s is no node's address", text);
	}
	if (!topology_name_fits(text))
		return yaml_fail(value->source, yaml_mark(value->node), error,
			"via must be the gateway's address, its node's name, or none, not '%s'",
			text);
	route->node = strdup(text);
	return route->node ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int read_route(struct yaml_source *source, yaml_node_t *item, struct route_spec *route,
	struct error *error)
{
	static const struct yaml_key keys[] = {
		{"to", read_to, true},
		{"via", read_via, true},
	};
	static const struct yaml_form form = {"a route", keys, ARRAY_LENGTH(keys)};
	route->mark = yaml_mark(item);
	int status = yaml_read_form(source, item, &form, route, error);
	if (status < 0 || route->is_default || ip_is_none(route->gateway) ||
		route->destination.address.family == route->gateway.family)
		return status;
	return yaml_fail(source, route->mark, error, "a route to %s cannot go via %s: %s and %s",
		IP_PREFIX_TEXT(route->destination), IP_TEXT(route->gateway),
		ip_family_names[route->destination.address.family],
		ip_family_names[route->gateway.family]);
}

/* `none`, `auto`, or a list of routes; `none` as one of its entries is for those found. */
int topology_read_routes(const struct yaml_value *value, void *target, struct error *error)
{
	struct node *node = target;
	struct yaml_source *source = value->source;
	bool is_list = yaml_is_sequence(value->node);
	size_t count = is_list ? yaml_sequence_length(value->node) : 1;
	if (count > ROUTES_MOST)
		return yaml_fail(source, yaml_mark(value->node), error,
			"a node has at most %d routes of its own", ROUTES_MOST);
	int status = 0;
	for (size_t i = 0; status == 0 && i < count; i++) {
		yaml_node_t *item =
			is_list ? yaml_sequence_item(source, value->node, i) : value->node;
		CLEANUP(free_pointer) char *text = NULL;
		if (yaml_is_scalar(item)) {
			status = yaml_read_text(source, item, "routes", &text, error);
			node->no_routes |= status == 0 && strcmp(text, "none") == 0;
			if (status == 0 && strcmp(text, "none") != 0 && strcmp(text, "auto") != 0)
				return yaml_fail(source, yaml_mark(item), error,
					"routes must be none, auto or a list of {to: SUBNET, via: "
					"GATEWAY}, not '%s'",
					text);
			continue;
		}
		struct route_spec *route = array_add(&node->routes, &node->route_count);
		if (!route)
			return error_set(error, -ENOMEM, "out of memory");
		status = read_route(source, item, route, error);
	}
	return status;
}
