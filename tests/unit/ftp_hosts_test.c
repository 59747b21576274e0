/* ftp/hosts: connections counted by address. */
#include "ftp/hosts.h"
#include "unit.h"

static struct endpoint address(unsigned number, uint16_t port)
{
	return (struct endpoint){.family = ENDPOINT_IPV4,
		.address = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number},
		.port = port};
}

int main(void)
{
	enum { HOSTS = 5000 };
	static struct ftp_host *first[HOSTS], *second[HOSTS];
	struct ftp_hosts hosts;
	ftp_hosts_init(&hosts, 42);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct endpoint one = address(i, 1000), other = address(i, 2000);
		first[i] = ftp_hosts_arrive(&hosts, &one);
		second[i] = ftp_hosts_arrive(&hosts, &other);
		EXPECT(first[i] == second[i], "[%u] a port makes another host", i);
		EXPECT_NUMBER(first[i]->connections, 2);
	}
	EXPECT_NUMBER(hosts.count, HOSTS);
	for (unsigned i = 0; i < HOSTS; i++) {
		EXPECT_NUMBER(first[i]->connections, 2);
		ftp_hosts_leave(&hosts, first[i]);
		EXPECT_NUMBER(second[i]->connections, 1);
		if (i % 2)
			ftp_hosts_leave(&hosts, second[i]);
	}
	EXPECT_NUMBER(hosts.count, HOSTS / 2);
	struct endpoint gone = address(1, 1), six = {.family = ENDPOINT_IPV6, .address = {10}};
	EXPECT_NUMBER(ftp_hosts_arrive(&hosts, &gone)->connections, 1);
	EXPECT_NUMBER(ftp_hosts_arrive(&hosts, &six)->connections, 1);
	ftp_hosts_finish(&hosts);
	return unit_finish();
}
