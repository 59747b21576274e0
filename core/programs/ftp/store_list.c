/* What LIST, NLST and MLSD send of a directory or a file, piece by piece. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "ftp/glob.h"
#include "ftp/listing.h"
#include "ftp/path.h"
#include "programs/ftp/store.h"

/* So much memory for names at once, with the places where they begin. */
enum { NAMES_BYTES_MAX = 1024 * 1024 };

struct names {
	struct text bytes; /* owned: NUL-terminated, one behind another */
	uint32_t *starts; /* owned: where each begins, sorted by names_sort() */
	size_t count;
	bool cut; /* there are more behind the last one than these */
};

struct store_list {
	const struct store *store; /* borrowed */
	struct store_listing how; /* but for its `asked` */
	char *path, *asked; /* owned; asked may be NULL */
	enum { LIST_NEW, LIST_FILE, LIST_DIRECTORY, LIST_ENDED } state;
	DIR *directory; /* owned; of LIST_DIRECTORY */
	int at; /* owned: LIST_FILE's directory; else that of `directory`, or -1 */
	const char *pattern; /* names must match it; NULL: all do */
	char *before; /* owned: what stands before each name; NULL: nothing */
	struct names names;
	size_t told; /* of those */
	char last[NAME_MAX + 1]; /* the last name of the names before these; "" at the beginning */
	bool found; /* anything */
};

/* --- one line --- */

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

static void append_entry(struct text *text, const struct store_list *list, const char *name)
{
	struct stat file;
	struct ftp_listing_entry entry;
	const struct store_listing *how = &list->how;
	const char *before = list->before ? list->before : how->before;
	if (how->form == FTP_LISTING_NAMES) {
		char whole[2 * FTP_PATH_SIZE];
		snprintf(whole, sizeof(whole), "%s%s", before, name);
		ftp_listing_append_name(text, whole);
		return;
	}
	if (fstatat(list->at, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* gone since its name was read */
	text_append(text, "%s", before);
	store_entry(&file, &entry);
	entry.name = name;
	if (how->form == FTP_LISTING_FACTS)
		ftp_listing_append_facts(text, &entry, &how->view);
	else
		append_long(text, list->at, &entry);
}

/* --- the names of a directory --- */

static void names_finish(struct names *names)
{
	text_finish(&names->bytes);
	free(names->starts);
	*names = (struct names){0};
}

static const char *name_at(const struct names *names, size_t index)
{
	return names->bytes.bytes + names->starts[index];
}

static int compare_starts(const void *a, const void *b, void *bytes)
{
	const char *names = bytes;
	return strcmp(names + *(const uint32_t *)a, names + *(const uint32_t *)b);
}

static void names_sort(struct names *names)
{
	if (names->count)
		qsort_r(names->starts, names->count, sizeof(*names->starts), compare_starts,
			names->bytes.bytes);
}

static bool names_add(struct names *names, const char *name)
{
	uint32_t start = (uint32_t)names->bytes.length;
	text_append_bytes(&names->bytes, name, strlen(name) + 1);
	uint32_t *place = array_add(&names->starts, &names->count);
	if (place)
		*place = start;
	return place && !names->bytes.failed;
}

/* Keep the first half, in its order: the others have their time later. */
static bool names_halve(struct names *names)
{
	struct names half = {.cut = true};
	bool good = true;
	names_sort(names);
	for (size_t i = 0; i < names->count / 2 && good; i++)
		good = names_add(&half, name_at(names, i));
	names_finish(names);
	*names = half;
	return good;
}

/* Whether a name is to be told behind those that were, as far as there is room for it. */
static bool is_wanted(const struct store_list *list, const char *name, const char *highest)
{
	return name[0] != '.' && strcmp(name, list->last) > 0 &&
	       (!highest || strcmp(name, highest) < 0) &&
	       (!list->pattern || ftp_glob_match(list->pattern, name));
}

/*
 * The visible names that come next in their order: a directory too large for this is read several
 * times, so that one of any size takes the same memory and is sorted all the same.
 */
static enum ftp_outcome names_read(struct store_list *list, const atomic_bool *unwanted)
{
	struct names *names = &list->names;
	const struct dirent *entry;
	char highest[NAME_MAX + 1] = "";
	names_finish(names);
	list->told = 0;
	rewinddir(list->directory);
	while (!*unwanted && (entry = readdir(list->directory))) {
		draft_sweep(list->at, entry->d_name);
		if (!is_wanted(list, entry->d_name, names->cut ? highest : NULL))
			continue;
		if (!names_add(names, entry->d_name))
			return FTP_OUTCOME_LOCAL_ERROR;
		if (names->bytes.length + names->count * sizeof(*names->starts) < NAMES_BYTES_MAX)
			continue;
		if (!names_halve(names))
			return FTP_OUTCOME_LOCAL_ERROR;
		snprintf(highest, sizeof(highest), "%s", name_at(names, names->count - 1));
	}
	names_sort(names);
	if (names->count)
		snprintf(list->last, sizeof(list->last), "%s", name_at(names, names->count - 1));
	return FTP_OUTCOME_DONE;
}

/* --- what is to be listed --- */

static enum ftp_outcome open_directory(struct store_list *list, int take_fd_of_it)
{
	list->directory = fdopendir(take_fd_of_it);
	if (!list->directory) {
		close(take_fd_of_it);
		return FTP_OUTCOME_LOCAL_ERROR;
	}
	list->at = take_fd_of_it;
	list->state = LIST_DIRECTORY;
	return FTP_OUTCOME_DONE;
}

static enum ftp_outcome open_file(struct store_list *list)
{
	if (list->how.form == FTP_LISTING_FACTS)
		return FTP_OUTCOME_NOT_A_DIRECTORY;
	list->at = store_parent(list->store, list->path);
	list->state = LIST_FILE;
	return list->at < 0 ? store_outcome(list->at) : FTP_OUTCOME_DONE;
}

static enum ftp_outcome open_pattern(struct store_list *list)
{
	CLEANUP(close_fd) int parent = store_parent(list->store, list->path);
	if (parent < 0)
		return store_outcome(parent);
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list->pattern = ftp_path_leaf(list->path);
	return fd < 0 ? store_outcome(-errno) : open_directory(list, fd);
}

/*
 * The names of NLST can be used as they are (RFC 1123 section 4.1.2.7): the client's own words for
 * where they are stand before them.
 */
static bool name_as_asked(struct store_list *list, bool directory)
{
	const char *asked = list->asked;
	size_t length = asked ? strlen(asked) : 0;
	if (list->how.form != FTP_LISTING_NAMES || length == 0 || length >= FTP_PATH_SIZE - 1)
		return true;
	list->before = malloc(length + 2);
	if (!list->before)
		return false;
	memcpy(list->before, asked, length);
	if (directory && asked[length - 1] != '/')
		list->before[length++] = '/';
	while (length > 0 && list->before[length - 1] != '/')
		length--;
	list->before[length] = '\0';
	return true;
}

static enum ftp_outcome list_open(struct store_list *list)
{
	bool pattern =
		list->how.form != FTP_LISTING_FACTS && ftp_glob_is(ftp_path_leaf(list->path));
	CLEANUP(close_fd) int probe = store_at(list->store, list->path, O_PATH);
	int fd = probe < 0 ? probe : openat(probe, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = probe < 0 ? -probe : errno;
	if (!name_as_asked(list, fd >= 0)) {
		close_fd(&fd);
		return FTP_OUTCOME_LOCAL_ERROR;
	}
	if (fd >= 0)
		return open_directory(list, fd);
	if (probe >= 0 && code == ENOTDIR)
		return open_file(list);
	/* What has the pattern for its very name was found by it. */
	return code == ENOENT && pattern ? open_pattern(list) : store_outcome(-code);
}

/* --- piece by piece --- */

struct store_list *store_list_create(
	const struct store *store, const char *path, const struct store_listing *how)
{
	CLEANUP(store_list_free) struct store_list *list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->store = store;
	list->at = -1;
	list->how = *how;
	list->asked = how->asked ? strdup(how->asked) : NULL;
	list->path = strdup(path);
	return list->path && (list->asked || !how->asked) ? TAKE(list) : NULL;
}

void store_list_free(struct store_list **address)
{
	struct store_list *list = TAKE(*address);
	if (!list)
		return;
	if (list->directory)
		closedir(list->directory);
	else
		close_fd(&list->at);
	names_finish(&list->names);
	free(list->asked);
	free(list->before);
	free(list->path);
	free(list);
}

bool store_list_ended(const struct store_list *list)
{
	return list->state == LIST_ENDED;
}

static enum ftp_outcome more_of_directory(
	struct store_list *list, size_t bytes, const atomic_bool *unwanted, struct text *text)
{
	struct names *names = &list->names;
	while (!*unwanted && text->length < bytes) {
		if (list->told < names->count) {
			append_entry(text, list, name_at(names, list->told++));
			list->found = true;
			continue;
		}
		bool over = list->last[0] && !names->cut;
		enum ftp_outcome outcome = over ? FTP_OUTCOME_DONE : names_read(list, unwanted);
		if (outcome != FTP_OUTCOME_DONE)
			return outcome;
		if (over || names->count == 0) {
			list->state = LIST_ENDED;
			break;
		}
	}
	bool none = list->state == LIST_ENDED && list->pattern && !list->found;
	return none ? FTP_OUTCOME_NOT_FOUND : FTP_OUTCOME_DONE;
}

enum ftp_outcome store_list_more(
	struct store_list *list, size_t bytes, const atomic_bool *unwanted, struct text *text)
{
	enum ftp_outcome outcome = FTP_OUTCOME_DONE;
	if (list->state == LIST_NEW)
		outcome = list_open(list);
	if (outcome == FTP_OUTCOME_DONE && list->state == LIST_DIRECTORY)
		outcome = more_of_directory(list, bytes, unwanted, text);
	if (outcome == FTP_OUTCOME_DONE && list->state == LIST_FILE) {
		append_entry(text, list, ftp_path_leaf(list->path));
		list->state = LIST_ENDED;
	}
	return outcome == FTP_OUTCOME_DONE && text->failed ? FTP_OUTCOME_LOCAL_ERROR : outcome;
}
