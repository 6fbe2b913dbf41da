/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node that was taken over (THREATS.md 2): its plans against the real jail.
 * Each is refused with its reason, and the slot takes the next job.
 * test_plans BUILD-FOLDER BUSYBOX [NAME]
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/util.h"
#include "tests/escape/setup.h"
#include "tests/until.h"

static struct drive d;
static struct id32 image;
static const char *who;
static const uint8_t empty_tar[1024];
static const char *const argv_true[] = {"/bin/true", NULL};

#define SPOIL(name)                                                            \
	static void s_##name(struct drive_job *j, struct plan *p, int *fds,    \
	    unsigned *n)
#define UNUSED() ((void)j, (void)p, (void)fds, (void)n)

/* ---- descriptors ---- */

/* Another descriptor in the blob's place. */
static void
swap(int *fds, unsigned *n, int fd)
{
	(void)dup2(fd, fds[2]);
	(void)close(fd);
	*n = 3;
}
SPOIL(folder) { UNUSED(); swap(fds, n, open("/", O_RDONLY | O_DIRECTORY)); }
SPOIL(path_only) { UNUSED(); swap(fds, n, open("/bin/sh", O_PATH)); }
SPOIL(path_folder)
{
	UNUSED();
	swap(fds, n, open("/", O_PATH | O_DIRECTORY));
}
SPOIL(device) { UNUSED(); swap(fds, n, open("/dev/zero", O_RDONLY)); }
SPOIL(socket) { UNUSED(); swap(fds, n, socket(AF_UNIX, SOCK_STREAM, 0)); }
SPOIL(pipe)
{
	int pipe_fds[2];

	UNUSED();
	if (pipe(pipe_fds) == 0)
		swap(fds, n, pipe_fds[0]);
}
SPOIL(writable)
{
	int fd = memfd_create("x", 0);

	UNUSED();
	(void)!ftruncate(fd, 1024);
	swap(fds, n, fd);
}
SPOIL(write_only) { UNUSED(); swap(fds, n, open("/dev/null", O_WRONLY)); }
SPOIL(larger) { UNUSED(); p->volumes[0].size++; }
SPOIL(smaller) { UNUSED(); p->volumes[0].size--; }
SPOIL(too_few) { UNUSED(); *n = 2; }
SPOIL(too_many) { UNUSED(); fds[3] = fds[2]; *n = 4; }
SPOIL(all_swapped)
{
	int args = fds[0];

	UNUSED();
	fds[0] = fds[1];
	fds[1] = args;
}

static int
memfd_of(int fd, unsigned seals)
{
	char buf[4096];
	ssize_t k = pread(fd, buf, sizeof(buf), 0);
	int out = memfd_create("x", MFD_ALLOW_SEALING);

	if (k < 0 || write(out, buf, (size_t)k) != k)
		return -1;
	(void)fcntl(out, F_ADD_SEALS, seals);
	return out;
}
static void
reseal(int *slot, unsigned seals)
{
	int fd = memfd_of(*slot, seals);

	(void)dup2(fd, *slot);
	(void)close(fd);
}
SPOIL(args_unsealed) { UNUSED(); reseal(&fds[0], 0); }
SPOIL(args_writable)
{
	UNUSED();
	reseal(&fds[0], F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}
SPOIL(args_shrinks) { UNUSED(); reseal(&fds[0], F_SEAL_WRITE | F_SEAL_GROW); }
SPOIL(filter_unsealed) { UNUSED(); reseal(&fds[1], 0); }
SPOIL(args_file)
{
	UNUSED();
	(void)dup2(fds[2], fds[0]);
	p->args_len = 1024;
}

/* ---- numbers ---- */

#define NUMBER(name, what)                                                     \
	SPOIL(name) { UNUSED(); p->what; }
NUMBER(image_unknown, image.b[0] ^= 1)
SPOIL(image_zero) { UNUSED(); memset(&p->image, 0, sizeof(p->image)); }
NUMBER(slot_zero, slot = 0)
NUMBER(slot_beyond, slot = 99)
NUMBER(slot_huge, slot = UINT32_MAX)
NUMBER(layer_unknown, layers = 1u << 31)
NUMBER(layer_lacking, layers = LAYER_BPF)
NUMBER(memory_over, memory = 1ull << 40)
NUMBER(memory_max, memory = UINT64_MAX)
NUMBER(memory_none, memory = 0)
NUMBER(memory_under, memory = PLAN_MEMORY_LEAST - 1)
NUMBER(cpu_over, cpu_milli = 1000000)
NUMBER(cpu_none, cpu_milli = 0)
NUMBER(pids_over, pids = 1000000)
NUMBER(pids_none, pids = 0)
NUMBER(time_over, time_ms = UINT64_MAX)
NUMBER(time_none, time_ms = 0)
NUMBER(output_over, output = 1ull << 50)
NUMBER(output_none, output = 0)
NUMBER(args_longer, args_len += 1)
NUMBER(args_none, args_len = 0)
NUMBER(args_huge, args_len = UINT32_MAX)
NUMBER(filter_none, filter_len = 0)
NUMBER(filter_longer, filter_len += 1)
NUMBER(filter_huge, filter_len = PLAN_FILTER_MAX + 1)
NUMBER(profile_beyond, volumes[0].index = 200)
SPOIL(profile_volume)
{
	UNUSED();
	p->volumes[0].kind = PLAN_VOL_PROFILE;
	p->volumes[0].index = 200;
	p->volumes[0].size = 0;
	*n = 2;
}
SPOIL(kind_unknown) { UNUSED(); p->volumes[0].kind = 9; *n = 2; }
SPOIL(volumes_many)
{
	UNUSED();
	p->nvolumes = PLAN_VOLUMES_MAX + 1;
	for (uint32_t i = 1; i < p->nvolumes; i++)
		p->volumes[i] = p->volumes[0];
}
SPOIL(volume_without_target)
{
	UNUSED();
	p->nvolumes = 0;
	*n = 2;
}

/* ---- what the memfds say ---- */

/* New contents, sealed as they must be. */
static void
contents(int *slot, const void *b, size_t n)
{
	int fd = memfd_sealed("x", b, n);

	(void)dup2(fd, *slot);
	(void)close(fd);
}
SPOIL(args_junk)
{
	uint8_t junk[512];

	UNUSED();
	memset(junk, 0xff, sizeof(junk));
	contents(&fds[0], junk, sizeof(junk));
	p->args_len = sizeof(junk);
}
SPOIL(args_cut)
{
	uint8_t some[4096];
	ssize_t k = pread(fds[0], some, sizeof(some), 0);

	UNUSED();
	contents(&fds[0], some, (size_t)k - 1);
	p->args_len = (uint32_t)k - 1;
}
SPOIL(filter_junk)
{
	struct sock_filter junk[4];

	UNUSED();
	memset(junk, 0xff, sizeof(junk));
	contents(&fds[1], junk, sizeof(junk));
	p->filter_len = 4;
}
SPOIL(filter_no_return)
{
	struct sock_filter load = {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0};

	UNUSED();
	contents(&fds[1], &load, sizeof(load));
}

struct hostile {
	const char *name, *code, *why;
	void (*spoil)(struct drive_job *, struct plan *, int *, unsigned *);
	const char *target; /* of its volume; NULL "/x" */
	const char *cwd;
};
#define BLOB "no read-only regular file"
#define SEALED "not sealed"
#define H(name, code, why) {#name, code, why, s_##name, NULL, NULL}
#define TARGET(name, target) {name, "volume", "target", NULL, target, NULL}
static const struct hostile list[] = {
	H(folder, "volume", BLOB), H(path_only, "volume", BLOB),
	H(path_folder, "volume", BLOB), H(device, "volume", BLOB),
	H(socket, "volume", BLOB), H(pipe, "volume", BLOB),
	H(writable, "volume", BLOB), H(write_only, "volume", BLOB),
	H(larger, "volume", BLOB), H(smaller, "volume", BLOB),
	H(too_few, "volume", "number of descriptors"),
	H(too_many, "volume", "number of descriptors"),
	H(all_swapped, "internal", SEALED),
	H(args_unsealed, "internal", SEALED),
	H(args_writable, "internal", SEALED),
	H(args_shrinks, "internal", SEALED),
	H(filter_unsealed, "internal", SEALED),
	H(args_file, "internal", SEALED),
	H(image_unknown, "image", "image"), H(image_zero, "image", "image"),
	H(slot_zero, "internal", "no such slot"),
	H(slot_beyond, "internal", "no such slot"),
	H(slot_huge, "internal", "no such slot"),
	H(layer_unknown, "posture", "unknown layer"),
	H(layer_lacking, "posture", "not available"),
	H(memory_over, "limits", "memory"), H(memory_max, "limits", "memory"),
	H(memory_none, "limits", "memory"), H(memory_under, "limits", "memory"),
	H(cpu_over, "limits", "cpu"), H(cpu_none, "limits", "cpu"),
	H(pids_over, "limits", "pids"), H(pids_none, "limits", "pids"),
	H(time_over, "limits", "time"), H(time_none, "limits", "time"),
	H(output_over, "limits", "output"), H(output_none, "limits", "output"),
	H(args_longer, "internal", SEALED),
	H(args_none, "internal", "argv"), H(args_huge, "internal", "argv"),
	H(filter_none, "internal", "seccomp"),
	H(filter_longer, "internal", SEALED),
	H(filter_huge, "internal", "seccomp"),
	H(profile_beyond, "volume", ""), H(profile_volume, "volume", ""),
	H(kind_unknown, "volume", "kind"),
	H(volumes_many, "volume", "too many"),
	H(volume_without_target, "internal", "targets"),
	H(args_junk, "internal", ""), H(args_cut, "internal", ""),
	H(filter_junk, "internal", "seccomp program"),
	H(filter_no_return, "internal", "seccomp program"),
	TARGET("target-relative", "x"), TARGET("target-root", "/"),
	TARGET("target-dotdot", "/a/../b"), TARGET("target-dot", "/a/./b"),
	TARGET("target-double", "/a//b"), TARGET("target-slash", "/a/"),
	TARGET("target-proc", "/proc"), TARGET("target-proc-in", "/proc/1"),
	TARGET("target-dev", "/dev"), TARGET("target-dev-in", "/dev/null"),
	TARGET("target-sys", "/sys/x"), TARGET("target-control", "/a\nb"),
	{"target-link", "volume", "", NULL, "/processes/x", NULL},
	{"target-file", "volume", "", NULL, "/file/x", NULL},
	{"cwd-relative", "internal", "working folder", NULL, NULL, "bin"},
	{"cwd-empty", "internal", "working folder", NULL, NULL, ""},
};

static void
job(struct drive_job *j, const struct hostile *h)
{
	drive_job_init(j);
	j->image = image;
	j->argv = argv_true;
	j->nvolumes = 1;
	j->volumes[0].kind = PLAN_VOL_RO;
	j->volumes[0].target = h->target == NULL ? "/x" : h->target;
	j->volumes[0].blob = setup_blob(empty_tar, sizeof(empty_tar));
	j->spoil = h->spoil;
	if (h->cwd != NULL)
		j->cwd = h->cwd;
}

/* What honest work there is goes on. */
static bool
works(void)
{
	static const struct hostile none;
	struct drive_job j;
	bool ok;

	job(&j, &none);
	ok = drive_run(&d, &j) == 0 && j.started && j.how == EXIT_CODE &&
	    j.status == 0;
	if (!ok)
		printf("# the next job: %s %s\n", j.code, j.why);
	(void)close(j.volumes[0].blob);
	drive_job_clear(&j);
	return ok;
}

static bool
refused(const struct hostile *h)
{
	struct drive_job j;
	bool ok;

	job(&j, h);
	ok = drive_run(&d, &j) == 0 && j.failed && !j.started &&
	    strcmp(j.code, h->code) == 0 && strstr(j.why, h->why) != NULL;
	if (ok && works())
		printf("ok plan %s (%s): %s %s\n", h->name, who, j.code, j.why);
	else
		printf("not ok plan %s (%s): wanted %s \"%s\", got %s \"%s\"\n",
		    h->name, who, h->code, h->why, j.started ? "a job" :
		    j.code, j.why);
	(void)close(j.volumes[0].blob);
	drive_job_clear(&j);
	(void)fflush(stdout);
	return ok;
}

/* ---- what needs a job that runs ---- */

static bool
said(const char *name, bool ok, const char *more)
{
	ok = works() && ok;
	printf("%s %s (%s): %s\n", ok ? "ok" : "not ok", name, who, more);
	return ok;
}

static bool
while_it_runs(void)
{
	static const char *const sleep[] = {"/bin/sleep", "60", NULL};
	static const struct hostile none;
	struct msg_J_KILL m = {.end_ = 0};
	struct drive_job a, b;
	bool same, taken;

	job(&a, &none);
	a.argv = sleep;
	if (drive_send(&d, &a) == -1 || !a.started)
		return said("plan of a job that runs", false, a.why);
	job(&b, &none);
	b.id = a.id;
	b.slot = 2;
	same = drive_send(&d, &b) == 0 && b.failed && !b.started &&
	    strcmp(b.why, "the job runs already") == 0;
	cgroup_job_close(&b.groups);
	drive_job_clear(&b);
	job(&b, &none);
	taken = drive_run(&d, &b) == 0 && b.failed && !b.started &&
	    strcmp(b.why, "the slot is not free") == 0;
	drive_job_clear(&b);
	m.job = a.id;
	(void)ipc_send_J_KILL(d.node, &m, NULL, 0);
	same = drive_wait(&d, &a, PATIENCE_MS) == 0 &&
	    drive_finish(&d, &a) == 0 && same;
	drive_job_clear(&a);
	same = said("plan of a job that runs", same, "refused");
	return said("plan for a slot in use", taken, "refused") && same;
}

/* Nothing is answered to these; nothing comes of them either. */
static bool
for_nobody(void)
{
	struct msg_J_STEP step = {.step = STEP_PACK, .volume = 200};
	struct msg_J_KILL kill_it = {.end_ = 0};
	struct msg_J_FORGET forget = {.end_ = 0};

	memset(&step.job, 7, sizeof(step.job));
	kill_it.job = forget.job = step.job;
	for (int i = 0; i < 4; i++) {
		step.step = (uint8_t)(i == 3 ? 200 : STEP_FILL + i);
		(void)ipc_send_J_STEP(d.node, &step, NULL, 0);
		(void)ipc_send_J_KILL(d.node, &kill_it, NULL, 0);
		(void)ipc_send_J_FORGET(d.node, &forget, NULL, 0);
	}
	/* their answers, if any, are not those of the next job */
	return drive_new_node(&d) == 0 &&
	    said("steps and ends of no job", true, "nothing came of them");
}

/* Bytes that are no plan: told to the parent, and dropped. */
static bool
malformed(void)
{
	struct msg_J_RUN m;
	int fds[2] = {memfd_sealed("a", "x", 1), memfd_sealed("b", "x", 1)};

	memset(&m, 0xff, sizeof(m));
	for (uint16_t len = 0; len < 200; len = (uint16_t)(len + 7)) {
		m.plan_len = len;
		(void)ipc_send_J_RUN(d.node, &m, fds, 2);
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
	return said("bytes that are no plan", true, "dropped");
}

/* What breaks the table ends the channel, not the jail. */
static bool
off_the_table(void)
{
	static const uint8_t odd[][4] = {{0, 0}, {0xff, 0xff, 1, 2},
	    {0, IPC_J_KILL}, {0, IPC_KEY_MATERIAL}, {0, IPC_J_POSTURE}};
	bool ok = true;

	for (size_t i = 0; i < NELEM(odd); i++) {
		(void)!write(ipc_fd(d.node), odd[i], sizeof(odd[i]));
		ok = ok && drive_new_node(&d) == 0;
	}
	return said("messages off the table", ok, "the channel ends");
}

static bool
links_of_image(const char *root)
{
	static const char *const links[][2] = {{"processes", "proc"},
	    {"file", "bin/busybox"}, {"bin/true", "busybox"},
	    {"bin/sleep", "busybox"}};
	char path[700];

	for (size_t i = 0; i < NELEM(links); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, links[i][0]);
		if (symlink(links[i][1], path) == -1)
			return false;
	}
	return true;
}

int
main(int argc, char *argv[])
{
	struct drive_options o = {.slots = 2, .level = 0};
	char root[512];
	bool good = true;

	if (argc < 3)
		return 2;
	who = setup_who();
	if (setup_drive(&d, &o, argv[1], root, sizeof(root), &image) == -1 ||
	    !setup_program(root, "busybox", argv[2]) || !links_of_image(root)) {
		printf("not ok plans-start (%s)\n", who);
		return 1;
	}
	for (size_t i = 0; i < NELEM(list); i++)
		if (argc < 4 || strcmp(argv[3], list[i].name) == 0)
			good &= refused(&list[i]);
	good = while_it_runs() && good;
	good = for_nobody() && good;
	good = malformed() && good;
	good = off_the_table() && good;
	drive_stop(&d);
	return !good;
}
