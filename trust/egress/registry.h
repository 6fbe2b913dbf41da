/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_REGISTRY_H
#define WARREN_TRUST_EGRESS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/weburl.h"

/*
 * What a registry says in addresses and headers, and what follows from it (OCI
 * distribution 1.1; RFC 9110 11, 14, 15). Everything here is a stranger's.
 * Pure.
 */

/* ---- addresses ---- */

#define REGURL_MAX 4000 /* bytes; the signed ones of object stores are long */

struct regurl {
	bool tls;	      /* https, else http */
	struct weburl host;   /* its host, port and address; no path */
	char text[REGURL_MAX + 1]; /* whole, with the port, no fragment */
	size_t path;	      /* where in text '/' is */
};

/* NULL, or a literal: what is wrong with it. */
const char *regurl_parse(struct regurl *, const char *text, size_t len);
/* A Location, seen from base: absolute, or relative in any way. */
const char *regurl_join(struct regurl *, const struct regurl *base,
    const char *text, size_t len);
/* Scheme, host and port: who is shown what the other was shown. */
bool regurl_same(const struct regurl *, const struct regurl *);

/*
 * Whom the operator has named, a line each: HOST (any port) or HOST:PORT, an
 * IPv6 address in brackets. Who is named may lie in a network of one's own, and
 * may be talked to without TLS when that is allowed at all.
 */
bool registry_named(const char *list, const struct weburl *);
/* NULL: it may be asked there; else why not, a literal. */
const char *registry_may(const struct regurl *, bool named, bool insecure);

/* ---- headers ---- */

#define REG_TEXT 256

struct reg_head {
	unsigned code;
	char location[REGURL_MAX + 1];
	bool location_long; /* there was one that does not fit */
	/* of all challenges: where tokens come from, and for which service */
	bool basic, bearer;
	char realm[REGURL_MAX + 1], service[REG_TEXT];
	char type[REG_TEXT];	 /* Content-Type, in small letters, bare */
	char encoding[32];	 /* Content-Encoding */
	char digest[96];	 /* Docker-Content-Digest */
	bool ranged;		 /* Content-Range that can be read */
	uint64_t first, total;	 /* ... of it; total 0: not said */
};
/* One line, as it came; a status line makes the head a new one. */
void reg_head_line(struct reg_head *, const char *line, size_t len);

/* ---- what follows ---- */

#define REG_HOPS 5	  /* redirects, one behind the other */
#define REG_TRIES 6	  /* of the same thing, without getting on */
#define REG_WAIT_MOST 120 /* seconds that a server may ask for */

enum reg_next {
	REG_TAKE,   /* the body is what was asked for, from `from` on */
	REG_WHOLE,  /* it is, but all of it: begin again at 0 */
	REG_AUTH,   /* show who is asking */
	REG_FOLLOW, /* ask where `location` says */
	REG_WAIT,   /* the same again, in a while */
	REG_AFRESH, /* the same again, at once, from 0 */
	REG_FAIL,
};
/*
 * size: how many bytes the whole has, 0: not known. from: the first one that
 * was asked for. *why: a literal, of REG_FAIL.
 */
enum reg_next registry_next(const struct reg_head *, uint64_t from,
    uint64_t size, const char **why);
/* Seconds before try number n (1, 2, ...) when the server names none. */
unsigned registry_wait(unsigned n);

#endif
