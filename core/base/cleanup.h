/*
 * Cleanup attributes: no `free` or `close` stands before a `return`.
 *
 *	CLEANUP(close_fd) int fd = open(...);
 *	...
 *	*ret_fd = take_fd(&fd);		hand it out: the variable no longer owns it
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

static inline void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

/* For any pointer from malloc: CLEANUP(free_pointer) char *text = ...; */
static inline void free_pointer(void *address)
{
	void **pointer = address;
	free(*pointer);
	*pointer = NULL;
}

#define TAKE(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

#endif
