/*
 * Between the files that read containerlab's topologies: what a node is while its file is read.
 * The form is that of containerlab's manual (manual/topo-def-file, manual/nodes, manual/links).
 */
#ifndef EXCHANGE_CONTAINERLAB_H
#define EXCHANGE_CONTAINERLAB_H

#include "exchange/import.h"
#include "exchange/names.h"
#include "topology/yaml.h"

/* An interface that a node's commands speak of: it has what they say, and nothing else. */
struct clab_interface {
	char *name;
	struct ip_prefix addresses[IP_FAMILIES];
	char *long_name; /* its altname; or NULL */
	struct mac mac;
	bool has_mac;
	uint64_t rate; /* of a tbf; 0: none */
	bool is_port; /* of a bridge */
	bool linked; /* a link has it */
	unsigned line;
};

struct clab_node {
	const char *name; /* as the file has it: borrowed */
	char *kind;
	char *image;
	bool forwards, has_bridge, no_routes;
	struct clab_interface *interfaces;
	size_t interface_count;
	unsigned line;
};

struct clab {
	const struct import_request *request;
	struct network *network;
	struct yaml_source source;
	struct names names;
	yaml_node_t *defaults, *kinds, *groups; /* NULL: not there */
	struct clab_node *nodes; /* in the order of network->nodes */
	size_t node_count;
	struct hsearch_data by_name; /* indexes of nodes, from 1 on; made by clab_links() */
};

/*
 * The value of a key in a mapping or in what is merged into it (`<<: *anchor`); NULL: it has none.
 */
yaml_node_t *clab_find(struct clab *lab, yaml_node_t *mapping, const char *key);

/* A scalar with containerlab's `${NAME:=default}` replaced; "" where it is none. NULL: no memory. */
char *clab_text(struct clab *lab, const yaml_node_t *node);

unsigned clab_line(const yaml_node_t *node);

/* The node's kind here, as far as its own says; `*ret_known`: whether it is in the table. */
enum node_kind clab_kind(const struct clab_node *node, bool *ret_known);

/* The interface of the node, or a new one; NULL when memory is gone. */
struct clab_interface *clab_interface(struct clab_node *node, const char *name);

/* A command of `exec`: taken over as far as it sets up the network, else noted. */
int clab_exec(
	struct clab *lab, size_t node, const char *command, unsigned line, struct error *error);

/* A hardware address that an interface can have: no group's. */
bool clab_mac(const char *text, struct mac *ret_mac);

/* A setting of `sysctls` or of a command: whether it is taken over, or goes without saying. */
bool clab_sysctl(struct clab_node *node, const char *key, const char *value);

/* `links:` of the file. */
int clab_links(struct clab *lab, yaml_node_t *links, struct error *error);

/* Interfaces' names that the plan gives by itself are not written. The nodes' kinds are known. */
void clab_forget_planned_names(struct clab *lab);

#endif
