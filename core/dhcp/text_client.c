#include "dhcp/text_client.h"

#include "base/clock.h"
#include "dhcp/client_lease.h"

/* How long an answer may take that is still given back by a client that leaves. */
#define LINGER_NS NS_PER_SECOND

const char *dhcp_text_reason_text(enum dhcp_text_reason reason)
{
	static const char *const texts[DHCP_TEXT_REASONS] = {
		[DHCP_TEXT_NO_REASON] = "",
		[DHCP_TEXT_NONE_WERE_LEFT] = "the server has no address left",
		[DHCP_TEXT_UNANSWERED] = "no answer",
		[DHCP_TEXT_GIVEN_BACK] = "given back",
		[DHCP_TEXT_GIVEN_BACK_LATE] = "came late and is given back",
		[DHCP_TEXT_GIVEN_BACK_UNUSABLE] = "no host can have it: it is given back",
		[DHCP_TEXT_UNKNOWN_WORDS] = "not understood",
	};
	return texts[reason];
}

void dhcp_text_client_init(
	struct dhcp_text_client *client, const struct dhcp_text_client_settings *settings)
{
	*client = (struct dhcp_text_client){
		.settings = *settings,
		.next_ns = DHCP_NEVER,
		.give_up_ns = DHCP_NEVER,
	};
}

static struct dhcp_text_action *add(
	struct dhcp_text_actions *actions, enum dhcp_text_action_kind kind)
{
	struct dhcp_text_action *action = &actions->list[actions->count++];
	*action = (struct dhcp_text_action){.kind = kind};
	return action;
}

static void add_fact(struct dhcp_text_actions *actions, enum dhcp_text_action_kind kind,
	enum dhcp_text_reason reason, struct ipv4 address)
{
	struct dhcp_text_action *action = add(actions, kind);
	action->reason = reason;
	action->address = address;
}

static void ask(struct dhcp_text_client *client, uint64_t now_ns, struct dhcp_text_actions *actions)
{
	struct dhcp_text_action *action = add(actions, DHCP_TEXT_SEND);
	action->length = dhcp_text_write_request(action->text);
	client->state = DHCP_TEXT_CLIENT_ASKING;
	client->next_ns = now_ns + client->settings.retry_ns;
	client->unanswered++;
}

static void give_back(struct ipv4 address, struct dhcp_text_actions *actions)
{
	struct dhcp_text_action *action = add(actions, DHCP_TEXT_SEND);
	action->length = dhcp_text_write_release(address, action->text);
}

static void finish(struct dhcp_text_client *client, bool failed, struct dhcp_text_actions *actions)
{
	client->state = DHCP_TEXT_CLIENT_DONE;
	client->failed = failed;
	add(actions, DHCP_TEXT_FINISH);
}

static void go_offline(struct dhcp_text_client *client, enum dhcp_text_reason reason,
	struct ipv4 address, struct dhcp_text_actions *actions)
{
	client->state = DHCP_TEXT_CLIENT_OFFLINE;
	add_fact(actions, DHCP_TEXT_OFFLINE, reason, address);
	if (client->settings.once)
		finish(client, true, actions);
}

/* Be done, but not before what may be on its way has come, or its time is over. */
static void leave(
	struct dhcp_text_client *client, uint64_t now_ns, struct dhcp_text_actions *actions)
{
	if (client->unanswered == 0) {
		finish(client, false, actions);
		return;
	}
	client->state = DHCP_TEXT_CLIENT_LEAVING;
	client->next_ns = now_ns + LINGER_NS;
}

static void take(struct dhcp_text_client *client, struct ipv4 address, uint64_t now_ns,
	struct dhcp_text_actions *actions)
{
	client->state = DHCP_TEXT_CLIENT_ONLINE;
	client->address = address;
	add_fact(actions, DHCP_TEXT_ONLINE, DHCP_TEXT_NO_REASON, address);
	if (client->settings.once)
		leave(client, now_ns, actions);
}

static void on_address(struct dhcp_text_client *client, struct ipv4 address, uint64_t now_ns,
	struct dhcp_text_actions *actions)
{
	switch (client->state) {
	case DHCP_TEXT_CLIENT_ASKING:
	case DHCP_TEXT_CLIENT_OFFLINE:
		if (dhcp_client_address_usable(address)) {
			take(client, address, now_ns, actions);
			break;
		}
		give_back(address, actions);
		go_offline(client, DHCP_TEXT_GIVEN_BACK_UNUSABLE, address, actions);
		break;
	case DHCP_TEXT_CLIENT_ONLINE:
	case DHCP_TEXT_CLIENT_LEAVING:
		give_back(address, actions);
		add_fact(actions, DHCP_TEXT_REPORT, DHCP_TEXT_GIVEN_BACK_LATE, address);
		break;
	case DHCP_TEXT_CLIENT_DONE:
		break;
	}
}

static void on_none_left(struct dhcp_text_client *client, struct dhcp_text_actions *actions)
{
	if (client->state == DHCP_TEXT_CLIENT_ASKING || client->state == DHCP_TEXT_CLIENT_OFFLINE)
		go_offline(client, DHCP_TEXT_NONE_WERE_LEFT, (struct ipv4){0}, actions);
}

static void on_datagram(struct dhcp_text_client *client, const struct dhcp_text_event *event,
	uint64_t now_ns, struct dhcp_text_actions *actions)
{
	const struct dhcp_text_message *message = &actions->message;
	dhcp_text_read_answer(event->bytes, event->length, &actions->message);
	if (message->kind != DHCP_TEXT_ADDRESS && message->kind != DHCP_TEXT_NONE_LEFT) {
		add_fact(actions, DHCP_TEXT_REPORT, DHCP_TEXT_UNKNOWN_WORDS, (struct ipv4){0});
		return;
	}
	bool given = message->kind == DHCP_TEXT_ADDRESS;
	if (given && !ipv4_is_none(client->address) &&
		ipv4_equal(message->address, client->address))
		return; /* the network has doubled it */
	if (client->unanswered > 0)
		client->unanswered--;
	if (given)
		on_address(client, message->address, now_ns, actions);
	else
		on_none_left(client, actions);
	if (client->state == DHCP_TEXT_CLIENT_LEAVING && client->unanswered == 0)
		finish(client, false, actions);
}

static void on_timer(
	struct dhcp_text_client *client, uint64_t now_ns, struct dhcp_text_actions *actions)
{
	bool asking = client->state == DHCP_TEXT_CLIENT_ASKING;
	if (client->state == DHCP_TEXT_CLIENT_LEAVING) {
		if (now_ns >= client->next_ns)
			finish(client, false, actions);
		return;
	}
	if (!asking && client->state != DHCP_TEXT_CLIENT_OFFLINE)
		return;
	bool over = now_ns >= client->give_up_ns;
	if (!over && now_ns < client->next_ns)
		return;
	if (asking)
		add_fact(actions, DHCP_TEXT_OFFLINE, DHCP_TEXT_UNANSWERED, (struct ipv4){0});
	if (over)
		finish(client, true, actions);
	else
		ask(client, now_ns, actions);
}

static void on_stop(struct dhcp_text_client *client, bool release, uint64_t now_ns,
	struct dhcp_text_actions *actions)
{
	struct ipv4 address = client->address;
	if (client->state == DHCP_TEXT_CLIENT_DONE)
		return;
	if (!release || client->state == DHCP_TEXT_CLIENT_LEAVING) {
		finish(client, false, actions);
		return;
	}
	if (client->state == DHCP_TEXT_CLIENT_ONLINE) {
		client->address = (struct ipv4){0};
		give_back(address, actions);
		add_fact(actions, DHCP_TEXT_OFFLINE, DHCP_TEXT_GIVEN_BACK, address);
	}
	leave(client, now_ns, actions);
}

static uint64_t deadline(const struct dhcp_text_client *client)
{
	switch (client->state) {
	case DHCP_TEXT_CLIENT_ASKING:
	case DHCP_TEXT_CLIENT_OFFLINE:
		return client->give_up_ns < client->next_ns ? client->give_up_ns : client->next_ns;
	case DHCP_TEXT_CLIENT_LEAVING:
		return client->next_ns;
	case DHCP_TEXT_CLIENT_ONLINE:
	case DHCP_TEXT_CLIENT_DONE:
		break;
	}
	return DHCP_NEVER;
}

void dhcp_text_client_step(struct dhcp_text_client *client, const struct dhcp_text_event *event,
	uint64_t now_ns, struct dhcp_text_actions *ret_actions)
{
	ret_actions->count = 0;
	switch (event->kind) {
	case DHCP_TEXT_EVENT_START:
		if (client->settings.wait_ns > 0)
			client->give_up_ns = now_ns + client->settings.wait_ns;
		ask(client, now_ns, ret_actions);
		break;
	case DHCP_TEXT_EVENT_DATAGRAM:
		on_datagram(client, event, now_ns, ret_actions);
		break;
	case DHCP_TEXT_EVENT_TIMER:
		on_timer(client, now_ns, ret_actions);
		break;
	case DHCP_TEXT_EVENT_STOP:
		on_stop(client, event->release, now_ns, ret_actions);
		break;
	}
	ret_actions->deadline_ns = deadline(client);
}
