/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_CAPS_H
#define WARREN_SANDBOX_BASE_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* Capabilities are dropped for good; 0 or -1 with errno. */

/* All sets empty, the bounding set too where we may. */
int caps_drop_all(void);
/* These bits stay, through an exec too: the packer's CAP_DAC_READ_SEARCH. */
int caps_keep(uint64_t bits);
/* Best effort; the bits of keep stay. */
void caps_drop_bounding(uint64_t keep);
/* No exec gives more from here on. */
int no_new_privs(void);

#endif
