/* The interfaces of one namespace: netlink speaks of indexes, people of names. */
#ifndef OBSERVE_INTERFACES_H
#define OBSERVE_INTERFACES_H

#include <stddef.h>

#include "base/error.h"
#include "observe/rtnetlink.h"

struct interfaces {
	struct rtnetlink_link *list;
	size_t count;
};

/* Read them with a dump on `fd`, a socket without groups. */
int interfaces_read(int fd, struct interfaces *ret_interfaces, struct error *error);

/* NULL where there is none of that index. */
struct rtnetlink_link *interfaces_find(const struct interfaces *interfaces, unsigned index);

/* The name, "" where the index is unknown. */
const char *interfaces_name(const struct interfaces *interfaces, unsigned index);

/* Add or replace; -ENOMEM, also where there are absurdly many. */
int interfaces_set(struct interfaces *interfaces, const struct rtnetlink_link *link);
void interfaces_remove(struct interfaces *interfaces, unsigned index);

/* Frees; for CLEANUP(interfaces_finish). */
void interfaces_finish(struct interfaces *interfaces);

#endif
