#include "dhcp/domain_list.h"

#include <stdio.h>
#include <string.h>

#include "base/reader.h"

enum {
	LABEL_MAX = 63,
	POINTER = 0xc0, /* the two bits that make a length byte one */
	POINTER_MOST = 0x3fff,
};

static bool is_plain(uint8_t byte)
{
	return byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\' && byte != ',';
}

/* Append a label to the text, which has room for any name. */
static void label_format(struct reader label, char *text, size_t *used)
{
	size_t size = DHCP_DOMAIN_TEXT_SIZE;
	if (*used)
		text[(*used)++] = '.';
	while (reader_left(&label) > 0) {
		uint8_t byte = read_u8(&label);
		if (is_plain(byte))
			text[(*used)++] = (char)byte;
		else if (byte == '.' || byte == '\\')
			*used += (size_t)snprintf(text + *used, size - *used, "\\%c", byte);
		else
			*used += (size_t)snprintf(text + *used, size - *used, "\\%03u", byte);
	}
	text[*used] = '\0';
}

/* Where the walk over one name's labels is; it goes backwards with each pointer. */
struct walk {
	struct reader at;
	size_t part; /* where the part of the name begins that is being read */
	const uint8_t *behind; /* behind the first pointer: there the next name begins */
};

static bool follow(const struct dhcp_field *list, struct walk *walk, uint8_t high)
{
	size_t target = (size_t)(high & ~POINTER) << 8 | read_u8(&walk->at);
	if (walk->at.truncated || target >= walk->part)
		return false;
	if (!walk->behind)
		walk->behind = walk->at.at;
	walk->part = target;
	walk->at = reader_over(list->bytes + target, list->length - target);
	return true;
}

enum dhcp_answer dhcp_domain_next(
	const struct dhcp_field *list, size_t *offset, char ret_name[static DHCP_DOMAIN_TEXT_SIZE])
{
	if (*offset >= list->length)
		return DHCP_ABSENT;
	struct walk walk = {
		.at = reader_over(list->bytes + *offset, list->length - *offset),
		.part = *offset,
	};
	char text[DHCP_DOMAIN_TEXT_SIZE];
	size_t used = 0, length = 1; /* the root's byte */
	for (;;) {
		uint8_t size = read_u8(&walk.at);
		if (walk.at.truncated)
			return DHCP_MALFORMED;
		if (size == 0)
			break;
		if ((size & POINTER) == POINTER) {
			if (!follow(list, &walk, size))
				return DHCP_MALFORMED;
			continue;
		}
		struct reader label = reader_sub(&walk.at, size);
		length += 1u + size;
		if (size > LABEL_MAX || label.truncated || length > DHCP_DOMAIN_NAME_MAX)
			return DHCP_MALFORMED;
		label_format(label, text, &used);
	}
	if (used == 0)
		return DHCP_MALFORMED;
	*offset = (size_t)((walk.behind ? walk.behind : walk.at.at) - list->bytes);
	memcpy(ret_name, text, used + 1);
	return DHCP_PRESENT;
}

/* The byte that `*text` begins with, which goes behind it; false for a bad escape. */
static bool unescape(const char **text, uint8_t *ret_byte)
{
	const char *at = *text;
	unsigned value = (uint8_t)*at++;
	if (value == '\\' && *at >= '0' && *at <= '9') {
		value = 0;
		for (int i = 0; i < 3; i++, at++) {
			if (*at < '0' || *at > '9')
				return false;
			value = value * 10 + (unsigned)(*at - '0');
		}
		if (value > UINT8_MAX)
			return false;
	} else if (value == '\\') {
		value = (uint8_t)*at;
		if (*at++ == '\0')
			return false;
	}
	*text = at;
	*ret_byte = (uint8_t)value;
	return true;
}

/* The name's labels, uncompressed, without the root's byte. */
static bool name_parse(const char *name, struct writer *wire)
{
	for (;;) {
		uint8_t *length = writer_take(wire, 1);
		if (!length)
			return false;
		uint8_t *label = wire->at, byte;
		while (*name && *name != '.') {
			if (!unescape(&name, &byte))
				return false;
			write_u8(wire, byte);
		}
		size_t size = (size_t)(wire->at - label);
		if (wire->overflow || size == 0 || size > LABEL_MAX)
			return false;
		*length = (uint8_t)size;
		if (*name == '\0' || *++name == '\0')
			return true;
	}
}

/* Whether the name at `offset` of the list is the one whose labels are `tail`. */
static bool name_is(const struct writer *list, size_t offset, struct reader tail)
{
	struct reader at = reader_over(list->start + offset, writer_used(list) - offset);
	for (;;) {
		uint8_t size = read_u8(&at);
		if ((size & POINTER) == POINTER) {
			size_t target = (size_t)(size & ~POINTER) << 8 | read_u8(&at);
			at = reader_over(list->start + target, writer_used(list) - target);
			continue;
		}
		if (size == 0)
			return reader_left(&tail) == 0;
		const uint8_t *label = reader_take(&at, size);
		if (reader_left(&tail) == 0 || read_u8(&tail) != size)
			return false;
		const uint8_t *wanted = reader_take(&tail, size);
		if (!label || !wanted || memcmp(label, wanted, size) != 0)
			return false;
	}
}

/* Where in the list a name stands whose labels are `tail`; SIZE_MAX where none does. */
static size_t name_find(const struct writer *list, struct reader tail)
{
	size_t used = writer_used(list), offset = 0;
	while (offset < used && offset <= POINTER_MOST) {
		uint8_t size = list->start[offset];
		if (size == 0)
			offset++;
		else if ((size & POINTER) == POINTER)
			offset += 2;
		else if (name_is(list, offset, tail))
			return offset;
		else
			offset += 1u + size;
	}
	return SIZE_MAX;
}

bool dhcp_domain_put(struct writer *list, const char *name)
{
	uint8_t labels[DHCP_DOMAIN_NAME_MAX - 1];
	struct writer wire = writer_over(labels, sizeof(labels));
	if (list->overflow || !name_parse(name, &wire))
		return false;
	struct reader tail = reader_over(labels, writer_used(&wire));
	size_t known = SIZE_MAX;
	while (reader_left(&tail) > 0 && (known = name_find(list, tail)) == SIZE_MAX)
		reader_take(&tail, read_u8(&tail));
	size_t head = writer_used(&wire) - reader_left(&tail);
	if (writer_left(list) < head + (known == SIZE_MAX ? 1 : 2))
		return false;
	write_bytes(list, labels, head);
	if (known == SIZE_MAX)
		write_u8(list, 0);
	else
		write_be16(list, (uint16_t)(POINTER << 8 | known));
	return true;
}
