#include "dhcp/message.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "dhcp/option.h"

enum {
	OFFSET_HOPS = 3,
	OFFSET_GIADDR = 24,
	FLAG_BROADCAST = 0x8000,
	AREAS_MAX = 3,
};

/* Where options stand, in the order in which they are joined (RFC 2131 section 4.1). */
struct areas {
	struct reader list[AREAS_MAX];
	unsigned count;
};

/* How often and how long each option was seen, before any is placed. */
struct tally {
	uint16_t times[256];
	uint32_t length[256];
};

static struct ipv4 read_ipv4(struct reader *reader)
{
	return (struct ipv4){read_be32(reader)};
}

/* Whether all that is left is zero. */
static bool is_blank(struct reader reader)
{
	while (reader_left(&reader) > 0)
		if (read_u8(&reader) != 0)
			return false;
	return true;
}

static int header_parse(
	struct reader *reader, struct dhcp_header *header, struct areas *areas, struct error *error)
{
	header->op = read_u8(reader);
	header->chaddr.type = read_u8(reader);
	header->chaddr.length = read_u8(reader);
	header->hops = read_u8(reader);
	header->xid = read_be32(reader);
	header->secs = read_be16(reader);
	header->broadcast = (read_be16(reader) & FLAG_BROADCAST) != 0;
	header->ciaddr = read_ipv4(reader);
	header->yiaddr = read_ipv4(reader);
	header->siaddr = read_ipv4(reader);
	header->giaddr = read_ipv4(reader);
	read_bytes(reader, header->chaddr.bytes, DHCP_CHADDR_SIZE);
	struct reader sname = reader_sub(reader, DHCP_SNAME_SIZE);
	struct reader file = reader_sub(reader, DHCP_FILE_SIZE);
	uint32_t magic = read_be32(reader);
	if (reader->truncated)
		return error_set(error, -EBADMSG, "it is shorter than a DHCP header");
	if (header->op != DHCP_OP_REQUEST && header->op != DHCP_OP_REPLY)
		return error_set(
			error, -EBADMSG, "its op is %u, neither request nor reply", header->op);
	if (header->chaddr.length > DHCP_CHADDR_SIZE)
		return error_set(error, -EBADMSG, "its hlen is %u, over 16", header->chaddr.length);
	if (magic != DHCP_MAGIC && (magic != 0 || !is_blank(*reader)))
		return error_set(error, -EBADMSG, "its magic cookie is %08x", magic);
	/* What stands behind the address is no part of it; two equal clients must compare equal. */
	size_t behind = DHCP_CHADDR_SIZE - header->chaddr.length;
	memset(header->chaddr.bytes + header->chaddr.length, 0, behind);
	*areas = (struct areas){.list = {*reader, file, sname}, .count = 1};
	return 0;
}

static int area_tally(struct reader area, struct tally *tally, struct error *error)
{
	uint8_t code;
	struct reader value;
	while (dhcp_option_next(&area, &code, &value)) {
		tally->times[code]++;
		tally->length[code] += (uint32_t)reader_left(&value);
	}
	if (area.truncated)
		return error_set(error, -EBADMSG, "an option reaches beyond its end");
	return 0;
}

/* A field that holds a name: up to its NUL, or all of it. */
static void name_copy(struct reader field, char *name)
{
	size_t size = reader_left(&field);
	size_t length = strnlen((const char *)field.at, size);
	memcpy(name, field.at, length);
	memset(name + length, 0, size + 1 - length);
}

/*
 * Which fields hold options, and which names. The overload of the options field alone counts:
 * within `file` or `sname` it means nothing.
 */
static int areas_overload(struct areas *areas, struct dhcp_header *header, struct error *error)
{
	struct reader area = areas->list[0], value;
	struct reader file = areas->list[1], sname = areas->list[2];
	uint8_t code, overload = 0;
	while (dhcp_option_next(&area, &code, &value)) {
		if (code != DHCP_OPTION_OVERLOAD)
			continue;
		if (overload || reader_left(&value) != 1)
			return error_set(error, -EBADMSG, "its overload option is malformed");
		overload = read_u8(&value);
		if (overload < DHCP_OVERLOAD_FILE ||
			overload > (DHCP_OVERLOAD_FILE | DHCP_OVERLOAD_SNAME))
			return error_set(error, -EBADMSG, "its overload option is %u", overload);
	}
	header->file[0] = header->sname[0] = '\0';
	if (overload & DHCP_OVERLOAD_FILE)
		areas->list[areas->count++] = file;
	else
		name_copy(file, header->file);
	if (overload & DHCP_OVERLOAD_SNAME)
		areas->list[areas->count++] = sname;
	else
		name_copy(sname, header->sname);
	return 0;
}

/* Give every option that was seen its field; those seen more than once room in `joined`. */
static int fields_reserve(
	struct dhcp_message *message, const struct tally *tally, struct error *error)
{
	size_t used = 0;
	unsigned count = 0;
	for (unsigned code = 1; code < DHCP_OPTION_END; code++) {
		if (tally->times[code] == 0)
			continue;
		struct dhcp_field *field = &message->fields[count++];
		*field = (struct dhcp_field){0};
		message->field_of[code] = (uint8_t)count;
		if (tally->times[code] == 1)
			continue;
		if (tally->length[code] > sizeof(message->joined) - used)
			return error_set(error, -EBADMSG, "its split options are too long");
		field->bytes = message->joined + used;
		used += tally->length[code];
	}
	return 0;
}

static void area_place(struct reader area, struct dhcp_message *message)
{
	uint8_t code;
	struct reader value;
	while (dhcp_option_next(&area, &code, &value)) {
		struct dhcp_field *field = &message->fields[message->field_of[code] - 1];
		size_t length = reader_left(&value);
		if (!field->bytes)
			field->bytes = value.at;
		else if (length)
			memcpy(message->joined + (field->bytes - message->joined) + field->length,
				value.at, length);
		field->length = (uint16_t)(field->length + length);
	}
}

int dhcp_message_parse(
	const void *bytes, size_t length, struct dhcp_message *ret_message, struct error *error)
{
	struct dhcp_message *message = ret_message;
	struct reader reader = reader_over(bytes, length);
	struct areas areas;
	struct tally tally = {0};
	memset(message->field_of, 0, sizeof(message->field_of));
	int status = header_parse(&reader, &message->header, &areas, error);
	if (status == 0)
		status = areas_overload(&areas, &message->header, error);
	for (unsigned i = 0; status == 0 && i < areas.count; i++)
		status = area_tally(areas.list[i], &tally, error);
	if (status == 0)
		status = fields_reserve(message, &tally, error);
	if (status < 0)
		return status;
	for (unsigned i = 0; i < areas.count; i++)
		area_place(areas.list[i], message);

	uint8_t type = 0;
	switch (dhcp_message_u8(message, DHCP_OPTION_MESSAGE_TYPE, &type)) {
	case DHCP_PRESENT:
		message->type = type;
		return 0;
	case DHCP_ABSENT:
		message->type = 256u + message->header.op;
		return 0;
	case DHCP_MALFORMED:
		break;
	}
	return error_set(error, -EBADMSG, "its message type is malformed");
}

enum dhcp_answer dhcp_message_bytes(
	const struct dhcp_message *message, uint8_t code, struct dhcp_field *ret_value)
{
	unsigned index = message->field_of[code];
	if (index == 0)
		return DHCP_ABSENT;
	const struct dhcp_field *field = &message->fields[index - 1];
	if (!dhcp_option_length_valid(code, field->length))
		return DHCP_MALFORMED;
	*ret_value = *field;
	return DHCP_PRESENT;
}

/* A reader over at least `length` bytes of the option's value. */
static enum dhcp_answer message_read(
	const struct dhcp_message *message, uint8_t code, size_t length, struct reader *ret_reader)
{
	struct dhcp_field field;
	enum dhcp_answer answer = dhcp_message_bytes(message, code, &field);
	if (answer != DHCP_PRESENT)
		return answer;
	if (field.length < length)
		return DHCP_MALFORMED;
	*ret_reader = reader_over(field.bytes, field.length);
	return DHCP_PRESENT;
}

enum dhcp_answer dhcp_message_u8(
	const struct dhcp_message *message, uint8_t code, uint8_t *ret_value)
{
	struct reader reader;
	enum dhcp_answer answer = message_read(message, code, 1, &reader);
	if (answer == DHCP_PRESENT)
		*ret_value = read_u8(&reader);
	return answer;
}

enum dhcp_answer dhcp_message_u16(
	const struct dhcp_message *message, uint8_t code, uint16_t *ret_value)
{
	struct reader reader;
	enum dhcp_answer answer = message_read(message, code, 2, &reader);
	if (answer == DHCP_PRESENT)
		*ret_value = read_be16(&reader);
	return answer;
}

enum dhcp_answer dhcp_message_u32(
	const struct dhcp_message *message, uint8_t code, uint32_t *ret_value)
{
	struct reader reader;
	enum dhcp_answer answer = message_read(message, code, 4, &reader);
	if (answer == DHCP_PRESENT)
		*ret_value = read_be32(&reader);
	return answer;
}

enum dhcp_answer dhcp_message_address(
	const struct dhcp_message *message, uint8_t code, struct ipv4 *ret_address)
{
	return dhcp_message_u32(message, code, &ret_address->host);
}

void dhcp_message_set_relay(void *bytes, uint8_t hops, struct ipv4 giaddr)
{
	struct writer writer = writer_over((uint8_t *)bytes + OFFSET_HOPS, 1);
	write_u8(&writer, hops);
	writer = writer_over((uint8_t *)bytes + OFFSET_GIADDR, 4);
	write_be32(&writer, giaddr.host);
}
