/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "common/util.h"
#include "sandbox/plan/recipe.h"

/*
 * Where contents lie in a tar is guessed from its headers: any cut of a layer
 * is a right one, a good cut is one whose contents are those of files. So
 * nothing here can be wrong, only worse, and no header is refused.
 */
#define BLOCK 512u
#define SIZE_AT 124
#define SIZE_LEN 12
#define SUM_AT 148
#define SUM_LEN 8
#define MODE_AT 100
#define TYPE_AT 156

struct grow {
	uint8_t *p;
	size_t n, cap;
};

struct recipe_maker {
	struct chunk_gear gear;
	struct grow contents, steps, literal;
	uint64_t total;
	uint32_t run, follow; /* the step that is being made */
	uint8_t block[BLOCK];
	size_t in_block;
	uint64_t content, pad; /* bytes to come of a member */
	bool plain;	       /* its content is no file's */
	bool pax;	       /* it speaks of the next member */
	size_t said;	       /* where that begins, in literal */
	bool odd;	       /* and says that its bytes are not its content */
	uint8_t chunk[CHUNK_MAX];
	size_t in_chunk;
	const char *why;
};

struct recipe_maker *
recipe_maker_new(void)
{
	struct recipe_maker *m = calloc(1, sizeof(*m));

	if (m != NULL)
		chunk_gear_init(&m->gear);
	return m;
}

void
recipe_maker_free(struct recipe_maker *m)
{
	if (m == NULL)
		return;
	free(m->contents.p);
	free(m->steps.p);
	free(m->literal.p);
	free(m);
}

static bool
put(struct recipe_maker *m, struct grow *g, const void *p, size_t n,
    size_t most)
{
	if (m->why != NULL)
		return false;
	if (n > most - MIN_OF(g->n, most)) {
		m->why = "it has more small files than can be shared";
		return false;
	}
	if (g->n + n > g->cap) {
		size_t cap = (g->n + n) * 2 + 4096;
		uint8_t *more = realloc(g->p, cap);

		if (more == NULL) {
			m->why = "memory";
			return false;
		}
		g->p = more;
		g->cap = cap;
	}
	memcpy(g->p + g->n, p, n);
	g->n += n;
	return true;
}

static void
end_step(struct recipe_maker *m)
{
	uint8_t step[RECIPE_STEP];

	if (m->run == 0 && m->follow == 0)
		return;
	put_u32(step, m->run);
	put_u32(step + 4, m->follow);
	(void)put(m, &m->steps, step, sizeof(step),
	    (size_t)RECIPE_CONTENTS_MAX * RECIPE_STEP);
	m->run = m->follow = 0;
}

static void
literal(struct recipe_maker *m, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (m->follow > 0)
		end_step(m);
	if (put(m, &m->literal, p, n, RECIPE_LITERAL_MAX))
		m->run += (uint32_t)n;
}

/* ---- contents ---- */

static void
cut(struct recipe_maker *m)
{
	size_t n = chunk_cut(&m->gear, m->chunk, m->in_chunk);
	uint8_t entry[CHUNK_ENTRY];
	struct sha256_ctx ctx;
	struct id32 id;

	sha256_init(&ctx);
	sha256_update(&ctx, n, m->chunk);
	sha256_digest(&ctx, sizeof(id.b), id.b);
	chunk_list_entry(entry, &id, (uint32_t)n);
	if (put(m, &m->contents, entry, sizeof(entry),
	    (size_t)RECIPE_CONTENTS_MAX * CHUNK_ENTRY))
		m->follow++;
	m->in_chunk -= n;
	memmove(m->chunk, m->chunk + n, m->in_chunk);
}

static void
content(struct recipe_maker *m, const uint8_t *p, size_t n)
{
	if (m->plain) {
		literal(m, p, n);
		return;
	}
	while (n > 0 && m->why == NULL) {
		size_t k = MIN_OF(n, CHUNK_MAX - m->in_chunk);

		memcpy(m->chunk + m->in_chunk, p, k);
		m->in_chunk += k;
		p += k;
		n -= k;
		if (m->in_chunk == CHUNK_MAX)
			cut(m);
	}
}

static bool
has(const uint8_t *p, size_t n, const char *text)
{
	return memmem(p, n, text, strlen(text)) != NULL;
}

static void
content_over(struct recipe_maker *m)
{
	const uint8_t *said = m->literal.p + m->said;
	size_t n = m->literal.n - m->said;

	while (m->in_chunk > 0 && m->why == NULL)
		cut(m);
	if (m->pax && m->why == NULL)
		m->odd = has(said, n, "GNU.sparse") || has(said, n, " size=");
	m->pax = false;
}

/* ---- headers ---- */

/* Octal, with blanks around it; false: of another form. */
static bool
number(const uint8_t *p, size_t n, uint64_t *v)
{
	bool digits = false;
	size_t i = 0;

	*v = 0;
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) {
		*v = *v * 8 + (uint64_t)(p[i] - '0');
		digits = true;
	}
	return digits && (i == n || p[i] == ' ' || p[i] == '\0');
}

static bool
is_header(const uint8_t b[BLOCK])
{
	uint64_t said, sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : b[i];
	return number(b + SUM_AT, SUM_LEN, &said) && said == sum;
}

static void
header(struct recipe_maker *m)
{
	const uint8_t *b = m->block;
	uint64_t size = 0, mode = 0;
	bool file = b[TYPE_AT] == '0' || b[TYPE_AT] == '\0' ||
	    b[TYPE_AT] == '7';
	bool odd = m->odd;

	literal(m, b, BLOCK);
	m->in_block = 0;
	if (!is_header(b) || !number(b + SIZE_AT, SIZE_LEN, &size))
		return;
	/* it names the next one: what was said is still of that */
	m->odd = odd && (b[TYPE_AT] == 'L' || b[TYPE_AT] == 'K');
	/* who may not read it has no content to look at, either */
	m->plain = !file || odd || size < RECIPE_LEAST ||
	    !number(b + MODE_AT, 8, &mode) || (mode & 0400) == 0;
	m->pax = b[TYPE_AT] == 'x';
	m->said = m->literal.n;
	m->content = size;
	m->pad = (BLOCK - size % BLOCK) % BLOCK;
	if (size == 0)
		content_over(m);
}

void
recipe_make(struct recipe_maker *m, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t k;

	m->total += n;
	for (; n > 0 && m->why == NULL; p += k, n -= k) {
		if (m->content > 0) {
			k = (size_t)MIN_OF((uint64_t)n, m->content);
			content(m, p, k);
			if ((m->content -= k) == 0)
				content_over(m);
		} else if (m->pad > 0) {
			k = (size_t)MIN_OF((uint64_t)n, m->pad);
			literal(m, p, k);
			m->pad -= k;
		} else {
			k = MIN_OF(n, BLOCK - m->in_block);
			memcpy(m->block + m->in_block, p, k);
			if ((m->in_block += k) == BLOCK)
				header(m);
		}
	}
}

const char *
recipe_made(struct recipe_maker *m, struct recipe_made *out)
{
	struct wr w = wr_make(out->head, sizeof(out->head));

	if (m->content > 0)
		content_over(m); /* a layer that is cut off in it */
	literal(m, m->block, m->in_block);
	end_step(m);
	if (m->why == NULL && m->total > RECIPE_TOTAL_MAX)
		m->why = "a layer is larger than can be shared";
	if (m->why != NULL)
		return m->why;
	wr_bytes(&w, "KIL1", 4);
	wr_u64(&w, m->total);
	wr_u32(&w, (uint32_t)(m->contents.n / CHUNK_ENTRY));
	wr_u32(&w, (uint32_t)(m->steps.n / RECIPE_STEP));
	wr_u32(&w, (uint32_t)m->literal.n);
	out->contents = m->contents.p;
	out->contents_len = m->contents.n;
	out->steps = m->steps.p;
	out->steps_len = m->steps.n;
	out->literal = m->literal.p;
	out->literal_len = m->literal.n;
	return NULL;
}
