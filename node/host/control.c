/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/asksock.h"
#include "common/jsonhex.h"
#include "common/log.h"
#include "node/host/blobs.h"
#include "node/host/host.h"
#include "node/host/logs.h"
#include "node/host/trustwhy.h"
#include "node/host/waits.h"
#include "node/work/query.h"
#include "node/work/ready.h"
#include "node/work/review.h"
#include "sandbox/plan/plan.h"
#include "trust/doc/fresh.h"

/*
 * warren/run/node.sock: one JSON object a line each way, 64 KiB at most
 * (ARCHITECTURE.md 12.23). Who connects is root or the owner of the folder, by
 * the credentials of connect(); nobody else is answered. An answer is written
 * whole or the connection is closed: a reader that does not read costs 1 MiB.
 */
#define LINE_BYTES 65536 /* with its newline */
#define CLIENTS_MAX 16
#define IDLE_S 300.0 /* ours: longer than a page is read */
#define WRITE_MAX (1u << 20)
#define JOBS_A_LINE 40
#define LOG_SLICE 32768 /* base64 of it fits in a line */
#define EXPLAIN_MAX 4	/* ours: more than one is ambiguous already */

struct control {
	struct warren_node *wn;
	struct asksock *sock;
};

/* Who asked, while the answer is made. */
struct client {
	struct control *control;
	struct asker *asker;
};

/* ---- answers ---- */

static bool
add_line(struct client *c, json_t *steal)
{
	char *text = json_dumps(steal, JSON_COMPACT);
	size_t n = text == NULL ? 0 : strlen(text);
	bool ok;

	json_decref(steal);
	ok = text != NULL && n < LINE_BYTES &&
	    asker_put(c->asker, text, n);
	free(text);
	return ok;
}

static json_t *
good(bool end)
{
	json_t *o = json_pack("{s:b}", "ok", 1);

	if (end)
		(void)json_object_set_new(o, "end", json_true());
	return o;
}

static bool
refuse(struct client *c, int code, const char *why)
{
	return add_line(c, json_pack("{s:b,s:i,s:s}", "ok", 0, "exit", code,
		"why", why));
}

static json_t *
outcome_of(const struct job *j)
{
	struct proto_outcome_v o;

	job_outcome_of(&o, j);
	switch (o.kind) {
	case OUT_EXITED:
		return json_pack("[s,I]", "exited", (json_int_t)o.code);
	case OUT_SIGNALLED:
		return json_pack("[s,I]", "signalled", (json_int_t)o.code);
	case OUT_KILLED:
		return json_pack("[s,s]", "killed", o.reason.p);
	default:
		return json_null();
	}
}

static json_t *
job_line(const struct job *j)
{
	char reason[JOB_REASON_MAX * 4];

	(void)text_printable(reason, sizeof(reason), j->reason,
	    strlen(j->reason));
	return json_pack("{s:o,s:s,s:s?,s:o,s:I,s:o}", "id",
	    json_hex(HASH_BYTES(j->id)), "state", job_state_name(j->state),
	    "reason", reason[0] == '\0' ? NULL : reason, "outcome",
	    outcome_of(j), "at", (json_int_t)j->at, "owner",
	    json_hex(HASH_BYTES(j->owner)));
}

/* The name that this node's store has for a digest; NULL: none now. */
static json_t *
image_name(const struct proto_image *v, unsigned n, const struct id32 *digest)
{
	for (unsigned i = 0; i < n; i++)
		if (id32_eq(id32_at(v[i].digest), digest))
			return json_stringn(v[i].name.p, v[i].name.n);
	return json_null();
}

static bool
do_jobs(struct client *c, const json_t *q)
{
	struct proto_image images[PROTO_IMAGES_MAX];
	unsigned nimages;
	struct node *n = &c->control->wn->node;
	struct job_list *lists[2] = {&n->jobs.ended, &n->jobs.live};
	json_t *list = json_array(), *o;
	struct job *j;
	bool ok = true;

	(void)q;
	nimages = n->host.images(n->host.ctx, images, NELEM(images));
	for (unsigned i = 0; i < 2 && ok; i++) {
		TAILQ_FOREACH(j, lists[i], link) {
			o = job_line(j);
			(void)json_object_update_new(o,
			    json_pack("{s:I,s:o,s:o}", "admitted",
				(json_int_t)j->admitted_at, "image",
				json_hex(HASH_BYTES(j->image)), "image_name",
				image_name(images, nimages, &j->image)));
			(void)json_array_append_new(list, o);
			if (json_array_size(list) < JOBS_A_LINE)
				continue;
			o = good(false);
			(void)json_object_set_new(o, "jobs", list);
			list = json_array();
			if (!(ok = add_line(c, o)))
				break;
		}
	}
	o = good(true);
	(void)json_object_set_new(o, "jobs", list);
	return add_line(c, o) && ok;
}

/* By any unambiguous beginning of its id; NULL after it was said. */
static struct job *
job_of(struct client *c, const json_t *q)
{
	struct node *n = &c->control->wn->node;
	const char *id = json_string_value(json_object_get(q, "id"));
	struct job_list *lists[2] = {&n->jobs.ended, &n->jobs.live};
	struct job *j, *hit = NULL;
	size_t len = id == NULL ? 0 : strlen(id);
	char hex[65], why[160];

	for (unsigned i = 0; len >= 4 && len <= 64 && i < 2; i++) {
		TAILQ_FOREACH(j, lists[i], link) {
			hex_encode(hex, HASH_BYTES(j->id));
			if (strncmp(hex, id, len) != 0)
				continue;
			if (hit != NULL) {
				(void)snprintf(why, sizeof(why), "more than "
				    "one job on this node begins with %s", id);
				(void)refuse(c, 2, why);
				return NULL;
			}
			hit = j;
		}
	}
	if (hit == NULL) {
		(void)snprintf(why, sizeof(why), "no job on this node begins "
		    "with %.64s (`warren jobs --here` lists them)",
		    id != NULL && strspn(id, "0123456789abcdef") == len ?
			id : "that");
		(void)refuse(c, 1, why);
	}
	return hit;
}

static json_t *
limits_of(const struct job *j)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		(void)json_object_set_new(o, manifest_limit_name(i),
		    json_integer((json_int_t)j->limits.v[i]));
	return o;
}

/* What its submitter asks for, of a job that waits or runs. */
static void
add_wish(json_t *o, const struct manifest *m)
{
	json_t *command = json_array();

	for (unsigned i = 0; i < m->command.n; i++)
		(void)json_array_append_new(command,
		    json_string(m->command.v[i]));
	(void)json_object_update_new(o, json_pack("{s:s,s:o,s:b,s:s?}",
	    "image_name", m->image, "command", command, "requires_review",
	    m->requires_review, "approved_by",
	    (m->has & HAS_APPROVED_BY) != 0 ? m->approved_by : NULL));
}

/* Who has said what of it. */
static json_t *
votes_on(struct node *n, const struct job *j)
{
	json_t *list = json_array();
	struct vote *v;

	for (v = votes_of(&n->votes, &j->id); v != NULL; v = votes_next(v))
		(void)json_array_append_new(list,
		    json_pack("{s:o,s:s,s:I}", "signer",
			json_hex(HASH_BYTES(v->signer)), "verdict",
			v->approve ? "approve" : "reject", "issued",
			(json_int_t)v->issued));
	return list;
}

/* All that is known of one. */
static json_t *
job_whole(struct node *n, const struct job *j)
{
	char layers[256];
	json_t *o = job_line(j);

	layers_text(layers, sizeof(layers), j->layers);
	(void)json_object_update_new(o,
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:o,s:o}", "seq",
		(json_int_t)j->seq, "attempts", (json_int_t)j->attempts,
		"admitted", (json_int_t)j->admitted_at, "started",
		(json_int_t)j->started, "deadline", (json_int_t)j->deadline,
		"progress",
		(json_int_t)job_progress(j, n->now), "level", j->level,
		"limits", limits_of(j), "image",
		json_hex(HASH_BYTES(j->image))));
	(void)json_object_update_new(o,
	    json_pack("{s:s,s:{s:I,s:I,s:I},s:[I,I,I],s:b}", "layers", layers,
		"usage", "wall_ms", (json_int_t)j->wall_ms, "cpu_ms",
		(json_int_t)j->cpu_ms, "memory_kb", (json_int_t)j->memory_kb,
		"log", (json_int_t)j->log[0], (json_int_t)j->log[1],
		(json_int_t)j->log[2], "receipt", j->has_receipt));
	if (j->m != NULL)
		add_wish(o, j->m);
	(void)json_object_set_new(o, "approvals", votes_on(n, j));
	return o;
}

static bool
do_show(struct client *c, const json_t *q)
{
	const struct job *j = job_of(c, q);
	json_t *o;

	if (j == NULL)
		return true;
	o = good(true);
	(void)json_object_update_new(o, job_whole(&c->control->wn->node, j));
	return add_line(c, o);
}

/* What is not given; -1: it is no number. */
static json_int_t
number(const json_t *q, const char *name, json_int_t absent)
{
	const json_t *v = json_object_get(q, name);

	return v == NULL ? absent : json_is_integer(v) ?
	    json_integer_value(v) : -1;
}

static bool
do_logs(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const struct job *j = job_of(c, q);
	const char *name = json_string_value(json_object_get(q, "stream"));
	json_int_t offset = number(q, "offset", 0);
	json_int_t want = number(q, "n", LOG_SLICE);
	json_int_t runs = number(q, "runs", -1);
	uint8_t order[PROTO_RUNS_MAX * 4];
	unsigned stream = name == NULL ?
	    json_object_get(q, "stream") == NULL :
	    strcmp(name, "stdout") == 0 ? 1 :
	    strcmp(name, "stderr") == 0 ? 2 : 0;
	static uint8_t buf[LOG_SLICE];
	static char text[LOG_SLICE * 2];
	ssize_t got = 0;
	json_t *o;

	if (j == NULL)
		return true;
	if (offset < 0 || want <= 0 || want > INT64_MAX - offset)
		return refuse(c, 2, "offset is a number from 0 on, n one from "
				    "1 on");
	if (stream == 0)
		return refuse(c, 2, "stream is \"stdout\" or \"stderr\"");
	want = MIN_OF(want, LOG_SLICE);
	if ((uint64_t)offset < j->log[stream - 1])
		got = logs_read(wn->logs, j, stream, (uint64_t)offset, buf,
		    (size_t)MIN_OF((uint64_t)want,
			j->log[stream - 1] - (uint64_t)offset));
	if (got < 0)
		return refuse(c, 1, "the log is gone");
	(void)sodium_bin2base64(text, sizeof(text), buf, (size_t)got,
	    sodium_base64_VARIANT_ORIGINAL);
	o = good(true);
	(void)json_object_update_new(o, json_pack("{s:s,s:I,s:b}", "base64",
		text, "size", (json_int_t)j->log[stream - 1], "ended",
		job_ended(j)));
	if (runs >= 0)
		(void)json_object_set_new(o, "runs", json_hex(order,
			4 * logs_runs(wn->logs, j, (uint64_t)runs, order,
			    PROTO_RUNS_MAX)));
	return add_line(c, o);
}

static bool
do_result(struct client *c, const json_t *q)
{
	const struct job *j = job_of(c, q);
	json_t *o, *outs;

	if (j == NULL)
		return true;
	if (!j->has_receipt)
		return refuse(c, 1, j->state == JS_REFUSED ?
			"a refused job gets no receipt" : "no receipt yet");
	outs = json_array();
	for (unsigned i = 0; i < j->nouts; i++) {
		if (j->outs[i].packed)
			(void)json_array_append_new(outs,
			    json_pack("{s:s,s:o,s:I}", "target",
				j->outs[i].target, "sha256",
				json_hex(HASH_BYTES(j->outs[i].sha256)), "size",
				(json_int_t)j->outs[i].size));
	}
	o = good(true);
	(void)json_object_update_new(o, job_line(j));
	(void)json_object_update_new(o,
	    json_pack("{s:o,s:o,s:[{s:o,s:I},{s:o,s:I}]}", "receipt",
	    json_hex(j->receipt, JOB_RECEIPT_LEN), "outputs", outs, "logs",
	    "sha256", json_hex(HASH_BYTES(j->log_sha[0])), "size",
	    (json_int_t)j->log[0], "sha256",
	    json_hex(HASH_BYTES(j->log_sha[1])), "size",
	    (json_int_t)j->log[1]));
	return add_line(c, o);
}

/* Bytes of an output, by its place in the answer to "result". */
static bool
do_output(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const struct job *j = job_of(c, q);
	json_int_t place = number(q, "output", -1);
	json_int_t offset = number(q, "offset", 0);
	static uint8_t buf[LOG_SLICE];
	static char text[LOG_SLICE * 2];
	const struct job_out *out = NULL;
	uint64_t size = 0;
	ssize_t got;
	json_t *o;

	if (j == NULL)
		return true;
	for (unsigned i = 0, k = 0; i < j->nouts; i++)
		if (j->outs[i].packed && (json_int_t)k++ == place)
			out = &j->outs[i];
	if (out == NULL || offset < 0)
		return refuse(c, 2, "output is the place of one in the answer "
				    "to result, offset a number from 0 on");
	got = blobs_get(wn->blobs, &j->owner, &out->sha256, (uint64_t)offset,
	    buf, sizeof(buf), &size);
	if (got < 0)
		return refuse(c, 1, "the output is gone");
	(void)sodium_bin2base64(text, sizeof(text), buf, (size_t)got,
	    sodium_base64_VARIANT_ORIGINAL);
	o = good(true);
	(void)json_object_update_new(o, json_pack("{s:s,s:I}", "base64", text,
		"size", (json_int_t)size));
	return add_line(c, o);
}

static bool
do_cancel(struct client *c, const json_t *q)
{
	struct node *n = &c->control->wn->node;
	struct job *j = job_of(c, q);
	json_t *o;

	if (j == NULL)
		return true;
	job_cancel(n, j, true);
	o = good(true);
	(void)json_object_update_new(o, job_line(j));
	return add_line(c, o);
}

/* The operator's word; pending: until the node's keys have signed it. */
static bool
word(struct client *c, const json_t *q, bool approve)
{
	struct node *n = &c->control->wn->node;
	struct job *j = job_of(c, q);
	const char *why;
	json_t *o;

	if (j == NULL)
		return true;
	switch (review_operator(n, j, approve, &why)) {
	case REVIEW_NOT:
		return refuse(c, 1, why);
	case REVIEW_ASKED:
		o = good(true);
		(void)json_object_set_new(o, "pending", json_true());
		return add_line(c, o);
	default:
		break;
	}
	o = good(true);
	(void)json_object_update_new(o, job_line(j));
	return add_line(c, o);
}

static bool
do_approve(struct client *c, const json_t *q)
{
	return word(c, q, true);
}

static bool
do_reject(struct client *c, const json_t *q)
{
	return word(c, q, false);
}

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
	json_t *o = good(true), *list = json_array();

	(void)q;
	for (unsigned i = 0; i < wn->nlaw; i++)
		(void)json_array_append_new(list, law_line(&wn->law[i]));
	(void)json_object_set_new(o, "documents", list);
	return add_line(c, o);
}

static bool
do_why(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const char *bad = NULL;
	json_t *answer = trustwhy_ask(&wn->why, &wn->node, q, &bad), *o;

	if (answer == NULL)
		return refuse(c, 2, bad);
	o = good(true);
	(void)json_object_update(o, answer);
	json_decref(answer);
	return add_line(c, o);
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

static bool
do_status(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const struct node *n = &wn->node;
	const size_t *in = n->jobs.n;
	char layers[256], why[NODE_READY_WHY];
	const struct job *j;
	json_int_t aside = 0;
	json_t *o = good(true);

	(void)q;
	node_disk(&wn->node);
	node_why(n, why);
	layers_text(layers, sizeof(layers), n->layers);
	(void)json_object_update_new(o,
	    json_pack("{s:b,s:i,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:b,s:s,s:I,s:I}",
		"accepting", node_accepting(n), "running", (int)(in[JS_STAGING] +
		    in[JS_RUNNING]), "queued", (int)in[JS_QUEUED], "held",
		(int)in[JS_HELD], "slots",
		(int)n->slots, "jobs", (int)n->jobs.count, "layers", layers,
		"missing", n->missing, "urn", n->urn, "ledger_fails",
		n->ledger_fails, "why", why, "spool",
		(json_int_t)blobs_total(wn->blobs), "disk_free",
		(json_int_t)host_disk_free(wn)));
	TAILQ_FOREACH(j, &n->jobs.aside, dirty_link)
		aside++;
	(void)json_object_set_new(o, "ledger_aside", json_integer(aside));
	(void)json_object_set_new(o, "authorities", law_json(wn));
	(void)json_object_set_new(o, "listed",
	    json_integer((json_int_t)n->nlisted));
	(void)json_object_set_new(o, "counts",
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"requests",
		(json_int_t)n->count.requests, "mute",
		(json_int_t)n->count.mute, "malformed",
		(json_int_t)n->count.malformed, "refused",
		(json_int_t)n->count.refused, "busy",
		(json_int_t)n->count.busy, "admitted",
		(json_int_t)n->count.admitted, "blobs_bad",
		(json_int_t)n->count.blobs_bad, "parked_out",
		(json_int_t)n->count.parked_out, "unanswered",
		(json_int_t)n->count.unanswered, "links_closed",
		(json_int_t)n->count.links_closed, "events",
		(json_int_t)n->count.events, "illegal_edges",
		(json_int_t)(n->count.edges + n->jobs.edges)));
	(void)json_object_set_new(o, "name", json_string(n->policy.name));
	add_sock(o, c->control->sock);
	return add_line(c, o);
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
	    (json_int_t)n->host.blob_held(n->host.ctx, fp)));
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
	o = good(true);
	(void)json_object_set_new(o, "peers", list);
	return add_line(c, o);
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
	json_t *jobs, *peers, *o;
	struct peer *p = NULL;
	struct job *j;

	if (len < 4 || len > 64 || id[strspn(id, "0123456789abcdef")] != '\0')
		return refuse(c, 2, "\"id\": 4 to 64 digits of an id");
	jobs = json_array();
	peers = json_array();
	for (unsigned i = 0; i < 2; i++)
		TAILQ_FOREACH(j, lists[i], link)
			if (json_array_size(jobs) < EXPLAIN_MAX &&
			    named(id, len, HASH_BYTES(j->id))) {
				o = job_whole(n, j);
				/* several of its length fit no line */
				(void)json_object_del(o, "command");
				(void)json_object_set_new(o, "waits",
				    waits_json(n, j));
				(void)json_array_append_new(jobs, o);
			}
	while ((p = peer_next(n, p)) != NULL)
		if (json_array_size(peers) < EXPLAIN_MAX &&
		    peer_named(p, id, len)) {
			o = peer_line(n, p);
			waits_peer(o, n, p);
			(void)json_array_append_new(peers, o);
		}
	o = good(true);
	(void)json_object_set_new(o, "jobs", jobs);
	(void)json_object_set_new(o, "peers", peers);
	return add_line(c, o);
}

static const struct {
	const char *name;
	bool (*fn)(struct client *, const json_t *);
} VERBS[] = {{"jobs", do_jobs}, {"show", do_show}, {"logs", do_logs},
    {"result", do_result}, {"output", do_output}, {"cancel", do_cancel}, {"approve", do_approve},
    {"reject", do_reject}, {"status", do_status},
    {"peers", do_peers}, {"quotas", do_peers},
    {"trust", do_trust}, {"why", do_why}, {"explain", do_explain}};

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
		ok = refuse(&c, 2, "one JSON object with \"verb\" is expected");
	else if (i == NELEM(VERBS))
		ok = refuse(&c, 2, "the node does not know this verb");
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
	.question_max = LINE_BYTES - 1,
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
