/*
 * Where a data connection goes: PORT, EPRT, 227 and 229. Input: the text, read as each of the four;
 * its first bytes are also taken for an address, which is written and read back.
 */
#include "fuzz_ftp.h"

#include "ftp/port.h"

static const struct endpoint untouched = {.family = ENDPOINT_IPV6, .port = 4711, .scope = 1};

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_same_host(a, b) && a->port == b->port && a->scope == b->scope;
}

/* What was read is ours to write, and to read as the same. */
static void check_endpoint(const struct endpoint *endpoint)
{
	char text[FTP_PORT_TEXT_SIZE], reply[200];
	struct endpoint again = untouched;
	static const uint8_t zeroes[12];
	ftp_eprt_format(endpoint, text);
	HOLDS(ftp_eprt_parse(text, strlen(text), &again) ==
		(endpoint->port ? FTP_EPRT_GOOD : FTP_EPRT_MALFORMED));
	HOLDS(same(&again, endpoint->port ? endpoint : &untouched));
	HOLDS(strlen(ENDPOINT_TEXT(endpoint)) >= strlen("1.2.3.4:0") ||
		endpoint->family == ENDPOINT_IPV6);
	HOLDS(!strchr(ENDPOINT_TEXT(endpoint), '?'));
	if (endpoint->family != ENDPOINT_IPV4)
		return;
	HOLDS(memcmp(endpoint->address + 4, zeroes, sizeof(zeroes)) == 0);
	ftp_port_format(endpoint, text);
	HOLDS(ftp_port_parse(text, strlen(text), &again) && same(&again, endpoint));
	again = untouched;
	int length = snprintf(reply, sizeof(reply), "Entering Passive Mode (%s)", text);
	HOLDS(ftp_passive_parse(reply, (size_t)length, &again) == (endpoint->port != 0));
	HOLDS(same(&again, endpoint->port ? endpoint : &untouched));
}

/* The text without the leading zeroes of its numbers, which mean nothing. */
static const char *plain_text(const char *text, size_t length)
{
	static char plain[1 << 16];
	size_t used = 0;
	bool within = false; /* a number */
	for (size_t i = 0; i < length && used + 1 < sizeof(plain); i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';
		bool more = i + 1 < length && text[i + 1] >= '0' && text[i + 1] <= '9';
		if (digit && !within && text[i] == '0' && more)
			continue;
		within = digit;
		plain[used++] = text[i] ? text[i] : ' ';
	}
	plain[used] = '\0';
	return plain;
}

/* What was read stands in the text, and as a whole. */
static void check_extended(const char *text, size_t length, uint16_t port)
{
	char wanted[20];
	const char *at = strchr(plain_text(text, length), '(');
	HOLDS(at);
	snprintf(
		wanted, sizeof(wanted), "(%c%c%c%u%c)", at[1], at[1], at[1], (unsigned)port, at[1]);
	HOLDS((at[1] >= '0' && at[1] <= '9') || strncmp(at, wanted, strlen(wanted)) == 0);
}

static void check_passive(const char *text, size_t length, const struct endpoint *endpoint)
{
	char wanted[FTP_PORT_TEXT_SIZE];
	const char *plain = plain_text(text, length);
	ftp_port_format(endpoint, wanted);
	const char *at = strstr(plain, wanted);
	while (at && at > plain && at[-1] >= '0' && at[-1] <= '9')
		at = strstr(at + 1, wanted);
	HOLDS(at);
}

static void check_text(const char *text, size_t length)
{
	char wanted[FTP_PORT_TEXT_SIZE];
	struct endpoint port = untouched, eprt = untouched, passive = untouched;
	uint16_t extended = 0;
	bool is_port = ftp_port_parse(text, length, &port);
	HOLDS(is_port || same(&port, &untouched));
	if (is_port) {
		HOLDS(port.family == ENDPOINT_IPV4 && port.scope == 0);
		HOLDS(strcmp(plain_text(text, length), ftp_port_format(&port, wanted)) == 0);
		check_endpoint(&port);
	}
	bool is_eprt = ftp_eprt_parse(text, length, &eprt) == FTP_EPRT_GOOD;
	HOLDS(is_eprt || same(&eprt, &untouched));
	if (is_eprt) {
		HOLDS(eprt.port > 0 && eprt.scope == 0 && !is_port);
		check_endpoint(&eprt);
	}
	bool is_passive = ftp_passive_parse(text, length, &passive);
	HOLDS(is_passive || same(&passive, &untouched));
	if (is_passive) {
		HOLDS(passive.family == ENDPOINT_IPV4 && passive.port > 0);
		check_passive(text, length, &passive);
		check_endpoint(&passive);
	}
	/* PORT's form is a part of 227's. */
	if (is_port && port.port > 0)
		HOLDS(is_passive && same(&passive, &port));
	if (!ftp_extended_passive_parse(text, length, &extended)) {
		HOLDS(extended == 0);
		return;
	}
	char reply[40];
	uint16_t again = 0;
	HOLDS(extended > 0);
	check_extended(text, length, extended);
	int written = snprintf(reply, sizeof(reply), "Extended (|||%u|)", (unsigned)extended);
	HOLDS(ftp_extended_passive_parse(reply, (size_t)written, &again) && again == extended);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader input = reader_over(bytes, length);
	struct endpoint endpoint = {.family = ENDPOINT_IPV4, .port = read_be16(&input)};
	check_text((const char *)bytes, length);
	if (length < 6)
		return 0;
	read_bytes(&input, endpoint.address, 4);
	check_endpoint(&endpoint);
	if (reader_left(&input) < sizeof(endpoint.address))
		return 0;
	endpoint.family = ENDPOINT_IPV6;
	read_bytes(&input, endpoint.address, sizeof(endpoint.address));
	check_endpoint(&endpoint);
	return 0;
}
