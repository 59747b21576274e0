#include "observe/rtnetlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "observe/errand.h"

enum { DUMP_ATTEMPTS = 32 };

struct rtnetlink_opening {
	unsigned groups;
	int fd;
};

static int rtnetlink_open_here(void *argument, struct error *error)
{
	struct rtnetlink_opening *opening = argument;
	int type = SOCK_RAW | SOCK_CLOEXEC | (opening->groups ? SOCK_NONBLOCK : 0);
	CLEANUP(close_fd) int fd = socket(AF_NETLINK, type, NETLINK_ROUTE);
	if (fd < 0)
		return error_system(error, -errno, "cannot open a netlink socket");
	struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = opening->groups};
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return error_system(error, -errno, "cannot bind a netlink socket");
	opening->fd = take_fd(&fd);
	return 0;
}

int rtnetlink_open(int netns_fd, unsigned groups, int *ret_fd, struct error *error)
{
	struct rtnetlink_opening opening = {.groups = groups};
	struct errand errand = {
		.netns_fd = netns_fd, .function = rtnetlink_open_here, .argument = &opening};
	int status = errands_run(&errand, 1, error);
	if (status < 0)
		return status;
	*ret_fd = opening.fd;
	return 0;
}

int rtnetlink_receive(int fd, void *buffer, size_t size)
{
	for (;;) {
		struct sockaddr_nl sender = {0};
		socklen_t sender_size = sizeof(sender);
		ssize_t length = recvfrom(
			fd, buffer, size, MSG_TRUNC, (struct sockaddr *)&sender, &sender_size);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		/* Cut off: as good as lost. Port 0 is the kernel. */
		if ((size_t)length > size)
			return -ENOBUFS;
		if (sender_size == sizeof(sender) && sender.nl_pid == 0)
			return (int)length;
	}
}

struct dump_state {
	unsigned sequence;
	bool inconsistent;
	bool done;
};

/* mnl_cb_run() leaves an inconsistent dump at its first message; we need to see its end too. */
static int dump_messages(
	const struct rtnetlink_dump *dump, struct dump_state *state, const char *buffer, int length)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
	for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length)) {
		if (!mnl_nlmsg_seq_ok(message, state->sequence))
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			state->inconsistent = true;
		if (message->nlmsg_type == NLMSG_DONE) {
			state->done = true;
			return 0;
		}
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *failure = mnl_nlmsg_get_payload(message);
			bool whole = mnl_nlmsg_get_payload_len(message) >= sizeof(*failure);
			return whole && failure->error < 0 ? failure->error : -EBADMSG;
		}
		if (message->nlmsg_type < NLMSG_MIN_TYPE || state->inconsistent)
			continue;
		int status = dump->each(dump->argument, message);
		if (status < 0)
			return status;
	}
	return 0;
}

static int dump_request(int fd, unsigned sequence, uint16_t type)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg body; /* the longest of the four; only the family counts */
	} request = {
		.header =
			{
				.nlmsg_len = sizeof(request),
				.nlmsg_type = type,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
				.nlmsg_seq = sequence,
			},
		.body = {.ifi_family = AF_UNSPEC},
	};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent = sendto(
		fd, &request, sizeof(request), 0, (struct sockaddr *)&kernel, sizeof(kernel));
	return sent < 0 ? -errno : 0;
}

/* Returns 0, -EINTR where the dump is inconsistent, or another negative errno. */
static int dump_attempt(int fd, unsigned sequence, const struct rtnetlink_dump *dump)
{
	CLEANUP(free_pointer) char *buffer = malloc(RTNETLINK_BUFFER_SIZE);
	if (!buffer)
		return -ENOMEM;
	int status = dump_request(fd, sequence, dump->type);
	struct dump_state state = {.sequence = sequence};
	while (status == 0 && !state.done) {
		int length = rtnetlink_receive(fd, buffer, RTNETLINK_BUFFER_SIZE);
		status = length < 0 ? length : dump_messages(dump, &state, buffer, length);
	}
	return status == 0 && state.inconsistent ? -EINTR : status;
}

int rtnetlink_dump(int fd, const struct rtnetlink_dump *dump, struct error *error)
{
	int status = -EINTR;
	for (unsigned attempt = 1; status == -EINTR && attempt <= DUMP_ATTEMPTS; attempt++) {
		dump->restart(dump->argument);
		status = dump_attempt(fd, attempt, dump);
	}
	if (status < 0)
		return error_system(error, status, "cannot read the kernel's network state");
	return 0;
}
