/* observe/: frames made by hand, truncated and at random, into messages. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/writer.h"
#include "dhcp/frame.h"
#include "dhcp/message.h"
#include "observe/decode.h"
#include "unit.h"

/*
 *	client 02:..:01 --- link 0 ... switch ... link 1 --- 02:..:0a router 02:..:0b --- link 2
 *	--- 02:..:05 server (link 2 is direct: captured at the router, the server is its peer)
 */
enum { CLIENT = 0x01, ROUTER_A = 0x0a, ROUTER_B = 0x0b, SERVER = 0x05, NOBODY = 0x77 };

static const struct decoder_link links[] = {
	{.mac = {{2, 0, 0, 0, 0, CLIENT}}},
	{.mac = {{2, 0, 0, 0, 0, ROUTER_A}}},
	{.mac = {{2, 0, 0, 0, 0, ROUTER_B}}, .has_peer = true, .peer = {{2, 0, 0, 0, 0, SERVER}}},
};

static const struct ipv4 client_address = {0x0a000202}, server_address = {0x0a00010a};

static void see(struct decoder *decoder, uint32_t link, uint64_t time_ns, const uint8_t *bytes,
	size_t length)
{
	struct decoder_sight sight = {link, time_ns, time_ns + 1, bytes, length};
	decoder_frame(decoder, &sight);
}

static void append_message(struct text *text, const struct fact *fact)
{
	const struct fact_message *message = &fact->message;
	EXPECT_NUMBER(fact->kind, FACT_MESSAGE);
	EXPECT_NUMBER(message->frame, fact->time_ns + 1);
	text_append(text, "%u%s %s", fact->index, message->from_peer ? "*" : "", message->name);
	if (message->detail[0])
		text_append(text, " [%s]", message->detail);
	text_append(text, "\n");
}

/* "link name detail" a line; of TCP nothing. */
static void collect(void *argument, const struct fact *fact)
{
	if (fact->message.protocol != FACT_TCP)
		append_message(argument, fact);
}

/* The same of TCP alone. */
static void collect_tcp(void *argument, const struct fact *fact)
{
	if (fact->message.protocol == FACT_TCP)
		append_message(argument, fact);
}

static uint16_t server_port = 21;

struct tcp_options {
	uint16_t client_port;
	uint8_t ttl, flags;
	uint32_t sequence, acknowledged;
	const char *bytes;
};

static size_t frame_tcp(uint8_t *buffer, size_t size, uint8_t source_mac, bool from_client,
	const struct tcp_options *options)
{
	struct writer writer = writer_over(buffer, size);
	size_t length = strlen(options->bytes);
	write_bytes(&writer, (uint8_t[6]){2, 0, 0, 0, 0, 0x99}, 6);
	write_bytes(&writer, (uint8_t[6]){2, 0, 0, 0, 0, source_mac}, 6);
	write_be16(&writer, 0x0800);
	uint8_t *ip = writer.at;
	write_be16(&writer, 0x4500);
	write_be16(&writer, (uint16_t)(40 + length));
	write_be32(&writer, 0x00004000);
	write_u8(&writer, options->ttl);
	write_u8(&writer, FRAME_PROTOCOL_TCP);
	write_be16(&writer, 0);
	write_be32(&writer, (from_client ? client_address : server_address).host);
	write_be32(&writer, (from_client ? server_address : client_address).host);
	uint32_t sum = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	write_be16(&writer, from_client ? options->client_port : server_port);
	write_be16(&writer, from_client ? server_port : options->client_port);
	write_be32(&writer, options->sequence);
	write_be32(&writer, options->acknowledged);
	write_be16(&writer, (uint16_t)(0x5000 | options->flags));
	write_be16(&writer, 1000);
	write_be32(&writer, 0);
	write_bytes(&writer, options->bytes, length);
	EXPECT(!writer.overflow, "the frame fits");
	return writer_used(&writer);
}

enum { ACK = FRAME_TCP_ACK, SYN = FRAME_TCP_SYN };

static const struct {
	uint32_t link;
	uint8_t mac;
	bool from_client;
	struct tcp_options tcp;
} conversation[] = {
	{0, CLIENT, true, {4000, 64, SYN, 100, 0, ""}},
	{1, CLIENT, true, {4000, 64, SYN, 100, 0, ""}}, /* seen where it arrives */
	{2, ROUTER_B, true, {4000, 63, SYN, 100, 0, ""}}, /* forwarded */
	{2, SERVER, false, {4000, 64, SYN | ACK, 900, 101, ""}},
	{2, SERVER, false, {4000, 64, ACK, 901, 101, "220-Wel"}},
	{1, ROUTER_A, false, {4000, 63, ACK, 901, 101, "220-Wel"}},
	{2, SERVER, false, {4000, 64, ACK, 908, 101, "come\r\n second\r\n220 ready\r\n"}},
	{1, ROUTER_A, false, {4000, 63, ACK, 908, 101, "come\r\n second\r\n220 ready\r\n"}},
	{0, CLIENT, true, {4000, 64, ACK, 101, 934, "USER a\r\nPASS s3cret\r\nretr "}},
	{2, ROUTER_B, true, {4000, 63, ACK, 101, 934, "USER a\r\nPASS s3cret\r\nretr "}},
	{0, CLIENT, true, {4000, 64, ACK, 101, 934, "USER a\r\nPASS s3cret\r\nretr "}}, /* again */
	{0, CLIENT, true, {4000, 64, ACK, 127, 934, "f\033\r\nXYZZY\r\n"}},
	{0, NOBODY, true, {4000, 64, ACK, 138, 934, "QUIT\r\n"}}, /* not of this link */
	{2, SERVER, false, {4000, 64, ACK, 934, 144, "HTTP/1.1 400\r\n"}}, /* 6 bytes were missed */
	{0, CLIENT, true, {4000, 64, ACK, 144, 948, "rest of a line\r\nNOOP\r\n"}},
	/* a new connection between the same ports */
	{0, CLIENT, true, {4000, 64, SYN, 7000, 0, ""}},
	{2, SERVER, false, {4000, 64, SYN | ACK, 8000, 7001, ""}},
	{0, CLIENT, true, {4000, 64, ACK, 7001, 8001, "AUTH TLS\r\n"}},
	{2, SERVER, false, {4000, 64, ACK, 8001, 7011, "234 go\r\n\x16\x03\n"}},
	{0, CLIENT, true, {4000, 64, ACK, 7011, 8009, "\x16\x03\x01\nSTOR\n"}},
	/* another one, joined late */
	{0, CLIENT, true, {4001, 64, ACK, 1, 1, "in the middle\r\nPWD\r\n"}},
};

static const char conversation_messages[] = "2* 220- [220-Welcome]\n"
					    "2* 220- [ second]\n"
					    "2* 220 [220 ready]\n"
					    "0 USER [USER a]\n"
					    "0 PASS [PASS ***]\n"
					    "0 RETR [retr f\\x1b]\n"
					    "0 ? [XYZZY]\n"
					    "2* ? [HTTP/1.1 400]\n"
					    "0 NOOP [NOOP]\n"
					    "0 AUTH [AUTH TLS]\n"
					    "2* 234 [234 go]\n"
					    "0 PWD [PWD]\n";

/* A router has passed the frame on: its TTL is less by one (RFC 1624). */
static void age(uint8_t *frame)
{
	uint32_t sum = (uint32_t)(frame[24] << 8 | frame[25]) + 256;
	sum = (sum & 0xffff) + (sum >> 16);
	frame[22]--;
	frame[24] = (uint8_t)(sum >> 8);
	frame[25] = (uint8_t)sum;
}

static void test_ftp(void)
{
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect, &seen);
	for (size_t i = 0; i < ARRAY_LENGTH(conversation); i++) {
		uint8_t bytes[512];
		size_t length = frame_tcp(bytes, sizeof(bytes), conversation[i].mac,
			conversation[i].from_client, &conversation[i].tcp);
		see(decoder, conversation[i].link, i, bytes, length);
	}
	EXPECT_TEXT(text_view(&seen), conversation_messages);
	decoder_destroy(decoder);
}

struct segment {
	uint32_t link;
	uint8_t mac;
	bool from_client;
	struct tcp_options tcp;
	const char *expected; /* "" where it is told already, or there is nothing to tell */
};

static void expect_segments(
	struct decoder *decoder, const struct segment *list, size_t count, struct text *seen)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[512];
		size_t length = frame_tcp(
			bytes, sizeof(bytes), list[i].mac, list[i].from_client, &list[i].tcp);
		text_clear(seen);
		see(decoder, list[i].link, i, bytes, length);
		EXPECT(strcmp(text_view(seen), list[i].expected) == 0,
			"segment %zu: expected \"%s\", saw \"%s\"", i, list[i].expected,
			text_view(seen));
	}
}

/* The report's file protocol: names by lines and by segments, each answer once. */
static const struct segment file_talk[] = {
	{0, CLIENT, true, {6000, 64, SYN, 100, 0, ""}, ""},
	{2, SERVER, false, {6000, 64, SYN | ACK, 900, 101, ""}, ""},
	{2, SERVER, false, {6000, 64, ACK, 901, 101, "You are now"}, "2* greeting [You are now]\n"},
	{1, ROUTER_A, false, {6000, 63, ACK, 901, 101, "You are now"}, ""},
	{0, CLIENT, true, {6000, 64, ACK, 101, 912, "a.txt\r\nb"}, "0 name [a.txt]\n0 name [b]\n"},
	{2, SERVER, false, {6000, 64, ACK, 912, 109, "File not found"}, "2* File not found\n"},
	{0, CLIENT, true, {6000, 64, ACK, 109, 926, "c\n"}, "0 name [c]\n"},
	{2, SERVER, false, {6000, 64, ACK, 926, 111, "the\nfile"}, "2* file [the]\n"},
	{2, SERVER, false, {6000, 64, ACK, 934, 111, "its rest"}, ""},
	{0, CLIENT, true, {6000, 64, ACK, 111, 942, "end\n\n"}, "0 end\n"},
};

static void test_file_text(void)
{
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect, &seen);
	server_port = 12345;
	expect_segments(decoder, file_talk, ARRAY_LENGTH(file_talk), &seen);
	server_port = 21;
	decoder_destroy(decoder);
}

static void test_address_text(void)
{
	static const struct {
		uint8_t mac;
		bool from_client;
		const char *text, *expected;
	} datagrams[] = {
		{CLIENT, true, "Give me IP", "0 Give me IP\n"},
		{SERVER, false, "IP:10.0.0.1", "2* IP [10.0.0.1]\n"},
		{ROUTER_A, false, "IP:10.0.0.1", ""}, /* forwarded */
		{SERVER, false, "No IPs left", "2* No IPs left\n"},
		{CLIENT, true, "10.0.0.1", "0 release [10.0.0.1]\n"},
		{CLIENT, true, "IP\x1b", "0 ? [IP\\x1b]\n"},
		{SERVER, false, "Give me IP", "2* ? [Give me IP]\n"},
	};
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect, &seen);
	for (size_t i = 0; i < ARRAY_LENGTH(datagrams); i++) {
		bool asks = datagrams[i].from_client;
		struct frame frame = {
			.source_mac = {{2, 0, 0, 0, 0, datagrams[i].mac}},
			.source = asks ? client_address : server_address,
			.destination = asks ? server_address : client_address,
			.source_port = asks ? 40000 : 20001,
			.destination_port = asks ? 20001 : 40000,
			.payload = (const uint8_t *)datagrams[i].text,
			.payload_length = strlen(datagrams[i].text),
		};
		uint8_t bytes[512];
		size_t length = frame_build(&frame, bytes, sizeof(bytes));
		uint32_t link = asks ? 0 : datagrams[i].mac == ROUTER_A ? 1 : 2;
		if (datagrams[i].mac == ROUTER_A)
			age(bytes);
		text_clear(&seen);
		see(decoder, link, i, bytes, length);
		EXPECT(strcmp(text_view(&seen), datagrams[i].expected) == 0,
			"datagram %zu: expected \"%s\", saw \"%s\"", i, datagrams[i].expected,
			text_view(&seen));
	}
	decoder_destroy(decoder);
}

enum { FIN = FRAME_TCP_FIN, RST = FRAME_TCP_RST };

/* What opens and closes. */
static const struct segment segments[] = {
	{0, CLIENT, true, {5000, 64, SYN, 100, 0, ""}, "0 SYN\n"},
	{1, CLIENT, true, {5000, 64, SYN, 100, 0, ""}, ""}, /* where it arrives */
	{2, ROUTER_B, true, {5000, 63, SYN, 100, 0, ""}, ""}, /* forwarded */
	{0, CLIENT, true, {5000, 64, SYN, 100, 0, ""}, ""}, /* sent again */
	{2, SERVER, false, {5000, 64, SYN | ACK, 900, 100, ""}, ""}, /* answers something else */
	{2, SERVER, false, {5000, 64, SYN | ACK, 900, 101, ""}, "2* SYN-ACK\n"},
	{1, ROUTER_A, false, {5000, 63, SYN | ACK, 900, 101, ""}, ""},
	{0, CLIENT, true, {5000, 64, ACK, 101, 901, ""}, "0 ACK\n"},
	{2, ROUTER_B, true, {5000, 63, ACK, 101, 901, ""}, ""},
	{0, CLIENT, true, {5000, 64, ACK, 101, 901, "data"}, ""},
	{2, SERVER, false, {5000, 64, ACK, 901, 105, ""}, ""},
	{0, CLIENT, true, {5000, 64, FIN | ACK, 105, 901, "end"}, "0 FIN [7 bytes sent]\n"},
	{2, ROUTER_B, true, {5000, 63, FIN | ACK, 105, 901, "end"}, ""},
	{2, SERVER, false, {5000, 64, ACK, 901, 108, ""}, ""}, /* the end, not yet the FIN */
	{2, SERVER, false, {5000, 64, ACK, 901, 109, ""}, "2* ACK\n"},
	{2, SERVER, false, {5000, 64, ACK, 901, 109, ""}, ""},
	{2, SERVER, false, {5000, 64, FIN | ACK, 901, 109, ""}, "2* FIN [0 bytes sent]\n"},
	{0, CLIENT, true, {5000, 64, ACK, 109, 902, ""}, "0 ACK\n"},
	{0, CLIENT, true, {5000, 64, RST, 109, 0, ""}, "0 RST\n"},
	{0, CLIENT, true, {5000, 64, RST, 109, 0, ""}, ""},
	/* the same ports again; the FIN acknowledges the other one by itself */
	{0, CLIENT, true, {5000, 64, SYN, 7000, 0, ""}, "0 SYN\n"},
	{2, SERVER, false, {5000, 64, SYN | ACK, 8000, 7001, ""}, "2* SYN-ACK\n"},
	{0, CLIENT, true, {5000, 64, ACK, 7001, 8001, "first"}, "0 ACK\n"},
	{2, SERVER, false, {5000, 64, FIN | ACK, 8001, 7006, ""}, "2* FIN [0 bytes sent]\n"},
	{0, CLIENT, true, {5000, 64, FIN | ACK, 7006, 8002, ""}, "0 FIN [5 bytes sent]\n"},
	{2, SERVER, false, {5000, 64, ACK, 8002, 7007, ""}, "2* ACK\n"},
	/* refused, and one whose beginning nobody saw */
	{0, CLIENT, true, {5001, 64, SYN, 100, 0, ""}, "0 SYN\n"},
	{2, SERVER, false, {5001, 64, RST | ACK, 0, 101, ""}, "2* RST\n"},
	{0, CLIENT, true, {5002, 64, FIN | ACK, 100, 1, ""}, ""},
	{0, CLIENT, true, {5002, 64, RST, 101, 0, ""}, ""},
};

static void test_tcp(void)
{
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect_tcp, &seen);
	expect_segments(decoder, segments, ARRAY_LENGTH(segments), &seen);
	/* More than are kept: those heard of last still are. */
	for (unsigned port = 1; port < 20000; port++) {
		uint8_t bytes[512];
		struct tcp_options open = {(uint16_t)port, 64, SYN, port, 0, ""};
		size_t length = frame_tcp(bytes, sizeof(bytes), CLIENT, true, &open);
		see(decoder, 0, 1000 + port, bytes, length);
	}
	uint8_t bytes[512];
	struct tcp_options answer = {19999, 64, SYN | ACK, 5, 20000, ""};
	size_t length = frame_tcp(bytes, sizeof(bytes), SERVER, false, &answer);
	text_clear(&seen);
	see(decoder, 2, 30000, bytes, length);
	EXPECT_TEXT(text_view(&seen), "2* SYN-ACK\n");
	decoder_destroy(decoder);
}

/* More connections than are kept: the oldest is forgotten, nothing grows. */
static void test_ftp_bounded(void)
{
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect, &seen);
	for (uint16_t port = 1024; port < 4000; port++) {
		uint8_t bytes[512];
		struct tcp_options open = {port, 64, SYN, 100, 0, ""};
		size_t length = frame_tcp(bytes, sizeof(bytes), CLIENT, true, &open);
		see(decoder, 0, port, bytes, length);
		struct tcp_options half = {port, 64, ACK, 101, 0, "half a line"};
		length = frame_tcp(bytes, sizeof(bytes), CLIENT, true, &half);
		see(decoder, 0, port, bytes, length);
	}
	struct tcp_options last = {3999, 64, ACK, 112, 0, "\n"};
	struct tcp_options forgotten = {1024, 64, ACK, 112, 0, "\n"};
	uint8_t bytes[512];
	size_t length = frame_tcp(bytes, sizeof(bytes), CLIENT, true, &last);
	see(decoder, 0, 4000, bytes, length);
	length = frame_tcp(bytes, sizeof(bytes), CLIENT, true, &forgotten);
	see(decoder, 0, 4000, bytes, length);
	EXPECT_TEXT(text_view(&seen), "0 ? [half ***]\n");
	decoder_destroy(decoder);
}

static size_t frame_dhcp(uint8_t *buffer, size_t size, uint8_t mac, uint8_t ttl, unsigned type)
{
	uint8_t payload[DHCP_MESSAGE_SIZE_DEFAULT];
	struct dhcp_builder builder;
	struct dhcp_header header = {
		.op = type == DHCPACK ? DHCP_OP_REPLY : DHCP_OP_REQUEST,
		.xid = 0x12345678,
		.yiaddr = {0x0a000264},
		.giaddr = {0x0a000201},
		.chaddr = dhcp_hardware_from_mac((struct mac){{2, 0, 0, 0, 0, CLIENT}}),
	};
	dhcp_builder_init(&builder, payload, sizeof(payload), &header, type);
	dhcp_builder_address(&builder, DHCP_OPTION_SERVER_ID, server_address);
	dhcp_builder_u32(&builder, DHCP_OPTION_LEASE_TIME, 3600);
	struct frame frame = {
		.source_mac = {{2, 0, 0, 0, 0, mac}},
		.source = client_address,
		.destination = server_address,
		.source_port = DHCP_CLIENT_PORT,
		.destination_port = DHCP_SERVER_PORT,
		.payload = payload,
		.payload_length = dhcp_builder_finish(&builder),
	};
	size_t length = frame_build(&frame, buffer, size);
	while (buffer[22] > ttl)
		age(buffer);
	return length;
}

static struct fact last_fact;

static void collect_dhcp(void *argument, const struct fact *fact)
{
	last_fact = *fact;
	collect(argument, fact);
}

static void test_dhcp(void)
{
	static const struct {
		uint32_t link;
		uint8_t mac, ttl;
		unsigned type;
		uint64_t time_ns;
		const char *expected;
	} frames[] = {
		{0, CLIENT, 64, DHCPREQUEST, 1, "0 DHCPREQUEST\n"},
		{1, CLIENT, 64, DHCPREQUEST, 1, ""}, /* where it arrives */
		{2, ROUTER_B, 63, DHCPREQUEST, 1, ""}, /* forwarded */
		{0, CLIENT, 64, DHCPREQUEST, 2, "0 DHCPREQUEST\n"}, /* sent again */
		{2, ROUTER_B, 63, DHCPREQUEST, 2, ""},
		{2, ROUTER_B, 63, DHCPREQUEST, 9 * NS_PER_SECOND, "2 DHCPREQUEST\n"},
		{2, SERVER, 64, DHCPACK, 3, "2* DHCPACK\n"}, {1, NOBODY, 64, DHCPDISCOVER, 3, ""},
		{7, CLIENT, 64, DHCPDISCOVER, 3, ""}, /* no such link */
	};
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect_dhcp, &seen);
	for (size_t i = 0; i < ARRAY_LENGTH(frames); i++) {
		uint8_t bytes[1024];
		size_t length = frame_dhcp(
			bytes, sizeof(bytes), frames[i].mac, frames[i].ttl, frames[i].type);
		text_clear(&seen);
		see(decoder, frames[i].link, frames[i].time_ns, bytes, length);
		EXPECT(strcmp(text_view(&seen), frames[i].expected) == 0,
			"frame %zu: expected \"%s\", saw \"%s\"", i, frames[i].expected,
			text_view(&seen));
	}
	const struct fact_dhcp *dhcp = &last_fact.message.dhcp;
	EXPECT_NUMBER(dhcp->xid, 0x12345678);
	EXPECT_TEXT(IPV4_TEXT(dhcp->yiaddr), "10.0.2.100");
	EXPECT_TEXT(IPV4_TEXT(dhcp->giaddr), "10.0.2.1");
	EXPECT_TEXT(IPV4_TEXT(dhcp->server), "10.0.1.10");
	EXPECT_TEXT(IPV4_TEXT(dhcp->requested), "0.0.0.0");
	EXPECT_TEXT(MAC_TEXT(dhcp->chaddr), "02:00:00:00:00:01");
	EXPECT(dhcp->has_lease && dhcp->lease_seconds == 3600, "lease");
	EXPECT_NUMBER(last_fact.message.destination.port, 67);
	EXPECT_NUMBER(last_fact.time_ns, 3);
	decoder_destroy(decoder);
}

/* Every prefix of a good frame, and frames with bytes changed at random: nothing breaks. */
static void test_hostile(void)
{
	CLEANUP(text_finish) struct text seen = {0};
	struct decoder *decoder = decoder_create(links, ARRAY_LENGTH(links), collect, &seen);
	uint8_t good[3][1024];
	size_t lengths[3];
	struct tcp_options tcp = {4000, 64, ACK, 1, 0, "\r\nUSER a\r\n"};
	lengths[0] = frame_dhcp(good[0], sizeof(good[0]), CLIENT, 64, DHCPDISCOVER);
	lengths[1] = frame_tcp(good[1], sizeof(good[1]), CLIENT, true, &tcp);
	server_port = 12345;
	lengths[2] = frame_tcp(good[2], sizeof(good[2]), CLIENT, true, &tcp);
	server_port = 21;
	srandom(2131);
	for (int i = 0; i < 2; i++) {
		for (size_t length = 0; length <= lengths[i]; length++) {
			/*
			 * On the heap and exactly as long, so that a sanitizer sees a read beyond.
			 */
			uint8_t *cut = malloc(length + 1);
			memcpy(cut, good[i], length);
			see(decoder, 0, 1, cut, length);
			free(cut);
		}
		/* Cut DHCP says nothing, cut TCP as much as is there. */
		EXPECT_TEXT(text_view(&seen), i == 0 ? "0 DHCPDISCOVER\n" : "0 USER [USER a]\n");
		text_clear(&seen);
	}
	for (int round = 0; round < 50000; round++) {
		uint8_t bytes[1024];
		size_t length = lengths[round % 3];
		memcpy(bytes, good[round % 3], length);
		/* Mostly behind the headers, whose checksum would stop it. */
		for (long change = random() % 8; change >= 0; change--)
			bytes[34 + (size_t)random() % (length - 34)] = (uint8_t)random();
		see(decoder, 0, (uint64_t)round, bytes, length);
		text_clear(&seen);
	}
	decoder_destroy(decoder);
	decoder_destroy(NULL);
}

int main(void)
{
	test_ftp();
	test_ftp_bounded();
	test_tcp();
	test_file_text();
	test_address_text();
	test_dhcp();
	test_hostile();
	return unit_finish();
}
