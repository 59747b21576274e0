/*
 * JSON, by jansson: this header is the only one in the tree that includes it. Build values with
 * jansson's json_pack(); text from outside goes through text_sanitize() first, because json_pack()
 * refuses what is no UTF-8.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/* For CLEANUP(json_release) json_t *value. */
static inline void json_release(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

/* A text from anywhere, which may be no UTF-8, as a string; null where it is NULL. */
json_t *json_text(const char *text);

/* Write `value`, indented and with a newline, to `path`. */
int json_write_file(const json_t *value, const char *path, struct error *error);

/* One compact line to `file`: JSON Lines. Takes `take_value`; NULL (memory gone) is an error. */
int json_write_line(json_t *take_value, FILE *file, struct error *error);

#endif
