/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/enter.h"

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/report.h"
#include "sandbox/base/root.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"
#include "sandbox/jail/init_label.h"
#include "sandbox/runner/daemon.h"
#include "sandbox/runner/inner.h"
#include "sandbox/runner/stub.h"

#define SAID "/new/said" /* what the tool writes on its streams */
#define HIGH_FD 32

static const struct enter_tool *with;

void
enter_with(const struct enter_tool *t)
{
	with = t;
}

/* In the words of the tool, or of who asks a daemon. */
static void
refused(const struct inner *m, int report, const char *words)
{
	struct report r = {.kind = REPORT_FAIL};

	(void)snprintf(r.code, sizeof(r.code), m->trial ? "%d" : "internal",
	    ECANCELED);
	(void)snprintf(r.why, sizeof(r.why), "%s: %s",
	    runner_name(with->terms->number), words);
	report_send(report, &r);
}

/* A trial's code is an errno; a job's is one of compute.md 4. */
static void
fail(const struct inner *m, int report, const char *what, int err)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", err);
	init_fail(report, m->trial ? number : "internal", what, err);
}

/* ---- what the tool finds ---- */

/* A /proc of this pid namespace, a /tmp, folders, and what it reads. */
static int
furnish(const struct terms *t)
{
	const unsigned long no = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	size_t n = strlen(t->text);
	_cleanup_fd_ int fd = -1;

	/* its own group is all that it sees, and nothing is made there */
	if (with->terms->groups && (unshare(CLONE_NEWCGROUP) < 0 ||
	    mount("cgroup2", "/sys/fs/cgroup", "cgroup2", no | MS_RDONLY,
	    NULL) < 0))
		return -1;
	if (mount("proc", "/proc", "proc", no, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", no,
	    "size=256k,nr_inodes=64,mode=0755") < 0 ||
	    mkdir(TERMS_STATE, 0700) < 0 ||
	    mkdir(TERMS_BUNDLE, 0700) < 0)
		return -1;
	fd = open(TERMS_BUNDLE "/config.json", O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600);
	return fd < 0 || write(fd, t->text, n) != (ssize_t)n ? -1 : 0;
}

static int
put_all(int fd, const void *p, size_t n)
{
	return fd < 0 || write(fd, p, n) != (ssize_t)n ||
	    lseek(fd, 0, SEEK_SET) != 0 ? -1 : 0;
}

static int
message(struct inner *m)
{
	static uint8_t buf[INNER_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	_cleanup_fd_ int fd = memfd_create("inner", MFD_CLOEXEC);
	char path[32];
	struct stat st;

	for (unsigned i = 0; i < INNER_NS; i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
		    inner_ns_names[i]);
		if (stat(path, &st) < 0)
			return -1;
		m->ns[i] = st.st_ino;
	}
	inner_encode(&w, m);
	if (!wr_ok(&w) || put_all(fd, buf, w.len) < 0)
		return -1;
	return steal_fd(&fd);
}

static int
filters(const struct init_env *e, bool outside)
{
	_cleanup_fd_ int fd = memfd_create("filters", MFD_CLOEXEC);
	const struct filter *const all[] = {e->job_filter, e->seal_filter,
	    e->never_filter};
	const size_t count = outside ? NELEM(all) : NELEM(all) - 1;

	for (size_t i = 0; fd >= 0 && i < count; i++) {
		size_t n = all[i]->len * sizeof(*all[i]->insns);

		if (write(fd, all[i]->insns, n) != (ssize_t)n)
			return -1;
	}
	return steal_fd(&fd);
}

/* ---- the tool ---- */

/* From 0 on; all others are closed. */
static int
streams(const int *fds, int n)
{
	int high[TERMS_LAST_FD + 2];

	for (int i = 0; i < n; i++)
		if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
			return -1;
	for (int i = 0; i < n; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	return sys_close_range((unsigned)n, ~0u);
}

static void
become(const char *const *argv)
{
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	    "XDG_RUNTIME_DIR=" TERMS_STATE, "HOME=" TERMS_STATE,
	    /* threads of Go, else one or more for each processor there is */
	    "GOMAXPROCS=2", with->terms->env, NULL};

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	/* it is the last: closed by who executes it */
	(void)sys_execveat(TERMS_LAST_FD + 1, (char *const *)(uintptr_t)argv,
	    (char *const *)(uintptr_t)env);
	perror("exec");
	_exit(127);
}

/* In the child: root of a namespace inside the slot's, then the tool. */
static void
start_tool(const struct terms *t, int *fds)
{
	(void)setsid();
	if (userns_nest(0, USERNS_ID, USERNS_ID) < 0 ||
	    streams(fds, TERMS_LAST_FD + 2) < 0 ||
	    fcntl(TERMS_LAST_FD + 1, F_SETFD, FD_CLOEXEC) < 0) {
		perror("user namespace");
		_exit(126);
	}
	become(t->argv);
}

/* What the tool said of its failure: its last line, if it is a short one. */
static void
complain(const struct inner *m, int report, int said)
{
	char text[200], *line;
	off_t size = lseek(said, 0, SEEK_END);
	ssize_t n = pread(said, text, sizeof(text) - 1,
	    MAX_OF(size - (off_t)sizeof(text) + 1, (off_t)0));

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	text[n > 0 ? n : 0] = '\0';
	line = strrchr(text, '\n');
	line = line == NULL ? text : line + 1;
	refused(m, report, line[0] != '\0' ? line : "it ended");
}

/* As pid 1, until the tool ends; what it left ends with us. */
static void
watch(const struct inner *m, pid_t tool, int report, int said)
{
	siginfo_t si;

	report_wait(tool, &si);
	/* behind warren-inner's word on a trial, if there is one */
	if (si.si_code == CLD_EXITED && si.si_status == 0 && !m->trial)
		_exit(0);
	complain(m, report, said);
	_exit(1);
}

/* Its version, of what it prints when it is asked. */
static void
ask_version(uint16_t out[RUNNER_PARTS])
{
	const char *argv[] = {runner_program(with->terms->number),
	    with->terms->version, NULL};
	char said[512];
	size_t got = 0;
	ssize_t n;
	int p[2];
	pid_t pid;

	if (argv[1] == NULL || pipe2(p, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		int fds[TERMS_LAST_FD + 2];

		for (size_t i = 0; i < NELEM(fds); i++)
			fds[i] = p[1];
		fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
		fds[NELEM(fds) - 1] = with->tool;
		/* root there, as at a start: podman makes itself that else */
		if (userns_nest(0, USERNS_ID, USERNS_ID) < 0 ||
		    streams(fds, NELEM(fds)) < 0 || caps_drop_all() < 0)
			_exit(126);
		become(argv);
	}
	(void)close(p[1]);
	/* its end, or that of the trial's clock */
	while (pid > 0 && got < sizeof(said) - 1 &&
	    (n = read(p[0], said + got, sizeof(said) - 1 - got)) > 0)
		got += (size_t)n;
	said[got] = '\0';
	(void)close(p[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	terms_version(out, said);
}

/* What warren-inner is told of where it is, and of what it adds. */
static void
tell(const struct init_env *e, struct inner *m)
{
	m->root = e->root;
	m->no_memory_group = e->no_memory_group;
	m->grouped = e->grouped;
	m->landlock_abi = (uint8_t)e->landlock_abi;
	m->slots = e->slots;
	m->file_max = e->file_max;
	m->njob = e->job_filter->len;
	m->nseal = e->seal_filter->len;
	m->nnever = with->terms->daemon ? e->never_filter->len : 0;
	m->stub = with->terms->stub;
	m->proc = with->terms->proc;
}

/* fds: those of INNER_ARGS, INNER_FILTER, INNER_OUT, INNER_ERR, the report. */
static void
gather(const struct init_env *e, struct inner *m, const int fds[5],
    int all[TERMS_LAST_FD + 2])
{
	all[INNER_SELF] = with->inner;
	all[INNER_MSG] = message(m);
	all[INNER_ARGS] = fds[0];
	all[INNER_FILTER] = fds[1];
	all[INNER_BASE] = filters(e, m->nnever > 0);
	all[INNER_OUT] = fds[2];
	all[INNER_ERR] = fds[3];
	all[INNER_REPORT] = fds[4];
	all[TERMS_LAST_FD + 1] = with->tool;
	for (int i = INNER_SELF; i <= TERMS_LAST_FD + 1; i++)
		if (all[i] < 0)
			fail(m, fds[4], "descriptors of the tool", errno);
}

/* The container is made by a daemon, outside of the slot. */
static void
call(const struct init_env *e, struct inner *m, const int fds[5],
    const int tasks[JOB_TASKS])
{
	struct daemon d = {.envoy = with->tool};
	struct envoy_ask a = {.trial = m->trial, .grouped = e->grouped};
	char why[DOCKER_WHY];
	int all[TERMS_LAST_FD + 2];
	bool over = false;

	if (daemon_ask(&d, &a, why) < 0) {
		refused(m, fds[4], why);
		_exit(1);
	}
	memcpy(m->version, d.said.version, sizeof(m->version));
	memcpy(m->outer, d.said.ns, sizeof(m->outer));
	gather(e, m, fds, all);
	if (daemon_job(&d, all, tasks, &over) < 0)
		fail(m, fds[4], "what its container is sent", errno);
	if (!over)
		fail(m, DAEMON_REPORT, "its container was ended by somebody "
		    "else", 0);
	_exit(0);
}

static void
enter(const struct init_env *e, struct inner *m, const int fds[5],
    const int tasks[JOB_TASKS])
{
	static struct terms t;
	/* the tool is root of its own namespace */
	struct terms_in in = {.read_only = m->plan.read_only || m->trial};
	int said = -1, all[TERMS_LAST_FD + 2];
	const char *what;
	pid_t pid;

	if (strcmp(m->places[PLACE_PROC].path, "proc") != 0)
		init_fail(fds[4], "image", "its /proc is no folder", ENOTDIR);
	tell(e, m);
	if (with->terms->daemon)
		call(e, m, fds, tasks);
	if (!with->terms->make(&t, &in))
		fail(m, fds[4], "the tool's terms", E2BIG);
	if (furnish(&t) < 0)
		fail(m, fds[4], "the tool's folders", errno);
	if (m->trial)
		ask_version(m->version);
	if (m->stub && stub_make(&what) < 0)
		fail(m, fds[4], what, errno);
	said = open(SAID, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
	    0600);
	gather(e, m, fds, all);
	all[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	all[1] = all[2] = said;
	if (said < 0 || all[0] < 0)
		fail(m, fds[4], "descriptors of the tool", errno);
	pid = fork();
	if (pid == 0)
		start_tool(&t, all);
	if (pid < 0)
		fail(m, fds[4], "fork", errno);
	if (caps_drop_all() < 0)
		fail(m, fds[4], "capabilities", errno);
	/* the job's pipes end with the job */
	(void)dup2(fds[4], 0);
	(void)dup2(said, 1);
	if (sys_close_range(2, ~0u) < 0)
		_exit(1);
	watch(m, pid, 0, 1);
}

void
enter_job(const struct init_env *e, const struct init_job *j)
{
	static struct init_ready ready;
	static struct inner m;
	const int fds[5] = {j->args, j->filter, j->out, j->err, j->report};
	struct command c = {.label = NULL};
	const char *why;

	init_prepare(e, j, true, &ready);
	if ((why = init_label(e, j, ready.places, &c)) != NULL)
		init_fail(j->report, "posture", why, 0);
	if (c.label != NULL) {
		m.lsm = (uint8_t)c.lsm;
		(void)snprintf(m.label, sizeof(m.label), "%s", c.label);
	}
	m.plan = j->plan;
	m.required = j->plan.layers;
	m.nplaces = PLACE_FIXED + j->plan.nvolumes;
	memcpy(m.places, ready.places, sizeof(m.places));
	enter(e, &m, fds, j->tasks);
	_exit(1);
}

/* ---- the trial ---- */

void
enter_trial(const struct init_env *e, const struct init_trial *t)
{
	static struct inner m = {.trial = true, .nplaces = PLACE_FIXED,
	    .places = {[PLACE_DEV] = {.path = "dev"},
		[PLACE_TMP] = {.path = "tmp"}, [PLACE_PROC] = {.path = "proc"}}};
	struct root_plan r = {.read_only = true, .tmp_bytes = 65536,
	    .tmp_inodes = PLAN_TMP_INODES, .places = m.places,
	    .outside = true};
	static const int none[JOB_TASKS] = {-1, -1, -1, -1};
	int null, fds[5];
	const char *what;

	init_take_ids(e, t->report);
	if (lsm_label_any(m.label, e->lsm))
		m.lsm = (uint8_t)e->lsm->kind;
	if (root_build(&r, &what) < 0)
		fail(&m, t->report, what, errno);
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
		fail(&m, t->report, "/dev/null", errno);
	for (size_t i = 0; i < NELEM(fds); i++)
		fds[i] = null;
	fds[4] = t->report;
	enter(e, &m, fds, none);
	_exit(1);
}
