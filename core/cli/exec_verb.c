/* sim exec and sim shell: work in a lab that is up. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/verb.h"
#include "lab/attach.h"
#include "lab/places.h"

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

/* Read after the person's own, which sets a prompt of its own and may bring completions. */
static const char shell_file[] =
	"[ -r ~/.bashrc ] && . ~/.bashrc\n"
	"sim_home=$PWD\n"
	"case $TERM in ''|dumb) PS1='\\H:${PWD/#$sim_home/.}\\$ ';;\n"
	"*) PS1='\\[\\e[1;32m\\]\\H\\[\\e[0m\\]:${PWD/#$sim_home/.}\\$ ';;\n"
	"esac\n"
	"[ -r \"$sim_completion\" ] && . \"$sim_completion\"\n"
	"_sim_node() {\n" /* of a command without a completion of its own: files and nodes */
	"	declare -F __load_completion >/dev/null && __load_completion \"$1\" && return 124\n"
	"	mapfile -t COMPREPLY < <(compgen -f -A hostname -- \"$2\")\n"
	"	compopt -o filenames\n"
	"}\n"
	"complete -D -F _sim_node\n";

/* The completion of our programs, in the source tree or installed. */
static void find_completion(char path[static PATH_MAX])
{
	struct places places;
	struct error ignored;
	path[0] = '\0';
	if (places_find(&places, &ignored) < 0)
		return;
	int length = snprintf(path, PATH_MAX, "%s/core/cli/completion.bash", places.root);
	if (length < PATH_MAX && access(path, R_OK) == 0)
		return;
	length = snprintf(path, PATH_MAX, "%s/../bash-completion/completions/sim", places.root);
	if (length >= PATH_MAX)
		path[0] = '\0';
}

int verb_shell(const struct arguments *arguments)
{
	char command[] = "bash", option[] = "-c",
	     script[] = "exec bash --rcfile <(printf 'sim_completion=%q\\n%s' \"$1\" \"$0\") -i";
	char file[sizeof(shell_file)], completion[PATH_MAX], plain[] = "sh", interactive[] = "-i";
	char *words[] = {command, option, script, file, completion, NULL};
	char *plain_words[] = {plain, interactive, NULL};
	int failure;
	memcpy(file, shell_file, sizeof(file));
	find_completion(completion);
	int status = exec_at(arguments->operands[0], words, &failure);
	return failure == -ENOEXEC ? exec_at(arguments->operands[0], plain_words, NULL) : status;
}
