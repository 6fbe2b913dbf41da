/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message's reader, and of what goes beside them; what it takes must come
 * out of the writer again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/attested.h"
#include "common/hubset.h"
#include "common/ipc_msg.h"
#include "common/listed.h"
#include "common/vouched.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A message, and each of what goes beside them. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 31;
}

#define TRY(name, from, to, lo, hi)                                            \
	static void try_##name(struct rd body, struct wr *w)                   \
	{                                                                      \
		struct msg_##name m;                                           \
                                                                               \
		if (!msg_get_##name(body, &m))                                 \
			return;                                                \
		took(0);                                                       \
		msg_put_##name(w, &m);                                         \
		if (!wr_ok(w) || w->len != rd_left(&body) ||                   \
		    memcmp(w->buf, body.p, w->len) != 0)                       \
			abort();                                               \
	}
IPC_MESSAGES(TRY)

/* Types that no message has. */
enum { BESIDE_LISTED = 0xff00, BESIDE_ATTESTED, BESIDE_VOUCHED, BESIDE_HUB };
#define ENTRIES 256

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
listed(const uint8_t *p, size_t len)
{
	static struct listed l[ENTRIES];
	static uint8_t out[ENTRIES * LISTED_BYTES];
	size_t n = len / LISTED_BYTES;

	if (n > ENTRIES || !listed_get(l, p, len, n))
		return;
	took(1);
	listed_put(out, l, n);
	must(memcmp(out, p, len) == 0);
	for (size_t i = 0; i < n; i++)
		must(listed_find(l, n, (enum listed_kind)l[i].kind, l[i].id) ==
		    &l[i]);
}

static void
attested(const uint8_t *p, size_t len)
{
	static struct attested a[ENTRIES];
	static uint8_t out[ENTRIES * ATTESTED_BYTES];
	size_t n = len / ATTESTED_BYTES;

	if (n > ENTRIES || !attested_get(a, p, len, n))
		return;
	took(2);
	attested_put(out, a, n);
	must(memcmp(out, p, len) == 0);
	for (size_t i = 0; i < n; i++)
		must(attested_rules(a, n, &a[i].image) == a[i].rules);
}

/* What is behind a NUL in a text does not come again. */
static void
vouched(const uint8_t *p, size_t len)
{
	static struct vouched v[ENTRIES], again[ENTRIES];
	static uint8_t out[ENTRIES * VOUCHED_BYTES];
	size_t n = len / VOUCHED_BYTES;

	if (n > ENTRIES || !vouched_get(v, p, len, n))
		return;
	took(3);
	vouched_put(out, v, n);
	must(vouched_get(again, out, len, n));
	for (size_t i = 0; i < n; i++)
		must(strcmp(v[i].who, again[i].who) == 0 &&
		    v[i].rule == again[i].rule);
}

static void
hub(const uint8_t *p, size_t len)
{
	static uint8_t out[IPC_MAX];
	struct hubset h;

	if (len > sizeof(out) || !hubset_get(&h, p, len))
		return;
	took(4);
	must(hubset_put(out, sizeof(out), &h) == len &&
	    memcmp(out, p, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[IPC_MAX];
	struct rd r = rd_make(data, len);
	struct wr w = wr_make(buf, sizeof(buf));
	uint16_t type;

	if (!rd_u16(&r, &type))
		return 0;
	switch (type) {
#define CASE(name, from, to, lo, hi)                                           \
	case IPC_##name:                                                       \
		try_##name(r, &w);                                             \
		break;
		IPC_MESSAGES(CASE)
	case BESIDE_LISTED:
		listed(r.p, rd_left(&r));
		break;
	case BESIDE_ATTESTED:
		attested(r.p, rd_left(&r));
		break;
	case BESIDE_VOUCHED:
		vouched(r.p, rd_left(&r));
		break;
	case BESIDE_HUB:
		hub(r.p, rd_left(&r));
		break;
	default:
		break;
	}
	return 0;
}
