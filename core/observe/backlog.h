/*
 * Frames between the rings they were read from and their use: each ring is in order of time, the
 * rings among themselves are not. Frames are kept as finished pcapng packet blocks, so that writing
 * them out is a copy. Bounded; who reads from a ring asks backlog_room() first.
 */
#ifndef OBSERVE_BACKLOG_H
#define OBSERVE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "observe/capture.h"

struct backlog_frame {
	uint64_t time_ns;
	uint32_t link;
	uint32_t sequence; /* of arrival, to keep frames of the same time in order */
	size_t offset; /* of its block */
	uint32_t block_size;
	uint32_t captured;
};

struct backlog {
	uint8_t *bytes;
	size_t used;
	struct backlog_frame *frames;
	size_t count;
	uint32_t sequence;
};

int backlog_init(struct backlog *backlog, struct error *error);
void backlog_finish(struct backlog *backlog);

/* How many more frames of at most `snaplen` bytes fit. */
size_t backlog_room(const struct backlog *backlog, uint32_t snaplen);

/* Add a frame seen on `link`, copying it. One that does not fit is left out: false. */
bool backlog_add(struct backlog *backlog, uint32_t link, const struct capture_frame *frame);

/* Put frames[] in order of time. */
void backlog_sort(struct backlog *backlog);

/*
 * The block of a frame, and the frame's own bytes in it. Valid until frames are added or dropped.
 */
static inline const uint8_t *backlog_block(
	const struct backlog *backlog, const struct backlog_frame *frame)
{
	return backlog->bytes + frame->offset;
}

const uint8_t *backlog_bytes(const struct backlog *backlog, const struct backlog_frame *frame);

/* Forget the first `count` frames; the others stay, in their order. */
void backlog_drop(struct backlog *backlog, size_t count);

#endif
