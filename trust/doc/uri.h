/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_URI_H
#define WARREN_TRUST_DOC_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * klp:// (klp.md 1.1). Pure, and nothing is looked up: an authority is known by
 * its pinned root alone.
 */
#define URI_MAX 512
#define URI_NAME_MAX 253
#define URI_SELF_LEN 54 /* "x-" and the base32 of 32 bytes */

enum uri_select { URI_NEWEST, URI_VERSION, URI_SHA256 };

struct klp_uri {
	char authority[URI_NAME_MAX + 1]; /* in lower case */
	bool self;	  /* x-: root is the authority's id */
	struct id32 root;
	char path[URI_MAX + 1];
	enum uri_select select;
	uint64_t version;
	struct id32 sha256;
	char pointer[URI_MAX + 1]; /* "": the whole document */
};

/* false: not of the form; *out is undefined then. */
bool uri_parse(struct klp_uri *out, const char *text, size_t len);
/* An authority alone, as it stands in lower case; self and root are set. */
bool uri_authority(struct klp_uri *out, const char *text, size_t len);
/* A path alone. */
bool uri_path_ok(const char *path, size_t len);
/* "x-" and base32: the name that an authority has from its root. */
void uri_self(char out[URI_SELF_LEN + 1], const struct id32 *root);

#endif
