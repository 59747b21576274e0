/* Between the files that export. */
#ifndef EXCHANGE_SCRIPT_PARTS_H
#define EXCHANGE_SCRIPT_PARTS_H

#include "plan/plan.h"

/* What ends of links send at most, and nodes' NAT and firewall rules; nothing where there are none. */
void script_rates(const struct plan *plan, struct text *text);
void script_rules(const struct plan *plan, struct text *text);

/* Settings of nodes that the file asks for: those of interfaces still to come (`early`), and the others. */
void script_sysctls(const struct plan *plan, bool early, struct text *text);

/*
 * Whether a command of `exec` sets up a network and asks for nothing else of its node: others may need
 * its files, and are told in comments.
 */
bool export_sets_up(const char *command);

/* Commands that run once when a node starts. */
void script_commands(const struct plan *plan, struct text *text);

#endif
