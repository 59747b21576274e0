/* Topologies handed to other tools, and taken over from them: `sim export` and `sim import`. */
#ifndef LAB_EXCHANGE_H
#define LAB_EXCHANGE_H

#include "plan/plan.h"

/* The plan in the form of that name; the error of an unknown one tells those that there are. */
int exchange_export(
	const struct plan *plan, const char *format, struct text *ret_text, struct error *error);

/* What --format can be, for messages: "script, containerlab or graphviz". */
extern const char exchange_formats[];

struct imported {
	struct text text; /* a topology file of ours */
	size_t not_taken_over; /* sorts of things, which its head names */
	char *problem; /* what sim validate says of it, the first one; or NULL */
	size_t more_problems;
};

/*
 * Read another tool's file (`-`: standard input) as a topology file, and look whether it is right:
 * addresses of the other's may contradict each other. imported_finish() frees it.
 */
int exchange_import(
	const char *path, unsigned hosts, struct imported *ret_imported, struct error *error);
/* For CLEANUP(). */
void imported_finish(struct imported *imported);

/* --hosts at most. */
enum { EXCHANGE_HOSTS_MOST = 1000 };

/* The text as a file in the place of any that is there; a script (`#!`) can be called. */
int exchange_write(const char *path, const struct text *text, struct error *error);

#endif
