/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/evidence.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "common/cleanup.h"
#include "common/jsonhex.h"
#include "common/log.h"
#include "node/host/control_impl.h"
#include "node/host/host.h"
#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/work/forensics.h"

#define ENVELOPE_MAX (1u << 20)

/* NAME=value: the value is nobody's but the job's, unless it is asked for. */
static json_t *
environment(const struct text_list *env, bool values)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < env->n; i++) {
		const char *v = env->v[i];
		size_t n = values ? strlen(v) : strcspn(v, "=");

		(void)json_array_append_new(list, json_stringn(v, n));
	}
	return list;
}

/* The signed envelope of its manifest; null: it has secrets, or is gone. */
static json_t *
envelope(struct warren_node *wn, const struct job *j)
{
	_cleanup_free_ uint8_t *buf = malloc(ENVELOPE_MAX);
	size_t n;

	if (!wn->node.policy.forensics.secrets || buf == NULL)
		return json_null();
	n = wn->node.host.envelope_of(wn, &j->id, buf, ENVELOPE_MAX);
	return n == 0 || n > ENVELOPE_MAX ? json_null() : json_hex(buf, n);
}

static json_t *
about(struct warren_node *wn, struct job *j)
{
	bool secrets = wn->node.policy.forensics.secrets;
	json_t *o = client_job_whole(&wn->node, j);

	(void)json_object_update_new(o, json_pack("{s:s,s:o,s:o,s:o,s:s}",
	    "secrets", secrets ? "included" :
	    "values of env are left out; memory and files may hold them",
	    "env", j->m == NULL ? json_null() :
	    environment(&j->m->env, secrets), "envelope", envelope(wn, j),
	    "receipt_bytes", j->has_receipt ? json_hex(j->receipt,
		job_receipt_len(j->receipt)) : json_null(), "asked_because",
	    wn->node.forensics.why));
	(void)json_object_set_new(o, "peer", json_hex(HASH_BYTES(j->owner)));
	return o;
}

static int
about_fd(struct warren_node *wn, struct job *j)
{
	json_t *o = about(wn, j);
	char *text = json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS);
	int fd = text == NULL ? -1 : memfd_sealed("about", text, strlen(text));

	json_decref(o);
	free(text);
	return fd;
}

void
evidence_send(void *ctx, struct job *j, int snapshot)
{
	struct warren_node *wn = ctx;
	static const uint8_t bits[4] = {BUNDLE_FD_ABOUT, BUNDLE_FD_SNAPSHOT,
	    BUNDLE_FD_STDOUT, BUNDLE_FD_STDERR};
	int all[4] = {-1, snapshot, -1, -1}, fds[4];
	struct msg_W_BUNDLE m;
	unsigned n = 0;

	forensics_pack(&wn->node, &m);
	if (j != NULL) {
		all[0] = about_fd(wn, j);
		all[2] = logs_file(wn->logs, j, 1);
		all[3] = logs_file(wn->logs, j, 2);
	}
	for (unsigned i = 0; i < 4; i++) {
		if (all[i] < 0)
			continue;
		m.fds |= bits[i];
		fds[n++] = all[i];
	}
	outbox_W_BUNDLE(wn, &m, fds, n);
}

/* ---- node.sock ---- */

static bool
begun(struct client *c, const char *why)
{
	struct node *n = &c->control->wn->node;
	json_t *o;

	if (why != NULL)
		return client_refuse(c, 1, why);
	o = client_good(true);
	(void)json_object_set_new(o, "bundle",
	    json_integer((json_int_t)n->forensics.qid));
	return client_line(c, o);
}

/* {"bundle": number}: what became of it. */
static bool
asked(struct client *c, const json_t *number)
{
	const struct forensics *f = &c->control->wn->node.forensics;
	json_t *o;

	if ((uint64_t)json_integer_value(number) != f->qid)
		return client_refuse(c, 1, "nothing is known of it any more: "
		    "another one was made since, or the node has restarted");
	o = client_good(true);
	if (f->phase != FX_NONE) {
		(void)json_object_set_new(o, "pending", json_string(
		    f->phase == FX_PACKING ? "packing" : "taking"));
		return client_line(c, o);
	}
	if (!f->last.ok) {
		json_decref(o);
		return client_refuse(c, 1, f->last.why);
	}
	(void)json_object_update_new(o, json_pack("{s:s,s:I,s:I,s:I}", "name",
	    f->last.name, "size", (json_int_t)f->last.size, "members",
	    (json_int_t)f->last.members, "pause_us",
	    (json_int_t)f->last.pause_us));
	return client_line(c, o);
}

bool
control_forensics(struct client *c, const json_t *q)
{
	const json_t *number = json_object_get(q, "bundle");
	const char *then = json_string_value(json_object_get(q, "then"));
	struct job *j;
	enum forensics_then t;

	if (json_is_integer(number))
		return asked(c, number);
	if (then == NULL || strcmp(then, "resume") == 0)
		t = THEN_RESUME;
	else if (strcmp(then, "kill") == 0)
		t = THEN_KILL;
	else if (strcmp(then, "stay") == 0)
		t = THEN_STAY;
	else
		return client_refuse(c, 2, "\"then\": resume, kill or stay");
	if ((j = client_job_named(c, q)) == NULL)
		return true;
	return begun(c, forensics_job(&c->control->wn->node, j, t,
	    "the operator asks"));
}

/* {"from": seq, "to": seq} of the trail. */
bool
control_export(struct client *c, const json_t *q)
{
	const json_t *from = json_object_get(q, "from");
	const json_t *to = json_object_get(q, "to");
	const json_t *number = json_object_get(q, "bundle");

	if (json_is_integer(number))
		return asked(c, number);
	if (!json_is_integer(from) || !json_is_integer(to) ||
	    json_integer_value(from) < 1 ||
	    json_integer_value(to) < json_integer_value(from))
		return client_refuse(c, 2, "from and to are numbers of lines, "
		    "from the first on");
	return begun(c, forensics_trail(&c->control->wn->node,
	    (uint64_t)json_integer_value(from),
	    (uint64_t)json_integer_value(to)));
}
