/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/imagepolicy.h"

#include <stdlib.h>

#include "common/log.h"

void
imagepolicy_take(struct node *n, struct attested *list, size_t count,
    uint64_t serial)
{
	free(n->attested);
	n->attested = list;
	n->nattested = count;
	n->attested_serial = serial;
	log_debug("image_policy", "images=%zu", count);
}

bool
imagepolicy_unknown(const struct node *n)
{
	return n->policy.image_policy != 0 &&
	    n->policy.image_policy != n->attested_serial;
}

bool
imagepolicy_lacks(const struct node *n, const struct id32 *image)
{
	uint32_t rules = n->policy.image_policy == 0 ? 0 :
	    n->host.image_rules(n->host.ctx, image);

	/* what is said of other rules holds for none of these */
	return rules != 0 && (imagepolicy_unknown(n) ||
		(rules & ~attested_rules(n->attested, n->nattested, image)) !=
		0);
}

void
imagepolicy_clear(struct node *n)
{
	free(n->attested);
	n->attested = NULL;
	n->nattested = 0;
}
