#include "observe/interfaces.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/array.h"

enum { INTERFACES_MAX = 65536 };

struct rtnetlink_link *interfaces_find(const struct interfaces *interfaces, unsigned index)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (interfaces->list[i].index == index)
			return &interfaces->list[i];
	return NULL;
}

const char *interfaces_name(const struct interfaces *interfaces, unsigned index)
{
	const struct rtnetlink_link *link = interfaces_find(interfaces, index);
	return link ? link->name : "";
}

int interfaces_set(struct interfaces *interfaces, const struct rtnetlink_link *link)
{
	struct rtnetlink_link *place = interfaces_find(interfaces, link->index);
	if (!place && interfaces->count < INTERFACES_MAX)
		place = array_add(&interfaces->list, &interfaces->count);
	if (!place)
		return -ENOMEM;
	*place = *link;
	return 0;
}

void interfaces_remove(struct interfaces *interfaces, unsigned index)
{
	struct rtnetlink_link *gone = interfaces_find(interfaces, index);
	if (gone)
		*gone = interfaces->list[--interfaces->count];
}

void interfaces_finish(struct interfaces *interfaces)
{
	free(interfaces->list);
	*interfaces = (struct interfaces){0};
}

static void read_restart(void *argument)
{
	interfaces_finish(argument);
}

static int read_each(void *argument, const struct nlmsghdr *message)
{
	struct rtnetlink_link link;
	if (!rtnetlink_read_link(message, &link))
		return 0;
	return interfaces_set(argument, &link);
}

int interfaces_read(int fd, struct interfaces *ret_interfaces, struct error *error)
{
	struct interfaces interfaces = {0};
	struct rtnetlink_dump dump = {
		.type = RTM_GETLINK,
		.restart = read_restart,
		.each = read_each,
		.argument = &interfaces,
	};
	int status = rtnetlink_dump(fd, &dump, error);
	if (status < 0)
		interfaces_finish(&interfaces);
	else
		*ret_interfaces = interfaces;
	return status;
}
