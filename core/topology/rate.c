#include "topology/rate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"

static const struct {
	const char *name;
	uint64_t bits;
} units[] = {
	{"gbit", 1000000000},
	{"mbit", 1000000},
	{"kbit", 1000},
	{"bit", 1},
	{"gibit", UINT64_C(1) << 30},
	{"mibit", UINT64_C(1) << 20},
	{"kibit", UINT64_C(1) << 10},
	{"", 1},
};

/* "1.5" -> 1500. */
static bool thousandths_parse(const char *text, size_t length, uint64_t *ret_thousandths)
{
	char digits[16] = "";
	const char *point = memchr(text, '.', length);
	size_t whole = point ? (size_t)(point - text) : length;
	size_t decimals = point ? length - whole - 1 : 0;
	if (!whole || whole + 3 >= sizeof(digits) || decimals > 3 || (point && !decimals))
		return false;
	memcpy(digits, text, whole);
	memcpy(digits + whole, "000", 3);
	if (point)
		memcpy(digits + whole, point + 1, decimals);
	return text_parse_number(digits, 0, UINT64_MAX, ret_thousandths);
}

bool rate_parse(const char *text, uint64_t *ret_bits)
{
	size_t length = strspn(text, "0123456789."), unit = 0;
	uint64_t thousandths;
	while (unit < ARRAY_LENGTH(units) && strcasecmp(text + length, units[unit].name) != 0)
		unit++;
	if (unit == ARRAY_LENGTH(units) || !thousandths_parse(text, length, &thousandths) ||
		thousandths > RATE_MOST * 1000 / units[unit].bits)
		return false;
	uint64_t bits = thousandths * units[unit].bits / 1000;
	if (bits < RATE_LEAST)
		return false;
	*ret_bits = bits;
	return true;
}

const char *rate_format(uint64_t bits, char text[static RATE_TEXT_SIZE])
{
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
		if (bits % units[i].bits)
			continue;
		snprintf(text, RATE_TEXT_SIZE, "%llu%s", (unsigned long long)(bits / units[i].bits),
			units[i].name);
		break;
	}
	return text;
}
