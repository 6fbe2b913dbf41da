/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Submitters with a bad day: badday [-j JOBS] [-H HOURS] [-s SEED] [-1v]. Over
 * a link of 1 kbit/s that loses 20 % of all packets each of the JOBS gets any
 * command that a submitter has, in any order, up to two at once; a third of
 * them is interrupted, or killed; the node's program is killed now and then.
 * After HOURS each person tries in peace, in turn: the command that gives the
 * job, then `result`. Each job has been started once at most and has one end,
 * no command has hung or fallen, and each that failed has said why. Twice, and
 * the digests must be equal. One line of TAP a claim. -v keeps what they said.
 */
#include "tests/sim/absence.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

#define JOBS 16
#define AT_ONCE 2 /* commands of one job */
#define GAP (6 * MINUTE) /* about, between commands of one job */
#define PEACE_TRIES 12
/* a command waits for its contact, for a job, and for a slow link with others */
#define LONGEST (4 * HOUR)
#define SILENT (10 * MINUTE) /* without a word of what it waits for */
#define NODE_DIES (40 * MINUTE)
#define NODE_AWAY (2 * MINUTE)
#define CLAIMS 5

enum what {
	GIVE, /* submit, or run */
	GIVE_AWAY, /* ... --detach */
	RESULT,
	LOGS,
	FOLLOW,
	SHOW,
	CANCEL,
	JOBS_THERE,
	JOBS_MINE,
	VERIFY,
	WHATS
};
static const char *const names[WHATS] = {"give", "give --detach", "result",
    "logs", "logs -f", "show", "cancel", "jobs --to", "jobs --mine",
    "receipt verify"};

struct command {
	unsigned job;
	enum what what;
	int64_t began;
	int sig; /* it is ended by, maybe; 0 */
	bool used, in_peace;
};

struct tale {
	int64_t next;
	unsigned running, tries;
	bool cancels; /* somebody has asked for that */
	bool over, done;
	enum what step; /* in peace */
	char end[200];
};

static struct {
	unsigned jobs;
	double hours;
	uint64_t seed;
} opt = {.jobs = 3, .hours = 1, .seed = 1};
static struct command commands[JOBS * AT_ONCE];
static struct tale tale[JOBS];
static unsigned given[WHATS], hung, fell, speechless;

static int64_t
trouble_us(void)
{
	return (int64_t)(opt.hours * (double)HOUR);
}

static bool
peace(void)
{
	return sim_now(away.sim).us >= trouble_us();
}

static bool
runs_a_command(unsigned job)
{
	return job % 2 == 1; /* `run`, without a file */
}

static void
say(const struct command *c, int status, const char *said, const char *how)
{
	printf("# %.2f h: job %u: %s%s: %s%d after %.1f min: %s\n",
	    (double)sim_now(away.sim).us / (double)HOUR, c->job,
	    names[c->what], c->sig == SIGINT ? " (^C)" : c->sig == SIGKILL ?
	    " (kill)" : "", how, status, (double)(sim_now(away.sim).us -
	    c->began) / (double)MINUTE, said);
}

/* ---- what comes of a command ---- */

static bool
is_status(const struct command *c, int status)
{
	bool run = c->what <= GIVE_AWAY && runs_a_command(c->job);

	if (status == -1)
		return c->sig == SIGKILL;
	if (c->sig == SIGINT && (status == 1000 + SIGINT ||
	    (run && status == 128 + SIGINT)))
		return true;
	return run ? status == 0 || (status >= 121 && status <= 125) :
	    status >= 0 && status <= 5;
}

static void
in_peace(struct tale *t, const struct command *c, int status, const char *said)
{
	bool cancelled = strstr(said, "cancelled") != NULL;

	t->next = sim_now(away.sim).us + MINUTE;
	if (status == 0 && away_verified(c->job)) {
		t->over = t->done = true;
	} else if (cancelled && t->cancels) {
		t->over = true;
	} else if (t->step == GIVE && status == 0) {
		t->step = RESULT;
	} else if (t->step == GIVE && strstr(said, "not this job's") != NULL) {
		t->step = RESULT;
	} else if (++t->tries >= PEACE_TRIES) {
		t->over = true;
		(void)snprintf(t->end, sizeof(t->end), "%s: %d: %.150s",
		    names[c->what], status, said);
	}
}

static void
on_ended(void *arg, int status, const char *said)
{
	struct command *c = arg;
	struct tale *t = &tale[c->job];
	int64_t took = sim_now(away.sim).us - c->began;

	c->used = false;
	t->running--;
	if (away.verbose)
		say(c, status, said, "");
	if (!is_status(c, status)) {
		fell++;
		say(c, status, said, "fell, ");
	}
	if (took > LONGEST) {
		hung++;
		say(c, status, said, "hung, ");
	}
	if ((status > 0 || took > SILENT) && status < 1000 &&
	    said[0] == '\0' && c->sig != SIGKILL && c->what != FOLLOW) {
		speechless++;
		say(c, status, said, "without a word, ");
	}
	if (c->in_peace)
		in_peace(t, c, status, said);
}

/* ---- people ---- */

static void
make_job(unsigned i)
{
	struct away_job *j = &away.job[i];
	char path[ABSENCE_PATH + 40], text[400];
	int n;

	j->person = i % ABSENCE_PEOPLE;
	j->in = 200 + i * 397 % 1500;
	j->out = 100 + i * 261 % 1200;
	away_job_folder(i);
	tale[i].next = (int64_t)i * MINUTE;
	n = snprintf(text, sizeof(text), "image: test:1\ncommand: [run, \"%u\"]"
	    "\nlimits: {time: 30m}\nvolumes:\n  - ./in:/in:ro\n"
	    "  - ./out:/out:rw\n", i);
	(void)snprintf(path, sizeof(path), "%s/j%u/job.yaml", away.dir, i);
	away_write_file(path, text, (size_t)n);
}

static void
command(unsigned job, enum what what, int sig, int64_t after)
{
	struct command *c = commands;
	char folder[ABSENCE_PATH + 20], person[ABSENCE_PATH + 20], to[33],
	    number[12];
	const char *w[20];
	size_t n = 0;

	while (c->used)
		c++;
	*c = (struct command){.job = job, .what = what, .sig = sig,
	    .began = sim_now(away.sim).us, .used = true, .in_peace = peace()};
	(void)snprintf(folder, sizeof(folder), "%s/j%u", away.dir, job);
	(void)snprintf(person, sizeof(person), "%s/p%u", away.dir,
	    away.job[job].person);
	(void)snprintf(number, sizeof(number), "%u", job);
	hex_encode(to, HASH_BYTES(away.dest));
	if (what <= GIVE_AWAY) {
		w[n++] = runs_a_command(job) ? "run" : "submit";
		w[n++] = "--out";
		w[n++] = "got";
		if (what == GIVE_AWAY)
			w[n++] = "--detach";
		if (!runs_a_command(job)) {
			w[n++] = "job.yaml";
		} else {
			w[n++] = "-v";
			w[n++] = "in:/in:ro";
			w[n++] = "-v";
			w[n++] = "out:/out:rw";
		}
	} else {
		static const char *const words[WHATS] = {[RESULT] = "result",
		    [LOGS] = "logs", [FOLLOW] = "logs", [SHOW] = "show",
		    [CANCEL] = "cancel", [JOBS_THERE] = "jobs",
		    [JOBS_MINE] = "jobs", [VERIFY] = "receipt"};

		w[n++] = words[what];
		if (what == VERIFY)
			w[n++] = "verify";
		if (what == JOBS_MINE)
			w[n++] = "--mine";
		else if (what != JOBS_THERE)
			w[n++] = "got";
		if (what == FOLLOW)
			w[n++] = "-f";
	}
	if (what <= GIVE_AWAY || what == JOBS_THERE) {
		w[n++] = "--to";
		w[n++] = to;
	}
	w[n++] = "--config";
	w[n++] = away.dir;
	w[n++] = "--identity";
	w[n++] = person;
	if (what <= GIVE_AWAY && runs_a_command(job)) {
		w[n++] = "test:1";
		w[n++] = "run";
		w[n++] = number;
	}
	w[n] = NULL;
	given[what]++;
	tale[job].running++;
	tale[job].cancels |= what == CANCEL;
	away_warren(folder, 0, sig == 0 ? -1 : after, sig, on_ended, c, w);
}

static uint64_t
any(uint64_t n)
{
	return sim_random(away.sim) % n;
}

/* Anything; a job is given more often than what can be done with it. */
static void
in_trouble(unsigned i, int64_t now)
{
	static const enum what often[] = {GIVE, GIVE, GIVE, GIVE_AWAY,
	    GIVE_AWAY, RESULT, RESULT, LOGS, FOLLOW, SHOW, JOBS_THERE,
	    JOBS_MINE, VERIFY, CANCEL, CANCEL};
	static const int sigs[] = {SIGINT, SIGKILL, 0, 0, 0, 0};
	enum what what = often[any(NELEM(often))];

	int sig = sigs[any(NELEM(sigs))];
	/* at its start, or while it waits */
	int64_t after = (int64_t)any(any(2) == 0 ? 20 * MONO_SECOND :
		10 * MINUTE);

	tale[i].next = now + GAP / 4 + (int64_t)any(2 * GAP);
	/* nobody waits for ever for a job whose inputs he has not sent */
	if (sig == 0) {
		sig = SIGINT;
		after = trouble_us() - now + 5 * MINUTE;
	}
	/* half of all jobs are never cancelled */
	if (what == CANCEL && i % 4 < 2)
		what = SHOW;
	command(i, what, sig, after);
}

static void
people_turn(int64_t now)
{
	bool busy[ABSENCE_PEOPLE] = {false};

	for (unsigned i = 0; i < away.njobs; i++)
		busy[away.job[i].person] |= tale[i].running > 0;
	for (unsigned i = 0; i < away.njobs; i++) {
		struct tale *t = &tale[i];

		if (t->over || now < t->next)
			continue;
		if (!peace()) {
			if (t->running < AT_ONCE)
				in_trouble(i, now);
		} else if (!busy[away.job[i].person]) {
			command(i, t->step, 0, 0);
			busy[away.job[i].person] = true;
		}
	}
}

/* ---- time ---- */

static void
deaths(int64_t now)
{
	static int64_t node_at = 10 * MINUTE, back_at;

	if (back_at != 0 && now >= back_at) {
		back_at = 0;
		away_node_back();
	}
	if (back_at == 0 && now >= node_at && !peace()) {
		away_node_die();
		back_at = now + NODE_AWAY;
		node_at = now + NODE_DIES / 2 + (int64_t)any(NODE_DIES);
	}
}

static bool
all_over(void)
{
	for (unsigned i = 0; i < away.njobs; i++)
		if (!tale[i].over || tale[i].running > 0)
			return false;
	return true;
}

static void
live(int64_t limit)
{
	int64_t now;

	away.up = true;
	while ((now = sim_now(away.sim).us) < limit && !all_over()) {
		deaths(now);
		away_turn(people_turn);
	}
	for (struct command *c = commands; c < commands + NELEM(commands); c++)
		if (c->used) {
			hung++;
			say(c, 0, "", "runs still, ");
		}
}

/* ---- claims ---- */

static unsigned claims;

static bool __attribute__((format(printf, 2, 3)))
claim(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%s %u - badday: ", good ? "ok" : "not ok", ++claims);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	return good;
}

static bool
judge(void)
{
	unsigned n = away.njobs, once = 0, done = 0, ended = 0, all = 0;
	bool good;

	for (unsigned i = 0; i < n; i++) {
		const struct away_job *j = &away.job[i];
		const struct tale *t = &tale[i];
		/* one that is cancelled may never have been started */
		bool ok = j->starts == 1 || (j->starts == 0 && t->cancels);

		once += ok;
		done += t->done;
		ended += t->over && t->end[0] == '\0';
		if (!ok || !t->over || t->end[0] != '\0' || away.verbose)
			printf("# job %u: %u starts, %u ids%s%s, %s %s\n", i,
			    j->starts, j->ids, t->done ? ", done" : "",
			    t->cancels ? ", cancel was said" : "",
			    t->over ? "over" : "not over", t->end);
	}
	for (unsigned k = 0; k < WHATS; k++)
		all += given[k];
	good = claim(once == n, "%u of %u jobs were started once at most",
	    once, n);
	good &= claim(ended == n, "%u of %u have one end: %u are done", ended,
	    n, done);
	good &= claim(fell == 0, "%u of %u commands fell", fell, all);
	good &= claim(hung == 0, "%u hung", hung);
	good &= claim(speechless == 0, "%u failed or waited without a word",
	    speechless);
	printf("# %u programs, %u killed; the node died %u times; %u links "
	    "ended; %.1f h, %.1f s of ours\n", away.programs, away.killed,
	    away.deaths, away.breaks, (double)sim_now(away.sim).us /
	    (double)HOUR, (double)clock() / CLOCKS_PER_SEC);
	return good;
}

static bool
whole(struct id32 *digest)
{
	bool good;

	away.seed = opt.seed;
	away.njobs = opt.jobs;
	away.keep_results = 72 * HOUR;
	away_open("badday", 200);
	for (unsigned i = 0; i < away.njobs; i++)
		make_job(i);
	away_people_open();
	away_node_open();
	live(trouble_us() + 24 * HOUR);
	good = judge();
	away_close(digest);
	return good;
}

int
main(int argc, char *argv[])
{
	struct id32 first, second;
	bool good, once = false;
	int c;

	while ((c = getopt(argc, argv, "1j:H:s:v")) != -1)
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
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'v':
			away.verbose = true;
			break;
		default:
			return 2;
		}
	if (opt.jobs < 1 || opt.jobs > JOBS)
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
