/*
 * What a relay changes in a message that it otherwise passes on as it came: options of the bytes
 * themselves, without taking the message apart and building another one. Byte order, pads and
 * options that nobody knows stay as they are.
 */
#ifndef DHCP_REWRITE_H
#define DHCP_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dhcp_rewrite {
	uint8_t *bytes; /* of a message that dhcp_message_parse() took */
	size_t length;
	size_t size; /* what `bytes` has room for */
};

/*
 * Remove an option wherever it stands, in all its pieces, also from `file` and `sname` where an
 * overload says that options stand there. What follows moves up; the message gets shorter, down to
 * BOOTP's minimum or what it was before.
 */
void dhcp_rewrite_remove(struct dhcp_rewrite *message, uint8_t code);

/*
 * Append an option of 0..255 bytes behind all others of the options field, before END; the message
 * grows where the padding behind END has no room for it. False, and nothing changed, where it would
 * become longer than `size`, and where it has no magic cookie.
 */
bool dhcp_rewrite_append(
	struct dhcp_rewrite *message, uint8_t code, const void *bytes, size_t length);

#endif
