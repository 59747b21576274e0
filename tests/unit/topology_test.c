/* topology/: what a file means, and what is wrong with a bad one, to the line and column. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "topology/problems.h"
#include "topology/range.h"
#include "topology/rate.h"
#include "topology/read.h"
#include "unit.h"

static char file_path[64];

static void write_file(const char *text, size_t length)
{
	CLEANUP(close_file) FILE *file = fopen(file_path, "we");
	EXPECT(file && fwrite(text, 1, length, file) == length, "cannot write %s", file_path);
}

#define NODES "name: t\ntopology:\n  nodes: {a: {}, b: {}, s: {kind: switch}}\n"

static const struct {
	const char *text;
	const char *error; /* behind the file's name */
} bad_files[] = {
	{"", ": the file is empty"},
	{"name: t\n", ":1:1: a topology file needs the key 'topology'"},
	{"- a\n- b\n", ":1:1: a topology file must be written as `key: value` pairs"},
	{"name: [t\n", ":2:1: did not find expected ',' or ']' while parsing a flow sequence"},
	{"name: t\n\ttopology: {}\n",
		":2:1: found a tab character that violates indentation while scanning a plain "
		"scalar"},
	{"name: t\ntoplogy: {}\n", ":2:1: unknown key 'toplogy' in a topology file; did you mean "
				   "'topology'?"},
	{"name: t\nname: u\ntopology: {nodes: {}}\n",
		":2:1: key 'name' is given twice in a topology file"},
	{"name: t\ntopology:\n  nodes: {a: {}, b: {}, a: {}}\n",
		":3:25: 'a' is given twice in nodes: first in line 3"},
	{"name: t\ntopology:\n  nodes: {\"a[1-3]\": {}, a2: {}}\n",
		":3:25: two nodes are named 'a2': first in line 3"},
	{"name: t\ntopology:\n  nodes: {\"a[3-1]\": {}}\n",
		":3:11: 'a[3-1]' is no range: write it like client[1-25], first number not above "
		"the last"},
	{"name: t\ntopology:\n  nodes:\n    "
	 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: {}\n",
		":4:5: the name of a node has 65 characters; 64 are allowed"},
	{"name: t\ntopology: {nodes: {a/b: {}}}\n",
		":2:20: 'a/b' cannot name a node: letters, digits, '-', '_' and '.' can, a letter "
		"or digit "
		"first"},
	{"name: t\ntopology: {nodes: {a: {kind: bridge}}}\n",
		":2:30: kind must be host, router or switch, not 'bridge'"},
	{"name: t\ntopology: {nodes: {a: {mac: 02:00}}}\n",
		":2:29: mac must be a hardware address like 02:00:00:00:00:19, not '02:00'"},
	{"name: t\ntopology:\n  nodes:\n    a:\n      nftables: add table ip x\n        add table "
	 "ip "
	 "y\n",
		":5:17: nftables has several lines, which YAML joins here: begin them with "
		"`nftables: |`"},
	{"name: t\ntopology:\n  nodes:\n    a:\n      nftables: >\n        add table ip x\n",
		":5:17: nftables has several lines, which YAML joins here: begin them with "
		"`nftables: |`"},
	{"name: t\ntopology: {nodes: {a: {nftables: [x]}}}\n",
		":2:34: nftables must be one value, not a list or pairs"},
	{"name: t\ntopology: {nodes: {a: {mac: 03:00:00:00:00:01}}}\n",
		":2:29: '03:00:00:00:00:01' is a group address: the first byte of an interface's "
		"own is "
		"even"},
	{"name: t\ntopology: {nodes: {a: {binds: [/nosuch:/tmp/x]}}}\n",
		":2:32: binds cannot show '/nosuch': No such file or directory"},
	{"name: t\ntopology: {nodes: {a: {binds: [/etc]}}}\n",
		":2:32: an entry of binds must be HOST-PATH:NODE-PATH or HOST-PATH:NODE-PATH:ro, "
		"not "
		"'/etc'"},
	{"name: t\ntopology: {nodes: {a: {binds: [/etc:/tmp/x:z]}}}\n",
		":2:32: behind the node's path in binds can stand ro or rw, not 'z'"},
	{"name: t\ntopology: {nodes: {a: {binds: [/etc:tmp]}}}\n",
		":2:32: the node's path in binds must be absolute, without '..', not 'tmp'"},
	{"name: t\ntopology: {nodes: {a: {binds: [/etc:/proc/x]}}}\n",
		":2:32: nothing can be shown at '/proc/x': the node needs its own"},
	{"name: t\ntopology: {nodes: {a: {binds: [/etc:/nosuch/x]}}}\n",
		":2:32: there is no '/nosuch/x' in a node to show something at, and none can be "
		"made "
		"outside of its own /run, /tmp and /etc: name a path there, or one that exists"},
	{"name: t\ntopology: {nodes: {a: {sysctls: {kernel.pid_max: 99}}}}\n",
		":2:34: 'kernel.pid_max' is a setting of the whole machine, not of a node; a "
		"node's own "
		"are net.*, kernel.domainname, kernel.sem, kernel.shm*, kernel.msg* and "
		"fs.mqueue.*"},
	{"name: t\ntopology: {nodes: {a: {sysctls: {net/../kernel/pid_max: 99}}}}\n",
		":2:34: 'net/../kernel/pid_max' cannot name a sysctl: write it like "
		"net.ipv4.tcp_sack"},
	{"name: t\ntopology: {nodes: {a: {sysctls: {net.ipv4.tcp_sack: \"\"}}}}\n",
		":2:53: the value of 'net.ipv4.tcp_sack' must be one short line"},
	{"name: t\ntopology: {nodes: {a: {exec: [\"echo 'x\"]}}}\n",
		":2:31: exec: a quote is not closed in: echo 'x"},
	{"name: t\ntopology: {nodes: {a: {workdir: ../x}}}\n",
		":2:33: workdir must be a path, without '..', not '../x'"},
	{"name: t\ntopology: {nodes: {a: {cpu: none}}}\n",
		":2:29: cpu must be a number of processors from 0.01 to 1000, like 0.5, not "
		"'none'"},
	{"name: t\ntopology: {nodes: {a: {memory: 256}}}\n",
		":2:32: memory must be at least 1 MiB with its unit (kB, MB, GB, KiB, MiB or "
		"GiB), like "
		"256MB, not '256'"},
	{"name: t\ntopology: {nodes: {s: {kind: switch, exec: [x]}}}\n",
		":2:20: 's' is a switch: nothing runs in it, and it has no exec"},
	{"name: t\ntopology: {nodes: {a: {files: {../x: y}}}}\n",
		":2:32: '../x' cannot name a file here: write it relative to the node's working "
		"directory, "
		"without '..'"},
	{NODES "  links:\n    - {endpoints: [\"a:eth0\", c]}\n",
		":5:30: the link leads to 'c', which is no node"},
	{NODES "  links:\n    - {endpoints: [\"a:eth0\"]}\n",
		":5:19: endpoints must be a list of two ends like [\"client1:eth0\", lan-a]"},
	{NODES "  links:\n    - {endpoints: [a, b], delay: 10ms}\n",
		":5:27: unknown key 'delay' in a link; known are: endpoints, ipv4, ipv6, mtu, "
		"rate"},
	{NODES "  links:\n    - {endpoints: [a, b], rate: 10mbps}\n",
		":5:33: rate must be 1kbit to 16gbit a second like 10mbit, or none, not '10mbps'"},
	{NODES "  links:\n    - {endpoints: [a, b], rate: [none, 999]}\n",
		":5:40: rate must be 1kbit to 16gbit a second like 10mbit, or none, not '999'"},
	{NODES "  links:\n    - {endpoints: [a, b], rate: [1gbit, 1gbit, 1gbit]}\n",
		":5:33: rate has 3 entries for two endpoints"},
	{NODES "  links:\n    - {endpoints: [a, b], rate: {a: 1gbit}}\n",
		":5:33: rate must be a list"},
	{NODES "  links:\n    - {endpoints: [a, a]}\n", ":5:20: the link joins 'a' to itself"},
	{NODES "  links:\n    - {endpoints: "
	       "[\"a:a-very-long-interface-name-that-goes-on-and-on-beyond-what-a-name-can-be\", "
	       "s]}\n",
		":5:20: 'a-very-long-interface-name-that-goes-on-and-on-beyond-what-a-name-can-be' "
		"cannot name an interface: 1 to 64 letters, digits, "
		"'-', "
		"'_' and '.' can, but not lo, all and default, which Linux uses itself"},
	{NODES "  links:\n    - {endpoints: [\"a:all\", s]}\n",
		":5:20: 'all' cannot name an interface: 1 to 64 letters, digits, '-', '_' and '.' "
		"can, but not lo, all and default, which Linux uses itself"},
	{NODES "  links:\n    - {endpoints: [\"a:x<y\", s]}\n",
		":5:20: 'x<y' cannot name an interface: 1 to 64 letters, digits, '-', '_' and '.' "
		"can, but not lo, all and default, which Linux uses itself"},
	{"name: t\ntopology: {nodes: {\"a[1-3]\": {}}}\nscenarios: {x: {title: t, steps: [{on: "
	 "[\"a[1-3]\", a2], run: x}]}}\n",
		":3:51: 'a2' stands twice in 'on'"},
	{NODES "  links:\n    - {endpoints: [a, s], ipv4: [10.0.0.300/24]}\n",
		":5:34: ipv4 must be an address with its prefix length like 10.0.1.10/24, not "
		"'10.0.0.300/24'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: z, run: a}]}}\n",
		":4:40: 'z' is no node of this topology"},
	{NODES "scenarios: {x: {title: y, steps: []}}\n",
		":4:27: the scenario has no steps: it would hold whatever happened"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a}]}}\n",
		":4:35: the step does nothing: it needs run, start, send, watch, stop, kill, "
		"addresses, route, same-files, messages, link, move or node"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, link: off}]}}\n",
		":4:49: link must be up or down, not 'off'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, node: off}]}}\n",
		":4:49: node must be stop or start, not 'off'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: s, node: stop}]}}\n",
		":4:35: 's' is a switch: steps are for hosts and routers"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, move: b}]}}\n",
		":4:49: 'b' is no switch of this topology"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, link: up, expect: {count: 1}}]}}\n",
		":4:53: this 'expect' has a key that 'link' cannot tell anything about"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, run: b, interface: eth0}]}}\n",
		":4:35: 'interface' does not go with 'run'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, kill: b, as: c}]}}\n",
		":4:35: 'as' and 'to' do not go with 'kill'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, run: b, port: 21}]}}\n",
		":4:35: 'giaddr', 'address', 'client', 'lease', 'port' and 'text' do not go with "
		"'run'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, link: up, show: true}]}}\n",
		":4:35: 'show' does not go with 'link'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, messages: DHCPACK, client: z}]}}\n",
		":4:70: 'z' is no node of this topology"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, messages: DHCPACK, lease: long}]}}\n",
		":4:69: lease must be a number of seconds or infinite, not 'long'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, messages: SYN, port: 0}]}}\n",
		":4:64: no port has the number 0"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, run: b, start: c}]}}\n",
		":4:51: a step does one thing: 'run' and 'start' both stand here"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, addresses: eth0}]}}\n",
		":4:35: 'addresses' without an 'expect' checks nothing"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, run: b, expect: {count: 3}}]}}\n",
		":4:51: this 'expect' has a key that 'run' cannot tell anything about"},
	{NODES "vars: {pool: x}\nscenarios: {x: {title: y, steps: [{on: a, run: '${pol}'}]}}\n",
		":5:48: '${pol}' names no entry of vars; did you mean '${pool}'?"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, route: defalt, expect: {count: 0}}]}}\n",
		":4:50: route can only be default, not 'defalt'"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, run: b, expect: {exit: {}}}]}}\n",
		":4:66: exit names no status: write exit: 0, or exit: {0: 20, 4: 5}"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, run: b, expect: {exit: {0: 1, 00: "
	       "1}}}]}}\n",
		":4:73: the exit status 0 stands here twice"},
	{NODES "scenarios: {result.json: {title: y, steps: [{on: a, run: b}]}}\n",
		":4:13: 'result.json' cannot name a scenario: its results' folder must not look "
		"like a "
		"file's name"},
	{"name: latest\ntopology: {nodes: {}}\n",
		":1:7: 'latest' cannot name a topology: in the results it is the newest run"},
	{"name: t\ntopology: {nodes: {a: {mac: 00:00:00:00:00:00}}}\n",
		":2:29: 00:00:00:00:00:00 is no interface's address"},
	{"name: t\ntopology: {nodes: {a: {run: [{name: p, cmd: x, ready: {port: 1, log: x}}]}}}\n",
		":2:55: ready needs one of port and log"},
	{"name: t\ntopology: {nodes: {a: {run: [{name: p, cmd: x, ready: {}}]}}}\n",
		":2:55: ready needs one of port and log"},
	{"name: t\ntopology: {nodes: {a: {run: [{name: p, cmd: x, ready: {port: 0}}]}}}\n",
		":2:62: no port has the number 0"},
	{NODES "capture: [b7]\n", ":4:11: 'b7' is no node of this topology"},
	{NODES "capture: some\n",
		":4:10: capture must be all, none or a list of nodes, not 'some'"},
	{NODES "---\nname: u\n", ":5:1: a second document begins: one file, one topology"},
	{"name: t\xff\n", ": byte 7: invalid leading UTF-8 octet"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, addresses: e, expect: {is: 10.0.0.1, "
	       "not: "
	       "\"::1\"}}]}}\n",
		":4:85: one expectation cannot be of IPv4 and IPv6: make two steps of it"},
	{NODES "scenarios: {x: {title: y, steps: [{on: a, addresses: e, expect: {is: 10.0.0}}]}}\n",
		":4:70: is must be an address like 10.0.1.10 or 2001:db8::10, not '10.0.0'"},
	{"name: t\ntopology: {nodes: {s: {kind: switch, ipv6: 10.0.0.0/24}}}\n",
		":2:44: ipv6 must be an address with its prefix length like 2001:db8::10/64, not "
		"'10.0.0.0/24'"},
	{"name: t\ntopology: {nodes: {s: {kind: switch, ipv4: 0.0.0.0/0}}}\n",
		":2:44: ipv4: 0.0.0.0/0 is no interface's address"},
	{"name: t\ntopology: {nodes: {r: {routes: [{to: 10.0.0.0/24, via: \"::1\"}]}}}\n",
		":2:33: a route to 10.0.0.0/24 cannot go via ::1: IPv4 and IPv6"},
	{"name: t\ntopology: {nodes: {r: {routes: [{to: 10.0.0.0/24}]}}}\n",
		":2:33: a route needs the key 'via'"},
	{"name: t\ntopology: {nodes: {r: {routes: some}}}\n",
		":2:32: routes must be none, auto or a list of {to: SUBNET, via: GATEWAY}, not "
		"'some'"},
	{"name: t\ntopology: {nodes: {s: {kind: switch, routes: none}}}\n",
		":2:20: 's' is a switch: it has no routes"},
	{"name: t\ntopology: {kinds: {router: {kind: host}}, nodes: {a: {}}}\n",
		":2:35: 'router' is a kind by itself, and not a host"},
	{"name: t\ntopology: {kinds: {web: {kind: rooter}}, nodes: {a: {}}}\n",
		":2:32: kind must be host, router, switch or one of kinds, not 'rooter'; did you "
		"mean "
		"'router'?"},
};

/* Where all that is wrong is collected, the sentence is there too; no YAML at all is an error. */
static void expect_problem(const char *expected)
{
	CLEANUP(problems_finish) struct problems problems = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	struct topology_request request = {.path = file_path, .problems = &problems};
	struct error error = {0}, one;
	EXPECT(topology_read_with(&request, &topology, &error) < 0, "accepted");
	bool found = strcmp(error.text, expected) == 0;
	for (size_t i = 0; i < problems.count; i++) {
		problem_error(&problems.list[i], &one);
		found |= strcmp(one.text, expected) == 0;
	}
	EXPECT(found, "%zu problems, and none is: %s", problems.count, expected);
}

static void test_bad_files(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(bad_files); i++) {
		CLEANUP(topology_finish) struct topology topology = {0};
		struct error error = {0};
		char expected[1024];
		write_file(bad_files[i].text, strlen(bad_files[i].text));
		int status = topology_read(file_path, NULL, 0, &topology, &error);
		snprintf(expected, sizeof(expected), "%s%s", file_path, bad_files[i].error);
		EXPECT(status < 0, "accepted: %s", bad_files[i].text);
		EXPECT_TEXT(error.text, expected);
		expect_problem(expected);
	}
}

/* Aliases of aliases: a few hundred bytes that stand for 10^9 values. */
static void test_aliases(void)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	text_append(&text, "name: t\nvars:\n  a0: &a0 {run: x, on: [h]}\n");
	text_append(&text, "topology: {nodes: {h: {}}}\nscenarios:\n");
	text_append(&text, "  x: {title: t, steps: &s [&z {on: h, run: y}");
	for (int i = 0; i < 2000; i++)
		text_append(&text, ", *z");
	text_append(&text, "]}\n");
	for (int i = 0; i < 200; i++)
		text_append(&text, "  x%d: {title: t, steps: *s}\n", i);
	write_file(text_view(&text), text.length);
	EXPECT(topology_read(file_path, NULL, 0, &topology, &error) < 0, "accepted");
	EXPECT(strstr(error.text, "vars") || strstr(error.text, "a0"), "%s", error.text);

	char *vars = strstr(text.bytes, "vars:");
	memset(vars, '#', (size_t)(strchr(strchr(vars, '\n') + 1, '\n') - vars));
	write_file(text_view(&text), text.length);
	EXPECT(topology_read(file_path, NULL, 0, &topology, &error) < 0, "accepted");
	EXPECT(strstr(error.text, "ranges and aliases stand for over 1000000 values"), "%s",
		error.text);
}

/* A variable named over and over multiplies as well as an alias. */
static void test_variables(void)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	text_append(&text, "name: t\ntopology: {nodes: {h: {}}}\nvars: {v: ");
	for (int i = 0; i < 100000; i++)
		text_append(&text, "x");
	text_append(&text, "}\ntitle: ");
	for (int i = 0; i < 1000; i++)
		text_append(&text, "${v}");
	write_file(text_view(&text), text.length);
	EXPECT(topology_read(file_path, NULL, 0, &topology, &error) < 0, "accepted");
	EXPECT(strstr(error.text, "stand for over 64 MiB of text"), "%s", error.text);
}

/* Files that are short enough, and would take minutes or gigabytes. */
static void test_large_files(void)
{
	static const struct {
		const char *before, *repeated, *behind;
		size_t count;
		const char *error;
	} files[] = {
		{"", "[", "", 100000, ":1:65: lists and pairs stand over 64 deep"},
		{"a: ", "{a: ", "", 50000, "lists and pairs stand over 64 deep"},
		{"name: t\ntopology: {nodes: {a: {run: [", "{name: a, cmd: x},", "]}}}\n", 100000,
			"a node runs at most 1000 processes"},
		{"name: t\ntopology: {nodes: {\"a[1-20000]\": {files: {f: ", "xxxxxxxxxx", "}}}}\n",
			100000, "stand for over 64 MiB of text"},
		{"name: t\ntopology: {nodes: {\"a[1-20000]\": {}}}\nscenarios: {x: {title: t, "
		 "steps: "
		 "[&s {on: \"a[1-20000]\", run: x}",
			", *s", "]}}\n", 100000, "stand for over 1000000 values"},
		{"name: t\nvars: {v: \"\"}\ntopology: {nodes: {\"a[1-20000]\": {env: {e: \"",
			"${v}", "\"}}}}\n", 1000, "stand for over 1000000 values"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
		CLEANUP(text_finish) struct text text = {0};
		CLEANUP(topology_finish) struct topology topology = {0};
		struct error error = {0};
		text_append(&text, "%s", files[i].before);
		for (size_t j = 0; j < files[i].count; j++)
			text_append(&text, "%s", files[i].repeated);
		text_append(&text, "%s", files[i].behind);
		write_file(text_view(&text), text.length);
		EXPECT(topology_read(file_path, NULL, 0, &topology, &error) < 0, "%zu: accepted",
			i);
		EXPECT(strstr(error.text, files[i].error), "%zu: %s", i, error.text);
	}
}

static void test_good_file(void)
{
	static const char text[] =
		"name: t\nvars: {pool: 10.0.0.1-10.0.0.9, n: 4}\ntopology:\n  nodes:\n"
		"    s: {kind: switch, ipv4: 10.0.0.0/24}\n"
		"    c[08-11]: {run: [{name: p, cmd: 'x ${pool} $$HOME $1', ready: {port: 80}}]}\n"
		"  links:\n    - {endpoints: [\"c[08-11]:eth0\", s], ipv4: none, mtu: 1400, "
		"rate: [none, 1.5mbit]}\n"
		"scenarios:\n  a:\n    title: A\n    steps:\n"
		"      - {on: [c08, \"c[10-11]\"], run: y, expect: {exit: {0: 2, 4: 1}, output: "
		"[a, b]}}\n"
		"      - {on: c08, addresses: eth0, expect: {count: 1, within: '${pool}'}}\n";
	static const char *const settings[] = {"pool=10.0.0.1-10.0.0.5"};
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	write_file(text, strlen(text));
	EXPECT(topology_read(file_path, settings, 1, &topology, &error) == 0, "%s", error.text);
	if (topology.node_count != 5 || topology.scenario_count != 1) {
		EXPECT(false, "%zu nodes", topology.node_count);
		return;
	}
	EXPECT_TEXT(topology.nodes[1].name, "c08");
	EXPECT_TEXT(topology.nodes[4].name, "c11");
	EXPECT_TEXT(topology.nodes[4].written_as, "c[08-11]");
	EXPECT_TEXT(topology.nodes[2].processes[0].command, "x 10.0.0.1-10.0.0.5 $HOME $1");
	EXPECT_NUMBER(topology.nodes[2].processes[0].ready.kind, READY_PORT);
	EXPECT_NUMBER(topology.link_count, 4);
	EXPECT_NUMBER(topology.links[3].ends[0].node, 4);
	EXPECT_NUMBER(topology.links[3].ends[0].choices[IPV4], ADDRESS_NONE);
	EXPECT_NUMBER(topology.links[3].mtu, 1400);
	EXPECT_NUMBER(topology.links[3].ends[0].rate, 0);
	EXPECT_NUMBER(topology.links[3].ends[1].rate, 1500000);
	EXPECT_NUMBER(topology_find_node(&topology, "c10"), 3);
	EXPECT_NUMBER(topology_find_node(&topology, "c12"), -1);
	const struct step *steps = topology.scenarios[0].steps;
	EXPECT_NUMBER(steps[0].node_count, 3);
	EXPECT_NUMBER(steps[0].expect.exit_count, 2);
	EXPECT_NUMBER(steps[0].expect.exits[1].nodes, 1);
	EXPECT_TEXT(steps[0].expect.outputs[1], "b");
	EXPECT_TEXT(IP_TEXT(steps[1].expect.last), "10.0.0.5");

	static const char *const wrong[] = {"pol=3", "=3", "pool", "pool=\xff"};
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
		CLEANUP(topology_finish) struct topology none = {0};
		EXPECT_NUMBER(topology_read(file_path, &wrong[i], 1, &none, &error), -EINVAL);
		EXPECT(text_starts_with(error.text, "--set"), "%s", error.text);
	}
}

static void test_odd_files(void)
{
	struct error error = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	EXPECT_NUMBER(topology_read("/nonexistent.yaml", NULL, 0, &topology, &error), -ENOENT);
	EXPECT_TEXT(error.text, "cannot read '/nonexistent.yaml': No such file or directory");
	EXPECT_NUMBER(topology_read("/tmp", NULL, 0, &topology, &error), -EINVAL);
	EXPECT_TEXT(error.text, "'/tmp' is not a regular file");
	EXPECT_NUMBER(topology_read("/dev/zero", NULL, 0, &topology, &error), -EINVAL);
}

/* Every beginning of a good file, and every byte of it changed: an error or a model, no more. */
static void test_torn_files(void)
{
	static const char text[] =
		"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/24}, \"c[1-3]\": "
		"{}}\n"
		"  links: [{endpoints: [\"c[1-3]:eth0\", s]}]\nscenarios:\n"
		"  a: {title: A, steps: [{on: \"c[1-3]\", run: x, expect: {exit: {0: 3}}}]}\n";
	size_t length = strlen(text);
	for (size_t i = 0; i < 2 * length; i++) {
		char changed[sizeof(text)];
		CLEANUP(topology_finish) struct topology topology = {0};
		struct error error = {0};
		memcpy(changed, text, sizeof(text));
		if (i >= length)
			changed[i - length] = (char)(changed[i - length] ^ (1 << (i % 7)));
		write_file(changed, i < length ? i : length);
		int status = topology_read(file_path, NULL, 0, &topology, &error);
		EXPECT((status < 0) == (error.text[0] != '\0'), "status %d without its error",
			status);
	}
}

/* Beside the file, NAME of it is "FILE.NAME". */
static void write_beside(const char *name, const char *text)
{
	char path[96];
	snprintf(path, sizeof(path), "%s.%s", file_path, name);
	CLEANUP(close_file) FILE *file = fopen(path, "we");
	EXPECT(file && fputs(text, file) >= 0, "cannot write %s", path);
}

static void remove_beside(const char *name)
{
	char path[96];
	snprintf(path, sizeof(path), "%s.%s", file_path, name);
	unlink(path);
}

/* The main file with @ for the start of the names of those beside it. */
static int read_main(const char *text, const char *const *settings, size_t setting_count,
	struct topology *topology, struct error *error)
{
	CLEANUP(text_finish) struct text written = {0};
	for (; *text; text++) {
		if (*text == '@')
			text_append(&written, "%s.", strrchr(file_path, '/') + 1);
		else
			text_append_bytes(&written, text, 1);
	}
	write_file(text_view(&written), written.length);
	return topology_read(file_path, settings, setting_count, topology, error);
}

static void test_include(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	static const char *const settings[] = {"c=9"};
	write_beside("net",
		"name: other\nvars: {a: 1, b: \"${a}x\", c: 3}\n"
		"topology:\n  defaults: {env: {X: \"${b}\"}}\n"
		"  nodes: {h: {}, s: {kind: switch}}\n  links: [{endpoints: [h, s]}]\n");
	write_beside("more", "topology: {nodes: {g: {env: {Y: \"${c}\"}}}}\n");
	EXPECT(read_main("name: t\ninclude: [@net, @more]\nvars: {a: 2}\n"
			 "topology: {nodes: {i: {}}, links: [{endpoints: [i, s]}]}\n",
		       settings, 1, &topology, &error) == 0,
		"%s", error.text);
	if (topology.node_count != 4 || topology.link_count != 2 || topology.file_count != 3) {
		EXPECT(false, "%zu nodes", topology.node_count);
		return;
	}
	EXPECT_TEXT(topology.name, "t");
	EXPECT_TEXT(topology.nodes[0].name, "h");
	EXPECT_TEXT(topology.nodes[0].environment[0], "X=2x");
	EXPECT_TEXT(topology.nodes[2].environment[1], "Y=9");
	EXPECT_NUMBER(topology.nodes[2].mark.file, 2);
	EXPECT_NUMBER(topology.nodes[3].mark.file, 0);
}

static void test_bad_include(void)
{
	static const struct {
		const char *text, *net, *error;
	} cases[] = {
		{"name: t\ninclude: @nothing\n", "",
			"%1$s:2:10: cannot read '%1$s.nothing': No such file or directory"},
		{"name: t\ninclude: @net\n", "topology: {nodes: {a: {knd: host}}}\n",
			"%1$s.net:1:24: unknown key 'knd' in a node; did you mean 'kind'?"},
		{"name: t\ninclude: @net\ntopology: {nodes: {a: {}}}\n",
			"topology: {nodes: {a: {}}}\n",
			"%1$s:3:20: two nodes are named 'a': first in line 1 of %1$s.net"},
		{"name: t\ninclude: @net\n", "include: @net\n",
			"%1$s.net:1:10: '%1$s.net' includes itself by this"},
		{"name: t\ninclude: ''\n", "", "%1$s:2:10: include must name a file"},
		{"name: t\ninclude: @net\n", "vars: {a: 1}\n",
			"%1$s:1:1: a topology file needs the key 'topology'"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(topology_finish) struct topology topology = {0};
		struct error error = {0};
		char expected[1024], net[256];
		snprintf(net, sizeof(net), "%s", cases[i].net);
		char *at = strchr(net, '@');
		if (at)
			snprintf(at, sizeof(net) - (size_t)(at - net), "%s.net\n",
				strrchr(file_path, '/') + 1);
		write_beside("net", net);
		EXPECT(read_main(cases[i].text, NULL, 0, &topology, &error) < 0, "%zu: accepted",
			i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(expected, sizeof(expected), cases[i].error, file_path);
#pragma GCC diagnostic pop
		EXPECT_TEXT(error.text, expected);
	}
	remove_beside("net");
	remove_beside("more");
}

static void test_kinds(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	static const char text[] =
		"name: t\ntopology:\n"
		"  defaults: {env: {A: 1, B: 1}, run: [{name: d, cmd: x}]}\n"
		"  kinds:\n    router: {env: {B: 2}, run: []}\n"
		"    web: {kind: host, run: [{name: w, cmd: y}], files: {a: 1, b: 1}}\n"
		"    lan: {kind: switch, ipv4: 10.0.0.0/24, run: []}\n"
		"  nodes:\n    h: {}\n    r: {kind: router, env: {C: 3}}\n"
		"    w: {kind: web, env: {B: 4}, files: {b: 2}}\n    s: {kind: lan}\n";
	write_file(text, strlen(text));
	EXPECT(topology_read(file_path, NULL, 0, &topology, &error) == 0, "%s", error.text);
	if (topology.node_count != 4)
		return;
	const struct node *h = &topology.nodes[0], *r = h + 1, *w = h + 2, *s = h + 3;
	EXPECT_NUMBER(h->environment_count, 2);
	EXPECT_TEXT(h->processes[0].name, "d");
	EXPECT_NUMBER(r->kind, NODE_ROUTER);
	EXPECT_NUMBER(r->process_count, 0);
	EXPECT_TEXT(r->environment[0], "A=1");
	EXPECT_TEXT(r->environment[1], "B=2");
	EXPECT_TEXT(r->environment[2], "C=3");
	EXPECT_NUMBER(w->process_count, 1);
	EXPECT_TEXT(w->processes[0].name, "w");
	EXPECT_TEXT(w->environment[1], "B=4");
	EXPECT_NUMBER(w->file_count, 2);
	EXPECT_TEXT(w->files[1].content, "2");
	EXPECT_NUMBER(s->kind, NODE_SWITCH);
	EXPECT_TEXT(IP_PREFIX_TEXT(s->subnets[IPV4]), "10.0.0.0/24");
}

/* Blocks of the longer range: c1 to c3 at s1, c4 to c6 at s2. */
/* Those of all layers, and what a switch is spared. */
static void test_details(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	static const char text[] =
		"name: t\ntopology:\n"
		"  defaults: {binds: [\"/etc:/tmp/e\", \"/usr:/mnt\"], sysctls: {net.a.b/c: 1, "
		"net/d: 2}, exec: [one], cpu: 2, memory: 1.5MiB}\n"
		"  nodes:\n    a: {binds: [\"/usr:/tmp/e/:ro\"], sysctls: {net.d: 3}, exec: [\"two "
		"words\"], cpu: 0.25, workdir: x}\n    s: {kind: switch}\n";
	write_file(text, strlen(text));
	EXPECT(topology_read(file_path, NULL, 0, &topology, &error) == 0, "%s", error.text);
	if (topology.node_count != 2)
		return;
	const struct node *a = &topology.nodes[0], *s = a + 1;
	EXPECT_NUMBER(a->bind_count, 2);
	EXPECT_TEXT(a->binds[0].source, "/usr");
	EXPECT_TEXT(a->binds[0].target, "/tmp/e");
	EXPECT(a->binds[0].read_only && !a->binds[1].read_only, "read-only");
	EXPECT_NUMBER(a->sysctl_count, 2);
	EXPECT_TEXT(a->sysctls[0].path, "net/a/b.c");
	EXPECT_TEXT(a->sysctls[1].value, "3");
	EXPECT_NUMBER(a->exec_count, 2);
	EXPECT_TEXT(a->execs[0].command, "one");
	EXPECT_TEXT(a->execs[1].command, "two words");
	EXPECT_TEXT(a->workdir, "x");
	EXPECT_NUMBER(a->cpu_thousandths, 250);
	EXPECT_NUMBER(a->memory_bytes, 3 * 512 * 1024);
	EXPECT_NUMBER(s->bind_count + s->exec_count + s->cpu_thousandths + s->memory_bytes, 0);
	EXPECT_NUMBER(s->sysctl_count, 2);
}

static void test_blocks(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	struct error error = {0};
	static const char text[] = "name: t\ntopology:\n  nodes: {\"c[1-6]\": {}, \"s[1-2]\": "
				   "{kind: switch}}\n  links: [{endpoints: [\"c[1-6]\", "
				   "\"s[1-2]\"]}]\n";
	write_file(text, strlen(text));
	EXPECT(topology_read(file_path, NULL, 0, &topology, &error) == 0, "%s", error.text);
	for (size_t i = 0; i < topology.link_count; i++)
		EXPECT_NUMBER(topology.links[i].ends[1].node, 6 + i / 3);
	EXPECT_NUMBER(topology.link_count, 6);
}

/* tc(8)'s words, and what is none: 0. */
static void test_rates(void)
{
	static const struct {
		const char *text;
		uint64_t bits;
		const char *shown;
	} rows[] = {
		{"10mbit", 10000000, "10mbit"},
		{"10Mbit", 10000000, "10mbit"},
		{"1.5gbit", 1500000000, "1500mbit"},
		{"56000", 56000, "56kbit"},
		{"1001bit", 1001, "1001bit"},
		{"0.064mbit", 64000, "64kbit"},
		{"1.999kbit", 1999, "1999bit"},
		{"1kibit", 1024, "1024bit"},
		{"16gbit", RATE_MOST, "16gbit"},
		{"16.001gbit", 0, ""},
		{"18446744073709551616", 0, ""},
		{"999999999999999999gbit", 0, ""},
		{"999", 0, ""},
		{"0", 0, ""},
		{"1.bit", 0, ""},
		{".5mbit", 0, ""},
		{"1.2.3mbit", 0, ""},
		{"1.0001mbit", 0, ""},
		{"10mbps", 0, ""},
		{"10 mbit", 0, ""},
		{"-1mbit", 0, ""},
		{"mbit", 0, ""},
		{"", 0, ""},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char shown[RATE_TEXT_SIZE];
		uint64_t bits = 0;
		EXPECT(rate_parse(rows[i].text, &bits) == (rows[i].bits != 0), "'%s'",
			rows[i].text);
		EXPECT_NUMBER(bits, rows[i].bits);
		if (bits)
			EXPECT_TEXT(rate_format(bits, shown), rows[i].shown);
	}
}

/* Each problem once, in the order of the file, and none that only follows from another. */
static void test_problems(void)
{
	static const char text[] =
		"name: t\ntittle: x\ntopology:\n  nodes:\n"
		"    s: {kind: switch, ipv4: 10.0.0.0/33}\n"
		"    \"c[1-9]\": {mac: 01:02:03:04:05:06, run: [{name: x}]}\n    d: {}\n"
		"  links:\n    - {endpoints: [\"c[1-9]\", s]}\n    - {endpoints: [x, s]}\n"
		"    - {endpoints: [d, s], mtu: 1}\n"
		"scenarios:\n  y:\n    steps:\n      - {on: e, run: x}\n      - {on: d, rnu: x}\n";
	static const char *const expected[] = {
		":2:1: unknown key 'tittle' in a topology file; did you mean 'title'?",
		":5:29: ipv4 must be an address with its prefix length like 10.0.1.10/24, not "
		"'10.0.0.0/33'",
		":6:21: '01:02:03:04:05:06' is a group address: the first byte of an interface's "
		"own is even",
		":6:46: an entry of run needs the key 'cmd'",
		":10:20: the link leads to 'x', which is no node",
		":11:32: mtu must be 68 to 65535 bytes: IPv4 needs 68",
		":14:5: a scenario needs the key 'title'",
		":15:14: 'e' is no node of this topology",
	};
	CLEANUP(problems_finish) struct problems problems = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	struct topology_request request = {.path = file_path, .problems = &problems};
	struct error error = {0};
	write_file(text, strlen(text));
	EXPECT_NUMBER(topology_read_with(&request, &topology, &error), -EINVAL);
	EXPECT(topology.faulty, "what could be read is there");
	problems_sort(&problems);
	EXPECT_NUMBER(problems.count, ARRAY_LENGTH(expected) + 1);
	for (size_t i = 0; i < ARRAY_LENGTH(expected) && i < problems.count; i++) {
		char wanted[512];
		snprintf(wanted, sizeof(wanted), "%s%s", file_path, expected[i]);
		problem_error(&problems.list[i], &error);
		EXPECT_TEXT(error.text, wanted);
	}
}

/* There is room for a hundred; that there are more is known. */
static void test_many_problems(void)
{
	CLEANUP(problems_finish) struct problems problems = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(text_finish) struct text text = {0};
	struct topology_request request = {.path = file_path, .problems = &problems};
	struct error error = {0};
	text_append(&text, "name: t\ntopology:\n  nodes:\n");
	for (unsigned i = 0; i < 5000; i++)
		text_append(&text, "    n%u: {knd: %u}\n", i, i);
	write_file(text_view(&text), text.length);
	EXPECT_NUMBER(topology_read_with(&request, &topology, &error), -EINVAL);
	EXPECT_NUMBER(problems.count, PROBLEMS_MOST);
	EXPECT(problems.more, "there are more");
}

int main(void)
{
	snprintf(file_path, sizeof(file_path), "/tmp/topology_test.XXXXXX");
	int fd = mkstemp(file_path);
	if (fd < 0)
		return 1;
	close(fd);
	test_bad_files();
	test_aliases();
	test_variables();
	test_large_files();
	test_good_file();
	test_odd_files();
	test_torn_files();
	test_include();
	test_bad_include();
	test_kinds();
	test_details();
	test_blocks();
	test_rates();
	test_problems();
	test_many_problems();
	unlink(file_path);
	return unit_finish();
}
