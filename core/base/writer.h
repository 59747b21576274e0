/*
 * A bounded cursor over bytes to be sent: the counterpart of reader.h. Writing past the end writes
 * nothing and sets `overflow`, which stays set: write a whole message, test once.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct writer {
	uint8_t *start, *at, *end;
	bool overflow;
};

static inline struct writer writer_over(void *bytes, size_t size)
{
	uint8_t *start = bytes;
	return (struct writer){.start = start, .at = start, .end = start + size};
}

static inline size_t writer_used(const struct writer *writer)
{
	return (size_t)(writer->at - writer->start);
}

static inline size_t writer_left(const struct writer *writer)
{
	return (size_t)(writer->end - writer->at);
}

/*
 * Room for `length` bytes that the caller fills at once; NULL, and overflow, where there is none.
 */
static inline uint8_t *writer_take(struct writer *writer, size_t length)
{
	if (writer->overflow || writer_left(writer) < length) {
		writer->overflow = true;
		return NULL;
	}
	uint8_t *taken = writer->at;
	writer->at += length;
	return taken;
}

static inline void write_u8(struct writer *writer, uint8_t value)
{
	uint8_t *at = writer_take(writer, 1);
	if (at)
		at[0] = value;
}

static inline void write_be16(struct writer *writer, uint16_t value)
{
	uint8_t *at = writer_take(writer, 2);
	if (!at)
		return;
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void write_be32(struct writer *writer, uint32_t value)
{
	uint8_t *at = writer_take(writer, 4);
	if (!at)
		return;
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static inline void write_bytes(struct writer *writer, const void *bytes, size_t length)
{
	uint8_t *at = writer_take(writer, length);
	if (at && length)
		memcpy(at, bytes, length);
}

static inline void write_zeros(struct writer *writer, size_t length)
{
	uint8_t *at = writer_take(writer, length);
	if (at && length)
		memset(at, 0, length);
}

#endif
