#include "programs/shared/interface_name.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

/* As NLA_ALIGN, without its sign. */
static size_t aligned(size_t length)
{
	return (length + 3) & ~(size_t)3;
}

struct request {
	struct nlmsghdr head;
	struct ifinfomsg body;
	struct nlattr attribute;
	char name[INTERFACE_NAME_MOST + 1];
};

/* The answer into `answer`; its length, or a negative errno. */
static ssize_t ask(const char *name, void *answer, size_t size)
{
	struct request request = {
		.head = {.nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
		.body = {.ifi_family = AF_UNSPEC},
		.attribute = {.nla_type = IFLA_ALT_IFNAME},
	};
	size_t length = strlen(name) + 1;
	memcpy(request.name, name, length);
	request.attribute.nla_len = (uint16_t)(sizeof(request.attribute) + length);
	request.head.nlmsg_len = (uint32_t)(offsetof(struct request, name) + aligned(length));
	CLEANUP(close_fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &request, request.head.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t got = recv(fd, answer, size, 0);
	return got < 0 ? -errno : got;
}

/* The value of IFLA_IFNAME among the attributes of an RTM_NEWLINK; false where there is none. */
static bool name_of(const uint8_t *at, const uint8_t *end, char ret_name[static IF_NAMESIZE])
{
	struct nlattr attribute;
	while ((size_t)(end - at) >= sizeof(attribute)) {
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > end - at)
			return false;
		size_t length = attribute.nla_len - sizeof(attribute);
		if (attribute.nla_type == IFLA_IFNAME && length && length <= IF_NAMESIZE) {
			memcpy(ret_name, at + sizeof(attribute), length);
			ret_name[length - 1] = '\0';
			return true;
		}
		size_t step = aligned(attribute.nla_len);
		at = step < (size_t)(end - at) ? at + step : end;
	}
	return false;
}

int interface_name_find(const char *name, char ret_name[static IF_NAMESIZE], struct error *error)
{
	uint8_t answer[16384];
	struct nlmsghdr head;
	const size_t before = sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg);
	if (strlen(name) < IF_NAMESIZE) {
		snprintf(ret_name, IF_NAMESIZE, "%s", name);
		return 0;
	}
	ssize_t got = strlen(name) > INTERFACE_NAME_MOST ? 0 : ask(name, answer, sizeof(answer));
	if (got < 0)
		return error_system(error, (int)got, "cannot look for the interface '%s'", name);
	if ((size_t)got >= before) {
		memcpy(&head, answer, sizeof(head));
		if (head.nlmsg_type == RTM_NEWLINK &&
			name_of(answer + before, answer + got, ret_name))
			return 0;
	}
	return error_set(error, -ENODEV, "there is no interface '%s'", name);
}
