/*
 * Option values as text: what a configuration says, a log, JSON and a hook's environment show. One
 * form for both directions: what is written here can be read here again.
 *
 *	addresses	10.0.2.1,10.0.2.2
 *	pairs		10.1.0.0=10.0.2.1,...		options 21 and 33
 *	routes		10.0.0.0/8=10.0.2.1,...		0.0.0.0 as router: on the link
 *	domains		a.example,b.example		as dhcp/domain_list.h has them
 *	numbers		68; lists with commas; seconds may be "infinite"
 *	flags		yes, no
 *	option codes	subnet-mask,router,252
 *	text		as it is, one line
 *	bytes		hex:0a0b0c (for an option of any kind; colons may stand between) or text:...
 *
 * Where a value from the wire does not fit its kind, or is text that is not printable, it is
 * written as hex:.
 */
#ifndef DHCP_OPTION_TEXT_H
#define DHCP_OPTION_TEXT_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "base/writer.h"
#include "dhcp/message.h"
#include "dhcp/option_list.h"

enum {
	DHCP_OPTION_VALUE_MAX =
		1024, /* of one in a configuration; a message has hardly more room */
	DHCP_OPTION_NAME_SIZE = 32, /* the longest name of the table, and NUL */
};

/*
 * The code of an option by its name in the table, or its number (1..254) in decimal. Fails with
 * -EINVAL, and the nearest name in the sentence.
 */
int dhcp_option_text_code(const char *name, uint8_t *ret_code, struct error *error);

/* Its name in the table, else its number. Writes into `text` and returns it. */
char *dhcp_option_text_name(uint8_t code, char text[static DHCP_OPTION_NAME_SIZE]);
#define DHCP_OPTION_NAME(code) dhcp_option_text_name((code), (char[DHCP_OPTION_NAME_SIZE]){0})

/*
 * Append the wire bytes of `text` to `value`. Fails with -EINVAL, and what the option takes in the
 * sentence, or -E2BIG where the value has no room. `value` is then to be thrown away.
 */
int dhcp_option_text_parse(
	uint8_t code, const char *text, struct writer *value, struct error *error);

/*
 * Set an option of the list from "NAME=VALUE" (NAME alone for an option whose presence says all).
 * Fails as the two above, and with -ENOMEM.
 */
int dhcp_option_text_assign(
	struct dhcp_option_list *options, const char *assignment, struct error *error);

/*
 * Append the value as text. `separator` stands between the elements of a list: ',' for the form
 * above; a hook's environment takes ' '.
 */
void dhcp_option_text_format(
	uint8_t code, struct dhcp_field value, char separator, struct text *text);

#endif
