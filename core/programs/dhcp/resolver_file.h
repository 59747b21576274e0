/*
 * The node's resolver file (resolv.conf(5)) while a lease lasts: written from its options 6, 15 and
 * 119, put back when it ends.
 *
 * The former file is kept as FILE.before-IF beside it, so that it is put back also by a later run
 * when this one was killed. The file is ours while its first line says so: one that a person has
 * changed in the meantime is left alone. Nothing of a server gets in but addresses and names made
 * of letters, digits, '-', '_' and dots.
 */
#ifndef PROGRAMS_DHCP_RESOLVER_FILE_H
#define PROGRAMS_DHCP_RESOLVER_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "dhcp/client_lease.h"

#define RESOLVER_FILE "/etc/resolv.conf"

struct resolver_file {
	const char *path; /* borrowed */
	const char *interface; /* borrowed */
};

/*
 * Whether RESOLVER_FILE is this network's own to change. It is not where the process lives in
 * another network namespace than the machine's init but sees the same file (as below `unshare -n`
 * or `ip netns exec`), nor where that cannot be told: then it is the host's.
 */
bool resolver_file_is_own(void);

/* Write it; a lease that says nothing of name servers puts the former file back. */
int resolver_file_write(const struct resolver_file *resolver, const struct dhcp_client_lease *lease,
	struct error *error);

/* Put the former file back; nothing where ours is not there. */
int resolver_file_restore(const struct resolver_file *resolver, struct error *error);

#endif
