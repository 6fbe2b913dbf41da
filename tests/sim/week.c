/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A week of virtual time: week [JOBS [SEED]]. A submitter, a relay and a node,
 * real cores on links of 1 kbit/s that lose 30 % of all packets and carry
 * something for 10 minutes of each hour. The node's program dies now and then,
 * and so do the submitter's, which begin again with the envelope that they
 * have kept. Every job is started exactly once, and its receipt, output and
 * log are here at the end, verified. Prints one line of TAP for each claim.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "tests/sim/week.h"
#include "trust/doc/manifest_record.h"

#define HOUR (3600 * MONO_SECOND)
#define UP (600 * MONO_SECOND) /* of each hour */
#define LIMIT (168 * HOUR)
#define JOBS 10
#define PLANTED 16 /* jobs beside a planted fault */
#define NODE_DIES (5 * HOUR) /* about */
#define NODE_AWAY (40 * MONO_SECOND)
#define PERSON_DIES (2 * HOUR)

struct week week;
static unsigned wires[2];

/* ---- the jobs ---- */

uint8_t
week_byte(unsigned job, unsigned kind, uint64_t i)
{
	uint64_t z = (uint64_t)job << 40 ^ (uint64_t)kind << 32 ^ i;

	z = (z ^ z >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 32) * UINT64_C(0x94d049bb133111eb);
	return (uint8_t)(z >> 56);
}

void
week_bytes(unsigned job, unsigned kind, uint64_t at, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = week_byte(job, kind, at + i);
}

unsigned
week_find(const struct id32 *id)
{
	unsigned i = 0;

	while (i < week.njobs && !id32_eq(&week.job[i].m.job, id))
		i++;
	return i < week.njobs ? i : WEEK_JOBS;
}

void
week_sign(unsigned job, uint8_t again)
{
	static uint8_t bytes[WEEK_IN_MAX];
	struct week_job *j = &week.job[job];
	struct manifest *m = &j->m;
	uint32_t now = (uint32_t)(SIM_WALL_US / 1000000);

	manifest_clear(m);
	assert_true(world_manifest(m, WEEK_WHO, (uint8_t)(job + 1), now,
	    j->env, sizeof(j->env)) > 0);
	m->nonce[1] = again;
	m->not_after = m->deadline = now + 20 * 86400;
	m->has |= HAS_VOLUMES | HAS_LIMITS;
	m->limit[LIMIT_TIME] = 1800 * 1000;
	m->nvolumes = 2;
	for (unsigned k = 0; k < 2; k++) {
		struct manifest_volume *v = &m->volume[k];

		(void)snprintf(v->target, sizeof(v->target), "/v%u", k);
		v->rw = k == 1;
		week_bytes(job, k, 0, bytes, j->in[k]);
		rns_sha256(&v->blob.sha256, bytes, j->in[k]);
		v->blob.size = j->in[k];
	}
	j->len = manifest_record_put(j->env, sizeof(j->env), m);
	assert_true(j->len > 0);
	rns_sha256(&m->job, j->env, j->len);
}

static void
make_jobs(unsigned n)
{
	week.njobs = n;
	for (unsigned i = 0; i < n; i++) {
		struct week_job *j = &week.job[i];

		/* a few kB; each tenth more than a link carries at once */
		j->in[0] = i % 10 == 4 ? WEEK_IN_MAX : 2000 + i * 97 % 5000;
		j->in[1] = 512;
		j->out = i % 10 == 7 ? WEEK_OUT_MAX : 1500 + i * 61 % 6000;
		week_sign(i, 0);
	}
}

/* ---- the mesh ---- */

static void
on_event(struct sim *s, unsigned node, const struct rns_event *ev, void *arg)
{
	(void)s;
	(void)arg;
	if (node == WEEK_A)
		week_person_event(ev);
	else if (node == WEEK_B)
		week_node_event(ev);
}

static void
make_mesh(uint64_t seed)
{
	const struct sim_node_opts end = {0}, relay = {.transport = true};
	const struct sim_link_opts bad = {.bitrate = 1000,
	    .delay_us = 100000, .loss_permille = 300};
	const struct sim_link_opts near = {.bitrate = 1000000,
	    .delay_us = 1000};

	week.sim = sim_new(seed, on_event, NULL);
	assert_int_equal(sim_node(week.sim, &end), WEEK_A);
	assert_int_equal(sim_node(week.sim, &relay), WEEK_R);
	assert_int_equal(sim_node(week.sim, &end), WEEK_B);
	wires[0] = sim_link(week.sim, WEEK_A, WEEK_R, &bad);
	wires[1] = sim_link(week.sim, WEEK_R, WEEK_B, &near);
}

/* Every other time the two ends are told that their link is gone. */
static bool
mesh_turn(int64_t now)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ONLINE};
	bool up = now % HOUR < UP;
	bool online = up || now / HOUR % 2 == 0;

	sim_carry(week.sim, wires[0], up);
	if (online == week.online)
		return up;
	week.online = c.online.online = online;
	c.online.ifid = wires[0];
	for (unsigned n = WEEK_A; n <= WEEK_R; n++)
		assert_int_equal(sim_submit(week.sim, n, &c), RNS_OK);
	return up;
}

/* ---- a week ---- */

static void
deaths(int64_t now)
{
	static int64_t node_at, back_at, person_at;

	if (now == 0) {
		node_at = HOUR / 4;
		person_at = HOUR / 2;
		back_at = 0;
	}
	if (back_at != 0 && now >= back_at) {
		back_at = 0;
		week_node_back();
	}
	if (back_at == 0 && now >= node_at) {
		week_node_die();
		back_at = now + NODE_AWAY;
		node_at = now + NODE_DIES / 2 +
		    (int64_t)(sim_random(week.sim) % (uint64_t)NODE_DIES);
	}
	if (now >= person_at) {
		week_person_die((unsigned)(sim_random(week.sim) % WEEK_SLOTS));
		person_at = now + PERSON_DIES / 2 +
		    (int64_t)(sim_random(week.sim) % (uint64_t)PERSON_DIES);
	}
}

static void
live(void)
{
	int64_t now;

	while ((now = sim_now(week.sim).us) < LIMIT && !week_person_done()) {
		bool up = mesh_turn(now);

		deaths(now);
		week_node_turn();
		week_person_turn();
		(void)sim_run(week.sim, up ? MONO_SECOND / 10 : MONO_SECOND,
		    NULL, NULL);
	}
}

/* ---- claims ---- */

static unsigned claims;

static bool __attribute__((format(printf, 2, 3)))
claim(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u - week: ", good ? "ok" : "not ok", ++claims);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	return good;
}

struct sums {
	unsigned done, once, exited, kept;
};

static void
sum_up(struct sums *s, bool tell)
{
	*s = (struct sums){0};
	for (unsigned i = 0; i < week.njobs; i++) {
		const struct week_job *j = &week.job[i];
		const struct job *k = job_find(&week.w.n.jobs, &j->m.job);

		s->done += j->done;
		s->once += j->starts == 1 && j->r.attempts == 1;
		s->exited += j->r.outcome == JOB_EXITED && j->r.code == 0;
		s->kept += k != NULL && k->state == JS_DONE;
		if (tell && (!j->done || j->starts != 1))
			printf("# job %u: %sdone, %u starts, %u deaths, "
			    "begun %lld s, state %d\n", i,
			    j->done ? "" : "not ", j->starts, j->deaths,
			    (long long)(j->begun / MONO_SECOND),
			    k != NULL ? (int)k->state : -1);
	}
}

static bool
judge(void)
{
	unsigned n = week.njobs;
	bool good = true;
	struct sums s;

	sum_up(&s, true);
	good &= claim(s.done == n,
	    "%u of %u jobs have a verified receipt, output and log", s.done, n);
	good &= claim(s.once == n && week.w.starts == n,
	    "%u started exactly once, %u starts in all", s.once,
	    week.w.starts);
	good &= claim(s.exited == n, "%u exited with 0", s.exited);
	good &= claim(s.kept == n, "the node has forgotten %u", n - s.kept);
	good &= claim(week.wrong == 0, "%u answers or ends were wrong",
	    week.wrong);
	return good & claim(week.node_deaths > 0 && week.links > 2 * n,
	    "its program died %u times, %u links", week.node_deaths,
	    week.links);
}

/* Would the claims have failed? */
static bool
noticed(const char *what)
{
	struct sums s;

	sum_up(&s, false);
	return claim(s.done < week.njobs || s.once < week.njobs ||
	    s.kept < week.njobs || week.w.starts > week.njobs,
	    "%s is noticed: %u of %u jobs once, %u starts, %u kept", what,
	    s.once, week.njobs, week.w.starts, s.kept);
}

static void
say(void)
{
	struct sim_stats st = sim_stats(week.sim);
	unsigned deaths_of = 0;

	for (unsigned i = 0; i < week.njobs; i++)
		deaths_of += week.job[i].deaths;
	printf("# %.1f h of virtual time, %.1f s of ours\n",
	    (double)sim_now(week.sim).us / (double)HOUR,
	    (double)clock() / CLOCKS_PER_SEC);
	printf("# %u requests in %u copies, %u busy, %u streams; %u links, "
	    "%u broke; largest slice %u\n", week.requests, week.copies,
	    week.busy, week.streams, week.links, week.breaks,
	    week.largest_slice);
	printf("# %llu packets, %llu lost, %llu bytes; node died %u times, "
	    "the submitter's programs %u times\n",
	    (unsigned long long)st.sent, (unsigned long long)st.lost,
	    (unsigned long long)st.bytes, week.node_deaths, deaths_of);
}

static void
begin(unsigned jobs, uint64_t seed)
{
	memset(&week, 0, sizeof(week));
	week.online = true;
	make_mesh(seed);
	make_jobs(jobs);
	world_init(&week.w);
	week_person_open();
	week_node_open();
}

static void
finish(void)
{
	week_node_close();
	for (unsigned i = 0; i < week.njobs; i++)
		manifest_clear(&week.job[i].m);
	sim_free(week.sim);
}

int
main(int argc, char *argv[])
{
	unsigned jobs = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : JOBS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool good;

	if (jobs < 1 || jobs > WEEK_JOBS)
		return 2;
	log_set_level(-1);
	begin(jobs, seed);
	live();
	good = judge();
	say();
	finish();
	begin(PLANTED, seed);
	week.anew = true;
	live();
	good &= noticed("a submitter that signs anew");
	finish();
	begin(PLANTED, seed);
	week.forget = true;
	live();
	good &= noticed("a node that forgets");
	finish();
	return good ? 0 : 1;
}
