#include "ftp/listing.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"

static void append_printable(struct text *text, const char *name)
{
	while (*name) {
		size_t plain = 0;
		while ((unsigned char)name[plain] >= 0x20 && name[plain] != 0x7f)
			plain++;
		text_append_bytes(text, name, plain);
		name += plain;
		if (*name) {
			text_append_bytes(text, "?", 1);
			name++;
		}
	}
}

static char type_letter(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} types[] = {
		{S_IFREG, '-'},
		{S_IFDIR, 'd'},
		{S_IFLNK, 'l'},
		{S_IFIFO, 'p'},
		{S_IFSOCK, 's'},
		{S_IFCHR, 'c'},
		{S_IFBLK, 'b'},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].letter;
	return '?';
}

static void mode_format(mode_t mode, char text[static 11])
{
	static const char letters[] = "rwxrwxrwx";
	text[0] = type_letter(mode);
	for (unsigned i = 0; i < 9; i++)
		text[1 + i] = (mode & (0400U >> i)) ? letters[i] : '-';
	if (mode & S_ISUID)
		text[3] = text[3] == 'x' ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = text[6] == 'x' ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = text[9] == 'x' ? 't' : 'T';
	text[10] = '\0';
}

/* Not strftime(): month names are English on the wire, whatever the locale. */
static void time_format(int64_t modified_seconds, int64_t now_seconds, char *text, size_t size)
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	enum { HALF_A_YEAR = 182 * 24 * 3600, A_DAY = 24 * 3600 };
	time_t seconds = (time_t)modified_seconds;
	struct tm utc;
	if (!gmtime_r(&seconds, &utc)) {
		seconds = 0;
		gmtime_r(&seconds, &utc);
	}
	const char *month = months[(unsigned)utc.tm_mon % 12];
	bool recent = modified_seconds > now_seconds - HALF_A_YEAR &&
		      modified_seconds < now_seconds + A_DAY;
	if (recent)
		snprintf(text, size, "%s %2d %02d:%02d", month, utc.tm_mday, utc.tm_hour,
			utc.tm_min);
	else
		snprintf(text, size, "%s %2d  %4d", month, utc.tm_mday, utc.tm_year + 1900);
}

void ftp_listing_append_long(
	struct text *text, const struct ftp_listing_entry *entry, int64_t now_seconds)
{
	char mode[11], when[64];
	mode_format(entry->mode, mode);
	time_format(entry->modified_seconds, now_seconds, when, sizeof(when));
	/* Owners are the server's affair: a fixed word, as vsftpd's. */
	text_append(text, "%s %3llu ftp      ftp      %12llu %s ", mode,
		(unsigned long long)entry->links, (unsigned long long)entry->size_bytes, when);
	append_printable(text, entry->name);
	if (S_ISLNK(entry->mode) && entry->target) {
		text_append(text, " -> ");
		append_printable(text, entry->target);
	}
	text_append(text, "\r\n");
}

void ftp_listing_append_name(struct text *text, const char *name)
{
	append_printable(text, name);
	text_append(text, "\r\n");
}
