/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/tlog.c trust/doc/fingerprint.c */
/* Notes, heads, proofs and records of logs: what is read is written as it was. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/fingerprint.h"
#include "trust/doc/tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char out[TLOG_GROWTH_TEXT];
	static const uint8_t key[32];
	const char *text = (const char *)p, *why;
	struct fingerprint f;
	struct tlog_growth grown;
	struct tlog_proof proof;
	struct tlog_head h = {.size = 5};
	struct snote note;
	struct vkey k = {.type = SNOTE_ED25519};
	size_t k_len;
	char *again;

	if (vkey_parse(&k, text, n) &&
	    (vkey_put(out, &k) != n || memcmp(out, p, n) != 0))
		abort();
	if (snote_parse(&note, text, n)) {
		if (tlog_head_parse(&h, note.text, note.text_len) &&
		    vkey_set(&k, h.origin, SNOTE_COSIGNATURE, key))
			(void)snote_signed(&note, &k, NULL);
		(void)snote_signed(&note, &k, NULL);
	}
	if (tlog_proof_parse(&proof, text, n)) {
		(void)tlog_includes(&h, proof.index, &proof.hash[0],
		    proof.hash, proof.n);
		(void)tlog_proof_put(out, &proof);
	}
	if (tlog_growth_parse(&grown, text, n)) {
		(void)tlog_extends(&grown.old, &h, grown.hash, grown.n);
		(void)tlog_growth_put(out, &grown);
	}
	if (fingerprint_parse(&f, p, n, &why)) {
		again = fingerprint_put(&f, &k_len);
		if (again != NULL &&
		    (k_len != n || memcmp(again, p, n) != 0))
			abort();
		free(again);
	}
	return 0;
}
