/* A text of several lines in a topology file, and where each of its lines stands there. */
#ifndef TOPOLOGY_BLOCK_H
#define TOPOLOGY_BLOCK_H

#include "topology/model.h"

/*
 * Where line `line`, column `column` (both from 1) of the text stand in its file; line 0: where the
 * text begins. *ret_exact: whether that line could be told, which takes a block (`|`) whose variables
 * bring no lines.
 */
struct mark block_place(const struct topology *topology, const struct block *block, unsigned line,
	unsigned column, bool *ret_exact);

#endif
