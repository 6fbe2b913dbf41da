/* SPDX-License-Identifier: BSD-2-Clause */
/* The floor of this machine: "ed25519 US sha256 US paced US"; the first two
 * are medians, the third is a mean of CPU time, as a relay's figures are. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <nettle/sha2.h>
#include <rns/hash.h>
#include <sodium.h>

#include "common/clock.h"
#include "tests/until.h"

#define ROUNDS 301
/* as relay.py gives announces to a relay: so many, and a pause. What a check
 * costs a program that slept, with its tables out of the caches. */
#define BATCH 32
#define PACE_US 20000
#define PACED 50
/* as of announces: one that comes again is checked in 3 % less */
#define SIGNERS 256

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static uint8_t pk[SIGNERS][32], sig[SIGNERS][64], msg[SIGNERS][180];

/* Announce n of the SIGNERS. */
static int
check(unsigned n)
{
	n %= SIGNERS;
	return crypto_sign_verify_detached(sig[n], msg[n], sizeof(msg[n]),
	    pk[n]);
}

/* CPU us of this program. */
static double
spent(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int
main(void)
{
	static double us[ROUNDS];
	uint8_t sk[64], big[450];
	struct id32 out;
	struct sha256_ctx h;
	unsigned n = 0;

	if (sodium_init() < 0)
		return 1;
	randombytes_buf(msg, sizeof(msg));
	randombytes_buf(big, sizeof(big));
	for (int i = 0; i < SIGNERS; i++) {
		(void)crypto_sign_keypair(pk[i], sk);
		(void)crypto_sign_detached(sig[i], NULL, msg[i],
		    sizeof(msg[i]), sk);
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct mono t = clock_mono();

		for (unsigned k = 0; k < 10; k++, n++)
			if (check(n) != 0)
				return 1;
		us[i] = (double)mono_sub(clock_mono(), t) / 10;
	}
	qsort(us, ROUNDS, sizeof(us[0]), by_value);
	printf("ed25519 %.2f ", us[ROUNDS / 2]);
	for (int i = 0; i < ROUNDS; i++) {
		struct mono t = clock_mono();

		for (int k = 0; k < 100; k++) {
			sha256_init(&h);
			sha256_update(&h, sizeof(big), big);
			sha256_digest(&h, sizeof(out), out.b);
		}
		us[i] = (double)mono_sub(clock_mono(), t) / 100;
	}
	qsort(us, ROUNDS, sizeof(us[0]), by_value);
	printf("sha256 %.3f ", us[ROUNDS / 2]);
	us[0] = spent();
	for (int i = 0; i < PACED; i++) {
		for (unsigned k = 0; k < BATCH; k++, n++)
			if (check(n) != 0)
				return 1;
		quiet(PACE_US, "it is the pace");
	}
	printf("paced %.2f\n", (spent() - us[0]) / (PACED * BATCH));
	return 0;
}
