/* results/drawing.c and what it is made of: words of pictures, and plans as Graphviz text. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "results/drawing.h"
#include "results/drawing_words.h"
#include "results/figures.h"
#include "topology/read.h"
#include "unit.h"

static char file_path[64];

static void plan_text(const char *text, struct topology *topology, struct plan *plan)
{
	struct error error = {0};
	FILE *file = fopen(file_path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
	EXPECT(topology_read(file_path, NULL, 0, topology, &error) == 0 &&
			plan_make(topology, plan, &error) == 0,
		"%s", error.text);
}

static void test_names(void)
{
	static const struct {
		const char *names[12];
		const char *text;
		size_t longest;
	} cases[] = {
		{{"a"}, "a", 1},
		{{"a1", "a2"}, "a1,<br/>a2", 2},
		{{"a1", "a2", "a3"}, "a1 … a3", 7},
		{{"pc08", "pc09", "pc10"}, "pc08 … pc10", 11},
		{{"a1", "a2", "a3", "b1", "b3"}, "a1 … a3,<br/>b1,<br/>b3", 7},
		{{"a", "b", "c", "d"}, "a,<br/>b,<br/>c,<br/>d", 1},
		{{"a", "b", "c", "d", "e"}, "a,<br/>b,<br/>c<br/>and 2 more", 1},
		{{"1", "2", "3"}, "1 … 3", 5},
		{{"workstation-in-room-1", "workstation-in-room-2", "workstation-in-room-3"},
			"workstation-in-<br/>room-1 …<br/>workstation-in-<br/>room-3", 17},
		{{"abcdefghijklmnopqrstuvwxyzabcdef"}, "abcdefghijklmnopqrstuvwxyz<br/>abcdef", 26},
		{{"a-name-of-sixteen"}, "a-name-of-sixteen", 17},
		/* No name has these, yet none of them may ever become a mark. */
		{{"<b>&\"x\""}, "&lt;b&gt;&amp;&quot;x&quot;", 7},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(text_finish) struct text text = {0};
		size_t count = 0;
		while (cases[i].names[count])
			count++;
		EXPECT_NUMBER(drawing_names(cases[i].names, count, &text), cases[i].longest);
		EXPECT_TEXT(text_view(&text), cases[i].text);
	}
}

static void test_addresses(void)
{
	static const struct {
		const char *addresses[4]; /* of as many interfaces */
		const char *text;
	} cases[] = {
		{{"10.0.0.1/24"}, "10.0.0.1/24"},
		{{"10.0.0.3/24", "10.0.0.2/24"}, "10.0.0.2 – 10.0.0.3/24"},
		{{"10.0.0.1/24", "10.0.0.2/24", "10.0.0.4/24"}, "10.0.0.1 … 10.0.0.4/24"},
		{{"2001:db8::ffff/64", "2001:db8::1:0/64"}, "2001:db8::ffff – 2001:db8::1:0/64"},
		{{"10.0.0.1/24", "2001:db8::1/64"}, "10.0.0.1/24<br/>2001:db8::1/64"},
		{{NULL}, ""},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct plan_interface interfaces[4] = {0};
		const struct plan_interface *list[4];
		CLEANUP(text_finish) struct text text = {0};
		size_t count = 0;
		for (; cases[i].addresses[count]; count++) {
			struct ip_prefix prefix;
			EXPECT(ip_prefix_parse(cases[i].addresses[count], &prefix), "%s",
				cases[i].addresses[count]);
			interfaces[count].addresses[prefix.address.family] = prefix;
			list[count] = &interfaces[count];
		}
		drawing_addresses(list, count, &text);
		EXPECT_TEXT(text_view(&text), cases[i].text);
	}
}

/* What becomes of the hosts of a switch s with those members: "first+count" of each figure. */
static void test_groups(void)
{
	static const struct {
		const char *nodes, *links;
		const char *figures;
	} cases[] = {
		{"\"h[1-4]\": {}", "{endpoints: [\"h[1-4]\", s]}", "s h1 h2 h3 h4"},
		{"\"h[1-5]\": {}", "{endpoints: [\"h[1-5]\", s]}", "s h1+5"},
		/* One that serves is not like the others, nor is one without an address. */
		{"\"h[1-5]\": {}, w: {run: [{name: web, cmd: x}]}",
			"{endpoints: [\"h[1-5]\", s]}, {endpoints: [w, s]}", "s h1+5 w"},
		{"\"h[1-6]\": {}", "{endpoints: [\"h[1-5]\", s]}, {endpoints: [h6, s], ipv4: none}",
			"s h1+5 h6"},
		{"\"h[1-6]\": {}", "{endpoints: [\"h[1-5]\", s]}, {endpoints: [\"h6:lan\", s]}",
			"s h1+5 h6"},
		/* Alike, though others stand between them. */
		{"\"h[1-3]\": {}, r: {kind: router}, \"h[4-6]\": {}",
			"{endpoints: [\"h[1-3]\", s]}, {endpoints: [r, s]}, "
			"{endpoints: [\"h[4-6]\", s]}",
			"s h1+6 r"},
		/* At a router each has a link of its own. */
		{"r: {kind: router}, \"h[1-5]\": {}",
			"{endpoints: [\"h[1-5]\", r]}, {endpoints: [r, s]}", "s r h1+5"},
		{"\"h[1-6]\": {}", "{endpoints: [\"h[1-6]\", s]}, {endpoints: [h1, h2]}",
			"s h1 h2 h3 h4 h5 h6"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(topology_finish) struct topology topology = {0};
		CLEANUP(plan_finish) struct plan plan = {0};
		CLEANUP(figures_finish) struct figures figures = {0};
		CLEANUP(text_finish) struct text text = {0}, seen = {0};
		struct error error = {0};
		text_append(&text,
			"name: t\ntopology:\n  ipv4: 10.9.0.0/16\n  nodes: {s: {kind: switch, "
			"ipv4: "
			"10.0.0.0/24}, %s}\n  links: [%s]\n",
			cases[i].nodes, cases[i].links);
		plan_text(text_view(&text), &topology, &plan);
		EXPECT(figures_make(&plan, &figures, &error) == 0, "%s", error.text);
		for (size_t j = 0; j < figures.count; j++) {
			const struct figure *figure = &figures.list[j];
			text_append(&seen, "%s%s", j ? " " : "",
				plan.nodes[figure->members[0]].node->name);
			if (figure->count > 1)
				text_append(&seen, "+%zu", figure->count);
		}
		EXPECT_TEXT(text_view(&seen), cases[i].figures);
		text_finish(&seen);
	}
}

#define POINT                                                                                      \
	"name: t\ntopology:\n  nodes: {a: {run: [{name: ftp, cmd: x}, {name: dhcp, cmd: x}]}, b: " \
	"{kind: router}}\n  links: [{endpoints: [\"a:eth0\", \"b:to-a\"], ipv4: [10.0.0.1/30, "    \
	"10.0.0.2/30], mtu: 1400}]\n"

/* What stands in the text, whatever else does. */
static void test_drawings(void)
{
	static const struct {
		const char *topology;
		const char *parts[6];
	} cases[] = {
		{POINT, {"graph \"t\" {", "rankdir=LR",
				"\"a\" [shape=box, fillcolor=\"#e3eefb\", color=\"#2f6db3\", "
				"label=<<b>a</b><br/><font point-size=\"10\" "
				"color=\"#4a5560\">ftp, dhcp</font>>];",
				"<td>10.0.0.1/30</td><td></td><td>10.0.0.2/30</td>",
				"<td colspan=\"3\">MTU 1400</td>",
				"\t\"a\" -- \"a:eth0\":wire:w [weight=4];\n"
				"\t\"a:eth0\":wire:e -- \"b\" [weight=4];\n"}},
		/* A switch's end says nothing; of two switches neither does. */
		{"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/24, ipv6: "
		 "2001:db8::/64}, z: {kind: switch}, a: {}}\n  links: [{endpoints: [s, z]}, "
		 "{endpoints: [a, z]}]\n",
			{"<b>s</b><br/><font point-size=\"10\" color=\"#4a5560\">10.0.0.0/24</font>"
			 "<br/><font point-size=\"10\" color=\"#4a5560\">2001:db8::/64</font>",
				"\"s\" -- \"z\";\n", "<td>10.0.0.1/24<br/>2001:db8::1/64</td>",
				"\"z\" -- \"a:eth0\":wire:w [weight=2];\n\t\"a:eth0\":wire:e -- "
				"\"a\" [weight=4];"}},
		/* A long row goes down the page, with names to the left and addresses to the right. */
		{"name: t\ntopology:\n  ipv4: 10.0.0.0/24\n  nodes: {\"r[1-8]\": {kind: router}}\n "
		 " "
		 "links: [{endpoints: [r1, r2]}, {endpoints: [r2, r3]}, {endpoints: [r3, r4]}, "
		 "{endpoints: [r4, r5]}, {endpoints: [r5, r6]}, {endpoints: [r6, r7]}, "
		 "{endpoints: [r7, r8]}]\n",
			{"rankdir=TB", "<td port=\"wire\" rowspan=\"3\"",
				"\"r1\" -- \"r1:eth0\":wire:n", "\"r1:eth0\":wire:s -- \"r2\""}},
		{"name: t\ntopology:\n  nodes: {a: {}, b: {}}\n  links: [{endpoints: [a, b], ipv4: "
		 "none}]\n",
			{"<td>no address</td>"}},
		{"name: t\ntopology:\n  nodes: {a: {run: [{name: ftp, cmd: x}], nftables: \"table "
		 "ip "
		 "t\"}, b: {}}\n  links: [{endpoints: [a, b], ipv4: [10.0.0.1/30, 10.0.0.2/30], "
		 "rate: [10mbit, 2mbit]}]\n",
			{">ftp, nftables</font>>];", "<td>10.0.0.1/30<br/>10mbit</td><td></"
						     "td><td>10.0.0.2/30<br/>2mbit</td>"}},
		/* Nothing is linked: what is alone is drawn too. */
		{"name: t\ntopology:\n  nodes: {a: {}, s: {kind: switch}, b: {}, c: {}}\n  links: "
		 "[{endpoints: [b, c], ipv4: none}]\n",
			{"<b>a</b>", "<b>s</b>"}},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(topology_finish) struct topology topology = {0};
		CLEANUP(plan_finish) struct plan plan = {0};
		CLEANUP(text_finish) struct text text = {0};
		plan_text(cases[i].topology, &topology, &plan);
		drawing_describe(&plan, &text);
		EXPECT(!text.failed, "case %zu", i);
		for (size_t j = 0; j < ARRAY_LENGTH(cases[i].parts) && cases[i].parts[j]; j++)
			EXPECT(strstr(text_view(&text), cases[i].parts[j]), "%s\nis not in\n%s",
				cases[i].parts[j], text_view(&text));
	}
}

/* Too many lines for labels: names alone, by a layout that is fast. */
static void test_large(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	CLEANUP(text_finish) struct text text = {0}, drawn = {0};
	text_append(&text, "name: t\ntopology:\n  ipv4: 10.0.0.0/8\n  nodes: {\"r[1-300]\": {kind: "
			   "router}}\n  links:\n");
	for (unsigned i = 1; i < 300; i++)
		text_append(&text, "    - {endpoints: [r%u, r%u]}\n", i, i + 1);
	plan_text(text_view(&text), &topology, &plan);
	drawing_describe(&plan, &drawn);
	EXPECT(strstr(text_view(&drawn), "layout=sfdp"), "%.200s", text_view(&drawn));
	EXPECT(!strstr(text_view(&drawn), "wire"), "a label");
	EXPECT(strstr(text_view(&drawn), "\"r299\" -- \"r300\";"), "the last line");
}

int main(void)
{
	snprintf(file_path, sizeof(file_path), "/tmp/drawing_test.XXXXXX");
	int fd = mkstemp(file_path);
	if (fd < 0)
		return 1;
	close(fd);
	test_names();
	test_addresses();
	test_groups();
	test_drawings();
	test_large();
	unlink(file_path);
	return unit_finish();
}
