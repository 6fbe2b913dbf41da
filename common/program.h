/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_PROGRAM_H
#define WARREN_COMMON_PROGRAM_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc.h"
#include "common/ipc_ev.h"
#include "common/priv.h"

/*
 * How every program but the parent starts (design.md 2, 7, 8.1).
 *
 * The parent executes it by a descriptor that it opened at its own start:
 *   - descriptor 0 and 1 are /dev/null, 2 is the log, 3 the channel to the
 *     parent; the environment is empty; the working directory is `/`;
 *   - argv[1] ... are NAME=VALUE:
 *       base=N     started as root: first of the numbers (else rootless)
 *       level=N    log level, until PARAMS says it again
 *       journal=1  log lines for the journal
 *       slots=N    jail only: job slots to make while still root
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
 * trail, klp, images, cg-jobs, cg-v1:CONTROLLER, volume:INDEX. Any other name
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

struct process {
	enum program self;
	struct ipc *parent; /* for ipc_send_*(), also after program_attach() */
	struct ipc_ev *parent_ev;
	bool root;
	uint32_t base;
	uint32_t slots;
	int landlock_abi; /* 0: none */
	struct msg_PARAMS params;
	bool have_limits;
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
 * After program_start(): hand the channel of the parent to the loop. EOF there
 * ends the process at once unless ops->gone is set; STOP calls ops->stop.
 * 0 or -1 (errno).
 */
struct program_ops {
	/* a channel to a sibling, also in place of an older one; take fd */
	void (*neighbour)(void *ctx, enum program, int fd);
	void (*stop)(void *ctx);
	void (*gone)(void *ctx);			/* may be NULL */
	void (*message)(void *ctx, struct ipc_in *);	/* the rest; or NULL */
};
int program_attach(struct process *, struct ev_loop *,
    const struct program_ops *, void *ctx);
/* READY: serving. */
int program_ready(struct process *);

/*
 * A channel to a sibling: sends HELLO, checks that the other side's first
 * message is HELLO of the same build (else gone(EPROTO)) and passes that HELLO
 * on to h->message, so that the program can re-state what the new one must
 * know. Takes fd. NULL: out of memory.
 */
struct ipc_ev *program_neighbour(struct process *, struct ev_loop *,
    enum program other, int fd, const struct ipc_ev_handlers *h, void *ctx);

/*
 * A sibling's message that fits the table and does not parse is dropped: to
 * end over it would let a sibling that was taken over restart this program at
 * will. Counted, logged, and an ALARM to the parent that names the sender; of
 * many from one sender the 1st, 2nd, 4th, 8th ... are told. Not for what the
 * parent sends: that is fatal.
 */
void program_malformed(struct process *, const struct ipc_in *);

/*
 * SHA-256 of version, source revision and the message table. Two programs with
 * different ones do not talk to each other.
 */
void program_build_id(uint8_t out[32]);

#endif
