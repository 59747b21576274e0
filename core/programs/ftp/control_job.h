/*
 * What a control has done in a thread: a password checked, a file measured or read up to a place in
 * TYPE A, the beginning of a draft copied. At most one job is under way for a control; the session
 * waits for its answer. Each function returns false where memory is gone. For control_act.c alone.
 */
#ifndef PROGRAMS_FTP_CONTROL_JOB_H
#define PROGRAMS_FTP_CONTROL_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct control;

/* Is `secret` the password of control->account (NULL: of nobody)? A wrong one is answered late. */
bool control_job_verify(struct control *control, const char *secret);

/* How many bytes the file makes on the wire in TYPE A. */
bool control_job_measure(struct control *control, int take_file);

/* Set control->source to where `restart_bytes` of the wire reach in TYPE A. */
bool control_job_seek(struct control *control, uint64_t restart_bytes);

/* Put into control->sink's draft what it begins with. */
bool control_job_begin(struct control *control);

/* What is under way is not wanted any more. */
void control_job_forget(struct control *control);

#endif
