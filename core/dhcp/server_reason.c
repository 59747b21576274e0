#include "dhcp/server.h"

static const struct {
	const char *name, *text;
} reasons[DHCP_SERVER_REASONS] = {
	[DHCP_SERVER_NO_FREE_ADDRESS] = {"no-free-address", "no free address"},
	[DHCP_SERVER_BINDING_HELD] = {"binding-held",
		"another client still holds the bound address"},
	[DHCP_SERVER_NOT_ITS_ADDRESS] = {"not-its-address", "not the client's address"},
	[DHCP_SERVER_WRONG_NETWORK] = {"wrong-network", "an address of another network"},
	[DHCP_SERVER_RENEWAL_REFUSED] = {"renewal-refused", "renewal refused, as told"},
	[DHCP_SERVER_UNKNOWN_CLIENT] = {"unknown-client", "ignored: its client is not known here"},
	[DHCP_SERVER_OTHER_SUBNET] = {"unknown-subnet",
		"ignored: from a subnet that is not served"},
	[DHCP_SERVER_FORGED_RELAY] = {"forged-relay",
		"ignored: no relay can have the relay's address"},
	[DHCP_SERVER_OTHER_SERVER] = {"other-server", "ignored: for another server"},
	[DHCP_SERVER_NOT_HELD] = {"not-held", "ignored: the client does not hold the address"},
	[DHCP_SERVER_INCOMPLETE] = {"incomplete",
		"ignored: it lacks an address or option, or has a malformed one"},
	[DHCP_SERVER_NO_IDENTITY] = {"no-identity", "ignored: its client has no identity"},
	[DHCP_SERVER_UNEXPECTED_TYPE] = {"unexpected-type", "ignored: not for a server"},
	[DHCP_SERVER_NO_BOOTP] = {"bootp-not-allowed",
		"ignored: BOOTP, without a binding or leave"},
	[DHCP_SERVER_PORT_LEASES] = {"port-lease-limit", "its port has all the leases it may have"},
	[DHCP_SERVER_PORT_OFFERS] = {"port-offer-limit", "its port has all the offers it may have"},
	[DHCP_SERVER_PROBES] = {"too-many-probes", "ignored: too many addresses are being probed"},
	[DHCP_SERVER_ADDRESS_IN_USE] = {"address-in-use", "somebody uses the address already:"},
	[DHCP_SERVER_DECLINE_LIMIT] = {"decline-limit",
		"not set aside, its client declined too many:"},
	[DHCP_SERVER_OPTIONS_OMITTED] = {"options-omitted", "some options do not fit its answer"},
	[DHCP_SERVER_TOO_LONG] = {"answer-too-long", "ignored: its answer does not fit a message"},
	[DHCP_SERVER_NO_MEMORY] = {"no-memory", "ignored: out of memory"},
};

const char *dhcp_server_reason_name(enum dhcp_server_reason reason)
{
	return reasons[reason].name;
}

const char *dhcp_server_reason_text(enum dhcp_server_reason reason)
{
	return reasons[reason].text;
}

const char *dhcp_server_counter_name(unsigned counter)
{
	if (counter == 0)
		return "other";
	return counter == DHCP_SERVER_BOOTP ? "BOOTP" : dhcp_message_type_name(counter);
}
