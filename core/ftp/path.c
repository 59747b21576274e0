#include "ftp/path.h"

#include <string.h>

/* Put the words of `name` behind `path`; `used` is its length, 0 for the root. */
static bool path_append(char *path, size_t *used, const char *name, size_t length)
{
	for (size_t at = 0; at < length;) {
		const char *word = name + at;
		const char *slash = memchr(word, '/', length - at);
		size_t word_length = slash ? (size_t)(slash - word) : length - at;
		at += word_length + 1;
		if (word_length == 0 || (word_length == 1 && word[0] == '.'))
			continue;
		if (word_length == 2 && word[0] == '.' && word[1] == '.') {
			while (*used > 0 && path[--*used] != '/')
				;
			continue;
		}
		if (word_length > FTP_PATH_NAME_MAX || *used + 1 + word_length >= FTP_PATH_SIZE)
			return false;
		path[(*used)++] = '/';
		memcpy(path + *used, word, word_length);
		*used += word_length;
	}
	return true;
}

bool ftp_path_resolve(
	const char *directory, const char *name, size_t length, char ret_path[static FTP_PATH_SIZE])
{
	char path[FTP_PATH_SIZE];
	size_t used = 0;
	if (length && memchr(name, '\0', length))
		return false;
	bool absolute = length > 0 && name[0] == '/';
	if (!absolute && !path_append(path, &used, directory, strlen(directory)))
		return false;
	if (!path_append(path, &used, name, length))
		return false;
	if (used == 0)
		path[used++] = '/';
	path[used++] = '\0';
	memcpy(ret_path, path, used);
	return true;
}

const char *ftp_path_leaf(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *ftp_path_relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}
