/* The asking side of control_socket.h, and what both sides know of addresses. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "programs/shared/control_socket_parts.h"

_Static_assert((int)CONTROL_SOCKET_PATH_SIZE == sizeof(((struct sockaddr_un *)0)->sun_path),
	"the system's limit");

int control_socket_address(
	const char *program, const char *path, struct sockaddr_un *ret_address, struct error *error)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t size = sizeof(ret_address->sun_path);
	int length = path ? snprintf(ret_address->sun_path, size, "%s", path)
			  : snprintf(ret_address->sun_path, size, "/run/%s.sock", program);
	if (length <= 0)
		return error_set(error, -EINVAL, "the control socket's path is empty");
	if ((size_t)length >= size)
		return error_set(error, -ENAMETOOLONG,
			"the control socket's path '%s' is too long: at most %zu bytes", path,
			size - 1);
	return 0;
}

int control_socket_connect(const struct sockaddr_un *address, int flags, int *ret_fd)
{
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

static int ask_connect(const char *program, const char *path, int *ret_fd, struct error *error)
{
	const struct timeval patience = {.tv_sec = CONTROL_SOCKET_SECONDS};
	struct sockaddr_un address;
	int status = control_socket_address(program, path, &address, error);
	if (status < 0)
		return status;
	status = control_socket_connect(&address, 0, ret_fd);
	if (status == -ENOENT || status == -ECONNREFUSED)
		return error_set(error, -ENOTCONN,
			"no %s listens at '%s'; ask where one runs (in its node, as its user), or "
			"name its socket with --control PATH",
			program, address.sun_path);
	if (status < 0)
		return error_system(error, status, "cannot ask at '%s'", address.sun_path);
	if (setsockopt(*ret_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		setsockopt(*ret_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return error_system(error, -errno, "cannot ask at '%s'", address.sun_path);
	return 0;
}

static int ask_send(int fd, const char *request, struct error *error)
{
	CLEANUP(text_finish) struct text line = {0};
	text_append(&line, "%s\n", request);
	if (line.failed)
		return error_set(error, -ENOMEM, "out of memory");
	if (line.length > CONTROL_SOCKET_REQUEST_MAX)
		return error_set(error, -EINVAL, "the request is too long: at most %d bytes",
			CONTROL_SOCKET_REQUEST_MAX);
	for (size_t sent = 0; sent < line.length;) {
		ssize_t more = send(fd, line.bytes + sent, line.length - sent, MSG_NOSIGNAL);
		if (more < 0 && errno != EINTR)
			return error_system(error, -errno, "the request could not be sent");
		sent += more > 0 ? (size_t)more : 0;
	}
	return 0;
}

static int ask_receive(int fd, struct text *answer, struct error *error)
{
	char part[16384];
	ssize_t length;
	while ((length = recv(fd, part, sizeof(part), 0)) != 0) {
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return error_set(
				error, -ETIMEDOUT, "no answer within %d s", CONTROL_SOCKET_SECONDS);
		if (length < 0)
			return error_system(error, -errno, "the answer could not be read");
		text_append_bytes(answer, part, (size_t)length);
		if (answer->failed || answer->length > CONTROL_SOCKET_ANSWER_MAX)
			return error_set(error, -EMSGSIZE, "the answer is too long");
	}
	return 0;
}

/* The document, unless it says that the program refused. */
static int answer_read(const struct text *text, json_t **ret_answer, struct error *error)
{
	CLEANUP(json_release) json_t *answer = json_loads(text_view(text), 0, NULL);
	if (!answer)
		return error_set(error, -EPROTO, "the answer was cut short");
	const char *refusal = json_string_value(json_object_get(answer, "error"));
	if (refusal)
		return error_set(error,
			json_is_true(json_object_get(answer, "misuse")) ? -EINVAL : -EIO, "%s",
			refusal);
	*ret_answer = TAKE(answer);
	return 0;
}

int control_socket_ask(const char *program, const char *path, const char *request,
	json_t **ret_answer, struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(text_finish) struct text answer = {0};
	int status = ask_connect(program, path, &fd, error);
	if (status == 0)
		status = ask_send(fd, request, error);
	if (status == 0)
		status = ask_receive(fd, &answer, error);
	return status < 0 ? status : answer_read(&answer, ret_answer, error);
}
