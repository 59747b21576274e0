#include "dhcp/rewrite.h"

#include <string.h>

#include "dhcp/option.h"
#include "dhcp/protocol.h"

enum {
	OFFSET_SNAME = 44,
	OFFSET_FILE = OFFSET_SNAME + DHCP_SNAME_SIZE,
	OFFSET_OPTIONS = DHCP_HEADER_SIZE + 4,
	OPTION_HEADER_SIZE = 2,
};

static struct reader options_of(const struct dhcp_rewrite *message)
{
	return reader_over(message->bytes + OFFSET_OPTIONS, message->length - OFFSET_OPTIONS);
}

static uint8_t overload_of(const struct dhcp_rewrite *message)
{
	struct reader area = options_of(message), value;
	uint8_t code;
	while (dhcp_option_next(&area, &code, &value))
		if (code == DHCP_OPTION_OVERLOAD)
			return read_u8(&value);
	return 0;
}

/* Bytes of the option, or pad, or END at `at` of an area that was parsed before. */
static size_t piece_length(const uint8_t *at)
{
	return *at == DHCP_OPTION_PAD || *at == DHCP_OPTION_END
		       ? 1
		       : OPTION_HEADER_SIZE + (size_t)at[1];
}

/* Returns the length up to and with END; what is behind it becomes zeros. */
static size_t area_remove(uint8_t *area, size_t length, uint8_t code)
{
	size_t from = 0, to = 0;
	while (from < length && area[from] != DHCP_OPTION_END) {
		size_t piece = piece_length(area + from);
		if (area[from] != code) {
			memmove(area + to, area + from, piece);
			to += piece;
		}
		from += piece;
	}
	if (to < length)
		area[to++] = DHCP_OPTION_END;
	memset(area + to, 0, length - to);
	return to;
}

void dhcp_rewrite_remove(struct dhcp_rewrite *message, uint8_t code)
{
	uint8_t overload = overload_of(message);
	if (overload & DHCP_OVERLOAD_FILE)
		area_remove(message->bytes + OFFSET_FILE, DHCP_FILE_SIZE, code);
	if (overload & DHCP_OVERLOAD_SNAME)
		area_remove(message->bytes + OFFSET_SNAME, DHCP_SNAME_SIZE, code);
	size_t used = OFFSET_OPTIONS + area_remove(message->bytes + OFFSET_OPTIONS,
					       message->length - OFFSET_OPTIONS, code);
	size_t least =
		message->length < DHCP_MESSAGE_SIZE_MIN ? message->length : DHCP_MESSAGE_SIZE_MIN;
	message->length = used < least ? least : used;
}

/* Where END stands, or would stand: behind the last option, pads before END left where they are. */
static size_t end_of_options(const struct dhcp_rewrite *message)
{
	size_t at = OFFSET_OPTIONS;
	while (at < message->length && message->bytes[at] != DHCP_OPTION_END)
		at += piece_length(message->bytes + at);
	return at;
}

/* BOOTP of before RFC 1048 has no cookie, and so no options. */
static bool has_options(const struct dhcp_rewrite *message)
{
	struct reader cookie = reader_over(message->bytes + DHCP_HEADER_SIZE, 4);
	return read_be32(&cookie) == DHCP_MAGIC;
}

bool dhcp_rewrite_append(
	struct dhcp_rewrite *message, uint8_t code, const void *bytes, size_t length)
{
	size_t at = end_of_options(message);
	size_t needed = at + OPTION_HEADER_SIZE + length + 1;
	if (length > UINT8_MAX || needed > message->size || !has_options(message))
		return false;
	uint8_t *option = message->bytes + at;
	option[0] = code;
	option[1] = (uint8_t)length;
	if (length)
		memcpy(option + OPTION_HEADER_SIZE, bytes, length);
	option[OPTION_HEADER_SIZE + length] = DHCP_OPTION_END;
	if (needed < message->length)
		memset(message->bytes + needed, 0, message->length - needed);
	else
		message->length = needed;
	return true;
}
