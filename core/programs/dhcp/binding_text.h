/*
 * A static binding as a person writes it: WHO=ADDRESS [lease=SECONDS] [OPTION=VALUE ...].
 *
 *	02:00:00:00:00:01=10.0.2.50		an Ethernet address
 *	hw:06-02:00:00:00:00:01=10.0.2.50	another hardware type, in hexadecimal
 *	id:01020000000001=10.0.2.50		a client identifier (option 61), colons may stand
 *	id:"a name"=10.0.2.50			one that is text
 *	... lease=600 host-name=printer		for this client alone
 */
#ifndef PROGRAMS_DHCP_BINDING_TEXT_H
#define PROGRAMS_DHCP_BINDING_TEXT_H

#include <stdint.h>

#include "base/error.h"
#include "dhcp/option_list.h"
#include "dhcp/settings.h"

/* Its client "02:..", "hw:..", "id:.." and NUL, as the form above has it. */
enum { BINDING_CLIENT_TEXT_SIZE = 3 + 3 * DHCP_CLIENT_ID_MAX + 1 };

/* ret_binding->options is owned by the caller, also on failure. */
int binding_text_parse(const char *text, struct dhcp_binding *ret_binding, struct error *error);

/* Writes into `text` and returns it. */
char *binding_text_client(
	const struct dhcp_identity *client, char text[static BINDING_CLIENT_TEXT_SIZE]);
#define BINDING_CLIENT_TEXT(client)                                                                \
	binding_text_client((client), (char[BINDING_CLIENT_TEXT_SIZE]){0})

/* 1 to DHCP_LEASE_INFINITE - 1, or "infinite" (or its number, 4294967295). */
bool binding_text_lease(const char *text, uint32_t *ret_seconds);

/*
 * Set an option from "NAME=VALUE", "NAME VALUE" or "NAME", the value also in "quotes". Refused, with
 * the reason, is what the machine decides itself or what only a client or a relay says.
 */
int binding_text_option(
	struct dhcp_option_list *options, const char *text, uint8_t *ret_code, struct error *error);

#endif
