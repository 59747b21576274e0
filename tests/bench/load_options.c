#include "load_options.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { SECONDS_MOST = 3600 };

int load_accept_number(const struct option_value *value, uint64_t minimum, uint64_t maximum,
	uint64_t *number, struct error *error)
{
	if (!text_parse_number(value->text, minimum, maximum, number))
		return error_set(error, -EINVAL, "--%s '%s' is no number from %llu to %llu",
			value->name, value->text, (unsigned long long)minimum,
			(unsigned long long)maximum);
	return 0;
}

int load_accept_address(const struct option_value *value, struct ipv4 *address, struct error *error)
{
	if (!ipv4_parse(value->text, address))
		return error_set(
			error, -EINVAL, "--%s '%s' is no IPv4 address", value->name, value->text);
	return 0;
}

int load_accept_seconds(const struct option_value *value, uint64_t *ns, struct error *error)
{
	if (!text_parse_seconds(value->text, ns) || *ns == 0 || *ns > SECONDS_MOST * NS_PER_SECOND)
		return error_set(error, -EINVAL, "--%s '%s' is no time up to %u s", value->name,
			value->text, SECONDS_MOST);
	return 0;
}

int load_accept_path(const struct option_value *value, const char **path, struct error *error)
{
	if (!*value->text || strcmp(value->origin, "command line") != 0)
		return error_set(
			error, -EINVAL, "--%s needs a file, on the command line", value->name);
	*path = value->text;
	return 0;
}
