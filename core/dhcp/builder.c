#include <string.h>

#include "base/cleanup.h"
#include "dhcp/message.h"

enum {
	FLAG_BROADCAST = 0x8000,
	PIECE_MAX = 255,
	OPTION_HEADER_SIZE = 2,
	OVERLOAD_SIZE = 3, /* of option 52, whole */
};

/* A name into its field, without its NUL where it fills it. */
static void write_name(struct writer *writer, const char *name, size_t size)
{
	size_t length = strnlen(name, size);
	write_bytes(writer, name, length);
	write_zeros(writer, size - length);
}

/* The writer over a field that may hold options; an empty one where it holds a name. */
static struct writer spare_area(uint8_t *field, size_t size, const char *name, bool may)
{
	return writer_over(field, may && name[0] == '\0' ? size - 1 : 0);
}

void dhcp_builder_init(struct dhcp_builder *builder, void *buffer, size_t size,
	const struct dhcp_header *header, unsigned type)
{
	*builder = (struct dhcp_builder){.options = writer_over(buffer, size - 1)};
	struct writer *writer = &builder->options;
	write_u8(writer, header->op);
	write_u8(writer, header->chaddr.type);
	write_u8(writer, header->chaddr.length);
	write_u8(writer, header->hops);
	write_be32(writer, header->xid);
	write_be16(writer, header->secs);
	write_be16(writer, header->broadcast ? FLAG_BROADCAST : 0);
	write_be32(writer, header->ciaddr.host);
	write_be32(writer, header->yiaddr.host);
	write_be32(writer, header->siaddr.host);
	write_be32(writer, header->giaddr.host);
	write_bytes(writer, header->chaddr.bytes, DHCP_CHADDR_SIZE);
	bool may_overload = type <= UINT8_MAX;
	builder->sname = spare_area(writer->at, DHCP_SNAME_SIZE, header->sname, may_overload);
	write_name(writer, header->sname, DHCP_SNAME_SIZE);
	builder->file = spare_area(writer->at, DHCP_FILE_SIZE, header->file, may_overload);
	write_name(writer, header->file, DHCP_FILE_SIZE);
	write_be32(writer, DHCP_MAGIC);
	if (writer_left(&builder->file) || writer_left(&builder->sname)) {
		builder->overload_kept = true;
		writer->end -= OVERLOAD_SIZE;
	}
	if (type <= UINT8_MAX)
		dhcp_builder_u8(builder, DHCP_OPTION_MESSAGE_TYPE, (uint8_t)type);
}

/* What `length` bytes of value take up, in pieces. */
static size_t wire_size(size_t length)
{
	size_t pieces = length ? (length + PIECE_MAX - 1) / PIECE_MAX : 1;
	return length + OPTION_HEADER_SIZE * pieces;
}

/* How many bytes of a value go into `room` bytes, in pieces. */
static size_t value_room(size_t room)
{
	size_t whole = room / (OPTION_HEADER_SIZE + PIECE_MAX);
	size_t rest = room % (OPTION_HEADER_SIZE + PIECE_MAX);
	return whole * PIECE_MAX + (rest > OPTION_HEADER_SIZE ? rest - OPTION_HEADER_SIZE : 0);
}

/* Write the value in pieces; the area has room for it. `at` may be NULL where it is empty. */
static void write_pieces(struct writer *area, uint8_t code, const uint8_t *at, size_t length)
{
	for (;;) {
		size_t piece = length < PIECE_MAX ? length : PIECE_MAX;
		write_u8(area, code);
		write_u8(area, (uint8_t)piece);
		write_bytes(area, at, piece);
		length -= piece;
		if (length == 0)
			return;
		at += piece;
	}
}

/* Keep room for option 82 at the end of the options field. */
static bool keep_relay_agent(struct dhcp_builder *builder, const void *bytes, size_t length)
{
	size_t size = wire_size(length);
	if (size > writer_left(&builder->options))
		return false;
	builder->options.end -= size;
	builder->relay_agent = (struct dhcp_field){bytes, (uint16_t)length};
	return true;
}

static bool append(struct dhcp_builder *builder, uint8_t code, const uint8_t *at, size_t length)
{
	/* The order in which a receiver joins them (RFC 2131 section 4.1). */
	struct writer *const areas[] = {&builder->options, &builder->file, &builder->sname};
	size_t room = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(areas); i++) {
		if (wire_size(length) <= writer_left(areas[i])) {
			write_pieces(areas[i], code, at, length);
			return true;
		}
		room += value_room(writer_left(areas[i]));
	}
	if (length <= PIECE_MAX || length > room)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(areas) && length > 0; i++) {
		size_t part = value_room(writer_left(areas[i]));
		if (part > length)
			part = length;
		if (part > 0)
			write_pieces(areas[i], code, at, part);
		at += part;
		length -= part;
	}
	return true;
}

void dhcp_builder_bytes(
	struct dhcp_builder *builder, uint8_t code, const void *bytes, size_t length)
{
	bool fits = code == DHCP_OPTION_RELAY_AGENT ? keep_relay_agent(builder, bytes, length)
						    : append(builder, code, bytes, length);
	if (!fits && !builder->omitted) {
		builder->omitted = true;
		builder->omitted_code = code;
	}
}

void dhcp_builder_u8(struct dhcp_builder *builder, uint8_t code, uint8_t value)
{
	dhcp_builder_bytes(builder, code, &value, sizeof(value));
}

void dhcp_builder_u16(struct dhcp_builder *builder, uint8_t code, uint16_t value)
{
	uint8_t bytes[2];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	write_be16(&writer, value);
	dhcp_builder_bytes(builder, code, bytes, sizeof(bytes));
}

void dhcp_builder_u32(struct dhcp_builder *builder, uint8_t code, uint32_t value)
{
	uint8_t bytes[4];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	write_be32(&writer, value);
	dhcp_builder_bytes(builder, code, bytes, sizeof(bytes));
}

void dhcp_builder_address(struct dhcp_builder *builder, uint8_t code, struct ipv4 address)
{
	dhcp_builder_u32(builder, code, address.host);
}

/* END behind what the area holds. Returns whether it holds anything. */
static bool end_area(struct writer *area)
{
	if (writer_used(area) == 0)
		return false;
	area->end++; /* the byte kept back for END */
	write_u8(area, DHCP_OPTION_END);
	return true;
}

size_t dhcp_builder_finish(struct dhcp_builder *builder)
{
	struct writer *options = &builder->options;
	const struct dhcp_field *relay_agent = &builder->relay_agent;
	uint8_t overload = 0;
	if (end_area(&builder->file))
		overload |= DHCP_OVERLOAD_FILE;
	if (end_area(&builder->sname))
		overload |= DHCP_OVERLOAD_SNAME;
	if (builder->overload_kept)
		options->end += OVERLOAD_SIZE;
	if (overload)
		write_pieces(options, DHCP_OPTION_OVERLOAD, &overload, sizeof(overload));
	if (relay_agent->bytes) {
		options->end += wire_size(relay_agent->length);
		write_pieces(
			options, DHCP_OPTION_RELAY_AGENT, relay_agent->bytes, relay_agent->length);
	}
	end_area(options);
	size_t used = writer_used(options);
	if (used < DHCP_MESSAGE_SIZE_MIN)
		write_zeros(options, DHCP_MESSAGE_SIZE_MIN - used);
	return writer_used(options);
}
