/* results/connections.c: segments and FTP's messages into connections. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "results/connections.h"
#include "unit.h"

static const struct fact_endpoint client = {{0x0a000264, IPV4}, 4000},
				  control = {{0x0a00010a, IPV4}, 21},
				  client_data = {{0x0a000264, IPV4}, 4001},
				  data = {{0x0a00010a, IPV4}, 41439},
				  active = {{0x0a000264, IPV4}, 1025},
				  server_data = {{0x0a00010a, IPV4}, 20};

static struct fact message(enum fact_protocol protocol, const char *name, const char *detail,
	struct fact_endpoint from, struct fact_endpoint to)
{
	struct fact fact = {.kind = FACT_MESSAGE,
		.message = {.protocol = protocol, .source = from, .destination = to}};
	snprintf(fact.message.name, sizeof(fact.message.name), "%s", name);
	snprintf(fact.message.detail, sizeof(fact.message.detail), "%s", detail);
	return fact;
}

static void append_fact(struct text *text, const struct fact *first, const struct fact *fact)
{
	if (fact)
		text_append(text, " %td", fact - first);
	else
		text_append(text, " -");
}

/* A line a connection: the places among `messages` of SYN, SYN-ACK, ACK, who announced it, its end. */
static void expect_connections(const struct fact *messages, size_t count, const char *expected)
{
	CLEANUP(free_pointer) struct connection *list = NULL;
	CLEANUP(text_finish) struct text text = {0};
	size_t length;
	struct error error;
	EXPECT(connections_find(messages, count, &list, &length, &error) == 0, "%s", error.text);
	for (size_t i = 0; i < length; i++) {
		append_fact(&text, messages, list[i].syn);
		append_fact(&text, messages, list[i].syn_ack);
		append_fact(&text, messages, list[i].ack);
		append_fact(&text, messages, list[i].announced);
		text_append(&text, " :");
		for (size_t j = 0; j < list[i].closing_count; j++)
			append_fact(&text, messages, list[i].closing[j]);
		text_append(&text, "\n");
	}
	EXPECT_TEXT(text_view(&text), expected);
}

static void test_passive(void)
{
	const struct fact messages[] = {
		message(FACT_TCP, "SYN", "", client, control),
		message(FACT_TCP, "SYN-ACK", "", control, client),
		message(FACT_TCP, "ACK", "", client, control),
		message(FACT_FTP, "227", "227 Entering Passive Mode (10,0,1,10,161,223).", control,
			client),
		message(FACT_FTP, "229", "229 Extended (|||41439|)", control, client),
		message(FACT_TCP, "SYN", "", client_data, data),
		message(FACT_TCP, "SYN-ACK", "", data, client_data),
		message(FACT_TCP, "ACK", "", client_data, data),
		message(FACT_TCP, "FIN", "9 bytes sent", data, client_data),
		message(FACT_TCP, "ACK", "", client_data, data),
		message(FACT_TCP, "FIN", "0 bytes sent", client_data, data),
		message(FACT_TCP, "ACK", "", data, client_data),
		message(FACT_TCP, "FIN", "", control, client),
		message(FACT_TCP, "FIN", "", client, control),
		message(FACT_TCP, "ACK", "", control, client),
		/* the same ports again: nobody announced it a third time */
		message(FACT_TCP, "SYN", "", client_data, data),
		message(FACT_TCP, "RST", "", data, client_data),
		message(FACT_TCP, "SYN", "", client_data, data),
		/* of a connection whose beginning nobody saw */
		message(FACT_TCP, "FIN", "", active, server_data),
	};
	expect_connections(messages, ARRAY_LENGTH(messages),
		" 0 1 2 - : 12 13 14\n"
		" 5 6 7 3 : 8 9 10 11\n"
		" 15 - - 4 : 16\n"
		" 17 - - - :\n");
	expect_connections(messages, 0, "");
}

static void test_active(void)
{
	const struct fact messages[] = {
		message(FACT_FTP, "PORT", "PORT 10,0,2,100,4,1", client, control),
		message(FACT_FTP, "EPRT", "EPRT |1|10.0.2.100|4001|", client, control),
		message(FACT_FTP, "PORT", "PORT 10,0,2,100", client, control),
		message(FACT_FTP, "227", "227", control, client),
		message(FACT_FTP, "229", "229 (|||x|)", control, client),
		message(FACT_TCP, "SYN", "", server_data, client_data),
		message(FACT_TCP, "SYN", "", server_data, active),
	};
	expect_connections(messages, ARRAY_LENGTH(messages), " 5 - - 1 :\n 6 - - 0 :\n");
}

/* More announcements than are kept: the newest are. */
static void test_many(void)
{
	enum { COUNT = 1000 };
	CLEANUP(free_pointer) struct fact *messages = calloc(COUNT + 2, sizeof(*messages));
	for (int i = 0; i < COUNT; i++) {
		char line[64];
		snprintf(line, sizeof(line), "229 (|||%d|)", 1000 + i);
		messages[i] = message(FACT_FTP, "229", line, control, client);
	}
	messages[COUNT] = message(
		FACT_TCP, "SYN", "", client_data, (struct fact_endpoint){control.address, 1000});
	messages[COUNT + 1] = message(
		FACT_TCP, "SYN", "", client_data, (struct fact_endpoint){control.address, 1999});
	expect_connections(messages, COUNT + 2, " 1000 - - - :\n 1001 - - 999 :\n");
}

int main(void)
{
	test_passive();
	test_active();
	test_many();
	return unit_finish();
}
