#include "programs/dhcp/lease_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "programs/shared/file_replace.h"

enum { FILE_SIZE_MAX = 65536, BOOT_ID_SIZE = 64 };

/* Empty where the machine has none: then no two are the same. */
static void read_boot_id(char boot[static BOOT_ID_SIZE])
{
	boot[0] = '\0';
	CLEANUP(close_file) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file && fgets(boot, BOOT_ID_SIZE, file))
		boot[strcspn(boot, "\n")] = '\0';
}

static void hex_append(struct text *text, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		text_append(text, "%02x", bytes[i]);
}

/* Returns the length, or -1 where it is no hexadecimal. */
static int hex_parse(const char *text, uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	size_t length = strlen(text);
	if (length % 2 || length / 2 > size)
		return -1;
	for (size_t i = 0; i < length; i++) {
		const char *digit = strchr(digits, text[i]);
		if (!digit)
			return -1;
		unsigned value = (unsigned)(digit - digits);
		bytes[i / 2] = (uint8_t)(i % 2 ? bytes[i / 2] | value : value << 4);
	}
	return (int)(length / 2);
}

static json_t *hex_json(const uint8_t *bytes, size_t length)
{
	CLEANUP(text_finish) struct text text = {0};
	hex_append(&text, bytes, length);
	return text.failed ? NULL : json_string(text_view(&text));
}

static json_t *options_json(const struct dhcp_client_lease *lease)
{
	CLEANUP(json_release) json_t *options = json_object();
	size_t at = 0;
	uint8_t code;
	struct dhcp_field value;
	while (dhcp_client_lease_next(lease, &at, &code, &value)) {
		char name[4];
		snprintf(name, sizeof(name), "%u", code);
		if (json_object_set_new(options, name, hex_json(value.bytes, value.length)) < 0)
			return NULL;
	}
	return TAKE(options);
}

int lease_file_write(const struct lease_file *file, const struct dhcp_client_lease *lease,
	uint64_t now_ns, struct error *error)
{
	char boot[BOOT_ID_SIZE];
	read_boot_id(boot);
	uint64_t age_ns = now_ns > lease->obtained_ns ? now_ns - lease->obtained_ns : 0;
	uint64_t utc = (clock_realtime_ns() - age_ns) / NS_PER_SECOND;
	CLEANUP(json_release)
	json_t *value = json_pack("{s:s, s:o, s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:o}", "mac",
		MAC_TEXT(file->mac), "client_id",
		hex_json(file->client_id.bytes, file->client_id.length), "address",
		PREFIX_TEXT(lease->address), "server", IPV4_TEXT(lease->server), "next_server",
		IPV4_TEXT(lease->next_server), "lease_seconds", (json_int_t)lease->lease_seconds,
		"obtained", (json_int_t)utc, "boot", boot, "obtained_since_boot_ns",
		(json_int_t)lease->obtained_ns, "options", options_json(lease));
	CLEANUP(free_pointer) char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	return file_replace(file->path, text, strlen(text), 0600, error);
}

static uint64_t less(uint64_t value, uint64_t subtrahend)
{
	return value > subtrahend ? value - subtrahend : 0;
}

/* The times of a lease that is `age` nanoseconds old; before the clock began they are 0. */
static void set_times(struct dhcp_client_lease *lease, uint64_t age, uint64_t now_ns)
{
	struct dhcp_field value;
	uint32_t times[2] = {0, 0};
	static const uint8_t codes[] = {DHCP_OPTION_T1, DHCP_OPTION_T2};
	for (size_t i = 0; i < ARRAY_LENGTH(codes); i++)
		if (dhcp_client_lease_option(lease, codes[i], &value) && value.length == 4) {
			struct reader reader = reader_over(value.bytes, value.length);
			times[i] = read_be32(&reader);
		}
	lease->obtained_ns = now_ns;
	dhcp_client_lease_set_times(lease, times[0], times[1]);
	lease->obtained_ns = less(lease->obtained_ns, age);
	if (lease->ends_ns == DHCP_NEVER)
		return;
	lease->t1_ns = less(lease->t1_ns, age);
	lease->t2_ns = less(lease->t2_ns, age);
	lease->ends_ns = less(lease->ends_ns, age);
}

static bool options_read(const json_t *options, struct dhcp_client_lease *lease)
{
	const char *name;
	json_t *value;
	uint8_t bytes[DHCP_CLIENT_OPTIONS_MAX];
	json_object_foreach((json_t *)options, name, value)
	{
		uint64_t code;
		int length = json_is_string(value)
				     ? hex_parse(json_string_value(value), bytes, sizeof(bytes))
				     : -1;
		if (!text_parse_number(name, 1, 254, &code) || length < 0 ||
			!dhcp_client_lease_add(lease, (uint8_t)code, bytes, (size_t)length))
			return false;
	}
	return true;
}

static bool is_own(const struct lease_file *file, const char *mac, const char *client_id)
{
	struct mac its;
	uint8_t id[DHCP_CLIENT_ID_MAX];
	int length = hex_parse(client_id, id, sizeof(id));
	return mac_parse(mac, &its) && mac_equal(its, file->mac) &&
	       length == file->client_id.length &&
	       memcmp(id, length ? file->client_id.bytes : id, (size_t)length) == 0;
}

static int damaged(const struct lease_file *file, const char *what, struct error *error)
{
	return error_set(error, -EBADMSG, "the saved lease '%s' is not used: %s", file->path, what);
}

/* NULL where it cannot be had. */
static json_t *load(const struct lease_file *file, struct error *error)
{
	struct stat facts;
	json_error_t reason;
	CLEANUP(close_file) FILE *stream = fopen(file->path, "re");
	if (!stream || fstat(fileno(stream), &facts) < 0) {
		error_system(error, -errno, "the saved lease '%s' is not used", file->path);
		return NULL;
	}
	bool sane = S_ISREG(facts.st_mode) && facts.st_size <= FILE_SIZE_MAX;
	json_t *value = sane ? json_loadf(stream, 0, &reason) : NULL;
	if (!value)
		damaged(file, "it is damaged", error);
	return value;
}

/* What the file holds beside the lease; the texts live in its JSON. */
struct stamps {
	const char *mac, *client_id, *boot;
	json_int_t obtained, since_boot_ns;
};

/* Everything but the times. */
static bool lease_parse(json_t *value, struct dhcp_client_lease *lease, struct stamps *ret_stamps)
{
	const char *address, *server, *next_server;
	struct stamps stamps;
	json_int_t seconds;
	json_t *options;
	if (json_unpack(value, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:o}", "mac",
		    &stamps.mac, "client_id", &stamps.client_id, "address", &address, "server",
		    &server, "next_server", &next_server, "lease_seconds", &seconds, "obtained",
		    &stamps.obtained, "boot", &stamps.boot, "obtained_since_boot_ns",
		    &stamps.since_boot_ns, "options", &options) < 0)
		return false;
	if (!prefix_parse(address, &lease->address) || !ipv4_parse(server, &lease->server) ||
		!ipv4_parse(next_server, &lease->next_server) ||
		!dhcp_client_address_usable(lease->address.address) ||
		!dhcp_client_prefix_usable(lease->address) || seconds <= 0 ||
		seconds > DHCP_LEASE_INFINITE || stamps.obtained < 0 || stamps.since_boot_ns < 0)
		return false;
	lease->lease_seconds = (uint32_t)seconds;
	*ret_stamps = stamps;
	return options_read(options, lease);
}

static uint64_t age_ns(const struct stamps *stamps, uint64_t now_ns)
{
	char boot[BOOT_ID_SIZE];
	read_boot_id(boot);
	uint64_t began_ns = (uint64_t)stamps->since_boot_ns, began = (uint64_t)stamps->obtained;
	uint64_t utc = clock_realtime_ns() / NS_PER_SECOND;
	if (*boot && strcmp(boot, stamps->boot) == 0)
		return began_ns <= now_ns ? now_ns - began_ns : DHCP_NEVER;
	if (began <= utc && utc - began <= DHCP_LEASE_INFINITE)
		return (utc - began) * NS_PER_SECOND;
	return DHCP_NEVER; /* it is from the future */
}

int lease_file_read(const struct lease_file *file, uint64_t now_ns,
	struct dhcp_client_lease *ret_lease, struct error *error)
{
	struct dhcp_client_lease lease = {0};
	struct stamps stamps;
	if (access(file->path, F_OK) < 0 && errno == ENOENT)
		return 0;
	CLEANUP(json_release) json_t *value = load(file, error);
	if (!value)
		return error->code;
	if (!lease_parse(value, &lease, &stamps))
		return damaged(file, "it is damaged", error);
	if (!is_own(file, stamps.mac, stamps.client_id))
		return damaged(file, "it is of another interface or client identifier", error);
	set_times(&lease, age_ns(&stamps, now_ns), now_ns);
	*ret_lease = lease;
	return 1;
}

int lease_file_remove(const struct lease_file *file, struct error *error)
{
	if (unlink(file->path) < 0 && errno != ENOENT)
		return error_system(error, -errno, "cannot remove '%s'", file->path);
	return 0;
}
