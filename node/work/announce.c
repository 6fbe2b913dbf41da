/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/announce.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "node/work/ready.h"
#include "trust/doc/binding.h"
#include "trust/doc/spread.h"
#include "trust/doc/tlv.h"

/* All that it states; what is about authorities is not looked at for changes. */
/* One whose own key is listed speaks for no authority (klp.md 4.6). */
static bool
mirrors(const struct node *n)
{
	return n->heads_len > 0 && !n->self_listed;
}

static void
state_of(const struct node *n, struct app_data *a)
{
	struct binding b;

	*a = (struct app_data){.has_caps = true};
	if (n->has_binding &&
	    binding_parse(&b, n->binding, BINDING_LEN)) {
		a->has_binding = true;
		binding_put_announce(a->binding, &b);
	}
	a->caps = (struct app_caps){
	    .roles = (uint16_t)(ROLE_COMPUTE |
		(mirrors(n) ? ROLE_MIRROR : 0) |
		(n->policy.nhub > 0 ? ROLE_HUB : 0)),
	    .runtimes = (uint16_t)node_runtimes(n), .arch = app_arch_here(),
	    .flags = node_accepting(n) ? APP_ACCEPTING : 0,
	    .cpu_milli = (uint32_t)MIN_OF(n->policy.ceiling.v[LIMIT_CPU],
		(uint64_t)UINT32_MAX),
	    .memory_mib = (uint32_t)MIN_OF(n->policy.ceiling.v[LIMIT_MEMORY] >>
		20, (uint64_t)UINT32_MAX),
	    .queue = (uint16_t)MIN_OF(n->policy.jobs_queued, 65535u)};
	(void)snprintf(a->name, sizeof(a->name), "%s", n->policy.name);
}

static size_t
state_put(const struct node *n, uint8_t *out, size_t cap)
{
	struct app_data a;

	state_of(n, &a);
	return app_data_build(out, cap, &a);
}

/* The same with the heads; of them as many as there is room for. */
static size_t
whole_put(const struct node *n, struct app_data *a, uint8_t *out, size_t cap)
{
	struct rd r = rd_make(n->heads, mirrors(n) ? n->heads_len : 0);
	struct app_head h;
	size_t len;

	for (a->nheads = 0; a->nheads < APP_HEADS_MAX &&
	     rd_copy(&r, h.atag, sizeof(h.atag)) && rd_u32(&r, &h.version);)
		a->heads[a->nheads++] = h;
	while ((len = app_data_build(out, cap, a)) == 0 && a->nheads > 0)
		a->nheads--;
	return len;
}

void
announce_hello(struct node *n)
{
	n->greeted = true;
	n->greeted_at = n->now;
	n->announced = false;
}

static void
announce(struct node *n)
{
	struct msg_N_APP_DATA m = {.announce = true};
	struct app_data a;
	size_t len;

	state_of(n, &a);
	len = whole_put(n, &a, m.data, sizeof(m.data));
	n->announce_at = mono_add(n->now,
	    (int64_t)n->policy.announce_every_s * MONO_SECOND);
	if (len == 0)
		return;
	m.data_len = (uint16_t)len;
	n->app_len = state_put(n, n->app_data, sizeof(n->app_data));
	n->announced = true;
	n->announced_at = n->now;
	n->announced_unix = n->unix_now;
	n->changed_at = MONO_NEVER;
	log_debug("announce", "accepting=%d", node_accepting(n));
	n->host.send_N_APP_DATA(n->host.ctx, &m);
}

/*
 * What it states is known, or will not be soon. An announce of an earlier life
 * of ours may carry this very second, and then this one would not be newer.
 */
static struct mono
first_at(const struct node *n)
{
	if (!node_known(n))
		return node_known_at(n);
	if (n->unix_now == n->announced_unix)
		return mono_add(n->now, MONO_SECOND - n->wall_us % MONO_SECOND);
	return n->now;
}

static bool
changed(const struct node *n)
{
	uint8_t now[sizeof(n->app_data)];
	size_t len = state_put(n, now, sizeof(now));

	return len != n->app_len || memcmp(now, n->app_data, len) != 0;
}

/* Not what is over before it was heard: a program that falls and is back. */
static struct mono
change_at(struct node *n)
{
	if (!changed(n)) {
		n->changed_at = MONO_NEVER;
		return MONO_NEVER;
	}
	if (n->stopping)
		return n->now;
	if (n->changed_at.us == MONO_NEVER.us)
		n->changed_at = n->now;
	return (struct mono){MAX_OF(
	    mono_add(n->changed_at, NODE_ANNOUNCE_SETTLE_S * MONO_SECOND).us,
	    mono_add(n->announced_at, NODE_ANNOUNCE_GAP_S * MONO_SECOND).us)};
}

/* What is said with a frame: the binding and the name can be left out. */
static size_t
frame_put(const struct node *n, const struct msg_V_SPREAD *m, uint8_t *out,
    size_t cap)
{
	struct app_data a;
	size_t len;

	state_of(n, &a);
	if (m->say != SPREAD_HEAD) {
		a.delta = m->frame;
		a.delta_len = m->frame_len;
	} else {
		a.head = m->frame;
		a.head_len = m->frame_len;
	}
	if ((len = whole_put(n, &a, out, cap)) > 0)
		return len;
	a.has_binding = false;
	if ((len = whole_put(n, &a, out, cap)) > 0)
		return len;
	a.name[0] = '\0';
	if ((len = whole_put(n, &a, out, cap)) > 0)
		return len;
	a.has_caps = false;
	return whole_put(n, &a, out, cap);
}

void
announce_spread(struct node *n, const struct msg_V_SPREAD *s)
{
	struct msg_N_APP_DATA m = {.announce = true};
	struct app_data a;
	size_t len;

	n->heads_len = MIN_OF((size_t)s->heads_len, sizeof(n->heads));
	memcpy(n->heads, s->heads, n->heads_len);
	/* what is announced first states it as well */
	if (!n->greeted || !n->announced || n->stopping || n->self_listed)
		return;
	state_of(n, &a);
	if (s->say >= SPREAD_DELTA) {
		m.once = true;
		m.slow = s->say == SPREAD_PASS;
		m.not_if = s->not_if;
		len = frame_put(n, s, m.data, sizeof(m.data));
	} else {
		m.announce = m.thrifty = s->say == SPREAD_HEADS;
		len = whole_put(n, &a, m.data, sizeof(m.data));
	}
	if (len == 0)
		return;
	m.data_len = (uint16_t)len;
	if (m.announce)
		log_debug("announce", "of authorities say=%u", s->say);
	n->host.send_N_APP_DATA(n->host.ctx, &m);
}

struct mono
announce_tick(struct node *n)
{
	struct mono at;

	if (!n->greeted || (n->stopping && !n->announced))
		return MONO_NEVER;
	at = n->announced ? mono_min(n->announce_at, change_at(n)) :
	    first_at(n);
	if (!mono_reached(n->now, at))
		return at;
	announce(n);
	return n->announce_at;
}
