/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/discovery/offer.c */
/* Offers of interfaces, and their records: what is read is written and read. */
#include <stdlib.h>
#include <string.h>

#include "transport/discovery/offers.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
offer(const uint8_t *p, size_t n)
{
	uint8_t buf[4096], opened[OFFER_APP_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct offer o, again;
	struct id32 a, b;
	size_t len;

	(void)offer_open(opened, &len, p, n, NULL);
	if (offer_parse(&o, p, n) != OFFER_TAKEN)
		return;
	offer_pack(&w, &o);
	if (!wr_ok(&w))
		abort();
	(void)offer_dialable(&o, n % 2 == 0);
	/* what only a reader tolerates may be missing then */
	if (offer_parse(&again, buf, w.len) != OFFER_TAKEN)
		return;
	offer_id(&a, &o);
	offer_id(&b, &again);
	if (!id32_eq(&a, &b) || strcmp(o.host, again.host) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t buf[OFFERS_FILE_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct offer_entry e, again;

	offer(p, n);
	if (!offers_get(&e, p, n))
		return 0;
	fuzz_taken++;
	offers_put(&w, &e);
	if (!wr_ok(&w) || !offers_get(&again, buf, w.len) ||
	    !id32_eq(&e.id, &again.id) ||
	    strcmp(e.offer.netkey, again.offer.netkey) != 0)
		abort();
	return 0;
}
