/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* mkdtemp */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/parent/dirs.h"
#include "node/parent/parent.h"

/* The parent's folders, and a transport that was taken over. */

static char top[64];

static struct node_config conf;

static int
make(bool root)
{
	static struct parent p;
	int status;

	memset(&p, 0, sizeof(p));
	p.node = &conf;
	p.root = root;
	p.base = 100000;
	(void)snprintf(p.path, sizeof(p.path), "%s", top);
	p.dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.dir >= 0);
	return dirs_make(&p, &status);
}

static uid_t
owner(const char *name)
{
	struct stat st;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	return st.st_uid;
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/dirs.XXXXXX");
	return mkdtemp(top) == NULL;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"storage/cache/announces",
	    "storage/cache", "storage/resources", "storage/identities",
	    "storage/blackhole", "storage/ratchets", "storage", "interfaces",
	    "victim/cache",
	    "warren/run", "warren/keys", "warren/node", "warren/trust",
	    "warren/trail", "warren/images", "warren/stage", "warren/lock",
	    "warren/forensics", "warren", "klp", "victim",
	    "hub/warren-events", "hub", ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, names[i]);
		(void)remove(path);
	}
	return 0;
}

static void
test_made(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	assert_int_equal(make(root), 0);
	assert_int_equal(owner("storage/cache/announces"),
	    root ? 100001 : geteuid());
	assert_int_equal(owner("interfaces"), geteuid());
}

/* As root, a link in storage/ gives nobody a folder elsewhere. */
static void
test_link(void **state)
{
	char path[128];

	(void)state;
	if (geteuid() != 0)
		return; /* rootless, links are the operator's own */
	(void)snprintf(path, sizeof(path), "%s/victim", top);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/storage", top);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/storage/cache", top);
	assert_int_equal(symlink("../victim", path), 0);
	assert_int_equal(make(true), -1);
	(void)snprintf(path, sizeof(path), "%s/victim/announces", top);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(owner("victim"), 0);
}

/* storage/ itself may be one of root's; what it leads to is transport's then. */
static void
test_storage_link(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/victim", top);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/storage", top);
	assert_int_equal(symlink("victim", path), 0);
	assert_int_equal(make(geteuid() == 0), 0);
	assert_int_equal(owner("victim"), geteuid() == 0 ? 100001 : geteuid());
	assert_int_equal(owner("victim/cache/announces"),
	    geteuid() == 0 ? 100001 : geteuid());
	if (geteuid() != 0)
		return;
	assert_int_equal(lchown(path, 7, 7), 0);
	assert_int_equal(make(true), -1);
}

/* hub.dir stays whose it is, what is in it is node's; it is not made. */
static void
test_hub_dir(void **state)
{
	bool root = geteuid() == 0;
	char path[128];

	(void)state;
	conf.accept = true;
	conf.hub.dir = "hub";
	(void)snprintf(path, sizeof(path), "%s/hub", top);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(make(root), 0);
	assert_int_equal(owner("hub"), geteuid());
	assert_int_equal(owner("hub/warren-events"), root ? 100002 : geteuid());
	memset(&conf, 0, sizeof(conf));
}

static void
test_no_hub_dir(void **state)
{
	(void)state;
	conf.accept = true;
	conf.hub.dir = "hub";
	assert_int_equal(make(geteuid() == 0), -1);
	memset(&conf, 0, sizeof(conf));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_made, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_link, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_storage_link, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hub_dir, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_hub_dir, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
