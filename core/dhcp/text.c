#include "dhcp/text.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "base/writer.h"

#define REQUEST	  "Give me IP"
#define GIVEN	  "IP:"
#define NONE_LEFT "No IPs left"

static bool is_blank(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* What counts of a datagram. */
static struct dhcp_text_message trim(const void *bytes, size_t length)
{
	const char *text = length > 0 ? bytes : "";
	const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;
	if (nul)
		length = (size_t)(nul - text);
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	while (length > 0 && is_blank(*text)) {
		text++;
		length--;
	}
	return (struct dhcp_text_message){.kind = DHCP_TEXT_OTHER, .text = text, .length = length};
}

static bool is_word(const struct dhcp_text_message *message, const char *word)
{
	return message->length == strlen(word) && memcmp(message->text, word, message->length) == 0;
}

/* An address behind "IP:", and where that may be missing, one alone. */
static bool read_address(struct dhcp_text_message *message, bool prefix_needed)
{
	char text[IPV4_TEXT_SIZE];
	const char *at = message->text, *end = at + message->length;
	size_t prefix = strlen(GIVEN);
	if (message->length >= prefix && memcmp(at, GIVEN, prefix) == 0)
		at += prefix;
	else if (prefix_needed)
		return false;
	while (at < end && is_blank(*at))
		at++;
	size_t length = (size_t)(end - at);
	if (length >= sizeof(text))
		return false;
	memcpy(text, at, length);
	text[length] = '\0';
	return ipv4_parse(text, &message->address);
}

void dhcp_text_read_request(const void *bytes, size_t length, struct dhcp_text_message *ret_message)
{
	*ret_message = trim(bytes, length);
	if (is_word(ret_message, REQUEST))
		ret_message->kind = DHCP_TEXT_REQUEST;
	else if (read_address(ret_message, false))
		ret_message->kind = DHCP_TEXT_ADDRESS;
}

void dhcp_text_read_answer(const void *bytes, size_t length, struct dhcp_text_message *ret_message)
{
	*ret_message = trim(bytes, length);
	if (is_word(ret_message, NONE_LEFT))
		ret_message->kind = DHCP_TEXT_NONE_LEFT;
	else if (read_address(ret_message, true))
		ret_message->kind = DHCP_TEXT_ADDRESS;
}

static size_t write_text(char text[static DHCP_TEXT_SIZE], const char *word, const char *address)
{
	return (size_t)snprintf(text, DHCP_TEXT_SIZE, "%s%s", word, address);
}

size_t dhcp_text_write_request(char text[static DHCP_TEXT_SIZE])
{
	return write_text(text, REQUEST, "");
}

size_t dhcp_text_write_release(struct ipv4 address, char text[static DHCP_TEXT_SIZE])
{
	return write_text(text, "", IPV4_TEXT(address));
}

size_t dhcp_text_write_given(struct ipv4 address, char text[static DHCP_TEXT_SIZE])
{
	return write_text(text, GIVEN, IPV4_TEXT(address));
}

size_t dhcp_text_write_none_left(char text[static DHCP_TEXT_SIZE])
{
	return write_text(text, NONE_LEFT, "");
}

static size_t address_size(enum endpoint_family family)
{
	return family == ENDPOINT_IPV6 ? 16 : 4;
}

void dhcp_text_identity(
	const struct endpoint *peer, struct ipv4 address, struct dhcp_identity *ret_identity)
{
	uint8_t bytes[DHCP_LEASE_IDENTITY_NEAR];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	write_u8(&writer, (uint8_t)peer->family);
	write_bytes(&writer, peer->address, address_size(peer->family));
	write_be16(&writer, peer->port);
	write_be32(&writer, address.host);
	/* It has the length of an identifier: that cannot fail. */
	dhcp_identity_make(bytes, writer_used(&writer), NULL, ret_identity);
}

bool dhcp_text_peer(const struct dhcp_lease *lease, struct endpoint *ret_peer)
{
	struct dhcp_field id;
	struct endpoint peer = {0};
	if (!dhcp_identity_client_id(dhcp_lease_identity(lease), lease->identity_length, &id))
		return false;
	struct reader reader = reader_over(id.bytes, id.length);
	uint8_t family = read_u8(&reader);
	if (family != ENDPOINT_IPV4 && family != ENDPOINT_IPV6)
		return false;
	peer.family = (enum endpoint_family)family;
	size_t size = address_size(peer.family);
	read_bytes(&reader, peer.address, size);
	peer.port = read_be16(&reader);
	bool its = read_be32(&reader) == lease->address.host;
	if (reader.truncated || reader_left(&reader) > 0 || !its)
		return false;
	*ret_peer = peer;
	return true;
}

void dhcp_text_describe(const struct dhcp_pool *pool, const struct dhcp_lease *lease,
	struct dhcp_lease_record *ret_record)
{
	struct endpoint peer;
	dhcp_pool_describe(pool, lease, ret_record);
	if (lease->state == DHCP_LEASE_IDLE || !dhcp_text_peer(lease, &peer))
		return;
	_Static_assert(ENDPOINT_TEXT_SIZE <= DHCP_PORT_MAX, "an endpoint is a port's name");
	ret_record->port_length = strlen(endpoint_format(&peer, (char *)ret_record->port));
}
