/*
 * Wrong log-ins, counted by the address that they come from, so that each further one is answered
 * later than the one before. A table of fixed size: an address that shares its place with another
 * shares its count, which makes someone wait a little longer and costs no memory.
 */
#ifndef PROGRAMS_FTP_GUESSES_H
#define PROGRAMS_FTP_GUESSES_H

#include <stdint.h>

#include "ftp/port.h"

enum { GUESSES_PLACES = 1024, GUESSES_DELAY_SECONDS_MAX = 5, GUESSES_FORGET_SECONDS = 300 };

struct guesses {
	uint64_t key; /* not to be guessed: where an address has its place */
	struct {
		uint64_t last_ns;
		unsigned count;
	} places[GUESSES_PLACES];
	uint64_t total;
};

/* Count one, and return how long its answer is to be held back. */
uint64_t guesses_wrong(struct guesses *guesses, const struct endpoint *client, uint64_t now_ns);

#endif
