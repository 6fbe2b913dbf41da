/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-audit: events in, lines of the trail out. It writes beneath its own
 * folder, asks keys for checkpoints, and tells node the chain's head.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/auditd.h"
#include "common/log.h"
#include "common/util.h"

#define LARGE_BLOCK (128 << 10) /* malloc's own, but that it stays */
#define LINGER_S 0.2	    /* at STOP, for what the others still say */

#define IPC_ME AUDIT
#define IPC_CTX struct auditd
#include "common/ipc_dispatch.h"

/* ---- the trail ---- */

static void
on_EVENT(struct auditd *a, const struct msg_EVENT *m, struct ipc_in *in)
{
	keeper_take(a, m, in->from);
}

static void
on_EVENT_RUN(struct auditd *a, const struct msg_EVENT_RUN *m, struct ipc_in *in)
{
	keeper_run(a, m, in->from);
}

static void
on_C_SIGNED(struct auditd *a, const struct msg_C_SIGNED *m, struct ipc_in *in)
{
	(void)in;
	keeper_signed(a, m);
}

static void
on_K_BINDING(struct auditd *a, const struct msg_K_BINDING *m,
    struct ipc_in *in)
{
	(void)in;
	bundles_binding(a->bundles, m);
	keeper_known(a, &m->fp);
}

static void
on_CHECKPOINT(struct auditd *a, const struct msg_CHECKPOINT *m,
    struct ipc_in *in)
{
	(void)in;
	keeper_checkpoint(a, m);
}

/* ---- jobs under watch ---- */

static void
watch_event(void *ctx, const struct msg_EVENT *e)
{
	keeper_take(ctx, e, PROGRAM_AUDIT);
}

static void
watch_flag(void *ctx, const struct msg_W_FLAG *m)
{
	struct auditd *a = ctx;

	(void)program_send_W_FLAG(&a->prog, m, NULL, 0);
}

static void
on_W_JOB(struct auditd *a, const struct msg_W_JOB *m, struct ipc_in *in)
{
	struct msg_W_READY r = {.job = m->job};
	int fds[WATCH_FILES];
	unsigned n = 0;

	for (unsigned i = 0; i < WATCH_FILES; i++)
		fds[i] = (m->files >> i & 1) != 0 && n < in->nfds ?
		    ipc_in_take(in, n++) : -1;
	r.ok = watch_job(a->watch, m, fds);
	(void)program_send_W_READY(&a->prog, &r, NULL, 0);
}

static void
on_W_OVER(struct auditd *a, const struct msg_W_OVER *m, struct ipc_in *in)
{
	struct msg_W_DONE r = {.job = m->job};

	(void)in;
	(void)watch_over(a->watch, m, &r);
	(void)program_send_W_DONE(&a->prog, &r, NULL, 0);
}

/* ---- the hub ---- */

static int
hub_post(void *ctx, const struct msg_POST *m, int fd)
{
	return program_send_POST(&((struct auditd *)ctx)->prog, m, &fd, 1);
}

static int
hub_ask(void *ctx, const struct msg_M_ASK *m, int fd)
{
	return program_send_M_ASK(&((struct auditd *)ctx)->prog, m, &fd,
	    fd >= 0);
}

static int
hub_sign(void *ctx, const struct msg_K_ALERT *m)
{
	return program_send_K_ALERT(&((struct auditd *)ctx)->prog, m, NULL, 0);
}

static void
hub_event(void *ctx, uint8_t severity, const char *text, int64_t v)
{
	struct msg_EVENT e = keeper_own(EVK_HUB, severity, text, v);

	keeper_take(ctx, &e, PROGRAM_AUDIT);
}

static void
hub_changed(void *ctx)
{
	struct auditd *a = ctx;
	struct msg_HUB_STATE m;

	hub_state(a->hub, &m);
	(void)program_send_HUB_STATE(&a->prog, &m, NULL, 0);
}

static void
hub_open(struct auditd *a)
{
	const struct hub_ops hops = {a, hub_post, hub_ask, hub_sign,
	    hub_event, hub_changed};
	size_t len = 0;
	char *text;

	a->hub = hub_new(a->loop, a->dir, a->trail, &hops);
	if (a->hub == NULL)
		fatalx("out of memory");
	text = settings_text(&a->prog, SET_HUB, "", 4096, &len);
	if (text != NULL)
		hub_set(a->hub, text, len);
	free(text);
}

static void
on_POSTED(struct auditd *a, const struct msg_POSTED *m, struct ipc_in *in)
{
	hub_posted(a->hub, m, in);
}

/* ---- bundles ---- */

static void
on_K_BUNDLED(struct auditd *a, const struct msg_K_BUNDLED *m, struct ipc_in *in)
{
	(void)in;
	bundles_signed(a->bundles, m);
}

static void
on_W_BUNDLE(struct auditd *a, const struct msg_W_BUNDLE *m, struct ipc_in *in)
{
	bundles_make(a->bundles, m, in);
}

/* ---- what lies on the disk ---- */

#define INTEGRITY(NAME, fn)                                                    \
	static void on_##NAME(struct auditd *a, const struct msg_##NAME *m,    \
	    struct ipc_in *in)                                                 \
	{                                                                      \
		fn(a->integrity, m, in);                                       \
	}
INTEGRITY(I_CHECK, integrity_check)
INTEGRITY(I_PASS, integrity_ask)
INTEGRITY(I_FILE, integrity_file)
INTEGRITY(I_FILES_END, integrity_files_end)

static void
trail_known(void *ctx, struct msg_R_TRAIL *m)
{
	const struct auditd *a = ctx;

	m->has_key = a->has_key;
	memcpy(m->key, a->key, sizeof(m->key));
	m->has_line = a->has_tip;
	m->line = a->tip;
}

static void
trail_bad(void *ctx)
{
	trail_distrust(((struct auditd *)ctx)->trail);
}

static void
on_M_ANSWER(struct auditd *a, const struct msg_M_ANSWER *m, struct ipc_in *in)
{
	hub_answered(a->hub, m, in);
}

static void
on_K_ALERTED(struct auditd *a, const struct msg_K_ALERTED *m,
    struct ipc_in *in)
{
	(void)in;
	hub_alerted(a->hub, m);
}

static void
tell_posture(struct auditd *a)
{
	struct msg_W_POSTURE m = {.layers = 0};

	watch_posture(a->watch, a->unwatched, &m);
	(void)program_send_W_POSTURE(&a->prog, &m, NULL, 0);
}

static void
on_up(void *ctx, enum program who)
{
	struct auditd *a = ctx;

	hub_way(a->hub, who, true);
	if (who != PROGRAM_NODE)
		return;
	dogpipe_hello(a->dog);
	tell_posture(a);
	if (hub_on(a->hub))
		hub_changed(a);
	integrity_up(a->integrity);
}

/* ---- the watchdog ---- */

static void
on_D_CONF(struct auditd *a, const struct msg_D_CONF *m, struct ipc_in *in)
{
	(void)in;
	dogpipe_conf(a->dog, m);
}

static void
on_D_PIPES(struct auditd *a, const struct msg_D_PIPES *m, struct ipc_in *in)
{
	int out = ipc_in_take(in, 0);

	(void)m;
	dogpipe_pipes(a->dog, out, ipc_in_take(in, 1));
}

static void
on_D_LOG(struct auditd *a, const struct msg_D_LOG *m, struct ipc_in *in)
{
	(void)in;
	dogpipe_log(a->dog, m);
}

/* The operator's rules; a file with a mistake leaves what is in force. */
static void
take_rules(struct auditd *a, const char *text, size_t len)
{
	static struct rules now, next;
	struct mistakes m = {0};
	char why[400];

	if (rules_read(&next, text, len, &m) == 0 || a->rules == NULL) {
		memcpy(&now, &next, sizeof(now));
		a->rules = &now;
		watch_deny(a->watch);
	}
	if (m.n == 0)
		return;
	(void)snprintf(why, sizeof(why), "rules.yaml:%u:%u: %s: the file is "
	    "not followed (`warren check-config` says all)", m.v[0].line,
	    m.v[0].column, m.v[0].text);
	keeper_alarm(a, 4, why);
}

static void
on_setting(void *ctx, enum setting what, int fd)
{
	struct auditd *a = ctx;
	const uint8_t *map;
	size_t len = 0;
	char *text;

	map = memfd_map(fd, &len, RULES_BYTES_MAX);
	if (what == SET_HUB)
		hub_set(a->hub, (const char *)map, len);
	else if (map != NULL && (text = malloc(len + 1)) != NULL) {
		memcpy(text, map, len);
		text[len] = '\0';
		if (what == SET_RULES) {
			take_rules(a, text, len);
			tell_posture(a);
		}
		else if (what == SET_INTEGRITY)
			integrity_every(a->integrity, text);
		free(text);
	}
	memfd_unmap(map, len);
	(void)close(fd);
}

static void
watch_open(struct auditd *a, struct probes *probes)
{
	const struct watch_ops wops = {a, watch_event, watch_flag};
	size_t len = 0;
	char *text = settings_text(&a->prog, SET_RULES, "", RULES_BYTES_MAX,
	    &len);

	take_rules(a, text, len);
	free(text);
	if (probes_tier(probes) == PROBES_COUNTERS)
		log_notice("bpf", "no job is watched in the kernel, by "
		    "counters alone: %s", a->unwatched);
	a->watch = watch_new(a->loop, probes, a->rules, &wops);
	if (a->watch == NULL)
		fatalx("out of memory");
}

static void
on_down(void *ctx, enum program who, int error)
{
	struct auditd *a = ctx;
	struct msg_EVENT e;

	if (who == PROGRAM_KEYS)
		a->asked = false;
	hub_way(a->hub, who, false);
	if (error == 0)
		return;
	e = keeper_own(EVK_IPC_VIOLATION, 5, "broke the message table", who);
	keeper_take(a, &e, PROGRAM_AUDIT);
}

static void
on_linger(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
on_stop(void *ctx)
{
	struct auditd *a = ctx;

	ev_timer_set(&a->linger, LINGER_S, 0.);
	ev_timer_start(a->loop, &a->linger);
}

static void
on_parent_gone(void *ctx)
{
	ev_break(((struct auditd *)ctx)->loop, EVBREAK_ALL);
}

static const struct program_ops ops = {.message = ipc_dispatch,
    .up = on_up, .setting = on_setting,
    .down = on_down, .stop = on_stop, .gone = on_parent_gone};

/* ---- start ---- */

static void
bundles_open(struct auditd *a)
{
	a->bundles = bundles_new(a->loop, &a->prog, a->dir, a->trail);
	if (a->bundles == NULL)
		fatalx("out of memory");
}

int
main(int argc, char *argv[])
{
	static struct auditd a;
	struct trail_report r;
	struct probes *probes;

	/* both want random bytes from a file, so before there is none */
	if (sodium_init() < 0)
		return 1;
	json_object_seed(randombytes_random());
	(void)signal(SIGXFSZ, SIG_IGN);
	program_connect(&a.prog, PROGRAM_AUDIT, argc, argv);
	/* who reads the disk has rights of its own, and none of ours */
	a.integrity = integrity_start(&a.prog);
	/* the last thing that wants rights, and the machine's files */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	probes = probes_load((enum probes_tier)a.prog.probes, a.unwatched);
	if (probes == NULL)
		fatalx("out of memory");
	(void)malloc_trim(0); /* the kernel's types were read: 10 MiB */
	program_confine(&a.prog);
	program_receive(&a.prog, NULL, NULL);
	keeper_open(&a, &r);
	if ((a.loop = ev_default_loop(0)) == NULL)
		fatalx("no event loop");
	keeper_timers(&a);
	ev_timer_init(&a.linger, on_linger, LINGER_S, 0.);
	a.linger.data = &a;
	bundles_open(&a);
	a.wire = (struct dogwire){&a.prog, &a.watch, watch_event, &a};
	a.dog = dogwire_open(a.loop, a.dir, &a.wire);
	watch_open(&a, probes);
	hub_open(&a);
	integrity_open(a.integrity, a.loop, a.dir,
	    &(struct integrity_ops){&a, watch_event, trail_known, trail_bad});
	keeper_report(&a, &r);
	if (program_attach(&a.prog, a.loop, &ops, &a) < 0 ||
	    program_ready(&a.prog) < 0)
		fatal("channel to the parent");
	ev_run(a.loop, 0);
	if (!a.ready)
		keeper_ready(&a);
	integrity_close(a.integrity);
	watch_free(a.watch);
	dogpipe_free(a.dog);
	probes_free(probes);
	hub_free(a.hub);
	trail_close(a.trail);
	return 0;
}
