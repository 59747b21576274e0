/* What the verbs of sim share: a topology found, read and planned. */
#ifndef LAB_VERBS_H
#define LAB_VERBS_H

#include "lab/places.h"
#include "lab/run.h"
#include "plan/describe.h"
#include "plan/needs.h"
#include "plan/plan.h"
#include "results/history.h"
#include "topology/problems.h"

struct subject {
	struct places places;
	struct problems problems; /* all that is wrong with it, in the order of its files */
	struct topology topology;
	struct plan plan;
	struct error unchecked; /* code not 0: why rules could not be tried here */
};

/*
 * Find TOPOLOGY, read it with `settings` (NAME=VALUE, --set) and plan it. Where it is faulty the
 * error is the first problem and says how many more there are. subject_finish() frees it, also
 * then; it must not move in between.
 */
int subject_open(const char *topology, const char *const *settings, size_t setting_count,
	struct subject *subject, struct error *error);

/* Find TOPOLOGY and read it alone, of a faulty file what can be read. subject_finish() frees it. */
int subject_glance(const char *topology, struct subject *subject, struct error *error);

struct topology_request;

/* The same of a file, with settings of which some only bring programs. */
int subject_open_brought(
	const struct topology_request *request, struct subject *subject, struct error *error);

/* For CLEANUP(). */
void subject_finish(struct subject *subject);

/* Whether this machine allows what a plan needs; the error names the limit that does not. */
int subject_check_machine(const struct plan_needs *needs, struct error *error);

/* The names of its scenarios, in their order. */
json_t *subject_scenarios(const struct topology *topology);

/* A topology file's name, title, first sentence and scenarios as JSON, or its error: for `sim list`. */
json_t *subject_summary(const struct places *places, const char *name);

#endif
