/* SPDX-License-Identifier: BSD-2-Clause */
/* The propagation node: what it is given, and what it is asked for. */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "transport/core/base/crypt.h"
#include "transport/lxmf/post_state.h"

#define WORD_US (30 * MONO_SECOND) /* ours: until the caller has its word */
#define ANSWER_US (5 * 60 * MONO_SECOND) /* ours: an answer, and all of it */
#define IDENTIFIES 3		   /* ours: it may be lost twice */
#define TAKES_NOTHING "the propagation node is not known, or takes nothing now"
#define GET_ROOM (8 + 2 * POST_WANTED * 34)

static bool
has_letters(const struct post *p)
{
	const struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step >= OUT_NODE)
			return true;
	return false;
}

static bool
wanted(const struct post *p)
{
	return p->look != LOOK_NONE || has_letters(p);
}

void
node_hang_up(struct post *p)
{
	if (p->node_has_link)
		post_link_close(p, &p->node_link);
	p->node_has_link = false;
	p->node = NODE_IDLE;
	p->node_tag = 0;
}

static const struct hash16 *
node_now(const struct post *p)
{
	return &p->conf.nodes[p->in_use];
}

/* Its look ended, and the next one's begins, or all have been looked into. */
static void
look_end(struct post *p, enum post_look how)
{
	unsigned n = p->looked;

	if (p->look == LOOK_NONE)
		return;
	if (p->look_nodes++ == 0 || p->look_how != POST_LOOK_DONE)
		p->look_how = how;
	p->look_tag = 0;
	/* what has no word yet will be fetched again, or was kept */
	for (unsigned i = 0; i < POST_PENDING; i++)
		if (p->pending[i].by == POST_BY_NODE)
			p->pending[i].handle = 0;
	if (p->look_nodes < p->conf.nnodes) {
		p->look = LOOK_WANTED;
		p->look_node = (p->look_node + 1) % p->conf.nnodes;
		return;
	}
	p->look = LOOK_NONE;
	p->looked = 0;
	p->io.looked(p->io.arg, p->look_how, n);
}

/* The next one is tried at once, until none was to be had. */
static void
next_node(struct post *p, struct mono now)
{
	int64_t wait = POST_AGAIN_US << MIN_OF(p->node_tries, 6u);

	p->in_use = (p->in_use + 1) % p->conf.nnodes;
	if (++p->lost_row < p->conf.nnodes) {
		p->node_again = now;
		return;
	}
	p->lost_row = 0;
	p->node_tries++;
	p->node_again = mono_add(now, MIN_OF(wait, POST_AGAIN_MAX));
}

/* The node cannot be had now: who waits for it waits on, or ends. */
static void
node_lost(struct post *p, const char *why, struct mono now)
{
	bool looks = p->look_node == p->in_use;
	struct out *o, *next;

	node_hang_up(p);
	p->tried[p->in_use].failed++;
	p->tried[p->in_use].why = why;
	next_node(p, now);
	for (o = TAILQ_FIRST(&p->outs); o != NULL; o = next) {
		next = TAILQ_NEXT(o, entry);
		if (o->step < OUT_NODE)
			continue;
		/* its stamp stays good: nothing of it is tied to the link */
		o->why = why;
		o->cmd = 0;
		free(o->wire);
		o->wire = NULL;
		if (o->step == OUT_NODE_STAMP)
			continue;
		o->step = o->sealed != NULL ? OUT_NODE_READY : OUT_NODE;
		if (o->way != POST_ANY)
			continue;
		/* its destination may have come nearer meanwhile */
		o->direct_tries = 0;
		o->step = OUT_WAIT;
		o->at = mono_min(p->node_again, o->until);
	}
	if (looks)
		look_end(p, POST_LOOK_UNREACHED);
}

static void
node_good(struct post *p)
{
	p->node_tries = p->lost_row = 0;
}

/* ---- letters for it ---- */

void
node_take(struct post *p, struct out *o, struct mono now)
{
	if (p->conf.nnodes == 0) {
		out_again(p, o, "there is no propagation node", now);
		return;
	}
	o->step = o->sealed != NULL ? OUT_NODE_READY : OUT_NODE;
}

/*
 * Sealed, and the search for its stamp begun; needs the node's announce. False:
 * the letter has ended, and is gone.
 */
static bool
seal(struct post *p, struct out *o, const struct lxmf_node *node,
    struct mono now)
{
	uint8_t random[LXMF_SEAL_RANDOM], start[STAMP_LEN], ratchet[RNS_RATCHET];
	struct stamp_work work;
	struct rns_known k;
	bool known = p->io.known(p->io.arg, &o->dest, &k), has_ratchet;
	struct id32 id;

	if (!o->has_pub && !known) {
		post_path_request(p, &o->dest);
		out_again(p, o, "the key of its destination is not known", now);
		return true;
	}
	has_ratchet = known && k.ratchet != NULL;
	if (has_ratchet)
		memcpy(ratchet, k.ratchet, sizeof(ratchet));
	if (!o->has_pub)
		memcpy(o->pub, k.public_key, sizeof(o->pub));
	o->has_pub = true;
	p->io.random(p->io.arg, random, sizeof(random));
	p->io.random(p->io.arg, start, sizeof(start));
	o->sealed = malloc(LXMF_SEALED(o->len));
	if (o->sealed == NULL) {
		out_again(p, o, "out of memory", now);
		return true;
	}
	if (lxmf_seal(o->sealed, &o->sealed_len, LXMF_SEALED(o->len), &id,
		o->packed, o->len, o->pub, has_ratchet ? ratchet : NULL,
		random) != RNS_OK) {
		out_end(p, o, POST_FAILED,
		    "the key given is not that of its destination");
		return false;
	}
	if (node->message_kb > 0 && o->sealed_len > node->message_kb * 1000) {
		out_end(p, o, POST_FAILED,
		    "it is larger than the propagation node takes");
		return false;
	}
	o->sealed_cost = node->cost;
	stamp_work(&work, &id, sizeof(id), LXMF_NODE_ROUNDS);
	stamp_search_begin(&o->search, &work,
	    MIN_OF(node->cost * STAMP_BIT, STAMP_COST_MAX), start);
	o->step = OUT_NODE_STAMP;
	return true;
}

void
node_stamped(struct post *p, struct out *o, struct mono now)
{
	memcpy(o->wire_stamp, o->search.stamp, STAMP_LEN);
	o->step = OUT_NODE_READY;
	node_tick(p, now);
}

static void
hand_over(struct post *p, struct out *o, struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_SEND};
	size_t cap = o->sealed_len + STAMP_LEN + 32;
	struct lxmf m = {0};

	/* no clock is here: the time that the message has is as good */
	(void)lxmf_parse(&m, o->packed, o->len);
	o->wire = malloc(cap);
	if (o->wire == NULL ||
	    lxmf_node_put(o->wire, &o->wire_len, cap, m.time, o->sealed,
		o->sealed_len, o->wire_stamp) != RNS_OK) {
		out_again(p, o, "out of memory", now);
		return;
	}
	o->cmd = post_tag(p);
	o->resource = out_by_resource(o, o->wire_len, p->node_mdu);
	if (o->resource) {
		cmd.type = RNS_CMD_RESOURCE_SEND;
		cmd.resource.link = p->node_link;
		cmd.resource.data = o->wire;
		cmd.resource.len = o->wire_len;
		cmd.resource.compress = false; /* it is encrypted already */
		cmd.resource.tag = o->cmd;
	} else {
		cmd.packet.dest = p->node_link;
		cmd.packet.data = o->wire;
		cmd.packet.len = o->wire_len;
		cmd.packet.receipt = true;
		cmd.packet.tag = o->cmd;
	}
	o->step = OUT_NODE_SENT;
	o->at = mono_add(now, o->resource ? 30 * POST_LINK_US : POST_LINK_US);
	if (post_do(p, &cmd) != RNS_OK)
		node_lost(p, "the link to the propagation node broke", now);
}

/* ---- looking ---- */

static void
request(struct post *p, const uint8_t *data, size_t n, uint64_t most,
    struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_REQUEST};

	p->look_tag = post_tag(p);
	cmd.request.link = p->node_link;
	cmd.request.path = LXMF_GET;
	cmd.request.data = data;
	cmd.request.len = n;
	cmd.request.timeout_us = POST_LINK_US;
	cmd.request.max_response = most;
	cmd.request.tag = p->look_tag;
	p->look_at = mono_add(now, ANSWER_US);
	if (post_do(p, &cmd) != RNS_OK)
		node_lost(p, "the link to the propagation node broke", now);
}

static void
ask_list(struct post *p, struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_IDENTIFY};
	uint8_t data[8];
	size_t n;

	cmd.identify.link = p->node_link;
	memcpy(cmd.identify.identity, p->conf.identity, RNS_KEY);
	(void)post_do(p, &cmd); /* without, the answer says so */
	memset(cmd.identify.identity, 0, RNS_KEY);
	p->look = LOOK_LIST;
	(void)lxmf_get_list(data, &n, sizeof(data));
	request(p, data, n, LXMF_LISTED * 34 + 64, now);
}

static void
ask_messages(struct post *p, struct lxmf_list *list, struct mono now)
{
	struct id32 want[POST_WANTED];
	uint64_t kb = MAX_OF(p->conf.message_max / 1000, 1u);
	uint8_t data[GET_ROOM];
	const uint8_t *id;
	size_t nwant = 0, len, n;

	while (nwant < POST_WANTED && lxmf_list_next(list, &id, &len))
		if (len == sizeof(want[0]))
			memcpy(&want[nwant++], id, len);
	p->look_more = list->n > 0;
	if (nwant == 0) {
		look_end(p, POST_LOOK_DONE);
		return;
	}
	p->look = LOOK_GET;
	(void)lxmf_get_pack(data, &n, sizeof(data), want, nwant, NULL, 0, kb);
	request(p, data, n, (kb + 64) * 1024 + 65536, now);
}

/* A sealed message, with or without the stamp that it was stored by. */
static void
fetched(struct post *p, const uint8_t *sealed, size_t n)
{
	struct pending of = {.by = POST_BY_NODE}, *slot;
	uint8_t *buf = malloc(n + 16);
	size_t len;

	crypt_sha256(&of.hash, sealed, n);
	if (buf == NULL)
		return;
	if (lxmf_unseal(buf, &len, n + 16, NULL, sealed, n, p->conf.identity,
		(const uint8_t (*)[RNS_RATCHET])p->keys, p->nkeys) == RNS_OK && in_message(p, buf, len, &of)) {
		p->looked++;
	} else if ((slot = in_find(p, 0)) != NULL) {
		/* nobody can ever read it: away with it */
		p->counts.malformed++;
		*slot = of;
		slot->handle = ++p->next_handle;
		slot->word = slot->kept = true;
	}
	free(buf);
}

static void
take_messages(struct post *p, struct lxmf_list *list, struct mono now)
{
	const uint8_t *sealed;
	size_t n;

	if (list->n == 0) { /* all of them are larger than we take */
		p->counts.too_large++;
		look_end(p, POST_LOOK_DONE);
		return;
	}
	p->look = LOOK_WORD;
	p->look_at = mono_add(now, WORD_US);
	while (lxmf_list_next(list, &sealed, &n))
		fetched(p, sealed, n);
	node_word(p, now);
}

/* What was kept is deleted there; what was not comes another time. */
static void
delete_kept(struct post *p, struct mono now)
{
	struct id32 have[POST_WANTED];
	uint8_t data[GET_ROOM];
	size_t nhave = 0, n;

	for (unsigned i = 0; i < POST_PENDING; i++) {
		struct pending *s = &p->pending[i];

		if (s->handle == 0 || s->by != POST_BY_NODE || !s->word)
			continue;
		if (s->kept && nhave < POST_WANTED)
			have[nhave++] = s->hash;
		else if (s->kept)
			continue;
		s->handle = 0;
	}
	p->look_more = p->look_more && nhave > 0;
	if (nhave == 0) {
		look_end(p, POST_LOOK_DONE);
		return;
	}
	p->counts.deleted += nhave;
	p->look = LOOK_DELETE;
	(void)lxmf_get_pack(data, &n, sizeof(data), NULL, 0, have, nhave, 0);
	request(p, data, n, 1024, now);
}

void
node_word(struct post *p, struct mono now)
{
	if (p->look != LOOK_WORD)
		return;
	for (unsigned i = 0; i < POST_PENDING; i++)
		if (p->pending[i].handle != 0 &&
		    p->pending[i].by == POST_BY_NODE && !p->pending[i].word)
			return;
	delete_kept(p, now);
	node_tick(p, now);
}

static void
list_answer(struct post *p, const uint8_t *data, size_t n, struct mono now)
{
	struct lxmf_list list;
	enum lxmf_said said;
	uint64_t code;

	if (!lxmf_got(&said, &code, &list, data, n)) {
		look_end(p, POST_LOOK_MALFORMED);
		return;
	}
	if (said == LXMF_SAID_IDENTITY && ++p->identifies < IDENTIFIES)
		ask_list(p, now);
	else if (said != LXMF_SAID_LIST)
		look_end(p, POST_LOOK_REFUSED);
	else if (p->look == LOOK_LIST)
		ask_messages(p, &list, now);
	else
		take_messages(p, &list, now);
}

static void
answer(struct post *p, const struct rns_event *ev, struct mono now)
{
	p->look_tag = 0;
	if (p->look == LOOK_DELETE && p->look_more)
		ask_list(p, now);
	else if (p->look == LOOK_DELETE)
		look_end(p, POST_LOOK_DONE);
	else
		list_answer(p, ev->response.data, ev->response.len, now);
	node_tick(p, now);
}

/* ---- the link ---- */

static void
open_link(struct post *p, struct mono now)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};

	p->node_tag = post_tag(p);
	cmd.link_open.dest = *node_now(p);
	cmd.link_open.tag = p->node_tag;
	cmd.link_open.resources = RNS_ACCEPT_NONE;
	p->node = NODE_LINK;
	p->node_at = mono_add(now, POST_LINK_US);
	if (post_do(p, &cmd) != RNS_OK)
		node_lost(p, "no link to the propagation node", now);
}

/* Letters that need its announce get their stamp; true: one waits for it. */
static bool
prepare(struct post *p, struct mono now)
{
	struct lxmf_node node;
	struct rns_known k;
	struct out *o, *next;
	bool waits = false;

	if (!p->io.known(p->io.arg, node_now(p), &k) ||
	    !lxmf_node_parse(&node, k.app_data, k.app_data_len))
		return true;
	for (o = TAILQ_FIRST(&p->outs); o != NULL; o = next) {
		next = TAILQ_NEXT(o, entry);
		/* stamped for one that asks less */
		if (o->step == OUT_NODE_READY && o->sealed_cost < node.cost) {
			free(o->sealed);
			o->sealed = NULL;
			o->step = OUT_NODE;
		}
		if (o->step == OUT_NODE && !node.active)
			o->why = "the propagation node takes nothing now";
		else if (o->step == OUT_NODE && !seal(p, o, &node, now))
			continue;
		waits = waits || o->step == OUT_NODE;
	}
	return waits;
}

/* A look into another node than the one in use goes after the letters for it. */
static void
turn_to_look(struct post *p, struct mono now)
{
	if (p->look != LOOK_WANTED || p->look_node == p->in_use ||
	    p->node == NODE_PATH || p->node == NODE_LINK || has_letters(p))
		return;
	node_hang_up(p);
	p->in_use = p->look_node;
	p->node_again = now;
}

static bool
ready(const struct post *p)
{
	const struct out *o;

	if (p->look != LOOK_NONE && p->look_node == p->in_use)
		return true;
	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step == OUT_NODE_READY)
			return true;
	return false;
}

static void
begin(struct post *p, struct mono now)
{
	if (!mono_reached(now, p->node_again) || p->node == NODE_LINK)
		return;
	if (p->io.path(p->io.arg, node_now(p))) {
		bool waits = prepare(p, now);

		if (ready(p)) {
			open_link(p, now);
		} else if (waits) {
			post_path_request(p, node_now(p));
			node_lost(p, TAKES_NOTHING, now);
		}
	} else if (p->node == NODE_IDLE) {
		post_path_request(p, node_now(p));
		p->node = NODE_PATH;
		p->node_at = mono_add(now, POST_PATH_US);
	}
}

/* Something goes on over its link, or is about to. */
static bool
link_busy(const struct post *p)
{
	const struct out *o;

	if (p->look != LOOK_NONE && p->look_node == p->in_use)
		return true;
	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step > OUT_NODE)
			return true;
	return false;
}

static void
use_link(struct post *p, struct mono now)
{
	struct out *o, *next;
	bool waits = prepare(p, now);

	for (o = TAILQ_FIRST(&p->outs); o != NULL && p->node == NODE_UP;
	     o = next) {
		next = TAILQ_NEXT(o, entry);
		if (o->step == OUT_NODE_READY)
			hand_over(p, o, now);
	}
	if (p->node == NODE_UP && p->look == LOOK_WANTED &&
	    p->look_node == p->in_use)
		ask_list(p, now);
	if (p->node == NODE_UP && !wanted(p))
		node_hang_up(p);
	else if (p->node == NODE_UP && waits && !link_busy(p))
		node_lost(p, TAKES_NOTHING, now);
}

void
node_tick(struct post *p, struct mono now)
{
	struct out *o;

	if (p->conf.nnodes == 0 || (!wanted(p) && p->node != NODE_UP))
		return;
	turn_to_look(p, now);
	if (p->node == NODE_UP)
		use_link(p, now);
	else
		begin(p, now);
	if ((p->node == NODE_PATH || p->node == NODE_LINK) &&
	    mono_reached(now, p->node_at))
		node_lost(p, p->node == NODE_PATH ?
			"there is no path to the propagation node" :
			"the propagation node does not answer", now);
	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step == OUT_NODE_SENT && mono_reached(now, o->at)) {
			node_lost(p, "the propagation node does not answer",
			    now);
			break;
		}
	if (p->look == LOOK_WORD && mono_reached(now, p->look_at))
		delete_kept(p, now);
	else if (p->look > LOOK_WANTED && mono_reached(now, p->look_at))
		node_lost(p, "the propagation node does not answer", now);
}

/* While stamps are searched for there is nothing to do for the node. */
static struct mono
idle_until(const struct post *p)
{
	const struct out *o;

	if (ready(p) || !has_letters(p))
		return p->node_again;
	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step == OUT_NODE)
			return p->node_again;
	return MONO_NEVER;
}

/* A look that has not begun waits for no event: it can begin. */
static bool
look_due(const struct post *p)
{
	return p->look == LOOK_WANTED && p->node == NODE_UP &&
	    (p->look_node == p->in_use || !has_letters(p));
}

struct mono
node_deadline(const struct post *p)
{
	struct mono at = MONO_NEVER;
	const struct out *o;

	if (p->conf.nnodes == 0 || !wanted(p))
		return at;
	if (p->node == NODE_IDLE)
		at = idle_until(p);
	else if (p->node != NODE_UP)
		at = p->node_at;
	if (p->look > LOOK_WANTED)
		at = mono_min(at, p->look_at);
	else if (look_due(p))
		at = mono_min(at, p->node_again); /* which is over */
	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step == OUT_NODE_SENT)
			at = mono_min(at, o->at);
	return at;
}

/* ---- events ---- */

static bool
link_event(struct post *p, const struct rns_event *ev, struct mono now)
{
	bool ours = (p->node_tag != 0 && ev->link.tag == p->node_tag) ||
	    (p->node_has_link && hash16_eq(&ev->link.id, &p->node_link));

	if (!ours)
		return false;
	if (ev->type == RNS_EV_LINK_CLOSED) {
		p->node_has_link = false;
		node_lost(p, p->node == NODE_UP ?
			"the propagation node closed the link" :
			"the propagation node does not answer", now);
		return true;
	}
	p->node_has_link = true;
	p->node_link = ev->link.id;
	if (ev->type != RNS_EV_LINK_UP)
		return true;
	p->node = NODE_UP;
	p->node_mdu = ev->link.mdu;
	p->identifies = 0;
	use_link(p, now);
	return true;
}

static bool
stored(struct post *p, uint64_t tag, bool good, struct mono now)
{
	struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step == OUT_NODE_SENT && o->cmd == tag)
			break;
	if (o == NULL)
		return false;
	if (!good && !o->resource) {
		o->late = true;
		free(o->wire);
		o->wire = NULL;
		hand_over(p, o, now);
		return true;
	}
	if (!good) {
		node_lost(p, "the propagation node did not take it", now);
		return true;
	}
	node_good(p);
	out_end(p, o, POST_STORED, NULL);
	node_tick(p, now);
	return true;
}

bool
node_event(struct post *p, const struct rns_event *ev, struct mono now)
{
	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
	case RNS_EV_LINK_UP:
	case RNS_EV_LINK_CLOSED:
		return link_event(p, ev, now);
	case RNS_EV_RECEIPT:
		return stored(p, ev->receipt.tag,
		    ev->receipt.status == RNS_RECEIPT_DELIVERED, now);
	case RNS_EV_SENT:
		return stored(p, ev->sent.tag,
		    ev->sent.status == RNS_RES_COMPLETE, now);
	case RNS_EV_RESPONSE:
		if (p->look_tag == 0 || ev->response.tag != p->look_tag)
			return false;
		node_good(p);
		answer(p, ev, now);
		return true;
	case RNS_EV_REQUEST_FAILED:
		if (p->look_tag == 0 || ev->response.tag != p->look_tag)
			return false;
		if (p->look == LOOK_DELETE) /* an answer says nothing */
			look_end(p, POST_LOOK_DONE);
		else
			node_lost(p, "the propagation node does not answer",
			    now);
		return true;
	default:
		return false;
	}
}
