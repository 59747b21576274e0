#include "dhcp/option.h"

#include "dhcp/protocol.h"

#define EXACTLY(bytes) .minimum = (bytes), .maximum = (bytes)

static const struct dhcp_option_type types[256] = {
	[DHCP_OPTION_SUBNET_MASK] = {"subnet-mask", DHCP_KIND_ADDRESS, EXACTLY(4)},
	[DHCP_OPTION_ROUTER] = {"router", DHCP_KIND_ADDRESSES, .minimum = 4, .multiple_of = 4},
	[DHCP_OPTION_DNS] = {"dns", DHCP_KIND_ADDRESSES, .minimum = 4, .multiple_of = 4},
	[DHCP_OPTION_HOST_NAME] = {"host-name", DHCP_KIND_TEXT, .minimum = 1},
	[DHCP_OPTION_DOMAIN] = {"domain", DHCP_KIND_TEXT, .minimum = 1},
	[DHCP_OPTION_BROADCAST] = {"broadcast", DHCP_KIND_ADDRESS, EXACTLY(4)},
	[DHCP_OPTION_REQUESTED_ADDRESS] = {"requested-address", DHCP_KIND_ADDRESS, EXACTLY(4)},
	[DHCP_OPTION_LEASE_TIME] = {"lease-time", DHCP_KIND_SECONDS, EXACTLY(4)},
	[DHCP_OPTION_OVERLOAD] = {"overload", DHCP_KIND_U8, EXACTLY(1)},
	[DHCP_OPTION_MESSAGE_TYPE] = {"message-type", DHCP_KIND_U8, EXACTLY(1)},
	[DHCP_OPTION_SERVER_ID] = {"server-id", DHCP_KIND_ADDRESS, EXACTLY(4)},
	[DHCP_OPTION_PARAMETERS] = {"parameters", DHCP_KIND_CODES, .minimum = 1},
	[DHCP_OPTION_MESSAGE] = {"message", DHCP_KIND_TEXT, .minimum = 1},
	[DHCP_OPTION_MAXIMUM_SIZE] = {"maximum-size", DHCP_KIND_U16, EXACTLY(2)},
	[DHCP_OPTION_T1] = {"t1", DHCP_KIND_SECONDS, EXACTLY(4)},
	[DHCP_OPTION_T2] = {"t2", DHCP_KIND_SECONDS, EXACTLY(4)},
	[DHCP_OPTION_VENDOR_CLASS] = {"vendor-class", DHCP_KIND_BYTES, .minimum = 1},
	[DHCP_OPTION_CLIENT_ID] = {"client-id", DHCP_KIND_BYTES, .minimum = 2,
		.maximum = DHCP_CLIENT_ID_MAX},
	[DHCP_OPTION_RELAY_AGENT] = {"relay-agent", DHCP_KIND_BYTES, .minimum = 0},
};

const struct dhcp_option_type *dhcp_option_type(uint8_t code)
{
	return types[code].name ? &types[code] : NULL;
}

bool dhcp_option_length_valid(uint8_t code, size_t length)
{
	const struct dhcp_option_type *type = dhcp_option_type(code);
	if (!type)
		return true;
	return length >= type->minimum && (type->maximum == 0 || length <= type->maximum) &&
	       (type->multiple_of == 0 || length % type->multiple_of == 0);
}

bool dhcp_option_next(struct reader *area, uint8_t *ret_code, struct reader *ret_value)
{
	while (reader_left(area) > 0) {
		uint8_t code = read_u8(area);
		if (code == DHCP_OPTION_PAD)
			continue;
		if (code == DHCP_OPTION_END) {
			area->at = area->end;
			return false;
		}
		struct reader value = reader_sub(area, read_u8(area));
		if (area->truncated)
			return false;
		*ret_code = code;
		*ret_value = value;
		return true;
	}
	return false;
}
