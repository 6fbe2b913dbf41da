/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/contact.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#define FOLDER "contacts"
#define NAME_MAX_LEN (sizeof(((struct remote *)0)->name) - 1)
/* a file: the binding, and behind it the name */
#define CONTACT_MAX (BINDING_LEN + NAME_MAX_LEN)

bool
contact_of(struct binding *b, const uint8_t *standalone, size_t n,
    const struct hash16 *dest)
{
	struct hash16 identity, node;

	if (!binding_parse(b, standalone, n))
		return false;
	rns_identity_hash_of(&identity, b->rns);
	return rns_dest_hash(&node, "klp.node", &identity) == RNS_OK &&
	    hash16_eq(&node, dest);
}

void
contact_keep(const struct person *p, const struct remote *r)
{
	uint8_t text[CONTACT_MAX];
	size_t n = strnlen(r->name, NAME_MAX_LEN);
	_cleanup_fd_ int dir = -1;
	struct binding b;
	char hex[33];

	if (!contact_of(&b, r->binding, BINDING_LEN, &r->dest))
		return;
	dir = dir_open(p->dir, FOLDER, true, 0700);
	if (dir < 0)
		return;
	memcpy(text, r->binding, BINDING_LEN);
	memcpy(text + BINDING_LEN, r->name, n);
	hex_encode(hex, HASH_BYTES(r->dest));
	(void)file_replace(dir, hex, text, BINDING_LEN + n, 0600);
}

bool
contact_get(const struct person *p, struct remote *r, uint32_t now)
{
	_cleanup_fd_ int dir = dir_open(p->dir, FOLDER, false, 0);
	_cleanup_free_ char *text = NULL;
	struct klp_key key;
	struct binding b;
	char hex[33];
	size_t n;

	hex_encode(hex, HASH_BYTES(r->dest));
	if (dir < 0 ||
	    (text = file_load(dir, hex, CONTACT_MAX, &n)) == NULL ||
	    n < BINDING_LEN ||
	    !contact_of(&b, (const uint8_t *)text, BINDING_LEN, &r->dest) ||
	    binding_check(&b, b.rns, now) != NULL || !binding_key(&key, &b))
		return false;
	r->key = key;
	memcpy(r->binding, text, BINDING_LEN);
	memcpy(r->rns_pub, b.rns, sizeof(r->rns_pub));
	memset(r->name, 0, sizeof(r->name));
	memcpy(r->name, text + BINDING_LEN, n - BINDING_LEN);
	key_fp(&r->fp, &key);
	(void)urn_make(r->urn, "kindai", "device", &r->fp);
	return true;
}
