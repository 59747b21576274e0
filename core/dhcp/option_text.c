#include "dhcp/option_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "dhcp/classless_route.h"
#include "dhcp/domain_list.h"
#include "dhcp/option.h"

enum { ELEMENT_SIZE = DHCP_DOMAIN_TEXT_SIZE }; /* the longest element of a list, and NUL */

int dhcp_option_text_code(const char *name, uint8_t *ret_code, struct error *error)
{
	uint64_t number;
	const char *names[256];
	size_t count = 0;
	if (text_parse_number(name, 1, DHCP_OPTION_END - 1, &number)) {
		*ret_code = (uint8_t)number;
		return 0;
	}
	for (unsigned code = 0; code < DHCP_OPTION_END; code++) {
		const struct dhcp_option_type *type = dhcp_option_type((uint8_t)code);
		if (!type)
			continue;
		if (strcmp(type->name, name) == 0) {
			*ret_code = (uint8_t)code;
			return 0;
		}
		names[count++] = type->name;
	}
	const char *nearest = text_nearest(name, names, count);
	if (nearest)
		return error_set(
			error, -EINVAL, "no option is called '%s'; nearest: %s", name, nearest);
	return error_set(error, -EINVAL,
		"no option is called '%s'; a number from 1 to 254 will do as well", name);
}

char *dhcp_option_text_name(uint8_t code, char text[static DHCP_OPTION_NAME_SIZE])
{
	const struct dhcp_option_type *type = dhcp_option_type(code);
	if (type)
		snprintf(text, DHCP_OPTION_NAME_SIZE, "%s", type->name);
	else
		snprintf(text, DHCP_OPTION_NAME_SIZE, "%u", code);
	return text;
}

/* Each reads one element of a value; false where it is none. */

static bool put_flag(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	bool yes = strcmp(text, "yes") == 0;
	write_u8(value, yes);
	return yes || strcmp(text, "no") == 0;
}

static bool put_address(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	struct ipv4 address;
	if (!ipv4_parse(text, &address))
		return false;
	write_be32(value, address.host);
	return true;
}

static bool put_pair(const char *text, uint64_t least, struct writer *value)
{
	char first[ELEMENT_SIZE];
	size_t length = strcspn(text, "=");
	if (text[length] == '\0')
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)length, text);
	return put_address(first, least, value) && put_address(text + length + 1, least, value);
}

static bool put_route(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	char destination[ELEMENT_SIZE];
	struct dhcp_route route;
	size_t length = strcspn(text, "=");
	snprintf(destination, sizeof(destination), "%.*s", (int)length, text);
	if (text[length] == '\0' || !prefix_parse(destination, &route.destination) ||
		!ipv4_parse(text + length + 1, &route.router))
		return false;
	/* Bits that would get lost are a slip: the writer meant another prefix. */
	if (!ipv4_equal(prefix_network(route.destination), route.destination.address))
		return false;
	dhcp_route_put(value, &route);
	return true;
}

static bool put_u8(const char *text, uint64_t least, struct writer *value)
{
	uint64_t number;
	if (!text_parse_number(text, least, UINT8_MAX, &number))
		return false;
	write_u8(value, (uint8_t)number);
	return true;
}

static bool put_u16(const char *text, uint64_t least, struct writer *value)
{
	uint64_t number;
	if (!text_parse_number(text, least, UINT16_MAX, &number))
		return false;
	write_be16(value, (uint16_t)number);
	return true;
}

static bool put_u32(const char *text, uint64_t least, struct writer *value)
{
	uint64_t number;
	if (!text_parse_number(text, least, UINT32_MAX, &number))
		return false;
	write_be32(value, (uint32_t)number);
	return true;
}

static bool put_i32(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	bool minus = text[0] == '-';
	uint64_t number;
	if (!text_parse_number(text + minus, 0, (uint64_t)INT32_MAX + minus, &number))
		return false;
	write_be32(value, minus ? 0 - (uint32_t)number : (uint32_t)number);
	return true;
}

static bool put_seconds(const char *text, uint64_t least, struct writer *value)
{
	if (strcmp(text, "infinite") != 0)
		return put_u32(text, least, value);
	write_be32(value, DHCP_LEASE_INFINITE);
	return true;
}

static bool put_text(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	write_bytes(value, text, strlen(text));
	return true;
}

static bool put_bytes(const char *text, uint64_t least, struct writer *value)
{
	static const char mark[] = "text:";
	return text_starts_with(text, mark) && put_text(text + strlen(mark), least, value);
}

static bool put_code(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	uint8_t code = 0;
	int status = dhcp_option_text_code(text, &code, NULL);
	write_u8(value, code);
	return status == 0;
}

static bool put_domain(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	if (dhcp_domain_put(value, text))
		return true;
	/* It is a name, but for the room: let the caller see which of the two it was. */
	uint8_t alone[DHCP_DOMAIN_NAME_MAX];
	struct writer writer = writer_over(alone, sizeof(alone));
	value->overflow = dhcp_domain_put(&writer, text);
	return value->overflow;
}

static bool put_nothing(const char *text, uint64_t least, struct writer *value)
{
	(void)least;
	(void)value;
	return text[0] == '\0';
}

static const struct {
	bool (*put)(const char *text, uint64_t least, struct writer *value);
	bool list;
	const char *takes; /* %u is the least number */
} forms[DHCP_KINDS] = {
	[DHCP_KIND_BYTES] = {put_bytes, false, "hex:0a0b0c or text:..."},
	[DHCP_KIND_EMPTY] = {put_nothing, false, "no value"},
	[DHCP_KIND_FLAG] = {put_flag, false, "yes or no"},
	[DHCP_KIND_ADDRESS] = {put_address, false, "an IPv4 address"},
	[DHCP_KIND_ADDRESSES] = {put_address, true, "IPv4 addresses with commas between"},
	[DHCP_KIND_ADDRESS_PAIRS] = {put_pair, true, "pairs ADDRESS=ADDRESS with commas between"},
	[DHCP_KIND_U8] = {put_u8, false, "a number from %u to 255"},
	[DHCP_KIND_U16] = {put_u16, false, "a number from %u to 65535"},
	[DHCP_KIND_U16_LIST] = {put_u16, true, "numbers from %u to 65535 with commas between"},
	[DHCP_KIND_U32] = {put_u32, false, "a number from %u to 4294967295"},
	[DHCP_KIND_I32] = {put_i32, false, "a number from -2147483648 to 2147483647"},
	[DHCP_KIND_SECONDS] = {put_seconds, false, "seconds, or 'infinite'"},
	[DHCP_KIND_TEXT] = {put_text, false, "text"},
	[DHCP_KIND_CODES] = {put_code, true, "names or numbers of options with commas between"},
	[DHCP_KIND_DOMAINS] = {put_domain, true, "domain names with commas between"},
	[DHCP_KIND_ROUTES] = {put_route, true,
		"routes like 10.0.0.0/8=10.0.2.1 with commas between"},
};

static bool put_list(uint8_t code, const char *text, struct writer *value)
{
	const struct dhcp_option_type *type = dhcp_option_type(code);
	for (;;) {
		char element[ELEMENT_SIZE];
		size_t length = strcspn(text, ",");
		if (length >= sizeof(element))
			return false;
		snprintf(element, sizeof(element), "%.*s", (int)length, text);
		if (!forms[type->kind].put(element, type->least, value))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit ? strchr(digits, digit) : NULL;
	return at ? (int)(at - digits) % 16 : -1;
}

static bool put_hex(const char *text, struct writer *value)
{
	while (*text) {
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		write_u8(value, (uint8_t)(high << 4 | low));
		text += 2;
		if (text[0] == ':' && text[1])
			text++;
	}
	return true;
}

/* What the option takes, with the numbers that go for it. */
static void describe(const struct dhcp_option_type *type, char *takes, size_t size)
{
	const char *form = forms[type ? type->kind : DHCP_KIND_BYTES].takes;
	const char *number = strstr(form, "%u");
	int length = number ? (int)(number - form) : 0;
	if (number)
		snprintf(takes, size, "%.*s%u%s", length, form, type->least, number + 2);
	else if (type && type->kind == DHCP_KIND_BYTES && type->minimum > 1)
		snprintf(takes, size, "%s of %s%u bytes", form,
			type->maximum == type->minimum ? "" : "at least ", type->minimum);
	else
		snprintf(takes, size, "%s", form);
}

/* What is wrong with a value: what its option takes, and what it was given. */
static int fault(uint8_t code, const char *text, struct error *error)
{
	char takes[96];
	describe(dhcp_option_type(code), takes, sizeof(takes));
	return error_set(error, -EINVAL, "option %s (%u) takes %s, not '%.200s'",
		DHCP_OPTION_NAME(code), code, takes, text);
}

int dhcp_option_text_parse(
	uint8_t code, const char *text, struct writer *value, struct error *error)
{
	static const char hex[] = "hex:";
	const struct dhcp_option_type *type = dhcp_option_type(code);
	enum dhcp_option_kind kind = type ? type->kind : DHCP_KIND_BYTES;
	size_t before = writer_used(value);
	bool understood;
	if (text_starts_with(text, hex))
		understood = put_hex(text + strlen(hex), value);
	else if (forms[kind].list)
		understood = put_list(code, text, value);
	else
		understood = forms[kind].put(text, type ? type->least : 0, value);
	if (understood && value->overflow)
		return error_set(error, -E2BIG, "the value of option %s (%u) is too long",
			DHCP_OPTION_NAME(code), code);
	if (!understood || !dhcp_option_length_valid(code, writer_used(value) - before))
		return fault(code, text, error);
	return 0;
}

int dhcp_option_text_assign(
	struct dhcp_option_list *options, const char *assignment, struct error *error)
{
	uint8_t code, bytes[DHCP_OPTION_VALUE_MAX];
	struct writer value = writer_over(bytes, sizeof(bytes));
	size_t length = strcspn(assignment, "=");
	CLEANUP(free_pointer) char *name = strndup(assignment, length);
	if (!name)
		return error_set(error, -ENOMEM, "out of memory");
	int status = dhcp_option_text_code(name, &code, error);
	if (status < 0)
		return status;
	status = dhcp_option_text_parse(
		code, assignment + length + (assignment[length] == '='), &value, error);
	if (status < 0)
		return status;
	if (!dhcp_option_list_set(options, code, bytes, writer_used(&value)))
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}
