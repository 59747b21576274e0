/* Subnets of the topology's pools, for segments that have none written and need one. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "plan/parts.h"

enum { POINT_TO_POINT_LENGTH = 30, LAN_LENGTH = 24, IPV6_LENGTH = 64 };

/* One family's pool while it is given out, from its lowest address upwards. */
struct pool {
	enum ip_family family;
	struct ip_prefix all;
	ip_number next; /* the lowest address that may be free */
	bool spent;
	const struct plan_segment **taken; /* written subnets, by their address */
	size_t taken_count, taken_at;
};

/* How many ends of each segment want an address of the family. */
static void count_wants(const struct plan *plan, enum ip_family family, size_t *wants)
{
	for (size_t i = 0; i < plan->link_count; i++)
		for (size_t end = 0; end < 2; end++) {
			const struct plan_link *link = &plan->links[i];
			wants[link->segment] += plan_wants_address(plan, link, end, family);
		}
}

static unsigned subnet_length(
	const struct plan_segment *segment, enum ip_family family, size_t wants)
{
	if (family == IPV6)
		return IPV6_LENGTH;
	if (!segment->has_switch)
		return POINT_TO_POINT_LENGTH;
	unsigned length = LAN_LENGTH;
	while (length > 8 && (size_t)1 << (32 - length) < wants + 2)
		length--;
	return length;
}

/* The next free subnet of that length; none when the pool is spent. */
static struct ip_prefix pool_take(struct pool *pool, unsigned length)
{
	struct ip_prefix subnet = {{0, pool->family}, length};
	ip_number span = ip_prefix_span(subnet), end = ip_prefix_last(pool->all).number;
	while (!pool->spent) {
		ip_number first = (pool->next + span) & ~span;
		pool->spent = first < pool->next || first > end || end - first < span;
		if (pool->spent)
			break;
		while (pool->taken_at < pool->taken_count &&
			ip_prefix_last(pool->taken[pool->taken_at]->subnets[pool->family]).number <
				first)
			pool->taken_at++;
		const struct plan_segment *taken =
			pool->taken_at < pool->taken_count ? pool->taken[pool->taken_at] : NULL;
		bool free = !taken || taken->subnets[pool->family].address.number > first + span;
		pool->next = free ? first + span + 1
				  : ip_prefix_last(taken->subnets[pool->family]).number + 1;
		pool->spent = pool->next == 0 || pool->next > end;
		if (free) {
			subnet.address.number = first;
			return subnet;
		}
	}
	return subnet;
}

/* Number segments with switches, or those without. */
static int pool_give(struct plan *plan, struct pool *pool, const size_t *wants, bool has_switch,
	struct error *error)
{
	struct mark mark = plan->topology->pool_marks[pool->family];
	int result = 0;
	for (size_t i = 0; i < plan->link_count; i++) {
		struct plan_segment *segment = &plan->segments[plan->links[i].segment];
		size_t wanted = wants[plan->links[i].segment];
		if (segment->has_switch != has_switch || !wanted ||
			plan_has_subnet(segment, pool->family))
			continue;
		unsigned length = subnet_length(segment, pool->family, wanted);
		struct ip_prefix subnet = pool_take(pool, length);
		if (ip_is_none(subnet.address)) {
			segment->faulty = true;
			if (result == 0)
				result = plan_fail(plan, mark, error,
					"%s has no /%u left for the segment of '%s': take a larger "
					"pool",
					IP_PREFIX_TEXT(pool->all), length, plan->links[i].name);
			continue;
		}
		segment->subnets[pool->family] = subnet;
		segment->marks[pool->family] = mark;
	}
	return result;
}

static int pool_number(struct plan *plan, enum ip_family family, struct error *error)
{
	struct ip_prefix all = plan->topology->pools[family];
	CLEANUP(free_pointer) const struct plan_segment **taken = NULL;
	CLEANUP(free_pointer) size_t *wants = calloc(plan->segment_count + 1, sizeof(*wants));
	if (!wants)
		return plan_out_of_memory(error);
	struct pool pool = {.family = family, .all = all, .next = ip_prefix_first(all).number};
	if (!ip_is_hosts(all.address)) {
		for (size_t i = 0; i < plan->segment_count; i++)
			plan->segments[i].faulty = true;
		return plan_fail(plan, plan->topology->pool_marks[family], error,
			"%s is not for hosts: no subnet can be taken from it", IP_PREFIX_TEXT(all));
	}
	int status = plan_sort_subnets(plan, family, &taken, &pool.taken_count, error);
	pool.taken = taken;
	count_wants(plan, family, wants);
	if (status == 0)
		status = pool_give(plan, &pool, wants, true, error);
	int result = 0;
	if (plan_goes_on(plan, status, &result))
		plan_goes_on(plan, pool_give(plan, &pool, wants, false, error), &result);
	return result;
}

int plan_pools(struct plan *plan, struct error *error)
{
	int result = 0;
	for (size_t family = 0; family < IP_FAMILIES; family++) {
		if (ip_is_none(plan->topology->pools[family].address))
			continue;
		int status = pool_number(plan, (enum ip_family)family, error);
		if (!plan_goes_on(plan, status, &result))
			break;
	}
	return result;
}
