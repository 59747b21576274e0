/* base/: addresses, text, cursors, arrays, patience. */
#include <errno.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/error.h"
#include "base/log.h"
#include "base/reader.h"
#include "base/text.h"
#include "base/writer.h"
#include "unit.h"

static void test_endpoints(void)
{
	static const struct {
		const char *text, *endpoint; /* NULL: refused */
	} endpoints[] = {
		{"192.0.2.1", "192.0.2.1:0"},
		{"192.0.2.1:20001", "192.0.2.1:20001"},
		{":20001", "0.0.0.0:20001"},
		{"[2001:db8::1]:20001", "[2001:db8::1]:20001"},
		{"[::]", "[::]:0"},
		{"192.0.2.1:65535", "192.0.2.1:65535"},
		{"192.0.2.1:0", NULL},
		{"192.0.2.1:65536", NULL},
		{"192.0.2.1:", NULL},
		{"192.0.2.1:21x", NULL},
		{"192.0.2:21", NULL},
		{"2001:db8::1", NULL},
		{"[2001:db8::1", NULL},
		{"[2001:db8::1]21", NULL},
		{"[192.0.2.1]:21", NULL},
		{"[]:21", NULL},
		{"localhost:21", NULL},
		{":", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(endpoints); i++) {
		struct endpoint seen;
		struct sockaddr_storage address;
		bool good = endpoint_parse(endpoints[i].text, 0, &seen);
		EXPECT(good == (endpoints[i].endpoint != NULL), "'%s'", endpoints[i].text);
		if (!good)
			continue;
		EXPECT_TEXT(ENDPOINT_TEXT(&seen), endpoints[i].endpoint);
		struct endpoint back;
		endpoint_to_sockaddr(&seen, &address);
		EXPECT(endpoint_from_sockaddr(&address, &back), "'%s'", endpoints[i].text);
		EXPECT_TEXT(ENDPOINT_TEXT(&back), endpoints[i].endpoint);
		EXPECT(endpoint_same_host(&seen, &back), "'%s'", endpoints[i].text);
	}
	struct endpoint mapped, plain;
	struct sockaddr_storage address;
	EXPECT(endpoint_parse("[::ffff:192.0.2.1]", 21, &mapped), "an IPv4 address within IPv6");
	endpoint_to_sockaddr(&mapped, &address);
	EXPECT(endpoint_from_sockaddr(&address, &mapped), "a mapped address");
	EXPECT(endpoint_parse("192.0.2.1", 21, &plain) && endpoint_same_host(&mapped, &plain),
		"it is %s", ENDPOINT_TEXT(&mapped));
	EXPECT(endpoint_parse(":1", 0, &plain) && endpoint_is_any(&plain), "any");
	EXPECT(!endpoint_is_any(&mapped), "not any");
	address.ss_family = AF_UNIX;
	EXPECT(!endpoint_from_sockaddr(&address, &plain), "no address of the internet");
}

static void test_addresses(void)
{
	static const struct {
		const char *text;
		bool valid;
		uint32_t host;
	} addresses[] = {
		{"10.0.1.10", true, 0x0a00010a},
		{"255.255.255.255", true, 0xffffffff},
		{"0.0.0.0", true, 0},
		{"10.0.1", false, 0},
		{"10.0.1.10.", false, 0},
		{"10.0.1.256", false, 0},
		{"10.0.01.1", false, 0},
		{"10.0.1.10 ", false, 0},
		{"", false, 0},
		{"-1.0.0.0", false, 0},
		{"4294967297.0.0.0", false, 0},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
		struct ipv4 seen = {0};
		EXPECT(ipv4_parse(addresses[i].text, &seen) == addresses[i].valid, "'%s'",
			addresses[i].text);
		EXPECT_NUMBER(seen.host, addresses[i].host);
	}

	struct prefix prefix;
	EXPECT(prefix_parse("10.0.2.7/24", &prefix), "prefix");
	EXPECT_TEXT(PREFIX_TEXT(prefix), "10.0.2.7/24");
	EXPECT_TEXT(IPV4_TEXT(prefix_network(prefix)), "10.0.2.0");
	EXPECT_TEXT(IPV4_TEXT(prefix_broadcast(prefix)), "10.0.2.255");
	EXPECT(!prefix_parse("10.0.2.7/33", &prefix), "a length over 32");
	EXPECT(!prefix_parse("10.0.2.7", &prefix), "no length");
	EXPECT(!prefix_parse("10.0.2.7/", &prefix), "an empty length");
	EXPECT_NUMBER(prefix_mask(0), 0);
	EXPECT_NUMBER(prefix_mask(32), 0xffffffff);
	unsigned length = 99;
	EXPECT(prefix_length_of_mask(0xffffff00, &length) && length == 24, "length %u", length);
	EXPECT(!prefix_length_of_mask(0xff00ff00, &length), "a mask with a hole");

	struct ipv4 first, last;
	EXPECT(ipv4_range_parse("10.0.2.100-10.0.2.119", &first, &last), "range");
	EXPECT_NUMBER(last.host - first.host, 19);
	EXPECT(!ipv4_range_parse("10.0.2.119-10.0.2.100", &first, &last),
		"a range that runs backwards");

	struct mac mac;
	EXPECT(mac_parse("02:00:5E:00:00:ff", &mac), "mac");
	EXPECT_TEXT(MAC_TEXT(mac), "02:00:5e:00:00:ff");
	EXPECT(!mac_parse("02:00:5e:00:00", &mac), "five bytes");
	EXPECT(!mac_parse("02:00:5e:00:00:ff:01", &mac), "seven bytes");
	EXPECT(!mac_parse("", &mac), "no byte");
}

static void test_words(void)
{
	static const struct {
		const char *text, *joined; /* words with | between; NULL: refused */
	} lines[] = {
		{"ftp-server --root files", "ftp-server|--root|files"},
		{"  a\tb\n", "a|b"},
		{"sh -c 'echo \"a b\"; exit 3'", "sh|-c|echo \"a b\"; exit 3"},
		{"a\\ b \"c d\"e ''", "a b|c de|"},
		{"say 'it", NULL},
		{"", NULL},
		{" ", NULL},
		{"a $HOME *", "a|$HOME|*"},
		{"a\\", "a\\"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
		struct words words = {0};
		struct error error;
		CLEANUP(text_finish) struct text joined = {0};
		int status = text_split_words(lines[i].text, &words, &error);
		EXPECT((status == 0) == (lines[i].joined != NULL), "'%s': %d", lines[i].text,
			status);
		for (size_t j = 0; j < words.count; j++)
			text_append(&joined, "%s%s", j ? "|" : "", words.list[j]);
		if (status == 0) {
			EXPECT_TEXT(text_view(&joined), lines[i].joined);
			EXPECT(words.list[words.count] == NULL, "not NULL-terminated");
		}
		free(words.list);
	}
}

static void test_text(void)
{
	static const char *const keys[] = {"name", "topology", "scenarios", "run", "s1", "a"};
	static const struct {
		const char *word, *nearest; /* NULL: nothing is near to it */
	} slips[] = {{"scenario", "scenarios"}, {"toplogy", "topology"}, {"rnu", "run"},
		{"topolgoy", "topology"}, {"s2", "s1"}, {"anme", "name"}, {"a", "a"}, {"b", NULL},
		{"zzzzzzzz", NULL}, {"x1", "s1"}, {"xy", NULL}, {"", NULL}};
	for (size_t i = 0; i < ARRAY_LENGTH(slips); i++) {
		const char *nearest = text_nearest(slips[i].word, keys, ARRAY_LENGTH(keys));
		EXPECT_TEXT(nearest ? nearest : "", slips[i].nearest ? slips[i].nearest : "");
	}

	uint64_t value = 7;
	EXPECT(text_parse_number("65535", 0, 65535, &value) && value == 65535, "65535");
	EXPECT(!text_parse_number("65536", 0, 65535, &value), "over the maximum");
	EXPECT(!text_parse_number("99999999999999999999999", 0, UINT64_MAX, &value), "overflow");
	EXPECT(!text_parse_number("", 0, 1, &value) && !text_parse_number("1x", 0, 9, &value),
		"no number");
	EXPECT(text_parse_seconds("2", &value) && value == 2000000000, "2 s");
	EXPECT(text_parse_seconds("0.25", &value) && value == 250000000, "0.25 s");
	EXPECT(!text_parse_seconds("1.", &value) && !text_parse_seconds("-1", &value),
		"no seconds");

	EXPECT(text_is_utf8("", 0) && text_is_utf8("a\n\xc3\xa4\xf0\x9f\x98\x80", 8), "is UTF-8");
	EXPECT(!text_is_utf8("a\xff", 2) && !text_is_utf8("\xc3", 1) &&
			!text_is_utf8("\xc0\xaf", 2) && !text_is_utf8("\xed\xa0\x80", 3),
		"is none: a wrong byte, cut off, too long a form, a surrogate");
	CLEANUP(free_pointer) char *clean = text_sanitize("a\xff\x01\xc3\xa4\n", 6);
	EXPECT_TEXT(clean, "a\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\n");
	/* U+009B begins a terminal's commands as ESC [ does. */
	CLEANUP(free_pointer)
	char *tame = text_sanitize("\xc2\x9b"
				   "2J\xc2\xa0",
		6);
	EXPECT_TEXT(tame, "\xef\xbf\xbd"
			  "2J\xc2\xa0");
	char quoted[16];
	EXPECT_TEXT(log_quote("a\r\n", 3, quoted, sizeof(quoted)), "a\\x0d\\x0a");
	EXPECT_TEXT(
		log_quote("aaaaaaaaaaaaaaaaaaaaaaaa", 24, quoted, sizeof(quoted)), "aaaaaaaaa...");
}

static void test_cursors(void)
{
	uint8_t bytes[8];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	write_u8(&writer, 1);
	write_be16(&writer, 0x0203);
	write_be32(&writer, 0x04050607);
	EXPECT(!writer.overflow && writer_used(&writer) == 7, "used %zu", writer_used(&writer));
	write_be16(&writer, 9);
	EXPECT(writer.overflow && writer_used(&writer) == 7, "a full writer writes nothing");
	write_u8(&writer, 9);
	EXPECT(writer_used(&writer) == 7, "overflow stays");

	struct reader reader = reader_over(bytes, 7);
	EXPECT_NUMBER(read_u8(&reader), 1);
	struct reader sub = reader_sub(&reader, 2);
	EXPECT_NUMBER(read_be16(&sub), 0x0203);
	EXPECT_NUMBER(read_be32(&reader), 0x04050607);
	EXPECT(!reader.truncated, "all was there");
	EXPECT_NUMBER(read_be16(&reader), 0);
	EXPECT(reader.truncated, "nothing was left");
}

static void test_errors_and_arrays(void)
{
	struct error error;
	EXPECT_NUMBER(error_system(&error, -ENOENT, "cannot open '%s'", "x"), -ENOENT);
	EXPECT_NUMBER(error_prefix(&error, "link %s: ", "a-b"), -ENOENT);
	EXPECT_TEXT(error.text, "link a-b: cannot open 'x': No such file or directory");
	EXPECT_NUMBER(error_set(NULL, -EINVAL, "nobody asks"), -EINVAL);

	CLEANUP(free_pointer) int *numbers = NULL;
	size_t count = 0;
	for (int i = 0; i < 100; i++)
		*array_add(&numbers, &count) = i;
	EXPECT_NUMBER(count, 100);
	for (int i = 0; i < 100; i++)
		EXPECT_NUMBER(numbers[i], i);
}

static void test_patience(void)
{
	static const struct {
		const char *told;
		unsigned scale;
	} tells[] = {{"60", 60}, {"1.5", 2}, {"1", 1}, {"0.1", 1}, {"-5", 1}, {"", 1}, {"fast", 1},
		{"1e300", 10000}, {"inf", 10000}, {"nan", 1}};
	unsetenv("SIM_TIME_SCALE");
	EXPECT_NUMBER(clock_scale(), 1);
	for (size_t i = 0; i < ARRAY_LENGTH(tells); i++) {
		setenv("SIM_TIME_SCALE", tells[i].told, 1);
		EXPECT_NUMBER(clock_scale(), tells[i].scale);
	}
	unsetenv("SIM_TIME_SCALE");
}

int main(void)
{
	test_endpoints();
	test_addresses();
	test_words();
	test_text();
	test_cursors();
	test_errors_and_arrays();
	test_patience();
	return unit_finish();
}
