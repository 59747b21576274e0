/*
 * What this machine can and cannot do: every feature of the kernel that labs rest on is tried, each
 * in a process and namespaces of its own that go with it; limits are held against what a large lab
 * needs; commands are looked for. What builds labs is what is tried here, not a copy of it.
 */
#ifndef LAB_DOCTOR_H
#define LAB_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "lab/places.h"

enum doctor_need {
	DOCTOR_EVERY_LAB, /* without it there is no lab */
	DOCTOR_SOME_LABS, /* a topology that asks for it is refused, or a command of a node fails */
};

enum doctor_state {
	DOCTOR_HOLDS,
	DOCTOR_MISSING,
	DOCTOR_UNTRIED, /* what it rests on is missing */
};

extern const char *const doctor_state_names[3];

struct doctor_finding {
	const char *name;
	enum doctor_need need;
	const char *tried; /* what was done */
	enum doctor_state state;
	char found[512]; /* why it is not there, or what was found; may be empty */
	const char *costs; /* what a user goes without */
	char *mend; /* what to do: a command where there is one; NULL where it holds */
};

/* A limit of the machine, held against a lab of DOCTOR_NODES nodes with a program in each. */
struct doctor_limit {
	const char *name, *where;
	uint64_t allowed, needed; /* allowed: UINT64_MAX is none */
	bool bytes;
	bool of_programs; /* not sim but what runs in the nodes meets it */
	const char *costs;
	char *mend; /* NULL where it is enough */
};

struct doctor_tool {
	const char *name, *costs, *package;
	bool there;
};

enum { DOCTOR_NODES = 10000, DOCTOR_LIMITS_MOST = 16 };

struct doctor {
	bool able; /* every lab's needs hold */
	bool root; /* with root's rights; else in a user namespace */
	char kernel[256]; /* "Linux 6.1.0-28-amd64 on x86_64" */
	const char *surroundings; /* "in a container", "under WSL"; NULL: a machine of its own */
	unsigned processors;
	uint64_t memory_bytes; /* available */
	struct doctor_finding *findings;
	size_t finding_count;
	struct doctor_limit limits[DOCTOR_LIMITS_MOST];
	size_t limit_count;
	size_t nodes_bare, nodes_running; /* that a lab can have; with a program in each */
	const char *nodes_limit; /* what ends the latter */
	struct doctor_tool *tools;
	size_t tool_count;
};

/* Try everything. ret_doctor: doctor_finish() frees it. Nothing is left of what was tried. */
int doctor_run(const struct places *places, struct doctor *ret_doctor, struct error *error);

/* The same facts; NULL when memory is gone. */
json_t *doctor_json(const struct doctor *doctor);

/* For CLEANUP(). */
void doctor_finish(struct doctor *doctor);

#endif
