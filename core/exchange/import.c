#include "exchange/import.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "exchange/names.h"

char *import_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(free_pointer) char *stem = strdup(slash ? slash + 1 : path);
	static const char *const endings[] = {
		".yml", ".yaml", ".clab", ".graphml", ".xml", ".json"};
	for (size_t i = 0; stem && i < 2 * ARRAY_LENGTH(endings); i++) {
		const char *ending = endings[i % ARRAY_LENGTH(endings)];
		size_t length = strlen(stem), behind = strlen(ending);
		if (length > behind && strcmp(stem + length - behind, ending) == 0)
			stem[length - behind] = '\0';
	}
	return stem ? name_fit(stem, "imported", true) : NULL;
}

/* XML begins with '<', behind a byte order mark or white space; no YAML file does. */
static bool is_xml(const char *bytes, size_t length)
{
	static const char *const marks[] = {"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"};
	size_t at = 0;
	for (size_t i = 0; at == 0 && i < ARRAY_LENGTH(marks); i++)
		if (length >= strlen(marks[i]) && memcmp(bytes, marks[i], strlen(marks[i])) == 0)
			at = strlen(marks[i]);
	while (at < length && (bytes[at] == '\0' || strchr(" \t\r\n", bytes[at])))
		at++;
	return at < length && bytes[at] == '<';
}

int import_network(
	const struct import_request *request, struct network *ret_network, struct error *error)
{
	CLEANUP(network_finish) struct network network = {0};
	bool graph = is_xml(request->bytes, request->length);
	if (!graph && request->hosts)
		return error_set(error, -EINVAL,
			"%s: --hosts is for graphs, which have none of their own", request->path);
	int status = graph ? import_graph(request, &network, error)
			   : import_containerlab(request, &network, error);
	if (status < 0)
		return status;
	*ret_network = network;
	network = (struct network){0};
	return 0;
}
