/*
 * The numbers of DHCP as RFC 2131 and RFC 2132 have them: ports, sizes, message types, option
 * codes, and a hardware address as the `htype`, `hlen` and `chaddr` fields carry it. No behaviour
 * but their names.
 */
#ifndef DHCP_PROTOCOL_H
#define DHCP_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

enum {
	DHCP_SERVER_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	DHCP_HOPS_MAX = 16, /* RFC 1542 section 4.1.1 */
};

/* Sizes in bytes of the DHCP message, i.e. the UDP payload. */
enum {
	DHCP_HEADER_SIZE = 236, /* up to the magic cookie */
	DHCP_MESSAGE_SIZE_MIN = 300, /* BOOTP's: what a builder pads to (RFC 1542 section 2.1) */
	DHCP_MESSAGE_SIZE_DEFAULT = 548, /* what everybody takes: a datagram of 576 */
	DHCP_MESSAGE_SIZE_MAX = 1472, /* what we build at most: Ethernet's 1500 */
	DHCP_CHADDR_SIZE = 16,
	DHCP_SNAME_SIZE = 64,
	DHCP_FILE_SIZE = 128,
	DHCP_CLIENT_ID_MAX = 255,
};

#define DHCP_MAGIC	    UINT32_C(0x63825363)
#define DHCP_LEASE_INFINITE UINT32_C(0xffffffff)

/* Bits of option 52: the fields that hold options. */
enum { DHCP_OVERLOAD_FILE = 1, DHCP_OVERLOAD_SNAME = 2 };

enum dhcp_op { DHCP_OP_REQUEST = 1, DHCP_OP_REPLY = 2 };

/* Values of option 53; the last two stand for messages without it and never go on the wire. */
enum dhcp_message_type {
	DHCPDISCOVER = 1,
	DHCPOFFER = 2,
	DHCPREQUEST = 3,
	DHCPDECLINE = 4,
	DHCPACK = 5,
	DHCPNAK = 6,
	DHCPRELEASE = 7,
	DHCPINFORM = 8,
	DHCP_BOOTREQUEST = 256 + DHCP_OP_REQUEST,
	DHCP_BOOTREPLY = 256 + DHCP_OP_REPLY,
};

/* "DHCPDISCOVER", ..., "BOOTREQUEST"; "DHCP-UNKNOWN" for a value without a name. Never NULL. */
const char *dhcp_message_type_name(unsigned type);

/* The options that our code speaks of; the table of dhcp/option.h has all of them. */
enum dhcp_option_code {
	DHCP_OPTION_PAD = 0,
	DHCP_OPTION_SUBNET_MASK = 1,
	DHCP_OPTION_ROUTER = 3,
	DHCP_OPTION_DNS = 6,
	DHCP_OPTION_HOST_NAME = 12,
	DHCP_OPTION_DOMAIN = 15,
	DHCP_OPTION_MTU = 26,
	DHCP_OPTION_BROADCAST = 28,
	DHCP_OPTION_NTP = 42,
	DHCP_OPTION_VENDOR_OPTIONS = 43,
	DHCP_OPTION_REQUESTED_ADDRESS = 50,
	DHCP_OPTION_LEASE_TIME = 51,
	DHCP_OPTION_OVERLOAD = 52,
	DHCP_OPTION_MESSAGE_TYPE = 53,
	DHCP_OPTION_SERVER_ID = 54,
	DHCP_OPTION_PARAMETERS = 55,
	DHCP_OPTION_MESSAGE = 56,
	DHCP_OPTION_MAXIMUM_SIZE = 57,
	DHCP_OPTION_T1 = 58,
	DHCP_OPTION_T2 = 59,
	DHCP_OPTION_VENDOR_CLASS = 60,
	DHCP_OPTION_CLIENT_ID = 61,
	DHCP_OPTION_TFTP_SERVER = 66,
	DHCP_OPTION_BOOT_FILE = 67,
	DHCP_OPTION_RAPID_COMMIT = 80,
	DHCP_OPTION_RELAY_AGENT = 82,
	DHCP_OPTION_SUBNET_SELECTION = 118,
	DHCP_OPTION_DOMAIN_SEARCH = 119,
	DHCP_OPTION_CLASSLESS_ROUTES = 121,
	DHCP_OPTION_END = 255,
};

/* A client's hardware address: `length` (0..16) of `bytes` count, the others are zero. */
struct dhcp_hardware {
	uint8_t type; /* 1: Ethernet */
	uint8_t length;
	uint8_t bytes[DHCP_CHADDR_SIZE];
};

#define DHCP_HARDWARE_TEXT_SIZE (3 * DHCP_CHADDR_SIZE + 5)

/*
 * "02:00:00:00:00:01"; "TYPE-02:..." with the hexadecimal type where it is not Ethernet; "-" where
 * the length is 0. Returns `text`.
 */
char *dhcp_hardware_format(
	const struct dhcp_hardware *hardware, char text[static DHCP_HARDWARE_TEXT_SIZE]);
#define DHCP_HARDWARE_TEXT(hardware)                                                               \
	dhcp_hardware_format((hardware), (char[DHCP_HARDWARE_TEXT_SIZE]){0})

/* What dhcp_hardware_format() wrote; false for anything else. */
bool dhcp_hardware_parse(const char *text, struct dhcp_hardware *ret_hardware);

struct dhcp_hardware dhcp_hardware_from_mac(struct mac mac);

/* True where it is an Ethernet address of six bytes, i.e. a frame can be sent to it. */
bool dhcp_hardware_mac(const struct dhcp_hardware *hardware, struct mac *ret_mac);

bool dhcp_hardware_equal(const struct dhcp_hardware *a, const struct dhcp_hardware *b);

#endif
