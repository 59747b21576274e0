#include "process/limits.h"

#include <stdbool.h>
#include <sys/resource.h>

static struct rlimit limits_before;
static bool limits_raised;

void limits_raise(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (!limits_raised)
		limits_before = limit;
	limits_raised = true;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void limits_restore(void)
{
	if (limits_raised)
		setrlimit(RLIMIT_NOFILE, &limits_before);
}
