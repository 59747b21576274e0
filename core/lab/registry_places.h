/* The folders of registry.h: which there are, made and opened so that nobody else has a hand in them. */
#ifndef LAB_REGISTRY_PLACES_H
#define LAB_REGISTRY_PLACES_H

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum { REGISTRY_PLACES_MOST = 5 };

struct registry_place {
	char path[PATH_MAX];
	mode_t mode;
	uid_t owner;
	gid_t group; /* may look; its members' requests are for the supervisor to judge */
};

struct registry_places {
	struct registry_place list[REGISTRY_PLACES_MOST];
	size_t own; /* the first ones, the caller's, best first */
	size_t count; /* those behind are root's, with labs of the caller */
};

void registry_places_find(struct registry_places *ret_places);

/* Make one of the caller's own and open it. */
int registry_place_make(
	const struct registry_places *places, size_t index, int *ret_fd, struct error *error);

/* Open one to read; NULL where it is not there, or not to be trusted. */
DIR *registry_place_open(const struct registry_places *places, size_t index);

/* For CLEANUP(). */
void registry_directory_close(DIR **directory);

#endif
