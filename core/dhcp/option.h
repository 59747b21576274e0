/*
 * DHCP options (RFC 2132 and those after it): one table that the parser, the builder, the log, the
 * configuration and the documentation share, and the walk over an area of code-length-value
 * triples. How values are written as text: dhcp/option_text.h.
 */
#ifndef DHCP_OPTION_H
#define DHCP_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

enum dhcp_option_kind {
	DHCP_KIND_BYTES, /* opaque */
	DHCP_KIND_EMPTY, /* its presence says all */
	DHCP_KIND_FLAG, /* one byte: 0 no, 1 yes */
	DHCP_KIND_ADDRESS,
	DHCP_KIND_ADDRESSES,
	DHCP_KIND_ADDRESS_PAIRS, /* address and mask, or destination and router */
	DHCP_KIND_U8,
	DHCP_KIND_U16,
	DHCP_KIND_U16_LIST,
	DHCP_KIND_U32,
	DHCP_KIND_I32,
	DHCP_KIND_SECONDS, /* 32 bits; all ones is infinity */
	DHCP_KIND_TEXT,
	DHCP_KIND_CODES, /* option codes */
	DHCP_KIND_DOMAINS, /* compressed names, dhcp/domain_list.h */
	DHCP_KIND_ROUTES, /* dhcp/classless_route.h */
	DHCP_KINDS,
};

struct dhcp_option_type {
	const char *name; /* IANA's, in our spelling: "lease-time" */
	enum dhcp_option_kind kind;
	uint16_t minimum, maximum; /* length in bytes; maximum 0: no limit of its own */
	uint8_t multiple_of; /* of the length; 0: any */
	uint16_t least; /* of a number's value, where the RFC has one */
};

/* The table's row for `code`, NULL for an option that we do not know (it is opaque then). */
const struct dhcp_option_type *dhcp_option_type(uint8_t code);

/* Whether `length` bytes can be a value of option `code`; always true for an unknown one. */
bool dhcp_option_length_valid(uint8_t code, size_t length);

/*
 * The next option of an area: pads are skipped, END and the end of the area end it. An area without
 * END is taken, as every stock server takes it: nothing is ambiguous about it.
 * Returns false at the end; `area->truncated` is then set where an option reached beyond it.
 */
bool dhcp_option_next(struct reader *area, uint8_t *ret_code, struct reader *ret_value);

#endif
