/* Topologies handed to other tools, and taken over from them: `sim export` and `sim import`. */
#ifndef LAB_EXCHANGE_H
#define LAB_EXCHANGE_H

#include "plan/plan.h"

/* The plan in the form of that name; the error of an unknown one tells those that there are. */
int exchange_export(
	const struct plan *plan, const char *format, struct text *ret_text, struct error *error);

/* What --format can be, for messages: "script, containerlab or graphviz". */
extern const char exchange_formats[];

/* The text as a file in the place of any that is there; a script (`#!`) can be called. */
int exchange_write(const char *path, const struct text *text, struct error *error);

#endif
