/*
 * One client of a server that speaks the report's file protocol: the edge around a `struct
 * ftp_text`. Its files come from the anonymous account's store, its place from the service's line,
 * and content moves by transfer.h, all as in FTP; the one connection carries everything.
 *
 * In the log stand the report's own lines, with what FTP's lines tell behind a colon.
 */
#ifndef PROGRAMS_FTP_TEXT_GUEST_H
#define PROGRAMS_FTP_TEXT_GUEST_H

#include "programs/ftp/guest.h"

/* Those of a service that speaks the text protocol. */
extern const struct guest_kind text_guest_kind;

#endif
