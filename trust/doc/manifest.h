/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_MANIFEST_H
#define WARREN_TRUST_DOC_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "trust/doc/keytext.h"

/*
 * The signed manifest of a job (compute.md 2.1) in its three forms:
 *
 *   payload  canonical JSON, what is signed; read by warren-trust, written by
 *            the command line;
 *   struct   below, what decisions are made on;
 *   record   flat bytes in a sealed memfd, from trust to node, so that node
 *            parses no JSON of strangers; it is checked again when read.
 *
 * Every bound of compute.md 2.1 is checked by each of the two readers.
 */
#define MANIFEST_PAYLOAD_MAX (64u * 1024)
#define MANIFEST_RECORD_MAX (96u * 1024)
#define MANIFEST_ARGS_MAX 256
#define MANIFEST_ARGS_BYTES (32u * 1024) /* without terminators */
#define MANIFEST_ENV_MAX 256
#define MANIFEST_ENV_NAME 128
#define MANIFEST_ENV_VALUE (4u * 1024)
#define MANIFEST_TEXT 255 /* image, target, approved_by, seccomp_profile */
#define MANIFEST_VOLUMES 16
#define MANIFEST_CAPS_MAX 64
#define MANIFEST_RETRIES 16
#define MANIFEST_AHEAD (30u * 86400u) /* not_after, seconds from now */
#define MANIFEST_WHY 128

struct blob_ref {
	struct id32 sha256;
	uint64_t size;
};

/* Texts in own allocations. */
struct text_list {
	unsigned n;
	char **v; /* NULL behind the last, once there is one */
};

struct manifest_volume {
	char target[MANIFEST_TEXT + 1];
	bool rw;
	struct blob_ref blob;
	bool has_chunks;
	struct blob_ref chunks; /* the list (compute.md 3.3) */
};

enum manifest_network { NET_ISOLATED = 0, NET_BROKER = 1 };

/* Which limits are asked; the others are the node's to fill. */
enum manifest_limit {
	LIMIT_MEMORY, /* bytes */
	LIMIT_CPU,    /* thousandths of a core */
	LIMIT_TIME,   /* ms */
	LIMIT_PIDS,
	LIMIT_OUTPUT, /* bytes */
	LIMIT_LOG,    /* bytes */
	/* of the disk, bytes a second; also of what is granted 0 is none */
	LIMIT_IO_READ,
	LIMIT_IO_WRITE,
	LIMIT_COUNT
};
#define LIMITS_BEFORE_IO LIMIT_IO_READ /* in records of an older daemon */
/* With less nothing that reads ends, not even when it is killed. */
#define LIMIT_IO_LEAST 65536u

/* Members that may be absent: set so that a payload is rebuilt as it was. */
enum manifest_has {
	HAS_NODE = 0x0001,
	HAS_COMMAND = 0x0002,
	HAS_ENV = 0x0004,
	HAS_CAP_DROP = 0x0008,
	HAS_SECCOMP = 0x0010,
	HAS_READ_ONLY_FS = 0x0020,
	HAS_LIMITS = 0x0040,
	HAS_VOLUMES = 0x0080,
	HAS_NETWORK = 0x0100,
	HAS_TRUST = 0x0200,
	HAS_TRUST_LEVEL = 0x0400,
	HAS_REVIEW = 0x0800,
	HAS_APPROVED_BY = 0x1000,
	HAS_RETRIES = 0x2000,
	HAS_WASM = 0x4000, /* wasm, and no image */
	HAS_CONTRACT = 0x8000,
	HAS_IO = 0x10000, /* of a record alone: limits of the disk follow */
};

/* What a module may be run with (compute.md 4.1). */
enum wasm_files_of {
	WASM_FILES_AS_NODE = 0, /* absent: the node's choice */
	WASM_FILES_FOLDERS = 1,
	WASM_FILES_MEMORY = 2,
};
struct wasm_ask {
	uint64_t fuel;	    /* instructions; 0: not counted */
	bool deterministic; /* clock and random numbers are always the same */
	uint8_t files;	    /* of wasm_files_of */
	bool has_chunks;
	struct blob_ref chunks; /* the list of its chunks (compute.md 3.3) */
};

struct manifest {
	uint32_t has; /* of manifest_has */
	struct id32 job; /* SHA-256 of the payload; zeros: not known yet */
	struct fp submitter;
	char submitter_urn[URN_MAX];
	struct fp node;
	char node_urn[URN_MAX];
	uint8_t nonce[16];
	uint32_t not_after, deadline; /* unix seconds */
	char image[MANIFEST_TEXT + 1];
	struct blob_ref wasm, contract;
	struct wasm_ask module;
	struct text_list command; /* argv */
	struct text_list env;	  /* NAME=value, in order of names */
	struct text_list cap_drop;
	char seccomp[MANIFEST_TEXT + 1]; /* as written: manifest_seccomp() */
	bool read_only_fs;		 /* true when absent */
	uint64_t limit[LIMIT_COUNT];	 /* 0: not asked */
	unsigned nvolumes;
	struct manifest_volume volume[MANIFEST_VOLUMES];
	uint8_t network;     /* of manifest_network */
	bool network_none;   /* written as "none", the same as isolated */
	int trust_level;     /* 0 to 3; 3 when absent: it can only lower */
	bool trust_critical; /* written as "critical": 3 with review */
	bool requires_review; /* true also for critical */
	char approved_by[MANIFEST_TEXT + 1];
	unsigned retries;
};

void manifest_init(struct manifest *); /* all defaults */
void manifest_clear(struct manifest *); /* frees its lists; then all zero */
/* A copy at the end; false: out of memory. */
bool text_list_add(struct text_list *, const char *text, size_t len);

/*
 * What a node needs of a job to run it: its volumes in their order, at
 * MANIFEST_VOLUMES the module, behind it the contract. false: there is none at i.
 */
#define MANIFEST_INPUTS (MANIFEST_VOLUMES + 2)
struct manifest_input {
	const struct blob_ref *blob;
	const struct blob_ref *chunks; /* the list; NULL: it comes whole */
	const char *name;	       /* the target of a volume, or what it is */
};
bool manifest_input(const struct manifest *, unsigned i,
    struct manifest_input *);

/*
 * Step 7's times: not_after ahead of now, at most 30 d, deadline ahead. NULL,
 * or a literal that names the member.
 */
const char *manifest_times(const struct manifest *, uint32_t now);

/* The name of the profile: last path component without .json; "": none. */
void manifest_seccomp(char out[MANIFEST_TEXT + 1], const struct manifest *);
/* "folders", "memory"; else, and of NULL, WASM_FILES_AS_NODE. */
uint8_t wasm_files_word(const char *);
const char *manifest_limit_name(unsigned limit); /* "memory", ... */
/* none 0, low 1, medium 2, high 3, critical 3; -1. */
int trust_word(const char *word, size_t len);

#endif
