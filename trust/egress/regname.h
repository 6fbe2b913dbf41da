/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_REGNAME_H
#define WARREN_TRUST_EGRESS_REGNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/weburl.h"

/*
 * What a person calls an image of a registry, [REGISTRY/]NS/NAME[:TAG][@DIGEST]
 * (OCI distribution 1.1, Docker's references): without a registry docker.io,
 * there without NS library/, without a tag or a digest latest. A first part is
 * a registry when it has a '.' or ':', is localhost, or an address in brackets.
 * Pure.
 */
#define REGNAME_REPO 255
#define REGNAME_TAG 128
#define REGNAME_MAX 700 /* bytes of a whole reference */

struct regname {
	char host[WEBURL_HOST_MAX + 1]; /* that is asked; no brackets */
	uint16_t port;			/* 0: that of the scheme */
	bool hub;			/* it is docker.io */
	char repo[REGNAME_REPO + 1];
	char tag[REGNAME_TAG + 1]; /* "": none, then there is a digest */
	bool by_digest;		   /* which decides, also beside a tag */
	struct id32 digest;
};

/* NULL, or a literal: what is wrong with it. */
const char *regname_parse(struct regname *, const char *text);
/* "TAG" or "sha256:HEX": what is asked for. */
void regname_ref(const struct regname *, char out[REGNAME_TAG + 1]);
/*
 * The name that it gets in the store when nobody gives it one: of docker.io the
 * repository without library/, else host[:port]/repository, and the tag. false: it has
 * no tag, or the name would be too long (cap).
 */
bool regname_local(const struct regname *, char *out, size_t cap);
/* HOST[:PORT] as one writes it; out of WEBURL_HOST_MAX + 16 bytes. */
void regname_host(const struct regname *, char *out);

#endif
