#include "observe/state.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "observe/interfaces.h"

enum { STATE_MAX = 65536 }; /* addresses, routes: a node that has more is not one of ours */

/* What one dump collects: either of the two lists. */
struct collection {
	struct interfaces interfaces; /* while the dump runs */
	const char *wanted; /* interface, or NULL: all */
	struct observed_address *addresses;
	struct observed_route *routes;
	size_t count;
};

static void collection_restart(void *argument)
{
	struct collection *collection = argument;
	free(collection->addresses);
	free(collection->routes);
	collection->addresses = NULL;
	collection->routes = NULL;
	collection->count = 0;
}

/* The interface's name in *ret_name, "" where it has none. Returns whether it is wanted. */
static bool collection_wants(
	const struct collection *collection, unsigned index, const char **ret_name)
{
	*ret_name = interfaces_name(&collection->interfaces, index);
	return !collection->wanted || strcmp(collection->wanted, *ret_name) == 0;
}

static int collect_address(void *argument, const struct nlmsghdr *message)
{
	struct collection *collection = argument;
	struct rtnetlink_address read;
	const char *name;
	if (!rtnetlink_read_address(message, &read) ||
		!collection_wants(collection, read.interface, &name))
		return 0;
	struct observed_address *address = NULL;
	if (collection->count < STATE_MAX)
		address = array_add(&collection->addresses, &collection->count);
	if (!address)
		return -ENOMEM;
	snprintf(address->interface, sizeof(address->interface), "%s", name);
	address->address = read.address;
	address->valid_seconds = read.valid_seconds;
	return 0;
}

static int collect_route(void *argument, const struct nlmsghdr *message)
{
	struct collection *collection = argument;
	struct rtnetlink_route read;
	const char *name;
	if (!rtnetlink_read_route(message, &read) ||
		!collection_wants(collection, read.interface, &name))
		return 0;
	struct observed_route *route = NULL;
	if (collection->count < STATE_MAX)
		route = array_add(&collection->routes, &collection->count);
	if (!route)
		return -ENOMEM;
	*route = (struct observed_route){
		.destination = read.destination,
		.gateway = read.gateway,
		.source = read.source,
		.metric = read.metric,
	};
	snprintf(route->interface, sizeof(route->interface), "%s", name);
	return 0;
}

static int collect(int netns_fd, uint16_t type, rtnetlink_function each,
	struct collection *collection, struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	int status = rtnetlink_open(netns_fd, 0, &fd, error);
	if (status < 0)
		return status;
	status = interfaces_read(fd, &collection->interfaces, error);
	struct rtnetlink_dump dump = {type, collection_restart, each, collection};
	if (status == 0)
		status = rtnetlink_dump(fd, &dump, error);
	if (status < 0)
		collection_restart(collection);
	interfaces_finish(&collection->interfaces);
	return status;
}

int observe_addresses(int netns_fd, const char *interface, struct observed_address **ret_addresses,
	size_t *ret_count, struct error *error)
{
	struct collection collection = {.wanted = interface};
	int status = collect(netns_fd, RTM_GETADDR, collect_address, &collection, error);
	if (status < 0)
		return status;
	*ret_addresses = collection.addresses;
	*ret_count = collection.count;
	return 0;
}

int observe_running(int netns_fd, const char *interface, bool *ret_running, struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	struct interfaces interfaces = {0};
	int status = rtnetlink_open(netns_fd, 0, &fd, error);
	if (status == 0)
		status = interfaces_read(fd, &interfaces, error);
	*ret_running = false;
	for (size_t i = 0; status == 0 && i < interfaces.count; i++)
		if (strcmp(interfaces.list[i].name, interface) == 0)
			*ret_running = interfaces.list[i].up && interfaces.list[i].running;
	interfaces_finish(&interfaces);
	return status;
}

int observe_routes(int netns_fd, const char *interface, struct observed_route **ret_routes,
	size_t *ret_count, struct error *error)
{
	struct collection collection = {.wanted = interface};
	int status = collect(netns_fd, RTM_GETROUTE, collect_route, &collection, error);
	if (status < 0)
		return status;
	*ret_routes = collection.routes;
	*ret_count = collection.count;
	return 0;
}
