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
	uint8_t pk[32], sk[64], sig[64], msg[180], big[450];
	struct id32 out;
	struct sha256_ctx h;

	if (sodium_init() < 0)
		return 1;
	randombytes_buf(msg, sizeof(msg));
	randombytes_buf(big, sizeof(big));
	(void)crypto_sign_keypair(pk, sk);
	(void)crypto_sign_detached(sig, NULL, msg, sizeof(msg), sk);
	for (int i = 0; i < ROUNDS; i++) {
		struct mono t = clock_mono();

		for (int k = 0; k < 10; k++)
			if (crypto_sign_verify_detached(sig, msg, sizeof(msg),
				pk) != 0)
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
