#include "kernel/rules_worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/rules.h"

#define LIBRARY "libnftables.so.1"

/*
 * Loaded when it is needed: linked, it and the five libraries that it brings would cost each start of
 * sim 0.7 ms of its 3.7, and each fork of it more to copy.
 */
struct nft {
	__typeof__(nft_ctx_new) *create;
	__typeof__(nft_ctx_free) *destroy;
	__typeof__(nft_ctx_buffer_error) *buffer_error;
	__typeof__(nft_ctx_buffer_output) *buffer_output;
	__typeof__(nft_ctx_get_error_buffer) *errors;
	__typeof__(nft_run_cmd_from_filename) *run;
};

static int nft_open(struct nft *nft, struct error *error)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return error_set(error, -ELIBACC,
			"rules in `nftables` need the library " LIBRARY
			", which is not installed (Debian: libnftables1)");
	const struct {
		const char *name;
		void **function;
	} symbols[] = {
		{"nft_ctx_new", (void **)&nft->create},
		{"nft_ctx_free", (void **)&nft->destroy},
		{"nft_ctx_buffer_error", (void **)&nft->buffer_error},
		{"nft_ctx_buffer_output", (void **)&nft->buffer_output},
		{"nft_ctx_get_error_buffer", (void **)&nft->errors},
		{"nft_run_cmd_from_filename", (void **)&nft->run},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(symbols); i++) {
		*symbols[i].function = dlsym(library, symbols[i].name);
		if (!*symbols[i].function)
			return error_set(error, -ELIBACC, LIBRARY " has no %s: it is too old",
				symbols[i].name);
	}
	return 0;
}

static void tell(int told, const struct rules_head *head, const char *text)
{
	if (write(told, head, sizeof(*head)) != sizeof(*head) ||
		write(told, text, head->length) != (ssize_t)head->length)
		_exit(1);
}

static int write_text(const char *path, const char *text, struct error *error)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t length = strlen(text);
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		return error_system(error, errno ? -errno : -EIO, "cannot write '%s'", path);
	return 0;
}

/* Where the machine has the file it can be read. */
static int show(const char *source, const char *target, struct error *error)
{
	if (access(source, R_OK) < 0)
		return 0;
	int status = write_text(target, "", error);
	if (status == 0 && mount(source, target, NULL, MS_BIND, NULL) < 0)
		return error_system(error, -errno, "cannot show '%s'", source);
	return status;
}

/* A root with four files in it; what stays open are the namespaces. */
static int confine(const char *hosts, struct error *error)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m") < 0 ||
		mkdir("/tmp/etc", 0755) < 0)
		return error_system(error, -errno, "cannot confine what reads nftables rules");
	int status = write_text("/tmp/etc/hosts", hosts, error);
	if (status == 0)
		status = write_text("/tmp/etc/nsswitch.conf",
			"hosts: files\nservices: files\nprotocols: files\n", error);
	if (status == 0)
		status = show("/etc/services", "/tmp/etc/services", error);
	if (status == 0)
		status = show("/etc/protocols", "/tmp/etc/protocols", error);
	if (status < 0)
		return status;
	if (chroot("/tmp") < 0 || chdir("/") < 0)
		return error_system(error, -errno, "cannot confine what reads nftables rules");
	return 0;
}

static int no_nf_tables(struct error *error)
{
	return error_set(error, -EOPNOTSUPP,
		"this kernel has no nf_tables (CONFIG_NF_TABLES), which `nftables` needs");
}

static void socket_free(struct nl_sock **socket)
{
	if (*socket)
		nl_socket_free(*socket);
}

/* Asked for the generation of its rules: without nf_tables nobody answers. */
static int probe(struct error *error)
{
	CLEANUP(socket_free) struct nl_sock *socket = nl_socket_alloc();
	struct nfgenmsg body = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	if (!socket)
		return error_set(error, -ENOMEM, "out of memory");
	if (nl_connect(socket, NETLINK_NETFILTER) < 0)
		return no_nf_tables(error);
	int status = nl_send_simple(
		socket, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, &body, sizeof(body));
	if (status >= 0)
		status = nl_recvmsgs_default(socket);
	return status < 0 ? no_nf_tables(error) : 0;
}

static void link_free(struct rtnl_link **link)
{
	if (*link)
		rtnl_link_put(*link);
}

/* An interface of that name and index, for rules that are only tried: a bridge has no other end. */
static int stand_in(
	struct link_socket *socket, const char *name, unsigned ifindex, struct error *error)
{
	CLEANUP(link_free) struct rtnl_link *bridge = rtnl_link_bridge_alloc();
	if (!bridge)
		return error_set(error, -ENOMEM, "out of memory");
	rtnl_link_set_name(bridge, name);
	rtnl_link_set_ifindex(bridge, (int)ifindex);
	int status = rtnl_link_add(socket->socket, bridge, NLM_F_CREATE | NLM_F_EXCL);
	return status < 0 ? error_set(error, -EIO, "cannot create an interface: %s",
				    nl_geterror(status))
			  : 0;
}

/* A namespace of no lab, in which the rules of the node find its interfaces. */
static int scratch(const struct plan_node *node, struct error *error)
{
	if (unshare(CLONE_NEWNET) < 0)
		return error_system(error, -errno, "cannot create a network namespace");
	CLEANUP(link_socket_close) struct link_socket socket = {0};
	int status = link_socket_open(&socket, error);
	if (status == 0 && node->node->kind == NODE_SWITCH)
		status = stand_in(&socket, PLAN_BRIDGE_NAME, PLAN_BRIDGE_IFINDEX, error);
	for (size_t i = 0; status == 0 && i < node->interface_count; i++)
		status = stand_in(
			&socket, node->interfaces[i].name, node->interfaces[i].ifindex, error);
	return status;
}

/* Tried already: most nodes of a topology have the rules of their kind. */
static bool same_rules(const struct plan_node *one, const struct plan_node *other)
{
	bool same = one->interface_count == other->interface_count &&
		    one->node->kind == other->node->kind && strcmp(one->rules, other->rules) == 0;
	for (size_t i = 0; same && i < one->interface_count; i++)
		same = strcmp(one->interfaces[i].name, other->interfaces[i].name) == 0;
	return same;
}

/* Give the text to libnftables; *ret_said: NULL, or what is wrong, which is the context's. */
static int run_text(const struct nft *nft, struct nft_ctx *context, const char *text,
	const char **ret_said, struct error *error)
{
	/* A file's errors have its lines; those of a buffer have not. Its last line must end. */
	CLEANUP(free_pointer) char *lines = text_format("%s\n", text);
	unlink(RULES_FILE);
	int status = write_text(RULES_FILE, lines ? lines : text, error);
	*ret_said = NULL;
	if (status == 0 && nft->run(context, RULES_FILE) != 0)
		*ret_said = nft->errors(context);
	return status;
}

static int load_node(const struct nft *nft, const struct rules_job *job, size_t index, int told,
	struct error *error)
{
	const struct plan_node *node = &job->plan->nodes[index];
	struct rules_head head = {.word = RULES_BEGIN, .node = index};
	int status =
		job->netns_fds ? netns_enter(job->netns_fds[index], error) : scratch(node, error);
	if (status == 0)
		status = probe(error);
	if (status < 0)
		return status;
	tell(told, &head, "");
	alarm(RULES_SECONDS * clock_scale());
	struct nft_ctx *context = nft->create(NFT_CTX_DEFAULT);
	if (!context || nft->buffer_error(context) || nft->buffer_output(context))
		return error_set(error, -ENOMEM, "out of memory");
	const char *said;
	status = run_text(nft, context, node->rules, &said, error);
	if (said) {
		head.word = RULES_FAULTY;
		head.length = strnlen(said, RULES_TEXT_MOST);
		tell(told, &head, said);
	}
	nft->destroy(context);
	alarm(0);
	return status;
}

static int load_all(const struct rules_job *job, int told, struct error *error)
{
	struct nft nft;
	const struct plan_node *tried = NULL;
	int status = nft_open(&nft, error);
	if (status == 0 && job->enter)
		status = job->enter(error);
	if (status == 0)
		status = confine(job->plan->hosts, error);
	for (size_t i = 0; status == 0 && i < job->plan->node_count; i++) {
		const struct plan_node *node = &job->plan->nodes[i];
		if (!node->rules || (!job->netns_fds && tried && same_rules(tried, node)))
			continue;
		tried = node;
		status = load_node(&nft, job, i, told, error);
	}
	return status;
}

/* Nobody but the alarm, and the parent's end, ends us; what libnftables prints is told, not shown. */
static void settle(void)
{
	sigset_t blocked;
	struct rlimit memory = {.rlim_cur = RLIM_INFINITY};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "nftables");
	sigfillset(&blocked);
	sigdelset(&blocked, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	CLEANUP(close_fd) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
		dup2(null, STDERR_FILENO);
#ifndef __SANITIZE_ADDRESS__
	/* Definitions that double each other fill any memory. */
	memory.rlim_cur = memory.rlim_max = UINT64_C(2) << 30;
	setrlimit(RLIMIT_AS, &memory);
#endif
	(void)memory;
}

void rules_work(const struct rules_job *job, int told)
{
	struct error error = {0};
	settle();
	if (load_all(job, told, &error) < 0) {
		struct rules_head head = {
			.word = RULES_CANNOT, .code = error.code, .length = strlen(error.text)};
		tell(told, &head, error.text);
	}
	_exit(0);
}
