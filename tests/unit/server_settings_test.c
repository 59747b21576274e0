/* programs/dhcp/server_settings: what a configuration means, and the sentence about every slip. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "dhcp/option_text.h"
#include "programs/dhcp/binding_text.h"
#include "programs/dhcp/server_settings.h"
#include "unit.h"

static char path[] = "/tmp/server_settings_test.XXXXXX";

static void write_file(const char *content)
{
	FILE *file = fopen(path, "we");
	if (!file || fputs(content, file) < 0 || fclose(file) != 0)
		abort();
}

/* "FILE:" for the name of the file, which is another in each run. */
static char *shorten(const char *text)
{
	struct text out = {0};
	for (const char *at = text; *at;) {
		if (strncmp(at, path, strlen(path)) == 0) {
			text_append(&out, "f");
			at += strlen(path);
		} else {
			text_append_bytes(&out, at++, 1);
		}
	}
	return text_take(&out);
}

/* Read the file, and the words of `line` behind it. */
static int read_all(const char *content, const char *line, struct server_settings *settings,
	struct error *error)
{
	char *words[16] = {(char *)"dhcp-server", (char *)"--config", path};
	int count = 3;
	struct words more = {0};
	write_file(content);
	if (line && text_split_words(line, &more, error) < 0)
		abort();
	for (size_t i = 0; i < more.count; i++)
		words[count++] = more.list[i];
	int status = options_read(&server_program, count, words, settings, NULL, error);
	free(more.list);
	return status < 0 ? status : server_settings_check(settings, error);
}

static void describe_options(struct text *text, const struct dhcp_option_list *options)
{
	for (size_t i = 0; i < options->count; i++) {
		const struct dhcp_option_value *at = &options->list[i];
		text_append(text, " %s=", DHCP_OPTION_NAME(at->code));
		dhcp_option_text_format(at->code,
			(struct dhcp_field){.bytes = at->bytes, .length = at->length}, ',', text);
	}
}

/* One line a subnet: "PREFIX ranges | bindings | lease | flags | options". */
static char *describe(const struct dhcp_server_settings *machine)
{
	struct text text = {0};
	for (size_t i = 0; i < machine->subnet_count; i++) {
		const struct dhcp_subnet_settings *subnet = &machine->subnets[i];
		text_append(&text, "%s", PREFIX_TEXT(subnet->prefix));
		for (size_t j = 0; j < subnet->range_count; j++)
			text_append(&text, " %s-%s", IPV4_TEXT(subnet->ranges[j].first),
				IPV4_TEXT(subnet->ranges[j].last));
		for (size_t j = 0; j < subnet->binding_count; j++) {
			const struct dhcp_binding *binding = &subnet->bindings[j];
			text_append(&text, " | %s=%s", BINDING_CLIENT_TEXT(&binding->client),
				IPV4_TEXT(binding->address));
			if (binding->lease_seconds)
				text_append(&text, " lease=%u", binding->lease_seconds);
			describe_options(&text, &binding->options);
		}
		text_append(&text, " | %u %u %u%s%s%s |", subnet->lease.least, subnet->lease.usual,
			subnet->lease.most, subnet->refuse_renewal ? " refuse" : "",
			subnet->bootp ? " bootp" : "", subnet->rapid_commit ? " rapid" : "");
		describe_options(&text, &subnet->options);
		text_append(&text, "\n");
	}
	return text_take(&text);
}

#define SUBNET "subnet 10.0.2.0/24\n"
#define POOL   "pool 10.0.2.100-10.0.2.119\n"
#define EVER   "4294967295 4294967295 4294967295 |\n" /* leases */

static void test_meaning(void)
{
	static const struct {
		const char *file, *line, *expected;
	} rows[] = {
		{SUBNET POOL, NULL, "10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 3600 3600 |\n"},
		/* One subnet's options in any order; host bits do not matter. */
		{"lease 60\nrouter 10.0.2.1\n" POOL "subnet 10.0.2.7/24\n", NULL,
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 60 60 | router=10.0.2.1\n"},
		/* Sections: what stands before the first is every subnet's. */
		{"option domain=example.org\noption dns=10.0.0.1,10.0.0.2 # ours\n"
		 "subnet 10.0.3.0/24\nlease-least 60\nlease 600\nlease-most infinite\nbootp\n"
		 "rapid-commit\npool 10.0.3.9-10.0.3.9\npool 10.0.3.1-10.0.3.2\n"
		 "router 10.0.3.254\nrouter 10.0.3.253\n" SUBNET
		 "refuse-renewal\noption dns = 10.0.2.53\n" POOL,
			NULL,
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 3600 3600 refuse | dns=10.0.2.53 "
			"domain=example.org\n"
			"10.0.3.0/24 10.0.3.1-10.0.3.2 10.0.3.9-10.0.3.9 | 60 600 4294967295 bootp "
			"rapid | router=10.0.3.254,10.0.3.253 dns=10.0.0.1,10.0.0.2 "
			"domain=example.org\n"},
		/* The command line amends a file, and is not within the file's last section. */
		{"lease 60\n" SUBNET POOL "lease 120\n", "--lease 30 --option mtu=1400",
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 120 120 | mtu=1400\n"},
		{"lease 60\n" SUBNET POOL, "--lease 30",
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 30 30 |\n"},
		{SUBNET POOL, "--lease 30 --subnet 10.0.4.0/24 --lease 5 --pool 10.0.4.1-10.0.4.2",
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 30 30 |\n"
			"10.0.4.0/24 10.0.4.1-10.0.4.2 | 1 5 5 |\n"},
		/* Lease times that are not said follow from those that are. */
		{"lease-most 60\n" SUBNET POOL, NULL,
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 60 60 |\n"},
		{"lease-least 7200\n" SUBNET POOL, NULL,
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 7200 7200 7200 |\n"},
		{"lease-least 60\nlease-most 86400\n" SUBNET POOL, NULL,
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 60 3600 86400 |\n"},
		{"lease infinite\n" SUBNET POOL, NULL,
			"10.0.2.0/24 10.0.2.100-10.0.2.119 | 1 4294967295 4294967295 |\n"},
		/* Bindings of every kind, in and outside the pool, and alone. */
		{SUBNET "bind 02:00:00:00:00:01=10.0.2.50 lease=600 host-name=printer dns=1.2.3.4\n"
			"bind hw:06-02:00:00:00:00:01=10.0.2.51\nbind id:01:02:03=10.0.2.52\n"
			"bind id:\"a = b\"=10.0.2.53 host-name='x y'\nbind id:010203ff=10.0.2.1\n"
			"bind 02:00:00:00:00:02=10.0.2.54 lease=infinite 43=hex:0102\n",
			NULL,
			"10.0.2.0/24 | id:010203ff=10.0.2.1 | 02:00:00:00:00:01=10.0.2.50 "
			"lease=600 "
			"dns=1.2.3.4 host-name=printer | hw:06-02:00:00:00:00:01=10.0.2.51 | "
			"id:010203=10.0.2.52 | id:61203d2062=10.0.2.53 host-name=x y | "
			"02:00:00:00:00:02=10.0.2.54 lease=4294967295 vendor-options=hex:0102 | "
			"1 3600 3600 |\n"},
		/* One client may have a binding in each subnet. */
		{"bind 02:00:00:00:00:01=10.0.2.5\nbind 02:00:00:00:00:01=10.0.3.5\n" SUBNET
		 "subnet 10.0.3.0/24\n",
			NULL,
			"10.0.2.0/24 | 02:00:00:00:00:01=10.0.2.5 | 1 3600 3600 |\n"
			"10.0.3.0/24 | 02:00:00:00:00:01=10.0.3.5 | 1 3600 3600 |\n"},
		{"subnet 10.0.2.4/31\npool 10.0.2.4-10.0.2.5\nrouter 10.0.2.4\n", NULL,
			"10.0.2.4/31 10.0.2.4-10.0.2.5 | 1 3600 3600 | router=10.0.2.4\n"},
		/* The report's text protocol needs to be told of nothing. */
		{"protocol text\n", NULL, "10.0.0.0/24 10.0.0.1-10.0.0.20 | " EVER},
		{"protocol text\nlisten :20001\nsubnet 10.9.0.0/28\n", NULL,
			"10.9.0.0/28 10.9.0.1-10.9.0.14 | " EVER},
		{"subnet 10.9.0.0/31\n", "--protocol text",
			"10.9.0.0/31 10.9.0.0-10.9.0.1 | " EVER},
		{"protocol text\n" POOL, NULL, "10.0.2.0/24 10.0.2.100-10.0.2.119 | " EVER},
		{"protocol text\n" POOL "pool 10.0.0.9-10.0.1.1\n", NULL,
			"10.0.0.0/22 10.0.0.9-10.0.1.1 10.0.2.100-10.0.2.119 | " EVER},
		{"protocol text\n" SUBNET POOL "pool 10.0.2.9-10.0.2.9\n", NULL,
			"10.0.2.0/24 10.0.2.9-10.0.2.9 10.0.2.100-10.0.2.119 | " EVER},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct error error = {0};
		CLEANUP(server_settings_finish) struct server_settings settings = {0};
		int status = read_all(rows[i].file, rows[i].line, &settings, &error);
		EXPECT(status == 0, "row %zu: %s", i, error.text);
		if (status < 0)
			continue;
		CLEANUP(free_pointer) char *seen = describe(&settings.machine);
		EXPECT_TEXT(seen, rows[i].expected);
		EXPECT_NUMBER(settings.complaint_count, 0);
	}
}

static void test_habits(void)
{
	struct error error = {0};
	CLEANUP(server_settings_finish) struct server_settings settings = {0};
	int status = read_all("interface eth0\ninterface eth1\ninterface eth0\n"
			      "allocate first-free\nignore-client-id\nnot-authoritative\nprobe\n"
			      "port-leases 3\nport-offers 2\ndecline-time 60\noffer-time 2.5\n"
			      "database a.db\ncontrol /run/x.sock\n" SUBNET POOL,
		"--probe 0.1 --database b.db", &settings, &error);
	EXPECT(status == 0, "%s", error.text);
	EXPECT_NUMBER(settings.interface_count, 2);
	EXPECT_TEXT(settings.interfaces[1], "eth1");
	EXPECT_TEXT(settings.database, "b.db");
	EXPECT_TEXT(settings.control, "/run/x.sock");
	EXPECT_NUMBER(settings.machine.allocation, DHCP_ALLOCATE_FIRST_FREE);
	EXPECT(settings.machine.ignore_client_id && settings.machine.not_authoritative, "flags");
	EXPECT_NUMBER(settings.machine.probe_ns, 100000000);
	EXPECT_NUMBER(settings.machine.offer_ns, 2500000000);
	EXPECT_NUMBER(settings.machine.decline_ns, 60000000000);
	EXPECT_NUMBER(settings.machine.port_leases, 3);
	EXPECT_NUMBER(settings.machine.port_offers, 2);
}

static void test_text_habits(void)
{
	static const struct {
		const char *file, *listen;
		enum dhcp_allocation allocation;
	} rows[] = {
		{"protocol text\n", "0.0.0.0:20001", DHCP_ALLOCATE_FIRST_FREE},
		{"protocol text\nallocate least-recent\nlisten 10.0.1.10\n", "10.0.1.10:20001",
			DHCP_ALLOCATE_LEAST_RECENT},
		{"protocol text\nlisten [2001:db8::1]:9\n", "[2001:db8::1]:9",
			DHCP_ALLOCATE_FIRST_FREE},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct error error = {0};
		CLEANUP(server_settings_finish) struct server_settings settings = {0};
		EXPECT(read_all(rows[i].file, NULL, &settings, &error) == 0, "%s", error.text);
		EXPECT_TEXT(ENDPOINT_TEXT(&settings.listen), rows[i].listen);
		EXPECT_NUMBER(settings.machine.allocation, rows[i].allocation);
		EXPECT(settings.text, "row %zu", i);
	}
}

/* What does not count is told, with both places; the first counts. */
static void test_duplicates(void)
{
	static const char file[] = SUBNET "bind 02:00:00:00:00:01=10.0.2.50\n"
					  "bind 02:00:00:00:00:01=10.0.2.51\n"
					  "bind 02:00:00:00:00:02=10.0.2.50\n"
					  "bind 02:00:00:00:00:03=10.0.2.51\n"
					  "bind 02:00:00:00:00:02=10.0.2.52\n"
					  "bind 02:00:00:00:00:01=10.0.2.50\n";
	static const char *const expected[] = {
		"the binding 02:00:00:00:00:01=10.0.2.51 (f:3) does not count: 02:00:00:00:00:01 "
		"is bound already (f:2)",
		"the binding 02:00:00:00:00:02=10.0.2.50 (f:4) does not count: 10.0.2.50 is bound "
		"already (f:2)",
		"the binding 02:00:00:00:00:01=10.0.2.50 (f:7) does not count: 02:00:00:00:00:01 "
		"is bound already (f:2)",
	};
	struct error error = {0};
	CLEANUP(server_settings_finish) struct server_settings settings = {0};
	EXPECT(read_all(file, NULL, &settings, &error) == 0, "%s", error.text);
	EXPECT_NUMBER(settings.complaint_count, ARRAY_LENGTH(expected));
	for (size_t i = 0; i < ARRAY_LENGTH(expected) && i < settings.complaint_count; i++) {
		CLEANUP(free_pointer) char *seen = shorten(settings.complaints[i]);
		EXPECT_TEXT(seen, expected[i]);
	}
	CLEANUP(free_pointer) char *seen = describe(&settings.machine);
	EXPECT_TEXT(seen, "10.0.2.0/24 | 02:00:00:00:00:01=10.0.2.50 | "
			  "02:00:00:00:00:03=10.0.2.51 | 02:00:00:00:00:02=10.0.2.52 | "
			  "1 3600 3600 |\n");
}

#define TEXT_KNOWS                                                                                 \
	"the text protocol goes with listen, subnet, pool, allocate, database and control alone"

static void test_sentences(void)
{
	static const struct {
		const char *file, *expected;
	} rows[] = {
		{"", "--subnet CIDR is missing"},
		{"pool 10.0.2.1-10.0.2.2\n", "--subnet CIDR is missing"},
		{SUBNET, "the subnet 10.0.2.0/24 (f:1) has neither a pool nor a binding: --pool "
			 "FIRST-LAST is missing"},
		{"subnet 10.0.2.0\n", "f:1: subnet '10.0.2.0' is no subnet; one looks like "
				      "10.0.2.0/24"},
		{"subnet 10.0.2.0/33\n", "f:1: subnet '10.0.2.0/33' is no subnet; one looks like "
					 "10.0.2.0/24"},
		{"subnet 0.0.0.0/0\n", "f:1: subnet '0.0.0.0/0' is no subnet; one looks like "
				       "10.0.2.0/24"},
		{"subnet 10.0.0.0/16\nsubnet 10.0.3.0/24\nsubnet 10.1.0.0/16\n",
			"the subnets 10.0.0.0/16 (f:1) and 10.0.3.0/24 (f:2) overlap"},
		{SUBNET POOL SUBNET, "the subnets 10.0.2.0/24 (f:1) and 10.0.2.0/24 (f:3) overlap"},
		{"pool 10.0.2.9\n", "f:1: pool '10.0.2.9' is no range of addresses; one looks like "
				    "10.0.2.100-10.0.2.119"},
		{"pool 10.0.2.9-10.0.2.8\n", "f:1: pool '10.0.2.9-10.0.2.8' is no range of "
					     "addresses; one looks like 10.0.2.100-10.0.2.119"},
		{SUBNET "pool 10.0.3.1-10.0.3.2\n",
			"the pool 10.0.3.1-10.0.3.2 (f:2) lies in no subnet that is served"},
		{SUBNET "pool 10.0.2.1-10.0.3.2\n",
			"the pool 10.0.2.1-10.0.3.2 (f:2) does not lie in the subnet 10.0.2.0/24"},
		{SUBNET POOL "pool 10.0.2.90-10.0.2.100\n",
			"the pools 10.0.2.90-10.0.2.100 (f:3) and 10.0.2.100-10.0.2.119 (f:2) "
			"overlap"},
		{"subnet 10.0.0.0/7\npool 10.0.0.0-11.0.0.0\n",
			"the pool 10.0.0.0-11.0.0.0 (f:2) is too large: at most 16777216 addresses "
			"in a subnet"},
		{"router 10.0.2\n", "f:1: router '10.0.2' is no IPv4 address; one looks like "
				    "10.0.2.1"},
		{SUBNET POOL "router 10.0.3.1\n",
			"the router 10.0.3.1 (f:3) lies in no subnet that is served"},
		{SUBNET POOL "router 10.0.2.255\n",
			"the router 10.0.2.255 (f:3) is no host's address in the subnet "
			"10.0.2.0/24"},
		{SUBNET POOL "option router=10.0.2.1\nrouter 10.0.2.2\n",
			"the routers of 10.0.2.0/24 are given twice: router (f:4) and option "
			"(f:3)"},
		{SUBNET "router 10.0.2.1\nbind 02:00:00:00:00:01=10.0.2.1\n",
			"the bound address 10.0.2.1 (f:3) is a router's"},
		{SUBNET "bind 02:00:00:00:00:01=10.0.2.0\n",
			"the bound address 10.0.2.0 (f:2) is no host's address in the subnet "
			"10.0.2.0/24"},
		{SUBNET "bind 02:00:00:00:00:01=10.1.2.0\n",
			"the bound address 10.1.2.0 (f:2) lies in no subnet that is served"},
		{"bind 02:00:00:00:00:01\n", "f:1: bind: '02:00:00:00:00:01' is no binding; one "
					     "looks like 02:00:00:00:00:01=10.0.2.50"},
		{"bind 02:00:00:00:00=10.0.2.1\n",
			"f:1: bind: '02:00:00:00:00' is no client; one looks like "
			"02:00:00:00:00:01, hw:06-02:00:00:00:00:01, id:01020000000001 or "
			"id:\"name\" (2 to 255 bytes)"},
		{"bind id:01=10.0.2.1\n", "f:1: bind: 'id:01' is no client; one looks like "
					  "02:00:00:00:00:01, hw:06-02:00:00:00:00:01, "
					  "id:01020000000001 or id:\"name\" (2 to 255 bytes)"},
		{"bind 02:00:00:00:00:01=10.0.2.9 lease=0\n",
			"f:1: bind: 'lease=0' is no lease time; one looks like lease=600 or "
			"lease=infinite"},
		{"bind 02:00:00:00:00:01=10.0.2.9 host-nam=x\n",
			"f:1: bind: no option is called 'host-nam'; nearest: host-name"},
		{"option dnss=1.2.3.4\n", "f:1: no option is called 'dnss'; nearest: dns"},
		{"option lease-time=60\n", "f:1: option lease-time cannot be chosen: "
					   "'lease', 'lease-least' and 'lease-most' set it"},
		{"option 1=255.255.255.0\n",
			"f:1: option 1 cannot be chosen: it follows from the subnet"},
		{SUBNET "option mtu=1400\nlease 5\noption 26=1300\n",
			"f:4: option '26=1300' stands already at f:2; a list has commas"},
		{"lease 0\n", "f:1: lease '0' is no number of seconds from 1 to 4294967294, nor "
			      "'infinite'"},
		{"lease-most forever\n", "f:1: lease-most 'forever' is no number of seconds from 1 "
					 "to 4294967294, nor 'infinite'"},
		{"lease 1\nlease 2\n", "f:2: 'lease' stands already at f:1"},
		{"lease-least 60\n" SUBNET POOL "lease 30\n",
			"lease-least 60 (f:1) is more than lease 30 (f:4)"},
		{"lease infinite\n" SUBNET POOL "lease-most 30\n",
			"lease infinite (f:1) is more than lease-most 30 (f:4)"},
		{"lease-least 60\nlease-most 30\n" SUBNET POOL,
			"lease-least 60 (f:1) is more than lease-most 30 (f:2)"},
		{"allocate firstfree\n",
			"f:1: allocate 'firstfree' is neither least-recent nor first-free; "
			"did you mean 'first-free'?"},
		{"allocate x\n", "f:1: allocate 'x' is neither least-recent nor first-free"},
		{"probe 11\n", "f:1: probe '11' is no number of seconds up to 10; one looks like "
			       "0.5"},
		{"decline-time 0\n", "f:1: decline-time '0' is no number of seconds up to 2592000 "
				     "(30 days); one looks like 10"},
		{"port-leases 0\n", "f:1: port-leases '0' is no number from 1 on"},
		{"database a\ndatabase b\n", "f:2: 'database' stands already at f:1"},
		{"bootp yes\n", "f:1: option 'bootp' takes no argument"},
		{"protocol txt\n",
			"f:1: protocol 'txt' is neither dhcp nor text; did you mean 'text'?"},
		{SUBNET POOL "listen :9\n",
			"'listen' (f:3) goes with --protocol text: DHCP has its own port"},
		{"protocol text\nlisten [::1\n",
			"f:2: listen wants ADDR:PORT (or ADDR, :PORT, [IPV6]:PORT), not '[::1'"},
		{"protocol text\nlease 60\n", "'lease' (f:2) is DHCP's: " TEXT_KNOWS},
		{"protocol text\n" SUBNET "bootp\n", "'bootp' (f:3) is DHCP's: " TEXT_KNOWS},
		{"protocol text\nrouter 10.0.0.1\n", "'router' (f:2) is DHCP's: " TEXT_KNOWS},
		{"protocol text\noption mtu=1400\n", "'option' (f:2) is DHCP's: " TEXT_KNOWS},
		{"protocol text\nbind 02:00:00:00:00:01=10.0.0.1\n",
			"'bind' (f:2) is DHCP's: " TEXT_KNOWS},
		{"protocol text\ninterface eth0\n", "'interface' is DHCP's: with the text protocol "
						    "--listen ADDR:PORT says where"},
		{"protocol text\n" SUBNET "subnet 10.0.3.0/24\n",
			"the text protocol has one subnet: 10.0.3.0/24 (f:3) is a second one"},
		{"protocol text\npool 10.255.0.0-11.0.0.1\npool 223.0.0.9-224.0.0.1\n",
			"the pool (f:3) has addresses of 224.0.0.0/8, which no host can have"},
		{"protocol text\nsubnet 127.0.0.0/8\n",
			"the pool (default) has addresses of 127.0.0.0/8, which no host can have"},
		{"lease-lest 60\n", "f:1: unknown option 'lease-lest'; did you mean "
				    "'lease-least'?"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct error error = {0};
		CLEANUP(server_settings_finish) struct server_settings settings = {0};
		EXPECT(read_all(rows[i].file, NULL, &settings, &error) < 0, "row %zu", i);
		CLEANUP(free_pointer) char *seen = shorten(error.text);
		EXPECT_TEXT(seen, rows[i].expected);
	}
}

int main(void)
{
	int fd = mkstemp(path);
	EXPECT(fd >= 0, "mkstemp");
	close(fd);
	test_meaning();
	test_habits();
	test_text_habits();
	test_duplicates();
	test_sentences();
	unlink(path);
	return unit_finish();
}
