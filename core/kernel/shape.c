#include "kernel/shape.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/tc.h>

#include "base/cleanup.h"
#include "kernel/link_batch.h"

static void qdisc_put(struct rtnl_qdisc **qdisc)
{
	if (*qdisc)
		rtnl_qdisc_put(*qdisc);
}

static int rate_queue(struct link_socket *socket, struct rtnl_qdisc *qdisc, struct error *error)
{
	static const char what[] = "set the rate";
	struct nl_msg *message;
	int status = rtnl_qdisc_build_add_request(qdisc, NLM_F_CREATE | NLM_F_REPLACE, &message);
	if (status < 0)
		return error_set(error, -EIO, "cannot %s: %s", what, nl_geterror(status));
	status = link_queue(socket, nlmsg_hdr(message), what, error);
	nlmsg_free(message);
	return status;
}

int shape_rate(
	struct link_socket *socket, unsigned ifindex, struct plan_queue queue, struct error *error)
{
	CLEANUP(qdisc_put) struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	if (!qdisc || rtnl_tc_set_kind(TC_CAST(qdisc), "tbf") < 0)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_tc_set_ifindex(TC_CAST(qdisc), (int)ifindex);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	rtnl_qdisc_tbf_set_rate(qdisc, (int)queue.bytes_a_second, (int)queue.burst, 0);
	rtnl_qdisc_tbf_set_limit(qdisc, (int)queue.limit);
	/* In a batch of its own: its failure has a reason that can be told. */
	int status = link_flush(socket, error);
	if (status == 0)
		status = rate_queue(socket, qdisc, error);
	if (status < 0)
		return status;
	status = link_flush(socket, error);
	if (status == -ENOENT || status == -EOPNOTSUPP)
		return error_set(error, -EOPNOTSUPP,
			"this kernel has no token bucket filter (sch_tbf), and `rate` is done "
			"with it");
	return status;
}
