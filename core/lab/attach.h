/*
 * The client of a lab that is up: finds it and asks its supervisor. For a command, it hands over its
 * own standard streams, so that what the command reads and writes passes through nobody; on a
 * terminal it stands between that and a pseudoterminal of the command's, as ssh does.
 */
#ifndef LAB_ATTACH_H
#define LAB_ATTACH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "lab/registry.h"

/*
 * The lab of that name; with NULL the only one that is up. -ENOENT: there is none, -EEXIST: there
 * are several to choose from; the sentence says which and what to do.
 */
int attach_find(const char *name, struct registered *ret_lab, struct error *error);

/* "[LAB:]REST": the lab, and REST as a part of `where`. */
int attach_find_at(
	const char *where, struct registered *ret_lab, const char **ret_rest, struct error *error);

enum attach_list_of {
	ATTACH_ALL, /* as `sim ps --json` tells of a lab */
	ATTACH_FIRST, /* only the first LAB_CONTROL_FIRST nodes; "more" says how many there are besides */
	ATTACH_NAMES, /* only what nodes and their interfaces are called, which asks no kernel */
};

/* What there is in a lab. *ret_value is a new reference. */
int attach_list(const struct registered *lab, enum attach_list_of what, json_t **ret_value,
	struct error *error);

struct attach_fall {
	bool killed;
	char notes[2048]; /* on what ran out of bounds there: lines */
};

/* Take it down, and return when nothing of it is left. One that does not answer is killed. */
int attach_down(const struct registered *lab, struct attach_fall *ret_fall, struct error *error);

struct attach_end {
	int status; /* of the command: its exit code, or 128 + the signal's number */
	int interrupted; /* the signal that was handed on and ended it, or 0 */
};

/*
 * Run a command in a node with this process's standard streams, and wait for its end. Signals and
 * the terminal's keys go to the command, Ctrl-Z stops both. -ENOEXEC: it cannot be run.
 */
int attach_exec(const struct registered *lab, const char *node, char *const *words,
	struct attach_end *ret_end, struct error *error);

/*
 * Write what passes at an interface of a node ("" or NULL: its only one) to `out_fd`, as pcapng,
 * until SIGINT, SIGTERM or SIGHUP comes, whoever reads it has gone, or the lab has. `begun` is
 * called with the interface's name when it is being captured. Returns 0 in these cases.
 */
int attach_capture(const struct registered *lab, const char *where, int out_fd,
	void (*begun)(const char *name), struct error *error);

#endif
