/* dhcp/: messages and frames against hand-made, captured and malformed bytes. */
#include <errno.h>

#include "base/cleanup.h"
#include "dhcp/frame.h"
#include "dhcp/message.h"
#include "dhcp/option.h"
#include "hex.h"
#include "unit.h"

enum { BUFFER_SIZE = 4096 };

struct bytes {
	uint8_t at[BUFFER_SIZE];
	size_t length;
};

static void add_hex(struct bytes *bytes, const char *hex)
{
	bytes->length += from_hex(hex, bytes->at + bytes->length);
}

static void add_times(struct bytes *bytes, uint8_t value, size_t count)
{
	memset(bytes->at + bytes->length, value, count);
	bytes->length += count;
}

/* A DISCOVER's fixed fields; sname and file as given, zero-filled; cookie; then the options. */
static void make_message(
	struct bytes *bytes, const char *sname, const char *file, const char *options)
{
	bytes->length = 0;
	add_hex(bytes, "0101060011223344000780000000000000000000000000000a000201"
		       "02000000000a00000000000000000000");
	size_t mark = bytes->length;
	add_hex(bytes, sname);
	add_times(bytes, 0, mark + DHCP_SNAME_SIZE - bytes->length);
	mark = bytes->length;
	add_hex(bytes, file);
	add_times(bytes, 0, mark + DHCP_FILE_SIZE - bytes->length);
	add_hex(bytes, "63825363");
	add_hex(bytes, options);
}

static void test_header(void)
{
	struct bytes bytes;
	struct dhcp_message message;
	struct error error;
	make_message(&bytes, "", "", "350101ff");
	EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
	EXPECT_NUMBER(message.header.op, DHCP_OP_REQUEST);
	EXPECT_NUMBER(message.header.xid, 0x11223344);
	EXPECT_NUMBER(message.header.secs, 7);
	EXPECT(message.header.broadcast, "the broadcast flag is set");
	EXPECT_TEXT(IPV4_TEXT(message.header.giaddr), "10.0.2.1");
	EXPECT_TEXT(DHCP_HARDWARE_TEXT(&message.header.chaddr), "02:00:00:00:00:0a");
	EXPECT_NUMBER(message.type, DHCPDISCOVER);
	dhcp_message_set_relay(bytes.at, 3, (struct ipv4){0x0a000301});
	EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
	EXPECT_NUMBER(message.header.hops, 3);
	EXPECT_TEXT(IPV4_TEXT(message.header.giaddr), "10.0.3.1");
}

static void test_options(void)
{
	static const struct {
		const char *what, *sname, *file, *options;
		uint8_t code;
		enum dhcp_answer answer;
		const char *value; /* in hexadecimal */
	} cases[] = {
		{"absent", "", "", "350101ff", 50, DHCP_ABSENT, ""},
		{"present", "", "", "35010332040a000264ff", 50, DHCP_PRESENT, "0a000264"},
		{"too short", "", "", "35010332030a0002ff", 50, DHCP_MALFORMED, ""},
		{"too long", "", "", "35010332050a00026400ff", 50, DHCP_MALFORMED, ""},
		{"zero length", "", "", "3501033200ff", 50, DHCP_MALFORMED, ""},
		{"twice is joined, and too long", "", "", "35010332040a00026432040a000265ff", 50,
			DHCP_MALFORMED, ""},
		{"addresses, not a multiple", "", "", "35010303050a00020100ff", 3, DHCP_MALFORMED,
			""},
		{"several addresses", "", "", "35010303080a0002010a000202ff", 3, DHCP_PRESENT,
			"0a0002010a000202"},
		{"unknown, empty", "", "", "350101e000ff", 224, DHCP_PRESENT, ""},
		{"split", "", "", "3d0201023501013d020304ff", 61, DHCP_PRESENT, "01020304"},
		{"split in three, one empty", "", "", "3d0201023501013d003d0103ff", 61,
			DHCP_PRESENT, "010203"},
		{"pads between", "", "", "0000350101000032040a000264000000ff", 50, DHCP_PRESENT,
			"0a000264"},
		{"without END", "", "", "35010132040a000264", 50, DHCP_PRESENT, "0a000264"},
		{"behind END", "", "", "350101ff32040a000264", 50, DHCP_ABSENT, ""},
		{"in file, no overload", "", "32040a000264ff", "350101ff", 50, DHCP_ABSENT, ""},
		{"in file", "", "32040a000264ff", "350101340101ff", 50, DHCP_PRESENT, "0a000264"},
		{"in sname", "32040a000264ff", "", "350101340102ff", 50, DHCP_PRESENT, "0a000264"},
		{"split over all three, file first", "3d020506ff", "3d020304ff",
			"3501013d020102340103ff", 61, DHCP_PRESENT, "010203040506"},
		{"message type in file", "", "350103ff", "340101ff", 53, DHCP_PRESENT, "03"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct bytes bytes, value = {.length = 0};
		struct dhcp_message message;
		struct dhcp_field field = {0};
		struct error error = {.text = ""};
		make_message(&bytes, cases[i].sname, cases[i].file, cases[i].options);
		add_hex(&value, cases[i].value);
		int status = dhcp_message_parse(bytes.at, bytes.length, &message, &error);
		EXPECT(status == 0, "%s: %s", cases[i].what, error.text);
		if (status < 0)
			continue;
		enum dhcp_answer answer = dhcp_message_bytes(&message, cases[i].code, &field);
		EXPECT(answer == cases[i].answer, "%s: answer %d", cases[i].what, answer);
		if (answer == DHCP_PRESENT)
			EXPECT(field.length == value.length &&
					(field.length == 0 ||
						memcmp(field.bytes, value.at, value.length) == 0),
				"%s: another value", cases[i].what);
	}
}

static void test_malformed(void)
{
	static const struct {
		const char *sname, *options, *reason;
	} cases[] = {
		{"", "3501", "an option reaches beyond its end"},
		{"", "35", "an option reaches beyond its end"},
		{"", "35010132ff0a000264ff", "an option reaches beyond its end"},
		{"", "35020103ff", "its message type is malformed"},
		{"", "3500ff", "its message type is malformed"},
		{"", "350101350103ff", "its message type is malformed"},
		{"", "350101340104ff", "its overload option is 4"},
		{"", "350101340100ff", "its overload option is 0"},
		{"", "35010134020103ff", "its overload option is malformed"},
		{"", "350101340101340101ff", "its overload option is malformed"},
		{"32ff", "350101340102ff", "an option reaches beyond its end"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct bytes bytes;
		struct dhcp_message message;
		struct error error = {.text = ""};
		make_message(&bytes, cases[i].sname, "", cases[i].options);
		int status = dhcp_message_parse(bytes.at, bytes.length, &message, &error);
		EXPECT(status == -EBADMSG, "'%s': %d", cases[i].options, status);
		EXPECT_TEXT(error.text, cases[i].reason);
	}

	struct bytes bytes;
	struct dhcp_message message;
	struct error error;
	make_message(&bytes, "", "", "350101ff");
	for (size_t length = 0; length < DHCP_HEADER_SIZE + 4; length++)
		EXPECT(dhcp_message_parse(bytes.at, length, &message, &error) < 0,
			"%zu bytes are no message", length);
	static const struct {
		size_t offset;
		uint8_t value;
	} faults[] = {{0, 0}, {0, 3}, {2, 17}, {2, 255}, {DHCP_HEADER_SIZE, 0x62}};
	for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
		make_message(&bytes, "", "", "350101ff");
		bytes.at[faults[i].offset] = faults[i].value;
		EXPECT(dhcp_message_parse(bytes.at, bytes.length, &message, &error) < 0,
			"byte %zu is %u", faults[i].offset, faults[i].value);
	}
	make_message(&bytes, "", "", "ff");
	bytes.at[2] = 0;
	EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
	EXPECT_TEXT(DHCP_HARDWARE_TEXT(&message.header.chaddr), "-");
	EXPECT_TEXT(dhcp_message_type_name(message.type), "BOOTREQUEST");
	bytes.at[0] = DHCP_OP_REPLY;
	EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
	EXPECT_TEXT(dhcp_message_type_name(message.type), "BOOTREPLY");

	/* Split options that no message of ours could hold: refused, not overrun. */
	make_message(&bytes, "", "", "350101");
	for (int i = 0; i < 12; i++) {
		add_hex(&bytes, "e0ff");
		add_times(&bytes, 'x', 255);
	}
	EXPECT(dhcp_message_parse(bytes.at, bytes.length, &message, &error) < 0, "12 x 255 bytes");
}

/* The names' fields hold names, options, or nothing (RFC 951, option 52). */
static void test_names(void)
{
	static const struct {
		const char *sname, *file, *options, *seen_sname, *seen_file;
	} cases[] = {
		{"", "", "350101ff", "", ""},
		{"6161", "62", "350101ff", "aa", "b"},
		{"6161", "620063", "ff", "aa", "b"}, /* up to the NUL */
		{"6161", "320400000000ff", "350101340101ff", "aa", ""},
		{"320400000000ff", "62", "350101340102ff", "", "b"},
		{"ff", "ff", "350101340103ff", "", ""},
	};
	struct bytes bytes;
	struct dhcp_message message;
	struct error error = {.text = ""};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		make_message(&bytes, cases[i].sname, cases[i].file, cases[i].options);
		int status = dhcp_message_parse(bytes.at, bytes.length, &message, &error);
		EXPECT(status == 0, "%s: %s", cases[i].options, error.text);
		EXPECT_TEXT(message.header.sname, cases[i].seen_sname);
		EXPECT_TEXT(message.header.file, cases[i].seen_file);
	}
	/* Both to the last byte, without a NUL. */
	make_message(&bytes, "", "", "350101ff");
	memset(bytes.at + 44, 's', DHCP_SNAME_SIZE);
	memset(bytes.at + 44 + DHCP_SNAME_SIZE, 'f', DHCP_FILE_SIZE);
	EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
	EXPECT_NUMBER(strspn(message.header.sname, "s"), DHCP_SNAME_SIZE);
	EXPECT_NUMBER(strlen(message.header.sname), DHCP_SNAME_SIZE);
	EXPECT_NUMBER(strspn(message.header.file, "f"), DHCP_FILE_SIZE);
	EXPECT_NUMBER(strlen(message.header.file), DHCP_FILE_SIZE);
}

/* BOOTP of before the magic cookie: a vendor area of zeros, of any length from the cookie's on. */
static void test_without_cookie(void)
{
	struct bytes bytes;
	struct dhcp_message message;
	struct dhcp_field field;
	struct error error = {.text = ""};
	for (size_t vendor = 0; vendor <= 64; vendor++) {
		make_message(&bytes, "", "626f6f74", "");
		bytes.length = DHCP_HEADER_SIZE;
		add_times(&bytes, 0, vendor);
		int status = dhcp_message_parse(bytes.at, bytes.length, &message, &error);
		EXPECT(status == (vendor < 4 ? -EBADMSG : 0), "%zu zeros: %d", vendor, status);
		if (status < 0)
			continue;
		EXPECT_NUMBER(message.type, DHCP_BOOTREQUEST);
		EXPECT_TEXT(message.header.file, "boot");
		for (unsigned code = 0; code < 256; code++)
			EXPECT(dhcp_message_bytes(&message, (uint8_t)code, &field) == DHCP_ABSENT,
				"option %u of nothing", code);
		/* One bit anywhere, and it is no vendor area of RFC 951. */
		for (size_t at = DHCP_HEADER_SIZE; at < bytes.length; at++) {
			bytes.at[at] = 1;
			EXPECT(dhcp_message_parse(bytes.at, bytes.length, &message, &error) < 0,
				"byte %zu is not zero", at);
			bytes.at[at] = 0;
		}
	}
}

/* An area of every length with an option that ends at its end, and one that ends behind it. */
static void test_boundaries(void)
{
	for (size_t size = 0; size <= 255; size++) {
		struct bytes bytes;
		struct dhcp_message message;
		struct dhcp_field field = {0};
		struct error error = {.text = ""};
		make_message(&bytes, "", "", "e0");
		add_times(&bytes, (uint8_t)size, 1);
		add_times(&bytes, 'v', size);
		EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
		EXPECT_NUMBER(dhcp_message_bytes(&message, 224, &field), DHCP_PRESENT);
		EXPECT(field.length == size, "%zu bytes: %u", size, field.length);
		for (size_t cut = 1; cut <= size + 1 && cut < 4; cut++)
			EXPECT(dhcp_message_parse(bytes.at, bytes.length - cut, &message, &error) <
					0,
				"%zu bytes, %zu of them cut off", size, cut);
	}
	/* `file` and `sname` end where they end: an option does not run on into what follows. */
	static const struct {
		size_t offset, size;
		uint8_t overload;
	} areas[] = {{44, DHCP_SNAME_SIZE, DHCP_OVERLOAD_SNAME},
		{44 + DHCP_SNAME_SIZE, DHCP_FILE_SIZE, DHCP_OVERLOAD_FILE}};
	for (size_t i = 0; i < ARRAY_LENGTH(areas); i++) {
		struct bytes bytes;
		struct dhcp_message message;
		struct dhcp_field field = {0};
		struct error error = {.text = ""};
		make_message(&bytes, "", "", "3501013401");
		add_times(&bytes, areas[i].overload, 1);
		uint8_t *area = bytes.at + areas[i].offset;
		memset(area, 'v', areas[i].size);
		area[0] = 224;
		area[1] = (uint8_t)(areas[i].size - 2);
		EXPECT_NUMBER(dhcp_message_parse(bytes.at, bytes.length, &message, &error), 0);
		EXPECT_NUMBER(dhcp_message_bytes(&message, 224, &field), DHCP_PRESENT);
		EXPECT_NUMBER(field.length, areas[i].size - 2);
		area[1]++;
		EXPECT(dhcp_message_parse(bytes.at, bytes.length, &message, &error) < 0,
			"an option beyond area %zu", i);
	}
}

/* Thousands of options, and as many split ones as a datagram holds: bounded work and memory. */
static void test_endless(void)
{
	static uint8_t bytes[65507];
	static struct dhcp_message message;
	struct bytes head;
	struct error error = {.text = ""};
	make_message(&head, "", "", "350101");
	memcpy(bytes, head.at, head.length);
	for (size_t i = head.length; i < sizeof(bytes); i++)
		bytes[i] = 0; /* pads to the end, no END */
	EXPECT_NUMBER(dhcp_message_parse(bytes, sizeof(bytes), &message, &error), 0);
	for (size_t i = head.length; i + 1 < sizeof(bytes); i += 2)
		bytes[i] = 224; /* of no length, over and over */
	bytes[sizeof(bytes) - 2] = DHCP_OPTION_END;
	EXPECT_NUMBER(dhcp_message_parse(bytes, sizeof(bytes) - 1, &message, &error), 0);
	struct dhcp_field field = {.length = 1};
	EXPECT_NUMBER(dhcp_message_bytes(&message, 224, &field), DHCP_PRESENT);
	EXPECT_NUMBER(field.length, 0);
	memset(bytes + head.length, 0xe0, sizeof(bytes) - head.length);
	EXPECT(dhcp_message_parse(bytes, sizeof(bytes), &message, &error) < 0, "joined beyond all");
}

/* An exchange between busybox udhcpc 1.35 and dnsmasq 2.90, captured on a veth pair. */
static const struct {
	const char *head; /* up to the end of the hardware address */
	const char *options; /* from the cookie on, but the padding */
	unsigned type;
	bool partial; /* the sender left its checksum to the hardware */
} captured[] = {
	{"ffffffffffff02000000000208004500014800000000401179a600000000ffffffff004400430134ef6e"
	 "010106007728ce3b0000000000000000000000000000000000000000020000000002",
		"638253633501013902024037070103060c0f1c2a3c0c756468637020312e33352e303d070102000000"
		"0002ff",
		DHCPDISCOVER, false},
	{"020000000002361ca717f8a8080045c00148d9250000401187230a0002010a00029c00430044013419e2"
	 "020106007728ce3b00000000000000000a00029c0a00020100000000020000000002",
		"6382536335010236040a0002013304000000783a040000003c3b04000000690104ffffff001c040a00"
		"02ff03040a000201ff",
		DHCPOFFER, true},
	{"ffffffffffff02000000000208004500014800000000401179a600000000ffffffff00440043013447ee"
	 "010106007728ce3b0000000000000000000000000000000000000000020000000002",
		"6382536335010332040a00029c36040a0002013902024037070103060c0f1c2a3c0c75646863702031"
		"2e33352e303d0701020000000002ff",
		DHCPREQUEST, false},
	{"020000000002361ca717f8a8080045c00148d9270000401187210a0002010a00029c00430044013419e2"
	 "020106007728ce3b00000000000000000a00029c0a00020100000000020000000002",
		"6382536335010536040a0002013304000000783a040000003c3b04000000690104ffffff001c040a00"
		"02ff03040a000201ff",
		DHCPACK, true},
};

static void make_captured(struct bytes *bytes, size_t i)
{
	bytes->length = 0;
	add_hex(bytes, captured[i].head);
	add_times(bytes, 0, 10 + DHCP_SNAME_SIZE + DHCP_FILE_SIZE);
	add_hex(bytes, captured[i].options);
	add_times(bytes, 0, 342 - bytes->length);
}

static void test_captured(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(captured); i++) {
		struct bytes bytes;
		struct frame frame;
		struct dhcp_message message;
		struct error error = {.text = ""};
		make_captured(&bytes, i);
		EXPECT_NUMBER(frame_parse(bytes.at, bytes.length, &frame), FRAME_PARSED);
		EXPECT_NUMBER(frame_checksum_holds(&frame), !captured[i].partial);
		EXPECT_NUMBER(frame.payload_length, DHCP_MESSAGE_SIZE_MIN);
		int status =
			dhcp_message_parse(frame.payload, frame.payload_length, &message, &error);
		EXPECT(status == 0, "frame %zu: %s", i, error.text);
		EXPECT_NUMBER(message.type, captured[i].type);
		EXPECT_NUMBER(message.header.xid, 0x7728ce3b);
		EXPECT_TEXT(DHCP_HARDWARE_TEXT(&message.header.chaddr), "02:00:00:00:00:02");
		if (message.type != DHCPACK)
			continue;
		struct ipv4 server = {0}, router = {0};
		uint32_t lease = 0, t1 = 0, t2 = 0;
		EXPECT_TEXT(IPV4_TEXT(message.header.yiaddr), "10.0.2.156");
		dhcp_message_address(&message, DHCP_OPTION_SERVER_ID, &server);
		dhcp_message_address(&message, DHCP_OPTION_ROUTER, &router);
		dhcp_message_u32(&message, DHCP_OPTION_LEASE_TIME, &lease);
		dhcp_message_u32(&message, DHCP_OPTION_T1, &t1);
		dhcp_message_u32(&message, DHCP_OPTION_T2, &t2);
		EXPECT_TEXT(IPV4_TEXT(server), "10.0.2.1");
		EXPECT_TEXT(IPV4_TEXT(router), "10.0.2.1");
		EXPECT(lease == 120 && t1 == 60 && t2 == 105, "%u %u %u", lease, t1, t2);
	}
}

static void test_frames(void)
{
	uint8_t buffer[600];
	struct frame frame = {
		.source_mac = {{2, 0, 0, 0, 0, 1}},
		.destination_mac = {{2, 0, 0, 0, 0, 2}},
		.source = {0x0a000101},
		.destination = {0x0a000102},
		.source_port = 67,
		.destination_port = 68,
	};
	struct frame seen;
	for (size_t length = 0; length < 5; length++) {
		frame.payload = (const uint8_t *)"odd?!";
		frame.payload_length = length;
		size_t size = frame_build(&frame, buffer, sizeof(buffer));
		EXPECT_NUMBER(size, FRAME_HEADERS_SIZE + length);
		memset(buffer + size, 0xee, 20); /* padding of a short Ethernet frame */
		EXPECT_NUMBER(frame_parse(buffer, size + 20, &seen), FRAME_PARSED);
		EXPECT(frame_checksum_holds(&seen), "the checksum of %zu bytes", length);
		EXPECT_BYTES(seen.payload, seen.payload_length, frame.payload, length);
		EXPECT_TEXT(MAC_TEXT(seen.destination_mac), "02:00:00:00:00:02");
		EXPECT_TEXT(IPV4_TEXT(seen.source), "10.0.1.1");
		EXPECT_NUMBER(seen.destination_port, 68);
		if (length) {
			buffer[size - 1] ^= 1;
			EXPECT_NUMBER(frame_parse(buffer, size, &seen), FRAME_PARSED);
			EXPECT(!frame_checksum_holds(&seen), "a flipped bit is seen");
			/* Cut short, as by a capture's limit: told, not malformed. */
			EXPECT_NUMBER(frame_parse(buffer, size - 1, &seen), FRAME_PARSED);
			EXPECT(seen.cut && seen.payload_length == length - 1, "cut");
		}
		EXPECT_NUMBER(frame_build(&frame, buffer, FRAME_HEADERS_SIZE + length - 1), 0);
	}

	static const struct {
		size_t offset;
		uint8_t value;
		enum frame_answer answer;
		bool checksum; /* the header's is made right again */
	} faults[] = {
		{12, 0x86, FRAME_OTHER, false}, /* another ethertype */
		{14, 0x65, FRAME_MALFORMED, true}, /* version 6 */
		{14, 0x44, FRAME_MALFORMED, true}, /* a header of 16 bytes */
		{14, 0x4f, FRAME_MALFORMED, true}, /* a header longer than the frame */
		{17, 19, FRAME_MALFORMED, true}, /* total shorter than the header */
		{17, 24, FRAME_MALFORMED, true}, /* total shorter than the UDP header */
		{20, 0x20, FRAME_OTHER, true}, /* more fragments */
		{21, 0x01, FRAME_OTHER, true}, /* not the first one */
		{23, 1, FRAME_OTHER, true}, /* ICMP */
		{30, 99, FRAME_MALFORMED, false}, /* a wrong header checksum */
		{39, 7, FRAME_MALFORMED, false}, /* a UDP length below its header's */
		{39, 200, FRAME_MALFORMED, false}, /* a UDP length beyond the datagram */
	};
	for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
		frame.payload_length = 4;
		size_t size = frame_build(&frame, buffer, sizeof(buffer));
		uint8_t old = buffer[faults[i].offset];
		buffer[faults[i].offset] = faults[i].value;
		if (faults[i].checksum) { /* RFC 1624: sum' = sum + old - new, in its byte's place
					   */
			unsigned shift = faults[i].offset % 2 ? 0 : 8;
			unsigned sum = (unsigned)buffer[24] << 8 | buffer[25];
			sum += (unsigned)(old << shift) +
			       (0xffffu ^ (unsigned)(faults[i].value << shift));
			sum = (sum & 0xffff) + (sum >> 16);
			sum = (sum & 0xffff) + (sum >> 16);
			buffer[24] = (uint8_t)(sum >> 8);
			buffer[25] = (uint8_t)sum;
		}
		enum frame_answer answer = frame_parse(buffer, size, &seen);
		EXPECT(answer == faults[i].answer, "byte %zu = %u: answer %d", faults[i].offset,
			faults[i].value, answer);
	}
}

static void test_tcp_frame(void)
{
	/* SYN-ACK with 4 bytes of options and "hi": checked by hand against RFC 9293. */
	struct bytes bytes = {.length = 0};
	add_hex(&bytes, "02000000000202000000000108004500002e00004000400624c80a0001010a000102"
			"00150400000000010000000260120040a55500000204058668690000");
	struct frame frame;
	EXPECT_NUMBER(frame_parse(bytes.at, bytes.length, &frame), FRAME_PARSED);
	EXPECT_NUMBER(frame.protocol, FRAME_PROTOCOL_TCP);
	EXPECT_NUMBER(frame.source_port, 21);
	EXPECT_NUMBER(frame.destination_port, 1024);
	EXPECT_NUMBER(frame.tcp_sequence, 1);
	EXPECT_NUMBER(frame.tcp_acknowledged, 2);
	EXPECT_NUMBER(frame.tcp_flags, FRAME_TCP_SYN | FRAME_TCP_ACK);
	EXPECT_BYTES(frame.payload, frame.payload_length, "hi", 2);
	for (size_t length = 0; length < 14 + 20 + 24; length++)
		EXPECT(frame_parse(bytes.at, length, &frame) != FRAME_PARSED,
			"%zu bytes are no TCP frame", length);
}

/* The same segment in IPv6, and padding behind it; frame_parse() is of IPv4 alone. */
static void test_ipv6_frame(void)
{
	struct bytes bytes = {.length = 0};
	add_hex(&bytes,
		"02000000000202000000000186dd60000000001a064020010db8000000000000000000000001"
		"20010db800000000000000000000000200150400000000010000000260120040a5550000"
		"0204058668690000");
	struct frame frame;
	EXPECT_NUMBER(frame_parse_any(bytes.at, bytes.length, &frame), FRAME_PARSED);
	EXPECT_NUMBER(frame_parse(bytes.at, bytes.length, &frame), FRAME_OTHER);
	EXPECT_TEXT(IP_TEXT(frame.source_ip), "2001:db8::1");
	EXPECT_TEXT(IP_TEXT(frame.destination_ip), "2001:db8::2");
	EXPECT_NUMBER(frame.source_port, 21);
	EXPECT_NUMBER(frame.ttl, 64);
	EXPECT_BYTES(frame.payload, frame.payload_length, "hi", 2);
	for (size_t length = 0; length < 14 + 40 + 24; length++)
		EXPECT(frame_parse_any(bytes.at, length, &frame) != FRAME_PARSED,
			"%zu bytes are no TCP frame", length);
	EXPECT(frame_parse_any(bytes.at, bytes.length - 3, &frame) == FRAME_PARSED && frame.cut &&
			frame.missing == 1,
		"a byte of the payload was not captured");
	bytes.at[20] = 44; /* a fragment header */
	EXPECT_NUMBER(frame_parse_any(bytes.at, bytes.length, &frame), FRAME_OTHER);
	bytes.at[14] = 0x40;
	EXPECT_NUMBER(frame_parse_any(bytes.at, bytes.length, &frame), FRAME_MALFORMED);
}

static void test_hardware(void)
{
	static const char *const good[] = {"-", "02:00:5e:00:00:ff", "06-0a",
		"20-00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f"};
	static const char *const bad[] = {"", "0", "02:", "02:0", "0g:00", "02:00:", "06-", "02 00",
		"00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10"};
	struct dhcp_hardware hardware;
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
		EXPECT(dhcp_hardware_parse(good[i], &hardware), "'%s'", good[i]);
		EXPECT_TEXT(DHCP_HARDWARE_TEXT(&hardware), good[i]);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		EXPECT(!dhcp_hardware_parse(bad[i], &hardware), "'%s'", bad[i]);
}

int main(void)
{
	test_header();
	test_options();
	test_malformed();
	test_names();
	test_without_cookie();
	test_boundaries();
	test_endless();
	test_captured();
	test_frames();
	test_tcp_frame();
	test_ipv6_frame();
	test_hardware();
	return unit_finish();
}
