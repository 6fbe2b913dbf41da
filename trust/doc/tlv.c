/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/tlv.h"

#include <string.h>

#include "common/util.h"
#include "common/wire.h"

static bool
get_caps(struct rd *v, struct app_caps *c)
{
	return rd_u16(v, &c->roles) && rd_u16(v, &c->runtimes) &&
	    rd_u8(v, &c->arch) && rd_u8(v, &c->flags) &&
	    rd_u32(v, &c->cpu_milli) && rd_u32(v, &c->memory_mib) &&
	    rd_u16(v, &c->queue) && rd_end(v);
}

static bool
get_heads(struct rd *v, struct app_data *a)
{
	while (!rd_end(v)) {
		struct app_head h;

		if (!rd_copy(v, h.atag, sizeof(h.atag)) ||
		    !rd_u32(v, &h.version))
			return false;
		if (a->nheads < APP_HEADS_MAX)
			a->heads[a->nheads++] = h;
	}
	return true;
}

static bool
get_name(struct rd *v, struct app_data *a)
{
	size_t n = rd_left(v);

	if (n > APP_NAME_MAX || !rd_copy(v, a->name, n) ||
	    memchr(a->name, '\0', n) != NULL || !utf8_valid(a->name, n))
		return false;
	a->name[n] = '\0';
	return true;
}

static bool
get_one(struct app_data *a, uint8_t type, struct rd *v)
{
	switch (type) {
	case TLV_BINDING:
		a->has_binding = true;
		return rd_copy(v, a->binding, sizeof(a->binding)) && rd_end(v);
	case TLV_CAPABILITIES:
		a->has_caps = true;
		return get_caps(v, &a->caps);
	case TLV_HEADS:
		return get_heads(v, a);
	case TLV_NAME:
		return get_name(v, a);
	case TLV_HEAD:
		a->head_len = rd_left(v);
		return rd_ref(v, &a->head, a->head_len);
	case TLV_DELTA:
		a->delta_len = rd_left(v);
		return rd_ref(v, &a->delta, a->delta_len);
	default:
		return true; /* a later version's */
	}
}

bool
app_data_parse(struct app_data *out, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	struct app_data a = {0};
	uint8_t seen[256 / 8] = {0};

	while (!rd_end(&r)) {
		struct rd v;
		uint8_t type;
		uint16_t n;

		if (!rd_u8(&r, &type) || !rd_u16(&r, &n) || !rd_sub(&r, n, &v))
			return false;
		if (seen[type / 8] & 1u << type % 8)
			return false;
		seen[type / 8] |= (uint8_t)(1u << type % 8);
		if (!get_one(&a, type, &v))
			return false;
	}
	*out = a;
	return true;
}

static void
put_head(struct wr *w, uint8_t type, size_t n)
{
	wr_u8(w, type);
	wr_u16(w, (uint16_t)n);
}

size_t
app_data_build(uint8_t *out, size_t cap, const struct app_data *a)
{
	struct wr w = wr_make(out, MIN_OF(cap, TLV_APP_DATA_MAX));
	size_t n = strlen(a->name);

	if (a->has_binding) {
		put_head(&w, TLV_BINDING, sizeof(a->binding));
		wr_bytes(&w, a->binding, sizeof(a->binding));
	}
	if (a->has_caps) {
		const struct app_caps *c = &a->caps;

		put_head(&w, TLV_CAPABILITIES, 16);
		wr_u16(&w, c->roles);
		wr_u16(&w, c->runtimes);
		wr_u8(&w, c->arch);
		wr_u8(&w, c->flags);
		wr_u32(&w, c->cpu_milli);
		wr_u32(&w, c->memory_mib);
		wr_u16(&w, c->queue);
	}
	if (a->nheads > 0 && a->nheads <= APP_HEADS_MAX) {
		put_head(&w, TLV_HEADS, a->nheads * 12u);
		for (unsigned i = 0; i < a->nheads; i++) {
			wr_bytes(&w, a->heads[i].atag, 8);
			wr_u32(&w, a->heads[i].version);
		}
	}
	if (a->head != NULL) {
		put_head(&w, TLV_HEAD, a->head_len);
		wr_bytes(&w, a->head, a->head_len);
	}
	if (a->delta != NULL) {
		put_head(&w, TLV_DELTA, a->delta_len);
		wr_bytes(&w, a->delta, a->delta_len);
	}
	if (n > 0) {
		put_head(&w, TLV_NAME, n);
		wr_bytes(&w, a->name, n);
	}
	return wr_ok(&w) ? w.len : 0;
}

uint8_t
app_arch_here(void)
{
#if defined(__x86_64__)
	return ARCH_X86_64;
#elif defined(__aarch64__)
	return ARCH_AARCH64;
#elif defined(__arm__)
	return ARCH_ARMV7;
#elif defined(__riscv) && __riscv_xlen == 64
	return ARCH_RISCV64;
#elif defined(__mips__)
	return ARCH_MIPS;
#else
	return 0;
#endif
}
