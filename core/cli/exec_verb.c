/* sim exec and sim shell: work in a lab that is up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/verb.h"
#include "lab/attach.h"

/* As shells have it: what cannot be found, and what cannot be run. */
enum { STATUS_NO_COMMAND = 127 };

static int exec_at(const char *where, char *const *words, int *ret_failure)
{
	struct registered lab;
	struct attach_end end = {0};
	struct error error;
	const char *node;
	int status = attach_find_at(where, &lab, &node, &error);
	if (status == 0)
		status = attach_exec(&lab, node, words, &end, &error);
	if (ret_failure)
		*ret_failure = status;
	if (status == -ENOEXEC && ret_failure)
		return STATUS_NO_COMMAND;
	if (status < 0)
		return verb_fail(status == -ENOEXEC			  ? STATUS_NO_COMMAND
				 : status == -ENOENT || status == -EEXIST ? STATUS_MISUSE
									  : STATUS_SYSTEM,
			&error);
	if (end.interrupted)
		verb_end_by_signal(end.interrupted);
	return end.status;
}

int verb_exec(const struct arguments *arguments)
{
	return exec_at(arguments->operands[0], arguments->operands + 1, NULL);
}

/* Read after the person's own, which sets a prompt of its own. */
static const char shell_file[] =
	"[ -r ~/.bashrc ] && . ~/.bashrc\n"
	"sim_home=$PWD\n"
	"case $TERM in ''|dumb) PS1='\\H:${PWD/#$sim_home/.}\\$ ';;\n"
	"*) PS1='\\[\\e[1;32m\\]\\H\\[\\e[0m\\]:${PWD/#$sim_home/.}\\$ ';;\n"
	"esac\n";

int verb_shell(const struct arguments *arguments)
{
	char command[] = "bash", option[] = "-c",
	     script[] = "exec bash --rcfile <(printf %s \"$0\") -i";
	char file[sizeof(shell_file)], plain[] = "sh", interactive[] = "-i";
	char *words[] = {command, option, script, file, NULL};
	char *plain_words[] = {plain, interactive, NULL};
	int failure;
	memcpy(file, shell_file, sizeof(file));
	int status = exec_at(arguments->operands[0], words, &failure);
	return failure == -ENOEXEC ? exec_at(arguments->operands[0], plain_words, NULL) : status;
}
