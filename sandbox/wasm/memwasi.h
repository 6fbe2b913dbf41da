/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_MEMWASI_H
#define WARREN_SANDBOX_WASM_MEMWASI_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <wasmtime/linker.h>

#include "sandbox/plan/plan.h"
#include "sandbox/wasm/guest.h"
#include "sandbox/wasm/memfs.h"

/*
 * WASI preview 1 by functions of ours, over trees in memory: in place of the
 * library's, so that no call of a module that is about files becomes one of
 * the kernel. Descriptors 0 to 2 are the process's own; of sockets there is
 * none.
 */
#define MEMWASI_FDS 1024 /* ours: open at once */

enum memwasi_kind { MEMWASI_FREE, MEMWASI_STREAM, MEMWASI_NODE };
struct memwasi_fd {
	enum memwasi_kind kind;
	int stream;	   /* the process's */
	struct memfs *fs;
	struct mnode *node;
	const char *preopen; /* under which name; NULL: it was opened */
	bool read, write;
	uint64_t rights;   /* WASI's, of itself; only ever given up */
	uint16_t flags;	   /* WASI's fdflags */
	uint64_t at;
};

struct memwasi {
	const struct plan_args *args;
	struct memfs *const *volumes; /* as args->targets */
	bool fixed;
	bool exited;
	uint32_t code;
	uint64_t until; /* monotonic, ns: no sleep lasts longer; 0: any may */
	bool late;	/* ... and one was to */
	struct memwasi_fd fd[MEMWASI_FDS];
};

void memwasi_init(struct memwasi *, const struct plan_args *,
    struct memfs *const *volumes, bool fixed);
/*
 * The module's time from now on, 0 is for ever: what would sleep longer is ended,
 * as a bell ends what runs.
 */
void memwasi_time(struct memwasi *, uint64_t ms);
/* Closes what is open still. */
void memwasi_end(struct memwasi *);
/* All of wasi_snapshot_preview1; memwasi stays the caller's. */
wasmtime_error_t *memwasi_define(wasmtime_linker_t *, struct memwasi *);
/*
 * Its proc_exit alone, in place of the library's, for which a code of 126 and
 * more is an error. exited and code of memwasi say how it ended.
 */
wasmtime_error_t *memwasi_define_exit(wasmtime_linker_t *, struct memwasi *);

/* ---- for its other files, and comp.h ---- */

uint64_t memwasi_now(const struct memwasi *);
uint64_t memwasi_clock(const struct memwasi *, clockid_t);
/* Sleeps so many ns. false: the job's time is over first. */
bool memwasi_rest(const struct memwasi *, uint64_t ns);
bool memwasi_random(const struct memwasi *, uint8_t *, size_t);
/* What is opened there, made if need be; oflags are WASI's. */
enum wasi_errno memwasi_make(const struct memwasi *, struct memfs *,
    struct memfs_at *, uint32_t oflags, bool write);
/* NULL: none is open there. */
struct memwasi_fd *memwasi_fd(struct guest *, uint32_t fd);
/* Rights that a node of its kind has, opened so. */
uint64_t memwasi_rights(const struct memwasi_fd *);
/* The lowest that is free; -1. */
int memwasi_free(const struct memwasi *);
void memwasi_close(struct memwasi_fd *);
/* 64 bytes of a filestat. */
enum wasi_errno memwasi_stat(struct guest *, uint32_t at,
    const struct memwasi_fd *, const struct mnode *);
/* filestat_set_times: which of both are given, and what they become. */
enum wasi_errno memwasi_times(const struct memwasi *, struct mnode *,
    uint64_t accessed, uint64_t modified, uint32_t flags);
extern const struct guest_call memwasi_fd_calls[], memwasi_path_calls[];
extern const size_t memwasi_fd_ncalls, memwasi_path_ncalls;

#endif
