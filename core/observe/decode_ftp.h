/*
 * The FTP half of decode.h: control connections, their two streams, and the lines in them; and the
 * connections of the report's file protocol.
 */
#ifndef OBSERVE_DECODE_FTP_H
#define OBSERVE_DECODE_FTP_H

#include <stdbool.h>
#include <stdint.h>

#include "dhcp/frame.h"
#include "observe/decode.h"

#define FTP_CONTROL_PORT 21

struct ftp_decoder;

struct ftp_decoder *ftp_decoder_create(decoder_function function, void *argument);
void ftp_decoder_destroy(struct ftp_decoder *decoder);

/*
 * `frame` is TCP from or to FTP_CONTROL_PORT or FTP_TEXT_PORT. The messages told are `seen` (link, time, end) with
 * their own fields filled in.
 */
void ftp_decoder_frame(
	struct ftp_decoder *decoder, const struct fact *seen, const struct frame *frame);

#endif
