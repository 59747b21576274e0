#include "load_ftp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum {
	CONTROL_PORT = 21,
	EVENTS = 256,
	WINDOW = 64, /* log-ins under way at once where sessions only stay */
	CONTENT_BYTES = 1024 * 1024,
	TURN_MS = 100,
	STALLED_WINDOW_BYTES = 4096,
};

static char chunk[CONTENT_BYTES];

/* What is said when a reply of class `wanted` has come in a state, and the state after that. */
static const struct {
	char wanted;
	const char *say;
	enum load_ftp_state next;
} steps[LOAD_FTP_STATE_COUNT] = {
	[LOAD_FTP_GREETING] = {'2', "USER anonymous\r\n", LOAD_FTP_USER},
	[LOAD_FTP_USER] = {'3', "PASS bench@\r\n", LOAD_FTP_PASS},
	[LOAD_FTP_PASS] = {'2', "TYPE I\r\n", LOAD_FTP_TYPE},
};

static bool time_left(const struct load_ftp *load)
{
	const struct load_ftp_settings *settings = load->settings;
	uint64_t limit_ns = settings->seconds_ns;
	if (settings->count && load->result.begun >= settings->count)
		return false;
	return limit_ns == 0 || clock_monotonic_ns() - load->started_ns < limit_ns;
}

static void session_close(struct load_ftp_session *session)
{
	close_fd(&session->data);
	close_fd(&session->control);
}

static void session_rest(struct load_ftp *load, struct load_ftp_session *session)
{
	if (session->state != LOAD_FTP_RESTING)
		load->resting++;
	session->state = LOAD_FTP_RESTING;
	if (load->settings->mode != LOAD_FTP_IDLE)
		session_close(session);
}

static void session_fail(struct load_ftp *load, struct load_ftp_session *session, const char *why)
{
	struct load_ftp_result *result = &load->result;
	if (result->failed++ == 0)
		snprintf(result->failure, sizeof(result->failure), "%s", why);
	session_close(session);
	session_rest(load, session);
}

static void session_say(struct load_ftp *load, struct load_ftp_session *session, const char *text)
{
	size_t length = strlen(text);
	if (send(session->control, text, length, MSG_NOSIGNAL) != (ssize_t)length)
		session_fail(load, session, "cannot be told a command");
}

/* --- connections --- */

static void watch(struct load_ftp *load, const struct load_ftp_session *session, bool data)
{
	uint64_t number = (uint64_t)(session - load->sessions);
	bool sends = data && load->settings->mode == LOAD_FTP_PUT;
	struct epoll_event event = {
		.events = sends ? EPOLLOUT : EPOLLIN,
		.data.u64 = number << 1 | data,
	};
	epoll_ctl(load->poll, EPOLL_CTL_ADD, data ? session->data : session->control, &event);
}

static int connect_to(struct in_addr address, uint16_t port, bool stalls)
{
	struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
	CLEANUP(close_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, window = STALLED_WINDOW_BYTES;
	setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on));
	if (stalls)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	if (connect(fd, (struct sockaddr *)&remote, sizeof(remote)) < 0 && errno != EINPROGRESS)
		return -1;
	return take_fd(&fd);
}

static void session_connect(struct load_ftp *load, struct load_ftp_session *session)
{
	struct in_addr address = {htonl(load->settings->server.host)};
	bool login = load->settings->mode == LOAD_FTP_LOGIN && !session->stalls;
	session_close(session);
	if (login && !time_left(load)) {
		session_rest(load, session);
		return;
	}
	load->result.begun += login;
	session->state = LOAD_FTP_GREETING;
	session->reply_length = 0;
	session->began_ns = clock_monotonic_ns();
	session->control = connect_to(address, CONTROL_PORT, false);
	if (session->control < 0)
		session_fail(load, session, strerror(errno));
	else
		watch(load, session, false);
}

/* --- files --- */

static void session_passive(struct load_ftp *load, struct load_ftp_session *session)
{
	if (!session->stalls && !time_left(load)) {
		session_rest(load, session);
		return;
	}
	load->result.begun += !session->stalls;
	session->began_ns = clock_monotonic_ns();
	session->state = LOAD_FTP_PASV;
	session_say(load, session, "PASV\r\n");
}

/* 227 told where: connect there and ask for the transfer. */
static void session_transfer(
	struct load_ftp *load, struct load_ftp_session *session, const char *numbers)
{
	const struct load_ftp_settings *settings = load->settings;
	bool put = settings->mode == LOAD_FTP_PUT && !session->stalls;
	char command[512];
	unsigned long part[6] = {0};
	char *end = (char *)numbers;
	for (size_t i = 0; i < ARRAY_LENGTH(part); i++)
		part[i] = strtoul(end + (i > 0), &end, 10) & 0xff;
	struct in_addr address = {
		htonl((uint32_t)(part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3]))};
	session->data = connect_to(address, (uint16_t)(part[4] << 8 | part[5]), session->stalls);
	if (session->data < 0) {
		session_fail(load, session, "no data connection");
		return;
	}
	session->state = LOAD_FTP_TRANSFER;
	session->moved = session->replied = session->opened = false;
	session->left = settings->bytes;
	if (put)
		snprintf(command, sizeof(command), "STOR %s-%d-%llu\r\n", settings->path, getpid(),
			(unsigned long long)load->result.begun);
	else
		snprintf(command, sizeof(command), "RETR %s\r\n",
			session->stalls ? settings->stalled : settings->path);
	session_say(load, session, command);
	/* Data is sent when the 150 has come, and what is not to be read is not watched. */
	if (!put && !session->stalls && session->data >= 0)
		watch(load, session, true);
}

static void count_done(struct load_ftp *load, const struct load_ftp_session *session)
{
	struct load_ftp_result *result = &load->result;
	uint64_t now_ns = clock_monotonic_ns();
	result->done++;
	result->counted_ns = now_ns - load->started_ns;
	histogram_add(&result->whole, now_ns - session->began_ns);
}

static void session_look(struct load_ftp *load, struct load_ftp_session *session)
{
	if (session->state != LOAD_FTP_TRANSFER || !session->moved || !session->replied)
		return;
	count_done(load, session);
	session_passive(load, session);
}

static void session_moved(struct load_ftp *load, struct load_ftp_session *session)
{
	close_fd(&session->data);
	session->moved = true;
	session_look(load, session);
}

static void session_receive(struct load_ftp *load, struct load_ftp_session *session)
{
	ssize_t got;
	/* Thrown away in the kernel: what we do with it is not what is measured. */
	while ((got = recv(session->data, chunk, sizeof(chunk), MSG_TRUNC)) > 0)
		load->result.bytes += (uint64_t)got;
	if (got == 0 || errno != EAGAIN)
		session_moved(load, session);
}

static void session_send(struct load_ftp *load, struct load_ftp_session *session)
{
	while (session->left > 0) {
		off_t from = 0;
		size_t size = session->left < CONTENT_BYTES ? session->left : CONTENT_BYTES;
		ssize_t sent = sendfile(session->data, load->content, &from, size);
		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent <= 0)
			break;
		session->left -= (uint64_t)sent;
		load->result.bytes += (uint64_t)sent;
	}
	session_moved(load, session);
}

/* --- replies --- */

static void session_logged_in(struct load_ftp *load, struct load_ftp_session *session)
{
	if (session->stalls || load->settings->mode != LOAD_FTP_IDLE) {
		session_passive(load, session);
		return;
	}
	count_done(load, session);
	session_rest(load, session);
}

static void on_transfer_reply(
	struct load_ftp *load, struct load_ftp_session *session, const char *line)
{
	if (line[0] == '2') {
		session->replied = true;
		session_look(load, session);
		return;
	}
	load->stalled += session->stalls;
	if (load->settings->mode == LOAD_FTP_PUT && !session->opened && !session->stalls)
		watch(load, session, true);
	session->opened = true;
}

/* The last line of a reply. */
static void on_reply(struct load_ftp *load, struct load_ftp_session *session, const char *line)
{
	enum load_ftp_state state = session->state;
	bool login = load->settings->mode == LOAD_FTP_LOGIN && !session->stalls;
	bool early = line[0] == '1' && state != LOAD_FTP_TRANSFER;
	const char *numbers = strchr(line, '(');
	/* Some servers ask no password of such a guest. */
	if (state == LOAD_FTP_USER && line[0] == '2')
		state = LOAD_FTP_PASS;
	if (line[0] > '3' || early || (state == LOAD_FTP_PASV && !numbers) ||
		(steps[state].say && line[0] != steps[state].wanted)) {
		session_fail(load, session, line);
	} else if (login && state == LOAD_FTP_PASS) {
		count_done(load, session);
		session->state = LOAD_FTP_QUIT;
		session_say(load, session, "QUIT\r\n");
	} else if (steps[state].say) {
		session->state = steps[state].next;
		session_say(load, session, steps[state].say);
	} else if (state == LOAD_FTP_TYPE) {
		session_logged_in(load, session);
	} else if (state == LOAD_FTP_PASV) {
		session_transfer(load, session, numbers + 1);
	} else if (state == LOAD_FTP_TRANSFER) {
		on_transfer_reply(load, session, line);
	}
}

/* "220-..." is not a reply's last line, and neither is one without a number. */
static bool is_last_line(const char *line)
{
	return line[0] >= '1' && line[0] <= '5' && strlen(line) >= 4 && line[3] == ' ';
}

static void take_lines(struct load_ftp *load, struct load_ftp_session *session)
{
	char *end;
	while (session->control >= 0 &&
		(end = memchr(session->reply, '\n', session->reply_length))) {
		char line[LOAD_FTP_REPLY_SIZE];
		size_t length = (size_t)(end - session->reply);
		memcpy(line, session->reply, length);
		line[length > 0 && line[length - 1] == '\r' ? length - 1 : length] = '\0';
		session->reply_length -= length + 1;
		memmove(session->reply, end + 1, session->reply_length);
		if (is_last_line(line))
			on_reply(load, session, line);
	}
	if (session->reply_length == sizeof(session->reply))
		session->reply_length = 0; /* the beginning of a long line: not for us */
}

static void session_hear(struct load_ftp *load, struct load_ftp_session *session)
{
	size_t room = sizeof(session->reply) - session->reply_length;
	ssize_t got = recv(session->control, session->reply + session->reply_length, room, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0) {
		session->reply_length += (size_t)got;
		take_lines(load, session);
	} else if (session->state == LOAD_FTP_QUIT) {
		session_connect(load, session);
	} else {
		session_fail(load, session, "the control connection ended");
	}
}

/* --- life --- */

int load_ftp_open(
	struct load_ftp *load, const struct load_ftp_settings *settings, struct error *error)
{
	load->settings = settings;
	load->poll = load->content = -1;
	load->total = settings->sessions + (settings->stalled != NULL);
	load->sessions = calloc(load->total, sizeof(*load->sessions));
	if (!load->sessions)
		return error_set(error, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < load->total; i++)
		load->sessions[i] = (struct load_ftp_session){.control = -1, .data = -1};
	load->sessions[load->total - 1].stalls = settings->stalled != NULL;
	load->poll = epoll_create1(EPOLL_CLOEXEC);
	load->content = memfd_create("content", MFD_CLOEXEC);
	memset(chunk, 'x', sizeof(chunk));
	if (load->poll < 0 || load->content < 0 ||
		write(load->content, chunk, sizeof(chunk)) != (ssize_t)sizeof(chunk))
		return error_system(error, -errno, "cannot make a load");
	return 0;
}

void load_ftp_close(struct load_ftp *load)
{
	for (uint32_t i = 0; load->sessions && i < load->total; i++)
		session_close(&load->sessions[i]);
	free(load->sessions);
	load->sessions = NULL;
	close_fd(&load->poll);
	close_fd(&load->content);
}

/* The stalled session, the last, comes first: the others are to run beside it. */
static void connect_more(struct load_ftp *load)
{
	bool idle = load->settings->mode == LOAD_FTP_IDLE;
	bool wait = load->settings->stalled && load->stalled == 0 && load->result.failed == 0;
	struct load_ftp_session *last = &load->sessions[load->total - 1];
	if (wait && last->control < 0)
		session_connect(load, last);
	if (load->connected == 0 && !wait)
		load->started_ns = clock_monotonic_ns();
	while (!wait && load->connected < load->settings->sessions &&
		(!idle || load->connected < load->resting + WINDOW))
		session_connect(load, &load->sessions[load->connected++]);
}

static void on_event(struct load_ftp *load, const struct epoll_event *event)
{
	struct load_ftp_session *session = &load->sessions[event->data.u64 >> 1];
	bool data = event->data.u64 & 1;
	/* What an earlier event of the same turn has closed is not asked again. */
	if ((data ? session->data : session->control) < 0)
		return;
	if (!data)
		session_hear(load, session);
	else if (load->settings->mode == LOAD_FTP_PUT)
		session_send(load, session);
	else
		session_receive(load, session);
}

int load_ftp_run(struct load_ftp *load, const volatile int *stop, struct error *error)
{
	struct epoll_event events[EVENTS];
	uint32_t stalling = load->settings->stalled != NULL;
	while (load->resting + stalling < load->total && !*stop) {
		connect_more(load);
		int count = epoll_wait(load->poll, events, EVENTS, TURN_MS);
		if (count < 0 && errno != EINTR)
			return error_system(error, -errno, "cannot wait");
		for (int i = 0; i < count; i++)
			on_event(load, &events[i]);
	}
	return 0;
}
