/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/keyfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/ipc.h"
#include "common/log.h"
#include "node/check/netident.h"
#include "node/config/keyset.h"
#include "trust/doc/binding.h"
#include "trust/doc/keytext.h"
#include "trust/doc/note_read.h"
#include "trust/doc/secp.h"
#include "node/parent/dirs.h"
#include "node/parent/intact.h"
#include "node/parent/parent.h"

#define IDENTITY "transport_identity" /* of storage, which may be a link */
#define MADE "made_here" /* of keys */

/*
 * A secret of ours, beneath a folder; -1 with errno, said unless it is only not
 * there.
 */
static int
secret(struct parent *p, int dir, const char *path, uint8_t *out, size_t n,
    bool make, bool *made)
{
	char why[KEYSET_WHY];
	int error;

	if (keyset_read(dir, path, out, n, make ? KEYSET_MAKE : 0, made,
		why) == 0)
		return 0;
	error = errno;
	if (make || error != ENOENT)
		log_errx(p->path, "%s%s", why, make && error == EINVAL &&
		    (strcmp(path, KEYSET_MESH) == 0 || strcmp(path, IDENTITY)
		    == 0) ? "; or move it away, and this becomes another node" :
		    "");
	errno = error;
	return -1;
}

/*
 * Which identity was made here, so that the purge of a package can tell it from
 * one that was brought: the line of sha256sum(1), without the name.
 */
static void
made_here(struct parent *p, const uint8_t *id, size_t n)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char text[sizeof(hash) * 2 + 1];

	(void)crypto_hash_sha256(hash, id, n);
	(void)sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
	text[sizeof(text) - 1] = '\n';
	if (file_replace(p->keys, MADE, text, sizeof(text), 0600) < 0)
		log_warn(p->path, "warren/keys/" MADE);
}

int
keyfiles_identity(struct parent *p)
{
	uint8_t id[64], expanded[crypto_sign_SECRETKEYBYTES];
	bool made;
	int r = secret(p, p->storage, IDENTITY, id, sizeof(id), true, &made);

	if (r < 0)
		return -1;
	if (made) {
		log_notice(NULL, "a new Reticulum identity was made");
		made_here(p, id, sizeof(id));
	}
	if (p->root && fchownat(p->storage, IDENTITY, p->base + 1,
			   p->base + 1, AT_SYMLINK_NOFOLLOW) < 0)
		log_warn(p->path, KEYSET_RNS);
	r = crypto_scalarmult_base(p->rns_public, id);
	if (r == 0)
		r = crypto_sign_seed_keypair(
		    p->rns_public + 32, expanded, id + 32);
	explicit_bzero(id, sizeof(id));
	explicit_bzero(expanded, sizeof(expanded));
	if (r < 0) {
		log_errx(p->path, KEYSET_RNS ": no key");
		return -1;
	}
	rns_hash_of(&p->identity_hash, p->rns_public);
	return 0;
}

int
keyfiles_network(struct parent *p)
{
	char path[PATH_MAX], why[KEYSET_WHY];
	size_t own = strlen(p->path);
	uint8_t id[64];
	bool made;
	int r, top;

	if (p->rns->network_identity == NULL)
		return 0;
	if (netident_path(p->rns, p->path, path, sizeof(path)) < 0 ||
	    path[0] != '/') {
		log_errx("config", "network_identity is no path that can be "
		    "used: write an absolute one");
		return -1;
	}
	if (strncmp(path, p->path, own) == 0 && path[own] == '/')
		r = keyset_read(p->dir, path + own + 1, id, sizeof(id),
		    KEYSET_MAKE, &made, why);
	else if ((top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	else {
		r = keyset_read(top, path + 1, id, sizeof(id), KEYSET_MAKE,
		    &made, why);
		(void)close(top);
	}
	if (r < 0) {
		log_errx(p->path, "network_identity: %s", why);
		return -1;
	}
	if (made)
		log_notice(path, "a new network identity was made");
	p->fd_network = memfd_sealed("network identity", id, sizeof(id));
	explicit_bzero(id, sizeof(id));
	return p->fd_network < 0 ? -1 : 0;
}

/* 1: a key; 0: no file; -1: said. */
static int
mesh_key(struct parent *p, struct klp_secret *mesh, struct klp_key *public,
    bool make)
{
	*mesh = (struct klp_secret){.kind = KEY_SECP256K1};
	if (secret(p, p->dir, KEYSET_MESH, mesh->raw, 32, make, NULL) < 0)
		return errno == ENOENT ? 0 : -1;
	if (secret_public(public, mesh))
		return 1;
	log_errx(p->path, KEYSET_MESH ": no secp256k1 key");
	return -1;
}

/* No mesh_identity: say which line is missing; compute stays off. */
static void
say_identity(struct parent *p, const struct klp_key *public)
{
	char text[KEY_TEXT_MAX];

	key_text(text, public);
	log_warnx(NULL, "compute stays off: node.yaml has no mesh_identity. "
			"Add this line to %s/node.yaml and start again:",
	    p->path);
	log_warnx(NULL, "mesh_identity: %s", text);
	p->compute = false;
}

int
keyfiles_check(struct parent *p)
{
	struct klp_secret mesh;
	struct klp_key public;
	uint8_t seed[32];
	bool has = p->node->has_identity;
	int r;

	p->compute = p->node->accept;
	if (!p->compute && !has)
		return 0;
	r = mesh_key(p, &mesh, &public, !has);
	explicit_bzero(&mesh, sizeof(mesh));
	if (r < 0)
		return -1;
	if (r == 0) {
		log_errx(p->path, "node.yaml has a mesh_identity, but its "
				  "private key, " KEYSET_MESH ", is not here");
		return -1;
	}
	if (has && !key_equal(&public, &p->node->identity)) {
		log_errx(p->path, "mesh_identity of node.yaml is not the key "
				  "of " KEYSET_MESH);
		return -1;
	}
	key_fp(&p->mesh_fp, &public);
	if (!has)
		say_identity(p, &public);
	if (!p->compute)
		return 0;
	r = secret(p, p->dir, KEYSET_AUDIT, seed, sizeof(seed), true, NULL);
	explicit_bzero(seed, sizeof(seed));
	return r;
}

/* The checkpoint that keys signed last, so that the next one is larger. */
static void
checkpoint_read(struct parent *p, struct msg_KEY_MATERIAL *m)
{
	struct note n;
	size_t len;
	char *text = dirs_read(p, p->keys, KEYSET_CHECKPOINT, NOTE_MAX, &len);

	if (text != NULL && note_parse(&n, text, len)) {
		m->size = n.size;
		m->root = n.root;
		memcpy(m->sig, n.sig, sizeof(m->sig));
		intact_keep(p, "warren/keys/" KEYSET_CHECKPOINT, text, len);
	} else if (text != NULL || errno != ENOENT) {
		log_warnx(p->path, "warren/keys/" KEYSET_CHECKPOINT " is none: "
		    "lines of the trail that are gone would not be noticed");
	}
	free(text);
}

int
keyfiles_read(struct parent *p, struct msg_KEY_MATERIAL *m)
{
	size_t n;
	char *binding;

	memset(m, 0, sizeof(*m));
	memcpy(m->rns_public, p->rns_public, sizeof(m->rns_public));
	if (secret(p, p->dir, KEYSET_MESH, m->mesh, 32, false, NULL) < 0 ||
	    secret(p, p->dir, KEYSET_AUDIT, m->audit, 32, false, NULL) < 0) {
		log_err(p->path, "warren/keys");
		return -1;
	}
	binding = dirs_read(p, p->keys, "binding", BINDING_LEN, &n);
	if (binding != NULL && n == BINDING_LEN) {
		memcpy(m->binding, binding, BINDING_LEN);
		m->binding_len = BINDING_LEN;
		intact_keep(p, "warren/keys/binding", binding, BINDING_LEN);
	} else if (binding != NULL || errno != ENOENT) {
		log_warnx(p->path, "warren/keys/binding is none: a new one is "
				   "made");
	}
	free(binding);
	checkpoint_read(p, m);
	return 0;
}

void
keyfiles_binding(struct parent *p, const struct msg_BINDING_MADE *m)
{
	if (file_replace(p->keys, "binding", m->binding, BINDING_LEN, 0600) < 0)
		log_err(p->path, "warren/keys/binding");
	else
		log_info(NULL, "a new binding was written");
	intact_keep(p, "warren/keys/binding", m->binding, BINDING_LEN);
}

void
keyfiles_checkpoint(struct parent *p, const struct msg_CHECKPOINT *m)
{
	struct note n = {.fp = p->mesh_fp, .size = m->size, .root = m->root};
	char text[NOTE_MAX];
	size_t len;

	memcpy(n.sig, m->sig, sizeof(n.sig));
	note_set_key(&n, m->key);
	len = note_put(text, &n);
	if (file_replace(p->keys, KEYSET_CHECKPOINT, text, len, 0600) < 0)
		log_err(p->path, "warren/keys/" KEYSET_CHECKPOINT);
	intact_keep(p, "warren/keys/" KEYSET_CHECKPOINT, text, len);
}
