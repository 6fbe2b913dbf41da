/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/person.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include <rns/rns.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#include "node/config/keyset.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"

/* Makes every missing folder of a path; the last one 0700. */
static int
make_path(const char *path)
{
	char part[CLI_PATH];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return -1;
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == n ? 0700 : 0755) != 0 && errno != EEXIST)
			return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
load_pair(struct cli *c, int dir, const char *rns_name, const char *mesh_name,
    bool make, bool private, struct person *p)
{
	unsigned flags = make ? KEYSET_MAKE : 0;
	char why[KEYSET_WHY];
	uint8_t seed[32];

	randombytes_buf(seed, sizeof(seed));
	if (!secp_init(seed)) {
		cli_error(c, "out of memory");
		return CLI_FAILED;
	}
	p->secret.kind = KEY_SECP256K1;
	/*
	 * The mesh key first: where it may not be made, nothing is. Reticulum
	 * itself writes its identity readable by all, and makes a lost one.
	 */
	if (keyset_read(dir, mesh_name, p->secret.raw, 32,
		flags | KEYSET_PRIVATE, NULL, why) != 0 ||
	    keyset_read(dir, rns_name, p->rns_priv, 64,
		KEYSET_MAKE | (private ? KEYSET_PRIVATE : 0), NULL, why) != 0) {
		cli_error(c, "%s", why);
		return CLI_FAILED;
	}
	if (rns_identity_derive(p->rns_pub, &p->rns_hash, p->rns_priv) !=
		RNS_OK ||
	    !secret_public(&p->key, &p->secret)) {
		cli_error(c, "%s or %s holds no valid key", rns_name,
		    mesh_name);
		return CLI_FAILED;
	}
	key_fp(&p->fp, &p->key);
	return CLI_OK;
}

int
person_node(struct cli *c, int dir, bool make, struct person *p)
{
	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (load_pair(c, dir, KEYSET_RNS, KEYSET_MESH, make, false, p) !=
	    CLI_OK)
		return CLI_FAILED;
	(void)urn_make(p->urn, "kindai", "device", &p->fp);
	return CLI_OK;
}

bool
person_of_node(int dir, struct fp *fp, uint8_t frame[BINDING_LEN])
{
	uint8_t raw[BINDING_LEN];
	ssize_t n = file_read(dir, "warren/keys/binding", raw,
	    sizeof(raw));
	struct klp_key key;
	struct binding b;

	if (n < 0)
		return false;
	errno = 0;
	if (n != BINDING_LEN || !binding_parse(&b, raw, sizeof(raw)) ||
	    !key_set(&key, KEY_SECP256K1, b.secp, sizeof(b.secp)))
		return false;
	key_fp(fp, &key);
	if (frame != NULL)
		memcpy(frame, raw, sizeof(raw));
	return true;
}

static bool
binding_fresh(const struct person *p, const uint8_t *raw, size_t n,
    uint32_t now)
{
	struct binding b;

	return binding_parse(&b, raw, n) &&
	    binding_check(&b, p->rns_pub, now) == NULL &&
	    memcmp(b.secp, p->key.raw, 33) == 0 && now < binding_renew_at(&b);
}

static int
load_binding(struct cli *c, struct person *p)
{
	uint32_t now = (uint32_t)time(NULL);
	struct binding b = {.serial = now,
	    .not_before = now - 60,
	    .not_after = now + BINDING_LIFE};
	struct binding old;
	uint8_t aux[32];

	if (file_read(p->dir, "binding", p->binding, BINDING_LEN) ==
		BINDING_LEN) {
		if (binding_fresh(p, p->binding, BINDING_LEN, now))
			return CLI_OK;
		/* a node takes none that is older, whatever our clock says */
		if (binding_parse(&old, p->binding, BINDING_LEN) &&
		    old.serial >= b.serial)
			b.serial = old.serial + (old.serial < UINT32_MAX);
	}
	memcpy(b.secp, p->key.raw, 33);
	memcpy(b.rns, p->rns_pub, sizeof(b.rns));
	randombytes_buf(aux, sizeof(aux));
	if (!binding_sign_secp(&b, &p->secret, aux) ||
	    !binding_sign_rns(&b, p->rns_priv + 32)) {
		cli_error(c, "the binding could not be signed");
		return CLI_FAILED;
	}
	binding_put(p->binding, &b);
	if (file_replace(p->dir, "binding", p->binding, BINDING_LEN, 0600) !=
	    0) {
		cli_error(c, "binding: %s", strerror(errno));
		return CLI_FAILED;
	}
	return CLI_OK;
}

int
person_load(struct cli *c, struct person *p)
{
	char path[CLI_PATH];
	struct stat st;

	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (!cli_person_dir(c, path))
		return CLI_FAILED;
	p->dir = make_path(path);
	if (p->dir < 0 || fstat(p->dir, &st) != 0) {
		cli_error(c, "%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	if ((st.st_mode & 022) != 0) {
		cli_error(c, "%s can be written by others: chmod go-w it",
		    path);
		return CLI_FAILED;
	}
	if (load_pair(c, p->dir, "reticulum", "mesh", true, true, p) != CLI_OK)
		return CLI_FAILED;
	(void)urn_make(p->urn, "kindai", "human", &p->fp);
	return load_binding(c, p);
}

void
person_peek(struct cli *c, struct person *p)
{
	char path[CLI_PATH];

	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (cli_person_dir(c, path))
		p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void
person_own_fp(const struct person *p, char hex[2 * FP_LEN + 1])
{
	uint8_t raw[BINDING_LEN], seed[32];
	struct fp fp;
	struct binding b;
	struct klp_key key;

	hex[0] = '\0';
	randombytes_buf(seed, sizeof(seed));
	/* the binding is public: no secret is read for this */
	if (p->dir < 0 || !secp_init(seed) ||
	    file_read(p->dir, "binding", raw, sizeof(raw)) != BINDING_LEN ||
	    !binding_parse(&b, raw, sizeof(raw)) || !binding_key(&key, &b))
		return;
	key_fp(&fp, &key);
	hex_encode(hex, HASH_BYTES(fp));
}

void
person_clear(struct person *p)
{
	if (p->dir >= 0)
		(void)close(p->dir);
	p->dir = -1;
	explicit_bzero(p->rns_priv, sizeof(p->rns_priv));
	explicit_bzero(&p->secret, sizeof(p->secret));
}
