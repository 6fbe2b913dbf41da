/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_PLAN_H
#define WARREN_SANDBOX_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/layers.h"
#include "common/wire.h"

/*
 * What node asks jail to build: numbers, digests, indices; never a path of
 * this machine, a directory or an id (THREATS.md 2). Pure. Node compiles
 * into it (policy/compile.h), jail decodes and checks it again.
 */

#define PLAN_VERSION 4
#define PLAN_VOLUMES_MAX 16 /* compute.md 2.1, of a manifest */
#define PLAN_VOLUMES_ALL 32 /* with those of the profile */
#define PLAN_TARGET_MAX 255
#define PLAN_TARGETS_BYTES (2u + PLAN_VOLUMES_ALL * (5u + PLAN_TARGET_MAX))
#define PLAN_ARGS_MAX 256
#define PLAN_ARGS_BYTES 32768
#define PLAN_ENV_MAX 256
#define PLAN_ENV_NAME 128
#define PLAN_ENV_VALUE 4096
#define PLAN_BYTES_MAX 3800 /* encoded: fits in J_RUN */
/* an args memfd: targets, command, environment, working folder */
#define PLAN_MEMFD_MAX (2u << 20)
#define PLAN_FILTER_MAX 4096 /* instructions, the kernel's own bound */
#define PLAN_RW_INODES 65536
#define PLAN_TMP_INODES 16384
#define PLAN_PIDS_MAX 1000000
#define PLAN_RULES_MAX 96 /* a contract's paths */
#define PLAN_RULES_BYTES 8192
/*
 * With less nothing starts: the first process of a job, its mounts, the place
 * of each volume; an empty archive. Measured with static programs (compute.md
 * 5); of the other limits 1 is enough.
 */
#define PLAN_MEMORY_LEAST (2u << 20)
#define PLAN_MEMORY_VOLUME (256u << 10)
#define PLAN_OUTPUT_VOLUME 1024u
/* an archive's end, and the headers of a few members (compute.md 2.2) */
#define PLAN_OUTPUT_OVER (1024u + 6 * 512u)
#define PLAN_OUTPUT_PAGE 4096u

#define PLAN_MAY_READ 1
#define PLAN_MAY_WRITE 2
#define PLAN_MAY_EXEC 4

/* What the command of a job is. */
enum plan_runtime {
	PLAN_NATIVE = 0, /* a program of its image */
	PLAN_WASM = 1,	 /* the runner of the house, with a module */
};

enum plan_volume_kind {
	PLAN_VOL_RO = 1,      /* filled from a blob, bound read-only */
	PLAN_VOL_RW = 2,      /* tmpfs, filled from a blob, packed afterwards */
	PLAN_VOL_PROFILE = 3, /* the parent's list at `index`, read-only */
	/* a private copy of the parent's list at `index`, dropped afterwards */
	PLAN_VOL_PROFILE_RW = 4,
};

struct plan_volume {
	uint8_t kind;
	uint8_t index;  /* PROFILE*: into the parent's list; else 0 */
	uint64_t size;  /* RO, RW: bytes of the blob */
	/* RW: what a contract makes of it; 0: the plan's output, the usual */
	uint64_t bytes;
	uint32_t inodes;
};

struct plan {
	struct id32 job;
	struct id32 image; /* digest of the image manifest, or of the module */
	uint32_t slot;     /* 1 … slots */
	uint32_t layers;   /* that the job must get, or is not started */
	uint64_t memory;   /* bytes */
	uint32_t cpu_milli;
	uint32_t pids;
	uint64_t time_ms;
	uint64_t output;   /* bytes of each rw volume */
	uint64_t io_read, io_write; /* of the disk, bytes a second; 0: none */
	uint32_t args_len; /* bytes of the args memfd */
	uint32_t targets_len; /* ... of its beginning, the volumes' targets */
	uint32_t filter_len; /* instructions of the filter memfd */
	bool read_only;    /* root; false: a private tmpfs over it */
	/* of a behaviour contract; false, 0: none */
	bool noexec;	   /* rw volumes and /tmp */
	uint8_t ruled;	   /* PLAN_MAY_*: what only the rules in args allow */
	uint64_t tmp_bytes;
	uint32_t tmp_inodes;
	uint8_t runtime;   /* of plan_runtime */
	uint8_t wasm;	   /* of wasm_flag */
	uint64_t fuel;	   /* instructions; 0: not counted */
	uint64_t module;   /* bytes of the module, or of its code */
	uint32_t nvolumes;
	struct plan_volume volumes[PLAN_VOLUMES_ALL];
};

/* As plan_decode() reads it; wr_ok() says whether it fitted. */
void plan_encode(struct wr *, const struct plan *);
/* false: malformed; nothing but the form is checked. */
bool plan_decode(struct rd, struct plan *);
/* Blobs that go with it: volumes of kind RO and RW. */
unsigned plan_blobs(const struct plan *);
/*
 * Descriptors behind them: of a module that is to be compiled itself, then its
 * code to write and to read; else its code; of a program none.
 */
unsigned plan_wasm_fds(const struct plan *);

/* The least limits of a job with so many volumes, and so many to be packed. */
uint64_t plan_memory_least(uint32_t volumes, bool wasm);
uint64_t plan_output_least(uint32_t packed);
/*
 * What an rw volume holds of its limit: an archive has its end and a header for
 * each member besides, so that one which is full of a few large files still
 * packs. A small one is as large as its limit.
 */
uint64_t plan_output_room(uint64_t output);
/* The tmpfs of a volume of kind RW or PROFILE_RW. */
void plan_volume_room(const struct plan *, uint32_t volume, uint64_t *bytes,
    uint32_t *inodes);

/* What the parent and the machine allow. */
struct plan_limits {
	uint32_t required; /* layers */
	uint32_t available;
	uint64_t memory;
	uint32_t cpu_milli;
	uint32_t pids;
	uint64_t time_ms;
	uint64_t output;
	uint32_t slots;
	uint32_t nvolumes; /* of the parent's list */
	bool wasm;	   /* the runner of modules is here */
};
/*
 * NULL: good. Else the code of compute.md 4 ("posture", "limits", "volume",
 * "internal"), with *why for people.
 */
const char *plan_check(const struct plan *, const struct plan_limits *,
    const char **why);

/*
 * The record in the args memfd. Strings end with NUL in the record, so what
 * plan_args_parse() gives points into it.
 */
struct plan_args {
	const char *targets[PLAN_VOLUMES_ALL]; /* in the order of the volumes */
	uint32_t ntargets;
	const char *argv[PLAN_ARGS_MAX + 1]; /* NULL at the end */
	uint32_t argc;
	const char *env[PLAN_ENV_MAX + 1]; /* "NAME=value", NULL at the end */
	uint32_t envc;
	const char *cwd; /* absolute */
	/*
	 * What a contract allows: a digit of PLAN_MAY_*, '*' for everything
	 * beneath or '=' for the file alone, an absolute path.
	 */
	const char *rules[PLAN_RULES_MAX];
	uint32_t nrules;
};
/* false in wr_ok(): does not fit; it begins with the targets. */
void plan_args_encode(struct wr *, const struct plan_args *);
/* NULL: good; else why not. buf must stay while out is used. */
const char *plan_args_parse(const uint8_t *buf, size_t len,
    struct plan_args *out);
/*
 * The targets alone, by which a root is prepared (shape.h): how many bytes they
 * are in the record, and these read again, as plan_args_parse() does.
 */
uint32_t plan_targets_len(const struct plan_args *);
const char *plan_targets_parse(const uint8_t *buf, size_t len,
    struct plan_args *out);
/* Of a rule: what it allows, and where. */
uint8_t plan_rule(const char *rule, bool *beneath, const char **path);
/* compute.md 2.1; also that none is equal to or inside another. */
bool plan_target_ok(const char *);
/* All of a job's, none on or inside another; NULL, or what is wrong. */
const char *plan_targets_check(const char *const *targets, uint32_t n);

/* Name of the job's v2 group beneath jobs/; out has room for 40 bytes. */
#define PLAN_GROUP_MAX 40
/* The name of the job's group beneath jobs/; out has PLAN_GROUP_MAX. */
void plan_group_name(char *out, const struct id32 *job);

#endif
