#include "lab/places.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"

enum { TREE_LEVELS = 4 }; /* build/asan/bin is three below the top */

static void directory_close(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static bool join(char path[static PATH_MAX], const char *first, const char *second)
{
	int length = snprintf(path, PATH_MAX, "%s/%s", first, second);
	return length > 0 && length < PATH_MAX;
}

/* Cuts the last component off; false where there is none left. */
static bool parent(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

/* The source tree that the program was built in, at most a build's own folder below its top. */
static bool find_tree(struct places *places)
{
	memcpy(places->root, places->programs, sizeof(places->root));
	for (int i = 0; i < TREE_LEVELS && parent(places->root); i++)
		if (join(places->topologies, places->root, "topologies") &&
			access(places->topologies, F_OK) == 0)
			return join(places->results, places->root, "results");
	return false;
}

static bool find_installation(struct places *places)
{
	char prefix[PATH_MAX];
	memcpy(prefix, places->programs, sizeof(prefix));
	return parent(prefix) && join(places->root, prefix, "share/sim") &&
	       join(places->topologies, places->root, "topologies") &&
	       join(places->results, places->working, "results");
}

int places_find(struct places *ret_places, struct error *error)
{
	struct places places = {0};
	ssize_t length = readlink("/proc/self/exe", places.programs, sizeof(places.programs) - 1);
	if (length < 0 || !parent(places.programs))
		return error_system(error, -errno, "cannot find this program's own folder");
	/* One that was removed has no path, and nothing in it is needed. */
	if (!getcwd(places.working, sizeof(places.working)))
		memcpy(places.working, ".", sizeof("."));
	if (!find_tree(&places) && !find_installation(&places))
		return error_set(
			error, -ENAMETOOLONG, "the path of '%s' is too long", places.programs);
	*ret_places = places;
	return 0;
}

int places_set_path(const struct places *places, struct error *error)
{
	const char *path = getenv("PATH");
	CLEANUP(free_pointer)
	char *extended = text_format("%s:%s:/usr/local/sbin:/usr/sbin:/sbin", places->programs,
		path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
	if (!extended || setenv("PATH", extended, 1) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	return 0;
}

static bool is_path(const char *topology)
{
	size_t length = strlen(topology);
	return strchr(topology, '/') ||
	       (length > 5 && strcmp(topology + length - 5, ".yaml") == 0) ||
	       (length > 4 && strcmp(topology + length - 4, ".yml") == 0);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int places_list(
	const struct places *places, char ***ret_names, size_t *ret_count, struct error *error)
{
	CLEANUP(directory_close) DIR *directory = opendir(places->topologies);
	if (!directory)
		return error_system(error, -errno, "cannot read '%s'", places->topologies);
	char **names = NULL;
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(directory));) {
		size_t length = strlen(entry->d_name);
		if (length < 6 || entry->d_name[0] == '.' ||
			strcmp(entry->d_name + length - 5, ".yaml") != 0)
			continue;
		char **name = array_add(&names, &count);
		if (!name || !(*name = strndup(entry->d_name, length - 5))) {
			count -= name != NULL;
			break; /* memory is gone: those found so far */
		}
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_count = count;
	return 0;
}

static int unknown(const struct places *places, const char *topology, struct error *error)
{
	char **names = NULL;
	size_t count = 0;
	struct error ignored;
	if (places_list(places, &names, &count, &ignored) < 0)
		count = 0;
	const char *nearest = text_nearest(topology, (const char *const *)names, count);
	error_set(error, -ENOENT,
		"there is no topology '%s'%s%s%s; 'sim list' shows all, and a path works too",
		topology, nearest ? "; did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?" : "");
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return -ENOENT;
}

int places_topology(const struct places *places, const char *topology,
	char ret_path[static PATH_MAX], struct error *error)
{
	char name[PATH_MAX];
	if (is_path(topology)) {
		if (snprintf(ret_path, PATH_MAX, "%s", topology) >= PATH_MAX)
			return error_set(
				error, -ENAMETOOLONG, "the path '%.60s...' is too long", topology);
		return 0;
	}
	if (snprintf(name, sizeof(name), "%s.yaml", topology) >= PATH_MAX ||
		!join(ret_path, places->topologies, name))
		return error_set(error, -ENAMETOOLONG, "the name '%.60s...' is too long", topology);
	return access(ret_path, F_OK) == 0 ? 0 : unknown(places, topology, error);
}
