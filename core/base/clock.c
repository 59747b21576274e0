#include "base/clock.h"

#include <stdlib.h>

enum { SCALE_MOST = 10000 };

unsigned clock_scale(void)
{
	const char *text = getenv("SIM_TIME_SCALE");
	double scale = text ? strtod(text, NULL) : 1;
	/* Neither holds for NaN. */
	if (scale > SCALE_MOST)
		return SCALE_MOST;
	return scale > 1 ? (unsigned)(scale + 0.999999) : 1;
}
