#include "process/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * A line of /proc/PID/net/tcp (proc_pid_net(5)): "sl local_address rem_address st ...", with the
 * port as four hexadecimal digits behind the colon. State 0A is LISTEN; a bound UDP socket has 07.
 */
static bool line_matches(char *line, const char *state, uint16_t port)
{
	char *rest = NULL;
	char *words[4];
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		if (!(words[i] = strtok_r(i ? NULL : line, " ", &rest)))
			return false;
	const char *colon = strchr(words[1], ':');
	return colon && strtoul(colon + 1, NULL, 16) == port && strcmp(words[3], state) == 0;
}

static bool table_has(pid_t pid, const char *table, const char *state, uint16_t port)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, table);
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0;
	bool found = false;
	while (file && !found && getline(&line, &size, file) > 0)
		found = line_matches(line, state, port);
	return found;
}

bool port_is_open(pid_t pid, uint16_t port)
{
	return table_has(pid, "tcp", "0A", port) || table_has(pid, "tcp6", "0A", port) ||
	       table_has(pid, "udp", "07", port) || table_has(pid, "udp6", "07", port);
}
