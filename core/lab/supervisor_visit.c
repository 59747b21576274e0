/* What visitors ask for. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "lab/supervisor_parts.h"

static bool visit_fail(struct visit *visit, const struct error *error)
{
	visit_tell(visit, LAB_CONTROL_FAILED, error, sizeof(*error));
	return false;
}

static bool visit_misspoke(struct visit *visit)
{
	struct error error;
	error_set(&error, -EBADMSG,
		"the lab does not understand what was asked: it was brought up by another version "
		"of sim");
	return visit_fail(visit, &error);
}

static void visit_changed(void *argument)
{
	struct visit *visit = argument;
	int32_t status = visit->process.exit_status;
	if (visit->process.running)
		return;
	if (!visit->grace)
		visit_tell(visit, LAB_CONTROL_ENDED, &status, sizeof(status));
	visit_drop(visit);
}

static int find_node(
	const struct visit *visit, const char *name, size_t *ret_node, struct error *error)
{
	const struct plan *plan = visit->supervisor->lab->plan;
	long node = topology_find_node(plan->topology, name);
	if (node >= 0) {
		*ret_node = (size_t)node;
		return 0;
	}
	const char **names = calloc(plan->node_count + 1, sizeof(*names));
	for (size_t i = 0; names && i < plan->node_count; i++)
		names[i] = plan->nodes[i].node->name;
	const char *nearest = names ? text_nearest(name, names, plan->node_count) : NULL;
	free(names);
	return error_set(error, -ENOENT, "the lab '%s' has no node '%s'%s%s%s",
		visit->supervisor->registration->name, name, nearest ? "; did you mean '" : "",
		nearest ? nearest : "", nearest ? "'?" : "");
}

/* NODE, TERMINAL ("-", or which descriptor), NAME=VALUE..., "", WORD... */
static bool visit_exec(struct visit *visit, struct lab_control_packet *packet)
{
	CLEANUP(free_pointer) char **words = calloc(LAB_CONTROL_WORDS_MOST + 1, sizeof(*words));
	struct error error;
	if (!words) {
		error_set(&error, -ENOMEM, "out of memory");
		return visit_fail(visit, &error);
	}
	int count = lab_control_words(packet, words), end = 2;
	while (end < count && *words[end])
		end++;
	if (count < 4 || end + 1 >= count || packet->fds[2] < 0 || visit->process.opened ||
		!strchr("-012", *words[1]))
		return visit_misspoke(visit);
	words[end] = NULL;
	struct lab_visit asked = {.words = words + end + 1,
		.descriptors = packet->fds,
		.terminal = *words[1] == '-' ? -1 : *words[1] - '0',
		.environment = words + 2,
		.changed = visit_changed,
		.argument = visit};
	visit->terminal = asked.terminal >= 0;
	if (find_node(visit, words[0], &asked.node, &error) < 0 ||
		lab_start_visit(visit->supervisor->lab, &asked, &visit->process, &error) < 0)
		return visit_fail(visit, &error);
	visit->node = asked.node;
	return visit_tell(visit, LAB_CONTROL_STARTED, NULL, 0);
}

static void visit_on_tap(evutil_socket_t fd, short what, void *argument)
{
	struct visit *visit = argument;
	int32_t well = 0;
	(void)fd, (void)what;
	visit_tell(visit, LAB_CONTROL_ENDED, &well, sizeof(well));
	visit_drop(visit);
}

static const struct plan_interface *find_interface(
	const struct visit *visit, size_t node, const char *name, struct error *error)
{
	const struct plan_node *planned = &visit->supervisor->lab->plan->nodes[node];
	const struct plan_interface *found =
		*name ? plan_find_interface(planned, name) : plan_cable(planned, NULL);
	CLEANUP(text_finish) struct text names = {0};
	for (size_t i = 0; !found && i < planned->interface_count && names.length < 200; i++)
		text_append(
			&names, "%s%s", i ? ", " : "", plan_shown_name(&planned->interfaces[i]));
	if (!found && *name)
		error_set(error, -ENOENT, "the node '%s' has no interface '%s', but: %s",
			planned->node->name, name, text_view(&names));
	else if (!found)
		error_set(error, -ENOENT,
			"say which interface of '%s', as in %s:eth0; there are: %s",
			planned->node->name, planned->node->name, text_view(&names));
	return found;
}

/* NODE, INTERFACE ("": the only one) and where to. */
static bool visit_capture(struct visit *visit, struct lab_control_packet *packet)
{
	CLEANUP(free_pointer) char **words = calloc(LAB_CONTROL_WORDS_MOST + 1, sizeof(*words));
	const struct plan_interface *interface;
	struct lab *lab = visit->supervisor->lab;
	struct error error;
	size_t node;
	if (!words || lab_control_words(packet, words) != 2 || packet->fds[0] < 0 ||
		visit->tap.pid > 0)
		return visit_misspoke(visit);
	if (find_node(visit, words[0], &node, &error) < 0 ||
		!(interface = find_interface(visit, node, words[1], &error)))
		return visit_fail(visit, &error);
	CLEANUP(free_pointer)
	char *name = text_format("%s:%s", words[0], plan_shown_name(interface));
	CLEANUP(close_fd) int netns = -1;
	if (fabric_netns(&lab->fabric, node, &netns, &error) < 0)
		return visit_fail(visit, &error);
	struct tap_setup setup = {.place = {.name = name ? name : words[0],
					  .netns_fd = netns,
					  .interface = interface->name},
		.mac = interface->mac,
		.out_fd = packet->fds[0],
		.application = "sim"};
	if (tap_start(&setup, &visit->tap, &error) < 0)
		return visit_fail(visit, &error);
	visit->tap_ended = event_new(lab->base, visit->tap.pidfd, EV_READ, visit_on_tap, visit);
	return visit->tap_ended && event_add(visit->tap_ended, NULL) == 0 &&
	       visit_tell(
		       visit, LAB_CONTROL_STARTED, setup.place.name, strlen(setup.place.name) + 1);
}

static bool visit_signal(struct visit *visit, struct lab_control_packet *packet)
{
	int32_t number;
	if (packet->length != sizeof(number))
		return visit_misspoke(visit);
	memcpy(&number, packet->content, sizeof(number));
	tap_stop(&visit->tap);
	if (number > 0 && number < NSIG)
		process_signal_group(&visit->process, number);
	return true;
}

/* In memory of its own, handed over whole: no visitor who reads slowly keeps the lab waiting. */
static int answer_write(json_t *answer, int *ret_fd, struct error *error)
{
	CLEANUP(free_pointer) char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	CLEANUP(close_fd) int fd = memfd_create("sim-answer", MFD_CLOEXEC);
	size_t length = text ? strlen(text) : 0;
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return error_system(error, errno ? -errno : -EIO, "cannot write the answer");
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool visit_list(struct visit *visit, struct lab_control_packet *packet)
{
	struct error error;
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(json_release)
	json_t *answer = supervisor_describe(visit->supervisor, packet->content);
	if (answer_write(answer, &fd, &error) < 0)
		return visit_fail(visit, &error);
	return lab_control_send(visit->fd, LAB_CONTROL_ANSWER, NULL, 0, &fd, 1) == 0;
}

static bool visit_down(struct visit *visit)
{
	visit->waits = true;
	*visit->supervisor->ending = true;
	event_base_loopbreak(visit->supervisor->lab->base);
	return true;
}

bool visit_answer(struct visit *visit, struct lab_control_packet *packet)
{
	struct error error;
	switch (packet->kind) {
	case LAB_CONTROL_LIST:
		return visit_list(visit, packet);
	case LAB_CONTROL_DOWN:
		return visit_down(visit);
	default:
		break;
	}
	if (!visit->may_enter) {
		error_set(&error, -EPERM,
			"the lab '%s' was brought up with sudo: to work in it needs sudo, too",
			visit->supervisor->registration->name);
		return visit_fail(visit, &error);
	}
	switch (packet->kind) {
	case LAB_CONTROL_EXEC:
		return visit_exec(visit, packet);
	case LAB_CONTROL_CAPTURE:
		return visit_capture(visit, packet);
	case LAB_CONTROL_SIGNAL:
		return visit_signal(visit, packet);
	default:
		return visit_misspoke(visit);
	}
}
