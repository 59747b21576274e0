/*
 * A bounded capture file: whole blocks are appended until a limit, a full disk or an error; after
 * that nothing more, so that the file ends with a whole block. Room for the closing blocks is kept
 * back from the start.
 */
#ifndef OBSERVE_RECORDING_H
#define OBSERVE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recording {
	int fd; /* borrowed; -1: nothing is recorded */
	uint64_t size; /* bytes written: whole blocks */
	uint64_t limit; /* bytes; 0: none */
	uint64_t kept_back; /* of the limit, for recording_close() */
	bool full; /* a block met the limit */
	int failure; /* negative errno; 0: none */
};

/* The file is empty and open for writing, its position 0. */
struct recording recording_over(int fd, uint64_t limit, uint64_t kept_back);

/* Whether a block of `size` bytes that comes after `pending` others would still be recorded. */
bool recording_has_room(struct recording *recording, uint64_t pending, size_t size);

/*
 * Append `length` bytes of whole blocks with one write. Where that fails, what went out in part is
 * cut off again, and the recording has ended: `failure` says why. Returns whether it succeeded.
 */
bool recording_append(struct recording *recording, const void *blocks, size_t length);

/*
 * The closing blocks, from what was kept back; also tried after a failure, when room may be back.
 */
void recording_close(struct recording *recording, const void *blocks, size_t length);

#endif
