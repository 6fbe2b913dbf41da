/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/ownkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/where.h"
#include "trust/doc/secp.h"

#define PERSON_MESH "mesh" /* compute.md 9 */

/* The public half of a secret; -1: as keyset_read(). */
static int
public_of(struct klp_key *out, int dir, const char *path, unsigned flags,
    char why[KEYSET_WHY])
{
	struct klp_secret secret = {.kind = KEY_SECP256K1};
	bool good;

	if (keyset_read(dir, path, secret.raw, 32, flags, NULL, why) < 0)
		return -1;
	good = secret_public(out, &secret);
	explicit_bzero(&secret, sizeof(secret));
	if (good)
		return 0;
	(void)snprintf(why, KEYSET_WHY, "%s: no secp256k1 key", path);
	errno = EINVAL;
	return -1;
}

enum ownkey
ownkey_compare(int dir, const struct klp_key *named, struct klp_key *own,
    char why[KEYSET_WHY])
{
	if (public_of(own, dir, KEYSET_MESH, KEYSET_PRIVATE, why) == 0)
		return key_equal(own, named) ? OWNKEY_SAME : OWNKEY_OTHER;
	if (errno == ENOENT)
		return OWNKEY_NONE;
	return errno == EACCES && geteuid() != 0 ? OWNKEY_HIDDEN : OWNKEY_BAD;
}

bool
ownkey_personal(const struct klp_key *named)
{
	char path[4096], why[KEYSET_WHY];
	struct klp_key own;
	_cleanup_fd_ int dir = -1;

	if (!where_person(path, sizeof(path)))
		return false;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 &&
	    public_of(&own, dir, PERSON_MESH, 0, why) == 0 &&
	    key_equal(&own, named);
}
