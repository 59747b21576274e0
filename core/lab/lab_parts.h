/* What the files of a lab share: lab.c (its life), lab_observe.c, lab_start.c (what runs in it). */
#ifndef LAB_LAB_PARTS_H
#define LAB_LAB_PARTS_H

#include "lab/lab.h"

/* Start the observer: what is sent and what changes from now on becomes facts of the scenario. */
int lab_observe(struct lab *lab, struct error *error);

/* Take its last facts. What fails is in lab->failed. */
void lab_stop_observer(struct lab *lab);

#endif
