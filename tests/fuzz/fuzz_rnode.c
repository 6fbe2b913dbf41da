/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device behind the machine of RNodes: a byte of options, then what it says,
 * each piece behind its length and the time before it (64 ms).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rnodekit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kit k;
	struct rnode_conf c = {.nradios = 1, .callsign = "SPEC-1",
	    .id_interval_s = 3};
	size_t take;

	if (n == 0)
		return 0;
	c.multi = (data[0] & 1) != 0;
	c.tcp = (data[0] & 2) != 0;
	c.nradios = c.multi ? 1u + (data[0] >> 4) : 1u;
	if (c.nradios > RNODE_RADIOS)
		c.nradios = RNODE_RADIOS;
	for (unsigned i = 0; i < c.nradios; i++)
		c.want[i] = (struct rnode_want){.vport = i, .frequency =
		    868200000, .bandwidth = 125000, .txpower = 7, .sf = 8,
		    .cr = 5, .flow_control = (data[0] & 4) != 0};
	kit_begin(&k, &c);
	kit_run(&k, 2000000);
	for (data++, n--; n >= 2; data += 2 + take, n -= 2 + take) {
		take = data[0] < n - 2 ? data[0] : n - 2;
		kit_run(&k, data[1] * 64000);
		kit_says(&k, data + 2, take);
		for (unsigned i = 0; i < c.nradios; i++)
			if (k.r.m.kind->takes(&k.r.m, i))
				k.r.m.kind->send(&k.r.m, i, data,
				    take < 100 ? take + 2 : 2, k.now);
		kit_forget(&k);
	}
	kit_run(&k, 20000000);
	k.r.m.kind->closing(&k.r.m);
	if (k.faults > 1 || k.r.life.refused != 0)
		abort();
	return 0;
}
