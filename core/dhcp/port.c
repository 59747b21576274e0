#include "dhcp/port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static uint32_t hash_name(const struct dhcp_ports *ports, const struct dhcp_port_name *name)
{
	return (uint32_t)dhcp_hash(ports->hash_key, name->bytes, name->length);
}

void dhcp_ports_init(struct dhcp_ports *ports, uint64_t seed)
{
	*ports = (struct dhcp_ports){.hash_key = {seed, ~seed}};
}

void dhcp_ports_finish(struct dhcp_ports *ports)
{
	free(ports->list);
	dhcp_table_finish(&ports->names);
	ports->list = NULL;
	ports->count = ports->unused = 0;
}

static bool is_plain_text(const struct dhcp_field *circuit)
{
	for (size_t i = 0; i < circuit->length; i++)
		if (circuit->bytes[i] < ' ' || circuit->bytes[i] > '~')
			return false;
	return circuit->length > 0;
}

/* For names alone: it tells ports apart, and is stored, so its key is nobody's secret. */
static uint64_t circuit_hash(const struct dhcp_field *circuit)
{
	static const uint64_t key[2] = {UINT64_C(0x636972637569742d), UINT64_C(0x6964656e74696679)};
	return dhcp_hash(key, circuit->bytes, circuit->length);
}

void dhcp_port_name_of_circuit(
	struct ipv4 giaddr, const struct dhcp_field *circuit, struct dhcp_port_name *ret_name)
{
	char text[2 * DHCP_PORT_MAX + IPV4_TEXT_SIZE];
	size_t used = strlen(ipv4_format(giaddr, text));
	size_t room = DHCP_PORT_MAX - used;
	if (circuit->length > 0)
		text[used++] = ' ';
	if (circuit->length == 0) {
		/* Its relay says nothing of it: all of them count together. */
	} else if (is_plain_text(circuit) && circuit->length + 3u <= room) {
		text[used++] = '"';
		memcpy(text + used, circuit->bytes, circuit->length);
		used += circuit->length;
		text[used++] = '"';
	} else if (2u * circuit->length + 3 <= room) {
		used += (size_t)snprintf(text + used, 3, "0x");
		for (size_t i = 0; i < circuit->length; i++)
			used += (size_t)snprintf(text + used, 3, "%02x", circuit->bytes[i]);
	} else {
		used += (size_t)snprintf(
			text + used, 32, "#%016llx", (unsigned long long)circuit_hash(circuit));
	}
	memcpy(ret_name->bytes, text, used);
	ret_name->length = (uint8_t)used;
}

void dhcp_port_name_of_interface(unsigned interface, struct dhcp_port_name *ret_name)
{
	char text[DHCP_PORT_MAX];
	ret_name->length = (uint8_t)snprintf(text, sizeof(text), "interface %u", interface);
	memcpy(ret_name->bytes, text, ret_name->length);
}

const struct dhcp_port *dhcp_ports_find(
	const struct dhcp_ports *ports, const struct dhcp_port_name *name)
{
	uint32_t hash = hash_name(ports, name), link;
	size_t at = hash;
	while ((link = dhcp_table_next(&ports->names, hash, &at))) {
		const struct dhcp_port *port = &ports->list[link - 1];
		if (port->name.length == name->length &&
			memcmp(port->name.bytes, name->bytes, name->length) == 0)
			return port;
	}
	return NULL;
}

/* A port of no name yet: one that waits, else a new one; its number plus one, or 0. */
static uint32_t port_add(struct dhcp_ports *ports)
{
	uint32_t at = ports->unused;
	if (at) {
		ports->unused = ports->list[at - 1].next;
		return at;
	}
	return array_add(&ports->list, &ports->count) ? (uint32_t)ports->count : 0;
}

uint32_t dhcp_ports_intern(struct dhcp_ports *ports, const struct dhcp_port_name *name)
{
	const struct dhcp_port *known = dhcp_ports_find(ports, name);
	if (known)
		return (uint32_t)(known - ports->list) + 1;
	if (!dhcp_table_reserve(&ports->names))
		return 0;
	uint32_t at = port_add(ports);
	if (!at)
		return 0;
	ports->list[at - 1] = (struct dhcp_port){.name = *name};
	dhcp_table_insert(&ports->names, hash_name(ports, name), at - 1);
	return at;
}

/* What leases of that state are counted as; NULL: nothing. */
static uint32_t *counter_of(struct dhcp_port *port, enum dhcp_lease_state state)
{
	if (state == DHCP_LEASE_IDLE)
		return NULL;
	return state == DHCP_LEASE_OFFERED ? &port->offers : &port->leases;
}

void dhcp_ports_count(struct dhcp_ports *ports, uint32_t port, enum dhcp_lease_state state)
{
	uint32_t *counter = port ? counter_of(&ports->list[port - 1], state) : NULL;
	if (counter)
		++*counter;
}

void dhcp_ports_uncount(struct dhcp_ports *ports, uint32_t port, enum dhcp_lease_state state)
{
	uint32_t *counter = port ? counter_of(&ports->list[port - 1], state) : NULL;
	if (!counter || --*counter > 0)
		return;
	struct dhcp_port *at = &ports->list[port - 1];
	if (at->leases + at->offers > 0)
		return;
	dhcp_table_remove(&ports->names, hash_name(ports, &at->name), port - 1);
	at->name.length = 0;
	at->next = ports->unused;
	ports->unused = port;
}
