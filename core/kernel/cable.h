/*
 * Cables of a fabric that stands: pulled out, put in again, put in somewhere else.
 *
 * Who looks at the node's end sees a carrier that goes and comes, as with a real cable: its address
 * stays, and its programs are told by the kernel. What is set down for that is the far end, where
 * nothing is captured: the port of a switch, or the interface of the other node. That node loses the
 * routes through it, and gets those of the plan again when the cable is put in.
 */
#ifndef KERNEL_CABLE_H
#define KERNEL_CABLE_H

#include "kernel/fabric.h"

/* Pull the cable of `interface`, one of the plan's, or put it in again. */
int cable_set(const struct plan *plan, const struct fabric *fabric,
	const struct plan_interface *interface, bool plugged, struct error *error);

/*
 * Put the cable of `interface`, which leads to a switch, in at the switch `node` instead. The new
 * port is called by the link's number: "moved17".
 */
int cable_move(const struct plan *plan, struct fabric *fabric,
	const struct plan_interface *interface, size_t node, struct error *error);

#endif
