/*
 * The codec: whatever is read as a message can be built again and is read as the same; values are
 * shown as text that, where it is read at all, is shown the same again. Input: a UDP payload, or an
 * Ethernet frame around one.
 */
#include "fuzz_dhcp.h"

#include "base/cleanup.h"
#include "base/reader.h"
#include "dhcp/classless_route.h"
#include "dhcp/frame.h"
#include "dhcp/option.h"
#include "dhcp/option_text.h"
#include "dhcp/relay_agent.h"

static void check_accessors(const struct dhcp_message *message, uint8_t code)
{
	struct dhcp_field field = {0};
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	struct ipv4 address;
	enum dhcp_answer answer = dhcp_message_bytes(message, code, &field);
	HOLDS((answer == DHCP_ABSENT) == !field_of(message, code));
	HOLDS(answer != DHCP_PRESENT || dhcp_option_length_valid(code, field.length));
	HOLDS((dhcp_message_u8(message, code, &u8) == DHCP_PRESENT) ==
		(answer == DHCP_PRESENT && field.length >= 1));
	HOLDS((dhcp_message_u16(message, code, &u16) == DHCP_PRESENT) ==
		(answer == DHCP_PRESENT && field.length >= 2));
	HOLDS((dhcp_message_u32(message, code, &u32) == DHCP_PRESENT) ==
		(answer == DHCP_PRESENT && field.length >= 4));
	HOLDS((dhcp_message_address(message, code, &address) == DHCP_PRESENT) ==
		(answer == DHCP_PRESENT && field.length >= 4));
}

static void check_text(uint8_t code, struct dhcp_field value)
{
	CLEANUP(text_finish) struct text shown = {0}, again = {0};
	uint8_t bytes[2 * DHCP_MESSAGE_SIZE_MAX];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	dhcp_option_text_format(code, value, ',', &shown);
	HOLDS(!shown.failed && shown.length == strlen(text_view(&shown)));
	HOLDS(!strpbrk(text_view(&shown), "\r\n\t\033"));
	if (dhcp_option_text_parse(code, text_view(&shown), &writer, NULL) < 0)
		return; /* a value that nobody may configure, like an MTU of 5 */
	struct dhcp_field parsed = {bytes, (uint16_t)writer_used(&writer)};
	dhcp_option_text_format(code, parsed, ',', &again);
	HOLDS(strcmp(text_view(&shown), text_view(&again)) == 0);
}

static void check_lists(struct dhcp_field value)
{
	struct reader reader = reader_over(value.bytes, value.length);
	struct dhcp_route route;
	struct dhcp_field found;
	size_t routes = 0;
	while (dhcp_route_next(&reader, &route)) {
		HOLDS(route.destination.length <= 32);
		routes++;
	}
	HOLDS(routes * 5 <= value.length);
	for (uint8_t code = 0; code < 12; code++)
		if (dhcp_relay_agent_find(&value, code, &found) == DHCP_PRESENT)
			HOLDS(found.length + 2 <= value.length);
}

/* Everything about one option; and into the new message with it. */
static void check_option(
	const struct dhcp_message *message, uint8_t code, struct dhcp_builder *builder)
{
	const struct dhcp_field *field = field_of(message, code);
	if (!field)
		return;
	check_accessors(message, code);
	check_text(code, *field);
	check_lists(*field);
	if (code != DHCP_OPTION_OVERLOAD && code != DHCP_OPTION_MESSAGE_TYPE)
		dhcp_builder_bytes(builder, code, field->bytes, field->length);
}

static void check_message(const uint8_t *bytes, size_t length)
{
	static struct dhcp_message message, again;
	static uint8_t buffer[DHCP_MESSAGE_SIZE_MAX];
	struct dhcp_builder builder;
	if (dhcp_message_parse(bytes, length, &message, NULL) < 0)
		return;
	dhcp_builder_init(&builder, buffer, sizeof(buffer), &message.header, message.type);
	check_accessors(&message, (uint8_t)message.header.xid);
	/* Option 82 first, for its room; the others from a number on that the message chooses. */
	check_option(&message, DHCP_OPTION_RELAY_AGENT, &builder);
	for (unsigned i = 0; i < 256; i++) {
		uint8_t code = (uint8_t)(i + message.header.xid);
		if (code != DHCP_OPTION_RELAY_AGENT)
			check_option(&message, code, &builder);
	}
	bool omitted = builder.omitted;
	size_t built = dhcp_builder_finish(&builder);
	HOLDS(built >= DHCP_MESSAGE_SIZE_MIN && built <= sizeof(buffer));
	HOLDS(dhcp_message_parse(buffer, built, &again, NULL) == 0);
	HOLDS(same_header(&message.header, &again.header) && message.type == again.type);
	HOLDS(omitted || same_options(&message, &again, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct frame frame;
	check_message(bytes, length);
	if (frame_parse_any(bytes, length, &frame) == FRAME_PARSED) {
		frame_checksum_holds(&frame);
		if (frame.protocol == FRAME_PROTOCOL_UDP)
			check_message(frame.payload, frame.payload_length);
	}
	return 0;
}
