#include "programs/dhcp/socket_message.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

void socket_message_to_receive(
	struct socket_message *message, void *buffer, size_t size, struct msghdr *header)
{
	message->piece = (struct iovec){.iov_base = buffer, .iov_len = size};
	*header = (struct msghdr){
		.msg_name = &message->address,
		.msg_namelen = sizeof(message->address),
		.msg_iov = &message->piece,
		.msg_iovlen = 1,
		.msg_control = message->control.bytes,
		.msg_controllen = sizeof(message->control.bytes),
	};
}

void socket_message_to_send(struct socket_message *message, size_t address_size, const void *bytes,
	size_t length, struct msghdr *header)
{
	message->piece = (struct iovec){.iov_base = (void *)bytes, .iov_len = length};
	*header = (struct msghdr){
		.msg_name = &message->address,
		.msg_namelen = (socklen_t)address_size,
		.msg_iov = &message->piece,
		.msg_iovlen = 1,
	};
}

bool socket_message_control(struct msghdr *header, int level, int type, void *ret, size_t size)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
		control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != level || control->cmsg_type != type ||
			control->cmsg_len < CMSG_LEN(size))
			continue;
		memcpy(ret, CMSG_DATA(control), size);
		return true;
	}
	return false;
}

void socket_message_set_control(struct msghdr *header, struct socket_message *message,
	const struct cmsghdr *kind, const void *value)
{
	memset(&message->control, 0, sizeof(message->control));
	header->msg_control = message->control.bytes;
	header->msg_controllen = CMSG_SPACE(kind->cmsg_len);
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	part->cmsg_level = kind->cmsg_level;
	part->cmsg_type = kind->cmsg_type;
	part->cmsg_len = CMSG_LEN(kind->cmsg_len);
	memcpy(CMSG_DATA(part), value, kind->cmsg_len);
}

/* Errors that belong to something sent earlier, or to an interface: each is told only once. */
static bool is_passing(int code)
{
	static const int passing[] = {EINTR, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN,
		ENETDOWN, ENODEV, ENOPROTOOPT, EMSGSIZE, EACCES, EPERM};
	for (size_t i = 0; i < ARRAY_LENGTH(passing); i++)
		if (passing[i] == code)
			return true;
	return false;
}

int socket_receive(int fd, struct mmsghdr *headers, unsigned count, struct error *error)
{
	enum { PASSING_MAX = 16 }; /* one that stays must not hold the program up */
	for (unsigned i = 0; i < PASSING_MAX; i++) {
		int received = recvmmsg(fd, headers, count, MSG_DONTWAIT, NULL);
		if (received >= 0)
			return received;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		if (!is_passing(errno))
			break;
	}
	return error_system(error, -errno, "cannot receive");
}

unsigned socket_send(
	int fd, struct mmsghdr *headers, unsigned count, unsigned *ret_first, struct error *error)
{
	unsigned failed = 0;
	for (unsigned at = 0; at < count;) {
		int sent = sendmmsg(fd, headers + at, count - at, MSG_NOSIGNAL);
		if (sent > 0) {
			at += (unsigned)sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (failed++ == 0) {
			*ret_first = at;
			error_system(error, -errno, "cannot send");
		}
		at++;
	}
	return failed;
}
