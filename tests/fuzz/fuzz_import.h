/*
 * What must hold of every file that is imported: what is written is a topology file that can be read,
 * with as many links. Its plan may have problems: two nodes with one address are the file's own.
 */
#ifndef TESTS_FUZZ_IMPORT_H
#define TESTS_FUZZ_IMPORT_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#include "base/cleanup.h"
#include "exchange/import.h"
#include "plan/plan.h"
#include "topology/problems.h"
#include "topology/read.h"

static inline void check_written(const struct network *network, const struct text *text)
{
	char path[32];
	struct problems problems = {0};
	struct topology topology = {0};
	struct plan plan = {0};
	struct error error = {0};
	CLEANUP(close_fd) int fd = memfd_create("imported", MFD_CLOEXEC);
	HOLDS(fd >= 0 && write(fd, text_view(text), text->length) == (ssize_t)text->length);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct topology_request request = {.path = path, .problems = &problems};
	int status = topology_read_with(&request, &topology, &error);
	TRACE("%s%s", text_view(text), error.text);
	HOLDS(status == 0);
	HOLDS(topology.link_count == network->link_count);
	plan_make(&topology, &plan, &error);
	plan_finish(&plan);
	topology_finish(&topology);
	problems_finish(&problems);
}

static inline int import_fuzz(const uint8_t *bytes, size_t length,
	int (*import)(
		const struct import_request *request, struct network *network, struct error *error))
{
	struct network network = {0};
	struct error error = {0};
	struct import_request request = {"fuzz.file", (const char *)bytes + 1, length - 1, 0};
	if (length < 1)
		return 0;
	request.hosts = bytes[0] % 4;
	if (import(&request, &network, &error) < 0)
		HOLDS(error.text[0] && error.code < 0);
	else {
		CLEANUP(text_finish) struct text text = {0};
		network_write(&network, request.path, &text);
		HOLDS(!text.failed);
		check_written(&network, &text);
	}
	network_finish(&network);
	return 0;
}

#endif
