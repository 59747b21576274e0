#include "programs/ftp/talk_put.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "programs/ftp/talk_file.h"
#include "programs/ftp/talk_get.h"
#include "programs/ftp/talk_listing.h"

/* What a tree has in common. */
struct tree {
	struct talk *talk;
	unsigned entries; /* so far */
	bool resume;
};

bool talk_put(struct talk *talk, const char *local, const char *remote, bool resume)
{
	struct error error;
	CLEANUP(talk_file_close) struct talk_file file = TALK_FILE_NONE;
	if (talk_file_open(local, &file, &error) < 0) {
		talk_fail(talk, EXIT_SYSTEM, "%s", error.text);
		return false;
	}
	bool standard = strcmp(local, "-") == 0;
	CLEANUP(free_pointer)
	char *shown = standard ? strdup("standard input") : text_sanitize(local, strlen(local));
	struct dialogue_task task = {
		.verb = FTP_STOR,
		.remote = remote,
		.file = file.fd,
		.file_name = shown ? shown : "?",
		.file_waits = file.waits,
		/* What comes from a pipe comes from its beginning. */
		.resume = resume && !standard,
		.local_bytes = file.bytes,
	};
	return talk_do(talk, &task, task.file_name) == FTP_CLIENT_DONE;
}

/* There may be one already: then it can be listed. */
static bool make_directory(struct talk *talk, const char *remote)
{
	CLEANUP(talk_listing_finish) struct talk_listing listing = {0};
	struct dialogue_task task = {.verb = FTP_MKD, .remote = remote, .file = -1};
	if (!*remote)
		return true;
	bool hushed = talk->hushed;
	talk->hushed = true;
	enum ftp_client_result result = talk_do(talk, &task, NULL);
	talk->hushed = hushed;
	CLEANUP(free_pointer)
	char *why = text_sanitize(talk->dialogue.reply, strlen(talk->dialogue.reply));
	if (result == FTP_CLIENT_REFUSED && talk_is_open(talk))
		result = talk_listing_fetch(talk, remote, &listing);
	if (result != FTP_CLIENT_DONE)
		talk_fail(talk, EXIT_REFUSED, "cannot make the directory '%s' there: %s", remote,
			why ? why : "?");
	return result == FTP_CLIENT_DONE;
}

static bool send_directory(
	struct tree *tree, const char *local, const char *remote, unsigned depth);

static bool send_entry(struct tree *tree, const char *local, const char *remote, unsigned depth)
{
	struct stat status;
	struct talk *talk = tree->talk;
	if (lstat(local, &status) < 0) {
		talk_fail(talk, EXIT_SYSTEM, "cannot read '%s': %s", local, strerror(errno));
		return false;
	}
	if (S_ISDIR(status.st_mode))
		return send_directory(tree, local, remote, depth + 1);
	if (stat(local, &status) < 0 || !S_ISREG(status.st_mode)) {
		talk_note(talk, "'%s' is not sent: it is no plain file", local);
		return true;
	}
	return talk_put(talk, local, remote, tree->resume);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* A hidden name of ours holds half a file. */
static bool is_ours(const char *name)
{
	return text_starts_with(name, DRAFT_PREFIX) || text_starts_with(name, KEPT_PREFIX);
}

static bool send_directory(struct tree *tree, const char *local, const char *remote, unsigned depth)
{
	struct talk *talk = tree->talk;
	bool all = true;
	if (depth > TALK_TREE_DEPTH) {
		talk_fail(talk, EXIT_SYSTEM,
			"'%s' is not sent: it is more than %d directories deep", local,
			TALK_TREE_DEPTH);
		return false;
	}
	CLEANUP(close_directory) DIR *directory = opendir(local);
	if (!directory) {
		talk_fail(talk, EXIT_SYSTEM, "cannot read the directory '%s': %s", local,
			strerror(errno));
		return false;
	}
	if (!make_directory(talk, remote))
		return false;
	for (struct dirent *entry; talk_is_open(talk) && (entry = readdir(directory));) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_ours(name))
			continue;
		if (++tree->entries > TALK_TREE_ENTRIES) {
			talk_fail(talk, EXIT_SYSTEM, "more than %d entries: the rest is left",
				TALK_TREE_ENTRIES);
			return false;
		}
		CLEANUP(free_pointer) char *from = text_format("%s/%s", local, name);
		CLEANUP(free_pointer) char *to = talk_remote_join(remote, name);
		all &= from && to && send_entry(tree, from, to, depth);
	}
	return all;
}

bool talk_put_tree(struct talk *talk, const char *local, const char *remote, bool resume)
{
	struct tree tree = {.talk = talk, .resume = resume};
	struct stat status;
	/* A link that was named is meant. */
	if (stat(local, &status) == 0 && S_ISDIR(status.st_mode))
		return send_directory(&tree, local, remote, 1);
	return talk_put(talk, local, remote, resume);
}
