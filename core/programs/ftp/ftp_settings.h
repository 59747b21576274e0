/*
 * What a person tells ftp-server, on the command line or in its --config file.
 */
#ifndef PROGRAMS_FTP_FTP_SETTINGS_H
#define PROGRAMS_FTP_FTP_SETTINGS_H

#include "ftp/session.h"
#include "programs/ftp/accounts.h"
#include "programs/ftp/data.h"
#include "programs/shared/options.h"

struct ftp_settings {
	bool text; /* the report's protocol is spoken, not FTP */
	struct endpoint listen;
	char *root, *certificate, *key, *run_as, *xferlog, *json_log, *control; /* owned; or NULL */
	char **read_again; /* owned: files that SIGHUP reads again */
	size_t read_again_count;
	uint64_t clients, waiting, per_address;
	uint64_t idle_ns; /* 0: as the protocol has it */
	unsigned anonymous; /* its rights */
	bool keeps, tls_reuse;
	struct data_ports ports;
	uint64_t connect_ns, stall_ns; /* of data connections */
	struct ftp_session_settings session;
	struct accounts *accounts; /* held */
};

/* The program's options; their settings are a struct ftp_settings, begun by ftp_settings_init(). */
extern const struct program ftp_server_program;

/* Defaults. Fails when memory is gone. Release with ftp_settings_finish(), also after failure. */
int ftp_settings_init(struct ftp_settings *settings, struct error *error);
void ftp_settings_finish(struct ftp_settings *settings);

/*
 * Check what only the whole can tell, and complete the accounts. The sentence names what is wrong.
 */
int ftp_settings_check(struct ftp_settings *settings, struct error *error);

#endif
