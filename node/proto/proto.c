/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/proto/proto.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "transport/core/base/crypt.h"

static const char *const PATHS[PATH_COUNT] = {
#define PATH_TEXT(NAME, text) [PATH_##NAME] = text,
    PROTO_PATHS(PATH_TEXT)
#undef PATH_TEXT
};

static const char *const STATUS[] = {"ok", "not modified", "not found",
    "too large", "busy", "refused", "malformed", "not yet", "gone"};

const char *
proto_path(enum proto_path p)
{
	return (unsigned)p < PATH_COUNT ? PATHS[p] : "?";
}

void
proto_path_hash(struct hash16 *out, enum proto_path p)
{
	const char *s = proto_path(p);
	struct id32 h;

	crypt_sha256(&h, s, strlen(s));
	*out = *hash16_at(h.b);
}

bool
proto_path_find(enum proto_path *p, const struct hash16 *hash)
{
	struct hash16 known;

	for (unsigned i = 0; i < PATH_COUNT; i++) {
		proto_path_hash(&known, (enum proto_path)i);
		if (hash16_eq(&known, hash)) {
			*p = (enum proto_path)i;
			return true;
		}
	}
	return false;
}

const char *
proto_status_name(uint64_t status)
{
	return status < NELEM(STATUS) ? STATUS[status] : "unknown";
}

struct pstr
pstr_of(const char *s)
{
	return (struct pstr){s, s == NULL ? 0 : strlen(s)};
}

bool
pstr_is(struct pstr s, const char *text)
{
	return s.p != NULL && s.n == strlen(text) &&
	    memcmp(s.p, text, s.n) == 0;
}

void
pstr_copy(char *dst, size_t cap, struct pstr s)
{
	size_t n = MIN_OF(s.n, cap - 1);

	if (s.p == NULL)
		n = 0;
	if (n > 0)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
}

bool
plist_next(struct plist *l, const uint8_t **digest)
{
	size_t n;

	if (l->n == 0 || !mpk_get_bin(&l->r, digest, &n) || n != PROTO_ID_LEN)
		return false;
	l->n--;
	return true;
}

bool
proto_int(struct rd *r, uint64_t *v)
{
	return mpk_get_uint(r, v) && *v <= PROTO_INT_MAX;
}

bool
proto_exact(struct rd *r, const uint8_t **p, size_t want)
{
	size_t n;

	return mpk_get_bin(r, p, &n) && n == want;
}
