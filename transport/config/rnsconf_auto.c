/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <nettle/sha2.h>
#include <string.h>

/* AutoInterface: reticulum-transport.md 10.1 */

/* unicast discovery has the port behind discovery_port */
#define DISCOVERY_PORT 1, 65534

static const struct knob knobs[] = {
	{"group_id", K_TEXT, FIELD(rnsconf_if, group_id), 0, 0},
	{"discovery_port", K_INT, FIELD(rnsconf_if, discovery_port),
	    DISCOVERY_PORT},
	{"data_port", K_INT, FIELD(rnsconf_if, data_port), PORT},
};

static const struct word {
	const char *text;
	int value;
} scopes[] = {
	{"link", RNSCONF_SCOPE_LINK}, {"admin", RNSCONF_SCOPE_ADMIN},
	{"site", RNSCONF_SCOPE_SITE},
	{"organisation", RNSCONF_SCOPE_ORGANISATION},
	{"global", RNSCONF_SCOPE_GLOBAL},
}, kinds[] = {
	{"temporary", false}, {"permanent", true},
};

/* One of a few words, in any case; unknown ones mean the first. */
static int
read_word(struct reader *r, const char *key, const struct word *words,
    size_t n, const char *hint)
{
	const char *v;

	if (conf_get_text(&r->v, key, &v) <= 0 || *v == '\0')
		return words[0].value;
	for (size_t k = 0; k < n; k++)
		if (strcasecmp(v, words[k].text) == 0)
			return words[k].value;
	rnsconf_note(r, conf_line(&r->v, key), hint, "%s: unknown %s "
	    "\"%.60s\", %s is used", r->where, key, v, words[0].text);
	return words[0].value;
}

void
rnsconf_read_auto(struct reader *r, struct rnsconf_if *i)
{
	i->group_id = "reticulum";
	i->discovery_port = 29716;
	i->data_port = 42671;
	rnsconf_knobs(r, knobs, NELEM(knobs), i);
	i->scope = (enum rnsconf_scope)read_word(r, "discovery_scope", scopes,
	    NELEM(scopes), "link, admin, site, organisation or global");
	i->permanent = read_word(r, "multicast_address_type", kinds,
	    NELEM(kinds), "temporary or permanent") != 0;
	i->devices = rnsconf_list(r, "devices", &i->ndevices);
	i->ignored = rnsconf_list(r, "ignored_devices", &i->nignored);
	if (i->data_port == i->discovery_port ||
	    i->data_port == i->discovery_port + 1)
		mistake_add(r->v.m, conf_line(&r->v, "data_port"), 1,
		    "choose another: discovery takes discovery_port and the "
		    "one behind it", "%s: data_port %u is one of discovery's",
		    r->where, i->data_port);
}

void
rnsconf_auto_group(const struct rnsconf_if *i, uint8_t out[16])
{
	uint8_t g[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, strlen(i->group_id), (const uint8_t *)i->group_id);
	sha256_digest(&ctx, sizeof(g), g);
	memset(out, 0, 16);
	out[0] = 0xff;
	out[1] = (uint8_t)((i->permanent ? 0 : 0x10) | (unsigned)i->scope);
	memcpy(out + 4, g + 2, 12);
}
