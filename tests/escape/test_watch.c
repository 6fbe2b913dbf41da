/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes in the kernel without the daemon: a process in a group and a pid
 * namespace of its own acts, and the records must break these rules and no
 * others. Each act has one beside it that looks like it and is quiet.
 *   test_watch [NAME]       "ok NAME", "not ok NAME: why", "skip NAME: reason"
 *   test_watch all          each tier has to load: in the virtual machine
 *   test_watch act NAME     the job's side; late NAME: once it is watched
 *   test_watch bench        for tests/bench/run: ns of a getppid, and of an
 *                           open and close, of nobody's job: bare, while a job
 *                           is watched, afterwards; us from an act to its
 *                           flag, median and 99th of 100
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/counters.h"
#include "audit/decode.h"
#include "audit/links.h"
#include "audit/probes.h"
#include "audit/rules.h"
#include "common/util.h"
#include "watch_acts.h"

#define SIGNALLED 128 /* how a shell says it */

static struct rules rules;
static struct probes *probes;
static char group[600];
static uint64_t group_id;
static int failed;
static bool all; /* each tier has to load, and to do all */
static char by[40]; /* which tier */

/* How an act is done; FOUND: by a job that ran before it was watched. */
enum how { PLAIN, DENIED, FOUND };
static int pair[2] = {-1, -1}; /* FOUND: the test's end, and the job's */

/* ---- the room ---- */

static bool
find_group(void)
{
	char line[512], base[256] = "", own[256] = "";
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char type[32];

		if (sscanf(line, "%*s %255s %31s", base, type) == 2 &&
		    strcmp(type, "cgroup2") == 0)
			break;
		base[0] = '\0';
	}
	if (f != NULL)
		(void)fclose(f);
	f = fopen("/proc/self/cgroup", "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "0::", 3) == 0)
			(void)sscanf(line, "0::%255s", own);
	}
	if (f != NULL)
		(void)fclose(f);
	(void)snprintf(group, sizeof(group), "%s%s/warren-watch-%d", base,
	    strcmp(own, "/") == 0 ? "" : own, (int)getpid());
	return base[0] != '\0';
}

static bool
make_group(void)
{
	struct stat st;

	if (mkdir(group, 0755) != 0 || stat(group, &st) != 0)
		return false;
	group_id = st.st_ino;
	return true;
}

static void
put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(5);
	(void)close(fd);
}

/* /boot, /dev and /tmp that nobody misses, and a /proc of this namespace. */
static void
build_room(void)
{
	(void)umask(0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) != 0 ||
	    mount("t", "/boot", "tmpfs", 0, "mode=777") != 0 ||
	    mount("t", "/dev", "tmpfs", 0, "mode=777") != 0 ||
	    mount("t", "/tmp", "tmpfs", 0, "mode=777") != 0)
		_exit(5);
	put_text("/boot/there", "x");
	(void)chmod("/boot/there", 0666);
	(void)mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3));
	(void)mknod("/dev/zero", S_IFCHR | 0666, makedev(1, 5));
	(void)mknod("/dev/urandom", S_IFCHR | 0666, makedev(1, 9));
	(void)mknod("/dev/secret", S_IFCHR | 0666, makedev(1, 11));
	(void)mknod("/tmp/kmsg", S_IFCHR | 0666, makedev(1, 11));
}

/* As jail does: pid 1 of a namespace builds, its child becomes the job. */
static void
job(int exe, const struct act *a, enum how how)
{
	char path[640], word[] = "test_watch", at_once[] = "act", what[64];
	char late[] = "late";
	char *argv[] = {word, how == FOUND ? late : at_once, what, NULL};
	char *no_env[] = {NULL};
	pid_t pid;
	int st;

	(void)close(pair[0]);
	(void)snprintf(what, sizeof(what), "%s", a->name);
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
		_exit(5);
	if ((pid = fork()) == 0) {
		put_text(path, "0");
		build_room();
		if ((pid = fork()) == 0) {
			/* this test's own may be a device that is watched */
			for (int fd = 0; fd < 3; fd++)
				(void)dup2(open("/dev/null", O_RDWR), fd);
			if (how == FOUND)
				(void)dup2(pair[1], 0);
			if (a->before != NULL)
				a->before();
			if (setresgid(JOB, JOB, JOB) != 0 ||
			    setresuid(JOB, JOB, JOB) != 0)
				_exit(5);
			(void)syscall(SYS_execveat, exe, "", argv, no_env,
			    AT_EMPTY_PATH);
			_exit(5);
		}
		(void)waitpid(pid, &st, 0);
		_exit(WIFEXITED(st) ? WEXITSTATUS(st) :
		    SIGNALLED + WTERMSIG(st));
	}
	(void)waitpid(pid, &st, 0);
	_exit(WIFEXITED(st) ? WEXITSTATUS(st) : 6);
}

/* The job's side: it runs, and acts when it is watched. */
static int
act_late(const char *name)
{
	char c = 0;

	if (write(0, &c, 1) != 1 || read(0, &c, 1) != 1)
		return 5;
	return act(name);
}

/* ---- what was told ---- */

struct seen {
	bool hit[RULES_MAX];
	unsigned n;
	char last[300];
	struct links links;
};

static bool
on_record(void *ctx, const void *rec, size_t len)
{
	static const struct cond_job quiet;
	struct seen *s = ctx;
	struct watch_event e;
	int i = -1;

	if (!event_decode(&e, rec, len) || e.group != group_id) {
		(void)snprintf(s->last, sizeof(s->last), "a strange record");
		return true;
	}
	s->n++;
	links_follow(&s->links, &e);
	if (getenv("WATCH_SAY") != NULL) {
		char text[300];

		event_text(text, sizeof(text), &e);
		printf("# %u %s: %s\n", e.pid, e.comm, text);
	}
	while ((i = rules_match(&rules, (unsigned)(i + 1), &e, &quiet)) >= 0) {
		if (!s->hit[i])
			event_text(s->last, sizeof(s->last), &e);
		s->hit[i] = true;
	}
	return true;
}

static bool
told(const struct act *a, const struct seen *s, char *what, size_t cap)
{
	size_t len = 0;

	what[0] = '\0';
	for (unsigned i = 0; i < rules.n; i++) {
		if (s->hit[i] && len < cap)
			len += (size_t)snprintf(what + len, cap - len, "%s%s",
			    len > 0 ? " " : "", rules.rule[i].name);
	}
	return strcmp(what, a->want) == 0;
}

/* Refused by the tier that may: these say so by their exit. */
static const char *const refused[] = {"memfd", "deleted", "memfd_path",
    "tmpfile", "script", "boot_openat2", "boot_cwd", "boot_unlink",
    "anonymous", "write_exec", "write_then_exec", "heap", "map_memfd",
    "newuser"};

static bool
is_refused(const struct act *a)
{
	for (size_t i = 0; i < NELEM(refused); i++) {
		if (strcmp(refused[i], a->name) == 0)
			return true;
	}
	return false;
}

/*
 * Of jobs that were found running. They make no task and run no program: such
 * a one is marked, which hides whether the others are looked at.
 */
static const char *const found[] = {"boot", "boot_unlink", "boot_quiet",
    "write_then_exec", "newuser"};

static bool
is_found(const struct act *a)
{
	for (size_t i = 0; i < NELEM(found); i++) {
		if (strcmp(found[i], a->name) == 0)
			return true;
	}
	return false;
}

/* It was not done, and is told all the same. */
static void
verdict_refused(const struct act *a, const struct seen *s, int st)
{
	char what[300];

	(void)told(a, s, what, sizeof(what));
	if (WEXITSTATUS(st) == 3 &&
	    strncmp(what, a->want, strcspn(a->want, " ")) == 0) {
		printf("ok watch_%s%s\n", a->name, by);
		return;
	}
	printf("not ok watch_%s%s: breaks '%s', exit %d (%s)\n", a->name, by,
	    what, WEXITSTATUS(st), s->last);
	failed = 1;
}

/* Which of its rules the counters can see; in blind the others. */
struct names {
	char text[300];
	size_t len;
};

static void
by_counters(const struct act *a, struct names *seen, struct names *blind)
{
	for (unsigned i = 0; i < rules.n; i++) {
		const char *name = rules.rule[i].name;
		const char *at = strstr(a->want, name);
		/* a limit of its user's, which no group counts */
		bool sees = counters_sees(&rules.rule[i]) &&
		    strcmp(a->name, "forks") != 0;
		struct names *to = sees ? seen : blind;

		if (at == NULL || (at != a->want && at[-1] != ' ') ||
		    (at[strlen(name)] != ' ' && at[strlen(name)] != '\0'))
			continue;
		to->len += (size_t)snprintf(to->text + to->len,
		    sizeof(to->text) - to->len, "%s%s", to->len > 0 ? " " : "",
		    name);
	}
}

/* What is not seen is named, and what is seen is all the rest. */
static void
verdict_counters(struct act a, const struct seen *s, int st)
{
	struct names seen = {.len = 0}, blind = {.len = 0};
	int code = WEXITSTATUS(st);
	char what[300];

	by_counters(&a, &seen, &blind);
	a.want = seen.text;
	if (!told(&a, s, what, sizeof(what)) || code == 3 || code == 4 ||
	    code == 5 || s->n != 1) {
		printf("not ok watch_%s%s: breaks '%s', not '%s', exit %d "
		    "(%s)\n", a.name, by, what, seen.text, code, s->last);
		failed = 1;
	} else if (blind.len > 0) {
		printf("ok watch_%s%s: not seen: %s\n", a.name, by,
		    blind.text);
	} else {
		printf("ok watch_%s%s\n", a.name, by);
	}
}

/* Each act is told or counted as lost, and none is both. */
static bool
accounted(const struct seen *s, const struct watch_group *g)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < REC_TYPES; i++)
		sum += g->seen[i];
	return sum == s->n + g->lost;
}

static void
verdict(const struct act *a, const struct seen *s, int st, enum how how)
{
	struct watch_group g;
	char what[300];

	if (!probes_group(probes, group_id, &g))
		printf("not ok watch_%s%s: no counters\n", a->name, by);
	else if (WEXITSTATUS(st) == 3 || WEXITSTATUS(st) == 4 ||
	    WEXITSTATUS(st) == 5)
		printf("not ok watch_%s%s: could not act (%d)\n", a->name, by,
		    WEXITSTATUS(st));
	else if (!told(a, s, what, sizeof(what)))
		printf("not ok watch_%s%s: breaks '%s', not '%s' (%s)\n",
		    a->name, by, what, a->want, s->last);
	else if (!accounted(s, &g))
		printf("not ok watch_%s%s: %u told, %llu lost, others seen\n",
		    a->name, by, s->n, (unsigned long long)g.lost);
	else if ((g.lost > 0) != a->lost ||
	    (g.seen[REC_EXEC] == 0) != (how == FOUND) || g.seen[REC_EXIT] == 0)
		printf("not ok watch_%s%s: lost %llu, %llu runs, %llu ends\n",
		    a->name, by, (unsigned long long)g.lost,
		    (unsigned long long)g.seen[REC_EXEC],
		    (unsigned long long)g.seen[REC_EXIT]);
	else {
		printf("ok watch_%s%s\n", a->name, by);
		return;
	}
	failed = 1;
}

/* Where its group has it. */
static int
counter(const char *file)
{
	char path[640];

	(void)snprintf(path, sizeof(path), "%s/%s", group, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool
watch_it(unsigned how)
{
	if (probes_watch(probes, group_id, how) != 0)
		return false;
	probes_count(probes, group_id, counter("memory.events"),
	    counter("pids.events"));
	return true;
}

/* It runs as soon as it says so, and stops for the answer. */
static bool
find_it(void)
{
	char c;
	bool ok;

	(void)close(pair[1]);
	ok = read(pair[0], &c, 1) == 1 && watch_it(WATCH_LATE) &&
	    write(pair[0], &c, 1) == 1;
	(void)close(pair[0]);
	pair[0] = pair[1] = -1;
	return ok;
}

static void
one(int exe, const struct act *a, enum how how)
{
	struct seen s = {.n = 0};
	pid_t pid;
	int st = 0, code;
	bool ok;

	/* a group of its own each: what it counts is this act's */
	(void)rmdir(group);
	if (!make_group() || (how == FOUND ? socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 : !watch_it(0))) {
		printf("not ok watch_%s: no group\n", a->name);
		failed = 1;
		return;
	}
	if ((pid = fork()) == 0)
		job(exe, a, how);
	ok = how != FOUND || find_it();
	(void)waitpid(pid, &st, 0);
	if (!ok) {
		printf("not ok watch_%s%s: not found\n", a->name, by);
		probes_forget(probes, group_id);
		failed = 1;
		return;
	}
	/* as node says how its first process has ended */
	code = WEXITSTATUS(st);
	probes_over(probes, group_id, (uint32_t)(code > SIGNALLED ?
	    code - SIGNALLED : code << 8));
	(void)probes_read(probes, on_record, &s);
	if (probes_tier(probes) == PROBES_COUNTERS)
		verdict_counters(*a, &s, st);
	else if (how == DENIED && a->want[0] != '\0')
		verdict_refused(a, &s, st);
	else
		verdict(a, &s, st, how);
	probes_forget(probes, group_id);
}

/* ---- cost ---- */

/* A call that no probe looks at, or one that each does, with its close. */
static double
call_ns(bool opens)
{
	int each = opens ? 4000 : 20000;
	struct timespec a, b;
	double best = 1e9;

	for (int k = 0; k < 40; k++) {
		(void)clock_gettime(CLOCK_MONOTONIC, &a);
		for (int i = 0; i < each; i++) {
			if (opens)
				(void)close(open("/dev/null", O_RDONLY));
			else
				(void)syscall(SYS_getppid);
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
		best = MIN_OF(best, ((double)(b.tv_sec - a.tv_sec) * 1e9 +
		    (double)(b.tv_nsec - a.tv_nsec)) / each);
	}
	return best;
}

#define FLAGS_MAX 1000
static double flags[FLAGS_MAX];
static unsigned nflags;

static bool
on_timed(void *ctx, const void *rec, size_t len)
{
	static const struct cond_job quiet;
	struct timespec now;
	struct watch_event e;

	(void)ctx;
	if (!event_decode(&e, rec, len) || e.type != REC_OPEN ||
	    rules_match(&rules, 0, &e, &quiet) < 0 || nflags >= FLAGS_MAX)
		return true;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	flags[nflags++] = ((double)now.tv_sec * 1e9 + (double)now.tv_nsec -
	    (double)e.when_ns) / 1000;
	return true;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* As the daemon does: asleep until there is a record. */
static bool
time_flags(int exe)
{
	struct pollfd p = {.fd = probes_fd(probes), .events = POLLIN};
	pid_t pid;

	if (!make_group() || probes_watch(probes, group_id, 0) != 0 ||
	    probes_attach(probes) != 0)
		return false;
	if ((pid = fork()) == 0)
		job(exe, act_named("often"), PLAIN);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (poll(&p, 1, 100) > 0)
			(void)probes_read(probes, on_timed, NULL);
	}
	probes_forget(probes, group_id);
	probes_detach(probes);
	(void)rmdir(group);
	qsort(flags, nflags, sizeof(*flags), by_size);
	return nflags > 100;
}

/* A program that does nothing, at the end of everybody's calls; -1: none. */
static int
nothing_attached(void)
{
	static const struct bpf_insn nothing[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K},
	    {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr a;
	int prog, fd;

	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	a.insns = (uintptr_t)nothing;
	a.insn_cnt = NELEM(nothing);
	a.license = (uintptr_t)"Dual BSD/GPL";
	if ((prog = (int)syscall(__NR_bpf, BPF_PROG_LOAD, &a, sizeof(a))) < 0)
		return -1;
	memset(&a, 0, sizeof(a));
	a.raw_tracepoint.name = (uintptr_t)"sys_exit";
	a.raw_tracepoint.prog_fd = (uint32_t)prog;
	fd = (int)syscall(__NR_bpf, BPF_RAW_TRACEPOINT_OPEN, &a, sizeof(a));
	(void)close(prog);
	return fd;
}

static int
bench(int exe)
{
	double bare[2] = {1e9, 1e9}, with[2] = {1e9, 1e9}, after[2] = {1e9, 1e9};
	double least = 1e9;
	int fd;

	for (int i = 0; i < 16; i++) {
		int o = i & 1;

		bare[o] = MIN_OF(bare[o], call_ns(o));
		if (probes_attach(probes) != 0)
			return 1;
		with[o] = MIN_OF(with[o], call_ns(o));
		probes_detach(probes);
		after[o] = MIN_OF(after[o], call_ns(o));
		if (o == 0 && (fd = nothing_attached()) >= 0) {
			least = MIN_OF(least, call_ns(o));
			(void)close(fd);
		}
	}
	if (least < 1e9)
		printf("nothing %.1f\n", least);
	for (int o = 0; o < 2; o++)
		printf("%s %.1f %.1f %.1f\n", o ? "open" : "foreign", bare[o],
		    with[o], after[o]);
	if (!time_flags(exe))
		return 1;
	printf("flag %.1f %.1f\n", flags[nflags / 2], flags[nflags * 99 / 100]);
	return 0;
}

/* What fills the ring takes its time, and the counters have none. */
static bool
is_slow(const struct act *a, const char *only)
{
	return only == NULL && !all && strcmp(a->name, "full") == 0 &&
	    probes_tier(probes) == PROBES_COUNTERS;
}

/* Before any other job: a stack that its tasks had would still be marked. */
static void
table_found(int exe, const char *only)
{
	const struct act *a;

	(void)snprintf(by, sizeof(by), " (%s, found)",
	    probes_tier_name(probes_tier(probes)));
	for (size_t i = 0; (a = act_at(i)) != NULL; i++) {
		if (is_found(a) &&
		    (only == NULL || strcmp(only, a->name) == 0))
			one(exe, a, FOUND);
	}
}

/* The same table by each tier that the kernel takes. */
static void
table(int exe, const char *only)
{
	const struct act *a;

	(void)snprintf(by, sizeof(by), " (%s)",
	    probes_tier_name(probes_tier(probes)));
	if (probes_attach(probes) != 0 || probes_deny(probes, 0) != 0) {
		printf("not ok watch%s: attach: %s\n", by, strerror(errno));
		failed = 1;
		return;
	}
	table_found(exe, only);
	(void)snprintf(by, sizeof(by), " (%s)",
	    probes_tier_name(probes_tier(probes)));
	for (size_t i = 0; (a = act_at(i)) != NULL; i++) {
		if (a->want != NULL && !is_slow(a, only) &&
		    (only == NULL || strcmp(only, a->name) == 0))
			one(exe, a, PLAIN);
	}
	if (probes_tier(probes) != PROBES_LSM)
		return;
	(void)snprintf(by, sizeof(by), " (lsm, denied)");
	if (probes_deny(probes, ~0u) != 0)
		printf("not ok watch%s: %s\n", by, strerror(errno));
	for (size_t i = 0; (a = act_at(i)) != NULL; i++) {
		if (a->want != NULL && (a->want[0] == '\0' || is_refused(a)) &&
		    (only == NULL || strcmp(only, a->name) == 0))
			one(exe, a, DENIED);
	}
}

int
main(int argc, char *argv[])
{
	/* tests/escape/run has two words of its own before it */
	const char *only = argc == 2 || argc == 4 ? argv[argc - 1] : NULL;
	bool any = false;
	struct mistakes m = {0};
	char why[PROBES_WHY];
	int exe;

	if (argc == 3 && strcmp(argv[1], "act") == 0)
		return act(argv[2]);
	if (argc == 3 && strcmp(argv[1], "late") == 0)
		return act_late(argv[2]);
	all = only != NULL && strcmp(only, "all") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!find_group() || rules_read(&rules, NULL, 0, &m) != 0) {
		printf("skip watch: no v2 groups here\n");
		return 0;
	}
	exe = open("/proc/self/exe", O_RDONLY);
	if (only != NULL && strcmp(only, "bench") == 0) {
		probes = probes_load(PROBES_LSM, why);
		if (probes != NULL && probes_tier(probes) < PROBES_COUNTERS)
			return bench(exe);
		printf("skip watch: %s\n", why);
		return 0;
	}
	for (unsigned i = 0; i < PROBES_TIERS; i++) {
		if (i == PROBES_COUNTERS && geteuid() != 0) {
			printf("skip watch, counters: the room is root's\n");
			break;
		}
		probes = probes_load_tier((enum probes_tier)i, why);
		if (probes == NULL) {
			printf("%s watch, %s: %s\n", all ? "not ok" : "skip",
			    probes_tier_name((enum probes_tier)i), why);
			failed |= all;
			continue;
		}
		any = true;
		table(exe, all ? NULL : only);
		probes_free(probes);
	}
	if (any)
		(void)rmdir(group);
	return failed;
}
