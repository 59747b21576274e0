/*
 * sim complete WORD...: what the last of these words, begun or empty, can become, a line each. A
 * shell's completion asks this; what only the shell knows is a line that begins with a colon:
 *
 *	:files, :folders    a file's or a folder's name
 *	:topologies         a topology file's
 *	:command N          it belongs to a command that begins with the word N, from 0
 *
 * It never says what is wrong: that would come between a person's words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/synopsis.h"
#include "cli/verb.h"
#include "lab/attach.h"
#include "lab/exchange.h"
#include "lab/verbs.h"

/* A command line up to the cursor. */
struct line {
	char **words;
	int count;
	const char *lead; /* of the last word what stays, as in --set=pool= */
	const char *current; /* the rest of it: what is begun */
	const char *topology; /* which one it is about; NULL: that was not said */
};

static void offer(const struct line *line, const char *word, const char *behind)
{
	if (text_starts_with(word, line->current))
		printf("%s%s%s\n", line->lead, word, behind);
}

static void offer_topologies(const struct line *line)
{
	struct places places;
	struct error ignored;
	char **names = NULL;
	size_t count = 0;
	if (places_find(&places, &ignored) == 0 &&
		places_list(&places, &names, &count, &ignored) == 0)
		for (size_t i = 0; i < count; i++) {
			offer(line, names[i], "");
			free(names[i]);
		}
	free(names);
	puts(":topologies");
}

static bool glance(const struct line *line, struct subject *subject)
{
	struct error ignored;
	return line->topology && subject_glance(line->topology, subject, &ignored) == 0;
}

static bool given_before(const struct line *line, const char *word)
{
	for (int i = 1; i < line->count - 1; i++)
		if (strcmp(line->words[i], word) == 0)
			return true;
	return false;
}

static void offer_scenarios(const struct line *line)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	if (!glance(line, &subject))
		return;
	const struct topology *topology = &subject.topology;
	for (size_t i = 0; i < topology->scenario_count; i++)
		if (!given_before(line, topology->scenarios[i].name))
			offer(line, topology->scenarios[i].name, "");
}

/* NAME=, and behind that the value that it has where a shell needs no quotes for it. */
static void offer_settings(const struct line *line)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._:/,+-";
	CLEANUP(subject_finish) struct subject subject = {0};
	if (!glance(line, &subject))
		return;
	const struct topology *topology = &subject.topology;
	for (size_t i = 0; i < topology->variable_count; i++) {
		const struct variable *variable = &topology->variables[i];
		CLEANUP(free_pointer) char *name = text_format("%s=", variable->name);
		if (!name || !text_starts_with(line->current, name))
			offer(line, name ? name : "", "");
		else if (variable->value[strspn(variable->value, plain)] == '\0') {
			CLEANUP(free_pointer)
			char *whole = text_format("%s%s", name, variable->value);
			offer(line, whole ? whole : "", "");
		}
	}
}

static void offer_programs(const struct line *line)
{
	CLEANUP(subject_finish) struct subject subject = {0};
	if (!glance(line, &subject))
		return;
	const struct topology *topology = &subject.topology;
	for (size_t i = 0; i < topology->variable_count; i++)
		if (topology->variables[i].program)
			offer(line, topology->variables[i].name, "");
}

/* Those that are up first, in their order; *ret_count of them. The caller frees. */
static struct registered *labs_up(size_t *ret_count)
{
	struct registered *labs = NULL;
	struct error ignored;
	size_t count = 0, up = 0;
	if (registry_list(&labs, &count, &ignored) < 0)
		count = 0;
	for (size_t i = 0; i < count; i++)
		if (labs[i].up)
			labs[up++] = labs[i];
	*ret_count = up;
	return labs;
}

static void offer_labs(const struct line *line)
{
	size_t count;
	CLEANUP(free_pointer) struct registered *labs = labs_up(&count);
	for (size_t i = 0; i < count; i++)
		offer(line, labs[i].name, "");
}

static void offer_node(
	const struct line *line, const json_t *node, const char *lab, bool interfaces)
{
	const char *name = json_string_value(json_object_get(node, "name"));
	const json_t *list = json_object_get(node, "interfaces");
	CLEANUP(free_pointer) char *whole = text_format("%s%s", lab, name ? name : "");
	CLEANUP(free_pointer) char *begun = text_format("%s:", whole ? whole : "");
	size_t i;
	json_t *interface;
	if (!whole || !begun)
		return;
	if (!interfaces || !text_starts_with(line->current, begun)) {
		offer(line, whole, interfaces && json_array_size(list) > 1 ? ":" : "");
		return;
	}
	json_array_foreach(list, i, interface)
	{
		CLEANUP(free_pointer)
		char *end = text_format("%s%s", begun, json_string_value(interface));
		offer(line, end ? end : "", "");
	}
}

/* [LAB:]NODE[:INTERFACE]: the lab can be left out where one is up, else it comes first. */
static void offer_ends(const struct line *line, bool interfaces)
{
	size_t count, j;
	json_t *node;
	CLEANUP(free_pointer) struct registered *labs = labs_up(&count);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(json_release) json_t *value = NULL;
		CLEANUP(free_pointer) char *begun = text_format("%s:", labs[i].name);
		struct error ignored;
		bool named = begun && text_starts_with(line->current, begun);
		if (count > 1 && !named) {
			offer(line, begun ? begun : "", "");
			continue;
		}
		if (attach_list(&labs[i], ATTACH_NAMES, &value, &ignored) < 0)
			continue;
		json_array_foreach(json_object_get(value, "nodes"), j, node)
			offer_node(line, node, named ? begun : "", interfaces);
	}
}

static void offer_nodes(const struct line *line)
{
	offer_ends(line, false);
}

static void offer_interfaces(const struct line *line)
{
	offer_ends(line, true);
}

static void offer_files(const struct line *line)
{
	(void)line;
	puts(":files");
}

static void offer_folders(const struct line *line)
{
	(void)line;
	puts(":folders");
}

/* The words of a closed choice: "svg|png", "svg, pdf or png". */
static void offer_choice(const struct line *line, const char *what)
{
	static const char between[] = "|, ";
	for (const char *at = what; *(at += strspn(at, between));) {
		size_t length = strcspn(at, between);
		CLEANUP(free_pointer) char *word = strndup(at, length);
		if (word && strcmp(word, "or") != 0)
			offer(line, word, "");
		at += length;
	}
}

static void offer_formats(const struct line *line)
{
	offer_choice(line, exchange_formats);
}

static void offer_what(const struct line *line, const char *what)
{
	static const struct {
		const char *what;
		void (*offer)(const struct line *line);
	} kinds[] = {{"TOPOLOGY", offer_topologies}, {"SCENARIO", offer_scenarios},
		{"NAME=VALUE", offer_settings}, {"VARIABLE", offer_programs}, {"LAB", offer_labs},
		{"LAB:NODE", offer_nodes}, {"LAB:NODE:INTERFACE", offer_interfaces},
		{"FORMAT", offer_formats}, {"FILE", offer_files}, {"DIR", offer_folders}};
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
		if (strcmp(kinds[i].what, what) == 0)
			kinds[i].offer(line);
	if (strchr(what, '|'))
		offer_choice(line, what);
}

static void offer_options(const struct line *line, const struct synopsis *synopsis)
{
	for (size_t i = 0; i < synopsis->count; i++) {
		const struct synopsis_part *part = &synopsis->parts[i];
		if (*part->option && (part->repeated || !given_before(line, part->option)))
			offer(line, part->option, "");
	}
	offer(line, "--help", "");
}

/* --NAME=VALUE in one word. */
static void offer_value(struct line *line, const struct synopsis *synopsis)
{
	const struct synopsis_part *option = synopsis_option(synopsis, line->current);
	const char *value = strchr(line->current, '=') + 1;
	CLEANUP(free_pointer) char *lead = strndup(line->current, (size_t)(value - line->current));
	if (!option || !lead)
		return;
	line->lead = lead;
	line->current = value;
	offer_what(line, option->what);
}

static void complete_verb(struct line *line, const struct verb *verb)
{
	struct synopsis synopsis;
	const struct synopsis_part *asked = NULL, *operand = NULL;
	size_t operands = 0;
	bool options = true;
	synopsis_read(verb->synopsis, &synopsis);
	for (int i = 1; i < line->count; i++) {
		const char *word = line->words[i];
		bool last = i == line->count - 1;
		operand = synopsis_operand(&synopsis, operands);
		if (!asked && operand && strcmp(operand->what, "COMMAND") == 0) {
			printf(":command %d\n", i);
			return;
		}
		if (last)
			break;
		if (asked)
			asked = NULL;
		else if (options && strcmp(word, "--") == 0)
			options = false;
		else if (options && word[0] == '-' && word[1]) {
			asked = synopsis_option(&synopsis, word);
			asked = asked && *asked->what && !strchr(word, '=') ? asked : NULL;
		} else {
			if (operand && strcmp(operand->what, "TOPOLOGY") == 0)
				line->topology = word;
			operands++;
		}
	}
	if (asked)
		offer_what(line, asked->what);
	else if (options && line->current[0] == '-' && strchr(line->current, '='))
		offer_value(line, &synopsis);
	else if (options && (line->current[0] == '-' || !operand))
		offer_options(line, &synopsis);
	else if (operand)
		offer_what(line, operand->what);
}

int verb_complete(int count, char **words)
{
	struct line line = {words, count, "", count ? words[count - 1] : "", NULL};
	size_t verb_count;
	const struct verb *verbs = verb_all(&verb_count);
	bool first = count < 2, help = !first && strcmp(words[0], "help") == 0;
	for (size_t i = 0; i < verb_count; i++)
		if (first || (help && count == 2))
			offer(&line, verbs[i].name, "");
		else if (strcmp(verbs[i].name, words[0]) == 0)
			complete_verb(&line, &verbs[i]);
	if (!first)
		return STATUS_HELD;
	static const char *const others[] = {"help", "--help", "--version"};
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		offer(&line, others[i], "");
	return STATUS_HELD;
}
