/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a node says of a job in a letter, which it has signed: the first byte
 * says of which path the answer is, and what the letter has beside it; the
 * second how long the bytes of its first blob are; they, and the answer's value
 * follow. All that can be asked about a job is asked of it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/mailread.h"
#include "transport/lxmf/lxmf.h"
#include "trust/doc/binding.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

#define MOST 16384

static uint8_t priv[RNS_KEY], pub[RNS_KEY], binding[BINDING_LEN];
static struct hash16 dest;
static const struct id32 job = {{7}};
static const uint8_t re[32] = {1};

static void
keys(void)
{
	struct binding b = {.secp = {2}, .not_after = 1};
	struct hash16 hash;

	memset(priv, 0x51, sizeof(priv));
	(void)rns_identity_derive(pub, &hash, priv);
	(void)rns_dest_hash(&dest, "klp.node", &hash);
	memcpy(b.rns, pub, sizeof(b.rns));
	binding_put(binding, &b);
}

static void
ask(struct mail_read *r, const uint8_t *some)
{
	static const uint8_t paths[] = {PATH_SUBMIT, PATH_STATUS, PATH_RESULT,
	    PATH_LOG, PATH_FOLLOW, PATH_BLOB_GET, PATH_DESCRIBE};
	struct proto_ans a;

	for (size_t i = 0; i < NELEM(paths); i++)
		for (uint8_t k = 0; k < 6; k++) {
			struct proto_req q = {
			    .path = (enum proto_path)paths[i], .id = job.b,
			    .digest = k < r->l.nblobs ? r->blob[k].b : re,
			    .stream = (uint8_t)(1 + k % 2),
			    .offset = k < 2 ? 0 : UINT64_C(1) << some[0] % 64,
			    .n = k < 4 ? PROTO_SLICE : some[1]};

			(void)mail_ask(r, &q, &a);
		}
}

static void
read_it(const uint8_t *packed, size_t n, const uint8_t *some)
{
	struct remote node = {.name = "x"};
	struct mail_read r;
	struct id32 of;

	(void)mail_rank(packed, n, &of);
	if (mail_read(&r, packed, n, &dest, NULL) == NULL) {
		fuzz_taken++;
		(void)mail_binding(&r, &node, 0);
		ask(&r, some);
	}
	mail_read_free(&r);
	if (mail_read(&r, packed, n, &dest, pub) == NULL)
		ask(&r, some);
	mail_read_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t data[2 * MOST], packed[3 * MOST];
	struct letter l = {.answer = true, .re = re, .id = job.b};
	struct wr w = wr_make(data, sizeof(data));
	struct lxmf m = {.time = 1, .has_type = true, .has_data = true,
	    .type = {(const uint8_t *)LETTER_TYPE, strlen(LETTER_TYPE)}};
	size_t len;

	if (n < 2 || n > MOST)
		return 0;
	keys();
	len = MIN_OF((size_t)p[1], n - 2);
	l.path = (enum proto_path)((p[0] & 63) % PATH_COUNT);
	l.binding = (p[0] & 64) != 0 ? NULL : binding;
	if (len > 0)
		l.blob[l.nblobs++] = (struct pbin){p + 2, len};
	l.value = (struct pbin){p + 2 + len, n - 2 - len};
	m.data = (struct lxmf_text){data, 0};
	if ((p[0] & 128) != 0) { /* a letter of any form */
		m.data = (struct lxmf_text){p + 2, n - 2};
	} else {
		letter_put(&w, &l);
		if (!wr_ok(&w))
			return 0;
		m.data.n = w.len;
	}
	lxmf_address(&m.source, pub);
	m.dest = m.source;
	if (lxmf_pack(packed, &len, sizeof(packed), NULL, &m, NULL, priv) ==
	    RNS_OK)
		read_it(packed, len, p);
	return 0;
}
