/*
 * A tap: a process that writes the frames of one interface as pcapng into a descriptor, a file or a
 * pipe that Wireshark reads, as they come. Other than the observer it decodes nothing, and waits for
 * its reader: what the interface's ring has no room for meanwhile is lost and counted.
 */
#ifndef OBSERVE_TAP_H
#define OBSERVE_TAP_H

#include <sys/types.h>

#include "base/address.h"
#include "observe/capture.h"

struct tap_setup {
	struct capture_place place;
	struct mac mac;
	int out_fd;
	const char *application; /* who writes: "sim 0.1" */
};

struct tap {
	pid_t pid; /* 0: none */
	int pidfd; /* readable when it has ended */
	int lifeline;
};

#define TAP_NONE ((struct tap){.pidfd = -1, .lifeline = -1})

/*
 * Start it, in a process that dies with the caller. Returns when frames are captured. The
 * descriptors stay the caller's. Fails where there is no such interface, or it is down.
 */
int tap_start(const struct tap_setup *setup, struct tap *ret_tap, struct error *error);

/* Ask it to end: what is in the ring is written yet, and counts. Returns at once. */
void tap_stop(struct tap *tap);

/* Wait for its end, killing it where it still runs. One that was never started is fine. */
void tap_finish(struct tap *tap);

#endif
