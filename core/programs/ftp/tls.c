#include "programs/ftp/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { OWN_CERTIFICATE_DAYS = 30 };

const char *tls_reason(void)
{
	unsigned long code = ERR_get_error();
	ERR_clear_error();
	/* What the system refused has no reason of OpenSSL's. */
	const char *reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						    : ERR_reason_error_string(code);
	return reason ? reason : "TLS failed";
}

static void free_x509(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* --- marks: what belongs together --- */

static int mark_index(void)
{
	static int index = -1;
	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

void tls_set_mark(SSL *connection, uint64_t mark)
{
	SSL_set_ex_data(connection, mark_index(), (void *)(uintptr_t)mark);
}

uint64_t tls_resumed_mark(SSL *connection)
{
	void *data = NULL;
	size_t length = 0;
	uint64_t mark = 0;
	SSL_SESSION *session = SSL_session_reused(connection) ? SSL_get0_session(connection) : NULL;
	if (session && SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 &&
		length == sizeof(mark))
		memcpy(&mark, data, sizeof(mark));
	return mark;
}

static int ticket_made(SSL *connection, void *argument)
{
	uint64_t mark = (uintptr_t)SSL_get_ex_data(connection, mark_index());
	(void)argument;
	return SSL_SESSION_set1_ticket_appdata(SSL_get0_session(connection), &mark, sizeof(mark));
}

static SSL_TICKET_RETURN ticket_read(SSL *connection, SSL_SESSION *session,
	const unsigned char *name, size_t name_length, SSL_TICKET_STATUS status, void *argument)
{
	(void)connection, (void)session, (void)name, (void)name_length, (void)argument;
	switch (status) {
	case SSL_TICKET_SUCCESS:
		return SSL_TICKET_RETURN_USE;
	case SSL_TICKET_SUCCESS_RENEW:
		return SSL_TICKET_RETURN_USE_RENEW;
	default:
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
}

/* --- contexts --- */

static int context_new(struct tls *tls, struct error *error)
{
	tls->context = SSL_CTX_new(tls->server ? TLS_server_method() : TLS_client_method());
	if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
		return error_set(error, -EIO, "cannot start TLS: %s", tls_reason());
	SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					       SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	return 0;
}

/* A key on P-256, and its certificate by itself: what openssl req -x509 makes. */
static int own_certificate(struct tls *tls, struct error *error)
{
	CLEANUP(free_key) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(free_x509) X509 *certificate = X509_new();
	X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
	if (!key || !certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
		ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) != 1 ||
		!X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) ||
		!X509_gmtime_adj(
			X509_getm_notAfter(certificate), OWN_CERTIFICATE_DAYS * 24L * 3600) ||
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			(const unsigned char *)"ftp-server", -1, -1, 0) != 1 ||
		X509_set_issuer_name(certificate, name) != 1 ||
		X509_set_pubkey(certificate, key) != 1 ||
		X509_sign(certificate, key, EVP_sha256()) == 0 ||
		SSL_CTX_use_certificate(tls->context, certificate) != 1 ||
		SSL_CTX_use_PrivateKey(tls->context, key) != 1)
		return error_set(error, -EIO, "cannot make a certificate: %s", tls_reason());
	return 0;
}

static int read_certificate(
	struct tls *tls, const char *certificate, const char *key, struct error *error)
{
	if (SSL_CTX_use_certificate_chain_file(tls->context, certificate) != 1)
		return error_set(error, -EINVAL, "the certificate '%s' cannot be used: %s",
			certificate, tls_reason());
	if (SSL_CTX_use_PrivateKey_file(tls->context, key, SSL_FILETYPE_PEM) != 1)
		return error_set(error, -EINVAL,
			"the private key '%s' cannot be used with the certificate '%s': %s", key,
			certificate, tls_reason());
	return 0;
}

static void set_fingerprint(struct tls *tls)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	X509 *certificate = SSL_CTX_get0_certificate(tls->context);
	if (!certificate || X509_digest(certificate, EVP_sha256(), hash, &length) != 1)
		length = 0;
	for (unsigned i = 0; i < length && 3 * i + 3 < sizeof(tls->fingerprint); i++)
		snprintf(tls->fingerprint + 3 * i, 4, "%02X%s", hash[i], i + 1 < length ? ":" : "");
}

int tls_server_create(
	const char *certificate, const char *key, struct tls **ret_tls, struct error *error)
{
	static const unsigned char context_name[] = "ftp-server";
	CLEANUP(tls_destroy) struct tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return error_set(error, -ENOMEM, "out of memory");
	tls->server = true;
	int status = context_new(tls, error);
	if (status == 0)
		status = certificate ? read_certificate(tls, certificate, key, error)
				     : own_certificate(tls, error);
	if (status < 0)
		return status;
	/* Tickets alone: they carry the mark, and no client's session is kept in memory. */
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(tls->context, context_name, sizeof(context_name) - 1);
	SSL_CTX_set_session_ticket_cb(tls->context, ticket_made, ticket_read, NULL);
	set_fingerprint(tls);
	*ret_tls = TAKE(tls);
	return 0;
}

int tls_client_create(const char *authorities, bool any, struct tls **ret_tls, struct error *error)
{
	CLEANUP(tls_destroy) struct tls *tls = calloc(1, sizeof(*tls));
	if (!tls)
		return error_set(error, -ENOMEM, "out of memory");
	tls->any = any;
	if (context_new(tls, error) < 0)
		return error->code;
	if (authorities && SSL_CTX_load_verify_file(tls->context, authorities) != 1)
		return error_set(error, -EINVAL, "the certificates '%s' cannot be read: %s",
			authorities, tls_reason());
	if (!authorities)
		SSL_CTX_set_default_verify_paths(tls->context);
	SSL_CTX_set_verify(tls->context, any ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	/* With a cache OpenSSL would let a session be resumed once: here each data connection does. */
	SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	*ret_tls = TAKE(tls);
	return 0;
}

void tls_destroy(struct tls **address)
{
	struct tls *tls = TAKE(*address);
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

const char *tls_fingerprint(const struct tls *tls)
{
	return tls->fingerprint;
}
