/*
 * The observer: a process that watches a running lab. It captures on links into one pcapng file,
 * listens to the kernel in every node, decodes DHCP and FTP, and sends what it saw as facts in
 * order of time.
 *
 * It holds only its packet and netlink sockets, the capture file and its end of a socket pair; once
 * they are open it gives up all privileges. It sleeps while nothing happens. It dies with the
 * thread that started it (PR_SET_PDEATHSIG), or when its socket's other end closes. SIGINT, SIGQUIT,
 * SIGHUP and SIGTERM do not end it: they may go to the whole process group, and what is to become
 * of the lab is its supervisor's to decide.
 *
 * Life: observer_start(), then observer_receive() whenever observer_fd() is readable; in the end
 * observer_stop(), observer_receive() until FACT_END, observer_finish().
 */
#ifndef OBSERVE_OBSERVER_H
#define OBSERVE_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/error.h"
#include "kernel/shelf.h"
#include "observe/fact.h"

/* An interface to capture on; it has to be up. Frames are seen in both directions. */
struct observed_link {
	const char *name; /* in the capture file: "client1:eth0" */
	const char *interface; /* "eth0" */
	size_t node; /* whose network namespace it is in: its number on the shelf */
	struct mac mac; /* of the interface: messages are told where they were sent */
	/* Only for a link without a switch whose other end is not captured too: that end's address,
	 * so that what it sends is told (of this link) as well. */
	bool has_peer;
	struct mac peer;
};

/* A node whose kernel is listened to. */
struct observed_node {
	const char *name;
	size_t node; /* its network namespace's number on the shelf: the index in its facts */
};

struct observer_setup {
	const struct shelf *shelf; /* of network namespaces */
	const struct observed_link *links;
	size_t link_count;
	const struct observed_node *nodes;
	size_t node_count;
	int capture_fd; /* an empty file open for writing; -1: frames are decoded, none is kept */
	uint64_t capture_limit; /* bytes, after which frames are only counted; 0: none */
	const char *application; /* who writes the capture file: "sim 0.1" */
};

struct observer {
	int fd; /* -1: not running */
	int pid_fd;
	pid_t pid;
	bool ended; /* FACT_END was received */
};

/*
 * Start the observer. Returns when every capture and every event socket is open: no frame that is
 * sent, and no change that is made, after that is missed. For that it needs the privilege to enter
 * the namespaces (CAP_SYS_ADMIN and CAP_NET_RAW over them; in a user namespace that owns them, its
 * root). The shelf and the file in `setup` stay the caller's.
 * The calling thread has to outlive the observer.
 */
int observer_start(
	const struct observer_setup *setup, struct observer *ret_observer, struct error *error);

/* Readable when facts wait, and when the observer has ended. */
static inline int observer_fd(const struct observer *observer)
{
	return observer->fd;
}

/*
 * The next fact, without blocking.
 * Returns 1; 0 where none waits; -ENODATA after FACT_END; another negative errno where the observer
 * has ended without it, which is a fault.
 */
int observer_receive(struct observer *observer, struct fact *ret_fact, struct error *error);

/*
 * Ask it to end: it takes what was captured until now out of the rings, finishes the file and sends
 * the remaining facts, a FACT_CAPTURE for every link and FACT_END. Returns at once.
 */
void observer_stop(struct observer *observer);

/*
 * Wait for its end and release everything. One that has not sent FACT_END yet is killed: the
 * capture file then ends with the last whole block, without statistics. The kernel takes some 30 ms
 * to release packet rings; a caller in a hurry does other things between FACT_END and this. An
 * observer that was never started (zero), or is finished already, is fine.
 */
void observer_finish(struct observer *observer);

#endif
