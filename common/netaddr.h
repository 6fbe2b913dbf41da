/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_NETADDR_H
#define WARREN_COMMON_NETADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What kind of place an address of the internet is, for who dials what a
 * stranger named. Pure.
 */
enum netaddr_kind {
	NETADDR_PUBLIC,
	NETADDR_PRIVATE, /* of some network of its own: 10/8, fc00::/7, ... */
	NETADDR_OVERLAY,
	NETADDR_LINK,	 /* of one link */
	NETADDR_HERE,	 /* loopback */
	NETADDR_NOBODY,	 /* of no single host: multicast, reserved, none */
};

/*
 * family 4 (the first 4 bytes count) or 6; another is nobody's. An IPv4 address
 * that stands in one of IPv6 is what it is by itself.
 */
enum netaddr_kind netaddr_kind(unsigned family, const uint8_t addr[16]);
/* "a link-local address"; of a public one "". */
const char *netaddr_text(enum netaddr_kind);
/* The IPv4 address that stands in this one of IPv6, in any of its forms. */
bool netaddr_inner(uint8_t v4[4], const uint8_t v6[16]);
/* Are their first bits the same? */
bool netaddr_same(const uint8_t *, const uint8_t *, unsigned bits);

#endif
