#include "lab/same_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum { BLOCK = 64 * 1024, BLOCKS_A_TURN = 64 };

/* A descriptor, or a negative errno. */
static int open_beneath(int directory, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

/* "NODE:PATH" as a file in the node's working directory; what is wrong with it goes to `problem`. */
static FILE *node_file_open(const struct lab *lab, const char *written, struct text *problem)
{
	const char *colon = strchr(written, ':');
	CLEANUP(free_pointer)
	char *name = colon ? strndup(written, (size_t)(colon - written)) : NULL;
	if (!name || topology_find_node(lab->plan->topology, name) < 0) {
		text_append(problem, "'%s' is not written as NODE:FILE", written);
		return NULL;
	}
	CLEANUP(free_pointer) char *path = lab_node_path(lab, name);
	CLEANUP(close_fd)
	int directory = path ? open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	CLEANUP(close_fd) int fd = directory < 0 ? -errno : open_beneath(directory, colon + 1);
	struct stat status;
	if (fd == -EXDEV) {
		text_append(problem, "%s is not in the node's working directory", written);
		return NULL;
	}
	if (fd < 0 || fstat(fd, &status) < 0) {
		text_append(
			problem, "%s cannot be read: %s", written, strerror(fd < 0 ? -fd : errno));
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) {
		text_append(problem, "%s is not a regular file", written);
		return NULL;
	}
	FILE *file = fdopen(fd, "r");
	if (file)
		take_fd(&fd);
	else
		text_append(problem, "%s cannot be read: %s", written, strerror(errno));
	return file;
}

/* One block of each, which begins at byte `at`. Returns whether they are equal so far. */
static bool same_block(
	FILE *files[2], const struct step *step, uint64_t at, bool *ret_end, struct text *problem)
{
	unsigned char blocks[2][BLOCK];
	const char *const names[2] = {step->object, step->other_object};
	size_t lengths[2];
	for (size_t i = 0; i < 2; i++) {
		lengths[i] = fread(blocks[i], 1, BLOCK, files[i]);
		if (ferror(files[i])) {
			text_append(problem, "%s cannot be read: %s", names[i], strerror(errno));
			return false;
		}
	}
	size_t shorter = lengths[1] < lengths[0];
	size_t equal = 0;
	while (equal < lengths[shorter] && blocks[0][equal] == blocks[1][equal])
		equal++;
	*ret_end = lengths[0] == 0 && lengths[1] == 0;
	if (equal < lengths[shorter])
		text_append(problem, "they differ at byte %llu", (unsigned long long)(at + equal));
	else if (lengths[0] != lengths[1])
		text_append(problem, "%s is shorter: it ends after %llu bytes", names[shorter],
			(unsigned long long)(at + equal));
	return !problem->length;
}

static bool same_bytes(
	struct lab *lab, FILE *files[2], const struct step *step, struct text *problem)
{
	uint64_t until_ns = clock_monotonic_ns() + step->timeout_ns;
	bool end = false;
	for (uint64_t blocks = 0; !end; blocks++) {
		if (!same_block(files, step, blocks * BLOCK, &end, problem))
			return false;
		if (end || blocks % BLOCKS_A_TURN != BLOCKS_A_TURN - 1)
			continue;
		if (!lab_turn(lab, 0))
			return false; /* interrupted: nobody asks for the verdict */
		if (clock_monotonic_ns() >= until_ns) {
			text_append(problem,
				"the time was over when the first %llu bytes had been found equal",
				(unsigned long long)((blocks + 1) * BLOCK));
			return false;
		}
	}
	return true;
}

void lab_same_files(struct lab *lab, const struct step *step, struct verdict *ret_verdict)
{
	CLEANUP(text_finish) struct text problem = {0};
	CLEANUP(close_file) FILE *first = node_file_open(lab, step->object, &problem);
	CLEANUP(close_file)
	FILE *second = first ? node_file_open(lab, step->other_object, &problem) : NULL;
	FILE *files[2] = {first, second};
	struct step_facts facts = {0};
	facts.files_equal = second && same_bytes(lab, files, step, &problem);
	facts.files_differ = text_view(&problem);
	verdict_of(step, &facts, ret_verdict);
}
