/*
 * What a process that was forked out of the middle of another one does to become its own: nothing
 * of the other's is left in it but what it was forked for.
 */
#ifndef OBSERVE_CONFINE_H
#define OBSERVE_CONFINE_H

#include <stddef.h>

/*
 * Close every descriptor but `keep` (sorted in place; negative and repeated ones are fine); standard
 * input, output and error become /dev/null: who waits for their end does not wait for this process.
 * Standard error stays in a sanitizer's build, which has nothing else to report to.
 */
void confine_descriptors(int *keep, size_t count);

/*
 * Default actions and an empty mask for all signals; ignored: those that a terminal sends to the
 * whole group, and SIGPIPE.
 */
void confine_signals(void);

#endif
