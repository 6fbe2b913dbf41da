/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/apparmor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/plan/wasm.h"

/*
 * Nobody writes there. /sys/warren is where the runner of modules lies, /dev
 * has its nodes by name.
 */
#define NEVER "dev", "proc", "sys"
static const char *const never[] = {NEVER};
/* ours: what an image of a system has, and where hardly a volume is put */
static const char *const of_system[] = {"bin", "boot", NEVER, "etc", "lib",
    "lib32", "lib64", "libx32", "opt", "root", "run", "sbin", "usr", "var"};

static const char *const write_names[] = {[APPARMOR_TMP] = "tmp",
    [APPARMOR_BESIDE] = "beside", [APPARMOR_OWN] = "own",
    [APPARMOR_ALL] = "all"};

void
apparmor_shape(unsigned number, struct apparmor_shape *out)
{
	*out = (struct apparmor_shape){.writes = number % 4,
	    .noexec = number / 4 == 1, .wasm = number / 4 == 2};
}

static bool
within(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/');
}

/* What a profile must let be written, if this is a place to write. */
static enum apparmor_writes
needed(const char *place)
{
	if (within(place, "tmp"))
		return APPARMOR_TMP;
	for (size_t i = 0; i < NELEM(of_system); i++)
		if (within(place, of_system[i]))
			return APPARMOR_OWN;
	return APPARMOR_BESIDE;
}

bool
apparmor_shape_of(struct apparmor_shape *out, const struct plan *p,
    const struct apparmor_places *at)
{
	*out = (struct apparmor_shape){.writes = needed(at->tmp),
	    .wasm = p->runtime == PLAN_WASM};
	out->noexec = p->noexec && !out->wasm;
	if (strcmp(at->dev, "dev") != 0 || strcmp(at->proc, "proc") != 0)
		return false;
	for (uint32_t i = 0; i < p->nvolumes; i++)
		if (p->volumes[i].kind == PLAN_VOL_RW ||
		    p->volumes[i].kind == PLAN_VOL_PROFILE_RW)
			out->writes = MAX_OF(out->writes,
			    needed(at->volumes[i]));
	if (!p->read_only)
		out->writes = APPARMOR_ALL;
	return true;
}

void
apparmor_name(char out[APPARMOR_NAME_MAX], const char *prefix,
    const struct apparmor_shape *s)
{
	(void)snprintf(out, APPARMOR_NAME_MAX, "%.*s-%s%s",
	    APPARMOR_PREFIX_MAX, prefix, write_names[s->writes],
	    s->wasm ? "-wasm" : s->noexec ? "-noexec" : "");
}

bool
apparmor_name_ok(const char *name)
{
	size_t n = strlen(name);

	/* the two characters between labels would make another of it */
	return n > 0 && n < APPARMOR_NAME_MAX && strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "_.:/-") == n && strstr(name, "//") == NULL;
}

/* ---- the text ---- */

struct text {
	char *out;
	size_t cap, len;
	bool full;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = t->full ? 0 : vsnprintf(t->out + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->cap - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}

/* Does one of the names begin with these n bytes, and which byte is next? */
static bool
follows(const char *const *names, size_t count, const char *begin, size_t n,
    char next)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(names[i], begin, n) == 0 && names[i][n] == next)
			return true;
	return false;
}

/*
 * "Everything but what lies in these folders": the language has no word for it.
 * For each beginning of a name, whatever goes on differently.
 */
static void
add_except(struct text *t, const char *const *names, size_t count, bool own)
{
	const char *whose = own ? "owner /" : "/";

	for (size_t i = 0; i < count; i++)
		for (size_t n = i == 0 ? 0 : 1; n <= strlen(names[i]); n++) {
			bool seen = false;

			/* written already: for a name before this one */
			for (size_t j = 0; j < i && !seen; j++)
				seen = strncmp(names[j], names[i], n) == 0;
			if (seen)
				continue;
			add(t, "\t%s%.*s[^/", whose, (int)n, names[i]);
			for (char c = '!'; c < 0x7f; c++)
				if (follows(names, count, names[i], n, c))
					add(t, "%c", c);
			add(t, "]** rwkl,\n");
			if (n > 0 && !follows(names, count, names[i], n, '\0'))
				add(t, "\t%s%.*s{,/**} rwkl,\n", whose,
				    (int)n, names[i]);
		}
}

static void
add_files(struct text *t, const struct apparmor_shape *s)
{
	add(t, "\t/ r,\n");
	if (s->wasm)
		add(t, "\t/** rk,\n\t/" WASM_PLACE "/* mrix,\n");
	else
		add(t, "\t/** mrkix,\n");
	add(t, "\t/dev/{null,zero,full,random,urandom,tty} rw,\n"
	    "\t/proc/*/{comm,oom_score_adj,timerslack_ns} w,\n"
	    "\t/proc/*/{clear_refs,coredump_filter} w,\n"
	    "\t/proc/*/task/*/comm w,\n"
	    "\t/tmp/{,**} rwkl,\n");
	if (s->writes == APPARMOR_BESIDE)
		add_except(t, of_system, NELEM(of_system), true);
	else if (s->writes != APPARMOR_TMP)
		add_except(t, never, NELEM(never),
		    s->writes == APPARMOR_OWN);
	if (s->noexec || s->wasm)
		add(t, "\tdeny /tmp/** mx,\n");
}

static void
add_profile(struct text *t, const char *prefix, const struct apparmor_shape *s)
{
	char name[APPARMOR_NAME_MAX];

	apparmor_name(name, prefix, s);
	/*
	 * What a name led to is judged by it when it is gone, too. A module's
	 * code is a file of the host, which has no name in a job: only what was
	 * handed over open can be one.
	 */
	add(t, "\nprofile \"%s\" flags=(%smediate_deleted) {\n", name,
	    s->wasm ? "attach_disconnected, " : "");
	add_files(t, s);
	add(t, "\tunix (create, getattr, setattr, getopt, setopt, shutdown, "
	    "bind, listen),\n"
	    "\tunix (accept, connect, send, receive) peer=(label=\"%s\"),\n"
	    "\tsignal (send, receive) peer=\"%s\",\n"
	    "\tsignal (receive) peer=unconfined,\n"
	    "\tptrace (read, readby) peer=\"%s\",\n}\n", name, name, name);
}

int
apparmor_text(char *out, size_t cap, const char *prefix)
{
	struct text t = {.out = out, .cap = cap, .full = cap == 0};
	struct apparmor_shape s;

	/* whatever the kernel can mediate is mediated, not what a file lists */
	add(&t, "abi <kernel>,\n");
	for (unsigned i = 0; i < APPARMOR_SHAPES; i++) {
		apparmor_shape(i, &s);
		add_profile(&t, prefix, &s);
	}
	return t.full ? -1 : (int)t.len;
}
