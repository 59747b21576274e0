/*
 * A plan for other tools and for people: the same nodes, interfaces, addresses and routes in another
 * form. Pure: a plan goes in, a text comes out. What a form cannot hold it says in comments.
 */
#ifndef EXCHANGE_EXPORT_H
#define EXCHANGE_EXPORT_H

#include "plan/plan.h"

/*
 * A POSIX shell script of plain `ip`, `sysctl` and `tc` commands, with comments, that builds the
 * network by hand, opens a shell (or runs a command) in it, and removes it when that ends.
 */
void export_script(const struct plan *plan, struct text *text);

/* A topology file for containerlab: nodes of kind linux, switches as bridges inside of such nodes. */
void export_containerlab(const struct plan *plan, struct text *text);

#endif
