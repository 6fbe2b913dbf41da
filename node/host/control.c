/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/asksock.h"
#include "common/jsonhex.h"
#include "common/runner.h"
#include "node/host/blobs.h"
#include "node/host/control_impl.h"
#include "node/host/host.h"
#include "node/host/trustwhy.h"
#include "node/host/waits.h"
#include "node/work/query.h"
#include "node/work/ready.h"
#include "node/work/stepped.h"
#include "node/work/spool.h"
#include "sandbox/plan/plan.h"
#include "trust/doc/fresh.h"

/*
 * warren/run/node.sock: one JSON object a line each way, 64 KiB at most
 * (ARCHITECTURE.md 12.23). Who connects is root or the owner of the folder, by
 * the credentials of connect(); nobody else is answered. An answer is written
 * whole or the connection is closed: a reader that does not read costs 1 MiB.
 */
#define CLIENTS_MAX 16
#define IDLE_S 300.0 /* ours: longer than a page is read */
#define WRITE_MAX (1u << 20)
#define EXPLAIN_MAX 4	/* ours: more than one is ambiguous already */

/* An authority, or a document of one, as warren-trust knows it. */
static json_t *
law_line(const struct msg_V_AUTHORITY *m)
{
	static const char *const fresh[] = {[FRESH_YES] = "fresh",
	    [FRESH_STALE] = "stale", [FRESH_NO] = "expired"};
	char held[4 * sizeof(m->held)], failed[4 * sizeof(m->failed)];

	(void)text_printable(held, sizeof(held), m->held, strlen(m->held));
	(void)text_printable(failed, sizeof(failed), m->failed,
	    strlen(m->failed));
	return json_pack("{s:s,s:s,s:I,s:I,s:s,s:I,s:I,s:s,s:I,s:s,s:s}",
	    "authority",
	    m->name, "path", m->path, "root", (json_int_t)m->root_version,
	    "version", (json_int_t)m->version, "fresh",
	    m->fresh < NELEM(fresh) ? fresh[m->fresh] : "expired", "expires",
	    (json_int_t)m->expires, "entries", (json_int_t)m->entries, "held",
	    held, "checked", (json_int_t)m->checked, "from", m->from,
	    "failed", failed);
}

static bool
do_trust(struct client *c, const json_t *q)
{
	const struct warren_node *wn = c->control->wn;
	json_t *o = client_good(true), *list = json_array();

	(void)q;
	for (unsigned i = 0; i < wn->nlaw; i++)
		(void)json_array_append_new(list, law_line(&wn->law[i]));
	(void)json_object_set_new(o, "documents", list);
	return client_line(c, o);
}

static bool
do_clock(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	struct msg_V_LOWER m = {.end_ = 0};
	json_t *o = client_good(true);

	if (json_is_true(json_object_get(q, "lower"))) {
		stepped_right(&wn->node, "the operator");
		wn->node.host.send_V_LOWER(wn->node.host.ctx, &m);
	}
	(void)json_object_update_new(o, json_pack("{s:I,s:I,s:I,s:I,s:I}",
	    "now", (json_int_t)wn->node.unix_now, "floor",
	    (json_int_t)wn->time.floor, "behind",
	    (json_int_t)wn->time.behind, "signed",
	    (json_int_t)wn->time.signed_at, "lowered",
	    (json_int_t)wn->time.lowered));
	return client_line(c, o);
}

static bool
do_why(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const char *bad = NULL;
	json_t *answer = trustwhy_ask(&wn->why, &wn->node, q, &bad), *o;

	if (answer == NULL)
		return client_refuse(c, 2, bad);
	o = client_good(true);
	(void)json_object_update(o, answer);
	json_decref(answer);
	return client_line(c, o);
}

/* What happened at this socket, as far as it did. */
static void
add_sock(json_t *o, const struct asksock *s)
{
	json_t *counts = json_object();
	uint64_t n;

	for (int i = 0; i < ASKSOCK_COUNTS; i++)
		if ((n = asksock_count(s, (enum asksock_count)i)) > 0)
			(void)json_object_set_new(counts,
			    asksock_count_name((enum asksock_count)i),
			    json_integer((json_int_t)n));
	(void)json_object_set_new(o, "node_sock", counts);
}

/* What the authorities that node.yaml names say here, as trust told it. */
static json_t *
law_json(const struct warren_node *wn)
{
	static const char *const ages[] = {[FRESH_YES] = "fresh",
	    [FRESH_STALE] = "stale", [FRESH_NO] = "expired"};
	json_t *list = json_array();

	for (unsigned i = 0; i < wn->nlaw; i++) {
		const struct msg_V_AUTHORITY *m = &wn->law[i];
		const char *age = m->root_version == 0 ? "no root" :
		    m->path[0] != '\0' && m->version == 0 ? "none yet" :
		    ages[MIN_OF(m->fresh, (uint8_t)FRESH_NO)];

		(void)json_array_append_new(list, json_pack(
		    "{s:s,s:s,s:I,s:I,s:I,s:s,s:I,s:s,s:I,s:s,s:s}",
		    "authority", m->name,
		    "document", m->path, "root", (json_int_t)m->root_version,
		    "version", (json_int_t)m->version, "entries",
		    (json_int_t)m->entries, "age", age, "expires",
		    (json_int_t)m->expires, "held", m->held, "checked",
		    (json_int_t)m->checked, "from", m->from, "failed",
		    m->failed));
	}
	return list;
}

/* What image_policy stands on, as trust told it. */
static json_t *
policy_json(const struct warren_node *wn)
{
	static const char *const kinds[] = {[POLICY_END] = "",
	    [POLICY_FILE] = "file", [POLICY_DOCUMENT] = "document",
	    [POLICY_RULE] = "rule"};
	static const char *const ages[] = {[FRESH_YES] = "fresh",
	    [FRESH_STALE] = "stale", [FRESH_NO] = "expired"};
	json_t *list = json_array();

	for (unsigned i = 0; i < wn->npolicy; i++) {
		const struct msg_V_POLICY *m = &wn->policy[i];

		(void)json_array_append_new(list, json_pack(
		    "{s:s,s:s,s:I,s:s,s:I,s:I,s:s,s:b,s:I,s:s}", "kind",
		    kinds[MIN_OF(m->kind, (uint8_t)POLICY_RULE)], "name",
		    m->name, "version", (json_int_t)m->version, "age",
		    ages[MIN_OF(m->fresh, (uint8_t)FRESH_NO)], "since",
		    (json_int_t)m->since, "until", (json_int_t)m->until,
		    "ends", m->what, "near", m->near, "entries",
		    (json_int_t)m->entries, "why", m->why));
	}
	return list;
}

/* Behind what the node has heard last; the rest is the hub's business. */
static json_t *
hub_json(const struct msg_HUB_STATE *h)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:i,s:i,s:s}", "sent",
	    (json_int_t)h->sent, "acked", (json_int_t)h->acked, "behind",
	    (json_int_t)h->behind, "failed", (json_int_t)h->failed,
	    "acked_at", (json_int_t)h->acked_at, "failed_at",
	    (json_int_t)h->failed_at, "wait_s", (int)h->wait_s, "end",
	    (int)h->end, "code", (int)h->code, "error",
	    h->why);
}

static json_t *
letters_json(const struct node *n)
{
	json_t *o = json_pack("{s:I,s:I}", "open",
	    (json_int_t)n->mail.bag.nopen, "remembered",
	    (json_int_t)n->mail.bag.nover), *by = json_object();

	for (unsigned i = 0; i < n->mail.count.n; i++)
		(void)json_object_set_new(by, n->mail.count.of[i].code,
		    json_integer((json_int_t)n->mail.count.of[i].times));
	(void)json_object_set_new(o, "became", by);
	return o;
}

/* Roots that are prepared, and how the starts of jobs went by them. */
static json_t *
warm_json(const struct node *n)
{
	const struct msg_J_POOL *m = &n->warm.pool;

	return json_pack("{s:b,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I}}", "on",
	    n->warm.on, "prepared", (json_int_t)(n->warm.on ? m->prepared : 0),
	    "failed", (json_int_t)m->failed, "starts", (json_int_t)m->warm,
	    "cold", "none",
	    (json_int_t)m->none, "shape", (json_int_t)m->shape, "writable",
	    (json_int_t)m->writable, "image", (json_int_t)m->image);
}

static bool
do_status(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const struct node *n = &wn->node;
	const size_t *in = n->jobs.n;
	char layers[256], runner[RUNNER_TEXT], why[NODE_READY_WHY];
	const struct job *j;
	json_int_t aside = 0;
	json_t *o = client_good(true);

	(void)q;
	node_disk(&wn->node);
	node_why(n, why);
	layers_text(layers, sizeof(layers), n->layers);
	(void)snprintf(runner, sizeof(runner), "-");
	if (n->has_posture)
		runner_text(runner, sizeof(runner), n->runner.number,
		    n->runner.version);
	(void)json_object_update_new(o,
	    json_pack("{s:b,s:i,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:I,"
		"s:I}", "accepting", node_accepting(n), "running", (int)(in[JS_STAGING] +
		    in[JS_RUNNING]), "queued", (int)in[JS_QUEUED], "held",
		(int)in[JS_HELD], "slots",
		(int)n->slots, "jobs", (int)n->jobs.count, "layers", layers,
		"runner", runner, "missing", n->missing, "watched", n->watch_by, "urn", n->urn,
		"ledger_fails", n->ledger_fails, "why", why, "spool",
		(json_int_t)blobs_total(wn->blobs), "disk_free",
		(json_int_t)host_disk_free(wn)));
	TAILQ_FOREACH(j, &n->jobs.aside, dirty_link)
		aside++;
	(void)json_object_set_new(o, "ledger_aside", json_integer(aside));
	if (wn->time.behind > 0)
		(void)json_object_set_new(o, "clock_behind",
		    json_integer(wn->time.behind));
	if (n->step.count > 0)
		(void)json_object_set_new(o, "clock_stepped",
		    json_pack("{s:I,s:I,s:I,s:I}", "from",
			(json_int_t)n->step.from, "to",
			(json_int_t)n->step.to, "ago",
			(json_int_t)(mono_sub(n->now, n->step.at) /
			    MONO_SECOND), "count",
			(json_int_t)n->step.count));
	(void)json_object_set_new(o, "authorities", law_json(wn));
	(void)json_object_set_new(o, "image_policy", policy_json(wn));
	if (n->hub.on)
		(void)json_object_set_new(o, "hub", hub_json(&n->hub));
	if (n->policy.mail)
		(void)json_object_set_new(o, "letters", letters_json(n));
	(void)json_object_set_new(o, "warm", warm_json(n));
	(void)json_object_set_new(o, "integrity", control_integrity_json(n));
	(void)json_object_set_new(o, "listed",
	    json_integer((json_int_t)n->nlisted));
	(void)json_object_set_new(o, "counts",
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
		"s:I,s:I,s:I,s:I}",
		"requests",
		(json_int_t)n->count.requests, "mute",
		(json_int_t)n->count.mute, "malformed",
		(json_int_t)n->count.malformed, "refused",
		(json_int_t)n->count.refused, "busy",
		(json_int_t)n->count.busy, "admitted",
		(json_int_t)n->count.admitted, "blobs_bad",
		(json_int_t)n->count.blobs_bad, "parked_out",
		(json_int_t)n->count.parked_out, "unanswered",
		(json_int_t)n->count.unanswered, "alarms",
		(json_int_t)n->count.alarms, "alarms_refused",
		(json_int_t)n->count.alarms_refused, "images_given",
		(json_int_t)n->count.images_given, "contents_bad",
		(json_int_t)n->count.contents_bad, "links_closed",
		(json_int_t)n->count.links_closed, "events",
		(json_int_t)n->count.events, "illegal_edges",
		(json_int_t)(n->count.edges + n->jobs.edges)));
	(void)json_object_set_new(o, "name", json_string(n->policy.name));
	add_sock(o, c->control->sock);
	return client_line(c, o);
}

/* What its fingerprint has of the budgets of jobs. */
static void
add_owner(json_t *o, struct node *n, const struct fp *fp)
{
	struct owner *w = owner_get(n, fp);

	if (w == NULL)
		return;
	(void)json_object_update_new(o, json_pack("{s:I,s:I,s:I,s:I,s:I}",
	    "jobs_waiting", (json_int_t)jobs_waiting_of(&n->jobs, fp),
	    "jobs_hour_left",
	    (json_int_t)bucket_left(&w->quota.jobs, n->now), "cpu_s_today",
	    (json_int_t)((n->caps.cpu_seconds_per_day * 1000 -
		MIN_OF(bucket_left(&w->quota.cpu, n->now),
		    n->caps.cpu_seconds_per_day * 1000)) / 1000),
	    "cpu_s_left",
	    (json_int_t)(bucket_left(&w->quota.cpu, n->now) / 1000), "spool",
	    (json_int_t)spool_held(n, fp)));
}

static json_t *
peer_line(struct node *n, struct peer *p)
{
	static const char *const names[PEER_COUNTS] = {
	    [PEER_BYTES_IN] = "bytes_in", [PEER_BYTES_OUT] = "bytes_out",
	    [PEER_REQUESTS] = "requests", [PEER_DELAYED] = "delayed",
	    [PEER_REFUSED] = "refused", [PEER_BLOBS_BAD] = "blobs_bad"};
	bool key = p->v.known && p->v.key_len > 0;
	json_t *o = json_pack("{s:o,s:o,s:i,s:i,s:I,s:I,s:I,s:I}",
	    "identity", json_hex(HASH_BYTES(p->rns_hash)), "fp",
	    key ? json_hex(HASH_BYTES(p->v.fp)) : json_null(), "level",
	    p->v.known ? p->v.level : 0, "links", (int)p->links, "bytes",
	    (json_int_t)(p->count[PEER_BYTES_IN] + p->count[PEER_BYTES_OUT]),
	    "bytes_left", (json_int_t)bucket_left(&p->bytes, n->now),
	    "bytes_full_s", (json_int_t)bucket_full_s(&p->bytes, n->now),
	    "requests_left", (json_int_t)bucket_left(&p->requests, n->now));

	for (unsigned i = 0; i < PEER_COUNTS; i++)
		(void)json_object_set_new(o, names[i],
		    json_integer((json_int_t)p->count[i]));
	if (key)
		add_owner(o, n, &p->v.fp);
	return o;
}

static bool
do_peers(struct client *c, const json_t *q)
{
	struct node *n = &c->control->wn->node;
	json_t *list = json_array(), *o;
	struct peer *p = NULL;

	(void)q;
	while ((p = peer_next(n, p)) != NULL && json_array_size(list) < 100)
		(void)json_array_append_new(list, peer_line(n, p));
	o = client_good(true);
	(void)json_object_set_new(o, "peers", list);
	return client_line(c, o);
}

static bool
named(const char *id, size_t len, const uint8_t *bytes, size_t n)
{
	char hex[65];

	hex_encode(hex, bytes, n);
	return len <= 2 * n && strncmp(hex, id, len) == 0;
}

static bool
peer_named(const struct peer *p, const char *id, size_t len)
{
	return named(id, len, HASH_BYTES(p->rns_hash)) || (p->v.known &&
	    p->v.key_len > 0 && named(id, len, HASH_BYTES(p->v.fp)));
}

/* Jobs and peers whose ids begin with this, a few of each: who asks chooses. */
static bool
do_explain(struct client *c, const json_t *q)
{
	struct node *n = &c->control->wn->node;
	const char *id = json_string_value(json_object_get(q, "id"));
	size_t len = id == NULL ? 0 : strlen(id);
	struct job_list *lists[2] = {&n->jobs.live, &n->jobs.ended};
	json_t *jobs, *peers, *letters, *o;
	struct peer *p = NULL;
	struct job *j;

	if (len < 4 || len > 64 || id[strspn(id, "0123456789abcdef")] != '\0')
		return client_refuse(c, 2, "\"id\": 4 to 64 digits of an id");
	jobs = json_array();
	peers = json_array();
	for (unsigned i = 0; i < 2; i++)
		TAILQ_FOREACH(j, lists[i], link)
			if (json_array_size(jobs) < EXPLAIN_MAX &&
			    named(id, len, HASH_BYTES(j->id))) {
				o = client_job_whole(n, j);
				/* several of its length fit no line */
				(void)json_object_del(o, "command");
				(void)json_object_set_new(o, "waits",
				    waits_json(n, j));
				if ((letters = waits_letters(n, j)) != NULL)
					(void)json_object_set_new(o,
					    "letters", letters);
				(void)json_array_append_new(jobs, o);
			}
	while ((p = peer_next(n, p)) != NULL)
		if (json_array_size(peers) < EXPLAIN_MAX &&
		    peer_named(p, id, len)) {
			o = peer_line(n, p);
			waits_peer(o, n, p);
			(void)json_array_append_new(peers, o);
		}
	o = client_good(true);
	(void)json_object_set_new(o, "jobs", jobs);
	(void)json_object_set_new(o, "peers", peers);
	(void)json_object_set_new(o, "image_policy",
	    policy_json(c->control->wn));
	return client_line(c, o);
}

static const struct {
	const char *name;
	control_verb *fn;
} VERBS[] = {{"jobs", control_jobs}, {"show", control_show}, {"logs", control_logs},
    {"result", control_result}, {"output", control_output}, {"cancel", control_cancel}, {"approve", control_approve},
    {"reject", control_reject}, {"status", do_status},
    {"peers", do_peers}, {"quotas", do_peers},
    {"integrity", control_integrity}, {"verify", control_verify},
    {"release", control_release},
    {"forensics", control_forensics}, {"export", control_export}, {"trust", do_trust}, {"why", do_why}, {"clock", do_clock}, {"explain", do_explain}};

static bool
answer(void *ctx, struct asker *k, const uint8_t *line, size_t len)
{
	struct client c = {ctx, k};
	json_error_t e;
	json_t *q = json_loadb((const char *)line, len, JSON_REJECT_DUPLICATES,
	    &e);
	const char *verb = json_string_value(json_object_get(q, "verb"));
	bool ok;
	size_t i;

	for (i = 0; verb != NULL && i < NELEM(VERBS); i++) {
		if (strcmp(VERBS[i].name, verb) == 0)
			break;
	}
	if (verb == NULL)
		ok = client_refuse(&c, 2, "one JSON object with \"verb\" is expected");
	else if (i == NELEM(VERBS))
		ok = client_refuse(&c, 2, "the node does not know this verb");
	else
		ok = VERBS[i].fn(&c, q);
	json_decref(q);
	return ok;
}

/* ---- connections ---- */

static bool
may(void *ctx, uid_t uid)
{
	const struct control *ctl = ctx;

	return uid == 0 || (!ctl->wn->prog.root && uid == getuid());
}

static const struct asksock_rules rules = {
	.name = "node.sock",
	.framing = ASKSOCK_LINES,
	.question_max = CONTROL_LINE - 1,
	.waiting_max = WRITE_MAX,
	.clients_max = CLIENTS_MAX,
	.idle_s = IDLE_S,
	.may = may,
	.question = answer,
};

struct control *
control_open(struct warren_node *wn, int listener)
{
	struct control *ctl = calloc(1, sizeof(*ctl));

	if (ctl == NULL) {
		(void)close(listener);
		return NULL;
	}
	ctl->wn = wn;
	ctl->sock = asksock_new(wn->loop, listener, &rules, ctl);
	if (ctl->sock == NULL) {
		free(ctl);
		return NULL;
	}
	return ctl;
}

void
control_close(struct control *ctl)
{
	if (ctl == NULL)
		return;
	asksock_free(ctl->sock);
	free(ctl);
}
