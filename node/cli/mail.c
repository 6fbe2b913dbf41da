/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/mail.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/util.h"
#include "node/cli/contact.h"
#include "node/cli/mailbox.h"
#include "node/cli/say.h"
#include "transport/client/attach.h"
#include "transport/lxmf/post.h"
#include "trust/doc/tlv.h"

/* ours: of inputs in one letter, which a node takes of 64 KiB unless it says */
#define INPUTS_MAX (48u * 1024)
#define LETTER_MAX (INPUTS_MAX + PROTO_ENVELOPE_MAX + 8192u)

bool
mail_via(struct cli *c, const char *text, struct mail_nodes *out)
{
	const char *p = text;

	for (out->n = 0;; p++) {
		size_t n = strcspn(p, ",");

		if (out->n == POST_NODES) {
			cli_error(c, "--via-lxmf: more than %d propagation "
				     "nodes", POST_NODES);
			return false;
		}
		if (n != 2 * sizeof(out->of[0].b) ||
		    !hex_decode(HASH_BYTES(out->of[out->n]), p, n)) {
			cli_error(c, "--via-lxmf: %.*s is no hash of a "
				     "propagation node, 32 hex digits",
			    (int)MIN_OF(n, (size_t)80), p);
			return false;
		}
		for (unsigned i = 0; i < out->n; i++)
			if (hash16_eq(&out->of[i], &out->of[out->n])) {
				cli_error(c, "--via-lxmf has %.*s twice",
				    (int)n, p);
				return false;
			}
		out->n++;
		p += n;
		if (*p == '\0')
			return true;
	}
}

static void
on_path(void *arg, bool found)
{
	struct session *s = arg;

	(void)found; /* what came with it is looked for */
	session_wake(s);
}

/* Relays keep announces, and answer with them whoever is away. */
static void
ask_for(struct mail *m, const struct hash16 *dest)
{
	struct rns_known k;

	if (rns_known_get(session_rns(m->session), dest, &k))
		return;
	cli_progress(m->c, "looking for the node's announce ...");
	if (attach_path(session_attach(m->session), dest, m->timeout_us,
		on_path, m->session) == 0)
		session_run(m->session, m->timeout_us);
	cli_progress_end(m->c);
}

int
mail_node(struct mail *m, struct remote *r)
{
	uint32_t now = (uint32_t)time(NULL);

	r->time = now;
	/* a relay need not have it any more: it is asked last */
	if (remote_announced(m->session, r, now) ||
	    contact_get(m->person, r, now) == NULL)
		return CLI_OK;
	ask_for(m, &r->dest);
	if (remote_announced(m->session, r, now))
		return CLI_OK;
	cli_error(m->c, "no announce of that node, with a binding that holds, "
			"was heard here");
	cli_hint(m->c, "It announces itself every half hour while it is there; "
		       "`warren nodes` lists who was heard. One that was "
		       "described by `warren describe` stays known.");
	return CLI_UNREACHABLE;
}

/* ---- out ---- */

static bool
add_input(struct mail *m, struct letter *l, struct talk *t,
    const struct blob_ref *ref, uint8_t *buf, size_t *at)
{
	for (size_t i = 0; i < l->nblobs; i++) {
		struct id32 sha;

		rns_sha256(&sha, l->blob[i].p, l->blob[i].n);
		if (id32_eq(&sha, &ref->sha256))
			return true; /* twice the same */
	}
	if (ref->size > INPUTS_MAX - *at || l->nblobs == LETTER_BLOBS) {
		m->whole = false; /* it waits for a link */
		return true;
	}
	if (!t->sub.store.input(t->sub.store.input_arg, &ref->sha256, 0,
		buf + *at, (size_t)ref->size))
		return false;
	l->blob[l->nblobs++] = (struct pbin){buf + *at, (size_t)ref->size};
	*at += (size_t)ref->size;
	return true;
}

static bool
add_inputs(struct mail *mail, struct letter *l, struct talk *t, uint8_t *buf)
{
	const struct manifest *m = t->manifest;
	struct manifest_input in;
	size_t at = 0;

	mail->whole = true;
	for (unsigned i = 0; i < MANIFEST_INPUTS; i++)
		if (manifest_input(m, i, &in) &&
		    !add_input(mail, l, t, in.blob, buf, &at))
			return false;
	return true;
}

/* The message that is the job; its length, 0: does not fit. */
static size_t
compose(const struct mail *m, const struct talk *t, struct letter *l,
    uint8_t *request, uint8_t *data, uint8_t *out)
{
	struct proto_req req = {.path = PATH_SUBMIT,
	    .envelope = {t->sub.envelope, t->sub.envelope_len},
	    .binding = m->person->binding};
	struct wr r = wr_make(request, LETTER_MAX), w = wr_make(data, LETTER_MAX);
	struct lxmf msg = {.has_type = true, .has_data = true,
	    .type = {(const uint8_t *)LETTER_TYPE, strlen(LETTER_TYPE)}};
	size_t n;

	proto_req_put(&r, &req);
	l->path = PATH_SUBMIT;
	l->value = (struct pbin){request, r.len};
	l->give = LETTER_GIVE_MAX;
	letter_put(&w, l);
	if (!wr_ok(&r) || !wr_ok(&w))
		return 0;
	msg.time = (double)clock_wall_us() / (double)MONO_SECOND;
	lxmf_address(&msg.source, m->person->rns_pub);
	lxmf_address(&msg.dest, t->node->rns_pub);
	msg.data = (struct lxmf_text){data, w.len};
	return lxmf_pack(out, &n, LETTER_MAX + LXMF_OVERHEAD, NULL, &msg, NULL,
		   m->person->rns_priv) == RNS_OK ?
	    n :
	    0;
}

int
mail_submit(struct mail *m, struct talk *t)
{
	_cleanup_free_ uint8_t *inputs = malloc(INPUTS_MAX + 1);
	_cleanup_free_ uint8_t *request = malloc(LETTER_MAX);
	_cleanup_free_ uint8_t *data = malloc(LETTER_MAX);
	_cleanup_free_ uint8_t *packed = malloc(LETTER_MAX + LXMF_OVERHEAD);
	struct letter l = {.answer = false};
	struct mailbox *box;
	size_t n;
	int rc;

	if (inputs == NULL || request == NULL || data == NULL || packed == NULL)
		return CLI_FAILED;
	if (!add_inputs(m, &l, t, inputs)) {
		cli_error(m->c, "an input cannot be read");
		return CLI_FAILED;
	}
	n = compose(m, t, &l, request, data, packed);
	if (n == 0) {
		cli_error(m->c, "the job does not fit a message");
		return CLI_FAILED;
	}
	rc = mailbox_open(&box, m->c, m->session, m->person, m->via);
	if (rc != CLI_OK)
		return rc;
	m->sent = true;
	rc = mailbox_send(box, &t->manifest->job, packed, n, t->node->rns_pub,
	    m->timeout_us);
	mailbox_close(box);
	return rc;
}

/* ---- back ---- */

/* The node's answer to submit: refused, or what it waits for. */
static int
answered_submit(struct mail *m, struct talk *t, struct mail_read *r)
{
	struct proto_submitted v;
	struct proto_ans a;
	char hex[65];

	if (!proto_ans_get(&a, r->l.value.p, r->l.value.n)) {
		cli_error(m->c, "the node breaks the protocol: malformed answer");
		return CLI_FAILED;
	}
	if (a.status != ST_OK)
		return session_refused(m->c, &a);
	if (!proto_get_submitted(&v, &a)) {
		cli_error(m->c, "the node breaks the protocol: malformed answer");
		return CLI_FAILED;
	}
	hex_encode(hex, HASH_BYTES(t->manifest->job));
	hex[16] = '\0';
	pstr_copy(t->sub.state, sizeof(t->sub.state), v.state);
	pstr_copy(t->sub.reason, sizeof(t->sub.reason), v.reason);
	if (v.missing.n > 0 || v.more) {
		jobdir_uploading(&t->dir, true);
		cli_error(m->c, "the node has the job, and waits for %zu of "
				"its inputs that were too large for a message",
		    v.missing.n);
		cli_hint(m->c, "The `submit` that sent it, without --via-lxmf, "
			       "sends them over a link, when there is one; the "
			       "job waits 36 hours.");
		return CLI_FAILED;
	}
	cli_error(m->c, "the node has the job: %s%s%s", t->sub.state,
	    t->sub.reason[0] != '\0' ? ", " : "", t->sub.reason);
	cli_hint(m->c, "`warren result %s` goes on over a link, when there is "
		       "one; with --via-lxmf it waits for the next message.",
	    hex);
	return CLI_FAILED;
}

static int
ask_letter(void *arg, const struct proto_req *q, struct proto_ans *a)
{
	struct mail *m = arg;

	if (mail_ask(m->letter, q, a))
		return CLI_OK;
	cli_error(m->c, "the job has ended, and not all of its outputs fit a "
			"message");
	return CLI_UNREACHABLE;
}

static int
conclude(struct mail *m, struct talk *t, struct remote *node)
{
	uint32_t now = (uint32_t)time(NULL);
	const char *why = mail_binding(m->letter, node, now);
	struct remote known = {.dest = node->dest};
	int rc;

	if (why != NULL) {
		cli_error(m->c, "the node's binding does not hold: %s", why);
		return CLI_FAILED;
	}
	rc = remote_pinned(m->c, node, &t->node->fp);
	if (rc != CLI_OK)
		return rc;
	/* the node has its say: the same job is sent no more */
	jobdir_unmark(&t->dir);
	if (m->letter->l.binding != NULL &&
	    contact_get(m->person, &known, now) != NULL)
		contact_keep(m->person, node);
	if (m->letter->l.path == PATH_SUBMIT)
		return answered_submit(m, t, m->letter);
	t->node = node;
	t->ask = ask_letter;
	t->ask_arg = m;
	t->sub.resume = true;
	return talk_run(t);
}

int
mail_result(struct mail *m, struct talk *t)
{
	struct mail_read letter = {0};
	struct remote node = *t->node;
	struct mailbox *box;
	int rc = mailbox_open(&box, m->c, m->session, m->person, m->via);

	if (rc != CLI_OK)
		return rc;
	rc = mailbox_wait(box, &t->manifest->job, &node.dest, &letter,
	    m->timeout_us);
	mailbox_close(box);
	m->letter = &letter;
	if (rc == CLI_OK)
		rc = conclude(m, t, &node);
	mail_read_free(&letter);
	m->letter = NULL;
	return rc;
}
