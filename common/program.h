/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_PROGRAM_H
#define WARREN_COMMON_PROGRAM_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/ipc.h"
#include "common/ipc_ev.h"
#include "common/priv.h"

/*
 * How every program but the parent starts (ARCHITECTURE.md 4, THREATS.md 1).
 *
 * The parent executes it by a descriptor that it opened at its own start:
 *   - descriptor 0 and 1 are /dev/null, 2 is the log, 3 the channel to the
 *     parent; the environment is empty; the working directory is `/`;
 *   - argv[1] ... are NAME=VALUE:
 *       base=N     started as root: first of the numbers (else rootless)
 *       level=N    log level, until PARAMS says it again
 *       journal=1  log lines for the journal
 *       slots=N    jail only: job slots to make while still root
 *       probes=N   audit only: the best tier of probes to take
 *       NAME=FD    a named descriptor, see below.
 * program_start() then
 *   1. closes every descriptor that has no name;
 *   2. confines the process by its row in program.c (priv.h, steps 1 to 6);
 *      as root its folder becomes `/`; in both modes the folder is the working
 *      directory, so relative names work everywhere;
 *   3. loads the filter (step 7);
 *   4. reads PARAMS, JAIL_LIMITS, SETTINGs until START_DONE;
 *   5. sends HELLO with the build id.
 * The jail stops before 2: it calls program_connect(), does its own work with
 * priv.h, and then program_receive().
 *
 * Directories come on the command line, because Landlock must know them before
 * the first message; documents and listeners come as SETTING. A program takes
 * both by settings_take(). Names on the command line: storage, node, trust,
 * trail, events, klp, images, cg-jobs, cg-v1:CONTROLLER, volume:INDEX. Any other name
 * (the jail's `hand`, `self`) is for program_fd().
 */
#define PROGRAM_CHANNEL 3
#define PROGRAM_NAMED 40 /* named descriptors, at most */

struct program_row {
	const char *exe; /* "warren-transport"; NULL: no such program */
	unsigned number; /* uid and gid are base + number, as root */
	bool own_net;
	unsigned nofile;
	enum setting folder; /* 0: none, its root is empty */
};
const struct program_row *program_row(enum program);
/* "storage" for SET_DIR_STORAGE, ...; NULL: does not come by argv. */
const char *program_dir_name(enum setting);

struct setting_value {
	enum setting what;
	char name[257];
	int fd; /* -1: taken */
};

struct process;

/* The channel to another program of the house. */
struct sibling {
	struct process *of;
	enum program who;
	struct ipc_ev *ev; /* NULL: not there */
	bool greeted;	   /* its HELLO has come */
};

struct process {
	enum program self;
	struct ipc *parent; /* for ipc_send_*(), also after program_attach() */
	struct ipc_ev *parent_ev;
	struct sibling side[PROGRAM_COUNT];
	struct ev_loop *loop;
	/* what a NEIGHBOUR does; takes fd */
	void (*neighbour)(struct process *, enum program, int fd);
	bool root;
	uint32_t base;
	uint32_t slots;
	uint32_t probes;
	int landlock_abi; /* 0: none */
	bool have_params, have_limits, started; /* ..._DONE has come */
	struct msg_PARAMS params;
	struct msg_JAIL_LIMITS limits;
	struct setting_value *settings;
	size_t nsettings;
	uint32_t malformed[PROGRAM_COUNT]; /* program_malformed(), by sender */
	struct {
		char name[64];
		int fd;
	} named[PROGRAM_NAMED];
	size_t nnamed;
	const struct program_ops *ops;
	void *ctx;
};

/*
 * extra, when not NULL, gets the messages between the first and START_DONE
 * that are not listed above (KEY_MATERIAL). Ends the process (fatal) on any
 * failure: a program that cannot confine itself must not run.
 */
typedef void program_extra_fn(void *ctx, struct ipc_in *);
void program_start(struct process *, enum program self, int argc, char **argv,
    program_extra_fn *extra, void *ctx);
/* The steps of program_start(), for the jail. */
void program_connect(struct process *, enum program self, int argc, char **argv);
void program_confine(struct process *);
void program_receive(struct process *, program_extra_fn *extra, void *ctx);

/* A named descriptor, now the caller's; -1: not given. */
int program_fd(struct process *, const char *name);
/* A setting's descriptor, now the caller's; name "" for those without. -1. */
int settings_take(struct process *, enum setting, const char *name);
/* Walk what is there: next index at or after from that has what, or -1. */
int settings_next(const struct process *, enum setting, size_t from);
/*
 * Text of a setting (sealed memfd), NUL-terminated, free() it; NULL: not given
 * (errno ENOENT), larger than max (EFBIG) or not sealed (EINVAL).
 */
char *settings_text(struct process *, enum setting, const char *name,
    size_t max, size_t *len);

/*
 * What a program does with its messages. What every program answers alike
 * (NEIGHBOUR, HELLO, PARAMS, STOP) is done in program.c and ends in a call
 * here.
 */
struct program_ops {
	/* the ipc_dispatch() of the program's own rows (ipc_dispatch.h) */
	enum ipc_done (*message)(void *ctx, struct ipc_in *);
	/*
	 * A sibling has said HELLO, of the same build: it may be sent to, and
	 * must hear what it must know. NULL: nothing to do.
	 */
	void (*up)(void *ctx, enum program);
	/*
	 * Its channel has ended: by itself (error 0), for a newer one (0), or
	 * because it broke the table (EPROTO). Also when it had not said HELLO.
	 * NULL: nothing to do.
	 */
	void (*down)(void *ctx, enum program, int error);
	void (*stop)(void *ctx);
	/* the parent has ended; NULL: then this program does, at once */
	void (*gone)(void *ctx);
	/*
	 * A setting that has changed while the program runs; fd is the
	 * caller's. NULL: none is taken.
	 */
	void (*setting)(void *ctx, enum setting, int fd);
};

/*
 * After program_start(): the channels go to the loop. 0 or -1 (errno).
 * program_detach() closes those to the siblings; down is not called.
 */
int program_attach(struct process *, struct ev_loop *,
    const struct program_ops *, void *ctx);
void program_detach(struct process *);
/* READY: serving. */
int program_ready(struct process *);

/*
 * The channel to a sibling that has said HELLO, and to the parent always; else
 * NULL, which ipc_send_*() answers by EPIPE. Good until the loop goes on.
 */
struct ipc *program_channel(const struct process *, enum program);
/* ipc_send_NAME() to the receiver that the table has: program_send_V_ASK(). */
#define PROGRAM_SENDER(name, from, to, lo, hi)                                 \
	IPC_IF(IPC_ONE(to))                                                    \
	(int program_send_##name(const struct process *,                       \
	    const struct msg_##name *, const int *fds, unsigned nfds);)
IPC_MESSAGES(PROGRAM_SENDER)

/*
 * A message of the parent or of a sibling, to whom it concerns: what all
 * programs answer alike, else ops->message. For who has no libev loop; the
 * others are called.
 */
void program_message(struct process *, struct ipc_in *);

/*
 * What fits the table and does not decode. From the parent: fatal. From a
 * sibling it is dropped: to end over it would let a sibling that was taken over
 * restart this program at will. Counted, logged, and an ALARM to the parent
 * that names the sender; of many from one sender the 1st, 2nd, 4th, 8th ... are
 * told. program_message() calls it; a handler does for what it alone can see.
 */
void program_malformed(struct process *, const struct ipc_in *);

/*
 * SHA-256 of version, source revision and the message table. Two programs with
 * different ones do not talk to each other.
 */
void program_build_id(struct id32 *out);

#endif
