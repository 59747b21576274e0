/*
 * The codes that a server may answer each verb with: RFC 959 section 5.4, and for what is newer the RFC
 * that it is from. Behind "+" stands what is in neither, as RFC 1123 section 4.1.2.11 allows where no
 * code of the list says what happened: 425 for a port that cannot be opened, 451 and 452 for what is
 * the server's own trouble, 504 for what is known and not done.
 *
 * Every verb has 500, 501, 502 and 421, and each that wants a log-in 530.
 */
#ifndef TESTS_FUZZ_FTP_CODES_H
#define TESTS_FUZZ_FTP_CODES_H

#include "fuzz.h"

#include "ftp/command.h"

static const char *const codes_of[FTP_VERB_COUNT] = {
	[FTP_USER] = "230 530 331 332 534",
	[FTP_PASS] = "230 202 530 503 332",
	[FTP_CWD] = "250 550 +451",
	[FTP_CDUP] = "200 550 +451",
	[FTP_REIN] = "120 220",
	[FTP_QUIT] = "221",
	[FTP_PORT] = "200",
	[FTP_PASV] = "227 +425",
	[FTP_TYPE] = "200 504",
	[FTP_STRU] = "200 504",
	[FTP_MODE] = "200 504",
	[FTP_RETR] = "125 150 226 250 425 426 451 450 550 521 554",
	[FTP_STOR] = "125 150 226 250 425 426 451 551 552 532 450 452 553 521 554",
	[FTP_STOU] = "125 150 226 250 425 426 451 551 552 532 450 452 553 521 554",
	[FTP_APPE] = "125 150 226 250 425 426 451 551 552 532 450 452 550 553 521 554",
	[FTP_ALLO] = "200 202 504",
	[FTP_REST] = "350",
	[FTP_RNFR] = "450 550 350 +451",
	[FTP_RNTO] = "250 532 553 503 +451 452",
	[FTP_ABOR] = "225 226",
	[FTP_DELE] = "250 450 550 +451 452",
	[FTP_RMD] = "250 550 +451 452",
	[FTP_MKD] = "257 550 +451 452",
	[FTP_PWD] = "257 550",
	[FTP_LIST] = "125 150 226 250 425 426 451 450 521",
	[FTP_NLST] = "125 150 226 250 425 426 451 450 521",
	[FTP_SITE] = "200 202 214 +504",
	[FTP_SYST] = "215",
	[FTP_STAT] = "211 212 213 450 +451",
	[FTP_HELP] = "211 214",
	[FTP_NOOP] = "200",
	[FTP_AUTH] = "234 334 503 504 534 431", /* RFC 2228 section 5 */
	[FTP_PBSZ] = "200 503",
	[FTP_PROT] = "200 503 504 534 536 431",
	[FTP_FEAT] = "211", /* RFC 2389 */
	[FTP_OPTS] = "200 451 +504",
	[FTP_EPRT] = "200 522", /* RFC 2428 */
	[FTP_EPSV] = "229 200 522 +425",
	[FTP_LANG] = "200 504", /* RFC 2640 */
	[FTP_SIZE] = "213 550 +451", /* RFC 3659 */
	[FTP_MDTM] = "213 550 +451",
	[FTP_MLST] = "250 550 +451",
	[FTP_MLSD] = "125 150 226 250 425 426 451 550 521",
	[FTP_MFMT] = "213 550 +451 452", /* draft-somers-ftp-mfxx */
	[FTP_CLNT] = "200", /* practice */
};

static inline bool code_fits(enum ftp_verb verb, unsigned code)
{
	char text[12];
	if (code == 500 || code == 501 || code == 502 || code == 421)
		return true;
	if (code == 530 && !ftp_verb_rule(verb)->before_login)
		return true;
	snprintf(text, sizeof(text), "%u", code);
	return codes_of[verb] && strstr(codes_of[verb], text);
}

#endif
