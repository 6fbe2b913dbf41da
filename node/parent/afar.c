/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/afar.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/util.h"

struct net {
	uint8_t addr[16];
	unsigned bits;
	const char *why;
};

static const char here[] = "an address of this machine";
static const char nowhere[] = "no address of a single host";
static const char beside[] = "a link-local address";

static const struct net never4[] = {
	{{0}, 8, nowhere},
	{{127}, 8, here},
	{{169, 254}, 16, beside},
	{{224}, 3, nowhere}, /* multicast, reserved, broadcast */
};
static const struct net never6[] = {
	{{0}, 127, here}, /* none, and loopback */
	{{0xfe, 0x80}, 10, beside},
	{{0xfe, 0xc0}, 10, beside}, /* what once was site-local */
	{{0xff}, 8, nowhere},
	{{0x02}, 7, "an address of an overlay network"},
};
static const struct net private4[] = {
	{{10}, 8, ""}, {{172, 16}, 12, ""}, {{192, 168}, 16, ""},
	{{100, 64}, 10, ""},
};
static const struct net private6[] = {{{0xfc}, 7, ""}};
/* An IPv4 address stands in these, behind so many bits. */
static const struct net with4[] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, ""},
	{{0, 0x64, 0xff, 0x9b}, 96, ""},
	{{0x20, 0x02}, 16, ""},
	{{0}, 96, ""}, /* long out of use */
};

static bool
same(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return memcmp(a, b, whole) == 0 &&
	    (rest == 0 || (a[whole] & mask) == (b[whole] & mask));
}

static const struct net *
in(const struct resolved *r, const struct net *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same(r->addr, list[i].addr, list[i].bits))
			return &list[i];
	return NULL;
}

const char *
afar_refused(const struct resolved *r, const struct own_net *own, unsigned n)
{
	bool v4 = r->family == 4, private;
	const struct net *net;
	struct resolved inner = {.family = 4};

	if (!v4 && r->family != 6)
		return nowhere;
	net = v4 ? in(r, never4, NELEM(never4)) : in(r, never6, NELEM(never6));
	if (net != NULL)
		return net->why;
	if (!v4 && (net = in(r, with4, NELEM(with4))) != NULL) {
		memcpy(inner.addr, r->addr + net->bits / 8, 4);
		return afar_refused(&inner, own, n);
	}
	private = (v4 ? in(r, private4, NELEM(private4)) :
	    in(r, private6, NELEM(private6))) != NULL;
	for (unsigned i = 0; i < n; i++) {
		if (own[i].at.family != r->family)
			continue;
		if (same(own[i].at.addr, r->addr, v4 ? 32 : 128))
			return here;
		if (private && same(own[i].at.addr, r->addr, own[i].bits))
			return "a private address beside this machine";
	}
	return NULL;
}
