/*
 * What the system allows, against what a plan takes: asked before anything is built, so that a
 * topology that is too large fails at once, with the limit's name, and leaves nothing.
 */
#ifndef KERNEL_SYSTEM_LIMITS_H
#define KERNEL_SYSTEM_LIMITS_H

#include "plan/needs.h"

/*
 * Fails with the first limit that is too low, and where it is set: -ENOSPC for
 * namespaces and processes, -EMFILE, -ENOMEM. A limit that cannot be read is taken as none.
 */
int system_limits_check(const struct plan_needs *needs, struct error *error);

#endif
