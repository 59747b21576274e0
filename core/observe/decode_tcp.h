/* The TCP half of decode.h: the segments that open, close and break a connection, of any port. */
#ifndef OBSERVE_DECODE_TCP_H
#define OBSERVE_DECODE_TCP_H

#include "dhcp/frame.h"
#include "observe/decode.h"

struct tcp_decoder;

struct tcp_decoder *tcp_decoder_create(decoder_function function, void *argument);
/* NULL is fine. */
void tcp_decoder_destroy(struct tcp_decoder *decoder);

/*
 * `frame` is TCP. The messages told are `seen` (link, time, frame, end) with their own fields filled
 * in.
 */
void tcp_decoder_frame(
	struct tcp_decoder *decoder, const struct fact *seen, const struct frame *frame);

#endif
