/*
 * dhcp_floor: the least that a DHCP server can do. It keeps nothing: each DISCOVER is offered the
 * next address and each REQUEST acknowledged, by turning the datagram round. With --sync FILE it
 * also does what no durable server can do without: before the answers of a batch leave, what they
 * promise is written and one fdatasync() made.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/reader.h"
#include "base/writer.h"
#include "dhcp/option.h"
#include "dhcp/protocol.h"
#include "load_options.h"
#include "programs/shared/notify.h"
#include "programs/shared/options.h"

enum {
	BATCH = 64,
	DATAGRAM_SIZE = 1500,
	RECORD_SIZE = 32,
	FILE_SIZE = 4 << 20,
	BUFFER_SIZE = 4 << 20,
	LEASE_SECONDS = 3600,
	OFFSET_YIADDR = 16,
	OFFSET_CHADDR = 28,
	OFFSET_OPTIONS = DHCP_HEADER_SIZE + 4,
};

struct floor_settings {
	struct ipv4 server, first;
	const char *sync;
};

struct floor_server {
	int fd, file;
	struct ipv4 server, next;
	off_t written; /* in the file, which is used round and round */
	struct mmsghdr messages[BATCH];
	struct iovec pieces[BATCH];
	struct sockaddr_in peers[BATCH];
	uint8_t bytes[BATCH][DATAGRAM_SIZE], records[BATCH * RECORD_SIZE];
	size_t records_length;
};

static int accept_server(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_address(value, &((struct floor_settings *)target)->server, error);
}

static int accept_first(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_address(value, &((struct floor_settings *)target)->first, error);
}

static int accept_sync(void *target, const struct option_value *value, struct error *error)
{
	return load_accept_path(value, &((struct floor_settings *)target)->sync, error);
}

static const struct option options[] = {
	{"server", "ADDR", "our address: the server identifier", accept_server},
	{"first", "ADDR", "the first address to give; the following ones come after", accept_first},
	{"sync", "FILE", "write and fdatasync once a batch, before it is answered", accept_sync},
};

static const struct program program = {
	.name = "dhcp_floor",
	.synopsis = "--server ADDR --first ADDR [--sync FILE]",
	.purpose = "Answer DHCP without thought: what a server's speed is measured against.",
	.options = options,
	.option_count = ARRAY_LENGTH(options),
};

/* What the client asks: the type, and the address that it wants. */
static uint8_t read_request(const uint8_t *bytes, size_t length, struct ipv4 *ret_address)
{
	struct reader area = reader_over(bytes + OFFSET_OPTIONS, length - OFFSET_OPTIONS), value;
	uint8_t code, type = 0;
	while (dhcp_option_next(&area, &code, &value)) {
		if (code == DHCP_OPTION_MESSAGE_TYPE)
			type = read_u8(&value);
		else if (code == DHCP_OPTION_REQUESTED_ADDRESS)
			ret_address->host = read_be32(&value);
	}
	return type;
}

static void write_option(struct writer *writer, uint8_t code, uint32_t value)
{
	write_u8(writer, code);
	write_u8(writer, 4);
	write_be32(writer, value);
}

/* Turn the datagram round. Returns its new length, 0 where nothing is to be said. */
static size_t answer(struct floor_server *server, uint8_t *bytes, size_t length)
{
	struct ipv4 address = {0};
	if (length <= OFFSET_OPTIONS)
		return 0;
	uint8_t type = read_request(bytes, length, &address);
	if (type != DHCPDISCOVER && type != DHCPREQUEST)
		return 0;
	if (type == DHCPDISCOVER)
		address.host = server->next.host++;
	bytes[0] = DHCP_OP_REPLY;
	struct writer yiaddr = writer_over(bytes + OFFSET_YIADDR, 4);
	write_be32(&yiaddr, address.host);
	struct writer writer = writer_over(bytes + OFFSET_OPTIONS, length - OFFSET_OPTIONS);
	write_u8(&writer, DHCP_OPTION_MESSAGE_TYPE);
	write_u8(&writer, 1);
	write_u8(&writer, type == DHCPDISCOVER ? DHCPOFFER : DHCPACK);
	write_option(&writer, DHCP_OPTION_SERVER_ID, server->server.host);
	write_option(&writer, DHCP_OPTION_LEASE_TIME, LEASE_SECONDS);
	write_option(&writer, DHCP_OPTION_SUBNET_MASK, UINT32_C(0xff000000));
	write_u8(&writer, DHCP_OPTION_END);
	write_zeros(&writer, writer_left(&writer));
	if (type == DHCPREQUEST) {
		memcpy(server->records + server->records_length, bytes + OFFSET_YIADDR, 28);
		server->records_length += RECORD_SIZE;
	}
	return length;
}

/* The file's blocks are there before: a sync then writes data and no more. */
static int open_sync(struct floor_server *server, const char *path, struct error *error)
{
	static const uint8_t zeros[1 << 16];
	server->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (server->file < 0)
		return error_system(error, -errno, "cannot write '%s'", path);
	for (off_t at = 0; at < FILE_SIZE; at += (off_t)sizeof(zeros))
		if (pwrite(server->file, zeros, sizeof(zeros), at) != (ssize_t)sizeof(zeros))
			return error_system(error, errno ? -errno : -EIO, "cannot fill '%s'", path);
	if (fsync(server->file) < 0)
		return error_system(error, -errno, "cannot sync '%s'", path);
	return 0;
}

static int open_socket(struct floor_server *server, struct error *error)
{
	int size = BUFFER_SIZE;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT)};
	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (server->fd < 0)
		return error_system(error, -errno, "cannot open a UDP socket");
	setsockopt(server->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot bind UDP port %u", DHCP_SERVER_PORT);
	for (unsigned i = 0; i < BATCH; i++) {
		server->messages[i].msg_hdr.msg_iov = &server->pieces[i];
		server->messages[i].msg_hdr.msg_iovlen = 1;
		server->messages[i].msg_hdr.msg_name = &server->peers[i];
	}
	return 0;
}

static int sync_records(struct floor_server *server, struct error *error)
{
	if (server->file < 0)
		return 0;
	if (server->written + (off_t)sizeof(server->records) > FILE_SIZE)
		server->written = 0;
	size_t length = server->records_length ? server->records_length : RECORD_SIZE;
	if (pwrite(server->file, server->records, length, server->written) != (ssize_t)length ||
		fdatasync(server->file) < 0)
		return error_system(error, errno ? -errno : -EIO, "cannot sync");
	server->written += (off_t)length;
	return 0;
}

static int serve_batch(struct floor_server *server, struct error *error)
{
	for (unsigned i = 0; i < BATCH; i++) {
		server->pieces[i] = (struct iovec){server->bytes[i], DATAGRAM_SIZE};
		server->messages[i].msg_hdr.msg_namelen = sizeof(server->peers[i]);
	}
	int count = recvmmsg(server->fd, server->messages, BATCH, MSG_WAITFORONE, NULL);
	if (count < 0 && errno != EINTR && errno != ECONNREFUSED)
		return error_system(error, -errno, "cannot receive");
	server->records_length = 0;
	for (int i = 0; i < count; i++)
		server->pieces[i].iov_len =
			answer(server, server->bytes[i], server->messages[i].msg_len);
	int status = count > 0 ? sync_records(server, error) : 0;
	for (int sent = 0; status == 0 && sent < count;) {
		int done =
			sendmmsg(server->fd, server->messages + sent, (unsigned)(count - sent), 0);
		sent += done > 0 ? done : 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct error error;
	struct floor_settings settings = {0};
	log_open(program.name);
	if (options_read(&program, argc, argv, &settings, NULL, &error) < 0)
		return program_fail(&program, EXIT_MISUSE, &error);
	if (ipv4_is_none(settings.server) || ipv4_is_none(settings.first)) {
		error_set(&error, -EINVAL, "--server ADDR and --first ADDR are needed");
		return program_fail(&program, EXIT_MISUSE, &error);
	}
	static struct floor_server server = {.fd = -1, .file = -1};
	server.server = settings.server;
	server.next = settings.first;
	int status = settings.sync ? open_sync(&server, settings.sync, &error) : 0;
	if (status == 0)
		status = open_socket(&server, &error);
	if (status == 0)
		status = notify_ready(&error);
	while (status == 0)
		status = serve_batch(&server, &error);
	return program_fail(&program, EXIT_SYSTEM, &error);
}
