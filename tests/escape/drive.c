/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/drive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#include "sandbox/base/limits.h"
#include "sandbox/base/tree.h"
#include "sandbox/runner/envoy.h"
#include "sandbox/runner/terms.h"
#include "common/util.h"
#include "tests/until.h"

#define ANSWER_MS PATIENCE_MS

static int
complain(const char *what)
{
	fprintf(stderr, "drive: %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---- jail ---- */

static int
load_memfd(const char *path)
{
	int in = open(path, O_RDONLY | O_CLOEXEC), out;
	char buf[65536];
	ssize_t n;

	if (in == -1)
		return -1;
	out = memfd_create("warren", MFD_ALLOW_SEALING);
	while (out != -1 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n) {
			(void)close(out);
			out = -1;
		}
	(void)close(in);
	if (out != -1)
		(void)fcntl(out, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
		    F_SEAL_GROW | F_SEAL_WRITE);
	return out;
}

#define WORDS 24
struct words {
	char text[WORDS][48];
	char *argv[WORDS + 2];
	int fds[WORDS];
	int n;
};

static void
word_fd(struct words *w, const char *name, int fd)
{
	if (fd == -1)
		return;
	w->fds[w->n] = fd;
	(void)snprintf(w->text[w->n], sizeof(w->text[0]), "%s=%d", name,
	    20 + w->n);
	w->n++;
}

static void
word_number(struct words *w, const char *name, uint32_t v)
{
	w->fds[w->n] = -1;
	(void)snprintf(w->text[w->n], sizeof(w->text[0]), "%s=%u", name, v);
	w->n++;
}

static void
exec_jail(int exe, int channel, struct words *w, const char *set)
{
	char *env[] = {(char *)(uintptr_t)set, NULL}, name[] = "warren-jail";
	int null = open("/dev/null", O_RDWR);
	int high[WORDS];

	/* a terminal's or a test's own descriptors stay outside */
	channel = fcntl(channel, F_DUPFD, 100);
	exe = fcntl(exe, F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < w->n; i++)
		high[i] = w->fds[i] == -1 ? -1 :
		    fcntl(w->fds[i], F_DUPFD, 100);
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(channel, 3);
	for (int i = 0; i < w->n; i++)
		if (high[i] != -1)
			(void)dup2(high[i], 20 + i);
	if (chdir("/") == -1)
		_exit(1);
	w->argv[0] = name;
	for (int i = 0; i < w->n; i++)
		w->argv[i + 1] = w->text[i];
	w->argv[w->n + 1] = NULL;
	(void)fexecve(exe, w->argv, env);
	_exit(127);
}

int
drive_new_node(struct drive *d)
{
	struct msg_NEIGHBOUR m = {.program = PROGRAM_NODE};
	struct msg_HELLO h;
	struct ipc_in in;
	int sv[2];

	memset(&h, 0, sizeof(h));
	ipc_free(d->node);
	if (ipc_pair(sv) == -1)
		return complain("pair");
	if (ipc_send_NEIGHBOUR(d->parent, &m, &sv[1], 1) == -1)
		return complain("NEIGHBOUR");
	(void)close(sv[1]);
	d->node = ipc_new(sv[0], PROGRAM_NODE, PROGRAM_JAIL);
	if (d->node == NULL || ipc_wait(d->node, &in, ANSWER_MS) == -1 ||
	    in.type != IPC_HELLO)
		return complain("HELLO of jail");
	ipc_in_done(&in);
	program_build_id(&h.build);
	if (ipc_send_HELLO(d->node, &h, NULL, 0) == -1)
		return -1;
	d->alone = false;
	return d->warms ? drive_warm(d, true, 600) : 0;
}

static int
talk(struct drive *d, const struct drive_options *o)
{
	struct msg_PARAMS p;
	struct msg_JAIL_LIMITS l;
	struct msg_START_DONE done = {.end_ = 0};
	struct ipc_in in;

	memset(&p, 0, sizeof(p));
	memset(&l, 0, sizeof(l));
	p.loglevel = (uint8_t)o->level;
	p.root = d->root;
	p.cg_v2 = d->cg_v2;
	p.cg_v1 = d->cg_v1;
	p.compute = true;
	l.required = o->required;
	l.memory = 1ull << 30;
	l.cpu_milli = 2000;
	l.pids = 256;
	l.time_ms = 3600000;
	l.output = 256u << 20;
	l.slots = o->slots;
	if (ipc_send_PARAMS(d->parent, &p, NULL, 0) == -1 ||
	    ipc_send_JAIL_LIMITS(d->parent, &l, NULL, 0) == -1 ||
	    ipc_send_START_DONE(d->parent, &done, NULL, 0) == -1)
		return o->quiet ? -1 : complain("start");
	for (;;) {
		if (ipc_wait(d->parent, &in, ANSWER_MS) == -1)
			return o->quiet ? -1 : complain("jail did not start");
		bool ready = in.type == IPC_READY;
		ipc_in_done(&in);
		if (ready)
			break;
	}
	if (drive_new_node(d) == -1)
		return -1;
	for (;;) {
		if (ipc_wait(d->node, &in, ANSWER_MS) == -1)
			return complain("POSTURE");
		if (in.type == IPC_J_POSTURE) {
			bool ok = msg_get_J_POSTURE(in.body, &d->posture);

			ipc_in_done(&in);
			if (ok && d->posture.slots == 0 && !o->quiet)
				fprintf(stderr, "drive: %s\n",
				    d->posture.missing);
			return ok ? 0 : -1;
		}
		ipc_in_done(&in);
	}
}

/* In the parent's words: where the daemon is asked, and where it is met. */
static int
daemon_place(const struct drive *d, const char *path)
{
	struct envoy_place m = {.node = "0e5ca9e0"};
	char text[sizeof(m) + 3];

	(void)snprintf(m.socket, sizeof(m.socket), "%s", path);
	if (strlen(d->folder) + 8 > sizeof(m.meet))
		return -1;
	(void)snprintf(m.meet, sizeof(m.meet), "%.240s/docker", d->folder);
	if (mkdir(m.meet, 0700) == -1 ||
	    !envoy_place_write(text, sizeof(text), &m))
		return -1;
	return memfd_sealed("docker", text, strlen(text));
}

/* Jail, or who takes its place, with what that needs; -1: there is none. */
static int
load_jail(struct drive *d, const char *jail, struct words *w)
{
	const char *said = getenv("WARREN_RUNNER");
	const char *path = said == NULL ? NULL : strchr(said, ':');
	const size_t n = strlen(jail), end = strlen("warren-jail");
	const struct terms_tool *tool;
	char name[24], word[32], file[600];

	/* a jail that is spoilt for a test stays the one that is meant */
	if (path == NULL || n < end || strcmp(jail + n - end, "warren-jail") != 0)
		return load_memfd(jail);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(path - said), said);
	tool = terms_tool((unsigned)runner_number(name));
	if (tool == NULL)
		return -1;
	/* what a tool has said; of a daemon's the connection and the answer's */
	d->holds += tool->daemon ? 2 : 1;
	d->pids_more = tool->pids;
	d->memory_more = tool->memory;
	(void)snprintf(file, sizeof(file), "%.*swarren-inner", (int)(n - end),
	    jail);
	word_fd(w, "inner", load_memfd(file));
	(void)snprintf(word, sizeof(word), "tool:%s", name);
	word_fd(w, word, tool->daemon ? daemon_place(d, path + 1) :
	    open(path + 1, O_RDONLY | O_CLOEXEC));
	(void)snprintf(file, sizeof(file), "%.*swarren-runner", (int)(n - end),
	    jail);
	return load_memfd(file);
}

/* Profiles that are loaded already, in the parent's words. */
static int
load_lsm(void)
{
	const char *text = getenv("WARREN_LSM");

	return text == NULL ? -1 : memfd_sealed("lsm", text, strlen(text));
}

static int
make_folder(struct drive *d, const char *name, mode_t mode)
{
	char path[320];

	(void)snprintf(path, sizeof(path), "%s/%s", d->folder, name);
	if (mkdir(path, mode) == -1 || chmod(path, mode) == -1)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
drive_start(struct drive *d, const struct drive_options *o)
{
	struct words w = {.n = 0};
	int sv[2], images, stage, exe, hand;

	memset(d, 0, sizeof(*d));
	d->dirs = (struct cgroup_dirs){.v2 = -1,
	    .memory = -1, .cpu = -1, .pids = -1};
	/* root of a namespace with one id is a user like any other */
	d->root = numbers_usable(DRIVE_BASE);
	d->base = DRIVE_BASE;
	d->slots = o->slots;
	d->holds = 1; /* its report */
	d->warms = getenv("WARREN_WARM") != NULL;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(d->folder, sizeof(d->folder), "/tmp/warren-drive-XXXXXX");
	if (mkdtemp(d->folder) == NULL || chmod(d->folder, 0711) == -1)
		return complain("folder");
	images = make_folder(d, "images", 0755);
	(void)close(make_folder(d, "images/roots", 0755));
	stage = make_folder(d, "stage", d->root ? 0711 : 0700);
	exe = load_jail(d, o->jail, &w);
	hand = load_memfd(o->hand);
	if (images == -1 || stage == -1 || exe == -1 || hand == -1)
		return complain("jail, hand or folders");
	d->claims_devices = o->claims_devices;
	if (!o->no_groups)
		drive_groups_make(d);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		return complain("socketpair");
	if (d->root)
		word_number(&w, "base", d->base);
	word_number(&w, "level", (uint32_t)o->level);
	word_number(&w, "slots", o->slots);
	word_fd(&w, "images", images);
	word_fd(&w, "stage", stage);
	word_fd(&w, "hand", hand);
	word_fd(&w, "lsm", load_lsm());
	word_fd(&w, "cg-jobs", d->dirs.v2);
	word_fd(&w, "cg-v1:memory", d->dirs.memory);
	word_fd(&w, "cg-v1:cpu", d->dirs.cpu);
	word_fd(&w, "cg-v1:pids", d->dirs.pids);
	if (o->volume != NULL)
		word_fd(&w, "volume:0", open(o->volume, O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC));
	d->pid = fork();
	if (d->pid == 0)
		exec_jail(exe, sv[1], &w, o->env);
	(void)close(sv[1]);
	(void)close(exe);
	(void)close(hand);
	(void)close(images);
	(void)close(stage);
	d->parent = ipc_new(sv[0], PROGRAM_PARENT, PROGRAM_JAIL);
	if (d->pid == -1 || d->parent == NULL)
		return complain("fork");
	return talk(d, o);
}

void
drive_stop(struct drive *d)
{
	int fd;

	ipc_free(d->node);
	ipc_free(d->parent); /* EOF: jail ends, and its slots with it */
	if (d->pid > 0)
		(void)waitpid(d->pid, &d->status, 0);
	drive_groups_remove(d);
	fd = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		(void)tree_empty(fd);
		(void)close(fd);
		(void)rmdir(d->folder);
	}
}

/* ---- jobs ---- */

void
drive_job_init(struct drive_job *j)
{
	memset(j, 0, sizeof(*j));
	j->slot = 1;
	j->cwd = "/";
	j->memory = 64u << 20;
	j->output = 1u << 20;
	j->time_ms = 20000;
	j->cpu_milli = 1000;
	j->pids = 32;
	j->pidfd = -1;
	for (unsigned i = 0; i < DRIVE_VOLUMES; i++)
		j->volumes[i].blob = -1;
}

void
drive_job_clear(struct drive_job *j)
{
	free(j->out);
	free(j->err);
	j->out = j->err = NULL;
	for (unsigned i = 0; i < DRIVE_VOLUMES; i++) {
		free(j->packed[i]);
		j->packed[i] = NULL;
	}
	if (j->pidfd != -1)
		(void)close(j->pidfd);
	j->pidfd = -1;
	cgroup_job_close(&j->groups);
}

static int
args_memfd(const struct drive_job *j, uint32_t *len, uint32_t *targets)
{
	static uint8_t buf[1 << 20];
	struct wr w = wr_make(buf, sizeof(buf));
	struct plan_args a;

	memset(&a, 0, sizeof(a));
	while (j->argv[a.argc] != NULL && a.argc < PLAN_ARGS_MAX) {
		a.argv[a.argc] = j->argv[a.argc];
		a.argc++;
	}
	while (j->env != NULL && j->env[a.envc] != NULL) {
		a.env[a.envc] = j->env[a.envc];
		a.envc++;
	}
	for (uint32_t i = 0; i < j->nvolumes; i++)
		a.targets[a.ntargets++] = j->volumes[i].target;
	a.cwd = j->cwd;
	plan_args_encode(&w, &a);
	*len = (uint32_t)w.len;
	*targets = plan_targets_len(&a);
	return wr_ok(&w) ? memfd_sealed("args", buf, w.len) : -1;
}

static void
make_plan(const struct drive_job *j, struct plan *p, int *fds, unsigned *nfds)
{
	memset(p, 0, sizeof(*p));
	p->job = j->id;
	p->image = j->image;
	p->slot = j->slot;
	p->layers = j->layers;
	p->memory = j->memory;
	p->cpu_milli = j->cpu_milli;
	p->pids = j->pids;
	p->time_ms = j->time_ms;
	p->output = j->output;
	p->read_only = !j->writable;
	p->nvolumes = j->nvolumes;
	for (uint32_t i = 0; i < j->nvolumes; i++) {
		struct stat st;

		p->volumes[i].kind = j->volumes[i].kind;
		p->volumes[i].index = j->volumes[i].index;
		if (j->volumes[i].blob != -1 &&
		    fstat(j->volumes[i].blob, &st) == 0) {
			p->volumes[i].size = (uint64_t)st.st_size;
			fds[(*nfds)++] = j->volumes[i].blob;
		}
	}
}

unsigned
drive_answer(struct drive *d, struct drive_job *j, int ms)
{
	struct msg_J_STARTED started;
	struct msg_J_RUNNING running;
	struct msg_J_FAILED failed;
	struct msg_J_EXITED exited;
	struct ipc_in in;
	unsigned type;

	if (ipc_wait(d->node, &in, ms) == -1)
		return 0;
	type = in.type;
	if (type == IPC_J_STARTED && msg_get_J_STARTED(in.body, &started)) {
		j->started = true;
		j->got_layers = started.layers;
		j->groups.limits.pids = j->pids;
		(void)fcntl(in.fds[0], F_SETFL, O_NONBLOCK);
		j->pidfd = ipc_in_take(&in, 2);
		j->out_len = j->err_len = 0;
		j->out = calloc(1, DRIVE_OUTPUT + 1);
		j->err = calloc(1, DRIVE_OUTPUT + 1);
		/* kept as the numbers until drive_wait() reads them */
		j->volumes[DRIVE_VOLUMES - 1].blob = ipc_in_take(&in, 0);
		j->volumes[DRIVE_VOLUMES - 2].blob = ipc_in_take(&in, 1);
	} else if (type == IPC_J_FAILED && msg_get_J_FAILED(in.body, &failed)) {
		j->failed = true;
		memcpy(j->code, failed.code, sizeof(j->code));
		memcpy(j->why, failed.why, sizeof(j->why));
	} else if (type == IPC_J_EXITED && msg_get_J_EXITED(in.body, &exited)) {
		j->how = exited.how;
		j->status = exited.code;
	} else if (type == IPC_J_RUNNING &&
	    msg_get_J_RUNNING(in.body, &running)) {
		j->got_layers = running.layers;
		j->running = running;
	} else if (type == IPC_J_POOL) {
		(void)msg_get_J_POOL(in.body, &d->pool);
	}
	ipc_in_done(&in);
	return type;
}

int
drive_warm(struct drive *d, bool on, uint32_t idle_s)
{
	struct msg_J_WARM m = {.on = on, .idle_s = idle_s};

	return ipc_send_J_WARM(d->node, &m, NULL, 0);
}

int
drive_prepared(struct drive *d, uint32_t n)
{
	struct drive_job none;

	drive_job_init(&none);
	while (d->pool.prepared < n)
		if (drive_answer(d, &none, ANSWER_MS) == 0)
			return complain("no root is prepared");
	return 0;
}

/* Groups are made and removed with no more rights than node has. */
static void
as_node(const struct drive *d, bool on)
{
	uid_t id = on ? d->base + 2 : 0;

	if (!d->root)
		return;
	if ((!on && seteuid(0) == -1) || setegid(id) == -1 ||
	    (on && seteuid(id) == -1))
		abort();
}

int
drive_post(struct drive *d, struct drive_job *j)
{
	static const struct sock_filter allow = {BPF_RET | BPF_K, 0, 0,
	    SECCOMP_RET_ALLOW};
	static const struct id32 none;
	struct cgroup_limits l = {.memory = j->memory + d->memory_more,
	    .cpu_milli = j->cpu_milli, .pids = j->pids + d->pids_more};
	struct msg_J_RUN m;
	struct plan p;
	struct wr w;
	int fds[IPC_FDS_MAX];
	unsigned nfds = 2;
	uint32_t layers;
	const char *what;
	int64_t before;
	int rv;

	if (id32_eq(&j->id, &none) && getrandom(HASH_BYTES(j->id), 0) != 32)
		return -1;
	as_node(d, true);
	rv = cgroup_job_make(&j->groups, &d->dirs, &j->id, j->slot, &l, &layers,
	    &what);
	as_node(d, false);
	if (rv == -1)
		return complain(what);
	make_plan(j, &p, fds, &nfds);
	fds[0] = args_memfd(j, &p.args_len, &p.targets_len);
	p.filter_len = j->filter == NULL ? 1 : j->filter_len;
	fds[1] = memfd_sealed("filter", j->filter == NULL ? &allow :
	    j->filter, p.filter_len * sizeof(struct sock_filter));
	memset(&m, 0, sizeof(m));
	if (j->spoil != NULL)
		j->spoil(j, &p, fds, &nfds);
	w = wr_make(m.plan, sizeof(m.plan));
	plan_encode(&w, &p);
	m.plan_len = (uint16_t)w.len;
	before = clock_mono().us;
	rv = ipc_send_J_RUN(d->node, &m, fds, nfds);
	(void)close(fds[0]);
	(void)close(fds[1]);
	if (rv == -1)
		return complain("J_RUN");
	j->total_us = before;
	return 0;
}

int
drive_send(struct drive *d, struct drive_job *j)
{
	if (drive_post(d, j) == -1)
		return -1;
	do {
		if (drive_answer(d, j, ANSWER_MS) == 0)
			return complain("no answer to J_RUN");
	} while (!j->started && !j->failed);
	j->start_us = clock_mono().us - j->total_us;
	return 0;
}

static bool
drain(int *fd, char *to, size_t *len)
{
	char buf[65536];
	ssize_t n;

	while (*fd != -1 && (n = read(*fd, buf, sizeof(buf))) != -1) {
		size_t k;

		if (n == 0) {
			(void)close(*fd);
			*fd = -1;
			break;
		}
		k = MIN_OF((size_t)n, DRIVE_OUTPUT - *len);
		memcpy(to + *len, buf, k);
		*len += k;
	}
	return *fd != -1;
}

void
drive_drain(struct drive_job *j)
{
	(void)drain(&j->volumes[DRIVE_VOLUMES - 1].blob, j->out, &j->out_len);
	(void)drain(&j->volumes[DRIVE_VOLUMES - 2].blob, j->err, &j->err_len);
}

int
drive_wait(struct drive *d, struct drive_job *j, int timeout_ms)
{
	int *out = &j->volumes[DRIVE_VOLUMES - 1].blob;
	int *err = &j->volumes[DRIVE_VOLUMES - 2].blob;
	int64_t end = clock_mono().us + (int64_t)timeout_ms * 1000;
	bool exited = false;

	while (!exited || *out != -1 || *err != -1) {
		struct pollfd p[3] = {{*out, POLLIN, 0}, {*err, POLLIN, 0},
		    {exited ? -1 : ipc_fd(d->node), POLLIN, 0}};
		int64_t left = (end - clock_mono().us) / 1000;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return complain("job");
		}
		(void)poll(p, 3, (int)left + 1);
		drive_drain(j);
		if (!exited && p[2].revents != 0) {
			exited = drive_answer(d, j, 1) == IPC_J_EXITED;
			if (exited)
				j->total_us = clock_mono().us - j->total_us;
		}
	}
	return 0;
}

static int
pack(struct drive *d, struct drive_job *j, uint8_t volume)
{
	struct msg_J_STEP m = {.step = STEP_PACK, .volume = volume};
	size_t cap = 80u << 20, len = 0;
	uint8_t *buf = malloc(cap);
	int fd = -1;
	bool done = false, ok = false;

	m.job = j->id;
	if (buf == NULL || ipc_send_J_STEP(d->node, &m, NULL, 0) == -1)
		return -1;
	while (!done || fd != -1) {
		struct pollfd p[2] = {{fd, POLLIN, 0}, {ipc_fd(d->node),
		    POLLIN, 0}};
		struct msg_J_STEP_DONE sd;
		struct ipc_in in;
		ssize_t n;

		if (poll(p, 2, ANSWER_MS) <= 0)
			break;
		if (p[0].revents != 0) {
			n = read(fd, buf + len, cap - len);
			if (n <= 0) {
				(void)close(fd);
				fd = -1;
			} else {
				len += (size_t)n;
			}
		}
		if (p[1].revents == 0 || ipc_recv(d->node, &in) != 1)
			continue;
		if (in.type == IPC_J_STEP_OPEN)
			fd = ipc_in_take(&in, 0);
		if (in.type == IPC_J_STEP_DONE &&
		    msg_get_J_STEP_DONE(in.body, &sd)) {
			done = true;
			ok = sd.ok;
			left_set(&j->left[volume], sd.dropped, sd.left,
			    sd.left_len);
			memcpy(j->why, sd.why, sizeof(j->why));
		}
		ipc_in_done(&in);
	}
	j->packed[volume] = buf;
	j->packed_len[volume] = len;
	return ok ? 0 : -1;
}

int
drive_finish(struct drive *d, struct drive_job *j)
{
	struct msg_J_FORGET m = {.end_ = 0};
	struct until late;
	unsigned type;
	int rv = 0;

	as_node(d, true);
	cgroup_usage(&j->groups, &j->usage);
	(void)cgroup_job_ease(&j->groups, HAND_ROOM);
	as_node(d, false);
	for (uint32_t i = 0; j->started && i < j->nvolumes; i++)
		if (j->volumes[i].kind == PLAN_VOL_RW)
			rv |= pack(d, j, (uint8_t)i);
	m.job = j->id;
	if (ipc_send_J_FORGET(d->node, &m, NULL, 0) == -1)
		return complain("J_FORGET");
	do {
		if ((type = drive_answer(d, j, ANSWER_MS)) == 0)
			return complain("no answer to J_FORGET");
	} while (type != IPC_J_FORGOTTEN);
	d->alone = j->started && !j->writable;
	as_node(d, true);
	late = until_begin("the end of the job's groups",
	    PATIENCE_MS);
	while (cgroup_job_remove(&j->groups) == -1 && until_step(&late))
		continue;
	as_node(d, false);
	return rv;
}

int
drive_run(struct drive *d, struct drive_job *j)
{
	if (d->warms && d->alone && drive_prepared(d, 1) == -1)
		return -1;
	if (drive_send(d, j) == -1)
		return -1;
	if (j->started && drive_wait(d, j, (int)j->time_ms + PATIENCE_MS) == -1)
		return -1;
	return drive_finish(d, j);
}
