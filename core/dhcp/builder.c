#include "base/cleanup.h"
#include "dhcp/message.h"

enum { FLAG_BROADCAST = 0x8000, PIECE_MAX = 255 };

void dhcp_builder_init(struct dhcp_builder *builder, void *buffer, size_t size,
	const struct dhcp_header *header, unsigned type)
{
	builder->writer = writer_over(buffer, size - 1);
	builder->omitted = false;
	struct writer *writer = &builder->writer;
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
	write_zeros(writer, DHCP_SNAME_SIZE + DHCP_FILE_SIZE);
	write_be32(writer, DHCP_MAGIC);
	if (type <= UINT8_MAX)
		dhcp_builder_u8(builder, DHCP_OPTION_MESSAGE_TYPE, (uint8_t)type);
}

void dhcp_builder_bytes(
	struct dhcp_builder *builder, uint8_t code, const void *bytes, size_t length)
{
	size_t pieces = length ? (length + PIECE_MAX - 1) / PIECE_MAX : 1;
	if (length + 2 * pieces > writer_left(&builder->writer)) {
		builder->omitted = true;
		return;
	}
	const uint8_t *at = bytes;
	do {
		size_t piece = length < PIECE_MAX ? length : PIECE_MAX;
		write_u8(&builder->writer, code);
		write_u8(&builder->writer, (uint8_t)piece);
		write_bytes(&builder->writer, at, piece);
		at += piece;
		length -= piece;
	} while (length > 0);
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

size_t dhcp_builder_finish(struct dhcp_builder *builder)
{
	builder->writer.end++; /* the byte kept back for END */
	write_u8(&builder->writer, DHCP_OPTION_END);
	size_t used = writer_used(&builder->writer);
	if (used < DHCP_MESSAGE_SIZE_MIN)
		write_zeros(&builder->writer, DHCP_MESSAGE_SIZE_MIN - used);
	return writer_used(&builder->writer);
}
