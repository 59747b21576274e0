/* Whether a port is open where a process lives. */
#ifndef PROCESS_PORTS_H
#define PROCESS_PORTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Whether something listens on TCP port `port`, or has UDP port `port` bound, in the network
 * namespace of `pid`. Read from the kernel's tables: the server notices nothing.
 */
bool port_is_open(pid_t pid, uint16_t port);

#endif
