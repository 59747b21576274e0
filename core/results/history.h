/* The runs that are in the results folder: what `sim list` shows. */
#ifndef RESULTS_HISTORY_H
#define RESULTS_HISTORY_H

#include "base/json.h"

/*
 * An array of {topology, run, path, started, held, scenarios_held, scenario_count}, by topology and
 * time. A run that did not end has no "held". A results folder that does not exist has no runs.
 * NULL when memory is gone.
 */
json_t *history_read(const char *results);

#endif
