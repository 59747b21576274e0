/* dhcp/: messages built to the last byte, read back, and never beyond their size. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "dhcp/domain_list.h"
#include "dhcp/message.h"
#include "dhcp/option.h"
#include "unit.h"

enum { OFFSET_SNAME = 44, OFFSET_FILE = 108, OFFSET_OPTIONS = 240 };

static const struct dhcp_header header = {
	.op = DHCP_OP_REPLY,
	.xid = 0xdeadbeef,
	.broadcast = true,
	.yiaddr = {0x0a000264},
	.chaddr = {.type = 1, .length = 6, .bytes = {2, 0, 0, 0, 0, 1}},
};

/* A buffer whose end is watched: what is behind `size` must stay as it was. */
struct built {
	uint8_t bytes[DHCP_MESSAGE_SIZE_MAX + 16];
	size_t size, length;
	struct dhcp_builder builder;
	struct dhcp_message message;
};

static void begin(struct built *built, size_t size, const struct dhcp_header *fields, unsigned type)
{
	memset(built->bytes, 0xa5, sizeof(built->bytes));
	built->size = size;
	dhcp_builder_init(&built->builder, built->bytes, size, fields, type);
}

static void finish(struct built *built)
{
	struct error error = {.text = ""};
	built->length = dhcp_builder_finish(&built->builder);
	EXPECT(built->length >= DHCP_MESSAGE_SIZE_MIN && built->length <= built->size,
		"%zu bytes of at most %zu", built->length, built->size);
	size_t untouched = built->size;
	while (untouched < sizeof(built->bytes) && built->bytes[untouched] == 0xa5)
		untouched++;
	EXPECT_NUMBER(untouched, sizeof(built->bytes));
	int status = dhcp_message_parse(built->bytes, built->length, &built->message, &error);
	EXPECT(status == 0, "what we build is malformed: %s", error.text);
}

static uint8_t *pattern(size_t length)
{
	static uint8_t bytes[2048];
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	return bytes;
}

static void expect_option(struct built *built, uint8_t code, size_t length)
{
	struct dhcp_field field = {0};
	EXPECT(dhcp_message_bytes(&built->message, code, &field) == DHCP_PRESENT,
		"option %u is missing", code);
	EXPECT(field.length == length && memcmp(field.bytes, pattern(length), length) == 0,
		"option %u has other bytes than the %zu", code, length);
}

/* Where the area's END stands, counted from its beginning; the area's size where it has none. */
static size_t end_of(const uint8_t *area, size_t size)
{
	size_t at = 0;
	while (at < size && area[at] != DHCP_OPTION_END)
		at += area[at] == DHCP_OPTION_PAD ? 1 : 2u + area[at + 1];
	return at;
}

static void test_fields(void)
{
	struct built built;
	struct dhcp_header named = header;
	snprintf(named.sname, sizeof(named.sname), "boot.example");
	memset(named.file, 'f', DHCP_FILE_SIZE); /* to its last byte */
	begin(&built, DHCP_MESSAGE_SIZE_MIN, &named, DHCPACK);
	dhcp_builder_u32(&built.builder, DHCP_OPTION_LEASE_TIME, 3600);
	finish(&built);
	EXPECT_NUMBER(built.length, DHCP_MESSAGE_SIZE_MIN);
	EXPECT_NUMBER(built.message.header.xid, 0xdeadbeef);
	EXPECT(memcmp(&built.message.header, &named, sizeof(named)) == 0, "another header");
	EXPECT_NUMBER(built.message.type, DHCPACK);
	uint32_t seconds = 0;
	EXPECT_NUMBER(
		dhcp_message_u32(&built.message, DHCP_OPTION_LEASE_TIME, &seconds), DHCP_PRESENT);
	EXPECT_NUMBER(seconds, 3600);
}

/* One option of each length, in messages of several sizes, with and without spare fields. */
static void test_one_option(void)
{
	static const size_t sizes[] = {300, 301, 548, 554, 555, 556, 812, 1472};
	struct dhcp_header named = header;
	snprintf(named.sname, sizeof(named.sname), "s");
	snprintf(named.file, sizeof(named.file), "f");
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		for (size_t length = 0; length < 1300; length++) {
			/* What is left behind the message type, without END. */
			size_t room = sizes[i] - OFFSET_OPTIONS - 3 - 1;
			size_t pieces = length ? (length + 254) / 255 : 1;
			struct built built;
			begin(&built, sizes[i], &named, DHCPACK);
			dhcp_builder_bytes(&built.builder, 224, pattern(length), length);
			finish(&built);
			EXPECT(built.builder.omitted == (length + 2 * pieces > room),
				"%zu bytes in %zu: omitted %d", length, sizes[i],
				built.builder.omitted);
			if (!built.builder.omitted)
				expect_option(&built, 224, length);
			else
				EXPECT_NUMBER(built.builder.omitted_code, 224);

			begin(&built, sizes[i], &header, DHCPACK);
			dhcp_builder_bytes(&built.builder, 224, pattern(length), length);
			finish(&built);
			/* Up to 126 bytes find room in `file` where there is none elsewhere. */
			if (length <= 125)
				EXPECT(!built.builder.omitted, "%zu bytes", length);
			if (!built.builder.omitted)
				expect_option(&built, 224, length);
			EXPECT((built.message.field_of[224] != 0) == !built.builder.omitted,
				"an option left out is left out whole");
		}
	}
}

static void test_overload(void)
{
	/* 300 bytes: 240 + 3 + END + 3 kept for option 52, so 53 are left in the options field. */
	struct built built;
	struct dhcp_field field = {0};
	begin(&built, DHCP_MESSAGE_SIZE_MIN, &header, DHCPOFFER);
	dhcp_builder_bytes(&built.builder, 224, pattern(51), 51); /* fills it */
	dhcp_builder_bytes(&built.builder, 225, pattern(125), 125); /* fills `file` */
	dhcp_builder_bytes(&built.builder, 226, pattern(61), 61); /* fills `sname` */
	EXPECT(!built.builder.omitted, "all of it fits");
	dhcp_builder_bytes(&built.builder, 227, NULL, 0);
	EXPECT(built.builder.omitted && built.builder.omitted_code == 227, "and no byte more");
	finish(&built);
	EXPECT_NUMBER(built.length, DHCP_MESSAGE_SIZE_MIN);
	expect_option(&built, 224, 51);
	expect_option(&built, 225, 125);
	expect_option(&built, 226, 61);
	uint8_t overload = 0;
	EXPECT_NUMBER(
		dhcp_message_u8(&built.message, DHCP_OPTION_OVERLOAD, &overload), DHCP_PRESENT);
	EXPECT_NUMBER(overload, 3);
	EXPECT_NUMBER(built.bytes[OFFSET_FILE + DHCP_FILE_SIZE - 1], DHCP_OPTION_END);
	EXPECT_NUMBER(built.bytes[OFFSET_SNAME + DHCP_SNAME_SIZE - 1], DHCP_OPTION_END);
	EXPECT_NUMBER(built.bytes[DHCP_MESSAGE_SIZE_MIN - 1], DHCP_OPTION_END);

	/* A field that holds a name is left alone; behind what stands in the other come pads. */
	struct dhcp_header named = header;
	snprintf(named.file, sizeof(named.file), "pxelinux.0");
	begin(&built, DHCP_MESSAGE_SIZE_MIN, &named, DHCPOFFER);
	dhcp_builder_bytes(&built.builder, 224, pattern(51), 51);
	dhcp_builder_bytes(&built.builder, 225, pattern(10), 10);
	dhcp_builder_bytes(&built.builder, 226, pattern(62), 62);
	EXPECT(built.builder.omitted && built.builder.omitted_code == 226, "no room in `sname`");
	finish(&built);
	EXPECT_NUMBER(
		dhcp_message_u8(&built.message, DHCP_OPTION_OVERLOAD, &overload), DHCP_PRESENT);
	EXPECT_NUMBER(overload, DHCP_OVERLOAD_SNAME);
	EXPECT_TEXT(built.message.header.file, "pxelinux.0");
	EXPECT_TEXT(built.message.header.sname, "");
	expect_option(&built, 225, 10);
	EXPECT_NUMBER(end_of(built.bytes + OFFSET_SNAME, DHCP_SNAME_SIZE), 12);
	for (size_t i = 13; i < DHCP_SNAME_SIZE; i++)
		EXPECT_NUMBER(built.bytes[OFFSET_SNAME + i], DHCP_OPTION_PAD);

	/* Nothing is overloaded that need not be, and never in BOOTP. */
	begin(&built, DHCP_MESSAGE_SIZE_MIN, &header, DHCPOFFER);
	dhcp_builder_bytes(&built.builder, 224, pattern(51), 51);
	finish(&built);
	EXPECT_NUMBER(
		dhcp_message_bytes(&built.message, DHCP_OPTION_OVERLOAD, &field), DHCP_ABSENT);
	begin(&built, DHCP_MESSAGE_SIZE_MIN, &header, DHCP_BOOTREPLY);
	dhcp_builder_bytes(&built.builder, 224, pattern(57), 57); /* 240 + 2 + 57 + END */
	EXPECT(!built.builder.omitted, "BOOTP's vendor area, filled");
	dhcp_builder_bytes(&built.builder, 225, pattern(1), 1);
	EXPECT(built.builder.omitted, "BOOTP has no overload");
	finish(&built);
	EXPECT_NUMBER(built.message.type, DHCP_BOOTREPLY);
	expect_option(&built, 224, 57);
}

/* A long option goes on in the next areas, in the order in which they are joined. */
static void test_long_over_areas(void)
{
	size_t most = 0;
	for (size_t length = 256; length < 700; length++) {
		struct built built;
		begin(&built, 548, &header, DHCPACK);
		dhcp_builder_bytes(&built.builder, 224, pattern(length), length);
		bool omitted = built.builder.omitted;
		dhcp_builder_u8(&built.builder, DHCP_OPTION_RAPID_COMMIT, 0);
		finish(&built);
		if (omitted)
			continue;
		expect_option(&built, 224, length);
		EXPECT(most == length - 1 || most == 0, "%zu bytes do not fit, but %zu do", most,
			length);
		most = length;
	}
	/* 548 - 240 - 3 - END - 3: 301 bytes, so 297 of value; 125 in `file`, 61 in `sname`. */
	EXPECT_NUMBER(most, 297 + 125 + 61);
}

static void test_relay_agent(void)
{
	/* Whatever comes before or after: option 82 is the last one, in the options field. */
	for (size_t length = 0; length <= 255; length++) {
		for (int early = 0; early < 2; early++) {
			struct built built;
			begin(&built, 548, &header, DHCPACK);
			if (early)
				dhcp_builder_bytes(&built.builder, DHCP_OPTION_RELAY_AGENT,
					pattern(length), length);
			for (uint8_t code = 224; code < 234; code++)
				dhcp_builder_bytes(&built.builder, code, pattern(40), 40);
			if (!early)
				dhcp_builder_bytes(&built.builder, DHCP_OPTION_RELAY_AGENT,
					pattern(length), length);
			finish(&built);
			if (!early && length > 5) {
				EXPECT(built.builder.omitted, "%zu bytes came too late", length);
				continue;
			}
			expect_option(&built, DHCP_OPTION_RELAY_AGENT, length);
			const uint8_t *options = built.bytes + OFFSET_OPTIONS;
			size_t end = end_of(options, built.length - OFFSET_OPTIONS);
			EXPECT(options[end - length - 2] == DHCP_OPTION_RELAY_AGENT,
				"%zu bytes of option 82 are not the last", length);
			EXPECT(end_of(built.bytes + OFFSET_FILE, DHCP_FILE_SIZE) < DHCP_FILE_SIZE,
				"END in `file`");
		}
	}
	struct built built;
	begin(&built, DHCP_MESSAGE_SIZE_MIN, &header, DHCPACK);
	dhcp_builder_bytes(&built.builder, DHCP_OPTION_RELAY_AGENT, pattern(52), 52);
	EXPECT(built.builder.omitted && built.builder.omitted_code == DHCP_OPTION_RELAY_AGENT,
		"option 82 does not go to `file`");
	finish(&built);
	begin(&built, DHCP_MESSAGE_SIZE_MAX, &header, DHCPACK);
	dhcp_builder_bytes(&built.builder, DHCP_OPTION_RELAY_AGENT, pattern(700), 700);
	finish(&built);
	expect_option(&built, DHCP_OPTION_RELAY_AGENT, 700); /* split by a relay, echoed so */
}

/* Pointers of a search list count over its pieces, wherever those stand (RFC 3397 section 2). */
static void test_domains_over_areas(void)
{
	enum { NAMES = 28 };
	uint8_t list[600];
	char name[DHCP_DOMAIN_TEXT_SIZE], expected[32];
	struct writer writer = writer_over(list, sizeof(list));
	for (int i = 0; i < NAMES; i++) {
		snprintf(expected, sizeof(expected), "department-%02d.example", i);
		EXPECT(dhcp_domain_put(&writer, expected), "%s", expected);
	}
	for (size_t size = 548; size <= 900; size += 352) { /* over all areas, in the first alone */
		struct built built;
		struct dhcp_field field = {0};
		begin(&built, size, &header, DHCPACK);
		if (size == 548)
			dhcp_builder_bytes(&built.builder, 224, pattern(20), 20);
		dhcp_builder_bytes(
			&built.builder, DHCP_OPTION_DOMAIN_SEARCH, list, writer_used(&writer));
		EXPECT(!built.builder.omitted, "%zu bytes of names", writer_used(&writer));
		finish(&built);
		EXPECT_NUMBER(dhcp_message_bytes(&built.message, DHCP_OPTION_DOMAIN_SEARCH, &field),
			DHCP_PRESENT);
		size_t offset = 0;
		int count = 0;
		while (dhcp_domain_next(&field, &offset, name) == DHCP_PRESENT) {
			snprintf(expected, sizeof(expected), "department-%02d.example", count++);
			EXPECT_TEXT(name, expected);
		}
		EXPECT_NUMBER(count, NAMES);
		uint8_t overload = 0;
		dhcp_message_u8(&built.message, DHCP_OPTION_OVERLOAD, &overload);
		EXPECT_NUMBER(overload, size == 548 ? 3 : 0);
	}
}

/* Messages of chance: whatever is appended, what is read is what was not left out. */
static void test_random(void)
{
	unsigned seed = 1;
	for (int round = 0; round < 3000; round++) {
		struct built built;
		struct dhcp_header fields = header;
		size_t lengths[256];
		bool there[256] = {false};
		seed = seed * 1103515245u + 12345u;
		if (seed & 0x10000)
			snprintf(fields.file, sizeof(fields.file), "file");
		if (seed & 0x20000)
			snprintf(fields.sname, sizeof(fields.sname), "sname");
		begin(&built, 300 + (seed >> 8) % 1173, &fields, DHCPACK);
		for (int i = 0; i < 12; i++) {
			seed = seed * 1103515245u + 12345u;
			uint8_t code = (uint8_t)(176 + (seed >> 16) % 32) /* opaque ones */;
			size_t length = (seed >> 8) % 8 ? (seed >> 12) % 80 : (seed >> 12) % 900;
			if (i == 3)
				code = DHCP_OPTION_RELAY_AGENT;
			if (there[code])
				continue;
			bool before = built.builder.omitted;
			built.builder.omitted = false;
			dhcp_builder_bytes(&built.builder, code, pattern(length), length);
			there[code] = !built.builder.omitted;
			lengths[code] = length;
			built.builder.omitted |= before;
		}
		finish(&built);
		for (unsigned code = 54; code < 255; code++) {
			if (there[code])
				expect_option(&built, (uint8_t)code, lengths[code]);
			else
				EXPECT(built.message.field_of[code] == 0, "option %u", code);
		}
		EXPECT_TEXT(built.message.header.file, fields.file);
		EXPECT_TEXT(built.message.header.sname, fields.sname);
	}
}

int main(void)
{
	test_fields();
	test_one_option();
	test_overload();
	test_long_over_areas();
	test_relay_agent();
	test_domains_over_areas();
	test_random();
	return unit_finish();
}
