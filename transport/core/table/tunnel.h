/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_TUNNEL_H
#define WARREN_TRANSPORT_CORE_TABLE_TUNNEL_H

#include <rns/hash.h>

#include "transport/core/base/ctx.h"

/*
 * Tunnels (reticulum-transport.md 2.9): who stands at the other end of an
 * interface, so that its paths outlive the connection. While a tunnel has an
 * interface its paths are those of the path table that were learned there;
 * when the interface goes they wait here, and when the tunnel comes back on
 * another they go into the path table again. One that waits without paths is
 * no use to anybody and goes.
 */
struct tunnel;

int tunnels_new(struct rns *); /* after paths_new() */
void tunnels_free(struct rns *);
/*
 * The other end has shown that it is this tunnel. An interface carries one:
 * the last that was shown. RNS_ELIMIT: all places are taken by tunnels that
 * have an interface; RNS_ENOMEM.
 */
int tunnel_up(struct rns *, const struct id32 *, struct iface *);
/* Before paths_iface_gone(): its tunnel keeps what was learned there. */
void tunnels_iface_gone(struct rns *, struct iface *);
/*
 * TUNNEL_ADD, and PATH_ADD with a tunnel: from storage. RNS_ENOENT: no such
 * tunnel; RNS_ESTATE: too old, or the tunnel is there already with an
 * interface; RNS_EPARSE, RNS_EINVAL: as path_submit(); RNS_ELIMIT.
 */
int tunnel_submit(struct rns *, const struct rns_cmd *);

#endif
