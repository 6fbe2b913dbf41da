/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_ATTESTCONF_H
#define WARREN_NODE_CONFIG_ATTESTCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/ydoc.h"
#include "trust/doc/pemkey.h"

/*
 * `image_policy` of node.yaml: which images run only when somebody has signed
 * for them (klp.md 9). Trust finds out which rules hold for which image; node
 * knows an image's names, and so which rules are about it.
 */
#define ATTEST_RULES_MAX 16
#define ATTEST_SIGNERS_MAX 32 /* of all rules together */
#define ATTEST_WANTS_MAX 8    /* predicates of a rule */
#define ATTEST_WHERE_MAX 8

#define ATTEST_VERIFIERS_MAX 4
#define ATTEST_ROOTS_MAX 8    /* files and documents of roots */
#define ATTEST_ROOTS_NAME 100 /* bytes of a file's name */
#define ATTEST_ROOTS_DIR "roots" /* where they lie, below klp/ */

struct attest_signer {
	/* of a kind that a build without libcrypto cannot check, in the third */
	struct pemkey key;
	/* in its place: those who hold a role; NULL: a key */
	const char *authority, *role;
	/*
	 * or whom a certificate names, as the file of roots has it that he had
	 * logged in: issuer as it is, subject a pattern; issuer NULL: a key,
	 * whose signatures must be in a log of the roots unless they are NULL.
	 * For roots a document of an authority will do, klp://
	 */
	const char *roots, *issuer, *subject;
	/*
	 * or whom a program of the operator names (tier C), when the subject is
	 * NULL or a pattern that fits; NULL: a key
	 */
	const char *verifier;
};

struct attest_want {
	const char *type; /* of a predicate */
	unsigned nwhere;
	struct {
		const char *path, *pattern;
	} where[ATTEST_WHERE_MAX];
};

struct attest_rule {
	const char *image; /* pattern of names */
	unsigned first, nsigners; /* of attest_conf.signer */
	unsigned nwants;
	struct attest_want want[ATTEST_WANTS_MAX];
};

struct attest_conf {
	struct attest_rule *rule; /* nrules of them; NULL: no policy */
	struct attest_signer *signer;
	unsigned nrules, nsigners;
	/*
	 * Of the text of all of it: what trust says of the rules of another
	 * node.yaml means nothing. 0: no policy.
	 */
	uint64_t serial;
};

void attest_conf_read(struct attest_conf *, const struct ynode *list,
    struct mistakes *);
/* The i-th of the roots that are named, each once; NULL: no more. */
const char *attest_conf_roots(const struct attest_conf *, unsigned i);
/* Is it a document, and not a file? */
bool attest_conf_is_document(const char *roots);
/* The same of programs that verify. */
const char *attest_conf_verifier(const struct attest_conf *, unsigned i);
/* Are both the same key, whose signatures the same logs must have? */
bool attest_conf_same_key(const struct attest_signer *,
    const struct attest_signer *);
void attest_conf_free(struct attest_conf *);
/* The rules, a bit each, that are about an image of this name. */
uint32_t attest_conf_about(const struct attest_conf *, const char *name);
uint32_t attest_conf_all(const struct attest_conf *);
/* Why the i-th rule can never hold in this build; NULL: it can. */
const char *attest_conf_unsupported(const struct attest_conf *, unsigned i);

#endif
