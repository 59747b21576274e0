/*
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), built into memory: section header,
 * interface description, enhanced packet and interface statistics blocks. Always little-endian,
 * times in nanoseconds. Writing them to a file is recording.h's.
 *
 * Each function appends one whole block to `writer`. One that does not fit sets writer->overflow
 * and leaves a part of itself behind: the caller goes back to where it was.
 */
#ifndef OBSERVE_PCAPNG_H
#define OBSERVE_PCAPNG_H

#include <stdint.h>

#include "base/address.h"
#include "base/writer.h"

/* Begins the file. NULL: the option is left out. */
void pcapng_write_section(struct writer *writer, const char *system, const char *application);

struct pcapng_interface {
	const char *name; /* "client1:eth0" */
	const char *description; /* NULL: none */
	struct mac mac;
	uint32_t snaplen;
};

/* Interfaces are numbered from 0 in the order of their blocks, all before the first packet. */
void pcapng_write_interface(struct writer *writer, const struct pcapng_interface *interface);

struct pcapng_packet {
	uint32_t interface;
	uint64_t time_ns; /* since 1970 */
	uint32_t length; /* on the wire */
	uint32_t captured;
	const uint8_t *bytes; /* `captured` of them */
};

void pcapng_write_packet(struct writer *writer, const struct pcapng_packet *packet);

/* The size of a packet's block, and where in it the packet's bytes begin. */
#define PCAPNG_PACKET_OFFSET 28
static inline size_t pcapng_packet_size(uint32_t captured)
{
	return PCAPNG_PACKET_OFFSET + ((size_t)captured + 3) / 4 * 4 + 4;
}

struct pcapng_statistics {
	uint32_t interface;
	uint64_t time_ns;
	uint64_t received; /* isb_ifrecv: frames that passed */
	uint64_t dropped; /* isb_osdrop: no room in the ring */
	uint64_t delivered; /* isb_usrdeliv: in this file */
};

#define PCAPNG_STATISTICS_SIZE 64

void pcapng_write_statistics(struct writer *writer, const struct pcapng_statistics *statistics);

#endif
