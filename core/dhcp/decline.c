#include "dhcp/decline.h"

static struct dhcp_decliner *find(
	struct dhcp_decliners *decliners, const struct dhcp_hardware *hardware)
{
	for (size_t i = 0; i < decliners->count; i++)
		if (dhcp_hardware_equal(&decliners->list[i].hardware, hardware))
			return &decliners->list[i];
	return NULL;
}

bool dhcp_decliners_add(struct dhcp_decliners *decliners, const struct dhcp_hardware *hardware)
{
	struct dhcp_decliner *decliner = find(decliners, hardware);
	if (!decliner) {
		if (decliners->count == DHCP_DECLINERS_MAX)
			return false;
		decliner = &decliners->list[decliners->count++];
		*decliner = (struct dhcp_decliner){.hardware = *hardware};
	}
	if (decliner->count == DHCP_DECLINE_MOST)
		return false;
	decliner->count++;
	return true;
}

void dhcp_decliners_remove(struct dhcp_decliners *decliners, const struct dhcp_hardware *hardware)
{
	struct dhcp_decliner *decliner = find(decliners, hardware);
	if (decliner && --decliner->count == 0)
		*decliner = decliners->list[--decliners->count];
}
