/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_ABSENCE_H
#define WARREN_TESTS_SIM_ABSENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "tests/sim/sim.h"
#include "trust/doc/binding.h"

/*
 * A compute node and people far from it, by one clock that is nobody's: the
 * whole `warren` of each command as a process in virtual time (vtime.h), two
 * real cores with a bad link between them, and node/host with its decisions,
 * its ledger and its files around node/work. What is pretended: trust, keys,
 * audit, and a jail that counts what it starts.
 */
#define ABSENCE_JOBS 128
#define ABSENCE_PEOPLE 4
#define ABSENCE_PATH 512
#define MINUTE (60 * MONO_SECOND)
#define HOUR (60 * MINUTE)

enum { NEAR, FAR }; /* the people's instance, the node */

struct away_job {
	unsigned person;
	uint32_t in, out;	/* bytes of its input, of its output */
	uint64_t in_blob;	/* the input as an archive; no other has this size */
	int64_t at;		/* when it is submitted, virtual us */
	bool detach;		/* by one who goes and asks for it later */
	int64_t ask_at;		/* ... then */
	bool late;		/* ... when it is gone by what was promised */
	/* what happened */
	unsigned commands, kills; /* programs of the submitter */
	unsigned ids;		/* envelopes of it that the node has seen */
	unsigned starts;	/* in jail, under whatever id */
	uint64_t in_moved, out_moved; /* bytes of slices, either way */
	unsigned failures;	/* commands that ended otherwise than they should */
	bool running_command, submitted, done, gone;
	bool worthless;		/* -d: the node had it, and its time was over */
	int64_t exited, ended;	/* in jail; here */
};

struct absence {
	struct sim *sim;
	uint64_t seed;
	char dir[ABSENCE_PATH]; /* scratch: node/ p0/ ... j0/ ... config */
	unsigned njobs;
	struct away_job job[ABSENCE_JOBS];
	unsigned wire;
	bool up;   /* it carries something */
	bool wake; /* the simulation stops: somebody has something to do */
	/* the node */
	struct hash16 dest;
	unsigned deaths, breaks;
	int64_t keep_results;
	/* the people's programs */
	unsigned programs, killed;
	bool verbose;
};
extern struct absence away;

_Noreturn void away_broken(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
#define MUST(x, ...)                                                           \
	do {                                                                   \
		if (!(x))                                                      \
			away_broken(__VA_ARGS__);                              \
	} while (0)

uint8_t away_byte(unsigned job, unsigned kind, uint64_t i);
void away_bytes(unsigned job, unsigned kind, uint8_t *out, size_t n);
#define AWAY_IN 0
#define AWAY_OUT 1
#define AWAY_LOG 2
#define AWAY_ERR 3
#define AWAY_LOG_LEN 200
#define AWAY_ERR_LEN 30

/* ---- what such runs have in common: absence_world.c ---- */
void away_write_file(const char *path, const void *, size_t);
/* j<i>/in/data, of job[i].in bytes. */
void away_job_folder(unsigned i);
/* What came back of it, in j<i>/got, is what it gave. */
bool away_verified(unsigned i);
/* A scratch folder, and NEAR and FAR with a link of 1 kbit/s between them. */
void away_open(const char *name, uint32_t loss_permille);
/* All do what they have to do now, and time goes on a little. */
void away_turn(void (*people)(int64_t now));
/* All of it; with `verbose` the folder stays. */
void away_close(struct id32 *digest);
/* A whole run in a process of its own, which leaves nothing behind. */
bool away_apart(bool (*whole)(struct id32 *), struct id32 *digest);

/* ---- the node: absence_node.c ---- */
void away_node_open(void);
void away_node_event(const struct rns_event *);
/* Its turn; what it wants to do next is never further away than a second. */
void away_node_turn(void);
void away_node_die(void);  /* as by SIGKILL */
void away_node_back(void);
bool away_node_lives(void);
/* Has it forgotten what this job made, as it promised to? */
void away_node_close(void);

/* ---- programs in virtual time: absence_people.c ---- */
typedef void program_ended_fn(void *arg, int status, const char *said);

void away_people_open(void);
/*
 * `warren` with these words, from a folder; said: its standard output and
 * error. kill: -1, or after how many us it gets that signal; SIGKILL is its end
 * at once, with the status -1.
 */
void away_warren(const char *folder, int64_t ahead_s, int64_t kill_after,
    int sig, program_ended_fn *, void *arg, const char *const *words);
/* All run that have something to do; false: none did. */
bool away_people_turn(void);
/* When the first of them wants to go on by itself. */
int64_t away_people_next(void);
unsigned away_people_running(void);
void away_people_close(void);

#endif
