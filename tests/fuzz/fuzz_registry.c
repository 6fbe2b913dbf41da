/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/egress/regdoc.c trust/egress/registry.c trust/egress/regname.c */
/*
 * What registries and those who name images write. The first byte says what the
 * rest is: a name, an address and where it leads, lines of a head, a manifest, a
 * token.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/egress/regdoc.h"
#include "trust/egress/registry.h"
#include "trust/egress/regname.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool so)
{
	if (!so)
		abort();
}

/* What is taken is taken again as it is asked for. */
static void
name(const char *text)
{
	char ref[REGNAME_TAG + 1], host[WEBURL_HOST_MAX + 16], whole[1400];
	struct regname r, again;

	if (regname_parse(&r, text) != NULL)
		return;
	regname_ref(&r, ref);
	regname_host(&r, host);
	(void)snprintf(whole, sizeof(whole), r.by_digest ? "%s/%s@%s" :
	    "%s/%s:%s", r.hub || strpbrk(host, ".:") != NULL ||
	    strcmp(host, "localhost") == 0 ? host : "x.y", r.repo, ref);
	if (strlen(whole) > REGNAME_MAX)
		return;
	must(regname_parse(&again, whole) == NULL);
	must(strcmp(again.repo, r.repo) == 0 && again.port == r.port);
	must(strpbrk(r.repo, "?#%:@ ") == NULL && strstr(r.repo, "..") == NULL);
}

static void
address(const char *text, size_t n)
{
	static const char base[] = "https://h.test/v2/a/blobs/x?q=/y";
	struct regurl u, to, again;

	if (regurl_parse(&u, text, n) == NULL) {
		must(regurl_parse(&again, u.text, strlen(u.text)) == NULL);
		must(strcmp(again.text, u.text) == 0);
		must(regurl_same(&u, &again) && u.text[u.path] == '/');
		must(registry_may(&u, false, true) == NULL || !u.tls);
	}
	must(regurl_parse(&u, base, strlen(base)) == NULL);
	if (regurl_join(&to, &u, text, n) == NULL) {
		must(regurl_parse(&again, to.text, strlen(to.text)) == NULL);
		must(strcmp(again.text, to.text) == 0);
	}
}

static void
head(const uint8_t *p, size_t n)
{
	struct reg_head h;
	const char *why;

	memset(&h, 0, sizeof(h));
	while (n > 0) {
		const uint8_t *end = memchr(p, '\n', n);
		size_t k = end == NULL ? n : (size_t)(end - p) + 1;

		reg_head_line(&h, (const char *)p, k);
		p += k;
		n -= k;
	}
	must(strlen(h.realm) <= REGURL_MAX && strlen(h.service) < REG_TEXT);
	must(!h.ranged || h.total == 0 || h.first < h.total);
	for (uint64_t from = 0; from < 3; from++) {
		enum reg_next next = registry_next(&h, from, 10, &why);

		must((next == REG_FAIL) == (why[0] != '\0'));
		must(next != REG_FOLLOW || h.location[0] != '\0');
	}
}

static void
document(const uint8_t *p, size_t n)
{
	static const struct platform here = {"linux", "amd64", 3};
	static struct regdoc d;
	char why[200];
	uint64_t sum;

	if (!regdoc_parse(&d, "", p, n, &here, why, sizeof(why))) {
		must(why[0] != '\0');
		return;
	}
	must(d.nlayers <= REGDOC_LAYERS);
	sum = d.config.size;
	for (unsigned i = 0; i < d.nlayers; i++)
		sum += d.layer[i].size;
	must(sum == d.total);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char token[REGDOC_TOKEN + 1];
	char *text;

	if (n == 0 || (text = malloc(n)) == NULL)
		return 0;
	memcpy(text, p + 1, n - 1);
	text[n - 1] = '\0';
	switch (p[0]) {
	case 'n':
		name(text);
		break;
	case 'u':
		address(text, n - 1);
		break;
	case 'h':
		head(p + 1, n - 1);
		break;
	case 'd':
		document(p + 1, n - 1);
		break;
	default:
		if (regdoc_token(token, p + 1, n - 1))
			must(token[0] != '\0' && strpbrk(token, " \r\n") ==
			    NULL);
	}
	free(text);
	return 0;
}
