/*
 * Kinds of interfaces and queues that nodes' own commands may want (`ip link add type vlan`,
 * `tc qdisc add ... netem`) and that sim itself does without: tried, in a network namespace that the
 * caller has made for it and throws away.
 */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "base/error.h"

/* Add an interface of that kind ("dummy", "vrf"; "vlan" upon a dummy or the loopback). */
int probe_link_kind(const char *kind, struct error *error);

/* Put a queue of that kind ("netem") on one end of a veth pair. */
int probe_queue_kind(const char *kind, struct error *error);

/* Give an interface a name of more than 15 characters besides its own. */
int probe_alternative_name(struct error *error);

#endif
