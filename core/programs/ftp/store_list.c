/* What LIST, NLST and MLSD send of a directory or a file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
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
	text_append(text, "%s", listing->before);
	if (listing->form == FTP_LISTING_NAMES) {
		ftp_listing_append_name(text, name);
		return;
	}
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

static enum ftp_outcome list_directory(
	int take_fd_of_it, const struct store_listing *listing, struct text *text)
{
	CLEANUP(names_finish) struct names names = {0};
	CLEANUP(close_directory) DIR *directory = fdopendir(take_fd_of_it);
	if (!directory) {
		close(take_fd_of_it);
		return FTP_OUTCOME_LOCAL_ERROR;
	}
	enum ftp_outcome outcome = names_read(directory, &names);
	for (size_t i = 0; i < names.count && outcome == FTP_OUTCOME_DONE; i++) {
		append_entry(text, take_fd_of_it, names.list[i], listing);
		if (text->length > listing->bytes_max)
			outcome = FTP_OUTCOME_TOO_LARGE;
	}
	return outcome;
}

enum ftp_outcome store_list(const struct store *store, const char *path,
	const struct store_listing *listing, struct text *ret_text)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(close_fd) int probe = store_at(store, path, O_PATH);
	if (probe < 0)
		return store_outcome(probe);
	int fd = openat(probe, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum ftp_outcome outcome;
	if (fd >= 0)
		outcome = list_directory(fd, listing, &text);
	else if (errno == ENOTDIR)
		outcome = list_file(store, path, listing, &text);
	else
		outcome = store_outcome(-errno);
	if (outcome == FTP_OUTCOME_DONE && text.failed)
		outcome = FTP_OUTCOME_LOCAL_ERROR;
	if (outcome == FTP_OUTCOME_DONE) {
		*ret_text = text;
		text = (struct text){0};
	}
	return outcome;
}
