/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/bundle.h"

#include <string.h>

/* Apart from its making: warren-keys has no reader of envelopes. */
bool
bundle_signed_by(const struct env *e, const struct klp_key *k)
{
	struct fp fp;

	key_fp(&fp, k);
	return e->nsigs == 1 && memcmp(e->sigs[0].hint.b, fp.b, FP4_LEN) == 0 &&
	    env_verify(e, TYPE_BUNDLE, k, 1, NULL) == 1;
}
