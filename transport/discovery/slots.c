/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/discovery/slots.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "transport/core/base/crypt.h"

void
slots_endpoint(struct id32 *id, const char *host, uint16_t port)
{
	char text[OFFER_HOST_MAX + 8];

	(void)snprintf(text, sizeof(text), "%s:%u", host, port);
	crypt_sha256(id, text, strlen(text));
}

void
slots_init(struct slots *s, unsigned max)
{
	memset(s, 0, sizeof(*s));
	s->max = MIN_OF(max, SLOTS_MAX);
}

bool
slots_has(const struct slots *s, const struct id32 *endpoint)
{
	for (unsigned i = 0; i < s->max; i++)
		if (s->slot[i].used &&
		    id32_eq(&s->slot[i].endpoint, endpoint))
			return true;
	return false;
}

int
slots_take(struct slots *s, const struct id32 *endpoint, struct mono now)
{
	if (slots_has(s, endpoint))
		return -1;
	for (unsigned i = 0; i < s->max; i++) {
		if (s->slot[i].used)
			continue;
		s->slot[i] = (struct slot){true, false, *endpoint, now};
		return (int)i;
	}
	return -1;
}

void
slots_release(struct slots *s, unsigned i)
{
	s->slot[i].used = false;
}

void
slots_online(struct slots *s, unsigned i, bool online, struct mono now)
{
	if (s->slot[i].online == online)
		return;
	s->slot[i].online = online;
	s->slot[i].since = now;
}

int
slots_overdue(const struct slots *s, struct mono now)
{
	for (unsigned i = 0; i < s->max; i++)
		if (s->slot[i].used && !s->slot[i].online &&
		    mono_sub(now, s->slot[i].since) >= SLOTS_DOWN_US)
			return (int)i;
	return -1;
}

unsigned
slots_up(const struct slots *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->max; i++)
		n += s->slot[i].used && s->slot[i].online;
	return n;
}

bool
slots_hungry(const struct slots *s)
{
	unsigned free = s->max;

	for (unsigned i = 0; i < s->max; i++)
		free -= s->slot[i].used;
	return 4 * free > s->max;
}

enum slots_bootstrap
slots_bootstrap(const struct slots *s)
{
	unsigned up = slots_up(s);

	if (s->max > 0 && up >= s->max)
		return BOOTSTRAP_OFF;
	return up == 0 ? BOOTSTRAP_ON : BOOTSTRAP_AS_IT_IS;
}
