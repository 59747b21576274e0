#include "programs/dhcp/address_watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/cleanup.h"

int address_watch_open(int *ret_fd, struct error *error)
{
	CLEANUP(close_fd)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR,
	};
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot watch the machine's addresses");
	*ret_fd = take_fd(&fd);
	return 0;
}

void address_watch_drain(int fd)
{
	enum { MOST = 1000 }; /* what comes faster than that is left for the next turn */
	char bytes[16384];
	for (unsigned i = 0; i < MOST; i++)
		/* ENOBUFS: some were lost, and that too is news. */
		if (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) < 0 && errno != ENOBUFS &&
			errno != EINTR)
			return;
}
