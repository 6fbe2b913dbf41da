/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/airtime.h"

#include "common/util.h"

#define SECOND_US 1000000u
#define SMALL 100 /* bytes: of links' packets, most */
#define LARGE 483 /* of a part, reticulum-endpoint.md 8.2 */
/* us of a symbol from which on LoRa sends two bits less in each */
#define LOW_RATE_US 16000u

static int64_t
bits_us(const struct airtime *a, size_t len)
{
	uint64_t bits = ((uint64_t)len + a->frame_bytes) *
	    (a->byte_bits != 0 ? a->byte_bits : 8u);

	if (a->bitrate == 0)
		return 0;
	return (int64_t)((bits * SECOND_US + a->bitrate - 1) / a->bitrate +
	    a->frame_us);
}

/* One LoRa frame in quarters of a symbol, since its start has 4.25 or 6.25. */
static uint64_t
lora_quarters(const struct airtime *a, size_t bytes)
{
	uint64_t symbol_us = ((uint64_t)SECOND_US << a->sf) / a->bandwidth;
	uint64_t preamble = a->preamble != 0 ? a->preamble : AIRTIME_PREAMBLE;
	/* SF 5 and 6 have a longer start, and no header bits to make up for */
	int64_t bits = (int64_t)bytes * 8 + 16 - 4 * a->sf +
	    (a->sf >= 7 ? 28 : 20);
	uint64_t per = (a->sf - (symbol_us > LOW_RATE_US ? 2u : 0u)) * 4u;
	uint64_t symbols = 8;

	if (bits > 0)
		symbols += ((uint64_t)bits + per - 1) / per * a->cr;
	return (preamble + symbols) * 4 + (a->sf >= 7 ? 17 : 25);
}

static int64_t
lora_us(const struct airtime *a, size_t len)
{
	uint64_t quarters = 0;

	if (a->bandwidth == 0 || a->sf < 5 || a->sf > 12 || a->cr < 5 ||
	    a->cr > 8)
		return 0;
	do {
		size_t n = MIN_OF(len, (size_t)AIRTIME_LORA_FRAME);

		quarters += lora_quarters(a, n + 1);
		len -= n;
	} while (len > 0);
	/* a quarter of a symbol is 2^SF / bandwidth / 4 s */
	return (int64_t)((quarters * ((uint64_t)SECOND_US << a->sf) +
	    4ull * a->bandwidth - 1) / (4ull * a->bandwidth));
}

int64_t
airtime_us(const struct airtime *a, size_t len)
{
	switch (a->how) {
	case AIRTIME_BITS:
		return bits_us(a, len);
	case AIRTIME_LORA:
		return lora_us(a, len);
	case AIRTIME_UNKNOWN:
		break;
	}
	return 0;
}

void
airtime_fit(const struct airtime *a, uint64_t *bitrate, uint32_t *frame_us)
{
	int64_t small = airtime_us(a, SMALL), large = airtime_us(a, LARGE);
	int64_t first;

	*bitrate = 0;
	*frame_us = 0;
	if (large <= small)
		return;
	*bitrate = (uint64_t)((LARGE - SMALL) * INT64_C(8) * SECOND_US /
	    (large - small));
	first = small - SMALL * (large - small) / (LARGE - SMALL);
	*frame_us = (uint32_t)MAX_OF(first, 0) + a->listen_us;
}
