/* Between rules.c, which hears, and the process that loads rules. */
#ifndef KERNEL_RULES_WORKER_H
#define KERNEL_RULES_WORKER_H

#include "plan/plan.h"

struct rules_job {
	const struct plan *plan;
	const int *netns_fds; /* NULL: namespaces of no lab */
	int (*enter)(struct error *error); /* gets the privilege for those */
};

/* What the worker says: a head, and `length` bytes of text. */
enum rules_word {
	RULES_BEGIN, /* it goes on to the node */
	RULES_FAULTY, /* what libnftables said of the node's text */
	RULES_CANNOT, /* it cannot work here: the text is the sentence, `code` the error's */
};

struct rules_head {
	enum rules_word word;
	int code;
	size_t node; /* index in plan.nodes */
	size_t length;
};

/* What the text is called in what libnftables says. */
#define RULES_FILE "/nftables"

enum { RULES_TEXT_MOST = 65536 };

/* Do the job and tell it to `told`. In a child: changes what it sees of the machine. */
_Noreturn void rules_work(const struct rules_job *job, int told);

#endif
