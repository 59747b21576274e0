#include "scenario/selection.h"

#include <stdio.h>
#include <string.h>

size_t message_sender(const struct plan *plan, const struct fact *message)
{
	const struct plan_link *link = &plan->links[message->index];
	unsigned end = message->message.from_peer ? !link->named_end : link->named_end;
	return link->ends[end].node;
}

static bool node_has_mac(const struct plan_node *node, struct mac mac)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (mac_equal(node->interfaces[i].mac, mac))
			return true;
	return false;
}

static bool dhcp_fits(const struct plan *plan, const struct message_filter *filter,
	const struct fact_message *message)
{
	const struct fact_dhcp *dhcp = &message->dhcp;
	bool is_dhcp = message->protocol == FACT_DHCP;
	if (filter->has_giaddr && !(is_dhcp && ipv4_equal(dhcp->giaddr, filter->giaddr)))
		return false;
	if (filter->has_client &&
		!(is_dhcp && node_has_mac(&plan->nodes[filter->client], dhcp->chaddr)))
		return false;
	if (filter->has_lease &&
		!(is_dhcp && dhcp->has_lease && dhcp->lease_seconds == filter->lease_seconds))
		return false;
	return !filter->has_address ||
	       (is_dhcp && (ipv4_equal(dhcp->yiaddr, filter->address) ||
				   ipv4_equal(dhcp->ciaddr, filter->address) ||
				   ipv4_equal(dhcp->requested, filter->address)));
}

bool selection_fits(const struct plan *plan, const struct step *step, const struct fact *message)
{
	const struct message_filter *filter = &step->filter;
	const struct fact_message *said = &message->message;
	if (strcmp(said->name, step->object) != 0 || !dhcp_fits(plan, filter, said))
		return false;
	if (filter->port && said->source.port != filter->port &&
		said->destination.port != filter->port)
		return false;
	if (filter->text && !strstr(said->detail, filter->text))
		return false;
	size_t sender = message_sender(plan, message);
	for (size_t i = 0; i < step->node_count; i++)
		if (step->nodes[i] == sender)
			return true;
	return false;
}

static void append_part(struct text *text, size_t *count, const char *part)
{
	text_append(text, "%s%s", (*count)++ ? ", " : " with ", part);
}

void selection_describe(const struct step *step, struct text *text)
{
	const struct message_filter *filter = &step->filter;
	size_t count = 0;
	char part[64];
	if (filter->has_giaddr) {
		snprintf(part, sizeof(part), "giaddr %s", IPV4_TEXT(filter->giaddr));
		append_part(text, &count, part);
	}
	if (filter->has_address) {
		snprintf(part, sizeof(part), "address %s", IPV4_TEXT(filter->address));
		append_part(text, &count, part);
	}
	if (filter->has_lease && filter->lease_seconds == UINT32_MAX) {
		append_part(text, &count, "an infinite lease");
	} else if (filter->has_lease) {
		snprintf(part, sizeof(part), "lease %u s", filter->lease_seconds);
		append_part(text, &count, part);
	}
	if (filter->port) {
		snprintf(part, sizeof(part), "port %u", filter->port);
		append_part(text, &count, part);
	}
	if (filter->text) {
		append_part(text, &count, "'");
		text_append(text, "%s'", filter->text);
	}
	if (filter->has_client)
		text_append(text, " about %s", filter->client_name);
}
