#include "programs/ftp/talk_listing.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "ftp/reply.h"

char *talk_remote_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);
	if (length == 0 || strcmp(directory, ".") == 0)
		return strdup(name);
	return text_format("%s%s%s", directory, directory[length - 1] == '/' ? "" : "/", name);
}

char *talk_quoted_path(const char *reply)
{
	CLEANUP(text_finish) struct text path = {0};
	if (*reply != '"')
		return NULL;
	for (const char *at = reply + 1; *at; at++) {
		if (*at == '"' && *++at != '"')
			return text_take(&path);
		text_append_bytes(&path, at, 1);
	}
	return NULL;
}

void talk_listing_finish(struct talk_listing *listing)
{
	free(listing->entries);
	free(listing->bytes);
	*listing = (struct talk_listing){0};
}

/* LIST would take a name that begins with a dash for options. */
static char *list_argument(const char *remote)
{
	bool here = strcmp(remote, ".") == 0 || !*remote;
	return text_format("%s%s", *remote == '-' ? "./" : "", here ? "" : remote);
}

static enum ftp_client_result list_into(
	struct talk *talk, enum ftp_verb verb, const char *remote, int fd)
{
	CLEANUP(free_pointer) char *argument = list_argument(remote);
	if (!argument)
		return FTP_CLIENT_LOCAL;
	struct dialogue_task task = {
		.verb = verb,
		.remote = argument,
		.file = fd,
		.file_name = "the listing",
		.limit_bytes = TALK_LISTING_BYTES,
	};
	return talk_do(talk, &task, NULL);
}

/* Known to be unknown: not a matter of what was asked for. */
static bool lacks_verb(const struct talk *talk)
{
	unsigned code = talk->dialogue.reply_code;
	return code == FTP_REPLY_BAD_COMMAND || code == FTP_REPLY_NOT_DONE ||
	       code == FTP_REPLY_NOT_FOR_PARAMETER;
}

static int by_name(const void *a, const void *b)
{
	const struct talk_entry *first = a, *second = b;
	return strcmp(first->name, second->name);
}

/* Add one line's entry; the line ends with a NUL that is ours to write over. */
static bool add_line(struct talk_listing *listing, enum ftp_verb verb, char *line, size_t length)
{
	struct ftp_entry entry;
	enum ftp_list_line result = verb == FTP_MLSD ? ftp_list_parse_facts(line, length, &entry)
						     : ftp_list_parse_long(line, length, &entry);
	if (result != FTP_LIST_ENTRY)
		return true;
	if ((listing->count & (listing->count - 1)) == 0) {
		size_t room = listing->count ? 2 * listing->count : 16;
		void *grown = reallocarray(listing->entries, room, sizeof(*listing->entries));
		if (!grown)
			return false;
		listing->entries = grown;
	}
	char *name = line + (entry.name - line);
	name[entry.name_length] = '\0';
	listing->entries[listing->count++] = (struct talk_entry){
		.kind = entry.kind,
		.safe = ftp_list_name_is_safe(name, entry.name_length),
		.name = name,
	};
	return true;
}

static enum ftp_client_result read_listing(
	int fd, enum ftp_verb verb, struct talk_listing *ret_listing)
{
	CLEANUP(talk_listing_finish) struct talk_listing listing = {0};
	struct stat status;
	if (fstat(fd, &status) < 0)
		return FTP_CLIENT_LOCAL;
	size_t length = (size_t)status.st_size;
	listing.bytes = malloc(length + 1);
	if (!listing.bytes || pread(fd, listing.bytes, length, 0) != (ssize_t)length)
		return FTP_CLIENT_LOCAL;
	listing.bytes[length] = '\0';
	for (char *line = listing.bytes, *end; line < listing.bytes + length; line = end + 1) {
		end = memchr(line, '\n', length - (size_t)(line - listing.bytes));
		end = end ? end : listing.bytes + length;
		size_t used = (size_t)(end - line);
		if (used > 0 && line[used - 1] == '\r')
			used--;
		if (!add_line(&listing, verb, line, used))
			return FTP_CLIENT_LOCAL;
	}
	if (listing.count > 0)
		qsort(listing.entries, listing.count, sizeof(*listing.entries), by_name);
	*ret_listing = listing;
	listing = (struct talk_listing){0};
	return FTP_CLIENT_DONE;
}

enum ftp_client_result talk_listing_fetch(
	struct talk *talk, const char *remote, struct talk_listing *ret_listing)
{
	bool hushed = talk->hushed;
	CLEANUP(close_fd) int fd = memfd_create("listing", MFD_CLOEXEC);
	if (fd < 0)
		return FTP_CLIENT_LOCAL;
	enum ftp_verb verb = talk->no_mlsd ? FTP_LIST : FTP_MLSD;
	talk->hushed = true;
	enum ftp_client_result result = list_into(talk, verb, remote, fd);
	if (result == FTP_CLIENT_REFUSED && verb == FTP_MLSD && lacks_verb(talk) &&
		talk_is_open(talk)) {
		talk->no_mlsd = true;
		verb = FTP_LIST;
		result = list_into(talk, verb, remote, fd);
	}
	talk->hushed = hushed;
	if (result == FTP_CLIENT_DONE)
		result = read_listing(fd, verb, ret_listing);
	return result;
}

void talk_listing_tell(struct talk *talk, const char *remote)
{
	CLEANUP(free_pointer) char *name = text_sanitize(remote, strlen(remote));
	CLEANUP(free_pointer)
	char *reply = text_sanitize(talk->dialogue.reply, strlen(talk->dialogue.reply));
	bool refused = talk->result == FTP_CLIENT_REFUSED;
	talk_fail(talk, talk->result == FTP_CLIENT_LOCAL ? EXIT_SYSTEM : EXIT_REFUSED,
		"cannot list '%s'%s%s", *remote && name ? name : ".", refused ? ": " : "",
		refused && reply ? reply : "");
}
