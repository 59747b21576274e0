/* Frames of a lab that is up, into a file or a pipe. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "lab/attach_parts.h"

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	asked_to_end = number;
}

static int request_send(int fd, const char *where, int out_fd, struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	const char *colon = strchr(where, ':');
	text_append_bytes(&text, where, colon ? (size_t)(colon - where) : strlen(where));
	text_append_bytes(&text, "", 1);
	text_append_bytes(&text, colon ? colon + 1 : "", strlen(colon ? colon + 1 : "") + 1);
	if (text.failed)
		return error_set(error, -ENOMEM, "out of memory");
	int status = lab_control_send(
		fd, LAB_CONTROL_CAPTURE, text_view(&text), text.length, &out_fd, 1);
	return status < 0 ? error_system(error, status, "cannot speak to the lab") : 0;
}

/* The end is asked for once; then what was captured until now is still written. */
static int capture_await(int fd, struct lab_control_packet *packet, void (*begun)(const char *name),
	struct error *error)
{
	bool told = false;
	for (;;) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		int32_t number = SIGINT;
		if (asked_to_end && !told) {
			lab_control_send(fd, LAB_CONTROL_SIGNAL, &number, sizeof(number), NULL, 0);
			told = true;
		}
		sigset_t none;
		sigemptyset(&none);
		if (ppoll(&readable, 1, NULL, told ? NULL : &none) < 0)
			continue;
		int status = attach_receive(fd, packet, error);
		if (status < 0)
			return status == -ECONNRESET && told ? 0 : status;
		if (packet->kind == LAB_CONTROL_STARTED && begun)
			begun(packet->content);
		if (packet->kind == LAB_CONTROL_ENDED)
			return 0;
	}
}

int attach_capture(const struct registered *lab, const char *where, int out_fd,
	void (*begun)(const char *name), struct error *error)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(free_pointer) struct lab_control_packet *packet = malloc(sizeof(*packet));
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;
	if (!packet)
		return error_set(error, -ENOMEM, "out of memory");
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		sigaddset(&blocked, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	/* They come only while nothing else is done: none is missed. */
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	int status = registered_connect(lab, &fd, error);
	if (status == 0)
		status = request_send(fd, where, out_fd, error);
	return status < 0 ? status : capture_await(fd, packet, begun, error);
}
