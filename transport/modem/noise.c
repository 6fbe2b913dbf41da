/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/noise.h"

void
noise_more(struct noise *noise, struct modem *m, size_t n, unsigned reason)
{
	noise->bytes += n;
	if (noise->bytes < NOISE_BYTES)
		return;
	noise->bytes = 0;
	if (m->out->remark != NULL)
		m->out->remark(m->arg, reason, "2048 bytes came, and no packet "
		    "was among them: is the speed that of the device, and the "
		    "type of the interface right?");
	else
		m->out->count(m->arg, reason);
}

void
noise_over(struct noise *noise)
{
	noise->bytes = 0;
}
