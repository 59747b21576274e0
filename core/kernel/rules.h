/*
 * Nodes' NAT and firewall rules: the text of `nftables:`, given to libnftables.
 *
 * The text may come from anyone, and libnftables reads files by it (`include`), waits by it
 * (`monitor`), and ends its process where memory is gone. So a process of its own loads it, which
 * sees no file of the machine but /etc/services and /etc/protocols and the plan's /etc/hosts (nodes'
 * names stand for their addresses), and has RULES_SECONDS for each node. Only it loads the library:
 * a lab without rules pays nothing.
 */
#ifndef KERNEL_RULES_H
#define KERNEL_RULES_H

#include "plan/plan.h"

enum { RULES_SECONDS = 10 };

/*
 * Load each node's rules in its namespace; the interfaces are there. Errors: what is wrong with a text
 * stands at its line of the file (-EINVAL); -EOPNOTSUPP: this kernel has no nf_tables.
 */
int rules_load(const struct plan *plan, const int *netns_fds, struct error *error);

/*
 * Load them into namespaces of no lab, with interfaces of the same names, to hear what is wrong.
 * `enter` gets the privilege for that, in the process that does it. ret_unchecked: code 0, or why
 * this system cannot tell: that is no error.
 */
int rules_check(const struct plan *plan, int (*enter)(struct error *error),
	struct error *ret_unchecked, struct error *error);

#endif
