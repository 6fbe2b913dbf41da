/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/hubconf.h"

#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/util.h"
#include "common/weburl.h"
#include "trust/doc/keytext.h"

#define PIN "sha256//"
#define PATH_LEN 1024

static const char *const keys[] = {"url", "ca", "pin", "token_file", "cert",
    "key", "min_severity", "batch_events", "batch_bytes", "accept",
    "dir", "keep"};

void
hub_defaults(struct hub_conf *h)
{
	*h = (struct hub_conf){.min_severity = 1,
	    .batch_events = HUB_BATCH_EVENTS, .batch_bytes = HUB_BATCH_BYTES,
	    .keep = HUB_KEEP};
}

const char *
hub_pin_wrong(const char *s)
{
	uint8_t raw[33];
	size_t n = 0;

	if (strncmp(s, PIN, sizeof(PIN) - 1) != 0)
		return "does not begin with sha256//";
	s += sizeof(PIN) - 1;
	if (!b64_get(raw, sizeof(raw), s, strlen(s), &n,
		sodium_base64_VARIANT_ORIGINAL) || n != 32)
		return "is no base64 of 32 bytes";
	return NULL;
}

static void
read_url(struct hub_conf *h, const struct ynode *n, struct mistakes *m)
{
	const char *s, *why;
	struct weburl u;

	if (!ynode_text(n, "hub", 1, WEBURL_MAX, &s, m))
		return;
	if (hex_decode(HASH_BYTES(h->identity), s, n->len)) {
		h->mesh = true;
		return;
	}
	if ((why = weburl_parse(&u, s)) == NULL)
		h->url = s;
	else
		mistake_add(m, n->line, n->column, "https://HOST/PATH, or the "
		    "32 hex digits of a node's Reticulum identity",
		    "hub \"%.80s\" is not usable: %s", s, why);
}

static void
read_pin(struct hub_conf *h, const struct ynode *n, struct mistakes *m)
{
	const char *s, *why;

	if (!ynode_text(n, "hub.pin", 1, 200, &s, m))
		return;
	if ((why = hub_pin_wrong(s)) == NULL)
		h->pin = s;
	else
		mistake_add(m, n->line, n->column, "as in sha256//AAAA...=, "
		    "of the public key: warren.yaml(5) has the command",
		    "hub.pin \"%.80s\" %s", s, why);
}

/* Files and pins are for TLS, and a certificate has its key. */
static void
check(const struct hub_conf *h, const struct ynode *map, struct mistakes *m)
{
	static const char *const web[] = {"ca", "pin", "token_file", "cert",
	    "key"};
	static const char *const hub[] = {"dir", "keep"};
	const struct ynode *cert = ynode_get(map, "cert");
	const struct ynode *key = ynode_get(map, "key");

	if (ynode_get(map, "url") == NULL && ynode_get(map, "accept") == NULL) {
		mistake_add(m, map->line, map->column, "url: https://HOST/PATH",
		    "hub needs its url");
		return;
	}
	for (size_t i = 0; i < NELEM(hub); i++) {
		const struct ynode *n = ynode_get(map, hub[i]);

		if (!ynode_null(n) && ynode_get(map, "accept") == NULL)
			mistake_add(m, n->key_line, n->key_column, "accept: "
			    "[NODE, ...], or leave it out", "hub.%s is for "
			    "what hub.accept lets be kept here", hub[i]);
	}
	if (ynode_null(cert) != ynode_null(key))
		mistake_add(m, map->line, map->column, "both, PEM: who this "
		    "node is to the hub", "hub.%s is there without hub.%s",
		    ynode_null(cert) ? "key" : "cert",
		    ynode_null(cert) ? "cert" : "key");
	for (size_t i = 0; h->mesh && i < NELEM(web); i++) {
		const struct ynode *n = ynode_get(map, web[i]);

		if (!ynode_null(n))
			mistake_add(m, n->key_line, n->key_column, "leave it "
			    "out", "hub.%s is for a hub with https://",
			    web[i]);
	}
}

/* Whose events are kept here. */
static void
read_accept(struct hub_conf *h, const struct ynode *list, struct mistakes *m)
{
	if (!ynode_is_list(list, "hub.accept", m))
		return;
	for (const struct ynode *n = list->first; n != NULL; n = n->next) {
		struct hub_peer *p = &h->accept[h->naccept];
		const char *s;

		if (!ynode_text(n, "a node", 1, 200, &s, m))
			continue;
		if (h->naccept == HUB_PEERS_MAX) {
			mistake_add(m, n->line, n->column, NULL,
			    "hub.accept has more than %d entries",
			    HUB_PEERS_MAX);
			return;
		}
		p->by_rns = hex_decode(p->id.b, RNS_HASH_LEN, s, n->len);
		if (p->by_rns || ident_parse(&p->id, s, n->len))
			h->naccept++;
		else
			mistake_add(m, n->line, n->column, "a urn:klp:, a key, "
			    "or a Reticulum identity hash",
			    "hub.accept: \"%.80s\" names nobody", s);
	}
}

static void
read_file(const struct ynode *map, const char *key, const char *what,
    const char **out, struct mistakes *m)
{
	const struct ynode *n = ynode_get(map, key);

	if (!ynode_null(n))
		(void)ynode_text(n, what, 1, PATH_LEN, out, m);
}

void
hub_read(struct hub_conf *h, const struct ynode *map, struct mistakes *m)
{
	const struct ynode *n;
	int64_t v;

	if (ynode_null(map))
		return;
	if (map->kind == YNODE_SCALAR) {
		read_url(h, map, m);
		return;
	}
	if (!ynode_is_map(map, "hub", m))
		return;
	(void)ynode_known(map, keys, NELEM(keys), m);
	if (!ynode_null(n = ynode_get(map, "url")))
		read_url(h, n, m);
	if (!ynode_null(n = ynode_get(map, "pin")))
		read_pin(h, n, m);
	read_file(map, "ca", "hub.ca", &h->ca, m);
	read_file(map, "token_file", "hub.token_file", &h->token_file, m);
	read_file(map, "cert", "hub.cert", &h->cert, m);
	read_file(map, "key", "hub.key", &h->key, m);
	if ((n = ynode_get(map, "min_severity")) != NULL &&
	    ynode_int(n, "hub.min_severity", 1, HUB_SEVERITY_MAX, &v, m))
		h->min_severity = (uint32_t)v;
	if ((n = ynode_get(map, "batch_events")) != NULL &&
	    ynode_int(n, "hub.batch_events", 1, HUB_BATCH_EVENTS, &v, m))
		h->batch_events = (uint32_t)v;
	if ((n = ynode_get(map, "batch_bytes")) != NULL) {
		uint64_t bytes;

		if (!ynode_size(n, "hub.batch_bytes", HUB_BATCH_LEAST,
			HUB_BATCH_BYTES, &bytes, m))
			return;
		h->batch_bytes = bytes;
	}
	if (!ynode_null(n = ynode_get(map, "accept")))
		read_accept(h, n, m);
	read_file(map, "dir", "hub.dir", &h->dir, m);
	if (!ynode_null(n = ynode_get(map, "keep")))
		(void)ynode_size(n, "hub.keep", HUB_KEEP_LEAST, HUB_KEEP_MOST,
		    &h->keep, m);
	check(h, map, m);
}
