/* A message as a row of a table. */
#include <string.h>

#include "base/cleanup.h"
#include "results/report_parts.h"
#include "scenario/selection.h"

bool dhcp_is_about(const struct plan_node *node, const struct fact_message *message)
{
	for (size_t i = 0; i < node->interface_count; i++)
		if (mac_equal(node->interfaces[i].mac, message->dhcp.chaddr))
			return true;
	return false;
}

static const char *client_name(const struct plan *plan, const struct fact_message *message)
{
	for (size_t i = 0; i < plan->node_count; i++)
		if (dhcp_is_about(&plan->nodes[i], message))
			return plan->nodes[i].node->name;
	return NULL;
}

/* "for client1, yiaddr 10.0.2.100, giaddr 10.0.2.1, lease 3600 s" */
static void append_dhcp(
	const struct plan *plan, const struct fact_message *message, struct text *text)
{
	const struct fact_dhcp *dhcp = &message->dhcp;
	const char *client = client_name(plan, message);
	const struct {
		const char *name;
		struct ipv4 address;
	} addresses[] = {{"ciaddr", dhcp->ciaddr}, {"yiaddr", dhcp->yiaddr},
		{"requested", dhcp->requested}, {"giaddr", dhcp->giaddr}, {"server", dhcp->server}};
	text_append(text, " for %s", client ? client : MAC_TEXT(dhcp->chaddr));
	for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++)
		if (!ipv4_is_none(addresses[i].address))
			text_append(text, ", %s %s", addresses[i].name,
				IPV4_TEXT(addresses[i].address));
	if (dhcp->has_lease && dhcp->lease_seconds == UINT32_MAX)
		text_append(text, ", lease for ever");
	else if (dhcp->has_lease)
		text_append(text, ", lease %u s", dhcp->lease_seconds);
}

void report_message(const struct plan *plan, const struct scenario_result *result,
	const struct fact *fact, struct text *text)
{
	const struct fact_message *message = &fact->message;
	/* What is over the capture's limit has no number. */
	if (message->frame)
		text_append(text, "| %llu ", (unsigned long long)message->frame);
	else
		text_append(text, "| ");
	text_append(text, "| %.3f | %s | %s \u2192 %s | ",
		report_seconds(result->started_ns, fact->time_ns),
		plan->nodes[message_sender(plan, fact)].node->name,
		FACT_ENDPOINT_TEXT(message->source), FACT_ENDPOINT_TEXT(message->destination));
	/* A line of FTP begins with its name. */
	report_cell(text, message->protocol == FACT_FTP ? message->detail : message->name);
	if (message->protocol == FACT_DHCP) {
		append_dhcp(plan, message, text);
	} else if (message->protocol != FACT_FTP && *message->detail) {
		text_append(text, message->protocol == FACT_TEXT ? ": " : ", ");
		report_cell(text, message->detail);
	}
	text_append(text, " ");
}
