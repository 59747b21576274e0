/* What the parts of server_settings.h share. */
#ifndef PROGRAMS_DHCP_SERVER_SETTINGS_PARTS_H
#define PROGRAMS_DHCP_SERVER_SETTINGS_PARTS_H

#include <string.h>

#include "base/array.h"
#include "programs/dhcp/server_settings.h"

/*
 * A new element of a list that remembers where it was written: zeroed but for its `origin`. NULL, and
 * the list as it was, when memory is gone.
 */
#define ADD_WRITTEN(list, count, written)                                                          \
	({                                                                                         \
		__typeof__(*(list)) added_ = array_add((list), (count));                           \
		if (added_ && !(added_->origin = strdup(written))) {                               \
			--*(count);                                                                \
			added_ = NULL;                                                             \
		}                                                                                  \
		added_;                                                                            \
	})

/*
 * Where the text protocol is spoken: refuse what it has no use for, fill in what was not given. Where
 * it is not: refuse what is its own. The first step of server_settings_check().
 */
int server_settings_check_protocol(struct server_settings *settings, struct error *error);

/* Where the option was given in that section; NULL where it was not. */
const char *server_settings_given(const struct server_section *section, const char *name);

/* Put settings->machine together from what was checked: the last step of server_settings_check(). */
int server_settings_build(struct server_settings *settings, struct error *error);

#endif
