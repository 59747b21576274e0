#include "programs/ftp/talk_connect.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "programs/ftp/socket.h"

static void free_addresses(struct addrinfo **addresses)
{
	if (*addresses)
		freeaddrinfo(*addresses);
}

static int split_host(
	const struct talk_target *target, char **ret_host, char port[static 6], struct error *error)
{
	const char *text = target->text;
	bool bracket = *text == '[';
	const char *start = bracket ? text + 1 : text;
	size_t length = strcspn(start, bracket ? "]" : ":");
	const char *rest = start + length + (bracket && start[length]);
	uint64_t number = target->port;
	bool closed = !bracket || start[length] == ']';
	if (!closed || length == 0 ||
		(*rest && (*rest != ':' || !text_parse_number(rest + 1, 1, 65535, &number))))
		return error_set(error, -EINVAL, "'%s' is not HOST[:PORT]", text);
	snprintf(port, 6, "%u", (unsigned)number);
	*ret_host = strndup(start, length);
	return *ret_host ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int connect_one(const struct addrinfo *address, uint64_t connect_ns, int *ret_fd)
{
	struct sockaddr_storage storage = {0};
	struct endpoint remote;
	CLEANUP(close_fd) int fd = -1;
	memcpy(&storage, address->ai_addr, address->ai_addrlen);
	if (!endpoint_from_sockaddr(&storage, &remote))
		return -EAFNOSUPPORT;
	int status = socket_connect(&remote, NULL, &fd);
	if (status < 0)
		return status;
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	struct timespec patience = {.tv_sec = (time_t)(connect_ns / NS_PER_SECOND),
		.tv_nsec = (long)(connect_ns % NS_PER_SECOND)};
	int ready = ppoll(&wait, 1, &patience, NULL);
	if (ready <= 0)
		return ready == 0 ? -ETIMEDOUT : -errno;
	status = socket_connect_result(fd);
	if (status == 0)
		*ret_fd = take_fd(&fd);
	return status;
}

int talk_connect(
	const struct talk_target *target, char **ret_host, int *ret_fd, struct error *error)
{
	CLEANUP(free_pointer) char *host = NULL;
	CLEANUP(free_addresses) struct addrinfo *addresses = NULL;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char port[6];
	if (split_host(target, &host, port, error) < 0)
		return error->code;
	int failed = getaddrinfo(host, port, &hints, &addresses);
	if (failed)
		return error_set(
			error, -EIO, "cannot resolve '%s': %s", host, gai_strerror(failed));
	int status = -EADDRNOTAVAIL;
	for (const struct addrinfo *at = addresses; at && status < 0; at = at->ai_next)
		status = connect_one(at, target->connect_ns, ret_fd);
	if (status < 0) /* no slip of the user's, whatever the system calls it */
		return error_system(error, status == -EINVAL ? -EADDRNOTAVAIL : status,
			"cannot connect to %s port %s", host, port);
	*ret_host = TAKE(host);
	return 0;
}
