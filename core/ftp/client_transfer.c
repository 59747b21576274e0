/* A transfer, from TYPE to its final reply. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ftp/client_step.h"

/* A listing is text (RFC 959 section 4.1.3); a size is that of the file's transfer (RFC 3659). */
static enum ftp_type type_of(const struct ftp_client *client)
{
	bool file =
		client->task == FTP_RETR || client->task == FTP_STOR || client->task == FTP_SIZE;
	return file && !client->ascii ? FTP_TYPE_IMAGE : FTP_TYPE_ASCII;
}

/* --- the way to the data connection --- */

static void step_way(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	if (client->active) {
		ftp_client_await(step, FTP_CLIENT_LISTENING);
		ftp_client_act(step, FTP_CLIENT_LISTEN);
	} else if (client->no_epsv) {
		ftp_client_send(step, FTP_PASV, "", FTP_CLIENT_PASV);
	} else {
		ftp_client_send(step, FTP_EPSV, "", FTP_CLIENT_EPSV);
	}
}

/* The TYPE is as it is to be. */
static void step_typed(struct ftp_client_step *step)
{
	const struct ftp_client *client = step->client;
	bool file = client->task == FTP_RETR || client->task == FTP_STOR;
	bool asks = client->resume || (client->ask_size && client->task == FTP_RETR);
	if (client->task == FTP_SIZE)
		ftp_client_send(step, FTP_SIZE, client->argument, FTP_CLIENT_COMMAND);
	else if (file && asks && client->type == FTP_TYPE_IMAGE)
		ftp_client_send(step, FTP_SIZE, client->argument, FTP_CLIENT_SIZE);
	else
		step_way(step);
}

void ftp_client_type_begin(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	enum ftp_type type = type_of(client);
	client->replied = client->moved = client->gone = false;
	if (client->type_known && client->type == type) {
		step_typed(step);
		return;
	}
	client->type = type;
	client->type_known = false;
	ftp_client_send(step, FTP_TYPE, type == FTP_TYPE_ASCII ? "A" : "I", FTP_CLIENT_TYPE);
}

void ftp_client_reply_type(struct ftp_client_step *step)
{
	step->client->type_known = ftp_client_reply_is(step, FTP_REPLY_COMPLETION);
	if (step->client->type_known)
		step_typed(step);
	else
		ftp_client_fail(step, FTP_CLIENT_REFUSED);
}

/* "213 12", blanks around the number forgiven. */
static bool size_parse(const struct ftp_client_event *event, uint64_t *ret_bytes)
{
	uint64_t bytes = 0;
	size_t at = 0, end = event->length;
	while (at < end && event->text[at] == ' ')
		at++;
	while (end > at && event->text[end - 1] == ' ')
		end--;
	if (event->code != FTP_REPLY_FILE_STATUS || at == end)
		return false;
	for (; at < end; at++) {
		char byte = event->text[at];
		if (byte < '0' || byte > '9' || __builtin_mul_overflow(bytes, 10, &bytes) ||
			__builtin_add_overflow(bytes, (uint64_t)(byte - '0'), &bytes))
			return false;
	}
	*ret_bytes = bytes;
	return true;
}

/* A server that knows no SIZE, or no such file, says so to REST or to the transfer itself. */
void ftp_client_reply_size(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	client->size_known = size_parse(step->event, &client->size_bytes);
	if (!client->resume) {
		step_way(step);
		return;
	}
	bool get = client->task == FTP_RETR;
	uint64_t there = client->size_known ? client->size_bytes : 0;
	uint64_t source = get ? there : client->local_bytes;
	uint64_t target = get ? client->local_bytes : there;
	client->offset = target;
	if (!client->size_known)
		step_way(step);
	else if (target > source)
		ftp_client_fail(step, FTP_CLIENT_LONGER);
	else if (target == source && source > 0) /* an empty file is still to be made */
		ftp_client_fail(step, FTP_CLIENT_DONE);
	else
		step_way(step);
}

static void step_connect(struct ftp_client_step *step, uint16_t port)
{
	ftp_client_await(step, FTP_CLIENT_CONNECTING);
	struct ftp_client_action *action = ftp_client_act(step, FTP_CLIENT_CONNECT);
	action->endpoint = step->client->peer;
	action->endpoint.port = port;
}

void ftp_client_reply_epsv(struct ftp_client_step *step)
{
	const struct ftp_client_event *event = step->event;
	uint16_t port;
	if (event->code == FTP_REPLY_EXTENDED_PASSIVE &&
		ftp_extended_passive_parse(event->text, event->length, &port)) {
		step_connect(step, port);
	} else if (step->client->peer.family == ENDPOINT_IPV4) {
		step->client->no_epsv = true;
		ftp_client_send(step, FTP_PASV, "", FTP_CLIENT_PASV);
	} else {
		ftp_client_fail(step, FTP_CLIENT_REFUSED);
	}
}

void ftp_client_reply_pasv(struct ftp_client_step *step)
{
	const struct ftp_client_event *event = step->event;
	struct endpoint endpoint;
	if (event->code == FTP_REPLY_PASSIVE &&
		ftp_passive_parse(event->text, event->length, &endpoint))
		step_connect(step, endpoint.port);
	else
		ftp_client_fail(step, FTP_CLIENT_REFUSED);
}

/* REST belongs right before the transfer's command (RFC 3659 section 5.3). */
static void step_open(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	char offset[24];
	if (client->offset > 0 || client->stray_rest) {
		client->stray_rest = false;
		snprintf(offset, sizeof(offset), "%" PRIu64, client->offset);
		ftp_client_send(step, FTP_REST, offset, FTP_CLIENT_REST);
	} else {
		ftp_client_send(step, client->task, client->argument, FTP_CLIENT_OPENING);
	}
}

void ftp_client_reply_rest(struct ftp_client_step *step)
{
	const struct ftp_client *client = step->client;
	if (ftp_client_reply_is(step, FTP_REPLY_INTERMEDIATE))
		ftp_client_send(step, client->task, client->argument, FTP_CLIENT_OPENING);
	else
		ftp_client_fail(step, FTP_CLIENT_REFUSED);
}

void ftp_client_answer_connecting(struct ftp_client_step *step)
{
	if (step->event->outcome == FTP_OUTCOME_DONE)
		step_open(step);
	else
		ftp_client_fail(step, FTP_CLIENT_LOST);
}

void ftp_client_answer_listening(struct ftp_client_step *step)
{
	const struct endpoint *local = &step->event->local;
	char text[FTP_PORT_TEXT_SIZE];
	if (step->event->outcome != FTP_OUTCOME_DONE)
		ftp_client_fail(step, FTP_CLIENT_LOCAL);
	else if (local->family == ENDPOINT_IPV4)
		ftp_client_send(step, FTP_PORT, ftp_port_format(local, text), FTP_CLIENT_PORT);
	else
		ftp_client_send(step, FTP_EPRT, ftp_eprt_format(local, text), FTP_CLIENT_PORT);
}

void ftp_client_reply_port(struct ftp_client_step *step)
{
	if (ftp_client_reply_is(step, FTP_REPLY_COMPLETION))
		step_open(step);
	else
		ftp_client_fail(step, FTP_CLIENT_REFUSED);
}

/* --- the transfer itself --- */

/* Whether data failed to move for a reason on our side: a file, a disk. */
static bool failed_here(enum ftp_outcome outcome)
{
	return outcome == FTP_OUTCOME_LOCAL_ERROR || outcome == FTP_OUTCOME_NO_SPACE;
}

/* Over when both halves are. */
static void step_settle(struct ftp_client_step *step)
{
	const struct ftp_client *client = step->client;
	if (!client->replied || !client->moved)
		return;
	if (client->outcome == FTP_OUTCOME_DONE)
		ftp_client_report(step, FTP_CLIENT_DONE);
	else
		ftp_client_report(
			step, failed_here(client->outcome) ? FTP_CLIENT_LOCAL : FTP_CLIENT_LOST);
}

void ftp_client_reply_opening(struct ftp_client_step *step)
{
	if (!ftp_client_reply_is(step, FTP_REPLY_PRELIMINARY) &&
		!ftp_client_reply_is(step, FTP_REPLY_COMPLETION)) {
		ftp_client_fail(step, FTP_CLIENT_REFUSED);
		return;
	}
	/* A final reply without 150 before it breaks RFC 959; the data is there all the same. */
	step->client->replied = ftp_client_reply_is(step, FTP_REPLY_COMPLETION);
	ftp_client_await(step, FTP_CLIENT_TRANSFER);
	ftp_client_act(step, FTP_CLIENT_MOVE);
}

void ftp_client_reply_transfer(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	bool preliminary = ftp_client_reply_is(step, FTP_REPLY_PRELIMINARY);
	if (preliminary || client->replied) {
		if (++client->surplus > FTP_CLIENT_SURPLUS_MAX)
			ftp_client_end(step, FTP_CLIENT_LOST);
		return;
	}
	if (ftp_client_reply_is(step, FTP_REPLY_COMPLETION)) {
		client->replied = true;
		client->deadline_ns = UINT64_MAX;
		step_settle(step);
		return;
	}
	/* Our own failure explains the server's "aborted". */
	bool ours = client->moved && failed_here(client->outcome);
	ftp_client_fail(step, ours ? FTP_CLIENT_LOCAL : FTP_CLIENT_REFUSED);
}

void ftp_client_moved(struct ftp_client_step *step)
{
	struct ftp_client *client = step->client;
	if (client->state != FTP_CLIENT_TRANSFER || client->moved)
		return;
	client->moved = true;
	client->outcome = step->event->outcome;
	client->deadline_ns = step->now_ns + FTP_CLIENT_REPLY_SECONDS * NS_PER_SECOND;
	if (client->gone && !client->replied)
		ftp_client_end(step, FTP_CLIENT_LOST);
	else
		step_settle(step);
}
