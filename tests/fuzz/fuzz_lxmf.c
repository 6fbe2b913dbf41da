/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/lxmf/lxmfset.c node/proto/letter.c */
/* Messages, what nodes say, letters: what is read is written and read. */
#include <stdlib.h>
#include <string.h>

#include "node/proto/letter.h"
#include "transport/lxmf/lxmf.h"
#include "transport/lxmf/lxmf_node.h"
#include "transport/lxmf/lxmfset.h"

#define ROOM 1024 /* more than heads of another width can add */

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t priv[RNS_KEY] = {1, 2, 3};

static void
message(const uint8_t *p, size_t n)
{
	uint8_t *buf;
	struct lxmf m, again;
	struct id32 id;
	size_t len;

	if (lxmf_parse(&m, p, n) != RNS_OK)
		return;
	buf = malloc(n + ROOM);
	if (buf == NULL || m.payload.n > n ||
	    lxmf_pack(buf, &len, n + ROOM, &id, &m,
		m.has_stamp && m.stamp.n == STAMP_LEN ? m.stamp.p : NULL,
		priv) != RNS_OK ||
	    lxmf_parse(&again, buf, len) != RNS_OK ||
	    !id32_eq(&id, &again.id) || again.has_type != m.has_type ||
	    again.has_data != m.has_data || again.data.n != m.data.n ||
	    (m.data.n > 0 && memcmp(again.data.p, m.data.p, m.data.n) != 0))
		abort();
	(void)lxmf_stamp_ok(&m, 0);
	free(buf);
}

static void
node(const uint8_t *p, size_t n)
{
	struct lxmf_list list;
	struct lxmf_node said_of;
	enum lxmf_said said;
	const uint8_t *one;
	uint64_t code;
	size_t len;

	(void)lxmf_node_parse(&said_of, p, n);
	(void)lxmf_delivery_cost(p, n);
	if (!lxmf_got(&said, &code, &list, p, n))
		return;
	for (size_t left = list.n; left > 0; left--)
		if (!lxmf_list_next(&list, &one, &len))
			abort();
}

static void
letter(const uint8_t *p, size_t n)
{
	struct letter l, again;
	struct wr w;

	if (!letter_get(&l, p, n))
		return;
	w = wr_make(malloc(n + ROOM), n + ROOM);
	if (w.buf == NULL)
		abort();
	letter_put(&w, &l);
	if (!wr_ok(&w) || !letter_get(&again, w.buf, w.len) ||
	    again.path != l.path || again.answer != l.answer ||
	    again.value.n != l.value.n || again.nblobs != l.nblobs ||
	    again.give != l.give)
		abort();
	free(w.buf);
}

/* Of node.yaml, as the parent tells it. */
static void
settings(const uint8_t *p, size_t n)
{
	char text[LXMFSET_BYTES];
	struct lxmfset s, again;
	size_t len;

	if (!lxmfset_get(&s, (const char *)p, n))
		return;
	len = lxmfset_put(text, &s);
	if (s.nnodes > LXMFSET_NODES || (len == 0 && strpbrk(s.name, "\r\n") ==
	    NULL) || (len > 0 && (!lxmfset_get(&again, text, len) ||
	    strcmp(s.name, again.name) != 0 || s.cost != again.cost)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	message(p, n);
	node(p, n);
	letter(p, n);
	settings(p, n);
	return 0;
}
