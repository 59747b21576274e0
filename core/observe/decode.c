#include "observe/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dhcp/frame.h"
#include "dhcp/message.h"
#include "dhcp/text.h"
#include "ftp/text.h"
#include "observe/decode_ftp.h"
#include "observe/decode_tcp.h"

enum { DATAGRAMS_MAX = 256 };
#define FORWARDING_NS (5 * NS_PER_SECOND) /* no router holds a datagram for longer */

/* A datagram that was told, to know it again when a router forwards it. */
struct datagram {
	uint64_t time_ns;
	uint64_t content; /* hash */
	struct fact_endpoint source, destination;
	uint8_t ttl;
};

struct decoder {
	decoder_function function;
	void *argument;
	struct decoder_link *links;
	size_t link_count;
	struct ftp_decoder *ftp;
	struct tcp_decoder *tcp;
	struct datagram datagrams[DATAGRAMS_MAX]; /* a ring */
	size_t datagram_next;
};

struct decoder *decoder_create(
	const struct decoder_link *links, size_t count, decoder_function function, void *argument)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return NULL;
	decoder->function = function;
	decoder->argument = argument;
	decoder->ftp = ftp_decoder_create(function, argument);
	decoder->tcp = tcp_decoder_create(function, argument);
	decoder->links = calloc(count + 1, sizeof(*links));
	if (!decoder->ftp || !decoder->tcp || !decoder->links) {
		decoder_destroy(decoder);
		return NULL;
	}
	decoder->link_count = count;
	if (count)
		memcpy(decoder->links, links, count * sizeof(*links));
	return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	ftp_decoder_destroy(decoder->ftp);
	tcp_decoder_destroy(decoder->tcp);
	free(decoder->links);
	free(decoder);
}

/* FNV-1a, 64 bits. */
static uint64_t content_hash(const uint8_t *bytes, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static bool datagram_same(const struct datagram *a, const struct datagram *b)
{
	return a->content == b->content && ip_equal(a->source.address, b->source.address) &&
	       ip_equal(a->destination.address, b->destination.address) &&
	       a->source.port == b->source.port && a->destination.port == b->destination.port;
}

/* Whether a router sent it again; remembers it where not. */
static bool datagram_forwarded(struct decoder *decoder, uint64_t time_ns, const struct frame *frame)
{
	struct datagram datagram = {
		.time_ns = time_ns,
		.content = content_hash(frame->payload, frame->payload_length),
		.source = {frame->source_ip, frame->source_port},
		.destination = {frame->destination_ip, frame->destination_port},
		.ttl = frame->ttl,
	};
	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		const struct datagram *before = &decoder->datagrams[i];
		if (before->ttl > datagram.ttl && time_ns - before->time_ns < FORWARDING_NS &&
			datagram_same(before, &datagram))
			return true;
	}
	decoder->datagrams[decoder->datagram_next] = datagram;
	decoder->datagram_next = (decoder->datagram_next + 1) % DATAGRAMS_MAX;
	return false;
}

/* An absent or malformed one is none. */
static struct ipv4 option_address(const struct dhcp_message *message, uint8_t code)
{
	struct ipv4 address = {0};
	dhcp_message_address(message, code, &address);
	return address;
}

static void dhcp_describe(const struct dhcp_message *message, struct fact_dhcp *ret)
{
	*ret = (struct fact_dhcp){
		.xid = message->header.xid,
		.ciaddr = message->header.ciaddr,
		.yiaddr = message->header.yiaddr,
		.giaddr = message->header.giaddr,
		.server = option_address(message, DHCP_OPTION_SERVER_ID),
		.requested = option_address(message, DHCP_OPTION_REQUESTED_ADDRESS),
	};
	dhcp_hardware_mac(&message->header.chaddr, &ret->chaddr);
	ret->has_lease = dhcp_message_u32(message, DHCP_OPTION_LEASE_TIME, &ret->lease_seconds) ==
			 DHCP_PRESENT;
}

static void dhcp_frame(struct decoder *decoder, const struct fact *seen, const struct frame *frame)
{
	struct dhcp_message message;
	if (frame->cut ||
		dhcp_message_parse(frame->payload, frame->payload_length, &message, NULL) < 0 ||
		datagram_forwarded(decoder, seen->time_ns, frame))
		return;
	struct fact fact = *seen;
	fact.message.protocol = FACT_DHCP;
	fact.message.source = (struct fact_endpoint){frame->source_ip, frame->source_port};
	fact.message.destination =
		(struct fact_endpoint){frame->destination_ip, frame->destination_port};
	snprintf(fact.message.name, sizeof(fact.message.name), "%s",
		dhcp_message_type_name(message.type));
	dhcp_describe(&message, &fact.message.dhcp);
	decoder->function(decoder->argument, &fact);
}

static bool is_dhcp(const struct frame *frame)
{
	return frame->protocol == FRAME_PROTOCOL_UDP &&
	       (frame->destination_port == DHCP_SERVER_PORT ||
		       frame->destination_port == DHCP_CLIENT_PORT);
}

/* A server's answer, or what a client sends; the one is read where the other is nothing known. */
static void address_text_frame(
	struct decoder *decoder, const struct fact *seen, const struct frame *frame)
{
	static const char *const names[] = {
		[DHCP_TEXT_REQUEST] = "Give me IP",
		[DHCP_TEXT_NONE_LEFT] = "No IPs left",
		[DHCP_TEXT_OTHER] = "?",
	};
	struct dhcp_text_message message;
	bool answer = frame->source_port == DHCP_TEXT_PORT;
	if (frame->cut || datagram_forwarded(decoder, seen->time_ns, frame))
		return;
	if (answer)
		dhcp_text_read_answer(frame->payload, frame->payload_length, &message);
	else
		dhcp_text_read_request(frame->payload, frame->payload_length, &message);
	struct fact fact = *seen;
	fact.message.protocol = FACT_TEXT;
	fact.message.source = (struct fact_endpoint){frame->source_ip, frame->source_port};
	fact.message.destination =
		(struct fact_endpoint){frame->destination_ip, frame->destination_port};
	snprintf(fact.message.name, sizeof(fact.message.name), "%s",
		message.kind != DHCP_TEXT_ADDRESS ? names[message.kind]
		: answer			  ? "IP"
						  : "release");
	if (message.kind == DHCP_TEXT_ADDRESS)
		ipv4_format(message.address, fact.message.detail);
	else if (message.kind == DHCP_TEXT_OTHER)
		log_quote(message.text, message.length, fact.message.detail,
			sizeof(fact.message.detail));
	decoder->function(decoder->argument, &fact);
}

static bool is_address_text(const struct frame *frame)
{
	return frame->protocol == FRAME_PROTOCOL_UDP &&
	       (frame->destination_port == DHCP_TEXT_PORT || frame->source_port == DHCP_TEXT_PORT);
}

static bool is_ftp(const struct frame *frame)
{
	return frame->protocol == FRAME_PROTOCOL_TCP &&
	       (frame->destination_port == FTP_CONTROL_PORT ||
		       frame->source_port == FTP_CONTROL_PORT ||
		       frame->destination_port == FTP_TEXT_PORT ||
		       frame->source_port == FTP_TEXT_PORT);
}

void decoder_frame(struct decoder *decoder, const struct decoder_sight *sight)
{
	struct frame frame;
	if (sight->link >= decoder->link_count ||
		frame_parse_any(sight->bytes, sight->length, &frame) != FRAME_PARSED)
		return;
	const struct decoder_link *ends = &decoder->links[sight->link];
	bool own = mac_equal(ends->mac, frame.source_mac);
	if (!own && !(ends->has_peer && mac_equal(ends->peer, frame.source_mac)))
		return;
	struct fact seen = {
		.kind = FACT_MESSAGE,
		.index = sight->link,
		.time_ns = sight->time_ns,
		.message = {.from_peer = !own, .frame = sight->number},
	};
	if (is_dhcp(&frame))
		dhcp_frame(decoder, &seen, &frame);
	if (is_address_text(&frame))
		address_text_frame(decoder, &seen, &frame);
	if (frame.protocol == FRAME_PROTOCOL_TCP)
		tcp_decoder_frame(decoder->tcp, &seen, &frame);
	if (is_ftp(&frame))
		ftp_decoder_frame(decoder->ftp, &seen, &frame);
}
