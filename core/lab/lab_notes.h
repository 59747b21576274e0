/* Sentences for the result on what ran out of bounds, and what this machine cannot hold there. */
#ifndef LAB_LAB_NOTES_H
#define LAB_LAB_NOTES_H

#include "lab/lab.h"

/* Whether the most processes are, or were, there: while what started them still runs. */
void lab_note_crowd(struct lab *lab);

/* Processes that run although they were asked to end, `grace_ms` ago. */
void lab_note_deaf(struct lab *lab, unsigned grace_ms);

/* Logs that were cut, memory that was refused, and what cannot be held: when nothing runs any more. */
void lab_note_bounds(struct lab *lab);

#endif
