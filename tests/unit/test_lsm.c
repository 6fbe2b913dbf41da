/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "common/layers.h"
#include "sandbox/base/attr.h"
#include "sandbox/jail/jail_lsm.h"
#include "sandbox/plan/lsm.h"

static char text[APPARMOR_TEXT_MAX];

/* The text that the parser has taken in the virtual machine (tests/vm). */
static void
test_golden(void **state)
{
	static char golden[APPARMOR_TEXT_MAX];
	const char *dir = getenv("VECTORS");
	char path[512];
	FILE *f;
	int n;

	(void)state;
	assert_non_null(dir);
	(void)snprintf(path, sizeof(path), "%s/apparmor.txt", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	golden[fread(golden, 1, sizeof(golden) - 1, f)] = '\0';
	(void)fclose(f);
	n = apparmor_text(text, sizeof(text), "warren-0123abcd");
	assert_int_equal(n, (int)strlen(text));
	assert_string_equal(text, golden);
	/* never cut */
	for (int cap = 0; cap <= n; cap += 97)
		assert_int_equal(apparmor_text(text, (size_t)cap,
		    "warren-0123abcd"), -1);
	assert_int_equal(apparmor_text(text, (size_t)n, "warren-0123abcd"), -1);
	assert_int_equal(apparmor_text(text, (size_t)n + 1, "warren-0123abcd"),
	    n);
}

/* ---- what the rules say, by a reader of their own ---- */

static bool
glob(const char *p, const char *end, const char *s)
{
	for (; p < end; p++, s++) {
		if (*p == '*') {
			bool all = p + 1 < end && p[1] == '*';

			for (const char *rest = p + (all ? 2 : 1);; s++) {
				if (glob(rest, end, s))
					return true;
				if (*s == '\0' || (!all && *s == '/'))
					return false;
			}
		} else if (*p == '[') {
			const char *close = strchr(p, ']');

			assert_true(p[1] == '^');
			if (*s == '\0' || memchr(p + 2, *s,
			    (size_t)(close - p - 2)) != NULL)
				return false;
			p = close;
		} else if (*p == '{') {
			char whole[256];
			const char *close = strchr(p, '}'), *a = p + 1;

			for (;; a++) {
				size_t n = strcspn(a, ",}");

				(void)snprintf(whole, sizeof(whole),
				    "%.*s%.*s", (int)n, a,
				    (int)(end - close - 1), close + 1);
				if (glob(whole, whole + strlen(whole), s))
					return true;
				a += n;
				if (a == close)
					return false;
			}
		} else if (*p != *s) {
			return false;
		}
	}
	return *s == '\0';
}

/* May it be written, by whoever owns it, or by anybody? */
static bool
writable(unsigned shape, const char *path, bool own)
{
	char name[APPARMOR_NAME_MAX], head[APPARMOR_NAME_MAX + 16];
	struct apparmor_shape s;
	const char *at, *end;

	apparmor_shape(shape, &s);
	apparmor_name(name, "w", &s);
	(void)snprintf(head, sizeof(head), "profile \"%s\"", name);
	at = strstr(text, head);
	assert_non_null(at);
	for (at = strchr(at, '\n') + 1; *at == '\t'; at = end + 1) {
		const char *rule = at + 1, *rights;

		end = strchr(at, '\n');
		if (strncmp(rule, "owner ", 6) == 0) {
			if (!own)
				continue;
			rule += 6;
		}
		if (*rule != '/')
			continue;
		rights = memchr(rule, ' ', (size_t)(end - rule));
		if (memchr(rights, 'w', (size_t)(end - rights)) != NULL &&
		    glob(rule, rights, path))
			return true;
	}
	return false;
}

static const struct {
	const char *path;
	/* of the owner's, in the shapes tmp, beside, own, all */
	bool may[4];
	bool anybody; /* ... whoever the owner is, in all of those */
} writes[] = {
    {"/tmp/a", {true, true, true, true}, true},
    {"/tmp/a/b c", {true, true, true, true}, true},
    {"/dev/null", {true, true, true, true}, true},
    {"/dev/sda", {false, false, false, false}, false},
    {"/dev/shm/x", {false, false, false, false}, false},
    {"/proc/1/comm", {true, true, true, true}, true},
    {"/proc/1/mem", {false, false, false, false}, false},
    {"/proc/1/attr/current", {false, false, false, false}, false},
    {"/proc/1/attr/apparmor/exec", {false, false, false, false}, false},
    {"/proc/1/uid_map", {false, false, false, false}, false},
    {"/proc/sys/kernel/core_pattern", {false, false, false, false}, false},
    {"/proc", {false, false, false, false}, false},
    {"/sys/warren/ld.so", {false, false, false, false}, false},
    {"/sys/kernel/mm/x", {false, false, false, false}, false},
    {"/etc/passwd", {false, false, true, true}, false},
    {"/usr/bin/sh", {false, false, true, true}, false},
    {"/bin", {false, false, true, true}, false},
    {"/lib/x", {false, false, true, true}, false},
    {"/lib32/x", {false, false, true, true}, false},
    {"/lib64/x", {false, false, true, true}, false},
    {"/libx32/x", {false, false, true, true}, false},
    {"/var/lib/x", {false, false, true, true}, false},
    {"/library/x", {false, true, true, true}, false},
    {"/lib3/x", {false, true, true, true}, false},
    {"/lib65/x", {false, true, true, true}, false},
    {"/li", {false, true, true, true}, false},
    {"/li/b", {false, true, true, true}, false},
    {"/binary", {false, true, true, true}, false},
    {"/agent/data/x", {false, true, true, true}, false},
    {"/d/e/v", {false, true, true, true}, false},
    {"/devices", {false, true, true, true}, false},
    {"/process/x", {false, true, true, true}, false},
    {"/pr\xc3\xb6""c/x", {false, true, true, true}, false},
    {"/s/y/s", {false, true, true, true}, false},
    {"/system/x", {false, true, true, true}, false},
    {"/in put/x", {false, true, true, true}, false},
    {"/0/x", {false, true, true, true}, false},
};

static void
test_writes(void **state)
{
	(void)state;
	assert_true(apparmor_text(text, sizeof(text), "w") > 0);
	for (size_t i = 0; i < NELEM(writes); i++)
		for (unsigned s = 0; s < APPARMOR_SHAPES; s++) {
			bool any = writes[i].anybody ||
			    (s % 4 == APPARMOR_ALL && writes[i].may[3]);

			if (writable(s, writes[i].path, true) !=
			    writes[i].may[s % 4])
				fail_msg("%s, shape %u", writes[i].path, s);
			if (writable(s, writes[i].path, false) != any)
				fail_msg("%s, not its own, shape %u",
				    writes[i].path, s);
		}
}

/* ---- which one a plan gets ---- */

static const struct {
	const char *tmp, *volume;
	uint8_t kind;
	bool read_only, noexec, wasm;
	const char *name;
} plans[] = {
    {"tmp", NULL, 0, true, false, false, "p-tmp"},
    {"tmp", "data", PLAN_VOL_RO, true, false, false, "p-tmp"},
    {"tmp", "usr/data", PLAN_VOL_PROFILE, true, false, false, "p-tmp"},
    {"tmp", "data", PLAN_VOL_RW, true, false, false, "p-beside"},
    {"tmp", "tmp/x", PLAN_VOL_RW, true, false, false, "p-tmp"},
    {"tmp", "tmpx", PLAN_VOL_RW, true, false, false, "p-beside"},
    {"tmp", "data", PLAN_VOL_PROFILE_RW, true, true, false,
	"p-beside-noexec"},
    {"tmp", "usr/data", PLAN_VOL_RW, true, false, false, "p-own"},
    {"tmp", "usrs", PLAN_VOL_RW, true, false, false, "p-beside"},
    {"tmp", "etc", PLAN_VOL_RW, true, true, false, "p-own-noexec"},
    {"var/tmp", NULL, 0, true, false, false, "p-own"},
    {"scratch", NULL, 0, true, false, false, "p-beside"},
    {"tmp", NULL, 0, false, false, false, "p-all"},
    {"tmp", "data", PLAN_VOL_RO, false, true, false, "p-all-noexec"},
    {"tmp", NULL, 0, true, true, true, "p-tmp-wasm"},
    {"tmp", "data", PLAN_VOL_RW, true, false, true, "p-beside-wasm"},
};

static void
test_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(plans); i++) {
		struct plan p = {.read_only = plans[i].read_only,
		    .noexec = plans[i].noexec, .runtime = plans[i].wasm ?
		    PLAN_WASM : PLAN_NATIVE,
		    .nvolumes = plans[i].volume != NULL,
		    .volumes = {{.kind = plans[i].kind}}};
		struct apparmor_places at = {.dev = "dev", .proc = "proc",
		    .tmp = plans[i].tmp, .volumes = {plans[i].volume}};
		char label[LSM_LABEL_MAX], head[LSM_LABEL_MAX + 16];
		struct lsm l = {.kind = LSM_APPARMOR, .name = "p"};

		assert_true(lsm_label(label, &l, &p, &at));
		assert_string_equal(label, plans[i].name);
		/* it is one of those that are loaded */
		(void)snprintf(head, sizeof(head), "profile \"%s\" ", label);
		assert_true(apparmor_text(text, sizeof(text), "p") > 0);
		assert_non_null(strstr(text, head));
		at.dev = "devices";
		assert_false(lsm_label(label, &l, &p, &at));
		at.dev = "dev";
		at.proc = "run/proc";
		assert_false(lsm_label(label, &l, &p, &at));
		l.whole = true;
		assert_true(lsm_label(label, &l, &p, &at));
		assert_string_equal(label, "p");
		l.kind = LSM_NONE;
		assert_false(lsm_label(label, &l, &p, &at));
	}
}

/* ---- SELinux ---- */

static void
test_context(void **state)
{
	static const char *const bad[] = {"", "a", "a:b", "a:b:", "a::c",
	    ":b:c", "a:b::s0", "unconfined"};
	char a[LSM_LABEL_MAX], b[LSM_LABEL_MAX];

	(void)state;
	assert_true(selinux_context(a,
	    "system_u:system_r:unconfined_service_t:s0", 1));
	assert_string_equal(a, "system_u:system_r:warren_job_t:s0:c1,c2");
	assert_true(selinux_context(a,
	    "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", 256));
	assert_string_equal(a,
	    "unconfined_u:unconfined_r:warren_job_t:s0:c256,c257");
	assert_true(selinux_context(a, "u:r:t", 3));
	assert_string_equal(a, "u:r:warren_job_t");
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(selinux_context(a, bad[i], 1));
	/* no two slots have the same two */
	for (uint32_t i = 1; i <= 256; i++)
		for (uint32_t j = 1; j < i; j++) {
			assert_true(selinux_context(a, "u:r:t:s0", i));
			assert_true(selinux_context(b, "u:r:t:s0", j));
			assert_string_not_equal(a, b);
		}
	memset(b, 'x', sizeof(b));
	memcpy(b, "u:", 2);
	memcpy(b + 240, ":t:s0", 6);
	assert_false(selinux_context(a, b, 1));
}

/* ---- the parent's word ---- */

static void
test_word(void **state)
{
	static const struct lsm good[] = {
	    {.kind = LSM_NONE},
	    {.kind = LSM_NONE, .why = "no parser"},
	    {.kind = LSM_APPARMOR, .name = "warren-0123abcd"},
	    {.kind = LSM_APPARMOR, .whole = true, .name = "/usr/bin/x"},
	    {.kind = LSM_SELINUX},
	};
	static const char *const bad[] = {"", "x", "apparmor", "apparmor ",
	    "apparmor shapes", "apparmor shapes ", "apparmor shapes a b",
	    "apparmor profile a//&b", "apparmor profile a\nb", "selinux x",
	    "selinuxx", "nonesuch", "apparmor shapesx y",
	    "apparmor shapes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char word[LSM_TEXT_MAX], cut[LSM_TEXT_MAX];
	struct lsm l;

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		lsm_write(word, &good[i]);
		assert_true(lsm_read(&l, word));
		assert_memory_equal(&l, &good[i], sizeof(l));
		for (size_t n = 0; n < strlen(word); n++) {
			(void)snprintf(cut, sizeof(cut), "%.*s", (int)n, word);
			if (!lsm_read(&l, cut))
				assert_int_equal(l.kind, LSM_NONE);
		}
	}
	for (size_t i = 0; i < NELEM(bad); i++)
		if (lsm_read(&l, bad[i]))
			fail_msg("taken: \"%s\"", bad[i]);
	memset(word, 'x', sizeof(word) - 1);
	memcpy(word, "none ", 5);
	word[sizeof(word) - 1] = '\0';
	assert_false(lsm_read(&l, word));
}

/* ---- files of the kernel, by a folder that stands for them ---- */

static char top[64];

static void
put(const char *name, const char *what)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, what, strlen(what)), (ssize_t)strlen(what));
	(void)close(fd);
}

static int
folders(void **state)
{
	static const char *const names[] = {"self", "self/attr",
	    "self/attr/apparmor", "7", "7/attr"};
	char path[128];

	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/warren-lsm-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	for (size_t i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, names[i]);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	return 0;
}

static int
no_folders(void **state)
{
	static const char *const names[] = {"self/attr/apparmor/exec",
	    "self/attr/apparmor/current", "self/attr/exec", "self/attr/current",
	    "7/attr/exec", "7/attr/current", "7/attr", "7",
	    "self/attr/apparmor", "self/attr", "self", ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, names[i]);
		(void)remove(path);
	}
	return 0;
}

static void
test_attr(void **state)
{
	char out[LSM_LABEL_MAX], path[128], small[4];

	(void)state;
	/* no such module of the kernel, or no /proc */
	assert_int_equal(attr_exec(LSM_APPARMOR, top, "a"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(attr_is(LSM_APPARMOR, top, 0, "a"), -1);
	assert_int_equal(attr_try(LSM_SELINUX, top, "a"), -1);
	assert_int_equal(errno, ENOENT);
	/* AppArmor's own folder first, then the one of all */
	put("self/attr/exec", "");
	assert_int_equal(attr_exec(LSM_APPARMOR, top, "shared"), 0);
	put("self/attr/apparmor/exec", "");
	assert_int_equal(attr_exec(LSM_APPARMOR, top, "own"), 0);
	assert_int_equal(attr_try(LSM_APPARMOR, top, "own"), 0);
	put("self/attr/exec", "");
	assert_int_equal(attr_exec(LSM_SELINUX, top, "u:r:t"), 0);
	/* a profile that only warns is none; what it reads of it has a mode */
	put("self/attr/apparmor/exec", "");
	assert_int_equal(attr_exec(LSM_APPARMOR, top, "own (complain)"), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	put("self/attr/apparmor/exec", "");
	assert_int_equal(attr_try(LSM_APPARMOR, top, "own (kill)"), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	/* what was taken and says nothing back */
	(void)snprintf(path, sizeof(path), "%s/self/attr/apparmor/exec", top);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(attr_exec(LSM_APPARMOR, top, "a"), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(attr_try(LSM_APPARMOR, top, "a"), -1);
	assert_int_equal(errno, EBADMSG);

	put("7/attr/current", "a (enforce)\n");
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "a"), 1);
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "b"), 0);
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "a (enforce)"), 0);
	put("7/attr/current", "a (complain)\n");
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "a"), 0);
	put("7/attr/current", "a//&b (enforce)\n");
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "a"), 0);
	put("7/attr/current", "unconfined\n");
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "unconfined"), 0);
	put("7/attr/current", "");
	assert_int_equal(attr_is(LSM_APPARMOR, top, 7, "a"), 0);
	put("7/attr/current", "u:r:t:s0:c1,c2");
	assert_int_equal(attr_is(LSM_SELINUX, top, 7, "u:r:t:s0:c1,c2"), 1);
	assert_int_equal(attr_is(LSM_SELINUX, top, 7, "u:r:t:s0"), 0);
	assert_int_equal(attr_current(LSM_SELINUX, top, 7, out, sizeof(out)),
	    0);
	assert_string_equal(out, "u:r:t:s0:c1,c2");
	assert_int_equal(attr_current(LSM_SELINUX, top, 7, small,
	    sizeof(small)), 0);
	assert_string_equal(small, "u:r");
}

/* SELinux that only warns gives no layer, as it is at that moment. */
static void
test_now(void **state)
{
	int fd = -1;
	char path[128];

	(void)state;
	assert_int_equal(jail_lsm_now(LAYER_LSM | LAYER_PID, -1),
	    LAYER_LSM | LAYER_PID);
	put("7/attr/enforce", "1");
	(void)snprintf(path, sizeof(path), "%s/7/attr/enforce", top);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(jail_lsm_now(LAYER_LSM | LAYER_PID, fd),
		    LAYER_LSM | LAYER_PID);
	assert_int_equal(pwrite(fd, "0", 1, 0), 1);
	assert_int_equal(jail_lsm_now(LAYER_LSM | LAYER_PID, fd), LAYER_PID);
	assert_int_equal(jail_lsm_now(LAYER_PID, fd), LAYER_PID);
	assert_int_equal(pwrite(fd, "1", 1, 0), 1);
	assert_int_equal(jail_lsm_now(LAYER_LSM, fd), LAYER_LSM);
	assert_int_equal(ftruncate(fd, 0), 0); /* it says nothing */
	assert_int_equal(jail_lsm_now(LAYER_LSM, fd), 0);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_writes),
	    cmocka_unit_test(test_shapes),
	    cmocka_unit_test(test_context),
	    cmocka_unit_test(test_word),
	    cmocka_unit_test_setup_teardown(test_attr, folders, no_folders),
	    cmocka_unit_test_setup_teardown(test_now, folders, no_folders),
	};

	return cmocka_run_group_tests_name("lsm", tests, NULL, NULL);
}
