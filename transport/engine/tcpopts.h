/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_TCPOPTS_H
#define WARREN_TRANSPORT_ENGINE_TCPOPTS_H

#include <stdbool.h>

/*
 * The table of reticulum-transport.md 10.3, of TCP and of a device behind it;
 * i2p: its slower column. An option that is missing does not stop anything.
 */
void tcpopts_set(int fd, bool i2p);

#endif
