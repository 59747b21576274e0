/*
 * Lists of domain names as option 119 carries them (RFC 3397): labels of RFC 1035 section 3.1, with
 * its compression (section 4.1.4) over the whole value, as joined from split options.
 *
 * As text a name has no dot at its end; a dot or backslash within a label stands behind a
 * backslash, and a comma or a byte that is not printable ASCII as \DDD (section 5.1).
 */
#ifndef DHCP_DOMAIN_LIST_H
#define DHCP_DOMAIN_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/writer.h"
#include "dhcp/message.h"

enum {
	DHCP_DOMAIN_NAME_MAX = 255, /* on the wire, uncompressed */
	DHCP_DOMAIN_TEXT_SIZE = 4 * DHCP_DOMAIN_NAME_MAX + 1,
};

/*
 * The name at *offset of `list`, and *offset behind it; begin with 0. DHCP_ABSENT at the list's
 * end. A pointer leads only to what stands before its own name's part, so that no list is endless;
 * any other, a label or name too long, the root alone, or a name without end is DHCP_MALFORMED.
 */
enum dhcp_answer dhcp_domain_next(
	const struct dhcp_field *list, size_t *offset, char ret_name[static DHCP_DOMAIN_TEXT_SIZE]);

/*
 * Append a name to the list that `list` holds from its start, pointing to the longest tail of it
 * that stands there already. False, and nothing written, where `name` is no name (empty label, a
 * label over 63 bytes, all over 255) or does not fit.
 */
bool dhcp_domain_put(struct writer *list, const char *name);

#endif
