#include "results/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "ftp/port.h"

enum { ANNOUNCED_MOST = 256 }; /* data connections that were announced and not opened yet */

/* Where a data connection will go, and who said so. */
struct announcement {
	struct fact_endpoint where;
	const struct fact *by; /* NULL: taken */
};

struct announcements {
	struct announcement list[ANNOUNCED_MOST]; /* a ring */
	size_t next;
};

/* The address of an FTP message for a data connection; false where it has none. */
static bool message_announces(const struct fact_message *message, struct fact_endpoint *ret_where)
{
	const char *line = message->detail;
	const char *argument = strchr(line, ' ');
	struct endpoint endpoint = {0};
	uint16_t port = 0;
	if (message->protocol != FACT_FTP || !argument)
		return false;
	argument++;
	size_t length = strlen(argument);
	if (strcmp(message->name, "229") == 0) {
		if (!ftp_extended_passive_parse(argument, length, &port))
			return false;
		*ret_where = (struct fact_endpoint){message->source.address, port};
		return true;
	}
	bool found = strcmp(message->name, "227") == 0
			     ? ftp_passive_parse(argument, length, &endpoint)
		     : strcmp(message->name, "PORT") == 0
			     ? ftp_port_parse(argument, length, &endpoint)
			     : strcmp(message->name, "EPRT") == 0 &&
				       ftp_eprt_parse(argument, length, &endpoint) == FTP_EPRT_GOOD;
	if (!found)
		return false;
	ret_where->address =
		ip_from_bytes(endpoint.family == ENDPOINT_IPV4 ? IPV4 : IPV6, endpoint.address);
	ret_where->port = endpoint.port;
	return true;
}

static void note_announcement(struct announcements *announcements, const struct fact *fact)
{
	struct fact_endpoint where;
	if (!message_announces(&fact->message, &where))
		return;
	announcements->list[announcements->next++ % ANNOUNCED_MOST] =
		(struct announcement){where, fact};
}

static const struct fact *take_announcement(
	struct announcements *announcements, struct fact_endpoint where)
{
	for (size_t i = 0; i < ANNOUNCED_MOST; i++) {
		struct announcement *announcement = &announcements->list[i];
		if (announcement->by && fact_endpoint_equal(announcement->where, where))
			return TAKE(announcement->by);
	}
	return NULL;
}

/* The newest connection between the ends of a segment, either way round. */
static struct connection *find(
	struct connection *list, size_t count, const struct fact_message *segment)
{
	for (size_t i = count; i-- > 0;) {
		const struct fact_message *syn = &list[i].syn->message;
		if ((fact_endpoint_equal(syn->source, segment->source) &&
			    fact_endpoint_equal(syn->destination, segment->destination)) ||
			(fact_endpoint_equal(syn->source, segment->destination) &&
				fact_endpoint_equal(syn->destination, segment->source)))
			return &list[i];
	}
	return NULL;
}

static void add_segment(struct connection *connection, const struct fact *fact)
{
	const char *name = fact->message.name;
	bool from_client =
		fact_endpoint_equal(fact->message.source, connection->syn->message.source);
	if (strcmp(name, "SYN-ACK") == 0)
		connection->syn_ack = fact;
	else if (strcmp(name, "ACK") == 0 && from_client && !connection->ack &&
		 !connection->closing_count)
		connection->ack = fact;
	else if (connection->closing_count < CONNECTION_CLOSING_MOST)
		connection->closing[connection->closing_count++] = fact;
}

int connections_find(const struct fact *messages, size_t count, struct connection **ret_connections,
	size_t *ret_count, struct error *error)
{
	CLEANUP(free_pointer)
	struct announcements *announcements = calloc(1, sizeof(*announcements));
	CLEANUP(free_pointer) struct connection *list = NULL;
	size_t length = 0;
	if (!announcements)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct fact *fact = &messages[i];
		if (fact->message.protocol == FACT_FTP)
			note_announcement(announcements, fact);
		if (fact->message.protocol != FACT_TCP)
			continue;
		if (strcmp(fact->message.name, "SYN") != 0) {
			struct connection *connection = find(list, length, &fact->message);
			if (connection)
				add_segment(connection, fact);
			continue;
		}
		struct connection *connection = array_add(&list, &length);
		if (!connection)
			return error_set(error, -ENOMEM, "out of memory");
		connection->syn = fact;
		connection->announced = take_announcement(announcements, fact->message.destination);
	}
	*ret_connections = TAKE(list);
	*ret_count = length;
	return 0;
}
