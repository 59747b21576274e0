#include "lab/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "lab/attach_parts.h"

enum {
	ANSWER_MS = 60 * 1000, /* a list of 10,000 nodes takes seconds */
	DOWN_MS = 7 * 1000, /* processes have one second, the observer five */
	GONE_MS = 5 * 1000,
};

static int none_up(const char *name, const struct registered *killed, struct error *error)
{
	if (killed)
		return error_set(error, -ENOENT,
			"the lab '%s' is not up any more: its supervisor was killed, and nothing "
			"of the lab is left",
			killed->name);
	return name ? error_set(error, -ENOENT, "no lab '%s' is up; 'sim ps' shows those that are",
			      name)
		    : error_set(error, -ENOENT, "no lab is up; 'sim up TOPOLOGY' brings one up");
}

static int several_up(const struct registered *labs, size_t count, struct error *error)
{
	CLEANUP(text_finish) struct text names = {0};
	for (size_t i = 0; i < count; i++)
		if (labs[i].up && names.length < 300)
			text_append(&names, "%s%s", names.length ? ", " : "", labs[i].name);
	return error_set(error, -EEXIST, "several labs are up (%s): say which, as in LAB:NODE",
		text_view(&names));
}

/* Root's lab of that name stands behind the caller's own. */
int attach_find(const char *name, struct registered *ret_lab, struct error *error)
{
	CLEANUP(free_pointer) struct registered *labs = NULL;
	const struct registered *found = NULL, *killed = NULL;
	size_t count, up = 0;
	int status = registry_list(&labs, &count, error);
	if (status < 0)
		return status;
	for (size_t i = 0; i < count; i++) {
		bool named = !name || strcmp(labs[i].name, name) == 0;
		if (named && !labs[i].up)
			killed = &labs[i];
		if (!named || !labs[i].up)
			continue;
		if (!found || found->root)
			found = &labs[i];
		up++;
	}
	if (!found)
		return none_up(name, killed, error);
	if (!name && up > 1)
		return several_up(labs, count, error);
	*ret_lab = *found;
	return 0;
}

int attach_find_at(
	const char *where, struct registered *ret_lab, const char **ret_rest, struct error *error)
{
	const char *colon = strchr(where, ':');
	CLEANUP(free_pointer)
	char *name = colon ? strndup(where, (size_t)(colon - where)) : NULL;
	if (colon && !name)
		return error_set(error, -ENOMEM, "out of memory");
	*ret_rest = colon ? colon + 1 : where;
	return attach_find(name, ret_lab, error);
}

int attach_lost(struct error *error)
{
	return error_set(
		error, -ECONNRESET, "the lab was taken down, and all that ran in it with it");
}

/* Until something can be received, or the time is over: -ETIME. */
static int await(int fd, int most_ms)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	int ready;
	do
		ready = poll(&readable, 1, most_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 ? 0 : ready == 0 ? -ETIME : -errno;
}

int attach_receive(int fd, struct lab_control_packet *packet, struct error *error)
{
	int status = lab_control_receive(fd, packet);
	if (status == 0 || status == -ECONNRESET)
		return attach_lost(error);
	if (status < 0)
		return error_system(error, status, "cannot hear the lab");
	if (packet->kind != LAB_CONTROL_FAILED || packet->length != sizeof(*error))
		return 0;
	memcpy(error, packet->content, sizeof(*error));
	return error->code;
}

static int answer_read(int fd, json_t **ret_value, struct error *error)
{
	json_error_t wrong;
	*ret_value = json_loadfd(fd, 0, &wrong);
	return *ret_value ? 0
			  : error_set(error, -EBADMSG, "the lab's answer is none: %s", wrong.text);
}

int attach_list(const struct registered *lab, enum attach_list_of what, json_t **ret_value,
	struct error *error)
{
	static const char *const words[] = {[ATTACH_ALL] = "all",
		[ATTACH_FIRST] = LAB_CONTROL_LIST_FIRST,
		[ATTACH_NAMES] = LAB_CONTROL_LIST_NAMES};
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(free_pointer) struct lab_control_packet *packet = malloc(sizeof(*packet));
	if (!packet)
		return error_set(error, -ENOMEM, "out of memory");
	int status = registered_connect(lab, &fd, error);
	if (status < 0)
		return status;
	status = lab_control_send(
		fd, LAB_CONTROL_LIST, words[what], strlen(words[what]) + 1, NULL, 0);
	if (status == 0)
		status = await(fd, ANSWER_MS * (int)clock_scale());
	if (status < 0)
		return error_system(error, status, "the lab '%s' does not answer", lab->name);
	status = attach_receive(fd, packet, error);
	if (status < 0)
		return status;
	if (lseek(packet->fds[0], 0, SEEK_SET) < 0)
		status = error_set(error, -EBADMSG, "the lab's answer is none");
	else
		status = answer_read(packet->fds[0], ret_value, error);
	lab_control_packet_finish(packet);
	return status;
}

/* The supervisor, as the kernel names it: it called listen(). */
static int supervisor_open(int fd, int *ret_pidfd, struct error *error)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.pid <= 0 ||
		(*ret_pidfd = pidfd_open(peer.pid, 0)) < 0)
		return error_system(error, -errno, "cannot find the lab's supervisor");
	return 0;
}

/* Its last words; one that had none was ended by others. */
static void end_read(int fd, struct attach_fall *ret_fall)
{
	CLEANUP(free_pointer) struct lab_control_packet *packet = malloc(sizeof(*packet));
	if (!packet || lab_control_receive(fd, packet) <= 0)
		return;
	if (packet->kind == LAB_CONTROL_ENDED && packet->length > sizeof(int32_t))
		snprintf(ret_fall->notes, sizeof(ret_fall->notes), "%s",
			packet->content + sizeof(int32_t));
	lab_control_packet_finish(packet);
}

int attach_down(const struct registered *lab, struct attach_fall *ret_fall, struct error *error)
{
	*ret_fall = (struct attach_fall){0};
	CLEANUP(close_fd) int fd = -1, pidfd = -1;
	int status = registered_connect(lab, &fd, error);
	if (status == 0)
		status = supervisor_open(fd, &pidfd, error);
	if (status < 0)
		return status;
	/* It says when all is gone, or has ended itself. */
	status = lab_control_send(fd, LAB_CONTROL_DOWN, NULL, 0, NULL, 0);
	if (status == 0)
		status = await(fd, DOWN_MS * (int)clock_scale());
	ret_fall->killed = status < 0;
	if (status == 0) {
		end_read(fd, ret_fall);
		return 0;
	}
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return error_system(error, -errno,
			"the lab '%s' does not answer, and its supervisor cannot be killed",
			lab->name);
	if (await(pidfd, GONE_MS * (int)clock_scale()) < 0)
		return error_set(
			error, -ETIME, "the lab '%s' does not end, even killed", lab->name);
	struct registered ignored;
	struct error buried;
	attach_find(lab->name, &ignored, &buried); /* removes its two files */
	return 0;
}
