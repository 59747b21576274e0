/*
 * FTP commands: one line from a client, taken apart. The verb table names every verb of RFC 959,
 * 1123 (the X forms of RFC 775), 1639, 2228, 2389, 2428, 2640, 3659 and 7151, and those of practice
 * that real clients send, done by our server or not: what is known but not done is answered 502,
 * what is unknown 500, and only this table can tell.
 *
 * Nothing is allocated and nothing is kept: an argument is borrowed from the line. Its bytes are
 * the client's, so it may hold anything but NUL; logs pass it through log_quote(), and not at all
 * where `secret` is set.
 *
 * Not here: Telnet codes and line ends (input.h), what a verb does (session.h).
 */
#ifndef FTP_COMMAND_H
#define FTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum ftp_verb {
	FTP_UNKNOWN,
	/* RFC 959, in the order of its section 4.1 */
	FTP_USER,
	FTP_PASS,
	FTP_ACCT,
	FTP_CWD,
	FTP_CDUP,
	FTP_SMNT,
	FTP_REIN,
	FTP_QUIT,
	FTP_PORT,
	FTP_PASV,
	FTP_TYPE,
	FTP_STRU,
	FTP_MODE,
	FTP_RETR,
	FTP_STOR,
	FTP_STOU,
	FTP_APPE,
	FTP_ALLO,
	FTP_REST,
	FTP_RNFR,
	FTP_RNTO,
	FTP_ABOR,
	FTP_DELE,
	FTP_RMD,
	FTP_MKD,
	FTP_PWD,
	FTP_LIST,
	FTP_NLST,
	FTP_SITE,
	FTP_SYST,
	FTP_STAT,
	FTP_HELP,
	FTP_NOOP,
	/* RFC 2228 */
	FTP_AUTH,
	FTP_ADAT,
	FTP_PBSZ,
	FTP_PROT,
	FTP_CCC,
	FTP_MIC,
	FTP_CONF,
	FTP_ENC,
	/* RFC 2389 */
	FTP_FEAT,
	FTP_OPTS,
	/* RFC 2428 */
	FTP_EPRT,
	FTP_EPSV,
	/* RFC 2640, 3659, 7151, MFMT of draft-somers-ftp-mfxx, CLNT of practice */
	FTP_LANG,
	FTP_SIZE,
	FTP_MDTM,
	FTP_MLST,
	FTP_MLSD,
	FTP_MFMT,
	FTP_HOST,
	FTP_CLNT,
	FTP_OTHER, /* one of those that are known and have nothing to them here: LPRT, XCRC, ... */
	FTP_VERB_COUNT
};

enum ftp_argument {
	FTP_ARGUMENT_NONE, /* white space behind the verb is forgiven */
	FTP_ARGUMENT_OPTIONAL,
	FTP_ARGUMENT_REQUIRED, /* at least one byte */
};

/* What the table knows about a verb. */
struct ftp_verb_rule {
	enum ftp_verb verb;
	const char *name;
	const char *syntax; /* of the argument, for HELP; "" where there is none */
	enum ftp_argument argument;
	bool secret; /* the argument is a password or the like: never log or show it */
	bool before_login; /* may be given by one who is not logged in */
};

/* What is wrong with a line, and so which reply it earns. */
enum ftp_command_fault {
	FTP_COMMAND_GOOD,
	FTP_COMMAND_UNKNOWN, /* 500: no such verb, also the empty line */
	FTP_COMMAND_NUL, /* 501: a NUL byte somewhere in the line */
	FTP_COMMAND_WANTS_ARGUMENT, /* 501 */
	FTP_COMMAND_WANTS_NONE, /* 501: an argument where there is none */
};

struct ftp_command {
	enum ftp_verb verb; /* FTP_UNKNOWN where the fault is FTP_COMMAND_UNKNOWN */
	bool secret; /* of the verb; also set for an unknown verb, as `PASSWORD x` may be a slip */
	const char *argument; /* borrowed from the line, not NUL-terminated; never NULL */
	size_t argument_length; /* 0: none was given */
};

/*
 * Take one line apart.
 * line: `length` bytes without their line end; a trailing CR LF or LF is taken off all the same.
 * ret_command: always set, also with a fault: as far as the line could be understood.
 */
enum ftp_command_fault ftp_command_parse(
	const char *line, size_t length, struct ftp_command *ret_command);

/* The rule of a known verb; that of FTP_UNKNOWN is named "?". Never NULL. */
const struct ftp_verb_rule *ftp_verb_rule(enum ftp_verb verb);

/* The verb's name as in the RFCs, "RETR"; "?" for FTP_UNKNOWN. */
const char *ftp_verb_name(enum ftp_verb verb);

/*
 * The line as a log may show it: verb, and the argument quoted as by log_quote(), "***" where it is
 * secret. Returns `text`, of `size` bytes (at least 16), cut with "..." where it does not fit.
 */
char *ftp_command_describe(const struct ftp_command *command, const char *line, size_t length,
	char *text, size_t size);

#endif
