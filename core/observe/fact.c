#include "observe/fact.h"

#include <stdio.h>

#include "base/cleanup.h"

static const char *const protocol_names[] = {
	[FACT_DHCP] = "DHCP",
	[FACT_FTP] = "FTP",
	[FACT_TCP] = "TCP",
	[FACT_TEXT] = "text",
};

static const char *const subject_names[] = {
	[FACT_LINK] = "link",
	[FACT_ADDRESS] = "address",
	[FACT_ROUTE] = "route",
	[FACT_NEIGHBOUR] = "neighbour",
};

static const char *const change_names[] = {
	[FACT_ADDED] = "added",
	[FACT_CHANGED] = "changed",
	[FACT_REMOVED] = "removed",
};

const char *fact_protocol_name(enum fact_protocol protocol)
{
	return protocol < ARRAY_LENGTH(protocol_names) ? protocol_names[protocol] : "?";
}

const char *fact_subject_name(enum fact_subject subject)
{
	return subject < ARRAY_LENGTH(subject_names) ? subject_names[subject] : "?";
}

const char *fact_change_name(enum fact_change change)
{
	return change < ARRAY_LENGTH(change_names) ? change_names[change] : "?";
}

char *fact_endpoint_format(struct fact_endpoint endpoint, char text[static FACT_ENDPOINT_TEXT_SIZE])
{
	bool is_ipv6 = endpoint.address.family == IPV6;
	snprintf(text, FACT_ENDPOINT_TEXT_SIZE, "%s%s%s:%u", is_ipv6 ? "[" : "",
		IP_TEXT(endpoint.address), is_ipv6 ? "]" : "", endpoint.port);
	return text;
}
