/*
 * The control socket: how an operator asks a running program. A stream socket in the file system,
 * mode 0600. One request line in, one JSON document out, closed.
 *
 * The serving side, in the order of a program's start:
 *
 *	CLEANUP(control_socket_close) struct control_socket *control = NULL;
 *	control_socket_open("dhcp-relay", settings->control, &control, &error);	before privileges_keep()
 *	control_socket_serve(control, loop.base, &service, &error);		once there is a loop
 *
 * The asking side is control_socket_ask().
 */
#ifndef PROGRAMS_SHARED_CONTROL_SOCKET_H
#define PROGRAMS_SHARED_CONTROL_SOCKET_H

#include <event2/event.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

enum {
	CONTROL_SOCKET_CLIENTS_MAX = 8, /* at once; more wait in the kernel until one is done */
	CONTROL_SOCKET_REQUEST_MAX = 4096, /* bytes of the request line */
	CONTROL_SOCKET_SECONDS = 10, /* from connecting to the last byte of the answer */
	CONTROL_SOCKET_ANSWER_MAX = 16 << 20, /* bytes that the asking side takes */
	CONTROL_SOCKET_PATH_SIZE = 108, /* the system's limit, with NUL */
};

struct control_socket;

/*
 * Bind and listen at `path`, or at /run/PROGRAM.sock where it is NULL. No two living programs have
 * one path: PATH.lock is held as long as the socket is open. What a dead one left is replaced;
 * anything else that is there stays and is an error.
 * Where the default path cannot be had, that is logged, *ret_control is NULL, and it is no error:
 * the program goes on without. A path that somebody asked for is an error.
 */
int control_socket_open(const char *program, const char *path, struct control_socket **ret_control,
	struct error *error);

/* Remove the socket and its lock, drop who is connected. *control may be NULL; it is afterwards. */
void control_socket_close(struct control_socket **control);

/*
 * Answer one request: its words, split as text_split_words() does. Returns the answer, a new
 * reference; or NULL with `error` filled in: -EINVAL and -ENOENT say that the request is wrong,
 * anything else that it could not be done. It runs within the loop, so it does only so much: a long
 * list is asked for and answered in parts.
 */
typedef json_t *control_socket_answer(
	void *program, const struct words *request, struct error *error);

struct control_socket_service {
	void *program; /* passed to `answer` */
	control_socket_answer *answer;
};

/* Answer from now on, in that loop. `service` is copied. No effect where `control` is NULL. */
int control_socket_serve(struct control_socket *control, struct event_base *base,
	const struct control_socket_service *service, struct error *error);

/*
 * Ask the program that listens at `path`, or at /run/PROGRAM.sock where it is NULL, and wait for
 * the answer. *ret_answer is a new reference. Fails with -EINVAL where the program says that the
 * request is wrong, with another code where it said no or is not there; the sentence is the
 * program's own, or names the path that was tried and what to do.
 */
int control_socket_ask(const char *program, const char *path, const char *request,
	json_t **ret_answer, struct error *error);

#endif
