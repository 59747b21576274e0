#include "dhcp/action.h"

/* Of a step's actions other than reports there are never more than these: see the machines. */
enum { NOT_REPORTS_MAX = 8 };

void dhcp_actions_init(struct dhcp_actions *actions)
{
	actions->count = 0;
	actions->deadline_ns = DHCP_NEVER;
	actions->message_length = 0;
}

static struct dhcp_action *actions_add(struct dhcp_actions *actions, enum dhcp_action_kind kind)
{
	unsigned room = kind == DHCP_REPORT ? DHCP_ACTIONS_MAX - NOT_REPORTS_MAX : DHCP_ACTIONS_MAX;
	if (actions->count >= room)
		return NULL;
	struct dhcp_action *action = &actions->list[actions->count++];
	action->kind = kind;
	return action;
}

struct dhcp_lease_record *dhcp_actions_save(struct dhcp_actions *actions)
{
	struct dhcp_action *action = actions_add(actions, DHCP_SAVE_LEASE);
	return action ? &action->lease : NULL;
}

void dhcp_actions_send(struct dhcp_actions *actions, const struct dhcp_destination *destination)
{
	struct dhcp_action *action = actions_add(actions, DHCP_SEND);
	if (action)
		action->destination = *destination;
}

void dhcp_actions_probe(struct dhcp_actions *actions, const struct dhcp_probe *probe)
{
	struct dhcp_action *action = actions_add(actions, DHCP_PROBE);
	if (action)
		action->probe = *probe;
}

void dhcp_actions_report(struct dhcp_actions *actions, const struct dhcp_report *report)
{
	struct dhcp_action *action = actions_add(actions, DHCP_REPORT);
	if (action)
		action->report = *report;
}

void dhcp_actions_configure(struct dhcp_actions *actions, enum dhcp_action_kind kind,
	const struct dhcp_configuration *configuration)
{
	struct dhcp_action *action = actions_add(actions, kind);
	if (action)
		action->configuration = *configuration;
}

void dhcp_actions_finish(struct dhcp_actions *actions)
{
	actions_add(actions, DHCP_FINISH);
}
