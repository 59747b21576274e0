/*
 * The observer's loop in its own process: rings and sockets that are open already (watch_run.h) are
 * read, put in order of time, recorded, decoded, told.
 *
 * Order. Each turn of the loop notes the time, then reads the rings and sockets until none has
 * anything more. What is older than the time noted has been read by then, from every ring: it is
 * released, in order. What is younger waits for the next turn, which follows at once; then it is
 * released in any case, so that a clock that is set back stops nothing. With nothing left to
 * release, the loop sleeps.
 */
#ifndef OBSERVE_WATCH_H
#define OBSERVE_WATCH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/backlog.h"
#include "observe/capture.h"
#include "observe/decode.h"
#include "observe/events.h"
#include "observe/observer.h"
#include "observe/outbox.h"
#include "observe/recording.h"

struct watch;

struct watched_link {
	struct watch *watch;
	uint32_t index;
	struct capture *capture; /* in watch->captures */
	struct event *readable;
	uint64_t pending; /* frames in watch->out */
	uint64_t written;
};

struct watched_node {
	struct watch *watch;
	uint32_t index;
	struct events events;
	struct event *readable;
};

struct watch {
	const struct observer_setup *setup;
	int fd;
	struct event_base *base;
	struct event *ending, *sendable;
	struct watched_link *links;
	struct capture *captures; /* of the links, in their order */
	struct watched_node *nodes;
	struct decoder *decoder;
	struct backlog backlog;
	struct recording recording;
	struct outbox outbox;
	struct fact *events; /* not yet released, in order of time */
	size_t event_count;
	uint8_t *out; /* blocks on their way to the file */
	size_t out_length;
	uint64_t frame_count; /* given to the file */
	uint64_t turn_ns; /* when this turn began */
	uint64_t held_ns; /* the youngest frame that waited for this turn */
	uint64_t unread_ns; /* rings that were not read to their end have nothing older */
	bool progress; /* something was read in this pass */
	bool crowded; /* no room for more frames: order has to wait */
	bool busy; /* something was read in this turn that was there when the end was asked for */
	bool stopping;
	uint64_t stop_ns; /* when the end was asked for; UINT64_MAX before */
};

/* Blocks are gathered up to this, then written at once. */
#define WATCH_OUT_SIZE (256 << 10)

/* Callbacks of the loop. The argument is a watched_link, a watched_node, or the watch. */
void watch_link_readable(evutil_socket_t fd, short what, void *argument);
void watch_node_readable(evutil_socket_t fd, short what, void *argument);
void watch_sendable(evutil_socket_t fd, short what, void *argument);
void watch_ending(evutil_socket_t fd, short what, void *argument);

/* decoder_function: a fact on its way out; the argument is the watch. */
void watch_put(void *argument, const struct fact *fact);

/* Until the end is asked for, and everything that was there then is released. */
void watch_loop(struct watch *watch);

/* The closing blocks of the file, FACT_CAPTURE for each link, FACT_END; waits for the reader. */
void watch_tell_end(struct watch *watch);

#endif
