/* SPDX-License-Identifier: BSD-2-Clause */
/* words: sandbox/plan/seccomp_gen.c */
/*
 * Seccomp profiles in Docker's format; behind a zero byte what a behaviour
 * contract takes away: a byte of settings (1 denied calls end the job, 2 no
 * executable memory, 4 that ends it too), then names with a zero behind each.
 * The program that comes of it is run: no denied call passes, whatever the
 * profile says of it.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "common/util.h"
#include "sandbox/plan/seccomp_gen.h"

#define DENY_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
must(bool so)
{
	if (!so)
		abort();
}

/* A profile alone, one with a contract. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 3;
}

static bool
jumps(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	default:
		return (a & i->k) != 0;
	}
}

/* What the kernel would answer to a call of that number. */
static uint32_t
answer(const struct seccomp_program *p, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->len; pc++) {
		const struct sock_filter *i = &p->insns[pc];

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			must(i->k + 4 <= sizeof(*d));
			memcpy(&a, (const char *)d + i->k, 4);
			break;
		case BPF_ALU:
			must(BPF_OP(i->code) == BPF_AND);
			a &= i->k;
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA)
				pc += i->k;
			else
				pc += jumps(i, a) ? i->jt : i->jf;
			break;
		case BPF_RET:
			return i->k;
		default:
			abort();
		}
	}
	abort(); /* no end */
}

static void
denied(const struct seccomp_program *p, const struct seccomp_less *l)
{
	struct seccomp_data d = {.arch = seccomp_arch_native()};

	for (unsigned i = 0; i < l->ndeny; i++) {
		int nr = seccomp_syscall_resolve_name(l->deny[i]);
		uint32_t said;

		if (nr < 0)
			continue;
		d.nr = nr;
		for (unsigned k = 0; k < 3; k++) {
			memset(d.args, k == 0 ? 0 : k == 1 ? 1 : 0xff,
			    sizeof(d.args));
			said = answer(p, &d) & SECCOMP_RET_ACTION_FULL;
			must(said != SECCOMP_RET_ALLOW &&
			    said != SECCOMP_RET_LOG &&
			    said != SECCOMP_RET_TRACE);
		}
	}
}

static void
less(const char *json, size_t len, const struct seccomp_host *host,
    const uint8_t *p, size_t n)
{
	const char *names[DENY_MAX];
	struct seccomp_less l = {.deny = names};
	struct seccomp_program prog;
	char err[128], text[DENY_MAX * 32];

	if (n < 1 || n > sizeof(text))
		return;
	l.deny_kills = (p[0] & 1) != 0;
	l.no_anonymous_exec = (p[0] & 2) != 0;
	l.exec_kills = (p[0] & 4) != 0;
	memcpy(text, p + 1, n - 1);
	text[n - 1] = '\0';
	for (const char *at = text; l.ndeny < DENY_MAX && at < text + n - 1;
	    at += strlen(at) + 1)
		names[l.ndeny++] = at;
	if (seccomp_gen_less(&prog, json, len, host, &l, err, sizeof(err)) !=
	    0) {
		must(err[0] != '\0');
		return;
	}
	took(1);
	denied(&prog, &l);
	free(prog.insns);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct seccomp_host host = {"amd64", 6, 1};
	const uint8_t *end = n > 0 ? memchr(p, 0, n) : NULL;
	size_t len = end != NULL ? (size_t)(end - p) : n;
	struct seccomp_program prog;
	char err[128];

	if (seccomp_gen(&prog, (const char *)p, len, &host, err,
	    sizeof(err)) == 0) {
		took(0);
		free(prog.insns);
	}
	if (end != NULL)
		less((const char *)p, len, &host, end + 1, n - len - 1);
	return 0;
}
