/*
 * A bounded cursor over received bytes. Wire (big-endian) order exists only here and in writer.h.
 * Reading past the end gives zero and sets `truncated`, which stays set: read a whole header, test
 * once.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *at, *end;
	bool truncated;
};

static inline struct reader reader_over(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	return (struct reader){.at = at, .end = length ? at + length : at};
}

static inline size_t reader_left(const struct reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* `length` bytes and the cursor behind them; NULL, and truncated, where fewer are left. */
static inline const uint8_t *reader_take(struct reader *reader, size_t length)
{
	if (reader_left(reader) < length) {
		reader->truncated = true;
		reader->at = reader->end;
		return NULL;
	}
	const uint8_t *taken = reader->at;
	reader->at += length;
	return taken;
}

static inline uint8_t read_u8(struct reader *reader)
{
	const uint8_t *at = reader_take(reader, 1);
	return at ? at[0] : 0;
}

static inline uint16_t read_be16(struct reader *reader)
{
	const uint8_t *at = reader_take(reader, 2);
	if (!at)
		return 0;
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t read_be32(struct reader *reader)
{
	const uint8_t *at = reader_take(reader, 4);
	return at ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
		  : 0;
}

/* Copies exactly `length` bytes to `ret`; zeroes it where fewer are left. */
static inline void read_bytes(struct reader *reader, void *ret, size_t length)
{
	const uint8_t *at = reader_take(reader, length);
	if (at)
		memcpy(ret, at, length);
	else
		memset(ret, 0, length);
}

/* A reader over the next `length` bytes; an empty, truncated one where fewer are left. */
static inline struct reader reader_sub(struct reader *reader, size_t length)
{
	const uint8_t *at = reader_take(reader, length);
	struct reader sub = reader_over(at, at ? length : 0);
	sub.truncated = !at;
	return sub;
}

#endif
