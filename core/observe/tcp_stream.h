/*
 * One direction of a TCP connection seen from outside (RFC 9293 section 3.4): segments in any
 * order, repeated or missing, become the bytes in order, each once. A witness cannot ask again:
 * where bytes are missing for good (the other side has acknowledged them, or too much waits behind
 * them) the gap is told and the stream goes on behind it.
 *
 * Pure; bounded: STREAM_HELD_MAX segments of at most STREAM_SEGMENT_MAX bytes are kept.
 */
#ifndef OBSERVE_TCP_STREAM_H
#define OBSERVE_TCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_HELD_MAX	   8
#define STREAM_SEGMENT_MAX 4096

struct tcp_held {
	uint32_t sequence;
	size_t length;
	uint8_t *bytes; /* owned */
};

/* `= {0}` is one of which nothing is known. */
struct tcp_stream {
	bool known; /* `next` is set */
	bool opened; /* ... by a SYN of sequence number `initial` */
	uint32_t initial;
	uint32_t next; /* sequence number of the next byte */
	struct tcp_held held[STREAM_HELD_MAX];
	size_t held_count;
};

struct tcp_segment {
	uint32_t sequence;
	bool opens; /* SYN */
	const uint8_t *payload;
	size_t length;
};

/* The next bytes in order; `bytes` is NULL where some are missing before the ones that follow. */
typedef void (*tcp_stream_function)(void *argument, const uint8_t *bytes, size_t length);

/* Whether the segment is a SYN that begins anew: what was made of the old bytes is void then. */
bool tcp_stream_begins(const struct tcp_stream *stream, const struct tcp_segment *segment);

/* A segment was seen. */
void tcp_stream_segment(struct tcp_stream *stream, const struct tcp_segment *segment,
	tcp_stream_function function, void *argument);

/*
 * The other side acknowledged everything before `sequence`: what is missing of that stays missing.
 */
void tcp_stream_acknowledged(
	struct tcp_stream *stream, uint32_t sequence, tcp_stream_function function, void *argument);

/* Frees what is held. */
void tcp_stream_finish(struct tcp_stream *stream);

#endif
