/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/anchored.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/layers.h"
#include "common/log.h"
#include "common/util.h"
#include "node/work/event.h"

static int
cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id32));
}

void
anchored_take(struct node *n, struct anchored *list, size_t count)
{
	free(n->anchored);
	n->anchored = list;
	n->nanchored = count;
	n->anchored_known = true;
	log_debug("anchored", "images=%zu", count);
}

bool
anchored_has(const struct node *n, const struct id32 *image)
{
	const struct anchored *a = n->nanchored == 0 ? NULL : bsearch(image,
	    n->anchored, n->nanchored, sizeof(*a), cmp);

	return a != NULL && a->logs >= MAX_OF(n->policy.anchor_logs, 1u);
}

static bool
required(const struct policy *p)
{
	return p->anchor == ANCHOR_REQUIRE ||
	    (p->required & LAYER_ANCHORED) != 0;
}

bool
anchored_unknown(const struct node *n)
{
	return required(&n->policy) && !n->anchored_known;
}

bool
anchored_lacks(const struct node *n, const struct id32 *image)
{
	return required(&n->policy) && !anchored_has(n, image);
}

void
anchored_record(struct node *n, struct job *j)
{
	bool is = anchored_has(n, &j->image);
	char hex[65];

	if (n->policy.anchor == ANCHOR_OFF)
		return;
	hex_encode(hex, HASH_BYTES(j->image));
	node_event(n, EVK_ANCHOR, is ? 1 : 2, j, NULL, is ? "anchored" :
	    "absent", hex, 0, 0);
}

uint32_t
anchored_layer(const struct node *n, const struct id32 *image)
{
	if (n->policy.anchor == ANCHOR_OFF && !required(&n->policy))
		return 0;
	return anchored_has(n, image) ? LAYER_ANCHORED : 0;
}

uint32_t
anchored_layers(const struct node *n)
{
	return n->nanchored > 0 ? LAYER_ANCHORED : 0;
}

void
anchored_clear(struct node *n)
{
	free(n->anchored);
	n->anchored = NULL;
	n->nanchored = 0;
}
