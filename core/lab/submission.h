/*
 * What students have handed in: a folder with an entry for each, a folder or a single file, and in
 * each the programs that take the place of a topology's.
 */
#ifndef LAB_SUBMISSION_H
#define LAB_SUBMISSION_H

#include <stddef.h>

#include "topology/model.h"

enum {
	SUBMISSION_MIB = 64,
	SUBMISSION_FILES = 8192,
	SUBMISSIONS_MOST = 10000,
};

struct submission {
	char *name; /* printable; no two are equal */
	char *path;
};

struct submissions {
	struct submission *list; /* by name */
	size_t count;
};

/*
 * The entries of `directory`, but for hidden ones and what archivers add. A place without any is an
 * error. ret_submissions: submissions_finish() frees it.
 */
int submissions_find(
	const char *directory, struct submissions *ret_submissions, struct error *error);

/* For CLEANUP(). */
void submissions_finish(struct submissions *submissions);

/*
 * In the working directory, a submission: enter the folder in which its programs are (archives often
 * have one inside) and say what takes the place of which variable of `topology`:
 * 1. as `run.yaml` says (topology_read_programs());
 * 2. each file that is named after a variable: dhcp_server.py, dhcp-server.sh, dhcp_server (can be run);
 * 3. the only program there, for `program`, where that is not NULL.
 * ret_settings: NAME=COMMAND, each and the array on the heap. An error is the student's.
 */
int submission_settings(const struct topology *topology, const char *program, char ***ret_settings,
	size_t *ret_count, struct error *error);

#endif
