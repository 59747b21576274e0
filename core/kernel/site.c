#include "kernel/site.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/netns.h"
#include "kernel/sysctls.h"

enum { THREADS = 2, TELL_NS = 100 * 1000 * 1000 };

int site_open(const struct plan *plan, const struct progress *progress, struct site *ret_site,
	struct error *error)
{
	struct site site = {
		plan, progress, malloc((plan->node_count + 1) * sizeof(*site.netns_fds))};
	if (!site.netns_fds)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < plan->node_count; i++)
		site.netns_fds[i] = -1;
	*ret_site = site;
	return 0;
}

void site_close(struct site *site)
{
	for (size_t i = 0; site->netns_fds && i < site->plan->node_count; i++)
		close_fd(&site->netns_fds[i]);
	free(site->netns_fds);
	*site = (struct site){0};
}

/*
 * Settings of a new namespace, before it has links that could act by the old ones. IPv6 is off where
 * no address of it is planned: left on, it would number each link by itself and fill captures with
 * router solicitations and reports of groups. lo keeps ::1. Where it is on, addresses are the
 * plan's alone and usable at once.
 */
static int node_settings(const struct plan_node *node, struct error *error)
{
	static const struct {
		const char *path, *value;
		bool ipv6, router_only;
	} settings[] = {
		{"net/ipv6/conf/default/accept_dad", "0", true, false},
		{"net/ipv6/conf/default/accept_ra", "0", true, false},
		{"net/ipv6/conf/all/forwarding", "1", true, true},
		{"net/ipv4/ip_forward", "1", false, true},
	};
	if (!node->has_ipv6) {
		struct error ignored;
		if (netns_sysctl("net/ipv6/conf/default/disable_ipv6", "1", &ignored) < 0 &&
			ignored.code != -ENOENT)
			return error_set(error, ignored.code, "%s", ignored.text);
	}
	int status = 0;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(settings); i++)
		if ((!settings[i].ipv6 || node->has_ipv6) &&
			(!settings[i].router_only || node->forwarding))
			status = netns_sysctl(settings[i].path, settings[i].value, error);
	if (status == -ENOENT && node->has_ipv6)
		return error_set(error, -EAFNOSUPPORT,
			"the topology asks for IPv6, which this system has not (or was booted with "
			"ipv6.disable=1)");
	return status;
}

int site_namespace(const struct plan_node *node, int *ret_fd, struct error *error)
{
	int status = netns_create(ret_fd, error);
	if (status == 0)
		status = node_settings(node, error);
	return status < 0 ? status : sysctls_write(node->node, SYSCTLS_NEW, error);
}

/* The nodes that a thread makes the namespaces of. */
struct part {
	const struct site *site;
	size_t begin, end;
	bool started;
	pthread_t thread;
	atomic_size_t made;
	atomic_bool unwanted; /* it is to end */
	int status;
	struct error error;
};

static void *part_make(void *argument)
{
	struct part *part = argument;
	for (size_t i = part->begin; part->status == 0 && i < part->end; i++, part->made++) {
		if (part->unwanted)
			part->status = error_set(&part->error, -EINTR, "interrupted");
		if (part->unwanted)
			break;
		const struct plan_node *node = &part->site->plan->nodes[i];
		part->status = site_namespace(node, &part->site->netns_fds[i], &part->error);
		if (part->status < 0)
			error_prefix(&part->error, "node %s: ", node->node->name);
	}
	netns_sysctl_end();
	return NULL;
}

static void part_start(struct part *part)
{
	int failure = pthread_create(&part->thread, NULL, part_make, part);
	part->started = failure == 0;
	if (failure)
		part->status = error_system(&part->error, -failure, "cannot start a thread");
}

/* Wait for a thread's end, telling how far all of them have come. */
static void part_await(struct part *part, struct part *parts, const struct site *site)
{
	struct timespec until;
	for (;;) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TELL_NS;
		until.tv_sec += until.tv_nsec / (long)NS_PER_SECOND;
		until.tv_nsec %= (long)NS_PER_SECOND;
		if (pthread_timedjoin_np(part->thread, NULL, &until) != ETIMEDOUT)
			return;
		size_t made = 0;
		for (size_t i = 0; i < THREADS; i++)
			made += parts[i].made;
		bool wanted = progress_tell(
			site->progress, "namespaces made", made, site->plan->node_count);
		for (size_t i = 0; i < THREADS; i++)
			parts[i].unwanted = !wanted;
	}
}

int site_namespaces(struct site *site, struct error *error)
{
	struct part parts[THREADS];
	sigset_t all, before;
	/* Signals are for the caller's thread, which knows what they mean. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < THREADS; i++) {
		parts[i] = (struct part){.site = site,
			.begin = site->plan->node_count * i / THREADS,
			.end = site->plan->node_count * (i + 1) / THREADS};
		part_start(&parts[i]);
	}
	for (size_t i = 0; i < THREADS; i++)
		if (parts[i].started)
			part_await(&parts[i], parts, site);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (size_t i = 0; i < THREADS; i++)
		if (parts[i].status < 0)
			return error_set(error, parts[i].error.code, "%s", parts[i].error.text);
	return 0;
}
