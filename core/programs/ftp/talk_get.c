#include "programs/ftp/talk_get.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "programs/ftp/talk_file.h"
#include "programs/ftp/talk_listing.h"

/* What a tree has in common. */
struct tree {
	struct talk *talk;
	unsigned entries; /* so far */
	bool resume;
};

/* Fetch into `file`, which is closed behind this; shown: printable, for people. */
static bool fetch(struct talk *talk, const char *remote, const char *shown, bool resume,
	struct talk_file *file)
{
	struct error error;
	bool resumed = file->bytes > 0;
	struct dialogue_task task = {
		.verb = FTP_RETR,
		.remote = remote,
		.file = file->fd,
		.file_name = shown,
		.file_waits = file->waits,
		.resume = resume && resumed,
		.local_bytes = file->bytes,
	};
	enum ftp_client_result result = talk_do(talk, &task, shown);
	if (result == FTP_CLIENT_DONE) {
		if (talk_file_commit(file, shown, &error) == 0)
			return true;
		talk_fail(talk, EXIT_SYSTEM, "%s", error.text);
		return false;
	}
	/* Lines that were converted cannot be counted as the server's bytes. */
	bool moved = dialogue_moved_bytes(&talk->dialogue) > 0 && !talk->settings->ascii;
	uint64_t kept = talk_file_abandon(file, resumed || moved);
	if (kept > 0)
		talk_note(talk, "%llu bytes of '%s' are kept: --resume goes on with them",
			(unsigned long long)kept, shown);
	return false;
}

bool talk_get(struct talk *talk, const char *remote, const char *local, bool resume)
{
	struct error error;
	CLEANUP(talk_file_close) struct talk_file file = TALK_FILE_NONE;
	if (talk_file_create(local, resume, &file, &error) < 0) {
		talk_fail(talk, EXIT_SYSTEM, "%s", error.text);
		return false;
	}
	bool standard = strcmp(local, "-") == 0;
	CLEANUP(free_pointer)
	char *shown = standard ? strdup("standard output") : text_sanitize(local, strlen(local));
	return fetch(talk, remote, shown ? shown : "?", resume, &file);
}

/* --- a tree --- */

static bool fetch_directory(struct tree *tree, int directory, const char *remote, unsigned depth);

/* A directory of the tree: made where there is none, entered where it is no link. */
static bool fetch_below(
	struct tree *tree, int directory, const char *name, const char *remote, unsigned depth)
{
	struct talk *talk = tree->talk;
	if (depth >= TALK_TREE_DEPTH) {
		talk_fail(talk, EXIT_REFUSED, "'%s' is not fetched: it is %d directories deep",
			remote, TALK_TREE_DEPTH);
		return false;
	}
	if (mkdirat(directory, name, 0777) < 0 && errno != EEXIST) {
		talk_fail(talk, EXIT_SYSTEM, "cannot make the directory '%s': %s", name,
			strerror(errno));
		return false;
	}
	CLEANUP(close_fd)
	int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0) {
		talk_fail(talk, EXIT_SYSTEM, "cannot enter the directory '%s': %s", name,
			strerror(errno));
		return false;
	}
	return fetch_directory(tree, below, remote, depth + 1);
}

static bool fetch_file(struct tree *tree, int directory, const char *name, const char *remote)
{
	struct error error;
	CLEANUP(talk_file_close) struct talk_file file = TALK_FILE_NONE;
	if (talk_file_create_at(directory, name, tree->resume, &file, &error) < 0) {
		talk_fail(tree->talk, EXIT_SYSTEM, "%s", error.text);
		return false;
	}
	return fetch(tree->talk, remote, name, tree->resume, &file);
}

static bool fetch_entry(struct tree *tree, int directory, const struct talk_entry *entry,
	const char *remote, unsigned depth)
{
	struct talk *talk = tree->talk;
	CLEANUP(free_pointer) char *path = talk_remote_join(remote, entry->name);
	CLEANUP(free_pointer) char *shown = text_sanitize(entry->name, strlen(entry->name));
	if (!path || !shown) {
		talk_fail(talk, EXIT_SYSTEM, "out of memory");
		return false;
	}
	if (!entry->safe) {
		talk_fail(talk, EXIT_REFUSED,
			"'%s' is not fetched: the server's name leads elsewhere or holds what no "
			"name should",
			shown);
		return false;
	}
	switch (entry->kind) {
	case FTP_ENTRY_DIRECTORY:
		return fetch_below(tree, directory, entry->name, path, depth);
	case FTP_ENTRY_FILE:
		return fetch_file(tree, directory, entry->name, path);
	default:
		talk_note(talk, "'%s' is not fetched: it is a link or no plain file", shown);
		return true;
	}
}

static bool fetch_entries(struct tree *tree, int directory, const char *remote, unsigned depth,
	const struct talk_listing *listing)
{
	bool all = true;
	for (size_t i = 0; i < listing->count && talk_is_open(tree->talk); i++) {
		if (++tree->entries > TALK_TREE_ENTRIES) {
			talk_fail(tree->talk, EXIT_REFUSED,
				"more than %d entries: the rest is left", TALK_TREE_ENTRIES);
			return false;
		}
		all &= fetch_entry(tree, directory, &listing->entries[i], remote, depth);
		if (tree->entries > TALK_TREE_ENTRIES)
			return false;
	}
	return all;
}

static bool fetch_directory(struct tree *tree, int directory, const char *remote, unsigned depth)
{
	CLEANUP(talk_listing_finish) struct talk_listing listing = {0};
	if (talk_listing_fetch(tree->talk, remote, &listing) != FTP_CLIENT_DONE) {
		talk_listing_tell(tree->talk, remote);
		return false;
	}
	return fetch_entries(tree, directory, remote, depth, &listing);
}

/* What only a reply is needed of, without a word to anybody. */
static bool ask(struct talk *talk, enum ftp_verb verb, const char *remote)
{
	struct dialogue_task task = {.verb = verb, .remote = remote, .file = -1};
	bool hushed = talk->hushed;
	talk->hushed = true;
	enum ftp_client_result result =
		talk_is_open(talk) ? talk_do(talk, &task, NULL) : FTP_CLIENT_LOST;
	talk->hushed = hushed;
	return result == FTP_CLIENT_DONE;
}

/* By a visit: where we are is where we come back to. */
static bool directory_is_there(struct talk *talk, const char *remote)
{
	if (!ask(talk, FTP_PWD, NULL))
		return false;
	CLEANUP(free_pointer) char *here = talk_quoted_path(talk->dialogue.reply);
	return here && ask(talk, FTP_CWD, remote) && ask(talk, FTP_CWD, here);
}

/*
 * Servers without MLSD list a file as itself, and what is not there as nothing. Returns the result
 * that a better listing would have had.
 */
static enum ftp_client_result judge_listing(
	struct talk *talk, const char *remote, const struct talk_listing *listing)
{
	if (!talk->no_mlsd || listing->count > 1)
		return FTP_CLIENT_DONE;
	if (listing->count == 1 && ask(talk, FTP_SIZE, remote))
		return FTP_CLIENT_REFUSED;
	if (listing->count == 0 && !directory_is_there(talk, remote))
		return FTP_CLIENT_REFUSED;
	return FTP_CLIENT_DONE;
}

bool talk_get_tree(struct talk *talk, const char *remote, const char *local, bool resume)
{
	struct tree tree = {.talk = talk, .resume = resume};
	CLEANUP(talk_listing_finish) struct talk_listing listing = {0};
	enum ftp_client_result result = talk_listing_fetch(talk, remote, &listing);
	if (result == FTP_CLIENT_DONE)
		result = judge_listing(talk, remote, &listing);
	/* What cannot be listed may be a file: the server will say. */
	if (result == FTP_CLIENT_REFUSED && talk_is_open(talk))
		return talk_get(talk, remote, local, resume);
	if (result != FTP_CLIENT_DONE) {
		talk_listing_tell(talk, remote);
		return false;
	}
	if (mkdir(local, 0777) < 0 && errno != EEXIST) {
		talk_fail(talk, EXIT_SYSTEM, "cannot make the directory '%s': %s", local,
			strerror(errno));
		return false;
	}
	CLEANUP(close_fd) int directory = open(local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		talk_fail(talk, EXIT_SYSTEM, "cannot enter the directory '%s': %s", local,
			strerror(errno));
		return false;
	}
	return fetch_entries(&tree, directory, remote, 0, &listing);
}
