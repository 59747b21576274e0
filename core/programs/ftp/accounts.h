/*
 * Who may log in: the anonymous account and those of the configuration, each with its password's
 * hash (crypt(3)), its own root and its rights. One `struct accounts` is one reading of the
 * configuration; each session holds the one under which it logged in, so that SIGHUP disturbs
 * nobody.
 *
 *	user NAME HASH [root=DIR] [rights=read,add,change]
 */
#ifndef PROGRAMS_FTP_ACCOUNTS_H
#define PROGRAMS_FTP_ACCOUNTS_H

#include <stddef.h>

#include "base/error.h"
#include "programs/ftp/store.h"

struct account {
	char *name; /* owned */
	char *hash; /* owned; NULL: any password will do */
	unsigned rights; /* a set of enum ftp_right */
	char *root; /* owned; NULL: the anonymous account's */
	struct store store; /* open after accounts_open() */
};

struct accounts {
	unsigned holders;
	struct account *list; /* owned */
	size_t count;
};

/* Empty, held once; NULL when memory is gone. */
struct accounts *accounts_create(void);
struct accounts *accounts_hold(struct accounts *accounts);
void accounts_release(struct accounts **accounts);

/* "read,add", "all", "none": a set of enum ftp_right. False for anything else. */
bool rights_parse(const char *text, unsigned *ret_rights);

/* The account of one `user` line. Fails where it is no such line, or its name has one already. */
int accounts_add(struct accounts *accounts, const char *line, struct error *error);

/* The lines of a password file, each what stands behind `user`; `#` begins a comment. */
int accounts_read(struct accounts *accounts, const char *path, struct error *error);

/* The anonymous account: the root of those that name none. rights 0: nobody may log in as it. */
int accounts_add_anonymous(
	struct accounts *accounts, const char *root, unsigned rights, struct error *error);

/* Open every root. Fails with the first that cannot be opened, and its account's name. */
int accounts_open(struct accounts *accounts, struct error *error);

/* NULL where there is none; "anonymous" and "ftp" in any case are the anonymous account. */
const struct account *accounts_find(const struct accounts *accounts, const char *name);

/*
 * Whether `secret` is the password of `hash`; may take many milliseconds, and is what a thread
 * does. Without a hash (there is no such account) it is false after as long as the dearest hash of
 * `accounts` takes.
 */
bool accounts_verify(const struct accounts *accounts, const char *hash, const char *secret);

#endif
