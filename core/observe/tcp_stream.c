#include "observe/tcp_stream.h"

#include <stdlib.h>
#include <string.h>

/* Farther ahead than any window of a control connection: no segment of this stream. */
enum { AHEAD_MAX = 1 << 20 };

/* Sequence numbers wrap: a difference is a signed number (RFC 9293 section 3.4). */
static int32_t sequence_distance(uint32_t from, uint32_t to)
{
	return (int32_t)(to - from);
}

static void held_remove(struct tcp_stream *stream, size_t index)
{
	free(stream->held[index].bytes);
	stream->held[index] = stream->held[--stream->held_count];
}

void tcp_stream_finish(struct tcp_stream *stream)
{
	while (stream->held_count > 0)
		held_remove(stream, stream->held_count - 1);
	*stream = (struct tcp_stream){0};
}

/*
 * What of the bytes is new, where nothing is missing before them. Returns whether they were used.
 */
static bool stream_take(struct tcp_stream *stream, const struct tcp_held *piece,
	tcp_stream_function function, void *argument)
{
	int32_t ahead = sequence_distance(stream->next, piece->sequence);
	if (ahead > 0)
		return false;
	size_t old = (size_t) - (int64_t)ahead;
	if (old < piece->length) {
		stream->next = piece->sequence + (uint32_t)piece->length;
		function(argument, piece->bytes + old, piece->length - old);
	}
	return true;
}

/* Held segments that now fit. */
static void stream_take_held(
	struct tcp_stream *stream, tcp_stream_function function, void *argument)
{
	for (size_t i = 0; i < stream->held_count;) {
		if (!stream_take(stream, &stream->held[i], function, argument)) {
			i++;
			continue;
		}
		held_remove(stream, i);
		i = 0;
	}
}

static void stream_jump(
	struct tcp_stream *stream, uint32_t sequence, tcp_stream_function function, void *argument)
{
	stream->next = sequence;
	function(argument, NULL, 0);
	stream_take_held(stream, function, argument);
}

/* The nearest held byte; only where something is held. */
static uint32_t held_first(const struct tcp_stream *stream)
{
	uint32_t first = stream->held[0].sequence;
	for (size_t i = 1; i < stream->held_count; i++)
		if (sequence_distance(first, stream->held[i].sequence) < 0)
			first = stream->held[i].sequence;
	return first;
}

static void stream_hold(struct tcp_stream *stream, const struct tcp_held *piece,
	tcp_stream_function function, void *argument)
{
	for (size_t i = 0; i < stream->held_count; i++)
		if (stream->held[i].sequence == piece->sequence &&
			stream->held[i].length >= piece->length)
			return;
	if (stream->held_count == STREAM_HELD_MAX) {
		stream_jump(stream, held_first(stream), function, argument);
		if (stream_take(stream, piece, function, argument)) {
			stream_take_held(stream, function, argument);
			return;
		}
	}
	uint8_t *bytes = piece->length <= STREAM_SEGMENT_MAX ? malloc(piece->length) : NULL;
	if (!bytes)
		return; /* a gap, then: told when it is acknowledged */
	memcpy(bytes, piece->bytes, piece->length);
	stream->held[stream->held_count++] = (struct tcp_held){
		.sequence = piece->sequence,
		.length = piece->length,
		.bytes = bytes,
	};
}

bool tcp_stream_begins(const struct tcp_stream *stream, const struct tcp_segment *segment)
{
	return segment->opens && (!stream->opened || stream->initial != segment->sequence);
}

void tcp_stream_segment(struct tcp_stream *stream, const struct tcp_segment *segment,
	tcp_stream_function function, void *argument)
{
	struct tcp_held piece = {
		/* The SYN counts as one byte. */
		.sequence = segment->sequence + (segment->opens ? 1 : 0),
		.length = segment->length,
		.bytes = (uint8_t *)(uintptr_t)segment->payload,
	};
	if (tcp_stream_begins(stream, segment)) {
		tcp_stream_finish(stream);
		stream->known = true;
		stream->opened = true;
		stream->initial = segment->sequence;
		stream->next = piece.sequence;
	}
	if (piece.length == 0)
		return;
	if (!stream->known) {
		/* Its beginning was not seen. */
		stream->known = true;
		stream_jump(stream, piece.sequence, function, argument);
	}
	int32_t ahead = sequence_distance(stream->next, piece.sequence);
	if (ahead > AHEAD_MAX || ahead < -AHEAD_MAX)
		return;
	if (stream_take(stream, &piece, function, argument))
		stream_take_held(stream, function, argument);
	else
		stream_hold(stream, &piece, function, argument);
}

void tcp_stream_acknowledged(
	struct tcp_stream *stream, uint32_t sequence, tcp_stream_function function, void *argument)
{
	/* One more may be acknowledged than there are bytes: the FIN. */
	int32_t missing = stream->known ? sequence_distance(stream->next, sequence) : 0;
	if (missing <= (stream->held_count ? 0 : 1) || missing > AHEAD_MAX)
		return;
	uint32_t to = sequence;
	if (stream->held_count && sequence_distance(held_first(stream), to) > 0)
		to = held_first(stream);
	stream_jump(stream, to, function, argument);
}
