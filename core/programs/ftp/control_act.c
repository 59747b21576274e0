#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "programs/ftp/control_job.h"
#include "programs/ftp/control_parts.h"
#include "programs/ftp/service.h"

/* Of a reply, not of a transfer: all of it waits in memory until the client reads. */
#define STATUS_BYTES_MAX (32 * 1024)

static const struct store *store_of(const struct control *control)
{
	return &control->account->store;
}

/* --- log-in --- */

void control_log_out(struct control *control)
{
	control_job_forget(control);
	control->account = NULL;
	accounts_release(&control->accounts);
}

static void act_log_in(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	struct service *service = control->service;
	const struct account *account = accounts_find(service->accounts, control->session.name);
	control_log_out(control);
	control->accounts = accounts_hold(service->accounts);
	control->account = account;
	if (account && !account->hash && account->rights) {
		service->counters.logins++;
		answer->rights = account->rights;
	} else if (!control_job_verify(control, action->text)) {
		answer->outcome = FTP_OUTCOME_LOCAL_ERROR;
	}
}

static void act_log_out(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	(void)action, (void)answer;
	control_log_out(control);
}

/* --- looking --- */

static void act_check_directory(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	answer->outcome = store_check_directory(store_of(control), action->path);
}

static void act_facts(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	answer->outcome = store_look(store_of(control), action->path, &answer->entry);
}

static void act_size(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	CLEANUP(close_fd) int fd = -1;
	const char *path = action->path;
	answer->outcome = store_open_source(store_of(control), path, &fd, &answer->size_bytes);
	if (answer->outcome == FTP_OUTCOME_NOT_FOUND && control->service->keeps)
		answer->outcome =
			store_open_kept(store_of(control), path, &fd, &answer->size_bytes);
	/* In TYPE A it is what would go over the wire: that takes a look at all of it. */
	if (answer->outcome == FTP_OUTCOME_DONE && control->session.type == FTP_TYPE_ASCII &&
		!control_job_measure(control, take_fd(&fd)))
		answer->outcome = FTP_OUTCOME_LOCAL_ERROR;
}

static void act_listing(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	const struct store_listing how = {.before = " "};
	answer->outcome = store_look(store_of(control), action->path, &answer->entry);
	if (answer->outcome == FTP_OUTCOME_DONE &&
		!control_job_status(control,
			store_list_create(store_of(control), action->path, &how), STATUS_BYTES_MAX,
			&answer->entry))
		answer->outcome = FTP_OUTCOME_LOCAL_ERROR;
}

/* --- changing --- */

static void act_set_time(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	answer->outcome = store_set_time(store_of(control), action->path, action->seconds);
}

static void act_delete(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	int gone;
	answer->outcome = store_delete(store_of(control), action->path, &gone);
	control_job_close(control->service, gone);
}

static void act_remove_directory(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	answer->outcome = store_remove_directory(store_of(control), action->path);
}

static void act_make_directory(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	answer->outcome = store_make_directory(store_of(control), action->path);
}

static void act_rename(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	int gone;
	answer->outcome = store_rename(store_of(control), action->path, action->other, &gone);
	control_job_close(control->service, gone);
}

/* --- opening --- */

static void act_listen(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	struct error error;
	(void)action;
	answer->outcome = FTP_OUTCOME_NO_PORT;
	if (!control_knows_local(control))
		return;
	if (data_listen(&control->data, &control->local, &control->session.peer, &answer->local,
		    &error) < 0)
		log_line("%s: %s", control->guest.name, error.text);
	else if (!control_hold(control, &answer->local))
		answer->outcome = FTP_OUTCOME_DONE;
}

static void act_open_source(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	uint64_t size_bytes, restart_bytes = control->session.restart_bytes;
	bool ascii = control->session.type == FTP_TYPE_ASCII;
	answer->outcome =
		store_open_source(store_of(control), action->path, &control->source, &size_bytes);
	if (answer->outcome != FTP_OUTCOME_DONE)
		return;
	transfer_prepare_file(&control->transfer, TRANSFER_SEND_FILE, control->source, ascii);
	if (restart_bytes == 0 && ascii)
		return;
	if (ascii) {
		if (!control_job_seek(control, restart_bytes))
			answer->outcome = FTP_OUTCOME_LOCAL_ERROR;
	} else if (restart_bytes > size_bytes ||
		   (restart_bytes > 0 &&
			   lseek(control->source, (off_t)restart_bytes, SEEK_SET) < 0)) {
		answer->outcome = FTP_OUTCOME_BEYOND_END;
	} else {
		control->transfer.expected_bytes = size_bytes - restart_bytes;
	}
}

static void act_open_sink(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	const struct ftp_session *session = &control->session;
	bool ascii = session->type == FTP_TYPE_ASCII;
	struct store_sink_request request = {
		.kind = action->sink,
		.restart_bytes = session->restart_bytes,
		.may_change = session->rights & FTP_MAY_CHANGE,
		.keeps = control->service->keeps,
	};
	answer->outcome =
		store_open_sink(store_of(control), action->path, &request, &control->sink);
	if (answer->outcome != FTP_OUTCOME_DONE)
		return;
	answer->name = control->sink.draft.name;
	transfer_prepare_file(&control->transfer, TRANSFER_RECEIVE, control->sink.draft.fd, ascii);
	control->transfer.expected_bytes = session->allocated_bytes;
	bool begun = control->sink.former >= 0 || control->sink.former_is_draft;
	if (begun && !control_job_begin(control))
		answer->outcome = FTP_OUTCOME_LOCAL_ERROR;
}

static void act_open_listing(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	const struct store_listing how = {
		.form = action->form,
		.view = {.facts = control->session.facts, .rights = control->session.rights},
		.before = "",
		.asked = action->text,
	};
	struct store_list *list = store_list_create(store_of(control), action->path, &how);
	if (!control_job_list(control, list, LISTING_PIECE_BYTES))
		answer->outcome = FTP_OUTCOME_LOCAL_ERROR;
}

/* --- the connections --- */

static void act_start(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	(void)action;
	control_data_start(control, answer);
}

static void act_drop_data(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	(void)action, (void)answer;
	control_data_drop(control);
}

static void act_reply(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	(void)answer;
	control_send(control, action->text, action->length);
}

static void act_start_tls(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	(void)action, (void)answer;
	control_start_tls(control);
}

static void act_close(
	struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	(void)action, (void)answer;
	control_close(control);
}

/* What each action does; `asks`: the session waits for its answer. */
static const struct {
	void (*run)(
		struct control *control, const struct ftp_action *action, struct ftp_event *answer);
	bool asks;
} acts[FTP_ACTION_KIND_COUNT] = {
	[FTP_ACTION_REPLY] = {act_reply, false},
	[FTP_ACTION_LOG_IN] = {act_log_in, true},
	[FTP_ACTION_LOG_OUT] = {act_log_out, false},
	[FTP_ACTION_START_TLS] = {act_start_tls, false},
	[FTP_ACTION_CHECK_DIRECTORY] = {act_check_directory, true},
	[FTP_ACTION_ASK_SIZE] = {act_size, true},
	[FTP_ACTION_ASK_FACTS] = {act_facts, true},
	[FTP_ACTION_SET_TIME] = {act_set_time, true},
	[FTP_ACTION_DELETE] = {act_delete, true},
	[FTP_ACTION_REMOVE_DIRECTORY] = {act_remove_directory, true},
	[FTP_ACTION_MAKE_DIRECTORY] = {act_make_directory, true},
	[FTP_ACTION_RENAME] = {act_rename, true},
	[FTP_ACTION_ASK_LISTING] = {act_listing, true},
	[FTP_ACTION_LISTEN] = {act_listen, true},
	[FTP_ACTION_OPEN_SOURCE] = {act_open_source, true},
	[FTP_ACTION_OPEN_SINK] = {act_open_sink, true},
	[FTP_ACTION_OPEN_LISTING] = {act_open_listing, true},
	[FTP_ACTION_START] = {act_start, true},
	[FTP_ACTION_DROP_DATA] = {act_drop_data, false},
	[FTP_ACTION_CLOSE] = {act_close, false},
};

bool control_act(struct control *control, const struct ftp_action *action, struct ftp_event *answer)
{
	bool asks = acts[action->kind].asks;
	if (asks)
		*answer = (struct ftp_event){.kind = FTP_EVENT_ANSWER};
	acts[action->kind].run(control, action, answer);
	/* Else a thread, the transfer or a timer will answer. */
	return asks && !control->job && !control->moving && !control->held;
}
