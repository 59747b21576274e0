/* Features of the kernel: what is tried, what a user goes without, and how to mend it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "lab/doctor_parts.h"
#include "process/told.h"
#include "process/userns.h"

enum { TRIAL_SECONDS = 30 };

/* Topologies of which each asks for one thing more. */
#define TOPOLOGY(nodes, links) "name: d\ntopology:\n  nodes: {" nodes "}\n  links: [" links "]\n"
#define PAIR(more)                                                                                 \
	TOPOLOGY("a: {" more "}, b: {}",                                                           \
		"{endpoints: [\"a:eth0\", \"b:eth0\"], ipv4: [192.0.2.1/30, 192.0.2.2/30]}")
#define RULES                                                                                      \
	"nftables: \"table ip nat { chain out { type nat hook postrouting priority 100; "          \
	"oifname eth0 masquerade; }; }\""
#define NEWER "a newer kernel"

struct feature {
	const char *name;
	enum doctor_need need;
	doctor_trial trial;
	const char *argument;
	const char *tried, *costs;
	const char *module; /* of the kernel, that has it; NULL: that is not the question */
	const char *mend; /* where there is no such module, or it is not the question */
	const char *mend_root; /* for who is root already; NULL: the same */
};

/* Needed by nobody but commands of nodes. */
#define BY_HAND(name, trial, kind, module, tried, command)                                         \
	{                                                                                          \
		name, DOCTOR_SOME_LABS, trial, kind, tried,                                        \
			"`" command "` in a node fails; sim itself does without", module,          \
			STOCK(module), NULL                                                        \
	}
#define STOCK(module)                                                                              \
	"a kernel with the module " module ", as those of distributions are (Debian's cloud "      \
	"kernel and WSL's are not)"
#define DELEGATE "sudo; or systemd-run --user --scope -p Delegate=yes sim ..."
#define CGROUPS                                                                                    \
	"a machine with control groups mounted at /sys/fs/cgroup; of a container: --privileged"

static const struct feature features[] = {
	{"privilege", DOCTOR_EVERY_LAB, trial_privilege, NULL,
		"root's rights, else a user namespace in which the user is root",
		"no lab can be built", NULL, NULL, NULL},
	{"network namespaces", DOCTOR_EVERY_LAB, trial_topology, TOPOLOGY("a: {}, b: {}", ""),
		"two nodes without a link", "no lab can be built: each node is one", NULL,
		"sudo sysctl -w user.max_net_namespaces=20000; of a container: --cap-add SYS_ADMIN",
		NULL},
	{"veth pairs", DOCTOR_EVERY_LAB, trial_topology, PAIR(""),
		"a pair with one queue, made straight into two nodes, with addresses",
		"no link can be built", "veth", STOCK("veth"), NULL},
	{"bridges", DOCTOR_EVERY_LAB, trial_topology,
		TOPOLOGY("s: {kind: switch, ipv4: 192.0.2.0/24}, a: {}", "{endpoints: [a, s]}"),
		"a switch with a port", "no topology with a switch can be built", "bridge",
		STOCK("bridge"), NULL},
	{"routes and forwarding", DOCTOR_EVERY_LAB, trial_topology,
		"name: d\ntopology:\n  ipv4: 192.0.2.0/24\n  nodes: {a: {}, r: {kind: router}, b: "
		"{}}\n  links: [{endpoints: [a, r]}, {endpoints: [r, b]}]\n",
		"a router between two hosts", "no topology with a router can be built", NULL,
		"/proc/sys has to be writable: of a container, --security-opt "
		"systempaths=unconfined",
		NULL},
	{"processes that end with the lab", DOCTOR_EVERY_LAB, trial_processes, NULL,
		"a PID namespace whose init is killed, and a process in it", "no lab can be run",
		NULL, "Linux 5.3 or newer with CONFIG_PID_NS; of a container: --cap-add SYS_ADMIN",
		NULL},
	{"nodes' own files", DOCTOR_EVERY_LAB, trial_room, NULL,
		"mount and UTS namespaces, an overlay of /etc, a fresh /run and /tmp",
		"no program runs in a node", "overlay",
		"Linux 5.11 or newer with overlayfs; of a container: --cap-add SYS_ADMIN "
		"--security-opt apparmor=unconfined",
		NULL},
	{"low ports", DOCTOR_EVERY_LAB, trial_low_ports, NULL, "TCP port 21 and UDP port 67",
		"servers of DHCP and FTP cannot start", NULL,
		"of a container: --cap-add NET_BIND_SERVICE", NULL},
	{"capture", DOCTOR_EVERY_LAB, trial_capture, NULL,
		"a frame sent over a veth pair and captured in a ring",
		"reports have no messages, and steps that ask for them fail", "af_packet",
		"of a container: --cap-add NET_RAW", NULL},
	{"events", DOCTOR_EVERY_LAB, trial_events, NULL, "an interface set down, and told of",
		"reports do not have what the kernel did", NULL, NEWER, NULL},

	{"IPv6", DOCTOR_SOME_LABS, trial_topology,
		TOPOLOGY("a: {}, b: {}", "{endpoints: [a, b], ipv6: [\"2001:db8::1/64\", "
					 "\"2001:db8::2/64\"]}"),
		"a link with IPv6 addresses", "topologies with IPv6 cannot be built (dual-stack)",
		"ipv6", "boot without ipv6.disable=1", NULL},
	{"nftables", DOCTOR_SOME_LABS, trial_topology, PAIR(RULES), "a node that masquerades",
		"topologies with NAT or firewall rules cannot be built", "nf_tables",
		STOCK("nf_tables"), NULL},
	{"rate", DOCTOR_SOME_LABS, trial_topology,
		TOPOLOGY("a: {}, b: {}", "{endpoints: [a, b], ipv4: [192.0.2.1/30, 192.0.2.2/30], "
					 "rate: 10mbit}"),
		"a link with a token bucket", "topologies with `rate` cannot be built", "sch_tbf",
		STOCK("sch_tbf"), NULL},
	{"long interface names", DOCTOR_SOME_LABS, trial_long_name, NULL,
		"an alternative name of 36 characters",
		"in a node, interfaces with a name over 15 characters have their short one alone",
		NULL, "Linux 5.5 or newer", NULL},
	{"limits on processes", DOCTOR_SOME_LABS, trial_group, "pids",
		"a control group with a limit on processes",
		"sim grade limits each process of a submission, not all of them together; root's "
		"labs may start any number",
		NULL, DELEGATE, CGROUPS},
	{"limits on memory", DOCTOR_SOME_LABS, trial_group, "memory",
		"a control group with a limit on memory",
		"`memory` of a node does not hold; sim grade limits each process of a submission, "
		"not all of them together",
		NULL, DELEGATE, CGROUPS},
	{"limits on processors", DOCTOR_SOME_LABS, trial_group, "cpu",
		"a control group with a limit on processor time", "`cpu` of a node does not hold",
		NULL, DELEGATE, CGROUPS},
	{"Landlock", DOCTOR_SOME_LABS, trial_landlock, NULL, "a process that may write to no file",
		"servers and dot are confined by users and capabilities alone", NULL,
		"Linux 5.13 or newer, booted with landlock among lsm=", NULL},
	{"offloaded frames", DOCTOR_SOME_LABS, trial_offloads, NULL,
		"a packet socket that is told of checksums left to do",
		"programs of your own that forward frames see wrong checksums", NULL,
		"of a container: --cap-add NET_RAW", NULL},
	BY_HAND("netem", trial_queue_kind, "netem", "sch_netem", "a netem queue on an interface",
		"tc qdisc add ... netem"),
	BY_HAND("VLAN", trial_link_kind, "vlan", "8021q", "a VLAN on an interface",
		"ip link add ... type vlan"),
	BY_HAND("VRF", trial_link_kind, "vrf", "vrf", "a VRF", "ip link add ... type vrf"),
	BY_HAND("dummy interfaces", trial_link_kind, "dummy", "dummy", "a dummy interface",
		"ip link add ... type dummy"),
};

static _Noreturn void try_in_child(const struct feature *feature, int told)
{
	struct error error = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int status = userns_enter_if_needed(&error);
	if (status == 0)
		status = feature->trial(feature->argument, &error);
	told_send(told, status < 0 ? &error : NULL);
	_exit(0);
}

/* Whether the child has said something in time. */
static bool await(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready;
	do
		ready = poll(&wait, 1, (int)(TRIAL_SECONDS * 1000 * clock_scale()));
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* In a process and namespaces of its own: whatever it does ends with it. */
static int try_feature(const struct feature *feature, struct error *error)
{
	int told[2];
	if (pipe2(told, O_CLOEXEC) < 0)
		return error_system(error, -errno, "cannot create a pipe");
	CLEANUP(close_fd) int told_by = told[0], tell_to = told[1];
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return error_system(error, -errno, "cannot create a process");
	if (pid == 0)
		try_in_child(feature, tell_to);
	close_fd(&tell_to);
	int status = await(told_by) ? told_await(told_by, false, "the process that tried it", error)
				    : error_set(error, -ETIME, "it did not end within %u s",
					      TRIAL_SECONDS * clock_scale());
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Whether the running kernel's modules have it, to be loaded. */
static bool module_there(const char *module)
{
	struct utsname system;
	if (uname(&system) < 0)
		return false;
	CLEANUP(free_pointer)
	char *path = text_format("/lib/modules/%s/modules.dep", system.release);
	CLEANUP(free_pointer) char *name = text_format("/%s.ko", module);
	CLEANUP(close_file) FILE *file = path ? fopen(path, "re") : NULL;
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0;
	while (file && name && getline(&line, &size, file) > 0) {
		line[strcspn(line, ":")] = '\0';
		if (strstr(line, name))
			return true;
	}
	return false;
}

/* Version 2 is there, and root's to share out. */
static bool can_share_groups(void)
{
	return access("/sys/fs/cgroup/cgroup.subtree_control", W_OK) == 0;
}

static char *find_mend(const struct feature *feature, const struct places *places)
{
	struct text text = {0};
	CLEANUP(free_pointer) char *program = text_format("%s/sim", places->programs);
	if (feature->module && module_there(feature->module))
		text_append(&text, "sudo modprobe %s", feature->module);
	else if (feature->trial == trial_group && can_share_groups())
		text_append(
			&text, "echo +pids +memory +cpu > /sys/fs/cgroup/cgroup.subtree_control");
	else if (geteuid() == 0 && feature->mend_root)
		text_append(&text, "%s", feature->mend_root);
	else if (feature->mend)
		text_append(&text, "%s", feature->mend);
	else
		userns_mend(program ? program : "sim", &text);
	return text_take(&text);
}

static int find_feature(const struct feature *feature, const struct places *places,
	struct doctor *doctor, struct error *error)
{
	struct doctor_finding *finding = &doctor->findings[doctor->finding_count++];
	struct error why = {0};
	*finding = (struct doctor_finding){.name = feature->name,
		.need = feature->need,
		.tried = feature->tried,
		.costs = feature->costs};
	/* All others are tried with the privilege that comes first. */
	if (doctor->findings[0].state == DOCTOR_MISSING) {
		finding->state = DOCTOR_UNTRIED;
		return 0;
	}
	if (try_feature(feature, &why) == 0)
		return 0;
	finding->state = DOCTOR_MISSING;
	snprintf(finding->found, sizeof(finding->found), "%s", why.text);
	finding->mend = find_mend(feature, places);
	return finding->mend ? 0 : error_set(error, -ENOMEM, "out of memory");
}

int doctor_find_features(const struct places *places, struct doctor *doctor, struct error *error)
{
	int status = 0;
	doctor->findings = calloc(ARRAY_LENGTH(features), sizeof(*doctor->findings));
	if (!doctor->findings)
		return error_set(error, -ENOMEM, "out of memory");
	doctor->able = true;
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(features); i++) {
		status = find_feature(&features[i], places, doctor, error);
		const struct doctor_finding *finding = &doctor->findings[i];
		doctor->able &= finding->need != DOCTOR_EVERY_LAB || finding->state == DOCTOR_HOLDS;
	}
	return status;
}
