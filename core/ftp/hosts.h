/*
 * How many connections each address has, for a limit on them. One entry an address that has any, so
 * no larger than what is connected.
 */
#ifndef FTP_HOSTS_H
#define FTP_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp/port.h"

struct ftp_host {
	struct ftp_host *next; /* in its bucket */
	struct endpoint address; /* its port does not matter */
	size_t connections;
};

struct ftp_hosts {
	struct ftp_host **buckets; /* owned */
	size_t bucket_count, count;
	uint64_t seed; /* not to be guessed: it keeps peers from choosing a bucket */
};

void ftp_hosts_init(struct ftp_hosts *hosts, uint64_t seed);
void ftp_hosts_finish(struct ftp_hosts *hosts);

/* Count one more. NULL when memory is gone. The entry stays where it is until the last has left. */
struct ftp_host *ftp_hosts_arrive(struct ftp_hosts *hosts, const struct endpoint *address);

/* Count one less. */
void ftp_hosts_leave(struct ftp_hosts *hosts, struct ftp_host *host);

#endif
