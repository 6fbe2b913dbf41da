/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/inbox.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "node/host/blobs.h"
#include "node/host/evidence.h"
#include "node/host/host.h"
#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/host/outputs.h"
#include "node/host/setup.h"
#include "node/host/start.h"
#include "node/host/wasmcache.h"
#include "node/work/anchored.h"
#include "node/work/imagepolicy.h"
#include "node/work/found.h"
#include "node/work/announce.h"
#include "node/work/challenge.h"
#include "node/work/documents.h"
#include "node/work/events.h"
#include "node/work/lend.h"
#include "node/work/mail.h"
#include "node/work/bound.h"
#include "node/work/contracts.h"
#include "node/work/node.h"
#include "node/work/numbers.h"
#include "node/work/review.h"
#include "node/work/verified.h"
#include "node/work/warm.h"
#include "node/work/watchdog.h"
#include "node/work/watched.h"
#include "node/work/revoke.h"
#include "node/work/serve.h"
#include "node/work/stepped.h"
#include "node/work/submit.h"

/*
 * What comes in, decoded: descriptors are taken here, the rest is the node's
 * to decide.
 */
#define IPC_ME NODE
#define IPC_CTX struct warren_node
#include "common/ipc_dispatch.h"

/* ---- the parent ---- */

static void
on_PROGRAM(struct warren_node *wn, const struct msg_PROGRAM *m,
    struct ipc_in *in)
{
	if (m->program >= PROGRAM_COUNT) {
		program_malformed(&wn->prog, in);
		return;
	}
	wn->programs[m->program].running = m->running;
	wn->programs[m->program].restarts = m->restarts;
	wn->programs[m->program].pid = m->pid;
}

static void
on_FACTS(struct warren_node *wn, const struct msg_FACTS *m, struct ipc_in *in)
{
	(void)in;
	lend_facts(&wn->node, m);
}

static void
on_NUMBERS(struct warren_node *wn, const struct msg_NUMBERS *m,
    struct ipc_in *in)
{
	(void)in;
	numbers_tell(&wn->node, m->seq, blobs_total(wn->blobs));
}

/* ---- transport ---- */

static void
on_T_HELLO(struct warren_node *wn, const struct msg_T_HELLO *m,
    struct ipc_in *in)
{
	(void)in;
	node_hello(&wn->node, m);
}

static void
on_T_LINK(struct warren_node *wn, const struct msg_T_LINK *m, struct ipc_in *in)
{
	(void)in;
	peers_link(&wn->node, m);
}

static void
on_T_IDENTIFIED(struct warren_node *wn, const struct msg_T_IDENTIFIED *m,
    struct ipc_in *in)
{
	(void)in;
	peers_identified(&wn->node, m);
}

static void
on_T_CLOSED(struct warren_node *wn, const struct msg_T_CLOSED *m,
    struct ipc_in *in)
{
	(void)in;
	peers_closed(&wn->node, &m->link);
}

/* The bytes in its memfd. NULL, logged; *n is then as it was. */
static const uint8_t *
map(struct ipc_in *in, uint32_t len, size_t max, size_t *n)
{
	const uint8_t *p = NULL;

	*n = len;
	if (len == 0 || (p = memfd_map(in->fds[0], n, max)) == NULL)
		log_warnx(program_name(in->from), "a memfd that does not fit");
	return p;
}

static void
on_T_REQUEST(struct warren_node *wn, const struct msg_T_REQUEST *m,
    struct ipc_in *in)
{
	const uint8_t *data;
	size_t n;

	if (in->nfds == 0) {
		serve_request(&wn->node, m, m->data, m->data_len);
	} else if ((data = map(in, m->len, PROTO_REQUEST_MAX, &n)) != NULL) {
		serve_request(&wn->node, m, data, n);
		memfd_unmap(data, n);
	}
}

static void
on_T_ALERT(struct warren_node *wn, const struct msg_T_ALERT *m,
    struct ipc_in *in)
{
	(void)in;
	events_packet(&wn->node, m);
}

static void
on_V_ALERTED(struct warren_node *wn, const struct msg_V_ALERTED *m,
    struct ipc_in *in)
{
	(void)in;
	events_alerted(&wn->node, m);
}

static void
on_T_MAIL(struct warren_node *wn, const struct msg_T_MAIL *m,
    struct ipc_in *in)
{
	const uint8_t *data;
	size_t n;

	if ((data = map(in, m->len, MAIL_MESSAGE_MAX, &n)) != NULL) {
		mail_came(&wn->node, m, data, n);
		memfd_unmap(data, n);
	}
}

static void
on_T_MAIL_END(struct warren_node *wn, const struct msg_T_MAIL_END *m,
    struct ipc_in *in)
{
	(void)in;
	mail_ended(&wn->node, m);
}

static void
on_T_FOLLOW_END(struct warren_node *wn, const struct msg_T_FOLLOW_END *m,
    struct ipc_in *in)
{
	(void)in;
	node_follow_end(&wn->node, m);
}

/* ---- trust, keys, audit ---- */

static void
on_V_VERDICT(struct warren_node *wn, const struct msg_V_VERDICT *m,
    struct ipc_in *in)
{
	(void)in;
	serve_verdict(&wn->node, m);
}

static void
on_V_MANIFEST(struct warren_node *wn, const struct msg_V_MANIFEST *m,
    struct ipc_in *in)
{
	const uint8_t *record;
	size_t n;

	if (in->nfds == 0) {
		submit_manifest(&wn->node, m, NULL, 0);
	} else if ((record = map(in, m->len, MANIFEST_RECORD_MAX, &n)) !=
	    NULL) {
		submit_manifest(&wn->node, m, record, n);
		memfd_unmap(record, n);
	}
}

static void
on_V_APPROVED(struct warren_node *wn, const struct msg_V_APPROVED *m,
    struct ipc_in *in)
{
	(void)in;
	review_approved(&wn->node, m);
}

static void
on_V_REVIEWED(struct warren_node *wn, const struct msg_V_REVIEWED *m,
    struct ipc_in *in)
{
	(void)in;
	review_reviewed(&wn->node, m);
}

static void
on_V_HOP(struct warren_node *wn, const struct msg_V_HOP *m, struct ipc_in *in)
{
	(void)in;
	trustwhy_hop(&wn->why, m);
}

static void
on_V_BECAUSE(struct warren_node *wn, const struct msg_V_BECAUSE *m,
    struct ipc_in *in)
{
	(void)in;
	trustwhy_because(&wn->why, m);
}

static void
on_V_CONTRACTED(struct warren_node *wn, const struct msg_V_CONTRACTED *m,
    struct ipc_in *in)
{
	(void)in;
	contract_answer(&wn->node, m);
}

static void
on_V_SPREAD(struct warren_node *wn, const struct msg_V_SPREAD *m,
    struct ipc_in *in)
{
	(void)in;
	announce_spread(&wn->node, m);
}

static void
on_V_GIVEN(struct warren_node *wn, const struct msg_V_GIVEN *m,
    struct ipc_in *in)
{
	const uint8_t *bytes;
	size_t n;

	if (in->nfds == 0) {
		document_given(&wn->node, m, NULL, 0);
	} else if ((bytes = map(in, m->got, PROTO_SLICE, &n)) != NULL) {
		document_given(&wn->node, m, bytes, n);
		memfd_unmap(bytes, n);
	}
}

static void
on_V_LIVE_OK(struct warren_node *wn, const struct msg_V_LIVE_OK *m,
    struct ipc_in *in)
{
	(void)in;
	submit_live(&wn->node, m);
}

static void
on_V_CHANGED(struct warren_node *wn, const struct msg_V_CHANGED *m,
    struct ipc_in *in)
{
	(void)m;
	(void)in;
	node_verdicts_void(&wn->node);
}

static void
on_V_TIME(struct warren_node *wn, const struct msg_V_TIME *m,
    struct ipc_in *in)
{
	(void)in;
	wn->time = *m;
	stepped_signed(&wn->node, m->signed_at);
}

/* An empty one has no descriptor. */
static void
on_V_LISTED(struct warren_node *wn, const struct msg_V_LISTED *m,
    struct ipc_in *in)
{
	struct listed *l = NULL;
	const uint8_t *text = NULL;
	size_t n = 0;
	bool good = m->count == 0;

	if (m->count > 0 && m->count <= LISTED_MAX && in->nfds == 1 &&
	    (text = map(in, m->count * LISTED_BYTES,
		LISTED_MAX * LISTED_BYTES, &n)) != NULL &&
	    (l = calloc(m->count, sizeof(*l))) != NULL)
		good = listed_get(l, text, n, m->count);
	memfd_unmap(text, n);
	if (good) {
		revoke_take(&wn->node, l, m->count);
		return;
	}
	free(l);
	program_malformed(&wn->prog, in);
}

/* The same: in the order of their digests, each once. */
static void
on_V_ANCHORED(struct warren_node *wn, const struct msg_V_ANCHORED *m,
    struct ipc_in *in)
{
	struct anchored *l = NULL;
	const uint8_t *text = NULL;
	size_t n = 0;
	bool good = m->count == 0;

	if (m->count > 0 && m->count <= ANCHORED_MAX && in->nfds == 1 &&
	    (text = map(in, m->count * sizeof(*l), ANCHORED_MAX * sizeof(*l),
		&n)) != NULL &&
	    (l = calloc(m->count, sizeof(*l))) != NULL) {
		memcpy(l, text, n);
		good = true;
		for (uint32_t i = 1; i < m->count; i++)
			good = good && memcmp(&l[i - 1].image, &l[i].image,
			    sizeof(l->image)) < 0;
	}
	memfd_unmap(text, n);
	if (good) {
		anchored_take(&wn->node, l, m->count);
		watched_layers(&wn->node);
		return;
	}
	free(l);
	program_malformed(&wn->prog, in);
}

static void
on_V_ATTESTED(struct warren_node *wn, const struct msg_V_ATTESTED *m,
    struct ipc_in *in)
{
	struct attested *l = NULL;
	const uint8_t *text = NULL;
	size_t n = 0;
	bool good = m->count == 0;

	if (m->count > 0 && m->count <= ATTESTED_MAX && in->nfds == 1 &&
	    (text = map(in, m->count * ATTESTED_BYTES,
		ATTESTED_MAX * ATTESTED_BYTES, &n)) != NULL &&
	    (l = calloc(m->count, sizeof(*l))) != NULL)
		good = attested_get(l, text, n, m->count);
	memfd_unmap(text, n);
	if (good) {
		imagepolicy_take(&wn->node, l, m->count, m->serial);
		return;
	}
	free(l);
	program_malformed(&wn->prog, in);
}

static void
on_V_VOUCHED(struct warren_node *wn, const struct msg_V_VOUCHED *m,
    struct ipc_in *in)
{
	struct vouched *l = NULL;
	const uint8_t *text = NULL;
	size_t n = 0;
	bool good = m->count == 0;

	if (m->count > 0 && m->count <= VOUCHED_MAX && in->nfds == 1 &&
	    (text = map(in, m->count * VOUCHED_BYTES,
		VOUCHED_MAX * VOUCHED_BYTES, &n)) != NULL &&
	    (l = calloc(m->count, sizeof(*l))) != NULL)
		good = vouched_get(l, text, n, m->count);
	memfd_unmap(text, n);
	if (good) {
		free(wn->vouched);
		wn->vouched = l;
		wn->nvouched = m->count;
		return;
	}
	free(l);
	program_malformed(&wn->prog, in);
}

static void
on_V_AUTHORITY(struct warren_node *wn, const struct msg_V_AUTHORITY *m,
    struct ipc_in *in)
{
	(void)in;
	if (m->name[0] == '\0') {
		wn->nlaw = wn->nlaw_new;
		memcpy(wn->law, wn->law_new, wn->nlaw * sizeof(wn->law[0]));
		wn->nlaw_new = 0;
	} else if (wn->nlaw_new < HOST_LAW_MAX) {
		wn->law_new[wn->nlaw_new++] = *m;
	}
}

static void
on_V_POLICY(struct warren_node *wn, const struct msg_V_POLICY *m,
    struct ipc_in *in)
{
	(void)in;
	if (m->kind == POLICY_END) {
		wn->npolicy = wn->npolicy_new;
		memcpy(wn->policy, wn->policy_new,
		    wn->npolicy * sizeof(wn->policy[0]));
		wn->npolicy_new = 0;
	} else if (wn->npolicy_new < HOST_POLICY_MAX) {
		wn->policy_new[wn->npolicy_new++] = *m;
	}
}

static void
on_K_SIGNED(struct warren_node *wn, const struct msg_K_SIGNED *m,
    struct ipc_in *in)
{
	(void)in;
	finish_signed(&wn->node, m);
}

static void
on_K_CHALLENGED(struct warren_node *wn, const struct msg_K_CHALLENGED *m,
    struct ipc_in *in)
{
	(void)in;
	challenge_done(&wn->node, m);
}

static void
on_K_APPROVED(struct warren_node *wn, const struct msg_K_APPROVED *m,
    struct ipc_in *in)
{
	(void)in;
	review_signed(&wn->node, m);
}

static void
on_K_BINDING(struct warren_node *wn, const struct msg_K_BINDING *m,
    struct ipc_in *in)
{
	(void)in;
	node_binding(&wn->node, m);
}

static void
on_HEAD(struct warren_node *wn, const struct msg_HEAD *m, struct ipc_in *in)
{
	(void)in;
	finish_head(&wn->node, m);
}

static void
on_EVENT_ACK(struct warren_node *wn, const struct msg_EVENT_ACK *m,
    struct ipc_in *in)
{
	(void)in;
	witness_acked(&wn->witness, m);
}

static void
on_HUB_STATE(struct warren_node *wn, const struct msg_HUB_STATE *m,
    struct ipc_in *in)
{
	(void)in;
	wn->node.hub = *m;
}

static void
on_I_CHECKED(struct warren_node *wn, const struct msg_I_CHECKED *m,
    struct ipc_in *in)
{
	(void)in;
	verified_checked(&wn->node, m);
}

static void
on_I_FOUND(struct warren_node *wn, const struct msg_I_FOUND *m,
    struct ipc_in *in)
{
	(void)in;
	verified_found(&wn->node, m);
}

static void
on_I_STATE(struct warren_node *wn, const struct msg_I_STATE *m,
    struct ipc_in *in)
{
	(void)in;
	wn->node.verified.state = *m;
}

static void
on_W_POSTURE(struct warren_node *wn, const struct msg_W_POSTURE *m,
    struct ipc_in *in)
{
	(void)in;
	watched_posture(&wn->node, m);
}

static void
on_W_READY(struct warren_node *wn, const struct msg_W_READY *m,
    struct ipc_in *in)
{
	(void)in;
	watched_ready(&wn->node, m);
}

static void
on_W_FLAG(struct warren_node *wn, const struct msg_W_FLAG *m,
    struct ipc_in *in)
{
	(void)in;
	bound_flag(&wn->node, m);
}

static void
on_W_DONE(struct warren_node *wn, const struct msg_W_DONE *m,
    struct ipc_in *in)
{
	(void)in;
	watched_done(&wn->node, m);
}

static void
on_D_THERE(struct warren_node *wn, const struct msg_D_THERE *m,
    struct ipc_in *in)
{
	(void)in;
	watchdog_there(&wn->node, m);
}

static void
on_D_ACT(struct warren_node *wn, const struct msg_D_ACT *m, struct ipc_in *in)
{
	(void)in;
	watchdog_act(&wn->node, m);
}

/* ---- jail ---- */

static void
job_fds(struct warren_node *wn, struct ipc_in *in, const struct id32 *id,
    uint32_t slot, bool again)
{
	struct job *j = job_find(&wn->node.jobs, id);
	int out, err;

	if (j == NULL || !job_active(j))
		return;
	out = ipc_in_take(in, 0);
	err = ipc_in_take(in, 1);
	if (again)
		start_found(wn, j, slot);
	(void)logs_attach(wn->logs, j, out, err);
}

static void
on_J_STARTED(struct warren_node *wn, const struct msg_J_STARTED *m,
    struct ipc_in *in)
{
	job_fds(wn, in, &m->job, m->slot, false);
	finish_started(&wn->node, m);
	/* which reads it: nobody waits for that */
	wasmcache_keep(wn->wasm, m->slot);
	host_kick(wn);
}

static void
on_J_RUNNING(struct warren_node *wn, const struct msg_J_RUNNING *m,
    struct ipc_in *in)
{
	job_fds(wn, in, &m->job, m->slot, true);
	found_running(&wn->node, m);
}

static void
on_J_STAGING(struct warren_node *wn, const struct msg_J_STAGING *m,
    struct ipc_in *in)
{
	struct job *j = job_find(&wn->node.jobs, &m->job);

	(void)in;
	if (j != NULL && job_active(j))
		start_found(wn, j, m->slot);
	found_staging(&wn->node, m);
}

static void
on_J_FAILED(struct warren_node *wn, const struct msg_J_FAILED *m,
    struct ipc_in *in)
{
	(void)in;
	wasmcache_drop(wn->wasm, m->slot);
	finish_failed(&wn->node, m);
}

static void
on_J_EXITED(struct warren_node *wn, const struct msg_J_EXITED *m,
    struct ipc_in *in)
{
	(void)in;
	finish_exited(&wn->node, m);
}

static void
on_J_FORGOTTEN(struct warren_node *wn, const struct msg_J_FORGOTTEN *m,
    struct ipc_in *in)
{
	(void)in;
	finish_forgotten(&wn->node, m);
}

static void
on_J_POSTURE(struct warren_node *wn, const struct msg_J_POSTURE *m,
    struct ipc_in *in)
{
	(void)in;
	found_posture(&wn->node, m);
}

static void
on_J_POOL(struct warren_node *wn, const struct msg_J_POOL *m, struct ipc_in *in)
{
	(void)in;
	warm_pool(&wn->node, m);
}

static void
on_J_STEP_OPEN(struct warren_node *wn, const struct msg_J_STEP_OPEN *m,
    struct ipc_in *in)
{
	struct job *j = job_find(&wn->node.jobs, &m->job);

	if (j != NULL && m->step == STEP_PACK)
		outputs_open(wn->outputs, &m->job, &j->owner, m->volume,
		    ipc_in_take(in, 0), j->limits.v[LIMIT_OUTPUT]);
}

static void
on_J_STEP_DONE(struct warren_node *wn, const struct msg_J_STEP_DONE *m,
    struct ipc_in *in)
{
	struct left left;

	(void)in;
	left_set(&left, m->dropped, m->left, m->left_len);
	if (m->step == STEP_PACK)
		outputs_step(wn->outputs, &m->job, m->volume, m->ok, &left,
		    m->why);
}

static void
on_J_SNAP_READY(struct warren_node *wn, const struct msg_J_SNAP_READY *m,
    struct ipc_in *in)
{
	(void)in;
	forensics_ready(&wn->node, m);
}

static void
on_J_SNAPPED(struct warren_node *wn, const struct msg_J_SNAPPED *m,
    struct ipc_in *in)
{
	struct job *j = job_find(&wn->node.jobs, &m->job);

	if (forensics_snapped(&wn->node, m))
		evidence_send(wn, j, in->nfds > 0 ? ipc_in_take(in, 0) : -1);
}

static void
on_W_BUNDLED(struct warren_node *wn, const struct msg_W_BUNDLED *m,
    struct ipc_in *in)
{
	(void)in;
	forensics_bundled(&wn->node, m);
}

/* ---- channels ---- */

static enum ipc_done
on_message(void *ctx, struct ipc_in *in)
{
	host_now(ctx);
	return ipc_dispatch(ctx, in);
}

static void
on_up(void *ctx, enum program who)
{
	struct warren_node *wn = ctx;

	host_now(wn);
	outbox_up(wn, who);
	node_up(&wn->node, who);
}

static void
on_down(void *ctx, enum program who, int error)
{
	struct warren_node *wn = ctx;

	(void)error;
	host_now(wn);
	if (wn->node.up[who])
		node_down(&wn->node, who);
	/* a start that its jail never saw: the job is lost with it */
	outbox_drop(wn, who);
}

static void
on_setting(void *ctx, enum setting what, int fd)
{
	if (what != SET_NODE_YAML)
		return;
	host_now(ctx);
	setup_again(ctx, fd);
}

static void
on_stop(void *ctx)
{
	struct warren_node *wn = ctx;

	log_info(NULL, "stopping");
	host_now(wn);
	node_stop(&wn->node);
	wn->stopping = true;
}

const struct program_ops inbox_ops = {
    .message = on_message, .up = on_up, .down = on_down, .stop = on_stop,
    .setting = on_setting};
