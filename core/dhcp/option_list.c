#include "dhcp/option_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Where `code` stands, or would. */
static size_t place_of(const struct dhcp_option_list *options, uint8_t code)
{
	size_t place = 0;
	while (place < options->count && options->list[place].code < code)
		place++;
	return place;
}

const struct dhcp_option_value *dhcp_option_list_find(
	const struct dhcp_option_list *options, uint8_t code)
{
	size_t place = place_of(options, code);
	if (place == options->count || options->list[place].code != code)
		return NULL;
	return &options->list[place];
}

bool dhcp_option_list_set(
	struct dhcp_option_list *options, uint8_t code, const void *bytes, size_t length)
{
	if (length > UINT16_MAX)
		return false;
	uint8_t *copy = malloc(length + 1); /* an empty value owns something too */
	if (!copy)
		return false;
	if (length)
		memcpy(copy, bytes, length);
	size_t place = place_of(options, code);
	if (place < options->count && options->list[place].code == code) {
		free(options->list[place].bytes);
	} else {
		size_t behind = options->count - place;
		if (!array_add(&options->list, &options->count)) {
			free(copy);
			return false;
		}
		memmove(&options->list[place + 1], &options->list[place],
			behind * sizeof(*options->list));
	}
	options->list[place] = (struct dhcp_option_value){
		.code = code,
		.length = (uint16_t)length,
		.bytes = copy,
	};
	return true;
}

bool dhcp_option_list_complete(
	struct dhcp_option_list *options, const struct dhcp_option_list *more)
{
	for (size_t i = 0; i < more->count; i++) {
		const struct dhcp_option_value *value = &more->list[i];
		if (!dhcp_option_list_find(options, value->code) &&
			!dhcp_option_list_set(options, value->code, value->bytes, value->length))
			return false;
	}
	return true;
}

void dhcp_option_list_finish(struct dhcp_option_list *options)
{
	for (size_t i = 0; i < options->count; i++)
		free(options->list[i].bytes);
	free(options->list);
	*options = (struct dhcp_option_list){0};
}
