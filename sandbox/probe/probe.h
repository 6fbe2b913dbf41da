/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PROBE_PROBE_H
#define WARREN_SANDBOX_PROBE_PROBE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * warren-probe runs as a job and tries to get out (THREATS.md 7). One attack is
 * one function: true when the sandbox held, false with a note when it did not.
 * What there is to find outside is named by the environment: HOST_PID,
 * HOST_PORT, ...
 */
enum probe_kind {
	PROBE_DOOR,  /* reaches something that is not the job's */
	PROBE_CALL,  /* a call that no job needs can be made */
	PROBE_RIGHT, /* something is there that alone reaches nothing */
	PROBE_BOMB,  /* takes more than its share; may end by SIGKILL */
};

struct probe {
	const char *name;
	enum probe_kind kind;
	const char *layers; /* that stop it, by their names in receipts */
	/*
	 * NULL: it was seen to succeed without a sandbox, or its test fails;
	 * else why that cannot be asked for everywhere.
	 */
	const char *unproved;
	bool (*run)(void);
};

struct probe_table {
	const struct probe *list;
	size_t n;
};
extern const struct probe_table probes_files, probes_information,
    probes_network, probes_processes, probes_resources, probes_rights;

extern char probe_note[256];

#define HELD return true
#define ESCAPED(...)                                                           \
	do {                                                                   \
		(void)snprintf(probe_note, sizeof(probe_note), __VA_ARGS__);   \
		return false;                                                  \
	} while (0)
/* The call must fail. */
#define MUST_FAIL(call)                                                        \
	do {                                                                   \
		if ((call) >= 0)                                              \
			ESCAPED("%s worked", #call);                           \
	} while (0)
/* What it would attack is not here; main() ends with PROBE_SKIP. */
#define NOTHING_HERE(why)                                                      \
	do {                                                                   \
		(void)snprintf(probe_note, sizeof(probe_note), "%s", why);     \
		probe_skipped = true;                                          \
		return true;                                                   \
	} while (0)
extern bool probe_skipped;

enum { PROBE_HELD, PROBE_ESCAPED, PROBE_USAGE, PROBE_SKIP };

#define PROBE(name) static bool p_##name(void)
#define DOOR(name, layers, unproved)                                           \
	{ #name, PROBE_DOOR, layers, unproved, p_##name }
#define CALL(name, layers, unproved)                                           \
	{ #name, PROBE_CALL, layers, unproved, p_##name }
#define RIGHT(name, layers, unproved)                                          \
	{ #name, PROBE_RIGHT, layers, unproved, p_##name }
#define BOMB(name, layers, unproved)                                           \
	{ #name, PROBE_BOMB, layers, unproved, p_##name }
#define PROBES(kind)                                                           \
	const struct probe_table probes_##kind = {list,                        \
	    sizeof(list) / sizeof(*list)}

/* A bait of the environment, "" when there is none. */
static inline const char *
host(const char *name)
{
	const char *v = getenv(name);

	return v == NULL ? "" : v;
}

static inline long
host_number(const char *name)
{
	return strtol(host(name), NULL, 10);
}

#endif
