/* Which of the messages that were seen a `messages` step means. Pure. */
#ifndef SCENARIO_SELECTION_H
#define SCENARIO_SELECTION_H

#include "observe/fact.h"
#include "plan/plan.h"

/* The node that sent a message, index in plan.nodes. */
size_t message_sender(const struct plan *plan, const struct fact *message);

/* Whether `message` is one that `step`, a STEP_MESSAGES, counts. */
bool selection_fits(const struct plan *plan, const struct step *step, const struct fact *message);

/* " with giaddr 10.0.2.1, about client20": behind the message's name; nothing without a filter. */
void selection_describe(const struct step *step, struct text *text);

#endif
