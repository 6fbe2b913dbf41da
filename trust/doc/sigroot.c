/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sigroot.h"

#include <stdlib.h>
#include <string.h>

#include "trust/doc/jdoc.h"
#include "trust/doc/sigtext.h"

#define DEPTH 16
#define ROOT_TYPE "application/vnd.dev.sigstore.trustedroot"

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* ---- pieces ---- */

static bool
span(struct sigroot_span *out, const json_t *owner)
{
	const json_t *v = json_object_get(owner, "validFor");

	out->to = INT64_MAX;
	/* one that nobody says the beginning of counts for no time */
	return sigtext_time(&out->from, v, "start") &&
	    (sigtext_member(v, "end") == NULL ||
		sigtext_time(&out->to, v, "end"));
}

static bool
blob(struct sigroot_blob *out, const json_t *o, const char *name, size_t max)
{
	out->p = sigtext_bytes(o, name, max, &out->n);
	return out->p != NULL;
}

static int
read_chain(struct sigroot_chain *c, const json_t *o, const char **why)
{
	const json_t *list = json_object_get(json_object_get(o, "certChain"),
	    "certificates");
	size_t n = json_array_size(list);

	if (n < 1 || n > SIGROOT_CHAIN_MAX)
		return refuse(why, "a certChain has 1 to 6 certificates");
	if (!span(&c->valid, o))
		return refuse(why, "validFor of a chain");
	for (; c->n < n; c->n++)
		if (!blob(&c->cert[c->n], json_array_get(list, c->n),
			"rawBytes", SIGROOT_CERT_MAX))
			return refuse(why, "a certificate is no base64");
	return 0;
}

static int
read_key(struct sigroot_key *k, const json_t *o, const char **why)
{
	const json_t *key = json_object_get(o, "publicKey");
	const json_t *id = json_object_get(o, "logId");
	uint8_t *p;
	size_t n;

	if (!span(&k->valid, key))
		return refuse(why, "validFor of a log's key");
	if ((p = sigtext_bytes(id, "keyId", sizeof(k->id), &n)) == NULL ||
	    n != sizeof(k->id)) {
		free(p);
		return refuse(why, "logId of a log");
	}
	memcpy(k->id.b, p, n);
	free(p);
	return blob(&k->der, key, "rawBytes", SIGROOT_KEY_MAX) ? 0 :
	    refuse(why, "a log's key is no base64");
}

/* ---- the file ---- */

static int
read_chains(struct sigroot_chain *out, unsigned *n, const json_t *list,
    const char **why)
{
	if (json_array_size(list) > SIGROOT_EACH)
		return refuse(why, "more than 32 of a kind");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (read_chain(&out[(*n)++], json_array_get(list, i), why) < 0)
			return -1;
	return 0;
}

static int
read_keys(struct sigroot_key *out, unsigned *n, const json_t *list,
    const char **why)
{
	if (json_array_size(list) > SIGROOT_EACH)
		return refuse(why, "more than 32 of a kind");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (read_key(&out[(*n)++], json_array_get(list, i), why) < 0)
			return -1;
	return 0;
}

static int
read_root(struct sigroot *r, const json_t *o, const char **why)
{
	const char *type;
	size_t n;

	if (!jdoc_text(o, "mediaType", &type, &n) ||
	    strncmp(type, ROOT_TYPE, strlen(ROOT_TYPE)) != 0)
		return refuse(why, "mediaType is not a trusted root's");
	if (read_chains(r->ca, &r->nca, json_object_get(o,
		"certificateAuthorities"), why) < 0 ||
	    read_chains(r->tsa, &r->ntsa, json_object_get(o,
		"timestampAuthorities"), why) < 0 ||
	    read_keys(r->ct, &r->nct, json_object_get(o, "ctlogs"), why) < 0 ||
	    read_keys(r->log, &r->nlog, json_object_get(o, "tlogs"), why) < 0)
		return -1;
	if (r->nca == 0 || r->nct == 0 || r->nlog == 0)
		return refuse(why, "certificateAuthorities, ctlogs and tlogs "
		    "are wanted, one of each at least");
	return 0;
}

struct sigroot *
sigroot_parse(const char *text, size_t len, const char **why)
{
	json_t *o = jdoc_parse_any(text, len, SIGROOT_TEXT_MAX, DEPTH, why);
	struct sigroot *r;

	if (o == NULL)
		return NULL;
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		*why = "no memory";
	} else if (read_root(r, o, why) < 0) {
		sigroot_free(r);
		r = NULL;
	}
	json_decref(o);
	return r;
}

static void
free_chain(struct sigroot_chain *c)
{
	for (unsigned i = 0; i < SIGROOT_CHAIN_MAX; i++)
		free(c->cert[i].p);
}

void
sigroot_free(struct sigroot *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < SIGROOT_EACH; i++) {
		free_chain(&r->ca[i]);
		free_chain(&r->tsa[i]);
		free(r->ct[i].der.p);
		free(r->log[i].der.p);
	}
	free(r);
}

bool
sigroot_in(const struct sigroot_span *s, int64_t when)
{
	return when >= s->from && when <= s->to;
}

bool
sigroot_counts(const struct sigroot_key *list, unsigned n,
    const struct sigroot_key *k, int64_t when)
{
	for (unsigned i = 0; i < n; i++)
		if (id32_eq(&list[i].id, &k->id) &&
		    list[i].der.n == k->der.n &&
		    memcmp(list[i].der.p, k->der.p, k->der.n) == 0 &&
		    sigroot_in(&list[i].valid, when))
			return true;
	return false;
}

const struct sigroot_key *
sigroot_key(const struct sigroot_key *k, unsigned n, const uint8_t *id,
    size_t len)
{
	for (unsigned i = 0; i < n && len == sizeof(k->id); i++)
		if (memcmp(k[i].id.b, id, len) == 0)
			return &k[i];
	return NULL;
}
