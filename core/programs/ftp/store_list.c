/* What LIST, NLST and MLSD send of a directory or a file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/glob.h"
#include "ftp/listing.h"
#include "ftp/path.h"
#include "programs/ftp/store.h"

static void append_long(struct text *text, int directory, struct ftp_listing_entry *entry)
{
	char target[FTP_PATH_SIZE];
	if (S_ISLNK(entry->mode)) {
		ssize_t length = readlinkat(directory, entry->name, target, sizeof(target) - 1);
		if (length >= 0) {
			target[length] = '\0';
			entry->target = target;
		}
	}
	int64_t now_seconds = (int64_t)(clock_realtime_ns() / NS_PER_SECOND);
	ftp_listing_append_long(text, entry, now_seconds);
}

static void append_entry(
	struct text *text, int directory, const char *name, const struct store_listing *listing)
{
	struct stat file;
	struct ftp_listing_entry entry;
	if (listing->form != FTP_LISTING_NAMES &&
		fstatat(directory, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* gone since its name was read */
	if (listing->form == FTP_LISTING_NAMES) {
		char whole[2 * FTP_PATH_SIZE];
		snprintf(whole, sizeof(whole), "%s%s", listing->before, name);
		ftp_listing_append_name(text, whole);
		return;
	}
	text_append(text, "%s", listing->before);
	store_entry(&file, &entry);
	entry.name = name;
	if (listing->form == FTP_LISTING_FACTS)
		ftp_listing_append_facts(text, &entry, &listing->view);
	else
		append_long(text, directory, &entry);
}

struct names {
	char **list;
	size_t count;
};

static void names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* The visible names of a directory, sorted. */
static enum ftp_outcome names_read(DIR *directory, struct names *names)
{
	size_t bytes = 0;
	const struct dirent *entry;
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		char **name = array_add(&names->list, &names->count);
		if (!name)
			return FTP_OUTCOME_LOCAL_ERROR;
		*name = strdup(entry->d_name);
		bytes += strlen(entry->d_name) + 80;
		if (!*name || bytes > STORE_LISTING_BYTES_MAX)
			return FTP_OUTCOME_LOCAL_ERROR;
	}
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), names_compare);
	return FTP_OUTCOME_DONE;
}

static enum ftp_outcome list_file(const struct store *store, const char *path,
	const struct store_listing *listing, struct text *text)
{
	if (listing->form == FTP_LISTING_FACTS)
		return FTP_OUTCOME_NOT_A_DIRECTORY;
	CLEANUP(close_fd) int fd = store_parent(store, path);
	if (fd < 0)
		return store_outcome(fd);
	append_entry(text, fd, ftp_path_leaf(path), listing);
	return FTP_OUTCOME_DONE;
}

/* Of a directory all names, or those that `pattern` takes: it is NOT_FOUND where there are none. */
static enum ftp_outcome list_directory(int take_fd_of_it, const char *pattern,
	const struct store_listing *listing, struct text *text)
{
	CLEANUP(names_finish) struct names names = {0};
	CLEANUP(close_directory) DIR *directory = fdopendir(take_fd_of_it);
	if (!directory) {
		close(take_fd_of_it);
		return FTP_OUTCOME_LOCAL_ERROR;
	}
	enum ftp_outcome outcome = names_read(directory, &names);
	for (size_t i = 0; i < names.count && outcome == FTP_OUTCOME_DONE; i++) {
		if (!pattern || ftp_glob_match(pattern, names.list[i]))
			append_entry(text, take_fd_of_it, names.list[i], listing);
		if (text->length > listing->bytes_max)
			outcome = FTP_OUTCOME_TOO_LARGE;
	}
	bool none = outcome == FTP_OUTCOME_DONE && pattern && text->length == 0;
	return none ? FTP_OUTCOME_NOT_FOUND : outcome;
}

static enum ftp_outcome list_pattern(const struct store *store, const char *path,
	const struct store_listing *listing, struct text *text)
{
	CLEANUP(close_fd) int parent = store_parent(store, path);
	if (parent < 0)
		return store_outcome(parent);
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? store_outcome(-errno)
		      : list_directory(fd, ftp_path_leaf(path), listing, text);
}

/*
 * The names of NLST can be used as they are (RFC 1123 section 4.1.2.7): the client's own words for
 * where they are stand before them.
 */
static void name_as_asked(struct store_listing *listing, bool directory, char *space)
{
	size_t length = listing->asked ? strlen(listing->asked) : 0;
	if (listing->form != FTP_LISTING_NAMES || length == 0 || length >= FTP_PATH_SIZE - 1)
		return;
	memcpy(space, listing->asked, length);
	if (directory && space[length - 1] != '/')
		space[length++] = '/';
	while (length > 0 && space[length - 1] != '/')
		length--;
	space[length] = '\0';
	listing->before = space;
}

static enum ftp_outcome list(const struct store *store, const char *path,
	const struct store_listing *as_given, struct text *text)
{
	char before[FTP_PATH_SIZE];
	struct store_listing own = *as_given, *listing = &own;
	bool pattern = listing->form != FTP_LISTING_FACTS && ftp_glob_is(ftp_path_leaf(path));
	CLEANUP(close_fd) int probe = store_at(store, path, O_PATH);
	int fd = probe < 0 ? probe : openat(probe, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = probe < 0 ? -probe : errno;
	name_as_asked(listing, fd >= 0, before);
	if (fd >= 0)
		return list_directory(fd, NULL, listing, text);
	if (probe >= 0 && code == ENOTDIR)
		return list_file(store, path, listing, text);
	/* What has the pattern for its very name was found by it. */
	return code == ENOENT && pattern ? list_pattern(store, path, listing, text)
					 : store_outcome(-code);
}

enum ftp_outcome store_list(const struct store *store, const char *path,
	const struct store_listing *listing, struct text *ret_text)
{
	CLEANUP(text_finish) struct text text = {0};
	enum ftp_outcome outcome = list(store, path, listing, &text);
	if (outcome == FTP_OUTCOME_DONE && text.failed)
		outcome = FTP_OUTCOME_LOCAL_ERROR;
	if (outcome == FTP_OUTCOME_DONE) {
		*ret_text = text;
		text = (struct text){0};
	}
	return outcome;
}
