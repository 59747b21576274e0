/* The second half of server_settings.h: what only the whole can tell. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/pool.h"
#include "programs/dhcp/binding_text.h"
#include "programs/dhcp/server_settings.h"
#include "programs/dhcp/server_settings_parts.h"

#define RANGE_TEXT_SIZE (2 * IPV4_TEXT_SIZE)

static int no_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_subnets(const void *a, const void *b)
{
	const struct server_section *left = a, *right = b;
	int order = compare_numbers(left->prefix.address.host, right->prefix.address.host);
	return order ? order : compare_numbers(left->prefix.length, right->prefix.length);
}

static int compare_ranges(const void *a, const void *b)
{
	const struct server_range *left = a, *right = b;
	return compare_numbers(left->range.first.host, right->range.first.host);
}

static int check_subnets(struct server_settings *settings, struct error *error)
{
	if (settings->subnet_count == 0)
		return error_set(error, -EINVAL, "--subnet CIDR is missing");
	qsort(settings->subnets, settings->subnet_count, sizeof(*settings->subnets),
		compare_subnets);
	/* Prefixes overlap only by lying in one another: then two neighbours do. */
	for (size_t i = 1; i < settings->subnet_count; i++) {
		const struct server_section *a = &settings->subnets[i - 1], *b = a + 1;
		if (prefix_contains(a->prefix, b->prefix.address))
			return error_set(error, -EINVAL, "the subnets %s (%s) and %s (%s) overlap",
				PREFIX_TEXT(a->prefix), a->origin, PREFIX_TEXT(b->prefix),
				b->origin);
	}
	return 0;
}

/* The subnet that the address lies in; their number where there is none. */
static size_t subnet_of(const struct server_settings *settings, struct ipv4 address)
{
	size_t low = 0, high = settings->subnet_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (settings->subnets[middle].prefix.address.host <= address.host)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0 && prefix_contains(settings->subnets[low - 1].prefix, address))
		return low - 1;
	return settings->subnet_count;
}

/* An address that a host of the subnet can have. */
static bool is_host(struct prefix subnet, struct ipv4 address)
{
	return subnet.length >= 31 || (!ipv4_equal(address, prefix_network(subnet)) &&
					      !ipv4_equal(address, prefix_broadcast(subnet)));
}

/* Find the subnet of a host's address; `what` begins the sentence: "the router". */
static int place_host(const struct server_settings *settings, const char *what, struct ipv4 address,
	const char *origin, struct error *error)
{
	size_t subnet = subnet_of(settings, address);
	if (subnet == settings->subnet_count)
		return error_set(error, -EINVAL, "%s %s (%s) lies in no subnet that is served",
			what, IPV4_TEXT(address), origin);
	if (!is_host(settings->subnets[subnet].prefix, address))
		return error_set(error, -EINVAL, "%s %s (%s) is no host's address in the subnet %s",
			what, IPV4_TEXT(address), origin,
			PREFIX_TEXT(settings->subnets[subnet].prefix));
	return (int)subnet;
}

static char *range_format(struct dhcp_range range, char text[static RANGE_TEXT_SIZE])
{
	snprintf(text, RANGE_TEXT_SIZE, "%s-%s", IPV4_TEXT(range.first), IPV4_TEXT(range.last));
	return text;
}
#define RANGE_TEXT(range) range_format((range), (char[RANGE_TEXT_SIZE]){0})

static int place_pool(
	const struct server_settings *settings, struct server_range *pool, struct error *error)
{
	pool->subnet = subnet_of(settings, pool->range.first);
	if (pool->subnet == settings->subnet_count)
		return error_set(error, -EINVAL,
			"the pool %s (%s) lies in no subnet that is served",
			RANGE_TEXT(pool->range), pool->origin);
	const struct server_section *subnet = &settings->subnets[pool->subnet];
	if (!prefix_contains(subnet->prefix, pool->range.last))
		return error_set(error, -EINVAL, "the pool %s (%s) does not lie in the subnet %s",
			RANGE_TEXT(pool->range), pool->origin, PREFIX_TEXT(subnet->prefix));
	return 0;
}

static int check_pools(struct server_settings *settings, struct error *error)
{
	uint64_t size = 0;
	if (settings->pool_count > 0)
		qsort(settings->pools, settings->pool_count, sizeof(*settings->pools),
			compare_ranges);
	for (size_t i = 0; i < settings->pool_count; i++) {
		struct server_range *at = &settings->pools[i];
		int status = place_pool(settings, at, error);
		if (status < 0)
			return status;
		if (i > 0 && at->range.first.host <= at[-1].range.last.host)
			return error_set(error, -EINVAL, "the pools %s (%s) and %s (%s) overlap",
				RANGE_TEXT(at[-1].range), at[-1].origin, RANGE_TEXT(at->range),
				at->origin);
		if (i == 0 || at[-1].subnet != at->subnet)
			size = 0;
		size += (uint64_t)at->range.last.host - at->range.first.host + 1;
		if (size > DHCP_POOL_MOST)
			return error_set(error, -EINVAL,
				"the pool %s (%s) is too large: at most %u addresses in a subnet",
				RANGE_TEXT(at->range), at->origin, DHCP_POOL_MOST);
	}
	return 0;
}

static const char *option_origin(const struct server_section *section, uint8_t code)
{
	for (size_t i = 0; i < section->option_count; i++)
		if (section->options[i].code == code)
			return section->options[i].origin;
	return NULL;
}

/* Append an address to option 3 of the subnet. */
static int add_router(struct dhcp_option_list *values, struct ipv4 address, struct error *error)
{
	enum { MOST = 63 };
	uint8_t bytes[4 * (MOST + 1)];
	const struct dhcp_option_value *before = dhcp_option_list_find(values, DHCP_OPTION_ROUTER);
	size_t length = before ? before->length : 0;
	uint32_t wire = htonl(address.host);
	if (length + sizeof(wire) > sizeof(bytes))
		return error_set(error, -EINVAL, "more than %d routers for one subnet", MOST);
	if (length > 0)
		memcpy(bytes, before->bytes, length);
	memcpy(bytes + length, &wire, sizeof(wire));
	if (!dhcp_option_list_set(values, DHCP_OPTION_ROUTER, bytes, length + sizeof(wire)))
		return no_memory(error);
	return 0;
}

static int check_routers(struct server_settings *settings, struct error *error)
{
	for (size_t i = 0; i < settings->router_count; i++) {
		struct server_range *at = &settings->routers[i];
		int subnet = place_host(settings, "the router", at->range.first, at->origin, error);
		if (subnet < 0)
			return subnet;
		at->subnet = (size_t)subnet;
		struct server_section *section = &settings->subnets[subnet];
		const char *also = option_origin(section, DHCP_OPTION_ROUTER);
		if (also)
			return error_set(error, -EINVAL,
				"the routers of %s are given twice: router (%s) and option (%s)",
				PREFIX_TEXT(section->prefix), at->origin, also);
		int status = add_router(&section->values, at->range.first, error);
		if (status < 0)
			return status;
	}
	return 0;
}

static bool is_router(const struct dhcp_option_list *values, struct ipv4 address)
{
	const struct dhcp_option_value *routers = dhcp_option_list_find(values, DHCP_OPTION_ROUTER);
	uint32_t wire = htonl(address.host);
	for (size_t at = 0; routers && at + sizeof(wire) <= routers->length; at += sizeof(wire))
		if (memcmp(routers->bytes + at, &wire, sizeof(wire)) == 0)
			return true;
	return false;
}

static int check_bindings(struct server_settings *settings, struct error *error)
{
	for (size_t i = 0; i < settings->binding_count; i++) {
		struct server_binding *at = &settings->bindings[i];
		int subnet = place_host(
			settings, "the bound address", at->binding.address, at->origin, error);
		if (subnet < 0)
			return subnet;
		at->subnet = (size_t)subnet;
		if (is_router(&settings->subnets[subnet].values, at->binding.address) ||
			is_router(&settings->everywhere.values, at->binding.address))
			return error_set(error, -EINVAL, "the bound address %s (%s) is a router's",
				IPV4_TEXT(at->binding.address), at->origin);
	}
	return 0;
}

static int compare_clients(const void *a, const void *b)
{
	const struct server_binding *const *left = a, *const *right = b;
	const struct dhcp_identity *x = &(*left)->binding.client, *y = &(*right)->binding.client;
	int order = compare_numbers((*left)->subnet, (*right)->subnet);
	if (!order)
		order = compare_numbers(x->length, y->length);
	return order ? order : memcmp(x->bytes, y->bytes, x->length);
}

static int compare_addresses(const void *a, const void *b)
{
	const struct server_binding *const *left = a, *const *right = b;
	return compare_numbers((*left)->binding.address.host, (*right)->binding.address.host);
}

static int complain(struct server_settings *settings, struct server_binding *second,
	const struct server_binding *first, const char *what, struct error *error)
{
	CLEANUP(free_pointer)
	char *sentence = text_format("the binding %s=%s (%s) does not count: %s is bound already "
				     "(%s)",
		BINDING_CLIENT_TEXT(&second->binding.client), IPV4_TEXT(second->binding.address),
		second->origin, what, first->origin);
	char **added =
		sentence ? array_add(&settings->complaints, &settings->complaint_count) : NULL;
	if (!added)
		return no_memory(error);
	*added = TAKE(sentence);
	second->duplicate = true;
	return 0;
}

/*
 * Number the clients (within a subnet), or the addresses: equal ones have the same number, below
 * that of bindings. `sorted` holds them all.
 */
static void number_equals(const struct server_settings *settings,
	const struct server_binding **sorted, int (*compare)(const void *a, const void *b),
	size_t *ret_numbers)
{
	size_t group = 0;
	qsort(sorted, settings->binding_count, sizeof(*sorted), compare);
	for (size_t i = 0; i < settings->binding_count; i++) {
		group += i > 0 && compare(&sorted[i - 1], &sorted[i]) != 0;
		ret_numbers[sorted[i] - settings->bindings] = group;
	}
}

/* In the order in which they were written; what does not count is in nobody's way. */
static int mark_duplicates(struct server_settings *settings, const size_t *client_of,
	const size_t *address_of, const struct server_binding **holders, struct error *error)
{
	const struct server_binding **by_client = holders;
	const struct server_binding **by_address = holders + settings->binding_count;
	for (size_t i = 0; i < settings->binding_count; i++) {
		struct server_binding *at = &settings->bindings[i];
		const struct server_binding *client = by_client[client_of[i]];
		const struct server_binding *address = by_address[address_of[i]];
		if (client || address) {
			int status = complain(settings, at, client ? client : address,
				client ? BINDING_CLIENT_TEXT(&at->binding.client)
				       : IPV4_TEXT(at->binding.address),
				error);
			if (status < 0)
				return status;
			continue;
		}
		by_client[client_of[i]] = by_address[address_of[i]] = at;
	}
	return 0;
}

static int check_duplicates(struct server_settings *settings, struct error *error)
{
	size_t count = settings->binding_count;
	CLEANUP(free_pointer)
	const struct server_binding **sorted = calloc(count + 1, sizeof(struct server_binding *));
	CLEANUP(free_pointer)
	const struct server_binding **holders =
		calloc(2 * count + 1, sizeof(struct server_binding *));
	CLEANUP(free_pointer) size_t *numbers = calloc(2 * count + 1, sizeof(*numbers));
	if (!sorted || !holders || !numbers)
		return no_memory(error);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &settings->bindings[i];
	number_equals(settings, sorted, compare_clients, numbers);
	number_equals(settings, sorted, compare_addresses, numbers + count);
	return mark_duplicates(settings, numbers, numbers + count, holders, error);
}

int server_settings_check(struct server_settings *settings, struct error *error)
{
	static int (*const steps[])(struct server_settings *, struct error *) = {
		server_settings_check_protocol,
		check_subnets,
		check_pools,
		check_routers,
		check_bindings,
		check_duplicates,
		server_settings_build,
	};
	for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
		int status = steps[i](settings, error);
		if (status < 0)
			return status;
	}
	return 0;
}
