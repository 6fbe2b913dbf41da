/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-keys: the two keys, in one locked page, and nothing that parses. It
 * opens no file. Each signature, and each refusal, is an event to audit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/program.h"
#include "common/witness.h"
#include "trust/signer.h"
#include "common/util.h"

#define EVENTS_KEPT 64 /* until they are in the trail */

struct keys {
	struct process prog;
	struct ev_loop *loop;
	struct signer signer;
	struct signer_secret *secret; /* the page */
	size_t page;
	struct msg_KEY_MATERIAL material; /* without the secrets */
	bool have_material;
	ev_timer renew;
	struct witness witness;
};

static uint32_t
now_s(void)
{
	return (uint32_t)(clock_wall_us() / 1000000);
}

#define IPC_ME KEYS
#define IPC_CTX struct keys
#include "common/ipc_dispatch.h"

/* ---- events ---- */

static void
on_EVENT_ACK(struct keys *k, const struct msg_EVENT_ACK *m, struct ipc_in *in)
{
	(void)in;
	witness_acked(&k->witness, m);
}

/* why: NULL, signed. job: 32 bytes or NULL. */
static void
event(struct keys *k, const char *what, const char *why, const struct id32 *job,
    int64_t a)
{
	struct msg_EVENT e = {.kind = why == NULL ? EVK_SIGNED
						  : EVK_SIGN_REFUSED,
	    .severity = why == NULL ? 1 : 3, .when_us = clock_wall_us(),
	    .a = a};

	(void)snprintf(e.code, sizeof(e.code), "%s", what);
	(void)snprintf(e.text, sizeof(e.text), "%s", why == NULL ? "" : why);
	if (job != NULL) {
		memcpy(e.job, job->b, sizeof(e.job));
		e.job_len = sizeof(e.job);
	}
	if (why != NULL)
		log_warnx(what, "not signed: %s", why);
	witness_tell(&k->witness, program_channel(&k->prog, PROGRAM_AUDIT), &e);
}

/* ---- binding ---- */

static void
binding_tell(struct keys *k, enum program to)
{
	struct msg_K_BINDING m = {.end_ = 0};

	if (!k->signer.have_binding)
		return;
	binding_put(m.binding, &k->signer.binding);
	m.fp = k->signer.fp;
	(void)ipc_send_K_BINDING(program_channel(&k->prog, to), &m, NULL, 0);
}

static void
binding_look(struct keys *k)
{
	struct msg_B_SIGN m;
	uint32_t now = now_s();

	if (signer_binding_due(&k->signer, now) &&
	    program_channel(&k->prog, PROGRAM_TRANSPORT) != NULL) {
		signer_binding_ask(&k->signer, &m, now);
		(void)program_send_B_SIGN(&k->prog, &m, NULL, 0);
	}
	ev_timer_stop(k->loop, &k->renew);
	ev_timer_set(&k->renew, signer_binding_wait(&k->signer, now), 0.);
	ev_timer_start(k->loop, &k->renew);
}

static void
on_renew(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	binding_look(w->data);
}

static void
on_B_SIGNED(struct keys *k, const struct msg_B_SIGNED *m, struct ipc_in *in)
{
	struct msg_BINDING_MADE made = {.end_ = 0};
	uint8_t aux[32];
	const char *why;

	(void)in;
	randombytes_buf(aux, sizeof(aux));
	why = signer_binding_answer(&k->signer, m, aux);
	event(k, "binding", why, NULL, m->serial);
	if (why != NULL)
		return;
	log_info(NULL, "new binding serial=%u", m->serial);
	binding_put(made.binding, &k->signer.binding);
	(void)program_send_BINDING_MADE(&k->prog, &made, NULL, 0);
	binding_tell(k, PROGRAM_NODE);
	binding_tell(k, PROGRAM_AUDIT);
	binding_look(k);
}

/* ---- node and audit ---- */

static void
on_K_RECEIPT(struct keys *k, const struct msg_K_RECEIPT *m, struct ipc_in *in)
{
	struct msg_K_SIGNED out;
	uint8_t aux[32];
	const char *why;

	(void)in;
	randombytes_buf(aux, sizeof(aux));
	why = signer_receipt(&k->signer, &out, m, aux);
	(void)program_send_K_SIGNED(&k->prog, &out, NULL, 0);
	event(k, "receipt", why, &m->job, m->outcome);
}

static void
on_K_CHALLENGE(struct keys *k, const struct msg_K_CHALLENGE *m,
    struct ipc_in *in)
{
	struct msg_K_CHALLENGED out;
	uint8_t fresh[32], aux[32];
	const char *why;

	(void)in;
	randombytes_buf(fresh, sizeof(fresh));
	randombytes_buf(aux, sizeof(aux));
	why = signer_challenge(&k->signer, &out, m, fresh, aux);
	(void)program_send_K_CHALLENGED(&k->prog, &out, NULL, 0);
	event(k, "challenge", why, NULL, 0);
}

static void
on_K_APPROVE(struct keys *k, const struct msg_K_APPROVE *m, struct ipc_in *in)
{
	struct msg_K_APPROVED out;
	uint8_t aux[32];
	const char *why;

	(void)in;
	randombytes_buf(aux, sizeof(aux));
	why = signer_approval(&k->signer, &out, m, now_s(), aux);
	(void)program_send_K_APPROVED(&k->prog, &out, NULL, 0);
	event(k, "approval", why, &m->job, m->approve);
}

static void
on_C_SIGN(struct keys *k, const struct msg_C_SIGN *m, struct ipc_in *in)
{
	struct msg_C_SIGNED out;
	const char *why = signer_checkpoint(&k->signer, &out, m);

	(void)in;
	/* first to where audit cannot take it back */
	if (why == NULL)
		(void)ipc_send_CHECKPOINT(k->prog.parent,
		    &k->signer.checkpoint, NULL, 0);
	(void)program_send_C_SIGNED(&k->prog, &out, NULL, 0);
	event(k, "checkpoint", why, NULL, (int64_t)m->size);
}

static void
on_K_BUNDLE(struct keys *k, const struct msg_K_BUNDLE *m, struct ipc_in *in)
{
	struct msg_K_BUNDLED out;
	uint8_t aux[32];
	const char *why;

	(void)in;
	randombytes_buf(aux, sizeof(aux));
	why = signer_bundle(&k->signer, &out, m, now_s(), aux);
	(void)program_send_K_BUNDLED(&k->prog, &out, NULL, 0);
	event(k, "bundle", why, &m->job, m->kind);
}

static void
on_K_ALERT(struct keys *k, const struct msg_K_ALERT *m, struct ipc_in *in)
{
	struct msg_K_ALERTED out;
	uint8_t aux[32];
	const char *why;

	(void)in;
	randombytes_buf(aux, sizeof(aux));
	why = signer_alert(&k->signer, &out, m, aux);
	(void)program_send_K_ALERTED(&k->prog, &out, NULL, 0);
	event(k, "alarm", why, NULL, m->line);
}

/* ---- channels ---- */

/* What a sibling that is new must know, and what has waited for it. */
static void
on_up(void *ctx, enum program who)
{
	struct keys *k = ctx;

	if (who == PROGRAM_TRANSPORT) {
		binding_look(k);
		return;
	}
	binding_tell(k, who);
	if (who != PROGRAM_AUDIT)
		return;
	if (k->signer.checkpoint.size > 0)
		(void)ipc_send_CHECKPOINT(
		    program_channel(&k->prog, PROGRAM_AUDIT),
		    &k->signer.checkpoint, NULL, 0);
	witness_up(&k->witness, program_channel(&k->prog, PROGRAM_AUDIT));
}

static void
on_stop(void *ctx)
{
	struct keys *k = ctx;

	explicit_bzero(k->secret, sizeof(*k->secret));
	ev_break(k->loop, EVBREAK_ALL);
}

/* ---- start ---- */

/* One page, locked, in no core dump and in no child. */
static void
page_make(struct keys *k)
{
	k->page = (size_t)sysconf(_SC_PAGESIZE);
	k->secret = mmap(NULL, k->page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (k->secret == MAP_FAILED)
		fatal("no memory for the keys");
	if (mlock(k->secret, k->page) < 0)
		log_warn(NULL, "the page of the keys cannot be locked and may "
			       "reach the swap: raise RLIMIT_MEMLOCK");
	if (madvise(k->secret, k->page, MADV_DONTDUMP) < 0 ||
	    madvise(k->secret, k->page, MADV_WIPEONFORK) < 0)
		log_warn(NULL, "the page of the keys cannot be kept out of core "
			       "dumps: forbid these (ulimit -c 0)");
}

static void
on_material(void *ctx, struct ipc_in *in)
{
	struct keys *k = ctx;

	if (in->type != IPC_KEY_MATERIAL)
		return;
	if (!msg_get_KEY_MATERIAL(in->body, &k->material))
		fatalx("malformed KEY_MATERIAL");
	if (k->secret == NULL)
		page_make(k);
	memcpy(k->secret->mesh, k->material.mesh, 32);
	memcpy(k->secret->audit, k->material.audit, 32);
	explicit_bzero(k->material.mesh, 32);
	explicit_bzero(k->material.audit, 32);
	ipc_wipe();
	k->have_material = true;
}

static const struct program_ops ops = {
    .message = ipc_dispatch, .up = on_up, .stop = on_stop};

int
main(int argc, char *argv[])
{
	static struct keys k;
	uint8_t seed[32];
	const char *why;
	uint64_t run;

	if (sodium_init() < 0)
		return 1;
	randombytes_buf(seed, sizeof(seed));
	if (!secp_init(seed))
		return 1;
	randombytes_buf(&run, sizeof(run));
	witness_init(&k.witness, run, EVENTS_KEPT);
	program_start(&k.prog, PROGRAM_KEYS, argc, argv, on_material, &k);
	if (!k.have_material)
		fatalx("no keys from the parent");
	why = signer_init(&k.signer, k.secret, &k.material, now_s());
	if (why != NULL)
		fatalx("%s", why);
	if ((k.loop = ev_default_loop(0)) == NULL)
		fatalx("no event loop");
	ev_timer_init(&k.renew, on_renew, 0., 0.);
	k.renew.data = &k;
	if (program_attach(&k.prog, k.loop, &ops, &k) < 0)
		fatal("channel to the parent");
	binding_look(&k);
	if (program_ready(&k.prog) < 0)
		fatal("the parent is gone");
	ev_run(k.loop, 0);
	explicit_bzero(k.secret, sizeof(*k.secret));
	return 0;
}
