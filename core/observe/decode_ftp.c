#include "observe/decode_ftp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ftp/command.h"
#include "ftp/input.h"
#include "ftp/reply.h"
#include "ftp/text.h"
#include "observe/tcp_stream.h"

enum { CONNECTIONS_MAX = 512 }; /* the one not heard of for longest makes room */

enum { AUTH_TLS_ACCEPTED = 234 }; /* RFC 4217 section 4 */

struct side {
	struct tcp_stream stream;
	struct ftp_input input;
};

struct connection {
	bool used;
	uint64_t heard_ns;
	struct fact_endpoint client, server;
	struct side commands, replies;
	struct ftp_reply_reader reader;
	bool sealed; /* TLS has begun */
	bool greeted, answered; /* of the file protocol: no name waits for what follows */
};

struct ftp_decoder {
	decoder_function function;
	void *argument;
	struct connection connections[CONNECTIONS_MAX];
};

/* One frame on its way through. */
struct sighting {
	struct ftp_decoder *decoder;
	struct connection *connection;
	const struct fact *seen;
	bool is_command;
};

struct ftp_decoder *ftp_decoder_create(decoder_function function, void *argument)
{
	struct ftp_decoder *decoder = calloc(1, sizeof(*decoder));
	if (decoder) {
		decoder->function = function;
		decoder->argument = argument;
	}
	return decoder;
}

static void connection_finish(struct connection *connection)
{
	tcp_stream_finish(&connection->commands.stream);
	tcp_stream_finish(&connection->replies.stream);
	ftp_input_finish(&connection->commands.input);
	ftp_input_finish(&connection->replies.input);
	*connection = (struct connection){0};
}

void ftp_decoder_destroy(struct ftp_decoder *decoder)
{
	for (size_t i = 0; decoder && i < CONNECTIONS_MAX; i++)
		connection_finish(&decoder->connections[i]);
	free(decoder);
}

/* The connection between the two, a new one where there was none. */
static struct connection *connection_find(
	struct ftp_decoder *decoder, struct fact_endpoint client, struct fact_endpoint server)
{
	struct connection *oldest = &decoder->connections[0];
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &decoder->connections[i];
		if (!connection->used) {
			oldest = connection; /* those in use are at the front */
			break;
		}
		if (fact_endpoint_equal(connection->client, client) &&
			fact_endpoint_equal(connection->server, server))
			return connection;
		if (connection->heard_ns < oldest->heard_ns)
			oldest = connection;
	}
	connection_finish(oldest);
	oldest->used = true;
	oldest->client = client;
	oldest->server = server;
	return oldest;
}

static bool is_text(const struct connection *connection)
{
	return connection->server.port == FTP_TEXT_PORT;
}

static void sighting_tell(const struct sighting *sighting, const char *name, const char *separator,
	const char *detail)
{
	const struct connection *connection = sighting->connection;
	struct fact fact = *sighting->seen;
	fact.message.protocol = is_text(connection) ? FACT_TEXT : FACT_FTP;
	fact.message.source = sighting->is_command ? connection->client : connection->server;
	fact.message.destination = sighting->is_command ? connection->server : connection->client;
	snprintf(fact.message.name, sizeof(fact.message.name), "%s%s", name, separator);
	snprintf(fact.message.detail, sizeof(fact.message.detail), "%s", detail);
	sighting->decoder->function(sighting->decoder->argument, &fact);
}

static void command_line(const struct sighting *sighting, const char *line, size_t length)
{
	struct ftp_command command;
	char detail[FACT_DETAIL_SIZE];
	ftp_command_parse(line, length, &command);
	ftp_command_describe(&command, line, length, detail, sizeof(detail));
	sighting_tell(sighting, ftp_verb_name(command.verb), "", detail);
}

static void reply_line(const struct sighting *sighting, const char *line, size_t length)
{
	struct connection *connection = sighting->connection;
	struct ftp_reply_line reply;
	char detail[FACT_DETAIL_SIZE], name[FACT_NAME_SIZE] = "?";
	enum ftp_reply_progress progress =
		ftp_reply_reader_line(&connection->reader, line, length, &reply);
	if (progress != FTP_REPLY_MALFORMED)
		snprintf(name, sizeof(name), "%u", reply.code);
	log_quote(line, length, detail, sizeof(detail));
	sighting_tell(sighting, name, progress == FTP_REPLY_MORE ? "-" : "", detail);
	if (progress == FTP_REPLY_COMPLETE && reply.code == AUTH_TLS_ACCEPTED)
		connection->sealed = true;
}

static void side_lines(const struct sighting *sighting, struct ftp_input *input)
{
	const char *line;
	size_t length;
	enum ftp_input_kind kind;
	while ((kind = ftp_input_peek(input, &line, &length)) != FTP_INPUT_NOTHING) {
		if (kind == FTP_INPUT_LINE && !sighting->connection->sealed) {
			if (sighting->is_command)
				command_line(sighting, line, length);
			else
				reply_line(sighting, line, length);
		}
		ftp_input_take(input);
	}
}

/* A name ends with its line, or with what was sent at once. */
static void text_names(const struct sighting *sighting, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t name = 0;
		while (name < length && bytes[name] != '\n' && bytes[name] != '\0')
			name++;
		size_t shown = name && bytes[name - 1] == '\r' ? name - 1 : name;
		char detail[FACT_DETAIL_SIZE];
		bool end = ftp_text_match(bytes, shown, FTP_TEXT_END) == FTP_TEXT_WHOLE;
		log_quote(bytes, shown, detail, sizeof(detail));
		if (shown) {
			sighting_tell(sighting, end ? "end" : "name", "", end ? "" : detail);
			sighting->connection->answered = false;
		}
		name += name < length;
		bytes += name;
		length -= name;
	}
}

static void text_answer(const struct sighting *sighting, const char *bytes, size_t length)
{
	struct connection *connection = sighting->connection;
	const char *line_end = memchr(bytes, '\n', length);
	char detail[FACT_DETAIL_SIZE];
	log_quote(bytes, line_end ? (size_t)(line_end - bytes) : length, detail, 80);
	if (!connection->greeted)
		sighting_tell(sighting, "greeting", "", detail);
	else if (!connection->answered &&
		 ftp_text_match(bytes, length, FTP_TEXT_NOT_FOUND) == FTP_TEXT_WHOLE)
		sighting_tell(sighting, "File not found", "", "");
	else if (!connection->answered)
		sighting_tell(sighting, "file", "", detail);
	connection->greeted = connection->answered = true;
}

static void side_bytes(void *argument, const uint8_t *bytes, size_t length)
{
	const struct sighting *sighting = argument;
	struct connection *connection = sighting->connection;
	if (is_text(connection)) {
		if (bytes && sighting->is_command)
			text_names(sighting, (const char *)bytes, length);
		else if (bytes)
			text_answer(sighting, (const char *)bytes, length);
		return;
	}
	struct ftp_input *input =
		sighting->is_command ? &connection->commands.input : &connection->replies.input;
	if (!bytes) {
		ftp_input_finish(input);
		input->skipping = true; /* up to the next line's beginning */
		return;
	}
	while (length > 0 && !connection->sealed) {
		size_t room = ftp_input_room(input);
		size_t part = length < room ? length : room;
		if (part == 0 || !ftp_input_feed(input, bytes, part))
			return;
		side_lines(sighting, input);
		bytes += part;
		length -= part;
	}
}

void ftp_decoder_frame(
	struct ftp_decoder *decoder, const struct fact *seen, const struct frame *frame)
{
	bool is_command = frame->destination_port == FTP_CONTROL_PORT ||
			  frame->destination_port == FTP_TEXT_PORT;
	struct fact_endpoint source = {frame->source_ip, frame->source_port};
	struct fact_endpoint destination = {frame->destination_ip, frame->destination_port};
	struct connection *connection = connection_find(
		decoder, is_command ? source : destination, is_command ? destination : source);
	connection->heard_ns = seen->time_ns;

	struct side *own = is_command ? &connection->commands : &connection->replies;
	struct side *other = is_command ? &connection->replies : &connection->commands;
	struct sighting sighting = {decoder, connection, seen, is_command};
	struct tcp_segment segment = {
		.sequence = frame->tcp_sequence,
		.opens = frame->tcp_flags & FRAME_TCP_SYN,
		.payload = frame->payload,
		.length = frame->payload_length,
	};
	/* What is missing of the other side was sent before this. */
	if (frame->tcp_flags & FRAME_TCP_ACK) {
		struct sighting reverse = sighting;
		reverse.is_command = !is_command;
		tcp_stream_acknowledged(
			&other->stream, frame->tcp_acknowledged, side_bytes, &reverse);
	}
	if (tcp_stream_begins(&own->stream, &segment)) {
		/* A new connection between the same ports. */
		ftp_input_finish(&own->input);
		connection->sealed = connection->greeted = connection->answered = false;
		connection->reader = (struct ftp_reply_reader){0};
	}
	tcp_stream_segment(&own->stream, &segment, side_bytes, &sighting);
}
