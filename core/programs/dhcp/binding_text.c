#include "programs/dhcp/binding_text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/identity.h"
#include "dhcp/option_text.h"

static bool id_of_bytes(const void *bytes, size_t length, struct dhcp_identity *ret_client)
{
	/* A length of 0 would be a hardware address, and there is none. */
	static const struct dhcp_hardware none;
	return dhcp_identity_make(bytes, length, &none, ret_client);
}

/* "name", the quotes included. */
static bool id_of_quoted(const char *text, size_t length, struct dhcp_identity *ret_client)
{
	return length >= 2 && text[length - 1] == '"' &&
	       id_of_bytes(text + 1, length - 2, ret_client);
}

static int hex_digit(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Pairs of digits; colons may stand between them. */
static bool id_of_hex(const char *text, struct dhcp_identity *ret_client)
{
	uint8_t bytes[DHCP_CLIENT_ID_MAX];
	size_t length = 0;
	while (*text) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0 || length == sizeof(bytes))
			return false;
		bytes[length++] = (uint8_t)(high << 4 | low);
		text += 2;
		text += text[0] == ':' && text[1];
	}
	return id_of_bytes(bytes, length, ret_client);
}

static bool client_of_hardware(const char *text, bool any_type, struct dhcp_identity *ret_client)
{
	struct dhcp_hardware hardware;
	struct mac mac;
	if (!dhcp_hardware_parse(text, &hardware) || hardware.length == 0)
		return false;
	return (any_type || dhcp_hardware_mac(&hardware, &mac)) &&
	       dhcp_identity_make(NULL, 0, &hardware, ret_client);
}

static bool client_parse(const char *text, struct dhcp_identity *ret_client)
{
	if (text_starts_with(text, "id:\""))
		return id_of_quoted(text + 3, strlen(text + 3), ret_client);
	if (text_starts_with(text, "id:"))
		return id_of_hex(text + 3, ret_client);
	if (text_starts_with(text, "hw:"))
		return client_of_hardware(text + 3, true, ret_client);
	return client_of_hardware(text, false, ret_client);
}

/* Where WHO=ADDRESS ends: at white space that is not in quotes. */
static size_t first_word(const char *text)
{
	bool quoted = false;
	size_t at = 0;
	for (; text[at] && (quoted || !strchr(" \t", text[at])); at++)
		quoted ^= text[at] == '"';
	return at;
}

bool binding_text_lease(const char *text, uint32_t *ret_seconds)
{
	uint64_t seconds = DHCP_LEASE_INFINITE;
	if (strcmp(text, "infinite") != 0 &&
		!text_parse_number(text, 1, DHCP_LEASE_INFINITE, &seconds))
		return false;
	*ret_seconds = (uint32_t)seconds;
	return true;
}

/* lease=SECONDS or OPTION=VALUE. */
static int binding_word(const char *word, struct dhcp_binding *binding, struct error *error)
{
	uint8_t code;
	if (!text_starts_with(word, "lease="))
		return binding_text_option(&binding->options, word, &code, error);
	if (!binding_text_lease(word + strlen("lease="), &binding->lease_seconds))
		return error_set(error, -EINVAL,
			"'%s' is no lease time; one looks like lease=600 or lease=infinite", word);
	return 0;
}

static int binding_words(const char *text, struct dhcp_binding *binding, struct error *error)
{
	struct words words;
	if (!text[strspn(text, " \t")])
		return 0;
	int status = text_split_words(text, &words, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char **list = words.list;
	for (size_t i = 0; i < words.count && status == 0; i++)
		status = binding_word(list[i], binding, error);
	return status;
}

int binding_text_parse(const char *text, struct dhcp_binding *ret_binding, struct error *error)
{
	*ret_binding = (struct dhcp_binding){0};
	size_t length = first_word(text);
	CLEANUP(free_pointer) char *who = strndup(text, length);
	if (!who)
		return error_set(error, -ENOMEM, "out of memory");
	char *equals = strrchr(who, '=');
	if (equals)
		*equals = '\0';
	if (!equals || !ipv4_parse(equals + 1, &ret_binding->address) ||
		ipv4_is_none(ret_binding->address))
		return error_set(error, -EINVAL,
			"'%.*s' is no binding; one looks like 02:00:00:00:00:01=10.0.2.50",
			(int)length, text);
	if (!client_parse(who, &ret_binding->client))
		return error_set(error, -EINVAL,
			"'%s' is no client; one looks like 02:00:00:00:00:01, "
			"hw:06-02:00:00:00:00:01, id:01020000000001 or id:\"name\" (2 to 255 "
			"bytes)",
			who);
	return binding_words(text + length, ret_binding, error);
}

char *binding_text_client(
	const struct dhcp_identity *client, char text[static BINDING_CLIENT_TEXT_SIZE])
{
	struct dhcp_field id;
	struct dhcp_hardware hardware = {0};
	struct mac mac;
	if (dhcp_identity_client_id(client->bytes, client->length, &id)) {
		size_t used = (size_t)snprintf(text, BINDING_CLIENT_TEXT_SIZE, "id:");
		for (size_t i = 0; i < id.length; i++)
			used += (size_t)snprintf(
				text + used, BINDING_CLIENT_TEXT_SIZE - used, "%02x", id.bytes[i]);
		return text;
	}
	hardware.type = client->bytes[1];
	hardware.length = (uint8_t)(client->length - 2);
	memcpy(hardware.bytes, client->bytes + 2, hardware.length);
	snprintf(text, BINDING_CLIENT_TEXT_SIZE, "%s%s",
		dhcp_hardware_mac(&hardware, &mac) ? "" : "hw:", DHCP_HARDWARE_TEXT(&hardware));
	return text;
}

/* Why an option cannot be configured; NULL where it can. */
static const char *option_refused(uint8_t code)
{
	static const struct {
		uint8_t code;
		const char *why;
	} refused[] = {
		{DHCP_OPTION_SUBNET_MASK, "it follows from the subnet"},
		{DHCP_OPTION_REQUESTED_ADDRESS, "only clients say it"},
		{DHCP_OPTION_LEASE_TIME, "'lease', 'lease-least' and 'lease-most' set it"},
		{DHCP_OPTION_OVERLOAD, "the server sets it where options need the room"},
		{DHCP_OPTION_MESSAGE_TYPE, "the server sets it"},
		{DHCP_OPTION_SERVER_ID, "the server sets it"},
		{DHCP_OPTION_PARAMETERS, "only clients say it"},
		{DHCP_OPTION_MESSAGE, "the server sets it"},
		{DHCP_OPTION_MAXIMUM_SIZE, "only clients say it"},
		{DHCP_OPTION_T1, "it is half of the lease"},
		{DHCP_OPTION_T2, "it is seven eighths of the lease"},
		{DHCP_OPTION_CLIENT_ID, "only clients say it"},
		{DHCP_OPTION_RAPID_COMMIT, "'rapid-commit' allows it"},
		{DHCP_OPTION_RELAY_AGENT, "only relays say it"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
		if (refused[i].code == code)
			return refused[i].why;
	return NULL;
}

/* The form that dhcp/option_text.h reads: no white space around the '=', no quotes. */
static char *assignment_of(const char *text)
{
	size_t name = strcspn(text, " \t=");
	const char *value = text + name + strspn(text + name, " \t");
	if (*value == '=')
		value += 1 + strspn(value + 1, " \t");
	size_t length = strlen(value);
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		value++;
		length -= 2;
	}
	bool alone = !text[name];
	return text_format("%.*s%s%.*s", (int)name, text, alone ? "" : "=", (int)length, value);
}

int binding_text_option(
	struct dhcp_option_list *options, const char *text, uint8_t *ret_code, struct error *error)
{
	CLEANUP(free_pointer) char *assignment = assignment_of(text);
	CLEANUP(free_pointer) char *name = strndup(text, strcspn(text, " \t="));
	if (!assignment || !name)
		return error_set(error, -ENOMEM, "out of memory");
	int status = dhcp_option_text_code(name, ret_code, error);
	if (status < 0)
		return status;
	const char *why = option_refused(*ret_code);
	if (why)
		return error_set(error, -EINVAL, "option %s cannot be chosen: %s", name, why);
	return dhcp_option_text_assign(options, assignment, error);
}
