/*
 * What ftp-client is told on its command line or in a `--config FILE`: see CLIENT.md. The rows of
 * the table are the manual that `--help` prints.
 */
#ifndef PROGRAMS_FTP_TALK_SETTINGS_H
#define PROGRAMS_FTP_TALK_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "programs/ftp/data.h"
#include "programs/ftp/transfer.h"
#include "programs/shared/options.h"

struct talk_settings {
	bool text; /* the report's protocol is spoken, not FTP */
	char *server; /* owned; of the text protocol; NULL: not given */
	char *user, *password; /* owned; NULL: not given */
	char *password_file, *tls_authorities; /* owned; NULL: none */
	bool active, ascii, resume, quiet;
	bool tls, tls_any;
	uint64_t wait_ns; /* 0: as long as it takes */
	uint64_t connect_ns, stall_ns; /* as in struct dialogue_setup */
};

#define TALK_SETTINGS_DEFAULT                                                                      \
	((struct talk_settings){.connect_ns = DATA_CONNECT_NS, .stall_ns = TRANSFER_STALL_NS})

extern const struct program talk_program;

/* What does not go together: a slip of the user's. */
int talk_settings_check(struct talk_settings *settings, struct error *error);

/*
 * The password: from its file, or asked for on the terminal where a
 * user was named and nothing else tells. Before the connection is made, as a place that is being
 * served is not to be kept for somebody who looks for a password.
 * Returns 0 or a negative errno: -EINVAL is misuse.
 */
int talk_settings_complete(struct talk_settings *settings, struct error *error);

/* Frees; for CLEANUP. */
void talk_settings_finish(struct talk_settings *settings);

#endif
