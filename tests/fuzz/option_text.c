/*
 * Option values as text, from the text's side (the codec's target comes from the wire's). Input: the
 * option's code, then the text; or, where the first byte is 0, an assignment.
 *
 * What is taken can be shown, and what is shown is taken for the same: the same bytes, or where bytes
 * were given (a NUL behind a text, names that are not compressed) for what is shown alike.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "dhcp/option.h"
#include "dhcp/option_text.h"

static void check_value(uint8_t code, struct dhcp_field value, bool bytes_given)
{
	CLEANUP(text_finish) struct text shown = {0}, shown_again = {0};
	uint8_t again[DHCP_OPTION_VALUE_MAX];
	struct writer writer = writer_over(again, sizeof(again));
	HOLDS(dhcp_option_length_valid(code, value.length));
	dhcp_option_text_format(code, value, ',', &shown);
	TRACE("option %u: %s", code, text_view(&shown));
	HOLDS(!shown.failed && !strpbrk(text_view(&shown), "\r\n\033"));
	if (dhcp_option_text_parse(code, text_view(&shown), &writer, NULL) < 0) {
		HOLDS(bytes_given); /* a value that nobody may configure, like an MTU of 5 */
		return;
	}
	struct dhcp_field other = {again, (uint16_t)writer_used(&writer)};
	HOLDS(bytes_given ||
		(other.length == value.length && memcmp(again, value.bytes, value.length) == 0));
	dhcp_option_text_format(code, other, ',', &shown_again);
	HOLDS(strcmp(text_view(&shown), text_view(&shown_again)) == 0);
}

static void check_text(uint8_t code, const char *text)
{
	uint8_t bytes[DHCP_OPTION_VALUE_MAX];
	struct writer writer = writer_over(bytes, sizeof(bytes));
	struct error error = {0};
	if (dhcp_option_text_parse(code, text, &writer, &error) < 0) {
		HOLDS(error.code < 0 && *error.text);
		return;
	}
	HOLDS(writer_used(&writer) <= sizeof(bytes));
	check_value(code, (struct dhcp_field){bytes, (uint16_t)writer_used(&writer)},
		text_starts_with(text, "hex:"));
}

static void check_assignment(const char *text)
{
	CLEANUP(dhcp_option_list_finish) struct dhcp_option_list options = {0};
	struct error error = {0};
	char name[DHCP_OPTION_NAME_SIZE];
	uint8_t code;
	if (dhcp_option_text_assign(&options, text, &error) < 0) {
		HOLDS(options.count == 0 && error.code < 0 && *error.text);
		return;
	}
	HOLDS(options.count == 1);
	const struct dhcp_option_value *value = &options.list[0];
	HOLDS(dhcp_option_text_code(dhcp_option_text_name(value->code, name), &code, NULL) == 0);
	HOLDS(code == value->code && strlen(name) < sizeof(name));
	check_value(code, (struct dhcp_field){value->bytes, value->length}, strstr(text, "=hex:"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	CLEANUP(free_pointer) char *text = strndup((const char *)bytes + 1, length - 1);
	HOLDS(text);
	if (*bytes == 0)
		check_assignment(text);
	else if (*bytes != 255)
		check_text(*bytes, text);
	return 0;
}
