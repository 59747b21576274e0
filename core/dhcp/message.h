/*
 * The DHCP message (RFC 2131 section 2) as a value: bytes to message, message to bytes.
 *
 * Parsing walks the options once, joins split ones (RFC 3396) and follows an overload of `file` and
 * `sname`; after that each lookup is O(1), and "absent" and "malformed" are different answers.
 * Building knows its maximum, splits what is over 255 bytes, goes on in `file` and `sname` when the
 * options field is full, and always has room left for the END option.
 * A message without the magic cookie is BOOTP's of before RFC 1048 where its vendor area is all
 * zero: it has no options then.
 * Addresses are in host order on our side.
 */
#ifndef DHCP_MESSAGE_H
#define DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/writer.h"
#include "dhcp/protocol.h"

/* The fixed fields. */
struct dhcp_header {
	uint8_t op; /* enum dhcp_op */
	uint8_t hops;
	uint16_t secs; /* since the client began */
	uint32_t xid;
	bool broadcast; /* the flag: the client cannot yet receive unicast */
	struct ipv4 ciaddr, yiaddr, siaddr, giaddr;
	struct dhcp_hardware chaddr;
	/*
	 * The server's name and the boot file's (RFC 951), with NUL; empty where there is none, and
	 * in a parsed message also where the field holds options.
	 */
	char sname[DHCP_SNAME_SIZE + 1], file[DHCP_FILE_SIZE + 1];
};

struct dhcp_field {
	const uint8_t *bytes;
	uint16_t length;
};

/*
 * A parsed message. It borrows the bytes it was parsed from, and points into itself where options
 * had to be joined: pass it by pointer, never copy it.
 */
struct dhcp_message {
	struct dhcp_header header;
	unsigned type; /* enum dhcp_message_type; DHCP_BOOTREQUEST, DHCP_BOOTREPLY without 53 */
	/* Private: use the accessors. field_of[code] is 1 + its index in `fields`, 0 for none. */
	uint8_t field_of[256];
	struct dhcp_field fields[254];
	uint8_t joined[DHCP_MESSAGE_SIZE_MAX];
};

/*
 * Parse `length` bytes of UDP payload.
 * Fails with -EBADMSG, and the reason in `error`, where they are no DHCP or BOOTP message: too
 * short, an op other than 1 and 2, hlen over 16, another magic cookie (but see above), an option
 * that reaches beyond its area, a message type that is no single byte, more split options than fit a message.
 * Malformed values of other options do not fail here: their accessors say so. On failure the
 * contents of ret_message mean nothing.
 */
int dhcp_message_parse(
	const void *bytes, size_t length, struct dhcp_message *ret_message, struct error *error);

enum dhcp_answer {
	DHCP_MALFORMED = -1, /* there, but its length is wrong for its type */
	DHCP_ABSENT = 0,
	DHCP_PRESENT = 1,
};

/* The option's value; ret_value is set only where the answer is DHCP_PRESENT. */
enum dhcp_answer dhcp_message_bytes(
	const struct dhcp_message *message, uint8_t code, struct dhcp_field *ret_value);
enum dhcp_answer dhcp_message_u8(
	const struct dhcp_message *message, uint8_t code, uint8_t *ret_value);
enum dhcp_answer dhcp_message_u16(
	const struct dhcp_message *message, uint8_t code, uint16_t *ret_value);
enum dhcp_answer dhcp_message_u32(
	const struct dhcp_message *message, uint8_t code, uint32_t *ret_value);
/* The first, where the option holds several. */
enum dhcp_answer dhcp_message_address(
	const struct dhcp_message *message, uint8_t code, struct ipv4 *ret_address);

/*
 * A message under construction in the caller's buffer. Options go to the options field while it has
 * room, then to `file` and to `sname` where the header leaves them empty (option 52 says so to the
 * receiver; BOOTP has no such thing). A code is to be appended once.
 */
struct dhcp_builder {
	bool omitted; /* an option did not fit and was left out, whole */
	uint8_t omitted_code; /* the first such */
	/* Private. Each area ends one byte early: its END always fits. */
	struct writer options, file, sname;
	bool overload_kept; /* room for option 52 is kept in the options field */
	struct dhcp_field relay_agent;
};

/*
 * Begin a message of at most `size` bytes (at least DHCP_MESSAGE_SIZE_MIN, at most what `buffer`
 * holds): fixed fields, cookie, and option 53 where `type` is one that goes on the wire.
 */
void dhcp_builder_init(struct dhcp_builder *builder, void *buffer, size_t size,
	const struct dhcp_header *header, unsigned type);

/*
 * Append an option; one that does not fit sets `omitted`. It stands in one area, but for one over
 * 255 bytes, whose pieces may go on in the next. Options 0, 52 and 255 are the builder's own.
 *
 * Option 82 is different: it comes last in the options field, whatever is appended when, since a
 * relay takes it off there (RFC 3046 section 2.1) and does not look into `file`. Its room is kept
 * from now on, so append it early; `bytes` must live until dhcp_builder_finish().
 */
void dhcp_builder_bytes(
	struct dhcp_builder *builder, uint8_t code, const void *bytes, size_t length);
void dhcp_builder_u8(struct dhcp_builder *builder, uint8_t code, uint8_t value);
void dhcp_builder_u16(struct dhcp_builder *builder, uint8_t code, uint16_t value);
void dhcp_builder_u32(struct dhcp_builder *builder, uint8_t code, uint32_t value);
void dhcp_builder_address(struct dhcp_builder *builder, uint8_t code, struct ipv4 address);

/*
 * Option 52 where it is needed, option 82, END in each area, and zeros up to BOOTP's minimum.
 * Returns the message's length in bytes.
 */
size_t dhcp_builder_finish(struct dhcp_builder *builder);

/*
 * What a relay changes in a message that it otherwise forwards as it is (RFC 1542 section 4.1):
 * `bytes` are those of a message that dhcp_message_parse() took.
 */
void dhcp_message_set_relay(void *bytes, uint8_t hops, struct ipv4 giaddr);

#endif
