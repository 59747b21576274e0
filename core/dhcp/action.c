#include "dhcp/action.h"

/* Of a step's actions other than reports there are never more than these: see the machines. */
enum { NOT_REPORTS_MAX = 8 };

static const char *const reason_names[] = {
	[DHCP_CHANGE_BOUND] = "bound",
	[DHCP_CHANGE_RENEWED] = "renewed",
	[DHCP_CHANGE_KEPT] = "kept",
	[DHCP_CHANGE_LINK_BACK] = "link-back",
	[DHCP_CHANGE_INFORMED] = "informed",
	[DHCP_CHANGE_EXPIRED] = "expired",
	[DHCP_CHANGE_REPLACED] = "replaced",
	[DHCP_CHANGE_RELEASED] = "released",
	[DHCP_CHANGE_REFUSED] = "refused",
	[DHCP_CHANGE_DECLINED] = "declined",
	[DHCP_CHANGE_UNANSWERED] = "unanswered",
	[DHCP_CHANGE_DEFENDED] = "defended",
};

const char *dhcp_change_reason_name(enum dhcp_change_reason reason)
{
	return reason_names[reason];
}

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

void dhcp_actions_change(
	struct dhcp_actions *actions, enum dhcp_action_kind kind, const struct dhcp_change *change)
{
	struct dhcp_action *action = actions_add(actions, kind);
	if (action)
		action->change = *change;
}

void dhcp_actions_arp(struct dhcp_actions *actions, const struct dhcp_arp *arp)
{
	struct dhcp_action *action = actions_add(actions, DHCP_ARP);
	if (action)
		action->arp = *arp;
}

void dhcp_actions_finish(struct dhcp_actions *actions)
{
	actions_add(actions, DHCP_FINISH);
}
