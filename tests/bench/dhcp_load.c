/*
 * dhcp_load: the clients of a DHCP server, all at once, and the relay before it. A new client for
 * every exchange, --window of them in flight; what it saw goes to standard output as JSON.
 *
 * Exit status 1 where the server broke its word: an address given to two clients, or another than
 * was offered; with --mode reboot also where a client was refused or not answered.
 */
#include <signal.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "load.h"

enum { EXIT_BROKEN = 1 };

static volatile int stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* In microseconds. */
static json_t *percentiles(const struct histogram *histogram)
{
	static const struct {
		const char *name;
		double share;
	} rows[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"most", 1}};
	json_t *object = json_object();
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		json_object_set_new(object, rows[i].name,
			json_integer((json_int_t)(histogram_percentile(histogram, rows[i].share) /
						  1000)));
	return object;
}

static int print(const struct load *load, struct error *error)
{
	const struct load_result *result = &load->result;
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{"begun", result->begun},
		{"done", result->done},
		{"counted", result->counted},
		{"lost", result->lost},
		{"refused", result->refused},
		{"again", result->again},
		{"duplicates", result->duplicates},
		{"wrong", result->wrong},
		{"stray", result->stray},
		{"seed", load->settings->seed},
	};
	double seconds = (double)result->counted_ns / (double)NS_PER_SECOND;
	json_t *object = json_pack("{s:s, s:f, s:f}", "mode", load_mode_name(load->settings->mode),
		"seconds", seconds, "rate", seconds > 0 ? (double)result->counted / seconds : 0.0);
	for (size_t i = 0; i < ARRAY_LENGTH(counters); i++)
		json_object_set_new(
			object, counters[i].name, json_integer((json_int_t)counters[i].value));
	json_object_set_new(object, "offer_us", percentiles(&result->offer));
	json_object_set_new(object, "ack_us", percentiles(&result->ack));
	json_object_set_new(object, "whole_us", percentiles(&result->whole));
	return json_write_line(object, stdout, error);
}

int main(int argc, char **argv)
{
	struct error error;
	struct load_settings settings = {0};
	log_open(load_program.name);
	if (options_read(&load_program, argc, argv, &settings, NULL, &error) < 0 ||
		load_settings_check(&settings, &error) < 0)
		return program_fail(&load_program, EXIT_MISUSE, &error);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	static struct load load;
	int status = load_open(&load, &settings, &error);
	if (status == 0)
		status = load_run(&load, &stop, &error);
	if (status == 0)
		status = print(&load, &error);
	load_close(&load);
	if (status < 0)
		return program_fail(&load_program, EXIT_SYSTEM, &error);
	const struct load_result *result = &load.result;
	bool kept = result->duplicates == 0 && result->wrong == 0;
	if (settings.mode == LOAD_REBOOT)
		kept = kept && result->refused == 0 && result->lost == 0;
	return kept ? EXIT_DONE : EXIT_BROKEN;
}
