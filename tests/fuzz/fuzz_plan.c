/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans, their args and reports, as jail reads them. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/plan/plan.h"
#include "sandbox/base/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* Of each of the three. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct plan_limits limits = {
		.required = LAYERS_FLOOR, .available = LAYERS_KNOWN,
		.memory = 1u << 30, .cpu_milli = 4000, .pids = 256,
		.time_ms = 3600000, .output = 1u << 30, .slots = 4,
		.nvolumes = 2};
	static struct plan_args args;
	uint8_t buf[PLAN_BYTES_MAX];
	struct plan plan;
	struct report report;
	const char *why;
	size_t len;

	if (n == 0)
		return 0;
	switch (p[0] % 3) {
	case 0:
		if (!plan_decode(rd_make(p + 1, n - 1), &plan))
			break;
		took(0);
		(void)plan_check(&plan, &limits, &why);
		struct wr w = wr_make(buf, sizeof(buf));
		plan_encode(&w, &plan);
		/* what was decoded is what is encoded */
		if (!wr_ok(&w) || w.len != n - 1 ||
		    memcmp(buf, p + 1, w.len) != 0)
			abort();
		break;
	case 1:
		if (plan_args_parse(p + 1, n - 1, &args) == NULL) {
			took(1);
			/* its beginning by itself is what it is there */
			len = plan_targets_len(&args);
			if (len > n - 1 || plan_targets_parse(p + 1, len,
			    &args) != NULL)
				abort();
		}
		(void)plan_targets_parse(p + 1, n - 1, &args);
		break;
	default:
		len = report_parse(p + 1, n - 1, &report);
		if (len > n - 1)
			abort();
		if (len > 0)
			took(2);
		break;
	}
	return 0;
}
