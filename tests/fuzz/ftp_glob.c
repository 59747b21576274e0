/*
 * Names by pattern. Input: the pattern, a NUL, the name.
 *
 * Beside the matcher stands another, slow and plain: the pattern as a list of what each of its
 * elements takes, and whether the first n of them can take the first m bytes, for every n and m.
 */
#include "fuzz.h"

#include "ftp/glob.h"

enum { TEXT_MOST = 255 };

struct taken {
	bool many; /* '*' */
	bool bytes[256];
};

static struct {
	char pattern[2 * TEXT_MOST + 3], name[TEXT_MOST + 1];
	struct taken elements[TEXT_MOST];
	bool reached[TEXT_MOST + 1][TEXT_MOST + 1]; /* by so many elements: so many bytes */
} world;

/* The byte at *at, or the one behind a backslash; *at is moved behind it. */
static unsigned char plain_byte(const char *text, size_t *at)
{
	if (text[*at] == '\\' && text[*at + 1] != '\0')
		++*at;
	return (unsigned char)text[(*at)++];
}

/* The set behind a '[' at *at, which is moved behind the ']'; false where none is. */
static bool read_set(const char *pattern, size_t *at, struct taken *ret_taken)
{
	struct taken listed = {.many = false};
	size_t next = *at + 1;
	bool others = pattern[next] == '!' || pattern[next] == '^';
	size_t first = next += others;
	for (; pattern[next] != ']' || next == first;) {
		if (pattern[next] == '\0')
			return false;
		unsigned from = plain_byte(pattern, &next), to = from;
		if (pattern[next] == '-' && pattern[next + 1] != ']' && pattern[next + 1] != '\0') {
			next++;
			to = plain_byte(pattern, &next);
		}
		for (unsigned byte = from; byte <= to; byte++)
			listed.bytes[byte] = true;
	}
	for (unsigned byte = 0; byte < 256; byte++)
		ret_taken->bytes[byte] = listed.bytes[byte] != others;
	*at = next + 1;
	return true;
}

static size_t read_pattern(const char *pattern)
{
	size_t count = 0;
	for (size_t at = 0; pattern[at];) {
		struct taken *taken = &world.elements[count++];
		HOLDS(count <= TEXT_MOST);
		memset(taken, 0, sizeof(*taken));
		if (pattern[at] == '[' && read_set(pattern, &at, taken))
			continue;
		taken->many = pattern[at] == '*';
		if (taken->many || pattern[at] == '?') {
			memset(taken->bytes, true, sizeof(taken->bytes));
			at++;
		} else {
			taken->bytes[plain_byte(pattern, &at)] = true;
		}
	}
	return count;
}

static bool slow_match(const char *pattern, const char *name)
{
	size_t elements = read_pattern(pattern), bytes = strlen(name);
	for (size_t m = 0; m <= bytes; m++)
		world.reached[0][m] = m == 0;
	for (size_t n = 1; n <= elements; n++) {
		const struct taken *taken = &world.elements[n - 1];
		for (size_t m = 0; m <= bytes; m++) {
			bool one = m > 0 && taken->bytes[(unsigned char)name[m - 1]];
			bool before = one && world.reached[n - 1][m - 1];
			bool star = taken->many &&
				    (world.reached[n - 1][m] || (m > 0 && world.reached[n][m - 1]));
			world.reached[n][m] = before || star;
		}
	}
	return world.reached[elements][bytes];
}

/* Every byte behind a backslash means itself, whatever it is. */
static void check_escaped(const char *name, const char *other)
{
	char *at = world.pattern;
	for (const char *from = name; *from; from++) {
		*at++ = '\\';
		*at++ = *from;
	}
	*at = '\0';
	HOLDS(ftp_glob_match(world.pattern, name));
	HOLDS(ftp_glob_match(world.pattern, other) == (strcmp(name, other) == 0));
	memcpy(at, "*", 2);
	HOLDS(ftp_glob_match(world.pattern, other) == (strncmp(name, other, strlen(name)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const uint8_t *end = length ? memchr(bytes, '\0', length) : NULL;
	size_t pattern_length = end ? (size_t)(end - bytes) : length;
	size_t name_length = end ? strnlen((const char *)end + 1, length - pattern_length - 1) : 0;
	char pattern[TEXT_MOST + 1];
	if (pattern_length > TEXT_MOST || name_length > TEXT_MOST)
		return 0;
	memcpy(pattern, bytes, pattern_length);
	pattern[pattern_length] = '\0';
	if (name_length)
		memcpy(world.name, end + 1, name_length);
	world.name[name_length] = '\0';

	bool taken = ftp_glob_match(pattern, world.name);
	TRACE("%s: %s: %d", pattern, world.name, taken);
	HOLDS(taken == slow_match(pattern, world.name));
	if (!ftp_glob_is(pattern) && !strchr(pattern, '\\'))
		HOLDS(taken == (strcmp(pattern, world.name) == 0));
	check_escaped(world.name, pattern);
	check_escaped(pattern, world.name);
	return 0;
}
