/* Two files of nodes, compared byte for byte. */
#ifndef LAB_SAME_FILES_H
#define LAB_SAME_FILES_H

#include "lab/lab.h"
#include "scenario/verdict.h"

/*
 * Judge a STEP_SAME_FILES. Files are looked for below the nodes' working directories, and no link
 * leads out of there: it would be to the host's file, not to the one that the node sees. Files that
 * are too long to be compared within the step's timeout have not been found equal.
 */
void lab_same_files(struct lab *lab, const struct step *step, struct verdict *ret_verdict);

#endif
