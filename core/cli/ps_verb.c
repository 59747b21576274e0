/* sim ps: the labs that are up, and what is in them. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/verb.h"
#include "lab/attach.h"
#include "lab/lab_control.h"

enum { ROWS_MOST = LAB_CONTROL_FIRST, GAP = 2, GOING_MS = 5000, AGAIN_MS = 10 };

/* A node's line: its name, its addresses, what runs there. */
struct row {
	char *cells[3];
};

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static char *addresses_text(const json_t *node)
{
	struct text text = {0};
	size_t i;
	json_t *address;
	const char *last = "";
	json_array_foreach(json_object_get(node, "addresses"), i, address)
	{
		const char *interface = word(address, "interface");
		bool same = strcmp(interface, last) == 0;
		text_append(&text, "%s%s%s%s", i ? " " : "", same ? "" : interface, same ? "" : " ",
			word(address, "address"));
		last = interface;
	}
	if (!i)
		text_append(&text, "-");
	return text_take(&text);
}

/* "dhcp 4711": services by name, others by the first word of their command. */
static char *processes_text(const json_t *node)
{
	enum { SHOWN_MOST = 6 };
	struct text text = {0};
	size_t i, count = json_array_size(json_object_get(node, "processes"));
	json_t *process;
	json_array_foreach(json_object_get(node, "processes"), i, process)
	{
		const char *name = word(process, "name"), *command = word(process, "command");
		const json_t *ended = json_object_get(process, "ended");
		if (i == SHOWN_MOST && count > SHOWN_MOST + 1) {
			text_append(&text, ", and %zu more", count - i);
			break;
		}
		size_t length = strcspn(command, " ");
		const char *base = command;
		for (const char *at = command; at < command + length; at++)
			base = *at == '/' ? at + 1 : base;
		text_append(&text, "%s", i ? ", " : "");
		if (*name)
			text_append(&text, "%s", name);
		else
			text_append(&text, "%.*s", (int)(command + length - base), base);
		if (ended)
			text_append(
				&text, " ended (exit status %d)", (int)json_integer_value(ended));
		else
			text_append(&text, " %d",
				(int)json_integer_value(json_object_get(process, "pid")));
	}
	return text_take(&text);
}

/* `more`: nodes that are there besides. */
static void rows_print(const json_t *nodes, size_t more)
{
	size_t count = json_array_size(nodes), shown = count < ROWS_MOST ? count : ROWS_MOST;
	more += count - shown;
	struct row rows[ROWS_MOST + 1] = {
		{{strdup("NODE"), strdup("ADDRESSES"), strdup("PROCESSES")}}};
	size_t widths[3] = {0};
	for (size_t i = 0; i < shown; i++) {
		const json_t *node = json_array_get(nodes, i);
		rows[i + 1] = (struct row){
			{strdup(word(node, "name")), addresses_text(node), processes_text(node)}};
	}
	for (size_t i = 0; i <= shown; i++)
		for (size_t j = 0; j < 3; j++) {
			size_t length = rows[i].cells[j] ? strlen(rows[i].cells[j]) : 0;
			widths[j] = length > widths[j] ? length : widths[j];
		}
	for (size_t i = 0; i <= shown; i++) {
		printf("  ");
		for (size_t j = 0; j < 3; j++) {
			const char *cell = rows[i].cells[j] ? rows[i].cells[j] : "";
			bool last = j == 2 || (j == 1 && !(rows[i].cells[2] && *rows[i].cells[2]));
			printf("%-*s", last ? 0 : (int)widths[j] + GAP, cell);
			if (last)
				break;
		}
		putchar('\n');
		for (size_t j = 0; j < 3; j++)
			free(rows[i].cells[j]);
	}
	if (more)
		printf("  ... and %zu more: --json tells all\n", more);
}

static void duration_print(double seconds)
{
	static const struct {
		long seconds;
		const char *unit;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	long whole = seconds > 0 ? (long)seconds : 0;
	size_t i = 0;
	while (i < ARRAY_LENGTH(units) - 1 && whole < 2 * units[i].seconds)
		i++;
	whole /= units[i].seconds;
	printf("%ld %s%s", whole, units[i].unit, TEXT_PLURAL(whole));
}

/* Whether that very lab is up still. */
static bool stands(const struct registered *lab)
{
	CLEANUP(free_pointer) struct registered *labs = NULL;
	struct error ignored;
	size_t count;
	bool found = registry_list(&labs, &count, &ignored) < 0;
	for (size_t i = 0; !found && i < count; i++)
		found = labs[i].up && labs[i].pid == lab->pid;
	return found;
}

/*
 * What there is in it. A lab may go while it is asked, and closes its socket first: then *ret_value
 * is NULL, and that is no fault.
 */
static int ask(const struct registered *lab, enum attach_list_of what, json_t **ret_value)
{
	struct error error;
	*ret_value = NULL;
	for (int i = 0; i < GOING_MS / AGAIN_MS; i++) {
		int status = attach_list(lab, what, ret_value, &error);
		if (status == 0 || !stands(lab))
			return STATUS_HELD;
		if (status != -ECONNREFUSED && status != -ECONNRESET && status != -ENOENT)
			break;
		poll(NULL, 0, AGAIN_MS);
	}
	return verb_fail(STATUS_SYSTEM, &error);
}

int verb_print_lab(const struct registered *lab)
{
	CLEANUP(json_release) json_t *value = NULL;
	int status = ask(lab, ATTACH_FIRST, &value);
	if (!value)
		return status;
	verb_print(stdout, lab->name);
	if (strcmp(lab->name, word(value, "topology")) != 0)
		printf(" (%s)", word(value, "topology"));
	printf(": up for ");
	duration_print((double)time(NULL) - json_real_value(json_object_get(value, "since")));
	printf("%s; files in ", lab->root ? ", as root" : "");
	verb_print(stdout, word(value, "folder"));
	putchar('\n');
	rows_print(json_object_get(value, "nodes"),
		(size_t)json_integer_value(json_object_get(value, "more")));
	return STATUS_HELD;
}

static int killed_tell(const struct registered *lab)
{
	return fprintf(stderr,
		"sim: the supervisor of the lab '%s' was killed; nothing of the lab is left but "
		"its files in %s\n",
		lab->name, lab->folder);
}

int verb_print_labs_json(const struct registered *labs, size_t count)
{
	CLEANUP(json_release) json_t *list = json_array();
	json_t *gone = json_array();
	int status = STATUS_HELD;
	for (size_t i = 0; i < count; i++) {
		json_t *value = NULL;
		if (!labs[i].up) {
			json_array_append_new(gone, json_string(labs[i].name));
			continue;
		}
		int asked = ask(&labs[i], ATTACH_ALL, &value);
		status = asked == STATUS_HELD ? status : asked;
		if (!value)
			continue;
		json_object_set_new(value, "root", json_boolean(labs[i].root));
		json_array_append_new(list, value);
	}
	CLEANUP(json_release)
	json_t *whole = json_pack("{s:O, s:o}", "labs", list, "killed", gone);
	if (whole && json_dumpf(whole, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	return whole ? status : STATUS_SYSTEM;
}

/* For a shell's completion: LAB:NODE a line, then LAB:NODE:INTERFACE. */
static int names_print(const struct registered *labs, size_t count)
{
	struct error error;
	for (size_t i = 0; i < count; i++) {
		CLEANUP(json_release) json_t *value = NULL;
		size_t j, k;
		json_t *node, *interface;
		if (!labs[i].up || attach_list(&labs[i], ATTACH_NAMES, &value, &error) < 0)
			continue;
		json_array_foreach(json_object_get(value, "nodes"), j, node)
		{
			printf("%s:%s\n", labs[i].name, word(node, "name"));
			json_array_foreach(json_object_get(node, "interfaces"), k, interface)
				printf("%s:%s:%s\n", labs[i].name, word(node, "name"),
					json_string_value(interface));
		}
	}
	return STATUS_HELD;
}

/* The one that was asked for; false where there is none such. */
static bool keep_only(const char *name, struct registered *labs, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(labs[i].name, name) == 0) {
			labs[0] = labs[i];
			*count = 1;
			return true;
		}
	return false;
}

int verb_ps(const struct arguments *arguments)
{
	CLEANUP(free_pointer) struct registered *labs = NULL;
	struct error error;
	size_t count;
	int status = STATUS_HELD;
	if (registry_list(&labs, &count, &error) < 0)
		return verb_fail(STATUS_SYSTEM, &error);
	if (arguments->operand_count && !keep_only(arguments->operands[0], labs, &count)) {
		error_set(&error, -ENOENT, "no lab '%s' is up", arguments->operands[0]);
		return verb_fail(STATUS_MISUSE, &error);
	}
	for (size_t i = 0; i < count; i++)
		if (!labs[i].up)
			killed_tell(&labs[i]);
	if (arguments->names)
		return names_print(labs, count);
	if (arguments->json)
		return verb_print_labs_json(labs, count);
	size_t up = 0;
	for (size_t i = 0; i < count; i++) {
		if (!labs[i].up)
			continue;
		if (up++)
			putchar('\n');
		int printed = verb_print_lab(&labs[i]);
		status = printed == STATUS_HELD ? status : printed;
	}
	if (!up && status == STATUS_HELD)
		printf("no lab is up\n");
	return status;
}
