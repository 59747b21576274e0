/*
 * The log of a process: everything it prints, up to a limit. The file is opened for each piece of it,
 * so that a quiet process costs no descriptor.
 */
#ifndef PROCESS_LOG_FILE_H
#define PROCESS_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct log_file {
	char *path; /* NULL: there is none, and nothing is written */
	uint64_t bytes, most;
	int failure; /* negative errno of the first piece that could not be written whole */
};

/* Where there is a file already, it goes on there. most: bytes; what comes then is told to be cut. */
int log_file_open(const char *path, uint64_t most, struct log_file *ret_log, struct error *error);

void log_file_append(struct log_file *log, const char *bytes, size_t length);

/* Of a zeroed one, too. */
void log_file_close(struct log_file *log);

#endif
