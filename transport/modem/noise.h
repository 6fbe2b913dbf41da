/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_NOISE_H
#define WARREN_TRANSPORT_MODEM_NOISE_H

#include <stddef.h>

#include "transport/modem/modem.h"

/*
 * Much that comes over a line and makes no packet: most likely its speed is
 * not that of the device, or it is another device. For a person to read: a
 * cable and a TNC say nothing of themselves.
 */
#define NOISE_BYTES 2048 /* ours: the longest frame with every byte escaped */

struct noise {
	size_t bytes; /* since there was something of sense */
};

/* n bytes came, and nothing of sense was in them: counted under reason. */
void noise_more(struct noise *, struct modem *, size_t n, unsigned reason);
/* Something was. */
void noise_over(struct noise *);

#endif
