/* SPDX-License-Identifier: BSD-2-Clause */
/* What node.sock answers about jobs. */
#include "node/host/control_impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/jsonhex.h"
#include "common/log.h"
#include "node/host/blobs.h"
#include "node/host/host.h"
#include "node/host/logs.h"
#include "node/work/query.h"
#include "node/work/ready.h"
#include "node/work/review.h"
#include "sandbox/plan/plan.h"

#define JOBS_A_LINE 40
#define LOG_SLICE 32768 /* base64 of it fits in a line */

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

json_t *
client_job(const struct job *j)
{
	char reason[JOB_REASON_MAX * 4];

	(void)text_printable(reason, sizeof(reason), j->reason,
	    strlen(j->reason));
	return json_pack("{s:o,s:s,s:b,s:s?,s:o,s:I,s:o}", "id",
	    json_hex(HASH_BYTES(j->id)), "state", job_state_name(j->state),
	    "frozen", j->frozen, "reason", reason[0] == '\0' ? NULL : reason,
	    "outcome", outcome_of(j), "at", (json_int_t)j->at, "owner",
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

bool
control_jobs(struct client *c, const json_t *q)
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
			o = client_job(j);
			(void)json_object_update_new(o,
			    json_pack("{s:I,s:o,s:o}", "admitted",
				(json_int_t)j->admitted_at, "image",
				json_hex(HASH_BYTES(j->image)), "image_name",
				image_name(images, nimages, &j->image)));
			(void)json_array_append_new(list, o);
			if (json_array_size(list) < JOBS_A_LINE)
				continue;
			o = client_good(false);
			(void)json_object_set_new(o, "jobs", list);
			list = json_array();
			if (!(ok = client_line(c, o)))
				break;
		}
	}
	o = client_good(true);
	(void)json_object_set_new(o, "jobs", list);
	return client_line(c, o) && ok;
}

/* By any unambiguous beginning of its id; NULL after it was said. */
struct job *
client_job_named(struct client *c, const json_t *q)
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
				(void)client_refuse(c, 2, why);
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
		(void)client_refuse(c, 1, why);
	}
	return hit;
}

static json_t *
limits_of(const struct job *j)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (j->limits.v[i] != 0)
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
json_t *
client_job_whole(struct node *n, const struct job *j)
{
	char layers[256];
	json_t *o = client_job(j);

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

bool
control_show(struct client *c, const json_t *q)
{
	const struct job *j = client_job_named(c, q);
	json_t *o;

	if (j == NULL)
		return true;
	o = client_good(true);
	(void)json_object_update_new(o, client_job_whole(&c->control->wn->node, j));
	return client_line(c, o);
}

/* What is not given; -1: it is no number. */
static json_int_t
number(const json_t *q, const char *name, json_int_t absent)
{
	const json_t *v = json_object_get(q, name);

	return v == NULL ? absent : json_is_integer(v) ?
	    json_integer_value(v) : -1;
}

bool
control_logs(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const struct job *j = client_job_named(c, q);
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
		return client_refuse(c, 2, "offset is a number from 0 on, n one from "
				    "1 on");
	if (stream == 0)
		return client_refuse(c, 2, "stream is \"stdout\" or \"stderr\"");
	want = MIN_OF(want, LOG_SLICE);
	if ((uint64_t)offset < j->log[stream - 1])
		got = logs_read(wn->logs, j, stream, (uint64_t)offset, buf,
		    (size_t)MIN_OF((uint64_t)want,
			j->log[stream - 1] - (uint64_t)offset));
	if (got < 0)
		return client_refuse(c, 1, "the log is gone");
	(void)sodium_bin2base64(text, sizeof(text), buf, (size_t)got,
	    sodium_base64_VARIANT_ORIGINAL);
	o = client_good(true);
	(void)json_object_update_new(o, json_pack("{s:s,s:I,s:b}", "base64",
		text, "size", (json_int_t)j->log[stream - 1], "ended",
		job_ended(j)));
	if (runs >= 0)
		(void)json_object_set_new(o, "runs", json_hex(order,
			4 * logs_runs(wn->logs, j, (uint64_t)runs, order,
			    PROTO_RUNS_MAX)));
	return client_line(c, o);
}

bool
control_result(struct client *c, const json_t *q)
{
	const struct job *j = client_job_named(c, q);
	json_t *o, *outs;

	if (j == NULL)
		return true;
	if (!j->has_receipt)
		return client_refuse(c, 1, j->state == JS_REFUSED ?
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
	o = client_good(true);
	(void)json_object_update_new(o, client_job(j));
	(void)json_object_update_new(o,
	    json_pack("{s:o,s:o,s:[{s:o,s:I},{s:o,s:I}]}", "receipt",
	    json_hex(j->receipt, job_receipt_len(j->receipt)), "outputs", outs, "logs",
	    "sha256", json_hex(HASH_BYTES(j->log_sha[0])), "size",
	    (json_int_t)j->log[0], "sha256",
	    json_hex(HASH_BYTES(j->log_sha[1])), "size",
	    (json_int_t)j->log[1]));
	return client_line(c, o);
}

/* Bytes of an output, by its place in the answer to "result". */
bool
control_output(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const struct job *j = client_job_named(c, q);
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
		return client_refuse(c, 2, "output is the place of one in the answer "
				    "to result, offset a number from 0 on");
	got = blobs_get(wn->blobs, &j->owner, &out->sha256, (uint64_t)offset,
	    buf, sizeof(buf), &size);
	if (got < 0)
		return client_refuse(c, 1, "the output is gone");
	(void)sodium_bin2base64(text, sizeof(text), buf, (size_t)got,
	    sodium_base64_VARIANT_ORIGINAL);
	o = client_good(true);
	(void)json_object_update_new(o, json_pack("{s:s,s:I}", "base64", text,
		"size", (json_int_t)size));
	return client_line(c, o);
}

bool
control_cancel(struct client *c, const json_t *q)
{
	struct node *n = &c->control->wn->node;
	struct job *j = client_job_named(c, q);
	json_t *o;

	if (j == NULL)
		return true;
	job_cancel(n, j, true);
	o = client_good(true);
	(void)json_object_update_new(o, client_job(j));
	return client_line(c, o);
}

/* The operator's word; pending: until the node's keys have signed it. */
static bool
word(struct client *c, const json_t *q, bool approve)
{
	struct node *n = &c->control->wn->node;
	struct job *j = client_job_named(c, q);
	const char *why;
	json_t *o;

	if (j == NULL)
		return true;
	switch (review_operator(n, j, approve, &why)) {
	case REVIEW_NOT:
		return client_refuse(c, 1, why);
	case REVIEW_ASKED:
		o = client_good(true);
		(void)json_object_set_new(o, "pending", json_true());
		return client_line(c, o);
	default:
		break;
	}
	o = client_good(true);
	(void)json_object_update_new(o, client_job(j));
	return client_line(c, o);
}

bool
control_approve(struct client *c, const json_t *q)
{
	return word(c, q, true);
}

bool
control_reject(struct client *c, const json_t *q)
{
	return word(c, q, false);
}
