/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/promptness.h"

bool
prompt_due(const struct promptness *p, struct mono now)
{
	return now.us - p->at.us >= PROMPT_LOOK_US;
}

bool
prompt_look(struct promptness *p, struct mono now, int64_t used_us)
{
	int64_t wall = now.us - p->at.us, used = used_us - p->used_us;
	bool first = p->at.us == 0;

	p->at = now;
	p->used_us = used_us;
	if (first)
		return p->prompt;
	if (used * 4 > wall) {
		prompt_out(p);
		return false;
	}
	p->calm_us += wall;
	if (p->calm_us >= PROMPT_CALM_US)
		p->prompt = true;
	return p->prompt;
}

void
prompt_out(struct promptness *p)
{
	p->prompt = false;
	p->calm_us = 0;
}
