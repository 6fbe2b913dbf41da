/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_IFACELOOK_H
#define WARREN_NODE_CHECK_IFACELOOK_H

#include "node/check/finding.h"
#include "transport/config/rnsconf.h"

/*
 * Notes about interfaces that are on: serial ports, addresses, devices and
 * programs that this machine does not have now; they may come later. Nothing is
 * opened but a socket for a moment, and no name is looked up.
 */
void check_interfaces(struct check *, const struct rnsconf *);

#endif
