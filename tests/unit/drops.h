/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_DROPS_H
#define WARREN_TESTS_UNIT_DROPS_H

#include <rns/rns.h>

/* What test_drops.c and drops_link.c do to bring each reason about. */
typedef void drop_trigger(void);

/* Those of links of our own, by reason; NULL: none. */
extern drop_trigger *const drops_link[RNS_DROP_COUNT];
/* How often either end of the link dropped for it; the pair is gone then. */
uint64_t drops_link_count(drop_trigger *, enum rns_drop);

#endif
