/*
 * `sysctls` of a node: settings below /proc/sys that belong to a namespace of its own. Which those
 * are is checked where the topology is read: nothing here reaches the host's.
 */
#ifndef KERNEL_SYSCTLS_H
#define KERNEL_SYSCTLS_H

#include "topology/model.h"

enum sysctls_when {
	SYSCTLS_NEW, /* the network namespace is new: defaults of interfaces that come */
	SYSCTLS_BUILT, /* its interfaces and addresses are there: all else of net */
	SYSCTLS_ROOM, /* the UTS and IPC namespaces are new */
};

/*
 * Write those of that moment, in their order. The caller is in the node's namespaces. Fails, naming
 * the sysctl, where the kernel does not know it or does not take the value.
 */
int sysctls_write(const struct node *node, enum sysctls_when when, struct error *error);

/* Whether the node asks for one of an IPC namespace. */
bool sysctls_need_ipc(const struct node *node);

#endif
