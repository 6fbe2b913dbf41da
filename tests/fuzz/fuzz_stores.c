/* SPDX-License-Identifier: BSD-2-Clause */
/* The stores of destinations: what is read can be written and read again. */
#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "transport/core/base/identity.h"
#include "transport/core/table/stores.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A destination, a list of our own ratchets, a ratchet of another. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

static void
known(const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n), again;
	struct rns_known a, b;
	size_t count;

	if (stores_known_head(&r, &count) != RNS_OK)
		return;
	for (size_t i = 0; i < count; i++) {
		int err = stores_known_next(&r, &a);
		uint8_t *buf;
		struct wr w;

		if (err == RNS_EPARSE)
			return;
		if (err != RNS_OK)
			continue;
		took(0);
		buf = malloc(stores_known_max(&a));
		if (buf == NULL)
			return;
		w = wr_make(buf, stores_known_max(&a));
		stores_known_put(&w, &a);
		again = rd_make(buf, w.len);
		if (!wr_ok(&w) || stores_known_next(&again, &b) != RNS_OK ||
		    !rd_end(&again) || !hash16_eq(&a.dest, &b.dest) ||
		    a.app_data_len != b.app_data_len ||
		    (a.used_us < 0) != (b.used_us < 0))
			abort();
		free(buf);
	}
}

/* The input is the list that its owner has signed. */
static void
own(const uint8_t *p, size_t n)
{
	static const uint8_t priv[RNS_KEY] = {9};
	uint8_t keys[4][RNS_RATCHET], sig[RNS_SIG], *buf;
	struct identity id;
	size_t count;
	struct wr w;

	if (identity_load(&id, priv) != RNS_OK || (buf = malloc(n + 128)) ==
	    NULL)
		return;
	identity_sign(&id, sig, p, n);
	w = wr_make(buf, n + 128);
	mpk_put_map(&w, 2);
	mpk_put_str(&w, "signature");
	mpk_put_bin(&w, sig, sizeof(sig));
	mpk_put_str(&w, "ratchets");
	mpk_put_bin(&w, p, n);
	if (!wr_ok(&w))
		abort();
	if (stores_own_get(buf, w.len, id.pub, keys, 4, &count) == RNS_OK) {
		took(1);
		if (count > 4)
			abort();
	}
	free(buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t pub[RNS_KEY] = {9};
	uint8_t key[RNS_RATCHET], keys[8][RNS_RATCHET];
	int64_t us;
	size_t count;

	known(p, n);
	if (stores_ratchet_get(p, n, key, &us) == RNS_OK) {
		took(2);
		if (us < 0)
			abort();
	}
	(void)stores_own_get(p, n, pub, keys, 8, &count);
	own(p, n);
	return 0;
}
