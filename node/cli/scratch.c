/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/scratch.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/numbers.h"
#include "common/program.h"
#include "common/util.h"
#include "node/cli/house.h"
#include "node/cli/scratch_groups.h"
#include "sandbox/base/limits.h"
#include "sandbox/base/tree.h"
#include "sandbox/jail/jail.h"
#include "sandbox/plan/plan.h"

#define ANSWER_MS 30000
#define JOB_MS 20000
#define WORDS 10
#define FIRST_FD 20
#define HIGH_FD 100 /* above all that the words name */

static int
fail(struct scratch *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static int
fail(struct scratch *s, const char *fmt, ...)
{
	int error = errno;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	n = strlen(s->why);
	if (error != 0)
		(void)snprintf(s->why + n, sizeof(s->why) - n, ": %s",
		    strerror(error));
	return -1;
}

/* ---- programs and folders ---- */

static int
folder(struct scratch *s, const char *name, mode_t mode)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	if (mkdir(path, mode) < 0 || chmod(path, mode) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
put_probe(int bin, const char *name, mode_t mode)
{
	_cleanup_fd_ int in = house_open("warren-probe");
	_cleanup_fd_ int out = openat(bin, name,
	    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);

	/* written first: a write takes the set-id bits away */
	return in < 0 || out < 0 || house_copy(in, out) < 0 || fchmod(out, mode) < 0 ?
	    -1 : 0;
}

/* images/roots/DIGEST/bin/probe, and a set-id copy of it. */
static int
make_image(struct scratch *s)
{
	_cleanup_fd_ int root = -1, bin = -1;
	char name[100], hex[65];

	if (getrandom(HASH_BYTES(s->image), 0) != 32)
		return -1;
	hex_encode(hex, HASH_BYTES(s->image));
	(void)snprintf(name, sizeof(name), "images/roots/%s", hex);
	root = folder(s, name, 0755);
	(void)snprintf(name, sizeof(name), "images/roots/%s/bin", hex);
	bin = folder(s, name, 0755);
	if (root < 0 || bin < 0 || put_probe(bin, "probe", 0755) < 0 ||
	    put_probe(bin, "setid", 06755) < 0)
		return -1;
	return 0;
}

/* ---- jail ---- */

struct words {
	char text[WORDS][48];
	char *argv[WORDS + 2];
	int fds[WORDS];
	int n;
};

static void
word(struct words *w, const char *name, int fd, uint32_t number)
{
	w->fds[w->n] = fd;
	(void)snprintf(w->text[w->n], sizeof(w->text[0]), "%s=%u", name,
	    fd >= 0 ? (uint32_t)(FIRST_FD + w->n) : number);
	w->n++;
}

static void
word_fd(struct words *w, const char *name, int fd)
{
	if (fd >= 0)
		word(w, name, fd, 0);
}

/* In the child. */
static void
exec_jail(int exe, int channel, struct words *w)
{
	char *env[] = {NULL}, name[] = "warren-jail";
	int null = open("/dev/null", O_RDWR), high[WORDS];

	channel = fcntl(channel, F_DUPFD, HIGH_FD);
	exe = fcntl(exe, F_DUPFD_CLOEXEC, HIGH_FD);
	for (int i = 0; i < w->n; i++)
		high[i] = w->fds[i] < 0 ? -1 :
		    fcntl(w->fds[i], F_DUPFD, HIGH_FD);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(channel, PROGRAM_CHANNEL) < 0 || chdir("/") < 0)
		_exit(1);
	for (int i = 0; i < w->n; i++)
		if (high[i] >= 0 && dup2(high[i], FIRST_FD + i) < 0)
			_exit(1);
	w->argv[0] = name;
	for (int i = 0; i < w->n; i++)
		w->argv[i + 1] = w->text[i];
	w->argv[w->n + 1] = NULL;
	(void)fexecve(exe, w->argv, env);
	_exit(127);
}

/* A message of this type, others passed over. */
static int
await(struct ipc *c, enum ipc_type type, struct ipc_in *in)
{
	while (ipc_wait(c, in, ANSWER_MS) == 0) {
		if (in->type == type)
			return 0;
		ipc_in_done(in);
	}
	return -1;
}

static int
greet(struct scratch *s)
{
	struct msg_NEIGHBOUR m = {.program = PROGRAM_NODE};
	struct msg_HELLO h = {.end_ = 0};
	struct ipc_in in;
	int sv[2], rv;

	if (ipc_pair(sv) < 0)
		return fail(s, "channel");
	rv = ipc_send_NEIGHBOUR(s->parent, &m, &sv[1], 1);
	(void)close(sv[1]);
	s->node = ipc_new(sv[0], PROGRAM_NODE, PROGRAM_JAIL);
	if (rv < 0 || s->node == NULL || await(s->node, IPC_HELLO, &in) < 0)
		return fail(s, "warren-jail does not answer");
	ipc_in_done(&in);
	program_build_id(&h.build);
	if (ipc_send_HELLO(s->node, &h, NULL, 0) < 0 ||
	    await(s->node, IPC_J_POSTURE, &in) < 0)
		return fail(s, "warren-jail is of another build");
	rv = msg_get_J_POSTURE(in.body, &s->posture) ? 0 : -1;
	ipc_in_done(&in);
	return rv;
}

static int
talk(struct scratch *s)
{
	struct msg_PARAMS p;
	struct msg_JAIL_LIMITS l = {.memory = SCRATCH_MEMORY,
	    .cpu_milli = 1000, .pids = SCRATCH_PIDS, .time_ms = JOB_MS,
	    .output = SCRATCH_OUTPUT, .slots = 1};
	struct msg_START_DONE done = {.end_ = 0};
	struct ipc_in in;

	memset(&p, 0, sizeof(p));
	p.root = s->root;
	p.cg_v2 = s->cg_v2;
	p.cg_v1 = s->cg_v1;
	p.compute = true;
	if (ipc_send_PARAMS(s->parent, &p, NULL, 0) < 0 ||
	    ipc_send_JAIL_LIMITS(s->parent, &l, NULL, 0) < 0 ||
	    ipc_send_START_DONE(s->parent, &done, NULL, 0) < 0 ||
	    await(s->parent, IPC_READY, &in) < 0)
		return fail(s, "warren-jail does not start here (its last "
		    "words are above)");
	ipc_in_done(&in);
	return greet(s);
}

static int
spawn(struct scratch *s, int images, int stage)
{
	_cleanup_fd_ int exe = house_sealed("warren-jail");
	_cleanup_fd_ int hand = house_sealed("warren-hand");
	struct words w = {.n = 0};
	int sv[2];

	if (exe < 0 || hand < 0)
		return fail(s, "warren-jail or warren-hand");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return fail(s, "channel");
	if (s->root)
		word(&w, "base", -1, s->base);
	word(&w, "level", -1, 0);
	word(&w, "slots", -1, 1);
	word_fd(&w, "images", images);
	word_fd(&w, "stage", stage);
	word_fd(&w, "hand", hand);
	word_fd(&w, "cg-jobs", s->dirs.v2);
	word_fd(&w, "cg-v1:memory", s->dirs.memory);
	word_fd(&w, "cg-v1:cpu", s->dirs.cpu);
	word_fd(&w, "cg-v1:pids", s->dirs.pids);
	s->pid = fork();
	if (s->pid == 0)
		exec_jail(exe, sv[1], &w);
	(void)close(sv[1]);
	s->parent = ipc_new(sv[0], PROGRAM_PARENT, PROGRAM_JAIL);
	return s->pid < 0 || s->parent == NULL ? fail(s, "fork") : talk(s);
}

int
scratch_start(struct scratch *s)
{
	_cleanup_fd_ int images = -1, stage = -1, roots = -1;

	memset(s, 0, sizeof(*s));
	s->dirs = (struct cgroup_dirs){.v2 = -1,
	    .memory = -1, .cpu = -1, .pids = -1};
	s->base = WARREN_UID_BASE;
	s->root = numbers_usable(s->base);
	(void)umask(022);
	(void)snprintf(s->folder, sizeof(s->folder),
	    "/tmp/warren-doctor-XXXXXX");
	if (mkdtemp(s->folder) == NULL) {
		s->folder[0] = '\0';
		return fail(s, "a folder in /tmp");
	}
	if (chmod(s->folder, 0711) < 0)
		return fail(s, "a folder in /tmp");
	images = folder(s, "images", 0755);
	roots = folder(s, "images/roots", 0755);
	stage = folder(s, "stage", s->root ? 0711 : 0700);
	if (images < 0 || roots < 0 || stage < 0 || make_image(s) < 0)
		return fail(s, "warren-probe, as an image");
	scratch_groups_make(s);
	return spawn(s, images, stage);
}

void
scratch_stop(struct scratch *s)
{
	_cleanup_fd_ int fd = -1;

	ipc_free(s->node);
	ipc_free(s->parent); /* its end is jail's, and that of all in it */
	s->node = s->parent = NULL;
	if (s->pid > 0)
		(void)waitpid(s->pid, NULL, 0);
	scratch_groups_remove(s);
	if (s->folder[0] == '\0')
		return;
	fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && tree_empty(fd) == 0)
		(void)rmdir(s->folder);
}

/* ---- a job ---- */

/* Groups are made with no more rights than node has. */
static void
as_node(const struct scratch *s, bool on)
{
	uid_t id = on ? s->base + JAIL_NODE_UID : 0;

	if (!s->root)
		return;
	if ((!on && seteuid(0) < 0) || setegid(id) < 0 ||
	    (on && seteuid(id) < 0))
		_exit(1);
}

/* An archive of nothing, as a descriptor that can only be read. */
static int
empty_blob(struct scratch *s)
{
	static const uint8_t zeros[1024];
	char path[128];
	_cleanup_fd_ int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/empty", s->folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || write_full(fd, zeros, sizeof(zeros)) < 0)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int
args_memfd(const char *word_, const char *const *env, uint32_t *len,
    uint32_t *targets)
{
	static uint8_t buf[65536];
	struct wr w = wr_make(buf, sizeof(buf));
	struct plan_args a = {.cwd = "/", .argc = 2, .ntargets = 2,
	    .argv = {"/bin/probe", word_}, .targets = {"/in/ro", "/in/rw"}};

	while (env[a.envc] != NULL && a.envc < PLAN_ENV_MAX) {
		a.env[a.envc] = env[a.envc];
		a.envc++;
	}
	plan_args_encode(&w, &a);
	*len = (uint32_t)w.len;
	*targets = plan_targets_len(&a);
	return wr_ok(&w) ? memfd_sealed("args", buf, w.len) : -1;
}

static int
send_run(struct scratch *s, const struct id32 *job, const char *word_,
    const char *const *env)
{
	/* what holds shall be jail's own */
	static const struct sock_filter allow = {BPF_RET | BPF_K, 0, 0,
	    SECCOMP_RET_ALLOW};
	struct plan p = {.job = *job, .image = s->image, .slot = 1,
	    .memory = SCRATCH_MEMORY, .cpu_milli = 1000, .pids = SCRATCH_PIDS,
	    .time_ms = JOB_MS, .output = SCRATCH_OUTPUT, .read_only = true,
	    .filter_len = 1, .nvolumes = 2,
	    .volumes = {{.kind = PLAN_VOL_RO, .size = 1024},
		{.kind = PLAN_VOL_RW, .size = 1024}}};
	struct msg_J_RUN m = {.plan_len = 0};
	struct wr w = wr_make(m.plan, sizeof(m.plan));
	int fds[4], rv;

	fds[0] = args_memfd(word_, env, &p.args_len, &p.targets_len);
	fds[1] = memfd_sealed("filter", &allow, sizeof(allow));
	fds[2] = empty_blob(s);
	fds[3] = empty_blob(s);
	plan_encode(&w, &p);
	m.plan_len = (uint16_t)w.len;
	rv = fds[0] < 0 || fds[1] < 0 || fds[2] < 0 || fds[3] < 0 ? -1 :
	    ipc_send_J_RUN(s->node, &m, fds, 4);
	for (size_t i = 0; i < NELEM(fds); i++)
		close_fd(&fds[i]);
	return rv;
}

/* What comes about the job: true when it is over. */
static bool
heard(struct scratch *s, struct scratch_end *e, int *out)
{
	struct msg_J_STARTED started;
	struct msg_J_FAILED failed;
	struct msg_J_EXITED exited;
	struct ipc_in in;
	bool over = false;

	if (ipc_recv(s->node, &in) != 1)
		return false;
	if (in.type == IPC_J_STARTED && msg_get_J_STARTED(in.body, &started)) {
		e->started = true;
		e->layers = started.layers;
		*out = ipc_in_take(&in, 0);
	} else if (in.type == IPC_J_FAILED &&
	    msg_get_J_FAILED(in.body, &failed)) {
		memcpy(e->code, failed.code, sizeof(e->code));
		memcpy(e->why, failed.why, sizeof(e->why));
		over = true;
	} else if (in.type == IPC_J_EXITED &&
	    msg_get_J_EXITED(in.body, &exited)) {
		e->how = exited.how;
		e->status = exited.code;
		over = true;
	}
	ipc_in_done(&in);
	return over;
}

static int
follow(struct scratch *s, struct scratch_end *e)
{
	int64_t end = clock_mono().us + (int64_t)(JOB_MS + ANSWER_MS) * 1000;
	_cleanup_fd_ int out = -1;
	char rest[4096];
	size_t len = 0;
	bool over = false;

	while (!over || out >= 0) {
		struct pollfd p[2] = {{out, POLLIN, 0},
		    {over ? -1 : ipc_fd(s->node), POLLIN, 0}};
		int64_t left = (end - clock_mono().us) / 1000;
		ssize_t n = 0;

		if (left <= 0 || poll(p, 2, (int)left + 1) < 0)
			return fail(s, "a job does not end");
		if (p[0].revents != 0) {
			n = len < SCRATCH_SAID ?
			    read(out, e->said + len, SCRATCH_SAID - len) :
			    read(out, rest, sizeof(rest));
			if (n == 0 || (n < 0 && errno != EAGAIN))
				close_fd(&out);
			else if (n > 0 && len < SCRATCH_SAID)
				len += (size_t)n;
		}
		if (p[1].revents != 0)
			over = heard(s, e, &out);
	}
	e->said[len] = '\0';
	return 0;
}

static int
forget(struct scratch *s, const struct id32 *job, struct cgroup_job *groups)
{
	struct msg_J_FORGET m = {.job = *job};
	struct timespec ms = {0, 1000000};
	struct ipc_in in;
	int rv = -1;

	if (ipc_send_J_FORGET(s->node, &m, NULL, 0) < 0 ||
	    await(s->node, IPC_J_FORGOTTEN, &in) < 0)
		return fail(s, "a job's slot does not become free");
	ipc_in_done(&in);
	as_node(s, true);
	for (int i = 0; i < ANSWER_MS && rv < 0; i++)
		if ((rv = cgroup_job_remove(groups)) < 0)
			(void)nanosleep(&ms, NULL);
	as_node(s, false);
	return rv < 0 ? fail(s, "a job's group does not become free") : 0;
}

int
scratch_run(struct scratch *s, const char *word_, const char *const *env,
    struct scratch_end *e)
{
	struct cgroup_limits l = {.memory = SCRATCH_MEMORY, .cpu_milli = 1000,
	    .pids = SCRATCH_PIDS};
	struct cgroup_usage usage = {.cpu_us = 0};
	struct cgroup_job groups;
	struct id32 job;
	const char *what = "";
	uint32_t layers;
	int rv;

	memset(e, 0, sizeof(*e));
	errno = 0;
	if (getrandom(HASH_BYTES(job), 0) != 32)
		return fail(s, "random bytes");
	as_node(s, true);
	rv = cgroup_job_make(&groups, &s->dirs, &job, 1, &l, &layers, &what);
	as_node(s, false);
	if (rv < 0)
		return fail(s, "%s of a job's group", what);
	if (send_run(s, &job, word_, env) < 0)
		return fail(s, "a job");
	if (follow(s, e) < 0)
		return -1;
	as_node(s, true);
	cgroup_usage(&groups, &usage);
	/* a full tmpfs stays charged, and killed processes need time to end */
	(void)cgroup_job_ease(&groups, HAND_ROOM);
	as_node(s, false);
	e->oom_kills = usage.oom_kills;
	return forget(s, &job, &groups);
}
