/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What nodes answer when trust asks them for a document, in pieces (klp.md
 * 1.6): an order of answers, and what is put together of them.
 *
 * A byte: which file is asked for (bits 0 and 1), slow (2), slow ways may give
 * long ones (3), pages of the set instead (4). Then answers: how the question ended, a length of two bytes,
 * so many bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/util.h"
#include "trust/doc/compact.h"
#include "trust/doc/delta.h"
#include "trust/doc/digest.h"
#include "trust/lawio.h"

#define MOST (256u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct {
	const char *need;
	size_t max;
} files[] = {{"head", ROOT_BYTES}, {"2.root.json", ROOT_BYTES},
    {"list.json.4.delta", DELTA_BYTES}, {"list.json", MOST}};

static struct law law;
static struct law_authority la;
static struct sources *src;
static struct node_config conf;

static void
must(bool good)
{
	if (!good)
		abort();
}

/* What stands between two answers. */
static void
in_between(const uint8_t *was, size_t had)
{
	const struct sources *x = src;

	must(x->mesh.len <= x->mesh.total && x->mesh.cap <= x->mesh.total);
	must(x->mesh.len <= x->mesh.cap && x->mesh.total <= x->need_max);
	must((x->mesh.p == NULL) == (x->mesh.len == 0));
	must(x->mesh.len >= had);
	/* what was there is there */
	must(had == 0 || memcmp(x->mesh.p, was, had) == 0);
}

/* So much of the set has come, in its order. */
static void
set_between(void)
{
	const struct lawset *s = &src->part;

	must(s->len <= s->total && s->len <= s->cap &&
	    s->total <= COMPACT_BYTES && s->cap <= COMPACT_BYTES);
	must(s->len % COMPACT_ENTRY == 0);
	must(s->len == 0 || compact_page(s->p, s->len, NULL) == NULL);
	must(s->whole == (s->len == s->total && s->version != 0));
	must(s->len == 0 || s->version > law.list.version + 1);
}

/* It has ended, well or not. */
static void
over(const struct msg_FETCHED *m, int fd, bool delta)
{
	const uint8_t *map;
	size_t len = m->len, at = 0;
	struct rd r = rd_make(src->mesh.deltas, src->mesh.deltas_len);

	must(src->mesh.p == NULL && src->mesh.len == 0 && !src->mesh.waits);
	must(fd < 0 || m->end == FETCH_OK);
	must(m->end == FETCH_OK || m->end == FETCH_OWN ||
	    memchr(m->why, 0, sizeof(m->why)) != NULL);
	if (fd >= 0) {
		must(m->len <= src->need_max);
		map = memfd_map(fd, &len, m->len);
		must(map != NULL);
		memfd_unmap(map, len);
		(void)close(fd);
	}
	must(delta || src->mesh.deltas_len == 0);
	while (rd_left(&r) > 0) {
		const uint8_t *p;
		uint16_t n;

		must(rd_u16(&r, &n) && rd_ref(&r, &p, n) && n <= DELTA_BYTES);
		must(++at < SOURCE_DELTAS);
	}
}

/* One answer; how many bytes it was, 0: there is none more. */
static size_t
answer(const uint8_t *p, size_t n, bool delta)
{
	static uint8_t was[MOST];
	struct msg_M_ANSWER m = {.seq = 7};
	struct msg_FETCHED out;
	size_t len, had = src->mesh.len;
	int fd = -1, got = -1;

	if (n < 3)
		return 0;
	m.end = p[0];
	len = MIN_OF((size_t)p[1] << 8 | p[2], n - 3);
	m.len = (uint32_t)len;
	if (len > 0 && (fd = memfd_sealed("answer", p + 3, len)) < 0)
		return 0;
	if (had > 0)
		memcpy(was, src->mesh.p, had);
	src->seq = 7;
	if (lawmesh_came(&law, &la, &m, fd, &out, &got)) {
		must(out.seq == 7);
		over(&out, got, delta);
	} else {
		must(src->seq == 0 && got == -1);
		in_between(was, had);
	}
	set_between();
	if (fd >= 0)
		(void)close(fd);
	return 3 + len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned which;
	size_t k;

	if (n < 1 || (src = sources_new()) == NULL)
		return 0;
	which = p[0] & 3u;
	law.conf = &conf;
	law.has_list = true;
	(void)snprintf(law.list_uri.path, sizeof(law.list_uri.path),
	    "list.json");
	la.src = src;
	conf.allow_slow_fetch = (p[0] & 8) != 0;
	src->mesh.slow = (p[0] & 4) != 0;
	(void)snprintf(src->need, sizeof(src->need), "%s", files[which].need);
	src->need_max = files[which].max;
	law.list.version = 4;
	if ((p[0] & 16) != 0) {
		src->set = SET_PAGES;
		src->need_max = COMPACT_BYTES;
		(void)lawset_name(&law, src->need);
		which = 3;
	}
	for (p++, n--; (k = answer(p, n, which == 2)) > 0; p += k, n -= k)
		continue;
	free(src->mesh.deltas); /* as the update does when it has ended */
	src->mesh.deltas = NULL;
	sources_part_drop(src);
	sources_free(src);
	return 0;
}
