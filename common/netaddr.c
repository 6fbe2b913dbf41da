/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/netaddr.h"

#include <string.h>

#include "common/util.h"

struct net {
	uint8_t addr[16];
	unsigned bits;
	enum netaddr_kind kind;
};

static const struct net nets4[] = {
	{{0}, 8, NETADDR_NOBODY},
	{{127}, 8, NETADDR_HERE},
	{{169, 254}, 16, NETADDR_LINK},
	{{224}, 3, NETADDR_NOBODY}, /* multicast, reserved, broadcast */
	{{10}, 8, NETADDR_PRIVATE},
	{{172, 16}, 12, NETADDR_PRIVATE},
	{{192, 168}, 16, NETADDR_PRIVATE},
	{{100, 64}, 10, NETADDR_PRIVATE},
};
static const struct net nets6[] = {
	{{0}, 127, NETADDR_HERE}, /* none, and loopback */
	{{0xfe, 0x80}, 10, NETADDR_LINK},
	{{0xfe, 0xc0}, 10, NETADDR_LINK}, /* what once was site-local */
	{{0xff}, 8, NETADDR_NOBODY},
	{{0x02}, 7, NETADDR_OVERLAY},
	{{0xfc}, 7, NETADDR_PRIVATE},
};
/* An IPv4 address stands in these, behind so many bits. */
static const struct net with4[] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 0},
	{{0, 0x64, 0xff, 0x9b}, 96, 0},
	{{0x20, 0x02}, 16, 0},
	{{0}, 96, 0}, /* long out of use */
};

bool
netaddr_same(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(a, b, whole) == 0 &&
	    (rest == 0 || (a[whole] & mask) == (b[whole] & mask));
}

static const struct net *
in(const uint8_t *addr, const struct net *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (netaddr_same(addr, list[i].addr, list[i].bits))
			return &list[i];
	return NULL;
}

bool
netaddr_inner(uint8_t v4[4], const uint8_t v6[16])
{
	const struct net *net = in(v6, nets6, NELEM(nets6));

	if (net != NULL || (net = in(v6, with4, NELEM(with4))) == NULL)
		return false;
	memcpy(v4, v6 + net->bits / 8, 4);
	return true;
}

enum netaddr_kind
netaddr_kind(unsigned family, const uint8_t addr[16])
{
	const struct net *net;
	uint8_t v4[16] = {0};

	if (family != 4 && family != 6)
		return NETADDR_NOBODY;
	if (family == 6 && netaddr_inner(v4, addr))
		return netaddr_kind(4, v4);
	net = family == 4 ? in(addr, nets4, NELEM(nets4)) :
	    in(addr, nets6, NELEM(nets6));
	return net == NULL ? NETADDR_PUBLIC : net->kind;
}

const char *
netaddr_text(enum netaddr_kind kind)
{
	static const char *const texts[] = {
	    [NETADDR_PUBLIC] = "",
	    [NETADDR_PRIVATE] = "a private address",
	    [NETADDR_OVERLAY] = "an address of an overlay network",
	    [NETADDR_LINK] = "a link-local address",
	    [NETADDR_HERE] = "an address of this machine",
	    [NETADDR_NOBODY] = "no address of a single host",
	};

	return texts[kind];
}
