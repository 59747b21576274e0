/*
 * ftp_floor: as little of an FTP server as ftp_load can be fed by, and what any single-threaded one
 * pays: accept, epoll, a passive port a file, sendfile(2) one way, recv and write the other. It
 * checks nothing, logs nothing and times nothing out. Never to be reached by anybody else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { PORT = 21, EVENTS = 256, BACKLOG = 4096, SENT_AT_ONCE = 1024 * 1024 };

static char chunk[256 * 1024];

struct client {
	int control, passive, data, file; /* -1: none */
	bool sends;
	struct client *next; /* of those that are gone */
};

static int epoll = -1;
static struct client *gone; /* freed when no event of this turn can be theirs */

/* An event tells the client and which of its descriptors: pointers are even. */
static void watch(struct client *client, int fd, bool data, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = (uintptr_t)client | data};
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void say(const struct client *client, const char *text)
{
	ssize_t sent = send(client->control, text, strlen(text), MSG_NOSIGNAL);
	(void)sent;
}

static void transfer_over(struct client *client)
{
	close_fd(&client->data);
	close_fd(&client->passive);
	close_fd(&client->file);
	say(client, "226 Done.\r\n");
}

static void move(struct client *client)
{
	ssize_t moved = 1;
	while (moved > 0 && client->sends)
		moved = sendfile(client->data, client->file, NULL, SENT_AT_ONCE);
	while (moved > 0 && !client->sends) {
		moved = recv(client->data, chunk, sizeof(chunk), 0);
		if (moved > 0 && write(client->file, chunk, (size_t)moved) != moved)
			moved = 0;
	}
	if (moved == 0 || errno != EAGAIN)
		transfer_over(client);
}

static void do_pasv(struct client *client)
{
	struct sockaddr_in local;
	socklen_t length = sizeof(local);
	char text[80];
	int on = 1;
	getsockname(client->control, (struct sockaddr *)&local, &length);
	local.sin_port = 0;
	client->passive = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* As many ports as there are are not many while each waits a minute after its file. */
	setsockopt(client->passive, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bind(client->passive, (struct sockaddr *)&local, length);
	listen(client->passive, 1);
	getsockname(client->passive, (struct sockaddr *)&local, &length);
	uint32_t host = ntohl(local.sin_addr.s_addr);
	uint16_t port = ntohs(local.sin_port);
	snprintf(text, sizeof(text), "227 Here (%u,%u,%u,%u,%u,%u).\r\n", host >> 24,
		host >> 16 & 0xff, host >> 8 & 0xff, host & 0xff, port >> 8, port & 0xff);
	say(client, text);
}

static void do_transfer(struct client *client, char *path)
{
	int flags = client->sends ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
	while (*path == '/')
		path++;
	client->file = open(path, flags | O_CLOEXEC, 0644);
	if (client->file < 0) {
		close_fd(&client->passive);
		say(client, "550 No.\r\n");
		return;
	}
	/* Its connection is there, or as good as: it connects before it asks. */
	client->data = accept4(client->passive, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	say(client, "150 Now.\r\n");
	if (client->sends)
		move(client);
	if (client->data >= 0)
		watch(client, client->data, true, client->sends ? EPOLLOUT : EPOLLIN);
}

static void do_line(struct client *client, char *line)
{
	static const struct {
		const char *verb, *reply;
	} replies[] = {
		{"USER", "331 Yes.\r\n"}, {"PASS", "230 Yes.\r\n"}, {"TYPE", "200 Yes.\r\n"}};
	for (size_t i = 0; i < ARRAY_LENGTH(replies); i++)
		if (strncmp(line, replies[i].verb, 4) == 0)
			say(client, replies[i].reply);
	if (strncmp(line, "PASV", 4) == 0)
		do_pasv(client);
	client->sends = strncmp(line, "RETR ", 5) == 0;
	if (client->sends || strncmp(line, "STOR ", 5) == 0)
		do_transfer(client, line + 5);
	if (strncmp(line, "QUIT", 4) == 0) {
		say(client, "221 Bye.\r\n");
		shutdown(client->control, SHUT_WR);
	}
}

static void hear(struct client *client)
{
	char line[512];
	ssize_t got = recv(client->control, line, sizeof(line) - 1, 0);
	if (got > 0) {
		line[got] = '\0';
		line[strcspn(line, "\r\n")] = '\0';
		do_line(client, line);
		return;
	}
	close_fd(&client->data);
	close_fd(&client->passive);
	close_fd(&client->file);
	close_fd(&client->control);
	client->next = gone;
	gone = client;
}

static void free_gone(void)
{
	while (gone) {
		struct client *next = gone->next;
		free(gone);
		gone = next;
	}
}

static void arrive(int listener)
{
	int fd, on = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct client *client = malloc(sizeof(*client));
		if (!client)
			abort();
		*client = (struct client){.control = fd, .passive = -1, .data = -1, .file = -1};
		setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on));
		watch(client, fd, false, EPOLLIN);
		say(client, "220 Floor.\r\n");
	}
}

static int open_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, BACKLOG) < 0)
		return -1;
	struct epoll_event event = {.events = EPOLLIN};
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return fd;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	struct rlimit limit;
	if (argc != 2 || chdir(argv[1]) < 0) {
		fprintf(stderr, "usage: ftp_floor DIRECTORY\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener = open_listener();
	if (listener < 0) {
		perror("ftp_floor: cannot listen");
		return 3;
	}
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			uintptr_t word = (uintptr_t)events[i].data.u64;
			struct client *client = (struct client *)(word & ~(uintptr_t)1);
			if (!client)
				arrive(listener);
			else if (!(word & 1))
				hear(client);
			else if (client->data >= 0)
				move(client);
		}
		free_gone();
	}
}
