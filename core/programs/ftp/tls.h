/*
 * TLS for FTP (RFC 4217): what a server shows, what a client believes. OpenSSL's types stay in
 * tls.c and stream.c.
 *
 * A data connection is known to belong to its control connection by the session that it resumes:
 * tickets carry the control connection's mark, which is a number that nobody can guess.
 */
#ifndef PROGRAMS_FTP_TLS_H
#define PROGRAMS_FTP_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct tls; /* one side's settings, shared by all its connections */

/*
 * A server's. certificate, key: PEM files; both NULL: a certificate is made for this run, signed by
 * itself, which `ftp-client --tls-any` and people who look at the fingerprint accept.
 */
int tls_server_create(
	const char *certificate, const char *key, struct tls **ret_tls, struct error *error);

/*
 * A client's. authorities: a PEM file of certificates to trust, NULL: the system's. any: believe
 * whatever is shown.
 */
int tls_client_create(const char *authorities, bool any, struct tls **ret_tls, struct error *error);

void tls_destroy(struct tls **tls);

#define TLS_FINGERPRINT_SIZE 96

/* SHA-256 of the server's own certificate, "AB:CD:...". */
const char *tls_fingerprint(const struct tls *tls);

#endif
