#include "observe/capture.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/errand.h"

enum {
	CAPTURE_RING = 1 << 20, /* of each capture: 500 frames and more */
	CAPTURE_WHOLE = 65440, /* a slot of 64 KiB, less its head; libpcap makes it fit the MTU */
	CAPTURE_CUT = 1970, /* a slot of 2 KiB, less its head */
};

struct capture_opening {
	const char *interface;
	pcap_t *pcap;
	int snaplen;
};

static void pcap_cleanup(pcap_t **pcap)
{
	if (*pcap)
		pcap_close(*pcap);
	*pcap = NULL;
}

/* Whether frames longer than the MTU can pass, in the namespace that the thread is in. */
static bool capture_offloads(const char *interface)
{
	static const uint32_t questions[] = {ETHTOOL_GTSO, ETHTOOL_GGSO, ETHTOOL_GGRO};
	CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (size_t i = 0; fd >= 0 && i < ARRAY_LENGTH(questions); i++) {
		struct ethtool_value value = {.cmd = questions[i]};
		struct ifreq request = {.ifr_data = (char *)&value};
		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
		if (ioctl(fd, SIOCETHTOOL, &request) == 0 && value.data)
			return true;
	}
	return false;
}

static int capture_activate(void *argument, struct error *error)
{
	struct capture_opening *opening = argument;
	char why[PCAP_ERRBUF_SIZE] = "";
	CLEANUP(pcap_cleanup) pcap_t *pcap = pcap_create(opening->interface, why);
	if (!pcap)
		return error_set(
			error, -EIO, "cannot capture on '%s': %s", opening->interface, why);
	opening->snaplen = capture_offloads(opening->interface) ? CAPTURE_CUT : CAPTURE_WHOLE;
	pcap_set_snaplen(pcap, opening->snaplen);
	pcap_set_promisc(pcap, 0);
	/* Immediate also chooses the ring whose frames are visible one by one (TPACKET_V2): the
	 * other kind shows them when a block's timer fires, on every ring, also an idle one. */
	pcap_set_immediate_mode(pcap, 1);
	pcap_set_buffer_size(pcap, CAPTURE_RING);
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(pcap);
	if (status < 0) {
		const char *words = pcap_geterr(pcap);
		return error_set(error, -EIO, "cannot capture on '%s': %s", opening->interface,
			*words ? words : pcap_statustostr(status));
	}
	if (pcap_datalink(pcap) != DLT_EN10MB)
		return error_set(error, -EOPNOTSUPP, "cannot capture on '%s': it is no Ethernet",
			opening->interface);
	if (pcap_setnonblock(pcap, 1, why) < 0)
		return error_set(
			error, -EIO, "cannot capture on '%s': %s", opening->interface, why);
	opening->pcap = TAKE(pcap);
	return 0;
}

static int capture_release(void *argument, struct error *error)
{
	(void)error;
	pcap_close(argument);
	return 0;
}

int captures_open(const struct capture_place *places, size_t count, struct capture *ret_captures,
	struct error *error)
{
	CLEANUP(free_pointer)
	struct capture_opening *openings = calloc(count + 1, sizeof(*openings));
	CLEANUP(free_pointer) struct errand *errands = calloc(count + 1, sizeof(*errands));
	if (!openings || !errands)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		openings[i].interface = places[i].interface;
		errands[i] = (struct errand){
			.netns_fd = places[i].netns_fd,
			.function = capture_activate,
			.argument = &openings[i],
		};
	}
	int status = errands_run(errands, count, error);
	size_t failed = 0;
	while (status < 0 && errands[failed].status >= 0)
		failed++;
	if (status < 0)
		error_prefix(error, "link %s: ", places[failed].name);
	for (size_t i = 0; i < count; i++) {
		if (status < 0 && openings[i].pcap)
			pcap_close(openings[i].pcap);
		else if (status == 0)
			ret_captures[i] = (struct capture){
				.handle = openings[i].pcap,
				.fd = pcap_get_selectable_fd(openings[i].pcap),
				.snaplen = (uint32_t)openings[i].snaplen,
			};
	}
	return status;
}

struct capture_reading {
	capture_function function;
	void *argument;
};

static void capture_hand_over(
	u_char *argument, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture_reading *reading = (struct capture_reading *)argument;
	/* tv_usec holds nanoseconds: the precision asked for. */
	struct capture_frame frame = {
		.time_ns =
			(uint64_t)header->ts.tv_sec * NS_PER_SECOND + (uint64_t)header->ts.tv_usec,
		.length = header->len,
		.captured = header->caplen,
		.bytes = bytes,
	};
	reading->function(reading->argument, &frame);
}

int capture_read(struct capture *capture, int most, capture_function function, void *argument,
	struct error *error)
{
	struct capture_reading reading = {function, argument};
	int count = pcap_dispatch(capture->handle, most, capture_hand_over, (u_char *)&reading);
	if (count < 0)
		return error_set(
			error, -EIO, "cannot capture any more: %s", pcap_geterr(capture->handle));
	return count;
}

struct capture_counts capture_count(struct capture *capture)
{
	struct pcap_stat counts;
	if (!capture->handle || pcap_stats(capture->handle, &counts) < 0)
		return (struct capture_counts){0};
	return (struct capture_counts){.seen = counts.ps_recv, .lost = counts.ps_drop};
}

void captures_close(struct capture *captures, size_t count)
{
	CLEANUP(free_pointer) struct errand *errands = calloc(count + 1, sizeof(*errands));
	size_t errand_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct errand errand = {
			.netns_fd = ERRAND_ANYWHERE,
			.function = capture_release,
			.argument = captures[i].handle,
		};
		if (errands && errand.argument)
			errands[errand_count++] = errand;
		else if (errand.argument)
			capture_release(errand.argument, NULL);
		captures[i] = (struct capture){.fd = -1};
	}
	errands_run(errands, errand_count, NULL);
	/* Those for which there was no thread. */
	for (size_t i = 0; i < errand_count; i++)
		if (errands[i].status < 0)
			capture_release(errands[i].argument, NULL);
}
