/* Rates of links in the words of tc(8) and netem: `10mbit`, `1.5gbit`, `56000`. */
#ifndef TOPOLOGY_RATE_H
#define TOPOLOGY_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In bits a second. The kernel's token bucket counts bytes in 31 bits. */
#define RATE_LEAST UINT64_C(1000)
#define RATE_MOST  UINT64_C(16000000000)

enum { RATE_TEXT_SIZE = 32 };

/*
 * A number, with decimals or without, and bit (also where nothing stands), kbit, mbit, gbit or
 * kibit, mibit, gibit. Not tc's `bps`, which are bytes there and bits to most who write them.
 * Returns whether it is one of RATE_LEAST..RATE_MOST.
 */
bool rate_parse(const char *text, uint64_t *ret_bits);

/* The shortest of the words above: "10mbit". Returns `text`. */
const char *rate_format(uint64_t bits, char text[static RATE_TEXT_SIZE]);

#endif
