/*
 * `binds` of a node: files and folders of the host that are seen in it. In two steps: the sources
 * are opened while the host's own /run and /tmp are still to be seen, and shown when the node has
 * its own.
 */
#ifndef PROCESS_BINDS_H
#define PROCESS_BINDS_H

#include "topology/model.h"

/*
 * Open what the node's binds show. *ret_fds: a descriptor for each, on the heap.
 * Fails, naming the bind, where one cannot be opened; the descriptors are those of a process that
 * ends then.
 */
int binds_open(const struct node *node, int **ret_fds, struct error *error);

/*
 * Show them, in their order, in the caller's mount namespace, and close the descriptors. A mount
 * point that is missing is made in the node's own /run, /tmp and /etc and in nothing of the host's.
 */
int binds_show(const struct node *node, int *fds, struct error *error);

#endif
