#include "programs/dhcp/server_program.h"

#include "base/clock.h"
#include "base/log.h"

enum {
	/* Log lines of messages: a burst is a class that starts at once, the rate what a disk likes. */
	MESSAGE_LINES = 200,
	MESSAGE_BURST = 4000,
	TROUBLE_LINES = 2,
	TROUBLE_BURST = 20,
};

void server_program_init(struct server_program_state *state)
{
	state->transport.udp = state->transport.packet = -1;
	state->messages = (struct log_limit){.rate = MESSAGE_LINES, .burst = MESSAGE_BURST};
	state->troubles = (struct log_limit){.rate = TROUBLE_LINES, .burst = TROUBLE_BURST};
}

static void set_clock(struct server_program_state *state)
{
	struct error error;
	int64_t utc_less_ns = (int64_t)(clock_realtime_ns() - state->now_ns);
	int moved = lease_store_set_clock(state->store, utc_less_ns, &error);
	if (moved < 0)
		server_program_trouble(state, &error);
	if (moved > 0)
		log_line("the clock was set: the times of all stored leases are moved with it");
}

void server_program_begin(struct server_program_state *state)
{
	state->now_ns = clock_boottime_ns();
	set_clock(state);
}

bool server_program_may_log(struct server_program_state *state)
{
	return log_limit_allows(&state->messages, state->now_ns);
}

void server_program_trouble(struct server_program_state *state, const struct error *error)
{
	if (log_limit_allows(&state->troubles, state->now_ns))
		log_line("%s", error->text);
}

bool server_program_commit(struct server_program_state *state, unsigned answers)
{
	struct error error;
	if (answers == 0)
		return true;
	if (lease_store_commit(state->store, &error) == 0) {
		state->counters.commits++;
		return true;
	}
	state->counters.failed_commits++;
	if (log_limit_allows(&state->troubles, state->now_ns))
		log_line(
			"%s; answers that depend on it, and are withheld: %u", error.text, answers);
	return false;
}

void server_program_tick(struct server_program_state *state)
{
	struct error error;
	uint64_t kept_back = log_limit_take(&state->messages) + log_limit_take(&state->troubles);
	bool idle = state->counters.commits == state->idle_commits;
	state->now_ns = clock_boottime_ns();
	state->counters.not_logged += kept_back;
	state->idle_commits = state->counters.commits;
	if (kept_back > 0)
		log_line("%llu lines more were not logged; `dhcp-server status` has the counts",
			(unsigned long long)kept_back);
	if (idle && lease_store_tidy(state->store, true, &error) < 0)
		server_program_trouble(state, &error);
	if (!idle)
		event_loop_tick(&state->loop);
}
