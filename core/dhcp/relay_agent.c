#include "dhcp/relay_agent.h"

#include "base/reader.h"

enum { HEADER_SIZE = 2, ADDRESS_SIZE = 4 };

enum dhcp_answer dhcp_relay_agent_find(
	const struct dhcp_field *option, uint8_t code, struct dhcp_field *ret_value)
{
	struct reader left = reader_over(option->bytes, option->length);
	struct dhcp_field found = {0};
	enum dhcp_answer answer = DHCP_ABSENT;
	while (reader_left(&left) > 0) {
		uint8_t seen = read_u8(&left);
		struct reader value = reader_sub(&left, read_u8(&left));
		if (left.truncated)
			return DHCP_MALFORMED;
		if (seen != code || answer == DHCP_PRESENT)
			continue;
		found = (struct dhcp_field){value.at, (uint16_t)reader_left(&value)};
		answer = DHCP_PRESENT;
	}
	if (answer == DHCP_PRESENT)
		*ret_value = found;
	return answer;
}

enum dhcp_answer dhcp_relay_agent_address(
	const struct dhcp_field *option, uint8_t code, struct ipv4 *ret_address)
{
	struct dhcp_field field;
	enum dhcp_answer answer = dhcp_relay_agent_find(option, code, &field);
	if (answer != DHCP_PRESENT)
		return answer;
	if (field.length != ADDRESS_SIZE)
		return DHCP_MALFORMED;
	struct reader value = reader_over(field.bytes, field.length);
	ret_address->host = read_be32(&value);
	return DHCP_PRESENT;
}

bool dhcp_relay_agent_append(struct writer *option, uint8_t code, const void *bytes, size_t length)
{
	if (option->overflow || length > UINT8_MAX || writer_left(option) < HEADER_SIZE + length)
		return false;
	write_u8(option, code);
	write_u8(option, (uint8_t)length);
	write_bytes(option, bytes, length);
	return true;
}
