#include "programs/dhcp/lease_names.h"

#include <ctype.h>
#include <string.h>

#include "dhcp/domain_list.h"

enum { LABEL_MAX = 63, SEARCH_MAX = 32 };

static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_MAX || label[0] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

static bool is_name(const char *name)
{
	for (;;) {
		size_t length = strcspn(name, ".");
		if (!is_label(name, length))
			return false;
		if (!name[length])
			return true;
		name += length + 1;
	}
}

bool lease_name(
	const struct dhcp_client_lease *lease, uint8_t code, char ret_name[static LEASE_NAME_SIZE])
{
	struct dhcp_field value;
	char name[LEASE_NAME_SIZE];
	if (!dhcp_client_lease_option(lease, code, &value))
		return false;
	/* Some servers send the NUL or the root's dot with it. */
	while (value.length > 0 && value.bytes[value.length - 1] == '\0')
		value.length--;
	if (value.length > 1 && value.bytes[value.length - 1] == '.')
		value.length--;
	if (value.length >= sizeof(name))
		return false;
	memcpy(name, value.bytes, value.length);
	name[value.length] = '\0';
	if (strlen(name) != value.length || !is_name(name))
		return false;
	memcpy(ret_name, name, sizeof(name));
	return true;
}

unsigned lease_search_names(const struct dhcp_client_lease *lease, struct text *text)
{
	struct dhcp_field list;
	char name[DHCP_DOMAIN_TEXT_SIZE];
	size_t offset = 0;
	unsigned count = 0;
	if (!dhcp_client_lease_option(lease, DHCP_OPTION_DOMAIN_SEARCH, &list))
		return 0;
	while (count < SEARCH_MAX && dhcp_domain_next(&list, &offset, name) == DHCP_PRESENT) {
		if (strlen(name) >= LEASE_NAME_SIZE || !is_name(name))
			continue;
		text_append(text, " %s", name);
		count++;
	}
	return count;
}
