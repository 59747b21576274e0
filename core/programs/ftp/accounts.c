#include "programs/ftp/accounts.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"

#define ANONYMOUS "anonymous"

/* What a stranger's password is compared with where no account has a hash to learn the cost from. */
#define STRANGER_SETTING "$y$j9T$SvhZ.sTS4P4xK9SQUk2wR/$"

struct accounts *accounts_create(void)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));
	if (accounts)
		accounts->holders = 1;
	return accounts;
}

struct accounts *accounts_hold(struct accounts *accounts)
{
	accounts->holders++;
	return accounts;
}

void accounts_release(struct accounts **address)
{
	struct accounts *accounts = TAKE(*address);
	if (!accounts || --accounts->holders > 0)
		return;
	for (size_t i = 0; i < accounts->count; i++) {
		struct account *account = &accounts->list[i];
		free(account->name);
		free(account->hash);
		free(account->root);
		store_close(&account->store);
	}
	free(accounts->list);
	free(accounts);
}

bool rights_parse(const char *text, unsigned *ret_rights)
{
	static const struct {
		const char *name;
		unsigned rights;
	} words[] = {
		{"none", 0},
		{"read", FTP_MAY_READ},
		{"add", FTP_MAY_ADD},
		{"change", FTP_MAY_CHANGE},
		{"all", FTP_MAY_READ | FTP_MAY_ADD | FTP_MAY_CHANGE},
	};
	unsigned rights = 0;
	for (const char *at = text; at;) {
		size_t length = strcspn(at, ","), i = 0;
		while (i < ARRAY_LENGTH(words) &&
			(strlen(words[i].name) != length || memcmp(words[i].name, at, length) != 0))
			i++;
		if (i == ARRAY_LENGTH(words))
			return false;
		rights |= words[i].rights;
		at = at[length] ? at + length + 1 : NULL;
	}
	*ret_rights = rights;
	return true;
}

static struct account *account_new(struct accounts *accounts, const char *name)
{
	struct account *account = array_add(&accounts->list, &accounts->count);
	if (!account)
		return NULL;
	account->store.root = -1;
	account->name = strdup(name);
	return account->name ? account : NULL;
}

const struct account *accounts_find(const struct accounts *accounts, const char *name)
{
	if (ftp_name_is_anonymous(name))
		name = ANONYMOUS;
	for (size_t i = 0; i < accounts->count; i++)
		if (strcmp(accounts->list[i].name, name) == 0)
			return &accounts->list[i];
	return NULL;
}

/* root=DIR or rights=... behind an account's hash. */
static int account_set(struct account *account, const char *word, struct error *error)
{
	if (text_starts_with(word, "root=") && word[5]) {
		free(account->root);
		account->root = strdup(word + 5);
		return account->root ? 0 : error_set(error, -ENOMEM, "out of memory");
	}
	if (text_starts_with(word, "rights=") && rights_parse(word + 7, &account->rights))
		return 0;
	return error_set(error, -EINVAL,
		"'%s' says nothing of the user '%s': root=DIR and rights=read,add,change do", word,
		account->name);
}

int accounts_add(struct accounts *accounts, const char *line, struct error *error)
{
	struct words words;
	int status = text_split_words(line, &words, error);
	if (status < 0)
		return status;
	CLEANUP(free_pointer) char **list = words.list;
	if (words.count < 2 || strlen(list[0]) > FTP_NAME_MAX)
		return error_set(error, -EINVAL,
			"an account is NAME HASH [root=DIR] [rights=read,add,change], the name at "
			"most "
			"%d "
			"bytes",
			FTP_NAME_MAX);
	/*
	 * A password in clear text here would be one that no log-in ever fits: most are salts of
	 * traditional DES, which nobody should use anyway.
	 */
	int salt = crypt_checksalt(list[1]);
	if (list[1][0] != '$' || salt == CRYPT_SALT_INVALID || salt == CRYPT_SALT_METHOD_DISABLED)
		return error_set(error, -EINVAL,
			"the user '%s' has no hash of crypt(3); `mkpasswd` or `openssl passwd -6` "
			"makes one",
			list[0]);
	if (ftp_name_is_anonymous(list[0]) || accounts_find(accounts, list[0]))
		return error_set(error, -EEXIST, "there is a user '%s' already", list[0]);
	struct account *account = account_new(accounts, list[0]);
	if (!account || !(account->hash = strdup(list[1])))
		return error_set(error, -ENOMEM, "out of memory");
	account->rights = FTP_MAY_READ | FTP_MAY_ADD | FTP_MAY_CHANGE;
	for (size_t i = 2; status == 0 && i < words.count; i++)
		status = account_set(account, list[i], error);
	return status;
}

int accounts_read(struct accounts *accounts, const char *path, struct error *error)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	if (!file)
		return error_system(error, -errno, "cannot read the password file '%s'", path);
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0;
	for (unsigned number = 1; getline(&line, &size, file) >= 0; number++) {
		line[strcspn(line, "\r\n")] = '\0';
		const char *text = line + strspn(line, " \t");
		if (!*text || *text == '#')
			continue;
		int status = accounts_add(accounts, text, error);
		if (status < 0)
			return error_prefix(error, "%s:%u: ", path, number);
	}
	if (ferror(file))
		return error_system(error, -EIO, "cannot read the password file '%s'", path);
	return 0;
}

int accounts_add_anonymous(
	struct accounts *accounts, const char *root, unsigned rights, struct error *error)
{
	struct account *account = account_new(accounts, ANONYMOUS);
	if (!account || !(account->root = strdup(root)))
		return error_set(error, -ENOMEM, "out of memory");
	account->rights = rights;
	return 0;
}

int accounts_open(struct accounts *accounts, struct error *error)
{
	const struct account *anonymous = accounts_find(accounts, ANONYMOUS);
	for (size_t i = 0; i < accounts->count; i++) {
		struct account *account = &accounts->list[i];
		const char *root = account->root ? account->root : anonymous->root;
		if (store_open(&account->store, root, error) < 0)
			return account->hash ? error_prefix(error, "the user '%s': ", account->name)
					     : error->code;
	}
	return 0;
}

/* The last hash of the list stands for all: an administrator makes them by one method. */
static const char *setting_for_strangers(const struct accounts *accounts)
{
	for (size_t i = accounts->count; i > 0; i--)
		if (accounts->list[i - 1].hash)
			return accounts->list[i - 1].hash;
	return STRANGER_SETTING;
}

bool accounts_verify(const struct accounts *accounts, const char *hash, const char *secret)
{
	CLEANUP(free_pointer) struct crypt_data *data = calloc(1, sizeof(*data));
	if (!data)
		return false;
	const char *made = crypt_r(secret, hash ? hash : setting_for_strangers(accounts), data);
	/* That strcmp() is quick to differ tells nothing: what differs is a hash, not the secret. */
	bool right = made && made[0] != '*' && hash && strcmp(made, hash) == 0;
	explicit_bzero(data, sizeof(*data));
	return right;
}
