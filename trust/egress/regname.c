/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/egress/regname.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define HUB "docker.io"
#define HUB_OLD "index.docker.io"
#define HUB_HOST "registry-1.docker.io" /* where docker.io answers */
#define HUB_SPACE "library/"
#define SHA256 "sha256:"

static bool
small(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Between two small ones: one '.', one or two '_', any number of '-'. */
static size_t
separator(const char *p)
{
	if (*p == '.')
		return 1;
	if (*p == '_')
		return p[1] == '_' ? 2 : 1;
	return strspn(p, "-");
}

static bool
repo_ok(const char *p)
{
	for (;;) {
		size_t n = 0;

		if (!small(*p))
			return false;
		while (small(*p))
			p++;
		if (*p == '\0')
			return true;
		if (*p == '/')
			n = 1;
		else if ((n = separator(p)) == 0)
			return false;
		p += n;
	}
}

static bool
tag_ok(const char *p)
{
	for (size_t i = 0; p[i] != '\0'; i++)
		if (!(small(p[i]) || (p[i] >= 'A' && p[i] <= 'Z') ||
			p[i] == '_' || (i > 0 && (p[i] == '.' ||
			p[i] == '-'))))
			return false;
	return p[0] != '\0';
}

static bool
is_registry(const char *p, size_t n)
{
	return memchr(p, '.', n) != NULL || memchr(p, ':', n) != NULL ||
	    p[0] == '[' || (n == 9 && memcmp(p, "localhost", 9) == 0);
}

static const char *
take_registry(struct regname *r, const char *p, size_t n)
{
	const char *end = memchr(p, ']', n), *colon;
	size_t host = n;
	struct weburl u;

	colon = p[0] == '[' && end != NULL ? end + 1 : memchr(p, ':', n);
	if (colon != NULL && colon < p + n) {
		if (*colon != ':')
			return "its registry is no IPv6 address";
		host = (size_t)(colon - p);
		if (weburl_port(&u, colon + 1, n - host - 1) != NULL)
			return "the port of its registry is no number";
		r->port = u.port;
	}
	if (weburl_host(&u, p, host) != NULL)
		return "its registry is no host";
	(void)snprintf(r->host, sizeof(r->host), "%s", u.host);
	return NULL;
}

/* TAG and DIGEST, which are cut off; text is a copy. */
static const char *
take_ends(struct regname *r, char *text)
{
	char *at = strchr(text, '@'), *colon;

	if (at != NULL) {
		*at++ = '\0';
		if (strncmp(at, SHA256, sizeof(SHA256) - 1) != 0 ||
		    !hex_decode(HASH_BYTES(r->digest), at + sizeof(SHA256) - 1,
			strlen(at) - (sizeof(SHA256) - 1)))
			return "its digest is not sha256: and 64 digits";
		r->by_digest = true;
	}
	colon = strrchr(text, ':');
	if (colon != NULL && strchr(colon, '/') == NULL) {
		*colon++ = '\0';
		if (strlen(colon) > REGNAME_TAG || !tag_ok(colon))
			return "its tag has a character that none has, or is "
			       "too long";
		(void)snprintf(r->tag, sizeof(r->tag), "%s", colon);
	} else if (!r->by_digest) {
		(void)snprintf(r->tag, sizeof(r->tag), "latest");
	}
	return NULL;
}

const char *
regname_parse(struct regname *r, const char *text)
{
	char copy[REGNAME_MAX + 1];
	const char *why, *repo = copy, *slash;
	int n;

	memset(r, 0, sizeof(*r));
	if (strlen(text) > REGNAME_MAX)
		return "it is too long";
	if (strstr(text, "://") != NULL)
		return "it is a name, as of docker pull, and has no ://";
	(void)snprintf(copy, sizeof(copy), "%s", text);
	if ((why = take_ends(r, copy)) != NULL)
		return why;
	slash = strchr(copy, '/');
	if (slash != NULL && is_registry(copy, (size_t)(slash - copy))) {
		why = take_registry(r, copy, (size_t)(slash - copy));
		if (why != NULL)
			return why;
		repo = slash + 1;
	}
	r->hub = r->host[0] == '\0' || (r->port == 0 &&
	    (strcmp(r->host, HUB) == 0 || strcmp(r->host, HUB_OLD) == 0));
	if (r->hub)
		(void)snprintf(r->host, sizeof(r->host), "%s", HUB_HOST);
	if (!repo_ok(repo))
		return "a repository is small letters and digits, with "
		       ". _ - / between them";
	n = snprintf(r->repo, sizeof(r->repo), "%s%s", r->hub &&
	    strchr(repo, '/') == NULL ? HUB_SPACE : "", repo);
	return (size_t)n < sizeof(r->repo) ? NULL :
	    "its repository is too long";
}

void
regname_ref(const struct regname *r, char out[REGNAME_TAG + 1])
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(r->digest));
	if (r->by_digest)
		(void)snprintf(out, REGNAME_TAG + 1, SHA256 "%s", hex);
	else
		(void)snprintf(out, REGNAME_TAG + 1, "%s", r->tag);
}

bool
regname_local(const struct regname *r, char *out, size_t cap)
{
	char host[WEBURL_HOST_MAX + 16];
	const char *repo = r->repo;
	int n;

	regname_host(r, host);
	if (r->hub && strncmp(repo, HUB_SPACE, sizeof(HUB_SPACE) - 1) == 0)
		repo += sizeof(HUB_SPACE) - 1;
	n = snprintf(out, cap, "%s%s%s:%s", r->hub ? "" : host,
	    r->hub ? "" : "/", repo, r->tag);
	/* an IPv6 address is no part of a name */
	return r->tag[0] != '\0' && n > 0 && (size_t)n < cap &&
	    (r->hub || strchr(r->host, ':') == NULL);
}

void
regname_host(const struct regname *r, char *out)
{
	bool v6 = strchr(r->host, ':') != NULL;
	const char *host = r->hub ? HUB : r->host;

	if (r->port != 0)
		(void)snprintf(out, WEBURL_HOST_MAX + 16, "%s%s%s:%u",
		    v6 ? "[" : "", host, v6 ? "]" : "", r->port);
	else
		(void)snprintf(out, WEBURL_HOST_MAX + 16, "%s%s%s",
		    v6 ? "[" : "", host, v6 ? "]" : "");
}
