/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/dial.h"

#include <errno.h>

#include "common/util.h"
#include "node/parent/open.h"
#include "node/parent/parent.h"
#include "transport/config/rnsdiff.h"

/*
 * Transport names an interface of config by its place; host, port and device
 * are read from our own copy. When to ask again is transport's decision.
 */
static const struct {
	enum rnsconf_type type;
	open_fn *open;
} openers[] = {
	{RNSCONF_TCP_CLIENT, open_tcp_client},
	{RNSCONF_TCP_SERVER, open_tcp_server},
	{RNSCONF_UDP, open_udp},
	{RNSCONF_AUTO, open_auto},
	{RNSCONF_PIPE, open_pipe},
	{RNSCONF_SERIAL, open_line},
	{RNSCONF_KISS, open_line},
	{RNSCONF_AX25, open_line},
	{RNSCONF_RNODE, open_line},
	{RNSCONF_RNODE_MULTI, open_line},
	{RNSCONF_WEAVE, open_line},
	{RNSCONF_BACKBONE_CLIENT, open_tcp_client},
	{RNSCONF_BACKBONE, open_tcp_server},
	{RNSCONF_I2P, open_i2p},
};

static const struct rnsconf_if *
interface(struct parent *p, uint32_t index)
{
	for (unsigned i = 0; i < p->ifs->nifs; i++)
		if (p->ifs->ifs[i].index == index && p->ifs->ifs[i].enabled)
			return &p->ifs->ifs[i];
	return NULL;
}

static void
ask(struct parent *p, uint32_t index, uint32_t seq, uint32_t generation)
{
	const struct rnsconf_if *c = interface(p, index);
	struct opening *o;
	size_t k = 0;

	/*
	 * Asked before transport had read the config that we go by: another
	 * interface may have that place by now.
	 */
	if (generation != p->generation) {
		opening_refuse(p, index, seq, ESTALE, "config has changed");
		return;
	}
	/*
	 * Who asks again has given the last answer up; but each peer of an I2P
	 * section asks for itself.
	 */
	if (c == NULL || c->type != RNSCONF_I2P)
		opening_forget(p, index);
	while (c != NULL && k < NELEM(openers) && openers[k].type != c->type)
		k++;
	if (c == NULL || k == NELEM(openers)) {
		opening_refuse(p, index, seq, EINVAL, "no such interface");
		return;
	}
	if ((o = opening_new(p, index, seq)) == NULL)
		opening_refuse(p, index, seq, ENOMEM, "too many at once");
	else
		openers[k].open(o, c);
}

void
dial(struct parent *p, const struct msg_DIAL *m)
{
	ask(p, m->index, m->seq, m->generation);
}

void
dial_bind(struct parent *p, const struct msg_BIND *m)
{
	ask(p, m->index, m->seq, m->generation);
}

void
dial_left(struct parent *p, const struct msg_LEFT *m)
{
	/* by its place in another config it would be another one */
	if (m->generation == p->generation)
		opening_forget(p, m->index);
}

/* ---- another configuration ---- */

struct place {
	uint32_t was;
	const struct rnsconf_if *now; /* NULL: it is gone, or another one */
};

static void
find_place(void *ctx, enum rnsdiff what, struct rnsconf_if *was,
    struct rnsconf_if *now)
{
	struct place *at = ctx;

	if (what == RNSDIFF_SAME && was->index == at->was)
		at->now = now;
}

void
dial_reload(struct parent *p, const struct rnsconf *was)
{
	struct opening *o, *next;

	for (o = p->openings; o != NULL; o = next) {
		struct place at = {.was = o->index};

		next = o->next;
		if (o->index == RNSCONF_FOUND)
			continue;
		rnsconf_diff(was, p->ifs, find_place, &at);
		if (at.now != NULL)
			o->index = at.now->index;
		else
			opening_over(o);
	}
}

void
dial_clear(struct parent *p)
{
	opening_clear(p);
}
