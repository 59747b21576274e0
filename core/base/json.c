#include "base/json.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

json_t *json_text(const char *text)
{
	CLEANUP(free_pointer) char *clean = text ? text_sanitize(text, strlen(text)) : NULL;
	return clean ? json_string(clean) : json_null();
}

int json_write_file(const json_t *value, const char *path, struct error *error)
{
	CLEANUP(close_file) FILE *file = fopen(path, "we");
	if (!file)
		return error_system(error, -errno, "cannot write '%s'", path);
	if (json_dumpf(value, file, JSON_INDENT(2)) < 0 || fputc('\n', file) == EOF ||
		fflush(file) != 0)
		return error_system(error, errno ? -errno : -EIO, "cannot write '%s'", path);
	return 0;
}

int json_write_line(json_t *take_value, FILE *file, struct error *error)
{
	CLEANUP(json_release) json_t *value = take_value;
	if (!value)
		return error_set(error, -ENOMEM, "out of memory");
	if (json_dumpf(value, file, JSON_COMPACT) < 0 || fputc('\n', file) == EOF)
		return error_system(error, errno ? -errno : -EIO, "cannot write a line of JSON");
	return 0;
}
