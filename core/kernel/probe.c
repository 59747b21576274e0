#include "kernel/probe.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/link/vrf.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/tc.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns.h"

enum { PORT = 2, TABLE = 100, VLAN = 100 };

static void link_put(struct rtnl_link **link)
{
	if (*link)
		rtnl_link_put(*link);
}

static void qdisc_put(struct rtnl_qdisc **qdisc)
{
	if (*qdisc)
		rtnl_qdisc_put(*qdisc);
}

/* What the kernel says of a kind that it does not have is "not supported", or "no such thing". */
static int refused(int status, const char *kind, const char *what, struct error *error)
{
	bool unknown = status == -NLE_OPNOTSUPP || status == -NLE_OBJ_NOTFOUND;
	if (unknown)
		return error_set(
			error, -EOPNOTSUPP, "the kernel has no %s of kind '%s'", what, kind);
	return error_set(
		error, -EIO, "cannot add %s of kind '%s': %s", what, kind, nl_geterror(status));
}

/* Both ends here: something to put upon. */
static int make_port(struct link_socket *socket, struct error *error)
{
	struct plan_interface here = {
		.name = "probe0", .ifindex = PORT, .mac = {{2, 0, 0, 0, 0, 1}}};
	struct plan_interface there = {
		.name = "probe1", .ifindex = PORT + 1, .mac = {{2, 0, 0, 0, 0, 2}}};
	CLEANUP(close_fd) int netns = -1;
	int status = netns_current(&netns, error);
	if (status == 0)
		status = link_socket_open(socket, error);
	struct veth_pair pair = {.here = &here, .there = &there, .there_netns_fd = netns};
	if (status == 0)
		status = veth_create(socket, &pair, error);
	return status < 0 ? status : link_flush(socket, error);
}

/* Of those kinds that need to be told something. */
static struct rtnl_link *link_of_kind(const char *kind)
{
	struct rtnl_link *link = NULL;
	if (strcmp(kind, "vlan") == 0 && (link = rtnl_link_vlan_alloc())) {
		rtnl_link_set_link(link, PORT);
		rtnl_link_vlan_set_id(link, VLAN);
	} else if (strcmp(kind, "vrf") == 0 && (link = rtnl_link_vrf_alloc())) {
		rtnl_link_vrf_set_tableid(link, TABLE);
	} else if ((link = rtnl_link_alloc())) {
		rtnl_link_set_type(link, kind);
	}
	return link;
}

int probe_link_kind(const char *kind, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = make_port(&socket, error);
	if (status < 0)
		return status;
	CLEANUP(link_put) struct rtnl_link *link = link_of_kind(kind);
	if (!link)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_link_set_name(link, "probe2");
	status = rtnl_link_add(socket.socket, link, NLM_F_CREATE | NLM_F_EXCL);
	return status < 0 ? refused(status, kind, "interfaces", error) : 0;
}

int probe_queue_kind(const char *kind, struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	CLEANUP(qdisc_put) struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	int status = make_port(&socket, error);
	if (status < 0)
		return status;
	if (!qdisc)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_tc_set_ifindex(TC_CAST(qdisc), PORT);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	status = rtnl_tc_set_kind(TC_CAST(qdisc), kind);
	if (status == 0)
		status = rtnl_qdisc_add(socket.socket, qdisc, NLM_F_CREATE | NLM_F_REPLACE);
	return status < 0 ? refused(status, kind, "queues", error) : 0;
}

int probe_alternative_name(struct error *error)
{
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = make_port(&socket, error);
	if (status == 0)
		status = link_alternative_name(
			&socket, PORT, "a-name-of-more-than-fifteen-characters", error);
	return status < 0 ? status : link_flush(&socket, error);
}
