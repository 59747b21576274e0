#include "dhcp/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define KEPT	 UINT32_MAX
#define NO_INDEX SIZE_MAX

static int compare_bindings(const void *a, const void *b)
{
	const struct dhcp_identity *left = &((const struct dhcp_binding *)a)->client,
				   *right = &((const struct dhcp_binding *)b)->client;
	if (left->length != right->length)
		return left->length < right->length ? -1 : 1;
	return memcmp(left->bytes, right->bytes, left->length);
}

static int compare_addresses(const void *a, const void *b)
{
	uint32_t left = ((const struct ipv4 *)a)->host, right = ((const struct ipv4 *)b)->host;
	return (left > right) - (left < right);
}

static size_t range_size(const struct dhcp_range *range)
{
	return (size_t)(range->last.host - range->first.host) + 1;
}

static bool in_range(const struct dhcp_pool *pool, struct ipv4 address)
{
	for (size_t i = 0; i < pool->range_count; i++)
		if (address.host >= pool->ranges[i].first.host &&
			address.host <= pool->ranges[i].last.host)
			return true;
	return false;
}

/* The address's index, NO_INDEX where it is neither in a range nor bound. */
static size_t index_of(const struct dhcp_pool *pool, struct ipv4 address)
{
	size_t before = 0;
	for (size_t i = 0; i < pool->range_count; i++) {
		const struct dhcp_range *range = &pool->ranges[i];
		if (address.host >= range->first.host && address.host <= range->last.host)
			return before + (address.host - range->first.host);
		before += range_size(range);
	}
	if (pool->outside_count == 0)
		return NO_INDEX;
	const struct ipv4 *found = bsearch(
		&address, pool->outside, pool->outside_count, sizeof(address), compare_addresses);
	return found ? pool->size + (size_t)(found - pool->outside) : NO_INDEX;
}

/* The address with that index within the ranges. */
static struct ipv4 address_at(const struct dhcp_pool *pool, size_t index)
{
	const struct dhcp_range *range = pool->ranges;
	for (; index >= range_size(range); range++)
		index -= range_size(range);
	return (struct ipv4){range->first.host + (uint32_t)index};
}

/* The lease with that index, made if need be; NULL for a kept address or when memory is gone. */
static struct dhcp_lease *lease_make(struct dhcp_pool *pool, size_t index, struct ipv4 address)
{
	uint32_t at = pool->lease_at[index];
	if (at == KEPT)
		return NULL;
	if (at)
		return &pool->leases.list[at - 1];
	struct dhcp_lease *lease = dhcp_leases_add(&pool->leases, address);
	if (!lease)
		return NULL;
	pool->lease_at[index] = dhcp_lease_number(&pool->leases, lease) + 1;
	dhcp_lease_set_state(&pool->leases, lease, DHCP_LEASE_IDLE, 0);
	return lease;
}

struct dhcp_lease *dhcp_pool_lease(struct dhcp_pool *pool, struct ipv4 address)
{
	size_t index = index_of(pool, address);
	return index == NO_INDEX ? NULL : lease_make(pool, index, address);
}

static bool copy_binding(struct dhcp_binding *copy, const struct dhcp_binding *binding)
{
	*copy = *binding;
	copy->options = (struct dhcp_option_list){0};
	return dhcp_option_list_complete(&copy->options, &binding->options);
}

static int pool_allocate(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings)
{
	size_t count = settings->binding_count;
	pool->ranges = calloc(settings->range_count + 1, sizeof(*pool->ranges));
	pool->bindings = calloc(count + 1, sizeof(*pool->bindings));
	pool->outside = calloc(count + 1, sizeof(*pool->outside));
	if (!pool->ranges || !pool->bindings || !pool->outside)
		return -ENOMEM;
	for (; pool->range_count < settings->range_count; pool->range_count++) {
		pool->ranges[pool->range_count] = settings->ranges[pool->range_count];
		pool->size += range_size(&settings->ranges[pool->range_count]);
	}
	if (pool->size > DHCP_POOL_MOST)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		pool->binding_count = i + 1;
		if (!copy_binding(&pool->bindings[i], &settings->bindings[i]))
			return -ENOMEM;
		if (!in_range(pool, settings->bindings[i].address))
			pool->outside[pool->outside_count++] = settings->bindings[i].address;
	}
	qsort(pool->bindings, count, sizeof(*pool->bindings), compare_bindings);
	qsort(pool->outside, pool->outside_count, sizeof(*pool->outside), compare_addresses);
	/* calloc: pages of a large range that is little used are never touched. */
	pool->lease_at = calloc(pool->size + pool->outside_count + 1, sizeof(*pool->lease_at));
	return pool->lease_at ? 0 : -ENOMEM;
}

int dhcp_pool_init(struct dhcp_pool *pool, const struct dhcp_subnet_settings *settings,
	uint64_t seed, struct error *error)
{
	*pool = (struct dhcp_pool){.subnet = settings->prefix};
	dhcp_leases_init(&pool->leases, seed);
	int status = pool_allocate(pool, settings);
	for (size_t i = 0; status == 0 && i < pool->binding_count; i++) {
		struct dhcp_lease *lease = dhcp_pool_lease(pool, pool->bindings[i].address);
		if (!lease) {
			status = -ENOMEM;
			break;
		}
		lease->reserved = true;
		dhcp_identity_hardware(&pool->bindings[i].client, &lease->hardware);
		dhcp_lease_set_state(&pool->leases, lease, DHCP_LEASE_IDLE, 0);
	}
	if (status < 0) {
		dhcp_pool_finish(pool);
		return status == -E2BIG
			       ? error_set(error, status, "a pool holds at most %u addresses",
					 (unsigned)DHCP_POOL_MOST)
			       : error_set(error, status, "out of memory");
	}
	/* In a /31 and a /32 every address is a host's (RFC 3021). */
	if (pool->subnet.length < 31) {
		dhcp_pool_keep(pool, prefix_network(pool->subnet));
		dhcp_pool_keep(pool, prefix_broadcast(pool->subnet));
	}
	return 0;
}

void dhcp_pool_finish(struct dhcp_pool *pool)
{
	dhcp_leases_finish(&pool->leases);
	for (size_t i = 0; i < pool->binding_count; i++)
		dhcp_option_list_finish(&pool->bindings[i].options);
	free(pool->ranges);
	free(pool->bindings);
	free(pool->outside);
	free(pool->lease_at);
	*pool = (struct dhcp_pool){0};
}

void dhcp_pool_keep(struct dhcp_pool *pool, struct ipv4 address)
{
	size_t index = index_of(pool, address);
	if (index == NO_INDEX || pool->lease_at[index] == KEPT)
		return;
	if (pool->lease_at[index] == 0) {
		pool->lease_at[index] = KEPT;
		return;
	}
	/* Reserved for nobody: whoever has it is told at its next message, and no other gets it. */
	struct dhcp_lease *lease = &pool->leases.list[pool->lease_at[index] - 1];
	lease->reserved = true;
	dhcp_lease_set_state(
		&pool->leases, lease, (enum dhcp_lease_state)lease->state, lease->ends_ns);
}

bool dhcp_pool_restore(
	struct dhcp_pool *pool, const struct dhcp_lease_record *record, uint64_t now_ns)
{
	struct dhcp_identity identity;
	bool known = record->state != DHCP_LEASE_DECLINED &&
		     dhcp_identity_make(record->client_id, record->client_id_length,
			     &record->hardware, &identity);
	struct dhcp_lease *lease = dhcp_pool_lease(pool, record->address);
	if (!lease || lease->state != DHCP_LEASE_IDLE ||
		(!known && record->state == DHCP_LEASE_BOUND))
		return false;
	struct dhcp_lease *other = known ? dhcp_leases_of_client(&pool->leases, &identity) : NULL;
	if (other && other != lease)
		dhcp_pool_withdraw(pool, other, now_ns); /* it ended earlier: this one is newer */
	if (known && !dhcp_lease_set_client(&pool->leases, lease, &identity))
		return false;
	lease->hardware = record->hardware;
	lease->starts_ns = record->starts_ns;
	bool ended = record->ends_ns <= now_ns || record->state == DHCP_LEASE_OFFERED;
	dhcp_lease_set_state(
		&pool->leases, lease, ended ? DHCP_LEASE_IDLE : record->state, record->ends_ns);
	return true;
}

void dhcp_lease_describe(const struct dhcp_lease *lease, struct dhcp_lease_record *ret_record)
{
	*ret_record = (struct dhcp_lease_record){
		.address = lease->address,
		.state = (enum dhcp_lease_state)lease->state,
		.hardware = lease->hardware,
		.starts_ns = lease->starts_ns,
		.ends_ns = lease->ends_ns,
	};
	struct dhcp_field id;
	if (!dhcp_identity_client_id(lease->identity, lease->identity_length, &id))
		return;
	memcpy(ret_record->client_id, id.bytes, id.length);
	ret_record->client_id_length = id.length;
}

bool dhcp_pool_expire(struct dhcp_pool *pool, uint64_t now_ns, struct dhcp_lease_record *ret_ended)
{
	struct dhcp_lease *lease = dhcp_leases_next_ending(&pool->leases);
	if (!lease || lease->ends_ns > now_ns)
		return false;
	dhcp_lease_describe(lease, ret_ended);
	dhcp_lease_set_state(&pool->leases, lease, DHCP_LEASE_IDLE, lease->ends_ns);
	return true;
}

uint64_t dhcp_pool_deadline(const struct dhcp_pool *pool)
{
	const struct dhcp_lease *lease = dhcp_leases_next_ending(&pool->leases);
	return lease ? lease->ends_ns : DHCP_NEVER;
}

static const struct dhcp_binding *find_binding(
	const struct dhcp_pool *pool, const struct dhcp_identity *client)
{
	if (pool->binding_count == 0)
		return NULL;
	struct dhcp_binding key = {.client = *client};
	return bsearch(&key, pool->bindings, pool->binding_count, sizeof(key), compare_bindings);
}

const struct dhcp_binding *dhcp_pool_binding(
	const struct dhcp_pool *pool, const struct dhcp_client_key *client)
{
	struct dhcp_identity hardware;
	const struct dhcp_binding *binding = find_binding(pool, &client->identity);
	if (!binding && dhcp_identity_make(NULL, 0, &client->hardware, &hardware))
		binding = find_binding(pool, &hardware);
	return binding;
}

/*
 * The lease of the client's binding, unless another got it before the binding was made. Another is
 * another machine: one that changes its client identifier stays the same machine.
 */
static struct dhcp_lease *binding_lease(struct dhcp_pool *pool, const struct dhcp_binding *binding,
	const struct dhcp_client_key *client)
{
	struct dhcp_lease *lease = dhcp_pool_lease(pool, binding->address);
	bool held = lease->state == DHCP_LEASE_OFFERED || lease->state == DHCP_LEASE_BOUND;
	return held && !dhcp_hardware_equal(&lease->hardware, &client->hardware) ? NULL : lease;
}

/* The lease it has or had, if it may still have it. */
static struct dhcp_lease *own_lease(struct dhcp_pool *pool, const struct dhcp_client_key *client)
{
	struct dhcp_lease *lease = dhcp_leases_of_client(&pool->leases, &client->identity);
	return lease && !lease->reserved ? lease : NULL;
}

static struct dhcp_lease *free_lease(struct dhcp_pool *pool, struct ipv4 address)
{
	struct dhcp_lease *lease = in_range(pool, address) ? dhcp_pool_lease(pool, address) : NULL;
	return lease && lease->state == DHCP_LEASE_IDLE && !lease->reserved ? lease : NULL;
}

/* Each index is passed once in the pool's life. */
static struct dhcp_lease *fresh_lease(struct dhcp_pool *pool)
{
	while (pool->next_fresh < pool->size && pool->lease_at[pool->next_fresh])
		pool->next_fresh++;
	if (pool->next_fresh == pool->size)
		return NULL;
	return lease_make(pool, pool->next_fresh, address_at(pool, pool->next_fresh));
}

enum dhcp_choice dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_client_key *client,
	struct ipv4 requested, struct dhcp_lease **ret_lease)
{
	const struct dhcp_binding *binding = dhcp_pool_binding(pool, client);
	struct dhcp_lease *lease;
	if (binding) {
		lease = binding_lease(pool, binding, client);
		if (!lease)
			return DHCP_CHOICE_HELD;
	} else {
		lease = own_lease(pool, client);
		if (!lease)
			lease = free_lease(pool, requested);
		if (!lease)
			lease = fresh_lease(pool);
		if (!lease)
			lease = dhcp_leases_idle(&pool->leases);
		if (!lease)
			return DHCP_CHOICE_NONE;
	}
	*ret_lease = lease;
	return DHCP_CHOICE_FOUND;
}

struct dhcp_lease *dhcp_pool_claim(struct dhcp_pool *pool, const struct dhcp_client_key *client,
	struct ipv4 address, bool or_free)
{
	const struct dhcp_binding *binding = dhcp_pool_binding(pool, client);
	if (binding)
		return ipv4_equal(binding->address, address) ? binding_lease(pool, binding, client)
							     : NULL;
	struct dhcp_lease *lease = own_lease(pool, client);
	if (lease)
		return ipv4_equal(lease->address, address) ? lease : NULL;
	return or_free ? free_lease(pool, address) : NULL;
}

bool dhcp_pool_give(struct dhcp_pool *pool, struct dhcp_lease *lease,
	const struct dhcp_client_key *client, const struct dhcp_term *term)
{
	bool runs = lease->state == DHCP_LEASE_BOUND && dhcp_lease_is_of(lease, &client->identity);
	uint64_t before_ns = runs ? lease->ends_ns : 0;
	if (!dhcp_lease_set_client(&pool->leases, lease, &client->identity))
		return false;
	lease->hardware = client->hardware;
	lease->starts_ns = term->starts_ns;
	lease->before_ns = before_ns;
	dhcp_lease_set_state(&pool->leases, lease, term->state, term->ends_ns);
	return true;
}

void dhcp_pool_not_saved(struct dhcp_pool *pool, struct ipv4 address, const struct dhcp_term *term)
{
	struct dhcp_lease *lease = dhcp_pool_lease(pool, address);
	if (!lease || lease->state != DHCP_LEASE_BOUND)
		return;
	if (lease->before_ns > term->starts_ns)
		dhcp_lease_set_state(&pool->leases, lease, DHCP_LEASE_BOUND, lease->before_ns);
	else
		dhcp_lease_set_state(&pool->leases, lease, term->state, term->ends_ns);
}

void dhcp_pool_release(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns)
{
	dhcp_lease_set_state(&pool->leases, lease, DHCP_LEASE_IDLE, now_ns);
}

void dhcp_pool_withdraw(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns)
{
	dhcp_lease_forget_client(&pool->leases, lease);
	dhcp_pool_release(pool, lease, now_ns);
}

void dhcp_pool_decline(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t ends_ns)
{
	dhcp_lease_forget_client(&pool->leases, lease);
	dhcp_lease_set_state(&pool->leases, lease, DHCP_LEASE_DECLINED, ends_ns);
}
