/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trust/doc/contract.h"
#include "audit/bounds.h"
#include "audit/counters.h"
#include "audit/decode.h"
#include "audit/links.h"
#include "audit/observed.h"
#include "common/clock.h"
#include "common/layers.h"
#include "common/log.h"
#include "common/util.h"

#define JOBS_MAX 64   /* node's slots */
#define LINES_MAX 64  /* of a job in the trail, rules aside */
#define TICK_S 0.5    /* processor time, lost records */
#define BOUND_S 0.1   /* ... and bytes, while a contract counts them */
#define LINGER_S 1.   /* attached on behind the last job: more may come */
#define BUSY_PERCENT 95
#define IDLE_PERCENT 40 /* of a look: it has stopped */
#define PORTION_US 100000 /* a control group has its time in such periods */
#define BUSY_LOOK_US 450000

struct watched {
	bool used, whole; /* from its start on */
	struct id32 job;
	uint64_t group;
	int cpu; /* its cpu.stat, or -1 */
	uint32_t cpu_milli;
	uint64_t cpu_us;      /* at the last look */
	uint64_t busy_us;     /* when it began to be busy */
	struct mono looked_at, busy_since;
	bool busy;
	uint64_t hit;	      /* rules that it has broken: told once each */
	uint32_t lines, again; /* in the trail; and what is not */
	uint64_t lost;	      /* as was told */
	struct bounds *bounds; /* its contract's; NULL: none is known */
	uint32_t broke;	       /* rules of it that were told, 1 << rule */
	struct observed seen;
	struct links links;
};

struct watch {
	struct ev_loop *loop;
	struct probes *probes;
	const struct rules *rules;
	struct watch_ops ops;
	struct watched job[JOBS_MAX];
	unsigned njobs;
	bool attached;
	ev_io io;
	ev_timer tick, linger;
};

/* ---- telling ---- */

static struct msg_EVENT
event_of(const struct watched *j, uint16_t kind, uint8_t severity,
    const char *code, const char *text)
{
	struct msg_EVENT m = {.kind = kind, .severity = severity,
	    .when_us = clock_wall_us(), .job_len = sizeof(j->job)};

	memcpy(m.job, j->job.b, sizeof(j->job));
	(void)snprintf(m.code, sizeof(m.code), "%s", code);
	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	return m;
}

static void
broken(struct watch *w, struct watched *j, const struct rule *r,
    const char *text, int64_t us)
{
	struct msg_EVENT m = event_of(j, EVK_RULE, r->severity, r->name, text);
	struct msg_W_FLAG f = {.job = j->job, .does = r->action == RULE_KILL ?
	    WATCH_KILL : WATCH_FREEZE,
	    .rule = (uint8_t)contract_watch_rule(r->name)};

	m.a = f.rule;
	m.b = us;
	if (r->action != RULE_LOG) {
		(void)snprintf(f.name, sizeof(f.name), "%s", r->name);
		(void)snprintf(f.text, sizeof(f.text), "%.250s", text);
		w->ops.flag(w->ops.ctx, &f);
	}
	w->ops.event(w->ops.ctx, &m);
}

/* Each rule once for a job; what it does again is counted. */
static void
apply(struct watch *w, struct watched *j, const struct watch_event *e,
    const struct cond_job *cj, const char *text)
{
	int i = -1;

	while ((i = rules_match(w->rules, (unsigned)(i + 1), e, cj)) >= 0) {
		if ((j->hit >> i & 1) != 0) {
			j->again++;
			continue;
		}
		j->hit |= UINT64_C(1) << i;
		broken(w, j, &w->rules->rule[i], text, e->when_ns == 0 ? 0 :
		    clock_mono().us - (int64_t)(e->when_ns / 1000));
	}
}

/* A rule of its contract, once; of a rate each time that it must wait. */
static void
breaks(struct watch *w, struct watched *j, unsigned rule, const char *text,
    uint32_t wait_ms)
{
	struct msg_W_FLAG f = {.job = j->job, .does = WATCH_BROKEN,
	    .rule = (uint8_t)rule, .wait_ms = wait_ms};

	if (rule == RULE_NONE || (wait_ms == 0 && (j->broke >> rule & 1) != 0))
		return;
	j->broke |= 1u << rule;
	(void)snprintf(f.name, sizeof(f.name), "%s", contract_rule_name(rule));
	(void)snprintf(f.text, sizeof(f.text), "%.250s", text);
	w->ops.flag(w->ops.ctx, &f);
}

/* What it runs, and what does not end by itself. */
static bool
worth_a_line(const struct watch_event *e)
{
	return e->type == REC_EXEC ||
	    (e->type == REC_EXIT && (e->oom || (e->code & 0x7f) != 0));
}

static struct watched *
by_group(struct watch *w, uint64_t group)
{
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (w->job[i].used && w->job[i].group == group)
			return &w->job[i];
	}
	return NULL;
}

static bool
on_record(void *ctx, const void *rec, size_t len)
{
	static const struct cond_job none;
	struct watch *w = ctx;
	struct watch_event e;
	struct watched *j;
	char text[700], act[600];
	struct msg_EVENT m;

	if (!event_decode(&e, rec, len) || (j = by_group(w, e.group)) == NULL)
		return true;
	links_follow(&j->links, &e);
	event_text(act, sizeof(act), &e);
	if (e.pid == 0) /* a counter has no name for it */
		(void)snprintf(text, sizeof(text), "a process %s", act);
	else
		(void)snprintf(text, sizeof(text), "process %u (%s) %s", e.pid,
		    e.comm, act);
	if (worth_a_line(&e) && j->lines < LINES_MAX) {
		j->lines++;
		m = event_of(j, EVK_JOB_PROCESS, e.oom ? 2 : 1, e.call, text);
		w->ops.event(w->ops.ctx, &m);
	} else if (worth_a_line(&e)) {
		j->again++;
	}
	observed_event(&j->seen, &e);
	if (j->bounds != NULL)
		breaks(w, j, bounds_event(j->bounds, &e), text, 0);
	apply(w, j, &e, &none, text);
	return true;
}

static void
drain(struct watch *w)
{
	if (probes_read(w->probes, on_record, w) < 0)
		log_warn("bpf", "records cannot be read");
}

static void
on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	drain(io->data);
}

static void
leave(struct watch *w, struct watched *j)
{
	probes_forget(w->probes, j->group);
	if (j->cpu >= 0)
		(void)close(j->cpu);
	free(j->bounds);
	observed_clear(&j->seen);
	j->used = false;
	w->njobs--;
	if (w->njobs > 0)
		return;
	ev_timer_stop(w->loop, &w->linger);
	ev_timer_set(&w->linger, LINGER_S, 0.);
	ev_timer_start(w->loop, &w->linger);
}

/* ---- processor time, lost records ---- */

static bool
cpu_us(const struct watched *j, uint64_t *out)
{
	char text[512], *at;
	ssize_t n;

	errno = 0;
	n = j->cpu < 0 ? -1 : pread(j->cpu, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if ((at = strstr(text, "usage_usec ")) == NULL)
		return false;
	*out = strtoull(at + strlen("usage_usec "), NULL, 10);
	return true;
}

static bool
uses(uint64_t us, int64_t wall, uint32_t milli, unsigned percent)
{
	return milli != 0 && us >= (uint64_t)wall * milli / 1000 * percent / 100;
}

/* For how long has it used all that it may? */
static uint32_t
burst_s(struct watched *j, struct mono now)
{
	int64_t wall = mono_sub(now, j->looked_at);
	uint64_t us = 0;

	if (!cpu_us(j, &us) || wall <= 0)
		return 0;
	/*
	 * Its time comes in portions, of which a short look sees some more or
	 * less: one must not be idle, all of them together must be busy.
	 */
	if (wall >= BUSY_LOOK_US) {
		if (!uses(us - j->cpu_us, wall, j->cpu_milli, IDLE_PERCENT)) {
			j->busy = false;
		} else if (!j->busy) {
			j->busy = true;
			j->busy_since = j->looked_at;
			j->busy_us = j->cpu_us;
		}
		if (!uses(us - j->busy_us + PORTION_US * j->cpu_milli / 1000,
			mono_sub(now, j->busy_since), j->cpu_milli,
			BUSY_PERCENT))
			j->busy = false;
		j->cpu_us = us;
		j->looked_at = now;
	}
	return j->busy ? (uint32_t)(mono_sub(now, j->busy_since) /
	    MONO_SECOND) : 0;
}

/* Bytes, which no record tells. */
static void
count(struct watch *w, struct watched *j, const struct watch_group *g,
    struct mono now)
{
	struct bounds *b = j->bounds;
	uint32_t wait_ms;
	unsigned rule;
	char text[128];

	if (b == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%llu bytes of files read",
	    (unsigned long long)g->read_bytes);
	breaks(w, j, bounds_read(b, g->read_bytes), text, 0);
	rule = bounds_written(b, now, g->written_bytes, &wait_ms);
	(void)snprintf(text, sizeof(text), "%llu bytes of files written, "
	    "faster than %llu a second",
	    (unsigned long long)g->written_bytes,
	    (unsigned long long)b->c.max_write_rate);
	breaks(w, j, rule, text, wait_ms);
}

static void
look(struct watch *w, struct watched *j, struct mono now)
{
	struct watch_event e = {.call = "cpu"};
	struct cond_job cj = {.burst_s = burst_s(j, now)};
	struct watch_group g;
	struct msg_EVENT m;
	char text[96];

	/* its group is gone, and node did not say so: it fell meanwhile */
	if (j->cpu >= 0 && errno == ENODEV) {
		leave(w, j);
		return;
	}
	if (cj.burst_s > 0) {
		(void)snprintf(text, sizeof(text), "all of its processor time, "
		    "%u thousandths, for %u s", j->cpu_milli, cj.burst_s);
		apply(w, j, &e, &cj, text);
	}
	if (!probes_group(w->probes, j->group, &g))
		return;
	count(w, j, &g, now);
	if (g.lost == j->lost)
		return;
	/* the first loss is told at once, the sum at its end */
	if (j->lost == 0) {
		m = event_of(j, EVK_JOB_WATCHED, 3, "lost", "more happens "
		    "than can be told: records are lost");
		m.b = (int64_t)g.lost;
		w->ops.event(w->ops.ctx, &m);
	}
	j->lost = g.lost;
}

static void
on_tick(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct watch *w = t->data;
	struct mono now = clock_mono();

	(void)loop;
	(void)revents;
	drain(w);
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (w->job[i].used)
			look(w, &w->job[i], now);
	}
}

/* ---- coming and going ---- */

static void
on_linger(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct watch *w = t->data;

	(void)loop;
	(void)revents;
	if (w->njobs > 0)
		return;
	probes_detach(w->probes);
	w->attached = false;
	ev_timer_stop(w->loop, &w->tick);
	log_debug("bpf", "probes are off");
}

static bool
attach(struct watch *w)
{
	ev_timer_stop(w->loop, &w->linger);
	if (w->attached)
		return true;
	if (probes_attach(w->probes) < 0) {
		log_err("bpf", "probes cannot be attached");
		return false;
	}
	w->attached = true;
	w->tick.repeat = TICK_S;
	ev_timer_again(w->loop, &w->tick);
	log_debug("bpf", "probes are on");
	return true;
}

static struct watched *
by_id(struct watch *w, const struct id32 *job)
{
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (w->job[i].used && id32_eq(&w->job[i].job, job))
			return &w->job[i];
	}
	return NULL;
}

/* The contract, when it has one and it is new here. */
static void
bind(struct watch *w, struct watched *j, const struct msg_W_JOB *m)
{
	struct bounds *b = j->bounds;
	struct watch_bounds wb;

	if (m->record_len == 0 || (b == NULL &&
		(b = malloc(sizeof(*b))) == NULL))
		return;
	if (!bounds_init(b, m->record, m->record_len, m->denied,
		clock_mono())) {
		log_warnx("bpf", "a job's contract cannot be read");
		free(b);
		j->bounds = NULL;
		return;
	}
	j->bounds = b;
	bounds_calls(b, &wb);
	if (probes_bound(w->probes, j->group, &wb) < 0)
		log_warn("bpf", "what a job's contract forbids is not watched");
	if ((b->c.max_read_bytes != 0 || b->c.max_write_rate != 0) &&
	    w->tick.repeat > BOUND_S) {
		w->tick.repeat = BOUND_S;
		ev_timer_again(w->loop, &w->tick);
	}
}

static void
close_files(const int fds[WATCH_FILES])
{
	for (unsigned i = 0; i < WATCH_FILES; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

static bool
in_kernel(const struct watch *w)
{
	return probes_tier(w->probes) < PROBES_COUNTERS;
}

/* Counters need no group of the kernel's to know a job by, as rootless. */
static uint64_t
group_of(const struct watch *w, const struct msg_W_JOB *m)
{
	uint64_t group = m->group;

	if (group == 0 && !in_kernel(w))
		memcpy(&group, m->job.b, sizeof(group));
	return group;
}

bool
watch_job(struct watch *w, const struct msg_W_JOB *m,
    const int fds[WATCH_FILES])
{
	struct watched *j = by_id(w, &m->job);
	uint64_t group = group_of(w, m);

	if (j != NULL && j->group != group) {
		leave(w, j); /* an attempt before this one */
		j = NULL;
	}
	if (j != NULL) {
		close_files(fds);
		bind(w, j, m);
		return j->whole;
	}
	for (unsigned i = 0; j == NULL && i < JOBS_MAX; i++) {
		if (!w->job[i].used)
			j = &w->job[i];
	}
	if (j == NULL || group == 0 || !attach(w) ||
	    probes_watch(w->probes, group, (m->late ? WATCH_LATE : 0) |
	    (m->nested ? WATCH_NESTED : 0)) < 0) {
		log_warn("bpf", "a job is not watched");
		close_files(fds);
		return false;
	}
	probes_count(w->probes, group, fds[WATCH_MEMORY], fds[WATCH_PIDS]);
	*j = (struct watched){.used = true, .job = m->job, .group = group,
	    .cpu = fds[WATCH_CPU], .cpu_milli = m->cpu_milli, .looked_at = clock_mono(),
	    .whole = !m->late};
	(void)cpu_us(j, &j->cpu_us);
	w->njobs++;
	bind(w, j, m);
	return j->whole;
}

/* late: what it did before, and was told to who fell, is in no number. */
static void
sum_text(char *out, size_t cap, const struct watch *w, const struct watched *j,
    const struct watch_group *g, uint64_t events)
{
	const char *late = j->whole ? "" : "since it was found running: ";

	if (!in_kernel(w)) {
		(void)snprintf(out, cap, "by counters alone: %s%llu processes "
		    "refused, %llu ended for want of memory or first of all",
		    late, (unsigned long long)g->seen[REC_FORK],
		    (unsigned long long)g->seen[REC_EXIT]);
		return;
	}
	(void)snprintf(out, cap, "%s%llu processes started, %llu programs "
	    "run, %llu ended; %llu records, of which %llu are lost; %u repeat "
	    "what was told or find no room here", late,
	    (unsigned long long)g->seen[REC_FORK],
	    (unsigned long long)g->seen[REC_EXEC],
	    (unsigned long long)g->seen[REC_EXIT], (unsigned long long)events,
	    (unsigned long long)g->lost, j->again);
}

static void
sum_up(struct watch *w, const struct watched *j, const struct watch_group *g,
    uint64_t events)
{
	struct msg_EVENT m;
	char text[256];

	sum_text(text, sizeof(text), w, j, g, events);
	m = event_of(j, EVK_JOB_WATCHED, g->lost > 0 ? 3 : 1, "", text);
	m.a = (int64_t)events;
	m.b = (int64_t)g->lost;
	w->ops.event(w->ops.ctx, &m);
}

/* The record of what it did, with what node has measured. */
static void
observe(struct watch *w, const struct watched *j, const struct watch_group *g,
    const struct msg_W_OVER *m)
{
	const struct observed_sums s = {m->cpu_ms, m->memory_kb, m->wall_ms};
	struct msg_EVENT e;
	char text[OBSERVED_TEXT];
	struct id32 digest;

	if (observed_put(text, &digest, &j->seen, &s, g, j->whole) == 0)
		return;
	e = event_of(j, EVK_JOB_OBSERVED, 1, "", text);
	hex_encode(e.code, HASH_BYTES(digest));
	w->ops.event(w->ops.ctx, &e);
}

bool
watch_over(struct watch *w, const struct msg_W_OVER *m, struct msg_W_DONE *out)
{
	struct watched *j = by_id(w, &m->job);
	struct watch_group g = {.lost = 0};
	uint64_t events = 0;

	*out = (struct msg_W_DONE){.job = m->job};
	if (j == NULL)
		return false;
	probes_over(w->probes, j->group, m->status);
	drain(w);
	if (probes_group(w->probes, j->group, &g)) {
		for (unsigned i = 0; i < REC_TYPES; i++)
			events += g.seen[i];
		/* what it did since the last look; however it ended */
		count(w, j, &g, clock_mono());
		sum_up(w, j, &g, events);
		if (in_kernel(w))
			observe(w, j, &g, m);
		else
			events = 0; /* none of those that receipts tell */
	}
	out->events = (uint32_t)MIN_OF(events, (uint64_t)UINT32_MAX);
	out->lost = (uint32_t)MIN_OF(g.lost, (uint64_t)UINT32_MAX);
	leave(w, j);
	return true;
}

unsigned
watch_counts(struct watch *w, struct dog_count *out, unsigned max)
{
	struct watch_group g;
	unsigned n = 0;

	for (unsigned i = 0; i < JOBS_MAX && n < max; i++) {
		const struct watched *j = &w->job[i];

		if (!j->used || !probes_group(w->probes, j->group, &g))
			continue;
		out[n++] = (struct dog_count){j->job, g.seen[REC_FORK],
		    g.seen[REC_EXEC], j->cpu_us / 1000, j->cpu_milli};
	}
	return n;
}

struct watch *
watch_new(struct ev_loop *loop, struct probes *probes,
    const struct rules *rules, const struct watch_ops *ops)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	_Static_assert(RULES_MAX <= 64, "a bit for each rule in watched.hit");
	w->loop = loop;
	w->probes = probes;
	w->rules = rules;
	w->ops = *ops;
	ev_io_init(&w->io, on_readable, probes_fd(probes), EV_READ);
	ev_init(&w->tick, on_tick);
	w->tick.repeat = TICK_S;
	ev_init(&w->linger, on_linger);
	w->io.data = w->tick.data = w->linger.data = w;
	if (probes_fd(probes) >= 0)
		ev_io_start(loop, &w->io);
	watch_deny(w);
	return w;
}

void
watch_deny(struct watch *w)
{
	if (w != NULL && probes_deny(w->probes, rules_denied(w->rules)) < 0)
		log_warn("bpf", "what rules forbid is not refused at once: "
		    "what follows an act does");
}

void
watch_posture(const struct watch *w, const char *refused,
    struct msg_W_POSTURE *m)
{
	const char *tier = probes_tier_name(probes_tier(w->probes));
	char blind[sizeof(m->by)];

	if (in_kernel(w)) {
		m->layers = LAYER_BPF;
		(void)snprintf(m->by, sizeof(m->by), "by %s%s%s%s", tier,
		    refused[0] != '\0' ? " (" : "", refused,
		    refused[0] != '\0' ? ")" : "");
		return;
	}
	counters_blind(blind, sizeof(blind) - 64, w->rules);
	(void)snprintf(m->missing, sizeof(m->missing), "%s", refused);
	(void)snprintf(m->by, sizeof(m->by), "by %s of the control group; "
	    "not seen: %.*s", tier, (int)sizeof(blind) - 64, blind);
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (w->job[i].used)
			leave(w, &w->job[i]);
	}
	ev_io_stop(w->loop, &w->io);
	ev_timer_stop(w->loop, &w->tick);
	ev_timer_stop(w->loop, &w->linger);
	probes_detach(w->probes);
	free(w);
}
