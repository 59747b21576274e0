#include "load_settings.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "load_options.h"

enum { WINDOW_DEFAULT = 64, TIMEOUT_DEFAULT_S = 4, TRIES_DEFAULT = 3 };

static const char *const mode_names[] = {
	[LOAD_DORA] = "dora",
	[LOAD_RENEW] = "renew",
	[LOAD_REBOOT] = "reboot",
};

const char *load_mode_name(enum load_mode mode)
{
	return mode_names[mode];
}

static int accept_mode(void *target, const struct option_value *value, struct error *error)
{
	struct load_settings *settings = target;
	for (size_t i = 0; i < ARRAY_LENGTH(mode_names); i++) {
		if (strcmp(value->text, mode_names[i]) == 0) {
			settings->mode = (enum load_mode)i;
			return 0;
		}
	}
	return error_set(error, -EINVAL, "--mode '%s' is not dora, renew or reboot", value->text);
}

static int accept_server(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_address(value, &((struct load_settings *)target)->server, error);
}

static int accept_local(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_address(value, &((struct load_settings *)target)->local, error);
}

static int accept_window(void *target, const struct option_value *value, struct error *error)
{
	uint64_t window = 0;
	int status = load_accept_number(value, 1, LOAD_WINDOW_MOST, &window, error);
	((struct load_settings *)target)->window = (uint32_t)window;
	return status;
}

static int accept_count(void *target, const struct option_value *value, struct error *error)
{
	uint64_t *count = &((struct load_settings *)target)->count;
	return load_accept_number(value, 1, UINT64_C(1) << 32, count, error);
}

static int accept_seconds(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_seconds(value, &((struct load_settings *)target)->seconds_ns, error);
}

static int accept_timeout(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_seconds(value, &((struct load_settings *)target)->timeout_ns, error);
}

static int accept_tries(void *target, const struct option_value *value, struct error *error)
{
	uint64_t tries = 0;
	int status = load_accept_number(value, 1, 1000, &tries, error);
	((struct load_settings *)target)->tries = (uint32_t)tries;
	return status;
}

static int accept_seed(void *target, const struct option_value *value, struct error *error)
{
	uint64_t *seed = &((struct load_settings *)target)->seed;
	return load_accept_number(value, 0, UINT64_MAX, seed, error);
}

static int accept_record(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct load_settings *)target)->record, error);
}

static int accept_leases(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct load_settings *)target)->leases, error);
}

static const struct option options[] = {
	{"server", "ADDR", "the server under load", accept_server},
	{"local", "ADDR", "our own address, which is the relay's (giaddr)", accept_local},
	{"mode", "MODE", "dora (default); renew or reboot: the clients of --leases", accept_mode},
	{"count", "N", "exchanges; default: as many as fit the time", accept_count},
	{"seconds", "S", "begin no exchange after that time", accept_seconds},
	{"window", "N", "exchanges in flight; default: 64", accept_window},
	{"timeout", "S", "ask again after that time; default: 4", accept_timeout},
	{"tries", "N", "give an exchange up after so many; default: 3", accept_tries},
	{"seed", "N", "which clients; default: 0", accept_seed},
	{"record", "FILE", "append each leased address and its client", accept_record},
	{"leases", "FILE", "who has which address already, as --record wrote it", accept_leases},
};

const struct program load_program = {
	.name = "dhcp_load",
	.synopsis = "--server ADDR --local ADDR (--count N | --seconds S | --leases FILE) [...]",
	.purpose = "Be the clients of a DHCP server, and the relay before it; tell how it did.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

int load_settings_check(struct load_settings *settings, struct error *error)
{
	if (ipv4_is_none(settings->server) || ipv4_is_none(settings->local))
		return error_set(error, -EINVAL, "--server ADDR and --local ADDR are needed");
	if (settings->mode != LOAD_DORA && !settings->leases)
		return error_set(error, -EINVAL, "--mode %s needs --leases FILE",
			load_mode_name(settings->mode));
	if (settings->mode == LOAD_DORA && !settings->count && !settings->seconds_ns)
		return error_set(error, -EINVAL, "--count N or --seconds S is needed");
	if (!settings->window)
		settings->window = WINDOW_DEFAULT;
	if (!settings->timeout_ns)
		settings->timeout_ns = TIMEOUT_DEFAULT_S * NS_PER_SECOND;
	if (!settings->tries)
		settings->tries = TRIES_DEFAULT;
	return 0;
}
