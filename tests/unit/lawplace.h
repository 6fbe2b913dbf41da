/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LAWPLACE_H
#define WARREN_TESTS_UNIT_LAWPLACE_H

#include "node/config/nodeconf.h"
#include "tests/unit/authkit.h"
#include "trust/law.h"

#define NOW (KIT_T0 + 60)

/* A node and its judge, in folders of their own. */
struct place {
	struct kit_dir klp;
	char own[64]; /* warren/trust */
	int dir;
	struct law *l;
	struct bindstore *store;
	struct node_config *conf;
	struct law_ops ops;
};
void lawplace_make(struct place *, const char *yaml, const struct law_ops *);
void lawplace_again(struct place *); /* a restart */
void lawplace_again_at(struct place *, uint32_t now);
void lawplace_judge(struct place *, const char *yaml); /* by another file */
void lawplace_remove(struct place *);

#endif
