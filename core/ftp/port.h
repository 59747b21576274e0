/*
 * Where a data connection goes: the arguments of PORT and EPRT, the replies 227 and 229, read and
 * written. RFC 959 section 3.2.2 and 4.1.2, RFC 2428. Family numbers are RFC 1700's: 1 IPv4, 2
 * IPv6. Only what an address *is* is decided here; whether a server may connect to it is the
 * session's question.
 */
#ifndef FTP_PORT_H
#define FTP_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

/* PORT's argument "h1,h2,h3,h4,p1,p2", and nothing behind it. */
bool ftp_port_parse(const char *argument, size_t length, struct endpoint *ret_endpoint);

enum ftp_eprt_fault {
	FTP_EPRT_GOOD,
	FTP_EPRT_MALFORMED, /* 501 */
	FTP_EPRT_FAMILY, /* 522: well formed, a family that is not ours */
};

/* EPRT's argument "|family|address|port|", with any printable delimiter. */
enum ftp_eprt_fault ftp_eprt_parse(
	const char *argument, size_t length, struct endpoint *ret_endpoint);

/*
 * The text of a 227 reply: the six numbers, with or without parentheses, wherever they stand in the
 * text, as RFC 1123 section 4.1.2.6 asks clients to look for them.
 */
bool ftp_passive_parse(const char *text, size_t length, struct endpoint *ret_endpoint);

/* The text of a 229 reply: the port within "(|||port|)". */
bool ftp_extended_passive_parse(const char *text, size_t length, uint16_t *ret_port);

#define FTP_PORT_TEXT_SIZE 80

/* "h1,h2,h3,h4,p1,p2" for PORT and 227. IPv4 only. Returns `text`. */
char *ftp_port_format(const struct endpoint *endpoint, char text[static FTP_PORT_TEXT_SIZE]);

/* "|family|address|port|" for EPRT. Returns `text`. */
char *ftp_eprt_format(const struct endpoint *endpoint, char text[static FTP_PORT_TEXT_SIZE]);

#endif
