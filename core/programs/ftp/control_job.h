/*
 * What a control has done in a thread: a password checked, a file measured or read up to a place in
 * TYPE A, the beginning of a draft copied, a directory listed. At most one job is under way for a control; the session
 * waits for its answer. Each function returns false where memory is gone. For control_act.c alone.
 */
#ifndef PROGRAMS_FTP_CONTROL_JOB_H
#define PROGRAMS_FTP_CONTROL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct service;
struct ftp_listing_entry;
struct store_list;

/* Is `secret` the password of control->account (NULL: of nobody)? A wrong one is answered late. */
bool control_job_verify(struct control *control, const char *secret);

/* How many bytes the file makes on the wire in TYPE A. */
bool control_job_measure(struct control *control, int take_file);

/* Set control->source to where `restart_bytes` of the wire reach in TYPE A. */
bool control_job_seek(struct control *control, uint64_t restart_bytes);

/* Put into control->sink's draft what it begins with. */
bool control_job_begin(struct control *control);

/*
 * The next piece of a listing, of `bytes` and a line. It becomes what the transfer sends, or goes
 * on with where one is under way; for the piece behind it the list is control->listing then.
 */
bool control_job_list(struct control *control, struct store_list *take_list, size_t bytes);

/* All of a listing, of at most so many bytes, for STAT; with the entry of what is listed. */
bool control_job_status(struct control *control, struct store_list *take_list, size_t bytes,
	const struct ftp_listing_entry *entry);

/*
 * Close a descriptor, -1 for none. Where it is the last of a large file that has no name any more,
 * a thread does it, as the file's blocks are freed within.
 */
void control_job_close(struct service *service, int take_fd);

/* What is under way is not wanted any more. */
void control_job_forget(struct control *control);

#endif
