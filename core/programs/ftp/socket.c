#include "programs/ftp/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

bool socket_local(int fd, struct endpoint *ret_endpoint)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       endpoint_from_sockaddr(&address, ret_endpoint);
}

bool socket_peer(int fd, struct endpoint *ret_endpoint)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	return getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
	       endpoint_from_sockaddr(&address, ret_endpoint);
}

static int socket_stream(const struct endpoint *endpoint)
{
	int family = endpoint->family == ENDPOINT_IPV6 ? AF_INET6 : AF_INET;
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int socket_listen(const struct endpoint *local, int backlog, int *ret_fd, struct error *error)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(local, &address);
	CLEANUP(close_fd) int fd = socket_stream(local);
	if (fd < 0)
		return error_system(error, -errno, "cannot make a socket");
	/*
	 * A restart must not wait for the last connections' TIME_WAIT, and neither must data ports:
	 * each of those waits a minute, and all that there are would be gone after 30,000 files.
	 */
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, backlog) < 0)
		return error_system(error, -errno, "cannot listen on %s", ENDPOINT_TEXT(local));
	*ret_fd = take_fd(&fd);
	return 0;
}

int socket_connect(const struct endpoint *remote, const struct endpoint *local, int *ret_fd)
{
	struct sockaddr_storage address;
	CLEANUP(close_fd) int fd = socket_stream(remote);
	if (fd < 0)
		return -errno;
	if (local) {
		struct endpoint from = *local;
		int on = 1;
		from.port = 0;
		socklen_t length = endpoint_to_sockaddr(&from, &address);
		setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&address, length) < 0)
			return -errno;
	}
	socklen_t length = endpoint_to_sockaddr(remote, &address);
	if (connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int socket_connect_result(int fd)
{
	int result = 0;
	socklen_t length = sizeof(result);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &length) < 0)
		return -errno;
	return -result;
}

void socket_tune_control(int fd)
{
	static const struct {
		int level, name, value;
	} settings[] = {
		{SOL_SOCKET, SO_OOBINLINE, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{SOL_TCP, TCP_KEEPIDLE, 60},
		{SOL_TCP, TCP_KEEPINTVL, 15},
		{SOL_TCP, TCP_KEEPCNT, 4},
		{SOL_TCP, TCP_NODELAY, 1},
	};
	/* Without one of them a session is less comfortable, not wrong. */
	for (size_t i = 0; i < ARRAY_LENGTH(settings); i++)
		setsockopt(fd, settings[i].level, settings[i].name, &settings[i].value,
			sizeof(settings[i].value));
}

void socket_bound_controls(int listener)
{
	static const struct {
		int name, bytes;
	} settings[] = {{SO_SNDBUF, 64 * 1024}, {SO_RCVBUF, 16 * 1024}};
	/* Without them a hostile client costs more, and nothing else differs. */
	for (size_t i = 0; i < ARRAY_LENGTH(settings); i++)
		setsockopt(listener, SOL_SOCKET, settings[i].name, &settings[i].bytes,
			sizeof(settings[i].bytes));
}

void socket_resets(int fd, bool resets)
{
	const struct linger linger = {.l_onoff = resets};
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}
