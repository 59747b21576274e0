/* The files that a client of the text protocol asks for: opened, sent, counted and logged. */
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/text_guest_parts.h"

static const struct account *account_of(const struct text_guest *client)
{
	return accounts_find(client->service->accounts, "anonymous");
}

/* Count what was sent, and write it to the logs. */
static void record(struct text_guest *client, enum ftp_outcome outcome)
{
	struct service_counters *counters = &client->service->counters;
	const struct account *account = account_of(client);
	struct transfer_record record = {
		.client = &client->peer,
		.user = "",
		.root = account->root ? account->root : "",
		.path = client->text.path,
		.complete = outcome == FTP_OUTCOME_DONE,
		.bytes = client->transfer.bytes,
		.duration_ns = clock_monotonic_ns() - client->began_ns,
		.ended_seconds = (int64_t)(clock_realtime_ns() / NS_PER_SECOND),
	};
	counters->bytes_out += record.bytes;
	*(record.complete ? &counters->downloads : &counters->failed_transfers) += 1;
	if (text_guest_told(client, DIARY_REQUEST))
		log_line("%s was sent %llu bytes%s", client->guest.name,
			(unsigned long long)record.bytes, record.complete ? "" : ", aborted");
	transfer_log_write(&client->service->log, &record);
	client->moving = false;
}

void text_guest_end_transfer(struct text_guest *client)
{
	if (client->moving)
		record(client, FTP_OUTCOME_LOST);
	transfer_stop(&client->transfer);
	close_fd(&client->source);
}

static void sent(void *owner, enum ftp_outcome outcome)
{
	struct text_guest *client = owner;
	record(client, outcome);
	text_guest_end_transfer(client);
	text_guest_step(
		client, &(struct ftp_text_event){.kind = FTP_TEXT_SENT, .outcome = outcome});
	text_guest_settle(client);
}

enum ftp_outcome text_guest_open(struct text_guest *client, const char *path)
{
	return store_open_source(
		&account_of(client)->store, path, &client->source, &client->expected_bytes);
}

/* The transfer has a descriptor of its own to close, as a file's end is not the connection's. */
void text_guest_start(struct text_guest *client)
{
	struct stream stream = {.fd = fcntl(client->fd, F_DUPFD_CLOEXEC, 0)};
	if (stream.fd < 0) {
		text_guest_reset(client, "no descriptor is left");
		return;
	}
	client->began_ns = clock_monotonic_ns();
	client->moving = true;
	transfer_prepare_file(&client->transfer, TRANSFER_SEND_FILE, client->source, false);
	client->transfer.expected_bytes = client->expected_bytes;
	transfer_start(&client->transfer, client->service->base, &stream);
}

void text_guest_init_transfer(struct text_guest *client)
{
	client->source = -1;
	transfer_init(&client->transfer, sent, client);
	client->transfer.patience = clock_timeval(client->service->stall_ns);
}
