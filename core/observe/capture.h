/*
 * Capturing the frames of one interface, by libpcap: this is its only user. Non-blocking, with the
 * kernel's time stamps in nanoseconds. The interface is not made promiscuous: a veth hands over
 * every frame anyway, and the mode would show up as a change of the interface we only watch.
 *
 * Frames are captured whole where the interface sends what a wire would carry. With segmentation
 * offloads a "frame" can have 64 KiB, and a ring of slots for such has room for a dozen: a burst of
 * short messages would be lost for the sake of bulk data. There frames are cut to what fits a slot
 * of 2 KiB. `ethtool -K eth0 tso off gso off gro off` at both ends gives whole frames.
 */
#ifndef OBSERVE_CAPTURE_H
#define OBSERVE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct capture {
	void *handle; /* libpcap's; NULL: closed */
	int fd; /* readable when frames wait */
	uint32_t snaplen; /* the most bytes of a frame that are captured */
};

struct capture_frame {
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint32_t length; /* on the wire */
	uint32_t captured; /* bytes of it here */
	const uint8_t *bytes; /* borrowed until the function returns */
};

struct capture_counts {
	uint64_t seen, lost;
};

struct capture_place {
	const char *name; /* in errors: "client1:eth0" */
	int netns_fd;
	const char *interface;
};

/*
 * Start to capture at `count` places: frames from now on are kept in rings until read.
 * ret_captures: `count` captures; untouched on failure, which is where there is no such interface,
 * it is down, or it is no Ethernet.
 */
int captures_open(const struct capture_place *places, size_t count, struct capture *ret_captures,
	struct error *error);

typedef void (*capture_function)(void *argument, const struct capture_frame *frame);

/*
 * Hand at most `most` waiting frames to `function`. Returns how many; a negative errno where the
 * interface is gone or down.
 */
int capture_read(struct capture *capture, int most, capture_function function, void *argument,
	struct error *error);

/* Since capture_open(). */
struct capture_counts capture_count(struct capture *capture);

/* Closed ones, and none, are fine. */
void captures_close(struct capture *captures, size_t count);

#endif
