/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/watchfeed.h"

#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/host/world.h"
#include "node/work/watchdog.h"

void
watchfeed(struct warren_node *wn, struct job *j)
{
	struct msg_D_LOG m = {.job = j->id};
	uint64_t at;
	uint32_t len;
	ssize_t n;

	_Static_assert(WATCHDOG_SAMPLE <= sizeof(m.text), "a sample fits");
	for (unsigned i = 0; i < 2; i++) {
		while ((len = watchdog_sample(&wn->node, j, i, &at)) > 0) {
			n = logs_read(wn->logs, j, i + 1, at, m.text, len);
			if (n <= 0)
				break;
			m.stream = (uint8_t)i;
			m.seq = at;
			m.text_len = (uint16_t)n;
			outbox_D_LOG(wn, &m, NULL, 0);
		}
	}
}
