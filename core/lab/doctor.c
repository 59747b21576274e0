#include "lab/doctor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/system_limits.h"
#include "lab/doctor_parts.h"

const char *const doctor_state_names[] = {
	[DOCTOR_HOLDS] = "holds", [DOCTOR_MISSING] = "missing", [DOCTOR_UNTRIED] = "untried"};

static const struct doctor_tool tools[] = {
	{"dot", "reports have no picture, and sim graph draws none", "graphviz", false},
	{"ip", "addresses and routes cannot be looked at by hand in a node", "iproute2", false},
	{"tc", "queues cannot be looked at by hand in a node", "iproute2", false},
	{"nft", "rules cannot be looked at by hand in a node", "nftables", false},
	{"tshark", "no `sim capture NODE | tshark -r -`", "tshark", false},
	{"wireshark", "no `sim capture NODE | wireshark -k -i -`", "wireshark", false},
};

static bool in_path(const char *name)
{
	CLEANUP(free_pointer) char *path = strdup(getenv("PATH") ? getenv("PATH") : "");
	char *rest = path;
	for (char *folder; (folder = strsep(&rest, ":"));) {
		CLEANUP(free_pointer)
		char *file = text_format("%s/%s", *folder ? folder : ".", name);
		if (file && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

int doctor_find_tools(struct doctor *doctor, struct error *error)
{
	doctor->tools = malloc(sizeof(tools));
	if (!doctor->tools)
		return error_set(error, -ENOMEM, "out of memory");
	memcpy(doctor->tools, tools, sizeof(tools));
	doctor->tool_count = ARRAY_LENGTH(tools);
	for (size_t i = 0; i < ARRAY_LENGTH(tools); i++)
		doctor->tools[i].there = in_path(tools[i].name);
	return 0;
}

/* What explains refusals better than the kernel does. */
static const char *find_surroundings(const struct utsname *system)
{
	static const char *const marks[] = {
		"/.dockerenv", "/run/.containerenv", "/run/systemd/container"};
	if (strstr(system->release, "icrosoft"))
		return "under WSL";
	for (size_t i = 0; i < ARRAY_LENGTH(marks); i++)
		if (access(marks[i], F_OK) == 0)
			return "in a container";
	return NULL;
}

static void find_machine(struct doctor *doctor)
{
	struct utsname system = {0};
	struct system_limit limits[SYSTEM_LIMITS];
	struct plan_needs none = {0};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uname(&system);
	snprintf(doctor->kernel, sizeof(doctor->kernel), "%.64s %.64s on %.64s", system.sysname,
		system.release, system.machine);
	doctor->root = geteuid() == 0;
	doctor->surroundings = find_surroundings(&system);
	doctor->processors = processors > 0 ? (unsigned)processors : 1;
	system_limits_list(&none, limits);
	for (size_t i = 0; i < ARRAY_LENGTH(limits); i++)
		if (strcmp(limits[i].what, SYSTEM_LIMIT_MEMORY) == 0)
			doctor->memory_bytes = limits[i].allowed;
}

int doctor_run(const struct places *places, struct doctor *ret_doctor, struct error *error)
{
	CLEANUP(doctor_finish) struct doctor doctor = {0};
	find_machine(&doctor);
	doctor_find_limits(&doctor);
	int status = doctor_find_features(places, &doctor, error);
	/* Nodes look for commands in the same folders. */
	if (status == 0)
		status = places_set_path(places, error);
	if (status == 0)
		status = doctor_find_tools(&doctor, error);
	if (status < 0)
		return status;
	*ret_doctor = doctor;
	doctor = (struct doctor){0};
	return 0;
}

static json_t *findings_json(const struct doctor *doctor)
{
	json_t *list = json_array();
	for (size_t i = 0; i < doctor->finding_count; i++) {
		const struct doctor_finding *finding = &doctor->findings[i];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "name",
				      finding->name, "for",
				      finding->need == DOCTOR_EVERY_LAB ? "every lab" : "some labs",
				      "tried", finding->tried, "state",
				      doctor_state_names[finding->state], "found",
				      json_text(*finding->found ? finding->found : NULL), "costs",
				      finding->costs, "mend", json_text(finding->mend)));
	}
	return list;
}

static json_t *number_json(uint64_t number)
{
	return number > INT64_MAX ? json_null() : json_integer((json_int_t)number);
}

static json_t *limits_json(const struct doctor *doctor)
{
	json_t *list = json_array();
	for (size_t i = 0; i < doctor->limit_count; i++) {
		const struct doctor_limit *limit = &doctor->limits[i];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:o, s:o, s:b, s:s, s:s, s:o}", "name", limit->name,
				"where", limit->where, "allowed", number_json(limit->allowed),
				"needed", number_json(limit->needed), "enough", !limit->mend, "of",
				limit->of_programs ? "programs" : "sim", "costs", limit->costs,
				"mend", json_text(limit->mend)));
	}
	return list;
}

static json_t *tools_json(const struct doctor *doctor)
{
	json_t *list = json_array();
	for (size_t i = 0; i < doctor->tool_count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:b, s:s, s:s}", "name", doctor->tools[i].name,
				      "there", doctor->tools[i].there, "costs",
				      doctor->tools[i].costs, "package", doctor->tools[i].package));
	return list;
}

json_t *doctor_json(const struct doctor *doctor)
{
	return json_pack("{s:b, s:b, s:s, s:s?, s:i, s:o, s:o, s:{s:I, s:I, s:s?}, s:i, s:o, s:o}",
		"able", doctor->able, "root", doctor->root, "kernel", doctor->kernel,
		"surroundings", doctor->surroundings, "processors", (int)doctor->processors,
		"memory_bytes", number_json(doctor->memory_bytes), "features",
		findings_json(doctor), "nodes", "bare", (json_int_t)doctor->nodes_bare, "running",
		(json_int_t)doctor->nodes_running, "limit", doctor->nodes_limit, "limits_for_nodes",
		(int)DOCTOR_NODES, "limits", limits_json(doctor), "tools", tools_json(doctor));
}

void doctor_finish(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->finding_count; i++)
		free(doctor->findings[i].mend);
	for (size_t i = 0; i < doctor->limit_count; i++)
		free(doctor->limits[i].mend);
	free(doctor->findings);
	free(doctor->tools);
	*doctor = (struct doctor){0};
}
