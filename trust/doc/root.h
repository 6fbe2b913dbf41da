/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_ROOT_H
#define WARREN_TRUST_DOC_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/envcheck.h"
#include "trust/doc/uri.h"

/*
 * The root document of an authority (klp.md 1.2): its keys, what each may sign,
 * and which documents there are. Pure.
 */
#define ROOT_BYTES (16u << 10) /* of its envelope */
#define ROOT_DOCS_MAX 64
#define ROOT_ROLES_MAX 64
#define ROOT_TYPE_MAX 32
#define ROOT_HTTPS_MAX 4
#define ROOT_URL_MAX 400
#define ROOT_RNS_MAX 4
#define TYPE_ROOT "application/vnd.klp.root+json"

struct root_role {
	char name[ROOT_TYPE_MAX + 1];
	uint8_t nkeys, threshold;
	uint8_t keys[ENV_KEYS_MAX]; /* indexes */
};

struct root_doc {
	char path[URI_MAX + 1];
	char type[ROOT_TYPE_MAX + 1]; /* klp.trust-graph, ... */
	uint8_t role;
	uint32_t max; /* bytes of its envelope */
};

struct root {
	char authority[URI_NAME_MAX + 1];
	uint32_t version, issued, expires;
	unsigned nkeys, nroles, ndocs;
	struct klp_key keys[ENV_KEYS_MAX];
	struct fp fps[ENV_KEYS_MAX];
	struct root_role roles[ROOT_ROLES_MAX];
	struct root_doc docs[ROOT_DOCS_MAX];
	/* web servers of transports; what is no usable address is left out */
	unsigned nhttps;
	char https[ROOT_HTTPS_MAX][ROOT_URL_MAX + 1];
	unsigned nrns; /* the same of the mesh: whose klp.node has them */
	struct hash16 rns[ROOT_RNS_MAX];
};

/* A payload whose signatures hold; NULL, or a literal: what is wrong. */
const char *root_parse(struct root *, const void *payload, size_t len);
const struct root_role *root_role(const struct root *, const char *name);
const struct root_doc *root_doc(const struct root *, const char *path);
/* The threshold of this role has signed it, under this type. */
bool root_signed(const struct root *, const struct root_role *,
    const struct env *, const char *type);
/* Which keys of the role have; their number, at most ENV_KEYS_MAX. */
unsigned root_signers(const struct root *, const struct root_role *,
    const struct env *, const char *type, struct klp_key *out);
/* Both have the same keys in this role, and ask for as many of them. */
bool root_role_same(const struct root *, const struct root *,
    const char *name);
/*
 * The first root: read, parsed, signed by itself. payload_id: the authority's
 * id. NULL, or a literal.
 */
const char *root_first(struct root *, struct id32 *payload_id, const void *buf,
    size_t len);
/* What follows `old`: by its threshold and by the new one's. */
const char *root_next(struct root *, const struct root *old, const void *buf,
    size_t len);
/*
 * The same in turns, since 64 keys and 16 signatures of strangers are some
 * thousand checks: begin, then step while it gives 1; 0: it is good; -1: *why.
 * Roots are borrowed to the end, which comes by root_turns_end() in any case.
 */
struct root_turns {
	const struct root *old;
	struct root *r;
	bool own; /* old's threshold has signed: its own is looked at */
	struct env e;
	struct env_check check;
	struct klp_key keys[ENV_KEYS_MAX];
};
int root_turns_begin(struct root_turns *, struct root *, const struct root *old,
    const void *buf, size_t len, const char **why);
int root_turns_step(struct root_turns *, size_t budget, const char **why);
void root_turns_end(struct root_turns *);
/* Asks whether the role's threshold has signed it: keys is the caller's. */
void root_check_begin(struct env_check *, struct klp_key keys[ENV_KEYS_MAX],
    const struct root *, const struct root_role *, const struct env *,
    const char *type);

#endif
