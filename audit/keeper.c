/* SPDX-License-Identifier: BSD-2-Clause */
/* The trail as warren-audit keeps it: lines, what waits, checkpoints. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "audit/auditd.h"
#include "audit/trail_file.h"
#include "audit/trail_line.h"
#include "audit/trail_verify.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "trust/doc/note.h"
#include "trust/doc/note_read.h"

#define HELD_MAX 1024	    /* events, until the node's key is known */
#define HELD_S 3.	    /* ... but not longer */
#define SYNC_S 1.	    /* klp.md 7 */
#define FIRST_CHECKPOINT_S 10. /* ours: a short run is signed for too */

void
keeper_alarm(struct auditd *a, uint8_t severity, const char *text)
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
	keeper_alarm(a, 4, "keys signed something else");
	return false;
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

static int
counted_line(void *ctx, const struct msg_EVENT *e, enum program from,
    uint64_t *seq, struct id32 *digest)
{
	return append(ctx, e, from, seq, digest);
}

struct msg_EVENT
keeper_own(uint16_t kind, uint8_t severity, const char *text, int64_t v)
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
	struct id32 digest;
	struct msg_EVENT e;
	uint64_t seq;

	a->lost += a->counted.untold;
	a->counted.untold = 0;
	if (a->lost == 0)
		return 0;
	e = keeper_own(EVK_DISK_LOW, 5,
	    "events could not be written and are lost", (int64_t)a->lost);
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

	if (a->full)
		return;
	a->full = true;
	(void)snprintf(text, sizeof(text), "an event could not be written: %s",
	    strerror(errno));
	keeper_alarm(a, 5, text);
}

static void
record(struct auditd *a, const struct msg_EVENT *e, enum program from)
{
	struct msg_HEAD head = {.qid = e->qid};

	int r = say_lost(a);

	if (r == 0 && e->number != 0)
		r = counted_write(&a->counted, e, from, &head.seq, &head.digest);
	else if (r == 0)
		r = append(a, e, from, &head.seq, &head.digest);
	if (r < 0) {
		/* one with a number is known to be missing by it */
		a->lost += e->number == 0;
		failed(a);
		head.seq = 0;
		memset(&head.digest, 0, sizeof(head.digest));
	} else {
		a->full = false;
	}
	if (e->qid != 0 && from == PROGRAM_NODE)
		(void)program_send_HEAD(&a->prog, &head, NULL, 0);
	if (head.seq >= a->signed_size + TRAIL_CHECKPOINT_LINES)
		checkpoint_ask(a);
}

void
keeper_ready(struct auditd *a)
{
	char hex[65];

	ev_timer_stop(a->loop, &a->hold);
	a->ready = true;
	hex_encode(hex, HASH_BYTES(a->source.fp));
	(void)snprintf(a->source.urn, sizeof(a->source.urn),
	    "urn:klp:kindai:device:%s", hex);
	for (size_t i = 0; i < a->nheld; i++) {
		struct held *h = &a->held[i];

		if (h->is_run)
			counted_run(&a->counted, &h->run, h->from);
		else
			record(a, &h->e, h->from);
	}
	a->nheld = 0;
}

/* A place among what waits; NULL: it waits no longer, its turn is now. */
static struct held *
hold(struct auditd *a, enum program from)
{
	if (!a->ready && a->nheld == HELD_MAX)
		keeper_ready(a); /* a flood in the first second */
	if (a->ready)
		return NULL;
	a->held[a->nheld] = (struct held){.from = from};
	return &a->held[a->nheld++];
}

void
keeper_take(struct auditd *a, const struct msg_EVENT *e, enum program from)
{
	struct held *h = hold(a, from);

	if (h != NULL)
		h->e = *e;
	else
		record(a, e, from);
}

void
keeper_run(struct auditd *a, const struct msg_EVENT_RUN *m, enum program from)
{
	struct held *h = hold(a, from);

	if (h == NULL) {
		counted_run(&a->counted, m, from);
		return;
	}
	h->is_run = true;
	h->run = *m;
}

static void
on_hold(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	log_warnx("trail", "the node's key is not known yet: lines without it");
	keeper_ready(w->data);
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
	keeper_alarm(a, 5, text);
	e = keeper_own(EVK_TRAIL_TORN, 5, text, (int64_t)n.size);
	keeper_take(a, &e, PROGRAM_AUDIT);
}

/* keys' answer to checkpoint_ask(). */
void
keeper_signed(struct auditd *a, const struct msg_C_SIGNED *m)
{
	struct note n;

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

/* It names the node's key: before keys have a binding it is not told. */
void
keeper_checkpoint(struct auditd *a, const struct msg_CHECKPOINT *m)
{
	if (a->has_fp) {
		compare(a, m);
		return;
	}
	a->last = *m;
	a->has_last = true;
}

void
keeper_known(struct auditd *a, const struct fp *fp)
{
	a->source.fp = *fp;
	a->has_fp = true;
	keeper_ready(a);
	if (a->has_last)
		compare(a, &a->last);
	a->has_last = false;
	if (trail_next(a->trail) > a->signed_size + TRAIL_CHECKPOINT_LINES)
		checkpoint_ask(a);
}

/* ---- start ---- */

/* What was found is itself in the trail, in the very next line. */
void
keeper_report(struct auditd *a, const struct trail_report *r)
{
	struct msg_EVENT e;
	char text[256];

	if (r->why != NULL) {
		(void)snprintf(text, sizeof(text),
		    "the chain is broken in segment %u line %llu: %s; "
		    "checkpoints stop until the folder is moved away",
		    r->bad_segment, (unsigned long long)r->bad_line, r->why);
		keeper_alarm(a, 5, text);
		e = keeper_own(EVK_TRAIL_TORN, 5, text, (int64_t)r->bad);
		keeper_take(a, &e, PROGRAM_AUDIT);
	}
	if (r->lost > 0) {
		keeper_alarm(a, 5, "lines at the end are gone");
		e = keeper_own(EVK_TRAIL_TORN, 5, "lines at the end are gone",
		    (int64_t)r->lost);
		keeper_take(a, &e, PROGRAM_AUDIT);
	}
	if (r->torn > 0) {
		log_notice("trail", "a torn last line was cut bytes=%llu",
		    (unsigned long long)r->torn);
		e = keeper_own(EVK_TRAIL_TORN, 4, "a torn last line was cut",
		    (int64_t)r->torn);
		keeper_take(a, &e, PROGRAM_AUDIT);
	}
}

void
keeper_open(struct auditd *a, struct trail_report *r)
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
	a->counted = (struct counted){.prog = &a->prog, .trail = a->trail,
	    .line = counted_line, .ctx = a};
	memcpy(a->counted.heard, r->heard, sizeof(a->counted.heard));
	n = file_read(a->dir, TRAIL_CHECKPOINT, text, sizeof(text));
	if (n > 0 && note_parse(&note, text, (size_t)n))
		a->signed_size = note.size;
	randombytes_buf(boot, sizeof(boot));
	hex_encode(a->source.boot, boot, sizeof(boot));
}

void
keeper_timers(struct auditd *a)
{
	ev_timer_init(&a->hold, on_hold, HELD_S, 0.);
	ev_timer_init(&a->sync, on_sync, SYNC_S, 0.);
	a->counted.loop = a->loop;
	counted_init(&a->counted);
	ev_timer_init(&a->checkpoint, on_checkpoint, FIRST_CHECKPOINT_S,
	    TRAIL_CHECKPOINT_S);
	a->hold.data = a->sync.data = a->checkpoint.data = a;
	ev_timer_start(a->loop, &a->hold);
	ev_timer_start(a->loop, &a->checkpoint);
}
