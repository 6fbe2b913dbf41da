/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_SECCOMP_GEN_H
#define WARREN_SANDBOX_PLAN_SECCOMP_GEN_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A seccomp profile in Docker's JSON format to a BPF program, by libseccomp
 * (linux-sandbox.md 4.4). Jobs hold no capability, so entries that want one are
 * dropped. Only the native architecture: jail's base filter kills others.
 */
#define SECCOMP_JSON_MAX (1u << 20)
#define SECCOMP_NOTES_MAX 512

struct seccomp_host {
	const char *arch;      /* Docker's name: "amd64", "arm64", ... */
	unsigned kernel_major, kernel_minor;
};
/* This machine. false: an architecture that is not known here. */
bool seccomp_host_native(struct seccomp_host *);

struct seccomp_program {
	struct sock_filter *insns; /* free() */
	uint16_t len;
	char notes[SECCOMP_NOTES_MAX]; /* names that were skipped */
};

/*
 * 0, or -1 with err (a line for people; of the operator's own file): not JSON,
 * an unknown member, action or operator, a conflict between two rules, too
 * large. Nothing is guessed: what is not understood is refused, except names
 * of calls, which are noted and stay at the default action.
 */
int seccomp_gen(struct seccomp_program *, const char *json, size_t len,
    const struct seccomp_host *, char *err, size_t err_cap);


/* What a behaviour contract takes away from a profile (klp.md 6.3). */
struct seccomp_less {
	const char *const *deny; /* names of calls */
	unsigned ndeny;
	bool deny_kills; /* else EPERM */
	/*
	 * No executable memory but of files that are not written to: what the
	 * loader maps, and nothing else; no memfd.
	 */
	bool no_anonymous_exec, exec_kills;
};
/* The same; a name that no call has is a mistake. less: NULL: nothing. */
int seccomp_gen_less(struct seccomp_program *, const char *json, size_t len,
    const struct seccomp_host *, const struct seccomp_less *, char *err,
    size_t err_cap);
/* A bit for each call by its number on this machine, where it has room. */
void seccomp_calls(uint8_t bits[64], const char *const *names, unsigned n);

#endif
