#include "load_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

#define NUMBER_MASK ((UINT64_C(1) << 40) - 1)

/* Seeds that stand side by side shall share no clients: splitmix64's last steps. */
static uint64_t spread(uint64_t seed)
{
	uint64_t x = seed + UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Each line but the first is a bijection of 40 bits in x. */
static uint64_t scatter(uint64_t seed, uint64_t number)
{
	uint64_t key = spread(seed);
	uint64_t x = (number + key) & NUMBER_MASK;
	x = x * UINT64_C(0x9e3779b97f4a7c15) & NUMBER_MASK;
	x ^= x >> 21;
	x = (x ^ key >> 24) * UINT64_C(0xbf58476d1ce4e5b9) & NUMBER_MASK;
	x ^= x >> 17;
	return x * UINT64_C(0x94d049bb133111eb) & NUMBER_MASK;
}

struct mac load_client_mac(uint64_t seed, uint64_t number)
{
	uint64_t x = scatter(seed, number);
	struct mac mac = {.bytes = {0x02}};
	for (unsigned i = 0; i < 5; i++)
		mac.bytes[i + 1] = (uint8_t)(x >> 8 * i);
	return mac;
}

static int line_parse(char *line, struct load_clients *clients)
{
	struct load_client client;
	char *space = strchr(line, ' ');
	if (!space)
		return -EINVAL;
	*space = '\0';
	if (!ipv4_parse(line, &client.address) || !mac_parse(space + 1, &client.mac))
		return -EINVAL;
	struct load_client *added = array_add(&clients->list, &clients->count);
	if (!added)
		return -ENOMEM;
	*added = client;
	return 0;
}

int load_clients_read(const char *path, struct load_clients *clients, struct error *error)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	if (!file)
		return error_system(error, -errno, "cannot read '%s'", path);
	CLEANUP(free_pointer) char *line = NULL;
	size_t size = 0, number = 1;
	ssize_t length;
	while ((length = getline(&line, &size, file)) > 0 && line[length - 1] == '\n') {
		line[length - 1] = '\0';
		int status = line_parse(line, clients);
		if (status < 0)
			return error_set(
				error, status, "%s:%zu: is no address and client", path, number);
		number++;
	}
	return 0;
}

void load_clients_finish(struct load_clients *clients)
{
	free(clients->list);
	*clients = (struct load_clients){0};
}

size_t load_client_line(const struct load_client *client, char line[static LOAD_CLIENT_LINE_SIZE])
{
	return (size_t)snprintf(line, LOAD_CLIENT_LINE_SIZE, "%s %s\n", IPV4_TEXT(client->address),
		MAC_TEXT(client->mac));
}
