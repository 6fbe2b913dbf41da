/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/cgdetect.h"

#define V2_LINE(root, point)                                                   \
	"30 23 0:26 " root " " point                                           \
	" rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_LINE(root, point, list)                                             \
	"31 23 0:27 " root " " point " rw - cgroup cgroup rw," list "\n"

static void
pure_v2(void **state)
{
	struct cg_place p;

	(void)state;
	cgdetect(&p, "0::/user.slice/a.scope\n", V2_LINE("/", "/sys/fs/cgroup"));
	assert_true(p.v2);
	assert_string_equal(p.v2_path, "/sys/fs/cgroup/user.slice/a.scope");
	assert_false(p.v1[CG_MEMORY]);
}

static void
hybrid(void **state)
{
	struct cg_place p;

	(void)state;
	cgdetect(&p,
	    "5:cpu,cpuacct:/x\n4:memory:/\n3:pids:/x/y\n"
	    "1:name=systemd:/\n0::/z\n",
	    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" V2_LINE("/",
		"/sys/fs/cgroup/unified") V1_LINE("/",
		"/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct")
		V1_LINE("/", "/sys/fs/cgroup/memory", "memory")
		    V1_LINE("/x", "/sys/fs/cgroup/pids", "pids"));
	assert_string_equal(p.v2_path, "/sys/fs/cgroup/unified/z");
	assert_string_equal(
	    p.v1_path[CG_CPU], "/sys/fs/cgroup/cpu,cpuacct/x");
	assert_string_equal(p.v1_path[CG_MEMORY], "/sys/fs/cgroup/memory");
	assert_string_equal(p.v1_path[CG_PIDS], "/sys/fs/cgroup/pids/y");
}

static void
not_seen(void **state)
{
	struct cg_place p;

	(void)state;
	/* the mount shows another part of the tree */
	cgdetect(&p, "0::/a\n", V2_LINE("/b", "/sys/fs/cgroup"));
	assert_false(p.v2);
	cgdetect(&p, "0::/bb\n", V2_LINE("/b", "/sys/fs/cgroup"));
	assert_false(p.v2);
	cgdetect(&p, "1:cpuset:/\n", V1_LINE("/", "/c", "cpuset"));
	assert_false(p.v1[CG_CPU]);
	cgdetect(&p, "", "");
	assert_false(p.v2);
	cgdetect(&p, "0:\n:\n0::", "x\ny - \n1 2 3 4 5 - cgroup2\n");
	assert_false(p.v2);
}

static void
blanks(void **state)
{
	struct cg_place p;

	(void)state;
	cgdetect(&p, "0::/\n", V2_LINE("/", "/my\\040groups"));
	assert_true(p.v2);
	assert_string_equal(p.v2_path, "/my groups");
}

static void
lists(void **state)
{
	(void)state;
	assert_true(cg_listed("cpuset cpu io memory\n", "cpu"));
	assert_true(cg_listed("cpuset cpu io memory\n", "memory"));
	assert_false(cg_listed("cpuset io\n", "cpu"));
	assert_false(cg_listed("", "cpu"));
	assert_string_equal(cg_name(CG_PIDS), "pids");
	assert_null(cg_name(CG_CONTROLLERS));
}

static void
ends(void **state)
{
	static const char text[] = "5:blkio:/a/warren-x/jobs\n4:cpu,cpuacct:/b\n"
	    "0::/a/warren-x/jobs/jail\n";

	(void)state;
	assert_true(cg_ends(text, "blkio", "/warren-x/jobs"));
	assert_false(cg_ends(text, "blkio", "/warren-y/jobs"));
	assert_false(cg_ends(text, "cpu", "/warren-x/jobs"));
	/* none of version 1, or nothing that could be read */
	assert_false(cg_ends("0::/warren-x/jobs\n", "blkio", "/warren-x/jobs"));
	assert_false(cg_ends("", "blkio", "/warren-x/jobs"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pure_v2),
	    cmocka_unit_test(hybrid),
	    cmocka_unit_test(not_seen),
	    cmocka_unit_test(blanks),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
