/*
 * The model: what a topology file says, checked for form, with nothing decided yet. Plain structs;
 * the parser fills them, the plan reads them, and nothing else connects the two.
 *
 * Everything is owned by `struct topology`: topology_finish() frees it all.
 */
#ifndef TOPOLOGY_MODEL_H
#define TOPOLOGY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/ip.h"

/* Where something stands: line and column counted from 1; line 0 is "nowhere". */
struct mark {
	unsigned line, column;
	unsigned file; /* index in topology.files */
};

/* In the order of the files and of what stands in them. */
int mark_compare(struct mark a, struct mark b);

struct problems;

enum node_kind { NODE_HOST, NODE_ROUTER, NODE_SWITCH };

extern const char *const node_kind_names[3];

/* How a process tells that it can do its work. */
enum ready_kind {
	READY_AT_ONCE, /* it does not: it counts as ready when it runs */
	READY_NOTIFY, /* READY=1 to NOTIFY_SOCKET */
	READY_PORT, /* a listening TCP port, or a bound UDP one */
	READY_LOG, /* a text in its output */
};

struct ready {
	enum ready_kind kind;
	uint16_t port;
	char *text;
};

/* A command that runs in a node as long as the topology stands. */
struct process_spec {
	char *name;
	char *command;
	bool brought; /* by --set: not the file's own */
	struct ready ready;
	struct mark mark;
};

struct interface_mac {
	char *interface;
	struct mac mac;
	struct mark mark;
};

/* A file that is there before anything runs, below the node's working directory. */
struct node_file {
	char *path;
	char *content;
};

/* A text of several lines. */
struct block {
	char *text; /* NULL: not given */
	bool by_lines; /* its line n stands n lines below its mark */
	struct mark mark;
};

/* A line of a node's `routes:`; it comes before the plan's own to the same destination. */
struct route_spec {
	bool is_default; /* of the gateway's family, where `destination` has none */
	struct ip_prefix destination;
	struct ip gateway; /* none: see `node` */
	char *node; /* the gateway by its name; NULL with no gateway either: `via: none`, no route */
	struct mark mark;
};

/* A file or folder of the host that is seen in the node. */
struct bind_spec {
	char *source; /* absolute, links followed */
	char *target; /* absolute */
	bool read_only;
	struct mark mark;
};

struct sysctl_spec {
	char *name; /* as written */
	char *path; /* below /proc/sys */
	char *value;
	struct mark mark;
};

/* A command that runs to its end when the node starts, before its processes. */
struct exec_spec {
	char *command; /* text_split_words() takes it */
	bool brought; /* by --set */
	struct mark mark;
};

struct node {
	char *name;
	char *written_as; /* "client[1-24]": the same text for all nodes of one entry */
	enum node_kind kind;
	bool faulty; /* one of its keys could not be read */
	struct ip_prefix subnets[IP_FAMILIES]; /* a switch's; none where the address is */
	/* `none`: it has, of a switch nobody at it has, an address that no link writes. */
	bool unnumbered[IP_FAMILIES];
	bool no_routes; /* `routes: none`: not those that the plan finds */
	struct route_spec *routes;
	size_t route_count;
	struct interface_mac *macs;
	size_t mac_count;
	struct process_spec *processes;
	size_t process_count;
	char **environment; /* NAME=VALUE */
	size_t environment_count;
	struct node_file *files;
	size_t file_count;
	struct block rules; /* `nftables:` in nft(8)'s syntax */
	struct bind_spec *binds; /* no two of one target */
	size_t bind_count;
	struct sysctl_spec *sysctls; /* no two of one path; of the node's own namespaces only */
	size_t sysctl_count;
	struct exec_spec *execs; /* in their order */
	size_t exec_count;
	char *workdir; /* NULL: the node's folder in the results; relative: below that */
	unsigned cpu_thousandths; /* of a processor; 0: no limit */
	uint64_t memory_bytes; /* 0: no limit */
	struct mark mark;
};

enum address_choice { ADDRESS_AUTOMATIC, ADDRESS_GIVEN, ADDRESS_NONE };

struct link_end {
	size_t node; /* index in topology.nodes */
	char *interface; /* of any length; NULL: the plan names it */
	enum address_choice choices[IP_FAMILIES];
	struct ip_prefix addresses[IP_FAMILIES]; /* where the choice is ADDRESS_GIVEN */
	uint64_t rate; /* what it sends at most, in bits a second; 0: what the machine can */
	struct mark mark;
};

struct link {
	struct link_end ends[2];
	struct ip_prefix subnets[IP_FAMILIES]; /* as written for the link as a whole, or none */
	unsigned mtu; /* 0: the kernel's default */
	struct mark mark;
};

/* What a step does; its word is the key in the file. */
enum step_kind {
	STEP_RUN, /* a command to its end on each node, at the same time */
	STEP_START, /* a command that goes on, under a name */
	STEP_SEND, /* a line to the standard input of one that was started */
	STEP_WATCH, /* wait for what a started one prints, or for its end */
	STEP_STOP, /* SIGTERM to a started one, and its end */
	STEP_KILL, /* SIGKILL likewise */
	STEP_ADDRESSES, /* the IPv4 addresses that an interface has in the kernel */
	STEP_ROUTE, /* the default route that a node has in the kernel */
	STEP_SAME_FILES, /* two files are equal byte for byte */
	STEP_MESSAGES, /* messages that nodes have sent, as captured */
	STEP_LINK, /* the cable at a node's interface pulled out or put in again */
	STEP_MOVE, /* ... put in at another switch */
	STEP_NODE, /* a node switched off, or on again */
	STEP_KINDS
};

extern const char *const step_kind_names[STEP_KINDS];

/* `expect: {exit: {0: 20, 4: 5}}`: so many nodes with that exit status. */
struct exit_expectation {
	int status;
	bool every; /* all nodes of the step */
	size_t nodes; /* else so many */
};

/* Which members were given is said by the flags: absent needs no magic value. */
struct expectation {
	struct exit_expectation *exits;
	size_t exit_count;
	char **outputs; /* each must occur in the output of every node */
	size_t output_count;
	bool has_count, has_at_least, has_within, has_not, has_is, has_family;
	bool distinct;
	size_t count, at_least;
	enum ip_family family; /* of the addresses and routes that are looked at */
	struct ip first, last; /* within */
	struct ip not_address, is;
	struct mark mark;
};

/* Which of the messages named are meant; what is not given rules nothing out. */
struct message_filter {
	bool has_giaddr, has_address, has_client, has_lease;
	struct ipv4 giaddr; /* of DHCP: relayed by it */
	struct ipv4 address; /* of DHCP: it is about that address, whoever has it */
	size_t client; /* of DHCP: it is about that node, index in topology.nodes */
	const char *client_name; /* ... borrowed from there */
	uint32_t lease_seconds; /* of DHCP */
	uint16_t port; /* from or to it; 0: not given */
	char *text; /* stands in its line; NULL: not given */
};

struct step {
	enum step_kind kind;
	char *name; /* what it shows, for people; NULL where not given */
	char *object; /* the command, text, process, interface, file, message, switch, or up, down, stop, start */
	bool brought; /* the command: by --set */
	char *other_object; /* STEP_SAME_FILES: the second file */
	char *process; /* `as:` of start, `to:` of send */
	size_t *nodes; /* indexes in topology.nodes */
	size_t node_count;
	char *nodes_written_as;
	struct ready ready; /* STEP_START */
	struct message_filter filter; /* STEP_MESSAGES */
	char *interface; /* STEP_LINK, STEP_MOVE; NULL: the only one */
	bool show; /* what the commands print is part of the report */
	uint64_t timeout_ns;
	struct expectation expect;
	struct mark mark;
};

struct scenario {
	char *name;
	char *title;
	char *description; /* may be NULL */
	char *explains; /* what is seen when it holds, in two sentences; may be NULL */
	struct step *steps;
	size_t step_count;
	struct mark mark;
};

struct variable {
	char *name;
	char *value;
	char *command; /* of --set: the value with files' names as full paths; else NULL */
	bool own; /* of --set by who answers for the topology: what it brings counts as the file's own */
	bool program; /* a command begins with it */
};

/*
 * Parts of which something could not be read. What refers to them is not told as wrong: it may be right.
 */
enum missing_part {
	MISSING_POOLS = 1, /* ipv4, ipv6 of `topology:` */
	MISSING_SWITCHES = 2, /* their subnets, or which nodes are switches */
	MISSING_LINKS = 4, /* interfaces */
	MISSING_STEPS = 8, /* processes that they start */
	MISSING_ADDRESSES = MISSING_POOLS | MISSING_SWITCHES | MISSING_LINKS,
};

struct topology {
	char *path; /* the file it was read from */
	char **files; /* that one and those it includes, by the `file` of marks */
	size_t file_count;
	bool faulty; /* something could not be read: what it says is missing here */
	unsigned missing; /* ... and which parts it misses for that: enum missing_part */
	/* Borrowed: what is wrong is kept there. NULL: it is told by its error alone. */
	struct problems *problems;
	char *name;
	char *title; /* may be NULL */
	char *description; /* may be NULL */
	struct variable *variables;
	size_t variable_count;
	char **brought; /* folders of the files that --set names */
	size_t brought_count;
	struct ip_prefix pools[IP_FAMILIES]; /* what segments without a subnet are numbered from */
	struct mark pool_marks[IP_FAMILIES];
	struct node *nodes;
	size_t node_count;
	size_t *node_slots; /* hash of names: index + 1, 0 where empty */
	size_t node_slot_count;
	struct link *links;
	size_t link_count;
	bool capture; /* on some link */
	bool *captured; /* by node: on its links; NULL: on those of all */
	struct scenario *scenarios;
	size_t scenario_count;
};

/*
 * Add `index` under its node's name. Returns the index of an earlier node of the same name, `index`
 * itself where there is none, or -ENOMEM.
 */
long topology_index_node(struct topology *topology, size_t index);

/* Index of the node of that name, or -1. */
long topology_find_node(const struct topology *topology, const char *name);

/* Each frees everything below what it is given; for CLEANUP(). */
void process_spec_finish(struct process_spec *process);
void sysctl_spec_finish(struct sysctl_spec *sysctl);
void node_finish(struct node *node);

/* Its binds, commands of exec, working directory and limits: it has none any more. */
void node_forget_details(struct node *node);
void step_finish(struct step *step);

/* Frees everything below `topology`; for CLEANUP(). Zeroed and half-filled ones are fine. */
void topology_finish(struct topology *topology);

/* The limits a file may not exceed; errors name them. */
enum {
	TOPOLOGY_NAME_MOST = 64, /* HOST_NAME_MAX: a node's name is its host name */
	TOPOLOGY_NODES_MOST = 20000,
	TOPOLOGY_LINKS_MOST = 40000,
	TOPOLOGY_VARIABLES_MOST = 1000,
	TOPOLOGY_PROCESSES_MOST = 1000, /* of a node */
};

/* Whether one of its steps sends something to what was started under that name. */
bool scenario_sends_to(const struct scenario *scenario, const char *name);

#endif
