#include "process/process.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/ports.h"
#include "process/spawn.h"

static void process_check_log(struct process *process)
{
	if (process->ready_by.kind == READY_LOG && process->output.bytes &&
		strstr(process->output.bytes, process->ready_by.text))
		process->ready = true;
}

/* Of a long output the beginning and the end are kept. */
static void process_keep(struct process *process, const char *bytes, size_t length)
{
	struct text *output = &process->output;
	if (output->length + length > 2 * PROCESS_OUTPUT_HALF) {
		size_t gone = PROCESS_OUTPUT_HALF / 2;
		memmove(output->bytes + PROCESS_OUTPUT_HALF,
			output->bytes + PROCESS_OUTPUT_HALF + gone,
			output->length - PROCESS_OUTPUT_HALF - gone);
		output->length -= gone;
	}
	size_t before = output->length;
	text_append_bytes(output, bytes, length);
	for (size_t i = before; i < output->length; i++)
		if (output->bytes[i] == '\0')
			output->bytes[i] = ' ';
}

/* Returns false at the end of the output. */
static bool process_read(struct process *process)
{
	char bytes[16384];
	ssize_t length = read(process->output_fd, bytes, sizeof(bytes));
	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	if (length == 0)
		return false;
	process->output_bytes += (uint64_t)length;
	log_file_append(&process->log, bytes, (size_t)length);
	process_keep(process, bytes, (size_t)length);
	if (!process->ready)
		process_check_log(process);
	return true;
}

static void event_drop(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

/* The output is over: nothing of it is kept open. */
static void process_end_output(struct process *process)
{
	event_drop(&process->output_event);
	close_fd(&process->output_fd);
}

static void process_on_output(evutil_socket_t fd, short what, void *argument)
{
	struct process *process = argument;
	(void)fd, (void)what;
	if (!process_read(process))
		process_end_output(process);
	process->changed(process->argument);
}

/* It has said what it was to say. */
static void process_end_notify(struct process *process)
{
	event_drop(&process->notify_event);
	close_fd(&process->notify_fd);
}

static void process_on_notify(evutil_socket_t fd, short what, void *argument)
{
	struct process *process = argument;
	char message[4096];
	(void)what;
	ssize_t length = recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT);
	if (length < 0)
		return;
	message[length] = '\0';
	/* Assignments, one a line (sd_notify(3)). */
	for (const char *line = message; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (text_starts_with(line, "READY=1") && (line[7] == '\0' || line[7] == '\n'))
			process->ready = true;
	}
	if (process->ready)
		process_end_notify(process);
	process->changed(process->argument);
}

static void process_ended(struct process *process, const siginfo_t *info)
{
	process->running = false;
	process->exit_status =
		info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
	process->ended_ns = clock_realtime_ns();
	reaper_remove(process->reaper, process);
	process_end_notify(process);
	close_fd(&process->input_fd);
}

bool process_reap(struct process *process)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return false;
	process_ended(process, &info);
	/*
	 * What it printed last is in the pipe; who else holds the pipe's end may go on. Its own
	 * bytes are there already, so reading until nothing is left misses none of them.
	 */
	for (int i = 0; process->output_event && i < 256; i++) {
		uint64_t before = process->output_bytes;
		if (!process_read(process))
			process_end_output(process);
		if (process->output_bytes == before)
			break;
	}
	return true;
}

static int process_watch(struct process *process, struct error *error)
{
	struct event_base *base = process->reaper->base;
	reaper_add(process->reaper, process);
	if (process->output_fd >= 0)
		process->output_event = event_new(
			base, process->output_fd, EV_READ | EV_PERSIST, process_on_output, process);
	if (process->notify_fd >= 0)
		process->notify_event = event_new(
			base, process->notify_fd, EV_READ | EV_PERSIST, process_on_notify, process);
	if ((process->output_fd >= 0 && !process->output_event) ||
		(process->notify_fd >= 0 && !process->notify_event))
		return error_set(error, -ENOMEM, "out of memory");
	if (process->output_event)
		event_add(process->output_event, NULL);
	if (process->notify_event)
		event_add(process->notify_event, NULL);
	return 0;
}

int process_start(struct reaper *reaper, const struct process_setup *setup,
	void (*changed)(void *argument), void *argument, struct process *process,
	struct error *error)
{
	*process = (struct process){.opened = true,
		.output_fd = -1,
		.input_fd = -1,
		.notify_fd = -1,
		.reaper = reaper,
		.ready_by = setup->ready,
		.changed = changed,
		.argument = argument};
	int status = 0;
	if (!setup->descriptors)
		status = log_file_open(setup->log_path,
			setup->log_most ? setup->log_most : PROCESS_LOG_MOST, &process->log, error);
	struct spawned spawned;
	if (status == 0)
		status = spawn(setup, &spawned, error);
	if (status < 0)
		return status;
	process->pid = spawned.pid;
	process->running = true;
	process->output_fd = spawned.output_fd;
	process->input_fd = spawned.input_fd;
	process->notify_fd = spawned.notify_fd;
	process->ready = setup->ready.kind == READY_AT_ONCE;
	return process_watch(process, error);
}

bool process_poll_ready(struct process *process)
{
	if (!process->ready && process->running && process->ready_by.kind == READY_PORT)
		process->ready = port_is_open(process->pid, process->ready_by.port);
	return process->ready;
}

int process_send(struct process *process, const char *text, struct error *error)
{
	size_t length = strlen(text);
	if (!process->running || process->input_fd < 0)
		return error_set(error, -EBADF, "the process has no standard input, or has ended");
	/* A pipe takes 64 KiB; a process that does not read is not waited for. */
	ssize_t written = write(process->input_fd, text, length);
	if (written < 0 && errno != EAGAIN)
		return error_system(error, -errno, "cannot send to the process");
	if (written != (ssize_t)length)
		return error_set(error, -EAGAIN, "the process does not read its standard input");
	return 0;
}

void process_forget_output(struct process *process)
{
	text_finish(&process->output);
}

void process_signal_group(struct process *process, int signal)
{
	/* It leads its group, and its number is its own until it has been waited for. */
	if (process->running && kill(-process->pid, signal) < 0)
		process_signal(process, signal);
}

void process_kill(struct process *process)
{
	process_signal_group(process, SIGKILL);
}

bool process_take_stop(struct process *process)
{
	siginfo_t info = {0};
	return process->running &&
	       waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG) == 0 &&
	       info.si_pid != 0;
}

void process_signal(struct process *process, int signal)
{
	if (process->running)
		kill(process->pid, signal);
}

void process_end(struct process *process)
{
	siginfo_t info = {0};
	if (!process->running)
		return;
	process_kill(process);
	while (waitid(P_PID, (id_t)process->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	process_ended(process, &info);
}

void process_finish(struct process *process)
{
	process_end(process);
	if (process->listed)
		LIST_REMOVE(process, siblings); /* its end has not been told yet */
	event_drop(&process->output_event);
	event_drop(&process->notify_event);
	if (process->opened) {
		close_fd(&process->output_fd);
		close_fd(&process->input_fd);
		close_fd(&process->notify_fd);
	}
	log_file_close(&process->log);
	text_finish(&process->output);
	*process = (struct process){0};
}
