/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LIVES_WORLD_H
#define WARREN_TESTS_UNIT_LIVES_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "node/host/world.h"
#include "tests/unit/lives.h"

/* What lives.c (the node) and lives_others.c (all around it) share. */
#define START_UNIX INT64_C(1800000000)
#define PEER 0x41
#define TAR 3000
#define TURNS 20000 /* of a loop; no life has a tenth of it */
#define MAX_US (INT64_C(2) * 86400 * 1000000)

struct event {
	TAILQ_ENTRY(event) link;
	struct mono at;
	enum ipc_type type;
	_Alignas(16) uint8_t msg[8192];
	size_t len;
	uint8_t *data; /* of a memfd */
	size_t data_len;
};
TAILQ_HEAD(events, event);

enum cell_is { EMPTY, BUILT, RUNS, ENDED, FAILED };

/* What jail has, and what it has seen: it outlives nodes. */
struct jail {
	enum cell_is is;
	struct id32 job;
	uint32_t slot;
	struct mono began, ends;
	uint64_t ran_ms;
	uint8_t how, kill;
	int32_t code;
	unsigned runs;	  /* J_RUNs that it took */
	unsigned falls;	  /* of the whole jail */
	bool fell_last;	  /* the last attempt ended by one */
};

/* What the submitter was told, and what it does next. */
struct submitter {
	enum { SUBMIT, PUT, WATCH, CANCEL, RESULT, GONE, END } phase;
	struct mono next;
	uint32_t asked; /* outstanding request; 0: none */
	bool accepted, ended, has_receipt, cancelled;
	uint64_t seq, half, wait_s;
	unsigned busy;	/* how often the ledger did not take it */
	char state[16];
	uint8_t outcome;
	int32_t code;
	uint64_t attempts;
	uint8_t receipt[JOB_RECEIPT_LEN];
};

struct lives {
	const struct life *life;
	struct warren_node wn;
	bool alive, dying;
	jmp_buf died;
	unsigned point, kill_at[2], lives, commits, messages;
	char died_at[64];
	const char *dir;
	struct mono now;
	int64_t wall_us;
	struct events events;
	struct jail jail;
	struct submitter peer;
	uint32_t requests;
	uint8_t env[16384];
	size_t env_len;
	struct id32 id, tar_sha;
	uint8_t tar[TAR];
};
extern struct lives w;


_Noreturn void broken(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
#define OATH(x, ...)                                                           \
	do {                                                                   \
		if (!(x))                                                      \
			broken(__VA_ARGS__);                                   \
	} while (0)

/* A message on its way to the node; data: of its memfd. */
void post(int64_t ms, enum ipc_type type, const void *msg, size_t len,
    const uint8_t *data, size_t data_len);
#define POST(ms, TYPE, m) post(ms, IPC_##TYPE, m, sizeof(*(m)), NULL, 0)
/* Those of jail, or all: what was said on a channel goes with it. */
void drop_events(bool of_jail);

/* While bad: the ledger takes no row of the job. */
void bad_row(bool bad);

/* What the others hear. */
bool its_job(const struct id32 *job);
void jail_run(const struct msg_J_RUN *);
void jail_kill(const struct msg_J_KILL *);
void jail_group_kill(void);
void jail_forget(const struct msg_J_FORGET *);
void keys_sign(const struct msg_K_RECEIPT *);
void trust_ask(const struct msg_V_ASK *);
void trust_envelope(const struct msg_V_ENVELOPE *, const int *fds);
void trail(const struct msg_EVENT *);
void peer_reply(const struct msg_N_REPLY *, const int *fds, unsigned nfds);
/* What they do by themselves when its time has come. */
void jail_works(void);
void peer_acts(void);
/* What jail says to a new node. */
void jail_tells(void);

#endif
