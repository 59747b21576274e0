#include "programs/ftp/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

bool socket_parse_endpoint(const char *text, struct ftp_endpoint *ret_endpoint)
{
	struct ftp_endpoint endpoint = {.family = FTP_IPV4, .port = SOCKET_FTP_PORT};
	char address[INET6_ADDRSTRLEN];
	bool bracket = *text == '[';
	const char *start = bracket ? text + 1 : text;
	const char *end = bracket ? strchr(start, ']') : start + strcspn(start, ":");
	uint64_t port;
	if (!end || (size_t)(end - start) >= sizeof(address))
		return false;
	memcpy(address, start, (size_t)(end - start));
	address[end - start] = '\0';
	if (bracket)
		endpoint.family = FTP_IPV6;
	int family = bracket ? AF_INET6 : AF_INET;
	if (*address && inet_pton(family, address, endpoint.address) != 1)
		return false;
	const char *rest = end + bracket;
	if (*rest && (*rest != ':' || !text_parse_number(rest + 1, 1, UINT16_MAX, &port)))
		return false;
	if ((!*address && bracket) || (!*address && !*rest))
		return false;
	if (*rest)
		endpoint.port = (uint16_t)port;
	*ret_endpoint = endpoint;
	return true;
}

bool socket_endpoint(const struct sockaddr_storage *address, struct ftp_endpoint *ret_endpoint)
{
	struct ftp_endpoint endpoint = {0};
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;
		endpoint.family = FTP_IPV4;
		endpoint.port = ntohs(in->sin_port);
		memcpy(endpoint.address, &in->sin_addr, 4);
	} else if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
		endpoint.family = mapped ? FTP_IPV4 : FTP_IPV6;
		endpoint.port = ntohs(in6->sin6_port);
		if (mapped) {
			memcpy(endpoint.address, in6->sin6_addr.s6_addr + 12, 4);
		} else {
			memcpy(endpoint.address, in6->sin6_addr.s6_addr, 16);
			endpoint.scope = in6->sin6_scope_id;
		}
	} else {
		return false;
	}
	*ret_endpoint = endpoint;
	return true;
}

static socklen_t endpoint_to_sockaddr(
	const struct ftp_endpoint *endpoint, struct sockaddr_storage *ret_address)
{
	*ret_address = (struct sockaddr_storage){0};
	if (endpoint->family == FTP_IPV6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint->port);
		in6->sin6_scope_id = endpoint->scope;
		memcpy(in6->sin6_addr.s6_addr, endpoint->address, 16);
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)ret_address;
	in->sin_family = AF_INET;
	in->sin_port = htons(endpoint->port);
	memcpy(&in->sin_addr, endpoint->address, 4);
	return sizeof(*in);
}

bool socket_local(int fd, struct ftp_endpoint *ret_endpoint)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       socket_endpoint(&address, ret_endpoint);
}

bool socket_peer(int fd, struct ftp_endpoint *ret_endpoint)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	return getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
	       socket_endpoint(&address, ret_endpoint);
}

static int socket_stream(const struct ftp_endpoint *endpoint)
{
	int family = endpoint->family == FTP_IPV6 ? AF_INET6 : AF_INET;
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int socket_listen(const struct ftp_endpoint *local, int backlog, int *ret_fd, struct error *error)
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
		return error_system(error, -errno, "cannot listen on %s", FTP_ENDPOINT_TEXT(local));
	*ret_fd = take_fd(&fd);
	return 0;
}

int socket_connect(const struct ftp_endpoint *remote, const struct ftp_endpoint *local, int *ret_fd)
{
	struct sockaddr_storage address;
	CLEANUP(close_fd) int fd = socket_stream(remote);
	if (fd < 0)
		return -errno;
	if (local) {
		struct ftp_endpoint from = *local;
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
