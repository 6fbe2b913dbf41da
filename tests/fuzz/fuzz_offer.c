/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/discovery/offer.c */
/* Offers of interfaces, and their records: what is read is written and read. */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/identity.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/offers.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* An offer, what is sealed, a record. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

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
	took(0);
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

/* An announce's, sealed for a network; and what stands in it, by its stamp. */
static void
sealed(const uint8_t *p, size_t n)
{
	static const uint8_t priv[RNS_KEY] = {9}, some[32] = {3};
	static struct identity id;
	uint8_t app[OFFER_APP_MAX + 1], opened[OFFER_APP_MAX];
	uint32_t value;
	size_t len;

	if (id.pub[0] == 0 && identity_load(&id, priv) != RNS_OK)
		abort();
	app[0] = OFFER_FLAG_SEALED;
	if (identity_encrypt(app + 1, &len, sizeof(app) - 1, id.pub, &id.hash,
		NULL, some, some, p, n) != RNS_OK)
		return;
	if (offer_open(opened, &len, app, len + 1, NULL) == OFFER_TAKEN)
		abort();
	if (offer_open(opened, &len, app, len + 1, &id) != OFFER_TAKEN)
		return;
	if (len != n || memcmp(opened, p, n) != 0)
		abort();
	took(1);
	(void)offer_worth(&value, opened, len, 8 * STAMP_BIT);
	offer(opened, len - STAMP_LEN);
}

static void
texts(const uint8_t *p, size_t n)
{
	char text[512], said[OFFER_TEXT + 1];
	double place[3] = {0};
	bool placed[3] = {false};

	if (n >= sizeof(text))
		return;
	memcpy(text, p, n);
	text[n] = '\0';
	if (offer_place_read(placed, place, text))
		for (int i = 0; i < 3; i++)
			if (placed[i] && !(place[i] >= -1e9 && place[i] <= 1e9))
				abort();
	offer_say(said, text);
	if (strpbrk(said, "\r\n") != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t buf[OFFERS_FILE_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct offer_entry e, again;

	offer(p, n);
	sealed(p, n);
	texts(p, n);
	if (!offers_get(&e, p, n))
		return 0;
	took(2);
	offers_put(&w, &e);
	if (!wr_ok(&w) || !offers_get(&again, buf, w.len) ||
	    !id32_eq(&e.id, &again.id) ||
	    strcmp(e.offer.netkey, again.offer.netkey) != 0)
		abort();
	return 0;
}
