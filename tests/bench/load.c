#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "dhcp/message.h"

#define GIVEN_SIZE  (UINT64_C(1) << 29) /* a bit for each IPv4 address */
#define SWEEP_NS    (10 * NS_PER_MS)
#define XID_STRIDE  LOAD_WINDOW_MOST /* below it: which exchange */
#define SECS_OF(ns) ((uint16_t)((ns) / NS_PER_SECOND))

static const uint8_t parameters[] = {
	DHCP_OPTION_SUBNET_MASK,
	DHCP_OPTION_ROUTER,
	DHCP_OPTION_DNS,
	DHCP_OPTION_DOMAIN,
	DHCP_OPTION_LEASE_TIME,
	DHCP_OPTION_T1,
	DHCP_OPTION_T2,
};

/* Whether the address was given to somebody before; it is now. */
static bool give(struct load *load, struct ipv4 address)
{
	uint8_t bit = (uint8_t)(1u << (address.host & 7)), *at = &load->given[address.host >> 3];
	bool before = *at & bit;
	*at |= bit;
	return before;
}

int load_open(struct load *load, const struct load_settings *settings, struct error *error)
{
	load->settings = settings;
	load->record = load->socket.fd = -1;
	load->given = mmap(NULL, GIVEN_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (load->given == MAP_FAILED) {
		load->given = NULL;
		return error_system(error, -errno, "no room to remember addresses");
	}
	if (settings->leases && load_clients_read(settings->leases, &load->clients, error) < 0)
		return error->code;
	for (size_t i = 0; i < load->clients.count; i++)
		load->result.duplicates += give(load, load->clients.list[i].address);
	if (settings->record) {
		load->record =
			open(settings->record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (load->record < 0)
			return error_system(error, -errno, "cannot write '%s'", settings->record);
	}
	for (uint32_t i = 0; i < settings->window; i++)
		load->idle[load->idle_count++] = settings->window - 1 - i;
	return load_socket_open(&load->socket, settings->local, settings->server, error);
}

void load_close(struct load *load)
{
	load_socket_close(&load->socket);
	close_fd(&load->record);
	load_clients_finish(&load->clients);
	text_finish(&load->lines);
	if (load->given)
		munmap(load->given, GIVEN_SIZE);
}

/* The message of the exchange's state, queued. */
static void exchange_send(struct load *load, struct exchange *exchange, uint64_t now_ns)
{
	struct dhcp_builder builder;
	bool selecting = exchange->state == EXCHANGE_SELECTING;
	bool renewing = load->settings->mode == LOAD_RENEW;
	struct dhcp_header header = {
		.op = DHCP_OP_REQUEST,
		.hops = 1,
		.secs = SECS_OF(now_ns - exchange->begun_ns),
		.xid = exchange->xid,
		.ciaddr = renewing ? exchange->client.address : (struct ipv4){0},
		.giaddr = load->settings->local,
		.chaddr = dhcp_hardware_from_mac(exchange->client.mac),
	};
	dhcp_builder_init(&builder, load_socket_next(&load->socket), DHCP_MESSAGE_SIZE_DEFAULT,
		&header, selecting ? DHCPDISCOVER : DHCPREQUEST);
	if (!selecting && !renewing)
		dhcp_builder_address(
			&builder, DHCP_OPTION_REQUESTED_ADDRESS, exchange->client.address);
	if (!ipv4_is_none(exchange->server))
		dhcp_builder_address(&builder, DHCP_OPTION_SERVER_ID, exchange->server);
	dhcp_builder_bytes(&builder, DHCP_OPTION_PARAMETERS, parameters, sizeof(parameters));
	load_socket_queue(&load->socket, dhcp_builder_finish(&builder));
	exchange->sent_ns = now_ns;
	load->result.again += exchange->tries++ > 0;
}

static uint64_t load_total(const struct load *load)
{
	uint64_t count = load->settings->count ? load->settings->count : UINT64_MAX;
	if (load->settings->mode == LOAD_DORA || load->clients.count >= count)
		return count;
	return load->clients.count;
}

static bool time_left(const struct load *load, uint64_t now_ns)
{
	uint64_t limit_ns = load->settings->seconds_ns;
	return limit_ns == 0 || now_ns - load->started_ns < limit_ns;
}

static void begin_exchanges(struct load *load, uint64_t now_ns)
{
	uint64_t total = load_total(load);
	bool dora = load->settings->mode == LOAD_DORA;
	while (load->idle_count > 0 && load->result.begun < total && time_left(load, now_ns)) {
		uint64_t number = load->result.begun++;
		uint32_t slot = load->idle[--load->idle_count];
		struct exchange *exchange = &load->exchanges[slot];
		*exchange = (struct exchange){
			.state = dora ? EXCHANGE_SELECTING : EXCHANGE_REQUESTING,
			.xid = (uint32_t)((number + load->settings->seed) * XID_STRIDE) | slot,
			.begun_ns = now_ns,
			.half_ns = now_ns,
		};
		if (dora)
			exchange->client.mac = load_client_mac(load->settings->seed, number);
		else
			exchange->client = load->clients.list[number];
		exchange_send(load, exchange, now_ns);
	}
}

static void exchange_end(struct load *load, struct exchange *exchange)
{
	exchange->state = EXCHANGE_IDLE;
	load->idle[load->idle_count++] = (uint32_t)(exchange - load->exchanges);
}

static void on_offer(struct load *load, struct exchange *exchange,
	const struct dhcp_message *message, uint64_t now_ns)
{
	exchange->state = EXCHANGE_REQUESTING;
	exchange->client.address = message->header.yiaddr;
	exchange->half_ns = now_ns;
	exchange->tries = 0;
	dhcp_message_address(message, DHCP_OPTION_SERVER_ID, &exchange->server);
	exchange_send(load, exchange, now_ns);
}

static void on_ack(struct load *load, struct exchange *exchange, const struct dhcp_message *message,
	uint64_t now_ns)
{
	struct load_result *result = &load->result;
	struct load_client given = {exchange->client.mac, message->header.yiaddr};
	bool wrong = !ipv4_equal(given.address, exchange->client.address);
	if (load->record >= 0) {
		char line[LOAD_CLIENT_LINE_SIZE];
		text_append_bytes(&load->lines, line, load_client_line(&given, line));
	}
	result->wrong += wrong;
	if (load->settings->mode == LOAD_DORA || wrong)
		result->duplicates += give(load, given.address);
	result->done++;
	if (time_left(load, now_ns)) {
		result->counted++;
		result->counted_ns = now_ns - load->started_ns;
		histogram_add(&result->offer, exchange->half_ns - exchange->begun_ns);
		histogram_add(&result->ack, now_ns - exchange->half_ns);
		histogram_add(&result->whole, now_ns - exchange->begun_ns);
	}
	exchange_end(load, exchange);
}

/* The exchange that the message answers; NULL: none does, or no longer. */
static struct exchange *exchange_of(struct load *load, const struct dhcp_message *message)
{
	struct exchange *exchange = &load->exchanges[message->header.xid % XID_STRIDE];
	struct dhcp_hardware hardware = dhcp_hardware_from_mac(exchange->client.mac);
	if (exchange->state == EXCHANGE_IDLE || exchange->xid != message->header.xid ||
		message->header.op != DHCP_OP_REPLY ||
		!dhcp_hardware_equal(&hardware, &message->header.chaddr))
		return NULL;
	return exchange;
}

static void on_datagram(struct load *load, const void *bytes, size_t length, uint64_t now_ns)
{
	struct dhcp_message message;
	struct exchange *exchange = NULL;
	if (dhcp_message_parse(bytes, length, &message, NULL) == 0)
		exchange = exchange_of(load, &message);
	bool requesting = exchange && exchange->state == EXCHANGE_REQUESTING;
	if (exchange && !requesting && message.type == DHCPOFFER) {
		on_offer(load, exchange, &message, now_ns);
	} else if (requesting && message.type == DHCPACK) {
		on_ack(load, exchange, &message, now_ns);
	} else if (requesting && message.type == DHCPNAK) {
		load->result.refused++;
		exchange_end(load, exchange);
	} else {
		load->result.stray++;
	}
}

static void sweep(struct load *load, uint64_t now_ns)
{
	if (now_ns - load->swept_ns < SWEEP_NS)
		return;
	load->swept_ns = now_ns;
	for (uint32_t i = 0; i < load->settings->window; i++) {
		struct exchange *exchange = &load->exchanges[i];
		if (exchange->state == EXCHANGE_IDLE ||
			now_ns - exchange->sent_ns < load->settings->timeout_ns)
			continue;
		if (exchange->tries < load->settings->tries) {
			exchange_send(load, exchange, now_ns);
			continue;
		}
		load->result.lost++;
		exchange_end(load, exchange);
	}
}

/* One write a batch, so that a line is there, whole, before its exchange makes room for another. */
static int record(struct load *load, struct error *error)
{
	size_t length = load->lines.length;
	if (load->lines.failed)
		return error_set(error, -ENOMEM, "out of memory");
	if (length > 0 && write(load->record, load->lines.bytes, length) != (ssize_t)length)
		return error_system(error, errno ? -errno : -EIO, "cannot record leases");
	load->lines.length = 0;
	return 0;
}

int load_run(struct load *load, const volatile int *stop, struct error *error)
{
	uint64_t now_ns = load->started_ns = load->swept_ns = clock_monotonic_ns();
	begin_exchanges(load, now_ns);
	while (load->idle_count < load->settings->window && !*stop) {
		load_socket_flush(&load->socket);
		unsigned count = load_socket_receive(&load->socket);
		now_ns = clock_monotonic_ns();
		for (unsigned i = 0; i < count; i++)
			on_datagram(
				load, load->socket.in_bytes[i], load->socket.in[i].msg_len, now_ns);
		if (record(load, error) < 0)
			return error->code;
		sweep(load, now_ns);
		begin_exchanges(load, now_ns);
	}
	return 0;
}
