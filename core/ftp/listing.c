#include "ftp/listing.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "ftp/session.h"

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

/* As the forms here can say it, years of four digits; any other time is the beginning of 1970. */
static struct tm utc_of(int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm utc;
	if (!gmtime_r(&at, &utc) || utc.tm_year < 1 - 1900 || utc.tm_year > 9999 - 1900) {
		at = 0;
		gmtime_r(&at, &utc);
	}
	return utc;
}

/* Not strftime(): month names are English on the wire, whatever the locale. */
static void time_format(int64_t modified_seconds, int64_t now_seconds, char *text, size_t size)
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	enum { HALF_A_YEAR = 182 * 24 * 3600, A_DAY = 24 * 3600 };
	struct tm utc = utc_of(modified_seconds);
	const char *month = months[(unsigned)utc.tm_mon % 12];
	bool recent = modified_seconds > now_seconds - HALF_A_YEAR &&
		      modified_seconds < now_seconds + A_DAY;
	if (recent)
		snprintf(text, size, "%s %2d %02d:%02d", month, utc.tm_mday, utc.tm_hour,
			utc.tm_min);
	else
		snprintf(text, size, "%s %2d  %04d", month, utc.tm_mday, utc.tm_year + 1900);
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

static const struct {
	enum ftp_fact fact;
	const char *name;
} facts[] = {
	{FTP_FACT_TYPE, "type"},
	{FTP_FACT_SIZE, "size"},
	{FTP_FACT_MODIFY, "modify"},
	{FTP_FACT_PERM, "perm"},
	{FTP_FACT_UNIQUE, "unique"},
	{FTP_FACT_MODE, "UNIX.mode"},
};

unsigned ftp_facts_parse(const char *names, size_t length)
{
	unsigned found = 0;
	while (length > 0) {
		const char *end = memchr(names, ';', length);
		size_t word = end ? (size_t)(end - names) : length;
		const char *name = names;
		size_t skipped = word < length ? word + 1 : word;
		while (word > 0 && *name == ' ')
			name++, word--;
		for (size_t i = 0; i < ARRAY_LENGTH(facts); i++)
			if (strlen(facts[i].name) == word &&
				strncasecmp(facts[i].name, name, word) == 0)
				found |= facts[i].fact;
		names += skipped;
		length -= skipped;
	}
	return found;
}

void ftp_facts_append_names(struct text *text, unsigned chosen, bool all)
{
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++) {
		bool is_chosen = chosen & facts[i].fact;
		if (is_chosen || all)
			text_append(text, "%s%s;", facts[i].name, is_chosen && all ? "*" : "");
	}
}

/* RFC 3659 section 7.5.5: what this reader may do to it. */
static void append_perm(struct text *text, bool directory, unsigned rights)
{
	static const struct {
		const char *letters;
		bool directory;
		unsigned rights;
	} rows[] = {
		{"a", false, FTP_MAY_ADD | FTP_MAY_CHANGE},
		{"c", true, FTP_MAY_ADD},
		{"d", false, FTP_MAY_CHANGE},
		{"d", true, FTP_MAY_CHANGE},
		{"e", true, 0},
		{"f", false, FTP_MAY_CHANGE},
		{"f", true, FTP_MAY_CHANGE},
		{"l", true, FTP_MAY_READ},
		{"m", true, FTP_MAY_ADD},
		{"p", true, FTP_MAY_CHANGE},
		{"r", false, FTP_MAY_READ},
		{"w", false, FTP_MAY_ADD | FTP_MAY_CHANGE},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (rows[i].directory == directory && (rights & rows[i].rights) == rows[i].rights)
			text_append(text, "%s", rows[i].letters);
}

static const char *type_fact(mode_t mode, const char *directory)
{
	if (S_ISDIR(mode))
		return directory ? directory : "dir";
	if (S_ISLNK(mode))
		return "OS.unix=symlink";
	return S_ISREG(mode) ? "file" : "OS.unix=special";
}

void ftp_listing_append_facts(struct text *text, const struct ftp_listing_entry *entry,
	const struct ftp_listing_view *view)
{
	char when[FTP_TIME_TEXT_SIZE];
	bool directory = S_ISDIR(entry->mode);
	if (view->facts & FTP_FACT_TYPE)
		text_append(text, "type=%s;", type_fact(entry->mode, view->type));
	if (view->facts & FTP_FACT_SIZE && !directory)
		text_append(text, "size=%llu;", (unsigned long long)entry->size_bytes);
	if (view->facts & FTP_FACT_MODIFY)
		text_append(text, "modify=%s;", ftp_time_format(entry->modified_seconds, when));
	if (view->facts & FTP_FACT_PERM) {
		text_append(text, "perm=");
		append_perm(text, directory, view->rights);
		text_append(text, ";");
	}
	if (view->facts & FTP_FACT_UNIQUE)
		text_append(text, "unique=%llxg%llx;", (unsigned long long)entry->device,
			(unsigned long long)entry->inode);
	if (view->facts & FTP_FACT_MODE)
		text_append(text, "UNIX.mode=%04o;", (unsigned)entry->mode & 07777U);
	text_append(text, " ");
	append_printable(text, entry->name);
	text_append(text, "\r\n");
}

char *ftp_time_format(int64_t seconds, char text[static FTP_TIME_TEXT_SIZE])
{
	struct tm utc = utc_of(seconds);
	snprintf(text, FTP_TIME_TEXT_SIZE, "%04d%02d%02d%02d%02d%02d", utc.tm_year + 1900,
		utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
	return text;
}

static bool read_digits(const char *text, size_t count, int least, int most, int *ret_number)
{
	int number = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret_number = number;
	return number >= least && number <= most;
}

bool ftp_time_parse(const char *text, size_t length, int64_t *ret_seconds)
{
	enum { WHOLE = 14 };
	/* Of the year 9999: a leap second there would lead out of what can be written. */
	static const int64_t LAST_SECOND = 253402300799;
	struct tm utc = {0};
	if (length < WHOLE || !read_digits(text, 4, 1, 9999, &utc.tm_year) ||
		!read_digits(text + 4, 2, 1, 12, &utc.tm_mon) ||
		!read_digits(text + 6, 2, 1, 31, &utc.tm_mday) ||
		!read_digits(text + 8, 2, 0, 23, &utc.tm_hour) ||
		!read_digits(text + 10, 2, 0, 59, &utc.tm_min) ||
		!read_digits(text + 12, 2, 0, 60, &utc.tm_sec))
		return false;
	if (length > WHOLE) {
		if (text[WHOLE] != '.' || length == WHOLE + 1)
			return false;
		for (size_t i = WHOLE + 1; i < length; i++)
			if (text[i] < '0' || text[i] > '9')
				return false;
	}
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	struct tm noon = utc; /* a leap second must not look like the 31st of a short month */
	noon.tm_hour = 12;
	timegm(&noon);
	if (noon.tm_mday != utc.tm_mday)
		return false;
	int64_t seconds = timegm(&utc);
	if (seconds > LAST_SECOND)
		return false;
	*ret_seconds = seconds;
	return true;
}
