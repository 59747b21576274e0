#include "programs/dhcp/hook_environment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/option.h"
#include "dhcp/option_text.h"
#include "programs/dhcp/lease_names.h"

/* udhcpc's names, by code. What is not here goes as optNN. */
static const char *const names[256] = {
	[1] = "subnet",
	[2] = "timezone",
	[3] = "router",
	[4] = "timesrv",
	[5] = "namesrv",
	[6] = "dns",
	[7] = "logsrv",
	[8] = "cookiesrv",
	[9] = "lprsrv",
	[12] = "hostname",
	[13] = "bootsize",
	[15] = "domain",
	[16] = "swapsrv",
	[17] = "rootpath",
	[23] = "ipttl",
	[26] = "mtu",
	[28] = "broadcast",
	[40] = "nisdomain",
	[41] = "nissrv",
	[42] = "ntpsrv",
	[44] = "wins",
	[51] = "lease",
	[54] = "serverid",
	[66] = "tftp",
	[67] = "bootfile",
	[119] = "search",
	[121] = "staticroutes",
	[249] = "msstaticroutes",
	[252] = "wpad",
};

static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._:/@+-", *text))
			return false;
	return true;
}

/* The value as text in `value`; false where it is no text that a script may see. */
static bool value_text(const struct dhcp_client_lease *lease, uint8_t code, struct dhcp_field field,
	struct text *value)
{
	const struct dhcp_option_type *type = dhcp_option_type(code);
	if (!names[code] || !type || !dhcp_option_length_valid(code, field.length))
		return false;
	if (type->kind == DHCP_KIND_DOMAINS)
		return lease_search_names(lease, value) > 0;
	dhcp_option_text_format(code, field, ' ', value);
	if (value->failed || strchr(text_view(value), ':') == text_view(value) + 3)
		return false; /* "hex:" */
	if (type->kind == DHCP_KIND_TEXT)
		return is_plain(text_view(value));
	/* DESTINATION=ROUTER for us, two words for udhcpc's scripts. */
	for (char *at = value->bytes; at && (at = strchr(at, '=')); at++)
		*at = ' ';
	return true;
}

static void put(struct text *block, const char *name, const char *value)
{
	text_append(block, "%s=%s", name, value + strspn(value, " "));
	text_append_bytes(block, "", 1);
}

static void put_option(struct text *block, const struct dhcp_client_lease *lease, uint8_t code,
	struct dhcp_field field)
{
	CLEANUP(text_finish) struct text value = {0};
	char name[8];
	if (value_text(lease, code, field, &value)) {
		put(block, names[code], text_view(&value));
		return;
	}
	text_clear(&value);
	for (size_t i = 0; i < field.length; i++)
		text_append(&value, "%02x", field.bytes[i]);
	snprintf(name, sizeof(name), "opt%u", code);
	put(block, name, text_view(&value));
}

static void put_lease(struct text *block, const struct dhcp_client_lease *lease, uint64_t now_ns)
{
	char number[16];
	size_t at = 0;
	uint8_t code;
	struct dhcp_field field;
	put(block, "ip", IPV4_TEXT(lease->address.address));
	put(block, "subnet", IPV4_TEXT((struct ipv4){prefix_mask(lease->address.length)}));
	snprintf(number, sizeof(number), "%u", lease->address.length);
	put(block, "mask", number);
	snprintf(number, sizeof(number), "%u", dhcp_client_lease_left(lease, now_ns));
	put(block, "lease", number);
	if (!ipv4_is_none(lease->next_server))
		put(block, "siaddr", IPV4_TEXT(lease->next_server));
	while (dhcp_client_lease_next(lease, &at, &code, &field))
		if (code != DHCP_OPTION_SUBNET_MASK && code != DHCP_OPTION_LEASE_TIME)
			put_option(block, lease, code, field);
}

/* The NUL-terminated strings of `block` behind an array that names each. */
static char **as_list(const struct text *block)
{
	size_t count = 0;
	for (size_t i = 0; i < block->length; i++)
		count += block->bytes[i] == '\0';
	size_t head = (count + 1) * sizeof(char *);
	char **list = malloc(head + block->length);
	if (!list)
		return NULL;
	char *at = (char *)list + head;
	memcpy(at, block->bytes, block->length);
	for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
		list[i] = at;
	list[count] = NULL;
	return list;
}

char **hook_environment(
	const char *interface, const struct dhcp_client_lease *lease, uint64_t now_ns)
{
	CLEANUP(text_finish) struct text block = {0};
	for (char **own = environ; own && *own; own++)
		text_append_bytes(&block, *own, strlen(*own) + 1);
	put(&block, "interface", interface);
	if (lease)
		put_lease(&block, lease, now_ns);
	return block.failed ? NULL : as_list(&block);
}
