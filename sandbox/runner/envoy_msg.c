/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/envoy.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

static bool
path_ok(const char *s)
{
	return s[0] == '/' && strchr(s, '\n') == NULL;
}

bool
envoy_place_write(char *out, size_t cap, const struct envoy_place *p)
{
	int n = snprintf(out, cap, "%s\n%s\n%s\n", p->socket, p->meet, p->node);

	return n > 0 && (size_t)n < cap && path_ok(p->socket) &&
	    path_ok(p->meet);
}

static bool
take_line(char *out, size_t cap, const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	size_t n = nl == NULL ? cap : (size_t)(nl - *p);

	if (n >= cap || memchr(*p, '\0', n) != NULL)
		return false;
	memcpy(out, *p, n);
	out[n] = '\0';
	*p = nl + 1;
	return true;
}

bool
envoy_place_read(struct envoy_place *out, const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	struct envoy_place v;

	if (!take_line(v.socket, sizeof(v.socket), &p, end) ||
	    !take_line(v.meet, sizeof(v.meet), &p, end) ||
	    !take_line(v.node, sizeof(v.node), &p, end) || p != end ||
	    !path_ok(v.socket) || !path_ok(v.meet) ||
	    strlen(v.node) != DOCKER_NODE - 1 ||
	    strspn(v.node, "0123456789abcdef") != DOCKER_NODE - 1)
		return false;
	*out = v;
	return true;
}

void
envoy_ask_write(uint8_t out[ENVOY_ASK], const struct envoy_ask *a)
{
	struct wr w = wr_make(out, ENVOY_ASK);

	wr_bool(&w, a->trial);
	wr_bool(&w, a->grouped);
}

bool
envoy_ask_read(struct envoy_ask *out, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	struct envoy_ask a;

	if (!rd_bool(&r, &a.trial) || !rd_bool(&r, &a.grouped) || !rd_end(&r))
		return false;
	*out = a;
	return true;
}

size_t
envoy_answer_write(uint8_t out[ENVOY_ANSWER_MAX],
    const struct envoy_answer *a)
{
	struct wr w = wr_make(out, ENVOY_ANSWER_MAX);

	wr_bool(&w, a->ok);
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		wr_u16(&w, a->version[i]);
	for (unsigned i = 0; i < INNER_NS; i++)
		wr_u64(&w, a->ns[i]);
	wr_str(&w, a->why);
	return wr_ok(&w) ? w.len : 0;
}

bool
envoy_answer_read(struct envoy_answer *out, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	struct envoy_answer a;

	if (!rd_bool(&r, &a.ok))
		return false;
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		if (!rd_u16(&r, &a.version[i]))
			return false;
	for (unsigned i = 0; i < INNER_NS; i++)
		if (!rd_u64(&r, &a.ns[i]))
			return false;
	if (!rd_str(&r, a.why, sizeof(a.why)) || !rd_end(&r))
		return false;
	*out = a;
	return true;
}
