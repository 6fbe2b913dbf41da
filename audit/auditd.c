/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-audit: events in, lines of the trail out. It writes beneath its own
 * folder, asks keys for checkpoints, and tells node the chain's head.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "trust/doc/note.h"
#include "trust/doc/note_read.h"
#include "audit/bundle.h"
#include "audit/hub.h"
#include "audit/integrity_run.h"
#include "audit/ocsf.h"
#include "audit/trail.h"
#include "audit/trail_file.h"
#include "audit/trail_line.h"
#include "audit/trail_verify.h"
#include "audit/watch.h"
#include "audit/watchdog_wire.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/layers.h"
#include "common/log.h"
#include "common/program.h"
#include "common/util.h"

#define HELD_MAX 512	    /* events, until the node's key is known */
#define HELD_S 3.	    /* ... but not longer */
#define SYNC_S 1.	    /* klp.md 7 */
#define FIRST_CHECKPOINT_S 10. /* ours: a short run is signed for too */
#define LINGER_S 0.2	    /* at STOP, for what the others still say */

struct held {
	struct msg_EVENT e;
	enum program from;
};

struct auditd {
	struct process prog;
	struct ev_loop *loop;
	int dir;
	struct trail *trail;
	struct ocsf_source source;
	bool ready; /* the source is as good as it gets */
	bool has_fp; /* ... and has the node's key, which checkpoints name */
	struct held *held;
	size_t nheld;
	ev_timer hold, sync, checkpoint, linger;
	uint64_t lost; /* events that could not be written */
	/* the last checkpoint, and the one that is asked for */
	uint64_t signed_size;
	bool asked;
	uint64_t asked_size;
	struct id32 asked_root;
	bool has_last; /* what keys signed last; no key to check it with yet */
	struct msg_CHECKPOINT last;
	/* jobs under watch; NULL: there are no probes, and why */
	struct watch *watch;
	struct bundles *bundles;
	struct dogpipe *dog;
	struct dogwire wire;
	const struct rules *rules;
	char unwatched[PROBES_WHY];
	struct hub *hub;
	/* what lies on the disk, and the line that was written last */
	struct integrity_run *integrity;
	bool has_tip, has_key;
	struct id32 tip;
	uint8_t key[32]; /* that checkpoints are signed with */
};

#define IPC_ME AUDIT
#define IPC_CTX struct auditd
#include "common/ipc_dispatch.h"

static void
alarm_parent(struct auditd *a, uint8_t severity, const char *text)
{
	struct msg_ALARM m = {.severity = severity};

	log_errx("trail", "%s", text);
	(void)snprintf(m.text, sizeof(m.text), "trail: %s", text);
	(void)ipc_send_ALARM(a->prog.parent, &m, NULL, 0);
}

/* ---- checkpoints ---- */

static void
checkpoint_ask(struct auditd *a)
{
	struct msg_C_SIGN m = {.end_ = 0};

	if (program_channel(&a->prog, PROGRAM_KEYS) == NULL || a->asked ||
	    !a->has_fp ||
	    !trail_root(a->trail, &m.size, &m.root) ||
	    m.size <= a->signed_size)
		return;
	/* what is signed must be there after a power cut */
	if (trail_sync(a->trail) < 0)
		return;
	a->asked = true;
	a->asked_size = m.size;
	a->asked_root = m.root;
	trail_mark(a->trail, m.size, false);
	(void)program_send_C_SIGN(&a->prog, &m, NULL, 0);
}

/* A signed one, brought to the files and kept apart when lines are dropped. */
static void
checkpoint_store(struct auditd *a, const struct note *n, const uint8_t key[32])
{
	char text[NOTE_MAX], hex[66];
	size_t len;

	hex_encode(hex, key, 32);
	hex[64] = '\n';
	len = note_put(text, n);
	if (file_replace(a->dir, TRAIL_KEY, hex, 65, 0600) < 0 ||
	    file_replace(a->dir, TRAIL_CHECKPOINT, text, len, 0600) < 0) {
		log_warn("trail/checkpoint", "cannot be written, the next one is "
		    "tried: `warren audit verify` ends at the one before");
		return;
	}
	trail_mark(a->trail, n->size, true);
	a->signed_size = n->size;
	log_info("trail", "checkpoint size=%llu", (unsigned long long)n->size);
}

/* false, and raised: keys have signed something else. */
static bool
checkpoint_note(struct auditd *a, struct note *n, const uint8_t sig[64],
    const uint8_t key[32])
{
	n->fp = a->source.fp;
	memcpy(n->sig, sig, sizeof(n->sig));
	note_set_key(n, key);
	if (note_verify(n, key)) {
		memcpy(a->key, key, sizeof(a->key));
		a->has_key = true;
		return true;
	}
	alarm_parent(a, 4, "keys signed something else");
	return false;
}

static void
on_C_SIGNED(struct auditd *a, const struct msg_C_SIGNED *m, struct ipc_in *in)
{
	struct note n;

	(void)in;
	if (!a->asked || m->size != a->asked_size)
		return;
	a->asked = false;
	n.size = a->asked_size;
	n.root = a->asked_root;
	if (m->ok && checkpoint_note(a, &n, m->sig, m->key))
		checkpoint_store(a, &n, m->key);
	else if (!m->ok)
		log_warnx("trail", "a checkpoint is not signed, warren-keys "
		    "says why: the next one is tried size=%llu",
		    (unsigned long long)m->size);
}

static void
on_checkpoint(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct auditd *a = w->data;

	(void)loop;
	(void)revents;
	a->asked = false; /* an answer that did not come in an hour */
	checkpoint_ask(a);
}

/* ---- writing ---- */

static int
append(struct auditd *a, const struct msg_EVENT *e, enum program from,
    uint64_t *seq, struct id32 *digest)
{
	char body[OCSF_MAX], uid[OCSF_UID_MAX];
	size_t n = ocsf_event(body, sizeof(body), e, from, &a->source,
	    trail_next(a->trail));

	if (n == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	if (trail_append(a->trail, ocsf_severity(e), body, n, seq, digest) < 0)
		return -1;
	hub_wrote(a->hub, e, digest);
	a->tip = *digest;
	a->has_tip = true;
	ocsf_uid(uid, &a->source, *seq);
	dogpipe_event(a->dog, e, uid, ocsf_severity(e), body, n);
	if (trail_dirty(a->trail) && !ev_is_active(&a->sync)) {
		ev_timer_set(&a->sync, SYNC_S, 0.);
		ev_timer_start(a->loop, &a->sync);
	}
	return 0;
}

static struct msg_EVENT
own(uint16_t kind, uint8_t severity, const char *text, int64_t v)
{
	struct msg_EVENT e = {.kind = kind, .severity = severity,
	    .when_us = clock_wall_us(), .a = v};

	(void)snprintf(e.text, sizeof(e.text), "%s", text);
	return e;
}

/* After a time without room: what is missing is said before what is next. */
static int
say_lost(struct auditd *a)
{
	struct msg_EVENT e = own(EVK_DISK_LOW, 5,
	    "events could not be written and are lost", (int64_t)a->lost);
	struct id32 digest;
	uint64_t seq;

	if (a->lost == 0)
		return 0;
	if (append(a, &e, PROGRAM_AUDIT, &seq, &digest) < 0)
		return -1;
	log_notice("trail", "writes again lost=%llu",
	    (unsigned long long)a->lost);
	a->lost = 0;
	return 0;
}

/* klp.md 7: a full trail refuses new jobs, which node does on HEAD 0. */
static void
failed(struct auditd *a)
{
	char text[160];

	if (a->lost++ > 0)
		return;
	(void)snprintf(text, sizeof(text), "an event could not be written: %s",
	    strerror(errno));
	alarm_parent(a, 5, text);
}

static void
record(struct auditd *a, const struct msg_EVENT *e, enum program from)
{
	struct msg_HEAD head = {.qid = e->qid};

	if (say_lost(a) < 0 ||
	    append(a, e, from, &head.seq, &head.digest) < 0) {
		failed(a);
		head.seq = 0;
		memset(&head.digest, 0, sizeof(head.digest));
	}
	if (e->qid != 0 && from == PROGRAM_NODE)
		(void)program_send_HEAD(&a->prog, &head, NULL, 0);
	if (head.seq >= a->signed_size + TRAIL_CHECKPOINT_LINES)
		checkpoint_ask(a);
}

static void
source_ready(struct auditd *a)
{
	char hex[65];

	ev_timer_stop(a->loop, &a->hold);
	a->ready = true;
	hex_encode(hex, HASH_BYTES(a->source.fp));
	(void)snprintf(a->source.urn, sizeof(a->source.urn),
	    "urn:klp:kindai:device:%s", hex);
	for (size_t i = 0; i < a->nheld; i++)
		record(a, &a->held[i].e, a->held[i].from);
	a->nheld = 0;
}

static void
take(struct auditd *a, const struct msg_EVENT *e, enum program from)
{
	if (a->ready) {
		record(a, e, from);
	} else if (a->nheld < HELD_MAX) {
		a->held[a->nheld++] = (struct held){*e, from};
	} else {
		/* a flood in the first second: as it is, in its order */
		source_ready(a);
		record(a, e, from);
	}
}

static void
on_hold(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	log_warnx("trail", "the node's key is not known yet: lines without it");
	source_ready(w->data);
}

static void
on_sync(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct auditd *a = w->data;

	(void)loop;
	(void)revents;
	if (trail_sync(a->trail) == 0)
		return;
	log_warn("trail", "cannot be brought to the disk, tried again: a power "
	    "cut now would lose its last lines");
	ev_timer_set(&a->sync, SYNC_S, 0.);
	ev_timer_start(a->loop, &a->sync);
}

/* ---- channels ---- */

static void
on_EVENT(struct auditd *a, const struct msg_EVENT *m, struct ipc_in *in)
{
	take(a, m, in->from);
}

/*
 * What keys signed last, when they or we are new. Segments, head and
 * checkpoint may be gone all together: only this tells.
 */
static void
compare(struct auditd *a, const struct msg_CHECKPOINT *m)
{
	struct note n = {.size = m->size, .root = m->root};
	struct trail_expect want = {.key = m->key, .kept = &n};
	struct trail_verdict v;
	struct msg_EVENT e;
	char text[400];

	if (!checkpoint_note(a, &n, m->sig, m->key))
		return;
	if (trail_verify(a->dir, &want, &v, NULL, NULL) < 0) {
		log_warn("trail", "cannot be read and compared with what "
		    "warren-keys signed last: `warren audit verify` does it");
		return;
	}
	if (v.ok) {
		if (n.size > a->signed_size)
			checkpoint_store(a, &n, m->key);
		return;
	}
	trail_distrust(a->trail);
	(void)snprintf(text, sizeof(text),
	    "%s (%llu lines are signed, %llu are here); checkpoints stop until "
	    "warren/trail and warren/keys/checkpoint are moved away",
	    v.why, (unsigned long long)n.size, (unsigned long long)v.last);
	alarm_parent(a, 5, text);
	e = own(EVK_TRAIL_TORN, 5, text, (int64_t)n.size);
	take(a, &e, PROGRAM_AUDIT);
}

static void
on_K_BINDING(struct auditd *a, const struct msg_K_BINDING *m,
    struct ipc_in *in)
{
	(void)in;
	a->source.fp = m->fp;
	a->has_fp = true;
	bundles_binding(a->bundles, m);
	source_ready(a);
	if (a->has_last)
		compare(a, &a->last);
	a->has_last = false;
	if (trail_next(a->trail) > a->signed_size + TRAIL_CHECKPOINT_LINES)
		checkpoint_ask(a);
}

/* It names the node's key: before keys have a binding it is not told. */
static void
on_CHECKPOINT(struct auditd *a, const struct msg_CHECKPOINT *m,
    struct ipc_in *in)
{
	(void)in;
	if (a->has_fp) {
		compare(a, m);
		return;
	}
	a->last = *m;
	a->has_last = true;
}

/* ---- jobs under watch ---- */

static void
watch_event(void *ctx, const struct msg_EVENT *e)
{
	take(ctx, e, PROGRAM_AUDIT);
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
	int cpu = in->nfds > 0 ? ipc_in_take(in, 0) : -1;

	if (a->watch != NULL)
		r.ok = watch_job(a->watch, m, cpu);
	else if (cpu >= 0)
		(void)close(cpu);
	(void)program_send_W_READY(&a->prog, &r, NULL, 0);
}

static void
on_W_OVER(struct auditd *a, const struct msg_W_OVER *m, struct ipc_in *in)
{
	struct msg_W_DONE r = {.job = m->job};

	(void)in;
	if (a->watch != NULL)
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

static void
hub_event(void *ctx, uint8_t severity, const char *text, int64_t v)
{
	struct msg_EVENT e = own(EVK_HUB, severity, text, v);

	take(ctx, &e, PROGRAM_AUDIT);
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
	const struct hub_ops hops = {a, hub_post, hub_ask, hub_event, hub_changed};
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
on_up(void *ctx, enum program who)
{
	struct auditd *a = ctx;
	struct msg_W_POSTURE m = {.layers = a->watch != NULL ? LAYER_BPF : 0};

	hub_way(a->hub, who, true);
	if (who != PROGRAM_NODE)
		return;
	dogpipe_hello(a->dog);
	watch_posture(a->watch, a->unwatched, m.missing, sizeof(m.missing));
	(void)program_send_W_POSTURE(&a->prog, &m, NULL, 0);
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
	alarm_parent(a, 4, why);
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
		if (what == SET_RULES)
			take_rules(a, text, len);
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
	if (probes == NULL) {
		log_notice("bpf", "no job is watched: %s", a->unwatched);
		return;
	}
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
	e = own(EVK_IPC_VIOLATION, 5, "broke the message table", who);
	take(a, &e, PROGRAM_AUDIT);
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

/* What was found is itself in the trail, in the very next line. */
static void
report(struct auditd *a, const struct trail_report *r)
{
	struct msg_EVENT e;
	char text[256];

	if (r->why != NULL) {
		(void)snprintf(text, sizeof(text),
		    "the chain is broken in segment %u line %llu: %s; "
		    "checkpoints stop until the folder is moved away",
		    r->bad_segment, (unsigned long long)r->bad_line, r->why);
		alarm_parent(a, 5, text);
		e = own(EVK_TRAIL_TORN, 5, text, (int64_t)r->bad);
		take(a, &e, PROGRAM_AUDIT);
	}
	if (r->lost > 0) {
		alarm_parent(a, 5, "lines at the end are gone");
		e = own(EVK_TRAIL_TORN, 5, "lines at the end are gone",
		    (int64_t)r->lost);
		take(a, &e, PROGRAM_AUDIT);
	}
	if (r->torn > 0) {
		log_notice("trail", "a torn last line was cut bytes=%llu",
		    (unsigned long long)r->torn);
		e = own(EVK_TRAIL_TORN, 4, "a torn last line was cut",
		    (int64_t)r->torn);
		take(a, &e, PROGRAM_AUDIT);
	}
}

static void
audit_open(struct auditd *a, struct trail_report *r)
{
	static const struct trail_limits limits = {TRAIL_SEGMENT, TRAIL_TOTAL};
	char text[NOTE_MAX];
	uint8_t boot[8];
	struct note note;
	ssize_t n;

	a->dir = settings_take(&a->prog, SET_DIR_TRAIL, "");
	a->held = calloc(HELD_MAX, sizeof(*a->held));
	if (a->dir < 0 || a->held == NULL)
		fatalx("no folder warren/trail from the parent, or no memory");
	a->trail = trail_open(a->dir, &limits, r);
	if (a->trail == NULL)
		fatal("warren/trail cannot be opened (`warren audit verify` says "
		    "whether it is whole)");
	n = file_read(a->dir, TRAIL_CHECKPOINT, text, sizeof(text));
	if (n > 0 && note_parse(&note, text, (size_t)n))
		a->signed_size = note.size;
	randombytes_buf(boot, sizeof(boot));
	hex_encode(a->source.boot, boot, sizeof(boot));
}

static void
bundles_open(struct auditd *a)
{
	a->bundles = bundles_new(a->loop, &a->prog, a->dir, a->trail);
	if (a->bundles == NULL)
		fatalx("out of memory");
}

static void
timers_init(struct auditd *a)
{
	ev_timer_init(&a->hold, on_hold, HELD_S, 0.);
	ev_timer_init(&a->sync, on_sync, SYNC_S, 0.);
	ev_timer_init(&a->checkpoint, on_checkpoint, FIRST_CHECKPOINT_S,
	    TRAIL_CHECKPOINT_S);
	ev_timer_init(&a->linger, on_linger, LINGER_S, 0.);
	a->hold.data = a->sync.data = a->checkpoint.data = a->linger.data = a;
	ev_timer_start(a->loop, &a->hold);
	ev_timer_start(a->loop, &a->checkpoint);
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
	probes = probes_load(a.unwatched);
	program_confine(&a.prog);
	program_receive(&a.prog, NULL, NULL);
	audit_open(&a, &r);
	if ((a.loop = ev_default_loop(0)) == NULL)
		fatalx("no event loop");
	timers_init(&a);
	bundles_open(&a);
	a.wire = (struct dogwire){&a.prog, &a.watch, watch_event, &a};
	a.dog = dogwire_open(a.loop, a.dir, &a.wire);
	watch_open(&a, probes);
	hub_open(&a);
	integrity_open(a.integrity, a.loop, a.dir,
	    &(struct integrity_ops){&a, watch_event, trail_known, trail_bad});
	report(&a, &r);
	if (program_attach(&a.prog, a.loop, &ops, &a) < 0 ||
	    program_ready(&a.prog) < 0)
		fatal("channel to the parent");
	ev_run(a.loop, 0);
	if (!a.ready)
		source_ready(&a);
	integrity_close(a.integrity);
	watch_free(a.watch);
	dogpipe_free(a.dog);
	probes_free(probes);
	hub_free(a.hub);
	trail_close(a.trail);
	return 0;
}
