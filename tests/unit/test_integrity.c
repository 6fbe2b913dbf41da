/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is held against images and files, then the program with a store, and
 * the parent and node played by the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/filelist_make.h"
#include "audit/filesum.h"
#include "audit/integrity.h"
#include "audit/integrity_reader.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "tests/unit/prog_peer.h"

/* ---- what follows from what was seen ---- */

static struct integrity in;
static enum integrity_say say;
static struct integrity_saw saw;

static struct id32
id(uint8_t n)
{
	struct id32 i;

	memset(i.b, n, sizeof(i.b));
	return i;
}

static enum read_end
see(uint8_t image, uint8_t list, enum read_end end, uint8_t how,
    const char *why)
{
	saw = (struct integrity_saw){.image = id(image), .list = id(list),
	    .given = id(list), .how = how, .end = (uint8_t)end};
	(void)snprintf(saw.why, sizeof(saw.why), "%s", why);
	return integrity_image(&in, &saw, 7, &say);
}

static void
test_images(void **state)
{
	struct id32 one = id(1);

	(void)state;
	memset(&in, 0, sizeof(in));
	assert_int_equal(see(1, 9, READ_GOOD, 0, ""), READ_GOOD);
	assert_int_equal(say, SAY_KNOWN);
	assert_int_equal(see(1, 9, READ_GOOD, CHECK_START, ""), READ_GOOD);
	assert_int_equal(say, SAY_NOTHING);
	assert_null(integrity_held(&in, &one));
	/* changed: told once, and again when it is otherwise */
	assert_int_equal(see(1, 9, READ_CHANGED, 0, "a"), READ_CHANGED);
	assert_int_equal(say, SAY_BAD);
	assert_int_equal(see(1, 9, READ_CHANGED, CHECK_START, "a"),
	    READ_CHANGED);
	assert_int_equal(say, SAY_NOTHING);
	assert_int_equal(see(1, 9, READ_CHANGED, 0, "b"), READ_CHANGED);
	assert_int_equal(say, SAY_BAD);
	assert_string_equal(integrity_held(&in, &one), "b");
	/* put back: it stays held, and what a failure says changes nothing */
	assert_int_equal(see(1, 9, READ_GOOD, CHECK_START, ""), READ_CHANGED);
	assert_int_equal(say, SAY_NOTHING);
	assert_string_equal(saw.why, "b");
	assert_int_equal(see(1, 9, READ_GOOD, 0, ""), READ_CHANGED);
	assert_int_equal(see(1, 9, READ_FAILED, 0, "disk"), READ_CHANGED);
	assert_int_equal(see(1, 9, READ_GONE, 0, ""), READ_GONE);
	assert_non_null(integrity_held(&in, &one));
	/* a person's word, if it is good; another list is not its list */
	assert_int_equal(see(1, 9, READ_CHANGED, CHECK_VERIFY, "b"),
	    READ_CHANGED);
	assert_int_equal(see(1, 8, READ_GOOD, CHECK_VERIFY, ""),
	    READ_CHANGED);
	assert_int_equal(say, SAY_BAD);
	assert_int_equal(see(1, 9, READ_GOOD, CHECK_VERIFY, ""), READ_GOOD);
	assert_int_equal(say, SAY_LIFTED);
	assert_null(integrity_held(&in, &one));
	/* files and list changed alike */
	assert_int_equal(see(1, 8, READ_GOOD, CHECK_START, ""),
	    READ_CHANGED);
	assert_int_equal(say, SAY_BAD);
	/* an import that says which list it has made */
	assert_int_equal(see(1, 8, READ_GOOD, CHECK_IMPORTED, ""), READ_GOOD);
	assert_int_equal(say, SAY_LIFTED);
	saw.given = id(3);
	/* without any: told once; one that had one is changed */
	assert_int_equal(see(2, 0, READ_UNLISTED, 0, ""), READ_UNLISTED);
	assert_int_equal(say, SAY_UNLISTED);
	assert_int_equal(see(2, 0, READ_UNLISTED, 0, ""), READ_UNLISTED);
	assert_int_equal(say, SAY_NOTHING);
	assert_int_equal(see(1, 0, READ_UNLISTED, 0, ""), READ_CHANGED);
	assert_int_equal(say, SAY_BAD);
	assert_int_equal(see(5, 0, READ_FAILED, 0, "disk"), READ_FAILED);
	assert_int_equal(in.nimages, 2);
}

static void
test_state(void **state)
{
	static char text[INTEGRITY_STATE_MAX], again[INTEGRITY_STATE_MAX];
	static struct integrity other;
	size_t n, k;

	(void)state;
	memset(&in, 0, sizeof(in));
	(void)see(1, 9, READ_GOOD, 0, "");
	(void)see(2, 9, READ_GOOD, 0, "");
	(void)see(2, 9, READ_CHANGED, 0, "bin/a b: its bytes have changed");
	(void)see(3, 0, READ_UNLISTED, 0, "");
	n = integrity_write(&in, text, sizeof(text));
	memset(&other, 0, sizeof(other));
	integrity_read(&other, text, n);
	assert_int_equal(other.nimages, 3);
	assert_string_equal(other.image[1].why,
	    "bin/a b: its bytes have changed");
	assert_true(other.image[1].bad && other.image[1].at == 7);
	assert_false(other.image[2].listed);
	k = integrity_write(&other, again, sizeof(again));
	assert_int_equal(k, n);
	assert_memory_equal(again, text, n);
	/* cut anywhere: what is whole is read, nothing else */
	for (k = 0; k < n; k++) {
		memset(&other, 0, sizeof(other));
		integrity_read(&other, text, k);
		assert_true(other.nimages <= 3);
	}
	for (k = 0; k < 8 * n; k++) {
		memcpy(again, text, n);
		again[k / 8] ^= (char)(1 << (k % 8));
		memset(&other, 0, sizeof(other));
		integrity_read(&other, again, n);
		assert_true(other.nimages <= 4);
	}
	/* more than are known: a bad one stays */
	for (unsigned i = 0; i < 2 * INTEGRITY_IMAGES; i++) {
		saw = (struct integrity_saw){.end = READ_GOOD};
		put_u32(saw.image.b, 0x10000 + i);
		(void)integrity_image(&in, &saw, 7, &say);
	}
	assert_int_equal(in.nimages, INTEGRITY_IMAGES);
	saw.image = id(2);
	assert_non_null(integrity_held(&in, &saw.image));
	assert_true(integrity_write(&in, text, sizeof(text)) < sizeof(text));
}

static void
test_others(void **state)
{
	(void)state;
	memset(&in, 0, sizeof(in));
	assert_false(integrity_other(&in, FOUND_PROGRAM, "a", "", 1));
	assert_true(integrity_other(&in, FOUND_PROGRAM, "a", "x", 1));
	assert_false(integrity_other(&in, FOUND_PROGRAM, "a", "x", 2));
	assert_true(integrity_other(&in, FOUND_KEY, "a", "x", 2));
	assert_true(integrity_other(&in, FOUND_PROGRAM, "a", "y", 3));
	assert_int_equal(in.nfound, 2);
	assert_true(integrity_other(&in, FOUND_PROGRAM, "a", "", 4));
	assert_false(integrity_other(&in, FOUND_PROGRAM, "a", "", 4));
	assert_int_equal(in.nfound, 1);
	assert_int_equal(in.total, 3);
	for (int i = 0; i < 2 * INTEGRITY_FOUND; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_true(integrity_other(&in, FOUND_KEY, name, "x", 1));
	}
	assert_int_equal(in.nfound, INTEGRITY_FOUND);
}

/* ---- the program ---- */

static char top[64];
static int dir = -1, trail = -1, images = -1;
static struct id32 image;
static struct prog p;
static struct ipc *node;

static void
put(const char *name, const char *text, mode_t mode)
{
	int fd;

	(void)!fchmodat(dir, name, 0644, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void
store(bool listed)
{
	char root[128], hex[65], at[200];
	int fd, list;

	image = id(0xab);
	hex_encode(hex, HASH_BYTES(image));
	(void)snprintf(root, sizeof(root), "images/roots/%s", hex);
	assert_int_equal(mkdirat(dir, "images", 0755) + mkdirat(dir,
	    "images/roots", 0755) + mkdirat(dir, "images/meta", 0755) +
	    mkdirat(dir, root, 0755), 0);
	(void)snprintf(at, sizeof(at), "%s/app", root);
	put(at, "the application", 0555);
	assert_int_equal(fchmodat(dir, root, 0555, 0), 0);
	images = openat(dir, "images", O_RDONLY | O_DIRECTORY);
	if (!listed)
		return;
	(void)snprintf(at, sizeof(at), "images/meta/%s.files", hex);
	list = openat(dir, at, O_CREAT | O_WRONLY, 0644);
	fd = openat(dir, root, O_RDONLY | O_DIRECTORY);
	assert_int_equal(filelist_make(fd, list, at, sizeof(at)), 0);
	(void)close(fd);
	(void)close(list);
}

static void
app(const char *text)
{
	char hex[65], at[200];

	hex_encode(hex, HASH_BYTES(image));
	(void)snprintf(at, sizeof(at), "images/roots/%s/app", hex);
	put(at, text, 0555);
}

static void
begin(void)
{
	static const uint8_t rns[64];
	struct msg_W_POSTURE m;

	prog_start_two(&p, PROGRAM_AUDIT, "trail", trail, "images", images);
	prog_params(&p, rns);
	prog_begin(&p);
	node = prog_neighbour(&p, PROGRAM_NODE);
	PROG_GET(W_POSTURE, node, &m);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/warren-integrity.XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(dir, "trail", 0700) < 0)
		return -1;
	trail = openat(dir, "trail", O_RDONLY | O_DIRECTORY);
	prog_pass[IPC_I_STATE] = prog_pass[IPC_I_FOUND] = true;
	prog_pass[IPC_I_WANT] = true;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(trail);
	if (images >= 0)
		(void)close(images);
	images = -1;
	(void)tree_empty(dir);
	(void)close(dir);
	return rmdir(top);
}

static struct msg_I_CHECKED
check(uint8_t how)
{
	struct msg_I_CHECK q = {.image = image, .job = id(7), .how = how};
	struct msg_I_CHECKED a;

	assert_int_equal(ipc_send_I_CHECK(node, &q, NULL, 0), 0);
	PROG_GET(I_CHECKED, node, &a);
	assert_true(id32_eq(&a.image, &image) && id32_eq(&a.job, &q.job));
	assert_int_equal(a.how, how);
	return a;
}

static void
test_check(void **state)
{
	struct msg_I_CHECKED a;

	(void)state;
	store(true);
	begin();
	assert_int_equal(check(CHECK_START).end, READ_GOOD);
	app("the applicatioN");
	a = check(CHECK_START);
	assert_int_equal(a.end, READ_CHANGED);
	assert_string_equal(a.why, "app: its bytes have changed");
	/* put back: held, also by a program that is new */
	app("the application");
	assert_int_equal(check(CHECK_START).end, READ_CHANGED);
	prog_stop(&p);
	begin();
	a = check(CHECK_START);
	assert_int_equal(a.end, READ_CHANGED);
	assert_string_equal(a.why, "app: its bytes have changed");
	assert_int_equal(check(CHECK_VERIFY).end, READ_GOOD);
	assert_int_equal(check(CHECK_START).end, READ_GOOD);
	/* not here */
	image = id(0xcd);
	assert_int_equal(check(CHECK_START).end, READ_GONE);
	prog_stop(&p);
}

static void
test_unlisted(void **state)
{
	(void)state;
	store(false);
	begin();
	assert_int_equal(check(CHECK_START).end, READ_UNLISTED);
	prog_stop(&p);
}

/* A flood of starts is answered, each. */
static void
test_flood(void **state)
{
	struct msg_I_CHECK q = {.how = CHECK_START};
	struct msg_I_CHECKED a;

	(void)state;
	store(true);
	begin();
	q.image = image;
	for (uint32_t i = 0; i < 200; i++) {
		put_u32(q.job.b, i);
		assert_int_equal(ipc_send_I_CHECK(node, &q, NULL, 0), 0);
	}
	for (uint32_t i = 0; i < 200; i++) {
		PROG_GET(I_CHECKED, node, &a);
		assert_int_equal(a.end, READ_GOOD);
		assert_int_equal(get_u32(a.job.b), i);
	}
	prog_stop(&p);
}

/* The next that is told; why "": it is good again. */
static struct msg_I_FOUND
found(void)
{
	struct msg_I_FOUND f;

	prog_pass[IPC_I_FOUND] = false;
	PROG_GET(I_FOUND, node, &f);
	prog_pass[IPC_I_FOUND] = true;
	return f;
}

/* The parent's side of a pass: one program, one profile that is gone. */
static void
hand_out(const char *now, bool other, enum file_rights rights)
{
	struct msg_I_WANT w;
	struct msg_I_FILE m = {.kind = FOUND_PROGRAM, .other = other,
	    .rights = (uint8_t)rights};
	struct msg_I_FILES_END end;
	int fd;

	prog_pass[IPC_I_WANT] = false;
	PROG_GET(I_WANT, p.parent, &w);
	prog_pass[IPC_I_WANT] = true;
	put("program", now, 0755);
	fd = openat(dir, "program", O_RDONLY);
	m.seq = end.seq = w.seq;
	(void)snprintf(m.name, sizeof(m.name), "/bin/program");
	filesum_of(&m.sum, "as it was", 9);
	assert_int_equal(ipc_send_I_FILE(p.parent, &m, &fd, 1), 0);
	(void)close(fd);
	m.kind = FOUND_PROFILE;
	m.error = ENOENT;
	(void)snprintf(m.name, sizeof(m.name), "profiles/a.yaml");
	assert_int_equal(ipc_send_I_FILE(p.parent, &m, NULL, 0), 0);
	assert_int_equal(ipc_send_I_FILES_END(p.parent, &end, NULL, 0), 0);
}

static void
ask_pass(void)
{
	struct msg_I_PASS q = {.end_ = 0};

	assert_int_equal(ipc_send_I_PASS(node, &q, NULL, 0), 0);
}

static void
test_pass(void **state)
{
	struct msg_I_FOUND f;

	(void)state;
	store(true);
	app("the applicatioN");
	begin();
	ask_pass();
	f = found();
	assert_int_equal(f.kind, FOUND_IMAGE);
	assert_string_equal(f.why, "app: its bytes have changed");
	hand_out("as it Was", false, RIGHTS_SAME);
	f = found();
	assert_int_equal(f.kind, FOUND_PROGRAM);
	assert_string_equal(f.name, "/bin/program");
	assert_string_equal(f.why, "its bytes have changed");
	f = found();
	assert_string_equal(f.name, "profiles/a.yaml");
	assert_non_null(strstr(f.why, "No such file"));
	/* an upgrade is called one; what is the same is told once */
	ask_pass();
	hand_out("a newer one", true, RIGHTS_MODE);
	f = found();
	assert_string_equal(f.name, "/bin/program");
	assert_non_null(strstr(f.why, "upgrade"));
	/* whose bytes are right it may be somebody else's all the same */
	ask_pass();
	hand_out("as it was", true, RIGHTS_MODE);
	f = found();
	assert_string_equal(f.why, "its mode has changed");
	ask_pass();
	hand_out("as it was", false, RIGHTS_OWNER);
	f = found();
	assert_string_equal(f.why, "its owner has changed");
	ask_pass();
	hand_out("as it was", false, RIGHTS_SAME);
	f = found();
	assert_string_equal(f.name, "/bin/program");
	assert_string_equal(f.why, "");
	prog_stop(&p);
}

static void
test_trail(void **state)
{
	struct msg_I_FOUND f;
	struct msg_EVENT e = {.kind = EVK_JOB_STATE, .severity = 1, .qid = 1};
	struct msg_HEAD h;
	char c;
	int fd;

	(void)state;
	begin();
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ipc_send_EVENT(node, &e, NULL, 0), 0);
		PROG_GET(HEAD, node, &h);
	}
	fd = openat(trail, "00000001.jsonl", O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, 200), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, 200), 1);
	(void)close(fd);
	ask_pass();
	hand_out("as it was", false, RIGHTS_SAME);
	f = found(); /* the profile */
	f = found();
	assert_int_equal(f.kind, FOUND_TRAIL);
	if (strncmp(f.why, "00000001.jsonl line 2: ", 23) != 0)
		fail_msg("%s", f.why);
	prog_stop(&p);
}

/* It ends with its readers, so that the parent starts all of it again. */
static void
test_reader_killed(void **state)
{
	char name[64], pid[32] = "";
	ssize_t n;
	int fd;

	(void)state;
	store(true);
	begin();
	(void)snprintf(name, sizeof(name), "/proc/%d/task/%d/children",
	    (int)p.pid, (int)p.pid);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		return; /* a kernel without it */
	n = read(fd, pid, sizeof(pid) - 1);
	(void)close(fd);
	assert_true(n > 0);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGKILL), 0);
	assert_int_equal(prog_end(&p), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_images), cmocka_unit_test(test_state),
	    cmocka_unit_test(test_others), T(test_check), T(test_unlisted),
	    T(test_flood), T(test_pass), T(test_trail), T(test_reader_killed),
	};

	(void)umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
