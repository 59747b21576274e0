/*
 * lab_floor: the least that building a lab can cost. It reads what is to be built, in the words
 * below, and builds it by raw netlink with every trick known to help; what it does not do is check,
 * plan, explain, or watch over anything.
 *
 *	node switch|router|host				nodes are numbered from 0
 *	link NODE IFINDEX NAME NODE IFINDEX NAME	the first is the switch, where there is one
 *	address NODE IFINDEX ADDRESS LENGTH
 *	route NODE ADDRESS LENGTH GATEWAY
 *
 * The tricks: namespaces are made by two threads, for that is as many as the kernel serves at once;
 * settings are written through mounts of /proc that are changed often, since one mount gets slower
 * with each namespace that it has seen; each namespace is entered once more, with one socket, and
 * gets all of its messages in one batch with one answer; a veth pair is created straight into its
 * two namespaces, with one queue, and as a port of its bridge; bridges come up last of all.
 *
 * It prints the seconds it took, and then holds what it built until its standard input ends.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum { THREADS = 2, PROC_USES = 32, BATCH_SIZE = 1 << 15, BATCH_SENT = 1 << 14, BRIDGE = 4000 };

struct end {
	unsigned node, ifindex;
	char name[IFNAMSIZ];
};

struct link {
	struct end ends[2];
};

struct address {
	unsigned ifindex, length;
	struct in_addr address;
};

struct route {
	unsigned length;
	struct in_addr destination, gateway;
};

struct node {
	char kind; /* the first letter of its word */
	bool visited;
	int fd;
	size_t *links; /* those where it is an end */
	size_t link_count;
	struct address *addresses;
	size_t address_count;
	struct route *routes;
	size_t route_count;
};

static struct node *nodes;
static struct link *links;
static size_t node_count, link_count;

#define ADD(array, count)                                                                          \
	({                                                                                         \
		__typeof__(array) added_ = array_add(&(array), &(count));                          \
		if (!added_)                                                                       \
			errx(1, "out of memory");                                                  \
		added_;                                                                            \
	})

/* What is to be built. */

static struct node *node_at(unsigned number)
{
	if (number >= node_count)
		errx(2, "there is no node %u", number);
	return &nodes[number];
}

static void read_link(void)
{
	struct link *link = ADD(links, link_count);
	for (size_t i = 0; i < 2; i++) {
		struct end *end = &link->ends[i];
		if (scanf("%u %u %15s", &end->node, &end->ifindex, end->name) != 3)
			errx(2, "link: NODE IFINDEX NAME, twice");
		struct node *node = node_at(end->node);
		*ADD(node->links, node->link_count) = link_count - 1;
	}
}

static struct in_addr to_address(const char *text)
{
	struct in_addr address;
	if (inet_pton(AF_INET, text, &address) != 1)
		errx(2, "'%s' is no address", text);
	return address;
}

static void read_address(void)
{
	unsigned number;
	char text[INET_ADDRSTRLEN];
	struct address address;
	if (scanf("%u %u %15s %u", &number, &address.ifindex, text, &address.length) != 4)
		errx(2, "address: NODE IFINDEX ADDRESS LENGTH");
	struct node *node = node_at(number);
	address.address = to_address(text);
	*ADD(node->addresses, node->address_count) = address;
}

static void read_route(void)
{
	unsigned number;
	char destination[INET_ADDRSTRLEN], gateway[INET_ADDRSTRLEN];
	struct route route;
	if (scanf("%u %15s %u %15s", &number, destination, &route.length, gateway) != 4)
		errx(2, "route: NODE ADDRESS LENGTH GATEWAY");
	struct node *node = node_at(number);
	route.destination = to_address(destination);
	route.gateway = to_address(gateway);
	*ADD(node->routes, node->route_count) = route;
}

static void read_node(void)
{
	char kind[8];
	if (scanf("%7s", kind) != 1)
		errx(2, "node: KIND");
	*ADD(nodes, node_count) = (struct node){.kind = *kind};
}

static void read_all(void)
{
	static const struct {
		const char *word;
		void (*read)(void);
	} words[] = {{"node", read_node}, {"link", read_link}, {"address", read_address},
		{"route", read_route}, {"end", NULL}};
	char word[16];
	while (scanf("%15s", word) == 1) {
		size_t i = 0;
		while (i < ARRAY_LENGTH(words) && strcmp(words[i].word, word) != 0)
			i++;
		if (i == ARRAY_LENGTH(words))
			errx(2, "'%s' is none of the words", word);
		if (!words[i].read)
			return;
		words[i].read();
	}
}

/* Messages. */

static char batch[BATCH_SIZE];
static size_t batch_length;
static struct nlmsghdr *batch_last;
static int batch_socket;

static void batch_open(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	batch_socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (batch_socket < 0 ||
		bind(batch_socket, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "netlink");
}

/* All messages before the last one have no answer unless they fail. */
static void batch_send(void)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	char answer[8192];
	if (!batch_length)
		return;
	batch_last->nlmsg_flags |= NLM_F_ACK;
	if (sendto(batch_socket, batch, batch_length, 0, (struct sockaddr *)&kernel,
		    sizeof(kernel)) < 0)
		err(1, "send");
	if (recv(batch_socket, answer, sizeof(answer), 0) < 0)
		err(1, "receive");
	const struct nlmsgerr *told = NLMSG_DATA((struct nlmsghdr *)answer);
	if (told->error)
		errx(1, "type %u: %s", told->msg.nlmsg_type, strerror(-told->error));
	batch_length = 0;
}

static void *message(unsigned type, unsigned flags, size_t size)
{
	if (batch_length > BATCH_SENT)
		batch_send();
	struct nlmsghdr *header = (struct nlmsghdr *)(batch + batch_length);
	memset(header, 0, NLMSG_SPACE(size));
	*header = (struct nlmsghdr){.nlmsg_type = (uint16_t)type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(size)};
	batch_last = header;
	batch_length += NLMSG_SPACE(size);
	return NLMSG_DATA(header);
}

static struct rtattr *attribute(unsigned type, const void *value, size_t size)
{
	struct rtattr *at = (struct rtattr *)(batch + batch_length);
	*at = (struct rtattr){.rta_type = (uint16_t)type, .rta_len = (uint16_t)RTA_LENGTH(size)};
	if (size)
		memcpy(RTA_DATA(at), value, size);
	batch_length += RTA_SPACE(size);
	batch_last->nlmsg_len = (uint32_t)(batch + batch_length - (char *)batch_last);
	return at;
}

static void number(unsigned type, uint32_t value)
{
	attribute(type, &value, sizeof(value));
}

static void text(unsigned type, const char *value)
{
	attribute(type, value, strlen(value) + 1);
}

static void nested_end(struct rtattr *nest)
{
	nest->rta_len = (uint16_t)(batch + batch_length - (char *)nest);
}

static void up(unsigned ifindex)
{
	*(struct ifinfomsg *)message(RTM_NEWLINK, 0, sizeof(struct ifinfomsg)) = (struct ifinfomsg){
		.ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
}

static void bridge(void)
{
	*(struct ifinfomsg *)message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
		sizeof(struct ifinfomsg)) = (struct ifinfomsg){.ifi_index = BRIDGE};
	text(IFLA_IFNAME, "br0");
	struct rtattr *kind = attribute(IFLA_LINKINFO, NULL, 0);
	text(IFLA_INFO_KIND, "bridge");
	nested_end(kind);
}

static void end(const struct end *end)
{
	text(IFLA_IFNAME, end->name);
	number(IFLA_NUM_TX_QUEUES, 1);
	number(IFLA_NUM_RX_QUEUES, 1);
}

/* `here` is in the socket's namespace. */
static void veth(const struct end *here, const struct end *there, bool port)
{
	struct ifinfomsg *first = message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*first));
	*first = (struct ifinfomsg){.ifi_index = (int)here->ifindex};
	if (port)
		first->ifi_flags = first->ifi_change = IFF_UP;
	end(here);
	if (port)
		number(IFLA_MASTER, BRIDGE);
	struct rtattr *kind = attribute(IFLA_LINKINFO, NULL, 0);
	text(IFLA_INFO_KIND, "veth");
	struct rtattr *veth = attribute(IFLA_INFO_DATA, NULL, 0);
	struct ifinfomsg second = {.ifi_index = (int)there->ifindex};
	struct rtattr *peer = attribute(VETH_INFO_PEER, &second, sizeof(second));
	end(there);
	number(IFLA_NET_NS_FD, (uint32_t)nodes[there->node].fd);
	nested_end(peer);
	nested_end(veth);
	nested_end(kind);
}

static void address(const struct address *address)
{
	*(struct ifaddrmsg *)message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
		sizeof(struct ifaddrmsg)) = (struct ifaddrmsg){.ifa_family = AF_INET,
		.ifa_prefixlen = (uint8_t)address->length,
		.ifa_index = address->ifindex};
	attribute(IFA_LOCAL, &address->address, sizeof(address->address));
}

static void route(const struct route *route)
{
	*(struct rtmsg *)message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg)) =
		(struct rtmsg){.rtm_family = AF_INET,
			.rtm_dst_len = (uint8_t)route->length,
			.rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = RTPROT_STATIC,
			.rtm_type = RTN_UNICAST};
	if (route->length)
		attribute(RTA_DST, &route->destination, sizeof(route->destination));
	attribute(RTA_GATEWAY, &route->gateway, sizeof(route->gateway));
}

/* Building. */

/* A mount of /proc that nobody else sees; where that is not allowed, /proc. */
static int proc_open(void)
{
	int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC), mount = -1;
	if (context >= 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (context >= 0)
		close(context);
	if (mount < 0)
		mount = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0)
		err(1, "/proc");
	return mount;
}

static void write_setting(int proc, const char *path)
{
	int fd = openat(proc, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) < 0)
		err(1, "%s", path);
	close(fd);
}

static void *make(void *argument)
{
	size_t first = (size_t)(uintptr_t)argument, end = node_count * (first + 1) / THREADS;
	int proc = -1;
	for (size_t i = node_count * first / THREADS, made = 0; i < end; i++, made++) {
		if (made % PROC_USES == 0) {
			close(proc);
			proc = proc_open();
		}
		if (unshare(CLONE_NEWNET) < 0)
			err(1, "unshare");
		nodes[i].fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
		if (nodes[i].fd < 0)
			err(1, "open");
		write_setting(proc, "sys/net/ipv6/conf/default/disable_ipv6");
		if (nodes[i].kind == 'r')
			write_setting(proc, "sys/net/ipv4/ip_forward");
	}
	close(proc);
	return NULL;
}

static void make_all(void)
{
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, make, (void *)(uintptr_t)i);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void enter(const struct node *node)
{
	if (setns(node->fd, CLONE_NEWNET) < 0)
		err(1, "setns");
	batch_open();
}

static void leave(void)
{
	batch_send();
	close(batch_socket);
}

/* Its end of a link, and whether it makes the pair: the one that is visited first does. */
static const struct end *own_end(const struct node *node, size_t link, bool *ret_makes)
{
	const struct end *ends = links[link].ends;
	bool second = &nodes[ends[1].node] == node;
	*ret_makes = !nodes[ends[!second].node].visited;
	return &ends[second];
}

static void visit(struct node *node)
{
	bool is_switch = node->kind == 's', makes;
	enter(node);
	if (is_switch)
		bridge();
	else
		up(1);
	for (size_t i = 0; i < node->link_count; i++) {
		const struct end *here = own_end(node, node->links[i], &makes);
		const struct end *ends = links[node->links[i]].ends;
		if (makes)
			veth(here, &ends[here == &ends[0]], is_switch);
	}
	node->visited = true;
	for (size_t i = 0; i < node->address_count; i++)
		address(&node->addresses[i]);
	for (size_t i = 0; !is_switch && i < node->link_count; i++)
		up(own_end(node, node->links[i], &makes)->ifindex);
	for (size_t i = 0; i < node->route_count; i++)
		route(&node->routes[i]);
	leave();
}

static void build(void)
{
	make_all();
	for (size_t i = 0; i < node_count; i++)
		if (nodes[i].kind == 's')
			visit(&nodes[i]);
	for (size_t i = 0; i < node_count; i++)
		if (nodes[i].kind != 's')
			visit(&nodes[i]);
	for (size_t i = 0; i < node_count; i++) {
		if (nodes[i].kind != 's')
			continue;
		enter(&nodes[i]);
		up(BRIDGE);
		leave();
	}
}

int main(void)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	read_all();
	uint64_t begun_ns = clock_monotonic_ns();
	build();
	printf("%.4f\n", (double)(clock_monotonic_ns() - begun_ns) / 1e9);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
