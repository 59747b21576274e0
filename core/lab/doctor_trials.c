#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/privilege.h"
#include "kernel/fabric.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/probe.h"
#include "lab/doctor_parts.h"
#include "observe/capture.h"
#include "observe/rtnetlink.h"
#include "process/group.h"
#include "process/room.h"
#include "topology/read.h"

enum {
	WAIT_MS = 5000, /* for what takes the kernel a moment */
	AGAIN_MS = 20,
	EXPERIMENTAL = ETH_P_802_EX1, /* the type of frames that are nobody's */
};

static const char pair[] =
	"name: doctor\ntopology:\n  nodes: {a: {}, b: {}}\n  links: [{endpoints: [\"a:eth0\", "
	"\"b:eth0\"], ipv4: [192.0.2.1/30, 192.0.2.2/30]}]\n";

/* A small lab as far as the kernel is concerned. */
struct stage {
	struct topology topology;
	struct plan plan;
	struct fabric fabric;
};

static void stage_finish(struct stage *stage)
{
	fabric_finish(&stage->fabric);
	plan_finish(&stage->plan);
	topology_finish(&stage->topology);
}

/* "PATH:LINE:COLUMN: sentence": a place in a file that nobody has says nothing. */
static int without_place(const char *path, struct error *error)
{
	const char *at = text_starts_with(error->text, path) ? strstr(error->text, ": ") : NULL;
	if (at)
		memmove(error->text, at + 2, strlen(at + 2) + 1);
	return error->code;
}

/* Read, planned and built as any other topology; its file is in no folder. */
static int stage_build(const char *text, struct stage *stage, struct error *error)
{
	char path[32];
	CLEANUP(close_fd) int fd = memfd_create("doctor", MFD_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return error_system(error, -errno, "cannot keep the topology");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int status = topology_read(path, NULL, 0, &stage->topology, error);
	if (status == 0)
		status = plan_make(&stage->topology, &stage->plan, error);
	struct progress nobody = {0};
	if (status == 0)
		status = fabric_build(&stage->plan, &nobody, &stage->fabric, error);
	return status < 0 ? without_place(path, error) : 0;
}

/* Whether the descriptor becomes readable in time. */
static bool await(int fd, int most_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready;
	do
		ready = poll(&wait, 1, most_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

int trial_privilege(const char *argument, struct error *error)
{
	(void)argument;
	(void)error;
	return 0; /* who tries has it already */
}

int trial_topology(const char *text, struct error *error)
{
	CLEANUP(stage_finish) struct stage stage = {0};
	return stage_build(text, &stage, error);
}

static int in_own_network(struct error *error)
{
	CLEANUP(close_fd) int fd = -1;
	return netns_create(&fd, error);
}

int trial_link_kind(const char *kind, struct error *error)
{
	int status = in_own_network(error);
	return status < 0 ? status : probe_link_kind(kind, error);
}

int trial_queue_kind(const char *kind, struct error *error)
{
	int status = in_own_network(error);
	return status < 0 ? status : probe_queue_kind(kind, error);
}

int trial_long_name(const char *argument, struct error *error)
{
	(void)argument;
	int status = in_own_network(error);
	return status < 0 ? status : probe_alternative_name(error);
}

int trial_low_ports(const char *argument, struct error *error)
{
	static const struct {
		int type;
		uint16_t port;
	} ports[] = {{SOCK_STREAM, 21}, {SOCK_DGRAM, 67}};
	(void)argument;
	int status = in_own_network(error);
	for (size_t i = 0; status == 0 && i < ARRAY_LENGTH(ports); i++) {
		struct sockaddr_in address = {
			.sin_family = AF_INET, .sin_port = htons(ports[i].port)};
		CLEANUP(close_fd) int fd = socket(AF_INET, ports[i].type | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			status = error_system(error, -errno, "cannot use port %u", ports[i].port);
	}
	return status;
}

int trial_offloads(const char *argument, struct error *error)
{
	int on = 1;
	(void)argument;
	int status = in_own_network(error);
	if (status < 0)
		return status;
	CLEANUP(close_fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return error_system(error, -errno, "cannot ask for frames' offloads");
	return 0;
}

/* The init is killed; then what was born in its namespace must be dead, by SIGKILL. It is reaped. */
static int dies_with_init(const struct lab_init *init, pid_t pid, struct error *error)
{
	int ended, status = 0;
	CLEANUP(close_fd) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		status = error_system(error, -errno, "cannot open a process by descriptor");
	kill(init->pid, SIGKILL);
	if (status == 0 && !await(fd, WAIT_MS * (int)clock_scale()))
		status = error_set(error, -ETIME, "a process outlived the first of its namespace");
	if (status < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
		;
	if (status == 0 && !WIFSIGNALED(ended))
		status = error_set(error, -EIO, "a process ended of itself");
	return status;
}

int trial_processes(const char *argument, struct error *error)
{
	CLEANUP(lab_init_stop) struct lab_init init = LAB_INIT_NONE;
	(void)argument;
	int status = lab_init_start(&init, error);
	if (status < 0)
		return status;
	pid_t pid = lab_init_fork(&init, error);
	if (pid == 0)
		for (;;)
			pause();
	return pid < 0 ? pid : dies_with_init(&init, pid, error);
}

enum { ROOM_WELL, ROOM_ENTER, ROOM_NAME, ROOM_ETC, ROOM_RUN, ROOM_ANSWERS };

/* In the node: what programs do there that they could not do on the host. */
static _Noreturn void use_room(const struct room *room)
{
	char name[64] = "";
	struct error ignored;
	if (room_enter(room, &ignored) < 0)
		_exit(ROOM_ENTER);
	if (gethostname(name, sizeof(name) - 1) < 0 || strcmp(name, "a") != 0)
		_exit(ROOM_NAME);
	CLEANUP(close_fd)
	int fd = open("/etc/resolv.conf.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || rename("/etc/resolv.conf.new", "/etc/resolv.conf") < 0)
		_exit(ROOM_ETC);
	close(fd);
	fd = open("/run/here", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	_exit(fd < 0 ? ROOM_RUN : ROOM_WELL);
}

int trial_room(const char *argument, struct error *error)
{
	static const char *const answers[ROOM_ANSWERS] = {
		[ROOM_ENTER] = "cannot enter a node's namespaces",
		[ROOM_NAME] = "a node has no host name of its own",
		[ROOM_ETC] = "no file can be renamed onto /etc/resolv.conf in a node",
		[ROOM_RUN] = "a node's /run cannot be written to",
	};
	static const char *const kept[] = {NULL};
	CLEANUP(lab_init_stop) struct lab_init init = LAB_INIT_NONE;
	CLEANUP(stage_finish) struct stage stage = {0};
	(void)argument;
	int status = lab_init_start(&init, error);
	if (status == 0)
		status = stage_build(pair, &stage, error);
	struct room_setup setup = {.init = &init, .hosts = stage.plan.hosts, .kept = kept};
	setup.room = (struct room){
		&stage.fabric.shelf, 0, stage.plan.nodes ? stage.plan.nodes[0].node : NULL};
	if (status == 0)
		status = room_create(&setup, error);
	pid_t pid = status == 0 ? lab_init_fork(&init, error) : status;
	if (pid == 0)
		use_room(&setup.room);
	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	int answer = WIFEXITED(status) ? WEXITSTATUS(status) : ROOM_ENTER;
	return answer ? error_set(error, -EIO, "%s",
				answers[answer < ROOM_ANSWERS ? answer : ROOM_ENTER])
		      : 0;
}

static const uint8_t sent[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1,
	EXPERIMENTAL >> 8, EXPERIMENTAL & 0xff, 'd', 'o', 'c', 't', 'o', 'r'};

static int send_frame(const struct stage *stage, struct error *error)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
		.sll_ifindex = (int)stage->plan.nodes[0].interfaces[0].ifindex};
	CLEANUP(close_fd) int netns = -1;
	int status = fabric_netns(&stage->fabric, 0, &netns, error);
	if (status == 0)
		status = netns_enter(netns, error);
	if (status < 0)
		return status;
	CLEANUP(close_fd) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, sent, sizeof(sent), 0, (struct sockaddr *)&address,
			      sizeof(address)) != sizeof(sent))
		return error_system(error, -errno, "cannot send a frame");
	return 0;
}

static void on_frame(void *argument, const struct capture_frame *frame)
{
	bool *seen = argument;
	*seen |= frame->captured == sizeof(sent) && memcmp(frame->bytes, sent, sizeof(sent)) == 0;
}

int trial_capture(const char *argument, struct error *error)
{
	CLEANUP(stage_finish) struct stage stage = {0};
	CLEANUP(close_fd) int netns = -1;
	struct capture capture;
	bool seen = false;
	(void)argument;
	int status = stage_build(pair, &stage, error);
	if (status == 0)
		status = fabric_netns(&stage.fabric, 1, &netns, error);
	if (status == 0)
		status = captures_open(
			&(struct capture_place){"b:eth0", netns, "eth0"}, 1, &capture, error);
	if (status < 0)
		return status;
	/* The kernel may need a moment until a new link carries frames: what comes before is lost. */
	for (int i = 0; status == 0 && !seen && i < WAIT_MS / AGAIN_MS * (int)clock_scale(); i++) {
		status = send_frame(&stage, error);
		if (status == 0 && await(capture.fd, AGAIN_MS) &&
			capture_read(&capture, 1, on_frame, &seen, error) < 0)
			status = error->code;
	}
	captures_close(&capture, 1);
	return status < 0 || seen ? status
				  : error_set(error, -ETIME, "a frame that was sent was not seen");
}

int trial_events(const char *argument, struct error *error)
{
	CLEANUP(stage_finish) struct stage stage = {0};
	CLEANUP(close_fd) int netns = -1;
	CLEANUP(close_fd) int events = -1;
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	(void)argument;
	int status = stage_build(pair, &stage, error);
	if (status == 0)
		status = fabric_netns(&stage.fabric, 0, &netns, error);
	if (status == 0)
		status = rtnetlink_open(netns, RTMGRP_LINK, &events, error);
	if (status == 0)
		status = netns_enter(netns, error);
	if (status == 0)
		status = link_socket_open(&socket, error);
	if (status == 0)
		status = link_down(&socket, stage.plan.nodes[0].interfaces[0].ifindex, error);
	if (status == 0)
		status = link_flush(&socket, error);
	if (status == 0 && !await(events, WAIT_MS * (int)clock_scale()))
		status = error_set(error, -ETIME, "an interface went down, and no event said so");
	return status;
}

int trial_landlock(const char *argument, struct error *error)
{
	(void)argument;
	int status = privileges_keep(0, error);
	if (status < 0)
		return status;
	if (!privileges_read_only())
		return error_set(
			error, -EOPNOTSUPP, "this kernel has no Landlock, or boots without it");
	CLEANUP(close_fd) int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? 0 : error_set(error, -EIO, "a file could be opened in spite of it");
}

int trial_group(const char *controller, struct error *error)
{
	CLEANUP(group_remove) struct group group = GROUP_NONE;
	const struct group_limits limits = {
		.processes = 64, .memory_bytes = 64 << 20, .cpu_thousandths = 500};
	group_create(&limits, NULL, &group);
	bool holds = strcmp(controller, "pids") == 0  ? group.holds[GROUP_PROCESSES]
		     : strcmp(controller, "cpu") == 0 ? group.holds[GROUP_CPU]
						      : group.holds[GROUP_MEMORY];
	if (holds)
		return 0;
	return error_set(error, -EPERM,
		"no control group with `%s` may be made here: neither as root nor by delegation",
		controller);
}
