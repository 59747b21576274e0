/*
 * The ports that clients hang on: a relay's circuit (option 82) or one of our interfaces. A port is
 * kept, and counted, while a lease, an offer or a declined address of one of its clients exists, so
 * there are never more of them than leases. Only kept where ports have limits.
 */
#ifndef DHCP_PORT_H
#define DHCP_PORT_H

#include "dhcp/lease.h"

enum { DHCP_PORT_MAX = 64 };

/* Printable: `10.0.2.1 "eth0/1"`, `10.0.2.1 0x0004002a`, `10.0.2.1` (no circuit), `interface 3`. */
struct dhcp_port_name {
	uint8_t bytes[DHCP_PORT_MAX];
	uint8_t length; /* 0: not known */
};

struct dhcp_port {
	struct dhcp_port_name name;
	uint32_t leases, offers; /* leases: declined addresses too */
	uint32_t next; /* private: of those that wait for use */
};

/* `= {0}` is an empty one. */
struct dhcp_ports {
	struct dhcp_port *list;
	size_t count; /* of `list`; those without leases and offers wait for use */
	/* Private. */
	struct dhcp_table names;
	uint32_t unused;
	uint64_t hash_key[2];
};

void dhcp_ports_init(struct dhcp_ports *ports, uint64_t seed);
void dhcp_ports_finish(struct dhcp_ports *ports);

/* The name of a circuit behind a relay: long ones are shortened by a hash, the same ever after. */
void dhcp_port_name_of_circuit(
	struct ipv4 giaddr, const struct dhcp_field *circuit, struct dhcp_port_name *ret_name);
void dhcp_port_name_of_interface(unsigned interface, struct dhcp_port_name *ret_name);

/* NULL where nothing of that port is counted. */
const struct dhcp_port *dhcp_ports_find(
	const struct dhcp_ports *ports, const struct dhcp_port_name *name);

/*
 * The number plus one of that port, made if need be; 0 when memory is gone. It is the caller's to
 * count something there, or it leaks one port.
 */
uint32_t dhcp_ports_intern(struct dhcp_ports *ports, const struct dhcp_port_name *name);

/* Count a lease in `state` at the port (its number plus one; 0: nothing is done), or no longer. */
void dhcp_ports_count(struct dhcp_ports *ports, uint32_t port, enum dhcp_lease_state state);
void dhcp_ports_uncount(struct dhcp_ports *ports, uint32_t port, enum dhcp_lease_state state);

#endif
