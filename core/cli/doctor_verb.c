/* sim doctor: what this machine can and cannot do, and how to mend it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/verb.h"
#include "lab/doctor.h"

enum { INDENT = 18, LINE = 100 };

/* Words from column `at` on, which a blank ends; broken before LINE, further lines begin at INDENT. */
static void print_wrapped(size_t at, const char *text)
{
	for (bool fresh = true; *text; fresh = false) {
		size_t length = strcspn(text, " ");
		bool broken = !fresh && at + 1 + length > LINE;
		if (broken)
			printf("\n%*s", INDENT, "");
		else if (!fresh)
			putchar(' ');
		at = (broken ? INDENT : at + !fresh) + length;
		CLEANUP(free_pointer) char *word = text_format("%.*s", (int)length, text);
		verb_print(stdout, word);
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void print_part(const char *label, const char *text)
{
	printf("    %-*s", INDENT - 4, label);
	print_wrapped(INDENT, text);
}

/* A command is one line, to be copied. */
static void print_mend(const char *label, const char *mend)
{
	static const char *const commands[] = {"sudo ", "printf ", "echo "};
	bool command = false;
	for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
		command |= text_starts_with(mend, commands[i]);
	if (command)
		printf("    %-*s%s\n", INDENT - 4, label, mend);
	else
		print_part(label, mend);
}

/* "bridges, capture": those that hold. */
static void print_holding(const struct doctor *doctor, enum doctor_need need)
{
	size_t holding = 0, all = 0;
	CLEANUP(text_finish) struct text names = {0};
	for (size_t i = 0; i < doctor->finding_count; i++) {
		const struct doctor_finding *finding = &doctor->findings[i];
		if (finding->need != need)
			continue;
		all++;
		if (finding->state == DOCTOR_HOLDS)
			text_append(&names, "%s%s", holding++ ? ", " : "", finding->name);
	}
	int begun = printf("%-*s%zu of %zu%s", INDENT,
		need == DOCTOR_EVERY_LAB ? "every lab needs" : "some labs need", holding, all,
		holding ? ": " : "");
	print_wrapped((size_t)begun, text_view(&names));
}

static void print_findings(const struct doctor *doctor, enum doctor_need need)
{
	size_t untried = 0;
	print_holding(doctor, need);
	for (size_t i = 0; i < doctor->finding_count; i++) {
		const struct doctor_finding *finding = &doctor->findings[i];
		untried += finding->need == need && finding->state == DOCTOR_UNTRIED;
		if (finding->need != need || finding->state != DOCTOR_MISSING)
			continue;
		printf("\n  missing: %s\n", finding->name);
		CLEANUP(free_pointer)
		char *tried = text_format("%s: %s", finding->tried, finding->found);
		print_part("tried", tried ? tried : finding->tried);
		print_part("costs", finding->costs);
		print_mend("mend", finding->mend);
	}
	if (untried)
		printf("\n  %zu could not be tried without it\n", untried);
	putchar('\n');
}

/* What is counted in bytes is shown in MiB. */
static char *number_text(const struct doctor_limit *limit, uint64_t number)
{
	unsigned long long shown = limit->bytes ? number >> 20 : number;
	return text_format("%llu%s", shown, limit->bytes ? " MiB" : "");
}

/* From `first` on: limits that are too low, and cost the same. */
static size_t same_costs(const struct doctor *doctor, size_t first)
{
	size_t end = first;
	while (end < doctor->limit_count && doctor->limits[end].mend &&
		strcmp(doctor->limits[end].costs, doctor->limits[first].costs) == 0)
		end++;
	return end;
}

static void print_low(const struct doctor *doctor, size_t first, size_t end)
{
	putchar('\n');
	for (size_t i = first; i < end; i++) {
		const struct doctor_limit *limit = &doctor->limits[i];
		CLEANUP(free_pointer) char *allowed = number_text(limit, limit->allowed);
		CLEANUP(free_pointer) char *needed = number_text(limit, limit->needed);
		printf("  %-9s%s: %s, and %s for %d nodes with a program in each\n",
			i == first ? "too low:" : "", limit->name, allowed ? allowed : "?",
			needed ? needed : "?", DOCTOR_NODES);
	}
	print_part("costs", doctor->limits[first].costs);
	for (size_t i = first; i < end; i++)
		print_mend(i == first ? "mend" : "", doctor->limits[i].mend);
}

static void print_limits(const struct doctor *doctor)
{
	printf("%-*s%zu nodes, or %zu with a program in each", INDENT, "a lab can have",
		doctor->nodes_bare, doctor->nodes_running);
	if (doctor->nodes_limit)
		printf("; more take more %s", doctor->nodes_limit);
	putchar('\n');
	for (size_t i = 0; i < doctor->limit_count;) {
		size_t end = same_costs(doctor, i);
		if (end > i)
			print_low(doctor, i, end);
		i = end > i ? end : i + 1;
	}
	putchar('\n');
}

static void print_tools(const struct doctor *doctor)
{
	CLEANUP(text_finish) struct text there = {0};
	size_t count = 0;
	for (size_t i = 0; i < doctor->tool_count; i++)
		if (doctor->tools[i].there)
			text_append(&there, "%s%s", count++ ? ", " : "", doctor->tools[i].name);
	printf("%-*s%zu of %zu%s%s\n", INDENT, "commands", count, doctor->tool_count,
		count ? ": " : "", text_view(&there));
	for (size_t i = 0; i < doctor->tool_count; i++) {
		const struct doctor_tool *tool = &doctor->tools[i];
		if (tool->there)
			continue;
		printf("\n  missing: %s\n", tool->name);
		print_part("costs", tool->costs);
		printf("    %-*ssudo apt-get install %s\n", INDENT - 4, "mend", tool->package);
	}
}

static void print_doctor(const struct doctor *doctor)
{
	printf("%s, %u processor%s, %.1f GiB of memory available%s%s\n", doctor->kernel,
		doctor->processors, TEXT_PLURAL(doctor->processors),
		(double)doctor->memory_bytes / (1 << 30), doctor->surroundings ? ", " : "",
		doctor->surroundings ? doctor->surroundings : "");
	printf("%s\n\n", !doctor->able ? "sim cannot build labs here as it is."
			 : doctor->root
				 ? "sim can build labs here, as root."
				 : "sim can build labs here, as this user: root is not needed.");
	print_findings(doctor, DOCTOR_EVERY_LAB);
	if (doctor->able) {
		print_findings(doctor, DOCTOR_SOME_LABS);
		print_limits(doctor);
	}
	print_tools(doctor);
}

int verb_doctor(const struct arguments *arguments)
{
	CLEANUP(doctor_finish) struct doctor doctor = {0};
	struct places places;
	struct error error;
	int status = places_find(&places, &error);
	if (status == 0)
		status = doctor_run(&places, &doctor, &error);
	if (status < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	if (arguments->json)
		status = verb_print_json(doctor_json(&doctor));
	else
		print_doctor(&doctor);
	if (status != STATUS_HELD)
		return status;
	return doctor.able ? STATUS_HELD : STATUS_SYSTEM;
}
