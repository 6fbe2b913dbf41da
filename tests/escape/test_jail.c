/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What jail does and what it refuses, without the daemon: jobs, limits,
 * volumes there and back, a node that falls, plans that THREATS.md 2 forbids.
 * test_jail BUILD-FOLDER BUSYBOX; prints "ok NAME", "not ok NAME: why" or
 * "skip NAME: reason".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "tests/escape/room.h"
#include "tests/escape/setup.h"
#include "trust/doc/receipt.h"

#include "tests/until.h"

struct drive d;
static struct id32 image;
char image_path[512];
static int bad;
char note[512];

static const char *const env[] = {"PATH=/bin", "LANG=C", NULL};

void
new_job(struct drive_job *j, const char *const *argv)
{
	drive_job_init(j);
	j->image = image;
	j->argv = argv;
	j->env = env;
}

bool
run_sh(struct drive_job *j, const char *script)
{
	static const char *argv[] = {"/bin/sh", "-c", NULL, NULL};

	argv[2] = script;
	new_job(j, argv);
	return drive_run(&d, j) == 0;
}

static bool
t_exit_code(void)
{
	struct drive_job j;

	CHECK(run_sh(&j, "echo out; echo err >&2; exit 7"));
	CHECK(j.started && j.how == EXIT_CODE && j.status == 7);
	CHECK(strcmp(j.out, "out\n") == 0 && strcmp(j.err, "err\n") == 0);
	drive_job_clear(&j);
	return true;
}

static bool
t_signal(void)
{
	struct drive_job j;

	CHECK(run_sh(&j, "kill -TERM $$; sleep 5"));
	CHECK(j.how == EXIT_SIGNAL && j.status == SIGTERM);
	drive_job_clear(&j);
	CHECK(run_sh(&j, "kill -KILL $$; sleep 5"));
	CHECK(j.how == EXIT_SIGNAL && j.status == SIGKILL);
	drive_job_clear(&j);
	return true;
}

/* None that jail or who started it ignores or holds back: `yes | head` ends. */
static bool
t_signals_fresh(void)
{
	struct drive_job j;

	CHECK(run_sh(&j, "cat /proc/self/status | while read k v; do "
	    "case $k in Sig[BI]*) echo $v;; esac; done"));
	CHECK(j.status == 0 && strcmp(j.out, "0000000000000000\n"
	    "0000000000000000\n") == 0);
	drive_job_clear(&j);
	return true;
}

static bool
t_not_found(void)
{
	static const char *const none[] = {"/bin/none", NULL};
	static const char *const name[] = {"none", NULL};
	static const char *const folder[] = {"/tmp", NULL};
	static const char *const by_path[] = {"echo", "a", "b c", NULL};
	struct drive_job j;

	new_job(&j, none);
	CHECK(drive_run(&d, &j) == 0 && j.status == 127);
	CHECK(strstr(j.err, "not found") != NULL);
	drive_job_clear(&j);
	new_job(&j, name);
	CHECK(drive_run(&d, &j) == 0 && j.status == 127);
	drive_job_clear(&j);
	new_job(&j, folder);
	CHECK(drive_run(&d, &j) == 0 && j.status == 126 && j.err_len > 0);
	drive_job_clear(&j);
	new_job(&j, by_path);
	CHECK(drive_run(&d, &j) == 0 && j.status == 0);
	CHECK(strcmp(j.out, "a b c\n") == 0);
	drive_job_clear(&j);
	return true;
}

static bool
t_leftovers_die(void)
{
	struct drive_job j;
	int64_t before = clock_mono().us;

	CHECK(run_sh(&j, "(sleep 60; echo late) & echo now; exit 0"));
	CHECK(j.status == 0 && strcmp(j.out, "now\n") == 0);
	CHECK(clock_mono().us - before < 20 * 1000000);
	drive_job_clear(&j);
	return true;
}

static bool
t_kill(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "while :; do :; done", NULL};
	struct msg_J_KILL m = {.end_ = 0};
	struct drive_job j;

	new_job(&j, argv);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	m.job = j.id;
	CHECK(ipc_send_J_KILL(d.node, &m, NULL, 0) == 0);
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(j.how == EXIT_SIGNAL && j.status == SIGKILL);
	CHECK(drive_finish(&d, &j) == 0);
	drive_job_clear(&j);
	return true;
}

static bool
t_memory(void)
{
	struct drive_job j;

	if ((d.posture.layers & LAYER_MEMORY) == 0) {
		(void)snprintf(note, sizeof(note), "skip: no memory group");
		return true;
	}
	CHECK(run_sh(&j, "head -c 200000000 /dev/zero | tail"));
	CHECK((j.got_layers & LAYER_MEMORY) != 0);
	CHECK(j.usage.oom_kills > 0);
	CHECK(j.usage.memory_peak > 32u << 20 && j.usage.memory_peak <=
	    (80u << 20) + d.memory_more);
	drive_job_clear(&j);
	return true;
}

static bool
t_pids(void)
{
	struct drive_job j;

	CHECK(run_sh(&j, "i=0; while [ $i -lt 60 ]; do sleep 2 & i=$((i+1)); "
	    "done; echo done"));
	CHECK(j.started);
	CHECK(strstr(j.err, "fork") != NULL);
	drive_job_clear(&j);
	return true;
}

static bool
t_cpu(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "timeout 1 sh -c 'while :; do :; done'", NULL};
	struct drive_job j;

	if ((d.posture.layers & LAYER_CPU) == 0) {
		(void)snprintf(note, sizeof(note), "skip: no cpu group");
		return true;
	}
	new_job(&j, argv);
	j.cpu_milli = 200;
	CHECK(drive_run(&d, &j) == 0);
	CHECK((j.got_layers & LAYER_CPU) != 0);
	/* a fifth of the time, and what is taken before it is counted */
	CHECK(j.usage.cpu_us > 20000 &&
	    (int64_t)j.usage.cpu_us < j.total_us / 5 + 250000);
	drive_job_clear(&j);
	return true;
}

char work[] = "/tmp/warren-work-XXXXXX";

static bool
make_input(void)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/in", work);
	if (mkdir(path, 0755) == -1)
		return false;
	(void)snprintf(path, sizeof(path), "%s/in/words", work);
	fd = open(path, O_CREAT | O_WRONLY, 0444);
	if (fd == -1 || write(fd, "b\na\n", 4) != 4)
		return false;
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/in/closed", work);
	return mkdir(path, 0500) == 0;
}

const uint8_t empty_tar[1024];

static bool
t_volumes(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "sort /agent/data/words > /agent/tmp/sorted; "
	    "echo no > /agent/data/x; mkdir -p /agent/tmp/deep/er; "
	    "ln -s /etc/passwd /agent/tmp/out; ln -s sorted /agent/tmp/l; "
	    "mkfifo /agent/tmp/fifo; cp /bin/busybox /agent/tmp/setid; "
	    "chmod 4755 /agent/tmp/setid; echo secret > /agent/tmp/closed; "
	    "chmod 0 /agent/tmp/closed; ls -ln /agent", NULL};
	char path[128];
	struct drive_job j;
	struct tree_report rep;
	struct stat st;
	int fd, dir;
	char buf[16] = "";

	(void)snprintf(path, sizeof(path), "%s/in", work);
	new_job(&j, argv);
	j.output = 4u << 20;
	j.nvolumes = 2;
	j.volumes[0].kind = PLAN_VOL_RO;
	j.volumes[0].target = "/agent/data";
	j.volumes[0].blob = setup_pack(path);
	j.volumes[1].kind = PLAN_VOL_RW;
	j.volumes[1].target = "/agent/tmp";
	j.volumes[1].blob = setup_blob(empty_tar, sizeof(empty_tar));
	CHECK(drive_run(&d, &j) == 0);
	CHECK(j.started);
	CHECK(strstr(j.err, "Read-only") != NULL);
	CHECK(j.left[1].count == 3);
	CHECK(setup_left(&j.left[1], LEFT_SETID, "setid"));
	CHECK(setup_left(&j.left[1], LEFT_TYPE, "fifo"));
	CHECK(setup_left(&j.left[1], LEFT_LINK, "out"));
	fd = setup_blob(j.packed[1], j.packed_len[1]);
	(void)snprintf(path, sizeof(path), "%s/back", work);
	CHECK(mkdir(path, 0755) == 0);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	CHECK(tree_unpack(fd, dir, &rep) == 0);
	CHECK(file_read(dir, "sorted", buf, 15) == 4);
	CHECK(strcmp(buf, "a\nb\n") == 0);
	CHECK(faccessat(dir, "deep/er", F_OK, 0) == 0);
	CHECK(faccessat(dir, "closed", F_OK, 0) == 0);
	CHECK(fstatat(dir, "setid", &st, 0) == 0 && st.st_mode == (S_IFREG | 0755));
	CHECK(tree_empty(dir) == 0 && rmdir(path) == 0);
	(void)close(dir);
	(void)close(fd);
	drive_job_clear(&j);
	return true;
}

static bool
t_hostile_volume(void)
{
	static const char *const argv[] = {"/bin/true", NULL};
	uint8_t tar[2048];
	struct drive_job j;

	memset(tar, 'x', sizeof(tar));
	for (int kind = PLAN_VOL_RO; kind <= PLAN_VOL_RW; kind++) {
		new_job(&j, argv);
		j.nvolumes = 1;
		j.volumes[0].kind = (uint8_t)kind;
		j.volumes[0].target = "/data";
		j.volumes[0].blob = setup_blob(tar, sizeof(tar));
		CHECK(drive_run(&d, &j) == 0);
		CHECK(j.failed && !j.started && strcmp(j.code, "volume") == 0);
		drive_job_clear(&j);
	}
	return true;
}

static bool
t_volume_full(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "head -c 5000000 /dev/zero > /v/f; ls -l /v/f; "
	    "i=0; while [ $i -lt 100 ]; do : > /v/n$i; i=$((i+1)); done",
	    NULL};
	struct drive_job j;
	char size[24];

	new_job(&j, argv);
	j.nvolumes = 1;
	j.volumes[0].kind = PLAN_VOL_RW;
	j.volumes[0].target = "/v";
	j.volumes[0].blob = setup_blob(empty_tar, sizeof(empty_tar));
	CHECK(drive_run(&d, &j) == 0);
	(void)snprintf(size, sizeof(size), "%llu",
	    (unsigned long long)plan_output_room(1048576));
	CHECK(strstr(j.out, size) != NULL && j.err_len > 0);
	CHECK(j.packed_len[0] > 900000 && j.packed_len[0] < 1200000);
	drive_job_clear(&j);
	return true;
}

static bool
t_profile_volume(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "cat /ref/words; echo new > /scratch/words && cat /scratch/words; "
	    "echo no > /ref/x", NULL};
	struct drive_job j;

	new_job(&j, argv);
	j.nvolumes = 2;
	j.volumes[0].kind = PLAN_VOL_PROFILE;
	j.volumes[0].target = "/ref";
	j.volumes[1].kind = PLAN_VOL_PROFILE_RW;
	j.volumes[1].target = "/scratch";
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK(strcmp(j.out, "b\na\n") == 0 || strstr(j.out, "new") != NULL);
	CHECK(strstr(j.err, "Read-only") != NULL);
	drive_job_clear(&j);
	return true;
}

static bool
t_writable_root(void)
{
	/* the store has no write bits: folders can be written in, files owned */
	static const char *const writes[] = {"/bin/sh", "-c",
	    "echo x > /bin/new && cat /bin/new && mkdir /etc/deep/more /own && "
	    "cp /etc/conf /own/conf && mv /etc/conf /etc/deep/moved && "
	    "chmod u+w /etc/deep/moved && echo y >> /etc/deep/moved && "
	    "cat /etc/deep/moved && ls /etc /own && [ -k /etc/deep ] && id -u",
	    NULL};
	static const char *const fresh[] = {"/bin/sh", "-c",
	    "cat /etc/conf && ls /etc && ls /own /bin/new", NULL};
	static const char *const fills[] = {"/bin/sh", "-c",
	    "cat /dev/zero > /etc/big; cat /etc/conf", NULL};
	struct drive_job j;
	char path[600];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/etc", image_path);
	CHECK(mkdir(path, 0755) == 0);
	(void)snprintf(path, sizeof(path), "%s/etc/deep", image_path);
	CHECK(mkdir(path, 0555) == 0 && chmod(path, 01555) == 0);
	(void)snprintf(path, sizeof(path), "%s/etc/conf", image_path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
	CHECK(fd != -1 && write(fd, "conf\n", 5) == 5);
	(void)close(fd);
	/* as an import unpacks it: slot 0's, where there is one */
	if (d.root)
		CHECK(chown(path, d.base + 256, d.base + 256) == 0);
	(void)snprintf(path, sizeof(path), "%s/etc/deep", image_path);
	if (d.root)
		CHECK(chown(path, d.base + 256, d.base + 256) == 0);
	(void)snprintf(path, sizeof(path), "%s/etc", image_path);
	CHECK(chmod(path, 0555) == 0);
	new_job(&j, writes);
	j.writable = true;
	CHECK(drive_run(&d, &j) == 0 && j.started);
	CHECK(strcmp(j.out, "x\nconf\ny\n/etc:\ndeep\n\n/own:\nconf\n1000\n")
	    == 0);
	CHECK((j.got_layers & LAYER_READONLY) == 0);
	drive_job_clear(&j);
	/* nothing of it is in the image, nor in the same slot's next job */
	(void)snprintf(path, sizeof(path), "%s/bin/new", image_path);
	CHECK(access(path, F_OK) == -1);
	(void)snprintf(path, sizeof(path), "%s/etc/conf", image_path);
	CHECK(stat(path, &st) == 0 && st.st_size == 5 &&
	    (st.st_mode & 07777) == 0444);
	new_job(&j, fresh);
	j.writable = true;
	CHECK(drive_run(&d, &j) == 0 && j.started && j.status != 0);
	CHECK(strcmp(j.out, "conf\nconf\ndeep\n") == 0);
	drive_job_clear(&j);
	/* a quarter of its memory, and no more */
	new_job(&j, fills);
	j.writable = true;
	CHECK(drive_run(&d, &j) == 0 && j.started && j.how == EXIT_CODE);
	CHECK(strstr(j.err, "No space left") != NULL);
	CHECK(strcmp(j.out, "conf\n") == 0);
	drive_job_clear(&j);
	return true;
}

static bool
t_node_restart(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "sleep 1; echo still; exit 3", NULL};
	struct drive_job j;

	new_job(&j, argv);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(drive_new_node(&d) == 0);
	/* J_RUNNING, J_POSTURE and J_EXITED come on the new channel */
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(j.how == EXIT_CODE && j.status == 3);
	CHECK(strcmp(j.out, "still\n") == 0);
	/* ended while nobody listened */
	CHECK(drive_new_node(&d) == 0);
	CHECK(drive_new_node(&d) == 0);
	CHECK(drive_finish(&d, &j) == 0);
	drive_job_clear(&j);
	return true;
}

/* What one node began to pack the next one gets whole; and why it was killed. */
static bool
t_node_restart_packing(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "head -c 900000 /dev/urandom > /agent/tmp/f; echo; sleep 600", NULL};
	struct msg_J_KILL kill = {.why = KILL_CANCELLED};
	struct msg_J_STEP step = {.step = STEP_PACK};
	struct until u;
	struct drive_job j;

	new_job(&j, argv);
	j.nvolumes = 1;
	j.volumes[0].kind = PLAN_VOL_RW;
	j.volumes[0].target = "/agent/tmp";
	j.volumes[0].blob = setup_blob(empty_tar, sizeof(empty_tar));
	CHECK(drive_send(&d, &j) == 0 && j.started);
	u = until_begin("its file", PATIENCE_MS);
	do {
		drive_drain(&j);
	} while (j.out_len == 0 && until_step(&u));
	kill.job = step.job = j.id;
	CHECK(ipc_send_J_KILL(d.node, &kill, NULL, 0) == 0);
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(ipc_send_J_STEP(d.node, &step, NULL, 0) == 0);
	CHECK(drive_new_node(&d) == 0);
	while (drive_answer(&d, &j, 1000) != IPC_J_RUNNING)
		continue;
	CHECK(j.running.exited && j.running.kill == KILL_CANCELLED);
	CHECK(j.running.how == EXIT_SIGNAL && j.running.ran_ms < 60000);
	CHECK(drive_finish(&d, &j) == 0);
	CHECK(j.packed_len[0] > 900000);
	drive_job_clear(&j);
	return true;
}

static bool
t_two_slots(void)
{
	static const char *const argv[] = {"/bin/sh", "-c",
	    "sleep 1; echo x", NULL};
	struct drive_job a, b;

	new_job(&a, argv);
	new_job(&b, argv);
	b.slot = 2;
	CHECK(drive_send(&d, &a) == 0 && a.started);
	CHECK(drive_send(&d, &b) == 0 && b.started);
	CHECK(drive_wait(&d, &a, PATIENCE_MS) == 0);
	CHECK(drive_wait(&d, &b, PATIENCE_MS) == 0 || b.out_len > 0);
	CHECK(drive_finish(&d, &a) == 0 && drive_finish(&d, &b) == 0);
	drive_job_clear(&a);
	drive_job_clear(&b);
	return true;
}

bool
refused(struct drive_job *j, const char *code)
{
	bool r = drive_run(&d, j) == 0 && j->failed && !j->started &&
	    strcmp(j->code, code) == 0;

	if (!r)
		(void)snprintf(note, sizeof(note), "wanted %s, got %s %s",
		    code, j->code, j->why);
	drive_job_clear(j);
	return r;
}

static bool
t_refusals(void)
{
	static const char *const argv[] = {"/bin/true", NULL};
	struct drive_job j;
	char junk[64] = "";

	new_job(&j, argv);
	j.memory = 2ull << 30;
	if (!refused(&j, "limits"))
		return false;
	new_job(&j, argv);
	j.time_ms = 7200000;
	if (!refused(&j, "limits"))
		return false;
	new_job(&j, argv);
	j.pids = 100000;
	if (!refused(&j, "limits"))
		return false;
	new_job(&j, argv);
	j.layers = LAYER_BPF;
	if (!refused(&j, "posture"))
		return false;
	new_job(&j, argv);
	memset(&j.image, 7, sizeof(j.image));
	if (!refused(&j, "image"))
		return false;
	new_job(&j, argv);
	j.nvolumes = 1;
	j.volumes[0].kind = PLAN_VOL_PROFILE;
	j.volumes[0].index = 5;
	j.volumes[0].target = "/x";
	if (!refused(&j, "volume"))
		return false;
	/* a folder, or a file that node could write, is no blob */
	new_job(&j, argv);
	j.nvolumes = 1;
	j.volumes[0].kind = PLAN_VOL_RO;
	j.volumes[0].target = "/x";
	j.volumes[0].blob = open("/", O_RDONLY | O_DIRECTORY);
	if (!refused(&j, "volume"))
		return false;
	new_job(&j, argv);
	j.nvolumes = 1;
	j.volumes[0].kind = PLAN_VOL_RO;
	j.volumes[0].target = "/x";
	j.volumes[0].blob = memfd_create("x", 0);
	if (!refused(&j, "volume"))
		return false;
	for (size_t i = 0; i < 3; i++) {
		static const char *const targets[] = {"/proc/x", "/a/../b",
		    "/dev"};

		new_job(&j, argv);
		j.nvolumes = 1;
		j.volumes[0].kind = PLAN_VOL_RW;
		j.volumes[0].target = targets[i];
		j.volumes[0].blob = setup_blob(empty_tar, 1024);
		if (!refused(&j, "volume"))
			return false;
	}
	/* no seccomp program at all */
	new_job(&j, argv);
	j.filter = junk;
	j.filter_len = 0;
	if (!refused(&j, "internal"))
		return false;
	/* and one that is none */
	new_job(&j, argv);
	memset(junk, 0xff, sizeof(junk));
	j.filter = junk;
	j.filter_len = sizeof(junk) / sizeof(struct sock_filter);
	return refused(&j, "internal");
}

static bool
t_narrow_only(void)
{
	/* node's filter allows all: the base filter still refuses */
	static const struct sock_filter none[] = {
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EACCES}};
	static const char *const argv[] = {"/bin/true", NULL};
	struct drive_job j;

	CHECK(run_sh(&j, "unshare -r true"));
	CHECK(j.started && j.status != 0);
	drive_job_clear(&j);
	/* one that forbids all: not even the command starts */
	new_job(&j, argv);
	j.filter = none;
	j.filter_len = 1;
	CHECK(drive_run(&d, &j) == 0);
	CHECK(j.failed || j.status != 0);
	drive_job_clear(&j);
	return true;
}

/* Jail's own clock: ten seconds after the plan's time. */
static bool
t_jail_clock(void)
{
	static const char *const argv[] = {"/bin/sleep", "60", NULL};
	struct drive_job j;

	new_job(&j, argv);
	j.time_ms = 1;
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(drive_wait(&d, &j, PATIENCE_MS) == 0);
	CHECK(j.how == EXIT_JAIL_TIME);
	CHECK(j.total_us > 9 * 1000000);
	CHECK(drive_finish(&d, &j) == 0);
	drive_job_clear(&j);
	return true;
}

/* Not our child: only its descriptor tells. */
static bool
has_ended(int pidfd)
{
	char path[64], line[256];
	bool ended = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		ended = ended || strncmp(line, "Pid:\t-1", 7) == 0;
	if (f != NULL)
		(void)fclose(f);
	return ended;
}

/* Last: jail dies, and the job with it. */
static bool
t_parent_dies(void)
{
	static const char *const argv[] = {"/bin/sleep", "600", NULL};
	struct until u;
	struct drive_job j;

	new_job(&j, argv);
	CHECK(drive_send(&d, &j) == 0 && j.started);
	CHECK(kill(d.pid, SIGKILL) == 0);
	u = until_begin("the end of the job", PATIENCE_MS);
	while (!has_ended(j.pidfd) && until_step(&u))
		continue;
	CHECK(has_ended(j.pidfd));
	drive_job_clear(&j);
	return true;
}

static const struct {
	const char *name;
	bool (*run)(void);
} tests[] = {
	{"exit-code", t_exit_code}, {"signal", t_signal},
	{"signals-fresh", t_signals_fresh},
	{"not-found", t_not_found}, {"leftovers-die", t_leftovers_die},
	{"kill", t_kill}, {"memory", t_memory}, {"pids", t_pids},
	{"cpu", t_cpu}, {"volumes", t_volumes},
	{"hostile-volume", t_hostile_volume}, {"volume-full", t_volume_full},
	{"targets", t_targets}, {"least", t_least}, {"killed-group", t_killed_group},
	{"fill-over-memory", t_fill_over_memory},
	{"many-files", t_many_files}, {"full-output", t_full_output},
	{"sparse-output", t_sparse}, {"odd-names", t_odd_names},
	{"links-in-volume", t_links}, {"stubborn", t_stubborn},
	{"profile-volume", t_profile_volume},
	{"writable-root", t_writable_root}, {"node-restart", t_node_restart},
	{"node-restart-packing", t_node_restart_packing},
	{"two-slots", t_two_slots}, {"refusals", t_refusals},
	{"narrow-only", t_narrow_only}, {"jail-clock", t_jail_clock},
	{"parent-dies", t_parent_dies},
};

/* Slow, and the same for a user: in ./check long, when root had it. */
static bool
once_is_enough(bool (*run)(void))
{
	return (run == t_jail_clock || run == t_many_files) &&
	    setup_had_root();
}

int
main(int argc, char *argv[])
{
	static const char *const applets[] = {"sh", "true", "ls", "cat", "id",
	    "sort", "head", "tail", "sleep", "mkdir", "ln", "mkfifo", "cp",
	    "chmod", "timeout", "unshare", "echo"};
	struct drive_options o = {.slots = 2, .level = 2};
	const char *who = setup_who();
	char link[1400], volume[128];

	if (argc < 3)
		return 2;
	if (getenv("LEVEL") != NULL)
		o.level = (int)strtol(getenv("LEVEL"), NULL, 10);
	if (mkdtemp(work) == NULL || chmod(work, 0755) == -1 || !make_input())
		return 2;
	(void)snprintf(volume, sizeof(volume), "%s/in", work);
	o.volume = volume;
	if (setup_drive(&d, &o, argv[1], image_path, sizeof(image_path),
	    &image) == -1) {
		printf("not ok jail-start (%s)\n", who);
		return 1;
	}
	if (!setup_program(image_path, "busybox", argv[2]))
		return 2;
	for (size_t i = 0; i < NELEM(applets); i++) {
		(void)snprintf(link, sizeof(link), "%s/bin/%s", image_path,
		    applets[i]);
		if (symlink("busybox", link) == -1)
			return 2;
	}
	if (!odd_image())
		return 2;
	for (size_t i = 0; i < NELEM(tests); i++) {
		if (argc > 3 && strcmp(argv[3], tests[i].name) != 0)
			continue;
		note[0] = '\0';
		if (argc <= 3 && once_is_enough(tests[i].run)) {
			printf("skip %s (%s): root's is the same; as a user "
			    "in ./check long\n", tests[i].name, who);
			continue;
		}
		if (!tests[i].run()) {
			printf("not ok %s (%s): %s\n", tests[i].name, who,
			    note);
			bad = 1;
		} else if (strncmp(note, "skip: ", 6) == 0) {
			printf("skip %s (%s): %s\n", tests[i].name, who,
			    note + 6);
		} else {
			printf("ok %s (%s)\n", tests[i].name, who);
		}
		(void)fflush(stdout);
	}
	drive_stop(&d);
	{
		int fd = open(work, O_RDONLY | O_DIRECTORY);

		(void)tree_empty(fd);
		(void)close(fd);
		(void)rmdir(work);
	}
	return bad;
}
