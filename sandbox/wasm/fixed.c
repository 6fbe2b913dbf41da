/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/fixed.h"

#include <string.h>

#include "sandbox/wasm/guest.h"

#define EPOCH_NS UINT64_C(946684800000000000) /* 2000-01-01 */
#define STEP_NS 1000

uint64_t
fixed_clock_ns(void)
{
	static uint64_t reads;

	return EPOCH_NS + STEP_NS * reads++;
}

/* splitmix64: no secret is made of it */
void
fixed_random(uint8_t *out, size_t n)
{
	static uint64_t state;
	uint64_t z = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0) {
			z = state += UINT64_C(0x9e3779b97f4a7c15);
			z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
			z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
			z ^= z >> 31;
		}
		out[i] = (uint8_t)(z >> i % 8 * 8);
	}
}

static uint32_t
clock_time_get(struct guest *g, const wasmtime_val_t *a)
{
	return guest_put_u64(g, guest_u32(&a[2]), fixed_clock_ns()) ? WASI_OK :
	    WASI_FAULT;
}

static uint32_t
random_get(struct guest *g, const wasmtime_val_t *a)
{
	uint32_t n = guest_u32(&a[1]);
	uint8_t *p = guest_at(g, guest_u32(&a[0]), n);

	if (p == NULL)
		return WASI_FAULT;
	fixed_random(p, n);
	return WASI_OK;
}

wasmtime_error_t *
fixed_define(wasmtime_linker_t *l)
{
	static const struct guest_call calls[] = {
	    {"clock_time_get", "iIi", clock_time_get},
	    {"random_get", "ii", random_get}};

	wasmtime_linker_allow_shadowing(l, true);
	return guest_define(l, calls, 2, NULL);
}
