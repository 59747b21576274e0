#include "dhcp/text_server.h"

static const struct {
	const char *name, *text;
} outcomes[DHCP_TEXT_OUTCOMES] = {
	[DHCP_TEXT_SENT] = {"sent", "addresses were given"},
	[DHCP_TEXT_EMPTY] = {"none-left", "no address was left"},
	[DHCP_TEXT_RELEASED] = {"released", "addresses came back"},
	[DHCP_TEXT_NOT_FOUND] = {"not-found", "no address, or one that nobody has"},
	[DHCP_TEXT_NOT_ITS] = {"not-its-address", "a release by another than it was given to"},
	[DHCP_TEXT_NO_MEMORY] = {"no-memory", "out of memory"},
};

const char *dhcp_text_outcome_name(enum dhcp_text_outcome outcome)
{
	return outcomes[outcome].name;
}

const char *dhcp_text_outcome_text(enum dhcp_text_outcome outcome)
{
	return outcomes[outcome].text;
}

static void save(const struct dhcp_pool *pool, const struct dhcp_lease *lease,
	struct dhcp_text_result *result)
{
	dhcp_text_describe(pool, lease, &result->lease);
	result->save = true;
}

static enum dhcp_text_outcome give(
	struct dhcp_pool *pool, uint64_t now_ns, struct dhcp_text_result *result)
{
	struct dhcp_lease *lease;
	struct dhcp_client_key client = {0};
	const struct dhcp_term term = {DHCP_LEASE_BOUND, now_ns, DHCP_NEVER};
	/* Without an address it is a client that has nothing yet, whatever its peer has. */
	dhcp_text_identity(&result->peer, result->address, &client.identity);
	enum dhcp_choice choice = dhcp_pool_choose(pool, &client, result->address, &lease);
	if (choice == DHCP_CHOICE_NONE) {
		result->answer_length = dhcp_text_write_none_left(result->answer);
		return DHCP_TEXT_EMPTY;
	}
	if (choice != DHCP_CHOICE_FOUND)
		return DHCP_TEXT_NO_MEMORY;
	dhcp_text_identity(&result->peer, lease->address, &client.identity);
	if (!dhcp_pool_give(pool, lease, &client, &term))
		return DHCP_TEXT_NO_MEMORY;
	result->address = lease->address;
	result->answer_length = dhcp_text_write_given(lease->address, result->answer);
	save(pool, lease, result);
	return DHCP_TEXT_SENT;
}

static enum dhcp_text_outcome release(
	struct dhcp_pool *pool, uint64_t now_ns, struct dhcp_text_result *result)
{
	struct dhcp_identity identity;
	struct dhcp_lease *lease = dhcp_leases_of_address(&pool->leases, result->address);
	if (!lease || lease->state != DHCP_LEASE_BOUND)
		return DHCP_TEXT_NOT_FOUND;
	dhcp_text_identity(&result->peer, result->address, &identity);
	if (!dhcp_lease_is_of(lease, &identity)) {
		dhcp_text_peer(lease, &result->owner);
		return DHCP_TEXT_NOT_ITS;
	}
	dhcp_pool_release(pool, lease, now_ns);
	save(pool, lease, result);
	return DHCP_TEXT_RELEASED;
}

void dhcp_text_server_receive(struct dhcp_text_server *server, struct dhcp_pool *pool,
	const struct dhcp_text_datagram *datagram, uint64_t now_ns,
	struct dhcp_text_result *ret_result)
{
	struct dhcp_lease_record ended;
	/* What DHCP gave, before this protocol took over its database. */
	while (dhcp_pool_expire(pool, now_ns, &ended))
		continue;
	*ret_result = (struct dhcp_text_result){
		.outcome = DHCP_TEXT_NOT_FOUND,
		.peer = datagram->peer,
	};
	dhcp_text_read_request(datagram->bytes, datagram->length, &ret_result->message);
	if (ret_result->message.kind == DHCP_TEXT_REQUEST) {
		ret_result->outcome = give(pool, now_ns, ret_result);
	} else if (ret_result->message.kind == DHCP_TEXT_ADDRESS) {
		ret_result->address = ret_result->message.address;
		ret_result->outcome = release(pool, now_ns, ret_result);
	}
	server->outcomes[ret_result->outcome]++;
}

bool dhcp_text_server_not_told(struct dhcp_text_server *server, struct dhcp_pool *pool,
	struct dhcp_text_result *result, uint64_t now_ns)
{
	struct dhcp_identity identity;
	struct dhcp_lease *lease = dhcp_leases_of_address(&pool->leases, result->address);
	if (result->outcome != DHCP_TEXT_SENT || !lease || lease->state != DHCP_LEASE_BOUND)
		return false;
	/* Who guesses what it will get may have given it back already, and another has it. */
	dhcp_text_identity(&result->peer, result->address, &identity);
	if (!dhcp_lease_is_of(lease, &identity))
		return false;
	dhcp_pool_release(pool, lease, now_ns);
	dhcp_text_describe(pool, lease, &result->lease);
	server->outcomes[DHCP_TEXT_SENT]--;
	return true;
}
