#include "observe/decode_tcp.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	CONNECTIONS_MOST = 4096, /* a power of two */
	PROBES_MOST = 16, /* of as many places the one not heard of for longest is given away */
};

enum { CLIENT, SERVER }; /* who sent the SYN, and who was asked */

/* RFC 9293 section 3.5 and 3.6, as far as a witness needs it. */
struct connection {
	bool used;
	uint64_t heard_ns;
	struct fact_endpoint ends[2];
	uint32_t initial[2]; /* sequence number of the SYN */
	bool answered; /* by SYN and ACK */
	bool established;
	bool finished[2]; /* has sent FIN */
	uint32_t behind_fin[2]; /* what acknowledges it */
	bool acknowledged[2]; /* ... and was seen */
	bool broken; /* by RST */
};

struct tcp_decoder {
	decoder_function function;
	void *argument;
	struct connection connections[CONNECTIONS_MOST];
	size_t awaited; /* connections of which an ACK is still to be told */
};

struct tcp_decoder *tcp_decoder_create(decoder_function function, void *argument)
{
	struct tcp_decoder *decoder = calloc(1, sizeof(*decoder));
	if (decoder) {
		decoder->function = function;
		decoder->argument = argument;
	}
	return decoder;
}

void tcp_decoder_destroy(struct tcp_decoder *decoder)
{
	free(decoder);
}

/* The same in both directions. */
static uint32_t ends_hash(struct fact_endpoint a, struct fact_endpoint b)
{
	uint64_t both = (uint64_t)(a.address.number ^ b.address.number ^
				   (a.address.number ^ b.address.number) >> 64);
	uint32_t sum = (uint32_t)(both ^ both >> 32) * UINT32_C(0x9e3779b1);
	sum ^= ((uint32_t)a.port + b.port) * UINT32_C(0x85ebca6b);
	return sum ^ sum >> 15;
}

/* The connection between the two, either way round, or the place for a new one in *ret_place. */
static struct connection *connection_find(struct tcp_decoder *decoder, struct fact_endpoint a,
	struct fact_endpoint b, struct connection **ret_place)
{
	uint32_t hash = ends_hash(a, b);
	struct connection *oldest = NULL;
	for (uint32_t i = 0; i < PROBES_MOST; i++) {
		struct connection *at = &decoder->connections[(hash + i) % CONNECTIONS_MOST];
		if (at->used && ((fact_endpoint_equal(at->ends[CLIENT], a) &&
					 fact_endpoint_equal(at->ends[SERVER], b)) ||
					(fact_endpoint_equal(at->ends[CLIENT], b) &&
						fact_endpoint_equal(at->ends[SERVER], a))))
			return at;
		if (!oldest || at->heard_ns < oldest->heard_ns)
			oldest = at;
		if (!at->used)
			break;
	}
	*ret_place = oldest;
	return NULL;
}

/* Whether an ACK of it that carries nothing else is still to be told. */
static bool connection_awaited(const struct connection *connection)
{
	if (!connection->used || connection->broken)
		return false;
	return (connection->answered && !connection->established) ||
	       (connection->finished[CLIENT] && !connection->acknowledged[CLIENT]) ||
	       (connection->finished[SERVER] && !connection->acknowledged[SERVER]);
}

static void tell(const struct tcp_decoder *decoder, const struct fact *seen,
	const struct frame *frame, const char *name, const char *detail)
{
	struct fact fact = *seen;
	fact.message.protocol = FACT_TCP;
	fact.message.source = (struct fact_endpoint){frame->source_ip, frame->source_port};
	fact.message.destination =
		(struct fact_endpoint){frame->destination_ip, frame->destination_port};
	snprintf(fact.message.name, sizeof(fact.message.name), "%s", name);
	snprintf(fact.message.detail, sizeof(fact.message.detail), "%s", detail);
	decoder->function(decoder->argument, &fact);
}

static bool reaches(uint32_t sequence, uint32_t acknowledged)
{
	return (int32_t)(acknowledged - sequence) >= 0;
}

/* What an ACK from `from` completes: the handshake, or the other side's end. */
static bool acknowledgement(struct connection *connection, const struct frame *frame, unsigned from)
{
	uint32_t acknowledged = frame->tcp_acknowledged;
	bool is_news = false;
	if (from == CLIENT && connection->answered && !connection->established &&
		reaches(connection->initial[SERVER] + 1, acknowledged))
		is_news = connection->established = true;
	if (connection->finished[!from] && !connection->acknowledged[!from] &&
		reaches(connection->behind_fin[!from], acknowledged))
		is_news = connection->acknowledged[!from] = true;
	return is_news;
}

static void segment(const struct tcp_decoder *decoder, struct connection *connection,
	const struct fact *seen, const struct frame *frame)
{
	struct fact_endpoint source = {frame->source_ip, frame->source_port};
	unsigned from = fact_endpoint_equal(source, connection->ends[CLIENT]) ? CLIENT : SERVER;
	uint8_t flags = frame->tcp_flags;
	if (connection->broken)
		return;
	if (flags & FRAME_TCP_RST) {
		connection->broken = true;
		tell(decoder, seen, frame, "RST", "");
		return;
	}
	if (flags & FRAME_TCP_SYN) {
		if (from == SERVER && !connection->answered && flags & FRAME_TCP_ACK &&
			frame->tcp_acknowledged == connection->initial[CLIENT] + 1) {
			connection->answered = true;
			connection->initial[SERVER] = frame->tcp_sequence;
			tell(decoder, seen, frame, "SYN-ACK", "");
		}
		return;
	}
	bool ends = flags & FRAME_TCP_FIN && !connection->finished[from];
	/* A FIN acknowledges too, and is told as what it is. */
	if (flags & FRAME_TCP_ACK && acknowledgement(connection, frame, from) && !ends)
		tell(decoder, seen, frame, "ACK", "");
	if (ends) {
		uint32_t end =
			frame->tcp_sequence + (uint32_t)(frame->payload_length + frame->missing);
		char detail[32];
		connection->finished[from] = true;
		connection->behind_fin[from] = end + 1;
		snprintf(detail, sizeof(detail), "%u bytes sent",
			end - connection->initial[from] - 1);
		tell(decoder, seen, frame, "FIN", detail);
	}
}

void tcp_decoder_frame(
	struct tcp_decoder *decoder, const struct fact *seen, const struct frame *frame)
{
	/* Most segments carry data, and there may be many. */
	bool plain = !(frame->tcp_flags & (FRAME_TCP_SYN | FRAME_TCP_FIN | FRAME_TCP_RST));
	if (plain && !decoder->awaited)
		return;
	struct fact_endpoint source = {frame->source_ip, frame->source_port};
	struct fact_endpoint destination = {frame->destination_ip, frame->destination_port};
	struct connection *place = NULL;
	struct connection *connection = connection_find(decoder, source, destination, &place);
	bool opens = (frame->tcp_flags & (FRAME_TCP_SYN | FRAME_TCP_ACK | FRAME_TCP_RST)) ==
		     FRAME_TCP_SYN;
	if (opens && connection && connection->initial[CLIENT] == frame->tcp_sequence &&
		fact_endpoint_equal(source, connection->ends[CLIENT]))
		return; /* the same one once more */
	if (!opens && !connection)
		return;
	if (opens && !connection)
		connection = place;
	decoder->awaited -= connection_awaited(connection);
	connection->heard_ns = seen->time_ns;
	if (opens) {
		*connection = (struct connection){.used = true,
			.heard_ns = seen->time_ns,
			.ends = {source, destination},
			.initial = {frame->tcp_sequence}};
		tell(decoder, seen, frame, "SYN", "");
	} else {
		segment(decoder, connection, seen, frame);
	}
	decoder->awaited += connection_awaited(connection);
}
