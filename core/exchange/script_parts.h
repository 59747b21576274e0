/* Between the files of the shell script. */
#ifndef EXCHANGE_SCRIPT_PARTS_H
#define EXCHANGE_SCRIPT_PARTS_H

#include "plan/plan.h"

/* What ends of links send at most, and nodes' NAT and firewall rules; nothing where there are none. */
void script_rates(const struct plan *plan, struct text *text);
void script_rules(const struct plan *plan, struct text *text);

#endif
