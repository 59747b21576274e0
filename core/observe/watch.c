#include "observe/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/pcapng.h"

enum {
	FRAMES_A_TURN = 256, /* of one ring */
	DATAGRAMS_A_TURN = 256, /* of one netlink socket */
	EVENTS_HELD_MAX = 4096,
	PASSES_A_TURN = 16, /* libevent asks for so many descriptors at once, then for more */
	TURNS_TO_STOP = 1000, /* at most, where more arrives than is read */
};

void watch_put(void *argument, const struct fact *fact)
{
	struct watch *watch = argument;
	outbox_put(&watch->outbox, fact);
}

/* Frames */

struct link_reading {
	struct watched_link *link;
	uint64_t last_ns;
};

static void link_frame(void *argument, const struct capture_frame *frame)
{
	struct link_reading *reading = argument;
	backlog_add(&reading->link->watch->backlog, reading->link->index, frame);
	reading->last_ns = frame->time_ns;
	if (frame->time_ns <= reading->link->watch->stop_ns)
		reading->link->watch->busy = true;
}

void watch_link_readable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct watched_link *link = argument;
	struct watch *watch = link->watch;
	size_t room = backlog_room(&watch->backlog, link->capture->snaplen);
	int most = room < FRAMES_A_TURN ? (int)room : FRAMES_A_TURN;
	if (most == 0) {
		watch->crowded = true;
		return;
	}
	watch->progress = true;
	struct link_reading reading = {.link = link};
	int count = capture_read(link->capture, most, link_frame, &reading, NULL);
	if (count < 0)
		event_del(link->readable); /* the interface is gone; its counts stay */
	if (count == most && reading.last_ns < watch->unread_ns)
		watch->unread_ns = reading.last_ns;
}

static void out_flush(struct watch *watch)
{
	bool written = watch->out_length == 0 ||
		       recording_append(&watch->recording, watch->out, watch->out_length);
	for (size_t i = 0; i < watch->setup->link_count; i++) {
		struct watched_link *link = &watch->links[i];
		link->written += written ? link->pending : 0;
		link->pending = 0;
	}
	watch->out_length = 0;
}

/* Returns the frame's number in the file, 0 where it is not kept. */
static uint64_t out_add(struct watch *watch, const struct backlog_frame *frame)
{
	if (!recording_has_room(&watch->recording, watch->out_length, frame->block_size))
		return 0;
	if (watch->out_length + frame->block_size > WATCH_OUT_SIZE)
		out_flush(watch);
	memcpy(watch->out + watch->out_length, backlog_block(&watch->backlog, frame),
		frame->block_size);
	watch->out_length += frame->block_size;
	watch->links[frame->link].pending++;
	return ++watch->frame_count;
}

/* Events */

static void node_event(void *argument, const struct fact_event *event)
{
	struct watched_node *node = argument;
	struct watch *watch = node->watch;
	struct fact direct = {0};
	struct fact *held = NULL;
	if (watch->event_count < EVENTS_HELD_MAX)
		held = array_add(&watch->events, &watch->event_count);
	struct fact *fact = held ? held : &direct;
	fact->kind = event ? FACT_EVENT : FACT_EVENTS_LOST;
	fact->index = node->index;
	fact->time_ns = clock_realtime_ns();
	watch->busy = true;
	if (event)
		fact->event = *event;
	if (!held)
		watch_put(watch, fact);
}

void watch_node_readable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct watched_node *node = argument;
	node->watch->progress = true;
	if (events_read(&node->events, DATAGRAMS_A_TURN, node_event, node) < 0)
		event_del(node->readable);
}

/* Both, in order */

/* Tell the events up to `limit_ns`, from the one at `from`; returns the first that is left. */
static size_t release_events(struct watch *watch, size_t from, uint64_t limit_ns)
{
	while (from < watch->event_count && watch->events[from].time_ns <= limit_ns)
		watch_put(watch, &watch->events[from++]);
	return from;
}

static void release(struct watch *watch, uint64_t limit_ns)
{
	struct backlog *backlog = &watch->backlog;
	size_t frames = 0, events = 0;
	backlog_sort(backlog);
	for (; frames < backlog->count && backlog->frames[frames].time_ns <= limit_ns; frames++) {
		const struct backlog_frame *frame = &backlog->frames[frames];
		events = release_events(watch, events, frame->time_ns);
		struct decoder_sight sight = {
			.link = frame->link,
			.time_ns = frame->time_ns,
			.number = out_add(watch, frame),
			.bytes = backlog_bytes(backlog, frame),
			.length = frame->captured,
		};
		decoder_frame(watch->decoder, &sight);
	}
	events = release_events(watch, events, limit_ns);
	out_flush(watch);

	backlog_drop(backlog, frames);
	watch->event_count -= events;
	if (events)
		memmove(watch->events, watch->events + events,
			watch->event_count * sizeof(*watch->events));
	watch->held_ns = backlog->count ? backlog->frames[backlog->count - 1].time_ns : 0;
	if (watch->event_count && watch->events[watch->event_count - 1].time_ns > watch->held_ns)
		watch->held_ns = watch->events[watch->event_count - 1].time_ns;
}

static uint64_t release_limit(const struct watch *watch)
{
	if (watch->crowded)
		return UINT64_MAX;
	uint64_t limit = watch->turn_ns > watch->held_ns ? watch->turn_ns : watch->held_ns;
	return limit < watch->unread_ns ? limit : watch->unread_ns;
}

/* The loop */

void watch_sendable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct watch *watch = argument;
	outbox_send(&watch->outbox);
}

void watch_ending(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct watch *watch = argument;
	watch->stopping = true;
	watch->stop_ns = clock_realtime_ns();
	event_del(watch->ending);
}

/* Read until nothing is left to read, as far as there is room. */
static void watch_read(struct watch *watch)
{
	watch->crowded = false;
	for (int pass = 0; pass < PASSES_A_TURN && !watch->crowded; pass++) {
		watch->progress = false;
		watch->unread_ns = UINT64_MAX;
		event_base_loop(watch->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (!watch->progress)
			break;
	}
}

static void watch_turn(struct watch *watch)
{
	watch->turn_ns = clock_realtime_ns();
	watch->busy = false;
	watch_read(watch);
	release(watch, release_limit(watch));
}

static void watch_wait(struct watch *watch)
{
	if (watch->outbox.count)
		event_add(watch->sendable, NULL);
	if (watch->backlog.count == 0 && watch->event_count == 0 && !watch->stopping)
		event_base_loop(watch->base, EVLOOP_ONCE);
}

void watch_loop(struct watch *watch)
{
	while (!watch->stopping) {
		watch_turn(watch);
		watch_wait(watch);
	}
	int turns = 0;
	do
		watch_turn(watch);
	while ((watch->busy || watch->crowded) && ++turns < TURNS_TO_STOP);
	release(watch, UINT64_MAX);
}

void watch_tell_end(struct watch *watch)
{
	size_t count = watch->setup->link_count;
	uint64_t now_ns = clock_realtime_ns();
	CLEANUP(free_pointer) uint8_t *blocks = malloc(count * PCAPNG_STATISTICS_SIZE + 1);
	struct writer writer = writer_over(blocks, blocks ? count * PCAPNG_STATISTICS_SIZE : 0);
	for (uint32_t i = 0; i < count; i++) {
		struct watched_link *link = &watch->links[i];
		struct capture_counts counts = capture_count(link->capture);
		struct pcapng_statistics statistics = {
			.interface = i,
			.time_ns = now_ns,
			.received = counts.seen,
			.dropped = counts.lost,
			.delivered = link->written,
		};
		pcapng_write_statistics(&writer, &statistics);
		struct fact fact = {
			.kind = FACT_CAPTURE,
			.index = i,
			.time_ns = now_ns,
			.capture = {counts.seen, counts.lost, link->written},
		};
		watch_put(watch, &fact);
	}
	if (count && blocks)
		recording_close(&watch->recording, blocks, writer_used(&writer));
	struct fact fact = {
		.kind = FACT_END,
		.time_ns = now_ns,
		.end =
			{
				.capture_bytes = watch->recording.size,
				.capture_full = watch->recording.full,
				.capture_error = watch->recording.failure,
			},
	};
	watch_put(watch, &fact);
	outbox_drain(&watch->outbox);
}
