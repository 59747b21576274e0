#include "lab/submission.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "topology/read.h"

enum { NESTED_MOST = 4 };

/* How a file is run, by the end of its name. */
static const struct {
	const char *end, *interpreter;
} interpreters[] = {{".py", "python3"}, {".sh", "sh"}, {".pl", "perl"}, {".rb", "ruby"},
	{".js", "node"}, {".jar", "java -jar"}};

static int keep_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "__MACOSX") != 0;
}

void submissions_finish(struct submissions *submissions)
{
	for (size_t i = 0; i < submissions->count; i++) {
		free(submissions->list[i].name);
		free(submissions->list[i].path);
	}
	free(submissions->list);
	*submissions = (struct submissions){0};
}

/* Two names may differ only in what cannot be printed. */
static bool is_taken(const struct submissions *submissions, const char *name)
{
	for (size_t i = 0; i < submissions->count; i++)
		if (strcmp(submissions->list[i].name, name) == 0)
			return true;
	return false;
}

static int submission_add(struct submissions *submissions, const char *directory, const char *name,
	struct error *error)
{
	CLEANUP(free_pointer) char *path = text_format("%s/%s", directory, name);
	CLEANUP(free_pointer) char *shown = text_sanitize(name, strlen(name));
	struct stat status;
	if (!path || !shown)
		return error_set(error, -ENOMEM, "out of memory");
	if (stat(path, &status) < 0 || (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)))
		return 0;
	for (char *at = shown; *at; at++)
		*at = *at == '\n' || *at == '\t' ? ' ' : *at;
	while (is_taken(submissions, shown)) {
		char *other = text_format("%s~", shown);
		if (!other)
			return error_set(error, -ENOMEM, "out of memory");
		free(shown);
		shown = other;
	}
	if (submissions->count == SUBMISSIONS_MOST)
		return error_set(error, -E2BIG, "'%s' holds more than %d submissions", directory,
			SUBMISSIONS_MOST);
	struct submission *submission = array_add(&submissions->list, &submissions->count);
	if (!submission)
		return error_set(error, -ENOMEM, "out of memory");
	*submission = (struct submission){.name = TAKE(shown), .path = TAKE(path)};
	return 0;
}

int submissions_find(
	const char *directory, struct submissions *ret_submissions, struct error *error)
{
	struct dirent **entries = NULL;
	CLEANUP(submissions_finish) struct submissions found = {0};
	CLEANUP(free_pointer) char *full = realpath(directory, NULL);
	int count = full ? scandir(full, &entries, keep_visible, alphasort) : -1;
	if (count < 0)
		return error_system(
			error, -errno, "cannot read the submissions in '%s'", directory);
	int status = 0;
	for (int i = 0; i < count; i++) {
		if (status == 0)
			status = submission_add(&found, full, entries[i]->d_name, error);
		free(entries[i]);
	}
	free(entries);
	if (status == 0 && !found.count)
		return error_set(error, -ENOENT,
			"there is no submission in '%s': it needs a folder for each", directory);
	if (status < 0)
		return status;
	*ret_submissions = found;
	found = (struct submissions){0};
	return 0;
}

/* The command that runs a file, on the heap; NULL where it is no program. */
static char *file_command(const char *name)
{
	struct stat status;
	CLEANUP(text_finish) struct text command = {0};
	if (stat(name, &status) < 0 || !S_ISREG(status.st_mode))
		return NULL;
	for (size_t i = 0; i < ARRAY_LENGTH(interpreters); i++) {
		size_t length = strlen(name), end = strlen(interpreters[i].end);
		if (length <= end || strcmp(name + length - end, interpreters[i].end) != 0)
			continue;
		text_append(&command, "%s", interpreters[i].interpreter);
		text_append_word(&command, name);
		return text_take(&command);
	}
	if (!(status.st_mode & S_IXUSR))
		return NULL;
	text_append_word(&command, name);
	return text_take(&command);
}

/* "dhcp-server.py" is named after dhcp_server. */
static char *file_variable(const char *name)
{
	char *variable = strndup(name, strcspn(name, "."));
	for (char *at = variable; at && *at; at++)
		*at = *at == '-' ? '_' : *at;
	return variable;
}

/* The programs in a folder. */
struct programs {
	const struct topology *topology;
	char ***settings;
	size_t *count;
	size_t entries; /* in the folder */
	size_t files; /* that can be run */
	char *only; /* the last of those */
	char *inside; /* the last entry, if it is a folder */
};

static void programs_finish(struct programs *programs)
{
	free(programs->only);
	free(programs->inside);
}

static int setting_add(
	struct programs *programs, const char *variable, const char *command, struct error *error)
{
	size_t length = strlen(variable);
	for (size_t i = 0; i < *programs->count; i++)
		if (strncmp((*programs->settings)[i], variable, length) == 0 &&
			(*programs->settings)[i][length] == '=')
			return error_set(error, -EINVAL,
				"several files are named after %s: say in run.yaml which to run",
				variable);
	char *setting = text_format("%s=%s", variable, command);
	char **slot = setting ? array_add(programs->settings, programs->count) : NULL;
	if (slot)
		*slot = setting;
	else
		free(setting);
	return slot ? 0 : error_set(error, -ENOMEM, "out of memory");
}

static int programs_look_at(struct programs *programs, const char *name, struct error *error)
{
	struct stat status;
	struct error not_one;
	programs->entries++;
	free(programs->inside);
	programs->inside =
		stat(name, &status) == 0 && S_ISDIR(status.st_mode) ? strdup(name) : NULL;
	CLEANUP(free_pointer) char *command = file_command(name);
	CLEANUP(free_pointer) char *variable = file_variable(name);
	if (!command || !variable)
		return 0;
	programs->files++;
	free(programs->only);
	programs->only = strdup(command);
	return topology_check_program(programs->topology, variable, &not_one) < 0
		       ? 0
		       : setting_add(programs, variable, command, error);
}

static int programs_find(struct programs *programs, struct error *error)
{
	struct dirent **entries = NULL;
	int status = 0, count = scandir(".", &entries, keep_visible, alphasort);
	if (count < 0)
		return error_system(error, -errno, "cannot read the submission's folder");
	for (int i = 0; i < count; i++) {
		if (status == 0)
			status = programs_look_at(programs, entries[i]->d_name, error);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int programs_missing(
	const struct programs *programs, const char *program, struct error *error)
{
	if (program && programs->files)
		return error_set(error, -ENOENT,
			"there are %zu programs where one was expected: say in run.yaml which to "
			"run",
			programs->files);
	if (program)
		return error_set(error, -ENOENT,
			"no program (.py, .sh, ... or a file that can be run; links are not "
			"followed)");
	struct error known;
	topology_check_program(programs->topology, "", &known);
	const char *names = strstr(known.text, "; ");
	return error_set(error, -ENOENT,
		"no run.yaml, and no program (.py, .sh, ... or a file that can be run; links are "
		"not "
		"followed) named after what it takes the place of%s",
		names ? names : "");
}

int submission_settings(const struct topology *topology, const char *program, char ***ret_settings,
	size_t *ret_count, struct error *error)
{
	for (int depth = 0;; depth++) {
		CLEANUP(programs_finish)
		struct programs programs = {
			.topology = topology, .settings = ret_settings, .count = ret_count};
		if (access("run.yaml", F_OK) == 0)
			return topology_read_programs(
				"run.yaml", topology, ret_settings, ret_count, error);
		int status = programs_find(&programs, error);
		if (status < 0 || *ret_count)
			return status;
		if (program && programs.files == 1)
			return setting_add(&programs, program, programs.only, error);
		if (programs.entries != 1 || !programs.inside || depth == NESTED_MOST)
			return programs_missing(&programs, program, error);
		if (chdir(programs.inside) < 0)
			return error_system(error, -errno, "cannot enter '%s'", programs.inside);
	}
}
