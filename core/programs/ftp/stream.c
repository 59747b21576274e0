#include "programs/ftp/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "programs/ftp/tls_private.h"

/* The name that the certificate must have, which is also told to a server of many (RFC 6066). */
static bool expect_host(SSL *connection, const char *host)
{
	struct in6_addr address;
	bool numeric =
		inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
	if (numeric)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host) == 1;
	return SSL_set_tlsext_host_name(connection, host) == 1 &&
	       SSL_set1_host(connection, host) == 1;
}

/* A copy: the end of a data connection can make its session one that is not to be resumed again. */
static void resume(SSL *connection, SSL *control)
{
	SSL_SESSION *session = SSL_SESSION_dup(SSL_get0_session(control));
	if (session)
		SSL_set_session(connection, session);
	SSL_SESSION_free(session);
}

int stream_secure(struct stream *stream, const struct stream_setup *setup, struct error *error)
{
	SSL *connection = SSL_new(setup->tls->context);
	if (!connection || SSL_set_fd(connection, stream->fd) != 1 ||
		(setup->host && !setup->tls->any && !expect_host(connection, setup->host))) {
		SSL_free(connection);
		return error_set(error, -ENOMEM, "cannot start TLS: %s", tls_reason());
	}
	if (setup->tls->server) {
		tls_set_mark(connection, setup->mark);
		if (setup->no_tickets)
			SSL_set_num_tickets(connection, 0);
		SSL_set_accept_state(connection);
	} else {
		SSL_set_connect_state(connection);
	}
	if (setup->resumed && setup->resumed->tls)
		resume(connection, setup->resumed->tls);
	stream->tls = connection;
	stream->shaking = true;
	return 0;
}

/* After a call of OpenSSL that gave `result`, below 1. */
static enum stream_wait wait_of(struct stream *stream, int result)
{
	int saved = errno;
	switch (SSL_get_error(stream->tls, result)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return STREAM_ENDED;
	case SSL_ERROR_SYSCALL:
		errno = saved ? saved : ECONNRESET;
		break;
	default:
		errno = ECONNRESET;
		break;
	}
	stream->broken = true;
	return STREAM_FAILED;
}

enum stream_wait stream_shake(struct stream *stream, struct error *error)
{
	ERR_clear_error();
	errno = 0;
	int result = SSL_do_handshake(stream->tls);
	if (result == 1) {
		stream->shaking = false;
		return STREAM_READY;
	}
	enum stream_wait wait = wait_of(stream, result);
	if (wait != STREAM_FAILED && wait != STREAM_ENDED)
		return wait;
	long verified = SSL_get_verify_result(stream->tls);
	if (verified != X509_V_OK)
		error_set(error, -EPROTO, "the server's certificate is not to be believed: %s",
			X509_verify_cert_error_string(verified));
	else
		error_set(error, -EPROTO, "the TLS handshake failed: %s", tls_reason());
	return STREAM_FAILED;
}

bool stream_resumes(const struct stream *stream, uint64_t mark)
{
	return stream->tls && tls_resumed_mark(stream->tls) == mark;
}

static enum stream_wait wait_of_socket(enum stream_wait wants)
{
	return errno == EAGAIN || errno == EINTR ? wants : STREAM_FAILED;
}

size_t stream_receive(struct stream *stream, void *bytes, size_t size, enum stream_wait *ret_wait)
{
	if (!stream->tls) {
		ssize_t got = recv(stream->fd, bytes, size, 0);
		if (got > 0)
			return (size_t)got;
		*ret_wait = got == 0 ? STREAM_ENDED : wait_of_socket(STREAM_WANTS_READ);
		return 0;
	}
	size_t got = 0;
	ERR_clear_error();
	errno = 0;
	int result = SSL_read_ex(stream->tls, bytes, size, &got);
	if (result == 1)
		return got;
	*ret_wait = wait_of(stream, result);
	return 0;
}

size_t stream_send(
	struct stream *stream, const void *bytes, size_t length, enum stream_wait *ret_wait)
{
	if (!stream->tls) {
		ssize_t sent = send(stream->fd, bytes, length, MSG_NOSIGNAL);
		if (sent > 0 || length == 0)
			return sent > 0 ? (size_t)sent : 0;
		*ret_wait = wait_of_socket(STREAM_WANTS_WRITE);
		return 0;
	}
	size_t sent = 0;
	ERR_clear_error();
	errno = 0;
	int result = SSL_write_ex(stream->tls, bytes, length, &sent);
	if (result == 1)
		return sent;
	*ret_wait = wait_of(stream, result);
	return 0;
}

bool stream_holds(const struct stream *stream)
{
	return stream->tls && SSL_pending(stream->tls) > 0;
}

static void say_end(struct stream *stream)
{
	if (!stream->tls)
		return;
	if (!stream->shaking && !stream->broken)
		SSL_shutdown(stream->tls);
	ERR_clear_error();
}

void stream_end(struct stream *stream)
{
	say_end(stream);
	if (stream->fd >= 0)
		shutdown(stream->fd, SHUT_WR);
}

void stream_close(struct stream *stream)
{
	say_end(stream);
	if (stream->tls)
		SSL_free(stream->tls);
	stream->tls = NULL;
	close_fd(&stream->fd);
	*stream = STREAM_NONE;
}
