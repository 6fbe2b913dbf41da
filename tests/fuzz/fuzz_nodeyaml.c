/* SPDX-License-Identifier: BSD-2-Clause */
/* words: node/config */
/* node.yaml and container profiles: the first byte chooses. */
#include <stddef.h>
#include <stdint.h>

#include "node/config/nodeconf.h"
#include "node/config/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mistakes m = {0};
	struct node_config *c;
	struct profile *p;
	const char *text = (const char *)data;
	char line[600];

	if (len == 0)
		return 0;
	if (data[0] == 'p') {
		if (profile_parse(&p, text + 1, len - 1, &m) == 0)
			profile_free(p);
	} else if (node_config_parse(&c, text + 1, len - 1, &m) == 0) {
		fuzz_taken++;
		node_config_free(c);
	}
	for (unsigned i = 0; i < m.n; i++)
		mistake_line(line, sizeof(line), "f", &m.v[i]);
	return 0;
}
