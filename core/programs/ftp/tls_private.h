/* Between tls.c and stream.c: OpenSSL's view of a struct tls. For nobody else. */
#ifndef PROGRAMS_FTP_TLS_PRIVATE_H
#define PROGRAMS_FTP_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "programs/ftp/tls.h"

struct tls {
	SSL_CTX *context;
	bool server, any;
	char fingerprint[TLS_FINGERPRINT_SIZE];
};

/*
 * The mark of a connection: what its tickets carry, and, on a connection that resumed a session,
 * what the ticket it came with carried; 0: none.
 */
void tls_set_mark(SSL *connection, uint64_t mark);
uint64_t tls_resumed_mark(SSL *connection);

/* What OpenSSL complained of last, as a sentence's end. */
const char *tls_reason(void);

#endif
