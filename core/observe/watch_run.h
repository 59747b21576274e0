/* The observer's own process, from fork to end. Its parent's side is observer.h. */
#ifndef OBSERVE_WATCH_RUN_H
#define OBSERVE_WATCH_RUN_H

#include "observe/observer.h"

/*
 * Run the observer in the calling process, which was forked for it: descriptors that do not belong
 * to it are closed, signals and privileges changed, nothing is released (the process is to _exit).
 * `fd` is its end of the socket pair: the end of what can be read there ends it. Its first answer
 * is FACT_READY or FACT_FAILED. Returns when it has ended; a negative errno where it could not
 * begin.
 */
int watch_run(const struct observer_setup *setup, int fd);

#endif
