#include "ftp/list_parse.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "ftp/input.h"
#include "ftp/listing.h"
#include "ftp/path.h"

/* A piece of a line. */
struct span {
	const char *at;
	size_t length;
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool span_is(struct span span, const char *word)
{
	return strlen(word) == span.length && strncasecmp(span.at, word, span.length) == 0;
}

static bool span_starts_with(struct span span, const char *start)
{
	size_t length = strlen(start);
	return span.length >= length && strncasecmp(span.at, start, length) == 0;
}

/* A whole number; false where it holds anything else or does not fit. */
static bool span_number(struct span span, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (size_t i = 0; i < span.length; i++)
		if (!is_digit(span.at[i]) || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(span.at[i] - '0'), &value))
			return false;
	*ret_value = value;
	return span.length > 0;
}

/* Whether the span looks like `form`, in which '9' stands for a digit. */
static bool span_looks_like(struct span span, const char *form)
{
	if (span.length != strlen(form))
		return false;
	for (size_t i = 0; i < span.length; i++)
		if (form[i] == '9' ? !is_digit(span.at[i]) : span.at[i] != form[i])
			return false;
	return true;
}

/* Take the next word of the line, behind its blanks; `rest` then begins right behind it. */
static struct span span_word(struct span *rest)
{
	while (rest->length > 0 && *rest->at == ' ')
		rest->at++, rest->length--;
	const char *space = rest->length ? memchr(rest->at, ' ', rest->length) : NULL;
	struct span word = {rest->at, space ? (size_t)(space - rest->at) : rest->length};
	rest->at += word.length;
	rest->length -= word.length;
	return word;
}

/* Whether it is an entry, or the directory itself or the one above. */
static enum ftp_list_line name_verdict(const struct ftp_entry *entry)
{
	struct span name = {entry->name, entry->name_length};
	return span_is(name, ".") || span_is(name, "..") ? FTP_LIST_NOTHING : FTP_LIST_ENTRY;
}

/* What is left of the line, behind one blank, as the entry's name. */
static enum ftp_list_line entry_name(struct ftp_entry *entry, struct span rest)
{
	if (rest.length < 2 || *rest.at != ' ')
		return FTP_LIST_MALFORMED;
	entry->name = rest.at + 1;
	entry->name_length = rest.length - 1;
	return name_verdict(entry);
}

/* --- MLSD --- */

static bool fact_type(struct ftp_entry *entry, struct span value)
{
	if (span_is(value, "cdir") || span_is(value, "pdir"))
		return false;
	if (span_is(value, "file"))
		entry->kind = FTP_ENTRY_FILE;
	else if (span_is(value, "dir"))
		entry->kind = FTP_ENTRY_DIRECTORY;
	else if (span_starts_with(value, "OS.unix=slink") ||
		 span_starts_with(value, "OS.unix=symlink"))
		entry->kind = FTP_ENTRY_LINK; /* its target may stand behind a colon */
	else
		entry->kind = FTP_ENTRY_OTHER;
	return true;
}

/* One "name=value"; false where it says that the line is about the directory itself. */
static bool fact_apply(struct ftp_entry *entry, struct span fact)
{
	const char *equals = memchr(fact.at, '=', fact.length);
	if (!equals)
		return true;
	struct span name = {fact.at, (size_t)(equals - fact.at)};
	struct span value = {equals + 1, fact.length - name.length - 1};
	if (span_is(name, "type"))
		return fact_type(entry, value);
	if (span_is(name, "size"))
		entry->size_known = span_number(value, &entry->size_bytes);
	else if (span_is(name, "modify"))
		entry->modified_known =
			ftp_time_parse(value.at, value.length, &entry->modified_seconds);
	return true;
}

enum ftp_list_line ftp_list_parse_facts(
	const char *line, size_t length, struct ftp_entry *ret_entry)
{
	struct ftp_entry entry = {.kind = FTP_ENTRY_OTHER};
	length = ftp_input_trim(line, length);
	if (length == 0)
		return FTP_LIST_NOTHING;
	if (memchr(line, '\0', length))
		return FTP_LIST_MALFORMED;
	struct span rest = {line, length};
	bool inside = true;
	while (rest.length > 0 && *rest.at != ' ') {
		const char *end = memchr(rest.at, ';', rest.length);
		if (!end)
			return FTP_LIST_MALFORMED;
		struct span fact = {rest.at, (size_t)(end - rest.at)};
		inside &= fact_apply(&entry, fact);
		rest.at = end + 1;
		rest.length -= fact.length + 1;
	}
	enum ftp_list_line result = entry_name(&entry, rest);
	if (result == FTP_LIST_ENTRY && !inside)
		result = FTP_LIST_NOTHING;
	if (result == FTP_LIST_ENTRY)
		*ret_entry = entry;
	return result;
}

/* --- LIST --- */

static bool is_month(struct span word)
{
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	for (size_t i = 0; i < ARRAY_LENGTH(months); i++)
		if (span_is(word, months[i]))
			return true;
	return false;
}

static bool is_time_or_year(struct span word)
{
	return span_looks_like(word, "99:99") || span_looks_like(word, "9:99") ||
	       span_looks_like(word, "9999");
}

/* Whether a date begins with `word`; then `rest` begins behind it. */
static bool take_date(struct span word, struct span *rest)
{
	struct span behind = *rest;
	struct span second = span_word(&behind);
	uint64_t day;
	bool date = false;
	if (is_month(word) && span_number(second, &day) && day >= 1 && day <= 31)
		date = is_time_or_year(span_word(&behind));
	else if (span_looks_like(word, "9999-99-99"))
		date = span_looks_like(second, "99:99");
	if (date)
		*rest = behind;
	return date;
}

/* "name -> target" */
static enum ftp_list_line cut_target(struct ftp_entry *entry)
{
	static const char arrow[] = " -> ";
	const char *at = memmem(entry->name, entry->name_length, arrow, sizeof(arrow) - 1);
	if (at && at > entry->name)
		entry->name_length = (size_t)(at - entry->name);
	return name_verdict(entry);
}

/* "drwxr-xr-x 2 owner group 4096 Jan 31 12:00 name"; some leave the group or the links out. */
static enum ftp_list_line parse_unix(struct span rest, struct ftp_entry *entry)
{
	enum { WORDS_BEFORE_DATE = 8 };
	struct span size = span_word(&rest);
	for (unsigned i = 0; i < WORDS_BEFORE_DATE; i++) {
		struct span word = span_word(&rest);
		if (word.length == 0)
			return FTP_LIST_MALFORMED;
		if (i >= 1 && take_date(word, &rest)) {
			entry->size_known = span_number(size, &entry->size_bytes);
			enum ftp_list_line result = entry_name(entry, rest);
			if (result == FTP_LIST_ENTRY && entry->kind == FTP_ENTRY_LINK)
				result = cut_target(entry);
			return result;
		}
		size = word;
	}
	return FTP_LIST_MALFORMED;
}

/* "01-31-24  12:00PM  <DIR>  name", or the size; any number of blanks before the name. */
static enum ftp_list_line parse_dos(struct span rest, struct ftp_entry *entry)
{
	struct span date = span_word(&rest), time = span_word(&rest), size = span_word(&rest);
	bool dated = span_looks_like(date, "99-99-99") || span_looks_like(date, "99-99-9999");
	bool timed = span_looks_like(time, "99:99AM") || span_looks_like(time, "99:99PM") ||
		     span_looks_like(time, "99:99");
	if (!dated || !timed)
		return FTP_LIST_MALFORMED;
	entry->kind = span_is(size, "<DIR>") ? FTP_ENTRY_DIRECTORY : FTP_ENTRY_FILE;
	entry->size_known = span_number(size, &entry->size_bytes);
	if (entry->kind == FTP_ENTRY_FILE && !entry->size_known)
		return FTP_LIST_MALFORMED;
	while (rest.length > 1 && rest.at[1] == ' ')
		rest.at++, rest.length--;
	return entry_name(entry, rest);
}

enum ftp_list_line ftp_list_parse_long(const char *line, size_t length, struct ftp_entry *ret_entry)
{
	static const enum ftp_entry_kind kinds[] = {
		['-'] = FTP_ENTRY_FILE,
		['d'] = FTP_ENTRY_DIRECTORY,
		['l'] = FTP_ENTRY_LINK,
		['b'] = FTP_ENTRY_OTHER,
		['c'] = FTP_ENTRY_OTHER,
		['p'] = FTP_ENTRY_OTHER,
		['s'] = FTP_ENTRY_OTHER,
	};
	struct ftp_entry entry = {0};
	length = ftp_input_trim(line, length);
	if (length == 0)
		return FTP_LIST_NOTHING;
	if (memchr(line, '\0', length))
		return FTP_LIST_MALFORMED;
	struct span rest = {line, length}, behind = rest;
	struct span first = span_word(&behind);
	enum ftp_list_line result = FTP_LIST_MALFORMED;
	if (is_digit(*line)) {
		result = parse_dos(rest, &entry);
	} else if (strchr("-dlbcps", *line) && first.length >= 10) {
		entry.kind = kinds[(unsigned char)*line];
		result = parse_unix(behind, &entry);
	} else if (span_is(first, "total")) {
		result = FTP_LIST_NOTHING;
	}
	if (result == FTP_LIST_ENTRY)
		*ret_entry = entry;
	return result;
}

/* --- names --- */

bool ftp_list_name_is_safe(const char *name, size_t length)
{
	struct span span = {name, length};
	if (length == 0 || length > FTP_PATH_NAME_MAX || span_is(span, ".") || span_is(span, ".."))
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)name[i];
		if (byte < ' ' || byte == 0x7f || byte == '/' || byte == '\\')
			return false;
	}
	return true;
}
