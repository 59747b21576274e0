/* What waits at an end of a link that sends at a rate. */
#include "plan/plan.h"

enum {
	MTU_DEFAULT = 1500,
	FRAME_HEADER = 18, /* Ethernet's, with a VLAN's */
	BURSTS_A_SECOND = 1000,
	QUEUES_A_SECOND = 10,
	FRAMES_LEAST = 10, /* that can wait however slow it is */
};

struct plan_queue plan_queue(const struct plan *plan, const struct plan_interface *interface)
{
	unsigned mtu = plan->links[interface->link].link->mtu;
	uint64_t bytes = interface->rate / 8, frame = (mtu ? mtu : MTU_DEFAULT) + FRAME_HEADER;
	uint64_t burst = bytes / BURSTS_A_SECOND, waiting = bytes / QUEUES_A_SECOND;
	burst = burst > frame ? burst : frame;
	waiting = waiting > FRAMES_LEAST * frame ? waiting : FRAMES_LEAST * frame;
	return (struct plan_queue){bytes, burst, burst + waiting};
}
