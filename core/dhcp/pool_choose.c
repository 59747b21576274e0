#include "dhcp/pool_parts.h"

/*
 * So many addresses that were never more than offered may wait for use before a wish for one that
 * was not even that is passed over: a peer who asks for every address in turn fills no memory.
 */
enum { NEVER_USED_MOST = 65536 };

struct dhcp_lease *dhcp_pool_lease_of(
	const struct dhcp_pool *pool, const struct dhcp_client_key *client)
{
	return dhcp_leases_of_client(&pool->leases, &client->identity);
}

/*
 * Whether another holds the address of the client's binding, from before it was made. Another is
 * another machine: one that changes its client identifier stays the same machine. What sends no
 * hardware address (RFC 4390) is told apart by its identifier alone.
 */
static bool is_held(const struct dhcp_lease *lease, const struct dhcp_client_key *client)
{
	bool held = lease->state == DHCP_LEASE_OFFERED || lease->state == DHCP_LEASE_BOUND;
	bool same = client->hardware.length > 0 &&
		    dhcp_hardware_equal(&lease->hardware, &client->hardware);
	return held && !same && !dhcp_lease_is_of(lease, &client->identity);
}

/* The lease it has or had, if it may still have it. */
static struct dhcp_lease *own_lease(
	const struct dhcp_pool *pool, const struct dhcp_client_key *client)
{
	struct dhcp_lease *lease = dhcp_pool_lease_of(pool, client);
	return lease && !lease->reserved && !lease->refuse_renewal ? lease : NULL;
}

/* Its renewal was refused to this client: it is to get another one, where there is one. */
static bool is_refused(const struct dhcp_lease *lease, const struct dhcp_client_key *client)
{
	return lease->refuse_renewal && dhcp_lease_is_of(lease, &client->identity);
}

static struct dhcp_lease *wished_lease(
	struct dhcp_pool *pool, const struct dhcp_client_key *client, struct ipv4 address)
{
	if (dhcp_pool_reserves(pool, address))
		return NULL;
	struct dhcp_lease *lease = dhcp_leases_of_address(&pool->leases, address);
	if (!lease && pool->leases.idle[0].count < NEVER_USED_MOST)
		lease = dhcp_pool_lease(pool, address);
	bool free = lease && lease->state == DHCP_LEASE_IDLE && !is_refused(lease, client);
	return free ? lease : NULL;
}

/* The lease of the lowest free address that is not below `from`, by number; NULL: there is none. */
static struct dhcp_lease *lease_from(struct dhcp_pool *pool, size_t from)
{
	size_t number = dhcp_free_map_next(&pool->free, from);
	if (number == pool->size)
		return NULL;
	return dhcp_pool_lease(pool, dhcp_pool_address(pool, number));
}

static struct dhcp_lease *least_recent(struct dhcp_pool *pool, const struct dhcp_client_key *client)
{
	struct dhcp_lease *lease = dhcp_leases_idle(&pool->leases, false);
	if (!lease)
		lease = lease_from(pool, 0); /* a new one */
	if (!lease)
		lease = dhcp_leases_idle(&pool->leases, true);
	if (!lease || !is_refused(lease, client))
		return lease;
	struct dhcp_lease *next = dhcp_leases_idle_after(&pool->leases, lease);
	return next ? next : lease;
}

static struct dhcp_lease *first_free(struct dhcp_pool *pool, const struct dhcp_client_key *client)
{
	struct dhcp_lease *lease = lease_from(pool, 0);
	if (!lease || !is_refused(lease, client))
		return lease;
	struct ipv4 refused = lease->address;
	struct dhcp_lease *next = lease_from(pool, dhcp_pool_number(pool, refused) + 1);
	return next ? next : dhcp_leases_of_address(&pool->leases, refused);
}

static enum dhcp_choice choose_bound(
	struct dhcp_pool *pool, const struct dhcp_client_key *client, struct dhcp_lease **ret_lease)
{
	struct dhcp_lease *lease = dhcp_pool_lease(pool, client->binding->address);
	if (!lease)
		return DHCP_CHOICE_NO_MEMORY;
	if (is_held(lease, client))
		return DHCP_CHOICE_HELD;
	*ret_lease = lease;
	return DHCP_CHOICE_FOUND;
}

enum dhcp_choice dhcp_pool_choose(struct dhcp_pool *pool, const struct dhcp_client_key *client,
	struct ipv4 requested, struct dhcp_lease **ret_lease)
{
	if (client->binding)
		return choose_bound(pool, client, ret_lease);
	struct dhcp_lease *lease = own_lease(pool, client);
	if (!lease && dhcp_pool_free(pool) == 0)
		return DHCP_CHOICE_NONE;
	if (!lease)
		lease = wished_lease(pool, client, requested);
	if (!lease)
		lease = pool->first_free ? first_free(pool, client) : least_recent(pool, client);
	if (!lease)
		return DHCP_CHOICE_NO_MEMORY;
	*ret_lease = lease;
	return DHCP_CHOICE_FOUND;
}

struct dhcp_lease *dhcp_pool_claim(struct dhcp_pool *pool, const struct dhcp_client_key *client,
	struct ipv4 address, bool or_free)
{
	struct dhcp_lease *lease;
	if (client->binding) {
		bool its = ipv4_equal(client->binding->address, address) &&
			   choose_bound(pool, client, &lease) == DHCP_CHOICE_FOUND;
		return its ? lease : NULL;
	}
	lease = own_lease(pool, client);
	if (lease)
		return ipv4_equal(lease->address, address) ? lease : NULL;
	return or_free ? wished_lease(pool, client, address) : NULL;
}

bool dhcp_pool_give(struct dhcp_pool *pool, struct dhcp_lease *lease,
	const struct dhcp_client_key *client, const struct dhcp_term *term)
{
	bool runs = lease->state == DHCP_LEASE_BOUND && dhcp_lease_is_of(lease, &client->identity);
	uint64_t before_ns = 0;
	if (runs) /* given at this same moment: see dhcp_pool_not_saved() */
		before_ns = lease->starts_ns == term->starts_ns ? lease->before_ns : lease->ends_ns;
	uint32_t port = runs ? lease->port : 0;
	if (!dhcp_lease_set_client(&pool->leases, lease, &client->identity))
		return false;
	lease->hardware = client->hardware;
	lease->starts_ns = term->starts_ns;
	lease->before_ns = before_ns;
	lease->refuse_renewal = false;
	if (pool->ports && client->port.length)
		port = dhcp_ports_intern(pool->ports, &client->port);
	dhcp_pool_change(pool, lease, term, port);
	return true;
}

void dhcp_pool_not_saved(struct dhcp_pool *pool, struct ipv4 address, const struct dhcp_term *term)
{
	struct dhcp_lease *lease = dhcp_leases_of_address(&pool->leases, address);
	if (!lease)
		return;
	bool given = lease->state == DHCP_LEASE_BOUND && lease->starts_ns == term->starts_ns;
	bool refused = lease->state == DHCP_LEASE_IDLE && lease->refuse_renewal &&
		       lease->ends_ns == term->starts_ns;
	struct dhcp_term before = {.state = DHCP_LEASE_BOUND, .ends_ns = lease->before_ns};
	if (lease->before_ns > term->starts_ns && (given || refused))
		dhcp_pool_change(pool, lease, &before, lease->port);
	else if (given)
		dhcp_pool_change(pool, lease, term, lease->port);
}

void dhcp_pool_release(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns)
{
	struct dhcp_term term = {.state = DHCP_LEASE_IDLE, .ends_ns = now_ns};
	dhcp_pool_change(pool, lease, &term, 0);
}

void dhcp_pool_withdraw(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns)
{
	dhcp_lease_forget_client(&pool->leases, lease);
	lease->refuse_renewal = false;
	dhcp_pool_release(pool, lease, now_ns);
}

void dhcp_pool_refuse(struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t now_ns)
{
	lease->refuse_renewal = true;
	lease->before_ns = lease->ends_ns;
	dhcp_pool_release(pool, lease, now_ns);
}

void dhcp_pool_decline(
	struct dhcp_pool *pool, struct dhcp_lease *lease, uint64_t ends_ns, bool by_probe)
{
	struct dhcp_hardware by = lease->hardware;
	struct dhcp_term term = {.state = DHCP_LEASE_DECLINED, .ends_ns = ends_ns};
	dhcp_lease_forget_client(&pool->leases, lease);
	lease->refuse_renewal = false;
	if (!by_probe)
		lease->hardware = by;
	dhcp_pool_change(pool, lease, &term, by_probe ? 0 : lease->port);
}
