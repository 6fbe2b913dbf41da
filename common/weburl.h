/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_WEBURL_H
#define WARREN_COMMON_WEBURL_H

#include <stddef.h>
#include <stdint.h>

/*
 * The one form of a web address that is fetched from here: https://HOST[:PORT]
 * and, if at all, /PATH?QUERY. No user, no fragment, printable ASCII alone; a
 * host is a name of letters, digits, '-' and '.', an IPv4 address of four
 * decimal numbers, or an IPv6 address in brackets. Pure.
 */
#define WEBURL_MAX 800
#define WEBURL_HOST_MAX 253

struct weburl {
	char host[WEBURL_HOST_MAX + 1]; /* in lower case, without brackets */
	unsigned family; /* 4, 6: host is an address; 0: a name */
	uint16_t port;
	uint8_t addr[16]; /* of family */
	const char *path; /* the text's own, from '/' on; "": none */
};

/* NULL, or a literal: what is wrong with it. */
const char *weburl_parse(struct weburl *, const char *text);
/* The same for one that names of files are put behind, with a slash. */
const char *weburl_base(struct weburl *, const char *text);
/* The host alone, as it stands in a list of hosts; likewise. */
const char *weburl_host(struct weburl *, const char *text, size_t len);
/* The port alone, of len bytes. */
const char *weburl_port(struct weburl *, const char *text, size_t len);

#endif
