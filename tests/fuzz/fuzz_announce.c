/* SPDX-License-Identifier: BSD-2-Clause */
/* Announces: every field lies in the packet; the checks never read beside. */
#include <stdlib.h>

#include "transport/core/base/announce.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *raw, size_t n)
{
	struct announce a;
	struct packet p;

	if (packet_parse(&p, raw, n) != RNS_OK ||
	    announce_parse(&a, &p) != RNS_OK)
		return 0;
	if (n > RNS_MTU || a.signature + RNS_SIG > raw + n ||
	    (a.app_data != NULL && a.app_data + a.app_data_len != raw + n))
		abort();
	(void)announce_signature_ok(&a, &p);
	(void)announce_dest_ok(&a, &p);
	return 0;
}
