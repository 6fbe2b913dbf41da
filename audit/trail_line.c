/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem */
#include "audit/trail_line.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "trust/doc/digest.h"

/* A cursor over text, as strict as the writer. */
struct cur {
	const char *p, *end;
};

static bool
lit(struct cur *c, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		return false;
	c->p += n;
	return true;
}

static bool
number(struct cur *c, uint64_t *out)
{
	uint64_t v = 0;
	const char *from = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		if (v > (UINT64_C(1) << 53) / 10)
			return false;
		v = v * 10 + (uint64_t)(*c->p++ - '0');
	}
	*out = v;
	return c->p > from && (*from != '0' || c->p == from + 1);
}

static bool
digest(struct cur *c, struct id32 *out)
{
	if (c->end - c->p < 64)
		return false;
	for (int i = 0; i < 64; i++)
		if (c->p[i] >= 'A' && c->p[i] <= 'F')
			return false;
	if (!hex_decode(HASH_BYTES(*out), c->p, 64))
		return false;
	c->p += 64;
	return true;
}

static bool
tomb_parse(struct trail_tomb *t, const char *text, size_t len)
{
	struct cur c = {text, text + len};

	if (!lit(&c, "{\"from\":") || !number(&c, &t->from) ||
	    !lit(&c, ",\"to\":") || !number(&c, &t->to) ||
	    !lit(&c, ",\"count\":") || !number(&c, &t->count) ||
	    !lit(&c, ",\"digest\":\"") || !digest(&c, &t->digest) ||
	    !lit(&c, "\",\"tree\":["))
		return false;
	for (t->ntree = 0; t->ntree < MERKLE_NODES; t->ntree++) {
		if (t->ntree > 0 && !lit(&c, ","))
			break;
		if (!lit(&c, "\"") || !digest(&c, &t->tree[t->ntree]) ||
		    !lit(&c, "\""))
			return false;
	}
	return lit(&c, "]}") && c.p == c.end && t->from >= 1 &&
	    t->to >= t->from && t->count == t->to - t->from + 1 &&
	    t->ntree == merkle_count(t->from - 1, t->to);
}

bool
trail_line_parse(struct trail_line *l, const char *text, size_t len)
{
	struct cur c = {text, text + len};

	if (len >= TRAIL_LINE_MAX || !lit(&c, "{\"seq\":") ||
	    !number(&c, &l->seq) || !lit(&c, ",\"prev\":\"") ||
	    !digest(&c, &l->prev) || !lit(&c, "\",\""))
		return false;
	l->is_tomb = lit(&c, "t\":");
	if (!l->is_tomb && !lit(&c, "e\":"))
		return false;
	if (c.end - c.p < 3 || c.p[0] != '{' || c.end[-1] != '}' ||
	    c.end[-2] != '}')
		return false;
	l->body = c.p;
	l->body_len = (size_t)(c.end - c.p) - 1;
	/* a control character inside would be no JSON */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20)
			return false;
	if (l->is_tomb)
		return tomb_parse(&l->tomb, l->body, l->body_len) &&
		    l->tomb.to == l->seq;
	return utf8_valid(text, len);
}

unsigned
trail_line_severity(const char *body, size_t len)
{
	/* inside a text the quotes would be escaped, so this is a member */
	static const char member[] = "\"severity_id\":";
	const char *at = memmem(body, len, member, sizeof(member) - 1);

	if (at == NULL || at + sizeof(member) - 1 >= body + len)
		return 0;
	at += sizeof(member) - 1;
	return *at >= '0' && *at < '0' + TRAIL_SEVERITIES
	    ? (unsigned)(*at - '0')
	    : 0;
}

static bool
hex64(struct cur *c, uint64_t *out)
{
	uint8_t b[8];

	if (c->end - c->p < 16 || !hex_decode(b, sizeof(b), c->p, 16))
		return false;
	*out = 0;
	for (size_t i = 0; i < sizeof(b); i++)
		*out = *out << 8 | b[i];
	c->p += 16;
	return true;
}

bool
trail_line_sender(const char *body, size_t len, enum program *who,
    struct heard *out)
{
	static const char member[] = "\"sender\":\"";
	const char *at = memmem(body, len, member, sizeof(member) - 1);
	struct cur c = {at, body + len};

	if (at == NULL || !lit(&c, member))
		return false;
	*out = (struct heard){.run = 0};
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		struct cur name = c;

		if (lit(&name, program_name((enum program)i)) &&
		    lit(&name, ":") && hex64(&name, &out->run) &&
		    lit(&name, ":") && number(&name, &out->upto) &&
		    lit(&name, "\"")) {
			*who = (enum program)i;
			return true;
		}
	}
	return false;
}

size_t
trail_line_event(char *out, size_t cap, uint64_t seq, const struct id32 *prev,
    const char *body, size_t len)
{
	char hex[65];
	int n;

	hex_encode(hex, HASH_BYTES(*prev));
	n = snprintf(out, cap, "{\"seq\":%llu,\"prev\":\"%s\",\"e\":%.*s}\n",
	    (unsigned long long)seq, hex, (int)len, body);
	return n < 0 || (size_t)n >= cap || n > TRAIL_LINE_MAX ? 0 : (size_t)n;
}

size_t
trail_line_tomb(char *out, size_t cap, const struct id32 *prev,
    const struct trail_tomb *t)
{
	char hex[65], last[65];
	size_t n;
	int k;

	hex_encode(hex, HASH_BYTES(*prev));
	hex_encode(last, HASH_BYTES(t->digest));
	k = snprintf(out, cap,
	    "{\"seq\":%llu,\"prev\":\"%s\",\"t\":{\"from\":%llu,\"to\":%llu,"
	    "\"count\":%llu,\"digest\":\"%s\",\"tree\":[",
	    (unsigned long long)t->to, hex, (unsigned long long)t->from,
	    (unsigned long long)t->to, (unsigned long long)t->count, last);
	if (k < 0 || (size_t)k >= cap)
		return 0;
	n = (size_t)k;
	for (unsigned i = 0; i < t->ntree; i++) {
		if (cap - n < 72)
			return 0;
		hex_encode(hex, HASH_BYTES(t->tree[i]));
		n += (size_t)snprintf(out + n, cap - n, "%s\"%s\"",
		    i > 0 ? "," : "", hex);
	}
	if (cap - n < 5)
		return 0;
	memcpy(out + n, "]}}\n", 5);
	return n + 4;
}

void
trail_walk_init(struct trail_walk *w)
{
	memset(w, 0, sizeof(*w));
	w->next = 1;
	w->whole = true;
	merkle_init(&w->tree, 0);
}

static const char *
walk_tomb(struct trail_walk *w, const struct trail_tomb *t)
{
	uint64_t pos = t->from - 1;

	for (unsigned i = 0; w->whole && i < t->ntree; i++) {
		unsigned level = merkle_level(pos, t->to);

		if (!merkle_add(&w->tree, level, &t->tree[i]))
			return "a tombstone that cannot stand here";
		pos += UINT64_C(1) << level;
	}
	w->digest = t->digest;
	return NULL;
}

const char *
trail_walk_line(struct trail_walk *w, const char *text, size_t len)
{
	const char *why = NULL;
	struct trail_line l;
	uint64_t first;

	if (!trail_line_parse(&l, text, len)) {
		w->whole = false;
		digest_of(&w->digest, text, len);
		w->next++;
		return "not a line of the trail";
	}
	first = l.is_tomb ? l.tomb.from : l.seq;
	if (first > w->next)
		why = "lines are missing before it";
	else if (first < w->next)
		why = "its number was there before";
	else if (!id32_eq(&l.prev, &w->digest))
		why = "it does not follow from the line before: one of the two "
		      "was changed";
	if (why != NULL)
		w->whole = false;
	w->next = l.seq + 1;
	if (l.is_tomb) {
		const char *bad = walk_tomb(w, &l.tomb);

		w->whole = w->whole && bad == NULL;
		return why != NULL ? why : bad;
	}
	digest_of(&w->digest, text, len);
	if (w->whole) {
		struct id32 leaf;

		merkle_leaf(&leaf, text, len);
		(void)merkle_add(&w->tree, 0, &leaf);
	}
	return why;
}
