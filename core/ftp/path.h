/*
 * Path names as a client sees them: "/" is the server's root, every name is below it. A name is
 * resolved by its words alone, without a look at any file: "a/../b" is "b" also where "a" is a
 * symbolic link, and ".." at the top stays at the top. (Links are the store's business: it opens
 * what comes out here beneath its root, RESOLVE_BENEATH, whatever the words say.)
 * Bytes are taken as they are (RFC 2640 wants UTF-8 and forbids to insist on it).
 */
#ifndef FTP_PATH_H
#define FTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define FTP_PATH_SIZE	  4096 /* with its NUL: Linux opens no longer one */
#define FTP_PATH_NAME_MAX 255 /* bytes between two slashes */

/*
 * Resolve what a client named.
 * directory: the working directory, as from this function: absolute, normalised.
 * name: `length` bytes, absolute or relative; none name the directory itself.
 * ret_path: absolute, normalised ("/", "/a/b"), NUL-terminated.
 * Returns false, ret_path untouched, where it would be too long or `name` holds a NUL.
 */
bool ftp_path_resolve(const char *directory, const char *name, size_t length,
	char ret_path[static FTP_PATH_SIZE]);

/* The last name in a path from ftp_path_resolve(): borrowed from it; "" for "/". */
const char *ftp_path_leaf(const char *path);

/*
 * The path for use below a directory descriptor: "." for "/", else without its leading slash;
 * borrowed from `path`.
 */
const char *ftp_path_relative(const char *path);

#endif
