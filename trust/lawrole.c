/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "trust/law.h"

/* Whose keys hold a role: for boards, and for signers of images. */

size_t
law_role(const struct law *l, const char *authority, const char *name,
    struct klp_key *keys, unsigned *threshold)
{
	const struct root_role *role = NULL;
	const struct root *r = NULL;
	size_t n = 0;

	for (unsigned i = 0; i < l->nauth && role == NULL; i++) {
		r = &l->auth[i].a.root;
		if (l->auth[i].pinned &&
		    strcmp(l->auth[i].a.name, authority) == 0)
			role = root_role(r, name);
	}
	*threshold = role == NULL ? 0 : role->threshold;
	for (; role != NULL && n < role->nkeys; n++)
		keys[n] = r->keys[role->keys[n]];
	return n;
}
