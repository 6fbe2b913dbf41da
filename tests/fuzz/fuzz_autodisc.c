/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams of an AutoInterface. Each begins with what it is, its device, its
 * source's last byte and its length; tables stay in their bounds, and nobody
 * is a peer without a token.
 */
#include <stdlib.h>
#include <string.h>

#include "transport/engine/autodisc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct in6_addr
address(uint8_t n)
{
	return (struct in6_addr){.s6_addr = {0xfe, 0x80, [15] = n}};
}

static void
one(struct autodisc *d, struct auto_device *dev, const uint8_t head[4],
    const uint8_t *p, size_t len, struct mono now)
{
	struct in6_addr from = address(head[2]);
	uint8_t token[AUTO_TOKEN];
	struct auto_peer *peer = NULL;
	bool good;

	autodisc_token(token, d->group, &from);
	if ((head[0] & 3) == 0) { /* luck does not make one */
		p = token;
		len = sizeof(token);
	}
	good = len >= sizeof(token) && memcmp(p, token, sizeof(token)) == 0;
	if ((head[0] & 3) == 3) {
		if (autodisc_data(d, dev, &from, p, len, now) != NULL &&
		    d->npeers == 0)
			abort();
		return;
	}
	switch (autodisc_hear(d, dev, &from, p, len, now, &peer)) {
	case AUTO_WRONG:
		if (good)
			abort();
		break;
	case AUTO_NEW:
	case AUTO_KNOWN:
		if (!good || peer == NULL || peer->device != dev)
			abort();
		break;
	default:
		if (!good)
			abort();
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct autodisc d;
	struct auto_device *dev[2];
	struct in6_addr a = address(1), b = address(2);
	struct auto_peer *peer;
	struct mono now = {1000000};

	autodisc_init(&d, "group", (const uint8_t *)"0123456789abcdef");
	dev[0] = autodisc_up(&d, "a", &a, now);
	dev[1] = autodisc_up(&d, "b", &b, now);
	while (n >= 4) {
		size_t len = p[3] < n - 4 ? p[3] : n - 4;

		one(&d, dev[p[1] & 1], p, p + 4, len, now);
		now.us += p[1] * 10000;
		while ((peer = autodisc_silent(&d, now)) != NULL)
			autodisc_drop(&d, peer);
		if (d.npeers > AUTO_PEERS ||
		    dev[0]->npeers + dev[1]->npeers != d.npeers)
			abort();
		p += 4 + len;
		n -= 4 + len;
	}
	autodisc_clear(&d);
	return 0;
}
