#include "results/grades.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "results/html.h"
#include "results/report_parts.h"

void grades_finish(struct grades *grades)
{
	for (size_t i = 0; i < grades->count; i++) {
		struct grade *grade = &grades->list[i];
		for (size_t j = 0; j < grade->check_count; j++) {
			free(grade->checks[j].step);
			free(grade->checks[j].expected);
			free(grade->checks[j].seen);
			free(grade->checks[j].log);
		}
		free(grade->checks);
		free(grade->name);
		free(grade->folder);
		free(grade->problem);
	}
	free(grades->list);
	free(grades->scenarios);
	free(grades->limits);
	*grades = (struct grades){0};
}

const char *grade_reason(const struct grade *grade)
{
	if (grade->problem)
		return grade->problem;
	for (size_t i = 0; i < grade->check_count; i++)
		if (grade->checks[i].judged && !grade->checks[i].held)
			return grade->checks[i].seen;
	return NULL;
}

static const char *check_verdict(const struct grade_check *check)
{
	return !check->judged ? "not judged" : check->held ? "held" : "failed";
}

static json_t *grade_json(const struct grade *grade)
{
	json_t *checks = json_array();
	for (size_t i = 0; i < grade->check_count; i++) {
		const struct grade_check *check = &grade->checks[i];
		json_array_append_new(
			checks, json_pack("{s:s, s:s, s:f, s:o, s:o, s:o, s:o}", "scenario",
					check->scenario->name, "verdict", check_verdict(check),
					"seconds", check->seconds, "step", json_text(check->step),
					"expected", json_text(check->expected), "seen",
					json_text(check->seen), "log", json_text(check->log)));
	}
	return json_pack("{s:s, s:I, s:I, s:f, s:o, s:b, s:o, s:o}", "submission", grade->name,
		"held", (json_int_t)grade->held, "of", (json_int_t)grade->check_count, "seconds",
		grade->seconds, "problem", json_text(grade->problem), "refused", grade->refused,
		"folder", json_text(grade->folder), "checks", checks);
}

json_t *grades_json(const struct grades *grades)
{
	char started[32];
	size_t held = 0, of = 0;
	json_t *list = json_array();
	for (size_t i = 0; i < grades->count; i++) {
		json_array_append_new(list, grade_json(&grades->list[i]));
		held += grades->list[i].held;
		of += grades->list[i].check_count;
	}
	return json_pack("{s:s, s:s, s:f, s:o, s:b, s:b, s:I, s:I, s:I, s:I, s:o}", "topology",
		grades->topology->name, "started", time_shown(grades->started_ns, started),
		"seconds", report_seconds(grades->started_ns, grades->ended_ns), "limits",
		json_text(grades->limits), "held", grades->all_held == grades->count, "interrupted",
		grades->interrupted != 0, "submissions_held", (json_int_t)grades->all_held,
		"submission_count", (json_int_t)grades->count, "scenarios_held", (json_int_t)held,
		"scenario_count", (json_int_t)of, "submissions", list);
}

/* RFC 4180. What a spreadsheet would take for a formula is told to be text. */
static void append_field(struct text *text, const char *field, char behind)
{
	CLEANUP(free_pointer) char *clean = field ? text_sanitize(field, strlen(field)) : NULL;
	text_append(text, "\"%s", clean && *clean && strchr("=+-@\t\r", *clean) ? "'" : "");
	for (const char *at = clean ? clean : ""; *at; at++)
		text_append(text, "%s%c", *at == '"' ? "\"" : "", *at);
	text_append(text, "\"%s", behind == '\n' ? "\r\n" : ",");
}

static void grades_csv(const struct grades *grades, struct text *text)
{
	text_append(text, "submission,check,verdict,seconds,step,expected,saw,report\r\n");
	for (size_t i = 0; i < grades->count; i++) {
		const struct grade *grade = &grades->list[i];
		for (size_t j = 0; j < grade->check_count; j++) {
			const struct grade_check *check = &grade->checks[j];
			CLEANUP(free_pointer)
			char *report = grade->has_report
					       ? text_format("%s/report.html", grade->folder)
					       : NULL;
			append_field(text, grade->name, ',');
			append_field(text, check->scenario->name, ',');
			append_field(text, check_verdict(check), ',');
			text_append(text, "%.2f,", check->seconds);
			append_field(text, check->step, ',');
			append_field(text, check->expected, ',');
			append_field(text, check->judged ? check->seen : grade->problem, ',');
			append_field(text, report, '\n');
		}
	}
}

/* A path as the target of a link: nothing in it means anything but itself. */
static void append_path(struct text *text, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./~";
	for (; *path; path++)
		text_append(text, strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
}

static void append_name(struct text *text, const struct grade *grade, const char *file)
{
	text_append(text, grade->has_report ? "[" : "");
	report_cell(text, grade->name);
	if (!grade->has_report)
		return;
	text_append(text, "](");
	append_path(text, grade->folder);
	text_append(text, "/%s)", file);
}

static void grades_heading(const struct grades *grades, struct text *text)
{
	char started[32];
	text_append(text, "# ");
	report_cell(
		text, grades->topology->title ? grades->topology->title : grades->topology->name);
	text_append(text,
		"\n\n**All checks held for %zu of %zu submissions%s.** Topology `%s`, graded on "
		"%s, %.1f s in all, by sim %s.\n\n",
		grades->all_held, grades->count,
		grades->interrupted ? "; the grading was interrupted" : "", grades->topology->name,
		time_shown(grades->started_ns, started),
		report_seconds(grades->started_ns, grades->ended_ns), grades->version);
	text_append(text, "Each submission ran by itself as a user without rights, with no network "
			  "but the lab's and nothing to write to but its folder. Each might use ");
	report_cell(text, grades->limits ? grades->limits : "");
	text_append(text, ".\n\n");
}

static void grades_table(const struct grades *grades, const char *file, struct text *text)
{
	text_append(text, "## Verdicts\n\n| submission | held |");
	for (size_t i = 0; i < grades->scenario_count; i++)
		text_append(text, " %s |", grades->scenarios[i]->name);
	text_append(text, "\n|---|--:|");
	for (size_t i = 0; i < grades->scenario_count; i++)
		text_append(text, "---|");
	for (size_t i = 0; i < grades->count; i++) {
		const struct grade *grade = &grades->list[i];
		text_append(text, "\n| ");
		append_name(text, grade, file);
		text_append(text, " | %zu of %zu |", grade->held, grade->check_count);
		for (size_t j = 0; j < grade->check_count; j++) {
			bool failed = grade->checks[j].judged && !grade->checks[j].held;
			text_append(text, failed ? " **%s** |" : " %s |",
				check_verdict(&grade->checks[j]));
		}
	}
	text_append(text, "\n\n| check | shows |\n|---|---|\n");
	for (size_t i = 0; i < grades->scenario_count; i++) {
		text_append(text, "| %s | ", grades->scenarios[i]->name);
		report_cell(text, grades->scenarios[i]->title);
		text_append(text, " |\n");
	}
	text_append(text, "\n");
}

static void grade_reasons(const struct grade *grade, const char *file, struct text *text)
{
	text_append(text, "### ");
	append_name(text, grade, file);
	text_append(text, "\n\n");
	if (grade->problem) {
		text_append(text, "> ");
		report_cell(text, grade->problem);
		text_append(text, "\n\n");
	}
	bool any = false;
	for (size_t i = 0; i < grade->check_count; i++) {
		const struct grade_check *check = &grade->checks[i];
		if (!check->judged || check->held)
			continue;
		if (!any)
			text_append(text, "| check | step | expected | saw |\n|---|---|---|---|\n");
		any = true;
		text_append(text, "| %s | ", check->scenario->name);
		report_cell(text, check->step);
		text_append(text, " | ");
		report_cell(text, check->expected);
		text_append(text, " | ");
		report_cell(text, check->seen);
		if (check->log && grade->folder) {
			text_append(text, " ([log](");
			append_path(text, grade->folder);
			text_append(text, "/");
			append_path(text, check->log);
			text_append(text, "))");
		}
		text_append(text, " |\n");
	}
	text_append(text, "\n");
}

/* file: which report of a submission to lead to. */
static void grades_markdown(const struct grades *grades, const char *file, struct text *text)
{
	grades_heading(grades, text);
	grades_table(grades, file, text);
	if (grades->all_held < grades->count)
		text_append(text, "## Reasons\n\n");
	for (size_t i = 0; i < grades->count; i++)
		if (grades->list[i].problem || grades->list[i].held < grades->list[i].check_count)
			grade_reasons(&grades->list[i], file, text);
}

int grades_write(const struct grades *grades, const struct folder *folder, struct error *error)
{
	CLEANUP(text_finish) struct text csv = {0};
	CLEANUP(text_finish) struct text markdown = {0};
	CLEANUP(text_finish) struct text linked = {0};
	CLEANUP(text_finish) struct text html = {0};
	CLEANUP(json_release) json_t *value = grades_json(grades);
	CLEANUP(free_pointer) char *path = folder_fresh(folder, "result.json");
	if (!value || !path)
		return error_set(error, -ENOMEM, "out of memory");
	grades_csv(grades, &csv);
	grades_markdown(grades, "report.md", &markdown);
	grades_markdown(grades, "report.html", &linked);
	html_page(text_view(&linked), grades->topology->name, &html);
	int status = json_write_file(value, path, error);
	if (status == 0)
		status = folder_write(folder, "grades.csv", &csv, error);
	if (status == 0)
		status = folder_write(folder, "grades.md", &markdown, error);
	return status < 0 ? status : folder_write(folder, "grades.html", &html, error);
}
