/* `exec` of nodes: commands that run once, in order, when a node starts. */
#ifndef LAB_EXEC_H
#define LAB_EXEC_H

#include "lab/lab.h"

/*
 * Run them, those of one node one after another, several nodes at a time. only: of which nodes, by
 * their index; NULL: of all. *ret_all is set to false where one did not end with 0, or not in time:
 * the last of lab->result says which, and what it printed. The others are ended then.
 */
int lab_exec(struct lab *lab, const bool *only, bool *ret_all, struct error *error);

#endif
