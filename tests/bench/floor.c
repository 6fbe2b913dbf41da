/* SPDX-License-Identifier: BSD-2-Clause */
/* The floor of this machine: "ed25519 US sha256 US", medians. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <nettle/sha2.h>
#include <rns/hash.h>
#include <sodium.h>

#include "common/clock.h"

#define ROUNDS 301
/* as of announces: one that comes again is checked in 3 % less */
#define SIGNERS 256

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(void)
{
	static double us[ROUNDS];
	static uint8_t pk[SIGNERS][32], sig[SIGNERS][64], msg[SIGNERS][180];
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
			if (crypto_sign_verify_detached(sig[n % SIGNERS],
				msg[n % SIGNERS], sizeof(msg[0]),
				pk[n % SIGNERS]) != 0)
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
	printf("sha256 %.3f\n", us[ROUNDS / 2]);
	return 0;
}
