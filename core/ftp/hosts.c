#include "ftp/hosts.h"

#include <stdlib.h>

#include "base/cleanup.h"

enum { BUCKETS_FIRST = 64 };

void ftp_hosts_init(struct ftp_hosts *hosts, uint64_t seed)
{
	*hosts = (struct ftp_hosts){.seed = seed};
}

void ftp_hosts_finish(struct ftp_hosts *hosts)
{
	for (size_t i = 0; i < hosts->bucket_count; i++)
		for (struct ftp_host *host = hosts->buckets[i], *next; host; host = next) {
			next = host->next;
			free(host);
		}
	free(hosts->buckets);
	*hosts = (struct ftp_hosts){0};
}

static struct ftp_host **bucket_of(const struct ftp_hosts *hosts, const struct endpoint *address)
{
	uint64_t hash = hosts->seed ^ (uint64_t)address->family;
	for (size_t i = 0; i < sizeof(address->address); i++)
		hash = (hash ^ hash >> 29 ^ address->address[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return &hosts->buckets[(hash >> 32) % hosts->bucket_count];
}

/* About one address a bucket. Fuller than wished is slower, not wrong. */
static bool buckets_grow(struct ftp_hosts *hosts)
{
	struct ftp_hosts grown = *hosts;
	grown.bucket_count = hosts->bucket_count ? hosts->bucket_count * 2 : BUCKETS_FIRST;
	grown.buckets = calloc(grown.bucket_count, sizeof(struct ftp_host *));
	if (!grown.buckets)
		return hosts->bucket_count > 0;
	for (size_t i = 0; i < hosts->bucket_count; i++)
		for (struct ftp_host *host = hosts->buckets[i], *next; host; host = next) {
			struct ftp_host **bucket = bucket_of(&grown, &host->address);
			next = host->next;
			host->next = *bucket;
			*bucket = host;
		}
	free(hosts->buckets);
	*hosts = grown;
	return true;
}

struct ftp_host *ftp_hosts_arrive(struct ftp_hosts *hosts, const struct endpoint *address)
{
	if (hosts->count >= hosts->bucket_count && !buckets_grow(hosts))
		return NULL;
	struct ftp_host **bucket = bucket_of(hosts, address);
	for (struct ftp_host *host = *bucket; host; host = host->next)
		if (endpoint_same_host(&host->address, address)) {
			host->connections++;
			return host;
		}
	struct ftp_host *host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	*host = (struct ftp_host){.next = *bucket, .address = *address, .connections = 1};
	*bucket = host;
	hosts->count++;
	return host;
}

void ftp_hosts_leave(struct ftp_hosts *hosts, struct ftp_host *host)
{
	if (--host->connections > 0)
		return;
	struct ftp_host **link = bucket_of(hosts, &host->address);
	while (*link != host)
		link = &(*link)->next;
	*link = host->next;
	hosts->count--;
	free(host);
}
