/* SPDX-License-Identifier: BSD-2-Clause */
/* A node's word on a bundle, and the comment of an archive that has it. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A word on a job, on a trail, a comment. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

static void
word(const uint8_t *p, size_t n)
{
	static struct klp_key key;
	struct bundle b;
	const char *why = NULL;
	struct env e;

	if (key.len == 0) {
		struct klp_secret s = {.kind = KEY_SECP256K1, .raw = {1}};

		(void)secret_public(&key, &s);
	}
	if (bundle_parse(&b, &e, p, n, &why) != 0) {
		if (why == NULL)
			abort();
		return;
	}
	if (b.kind != BUNDLE_JOB && b.kind != BUNDLE_TRAIL)
		abort();
	took(b.kind == BUNDLE_JOB ? 0 : 1);
	(void)bundle_signed_by(&e, &key);
	env_clear(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t frame[BUNDLE_LEN], binding[BINDING_LEN];
	char again[BUNDLE_COMMENT_MAX];

	word(p, n);
	if (!bundle_comment_parse((const char *)p, n, frame, binding))
		return 0;
	took(2);
	if (bundle_comment(again, frame, binding) != n ||
	    memcmp(again, p, n) != 0)
		abort();
	word(frame, sizeof(frame));
	return 0;
}
