#include "observe/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observe/pcapng.h"

enum {
	BACKLOG_BYTES = 4 << 20,
	BACKLOG_FRAMES = 16 << 10,
};

int backlog_init(struct backlog *backlog, struct error *error)
{
	*backlog = (struct backlog){
		.bytes = malloc(BACKLOG_BYTES),
		.frames = calloc(BACKLOG_FRAMES, sizeof(*backlog->frames)),
	};
	if (backlog->bytes && backlog->frames)
		return 0;
	backlog_finish(backlog);
	return error_set(error, -ENOMEM, "out of memory");
}

void backlog_finish(struct backlog *backlog)
{
	free(backlog->bytes);
	free(backlog->frames);
	*backlog = (struct backlog){0};
}

size_t backlog_room(const struct backlog *backlog, uint32_t snaplen)
{
	size_t by_bytes = (BACKLOG_BYTES - backlog->used) / pcapng_packet_size(snaplen);
	size_t by_count = BACKLOG_FRAMES - backlog->count;
	return by_bytes < by_count ? by_bytes : by_count;
}

bool backlog_add(struct backlog *backlog, uint32_t link, const struct capture_frame *frame)
{
	if (backlog_room(backlog, frame->captured) == 0)
		return false;
	size_t size = pcapng_packet_size(frame->captured);
	struct writer writer = writer_over(backlog->bytes + backlog->used, size);
	struct pcapng_packet packet = {
		.interface = link,
		.time_ns = frame->time_ns,
		.length = frame->length,
		.captured = frame->captured,
		.bytes = frame->bytes,
	};
	pcapng_write_packet(&writer, &packet);
	backlog->frames[backlog->count++] = (struct backlog_frame){
		.time_ns = frame->time_ns,
		.link = link,
		.sequence = backlog->sequence++,
		.offset = backlog->used,
		.block_size = (uint32_t)size,
		.captured = frame->captured,
	};
	backlog->used += size;
	return true;
}

static int frame_compare(const void *left, const void *right)
{
	const struct backlog_frame *a = left, *b = right;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return (int32_t)(a->sequence - b->sequence);
}

void backlog_sort(struct backlog *backlog)
{
	qsort(backlog->frames, backlog->count, sizeof(*backlog->frames), frame_compare);
}

const uint8_t *backlog_bytes(const struct backlog *backlog, const struct backlog_frame *frame)
{
	return backlog_block(backlog, frame) + PCAPNG_PACKET_OFFSET;
}

static int offset_compare(const void *left, const void *right)
{
	const struct backlog_frame *a = left, *b = right;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

void backlog_drop(struct backlog *backlog, size_t count)
{
	backlog->count -= count;
	memmove(backlog->frames, backlog->frames + count,
		backlog->count * sizeof(*backlog->frames));
	/* In the order of their places, so that each block moves down over what is free. */
	qsort(backlog->frames, backlog->count, sizeof(*backlog->frames), offset_compare);
	backlog->used = 0;
	for (size_t i = 0; i < backlog->count; i++) {
		struct backlog_frame *frame = &backlog->frames[i];
		memmove(backlog->bytes + backlog->used, backlog->bytes + frame->offset,
			frame->block_size);
		frame->offset = backlog->used;
		backlog->used += frame->block_size;
	}
	backlog_sort(backlog);
}
