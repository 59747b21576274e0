/* plan/: expected plans, and what cannot be planned. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "plan/describe.h"
#include "plan/needs.h"
#include "scenario/check.h"
#include "topology/problems.h"
#include "topology/read.h"
#include "unit.h"

static char file_path[64];

static int plan_text(
	const char *text, struct topology *topology, struct plan *plan, struct error *error)
{
	FILE *file = fopen(file_path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
	int status = topology_read(file_path, NULL, 0, topology, error);
	if (status == 0)
		status = plan_make(topology, plan, error);
	return status < 0 ? status : scenario_check(plan, error);
}

static const struct {
	const char *text;
	const char *tables;
} good[] = {
	/* Two subnets: routers first, then hosts, around what is written. */
	{"name: t\ntopology:\n  nodes:\n    a: {kind: switch, ipv4: 10.0.1.0/24}\n"
	 "    b: {kind: switch, ipv4: 10.0.2.0/24}\n    r: {kind: router}\n"
	 "    s: {run: [{name: web, cmd: httpd -f}]}\n    c[1-2]: {}\n    d: {mac: "
	 "02:00:00:00:00:19}\n"
	 "  links:\n    - {endpoints: [\"s:eth0\", a], ipv4: [10.0.1.10/24]}\n"
	 "    - {endpoints: [r, a]}\n    - {endpoints: [r, b]}\n"
	 "    - {endpoints: [\"c[1-2]\", b]}\n    - {endpoints: [d, b], ipv4: none}\n",
		"node  kind    interface  hardware address   IPv4 address        linked to\n"
		"a     switch  port1      02:4c:00:00:01:02  -                   s:eth0\n"
		"a     switch  port2      02:4c:00:00:02:02  -                   r:eth0\n"
		"b     switch  port1      02:4c:00:00:03:02  -                   r:eth1\n"
		"b     switch  port2      02:4c:00:00:04:02  -                   c1:eth0\n"
		"b     switch  port3      02:4c:00:00:05:02  -                   c2:eth0\n"
		"b     switch  port4      02:4c:00:00:06:02  -                   d:eth0\n"
		"r     router  eth0       02:4c:00:00:02:01  10.0.1.1/24         a:port2\n"
		"r     router  eth1       02:4c:00:00:03:01  10.0.2.1/24         b:port1\n"
		"s     host    eth0       02:4c:00:00:01:01  10.0.1.10/24        a:port1\n"
		"c1    host    eth0       02:4c:00:00:04:01  10.0.2.2/24         b:port2\n"
		"c2    host    eth0       02:4c:00:00:05:01  10.0.2.3/24         b:port3\n"
		"d     host    eth0       02:00:00:00:00:19  none                b:port4\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.1.0/24                 2  a\n"
		"10.0.2.0/24                 3  b\n"
		"\n"
		"node  route to            gateway\n"
		"s     default             10.0.1.1\n"
		"c1    default             10.0.2.1\n"
		"c2    default             10.0.2.1\n"
		"\n"
		"node  process     command\n"
		"s     web         httpd -f\n"},
	/* A chain of routers: each learns the way to every subnet it is not in. */
	{"name: t\ntopology:\n  nodes: {h: {}, r1: {kind: router}, r2: {kind: router}, g: {}}\n  "
	 "links:\n"
	 "    - {endpoints: [h, r1], ipv4: [10.0.1.2/24, 10.0.1.1/24]}\n"
	 "    - {endpoints: [r1, r2], ipv4: [10.0.12.1/30, 10.0.12.2/30]}\n"
	 "    - {endpoints: [r2, \"g:lan\"], ipv4: [10.0.2.1/24, 10.0.2.2/24]}\n",
		"node  kind    interface  hardware address   IPv4 address        linked to\n"
		"h     host    eth0       02:4c:00:00:01:01  10.0.1.2/24         r1:eth0\n"
		"r1    router  eth0       02:4c:00:00:01:02  10.0.1.1/24         h:eth0\n"
		"r1    router  eth1       02:4c:00:00:02:01  10.0.12.1/30        r2:eth0\n"
		"r2    router  eth0       02:4c:00:00:02:02  10.0.12.2/30        r1:eth1\n"
		"r2    router  eth1       02:4c:00:00:03:01  10.0.2.1/24         g:lan\n"
		"g     host    lan        02:4c:00:00:03:02  10.0.2.2/24         r2:eth1\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.1.0/24                 2  h:eth0\n"
		"10.0.12.0/30                2  r1:eth1\n"
		"10.0.2.0/24                 2  r2:eth1\n"
		"\n"
		"node  route to            gateway\n"
		"h     default             10.0.1.1\n"
		"r1    10.0.2.0/24         10.0.12.2\n"
		"r2    10.0.1.0/24         10.0.12.1\n"
		"g     default             10.0.2.1\n"},
	/* Two switches joined are one segment; a name that is written is not chosen before. */
	{"name: t\ntopology:\n  nodes: {x: {kind: switch, ipv4: 10.0.0.0/29}, y: {kind: switch}, "
	 "h: {}}\n"
	 "  links: [{endpoints: [x, y]}, {endpoints: [h, x]}, {endpoints: [\"h:eth0\", y]}]\n",
		"node  kind    interface  hardware address   IPv4 address        linked to\n"
		"x     switch  port1      02:4c:00:00:01:01  -                   y:port1\n"
		"x     switch  port2      02:4c:00:00:02:02  -                   h:eth1\n"
		"y     switch  port1      02:4c:00:00:01:02  -                   x:port1\n"
		"y     switch  port2      02:4c:00:00:03:02  -                   h:eth0\n"
		"h     host    eth1       02:4c:00:00:02:01  10.0.0.1/29         x:port2\n"
		"h     host    eth0       02:4c:00:00:03:01  10.0.0.2/29         y:port2\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.0.0/29                 2  x and 1 more\n"},
	/* Dual stack from pools: a link's own subnet, a long name, routes written and left out. */
	{"name: t\n"
	 "topology:\n"
	 "  ipv4: 10.0.0.0/16\n"
	 "  ipv6: 2001:db8::/48\n"
	 "  nodes:\n"
	 "    h: {}\n"
	 "    r1: {kind: router}\n"
	 "    r2: {kind: router, routes: [{to: 10.9.0.0/24, via: g}, {to: default, via: r1}]}\n"
	 "    lan: {kind: switch}\n"
	 "    g: {routes: [{to: default, via: none}, {to: 2001:db8:9::/48, via: 2001:db8::1}]}\n"
	 "    d: {}\n"
	 "  links:\n"
	 "    - {endpoints: [h, \"r1:uplink-to-the-backbone\"]}\n"
	 "    - {endpoints: [r1, r2], ipv4: 10.0.0.0/31}\n"
	 "    - {endpoints: [r2, lan]}\n"
	 "    - {endpoints: [g, lan]}\n"
	 "    - {endpoints: [d, lan], ipv6: none}\n",
		"node  kind    interface                      hardware address   IPv4 address      "
		"  IPv6 address        linked to\n"
		"h     host    eth0                           02:4c:00:00:01:01  10.0.2.2/30       "
		"  2001:db8:0:1::2/64  r1:uplink-to-the-backbone\n"
		"r1    router  eth0 (uplink-to-the-backbone)  02:4c:00:00:01:02  10.0.2.1/30       "
		"  2001:db8:0:1::1/64  h:eth0\n"
		"r1    router  eth1                           02:4c:00:00:02:01  10.0.0.0/31       "
		"  2001:db8:0:2::1/64  r2:eth0\n"
		"r2    router  eth0                           02:4c:00:00:02:02  10.0.0.1/31       "
		"  2001:db8:0:2::2/64  r1:eth1\n"
		"r2    router  eth1                           02:4c:00:00:03:01  10.0.1.1/24       "
		"  2001:db8::1/64      lan:port1\n"
		"lan   switch  port1                          02:4c:00:00:03:02  -                 "
		"  -                   r2:eth1\n"
		"lan   switch  port2                          02:4c:00:00:04:02  -                 "
		"  -                   g:eth0\n"
		"lan   switch  port3                          02:4c:00:00:05:02  -                 "
		"  -                   d:eth0\n"
		"g     host    eth0                           02:4c:00:00:04:01  10.0.1.2/24       "
		"  2001:db8::2/64      lan:port2\n"
		"d     host    eth0                           02:4c:00:00:05:01  10.0.1.3/24       "
		"  none                lan:port3\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.2.0/30                 2  h:eth0\n"
		"2001:db8:0:1::/64           2  h:eth0\n"
		"10.0.0.0/31                 2  r1:eth1\n"
		"2001:db8:0:2::/64           2  r1:eth1\n"
		"10.0.1.0/24                 3  lan\n"
		"2001:db8::/64               2  lan\n"
		"\n"
		"node  route to            gateway\n"
		"h     default             10.0.2.1\n"
		"h     default             2001:db8:0:1::1\n"
		"r1    10.0.1.0/24         10.0.0.1\n"
		"r1    2001:db8::/64       2001:db8:0:2::2\n"
		"r2    10.9.0.0/24         10.0.1.2  as written\n"
		"r2    default             10.0.0.0  as written\n"
		"r2    default             2001:db8:0:2::1  as written\n"
		"r2    10.0.2.0/30         10.0.0.0\n"
		"r2    2001:db8:0:1::/64   2001:db8:0:2::1\n"
		"g     2001:db8:9::/48     2001:db8::1  as written\n"
		"d     default             10.0.1.1\n"},
	/* Several routers on a LAN: of equal ways the first; a host in two segments takes the nearer one. */
	{"name: t\n"
	 "topology:\n"
	 "  nodes:\n"
	 "    a: {kind: switch, ipv4: 10.0.1.0/24}\n"
	 "    b: {kind: switch, ipv4: 10.0.2.0/24}\n"
	 "    c: {kind: switch, ipv4: 10.0.3.0/24}\n"
	 "    \"r[1-3]\": {kind: router}\n"
	 "    m: {}\n"
	 "    h: {}\n"
	 "  links:\n"
	 "    - {endpoints: [\"r[1-2]\", a]}\n"
	 "    - {endpoints: [\"r[2-3]\", b]}\n"
	 "    - {endpoints: [r3, c]}\n"
	 "    - {endpoints: [m, a]}\n"
	 "    - {endpoints: [m, b]}\n"
	 "    - {endpoints: [h, a]}\n",
		"node  kind    interface  hardware address   IPv4 address        linked to\n"
		"a     switch  port1      02:4c:00:00:01:02  -                   r1:eth0\n"
		"a     switch  port2      02:4c:00:00:02:02  -                   r2:eth0\n"
		"a     switch  port3      02:4c:00:00:06:02  -                   m:eth0\n"
		"a     switch  port4      02:4c:00:00:08:02  -                   h:eth0\n"
		"b     switch  port1      02:4c:00:00:03:02  -                   r2:eth1\n"
		"b     switch  port2      02:4c:00:00:04:02  -                   r3:eth0\n"
		"b     switch  port3      02:4c:00:00:07:02  -                   m:eth1\n"
		"c     switch  port1      02:4c:00:00:05:02  -                   r3:eth1\n"
		"r1    router  eth0       02:4c:00:00:01:01  10.0.1.1/24         a:port1\n"
		"r2    router  eth0       02:4c:00:00:02:01  10.0.1.2/24         a:port2\n"
		"r2    router  eth1       02:4c:00:00:03:01  10.0.2.1/24         b:port1\n"
		"r3    router  eth0       02:4c:00:00:04:01  10.0.2.2/24         b:port2\n"
		"r3    router  eth1       02:4c:00:00:05:01  10.0.3.1/24         c:port1\n"
		"m     host    eth0       02:4c:00:00:06:01  10.0.1.3/24         a:port3\n"
		"m     host    eth1       02:4c:00:00:07:01  10.0.2.3/24         b:port3\n"
		"h     host    eth0       02:4c:00:00:08:01  10.0.1.4/24         a:port4\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.1.0/24                 4  a\n"
		"10.0.2.0/24                 3  b\n"
		"10.0.3.0/24                 1  c\n"
		"\n"
		"node  route to            gateway\n"
		"r1    10.0.2.0/24         10.0.1.2\n"
		"r1    10.0.3.0/24         10.0.1.2\n"
		"r2    10.0.3.0/24         10.0.2.2\n"
		"r3    10.0.1.0/24         10.0.2.1\n"
		"m     default             10.0.1.1\n"
		"m     10.0.3.0/24         10.0.2.2\n"
		"h     default             10.0.1.1\n"},
	/* Unnumbered, IPv6 alone, and both addresses of a /127; no routes but one's own. */
	{"name: t\n"
	 "topology:\n"
	 "  nodes: {\"r[1-4]\": {kind: router, routes: none}, r5: {kind: router, routes: [none, "
	 "{to: \"::/0\", via: r1}]}}\n"
	 "  links:\n"
	 "    - {endpoints: [\"r[1-3]\", \"r[2-4]\"], ipv4: none}\n"
	 "    - {endpoints: [r4, r1], ipv6: [\"2001:db8:1::1/127\", \"2001:db8:1::/127\"], ipv4: "
	 "none}\n"
	 "    - {endpoints: [r5, r1], ipv6: \"2001:db8:2::/64\", mtu: 1400}\n",
		"node  kind    interface  hardware address   IPv4 address        IPv6 address      "
		" linked to\n"
		"r1    router  eth0       02:4c:00:00:01:01  none                none              "
		" r2:eth0\n"
		"r1    router  eth1       02:4c:00:00:04:02  none                2001:db8:1::/127  "
		" r4:eth1\n"
		"r1    router  eth2       02:4c:00:00:05:02  none                2001:db8:2::2/64  "
		" r5:eth0\n"
		"r2    router  eth0       02:4c:00:00:01:02  none                none              "
		" r1:eth0\n"
		"r2    router  eth1       02:4c:00:00:02:01  none                none              "
		" r3:eth0\n"
		"r3    router  eth0       02:4c:00:00:02:02  none                none              "
		" r2:eth1\n"
		"r3    router  eth1       02:4c:00:00:03:01  none                none              "
		" r4:eth0\n"
		"r4    router  eth0       02:4c:00:00:03:02  none                none              "
		" r3:eth1\n"
		"r4    router  eth1       02:4c:00:00:04:01  none                2001:db8:1::1/127 "
		" r1:eth1\n"
		"r5    router  eth0       02:4c:00:00:05:01  none                2001:db8:2::1/64  "
		" r1:eth2\n"
		"\n"
		"subnet              addresses  at\n"
		"2001:db8:1::/127            2  r4:eth1\n"
		"2001:db8:2::/64             2  r5:eth0\n"
		"\n"
		"node  route to            gateway\n"
		"r5    default             2001:db8:2::2  as written\n"},
	/* What an end sends has a column where one is limited, a switch's port too. */
	{"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/24}, a: {}, b: {}}\n"
	 "  links:\n    - {endpoints: [a, s], rate: [none, 1.5mbit]}\n"
	 "    - {endpoints: [b, s], rate: 100mbit}\n",
		"node  kind    interface  hardware address   IPv4 address        sends      linked "
		"to\n"
		"s     switch  port1      02:4c:00:00:01:02  -                   1500kbit   "
		"a:eth0\n"
		"s     switch  port2      02:4c:00:00:02:02  -                   100mbit    "
		"b:eth0\n"
		"a     host    eth0       02:4c:00:00:01:01  10.0.0.1/24         -          "
		"s:port1\n"
		"b     host    eth0       02:4c:00:00:02:01  10.0.0.2/24         100mbit    "
		"s:port2\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.0.0/24                 2  s\n"},
	/* Rules name interfaces as the file does; the kernel gets the names that it has. */
	{"name: t\ntopology:\n  ipv4: 10.0.0.0/16\n  kinds:\n    host: {nftables: add table x}\n"
	 "  nodes:\n    r:\n      kind: router\n      nftables: |\n"
	 "        # towards-the-internet, not not-towards-the-internet\n"
	 "        add rule x y iif \"towards-the-internet\" drop\n\n"
	 "        add table z\n"
	 "    h: {}\n    i: {nftables: ''}\n"
	 "  links:\n    - {endpoints: [\"r:towards-the-internet\", h]}\n",
		"node  kind    interface                    hardware address   IPv4 address        "
		"linked to\n"
		"r     router  eth0 (towards-the-internet)  02:4c:00:00:01:01  10.0.0.1/30         "
		"h:eth0\n"
		"h     host    eth0                         02:4c:00:00:01:02  10.0.0.2/30         "
		"r:towards-the-internet\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.0.0/30                 2  r:towards-the-internet\n"
		"\n"
		"node  route to            gateway\n"
		"h     default             10.0.0.1\n"
		"\n"
		"node  nftables\n"
		"r     # eth0, not not-towards-the-internet\n"
		"r     add rule x y iif \"eth0\" drop\n"
		"r     \n"
		"r     add table z\n"
		"h     add table x\n"},
	/* Nodes without addresses but what links write, by a kind, by themselves, and by a switch. */
	{"name: t\ntopology:\n  ipv4: 10.9.0.0/16\n  ipv6: \"2001:db8::/48\"\n"
	 "  kinds: {pc: {kind: host, ipv4: none}}\n"
	 "  nodes:\n    s: {kind: switch, ipv4: 10.0.0.0/24}\n    u: {kind: switch, ipv6: none}\n"
	 "    r: {kind: router}\n    p: {kind: pc}\n    q: {kind: pc, ipv6: none}\n    h: {}\n"
	 "  links:\n    - {endpoints: [r, s]}\n    - {endpoints: [p, s]}\n"
	 "    - {endpoints: [q, s], ipv4: [10.0.0.9/24]}\n    - {endpoints: [h, u]}\n"
	 "    - {endpoints: [p, r], ipv4: 10.8.0.0/30}\n    - {endpoints: [q, u]}\n",
		"node  kind    interface  hardware address   IPv4 address        IPv6 address      "
		"  linked to\n"
		"s     switch  port1      02:4c:00:00:01:02  -                   -                 "
		"  r:eth0\n"
		"s     switch  port2      02:4c:00:00:02:02  -                   -                 "
		"  p:eth0\n"
		"s     switch  port3      02:4c:00:00:03:02  -                   -                 "
		"  q:eth0\n"
		"u     switch  port1      02:4c:00:00:04:02  -                   -                 "
		"  h:eth0\n"
		"u     switch  port2      02:4c:00:00:06:02  -                   -                 "
		"  q:eth1\n"
		"r     router  eth0       02:4c:00:00:01:01  10.0.0.1/24         2001:db8::1/64    "
		"  s:port1\n"
		"r     router  eth1       02:4c:00:00:05:02  10.8.0.1/30         "
		"2001:db8:0:1::1/64  p:eth1\n"
		"p     host    eth0       02:4c:00:00:02:01  none                2001:db8::2/64    "
		"  s:port2\n"
		"p     host    eth1       02:4c:00:00:05:01  10.8.0.2/30         "
		"2001:db8:0:1::2/64  r:eth1\n"
		"q     host    eth0       02:4c:00:00:03:01  10.0.0.9/24         none              "
		"  s:port3\n"
		"q     host    eth1       02:4c:00:00:06:01  none                none              "
		"  u:port2\n"
		"h     host    eth0       02:4c:00:00:04:01  10.9.0.1/24         none              "
		"  u:port1\n"
		"\n"
		"subnet              addresses  at\n"
		"10.0.0.0/24                 2  s\n"
		"2001:db8::/64               2  s\n"
		"10.9.0.0/24                 1  u\n"
		"10.8.0.0/30                 2  p:eth1\n"
		"2001:db8:0:1::/64           2  p:eth1\n"
		"\n"
		"node  route to            gateway\n"
		"p     default             10.8.0.1\n"
		"p     default             2001:db8::1\n"
		"q     default             10.0.0.1\n"},
};

#define LAN                                                                                        \
	"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/24}, a: {}, b: {}}\n  "    \
	"links:\n"

#define STEPS(steps)                                                                               \
	LAN "    - {endpoints: [a, s]}\n    - {endpoints: [b, s]}\nscenarios:\n  x:\n    title: "  \
	    "y\n"                                                                                  \
	    "    steps:\n" steps

#define ROUTES(routes)                                                                             \
	"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/24}, a: {routes: [" routes \
	"]}, b: {}}\n  links:\n    - {endpoints: [a, s]}\n    - {endpoints: [b, s]}\n"

static const struct {
	const char *text;
	const char *error;
} bad[] = {
	{"name: t\ntopology:\n  nodes: {\"s[1-3]\": {kind: switch}}\n  links:\n"
	 "    - {endpoints: [s1, s2]}\n    - {endpoints: [s2, s3]}\n    - {endpoints: [s3, s1]}\n",
		":7:20: 's3' and 's1' are joined already: in a loop of switches frames circle for "
		"ever"},
	{"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.1.0/24}, u: {kind: switch, "
	 "ipv4: "
	 "10.0.0.0/16}, r: {kind: router}}\n  links: [{endpoints: [r, s]}, {endpoints: [r, u]}]\n",
		":3:49: the subnets 10.0.0.0/16 and 10.0.1.0/24 overlap (line 3)"},
	{LAN "    - {endpoints: [a, b], ipv4: [224.0.0.1/24, 224.0.0.2/24]}\n",
		":5:20: 224.0.0.1/24 is not for hosts: take one of 10.0.0.0/8, for example"},
	{STEPS("      - {on: a, addresses: eth9, expect: {count: 0}}\n"),
		":11:9: 'a' has no interface 'eth9'"},
	{STEPS("      - {on: a, messages: DHCPDISCOVRE, expect: {count: 0}}\n"),
		":11:9: 'DHCPDISCOVRE' is no message of DHCP, FTP, TCP or the text protocols; did "
		"you mean 'DHCPDISCOVER'?"},
	{STEPS("      - {on: a, messages: SYN, lease: 5, expect: {count: 0}}\n"),
		":11:9: 'giaddr', 'address', 'client' and 'lease' are of DHCP messages, not of "
		"SYN"},
	{STEPS("      - {on: a, messages: DHCPACK, text: x, expect: {count: 0}}\n"),
		":11:9: a DHCP message has no text: 'text' is of lines"},
	{STEPS("      - {on: a, link: down, interface: eth9}\n"),
		":11:9: 'a' has no interface 'eth9'"},
	{LAN "    - {endpoints: [a, s]}\n    - {endpoints: [a, b], ipv4: none}\nscenarios:\n"
	     "  x: {title: y, steps: [{on: a, link: down}]}\n",
		":8:25: 'a' has 2 interfaces: say which with 'interface'"},
	{LAN "    - {endpoints: [a, b], ipv4: none}\nscenarios:\n"
	     "  x: {title: y, steps: [{on: a, move: s}]}\n",
		":7:25: the cable at a:eth0 leads to 'b', and only one that leads to a switch can "
		"be moved"},
	{STEPS("      - {on: b, kill: p}\n"),
		":11:9: nothing is started under the name 'p' on 'b' before this step"},
	{STEPS("      - {on: a, messages: 226, expect: {count: 0}}\ncapture: none\n"),
		":11:9: 'messages' needs the capture, and this topology says capture: none"},
	{STEPS("      - {on: a, messages: 226, expect: {count: 0}}\ncapture: [b]\n"),
		":11:9: 'messages' needs the capture, and of the links of 'a' there is none"},
	{STEPS("      - {same-files: [\"a:x\", \"c:x\"]}\n"),
		":11:9: 'c:x' is not written as NODE:FILE with a node of this topology"},
	{STEPS("      - {on: a, start: x, as: p}\n      - {on: b, stop: p}\n"),
		":12:9: nothing is started under the name 'p' on 'b' before this step"},
	{LAN "    - {endpoints: [a, s], ipv4: [10.0.9.1/24]}\n",
		":5:20: 10.0.9.1/24 is not of this segment's subnet 10.0.0.0/24 (line 3)"},
	{LAN "    - {endpoints: [a, s], ipv4: [10.0.0.7/24]}\n"
	     "    - {endpoints: [b, s], ipv4: [10.0.0.7/24]}\n",
		":6:20: 'b' and 'a' have the same address 10.0.0.7 (line 5)"},
	{LAN "    - {endpoints: [a, s], ipv4: [10.0.0.0/24]}\n",
		":5:20: 10.0.0.0/24 is the network address of its subnet: 'a' cannot have it"},
	{LAN "    - {endpoints: [a, s], ipv4: [10.0.0.255/24]}\n",
		":5:20: 10.0.0.255/24 is the broadcast address of its subnet: 'a' cannot have it"},
	{LAN "    - {endpoints: [\"a:e\", s]}\n    - {endpoints: [\"a:e\", b]}\n",
		":6:20: 'a' already has an interface 'e'"},
	{LAN "    - {endpoints: [a, b]}\n",
		":5:20: 'a:eth0' finds no subnet here: give its switch, "
		"the link or the topology an ipv4 or ipv6, write the link's addresses, or write "
		"`ipv4: none`"},
	{"name: t\ntopology: {nodes: {a: {mac: 02:00:00:00:00:01}}}\n",
		":2:29: 'a' has no interface 'eth0' to give this hardware address to"},
	{"name: t\ntopology:\n  nodes: {s: {kind: switch}, \"a[1-2]\": {mac: 02:00:00:00:00:01}}\n"
	 "  links: [{endpoints: [\"a[1-2]\", s], ipv4: none}]\n",
		":3:46: 'a1' and 'a2' have the same hardware address 02:00:00:00:00:01"},
	{"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/30}, \"a[1-3]\": {}}\n"
	 "  links: [{endpoints: [\"a[1-3]\", s]}]\n",
		":4:24: 10.0.0.0/30 has no address left for 'a3'"},
	{"name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/16}, \"a[1-1024]\": {}}\n"
	 "  links: [{endpoints: [\"a[1-1024]\", s]}]\n",
		":4:37: switch 's' has more than 1023 links: that is what a Linux bridge can take"},
	{"name: t\ntopology:\n  ipv4: 10.0.0.0/29\n  nodes: {\"r[1-4]\": {kind: router}}\n"
	 "  links: [{endpoints: [\"r[1-3]\", \"r[2-4]\"]}]\n",
		":3:9: 10.0.0.0/29 has no /30 left for the segment of 'r3:eth1': take a larger "
		"pool"},
	{"name: t\ntopology:\n  ipv6: ff00::/16\n  nodes: {}\n",
		":3:9: ff00::/16 is not for hosts: no subnet can be taken from it"},
	{LAN "    - {endpoints: [a, b], ipv6: [\"2001:db8::1/64\", \"2001:db8::1/64\"]}\n",
		":5:23: 'b' and 'a' have the same address 2001:db8::1 (line 5)"},
	{LAN "    - {endpoints: [a, b], ipv6: [\"2001:db8::/64\", none]}\n",
		":5:20: 2001:db8::/64 is the subnet-router anycast address of its subnet: 'a' "
		"cannot have it"},
	{LAN "    - {endpoints: [a, b], ipv6: [\"fe80::1/64\", none]}\n",
		":5:20: fe80::1/64 is not for hosts: take one of 2001:db8::/32, for example"},
	{LAN "    - {endpoints: [a, b], ipv4: 10.0.0.16/30}\n    - {endpoints: [a, s]}\n",
		":5:20: the subnets 10.0.0.0/24 and 10.0.0.16/30 overlap (line 3)"},
	{ROUTES("{to: default, via: b}, {to: default, via: 10.0.0.2}"),
		":3:85: 'a' has a route of its own to default already, via 10.0.0.2"},
	{ROUTES("{to: 10.9.0.0/16, via: b}, {to: 10.9.0.0/16, via: none}"),
		":3:89: 'a' has a route of its own to 10.9.0.0/16 already, via 10.0.0.2"},
	{ROUTES("{to: default, via: 10.0.9.1}"),
		":3:62: 'a' has no interface in the subnet of the gateway 10.0.9.1"},
	{ROUTES("{to: default, via: 10.0.0.1}"),
		":3:62: 10.0.0.1 is an address of 'a' itself: a gateway is another node"},
	{ROUTES("{to: default, via: c}"),
		":3:62: the gateway 'c' is neither an address nor a node"},
	{ROUTES("{to: default, via: s}"),
		":3:62: 'a' and the gateway 's' have no addresses in one subnet"},
	{ROUTES("{to: 10.0.9.0/24, via: none}"),
		":3:62: 'a' would have no route to 10.0.9.0/24 to leave out"},
	{"name: t\ntopology: {nodes: {a: {run: [{name: p, cmd: \"x 'y\"}]}}}\n",
		":2:30: process 'p': a quote is not closed in: x 'y"},
	{"name: t\ntopology: {nodes: {a: {}}}\nscenarios: {x: {title: y, steps: [{on: a, run: "
	 "''}]}}\n",
		":3:35: the command is empty"},
};

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
		CLEANUP(topology_finish) struct topology topology = {0};
		CLEANUP(plan_finish) struct plan plan = {0};
		CLEANUP(text_finish) struct text tables = {0};
		struct error error = {0};
		EXPECT(plan_text(good[i].text, &topology, &plan, &error) == 0, "%s", error.text);
		plan_describe(&plan, &tables);
		EXPECT_TEXT(text_view(&tables), good[i].tables);
		CLEANUP(json_release) json_t *json = plan_describe_json(&plan);
		EXPECT(json_array_size(json_object_get(json, "nodes")) == topology.node_count,
			"JSON");
	}
}

/* Where all that is wrong is collected, the sentence is there too. */
static void expect_problem(const char *expected)
{
	CLEANUP(problems_finish) struct problems problems = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	struct topology_request request = {.path = file_path, .problems = &problems};
	struct error error = {0};
	EXPECT_NUMBER(topology_read_with(&request, &topology, &error), 0);
	int status = plan_make(&topology, &plan, &error);
	if (plan.topology)
		problems_go_on(&problems, scenario_check(&plan, &error), &status);
	EXPECT(status < 0, "accepted");
	bool found = false;
	for (size_t i = 0; i < problems.count; i++) {
		problem_error(&problems.list[i], &error);
		found |= strcmp(error.text, expected) == 0;
	}
	EXPECT(found, "%zu problems, and none is: %s", problems.count, expected);
}

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		CLEANUP(topology_finish) struct topology topology = {0};
		CLEANUP(plan_finish) struct plan plan = {0};
		struct error error = {0};
		char expected[1024];
		snprintf(expected, sizeof(expected), "%s%s", file_path, bad[i].error);
		EXPECT(plan_text(bad[i].text, &topology, &plan, &error) < 0, "accepted: %s",
			bad[i].text);
		EXPECT_TEXT(error.text, expected);
		expect_problem(expected);
	}
}

static void test_hosts(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	struct error error = {0};
	EXPECT(plan_text(good[1].text, &topology, &plan, &error) == 0, "%s", error.text);
	EXPECT(strstr(plan.hosts, "10.0.1.2\th\n10.0.1.1\tr1\n10.0.12.2\tr2\n10.0.2.2\tg\n") !=
			NULL,
		"%s", plan.hosts);
	EXPECT_TEXT(plan.links[2].name, "r2:eth1");
	EXPECT(plan.nodes[1].forwarding && !plan.nodes[0].forwarding,
		"routers forward, hosts do not");
}

/* A link to the router from each of many hosts: names are chosen, and one is written. */
static void test_many_links(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	struct error error = {0};
	EXPECT(plan_text("name: t\ntopology:\n  nodes: {\"h[1-19999]\": {}, r: {kind: router}}\n"
			 "  links:\n    - {endpoints: [\"h[1-19998]\", r], ipv4: none}\n"
			 "    - {endpoints: [h19999, \"r:eth7\"], ipv4: none}\n",
		       &topology, &plan, &error) == 0,
		"%s", error.text);
	const struct plan_node *router = &plan.nodes[19999];
	EXPECT_NUMBER(router->interface_count, 19999);
	EXPECT_TEXT(router->interfaces[6].name, "eth6");
	EXPECT_TEXT(router->interfaces[7].name, "eth8");
	EXPECT_TEXT(router->interfaces[19997].name, "eth19998");
	EXPECT_TEXT(router->interfaces[19998].name, "eth7");
}

static void test_many_routes(void)
{
	CLEANUP(text_finish) struct text text = {0};
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	struct error error = {0};
	text_append(&text, "name: t\ntopology:\n  nodes: {r0: {kind: router, routes: [{to: "
			   "default, via: r1}]}, "
			   "\"r[1-1500]\": {kind: router}}\n  links:\n");
	/* Every other /30: with a default route written none can be joined. */
	for (unsigned i = 0; i < 1500; i++)
		text_append(&text, "    - {endpoints: [r%u, r%u], ipv4: 10.%u.%u.0/30}\n", i, i + 1,
			i / 200, i % 200);
	EXPECT(plan_text(text_view(&text), &topology, &plan, &error) < 0, "accepted");
	EXPECT(strstr(error.text, "these are over 1000000 routes"), "%s", error.text);
}

static void test_needs(void)
{
	CLEANUP(topology_finish) struct topology topology = {0};
	CLEANUP(plan_finish) struct plan plan = {0};
	struct plan_needs needs;
	struct error error = {0};
	EXPECT(plan_text("name: t\ntopology:\n  nodes: {s: {kind: switch, ipv4: 10.0.0.0/16}, "
			 "\"h[1-500]\": {}, w: {run: [{name: x, cmd: y}, {name: z, cmd: y}]}}\n"
			 "  links: [{endpoints: [\"h[1-500]\", s]}]\n"
			 "scenarios:\n  a: {title: t, steps: [{on: \"h[1-9]\", run: x}, {on: "
			 "\"h[5-12]\", run: x}, {on: w, run: x}]}\n",
		       &topology, &plan, &error) == 0,
		"%s", error.text);
	EXPECT_NUMBER(plan_count_needs(&plan, &needs, &error), 0);
	EXPECT_NUMBER(needs.network_namespaces, 502);
	EXPECT_NUMBER(needs.rooms, 13);
	EXPECT_NUMBER(needs.processes, 11);
	EXPECT(needs.open_files > 1002 && needs.open_files < 1100, "%zu", needs.open_files);
	EXPECT_NUMBER(needs.memory_bytes, 502 * 320 * 1024 + 500 * 1024 * 1024);
	EXPECT_NUMBER(needs.mounts, 502 + 2 * 13);
	/* Up, it runs its services and no scenario, and captures nothing. */
	EXPECT_NUMBER(plan_count_needs_up(&plan, &needs, &error), 0);
	EXPECT_NUMBER(needs.rooms, 1);
	EXPECT_NUMBER(needs.processes, 2);
	EXPECT(needs.open_files > 502 && needs.open_files < 600, "%zu", needs.open_files);
	EXPECT_NUMBER(needs.memory_bytes, 502 * 320 * 1024);
}

int main(void)
{
	snprintf(file_path, sizeof(file_path), "/tmp/plan_test.XXXXXX");
	int fd = mkstemp(file_path);
	if (fd < 0)
		return 1;
	close(fd);
	test_good();
	test_bad();
	test_hosts();
	test_many_links();
	test_many_routes();
	test_needs();
	unlink(file_path);
	return unit_finish();
}
