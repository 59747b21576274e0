#include "scenario/check.h"

#include <string.h>

#include "base/cleanup.h"
#include "dhcp/protocol.h"
#include "ftp/command.h"
#include "topology/problems.h"

enum { NAMES_MOST = 128, DHCP_TYPES_MOST = 18 };

static int check_addresses(const struct plan *plan, const struct step *step, struct error *error)
{
	for (size_t i = 0; i < step->node_count; i++)
		if (strcmp(step->object, "lo") != 0 &&
			!plan_find_interface(&plan->nodes[step->nodes[i]], step->object))
			return plan_fail(plan, step->mark, error, "'%s' has no interface '%s'",
				plan->nodes[step->nodes[i]].node->name, step->object);
	return 0;
}

/* The cable that is meant is there, and can be put in where it is to go. */
static int check_cable(const struct plan *plan, const struct step *step, struct error *error)
{
	for (size_t i = 0; i < step->node_count; i++) {
		const struct plan_node *node = &plan->nodes[step->nodes[i]];
		const struct plan_interface *interface = plan_cable(node, step->interface);
		if (!interface && !step->interface)
			return plan_fail(plan, step->mark, error,
				"'%s' has %zu interfaces: say which with 'interface'",
				node->node->name, node->interface_count);
		if (!interface)
			return plan_fail(plan, step->mark, error, "'%s' has no interface '%s'",
				node->node->name, step->interface);
		const struct plan_end *far = &plan->links[interface->link].ends[!interface->end];
		if (step->kind == STEP_MOVE && plan->nodes[far->node].node->kind != NODE_SWITCH)
			return plan_fail(plan, step->mark, error,
				"the cable at %s:%s leads to '%s', and only one that leads to a "
				"switch can be moved",
				node->node->name, interface->name,
				plan->nodes[far->node].node->name);
	}
	return 0;
}

/* The names that the decoder of observe/ gives. */
static size_t message_names(const char *names[static NAMES_MOST])
{
	static const char *const words[] = {"SYN", "SYN-ACK", "ACK", "FIN", "RST", "Give me IP",
		"IP", "No IPs left", "release", "greeting", "name", "file", "File not found",
		"end"};
	size_t count = 0;
	for (; count < ARRAY_LENGTH(words); count++)
		names[count] = words[count];
	for (unsigned type = 1; type <= DHCP_TYPES_MOST; type++)
		if (strcmp(dhcp_message_type_name(type), dhcp_message_type_name(0)) != 0)
			names[count++] = dhcp_message_type_name(type);
	for (unsigned verb = FTP_UNKNOWN + 1; verb < FTP_VERB_COUNT && count < NAMES_MOST; verb++)
		names[count++] = ftp_verb_name((enum ftp_verb)verb);
	return count;
}

static bool is_reply_code(const char *name)
{
	return strlen(name) == 3 && strspn(name, "0123456789") == 3 && name[0] >= '1' &&
	       name[0] <= '6';
}

/* A filter that no such message can pass would count none, whatever was sent. */
static int check_filter(const struct plan *plan, const struct step *step, struct error *error)
{
	const struct message_filter *filter = &step->filter;
	bool is_dhcp = text_starts_with(step->object, "DHCP");
	bool of_dhcp = filter->has_giaddr || filter->has_address || filter->has_client ||
		       filter->has_lease;
	if (of_dhcp && !is_dhcp)
		return plan_fail(plan, step->mark, error,
			"'giaddr', 'address', 'client' and 'lease' are of DHCP messages, not of %s",
			step->object);
	if (filter->text && is_dhcp)
		return plan_fail(
			plan, step->mark, error, "a DHCP message has no text: 'text' is of lines");
	return 0;
}

static bool node_is_captured(const struct plan *plan, size_t node)
{
	const struct plan_node *planned = &plan->nodes[node];
	for (size_t i = 0; i < planned->interface_count; i++)
		if (plan->links[planned->interfaces[i].link].captured)
			return true;
	return false;
}

static int check_messages(const struct plan *plan, const struct step *step, struct error *error)
{
	const char *names[NAMES_MOST];
	size_t count = message_names(names);
	int status = check_filter(plan, step, error);
	if (status < 0)
		return status;
	if (!plan->topology->capture)
		return plan_fail(plan, step->mark, error,
			"'messages' needs the capture, and this topology says capture: none");
	bool known = is_reply_code(step->object);
	for (size_t i = 0; i < count; i++)
		known |= strcmp(names[i], step->object) == 0;
	const char *nearest = known ? NULL : text_nearest(step->object, names, count);
	if (!known)
		return plan_fail(plan, step->mark, error,
			"'%s' is no message of DHCP, FTP, TCP or the text protocols%s%s%s",
			step->object, nearest ? "; did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	bool missing = plan->topology->missing & MISSING_LINKS;
	for (size_t i = 0; !missing && i < step->node_count; i++)
		if (!node_is_captured(plan, step->nodes[i]))
			return plan_fail(plan, step->mark, error,
				"'messages' needs the capture, and of the links of '%s' there is "
				"none",
				plan->nodes[step->nodes[i]].node->name);
	return 0;
}

static int check_file(
	const struct plan *plan, const struct step *step, const char *written, struct error *error)
{
	const char *colon = strchr(written, ':');
	CLEANUP(free_pointer)
	char *name = colon ? strndup(written, (size_t)(colon - written)) : NULL;
	if (!name || !colon[1] || topology_find_node(plan->topology, name) < 0)
		return plan_fail(plan, step->mark, error,
			"'%s' is not written as NODE:FILE with a node of this topology", written);
	return 0;
}

static bool is_started(const struct plan *plan, const struct scenario *scenario,
	const struct step *step, size_t node, const char *name)
{
	for (size_t i = 0; i < plan->nodes[node].process_count; i++)
		if (strcmp(plan->nodes[node].processes[i].spec->name, name) == 0)
			return true;
	for (const struct step *earlier = scenario->steps; earlier < step; earlier++) {
		if (earlier->kind != STEP_START || strcmp(earlier->process, name) != 0)
			continue;
		for (size_t i = 0; i < earlier->node_count; i++)
			if (earlier->nodes[i] == node)
				return true;
	}
	return false;
}

static int check_process(const struct plan *plan, const struct scenario *scenario,
	const struct step *step, struct error *error)
{
	const char *name = step->kind == STEP_SEND ? step->process : step->object;
	bool missing = plan->topology->missing & MISSING_STEPS;
	for (size_t i = 0; i < step->node_count; i++)
		if (!missing && !plan->nodes[step->nodes[i]].node->faulty &&
			!is_started(plan, scenario, step, step->nodes[i], name))
			return plan_fail(plan, step->mark, error,
				"nothing is started under the name '%s' on '%s' before this step",
				name, plan->nodes[step->nodes[i]].node->name);
	return 0;
}

static int check_step(const struct plan *plan, const struct scenario *scenario,
	const struct step *step, struct error *error)
{
	bool missing = plan->topology->missing & (MISSING_LINKS | MISSING_SWITCHES);
	int status = 0;
	switch (step->kind) {
	case STEP_SEND:
	case STEP_WATCH:
	case STEP_STOP:
	case STEP_KILL:
		return check_process(plan, scenario, step, error);
	case STEP_ADDRESSES:
		return missing ? 0 : check_addresses(plan, step, error);
	case STEP_MESSAGES:
		return check_messages(plan, step, error);
	case STEP_LINK:
	case STEP_MOVE:
		return missing ? 0 : check_cable(plan, step, error);
	case STEP_SAME_FILES:
		status = check_file(plan, step, step->object, error);
		return status < 0 ? status : check_file(plan, step, step->other_object, error);
	case STEP_RUN:
	case STEP_START:
	case STEP_ROUTE:
	case STEP_NODE:
	case STEP_KINDS:
		break;
	}
	return 0;
}

int scenario_check(const struct plan *plan, struct error *error)
{
	int result = 0;
	for (size_t i = 0; i < plan->topology->scenario_count; i++) {
		const struct scenario *scenario = &plan->topology->scenarios[i];
		for (size_t j = 0; j < scenario->step_count; j++) {
			int status = check_step(plan, scenario, &scenario->steps[j], error);
			if (!problems_go_on(plan->topology->problems, status, &result))
				return result;
		}
	}
	return result;
}
