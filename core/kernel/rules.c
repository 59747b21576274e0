#include "kernel/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/rules_worker.h"
#include "topology/block.h"
#include "topology/problems.h"

static bool any_rules(const struct plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++)
		if (plan->nodes[i].rules)
			return true;
	return false;
}

/* Returns whether all of it came before the end. */
static bool read_all(int fd, void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = read(fd, (char *)bytes + done, length - done);
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		done += got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* What libnftables cannot know. */
static const char *hint(const char *sentence)
{
	static const struct {
		const char *begins, *hint;
	} hints[] = {
		{"File not found", "; rules read no files: write them out here"},
		{"Could not resolve hostname", "; names are those of nodes with an address"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(hints); i++)
		if (text_starts_with(sentence, hints[i].begins))
			return hints[i].hint;
	return "";
}

/* A sentence about line `line` of the node's text; line 0: about all of it. */
static int fault(const struct plan *plan, const struct plan_node *node, unsigned line,
	unsigned column, const char *sentence, struct error *error)
{
	const struct block *block = &node->node->rules;
	bool exact;
	struct mark place = block_place(plan->topology, block, line, column, &exact);
	char where[32] = "";
	if (line > 1 && !exact)
		snprintf(where, sizeof(where), "line %u: ", line);
	return plan_fail(plan, place, error, "nftables of '%s': %s%s%s", node->node->written_as,
		where, sentence, hint(sentence));
}

/* "/nftables:3:5-9: Error: sentence" -> its numbers (0: none) and the sentence; NULL: another line. */
static const char *record(char *text, unsigned *ret_line, unsigned *ret_column)
{
	static const char place[] = RULES_FILE ":", word[] = "Error: ";
	char *sentence = strstr(text, word);
	*ret_line = *ret_column = 0;
	if (!sentence)
		return NULL;
	if (text_starts_with(text, place)) {
		char *end;
		*ret_line = (unsigned)strtoul(text + strlen(place), &end, 10);
		*ret_column = *end == ':' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	}
	return sentence + strlen(word);
}

/* What follows only from links that could not be read. */
static bool follows(const struct plan *plan, const char *sentence)
{
	return (plan->topology->missing & MISSING_LINKS) &&
	       strstr(sentence, "nterface does not exist");
}

/* Each of libnftables' records at its line. Beneath each it shows that line, which a person has. */
static int faults(
	const struct plan *plan, const struct plan_node *node, char *said, struct error *error)
{
	int result = 0;
	bool any = false;
	for (char *rest = said, *line; (line = strsep(&rest, "\n"));) {
		unsigned at, column;
		const char *sentence = record(line, &at, &column);
		if (!sentence)
			continue;
		any = true;
		int status = follows(plan, sentence)
				     ? 0
				     : fault(plan, node, at, column, sentence, error);
		if (!problems_go_on(plan->topology->problems, status, &result))
			return result;
	}
	return any ? result : fault(plan, node, 0, 0, "libnftables refuses it", error);
}

/* How it went: the error of what was said, and which node it was at. */
static int hear(const struct plan *plan, int fd, const struct plan_node **ret_node,
	struct error *ret_cannot, struct error *error)
{
	struct rules_head head;
	int result = 0;
	while (read_all(fd, &head, sizeof(head))) {
		CLEANUP(free_pointer) char *text = calloc(1, head.length + 1);
		if (!text)
			return error_set(error, -ENOMEM, "out of memory");
		if (!read_all(fd, text, head.length))
			break;
		*ret_node = head.word == RULES_CANNOT ? NULL : &plan->nodes[head.node];
		if (head.word == RULES_CANNOT)
			error_set(ret_cannot, head.code, "%s", text);
		int status = head.word == RULES_FAULTY ? faults(plan, *ret_node, text, error) : 0;
		if (!problems_go_on(plan->topology->problems, status, &result))
			break;
	}
	return result;
}

/* It has not ended by itself. */
static int ended_early(
	const struct plan *plan, const struct plan_node *node, int status, struct error *error)
{
	char sentence[200];
	bool late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
	if (late)
		snprintf(sentence, sizeof(sentence),
			"not done after %u s; `monitor`, for one, never is",
			RULES_SECONDS * clock_scale());
	else
		snprintf(sentence, sizeof(sentence), "libnftables fails over it (%s %d)",
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (node)
		return fault(plan, node, 0, 0, sentence, error);
	return error_set(error, -ECHILD, "the process that loads nftables rules: %s", sentence);
}

static int work(const struct rules_job *job, struct error *ret_cannot, struct error *error)
{
	int told[2];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int hear_from = told[0], tell_to = told[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot start what loads nftables rules");
	if (pid == 0)
		rules_work(job, tell_to);
	close_fd(&tell_to);
	const struct plan_node *node = NULL;
	int result = hear(job->plan, hear_from, &node, ret_cannot, error);
	close_fd(&hear_from);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Where one fault was enough for us it could not tell us more, and ended. */
	bool heard_all = result == 0 || (result == -EINVAL && job->plan->topology->problems);
	if (heard_all && status)
		problems_go_on(job->plan->topology->problems,
			ended_early(job->plan, node, status, error), &result);
	return result;
}

int rules_load(const struct plan *plan, const int *netns_fds, struct error *error)
{
	struct rules_job job = {.plan = plan, .netns_fds = netns_fds};
	struct error cannot = {0};
	int status = any_rules(plan) ? work(&job, &cannot, error) : 0;
	if (status == 0 && cannot.code)
		return error_set(error, cannot.code, "%s", cannot.text);
	return status;
}

int rules_check(const struct plan *plan, int (*enter)(struct error *error),
	struct error *ret_unchecked, struct error *error)
{
	struct rules_job job = {.plan = plan, .enter = enter};
	*ret_unchecked = (struct error){0};
	return any_rules(plan) ? work(&job, ret_unchecked, error) : 0;
}
