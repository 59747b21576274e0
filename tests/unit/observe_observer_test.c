/*
 * observe/: the observer's process, watching the loopback of a network namespace of its own (in a
 * user namespace, so any user can run this where the system allows those).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "dhcp/message.h"
#include "observe/observer.h"
#include "observe/state.h"
#include "unit.h"

static int netns_fd = -1;
static struct shelf shelf = SHELF_NONE; /* netns_fd is its number 0 */

static bool namespace_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return netns_fd >= 0 && shelf_make(&shelf, NULL) == 0 &&
	       shelf_put(&shelf, SHELF_NETNS, &netns_fd, 1, NULL) == 0;
}

static void loopback_set(bool up)
{
	CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};
	EXPECT(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo: %s", strerror(errno));
}

static void send_discover(uint32_t xid)
{
	uint8_t payload[DHCP_MESSAGE_SIZE_DEFAULT];
	struct dhcp_builder builder;
	struct dhcp_header header = {.op = DHCP_OP_REQUEST, .xid = xid};
	dhcp_builder_init(&builder, payload, sizeof(payload), &header, DHCPDISCOVER);
	size_t length = dhcp_builder_finish(&builder);
	CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(DHCP_SERVER_PORT),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	EXPECT(sendto(fd, payload, length, 0, (struct sockaddr *)&to, sizeof(to)) ==
			(ssize_t)length,
		"sent: %s", strerror(errno));
}

static struct observed_link link_lo = {.name = "self:lo", .interface = "lo"};
static struct observed_node node_self = {.name = "self"};

static struct observer_setup setup_with(int capture_fd, uint64_t limit)
{
	return (struct observer_setup){.shelf = &shelf,
		.links = &link_lo,
		.link_count = 1,
		.nodes = &node_self,
		.node_count = 1,
		.capture_fd = capture_fd,
		.capture_limit = limit,
		.application = "test"};
}

/* The next fact, waiting for it; false at the end or on a fault. */
static bool next_fact(struct observer *observer, struct fact *ret_fact, struct error *error)
{
	for (;;) {
		int status = observer_receive(observer, ret_fact, error);
		if (status)
			return status > 0;
		struct pollfd readable = {.fd = observer_fd(observer), .events = POLLIN};
		if (poll(&readable, 1, 10000) == 0) {
			EXPECT(false, "no fact came in ten seconds");
			return false;
		}
	}
}

static void test_life(void)
{
	CLEANUP(close_fd) int file = memfd_create("capture", MFD_CLOEXEC);
	struct observer_setup setup = setup_with(file, 0);
	struct observer observer = {0};
	struct error error = {0};
	loopback_set(true);
	EXPECT(observer_start(&setup, &observer, &error) == 0, "%s", error.text);
	uint64_t before_ns = clock_realtime_ns();
	loopback_set(false);
	loopback_set(true);
	send_discover(1);
	send_discover(2);
	observer_stop(&observer);

	struct fact fact;
	unsigned messages = 0, ups = 0, downs = 0, captures = 0, ends = 0;
	uint64_t last_ns = before_ns;
	while (next_fact(&observer, &fact, &error)) {
		EXPECT(fact.time_ns >= last_ns, "facts are in order");
		last_ns = fact.time_ns;
		if (fact.kind == FACT_MESSAGE) {
			messages++;
			EXPECT_TEXT(fact.message.name, "DHCPDISCOVER");
			/*
			 * On a loopback the frame that leaves and the one that arrives are alike.
			 */
			EXPECT(fact.message.dhcp.xid == 1 || fact.message.dhcp.xid == 2, "xid");
		} else if (fact.kind == FACT_EVENT) {
			if (fact.event.subject == FACT_LINK)
				*(fact.event.up ? &ups : &downs) += 1;
			EXPECT_TEXT(fact.event.interface, "lo");
		} else if (fact.kind == FACT_CAPTURE) {
			captures++;
			/* Of a loopback libpcap counts both directions and shows one. */
			EXPECT(fact.capture.lost == 0 && fact.capture.written >= 2 &&
					fact.capture.written <= fact.capture.seen,
				"seen and written");
		} else if (fact.kind == FACT_END) {
			ends++;
			EXPECT_NUMBER(fact.end.capture_bytes, lseek(file, 0, SEEK_END));
			EXPECT(!fact.end.capture_full && !fact.end.capture_error, "whole");
		}
	}
	EXPECT_NUMBER(messages, 2);
	EXPECT(ups == 1 && downs == 1, "%u times up, %u down", ups, downs);
	EXPECT(captures == 1 && ends == 1, "%u captures, %u ends", captures, ends);
	EXPECT_NUMBER(observer_receive(&observer, &fact, &error), -ENODATA);
	pid_t pid = observer.pid;
	observer_finish(&observer);
	observer_finish(&observer);
	EXPECT(waitpid(pid, NULL, WNOHANG) < 0 && errno == ECHILD, "nothing is left to reap");
}

static void test_limit(void)
{
	CLEANUP(close_fd) int file = memfd_create("capture", MFD_CLOEXEC);
	struct observer_setup setup = setup_with(file, 2000);
	struct observer observer = {0};
	struct error error = {0};
	EXPECT(observer_start(&setup, &observer, &error) == 0, "%s", error.text);
	for (uint32_t i = 0; i < 20; i++)
		send_discover(i);
	observer_stop(&observer);
	struct fact fact;
	uint64_t seen = 0, written = 0;
	unsigned messages = 0;
	while (next_fact(&observer, &fact, &error)) {
		messages += fact.kind == FACT_MESSAGE;
		if (fact.kind == FACT_CAPTURE) {
			seen = fact.capture.seen;
			written = fact.capture.written;
		}
		if (fact.kind == FACT_END)
			EXPECT(fact.end.capture_full && fact.end.capture_bytes <= 2000, "full");
	}
	EXPECT(written > 0 && written < seen, "%llu of %llu", (unsigned long long)written,
		(unsigned long long)seen);
	EXPECT(messages >= 20, "messages are told all the same: %u", messages);
	observer_finish(&observer);
}

/* Nobody reads for a while: nothing is lost, and the end still comes. */
static void test_slow_reader(void)
{
	enum { SENT = 3000 };
	struct observer_setup setup = setup_with(-1, 0);
	struct observer observer = {0};
	struct error error = {0};
	EXPECT(observer_start(&setup, &observer, &error) == 0, "%s", error.text);
	for (uint32_t i = 0; i < SENT; i++) {
		send_discover(i);
		if (i % 50 == 0)
			sched_yield();
	}
	observer_stop(&observer);
	struct fact fact;
	uint64_t messages = 0, lost = 0;
	while (next_fact(&observer, &fact, &error)) {
		messages += fact.kind == FACT_MESSAGE;
		lost += fact.kind == FACT_CAPTURE ? fact.capture.lost : 0;
	}
	EXPECT(messages + lost >= SENT, "%llu messages, %llu frames lost",
		(unsigned long long)messages, (unsigned long long)lost);
	EXPECT(observer.ended, "ended");
	observer_finish(&observer);
}

/* More at once than the observer has room to put in order. */
static void test_crowded(void)
{
	enum { RINGS = 20, SENT = 400, SIZE = 1900 };
	struct observer_setup setup = setup_with(-1, 0);
	CLEANUP(close_fd) int file = memfd_create("capture", MFD_CLOEXEC);
	setup.capture_fd = file;
	struct observed_link links[RINGS];
	for (size_t i = 0; i < RINGS; i++)
		links[i] = link_lo;
	setup.links = links;
	setup.link_count = RINGS;
	struct observer observer = {0};
	struct error error = {0};
	EXPECT(observer_start(&setup, &observer, &error) == 0, "%s", error.text);
	kill(observer.pid, SIGSTOP);
	CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	static const char bytes[SIZE];
	for (int i = 0; i < SENT; i++)
		sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to));
	observer_stop(&observer);
	kill(observer.pid, SIGCONT);
	struct fact fact;
	uint64_t written = 0, lost = 0;
	while (next_fact(&observer, &fact, &error)) {
		written += fact.kind == FACT_CAPTURE ? fact.capture.written : 0;
		lost += fact.kind == FACT_CAPTURE ? fact.capture.lost : 0;
	}
	EXPECT(observer.ended, "ended");
	EXPECT(written + lost >= RINGS * SENT, "%llu written, %llu lost",
		(unsigned long long)written, (unsigned long long)lost);
	EXPECT(written >= RINGS * SENT / 2, "%llu written", (unsigned long long)written);
	observer_finish(&observer);
}

static void test_faults(void)
{
	struct observer observer = {0};
	struct error error = {0};
	observer_finish(&observer);

	struct observer_setup setup = setup_with(-1, 0);
	struct observed_link nowhere = link_lo;
	nowhere.name = "h1:eth7";
	nowhere.interface = "eth7";
	setup.links = &nowhere;
	EXPECT(observer_start(&setup, &observer, &error) < 0, "no such interface");
	EXPECT(strncmp(error.text, "link h1:eth7: cannot capture on 'eth7': ", 39) == 0, "%s",
		error.text);

	setup = setup_with(-1, 0);
	struct observed_node wrong = {.name = "h2", .node = 7};
	setup.nodes = &wrong;
	EXPECT(observer_start(&setup, &observer, &error) < 0, "no namespace");
	EXPECT(strncmp(error.text, "node h2: cannot open", 20) == 0, "%s", error.text);

	CLEANUP(close_fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	setup = setup_with(full, 0);
	EXPECT_NUMBER(observer_start(&setup, &observer, &error), -ENOSPC);

	/* Killed from outside. */
	setup = setup_with(-1, 0);
	EXPECT(observer_start(&setup, &observer, &error) == 0, "%s", error.text);
	kill(observer.pid, SIGINT); /* not its business */
	kill(observer.pid, SIGHUP);
	send_discover(7);
	struct fact fact;
	EXPECT(next_fact(&observer, &fact, &error) && fact.kind == FACT_MESSAGE, "still there");
	kill(observer.pid, SIGKILL);
	while (next_fact(&observer, &fact, &error))
		continue;
	EXPECT_TEXT(error.text, "the observer has died");
	observer_finish(&observer);

	/* Finished without being asked to stop. */
	EXPECT(observer_start(&setup, &observer, &error) == 0, "%s", error.text);
	observer_finish(&observer);
	EXPECT_NUMBER(observer.fd, -1);
}

/* Its parent dies: it must not stay. */
static void test_orphan(void)
{
	int report[2], alive[2];
	EXPECT(pipe2(report, O_CLOEXEC) == 0 && pipe2(alive, 0) == 0, "pipes");
	pid_t child = fork();
	if (child == 0) {
		struct observer_setup setup = setup_with(-1, 0);
		struct observer observer = {0};
		observer_start(&setup, &observer, NULL);
		ssize_t told = write(report[1], &observer.pid, sizeof(observer.pid));
		raise(told > 0 ? SIGKILL : SIGTERM);
		_exit(0);
	}
	pid_t pid = 0;
	EXPECT(read(report[0], &pid, sizeof(pid)) == sizeof(pid) && pid > 0, "started");
	waitpid(child, NULL, 0);
	uint64_t until_ns = clock_monotonic_ns() + 5 * NS_PER_SECOND;
	char state = 'R';
	/* As an orphan it is reaped by whoever adopted it, sooner or later: dead is enough. */
	while (state != 'Z' && state != 'X' && clock_monotonic_ns() < until_ns) {
		char path[64], line[128] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t length = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
		const char *end = length > 0 ? strrchr(line, ')') : NULL;
		state = end ? end[2] : 'X';
		poll(NULL, 0, 1);
	}
	EXPECT(state == 'Z' || state == 'X', "the orphan lives: %c", state);
	close(report[0]);
	close(report[1]);
	close(alive[0]);
	close(alive[1]);
}

static void test_state(void)
{
	struct error error = {0};
	CLEANUP(free_pointer) struct observed_address *addresses = NULL;
	CLEANUP(free_pointer) struct observed_address *none = NULL;
	CLEANUP(free_pointer) struct observed_route *routes = NULL;
	size_t count = 99;
	loopback_set(true);
	EXPECT(observe_addresses(netns_fd, "lo", &addresses, &count, &error) == 0, "%s",
		error.text);
	EXPECT(count >= 1, "%zu addresses", count);
	EXPECT_TEXT(count ? IP_PREFIX_TEXT(addresses[0].address) : "", "127.0.0.1/8");
	EXPECT_TEXT(count ? addresses[0].interface : "", "lo");
	EXPECT(observe_addresses(netns_fd, "eth9", &none, &count, &error) == 0 && count == 0,
		"%zu addresses of no interface", count);
	EXPECT(observe_routes(netns_fd, NULL, &routes, &count, &error) == 0 && count == 0,
		"%zu routes", count);
	EXPECT(observe_addresses(-1, NULL, &none, &count, &error) < 0, "nowhere");
}

int main(void)
{
	if (!namespace_enter()) {
		printf("skipped: no network namespace to be had here: %s\n", strerror(errno));
		return 0;
	}
	test_life();
	test_limit();
	test_slow_reader();
	test_crowded();
	test_faults();
	test_orphan();
	test_state();
	return unit_finish();
}
