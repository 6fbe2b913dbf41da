/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/afar.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/netaddr.h"

const char *
afar_refused(const struct lookup_addr *r, const struct own_net *own, unsigned n)
{
	enum netaddr_kind kind = netaddr_kind(r->family, r->addr);
	struct lookup_addr inner = {.family = 4};
	bool private = kind == NETADDR_PRIVATE;

	if (kind != NETADDR_PUBLIC && !private)
		return netaddr_text(kind);
	if (r->family == 6 && netaddr_inner(inner.addr, r->addr))
		return afar_refused(&inner, own, n);
	for (unsigned i = 0; i < n; i++) {
		if (own[i].at.family != r->family)
			continue;
		if (netaddr_same(own[i].at.addr, r->addr,
			r->family == 4 ? 32 : 128))
			return netaddr_text(NETADDR_HERE);
		if (private && netaddr_same(own[i].at.addr, r->addr,
			own[i].bits))
			return "a private address beside this machine";
	}
	return NULL;
}
