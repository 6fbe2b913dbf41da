/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of web servers, as a root of an authority names them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/weburl.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is taken is taken again from its parts, and means the same. */
static void
again(const struct weburl *u)
{
	char text[WEBURL_MAX + WEBURL_HOST_MAX + 32];
	struct weburl v;

	(void)snprintf(text, sizeof(text), u->family == 6 ?
	    "https://[%s]:%u%s" : "https://%s:%u%s", u->host, u->port,
	    u->path);
	if (strlen(text) > WEBURL_MAX)
		return;
	if (weburl_parse(&v, text) != NULL || v.port != u->port ||
	    v.family != u->family || strcmp(u->host, v.host) != 0 ||
	    strcmp(u->path, v.path) != 0 ||
	    memcmp(u->addr, v.addr, sizeof(u->addr)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + 1);
	struct weburl u, base;

	if (text == NULL)
		return 0;
	memcpy(text, p, n);
	text[n] = '\0';
	if (weburl_parse(&u, text) == NULL) {
		again(&u);
		if (strpbrk(u.host, "/?#@:\\ ") != NULL && u.family != 6)
			abort();
	}
	if (weburl_base(&base, text) == NULL && strchr(text, '?') != NULL)
		abort();
	(void)weburl_host(&u, text, n);
	free(text);
	return 0;
}
