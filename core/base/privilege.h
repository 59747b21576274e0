/*
 * Least privilege: once its sockets are open a program keeps only the capabilities it still needs,
 * and can never gain any (no_new_privs).
 */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define CAPABILITY(number) (UINT64_C(1) << (number)) /* CAPABILITY(CAP_NET_ADMIN) */

/*
 * Keep the capabilities in `kept` (a set of CAPABILITY() bits) as far as the process has them, give
 * up all others, in every set.
 */
int privileges_keep(uint64_t kept, struct error *error);

/*
 * From now on this process and its children change nothing in the file system (Landlock, Linux 5.13);
 * what is open stays open for writing. Returns false, with nothing changed, where the kernel cannot do
 * it. Call it after privileges_keep().
 */
bool privileges_read_only(void);

#endif
