/*
 * A fact: one thing the observer saw, with its time. A plain struct of fixed size without pointers,
 * so that it crosses the socket between the observer's process and the lab's as it is; both are the
 * same program.
 *
 * Facts arrive in the order of their times, as far as no ring overflowed. Text in them came from
 * the wire: it is NUL-terminated, but may hold any other byte.
 */
#ifndef OBSERVE_FACT_H
#define OBSERVE_FACT_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/ip.h"

enum fact_kind {
	FACT_NONE,
	FACT_MESSAGE, /* a protocol message was sent; index: the link whose end sent it */
	FACT_EVENT, /* the kernel changed a node's state; index: the node */
	FACT_EVENTS_LOST, /* the kernel reported more than was read in time; index: the node */
	FACT_CAPTURE, /* what was captured on a link, told once at the end; index: the link */
	FACT_END, /* the last fact */
	/* Never handed out by observer_receive(): they answer observer_start(). */
	FACT_READY,
	FACT_FAILED,
};

enum fact_protocol {
	FACT_DHCP,
	FACT_FTP, /* control connections */
	FACT_TCP, /* the segments that open, close and break any connection */
	FACT_TEXT, /* the report's address protocol and its file protocol */
};

#define FACT_NAME_SIZE	 16
#define FACT_DETAIL_SIZE 256

struct fact_endpoint {
	struct ip address;
	uint16_t port;
};

/* Of a DHCP message, RFC 2131 section 2. Addresses that were not given are none. */
struct fact_dhcp {
	uint32_t xid;
	struct ipv4 ciaddr, yiaddr, giaddr;
	struct ipv4 server, requested; /* options 54 and 50 */
	struct mac chaddr;
	bool has_lease;
	uint32_t lease_seconds; /* option 51 */
};

struct fact_message {
	enum fact_protocol protocol;
	char name[FACT_NAME_SIZE]; /* "DHCPDISCOVER", "RETR", "226", "220-" where more lines follow,
				     "SYN" */
	/*
	 * FTP: the line, printable, secrets hidden; TCP: of a FIN, how much was sent; text: the
	 * address, the file's name, the beginning of the first line that was sent; DHCP: "".
	 */
	char detail[FACT_DETAIL_SIZE];
	/* Its number in the capture file, from 1, as Wireshark shows it; 0: it is not in the file. */
	uint64_t frame;
	bool from_peer; /* sent by the link's other end (observed_link.peer), not the captured one */
	struct fact_endpoint source, destination;
	struct fact_dhcp dhcp;
};

enum fact_subject { FACT_LINK, FACT_ADDRESS, FACT_ROUTE, FACT_NEIGHBOUR };
enum fact_change { FACT_ADDED, FACT_CHANGED, FACT_REMOVED };

/* What the subject does not have is zero. */
struct fact_event {
	enum fact_subject subject;
	enum fact_change change;
	char interface[IF_NAMESIZE];
	struct ip_prefix
		address; /* a route's destination (length 0: default); all of a neighbour's */
	struct ip gateway; /* of a route */
	uint32_t metric; /* of a route */
	bool has_mac;
	struct mac mac; /* of a link or a neighbour */
	bool up; /* of a link: switched on */
	bool running; /* of a link: and its other end is, too */
	char state[16]; /* of a neighbour: "reachable", "stale", "failed", ... as in ip-neigh(8) */
};

struct fact_capture {
	uint64_t seen; /* frames that passed */
	uint64_t
		lost; /* of these, the ones no ring had room for: they are in no file and no fact */
	uint64_t written; /* to the capture file; fewer than seen - lost where its limit was met */
};

struct fact_end {
	uint64_t capture_bytes;
	bool capture_full; /* the limit was met, frames after that were only counted */
	int capture_error; /* negative errno: why the file ended early (-ENOSPC); 0 where it did not */
};

struct fact {
	enum fact_kind kind;
	uint32_t index; /* in observer_setup's links or nodes */
	uint64_t time_ns; /* CLOCK_REALTIME; of a frame: when the kernel saw it */
	union {
		struct fact_message message;
		struct fact_event event;
		struct fact_capture capture;
		struct fact_end end;
		struct {
			int code;
			char text[400];
		} failed;
	};
};

static inline bool fact_endpoint_equal(struct fact_endpoint a, struct fact_endpoint b)
{
	return ip_equal(a.address, b.address) && a.port == b.port;
}

/* "192.0.2.1:21" or "[2001:db8::1]:21". Returns `text`. */
#define FACT_ENDPOINT_TEXT_SIZE (IP_TEXT_SIZE + 8)
char *fact_endpoint_format(
	struct fact_endpoint endpoint, char text[static FACT_ENDPOINT_TEXT_SIZE]);

/* The text lives until the end of the enclosing block. */
#define FACT_ENDPOINT_TEXT(endpoint)                                                               \
	fact_endpoint_format((endpoint), (char[FACT_ENDPOINT_TEXT_SIZE]){0})

const char *fact_protocol_name(enum fact_protocol protocol); /* "DHCP" */
const char *fact_subject_name(enum fact_subject subject); /* "link" */
const char *fact_change_name(enum fact_change change); /* "added" */

#endif
