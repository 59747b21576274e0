/*
 * Frames into messages: DHCP (UDP ports 67 and 68) through dhcp/, FTP control connections (TCP port
 * 21) through ftp/, the two text protocols of the report (UDP port 20001, TCP port 12345) by their
 * words, and how any TCP connection is opened and closed, as FACT_MESSAGE. Pure: told frames, links and times; fed by whatever a lab's
 * programs send, so everything is bounded and nothing is believed.
 *
 * One message is one fact, though its frame passes many links:
 * - A frame counts only where it left: on the link whose own interface has its Ethernet source
 *   address. So a broadcast seen by 26 hosts is one message.
 * - A router sends a frame again with an address of its own. DHCP: a datagram that was seen within
 *   the last seconds with the same addresses and content and a higher TTL is a forwarded one, and
 *   not told again; what a relay sends has other addresses and is a message of its own. FTP: each
 *   byte of a control connection is told where it was seen first, so frames have to come in order
 *   of time.
 *
 * FTP lines are told whole: commands by their verb, replies by their code ("220-" where more lines
 * of the same reply follow), "?" where a line is neither. Passwords are hidden. After AUTH TLS is
 * accepted there is nothing to be read any more. The line in which a connection was joined late, or
 * in which frames were lost, is left out.
 *
 * The address protocol's messages are called `Give me IP`, `IP`, `No IPs left` and `release`; the
 * file protocol's `greeting`, `name`, `end`, `file` (told once, however long it is) and
 * `File not found`. That one says of no name where it ends: each line, and each segment, is one.
 *
 * Of TCP connections whose beginning was seen: SYN, SYN-ACK, the ACK that completes the handshake,
 * each side's FIN, the ACK of each FIN where it is a segment of its own, and RST; each once, however
 * often it is sent.
 */
#ifndef OBSERVE_DECODE_H
#define OBSERVE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "observe/fact.h"

struct decoder;

struct decoder_link {
	struct mac mac; /* of the interface that is captured */
	bool has_peer;
	struct mac peer; /* of the link's other end, where that is not captured itself */
};

/* A message; borrowed until the function returns. */
typedef void (*decoder_function)(void *argument, const struct fact *fact);

/* `links` are copied; frames name them by index. NULL when memory is gone. */
struct decoder *decoder_create(
	const struct decoder_link *links, size_t count, decoder_function function, void *argument);
/* NULL is fine. */
void decoder_destroy(struct decoder *decoder);

/* A frame as it was captured, perhaps cut: `length` bytes are there. */
struct decoder_sight {
	uint32_t link;
	uint64_t time_ns;
	uint64_t number; /* in the capture file; 0: not there */
	const uint8_t *bytes;
	size_t length;
};

void decoder_frame(struct decoder *decoder, const struct decoder_sight *sight);

#endif
