/*
 * A client's lease on disk, for INIT-REBOOT (RFC 2131 section 3.2): one JSON object, mode 0600,
 * replaced as a whole.
 *
 * When it ends. The file holds the instant by both clocks: by that which runs on over sleep, valid
 * as long as the machine's boot id is the same, so that setting the wall clock means nothing; and
 * by UTC for the next boot. A lease from the future is one that has ended.
 */
#ifndef PROGRAMS_DHCP_LEASE_FILE_H
#define PROGRAMS_DHCP_LEASE_FILE_H

#include "base/error.h"
#include "dhcp/client_lease.h"

struct lease_file {
	const char *path; /* borrowed */
	struct mac mac; /* of the interface that it is for */
	struct dhcp_field client_id; /* borrowed */
};

/* now_ns: of the clock of the lease's times, CLOCK_BOOTTIME. */
int lease_file_write(const struct lease_file *file, const struct dhcp_client_lease *lease,
	uint64_t now_ns, struct error *error);

/*
 * Returns 1 with a lease, 0 where there is no file, a negative errno where it cannot be used: it is
 * damaged, or another client's. Its times may have passed.
 */
int lease_file_read(const struct lease_file *file, uint64_t now_ns,
	struct dhcp_client_lease *ret_lease, struct error *error);

/* Remove it: the lease is over. */
int lease_file_remove(const struct lease_file *file, struct error *error);

#endif
