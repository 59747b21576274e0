#include "programs/ftp/transfer_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

static int open_log(const char *path, int *ret_fd, struct error *error)
{
	if (!path)
		return 0;
	*ret_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (*ret_fd < 0)
		return error_system(error, -errno, "cannot write the transfer log '%s'", path);
	return 0;
}

int transfer_log_open(
	struct transfer_log *log, const char *xferlog, const char *json, struct error *error)
{
	int status = open_log(xferlog, &log->xferlog, error);
	return status < 0 ? status : open_log(json, &log->json, error);
}

void transfer_log_close(struct transfer_log *log)
{
	close_fd(&log->xferlog);
	close_fd(&log->json);
}

/* The address alone, without brackets and port. */
static void format_host(const struct endpoint *client, char text[static ENDPOINT_TEXT_SIZE])
{
	endpoint_format(client, text);
	char *colon = strrchr(text, ':');
	if (colon)
		*colon = '\0';
	size_t length = strlen(text);
	if (text[0] == '[' && text[length - 1] == ']') {
		memmove(text, text + 1, length - 2);
		text[length - 2] = '\0';
	}
}

/* A field has no blank: what could be taken for one, or for a line's end, becomes '_'. */
static void append_field(struct text *line, const char *field)
{
	for (; *field; field++) {
		bool fit = (unsigned char)*field > ' ' && *field != 0x7f;
		text_append_bytes(line, fit ? field : "_", 1);
	}
}

static void append_json(struct text *line, json_t *take_value)
{
	CLEANUP(json_release) json_t *value = take_value;
	CLEANUP(free_pointer) char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	text_append(line, "%s\n", text ? text : "{}");
}

static void format_json(const struct transfer_record *record, const char *host, struct text *line)
{
	char when[32];
	struct tm utc;
	time_t seconds = (time_t)record->ended_seconds;
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	CLEANUP(free_pointer) char *path = text_sanitize(record->path, strlen(record->path));
	CLEANUP(free_pointer) char *user = text_sanitize(record->user, strlen(record->user));
	append_json(
		line, json_pack("{s:s, s:s, s:i, s:s*, s:s*, s:s, s:I, s:f, s:b, s:b, s:b}", "time",
			      when, "client", host, "port", (int)record->client->port, "user", user,
			      "path", path, "direction", record->upload ? "upload" : "download",
			      "bytes", (json_int_t)record->bytes, "seconds",
			      (double)record->duration_ns / 1e9, "ascii", record->ascii, "tls",
			      record->secure, "complete", record->complete));
}

/*
 * current-time transfer-time remote-host size filename type action direction access user service
 * method user-id status. Times are English and UTC.
 */
static void format_xferlog(
	const struct transfer_record *record, const char *host, struct text *line)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm utc;
	time_t at = (time_t)record->ended_seconds;
	gmtime_r(&at, &utc);
	uint64_t seconds = (record->duration_ns + NS_PER_SECOND - 1) / NS_PER_SECOND;
	text_append(line, "%s %s %2d %02d:%02d:%02d %d %llu %s %llu ", days[utc.tm_wday % 7],
		months[utc.tm_mon % 12], utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
		utc.tm_year + 1900, (unsigned long long)(seconds ? seconds : 1), host,
		(unsigned long long)record->bytes);
	append_field(line, record->root);
	append_field(line, record->path);
	text_append(line, " %c _ %c %c ", record->ascii ? 'a' : 'b', record->upload ? 'i' : 'o',
		*record->user ? 'r' : 'a');
	append_field(line, *record->user ? record->user : "anonymous");
	text_append(line, " ftp 0 * %c\n", record->complete ? 'c' : 'i');
}

static void write_line(struct transfer_log *log, int fd, const struct text *line)
{
	if (line->failed || write(fd, line->bytes, line->length) == (ssize_t)line->length)
		return;
	if (!log->complained)
		log_line("cannot write a transfer log: %s; its lines are lost", strerror(errno));
	log->complained = true;
}

void transfer_log_write(struct transfer_log *log, const struct transfer_record *record)
{
	char host[ENDPOINT_TEXT_SIZE];
	CLEANUP(text_finish) struct text line = {0};
	if (log->xferlog < 0 && log->json < 0)
		return;
	format_host(record->client, host);
	if (log->xferlog >= 0) {
		format_xferlog(record, host, &line);
		write_line(log, log->xferlog, &line);
	}
	if (log->json >= 0) {
		text_clear(&line);
		format_json(record, host, &line);
		write_line(log, log->json, &line);
	}
}
