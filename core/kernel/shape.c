#include "kernel/shape.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/tc.h>

#include "base/cleanup.h"

enum {
	MTU_DEFAULT = 1500,
	FRAME_HEADER = 18, /* Ethernet's, with a VLAN's */
	BURSTS_A_SECOND = 1000,
	QUEUES_A_SECOND = 10,
	FRAMES_LEAST = 10, /* that can wait however slow it is */
};

static void qdisc_put(struct rtnl_qdisc **qdisc)
{
	if (*qdisc)
		rtnl_qdisc_put(*qdisc);
}

/* What is sent at once is a millisecond's worth: a real cable sends bit after bit. */
static void bucket(struct rtnl_qdisc *qdisc, uint64_t rate, unsigned mtu)
{
	int bytes = (int)(rate / 8), frame = (int)(mtu ? mtu : MTU_DEFAULT) + FRAME_HEADER;
	int burst = bytes / BURSTS_A_SECOND, queue = bytes / QUEUES_A_SECOND;
	burst = burst > frame ? burst : frame;
	queue = queue > FRAMES_LEAST * frame ? queue : FRAMES_LEAST * frame;
	rtnl_qdisc_tbf_set_rate(qdisc, bytes, burst, 0);
	rtnl_qdisc_tbf_set_limit(qdisc, burst + queue);
}

int shape_rate(struct link_socket *socket, unsigned ifindex, uint64_t rate, unsigned mtu,
	struct error *error)
{
	CLEANUP(qdisc_put) struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();
	if (!qdisc)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_tc_set_ifindex(TC_CAST(qdisc), (int)ifindex);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	int status = rtnl_tc_set_kind(TC_CAST(qdisc), "tbf");
	if (status == 0) {
		bucket(qdisc, rate, mtu);
		status = rtnl_qdisc_add(socket->socket, qdisc, NLM_F_CREATE | NLM_F_REPLACE);
	}
	if (status == -NLE_OBJ_NOTFOUND || status == -NLE_OPNOTSUPP)
		return error_set(error, -EOPNOTSUPP,
			"this kernel has no token bucket filter (sch_tbf), and `rate` is done "
			"with it");
	return status < 0 ? error_set(error, -EIO, "cannot set the rate: %s", nl_geterror(status))
			  : 0;
}
