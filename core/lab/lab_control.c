#include "lab/lab_control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cleanup.h"

int lab_control_send(int fd, enum lab_control_kind kind, const void *content, size_t length,
	const int *fds, size_t fd_count)
{
	char byte = (char)kind;
	struct iovec parts[2] = {{&byte, 1}, {(void *)content, length}};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * LAB_CONTROL_FDS_MOST)];
	} rights = {0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = length ? 2 : 1};
	if (length > LAB_CONTROL_CONTENT_MOST || fd_count > LAB_CONTROL_FDS_MOST)
		return -EMSGSIZE;
	if (fd_count) {
		message.msg_control = rights.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static void fds_take(struct msghdr *message, struct lab_control_packet *packet)
{
	size_t taken = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
		header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (taken < LAB_CONTROL_FDS_MOST)
				packet->fds[taken++] = fd;
			else
				close(fd);
		}
	}
}

int lab_control_receive(int fd, struct lab_control_packet *packet)
{
	char byte = 0;
	struct iovec parts[2] = {{&byte, 1}, {packet->content, LAB_CONTROL_CONTENT_MOST}};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * LAB_CONTROL_FDS_MOST)];
	} rights = {0};
	struct msghdr message = {.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = rights.bytes,
		.msg_controllen = sizeof(rights.bytes)};
	for (size_t i = 0; i < LAB_CONTROL_FDS_MOST; i++)
		packet->fds[i] = -1;
	ssize_t length;
	do
		length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	fds_take(&message, packet);
	if (length == 0)
		return 0;
	packet->kind = (enum lab_control_kind)byte;
	packet->length = (size_t)length - 1;
	packet->content[packet->length] = '\0';
	return message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EBADMSG : 1;
}

void lab_control_packet_finish(struct lab_control_packet *packet)
{
	for (size_t i = 0; i < LAB_CONTROL_FDS_MOST; i++)
		close_fd(&packet->fds[i]);
}

int lab_control_words(struct lab_control_packet *packet, char **words)
{
	int count = 0;
	if (packet->length && packet->content[packet->length - 1] != '\0')
		return -EBADMSG;
	for (char *at = packet->content; at < packet->content + packet->length;
		at += strlen(at) + 1) {
		if (count == LAB_CONTROL_WORDS_MOST)
			return -EBADMSG;
		words[count++] = at;
	}
	words[count] = NULL;
	return count;
}
