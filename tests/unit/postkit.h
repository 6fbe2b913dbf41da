/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_POSTKIT_H
#define WARREN_TESTS_UNIT_POSTKIT_H

#include "transport/lxmf/post.h"

/*
 * What a machine of letters is given that has no core: nobody is known, each
 * random byte is 9, and what comes of a look does not matter.
 */
bool postkit_known(void *, const struct hash16 *, struct rns_known *);
void postkit_random(void *, uint8_t *, size_t);
void postkit_looked(void *, enum post_look, unsigned);

#endif
