#include "dhcp/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "dhcp/pool_parts.h"

static size_t range_size(const struct dhcp_range *range)
{
	return (size_t)(range->last.host - range->first.host) + 1;
}

size_t dhcp_pool_number(const struct dhcp_pool *pool, struct ipv4 address)
{
	size_t low = 0, high = pool->range_count;
	while (low < high) { /* the first range that ends behind the address */
		size_t middle = (low + high) / 2;
		if (pool->ranges[middle].last.host < address.host)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == pool->range_count || address.host < pool->ranges[low].first.host)
		return pool->size;
	return pool->range_starts[low] + (address.host - pool->ranges[low].first.host);
}

struct ipv4 dhcp_pool_address(const struct dhcp_pool *pool, size_t number)
{
	size_t low = 0, high = pool->range_count;
	while (high - low > 1) { /* the last range that starts no later */
		size_t middle = (low + high) / 2;
		if (pool->range_starts[middle] <= number)
			low = middle;
		else
			high = middle;
	}
	size_t behind = number - pool->range_starts[low];
	return (struct ipv4){pool->ranges[low].first.host + (uint32_t)behind};
}

static bool is_kept(const struct dhcp_pool *pool, struct ipv4 address)
{
	for (size_t i = 0; i < pool->kept_count; i++)
		if (ipv4_equal(pool->kept[i], address))
			return true;
	return false;
}

bool dhcp_pool_reserves(const struct dhcp_pool *pool, struct ipv4 address)
{
	return dhcp_pool_number(pool, address) == pool->size || is_kept(pool, address) ||
	       dhcp_bindings_of_address(&pool->bindings, address);
}

/* Keep the map of free addresses true: a lease was made, or has another state. */
static void mark(struct dhcp_pool *pool, const struct dhcp_lease *lease)
{
	bool is_free = pool->first_free && lease->state == DHCP_LEASE_IDLE;
	if (!lease->reserved)
		dhcp_free_map_set(&pool->free, dhcp_pool_number(pool, lease->address), is_free);
}

struct dhcp_lease *dhcp_pool_lease(struct dhcp_pool *pool, struct ipv4 address)
{
	struct dhcp_lease *lease = dhcp_leases_of_address(&pool->leases, address);
	if (lease)
		return lease;
	lease = dhcp_leases_add(&pool->leases, address, dhcp_pool_reserves(pool, address));
	if (lease)
		mark(pool, lease);
	return lease;
}

static bool copy_ranges(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings)
{
	size_t count = settings->range_count;
	pool->ranges = calloc(count + 1, sizeof(*pool->ranges));
	pool->range_starts = calloc(count + 1, sizeof(*pool->range_starts));
	if (!pool->ranges || !pool->range_starts)
		return false;
	for (size_t i = 0; i < count; i++) {
		pool->ranges[i] = settings->ranges[i];
		pool->range_starts[i] = pool->size;
		pool->size += range_size(&settings->ranges[i]);
	}
	pool->range_count = count;
	return true;
}

/* Nobody gets the address from now on: true where that is new. */
static void take(struct dhcp_pool *pool, struct ipv4 address)
{
	size_t number = dhcp_pool_number(pool, address);
	if (number == pool->size)
		return;
	pool->taken++;
	dhcp_free_map_set(&pool->free, number, false);
}

bool dhcp_pool_keep(struct dhcp_pool *pool, struct ipv4 address)
{
	if (is_kept(pool, address))
		return true;
	struct ipv4 *kept = array_add(&pool->kept, &pool->kept_count);
	if (!kept)
		return false;
	*kept = address;
	if (dhcp_bindings_of_address(&pool->bindings, address))
		return true;
	take(pool, address);
	/* Whoever has it is told at its next message, and no other gets it. */
	struct dhcp_lease *lease = dhcp_leases_of_address(&pool->leases, address);
	if (lease)
		dhcp_lease_set_reserved(&pool->leases, lease, true);
	return true;
}

static bool pool_fill(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings,
	const struct dhcp_pool_habits *habits)
{
	if (!dhcp_free_map_init(&pool->free, pool->size))
		return false;
	if (!dhcp_bindings_init(
		    &pool->bindings, settings->bindings, settings->binding_count, habits->seed))
		return false;
	for (size_t i = 0; i < settings->binding_count; i++)
		take(pool, settings->bindings[i].address);
	/* In a /31 and a /32 every address is a host's (RFC 3021). */
	return pool->subnet.length >= 31 ||
	       (dhcp_pool_keep(pool, prefix_network(pool->subnet)) &&
		       dhcp_pool_keep(pool, prefix_broadcast(pool->subnet)));
}

int dhcp_pool_init(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings,
	const struct dhcp_pool_habits *habits, struct error *error)
{
	*pool = (struct dhcp_pool){
		.subnet = settings->prefix,
		.first_free = habits->allocation == DHCP_ALLOCATE_FIRST_FREE,
		.ports = habits->ports,
	};
	dhcp_leases_init(&pool->leases, habits->seed);
	int status = 0;
	if (!copy_ranges(pool, settings))
		status = error_set(error, -ENOMEM, "out of memory");
	else if (pool->size > DHCP_POOL_MOST)
		status = error_set(error, -E2BIG, "a pool holds at most %u addresses",
			(unsigned)DHCP_POOL_MOST);
	else if (!pool_fill(pool, settings, habits))
		status = error_set(error, -ENOMEM, "out of memory");
	if (status < 0)
		dhcp_pool_finish(pool);
	return status;
}

void dhcp_pool_finish(struct dhcp_pool *pool)
{
	for (size_t i = 0; pool->ports && i < pool->leases.count; i++) {
		const struct dhcp_lease *lease = &pool->leases.list[i];
		dhcp_ports_uncount(pool->ports, lease->port, (enum dhcp_lease_state)lease->state);
	}
	dhcp_leases_finish(&pool->leases);
	dhcp_bindings_finish(&pool->bindings);
	dhcp_free_map_finish(&pool->free);
	free(pool->ranges);
	free(pool->range_starts);
	free(pool->kept);
	*pool = (struct dhcp_pool){0};
}

/* Whether all that leases depend on is the same. */
static bool same_layout(const struct dhcp_pool *a, const struct dhcp_pool *b)
{
	if (a->range_count != b->range_count || a->kept_count != b->kept_count ||
		a->first_free != b->first_free || a->ports != b->ports)
		return false;
	for (size_t i = 0; i < a->range_count; i++)
		if (!ipv4_equal(a->ranges[i].first, b->ranges[i].first) ||
			!ipv4_equal(a->ranges[i].last, b->ranges[i].last))
			return false;
	for (size_t i = 0; i < a->kept_count; i++)
		if (!is_kept(b, a->kept[i]))
			return false;
	return dhcp_bindings_equal(&a->bindings, &b->bindings);
}

void dhcp_pool_adopt(struct dhcp_pool *pool, struct dhcp_pool *old)
{
	bool same = same_layout(pool, old);
	dhcp_leases_finish(&pool->leases);
	pool->leases = old->leases;
	old->leases = (struct dhcp_leases){0};
	if (same) {
		struct dhcp_free_map map = pool->free;
		pool->free = old->free;
		old->free = map;
		return;
	}
	for (size_t i = 0; i < pool->leases.count; i++) {
		struct dhcp_lease *lease = &pool->leases.list[i];
		dhcp_lease_set_reserved(
			&pool->leases, lease, dhcp_pool_reserves(pool, lease->address));
		if (!pool->ports)
			lease->port = 0;
		mark(pool, lease);
	}
}

size_t dhcp_pool_free(const struct dhcp_pool *pool)
{
	const size_t *common = pool->leases.in_state[0];
	return pool->size - pool->taken - common[DHCP_LEASE_OFFERED] - common[DHCP_LEASE_BOUND] -
	       common[DHCP_LEASE_DECLINED];
}

void dhcp_pool_change(struct dhcp_pool *pool, struct dhcp_lease *lease,
	const struct dhcp_term *term, uint32_t port)
{
	if (!pool->ports || term->state == DHCP_LEASE_IDLE)
		port = 0;
	if (pool->ports) { /* in this order: a port that counts nothing is forgotten */
		dhcp_ports_count(pool->ports, port, term->state);
		dhcp_ports_uncount(pool->ports, lease->port, (enum dhcp_lease_state)lease->state);
	}
	lease->port = port;
	lease->probing = false;
	dhcp_lease_set_state(&pool->leases, lease, term->state, term->ends_ns);
	if (pool->first_free)
		mark(pool, lease);
}

static uint32_t record_port(struct dhcp_pool *pool, const struct dhcp_lease_record *record)
{
	struct dhcp_port_name name = {.length = (uint8_t)record->port_length};
	if (!pool->ports || record->port_length == 0 || record->port_length > DHCP_PORT_MAX)
		return 0;
	memcpy(name.bytes, record->port, record->port_length);
	return dhcp_ports_intern(pool->ports, &name);
}

/* Neither up for all nor one client's. */
static bool is_nobodys(const struct dhcp_pool *pool, struct ipv4 address)
{
	return dhcp_pool_reserves(pool, address) &&
	       !dhcp_bindings_of_address(&pool->bindings, address);
}

/* Give the stored lease back to its client; false where it cannot be. */
static bool restore_client(struct dhcp_pool *pool, struct dhcp_lease *lease,
	const struct dhcp_lease_record *record, uint64_t now_ns)
{
	struct dhcp_identity identity;
	lease->hardware = record->hardware;
	if (record->state == DHCP_LEASE_DECLINED)
		return true;
	if (!dhcp_identity_make(
		    record->client_id, record->client_id_length, &record->hardware, &identity))
		return record->state != DHCP_LEASE_BOUND;
	struct dhcp_lease *other = dhcp_leases_of_client(&pool->leases, &identity);
	if (other && other != lease && is_nobodys(pool, lease->address))
		return false;
	if (other && other != lease)
		dhcp_pool_withdraw(pool, other, now_ns); /* it ended earlier: this one is newer */
	if (!dhcp_lease_set_client(&pool->leases, lease, &identity))
		return false;
	lease->hardware = record->hardware;
	return true;
}

/*
 * Whether the stored lease is to be known here. One that runs is also where its address is not given
 * to anybody now: its client uses it, and other settings may put it up again.
 */
static bool may_restore(
	const struct dhcp_pool *pool, const struct dhcp_lease_record *record, uint64_t now_ns)
{
	const struct dhcp_lease *known = dhcp_leases_of_address(&pool->leases, record->address);
	if (known && (known->used || known->state != DHCP_LEASE_IDLE))
		return false;
	bool runs = record->state == DHCP_LEASE_BOUND && record->ends_ns > now_ns;
	return !is_nobodys(pool, record->address) ||
	       (runs && prefix_contains(pool->subnet, record->address));
}

bool dhcp_pool_restore(
	struct dhcp_pool *pool, const struct dhcp_lease_record *record, uint64_t now_ns)
{
	struct dhcp_lease *lease = NULL;
	if (may_restore(pool, record, now_ns))
		lease = dhcp_pool_lease(pool, record->address);
	if (!lease || !restore_client(pool, lease, record, now_ns))
		return false;
	struct dhcp_term term = {.state = record->state, .ends_ns = record->ends_ns};
	if (record->ends_ns <= now_ns || record->state == DHCP_LEASE_OFFERED)
		term.state = DHCP_LEASE_IDLE;
	lease->starts_ns = record->starts_ns;
	lease->refuse_renewal = record->refuse_renewal;
	dhcp_lease_set_used(&pool->leases, lease);
	dhcp_pool_change(
		pool, lease, &term, term.state == DHCP_LEASE_IDLE ? 0 : record_port(pool, record));
	return true;
}

void dhcp_pool_describe(const struct dhcp_pool *pool, const struct dhcp_lease *lease,
	struct dhcp_lease_record *ret_record)
{
	*ret_record = (struct dhcp_lease_record){
		.address = lease->address,
		.state = (enum dhcp_lease_state)lease->state,
		.starts_ns = lease->starts_ns,
		.ends_ns = lease->ends_ns,
	};
	/* One whose renewal was refused is remembered only for its former client not to get it. */
	if (lease->refuse_renewal && lease->state == DHCP_LEASE_IDLE)
		return;
	ret_record->hardware = lease->hardware;
	ret_record->refuse_renewal = lease->refuse_renewal;
	struct dhcp_field id;
	if (dhcp_identity_client_id(dhcp_lease_identity(lease), lease->identity_length, &id)) {
		memcpy(ret_record->client_id, id.bytes, id.length);
		ret_record->client_id_length = id.length;
	}
	if (!pool->ports || !lease->port)
		return;
	const struct dhcp_port_name *port = &pool->ports->list[lease->port - 1].name;
	memcpy(ret_record->port, port->bytes, port->length);
	ret_record->port_length = port->length;
}

bool dhcp_pool_expire(struct dhcp_pool *pool, uint64_t now_ns, struct dhcp_lease_record *ret_ended)
{
	struct dhcp_lease *lease = dhcp_leases_next_ending(&pool->leases);
	if (!lease || lease->ends_ns > now_ns)
		return false;
	dhcp_pool_describe(pool, lease, ret_ended);
	if (lease->state == DHCP_LEASE_DECLINED)
		lease->hardware = (struct dhcp_hardware){0};
	struct dhcp_term term = {.state = DHCP_LEASE_IDLE, .ends_ns = lease->ends_ns};
	dhcp_pool_change(pool, lease, &term, 0);
	return true;
}

uint64_t dhcp_pool_deadline(const struct dhcp_pool *pool)
{
	const struct dhcp_lease *lease = dhcp_leases_next_ending(&pool->leases);
	return lease ? lease->ends_ns : DHCP_NEVER;
}
