/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/sched.h"

#include <stdlib.h>
#include <string.h>

#define SCHED_SLOTS_MAX 256 /* that sched_wait_s looks at */
#define COST_MAX (UINT64_C(1) << 40) /* ms: nobody owes more for one job */
#define MEAN_PART 4 /* of a new value in a mean */

RB_HEAD(sched_queue, sched_job);

/*
 * Costs are ms of cpu time by the weight of the level. What an owner has paid
 * for counts from `base` on, which moves up with the least of those that wait:
 * a new one begins there, and who was away for a while has no credit from then.
 */
struct sched_owner {
	RB_ENTRY(sched_owner) by_fp, by_turn, by_paid;
	struct fp fp;
	struct sched_queue ready;
	size_t nready;
	uint32_t nrunning;
	uint64_t paid;	 /* for jobs that have ended */
	uint64_t owed;	 /* for those that run, as estimated */
	uint64_t served; /* when last: its place in the ring; 0: not yet */
	bool is_away;
	/* what its jobs took; 0: not known */
	uint64_t mean_cpu, mean_wall;
};

/* ---- orders ---- */

/* A level is worth so much of waiting, and no more: older ones come. */
static int64_t
rank(const struct sched_job *j)
{
	return j->since.us - (int64_t)j->level * SCHED_LEVEL_S * MONO_SECOND;
}

static int
cmp_queue(struct sched_job *a, struct sched_job *b)
{
	if (rank(a) != rank(b))
		return rank(a) < rank(b) ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

TREE_PROTOTYPE(sched_queue, sched_job, by_turn, cmp_queue)
TREE_GENERATE(sched_queue, sched_job, by_turn, cmp_queue)

static int
cmp_fp(struct sched_owner *a, struct sched_owner *b)
{
	return fp_cmp(&a->fp, &b->fp);
}

TREE_PROTOTYPE(sched_fps, sched_owner, by_fp, cmp_fp)
TREE_GENERATE(sched_fps, sched_owner, by_fp, cmp_fp)

/* The round in which it owes nothing any more. */
static uint64_t
round_of(const struct sched_owner *o)
{
	return (o->paid + o->owed) / SCHED_QUANTUM_MS;
}

static int
cmp_turn(struct sched_owner *a, struct sched_owner *b)
{
	int la = RB_MIN(sched_queue, &a->ready)->level;
	int lb = RB_MIN(sched_queue, &b->ready)->level;

	if (round_of(a) != round_of(b))
		return round_of(a) < round_of(b) ? -1 : 1;
	if (la != lb)
		return la > lb ? -1 : 1;
	if (a->served != b->served)
		return a->served < b->served ? -1 : 1;
	return fp_cmp(&a->fp, &b->fp);
}

TREE_PROTOTYPE(sched_turns, sched_owner, by_turn, cmp_turn)
TREE_GENERATE(sched_turns, sched_owner, by_turn, cmp_turn)

static int
cmp_paid(struct sched_owner *a, struct sched_owner *b)
{
	if (a->paid != b->paid)
		return a->paid < b->paid ? -1 : 1;
	return fp_cmp(&a->fp, &b->fp);
}

TREE_PROTOTYPE(sched_paid, sched_owner, by_paid, cmp_paid)
TREE_GENERATE(sched_paid, sched_owner, by_paid, cmp_paid)
TREE_PROTOTYPE(sched_away, sched_owner, by_paid, cmp_paid)
TREE_GENERATE(sched_away, sched_owner, by_paid, cmp_paid)

/* ---- owners ---- */

static void
forget(struct sched *s, struct sched_owner *o)
{
	if (o->is_away) {
		(void)RB_REMOVE(sched_away, &s->away, o);
		s->naway--;
	}
	(void)RB_REMOVE(sched_fps, &s->owners, o);
	s->nowners--;
	free(o);
}

/*
 * Takes it out of the orders while something that they depend on changes;
 * each change of an owner is between leave() and enter().
 */
static void
leave(struct sched *s, struct sched_owner *o)
{
	if (o->is_away) {
		(void)RB_REMOVE(sched_away, &s->away, o);
		o->is_away = false;
		s->naway--;
	} else if (o->nready > 0) {
		(void)RB_REMOVE(sched_turns, &s->turns, o);
		(void)RB_REMOVE(sched_paid, &s->paid, o);
		s->nturns--;
	}
}

static void
move_base(struct sched *s)
{
	const struct sched_owner *least = RB_MIN(sched_paid, &s->paid);
	struct sched_owner *o;

	if (least != NULL)
		s->base = MAX_OF(s->base, least->paid);
	while (s->naway > SCHED_AWAY_MAX &&
	    (o = RB_MIN(sched_away, &s->away)) != NULL)
		forget(s, o);
}

static void
enter(struct sched *s, struct sched_owner *o)
{
	if (o->nready > 0) {
		(void)RB_INSERT(sched_turns, &s->turns, o);
		(void)RB_INSERT(sched_paid, &s->paid, o);
		s->nturns++;
	} else if (o->nrunning == 0) {
		(void)RB_INSERT(sched_away, &s->away, o);
		o->is_away = true;
		s->naway++;
	}
	/* nobody is here: nobody was kept from anything */
	if (s->naway == s->nowners && (o = RB_MAX(sched_away,
	    &s->away)) != NULL)
		s->base = MAX_OF(s->base, o->paid);
	move_base(s);
}

static struct sched_owner *
owner_find(const struct sched *s, const struct fp *fp)
{
	struct sched_owner key;

	key.fp = *fp;
	return RB_FIND(sched_fps, (struct sched_fps *)&s->owners, &key);
}

/* In no order yet: enter() is the caller's. */
static struct sched_owner *
owner_get(struct sched *s, const struct fp *fp)
{
	struct sched_owner *o = owner_find(s, fp);

	if (o != NULL) {
		leave(s, o);
		return o;
	}
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	o->fp = *fp;
	o->paid = s->base;
	RB_INIT(&o->ready);
	(void)RB_INSERT(sched_fps, &s->owners, o);
	s->nowners++;
	return o;
}

/* ---- what a job costs ---- */

static uint64_t
weighed(const struct sched_job *j, uint64_t ms)
{
	ms = MIN_OF(ms, COST_MAX);
	return MAX_OF(j->level >= 3 ? ms / 4 : j->level == 2 ? ms / 2 : ms,
	    (uint64_t)1);
}

/* All the cpu time that it could take in so long. */
static uint64_t
most_of(const struct sched_job *j, uint64_t wall_ms)
{
	return MIN_OF(wall_ms, COST_MAX) *
	    MIN_OF(j->cpu_milli, (uint32_t)4096000) / 1000;
}

/* A slot that is held is not free for others, though nothing is done in it. */
static uint64_t
cost_of(const struct sched_job *j, uint64_t cpu_ms, uint64_t wall_ms)
{
	return weighed(j, MAX_OF(cpu_ms,
	    most_of(j, wall_ms) / SCHED_HELD_PART));
}

static uint64_t
estimate(const struct sched_job *j, const struct sched_owner *o)
{
	uint64_t most = most_of(j, j->time_ms);

	return weighed(j, o->mean_cpu == 0 ? most : MIN_OF(o->mean_cpu, most));
}

static uint64_t
mean(uint64_t old, uint64_t now)
{
	now = MAX_OF(MIN_OF(now, COST_MAX), (uint64_t)1);
	return old == 0 ? now :
	    old - old / MEAN_PART + now / MEAN_PART +
	    (old < MEAN_PART || now < MEAN_PART);
}

/* ---- what changes ---- */

void
sched_init(struct sched *s)
{
	memset(s, 0, sizeof(*s));
	RB_INIT(&s->owners);
	RB_INIT(&s->turns);
	RB_INIT(&s->paid);
	RB_INIT(&s->away);
	TAILQ_INIT(&s->running);
}

void
sched_clear(struct sched *s)
{
	struct sched_owner *o;

	while ((o = RB_ROOT(&s->owners)) != NULL) {
		(void)RB_REMOVE(sched_fps, &s->owners, o);
		free(o);
	}
	sched_init(s);
}

bool
sched_ready(struct sched *s, struct sched_job *j)
{
	struct sched_owner *o;

	if (j->where != SCHED_OUT)
		return j->where == SCHED_READY;
	if ((o = owner_get(s, &j->owner)) == NULL)
		return false;
	/* who comes back has no credit for the time in which he was away */
	if (o->nready == 0)
		o->paid = MAX_OF(o->paid, s->base);
	j->of = o;
	j->where = SCHED_READY;
	j->wall_ms = o->mean_wall == 0 ? j->time_ms :
	    MIN_OF(o->mean_wall, j->time_ms);
	(void)RB_INSERT(sched_queue, &o->ready, j);
	o->nready++;
	s->ready++;
	s->ready_ms += MIN_OF(j->wall_ms, COST_MAX);
	enter(s, o);
	return true;
}

/* Between leave() and enter(). */
static void
out_of_queue(struct sched *s, struct sched_job *j)
{
	(void)RB_REMOVE(sched_queue, &j->of->ready, j);
	j->of->nready--;
	s->ready--;
	s->ready_ms -= MIN_OF(j->wall_ms, COST_MAX);
	j->where = SCHED_OUT;
	if (s->big == j)
		s->big = NULL;
	for (unsigned i = 0; i < s->npassed; i++) {
		if (s->passed[i] == j)
			s->passed[i] = s->passed[--s->npassed];
	}
}

void
sched_unready(struct sched *s, struct sched_job *j)
{
	struct sched_owner *o = j->of;

	if (j->where != SCHED_READY)
		return;
	leave(s, o);
	out_of_queue(s, j);
	enter(s, o);
}

bool
sched_start(struct sched *s, struct sched_job *j, struct mono now)
{
	struct sched_owner *o;

	if (j->where == SCHED_RUNNING)
		return true;
	if ((o = owner_get(s, &j->owner)) == NULL)
		return false;
	if (j->where == SCHED_READY)
		out_of_queue(s, j);
	j->of = o;
	j->where = SCHED_RUNNING;
	j->cost = estimate(j, o);
	j->wall_ms = o->mean_wall == 0 ? j->time_ms :
	    MIN_OF(o->mean_wall, j->time_ms);
	j->started = now;
	o->owed += j->cost;
	o->nrunning++;
	o->served = ++s->served;
	s->slots++;
	s->memory += j->memory;
	s->cpu_milli += j->cpu_milli;
	TAILQ_INSERT_TAIL(&s->running, j, link);
	enter(s, o);
	return true;
}

void
sched_end(struct sched *s, struct sched_job *j, uint64_t cpu_ms,
    uint64_t wall_ms)
{
	struct sched_owner *o = j->of;

	if (j->where != SCHED_RUNNING)
		return;
	leave(s, o);
	o->owed -= j->cost;
	o->paid += cost_of(j, cpu_ms, wall_ms);
	o->nrunning--;
	o->mean_cpu = mean(o->mean_cpu, MAX_OF(cpu_ms,
	    most_of(j, wall_ms) / SCHED_HELD_PART));
	o->mean_wall = mean(o->mean_wall, wall_ms);
	s->slots--;
	s->memory -= j->memory;
	s->cpu_milli -= j->cpu_milli;
	TAILQ_REMOVE(&s->running, j, link);
	j->where = SCHED_OUT;
	j->of = NULL;
	enter(s, o);
}

/* One that runs for longer than was thought costs more already. */
static void
overrun(struct sched *s, struct mono now)
{
	struct sched_job *j;

	TAILQ_FOREACH(j, &s->running, link) {
		int64_t us = mono_sub(now, j->started);
		uint64_t cost = us <= 0 ? 0 :
		    cost_of(j, 0, (uint64_t)us / 1000);

		if (cost <= j->cost)
			continue;
		leave(s, j->of);
		j->of->owed += cost - j->cost;
		j->cost = cost;
		enter(s, j->of);
	}
}

/* ---- decisions ---- */

static bool
fits_in(uint64_t memory_used, uint64_t cpu_used,
    const struct sched_room *room, const struct sched_job *j)
{
	return (room->memory == 0 || (memory_used <= room->memory &&
		j->memory <= room->memory - memory_used)) &&
	    (room->cpu_milli == 0 ||
		cpu_used + j->cpu_milli <= room->cpu_milli);
}

static bool
fits(const struct sched *s, const struct sched_room *room,
    const struct sched_job *j)
{
	return fits_in(s->memory, s->cpu_milli, room, j);
}

static bool
waited(const struct sched_job *j, struct mono now)
{
	return mono_sub(now, j->since) >= SCHED_PATIENCE_S * MONO_SECOND;
}

/* The first in order that fits; NULL: none, or one has waited long enough. */
static struct sched_job *
pick(struct sched *s, const struct sched_room *room, struct mono now)
{
	struct sched_owner *o;
	struct sched_job *j;
	unsigned n;

	RB_FOREACH(o, sched_turns, &s->turns) {
		n = 0;
		RB_FOREACH(j, sched_queue, &o->ready) {
			if (fits(s, room, j) || !fits_in(0, 0, room, j))
				return j;
			if (s->npassed == 0 && waited(j, now)) {
				s->big = j;
				s->passed[s->npassed++] = j;
				return NULL;
			}
			s->passed[s->npassed++] = j;
			if (s->npassed == SCHED_LOOK)
				return NULL;
			if (++n == SCHED_LOOK_OWNER)
				break;
		}
	}
	return NULL;
}

enum sched_why
sched_next(struct sched *s, struct sched_job **job,
    const struct sched_room *room, struct mono now)
{
	s->npassed = 0;
	if (s->ready == 0)
		return SCHED_IDLE;
	overrun(s, now);
	if (s->slots >= room->slots)
		return SCHED_SLOTS;
	if (s->big == NULL) {
		*job = pick(s, room, now);
	} else {
		*job = s->big;
		if (!fits(s, room, s->big) && fits_in(0, 0, room, s->big)) {
			s->passed[s->npassed++] = s->big;
			*job = NULL;
		}
	}
	if (*job == NULL)
		return SCHED_RESOURCES;
	return fits_in(0, 0, room, *job) ? SCHED_START : SCHED_NEVER;
}

/* ---- how long it would take ---- */

struct ending {
	uint64_t ms, memory, cpu_milli;
};

static int
cmp_ending(const void *a, const void *b)
{
	const struct ending *x = a, *y = b;

	return x->ms < y->ms ? -1 : x->ms > y->ms;
}

/* When each of those that run is thought to end, the soonest first. */
static unsigned
endings(struct ending *e, const struct sched *s, struct mono now)
{
	const struct sched_job *j;
	unsigned n = 0;

	TAILQ_FOREACH(j, &s->running, link) {
		uint64_t ran = (uint64_t)MAX_OF(mono_sub(now, j->started),
		    INT64_C(0)) / 1000;
		/* longer than thought: it may take all of its time */
		uint64_t all = ran < j->wall_ms ? j->wall_ms : j->time_ms;

		if (n == SCHED_SLOTS_MAX)
			break;
		e[n++] = (struct ending){ran < all ? all - ran : 0, j->memory,
		    j->cpu_milli};
	}
	qsort(e, n, sizeof(*e), cmp_ending);
	return n;
}

/* Milliseconds of work that is before it, if turns are taken. */
static uint64_t
before_ms(const struct sched *s, const struct sched_job *j)
{
	const struct sched_owner *o = owner_find(s, &j->owner);
	bool here = j->where == SCHED_READY;
	uint64_t mine = o == NULL ? 0 : o->nready - here;
	uint64_t others = s->nturns - (o != NULL && o->nready > 0);
	uint64_t all = s->ready - here;
	uint64_t ms = s->ready_ms -
	    (here ? MIN_OF(j->wall_ms, COST_MAX) : 0);
	uint64_t before = mine + (mine + 1) * others;

	if (all == 0)
		return 0;
	return before >= all ? ms :
	    (uint64_t)((unsigned __int128)ms * before / all);
}

uint32_t
sched_wait_s(const struct sched *s, const struct sched_room *room,
    const struct sched_job *j, struct mono now)
{
	struct ending e[SCHED_SLOTS_MAX];
	uint32_t slots = MIN_OF(room->slots, (uint32_t)SCHED_SLOTS_MAX);
	unsigned n = endings(e, s, now), i;
	uint64_t memory = s->memory, cpu = s->cpu_milli;
	uint64_t ms = before_ms(s, j), sum = 0;

	if (slots == 0 || !fits_in(0, 0, room, j))
		return UINT32_MAX;
	/* until there is a slot, and room in it */
	for (i = 0; i < n && (n - i >= slots || !fits_in(memory, cpu, room, j));
	    i++) {
		memory -= MIN_OF(memory, e[i].memory);
		cpu -= MIN_OF(cpu, e[i].cpu_milli);
	}
	if (i > 0)
		sum = e[i - 1].ms;
	if (ms > 0) {
		/* all slots work through what is before it */
		for (i = 0; i < n; i++)
			ms += MIN_OF(e[i].ms, COST_MAX);
		sum = MAX_OF(sum, ms / slots);
	}
	return (uint32_t)MIN_OF((sum + 999) / 1000, (uint64_t)UINT32_MAX);
}
