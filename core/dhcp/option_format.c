#include <string.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "dhcp/classless_route.h"
#include "dhcp/domain_list.h"
#include "dhcp/option.h"
#include "dhcp/option_text.h"

enum { NAMES_MOST = 64 }; /* of a domain list: compressed ones could fill a megabyte */

/* Each writes one element and moves on; false where the bytes are none of its kind. */

static bool take_flag(struct reader *value, struct text *text)
{
	uint8_t flag = read_u8(value);
	text_append(text, "%s", flag ? "yes" : "no");
	return flag <= 1;
}

static bool take_address(struct reader *value, struct text *text)
{
	text_append(text, "%s", IPV4_TEXT((struct ipv4){read_be32(value)}));
	return true;
}

static bool take_pair(struct reader *value, struct text *text)
{
	take_address(value, text);
	text_append(text, "=");
	return take_address(value, text);
}

static bool take_route(struct reader *value, struct text *text)
{
	struct dhcp_route route;
	if (!dhcp_route_next(value, &route))
		return false;
	text_append(text, "%s=%s", PREFIX_TEXT(route.destination), IPV4_TEXT(route.router));
	return true;
}

static bool take_u8(struct reader *value, struct text *text)
{
	text_append(text, "%u", read_u8(value));
	return true;
}

static bool take_u16(struct reader *value, struct text *text)
{
	text_append(text, "%u", read_be16(value));
	return true;
}

static bool take_u32(struct reader *value, struct text *text)
{
	text_append(text, "%u", read_be32(value));
	return true;
}

static bool take_i32(struct reader *value, struct text *text)
{
	text_append(text, "%d", (int32_t)read_be32(value));
	return true;
}

static bool take_seconds(struct reader *value, struct text *text)
{
	uint32_t seconds = read_be32(value);
	if (seconds == DHCP_LEASE_INFINITE)
		text_append(text, "infinite");
	else
		text_append(text, "%u", seconds);
	return true;
}

static bool take_code(struct reader *value, struct text *text)
{
	uint8_t code = read_u8(value);
	text_append(text, "%s", DHCP_OPTION_NAME(code));
	return code != DHCP_OPTION_PAD && code != DHCP_OPTION_END; /* no options */
}

/* All of it: text has no elements. */
static bool take_text(struct reader *value, struct text *text)
{
	size_t length = reader_left(value);
	const char *bytes = (const char *)reader_take(value, length);
	while (length > 0 && bytes[length - 1] == '\0')
		length--; /* RFC 2132 section 2: a NUL at the end is no part of it */
	CLEANUP(free_pointer) char *shown = text_sanitize(bytes, length);
	if (!shown || length == 0 || strlen(shown) != length || memcmp(shown, bytes, length) != 0 ||
		strpbrk(shown, "\n\t"))
		return false;
	text_append_bytes(text, bytes, length);
	return true;
}

static bool (*const takes[DHCP_KINDS])(struct reader *value, struct text *text) = {
	[DHCP_KIND_FLAG] = take_flag,
	[DHCP_KIND_ADDRESS] = take_address,
	[DHCP_KIND_ADDRESSES] = take_address,
	[DHCP_KIND_ADDRESS_PAIRS] = take_pair,
	[DHCP_KIND_U8] = take_u8,
	[DHCP_KIND_U16] = take_u16,
	[DHCP_KIND_U16_LIST] = take_u16,
	[DHCP_KIND_U32] = take_u32,
	[DHCP_KIND_I32] = take_i32,
	[DHCP_KIND_SECONDS] = take_seconds,
	[DHCP_KIND_TEXT] = take_text,
	[DHCP_KIND_CODES] = take_code,
	[DHCP_KIND_ROUTES] = take_route,
};

static bool format_list(
	enum dhcp_option_kind kind, struct reader value, char separator, struct text *text)
{
	for (bool first = true; reader_left(&value) > 0; first = false) {
		if (!first)
			text_append(text, "%c", separator);
		if (!takes[kind](&value, text) || value.truncated)
			return false;
	}
	return true;
}

/* Compression refers to the whole value, so names are not read one behind the other. */
static bool format_domains(struct dhcp_field value, char separator, struct text *text)
{
	char name[DHCP_DOMAIN_TEXT_SIZE];
	enum dhcp_answer answer;
	size_t offset = 0;
	for (unsigned count = 0; count <= NAMES_MOST; count++) {
		answer = dhcp_domain_next(&value, &offset, name);
		if (answer != DHCP_PRESENT)
			return answer == DHCP_ABSENT;
		if (count > 0)
			text_append(text, "%c", separator);
		text_append(text, "%s", name);
	}
	return false;
}

static void format_hex(struct dhcp_field value, struct text *text)
{
	text_append(text, "hex:");
	for (size_t i = 0; i < value.length; i++)
		text_append(text, "%02x", value.bytes[i]);
}

void dhcp_option_text_format(
	uint8_t code, struct dhcp_field value, char separator, struct text *text)
{
	const struct dhcp_option_type *type = dhcp_option_type(code);
	CLEANUP(text_finish) struct text shown = {0};
	bool shows = type && dhcp_option_length_valid(code, value.length);
	if (shows && type->kind == DHCP_KIND_DOMAINS)
		shows = format_domains(value, separator, &shown);
	else if (shows && takes[type->kind])
		shows = format_list(
			type->kind, reader_over(value.bytes, value.length), separator, &shown);
	else if (shows)
		shows = type->kind == DHCP_KIND_EMPTY;
	/* A text, or a domain, that would be read as bytes is shown as its bytes. */
	if (shows && !text_starts_with(text_view(&shown), "hex:"))
		text_append_bytes(text, text_view(&shown), shown.length);
	else
		format_hex(value, text);
	if (shown.failed)
		text->failed = true;
}
