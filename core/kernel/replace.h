/*
 * A node that is switched off and on. Off, its cables lie in a new network namespace, down, so that
 * the other ends have no carrier; on, that is what the plan says, and knows nothing of what was done
 * in the one before: no address, route, rule, setting, neighbour or tunnel of it.
 *
 * The new namespaces are made before, when the lab is: so what watches the lab watches them too.
 */
#ifndef KERNEL_REPLACE_H
#define KERNEL_REPLACE_H

#include "kernel/fabric.h"

/*
 * Make a namespace that the node will have when it is switched off the next time, with the node's
 * settings: `number` on the shelf, which is free. The caller is where it was afterwards.
 */
int replace_prepare(const struct plan *plan, const struct fabric *fabric, size_t node,
	size_t number, struct error *error);

/*
 * Switch the node off: nothing runs in it any more. Its interfaces go to the namespace `number`,
 * which is the node's from now on.
 */
int replace_off(const struct plan *plan, struct fabric *fabric, size_t node, size_t number,
	struct error *error);

/* Switch it on: addresses, routes, rates, rules and sysctls as planned. */
int replace_on(
	const struct plan *plan, const struct fabric *fabric, size_t node, struct error *error);

#endif
