/*
 * TYPE A, both ways. Input: a byte (in pieces of how many bytes everything is handed in, 0 all at
 * once), a place (2 bytes), and bytes, which are taken for a file and then for what came over the
 * wire.
 *
 * A file comes back as it was, however the pieces fall; what SIZE says is what RETR sends; and at
 * the place that REST names the rest that is sent is the end of the whole.
 */
#include "fuzz.h"

#include "base/reader.h"
#include "ftp/ascii.h"

enum { BYTES_MOST = 1000, GUARD = 0x5a };

static struct {
	size_t piece;
	char wire[2 * BYTES_MOST + 1], back[2 * BYTES_MOST + 1];
} world;

static size_t piece_of(size_t left)
{
	return world.piece == 0 || world.piece > left ? left : world.piece;
}

/* `length` bytes are at `out`, and nothing behind the room for `most` was touched. */
#define WRITTEN_WITHIN(out, length, most)                                                          \
	do {                                                                                       \
		HOLDS((length) <= (most));                                                         \
		HOLDS((out)[most] == GUARD);                                                       \
	} while (0)

static size_t encode(const char *in, size_t length, char *out)
{
	char piece[2 * BYTES_MOST + 1];
	size_t used = 0, size;
	for (size_t at = 0; at < length; at += size) {
		size = piece_of(length - at);
		piece[2 * size] = GUARD;
		size_t got = ftp_ascii_encode(in + at, size, piece);
		WRITTEN_WITHIN(piece, got, 2 * size);
		memcpy(out + used, piece, got);
		used += got;
	}
	return used;
}

/* held_cr: as where a received file goes on in the middle of a line's end. */
static size_t decode(const char *in, size_t length, bool held_cr, char *out)
{
	struct ftp_ascii_decoder decoder = {.held_cr = held_cr};
	char piece[2 * BYTES_MOST + 2];
	size_t used = 0, size;
	for (size_t at = 0; at < length; at += size) {
		size = piece_of(length - at);
		piece[size + 1] = GUARD;
		size_t got = ftp_ascii_decode(&decoder, in + at, size, piece);
		WRITTEN_WITHIN(piece, got, size + 1);
		memcpy(out + used, piece, got);
		used += got;
	}
	HOLDS(decoder.held_cr == (length > 0 ? in[length - 1] == '\r' : held_cr));
	used += ftp_ascii_decode_end(&decoder, out + used);
	HOLDS(ftp_ascii_decode_end(&decoder, out + used) == 0);
	return used;
}

/* How far so many bytes of the wire reach; what was not used of them is left in *wire_bytes. */
static size_t cover(const char *in, size_t length, uint64_t *wire_bytes)
{
	size_t covered = 0, size;
	for (; *wire_bytes > 0 && covered < length; covered += size) {
		size = piece_of(length - covered);
		size_t got = ftp_ascii_cover(in + covered, size, wire_bytes);
		HOLDS(got <= size);
		if (got < size)
			return covered + got;
	}
	return covered;
}

/* As the server does for REST, whose place may lie between a CR and its LF. */
static void check_place(const char *file, size_t length, size_t wire_length, size_t place)
{
	uint64_t left = place;
	char rest[2 * BYTES_MOST];
	size_t covered = cover(file, length, &left);
	HOLDS(covered <= length);
	if (place > wire_length) {
		HOLDS(covered == length && left == place - wire_length);
		return;
	}
	HOLDS(left == 0 || (left == 1 && file[covered] == '\n' && world.wire[place] == '\n'));
	HOLDS(left == (place > 0 && world.wire[place - 1] == '\r' && place < wire_length &&
			      world.wire[place] == '\n'));
	size_t sent = encode(file + covered, length - covered, rest);
	HOLDS(sent - left == wire_length - place);
	HOLDS(memcmp(rest + left, world.wire + place, wire_length - place) == 0);
	/* STOR: what is there up to the place, and behind it what comes, make the file. */
	size_t came = decode(world.wire + place, wire_length - place, left == 1, world.back);
	HOLDS(covered + came == length);
	HOLDS(came == 0 || memcmp(world.back, file + covered, came) == 0);
}

static void check_file(const char *file, size_t length, size_t place)
{
	size_t wire_length = encode(file, length, world.wire);
	for (size_t i = 0; i < wire_length; i++)
		HOLDS(world.wire[i] != '\n' || (i > 0 && world.wire[i - 1] == '\r'));
	HOLDS(decode(world.wire, wire_length, false, world.back) == length);
	HOLDS(length == 0 || memcmp(world.back, file, length) == 0);
	uint64_t left = UINT64_MAX;
	HOLDS(cover(file, length, &left) == length && UINT64_MAX - left == wire_length);
	check_place(file, length, wire_length, place);
	check_place(file, length, wire_length, wire_length);
	check_place(file, length, wire_length, place % (wire_length + 1));
}

/* Only CR LF is changed: no byte else comes, goes or moves. */
static void check_wire(const char *wire, size_t length)
{
	size_t used = decode(wire, length, false, world.back), at = 0;
	for (size_t i = 0; i < length; i++)
		if (wire[i] != '\r' || i + 1 == length || wire[i + 1] != '\n')
			HOLDS(at < used && world.back[at++] == wire[i]);
	HOLDS(at == used);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	world.piece = read_u8(&input);
	size_t place = read_be16(&input), left = reader_left(&input);
	if (left > BYTES_MOST)
		return 0;
	/* A copy of the very size, so that a byte beyond it is seen. */
	char *content = malloc(left ? left : 1);
	HOLDS(content);
	read_bytes(&input, content, left);
	check_file(content, left, place);
	check_wire(content, left);
	free(content);
	return 0;
}
