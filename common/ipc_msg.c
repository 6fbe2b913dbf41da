/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ipc_msg.h"

#include <string.h>

const char *
program_name(enum program p)
{
	static const char *const names[PROGRAM_COUNT] = {
	    [PROGRAM_PARENT] = "parent",
	    [PROGRAM_TRANSPORT] = "transport",
	    [PROGRAM_NODE] = "node",
	    [PROGRAM_TRUST] = "trust",
	    [PROGRAM_KEYS] = "keys",
	    [PROGRAM_EGRESS] = "egress",
	    [PROGRAM_JAIL] = "jail",
	    [PROGRAM_AUDIT] = "audit",
	};

	return (unsigned)p < PROGRAM_COUNT ? names[p] : "nobody";
}

static void
put_var(struct wr *w, const uint8_t *p, size_t len, size_t max)
{
	if (len > max) {
		w->failed = true;
		return;
	}
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, p, len);
}

static bool
get_var(struct rd *r, uint8_t *p, uint16_t *len, size_t max)
{
	struct rd save = *r;

	if (rd_u16(r, len) && *len <= max && rd_copy(r, p, *len))
		return true;
	*r = save;
	return false;
}

/*
 * The writers and readers of each field, and its least and greatest size; the
 * list of fields is expanded once with each.
 */
#define PUT_u8(n, z) wr_u8(w, m->n);
#define PUT_u16(n, z) wr_u16(w, m->n);
#define PUT_u32(n, z) wr_u32(w, m->n);
#define PUT_u64(n, z) wr_u64(w, m->n);
#define PUT_i32(n, z) wr_i32(w, m->n);
#define PUT_i64(n, z) wr_i64(w, m->n);
#define PUT_boolean(n, z) wr_bool(w, m->n);
#define PUT_arr(n, z) wr_bytes(w, m->n, z);
#define PUT_hash16(n, z) wr_bytes(w, HASH_BYTES(m->n));
#define PUT_id32(n, z) wr_bytes(w, HASH_BYTES(m->n));
#define PUT_fp(n, z) wr_bytes(w, HASH_BYTES(m->n));
#define PUT_var(n, z) put_var(w, m->n, m->n##_len, z);
#define PUT_str(n, z) wr_str(w, m->n);
#define PUT(kind, n, z) PUT_##kind(n, z)

#define GET_u8(n, z) &&rd_u8(&r, &m->n)
#define GET_u16(n, z) &&rd_u16(&r, &m->n)
#define GET_u32(n, z) &&rd_u32(&r, &m->n)
#define GET_u64(n, z) &&rd_u64(&r, &m->n)
#define GET_i32(n, z) &&rd_i32(&r, &m->n)
#define GET_i64(n, z) &&rd_i64(&r, &m->n)
#define GET_boolean(n, z) &&rd_bool(&r, &m->n)
#define GET_arr(n, z) &&rd_copy(&r, m->n, z)
#define GET_hash16(n, z) &&rd_copy(&r, HASH_BYTES(m->n))
#define GET_id32(n, z) &&rd_copy(&r, HASH_BYTES(m->n))
#define GET_fp(n, z) &&rd_copy(&r, HASH_BYTES(m->n))
#define GET_var(n, z) &&get_var(&r, m->n, &m->n##_len, z)
#define GET_str(n, z) &&rd_str(&r, m->n, sizeof(m->n))
#define GET(kind, n, z) GET_##kind(n, z)

#define MSG_CODE(name, from, to, lo, hi)                                       \
	void msg_put_##name(struct wr *w, const struct msg_##name *m)          \
	{                                                                      \
		(void)w;                                                       \
		(void)m;                                                       \
		MSG_##name(PUT)                                                \
	}                                                                      \
	bool msg_get_##name(struct rd r, struct msg_##name *m)                 \
	{                                                                      \
		memset(m, 0, sizeof(*m));                                      \
		return true MSG_##name(GET) && rd_end(&r);                     \
	}
IPC_MESSAGES(MSG_CODE)

#define LEAST_u8(z) 1
#define LEAST_u16(z) 2
#define LEAST_u32(z) 4
#define LEAST_u64(z) 8
#define LEAST_i32(z) 4
#define LEAST_i64(z) 8
#define LEAST_boolean(z) 1
#define LEAST_arr(z) (z)
#define LEAST_hash16(z) 16
#define LEAST_id32(z) 32
#define LEAST_fp(z) 32
#define LEAST_var(z) 2
#define LEAST_str(z) 2
#define LEAST(kind, n, z) +LEAST_##kind(z)

#define MSG_FITS(name, from, to, lo, hi)                                       \
	_Static_assert(IPC_SIZE_##name <= IPC_MAX, #name " too long");         \
	_Static_assert((hi) <= IPC_FDS_MAX, #name ": too many descriptors");
IPC_MESSAGES(MSG_FITS)

/*
 * Each receiver in the mask has a handler: its own, or common/program.c's; but
 * for what is read before the loop, audit's among its own processes, and what
 * a command hears of an egress of its own.
 */
#define HANDLED(p, to)                                                         \
	(IPC_HAS(ANY, to) || IPC_HAS(p, to) == (IPC_SET_##to >> PROGRAM_##p & 1))
#define MSG_HANDLED(name, from, to, lo, hi)                                    \
	_Static_assert(IPC_##name == IPC_KEY_MATERIAL ||                       \
		(IPC_##name >= IPC_R_NEXT && IPC_##name <= IPC_R_DONE) ||      \
		(IPC_##name >= IPC_PULL && IPC_##name <= IPC_PULL_END) ||      \
		(HANDLED(PARENT, to) && HANDLED(TRANSPORT, to) &&              \
		    HANDLED(NODE, to) && HANDLED(TRUST, to) &&                 \
		    HANDLED(KEYS, to) && HANDLED(EGRESS, to) &&                \
		    HANDLED(JAIL, to) &&                                       \
		    HANDLED(AUDIT, to)),                                       \
	    #name ": a receiver without a handler");
IPC_MESSAGES(MSG_HANDLED)

static const struct ipc_row rows[IPC_TYPES] = {
#define MSG_ROW(name, from, to, lo, hi)                                        \
	[IPC_##name] = {#name, IPC_SET_##from, IPC_SET_##to, lo, hi,           \
	    0 MSG_##name(LEAST), IPC_SIZE_##name - 2},
    IPC_MESSAGES(MSG_ROW)
};

const struct ipc_row *
ipc_row(unsigned type)
{
	return type > IPC_NONE && type < IPC_TYPES ? &rows[type] : NULL;
}

bool
ipc_related(enum program a, enum program b)
{
	/* its own processes get their channels from itself */
	for (unsigned t = IPC_NONE + 1; a != b && t < IPC_TYPES; t++) {
		const struct ipc_row *r = &rows[t];

		if (t != IPC_HELLO &&
		    ((r->senders >> a & 1 && r->receivers >> b & 1) ||
			(r->senders >> b & 1 && r->receivers >> a & 1)))
			return true;
	}
	return false;
}
