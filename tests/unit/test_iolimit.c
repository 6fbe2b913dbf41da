/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of the disk: what is written where, in folders that stand for groups. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "node/host/cgroup.h"
#include "node/parent/parent.h"
#include "sandbox/base/group.h"
#include "sandbox/base/tree.h"

static char top[] = "/tmp/warren-iolimit-XXXXXX";
static int at = -1;

static void
put(const char *name, const char *text)
{
	int fd = openat(at, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC,
	    0644);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
}

static const char *
got(const char *name)
{
	static char text[200];
	ssize_t n = file_read(at, name, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int
folder(const char *name)
{
	assert_true(mkdirat(at, name, 0755) == 0);
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return at < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)tree_empty(at);
	(void)close(at);
	return rmdir(top);
}

static void
test_line(void **state)
{
	char line[96];

	(void)state;
	cg_io_line(line, "254:0", 1048576, 0);
	assert_string_equal(line, "254:0 rbps=1048576 wbps=max");
	cg_io_line(line, "1048575:1048575", UINT64_MAX,
	    UINT64_MAX);
	assert_string_equal(line, "1048575:1048575 rbps=18446744073709551615 "
	    "wbps=18446744073709551615");
}

/* What is in memory is on no disk. */
static void
test_disk(void **state)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char disk[24] = "";
	struct stat st;

	(void)state;
	assert_false(iolimit_disk(disk, proc));
	(void)close(proc);
	assert_false(iolimit_disk(disk, -1));
	if (fstat(at, &st) == 0 && st.st_dev >> 8 != 0)
		assert_true(iolimit_disk(disk, at) && strchr(disk, ':') != NULL);
}

/* What a daemon that was killed has left holds for nobody. */
static void
test_sweep(void **state)
{
	static struct groups g;

	(void)state;
	iolimit_init(&g.io);
	(void)snprintf(g.name, sizeof(g.name), "warren-z");
	iolimit_sweep(&g);
	g.place.blkio = true;
	(void)snprintf(g.place.blkio_path, sizeof(g.place.blkio_path),
	    "%s/left", top);
	iolimit_sweep(&g);
	(void)close(folder("left"));
	iolimit_sweep(&g);
	(void)close(folder("left/warren-z"));
	(void)close(folder("left/warren-z/jobs"));
	(void)close(folder("left/warren-y"));
	iolimit_sweep(&g);
	assert_int_equal(faccessat(at, "left/warren-z", F_OK, 0), -1);
	assert_int_equal(faccessat(at, "left/warren-y", F_OK, 0), 0);
}

static void
test_groups(void **state)
{
	static struct node_config n;
	static struct parent p;
	struct groups *g = &p.groups;
	const char *disk = "254:0";
	char want[96];

	(void)state;
	iolimit_init(&g->io);
	p.node = &n;
	p.warren = at;
	p.compute = true;
	(void)snprintf(g->name, sizeof(g->name), "warren-x");
	/* nothing is asked, then nothing can be had */
	iolimit_make(&p);
	assert_true(!g->io.v2 && g->io.v1_jobs < 0);
	n.io_read = 65536;
	iolimit_make_on(&p, disk);
	assert_true(!g->io.v2 && g->io.v1_jobs < 0 && g->io.v1_top < 0);
	assert_true(iolimit_join(&g->io));
	/* version 2: handed down, set at jobs/, given back */
	g->on[0] = true;
	(void)snprintf(g->place.v2_path, sizeof(g->place.v2_path), "%s/own",
	    top);
	(void)close(folder("own"));
	g->top[0] = folder("own/warren-x");
	g->dir[0][GROUP_JOBS] = folder("own/warren-x/jobs");
	put("own/cgroup.subtree_control", "memory\n");
	put("own/warren-x/cgroup.subtree_control", "io\n");
	put("own/warren-x/jobs/io.max", "");
	put("own/warren-x/jobs/cgroup.subtree_control", "pids\n");
	/* for jobs that ask for one, where all together have none */
	n.io_read = 0;
	iolimit_make_on(&p, disk);
	assert_true(!g->io.v2 && g->io.v1_jobs < 0);
	assert_string_equal(g->io.disk, disk);
	assert_true(strncmp(got("own/warren-x/jobs/cgroup.subtree_control"),
	    "+io", 3) == 0);
	assert_true(got("own/warren-x/jobs/io.max")[0] == '\0');
	put("own/cgroup.subtree_control", "memory\n");
	n.io_read = 65536;
	iolimit_make_on(&p, disk);
	assert_true(g->io.v2 && g->io.handed && g->io.v1_jobs < 0);
	assert_true(strncmp(got("own/cgroup.subtree_control"), "+io", 3) == 0);
	assert_true(strncmp(got("own/warren-x/cgroup.subtree_control"), "io",
	    2) == 0);
	cg_io_line(want, disk, 65536, 0);
	assert_true(strncmp(got("own/warren-x/jobs/io.max"), want,
	    strlen(want)) == 0);
	iolimit_take_back(g, openat(at, "own", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	assert_true(strncmp(got("own/cgroup.subtree_control"), "-io", 3) == 0);
	assert_true(strncmp(got("own/warren-x/jobs/cgroup.subtree_control"),
	    "-io", 3) == 0);
	/* version 1, where that does not go */
	g->on[0] = false;
	iolimit_init(&g->io);
	g->place.blkio = true;
	(void)snprintf(g->place.blkio_path, sizeof(g->place.blkio_path),
	    "%s/blkio", top);
	(void)close(folder("blkio"));
	(void)close(folder("blkio/warren-x"));
	(void)close(folder("blkio/warren-x/jobs"));
	put("blkio/warren-x/jobs/blkio.throttle.read_bps_device", "");
	put("blkio/warren-x/jobs/blkio.throttle.write_bps_device", "");
	put("blkio/warren-x/jobs/cgroup.procs", "");
	iolimit_make_on(&p, disk);
	assert_true(!g->io.v2 && !g->io.handed && g->io.v1_jobs >= 0);
	/* a group of its own would leave the one of all */
	assert_string_equal(g->io.disk, "");
	(void)snprintf(want, sizeof(want), "%s 65536", disk);
	assert_true(strncmp(got("blkio/warren-x/jobs/blkio.throttle."
	    "read_bps_device"), want, strlen(want)) == 0);
	(void)snprintf(want, sizeof(want), "%s 0", disk);
	assert_true(strncmp(got("blkio/warren-x/jobs/blkio.throttle."
	    "write_bps_device"), want, strlen(want)) == 0);
	assert_true(iolimit_join(&g->io));
	assert_true(got("blkio/warren-x/jobs/cgroup.procs")[0] == '0');
}

/* What node sets on a job's group, and what jail finds there. */
static void
test_job(void **state)
{
	static const struct {
		const char *text;
		uint64_t rd, wr;
		bool has;
	} rows[] = {
	    {"254:0 rbps=65536 wbps=max riops=max wiops=max\n", 65536, 0, true},
	    {"254:0 rbps=65536 wbps=70000 riops=max wiops=max\n", 65536, 70000,
		true},
	    {"254:0 rbps=65537 wbps=max\n", 65536, 0, false},
	    {"254:0 rbps=max wbps=max\n", 65536, 0, false},
	    {"254:0 rbps=65536 wbps=max\n", 65536, 1, false},
	    {"254:0 rbps=65536\n", 0, 65536, false},
	    {"", 65536, 0, false},
	    {"254:0 rbps=65536 wbps=1\n", 0, 0, false},
	};
	struct plan p = {.slot = 1};
	struct group_dirs dirs = {.v1 = {-1, -1, -1}};
	struct cgroup_dirs d = {.memory = -1, .cpu = -1, .pids = -1,
	    .disk = "254:0"};
	struct cgroup_limits l = {.memory = 1, .cpu_milli = 1, .pids = 1,
	    .io_write = 131072};
	struct cgroup_job g;
	char name[PLAN_GROUP_MAX], path[96];
	const char *what;
	uint32_t layers;
	int leaf;

	(void)state;
	d.v2 = folder("v2");
	plan_group_name(name, &p.job);
	(void)snprintf(path, sizeof(path), "v2/%s", name);
	leaf = folder(path);
	(void)snprintf(path, sizeof(path), "v2/%s/cgroup.procs", name);
	put(path, "");
	/* a group without the controller: nothing is set, and nothing is wrong */
	assert_int_equal(cgroup_job_make(&g, &d, &p.job, 1, &l, &layers,
	    &what), 0);
	cgroup_job_close(&g);
	p.io_write = l.io_write;
	assert_int_equal(group_layers(&dirs, &p, leaf), 0);
	assert_int_equal(group_unbound(&p, 0), LAYER_IO);
	(void)snprintf(path, sizeof(path), "v2/%s/io.max", name);
	put(path, "");
	assert_int_equal(cgroup_job_make(&g, &d, &p.job, 1, &l, &layers,
	    &what), 0);
	cgroup_job_close(&g);
	assert_string_equal(got(path), "254:0 rbps=max wbps=131072");
	assert_int_equal(group_layers(&dirs, &p, leaf), LAYER_IO);
	assert_int_equal(group_unbound(&p, LAYER_IO), 0);
	for (size_t i = 0; i < NELEM(rows); i++) {
		put(path, rows[i].text);
		p.io_read = rows[i].rd;
		p.io_write = rows[i].wr;
		assert_int_equal(group_layers(&dirs, &p, leaf), rows[i].has ?
		    LAYER_IO : 0);
	}
	assert_int_equal(group_unbound(&p, 0), 0);
	/* where no disk is known nothing is written */
	put(path, "");
	d.disk[0] = '\0';
	assert_int_equal(cgroup_job_make(&g, &d, &p.job, 1, &l, &layers,
	    &what), 0);
	cgroup_job_close(&g);
	assert_string_equal(got(path), "");
	(void)close(leaf);
	(void)close(d.v2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line), cmocka_unit_test(test_disk),
	    cmocka_unit_test(test_sweep), cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_job),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
