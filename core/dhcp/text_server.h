/*
 * The server of the report's address protocol (text.h) as a machine, over a DHCP server's pool: each
 * request is answered with a further address, also to the same peer, until there is none; nothing
 * expires; an address comes back only from the address and port that it was given to.
 *
 * A result is performed in order: the lease is stored, then the answer is sent. Where either fails the
 * machine is told (dhcp_text_server_not_told()): nobody would ever give that address back.
 */
#ifndef DHCP_TEXT_SERVER_H
#define DHCP_TEXT_SERVER_H

#include "dhcp/text.h"

/* What came of a datagram. */
enum dhcp_text_outcome {
	DHCP_TEXT_SENT, /* a further address was given */
	DHCP_TEXT_EMPTY, /* none was left */
	DHCP_TEXT_RELEASED,
	DHCP_TEXT_NOT_FOUND, /* no address, or one that nobody has */
	DHCP_TEXT_NOT_ITS, /* a release of what another peer has: nothing was done */
	DHCP_TEXT_NO_MEMORY,
	DHCP_TEXT_OUTCOMES,
};

/* A stable word, for status and JSON: "sent"; and what it means. */
const char *dhcp_text_outcome_name(enum dhcp_text_outcome outcome);
const char *dhcp_text_outcome_text(enum dhcp_text_outcome outcome);

struct dhcp_text_server {
	uint64_t outcomes[DHCP_TEXT_OUTCOMES]; /* since the start */
};

struct dhcp_text_datagram {
	struct endpoint peer;
	const void *bytes;
	size_t length;
};

struct dhcp_text_result {
	enum dhcp_text_outcome outcome;
	struct dhcp_text_message message; /* as it was read; borrowed from the datagram */
	struct endpoint peer; /* who sent it */
	struct ipv4 address; /* that it is about; may be none */
	struct endpoint
		owner; /* of DHCP_TEXT_NOT_ITS: who has it; family 0: not by this protocol */
	bool save; /* store `lease` before what follows */
	struct dhcp_lease_record lease;
	char answer[DHCP_TEXT_SIZE];
	size_t answer_length; /* 0: there is no answer */
};

/*
 * One datagram. now_ns: as for dhcp_server_step(): the same for all that is stored together, and
 * later for the next.
 */
void dhcp_text_server_receive(struct dhcp_text_server *server, struct dhcp_pool *pool,
	const struct dhcp_text_datagram *datagram, uint64_t now_ns,
	struct dhcp_text_result *ret_result);

/*
 * The address of that result, of `now_ns`, was told to nobody: it is free again. True where that is so
 * by this; then `result->lease` is what is to be stored, if the result's own lease was. A release that
 * was not stored stands: whoever sent it thinks so.
 */
bool dhcp_text_server_not_told(struct dhcp_text_server *server, struct dhcp_pool *pool,
	struct dhcp_text_result *result, uint64_t now_ns);

#endif
