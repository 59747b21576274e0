#include "programs/dhcp/resolver_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "programs/dhcp/lease_names.h"
#include "programs/shared/file_replace.h"

#define OWN_LINE "# Written by dhcp-client for "

enum { SERVERS_MAX = 3 /* resolv.conf(5): MAXNS */ };

enum comparison { SAME, DIFFERENT, UNKNOWN };

static enum comparison compare(const char *ours, const char *theirs)
{
	struct stat a, b;
	if (stat(ours, &a) < 0 || stat(theirs, &b) < 0)
		return UNKNOWN;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino ? SAME : DIFFERENT;
}

bool resolver_file_is_own(void)
{
	if (compare("/proc/self/ns/net", "/proc/1/ns/net") == SAME)
		return true;
	return compare("/etc", "/proc/1/root/etc") == DIFFERENT ||
	       compare(RESOLVER_FILE, "/proc/1/root" RESOLVER_FILE) == DIFFERENT;
}

static char *backup_path(const struct resolver_file *resolver)
{
	return text_format("%s.before-%s", resolver->path, resolver->interface);
}

static bool is_written_by_us(const struct resolver_file *resolver)
{
	char line[128] = "", expected[128];
	snprintf(expected, sizeof(expected), OWN_LINE "%s:", resolver->interface);
	CLEANUP(close_file) FILE *file = fopen(resolver->path, "re");
	return file && fgets(line, sizeof(line), file) &&
	       strncmp(line, expected, strlen(expected)) == 0;
}

static int out_of_memory(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

/*
 * Keep what is there under the other name. A hard link, so that there is a resolver file at every
 * moment; of a symbolic link it is the link itself that is kept.
 */
static int keep_former(const struct resolver_file *resolver, struct error *error)
{
	CLEANUP(free_pointer) char *backup = backup_path(resolver);
	if (!backup)
		return out_of_memory(error);
	if (is_written_by_us(resolver))
		return 0;
	unlink(backup);
	if (linkat(AT_FDCWD, resolver->path, AT_FDCWD, backup, 0) < 0 && errno != ENOENT)
		return error_system(
			error, -errno, "cannot keep '%s' as '%s'", resolver->path, backup);
	return 0;
}

/* Returns whether there is anything to write. */
static bool compose(const struct dhcp_client_lease *lease, struct text *text)
{
	struct ipv4 servers[SERVERS_MAX];
	char domain[LEASE_NAME_SIZE];
	struct text search = {0};
	size_t count = dhcp_client_lease_addresses(lease, DHCP_OPTION_DNS, servers, SERVERS_MAX);
	bool has_domain = lease_name(lease, DHCP_OPTION_DOMAIN, domain);
	bool has_search = lease_search_names(lease, &search) > 0;
	if (has_domain && !has_search)
		text_append(text, "domain %s\n", domain);
	if (has_search)
		text_append(text, "search%s\n", text_view(&search));
	for (size_t i = 0; i < count; i++)
		text_append(text, "nameserver %s\n", IPV4_TEXT(servers[i]));
	if (search.failed)
		text->failed = true;
	text_finish(&search);
	return count > 0;
}

int resolver_file_write(const struct resolver_file *resolver, const struct dhcp_client_lease *lease,
	struct error *error)
{
	CLEANUP(text_finish) struct text text = {0};
	text_append(&text, OWN_LINE "%s: the lease of %s\n", resolver->interface,
		IPV4_TEXT(lease->address.address));
	if (!compose(lease, &text))
		return resolver_file_restore(resolver, error);
	if (text.failed)
		return out_of_memory(error);
	if (keep_former(resolver, error) < 0)
		return error->code;
	return file_replace(resolver->path, text_view(&text), text.length, 0644, error);
}

int resolver_file_restore(const struct resolver_file *resolver, struct error *error)
{
	CLEANUP(free_pointer) char *backup = backup_path(resolver);
	if (!backup)
		return out_of_memory(error);
	if (!is_written_by_us(resolver))
		return 0;
	if (rename(backup, resolver->path) < 0 && (errno != ENOENT || unlink(resolver->path) < 0))
		return error_system(error, -errno, "cannot put '%s' back", resolver->path);
	return 0;
}
