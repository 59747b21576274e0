#include "results/facts.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

static FILE *file_create(const struct folder *scenario, const char *name, struct error *error)
{
	CLEANUP(free_pointer) char *path = folder_fresh(scenario, name);
	FILE *file = path ? fopen(path, "we") : NULL;
	if (!file)
		error_system(error, -errno, "cannot write '%s/%s'", scenario->path, name);
	return file;
}

int facts_open(const struct plan *plan, const struct folder *scenario,
	struct facts_files *ret_files, struct error *error)
{
	*ret_files = (struct facts_files){.plan = plan};
	ret_files->events.file = file_create(scenario, "events.jsonl", error);
	if (!ret_files->events.file)
		return -EIO;
	ret_files->messages.file = file_create(scenario, "messages.jsonl", error);
	return ret_files->messages.file ? 0 : -EIO;
}

static json_t *event_json(const struct facts_files *files, const struct fact *fact)
{
	const struct fact_event *event = &fact->event;
	json_t *line = json_pack("{s:f, s:s, s:s, s:s, s:s}", "time", (double)fact->time_ns / 1e9,
		"node", files->plan->nodes[fact->index].node->name, "what",
		fact_subject_name(event->subject), "change", fact_change_name(event->change),
		"interface", event->interface);
	if (!line)
		return NULL;
	switch (event->subject) {
	case FACT_LINK:
		json_object_set_new(line, "up", json_boolean(event->up));
		json_object_set_new(line, "running", json_boolean(event->running));
		break;
	case FACT_ADDRESS:
		json_object_set_new(line, "address", json_string(IP_PREFIX_TEXT(event->address)));
		break;
	case FACT_ROUTE:
		json_object_set_new(
			line, "destination", json_string(IP_PREFIX_TEXT(event->address)));
		if (!ip_is_none(event->gateway))
			json_object_set_new(line, "gateway", json_string(IP_TEXT(event->gateway)));
		break;
	case FACT_NEIGHBOUR:
		json_object_set_new(line, "address", json_string(IP_TEXT(event->address.address)));
		json_object_set_new(line, "state", json_string(event->state));
		break;
	}
	if (event->has_mac)
		json_object_set_new(line, "mac", json_string(MAC_TEXT(event->mac)));
	return line;
}

static void set_address(json_t *line, const char *key, struct ipv4 address)
{
	if (!ipv4_is_none(address))
		json_object_set_new(line, key, json_string(IPV4_TEXT(address)));
}

/* The sender's end of the link; what is captured there is named by the other one, if it is not. */
static void append_sender(const struct plan *plan, const struct fact *fact, struct text *text)
{
	const struct plan_link *link = &plan->links[fact->index];
	const struct plan_end *end = &link->ends[!link->named_end];
	const struct plan_node *node = &plan->nodes[end->node];
	if (fact->message.from_peer)
		text_append(text, "%s:%s", node->node->name,
			plan_shown_name(&node->interfaces[end->interface]));
	else
		text_append(text, "%s", link->name);
}

static json_t *message_json(const struct facts_files *files, const struct fact *fact)
{
	const struct fact_message *message = &fact->message;
	CLEANUP(text_finish) struct text sender = {0};
	append_sender(files->plan, fact, &sender);
	json_t *line = json_pack("{s:f, s:s, s:s, s:s, s:s, s:i, s:s, s:i}", "time",
		(double)fact->time_ns / 1e9, "sent_at", text_view(&sender), "protocol",
		fact_protocol_name(message->protocol), "message", message->name, "source",
		IP_TEXT(message->source.address), "source_port", message->source.port,
		"destination", IP_TEXT(message->destination.address), "destination_port",
		message->destination.port);
	if (!line)
		return NULL;
	if (message->frame)
		json_object_set_new(line, "frame", json_integer((json_int_t)message->frame));
	if (message->protocol == FACT_DHCP) {
		char xid[16];
		snprintf(xid, sizeof(xid), "0x%08x", message->dhcp.xid);
		json_object_set_new(line, "xid", json_string(xid));
		json_object_set_new(line, "chaddr", json_string(MAC_TEXT(message->dhcp.chaddr)));
		set_address(line, "ciaddr", message->dhcp.ciaddr);
		set_address(line, "yiaddr", message->dhcp.yiaddr);
		set_address(line, "giaddr", message->dhcp.giaddr);
		set_address(line, "server", message->dhcp.server);
		set_address(line, "requested", message->dhcp.requested);
		if (message->dhcp.has_lease)
			json_object_set_new(
				line, "lease", json_integer(message->dhcp.lease_seconds));
	} else {
		CLEANUP(free_pointer)
		char *detail = text_sanitize(message->detail, strlen(message->detail));
		json_object_set_new(line, "line", json_string(detail ? detail : ""));
	}
	return line;
}

enum { FILE_MOST = 64 * 1024 * 1024 }; /* bytes; whoever floods a network fills no disk */

/* Takes `take_line`. */
static int line_write(struct facts_file *file, json_t *take_line, struct error *error)
{
	if (file->cut) {
		json_decref(take_line);
		return 0;
	}
	file->cut = ftello(file->file) > FILE_MOST;
	if (!file->cut)
		return json_write_line(take_line, file->file, error);
	json_decref(take_line);
	return json_write_line(
		json_pack("{s:s}", "cut", "there was more than 64 MiB"), file->file, error);
}

void facts_write(struct facts_files *files, const struct fact *fact)
{
	struct error error = {0};
	int status = 0;
	if (fact->kind == FACT_EVENT)
		status = line_write(&files->events, event_json(files, fact), &error);
	else if (fact->kind == FACT_EVENTS_LOST)
		status = line_write(&files->events,
			json_pack("{s:f, s:s, s:s}", "time", (double)fact->time_ns / 1e9, "node",
				files->plan->nodes[fact->index].node->name, "what", "events lost"),
			&error);
	else if (fact->kind == FACT_MESSAGE)
		status = line_write(&files->messages, message_json(files, fact), &error);
	if (status < 0 && !files->failed.code)
		files->failed = error;
}

static void file_flush(struct facts_files *files, FILE *file)
{
	if (file && fflush(file) != 0 && !files->failed.code)
		error_system(&files->failed, -errno, "cannot write what was observed");
}

void facts_flush(struct facts_files *files)
{
	file_flush(files, files->events.file);
	file_flush(files, files->messages.file);
}

static void file_close(struct facts_files *files, FILE **file, const char *name)
{
	if (!*file)
		return;
	if (fclose(*file) != 0 && !files->failed.code)
		error_system(&files->failed, -errno, "cannot write %s", name);
	*file = NULL;
}

int facts_close(struct facts_files *files, struct error *error)
{
	file_close(files, &files->events.file, "events.jsonl");
	file_close(files, &files->messages.file, "messages.jsonl");
	if (files->failed.code)
		return error_set(error, files->failed.code, "%s", files->failed.text);
	return 0;
}
