#include "observe/watch_run.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/privilege.h"
#include "observe/confine.h"
#include "observe/pcapng.h"
#include "observe/watch.h"
#include "process/limits.h"

enum {
	LINKS_AT_ONCE = 64,
	INTERFACE_BLOCK_MAX = 2 * 1024 + 128, /* its two texts, and the rest */
};

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

static void watch_confine(const struct observer_setup *setup, int fd)
{
	int keep[] = {fd, setup->capture_fd, setup->shelf->mntns_fd, setup->shelf->directory_fd};
	prctl(PR_SET_NAME, "sim-observer");
	confine_signals();
	confine_descriptors(keep, ARRAY_LENGTH(keep));
	limits_raise();
	mallopt(M_ARENA_MAX, 1); /* the errands' threads allocate next to nothing */
}

static struct event *watch_add(
	struct watch *watch, int fd, short what, event_callback_fn callback, void *argument)
{
	struct event *event = event_new(watch->base, fd, what, callback, argument);
	if (event && what & EV_READ && event_add(event, NULL) < 0) {
		event_free(event);
		return NULL;
	}
	return event;
}

static int link_netns(
	const struct observer_setup *setup, size_t index, int *ret_fd, struct error *error)
{
	const struct observed_link *link = &setup->links[index];
	int status = shelf_open(setup->shelf, SHELF_NETNS, link->node, ret_fd, error);
	return status < 0 ? error_prefix(error, "link %s: ", link->name) : 0;
}

/* Captures of the links from `at` on; their namespaces are open for as long as that takes. */
static int watch_open_captures(struct watch *watch, size_t at, size_t count, struct error *error)
{
	struct capture_place places[LINKS_AT_ONCE];
	size_t opened = 0;
	int status = 0;
	while (status == 0 && opened < count) {
		const struct observed_link *link = &watch->setup->links[at + opened];
		places[opened] = (struct capture_place){
			.name = link->name, .interface = link->interface, .netns_fd = -1};
		status = link_netns(watch->setup, at + opened, &places[opened].netns_fd, error);
		opened += status == 0;
	}
	if (status == 0)
		status = captures_open(places, count, &watch->captures[at], error);
	while (opened)
		close_fd(&places[--opened].netns_fd);
	return status;
}

static int watch_open_links(struct watch *watch, struct error *error)
{
	size_t count = watch->setup->link_count;
	watch->captures = calloc(count + 1, sizeof(*watch->captures));
	watch->links = calloc(count + 1, sizeof(*watch->links));
	if (!watch->captures || !watch->links)
		return out_of_memory(error);
	int status = 0;
	for (size_t at = 0; status == 0 && at < count; at += LINKS_AT_ONCE)
		status = watch_open_captures(
			watch, at, count - at < LINKS_AT_ONCE ? count - at : LINKS_AT_ONCE, error);
	for (uint32_t i = 0; status == 0 && i < count; i++) {
		struct watched_link *link = &watch->links[i];
		link->watch = watch;
		link->index = i;
		link->capture = &watch->captures[i];
		link->readable = watch_add(
			watch, link->capture->fd, EV_READ | EV_PERSIST, watch_link_readable, link);
		if (!link->readable)
			status = out_of_memory(error);
	}
	return status;
}

static int watch_open_nodes(struct watch *watch, struct error *error)
{
	size_t count = watch->setup->node_count;
	watch->nodes = calloc(count + 1, sizeof(*watch->nodes));
	if (!watch->nodes)
		return out_of_memory(error);
	for (uint32_t i = 0; i < count; i++) {
		struct watched_node *node = &watch->nodes[i];
		const struct observed_node *observed = &watch->setup->nodes[i];
		CLEANUP(close_fd) int netns = -1;
		node->watch = watch;
		node->index = (uint32_t)observed->node;
		int status =
			shelf_open(watch->setup->shelf, SHELF_NETNS, observed->node, &netns, error);
		if (status == 0)
			status = events_open(netns, &node->events, error);
		if (status < 0)
			return error_prefix(error, "node %s: ", observed->name);
		node->readable = watch_add(
			watch, node->events.fd, EV_READ | EV_PERSIST, watch_node_readable, node);
		if (!node->readable)
			return out_of_memory(error);
	}
	return 0;
}

static int watch_open_decoder(struct watch *watch, struct error *error)
{
	size_t count = watch->setup->link_count;
	CLEANUP(free_pointer) struct decoder_link *links = calloc(count + 1, sizeof(*links));
	if (!links)
		return out_of_memory(error);
	for (size_t i = 0; i < count; i++)
		links[i] = (struct decoder_link){
			.mac = watch->setup->links[i].mac,
			.has_peer = watch->setup->links[i].has_peer,
			.peer = watch->setup->links[i].peer,
		};
	watch->decoder = decoder_create(links, count, watch_put, watch);
	return watch->decoder ? 0 : out_of_memory(error);
}

/* The capture file's head. */
static int watch_open_recording(struct watch *watch, struct error *error)
{
	const struct observer_setup *setup = watch->setup;
	size_t size = (setup->link_count + 1) * INTERFACE_BLOCK_MAX;
	CLEANUP(free_pointer) uint8_t *head = malloc(size);
	watch->out = malloc(WATCH_OUT_SIZE);
	if (!head || !watch->out)
		return out_of_memory(error);
	struct utsname machine = {0};
	char system[sizeof(machine.sysname) + sizeof(machine.release) + 1];
	uname(&machine);
	snprintf(system, sizeof(system), "%s %s", machine.sysname, machine.release);

	struct writer writer = writer_over(head, size);
	pcapng_write_section(&writer, system, setup->application);
	for (size_t i = 0; i < setup->link_count; i++) {
		struct pcapng_interface interface = {
			.name = setup->links[i].name,
			.mac = setup->links[i].mac,
			.snaplen = watch->links[i].capture->snaplen,
		};
		pcapng_write_interface(&writer, &interface);
	}
	watch->recording = recording_over(setup->capture_fd, setup->capture_limit,
		setup->link_count * PCAPNG_STATISTICS_SIZE);
	if (setup->capture_fd >= 0 &&
		!recording_append(&watch->recording, head, writer_used(&writer)))
		return error_system(
			error, watch->recording.failure, "cannot write the capture file");
	return 0;
}

static int watch_open(struct watch *watch, struct error *error)
{
	struct event_config *config = event_config_new();
	if (config) {
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		watch->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	if (!watch->base)
		return out_of_memory(error);
	watch->ending = watch_add(watch, watch->fd, EV_READ | EV_PERSIST, watch_ending, watch);
	watch->sendable = watch_add(watch, watch->fd, EV_WRITE, watch_sendable, watch);
	if (!watch->ending || !watch->sendable)
		return out_of_memory(error);
	int status = backlog_init(&watch->backlog, error);
	if (status == 0)
		status = watch_open_links(watch, error);
	if (status == 0)
		status = watch_open_nodes(watch, error);
	if (status == 0)
		status = watch_open_decoder(watch, error);
	if (status == 0)
		status = watch_open_recording(watch, error);
	if (status == 0)
		status = privileges_keep(0, error);
	return status;
}

int watch_run(const struct observer_setup *setup, int fd)
{
	struct watch watch = {.setup = setup, .fd = fd, .stop_ns = UINT64_MAX};
	struct error error = {0};
	struct shelf shelf = *setup->shelf;
	watch_confine(setup, fd);
	int status = outbox_init(&watch.outbox, fd, &error);
	if (status == 0)
		status = watch_open(&watch, &error);
	struct fact answer = {.kind = FACT_READY};
	if (status < 0) {
		answer.kind = FACT_FAILED;
		answer.failed.code = status;
		snprintf(answer.failed.text, sizeof(answer.failed.text), "%.*s",
			(int)sizeof(answer.failed.text) - 1, error.text);
		send(fd, &answer, sizeof(answer), MSG_NOSIGNAL);
		return status;
	}
	shelf_close(&shelf); /* the sockets hold their namespaces */
	watch_put(&watch, &answer);
	watch_loop(&watch);
	watch_tell_end(&watch);

	/* One after another, as the end of the process would close them, takes far longer. */
	captures_close(watch.captures, setup->link_count);
	return 0;
}
