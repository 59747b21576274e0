#include "kernel/shape.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/tc.h>

#include "base/cleanup.h"

static void qdisc_put(struct rtnl_qdisc **qdisc)
{
	if (*qdisc)
		rtnl_qdisc_put(*qdisc);
}

int shape_rate(
	struct link_socket *socket, unsigned ifindex, struct plan_queue queue, struct error *error)
{
	CLEANUP(qdisc_put) struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	if (!qdisc)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_tc_set_ifindex(TC_CAST(qdisc), (int)ifindex);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	int status = rtnl_tc_set_kind(TC_CAST(qdisc), "tbf");
	if (status == 0) {
		rtnl_qdisc_tbf_set_rate(qdisc, (int)queue.bytes_a_second, (int)queue.burst, 0);
		rtnl_qdisc_tbf_set_limit(qdisc, (int)queue.limit);
		status = rtnl_qdisc_add(socket->socket, qdisc, NLM_F_CREATE | NLM_F_REPLACE);
	}
	if (status == -NLE_OBJ_NOTFOUND || status == -NLE_OPNOTSUPP)
		return error_set(error, -EOPNOTSUPP,
			"this kernel has no token bucket filter (sch_tbf), and `rate` is done "
			"with it");
	return status < 0 ? error_set(error, -EIO, "cannot set the rate: %s", nl_geterror(status))
			  : 0;
}
