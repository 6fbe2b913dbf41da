/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three whole cores, endpoint - relay - endpoint, that really talk to each
 * other. The input says what the programs want, how each packet under way
 * fares, and how much time goes by: pairs of a kind and an argument.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/sim/trio.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define STEPS_MAX 400

/* Kinds: programs' wishes, fates of packets, time. */
#define KIND_FATE 32
#define KIND_TIME 48

static void
step(struct trio *t, uint8_t kind, uint8_t arg)
{
	unsigned from = (arg & 1) != 0 ? TRIO_B : TRIO_A;

	if (kind < KIND_FATE)
		trio_do(t, (enum trio_what)(kind % TRIO_WHATS), from);
	else if (kind < KIND_TIME)
		(void)trio_next(t, (enum trio_fate)(kind % TRIO_FATES),
		    arg * 7919u);
	else if (kind < 128)
		for (unsigned i = 0; i < arg; i++)
			(void)trio_next(t, TRIO_DELIVER, 0);
	else
		trio_run(t, (int64_t)arg * (kind - 127) * 1000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trio t;

	if (size < 1)
		return 0;
	if (!trio_open(&t, (data[0] & 1) != 0))
		abort();
	for (size_t i = 1; i + 1 < size && i / 2 < STEPS_MAX; i += 2) {
		step(&t, data[i], data[i + 1]);
		if (!trio_bounded(&t))
			abort();
	}
	trio_run(&t, 1000000);
	trio_close(&t);
	return 0;
}
