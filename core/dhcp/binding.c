#include "dhcp/binding.h"

#include <stdlib.h>

static size_t client_slot(const struct dhcp_bindings *bindings, const struct dhcp_identity *client)
{
	size_t slot = dhcp_hash(bindings->hash_key, client->bytes, client->length) & bindings->mask;
	for (; bindings->by_client[slot]; slot = (slot + 1) & bindings->mask)
		if (dhcp_identity_equal(
			    &bindings->list[bindings->by_client[slot] - 1].client, client))
			break;
	return slot;
}

static size_t address_slot(const struct dhcp_bindings *bindings, struct ipv4 address)
{
	size_t slot = dhcp_hash(bindings->hash_key, &address, sizeof(address)) & bindings->mask;
	for (; bindings->by_address[slot]; slot = (slot + 1) & bindings->mask)
		if (ipv4_equal(bindings->list[bindings->by_address[slot] - 1].address, address))
			break;
	return slot;
}

/* At most half full, so that a search ends soon. */
static bool allocate(struct dhcp_bindings *bindings, size_t count)
{
	size_t slots = 2;
	while (slots < 2 * count)
		slots *= 2;
	bindings->mask = slots - 1;
	bindings->list = calloc(count + 1, sizeof(*bindings->list));
	bindings->by_client = calloc(slots, sizeof(*bindings->by_client));
	bindings->by_address = calloc(slots, sizeof(*bindings->by_address));
	return bindings->list && bindings->by_client && bindings->by_address;
}

bool dhcp_bindings_init(struct dhcp_bindings *bindings, const struct dhcp_binding *list,
	size_t count, uint64_t seed)
{
	*bindings = (struct dhcp_bindings){.hash_key = {seed, ~seed}};
	bool held = allocate(bindings, count);
	for (size_t i = 0; held && i < count; i++) {
		struct dhcp_binding *binding = &bindings->list[bindings->count++];
		*binding = list[i];
		binding->options = (struct dhcp_option_list){0};
		held = dhcp_option_list_complete(&binding->options, &list[i].options);
		uint32_t link = (uint32_t)bindings->count;
		bindings->by_client[client_slot(bindings, &binding->client)] = link;
		bindings->by_address[address_slot(bindings, binding->address)] = link;
	}
	if (!held)
		dhcp_bindings_finish(bindings);
	return held;
}

void dhcp_bindings_finish(struct dhcp_bindings *bindings)
{
	for (size_t i = 0; i < bindings->count; i++)
		dhcp_option_list_finish(&bindings->list[i].options);
	free(bindings->list);
	free(bindings->by_client);
	free(bindings->by_address);
	*bindings = (struct dhcp_bindings){0};
}

const struct dhcp_binding *dhcp_bindings_of_client(
	const struct dhcp_bindings *bindings, const struct dhcp_identity *client)
{
	if (bindings->count == 0)
		return NULL;
	uint32_t at = bindings->by_client[client_slot(bindings, client)];
	return at ? &bindings->list[at - 1] : NULL;
}

const struct dhcp_binding *dhcp_bindings_of_address(
	const struct dhcp_bindings *bindings, struct ipv4 address)
{
	if (bindings->count == 0)
		return NULL;
	uint32_t at = bindings->by_address[address_slot(bindings, address)];
	return at ? &bindings->list[at - 1] : NULL;
}

bool dhcp_bindings_equal(const struct dhcp_bindings *a, const struct dhcp_bindings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!dhcp_identity_equal(&a->list[i].client, &b->list[i].client) ||
			!ipv4_equal(a->list[i].address, b->list[i].address))
			return false;
	return true;
}
