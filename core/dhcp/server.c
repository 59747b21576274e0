#include "dhcp/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/reader.h"
#include "dhcp/server_parts.h"

enum {
	OFFER_SECONDS = 10,
	DECLINE_SECONDS = 600,
	LEASE_SECONDS = 3600,
	ADDRESS_SIZE = 4,
};

static int compare_subnets(const void *a, const void *b)
{
	uint32_t left = ((const struct dhcp_subnet *)a)->pool.subnet.address.host,
		 right = ((const struct dhcp_subnet *)b)->pool.subnet.address.host;
	return (left > right) - (left < right);
}

static void subnet_finish(struct dhcp_subnet *subnet)
{
	dhcp_pool_finish(&subnet->pool);
	dhcp_option_list_finish(&subnet->options);
}

static void subnets_finish(struct dhcp_subnet *subnets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		subnet_finish(&subnets[i]);
	free(subnets);
}

/* No client gets an address of the server's, or of a router that all are told of. */
static bool keep_addresses(const struct dhcp_server *server, struct dhcp_subnet *subnet)
{
	const struct dhcp_option_value *routers =
		dhcp_option_list_find(&subnet->options, DHCP_OPTION_ROUTER);
	struct reader reader =
		reader_over(routers ? routers->bytes : NULL, routers ? routers->length : 0);
	while (reader_left(&reader) >= ADDRESS_SIZE) {
		struct ipv4 router = {read_be32(&reader)};
		if (prefix_contains(subnet->pool.subnet, router) &&
			!dhcp_pool_keep(&subnet->pool, router))
			return false;
	}
	for (size_t i = 0; i < server->address_count; i++)
		if (prefix_contains(subnet->pool.subnet, server->addresses[i]) &&
			!dhcp_pool_keep(&subnet->pool, server->addresses[i]))
			return false;
	return true;
}

static int subnet_init(struct dhcp_subnet *subnet, const struct dhcp_server *server,
	const struct dhcp_subnet_settings *settings, const struct dhcp_pool_habits *habits,
	struct error *error)
{
	*subnet = (struct dhcp_subnet){
		.lease = settings->lease,
		.refuse_renewal = settings->refuse_renewal,
		.bootp = settings->bootp,
		.rapid_commit = settings->rapid_commit,
	};
	if (subnet->lease.usual == 0)
		subnet->lease = (struct dhcp_lease_times){
			.usual = LEASE_SECONDS, .least = 1, .most = LEASE_SECONDS};
	int status = dhcp_pool_init(&subnet->pool, settings, habits, error);
	if (status == 0 && (!dhcp_option_list_complete(&subnet->options, &settings->options) ||
				   !keep_addresses(server, subnet)))
		status = error_set(error, -ENOMEM, "out of memory");
	if (status < 0)
		subnet_finish(subnet);
	return status;
}

/* What other settings make of the server, before any of it counts. */
struct change {
	struct dhcp_subnet *subnets, *retired;
	uint64_t *deadlines;
	size_t subnet_count;
};

static void change_finish(struct change *change)
{
	subnets_finish(change->subnets, change->subnet_count);
	free(change->retired);
	free(change->deadlines);
}

static bool has_port_limits(const struct dhcp_server_settings *settings)
{
	return settings->port_leases > 0 || settings->port_offers > 0;
}

static int change_init(struct change *change, struct dhcp_server *server,
	const struct dhcp_server_settings *settings, struct error *error)
{
	size_t count = settings->subnet_count;
	size_t before = server->subnet_count + server->retired_count;
	*change = (struct change){
		.subnets = calloc(count + 1, sizeof(*change->subnets)),
		.retired = calloc(before + 1, sizeof(*change->retired)),
		.deadlines = calloc(count + 1, sizeof(*change->deadlines)),
	};
	if (!change->subnets || !change->retired || !change->deadlines)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct dhcp_pool_habits habits = {
			.allocation = settings->allocation,
			.ports = has_port_limits(settings) ? &server->ports : NULL,
			.seed = settings->seed + i,
		};
		int status = subnet_init(
			&change->subnets[i], server, &settings->subnets[i], &habits, error);
		if (status < 0)
			return status;
		change->subnet_count++;
	}
	qsort(change->subnets, count, sizeof(*change->subnets), compare_subnets);
	return 0;
}

static bool same_prefix(struct prefix a, struct prefix b)
{
	return ipv4_equal(a.address, b.address) && a.length == b.length;
}

static bool overlap(struct prefix a, struct prefix b)
{
	return prefix_contains(a, b.address) || prefix_contains(b, a.address);
}

static struct dhcp_subnet *find_same(
	struct dhcp_subnet *subnets, size_t count, const struct dhcp_subnet *subnet)
{
	for (size_t i = 0; i < count; i++)
		if (same_prefix(subnets[i].pool.subnet, subnet->pool.subnet))
			return &subnets[i];
	return NULL;
}

/* The subnet of the same prefix as until now, or once; NULL where there was none. */
static struct dhcp_subnet *find_old(
	const struct dhcp_server *server, const struct dhcp_subnet *subnet)
{
	struct dhcp_subnet *old = find_same(server->subnets, server->subnet_count, subnet);
	return old ? old : find_same(server->retired, server->retired_count, subnet);
}

/* Copy the leases that lie in `to` into it: its subnet is cut in another way than `from`'s was. */
static void copy_leases(struct dhcp_subnet *to, const struct dhcp_subnet *from)
{
	if (!overlap(to->pool.subnet, from->pool.subnet))
		return;
	for (size_t i = 0; i < from->pool.leases.count; i++) {
		const struct dhcp_lease *lease = &from->pool.leases.list[i];
		struct dhcp_lease_record record;
		if (lease->state != DHCP_LEASE_OFFERED && lease->used &&
			prefix_contains(to->pool.subnet, lease->address)) {
			dhcp_pool_describe(&from->pool, lease, &record);
			dhcp_pool_restore(&to->pool, &record, 0);
		}
	}
}

/* What a subnet leaves behind: nothing, where its addresses are in others now. */
static void retire(struct dhcp_subnet *old, struct change *change, size_t *count)
{
	bool moved = false;
	for (size_t i = 0; i < change->subnet_count; i++)
		moved |= overlap(old->pool.subnet, change->subnets[i].pool.subnet);
	if (moved)
		subnet_finish(old);
	else
		change->retired[(*count)++] = *old;
}

/* Addresses may have gone with their subnets: count again who declined how many. */
static void recount_declined(struct dhcp_server *server)
{
	server->decliners.count = 0;
	for (size_t i = 0; i < server->subnet_count; i++) {
		const struct dhcp_leases *leases = &server->subnets[i].pool.leases;
		if (leases->in_state[0][DHCP_LEASE_DECLINED] +
				leases->in_state[1][DHCP_LEASE_DECLINED] ==
			0)
			continue;
		for (size_t j = 0; j < leases->count; j++)
			if (leases->list[j].state == DHCP_LEASE_DECLINED)
				dhcp_decliners_add(&server->decliners, &leases->list[j].hardware);
	}
}

/* Leases without ports from now on. */
static void forget_ports(struct dhcp_server *server, struct dhcp_subnet *retired, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct dhcp_pool *pool = &retired[i].pool;
		for (size_t j = 0; j < pool->leases.count; j++)
			pool->leases.list[j].port = 0;
		pool->ports = NULL;
	}
	dhcp_ports_finish(&server->ports);
}

static void keep_settings(struct dhcp_server *server, const struct dhcp_server_settings *settings)
{
	server->settings = *settings;
	server->settings.subnets = NULL;
	server->settings.subnet_count = 0;
	if (settings->offer_ns == 0)
		server->settings.offer_ns = OFFER_SECONDS * NS_PER_SECOND;
	if (settings->decline_ns == 0)
		server->settings.decline_ns = DECLINE_SECONDS * NS_PER_SECOND;
}

/* From here on nothing can fail. */
static void change_commit(struct change *change, struct dhcp_server *server)
{
	size_t retired = 0;
	for (size_t i = 0; i < change->subnet_count; i++) {
		struct dhcp_subnet *subnet = &change->subnets[i], *old = find_old(server, subnet);
		if (!old)
			continue;
		dhcp_pool_adopt(&subnet->pool, &old->pool);
		subnet->renewal_told = old->renewal_told;
		if (old->renewal_told)
			subnet->refuse_renewal = old->refuse_renewal;
	}
	for (size_t i = 0; i < server->subnet_count; i++)
		retire(&server->subnets[i], change, &retired);
	for (size_t i = 0; i < server->retired_count; i++)
		retire(&server->retired[i], change, &retired);
	free(server->subnets);
	free(server->retired);
	free(server->deadlines);
	server->subnets = TAKE(change->subnets);
	server->subnet_count = change->subnet_count;
	server->retired = TAKE(change->retired);
	server->retired_count = retired;
	server->deadlines = TAKE(change->deadlines);
	change->subnet_count = 0;
	for (size_t i = 0; i < server->subnet_count; i++)
		dhcp_server_note_deadline(server, &server->subnets[i]);
	recount_declined(server);
}

int dhcp_server_configure(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error)
{
	CLEANUP(change_finish) struct change change;
	int status = change_init(&change, server, settings, error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < change.subnet_count; i++) {
		if (find_old(server, &change.subnets[i]))
			continue;
		for (size_t j = 0; j < server->subnet_count; j++)
			copy_leases(&change.subnets[i], &server->subnets[j]);
		for (size_t j = 0; j < server->retired_count; j++)
			copy_leases(&change.subnets[i], &server->retired[j]);
	}
	change_commit(&change, server);
	keep_settings(server, settings);
	if (!has_port_limits(settings))
		forget_ports(server, server->retired, server->retired_count);
	return 0;
}

int dhcp_server_init(struct dhcp_server *server, const struct dhcp_server_settings *settings,
	struct error *error)
{
	*server = (struct dhcp_server){0};
	dhcp_ports_init(&server->ports, settings->seed);
	int status = dhcp_server_configure(server, settings, error);
	if (status < 0)
		dhcp_server_finish(server);
	return status;
}

void dhcp_server_finish(struct dhcp_server *server)
{
	subnets_finish(server->subnets, server->subnet_count);
	subnets_finish(server->retired, server->retired_count);
	free(server->deadlines);
	dhcp_probes_finish(&server->probes);
	dhcp_ports_finish(&server->ports);
	*server = (struct dhcp_server){0};
}

void dhcp_server_note_deadline(struct dhcp_server *server, const struct dhcp_subnet *subnet)
{
	server->deadlines[subnet - server->subnets] = dhcp_pool_deadline(&subnet->pool);
}

struct dhcp_subnet *dhcp_server_subnet(const struct dhcp_server *server, struct ipv4 address)
{
	size_t low = 0, high = server->subnet_count;
	while (low < high) { /* the first subnet that begins behind the address */
		size_t middle = (low + high) / 2;
		if (server->subnets[middle].pool.subnet.address.host <= address.host)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !prefix_contains(server->subnets[low - 1].pool.subnet, address))
		return NULL;
	return &server->subnets[low - 1];
}

bool dhcp_server_serves(const struct dhcp_server *server, struct ipv4 address)
{
	return dhcp_server_subnet(server, address) != NULL;
}

struct dhcp_lease *dhcp_server_lease(const struct dhcp_server *server, struct ipv4 address)
{
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, address);
	return subnet ? dhcp_leases_of_address(&subnet->pool.leases, address) : NULL;
}

bool dhcp_server_has_address(const struct dhcp_server *server, struct ipv4 address)
{
	for (size_t i = 0; i < server->address_count; i++)
		if (ipv4_equal(server->addresses[i], address))
			return true;
	return false;
}

void dhcp_server_add_address(struct dhcp_server *server, struct ipv4 address)
{
	if (dhcp_server_has_address(server, address) ||
		server->address_count == DHCP_SERVER_ADDRESSES_MAX)
		return;
	server->addresses[server->address_count++] = address;
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, address);
	if (subnet)
		dhcp_pool_keep(&subnet->pool, address);
}

bool dhcp_server_restore(
	struct dhcp_server *server, const struct dhcp_lease_record *record, uint64_t now_ns)
{
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, record->address);
	if (!subnet || !dhcp_pool_restore(&subnet->pool, record, now_ns))
		return false;
	if (record->state == DHCP_LEASE_DECLINED && record->ends_ns > now_ns)
		dhcp_decliners_add(&server->decliners, &record->hardware);
	dhcp_server_note_deadline(server, subnet);
	return true;
}

int dhcp_server_refuse_renewal(struct dhcp_server *server, struct prefix which, bool refuse,
	struct dhcp_actions *ret_actions, struct error *error)
{
	dhcp_actions_init(ret_actions);
	struct dhcp_subnet *subnet = dhcp_server_subnet(server, which.address);
	struct dhcp_lease *lease = dhcp_server_lease(server, which.address);
	if (which.length == 32 && lease && lease->state == DHCP_LEASE_BOUND) {
		/* Said again it is not stored again: see answer_renewal() of the edge. */
		if (lease->refuse_renewal != refuse) {
			lease->refuse_renewal = refuse;
			dhcp_server_save(ret_actions, subnet, lease);
		}
		return 0;
	}
	if (subnet && subnet->pool.subnet.length == which.length) {
		subnet->refuse_renewal = refuse;
		subnet->renewal_told = true;
		return 0;
	}
	return error_set(error, -ENOENT,
		which.length == 32 ? "there is no lease of %s" : "there is no subnet %s",
		which.length == 32 ? IPV4_TEXT(which.address) : PREFIX_TEXT(which));
}
