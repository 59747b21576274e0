/*
 * Listings: what a server sends, read as MLSD and as LIST; what is read is written as our server would
 * and read again. Input: a byte (in pieces of how many bytes the lines are received, 0 all at once),
 * of a file its mode (2), size and time (8 each), and the lines.
 */
#include <sys/stat.h>

#include "fuzz_ftp.h"

#include "base/cleanup.h"
#include "ftp/list_parse.h"
#include "ftp/listing.h"
#include "ftp/session.h"

static struct {
	struct ftp_listing_entry file;
	int64_t now;
} world;

static bool is_printable(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return true;
}

static enum ftp_entry_kind kind_of(mode_t mode)
{
	if (S_ISREG(mode))
		return FTP_ENTRY_FILE;
	if (S_ISDIR(mode))
		return FTP_ENTRY_DIRECTORY;
	return S_ISLNK(mode) ? FTP_ENTRY_LINK : FTP_ENTRY_OTHER;
}

/* What any entry is, whoever wrote the line. */
static void check_entry(const struct ftp_entry *entry, const char *line, size_t length)
{
	size_t size = entry->name_length;
	HOLDS(size >= 1 && lies_within(entry->name, size, line, length));
	HOLDS(entry->kind <= FTP_ENTRY_OTHER);
	HOLDS(!memchr(entry->name, '\0', size) && !memchr(entry->name, '\n', size));
	HOLDS(!(size == 1 && entry->name[0] == '.'));
	HOLDS(!(size == 2 && memcmp(entry->name, "..", 2) == 0));
	char path[FTP_PATH_SIZE], name[FTP_PATH_NAME_MAX + 1];
	if (!ftp_list_name_is_safe(entry->name, size))
		return;
	/* A safe name is one word of a path, and stays beneath where it is put. */
	HOLDS(size <= FTP_PATH_NAME_MAX && is_printable(entry->name, size));
	memcpy(name, entry->name, size);
	name[size] = '\0';
	HOLDS(ftp_path_resolve("/top", entry->name, size, path));
	HOLDS(strncmp(path, "/top/", 5) == 0 && strcmp(path + 5, name) == 0);
}

/* Our own line of a file with that name says what the file is. */
static void check_own(const struct ftp_entry *read, bool facts)
{
	CLEANUP(text_finish) struct text line = {0};
	struct ftp_entry again = {0};
	struct ftp_listing_view view = {
		.facts = FTP_FACTS_ALL, .rights = world.file.size_bytes & 7};
	bool directory = S_ISDIR(world.file.mode);
	if (facts)
		ftp_listing_append_facts(&line, &world.file, &view);
	else
		ftp_listing_append_long(&line, &world.file, world.now);
	const char *text = text_view(&line);
	size_t length = line.length;
	TRACE("  ours: %s", text);
	HOLDS(length > 2 && memcmp(text + length - 2, "\r\n", 2) == 0);
	HOLDS(is_printable(text, length - 2));
	enum ftp_list_line result = facts ? ftp_list_parse_facts(text, length, &again)
					  : ftp_list_parse_long(text, length, &again);
	/* Nobody can tell a link's name with an arrow from the name and its target. */
	if (S_ISLNK(world.file.mode) && strstr(world.file.name, " ->"))
		return;
	HOLDS(result == FTP_LIST_ENTRY);
	check_entry(&again, text, length);
	HOLDS(again.kind == kind_of(world.file.mode));
	HOLDS(again.size_known == !(facts && directory));
	HOLDS(!again.size_known || again.size_bytes == world.file.size_bytes);
	HOLDS(again.modified_known == facts);
	char shown[FTP_TIME_TEXT_SIZE], wanted[FTP_TIME_TEXT_SIZE];
	if (facts)
		HOLDS(strcmp(ftp_time_format(again.modified_seconds, shown),
			      ftp_time_format(world.file.modified_seconds, wanted)) == 0);
	if (is_printable(read->name, read->name_length))
		HOLDS(again.name_length == read->name_length &&
			memcmp(again.name, read->name, read->name_length) == 0);
}

static void look(const char *line, size_t length)
{
	static char name[FTP_INPUT_LINE_MAX + 1];
	for (unsigned facts = 0; facts < 2; facts++) {
		static const struct ftp_entry untouched = {.name = "", .kind = FTP_ENTRY_OTHER};
		struct ftp_entry entry = untouched;
		enum ftp_list_line result = facts ? ftp_list_parse_facts(line, length, &entry)
						  : ftp_list_parse_long(line, length, &entry);
		TRACE("%s: %u", facts ? "MLSD" : "LIST", result);
		if (result != FTP_LIST_ENTRY) {
			HOLDS(entry.name == untouched.name && entry.name_length == 0);
			continue;
		}
		check_entry(&entry, line, length);
		HOLDS(facts || !entry.modified_known);
		memcpy(name, entry.name, entry.name_length);
		name[entry.name_length] = '\0';
		world.file.name = name;
		check_own(&entry, facts);
		check_own(&entry, !facts);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static const mode_t types[] = {
		S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFREG};
	struct reader input = reader_over(bytes, length);
	uint8_t piece = read_u8(&input);
	unsigned mode = read_be16(&input);
	world.file = (struct ftp_listing_entry){
		.mode = types[mode >> 13] | (mode & 07777),
		.links = mode,
		.target = mode & 0x1000 ? "some/where" : NULL,
		.device = 1,
	};
	world.file.size_bytes = (uint64_t)read_be32(&input) << 32;
	world.file.size_bytes |= read_be32(&input);
	uint64_t when = (uint64_t)read_be32(&input) << 32;
	world.file.modified_seconds = (int64_t)(when | read_be32(&input));
	world.file.inode = when;
	world.now = 1700000000;
	each_line(&input, piece, look);
	return 0;
}
