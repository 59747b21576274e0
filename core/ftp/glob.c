#include "ftp/glob.h"

#include <stddef.h>
#include <string.h>

bool ftp_glob_is(const char *name)
{
	return strpbrk(name, "*?[");
}

/* One range behind a '[' or another; what is behind it, or NULL at the pattern's end. */
static const char *range(const char *at, unsigned char byte, bool *found)
{
	if (*at == '\\' && at[1])
		at++;
	unsigned char first = (unsigned char)*at++, last = first;
	if (first == '\0')
		return NULL;
	if (at[0] == '-' && at[1] && at[1] != ']') {
		at += at[1] == '\\' && at[2] ? 2 : 1;
		last = (unsigned char)*at++;
	}
	*found = *found || (first <= byte && byte <= last);
	return at;
}

/* What is behind "[...]", with whether the byte is in it; NULL where it is none: '[' means itself. */
static const char *set(const char *at, unsigned char byte, bool *ret_found)
{
	bool found = false, negated = at[1] == '!' || at[1] == '^';
	at += negated ? 2 : 1;
	do {
		at = range(at, byte, &found);
	} while (at && *at != ']');
	*ret_found = found != negated;
	return at ? at + 1 : NULL;
}

/*
 * What is behind the pattern's first element, none of them '*', where it takes the byte; else NULL.
 * unclosed: the first '[' that was found to begin no set, or NULL. What kept that one open to the
 * pattern's end does so to all behind it, which saves looking there again for every byte of a name.
 */
static const char *element(const char *pattern, unsigned char byte, const char **unclosed)
{
	if (*pattern == '[' && (!*unclosed || pattern < *unclosed)) {
		bool found;
		const char *behind = set(pattern, byte, &found);
		if (behind)
			return found ? behind : NULL;
		*unclosed = pattern;
	}
	if (*pattern == '?')
		return pattern + 1;
	if (*pattern == '\\' && pattern[1])
		pattern++;
	return (unsigned char)*pattern == byte ? pattern + 1 : NULL;
}

/* Only the last '*' has to be tried again: what stands before it took as little as it could. */
bool ftp_glob_match(const char *pattern, const char *name)
{
	const char *behind_star = NULL, *tried = NULL, *unclosed = NULL;
	while (*name) {
		if (*pattern == '*') {
			behind_star = ++pattern;
			tried = name;
			continue;
		}
		const char *next =
			*pattern ? element(pattern, (unsigned char)*name, &unclosed) : NULL;
		if (next) {
			pattern = next;
			name++;
		} else if (behind_star) {
			pattern = behind_star;
			name = ++tried;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
