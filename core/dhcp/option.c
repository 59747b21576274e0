#include "dhcp/option.h"

#include "dhcp/protocol.h"

#define EXACTLY(bytes)	   .minimum = (bytes), .maximum = (bytes)
#define MULTIPLE_OF(bytes) .minimum = (bytes), .multiple_of = (bytes)

/* What a row holds beside its name: the kind, and the lengths that follow from it. */
#define BYTES(least_)	  DHCP_KIND_BYTES, .minimum = (least_)
#define EMPTY		  DHCP_KIND_EMPTY, .minimum = 0
#define FLAG		  DHCP_KIND_FLAG, EXACTLY(1)
#define ONE_ADDRESS	  DHCP_KIND_ADDRESS, EXACTLY(4)
#define ADDRESSES(least_) DHCP_KIND_ADDRESSES, .minimum = (least_), .multiple_of = 4
#define ADDRESS_PAIRS	  DHCP_KIND_ADDRESS_PAIRS, MULTIPLE_OF(8)
#define U8		  DHCP_KIND_U8, EXACTLY(1)
#define U16		  DHCP_KIND_U16, EXACTLY(2)
#define U16_LIST	  DHCP_KIND_U16_LIST, MULTIPLE_OF(2)
#define U32		  DHCP_KIND_U32, EXACTLY(4)
#define I32		  DHCP_KIND_I32, EXACTLY(4)
#define SECONDS		  DHCP_KIND_SECONDS, EXACTLY(4)
#define TEXT		  DHCP_KIND_TEXT, .minimum = 1
#define CODES		  DHCP_KIND_CODES, .minimum = 1
#define DOMAINS		  DHCP_KIND_DOMAINS, .minimum = 2
#define ROUTES		  DHCP_KIND_ROUTES, .minimum = 5

/* By code: 1 to 61 are RFC 2132's, the others IANA's registry names their RFCs. */
static const struct dhcp_option_type types[256] = {
	[1] = {"subnet-mask", ONE_ADDRESS},
	[2] = {"time-offset", I32},
	[3] = {"router", ADDRESSES(4)},
	[4] = {"time-servers", ADDRESSES(4)},
	[5] = {"ien116-name-servers", ADDRESSES(4)},
	[6] = {"dns", ADDRESSES(4)},
	[7] = {"log-servers", ADDRESSES(4)},
	[8] = {"cookie-servers", ADDRESSES(4)},
	[9] = {"lpr-servers", ADDRESSES(4)},
	[10] = {"impress-servers", ADDRESSES(4)},
	[11] = {"resource-location-servers", ADDRESSES(4)},
	[12] = {"host-name", TEXT},
	[13] = {"boot-size", U16},
	[14] = {"merit-dump", TEXT},
	[15] = {"domain", TEXT},
	[16] = {"swap-server", ONE_ADDRESS},
	[17] = {"root-path", TEXT},
	[18] = {"extensions-path", TEXT},
	[19] = {"ip-forwarding", FLAG},
	[20] = {"non-local-source-routing", FLAG},
	[21] = {"policy-filter", ADDRESS_PAIRS},
	[22] = {"max-datagram-reassembly", U16, .least = 576},
	[23] = {"default-ip-ttl", U8, .least = 1},
	[24] = {"path-mtu-aging-timeout", U32},
	[25] = {"path-mtu-plateau-table", U16_LIST, .least = 68},
	[26] = {"mtu", U16, .least = 68},
	[27] = {"all-subnets-local", FLAG},
	[28] = {"broadcast", ONE_ADDRESS},
	[29] = {"perform-mask-discovery", FLAG},
	[30] = {"mask-supplier", FLAG},
	[31] = {"perform-router-discovery", FLAG},
	[32] = {"router-solicitation", ONE_ADDRESS},
	[33] = {"static-routes", ADDRESS_PAIRS},
	[34] = {"trailer-encapsulation", FLAG},
	[35] = {"arp-cache-timeout", U32},
	[36] = {"ieee802-3-encapsulation", FLAG},
	[37] = {"default-tcp-ttl", U8, .least = 1},
	[38] = {"tcp-keepalive-interval", U32},
	[39] = {"tcp-keepalive-garbage", FLAG},
	[40] = {"nis-domain", TEXT},
	[41] = {"nis-servers", ADDRESSES(4)},
	[42] = {"ntp", ADDRESSES(4)},
	[43] = {"vendor-options", BYTES(1)},
	[44] = {"netbios-name-servers", ADDRESSES(4)},
	[45] = {"netbios-dd-servers", ADDRESSES(4)},
	[46] = {"netbios-node-type", U8},
	[47] = {"netbios-scope", TEXT},
	[48] = {"x-font-servers", ADDRESSES(4)},
	[49] = {"x-display-managers", ADDRESSES(4)},
	[50] = {"requested-address", ONE_ADDRESS},
	[51] = {"lease-time", SECONDS},
	[52] = {"overload", U8},
	[53] = {"message-type", U8},
	[54] = {"server-id", ONE_ADDRESS},
	[55] = {"parameters", CODES},
	[56] = {"message", TEXT},
	[57] = {"maximum-size", U16},
	[58] = {"t1", SECONDS},
	[59] = {"t2", SECONDS},
	[60] = {"vendor-class", TEXT},
	[61] = {"client-id", BYTES(2), .maximum = DHCP_CLIENT_ID_MAX},
	[62] = {"netware-domain", TEXT},
	[63] = {"netware-options", BYTES(1)},
	[64] = {"nis-plus-domain", TEXT},
	[65] = {"nis-plus-servers", ADDRESSES(4)},
	[66] = {"tftp-server", TEXT},
	[67] = {"boot-file", TEXT},
	[68] = {"mobile-ip-home-agents", ADDRESSES(0)},
	[69] = {"smtp-servers", ADDRESSES(4)},
	[70] = {"pop3-servers", ADDRESSES(4)},
	[71] = {"nntp-servers", ADDRESSES(4)},
	[72] = {"www-servers", ADDRESSES(4)},
	[73] = {"finger-servers", ADDRESSES(4)},
	[74] = {"irc-servers", ADDRESSES(4)},
	[75] = {"streettalk-servers", ADDRESSES(4)},
	[76] = {"streettalk-directory-servers", ADDRESSES(4)},
	[77] = {"user-class", BYTES(1)},
	[78] = {"slp-directory-agents", BYTES(1)},
	[79] = {"slp-service-scope", BYTES(1)},
	[80] = {"rapid-commit", EMPTY},
	[81] = {"client-fqdn", BYTES(3)},
	[82] = {"relay-agent", BYTES(0)},
	[83] = {"isns", BYTES(14)},
	[85] = {"nds-servers", ADDRESSES(4)},
	[86] = {"nds-tree", TEXT},
	[87] = {"nds-context", TEXT},
	[88] = {"bcmcs-domains", DOMAINS},
	[89] = {"bcmcs-servers", ADDRESSES(4)},
	[90] = {"authentication", BYTES(1)},
	[91] = {"last-transaction-time", U32},
	[92] = {"associated-addresses", ADDRESSES(4)},
	[93] = {"client-architecture", U16_LIST},
	[94] = {"client-network-interface", BYTES(3), .maximum = 3},
	[95] = {"ldap-url", TEXT},
	[97] = {"client-machine-id", BYTES(1)},
	[98] = {"user-authentication", TEXT},
	[99] = {"civic-location", BYTES(1)},
	[100] = {"posix-time-zone", TEXT},
	[101] = {"time-zone", TEXT},
	[108] = {"ipv6-only-preferred", SECONDS},
	[109] = {"softwire-source", BYTES(16), .maximum = 16},
	[112] = {"netinfo-servers", ADDRESSES(4)},
	[113] = {"netinfo-tag", TEXT},
	[114] = {"captive-portal", TEXT},
	[116] = {"auto-configure", FLAG},
	[117] = {"name-service-search", U16_LIST},
	[118] = {"subnet-selection", ONE_ADDRESS},
	[119] = {"domain-search", DOMAINS},
	[120] = {"sip-servers", BYTES(1)},
	[121] = {"classless-routes", ROUTES},
	[122] = {"cablelabs-configuration", BYTES(1)},
	[123] = {"coordinates", BYTES(1)},
	[124] = {"vendor-identifying-class", BYTES(1)},
	[125] = {"vendor-identifying-options", BYTES(1)},
	[136] = {"pana-agents", ADDRESSES(4)},
	[137] = {"lost-server", DOMAINS},
	[138] = {"capwap-controllers", ADDRESSES(4)},
	[139] = {"mobility-server-addresses", BYTES(1)},
	[140] = {"mobility-server-names", BYTES(1)},
	[141] = {"sip-user-agent-domains", DOMAINS},
	[142] = {"andsf-servers", ADDRESSES(4)},
	[143] = {"sztp-redirect", BYTES(1)},
	[144] = {"geographic-location", BYTES(1)},
	[145] = {"forcerenew-nonce", BYTES(1)},
	[146] = {"rdnss-selection", BYTES(1)},
	[147] = {"dots-agent", DOMAINS},
	[148] = {"dots-addresses", ADDRESSES(4)},
	[150] = {"tftp-servers", ADDRESSES(4)},
	[151] = {"status-code", BYTES(1)},
	[152] = {"base-time", U32},
	[153] = {"start-time-of-state", U32},
	[154] = {"query-start-time", U32},
	[155] = {"query-end-time", U32},
	[156] = {"lease-state", U8},
	[157] = {"data-source", U8},
	[158] = {"pcp-servers", BYTES(1)},
	[159] = {"port-parameters", BYTES(4), .maximum = 4},
	[161] = {"mud-url", TEXT},
	[162] = {"encrypted-dns", BYTES(1)},
	[175] = {"etherboot", BYTES(1)},
	[208] = {"pxelinux-magic", BYTES(1)},
	[209] = {"configuration-file", TEXT},
	[210] = {"path-prefix", TEXT},
	[211] = {"reboot-time", SECONDS},
	[212] = {"6rd", BYTES(1)},
	[213] = {"access-domain", DOMAINS},
	[220] = {"subnet-allocation", BYTES(1)},
	[221] = {"virtual-subnet", BYTES(1)},
	[249] = {"microsoft-classless-routes", ROUTES},
	[252] = {"web-proxy-configuration", TEXT},
};

const struct dhcp_option_type *dhcp_option_type(uint8_t code)
{
	return types[code].name ? &types[code] : NULL;
}

bool dhcp_option_length_valid(uint8_t code, size_t length)
{
	const struct dhcp_option_type *type = dhcp_option_type(code);
	if (!type)
		return true;
	if (type->kind == DHCP_KIND_EMPTY)
		return length == 0;
	return length >= type->minimum && (type->maximum == 0 || length <= type->maximum) &&
	       (type->multiple_of == 0 || length % type->multiple_of == 0);
}

bool dhcp_option_next(struct reader *area, uint8_t *ret_code, struct reader *ret_value)
{
	while (reader_left(area) > 0) {
		uint8_t code = read_u8(area);
		if (code == DHCP_OPTION_PAD)
			continue;
		if (code == DHCP_OPTION_END) {
			area->at = area->end;
			return false;
		}
		struct reader value = reader_sub(area, read_u8(area));
		if (area->truncated)
			return false;
		*ret_code = code;
		*ret_value = value;
		return true;
	}
	return false;
}
