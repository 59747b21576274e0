/* A link_socket and its batches. */
#include "kernel/link_batch.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

int link_socket_open(struct link_socket *ret_socket, struct error *error)
{
	struct nl_sock *socket = nl_socket_alloc();
	if (!socket)
		return error_set(error, -ENOMEM, "out of memory");
	int status = nl_connect(socket, NETLINK_ROUTE);
	if (status < 0) {
		nl_socket_free(socket);
		return error_set(
			error, -EIO, "cannot open a netlink socket: %s", nl_geterror(status));
	}
	/* The batch is written before it is read: it need not be cleared for each node. */
	memset(ret_socket, 0, offsetof(struct link_socket, batch));
	ret_socket->socket = socket;
	return 0;
}

void link_socket_close(struct link_socket *socket)
{
	if (socket->socket)
		nl_socket_free(socket->socket);
	socket->socket = NULL;
}

int link_queue(struct link_socket *socket, const struct nlmsghdr *message, const char *what,
	struct error *error)
{
	size_t size = NLMSG_ALIGN(message->nlmsg_len);
	if (size > sizeof(socket->batch))
		return error_set(error, -EMSGSIZE, "cannot %s: the message is too long", what);
	int status = 0;
	if (socket->waiting_count == LINK_BATCH_MOST ||
		size > sizeof(socket->batch) - socket->length)
		status = link_flush(socket, error);
	if (status < 0)
		return status;
	struct nlmsghdr *copy = (struct nlmsghdr *)(socket->batch + socket->length);
	memcpy(copy, message, message->nlmsg_len);
	copy->nlmsg_flags |= NLM_F_REQUEST;
	/* Not of libnl's numbers: what is asked at once (link_find) is checked by those. */
	copy->nlmsg_seq = socket->sequence++;
	if (!socket->waiting_count)
		socket->first_sequence = copy->nlmsg_seq;
	socket->waiting[socket->waiting_count++] =
		(struct link_waiting){what, socket->tell, socket->about, socket->forgiven};
	socket->last = socket->length;
	socket->length += size;
	return 0;
}

/* One sentence of what could not be done, about what, and why. */
static int refused(const struct link_waiting *waiting, int code, struct error *error)
{
	CLEANUP(text_finish) struct text about = {0};
	if (waiting->tell) {
		waiting->tell(waiting->about, &about);
		text_append(&about, ": ");
	}
	return error_set(
		error, code, "%scannot %s: %s", text_view(&about), waiting->what, strerror(-code));
}

/* Answers, each to one message; returns whether that to the last one is among them. */
static bool hear(
	const struct link_socket *socket, char *answers, size_t length, struct error *error)
{
	struct nlmsghdr *answer = (struct nlmsghdr *)answers;
	int left = (int)length;
	for (; nlmsg_ok(answer, left); answer = nlmsg_next(answer, &left)) {
		size_t number = answer->nlmsg_seq - socket->first_sequence;
		if (answer->nlmsg_type != NLMSG_ERROR || number >= socket->waiting_count)
			continue;
		const struct nlmsgerr *told = nlmsg_data(answer);
		const struct link_waiting *waiting = &socket->waiting[number];
		/* What follows from the first failure need not be told. */
		if (told->error && told->error != waiting->forgiven && !error->code)
			refused(waiting, told->error, error);
		if (number + 1 == socket->waiting_count)
			return true;
	}
	return false;
}

/*
 * Hear what became of the batch. Where most of it fails the answers may not fit the socket's buffer:
 * then the last one is lost, but not the first.
 */
static int hear_all(const struct link_socket *socket, struct error *error)
{
	struct error failure = {0};
	char answers[32768];
	int flags = 0, fd = nl_socket_get_fd(socket->socket);
	for (bool heard = false; !heard;) {
		ssize_t length = recv(fd, answers, sizeof(answers), flags);
		if (length >= 0)
			heard = hear(socket, answers, (size_t)length, &failure);
		else if (errno == ENOBUFS)
			flags = MSG_DONTWAIT;
		else if (failure.code)
			break;
		else if (errno != EINTR)
			return error_system(
				error, -errno, "cannot hear the answer of the kernel's network");
	}
	return failure.code ? error_set(error, failure.code, "%s", failure.text) : 0;
}

int link_flush(struct link_socket *socket, struct error *error)
{
	if (!socket->waiting_count)
		return 0;
	/* Of the others only those are answered that fail. */
	((struct nlmsghdr *)(socket->batch + socket->last))->nlmsg_flags |= NLM_F_ACK;
	if (send(nl_socket_get_fd(socket->socket), socket->batch, socket->length, 0) < 0)
		return error_system(error, -errno, "cannot speak to the kernel's network");
	int status = hear_all(socket, error);
	socket->waiting_count = socket->length = 0;
	return status;
}
