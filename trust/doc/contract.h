/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_CONTRACT_H
#define WARREN_TRUST_DOC_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "trust/doc/envelope.h"

/*
 * Behaviour contracts (klp.md 6.2): what an author declares that a job does,
 * which can only take away from what it may. As with manifests: the payload is
 * read by warren-trust, node gets a flat record of bounded size.
 */
#define TYPE_CONTRACT "application/vnd.klp.behavior-contract+json"
#define CONTRACT_BYTES (64u * 1024) /* klp.md 1.4, of the envelope */
#define CONTRACT_PATHS 32	    /* ours: of each list */
#define CONTRACT_DENY 64	    /* ours: names of calls */
#define CONTRACT_TEXT 2800	    /* ours: bytes of all paths and names */
#define CONTRACT_RECORD_MAX 3800    /* goes in a message */
#define CONTRACT_WHY 128

/* What on_violation may name; numbers go into receipts and are never reused. */
enum contract_rule {
	RULE_NONE = 0, /* in on_violation: default */
	RULE_APIS = 1,
	RULE_APIS_RATE = 2,
	RULE_DISK_READ = 3,
	RULE_DISK_WRITE = 4,
	RULE_DISK_EXEC = 5,
	RULE_DISK_MAX_BYTES = 6,
	RULE_DISK_MAX_FILES = 7,
	RULE_DISK_READ_BYTES = 8,
	RULE_DISK_WRITE_RATE = 9,
	RULE_MEMORY_MAX = 10,
	RULE_MAX_PIDS = 11,
	RULE_ANONYMOUS_EXEC = 12,
	RULE_CPU_SECONDS = 13,
	RULE_CPU_BURST = 14,
	RULE_SYSCALLS = 15,
	RULE_COUNT,
	/* the watcher's, which no contract names (audit/rules_builtin.c) */
	RULE_WATCH = 32,
	RULE_WATCH_LAST = 63, /* one of the operator's own */
};
/* The watcher's number of a rule of this name. */
unsigned contract_watch_rule(const char *name);
/* "disk.exec", ...; NULL: no such rule. */
const char *contract_rule_name(unsigned rule);
/* "violation:disk.exec", ...; "violation" without a rule. */
const char *contract_violation(unsigned rule);

enum contract_action {
	ACTION_NOTE,
	ACTION_DENY,
	ACTION_THROTTLE,
	ACTION_FREEZE,
	ACTION_KILL,
	ACTION_COUNT
};

struct contract_path {
	const char *path; /* without the ** at its end; common/pattern.h */
	bool beneath;	  /* it ended with it: everything beneath */
	uint64_t max_bytes, max_files; /* disk.write; 0: not declared */
};

struct contract_paths {
	bool given; /* absent: not restricted */
	unsigned n;
	struct contract_path v[CONTRACT_PATHS];
};

struct contract {
	struct fp agent;
	uint32_t version, issued, expires;
	struct id32 image;
	unsigned napis; /* external_apis */
	struct contract_paths read, write, exec;
	/* 0: not declared */
	uint64_t max_read_bytes, max_write_rate;
	uint64_t typical, memory;
	uint32_t max_pids, cpu_milli, max_seconds, burst_seconds;
	bool anonymous_exec; /* true when absent */
	char profile[256];   /* "": none */
	unsigned ndeny;
	const char *deny[CONTRACT_DENY];
	uint8_t action[RULE_COUNT]; /* of enum contract_action, all filled */
	char text[CONTRACT_TEXT]; /* what the paths and names point into */
	size_t ntext;
};

/*
 * The payload of an envelope whose signatures hold. 0, or -1 with *why, which
 * names the member. Not copied by assignment: it points into itself.
 */
int contract_parse(struct contract *, const void *payload, size_t len,
    char why[CONTRACT_WHY]);
/* NULL: it holds at this time; else a literal. */
const char *contract_times(const struct contract *, uint32_t now);

/*
 * Does its last name have a pattern, so that it means files that are not there
 * yet? *folder: bytes of the path of the folder that they are in.
 */
bool contract_path_open(const struct contract_path *, size_t *folder);

/* The record; 0: does not fit. get checks every bound again. */
size_t contract_record_put(uint8_t *out, size_t cap, const struct contract *);
bool contract_record_get(struct contract *, const uint8_t *, size_t);

#endif
