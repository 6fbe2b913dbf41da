/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/counters.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/decode.h"
#include "audit/probes_impl.h"
#include "common/clock.h"
#include "common/util.h"

#define TEXT_MAX 1024 /* of such a file */
#define NO_CALL 0xffffffffu

struct counted {
	bool used, over;
	uint64_t group;
	int memory, pids;	 /* files, or -1 */
	uint64_t killed, refused; /* as they said at the last look */
	uint32_t status;
	struct watch_group sum;
};

struct counters {
	struct probes p; /* first */
	struct counted job[WATCH_GROUPS];
};

bool
counters_number(const char *text, const char *key, uint64_t *out)
{
	size_t n = strlen(key);
	char *end;

	for (; text != NULL && *text != '\0'; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, n) != 0 || text[n] != ' ')
			continue;
		text += n + 1;
		errno = 0;
		*out = strtoull(text, &end, 10);
		return *text >= '0' && *text <= '9' && errno == 0 &&
		    (*end == '\n' || *end == '\0');
	}
	return false;
}

/* By how much it has grown since the last look; 0 for what cannot be read. */
static uint64_t
grown(int fd, const char *key, uint64_t *was)
{
	char text[TEXT_MAX];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	uint64_t now, more;

	if (n < 0)
		return 0;
	text[n] = '\0';
	if (!counters_number(text, key, &now))
		return 0;
	more = now > *was ? now - *was : 0;
	*was = now;
	return more;
}

/* ---- records ---- */

static struct rec_head
head(const struct counted *j, enum rec_type type, size_t size, int64_t ret)
{
	return (struct rec_head){.type = (__u16)type, .size = (__u16)size,
	    .call = NO_CALL, .group = j->group, .ret = ret,
	    .when_ns = (__u64)clock_mono().us * 1000};
}

static struct rec_fork
refused_fork(const struct counted *j)
{
	return (struct rec_fork){
	    .h = head(j, REC_FORK, sizeof(struct rec_fork), -EAGAIN)};
}

static struct rec_exit
ended(const struct counted *j, uint32_t status, bool oom)
{
	return (struct rec_exit){.h = head(j, REC_EXIT,
	    sizeof(struct rec_exit), 0), .code = status, .oom = oom};
}

/*
 * One record for all of a kind since the last look: nothing but their number
 * is known of them.
 */
static bool
look(struct counted *j, probes_fn *fn, void *ctx)
{
	uint64_t killed = grown(j->memory, "oom_kill", &j->killed);
	uint64_t refused = grown(j->pids, "max", &j->refused);
	struct rec_exit e = ended(j, SIGKILL, true);
	struct rec_fork f = refused_fork(j);
	bool on = true;

	j->sum.seen[REC_EXIT] += killed;
	j->sum.seen[REC_FORK] += refused;
	if (killed > 0)
		on = fn(ctx, &e, sizeof(e));
	if (refused > 0)
		on = fn(ctx, &f, sizeof(f)) && on;
	if (!j->over)
		return on;
	j->over = false;
	/* that one has been told: it was among them */
	if (j->status == SIGKILL && j->sum.seen[REC_EXIT] > 0)
		return on;
	j->sum.seen[REC_EXIT]++;
	e = ended(j, j->status, false);
	return fn(ctx, &e, sizeof(e)) && on;
}

/* ---- as a tier ---- */

static struct counted *
find(struct probes *q, uint64_t group)
{
	struct counters *c = (struct counters *)q;

	for (size_t i = 0; i < NELEM(c->job); i++) {
		if (c->job[i].used && c->job[i].group == group)
			return &c->job[i];
	}
	return NULL;
}

static int
watch(struct probes *q, uint64_t group, unsigned how)
{
	struct counters *c = (struct counters *)q;

	if (find(q, group) != NULL)
		return 0;
	for (size_t i = 0; i < NELEM(c->job); i++) {
		if (c->job[i].used)
			continue;
		c->job[i] = (struct counted){.used = true, .group = group,
		    .memory = -1, .pids = -1, .sum = {.late = (how & WATCH_LATE) != 0}};
		return 0;
	}
	errno = E2BIG;
	return -1;
}

/* A slot's counters run on: what they say now was before. */
static void
count(struct probes *q, uint64_t group, int memory, int pids)
{
	struct counted *j = find(q, group);

	if (j == NULL || j->memory >= 0 || j->pids >= 0) {
		if (memory >= 0)
			(void)close(memory);
		if (pids >= 0)
			(void)close(pids);
		return;
	}
	j->memory = memory;
	j->pids = pids;
	(void)grown(memory, "oom_kill", &j->killed);
	(void)grown(pids, "max", &j->refused);
}

static void
over(struct probes *q, uint64_t group, uint32_t status)
{
	struct counted *j = find(q, group);

	if (j == NULL)
		return;
	j->over = true;
	j->status = status;
}

static bool
sums(struct probes *q, uint64_t group, struct watch_group *out)
{
	const struct counted *j = find(q, group);

	if (j != NULL)
		*out = j->sum;
	return j != NULL;
}

static void
forget(struct probes *q, uint64_t group)
{
	struct counted *j = find(q, group);

	if (j == NULL)
		return;
	if (j->memory >= 0)
		(void)close(j->memory);
	if (j->pids >= 0)
		(void)close(j->pids);
	j->used = false;
}

static int
read_all(struct probes *q, probes_fn *fn, void *ctx)
{
	struct counters *c = (struct counters *)q;

	for (size_t i = 0; i < NELEM(c->job); i++) {
		if (c->job[i].used && !look(&c->job[i], fn, ctx))
			break;
	}
	return 0;
}

static int
attach(struct probes *q)
{
	(void)q;
	return 0;
}

static void
detach(struct probes *q)
{
	(void)q;
}

static int
deny(struct probes *q, uint32_t what)
{
	(void)q;
	(void)what;
	return 0; /* as the tiers that only watch */
}

static int
bound(struct probes *q, uint64_t group, const struct watch_bounds *b)
{
	(void)q;
	(void)group;
	(void)b;
	return 0; /* node says what it cannot watch of a contract */
}

static int
no_fd(const struct probes *q)
{
	(void)q;
	return -1;
}

static void
destroy(struct probes *q)
{
	struct counters *c = (struct counters *)q;

	for (size_t i = 0; i < NELEM(c->job); i++) {
		if (c->job[i].used)
			forget(q, c->job[i].group);
	}
	free(c);
}

struct probes *
counters_new(void)
{
	static const struct probes_ops ops = {.attach = attach,
	    .detach = detach, .deny = deny, .watch = watch, .bound = bound,
	    .count = count, .over = over, .group = sums, .forget = forget,
	    .fd = no_fd, .read = read_all, .free = destroy};
	struct counters *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->p = (struct probes){PROBES_COUNTERS, &ops};
	return &c->p;
}

/* ---- what it cannot see ---- */

static bool
breaks(const struct rule *r, const void *rec, size_t len)
{
	static const struct cond_job quiet;
	struct watch_event e;

	return event_decode(&e, rec, len) && cond_holds(&r->cond, &e, &quiet);
}

/* At once, for ever, or as long as a number of it says. */
static bool
breaks_busy(const struct rule *r)
{
	const struct watch_event cpu = {.call = "cpu"};
	struct cond_job j = {.burst_s = 1};

	if (cond_holds(&r->cond, &cpu, &j))
		return true;
	j.burst_s = UINT32_MAX;
	if (cond_holds(&r->cond, &cpu, &j))
		return true;
	for (int16_t i = 0; i < r->cond.n; i++) {
		int64_t n = r->cond.node[i].number;

		for (int64_t s = n - 1; n > 0 && s <= n + 1; s++) {
			j.burst_s = (uint32_t)MIN_OF(s, (int64_t)UINT32_MAX);
			if (j.burst_s > 0 && cond_holds(&r->cond, &cpu, &j))
				return true;
		}
	}
	return false;
}

bool
counters_sees(const struct rule *r)
{
	static const struct counted none;
	struct rec_fork f = refused_fork(&none);
	struct rec_exit e = ended(&none, SIGKILL, true);

	if (breaks(r, &f, sizeof(f)) || breaks(r, &e, sizeof(e)))
		return true;
	for (uint32_t i = 0; i < 256 + NSIG; i++) {
		e = ended(&none, i < 256 ? i << 8 : i - 256, false);
		if (breaks(r, &e, sizeof(e)))
			return true;
	}
	return breaks_busy(r);
}

void
counters_blind(char *out, size_t cap, const struct rules *r)
{
	size_t len = 0;

	if (cap > 0)
		out[0] = '\0';
	for (unsigned i = 0; i < r->n && len < cap; i++) {
		if (r->rule[i].enabled && !counters_sees(&r->rule[i]))
			len += (size_t)snprintf(out + len, cap - len, "%s%s",
			    len > 0 ? " " : "", r->rule[i].name);
	}
}
