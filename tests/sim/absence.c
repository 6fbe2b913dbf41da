/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * People far from a node: absence [-j JOBS] [-H HOURS] [-p HOURS] [-s SEED]
 * [-dv]. The link carries something for ten minutes of each hour, 1 kbit/s that
 * both ways share, 30 % of all packets are lost; in the middle of the HOURS in
 * which jobs are given it is away for -p hours. The node's program is killed
 * now and then, and so are the people's, who give the same command again.
 * Some go away when the node has their job and ask for it later; some come too
 * late. With -d they say no deadline, so that what is under way when the link
 * goes away for longer than 72 hours has to be signed anew. Twice, and the digests must be equal. One line of TAP a claim.
 */
#include "tests/sim/absence.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

#define UP (10 * MINUTE) /* of each hour */
#define KEEP (72 * HOUR) /* keep_results of the node */
#define NODE_DIES (5 * HOUR) /* about */
#define NODE_AWAY (40 * MONO_SECOND)
#define AGAIN (20 * MINUTE) /* a person looks after a command that failed */
#define TRIES 40
#define CLAIMS (4 + (unsigned)opt.no_deadline) /* of a run */

static struct {
	unsigned jobs;
	double hours, partition;
	uint64_t seed;
	bool no_deadline;
} opt = {.jobs = 3, .hours = 1, .partition = 0, .seed = 1};
/* what people's clocks are set wrong by; the node's is the one that counts */
static const int64_t ahead_s[ABSENCE_PEOPLE] = {0, -7200, -32400, -259200};

/* ---- the link ---- */

/* It is signed and on its way, and the node has heard nothing of it. */
static bool
just_signed(const struct away_job *j)
{
	char path[ABSENCE_PATH + 40];

	(void)snprintf(path, sizeof(path), "%s/j%u/got/manifest", away.dir,
	    (unsigned)(j - away.job));
	return j->running_command && !j->submitted && j->ids == 0 &&
	    access(path, F_OK) == 0;
}

static int64_t
partition_from(int64_t now)
{
	static int64_t from;
	int64_t half = (int64_t)(opt.hours / 2 * (double)HOUR) + 5 * MINUTE;

	if (!opt.no_deadline)
		return half;
	/* under what is on its way */
	for (unsigned i = 0; i < away.njobs && from == 0 && now >= half; i++)
		if (now % HOUR < UP && just_signed(&away.job[i]))
			from = now;
	return from == 0 ? INT64_MAX / 2 : from;
}

static bool
carries(int64_t now)
{
	int64_t from = partition_from(now);

	if (now >= from && now < from + (int64_t)(opt.partition *
	    (double)HOUR))
		return false;
	return now % HOUR < UP;
}

/* ---- people ---- */

static void
make_job(unsigned i)
{
	struct away_job *j = &away.job[i];
	char path[ABSENCE_PATH + 40], text[400];
	int n;

	j->person = i % ABSENCE_PEOPLE;
	j->at = (int64_t)(opt.hours * (double)HOUR) * i / away.njobs;
	/* some KiB, each tenth more than one opening of the link carries */
	j->in = i % 10 == 4 ? 9000 : 200 + i * 97 % 1500;
	j->out = i % 10 == 7 ? 7000 : 100 + i * 61 % 1200;
	j->detach = i % 5 == 3 || i % 20 == 10;
	j->late = i % 20 == 10;
	away_job_folder(i);
	n = snprintf(text, sizeof(text), "image: test:1\ncommand: [run, \"%u\"]"
	    "\nlimits: {time: 30m}\n%svolumes:\n  - ./in:/in:ro\n"
	    "  - ./out:/out:rw\n", i, opt.no_deadline ? "" :
	    "deadline: 4d\n");
	(void)snprintf(path, sizeof(path), "%s/j%u/job.yaml", away.dir, i);
	away_write_file(path, text, (size_t)n);
}

static unsigned
number_of(const struct away_job *j)
{
	return (unsigned)(j - away.job);
}

static void
on_ended(void *arg, int status, const char *said)
{
	struct away_job *j = arg;
	int64_t now = sim_now(away.sim).us;

	j->running_command = false;
	if (away.verbose && status != 0)
		printf("# %.2f h: job %u: %d: %s\n", (double)now /
		    (double)HOUR, number_of(j), status, said);
	if (status < 0) { /* killed by us */
		j->kills++;
		j->ask_at = MAX_OF(j->ask_at, now + MONO_SECOND);
		return;
	}
	if (status == 0 && j->detach && !j->submitted) {
		j->submitted = true;
		j->ask_at = now + (j->late ? KEEP + 24 * HOUR : 8 * HOUR);
		return;
	}
	if (status == 0) {
		MUST(away_verified(number_of(j)), "job %u: not what it gave: %s",
		    number_of(j), said);
		j->done = true;
		j->ended = now;
		return;
	}
	if ((j->submitted || opt.no_deadline) && status == 1 &&
	    strstr(said, "gone") != NULL) {
		/* never before what was promised */
		j->gone = now >= j->exited + KEEP;
		j->failures += !j->gone;
		j->ended = now;
		return;
	}
	if (status == 5 && opt.no_deadline && j->exited == 0 &&
	    strstr(said, "cancelled before it started: deadline") != NULL) {
		j->worthless = true;
		j->ended = now;
		return;
	}
	if (status == 2 && strstr(said, "exists and is not this job's") !=
	    NULL) {
		/* the node has all of it: what it made is asked for */
		j->failures += j->in_moved < j->in_blob && !opt.no_deadline;
		j->submitted = true;
		j->ask_at = now + MONO_SECOND;
		return;
	}
	if (status != 4)
		printf("# %.2f h: job %u: exit %d: %s\n", (double)now /
		    (double)HOUR, number_of(j), status, said);
	j->failures += status != 4;
	j->ask_at = now + AGAIN;
}

static void
command(struct away_job *j)
{
	char folder[ABSENCE_PATH + 20], person[ABSENCE_PATH + 20], to[33];
	const char *submit[] = {"submit", "job.yaml", "--to", to, "--out",
	    "got", "--timeout", "70h", "--config", away.dir, "--identity",
	    person, j->detach ? "--detach" : NULL, NULL};
	const char *result[] = {"result", "got", "--timeout", "70h",
	    "--config", away.dir, "--identity", person, NULL};
	int64_t kill_after = -1;

	(void)snprintf(folder, sizeof(folder), "%s/j%u", away.dir,
	    number_of(j));
	(void)snprintf(person, sizeof(person), "%s/p%u", away.dir, j->person);
	hex_encode(to, HASH_BYTES(away.dest));
	j->running_command = true;
	if (++j->commands <= 3 && sim_random(away.sim) % 3 == 0)
		kill_after = (int64_t)(sim_random(away.sim) %
		    (uint64_t)(2 * HOUR));
	away_warren(folder, ahead_s[j->person], kill_after, SIGKILL, on_ended,
	    j, j->submitted ? result : submit);
}

static bool
over(const struct away_job *j)
{
	return j->done || j->gone || j->worthless;
}

/* A person gives one command after the other. */
static void
people_turn(int64_t now)
{
	bool busy[ABSENCE_PEOPLE] = {false};

	for (unsigned i = 0; i < away.njobs; i++)
		busy[away.job[i].person] |= away.job[i].running_command;
	for (unsigned i = 0; i < away.njobs; i++) {
		struct away_job *j = &away.job[i];

		if (busy[j->person] || over(j) || now < j->at ||
		    now < j->ask_at || j->commands >= TRIES)
			continue;
		command(j);
		busy[j->person] = true;
	}
}

static bool
all_over(void)
{
	for (unsigned i = 0; i < away.njobs; i++)
		if (!over(&away.job[i]))
			return false;
	return true;
}

/* ---- time ---- */

static void
deaths(int64_t now)
{
	static int64_t node_at = HOUR / 4, back_at;

	if (back_at != 0 && now >= back_at) {
		back_at = 0;
		away_node_back();
	}
	if (back_at == 0 && now >= node_at) {
		away_node_die();
		back_at = now + NODE_AWAY;
		node_at = now + NODE_DIES / 2 +
		    (int64_t)(sim_random(away.sim) % (uint64_t)NODE_DIES);
	}
}

static void
live(int64_t limit)
{
	int64_t now;

	while ((now = sim_now(away.sim).us) < limit && !all_over()) {
		away.up = carries(now);
		sim_carry(away.sim, away.wire, away.up);
		deaths(now);
		away_turn(people_turn);
	}
}

/* ---- claims ---- */

static unsigned claims;

static bool __attribute__((format(printf, 2, 3)))
claim(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u - absence: ", good ? "ok" : "not ok", ++claims);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	return good;
}

static bool
judge(void)
{
	unsigned n = away.njobs, done = 0, gone = 0, late = 0, once = 0,
	    worthless = 0, failures = 0, ids = 0, kills = 0;
	uint64_t in = 0, in_moved = 0, out = 0, out_moved = 0;
	bool good;

	for (unsigned i = 0; i < n; i++) {
		const struct away_job *j = &away.job[i];

		done += j->done;
		gone += j->gone;
		/* what is away for longer than results are kept is as late */
		late += j->late || (opt.no_deadline && j->gone);
		worthless += j->worthless && j->starts == 0;
		once += j->starts == 1;
		failures += j->failures;
		ids += j->ids;
		kills += j->kills;
		in += j->in_blob;
		in_moved += j->in_moved;
		out_moved += j->out_moved;
		out += j->done ? j->out : 0;
		if (!over(j) || (j->starts != 1 && !j->worthless) ||
		    j->failures > 0 || (j->gone != j->late &&
		    !opt.no_deadline) || away.verbose)
			printf("# job %u: %s, %u starts, %u ids, %u commands, "
			    "%u killed, %u failed, in %u moved %llu of %llu, "
			    "out %u moved %llu, %.1f h to %.1f h\n", i,
			    j->done ? "done" : j->gone ? "gone" :
			    j->worthless ? "worthless" : "not done",
			    j->starts, j->ids, j->commands, j->kills,
			    j->failures, j->in,
			    (unsigned long long)j->in_moved,
			    (unsigned long long)j->in_blob, j->out,
			    (unsigned long long)j->out_moved,
			    (double)j->at / (double)HOUR,
			    (double)j->ended / (double)HOUR);
	}
	n -= worthless;
	good = claim(once == n, "%u of %u jobs were started exactly once, %u "
	    "never, after the deadline", once, n, worthless);
	good &= claim(done == n - late, "%u of %u have a verified receipt and "
	    "what they gave", done, n - late);
	good &= claim(gone == late, "%u of %u that were asked for after what "
	    "was promised are gone, and it is said", gone, late);
	good &= claim(failures == 0, "%u commands failed", failures);
	if (opt.no_deadline)
		good &= claim(ids > away.njobs, "%u jobs came too late and "
		    "were signed anew", ids - away.njobs);
	printf("# %u programs, %u killed; the node died %u times; %u links "
	    "ended; %u ids\n", away.programs, kills, away.deaths,
	    away.breaks, ids);
	printf("# inputs %llu bytes, moved %llu; outputs %llu, moved %llu\n",
	    (unsigned long long)in, (unsigned long long)in_moved,
	    (unsigned long long)out, (unsigned long long)out_moved);
	return good;
}

static void
say(void)
{
	struct sim_stats st = sim_stats(away.sim);

	printf("# %.1f h of virtual time, %.1f s of ours; %llu packets, %llu "
	    "lost, %llu bytes\n", (double)sim_now(away.sim).us /
	    (double)HOUR, (double)clock() / CLOCKS_PER_SEC,
	    (unsigned long long)st.sent, (unsigned long long)st.lost,
	    (unsigned long long)st.bytes);
}

static bool
whole(struct id32 *digest)
{
	bool good;

	away.seed = opt.seed;
	away.njobs = opt.jobs;
	away.keep_results = KEEP;
	away_open("absence", 300);
	for (unsigned i = 0; i < away.njobs; i++)
		make_job(i);
	away_people_open();
	away_node_open();
	live((int64_t)((opt.hours + opt.partition) * (double)HOUR) + KEEP +
	    (72 + 2 * (int64_t)opt.jobs) * HOUR);
	good = judge();
	say();
	away_close(digest);
	return good;
}

int
main(int argc, char *argv[])
{
	struct id32 first, second;
	bool good, once = false;
	int c;

	while ((c = getopt(argc, argv, "1dj:H:p:s:v")) != -1)
		switch (c) {
		case '1':
			once = true;
			break;
		case 'j':
			opt.jobs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'H':
			opt.hours = strtod(optarg, NULL);
			break;
		case 'p':
			opt.partition = strtod(optarg, NULL);
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'd':
			opt.no_deadline = true;
			break;
		case 'v':
			away.verbose = true;
			break;
		default:
			return 2;
		}
	if (opt.jobs < 1 || opt.jobs > ABSENCE_JOBS)
		return 2;
	if (!away.verbose)
		log_set_level(-1);
	good = away_apart(whole, &first);
	claims += CLAIMS;
	if (!once) {
		good &= away_apart(whole, &second);
		claims += CLAIMS;
		good &= claim(id32_eq(&first, &second),
		    "the same seed, the same run");
	}
	printf("1..%u\n", claims);
	return good ? 0 : 1;
}
