/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/seccomp_cache.h"

#include <nettle/sha2.h>
#include <rns/hash.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

/* A file is 32 bytes SHA-256 of the program, then the program. */
#define CACHE_FORMAT "warren/seccomp/2"
#define CACHE_MAX (32 + BPF_MAXINSNS * sizeof(struct sock_filter))

static void
cache_name(char *name, size_t cap, const char *json, size_t len,
    const struct seccomp_host *h)
{
	const struct scmp_version *v = seccomp_version();
	struct sha256_ctx ctx;
	struct id32 digest;
	char line[128], hex[65];

	(void)snprintf(line, sizeof(line), "%s %s %u.%u %u.%u.%u\n",
	    CACHE_FORMAT, h->arch, h->kernel_major, h->kernel_minor,
	    v == NULL ? 0 : v->major, v == NULL ? 0 : v->minor,
	    v == NULL ? 0 : v->micro);
	sha256_init(&ctx);
	sha256_update(&ctx, strlen(line), (const uint8_t *)line);
	sha256_update(&ctx, len, (const uint8_t *)json);
	sha256_digest(&ctx, sizeof(digest), digest.b);
	hex_encode(hex, HASH_BYTES(digest));
	(void)snprintf(name, cap, "%s.bpf", hex);
}

static void
digest_of(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, 32, out->b);
}

static bool
cache_load(struct seccomp_program *out, int dir, const char *name)
{
	_cleanup_free_ char *buf = NULL;
	struct id32 digest;
	size_t n = 0, body;

	buf = file_load(dir, name, CACHE_MAX, &n);
	body = n > 32 ? n - 32 : 0;
	if (buf == NULL || body == 0 || body % sizeof(*out->insns) != 0)
		return false;
	digest_of(&digest, buf + 32, body);
	if (!id32_eq(&digest, id32_at(buf)) ||
	    (out->insns = malloc(body)) == NULL)
		return false;
	memcpy(out->insns, buf + 32, body);
	out->len = (uint16_t)(body / sizeof(*out->insns));
	return true;
}

static void
cache_store(const struct seccomp_program *p, int dir, const char *name)
{
	size_t body = p->len * sizeof(*p->insns);
	_cleanup_free_ uint8_t *buf = malloc(32 + body);

	if (buf == NULL)
		return;
	digest_of(id32_into(buf), p->insns, body);
	memcpy(buf + 32, p->insns, body);
	(void)file_replace(dir, name, buf, 32 + body, 0600);
}

int
seccomp_cached(struct seccomp_program *out, int dir, const char *json,
    size_t len, const struct seccomp_host *host, char *err, size_t err_cap)
{
	char name[80];

	memset(out, 0, sizeof(*out));
	err[0] = '\0';
	cache_name(name, sizeof(name), json, len, host);
	if (dir >= 0 && cache_load(out, dir, name))
		return 0;
	if (seccomp_gen(out, json, len, host, err, err_cap) < 0)
		return -1;
	if (dir >= 0)
		cache_store(out, dir, name);
	return 0;
}
