#include "programs/ftp/talk_request.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

int talk_request_read(struct talk_request *request, const char *const *words, size_t count,
	const char **names, struct error *error)
{
	bool options = true;
	request->names = names;
	for (size_t i = 1; i < count; i++) {
		const char *word = words[i];
		if (!options || word[0] != '-' || !word[1]) {
			names[request->count++] = word;
		} else if (strcmp(word, "--") == 0) {
			options = false;
		} else if (strcmp(word, "-r") == 0) {
			request->recursive = true;
		} else if (strcmp(word, "--resume") == 0) {
			request->resume = true;
		} else if (strcmp(word, "-o") == 0 && i + 1 < count) {
			request->output = words[++i];
		} else {
			return error_set(error, -EINVAL, "unknown option '%s'; usage: %s", word,
				request->usage);
		}
	}
	if (request->count == 0)
		return error_set(error, -EINVAL, "usage: %s", request->usage);
	/* `get REMOTE LOCAL`, as ftp(1) has it; two files of the server: mget, or -o. */
	if (request->count == 2 && !request->output && words[0][0] != 'm') {
		request->output = names[1];
		request->count = 1;
	}
	return 0;
}

char *talk_last_name(const char *path)
{
	size_t end = strlen(path);
	while (end > 0 && path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start > 0 && path[start - 1] != '/')
		start--;
	return strndup(path + start, end - start);
}

bool talk_is_directory(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *talk_request_target(
	const struct talk_request *request, const char *remote, struct error *error)
{
	const char *output = request->output;
	CLEANUP(free_pointer) char *name = talk_last_name(remote);
	bool here = name && (strcmp(name, ".") == 0 || !*name);
	if (output && strcmp(output, "-") == 0)
		return strdup("-");
	bool into = output && talk_is_directory(output) && !here;
	char *target = NULL;
	if (name && output)
		target = into ? text_format("%s/%s", output, name) : strdup(output);
	else if (name && (*name || request->recursive))
		target = strdup(*name ? name : ".");
	if (!target)
		error_set(error, name ? -EINVAL : -ENOMEM, "'%s' names no file", remote);
	return target;
}

const char *talk_request_slip(const struct talk_request *request)
{
	const char *output = request->output;
	bool standard = output && strcmp(output, "-") == 0;
	if (request->count > 1 && output && !standard && !talk_is_directory(output))
		return "several files need -o - or a directory that is there";
	if (standard && (request->recursive || request->resume))
		return "standard output takes neither a directory nor the rest of a file";
	return NULL;
}
