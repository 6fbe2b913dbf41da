/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages, what nodes say, letters: what is read is written and read. */
#include <stdlib.h>
#include <string.h>

#include "node/proto/letter.h"
#include "transport/lxmf/lxmf.h"
#include "transport/lxmf/lxmf_node.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	message(p, n);
	node(p, n);
	letter(p, n);
	return 0;
}
