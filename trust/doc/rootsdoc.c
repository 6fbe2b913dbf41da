/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/rootsdoc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "trust/doc/jdoc.h"

#define DEPTH 16

static bool
bad(char why[SIGROOT_WHY_MAX], const char *text)
{
	(void)snprintf(why, SIGROOT_WHY_MAX, "%s", text);
	return false;
}

/* What it names in crit must be known here. */
static const char *const known[] = {"_type", "uri", "version", "issued",
    "expires", "trusted_root", "crit"};

static bool
read_head(struct rootsdoc *d, const json_t *o, char why[SIGROOT_WHY_MAX])
{
	uint64_t version, issued, expires;
	const char *s;
	size_t n;

	if (!jdoc_text(o, "_type", &s, &n) || n != strlen(ROOTSDOC_TYPE) ||
	    memcmp(s, ROOTSDOC_TYPE, n) != 0)
		return bad(why, "no roots of sigstore: its _type is another");
	if (!jdoc_crit(o, known, NELEM(known)))
		return bad(why, "crit: names what is not known here");
	if (!jdoc_text(o, "uri", &s, &n) || n > URI_MAX ||
	    memchr(s, '\0', n) != NULL)
		return bad(why, "uri");
	memcpy(d->uri, s, n);
	if (!jdoc_uint(o, "version", UINT32_MAX, &version) ||
	    !jdoc_uint(o, "issued", UINT32_MAX, &issued) ||
	    !jdoc_uint(o, "expires", UINT32_MAX, &expires))
		return bad(why, "version, issued or expires");
	d->version = (uint32_t)version;
	d->issued = (uint32_t)issued;
	d->expires = (uint32_t)expires;
	return true;
}

/* It is read as the operator's file is, from its text. */
static bool
read_roots(struct rootsdoc *d, const json_t *o, char why[SIGROOT_WHY_MAX])
{
	const json_t *root = json_object_get(o, "trusted_root");
	struct sigroot *r;

	if (!json_is_object(root))
		return bad(why, "trusted_root: no object");
	d->text = jdoc_canonical(root, &d->len);
	if (d->text == NULL)
		return bad(why, "no memory");
	if ((r = sigroot_parse(d->text, d->len, why)) == NULL)
		return false;
	sigroot_free(r);
	return true;
}

bool
rootsdoc_parse(struct rootsdoc *d, const void *payload, size_t len,
    char why[SIGROOT_WHY_MAX])
{
	const char *text = "";
	json_t *o;
	bool ok;

	memset(d, 0, sizeof(*d));
	o = jdoc_parse_canonical(payload, len, ROOTSDOC_PAYLOAD, &text);
	if (o == NULL)
		return bad(why, text);
	ok = read_head(d, o, why) && read_roots(d, o, why);
	json_decref(o);
	if (!ok)
		rootsdoc_clear(d);
	return ok;
}

void
rootsdoc_clear(struct rootsdoc *d)
{
	free(d->text);
	memset(d, 0, sizeof(*d));
}

/* ---- made ---- */

char *
rootsdoc_make(const char *text, size_t len, const char *uri, uint32_t version,
    uint32_t issued, uint32_t expires, size_t *out_len,
    char why[SIGROOT_WHY_MAX])
{
	const char *wrong = "no memory";
	json_t *root = jdoc_parse(text, len, SIGROOT_TEXT_MAX, &wrong), *o;
	struct rootsdoc d;
	char *out;

	if (root == NULL) {
		(void)bad(why, wrong);
		return NULL;
	}
	o = json_pack("{s:s,s:s,s:I,s:I,s:I,s:o}", "_type", ROOTSDOC_TYPE,
	    "uri", uri, "version", (json_int_t)version, "issued",
	    (json_int_t)issued, "expires", (json_int_t)expires,
	    "trusted_root", root);
	out = o == NULL ? NULL : jdoc_canonical(o, out_len);
	json_decref(o);
	if (out == NULL) {
		(void)bad(why, "it has no canonical form");
		return NULL;
	}
	/* as a node will read it */
	if (rootsdoc_parse(&d, out, *out_len, why)) {
		rootsdoc_clear(&d);
		return out;
	}
	free(out);
	return NULL;
}

bool
rootsdoc_bare(const char *text, size_t len)
{
	static const char mark[] = "application/vnd.dev.sigstore.trustedroot";
	const char *why = "", *s;
	json_t *o = jdoc_parse_any(text, len, SIGROOT_TEXT_MAX, DEPTH, &why);
	size_t n;
	bool is = o != NULL && jdoc_text(o, "mediaType", &s, &n) &&
	    n >= strlen(mark) && memcmp(s, mark, strlen(mark)) == 0;

	json_decref(o);
	return is;
}
