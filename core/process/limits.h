/*
 * The limit on open descriptors: a lab needs more than the usual 1,024; what runs in its nodes gets
 * back what the caller had, since programs that use select(2) rely on it.
 */
#ifndef PROCESS_LIMITS_H
#define PROCESS_LIMITS_H

/* Raise this process's limit to what is allowed. */
void limits_raise(void);

/* In a child: the limit as it was before limits_raise(). */
void limits_restore(void);

#endif
