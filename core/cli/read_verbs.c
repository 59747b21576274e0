/* The verbs that read and print: no privilege needed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/verb.h"
#include "lab/bounds.h"
#include "lab/verbs.h"

int verb_print_json(json_t *take_value)
{
	CLEANUP(json_release) json_t *value = take_value;
	struct error error;
	if (!value) {
		error_set(&error, -ENOMEM, "out of memory");
		return verb_fail(STATUS_SYSTEM, &error);
	}
	if (json_dumpf(value, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	return STATUS_HELD; /* what could not be written is noticed by main() */
}

static json_t *problem_json(const struct problem *problem)
{
	json_t *value = json_pack("{s:o}", "problem", json_text(problem->sentence));
	if (value && problem->mark.line) {
		json_object_set_new(value, "file", json_text(problem->file));
		json_object_set_new(value, "line", json_integer(problem->mark.line));
		json_object_set_new(value, "column", json_integer(problem->mark.column));
	}
	return value;
}

/* All that is wrong, a line each; an error of another kind stands alone. */
static int validate_failed(
	const struct arguments *arguments, const struct subject *subject, const struct error *error)
{
	const struct problems *problems = &subject->problems;
	if (arguments->json) {
		json_t *list = json_array();
		for (size_t i = 0; i < problems->count; i++)
			json_array_append_new(list, problem_json(&problems->list[i]));
		verb_print_json(json_pack("{s:b, s:o, s:o}", "valid", 0, "error",
			json_text(error->text), "problems", list));
	}
	if (problems->count < 2)
		return verb_fail(STATUS_MISUSE, error);
	for (size_t i = 0; i < problems->count; i++) {
		struct error one;
		problem_error(&problems->list[i], &one);
		verb_fail(STATUS_MISUSE, &one);
	}
	fprintf(stderr, "sim: %zu problems%s\n", problems->count,
		problems->more ? ", and there are more" : "");
	return STATUS_MISUSE;
}

int verb_validate(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	struct error error;
	int status = subject_open(arguments->operands[0], arguments->settings,
		arguments->setting_count, &subject, &error);
	if (status < 0)
		return validate_failed(arguments, &subject, &error);
	if (subject.unchecked.code)
		fprintf(stderr, "sim: nftables rules were not tried: %s\n", subject.unchecked.text);
	const struct topology *topology = &subject.topology;
	CLEANUP(text_finish) struct text unheld = {0};
	bounds_foresee(&subject.plan, &unheld);
	if (unheld.length)
		fprintf(stderr, "sim: note: %s\n", text_view(&unheld));
	if (arguments->json)
		return verb_print_json(json_pack("{s:b, s:s, s:o, s:I, s:I, s:o}", "valid", 1,
			"name", topology->name, "file", json_text(topology->path), "nodes",
			(json_int_t)topology->node_count, "links", (json_int_t)topology->link_count,
			"scenarios", subject_scenarios(topology)));
	printf("%s is valid: %zu node%s, %zu link%s, %zu scenario%s\n", topology->path,
		topology->node_count, TEXT_PLURAL(topology->node_count), topology->link_count,
		TEXT_PLURAL(topology->link_count), topology->scenario_count,
		TEXT_PLURAL(topology->scenario_count));
	return STATUS_HELD;
}

int verb_plan(const struct arguments *arguments)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	struct error error;
	if (subject_open(arguments->operands[0], arguments->settings, arguments->setting_count,
		    &subject, &error) < 0)
		return verb_fail(STATUS_MISUSE, &error);
	if (arguments->json)
		return verb_print_json(plan_describe_json(&subject.plan));
	CLEANUP(text_finish) struct text text = {0};
	struct plan_needs needs;
	if (plan_count_needs(&subject.plan, &needs, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	plan_describe(&subject.plan, &text);
	text_append(&text, "\n");
	plan_describe_needs(&subject.plan, &needs, &text);
	CLEANUP(free_pointer) char *clean = text_sanitize(text_view(&text), text.length);
	if (text.failed || !clean) {
		error_set(&error, -ENOMEM, "out of memory");
		return verb_fail(STATUS_SYSTEM, &error);
	}
	fputs(clean, stdout);
	if (subject_check_machine(&needs, &error) < 0)
		fprintf(stderr, "sim: this machine cannot build it: %s\n", error.text);
	return STATUS_HELD;
}
