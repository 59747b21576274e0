/*
 * The address protocol of the report this project grew out of, as text in UDP datagrams: one message
 * a datagram, UTF-8, no newline. Here are its words, and who an address belongs to; text_server.h
 * and text_client.h are the two ends.
 *
 *	client			server
 *	Give me IP	->
 *			<-	IP:10.0.0.1	or	No IPs left
 *	10.0.0.1	->	(any other datagram is an address to release; no answer)
 *
 * What is sent is exactly that. What is taken is more, for partners written in any language: a text
 * ends at its first NUL (a buffer sent whole), blanks and line ends around it do not count, and an
 * address to release may have the answer's "IP:" before it.
 */
#ifndef DHCP_TEXT_H
#define DHCP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/endpoint.h"
#include "dhcp/pool.h"

enum {
	DHCP_TEXT_PORT = 20001,
	DHCP_TEXT_POOL = 20, /* addresses that a server has where it is told of none */
	DHCP_TEXT_SIZE = 24, /* the longest message with its NUL, which is not sent */
};

enum dhcp_text_kind {
	DHCP_TEXT_REQUEST, /* "Give me IP" */
	DHCP_TEXT_ADDRESS, /* an address to release; of an answer: a given one */
	DHCP_TEXT_NONE_LEFT, /* "No IPs left" */
	DHCP_TEXT_OTHER,
};

struct dhcp_text_message {
	enum dhcp_text_kind kind;
	struct ipv4 address; /* of DHCP_TEXT_ADDRESS */
	/* What counts of the datagram, for the log; borrowed from it. */
	const char *text;
	size_t length;
};

/*
 * Read a datagram as a server does, where "No IPs left" is nothing known, and as a client does, where
 * an address without "IP:" is nothing known, and neither is the request. Never fails.
 */
void dhcp_text_read_request(
	const void *bytes, size_t length, struct dhcp_text_message *ret_message);
void dhcp_text_read_answer(const void *bytes, size_t length, struct dhcp_text_message *ret_message);

/* Each writes a message into `text` and returns its length, without the NUL behind it. */
size_t dhcp_text_write_request(char text[static DHCP_TEXT_SIZE]);
size_t dhcp_text_write_release(struct ipv4 address, char text[static DHCP_TEXT_SIZE]);
size_t dhcp_text_write_given(struct ipv4 address, char text[static DHCP_TEXT_SIZE]);
size_t dhcp_text_write_none_left(char text[static DHCP_TEXT_SIZE]);

/*
 * Whose an address is. The protocol's clients say nothing of themselves, and one peer may hold many
 * addresses: for the pool each of them is a client of its own, the peer and what it was given.
 */
void dhcp_text_identity(
	const struct endpoint *peer, struct ipv4 address, struct dhcp_identity *ret_identity);

/* The peer that the lease was given to; false where it was not given by this protocol. */
bool dhcp_text_peer(const struct dhcp_lease *lease, struct endpoint *ret_peer);

/* As dhcp_pool_describe(), with the peer as the port where its client was seen. */
void dhcp_text_describe(const struct dhcp_pool *pool, const struct dhcp_lease *lease,
	struct dhcp_lease_record *ret_record);

#endif
