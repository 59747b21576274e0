#include "lab/registry_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ROOT_PLACE "/run/sim"

/* In a user namespace of one user, as sim's own, root is the user who made it. */
static uid_t find_self(void)
{
	unsigned inside, outside, count;
	CLEANUP(close_file) FILE *map = fopen("/proc/self/uid_map", "re");
	if (map && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && count == 1 &&
		inside == geteuid())
		return outside;
	return geteuid();
}

/* Who called sudo, else who runs this. */
static void find_caller(uid_t self, uid_t *ret_uid, gid_t *ret_gid)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t uid_number, gid_number;
	*ret_uid = self;
	*ret_gid = getegid();
	if (self == 0 && uid && gid && text_parse_number(uid, 0, UINT32_MAX - 1, &uid_number) &&
		text_parse_number(gid, 0, UINT32_MAX - 1, &gid_number)) {
		*ret_uid = (uid_t)uid_number;
		*ret_gid = (gid_t)gid_number;
	}
}

__attribute__((format(printf, 2, 3))) static struct registry_place *place_add(
	struct registry_places *places, const char *format, ...)
{
	struct registry_place *place = &places->list[places->count];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(place->path, sizeof(place->path), format, arguments);
	va_end(arguments);
	/* A relative path would be another one tomorrow. */
	if (length >= PATH_MAX || place->path[0] != '/')
		return NULL;
	for (size_t i = 0; i < places->count; i++)
		if (strcmp(places->list[i].path, place->path) == 0)
			return NULL;
	place->mode = 0700;
	place->owner = geteuid();
	place->group = (gid_t)-1;
	places->count++;
	return place;
}

void registry_places_find(struct registry_places *ret_places)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	uid_t caller, self = find_self();
	gid_t group;
	ret_places->count = 0;
	find_caller(self, &caller, &group);
	if (self == 0) {
		struct registry_place *place =
			place_add(ret_places, ROOT_PLACE "/%u", (unsigned)caller);
		if (place && caller != 0) {
			place->mode = 0750;
			place->group = group;
		}
	}
	if (runtime && *runtime)
		place_add(ret_places, "%s/sim", runtime);
	if (self != 0)
		place_add(ret_places, "/run/user/%u/sim", (unsigned)self);
	if (state && *state)
		place_add(ret_places, "%s/sim", state);
	else if (home && *home)
		place_add(ret_places, "%s/.local/state/sim", home);
	ret_places->own = ret_places->count;
	if (self != 0) {
		struct registry_place *place =
			place_add(ret_places, ROOT_PLACE "/%u", (unsigned)self);
		if (place)
			place->owner = 0;
	}
}

static int folder_check(const char *path, int fd, uid_t owner, struct error *error)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return error_system(error, -errno, "cannot look at '%s'", path);
	if (status.st_uid != owner)
		return error_set(error, -EPERM, "'%s' is somebody else's", path);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(error, -EPERM, "others may write to '%s'", path);
	return 0;
}

/* Open the folder that it lies in: nobody else may put something in its place. */
static int parent_open(const struct registry_place *place, int *ret_fd, struct error *error)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s", place->path);
	*strrchr(path, '/') = '\0';
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_system(error, -errno, "cannot open '%s'", path);
	int status = folder_check(path, fd, place->owner, error);
	if (status == 0)
		*ret_fd = take_fd(&fd);
	return status;
}

static int place_open(
	const struct registry_place *place, int parent, int *ret_fd, struct error *error)
{
	CLEANUP(close_fd)
	int fd = openat(parent, strrchr(place->path, '/') + 1,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_system(error, -errno, "cannot open '%s'", place->path);
	int status = folder_check(place->path, fd, place->owner, error);
	if (status == 0)
		*ret_fd = take_fd(&fd);
	return status;
}

/* mkdir -p. Folders that are missing on the way become ones that others may only pass. */
static int make_parents(const struct registry_place *place, struct error *error)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s", place->path);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return error_system(error, -errno, "cannot create '%s'", path);
		*slash = '/';
	}
	return 0;
}

int registry_place_make(
	const struct registry_places *places, size_t index, int *ret_fd, struct error *error)
{
	const struct registry_place *place = &places->list[index];
	CLEANUP(close_fd) int parent = -1, fd = -1;
	int status = make_parents(place, error);
	if (status == 0)
		status = parent_open(place, &parent, error);
	if (status < 0)
		return status;
	bool made = mkdirat(parent, strrchr(place->path, '/') + 1, 0700) == 0;
	if (!made && errno != EEXIST)
		return error_system(error, -errno, "cannot create '%s'", place->path);
	status = place_open(place, parent, &fd, error);
	if (status < 0)
		return status;
	if (made && place->group != (gid_t)-1 &&
		(fchown(fd, (uid_t)-1, place->group) < 0 || fchmod(fd, place->mode) < 0))
		return error_system(error, -errno, "cannot hand over '%s'", place->path);
	*ret_fd = take_fd(&fd);
	return 0;
}

DIR *registry_place_open(const struct registry_places *places, size_t index)
{
	struct error ignored;
	const struct registry_place *place = &places->list[index];
	CLEANUP(close_fd) int parent = -1, fd = -1;
	if (parent_open(place, &parent, &ignored) < 0 ||
		place_open(place, parent, &fd, &ignored) < 0)
		return NULL;
	DIR *directory = fdopendir(fd);
	if (directory)
		take_fd(&fd);
	return directory;
}

void registry_directory_close(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}
