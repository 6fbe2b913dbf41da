#define _GNU_SOURCE
#include "parent.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"
#include "trust/keytext.h"
#include "trust/secp.h"

#define BINDING_LEN 242 /* compute.md 9 */

/* Exactly len bytes of a file. 0; -1 errno (EINVAL: another length). */
static int
read_exact(const struct parent *p, int at, const char *name, uint8_t *out,
    size_t len)
{
	size_t n;
	char *text = dirs_read(p, at, name, 4096, &n);

	if (text == NULL)
		return -1;
	if (n == len)
		memcpy(out, text, len);
	sodium_memzero(text, n);
	free(text);
	if (n == len)
		return 0;
	errno = EINVAL;
	return -1;
}

int
keyfiles_identity(struct parent *p)
{
	uint8_t id[64], seed_secret[crypto_sign_SECRETKEYBYTES];
	int r = read_exact(p, p->storage, "transport_identity", id, sizeof(id));

	if (r < 0 && errno != ENOENT) {
		log_err(p->path, "storage/transport_identity");
		return -1;
	}
	if (r < 0) {
		randombytes_buf(id, sizeof(id));
		if (dirs_write(p->storage, "transport_identity", id,
			sizeof(id)) < 0 ||
		    (p->root && fchownat(p->storage, "transport_identity",
			p->base + 1, p->base + 1, AT_SYMLINK_NOFOLLOW) < 0)) {
			log_err(p->path, "storage/transport_identity");
			return -1;
		}
		log_notice(NULL, "a new Reticulum identity was made");
	}
	r = crypto_scalarmult_base(p->rns_public, id);
	if (r == 0)
		r = crypto_sign_seed_keypair(
		    p->rns_public + 32, seed_secret, id + 32);
	sodium_memzero(id, sizeof(id));
	sodium_memzero(seed_secret, sizeof(seed_secret));
	if (r < 0) {
		log_errx(p->path, "storage/transport_identity holds no key");
		return -1;
	}
	rns_hash_of(p->identity_hash, p->rns_public);
	return 0;
}

/* 1: a key; 0: no file; -1: said. */
static int
mesh_key(struct parent *p, struct klp_secret *secret, struct klp_key *public)
{
	*secret = (struct klp_secret){.kind = KEY_SECP256K1};
	if (read_exact(p, p->keys, "mesh", secret->raw, 32) < 0) {
		if (errno == ENOENT)
			return 0;
		log_err(p->path, "warren/keys/mesh");
		return -1;
	}
	if (secret_public(public, secret))
		return 1;
	log_errx(p->path, "warren/keys/mesh is no secp256k1 key");
	return -1;
}

static int
mesh_make(struct parent *p, struct klp_secret *secret, struct klp_key *public)
{
	do
		randombytes_buf(secret->raw, sizeof(secret->raw));
	while (!secret_public(public, secret));
	if (dirs_write(p->keys, "mesh", secret->raw, 32) == 0)
		return 0;
	log_err(p->path, "warren/keys/mesh");
	return -1;
}

/* No mesh_identity: say which line is missing; compute stays off. */
static int
say_identity(struct parent *p, struct klp_secret *secret,
    struct klp_key *public, int have)
{
	char text[KEY_TEXT_MAX];

	if (have == 0 && mesh_make(p, secret, public) < 0)
		return -1;
	key_text(text, public);
	log_warnx(NULL, "compute stays off: node.yaml has no mesh_identity. "
			"Add this line to %s/node.yaml and start again:",
	    p->path);
	log_warnx(NULL, "mesh_identity: %s", text);
	p->compute = false;
	return 0;
}

static int
audit_key(struct parent *p)
{
	uint8_t seed[32];
	int r = read_exact(p, p->keys, "audit", seed, sizeof(seed));

	if (r < 0 && errno == ENOENT) {
		randombytes_buf(seed, sizeof(seed));
		r = dirs_write(p->keys, "audit", seed, sizeof(seed));
	}
	sodium_memzero(seed, sizeof(seed));
	if (r < 0)
		log_err(p->path, "warren/keys/audit");
	return r;
}

int
keyfiles_check(struct parent *p)
{
	struct klp_secret secret;
	struct klp_key public;
	int r;

	p->compute = p->node->accept;
	if (!p->compute && !p->node->has_identity)
		return 0;
	r = mesh_key(p, &secret, &public);
	if (r >= 0 && !p->node->has_identity) {
		r = say_identity(p, &secret, &public, r);
	} else if (r == 0) {
		log_errx(p->path, "node.yaml has a mesh_identity, but its "
				  "private key, warren/keys/mesh, is not here");
		r = -1;
	} else if (r > 0 && !key_equal(&public, &p->node->identity)) {
		log_errx(p->path, "mesh_identity of node.yaml is not the key "
				  "of warren/keys/mesh");
		r = -1;
	}
	sodium_memzero(&secret, sizeof(secret));
	if (r < 0)
		return -1;
	key_fp(p->mesh_fp, &public);
	return p->compute ? audit_key(p) : 0;
}

int
keyfiles_read(struct parent *p, struct msg_KEY_MATERIAL *m)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->rns_public, p->rns_public, sizeof(m->rns_public));
	if (read_exact(p, p->keys, "mesh", m->mesh, 32) < 0 ||
	    read_exact(p, p->keys, "audit", m->audit, 32) < 0) {
		log_err(p->path, "warren/keys");
		return -1;
	}
	if (read_exact(p, p->keys, "binding", m->binding, BINDING_LEN) == 0)
		m->binding_len = BINDING_LEN;
	else if (errno != ENOENT)
		log_warn(p->path, "warren/keys/binding: a new one is made");
	return 0;
}

void
keyfiles_binding(struct parent *p, const struct msg_BINDING_MADE *m)
{
	if (dirs_write(p->keys, "binding", m->binding, BINDING_LEN) < 0)
		log_err(p->path, "warren/keys/binding");
	else
		log_info(NULL, "a new binding was written");
}
