#include "observe/pcapng.h"

#include <string.h>

enum pcapng_block {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum pcapng_option {
	OPTION_END = 0,
	OPTION_SECTION_SYSTEM = 3, /* shb_os */
	OPTION_SECTION_APPLICATION = 4, /* shb_userappl */
	OPTION_INTERFACE_NAME = 2,
	OPTION_INTERFACE_DESCRIPTION = 3,
	OPTION_INTERFACE_MAC = 6,
	OPTION_INTERFACE_RESOLUTION = 9,
	OPTION_STATISTICS_RECEIVED = 4,
	OPTION_STATISTICS_DROPPED = 7,
	OPTION_STATISTICS_DELIVERED = 8,
};

enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_ETHERNET = 1,
	RESOLUTION_NANOSECONDS = 9,
	OPTION_LENGTH_MAX = 1024, /* names here are far shorter */
};

static void write_le16(struct writer *writer, uint16_t value)
{
	write_u8(writer, (uint8_t)value);
	write_u8(writer, (uint8_t)(value >> 8));
}

static void write_le32(struct writer *writer, uint32_t value)
{
	write_le16(writer, (uint16_t)value);
	write_le16(writer, (uint16_t)(value >> 16));
}

static void write_le64(struct writer *writer, uint64_t value)
{
	write_le32(writer, (uint32_t)value);
	write_le32(writer, (uint32_t)(value >> 32));
}

static void write_padded(struct writer *writer, const void *bytes, size_t length)
{
	write_bytes(writer, bytes, length);
	write_zeros(writer, (4 - length % 4) % 4);
}

/* Returns where the block began, for block_end(). */
static size_t block_begin(struct writer *writer, enum pcapng_block type)
{
	size_t start = writer_used(writer);
	write_le32(writer, (uint32_t)type);
	write_le32(writer, 0);
	return start;
}

/* The length stands at both ends of a block. */
static void block_end(struct writer *writer, size_t start)
{
	size_t length = writer_used(writer) - start + 4;
	write_le32(writer, (uint32_t)length);
	if (writer->overflow)
		return;
	struct writer head = writer_over(writer->start + start + 4, 4);
	write_le32(&head, (uint32_t)length);
}

static void write_option(
	struct writer *writer, enum pcapng_option code, const void *value, size_t length)
{
	write_le16(writer, (uint16_t)code);
	write_le16(writer, (uint16_t)length);
	write_padded(writer, value, length);
}

static void write_text_option(struct writer *writer, enum pcapng_option code, const char *text)
{
	if (text)
		write_option(writer, code, text, strnlen(text, OPTION_LENGTH_MAX));
}

static void write_counter_option(struct writer *writer, enum pcapng_option code, uint64_t count)
{
	write_le16(writer, (uint16_t)code);
	write_le16(writer, sizeof(count));
	write_le64(writer, count);
}

/* The one field whose two halves stand high word first. */
static void write_time(struct writer *writer, uint64_t time_ns)
{
	write_le32(writer, (uint32_t)(time_ns >> 32));
	write_le32(writer, (uint32_t)time_ns);
}

void pcapng_write_section(struct writer *writer, const char *system, const char *application)
{
	size_t start = block_begin(writer, BLOCK_SECTION);
	write_le32(writer, BYTE_ORDER_MAGIC);
	write_le16(writer, 1); /* version 1.0 */
	write_le16(writer, 0);
	write_le64(writer, UINT64_MAX); /* length of the section: unknown while it is written */
	write_text_option(writer, OPTION_SECTION_SYSTEM, system);
	write_text_option(writer, OPTION_SECTION_APPLICATION, application);
	write_option(writer, OPTION_END, NULL, 0);
	block_end(writer, start);
}

void pcapng_write_interface(struct writer *writer, const struct pcapng_interface *interface)
{
	uint8_t resolution = RESOLUTION_NANOSECONDS;
	size_t start = block_begin(writer, BLOCK_INTERFACE);
	write_le16(writer, LINKTYPE_ETHERNET);
	write_le16(writer, 0);
	write_le32(writer, interface->snaplen);
	write_text_option(writer, OPTION_INTERFACE_NAME, interface->name);
	write_text_option(writer, OPTION_INTERFACE_DESCRIPTION, interface->description);
	write_option(
		writer, OPTION_INTERFACE_MAC, interface->mac.bytes, sizeof(interface->mac.bytes));
	write_option(writer, OPTION_INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	write_option(writer, OPTION_END, NULL, 0);
	block_end(writer, start);
}

void pcapng_write_packet(struct writer *writer, const struct pcapng_packet *packet)
{
	size_t start = block_begin(writer, BLOCK_PACKET);
	write_le32(writer, packet->interface);
	write_time(writer, packet->time_ns);
	write_le32(writer, packet->captured);
	write_le32(writer, packet->length);
	write_padded(writer, packet->bytes, packet->captured);
	block_end(writer, start);
}

void pcapng_write_statistics(struct writer *writer, const struct pcapng_statistics *statistics)
{
	size_t start = block_begin(writer, BLOCK_STATISTICS);
	write_le32(writer, statistics->interface);
	write_time(writer, statistics->time_ns);
	write_counter_option(writer, OPTION_STATISTICS_RECEIVED, statistics->received);
	write_counter_option(writer, OPTION_STATISTICS_DROPPED, statistics->dropped);
	write_counter_option(writer, OPTION_STATISTICS_DELIVERED, statistics->delivered);
	write_option(writer, OPTION_END, NULL, 0);
	block_end(writer, start);
}
