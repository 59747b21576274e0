#include "base/error.h"

#include <stdio.h>
#include <string.h>

static int error_fill(struct error *error, int code, const char *format, va_list arguments)
{
	if (!error)
		return code;
	error->code = code;
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	return code;
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	error_fill(error, code, format, arguments);
	va_end(arguments);
	return code;
}

int error_system(struct error *error, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	error_fill(error, code, format, arguments);
	va_end(arguments);
	if (!error)
		return code;
	size_t used = strlen(error->text);
	snprintf(error->text + used, sizeof(error->text) - used, ": %s", strerror(-code));
	return code;
}

int error_prefix(struct error *error, const char *format, ...)
{
	struct error whole = {.code = error->code};
	va_list arguments;
	va_start(arguments, format);
	int used = vsnprintf(whole.text, sizeof(whole.text), format, arguments);
	va_end(arguments);
	if (used >= 0 && (size_t)used < sizeof(whole.text))
		snprintf(whole.text + used, sizeof(whole.text) - (size_t)used, "%s", error->text);
	*error = whole;
	return error->code;
}
