/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the probes, conditions, the house's rules and the operator's. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "audit/decode.h"
#include "audit/rules.h"
#include "common/util.h"

#define PROC 0x9fa0u
#define TMPFS 0x01021994u

static struct rules rules;
static struct mistakes wrong;

static struct rec_head
head(uint16_t type, size_t size, uint32_t call, int64_t ret)
{
	return (struct rec_head){.type = type, .size = (uint16_t)size,
	    .call = call, .group = 7, .pid = 2, .tid = 300, .ret = ret,
	    .comm = "job"};
}
#define HEAD(type, r, call, ret) r.h = head(type, sizeof(r), call, ret)

/* As the probe walks: the leaf, then its folders, in a ring. */
static void
walk(struct rec_file *f, const char *path)
{
	const char *end = path + strlen(path);
	unsigned n = 0;

	while (end > path) {
		const char *slash = end;
		size_t len;

		while (slash > path && slash[-1] != '/')
			slash--;
		len = MIN_OF((size_t)(end - slash), REC_NAME - 1u);
		memset(f->names[n == 0 ? 0 : 1 + (n - 1) % (REC_NAMES - 1)], 0,
		    REC_NAME);
		memcpy(f->names[n == 0 ? 0 : 1 + (n - 1) % (REC_NAMES - 1)],
		    slash, len);
		n++;
		end = slash - 1;
	}
	f->depth = n;
	f->links = 1;
	f->mode = S_IFREG | 0644;
}

static struct watch_event
decoded(const void *rec, size_t len)
{
	struct watch_event e;

	assert_true(event_decode(&e, rec, len));
	return e;
}

static struct watch_event
opened(const char *path, uint64_t magic, uint32_t mode, uint32_t major,
    uint32_t minor)
{
	struct rec_open r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_OPEN, r, SYS_openat, 3);
	walk(&r.file, path);
	r.file.magic = magic;
	r.file.mode = mode;
	r.file.major = major;
	r.file.minor = minor;
	return decoded(&r, sizeof(r));
}

static struct watch_event
refused(const char *at, const char *text, int error)
{
	struct rec_path r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_PATH, r, SYS_openat, -error);
	walk(&r.at, at);
	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	return decoded(&r, sizeof(r));
}

static struct watch_event
ran(const char *path, uint64_t magic, uint32_t links)
{
	struct rec_exec r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_EXEC, r, ~0u, 0);
	walk(&r.file, path);
	r.file.magic = magic;
	r.file.links = links;
	return decoded(&r, sizeof(r));
}

static struct watch_event
mapped(uint32_t call, uint32_t what, const char *path, uint32_t links)
{
	struct rec_memory r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_MEMORY, r, call, 0);
	r.what = what;
	if (path != NULL) {
		walk(&r.file, path);
		r.file.magic = TMPFS;
		r.file.links = links;
	}
	return decoded(&r, sizeof(r));
}

static struct watch_event
cred(uint32_t call, int64_t ret, uint64_t a, uint64_t b, bool changed)
{
	struct rec_cred r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_CRED, r, call, ret);
	r.args[0] = a;
	r.args[1] = b;
	r.args[2] = 1000;
	r.changed = changed;
	return decoded(&r, sizeof(r));
}

static struct watch_event
forked(int64_t ret)
{
	struct rec_fork r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_FORK, r, ~0u, ret);
	return decoded(&r, sizeof(r));
}

static struct watch_event
node(const char *text, uint32_t mode, uint32_t dev)
{
	struct rec_path r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_PATH, r, SYS_mknodat, -EPERM);
	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	r.flags = mode;
	r.dev = dev;
	return decoded(&r, sizeof(r));
}

static struct watch_event
ended(uint32_t code, bool oom)
{
	struct rec_exit r;

	memset(&r, 0, sizeof(r));
	HEAD(REC_EXIT, r, ~0u, 0);
	r.code = code;
	r.oom = oom;
	return decoded(&r, sizeof(r));
}

/* Names of the rules that it breaks, with a blank behind each. */
static const char *
hits(struct watch_event e, uint32_t burst)
{
	static char out[400];
	struct cond_job j = {.burst_s = burst};
	size_t len = 0;

	out[0] = '\0';
	for (int i = rules_match(&rules, 0, &e, &j); i >= 0;
	    i = rules_match(&rules, (unsigned)i + 1, &e, &j))
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s ",
		    rules.rule[i].name);
	return out;
}
#define HITS(e, want) assert_string_equal(hits(e, 0), want)

static int
setup(void **state)
{
	(void)state;
	memset(&wrong, 0, sizeof(wrong));
	if (rules_read(&rules, NULL, 0, &wrong) == 0 && wrong.n == 0)
		return 0;
	print_message("%u:%u %s\n", wrong.v[0].line, wrong.v[0].column,
	    wrong.v[0].text);
	return -1;
}

/* ---- the house's rules: what they find, and what looks like it ---- */

static void
test_files(void **state)
{
	(void)state;
	HITS(opened("/proc/sys/kernel/core_pattern", PROC, S_IFREG, 0, 0),
	    "write_proc ");
	HITS(opened("/mnt/x/core_pattern", PROC, S_IFREG, 0, 0), "write_proc ");
	HITS(opened("/proc/7/mem", PROC, S_IFREG, 0, 0), "write_proc ");
	HITS(opened("/proc/7/comm", PROC, S_IFREG, 0, 0), "");
	HITS(opened("/proc/7/task/9/comm", PROC, S_IFREG, 0, 0), "");
	HITS(opened("/proc/7/oom_score_adj", PROC, S_IFREG, 0, 0), "");
	HITS(refused("", "/proc/sysrq-trigger", EACCES), "write_proc ");
	HITS(refused("/proc/sys/kernel", "core_pattern", EROFS), "write_proc ");
	HITS(refused("/proc", "../tmp/x", EROFS), "");
	HITS(refused("", "/tmp/../proc//./sys/kernel/x", EROFS), "write_proc ");
	HITS(refused("", "/proc/self/root/boot/x", EROFS), "write_boot ");
	HITS(refused("", "/proc/77/root/tmp/x", EROFS), "");
	HITS(refused("", "/proc/self/fd/1", EACCES), "");
	HITS(refused("", "/sys/kernel/x", EROFS), "write_proc ");
	HITS(refused("", "/system/x", EROFS), "");
	HITS(opened("/dev/null", TMPFS, S_IFCHR, 1, 3), "");
	HITS(opened("/dev/tty", TMPFS, S_IFCHR, 5, 0), "");
	HITS(opened("/dev/pts/0", 0x1cd1, S_IFCHR, 136, 0), "");
	HITS(opened("/dev/null", TMPFS, S_IFCHR, 1, 11), "write_dev ");
	HITS(opened("/tmp/disk", TMPFS, S_IFBLK, 8, 0), "write_dev ");
	HITS(opened("/dev/shm/x", TMPFS, S_IFREG, 0, 0), "");
	HITS(opened("/dev/evil", TMPFS, S_IFREG, 0, 0), "write_dev ");
	HITS(refused("", "/dev/sda", ENOENT), "write_dev ");
	HITS(refused("", "/dev/tty", ENXIO), "");
	HITS(refused("", "/dev/stderr", EACCES), "");
	HITS(refused("", "/dev/fd/2", EACCES), "");
	HITS(refused("/dev", "mem", EACCES), "write_dev ");
	HITS(refused("", "/device/x", EROFS), "");
	HITS(opened("/boot/vmlinuz", TMPFS, S_IFREG, 0, 0), "write_boot ");
	HITS(refused("/", "boot/grub", EROFS), "write_boot ");
	HITS(refused("", "/boot", EISDIR), "write_boot ");
	HITS(refused("", "/bootstrap/x", EROFS), "");
	HITS(opened("/agent/boot/x", TMPFS, S_IFREG, 0, 0), "");
}

static void
test_nodes(void **state)
{
	(void)state;
	HITS(node("/tmp/mem", S_IFCHR | 0600, 0x101), "write_dev ");
	HITS(node("/tmp/sda", S_IFBLK | 0600, 0x800), "write_dev ");
	HITS(node("/tmp/null", S_IFCHR | 0666, 0x103), "");
	HITS(node("/tmp/white", S_IFCHR, 0), "");
	HITS(node("/tmp/fifo", S_IFIFO, 0x101), "");
	HITS(node("/boot/fifo", S_IFIFO, 0), "write_boot ");
	/* as the tiers with trampolines tell it: a name alone */
	HITS(node("/dev/null", 0, 0), "");
	HITS(node("/dev/nullx", 0, 0), "write_dev ");
}

static void
test_memory(void **state)
{
	(void)state;
	HITS(mapped(SYS_mmap, MEM_ANON, NULL, 0), "anonymous_exec ");
	HITS(mapped(SYS_mmap, MEM_ANON | MEM_WRITE, NULL, 0),
	    "anonymous_exec write_then_exec ");
	HITS(mapped(SYS_mprotect, MEM_ANON, NULL, 0),
	    "anonymous_exec write_then_exec ");
	HITS(mapped(SYS_mprotect, MEM_WRITTEN, "/lib/x.so", 1),
	    "write_then_exec ");
	HITS(mapped(SYS_mprotect, MEM_UNKNOWN, NULL, 0), "anonymous_exec ");
	HITS(mapped(SYS_mmap, 0, "/memfd:x", 0), "map_deleted ");
	HITS(mapped(SYS_mmap, 0, "/lib/x.so", 1), "");
	HITS(ran("/memfd:x", TMPFS, 0), "run_memory ");
	HITS(ran("/tmp/gone", TMPFS, 0), "run_memory ");
	HITS(ran("/bin/memfd:x", TMPFS, 1), "");
	HITS(ran("/bin/sh", 0xef53, 1), "");
}

static void
test_rest(void **state)
{
	(void)state;
	HITS(cred(SYS_setuid, -EINVAL, 0, 0, false), "credentials_asked ");
	HITS(cred(SYS_setuid, 0, 1000, 0, false), "");
	HITS(cred(SYS_setresuid, 0, 0xffffffff, 1000, false), "");
	HITS(cred(SYS_setresuid, -EINVAL, 0xffffffff, 0, false),
	    "credentials_asked ");
	HITS(cred(SYS_capset, 0, 0, 0, false), "");
	/* given up, even where the filter refuses that; asked for */
	HITS(cred(SYS_capset, -ENOSYS, 0, 0, false), "");
	HITS(cred(SYS_capset, -EPERM, 0, 1, false), "credentials_asked ");
	HITS(cred(SYS_unshare, -EPERM, 0x10000000, 0, false),
	    "credentials_asked ");
	HITS(cred(SYS_clone3, -EPERM, 0, 0, false), "credentials_asked ");
	HITS(cred(SYS_prctl, -EPERM, 28, 0, false), "credentials_asked ");
	HITS(cred(SYS_openat, 0, 0, 0, true), "credentials_changed ");
	HITS(ended(31, false), "forbidden_call ");
	HITS(ended(9, true), "out_of_memory ");
	HITS(ended(9, false), "");
	HITS(forked(-EAGAIN), "fork_refused ");
	HITS(forked(0), "");
	HITS(ended(0, false), "");
	assert_string_equal(hits(ended(0, false), 9), "");
	assert_string_equal(hits(ended(0, false), 10), "cpu_burst ");
}

static void
test_words(void **state)
{
	char text[256], deep[1400] = "";
	struct watch_event e = opened("/proc/x", PROC, S_IFREG, 0, 0);

	(void)state;
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "opens /proc/x for writing");
	assert_string_equal(event_fs(&e), "proc");
	assert_string_equal(event_leaf(&e), "x");
	e = refused("/a", "../../../b", ENOENT);
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "openat /b: ENOENT");
	e = ended(9, true);
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "is killed: out of memory");
	e = ended(3 << 8, false);
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "ends with 3");
	/* more folders than a record holds: the top and the leaf are there */
	for (int i = 0; i < 40; i++)
		(void)snprintf(deep + strlen(deep), sizeof(deep) -
		    strlen(deep), "/%s%d", i == 0 ? "boot" : "d", i);
	e = opened(deep, TMPFS, S_IFREG, 0, 0);
	assert_true(e.cut);
	assert_memory_equal(e.path, "/boot0/d1/", 10);
	assert_string_equal(event_leaf(&e), "d39");
}

/* ---- hostile records ---- */

static void
test_hostile(void **state)
{
	struct rec_path r;
	struct watch_event e;
	uint8_t buf[sizeof(r) + 16];

	(void)state;
	memset(&r, 0xff, sizeof(r));
	r.h = head(REC_PATH, sizeof(r), SYS_openat, -1);
	for (size_t n = 0; n < sizeof(r); n++)
		assert_false(event_decode(&e, &r, n));
	assert_true(event_decode(&e, &r, sizeof(r)));
	assert_true(e.cut);
	memset(buf, 0, sizeof(buf));
	memcpy(buf, &r, sizeof(r));
	assert_false(event_decode(&e, buf, sizeof(buf)));
	for (unsigned type = 0; type < 300; type++) {
		r.h.type = (uint16_t)type;
		assert_int_equal(event_decode(&e, &r, sizeof(r)),
		    type == REC_PATH || type == REC_REFUSED ||
		    type == REC_KEPT);
	}
}

/* ---- the operator's file ---- */

static int
read_file(const char *text)
{
	memset(&wrong, 0, sizeof(wrong));
	return rules_read(&rules, text, strlen(text), &wrong);
}

static const struct rule *
rule(const char *name)
{
	for (unsigned i = 0; i < rules.n; i++) {
		if (strcmp(rules.rule[i].name, name) == 0)
			return &rules.rule[i];
	}
	return NULL;
}

static void
test_file(void **state)
{
	unsigned own;

	(void)state;
	assert_int_equal(read_file(""), 0);
	own = rules.n;
	assert_true(own > 8);
	assert_int_equal(read_file("- rule: write_boot\n  action: kill\n"
	    "- rule: anonymous_exec\n  enabled: false\n"
	    "- list: own_settings\n  items: [mem]\n"
	    "- rule: shells\n  desc: a shell\n"
	    "  condition: evt.type = execve and proc.name in (sh, bash)\n"
	    "  action: freeze\n  priority: NOTICE\n"), 0);
	assert_int_equal(rules.n, own + 1);
	assert_int_equal(rule("write_boot")->action, RULE_KILL);
	assert_int_equal(rule("write_boot")->severity, 4);
	assert_int_equal(rule("shells")->action, RULE_FREEZE);
	assert_int_equal(rule("shells")->severity, 2);
	HITS(mapped(SYS_mmap, MEM_ANON, NULL, 0), "");
	HITS(opened("/proc/7/mem", PROC, S_IFREG, 0, 0), "");
	HITS(opened("/proc/7/comm", PROC, S_IFREG, 0, 0), "write_proc ");
	HITS(opened("/boot/x", TMPFS, S_IFREG, 0, 0), "write_boot ");
}

static void
mistake(const char *text, unsigned line, unsigned column, const char *what)
{
	assert_int_equal(read_file(text), -1);
	if (wrong.v[0].line != line || wrong.v[0].column != column ||
	    strstr(wrong.v[0].text, what) == NULL)
		fail_msg("%s: %u:%u %s", text, wrong.v[0].line,
		    wrong.v[0].column, wrong.v[0].text);
	/* the house's own are in force */
	assert_non_null(rule("run_memory"));
	HITS(ran("/memfd:x", TMPFS, 0), "run_memory ");
}

static void
test_mistakes(void **state)
{
	(void)state;
	mistake("a: b\n", 1, 1, "list");
	mistake("- foo: bar\n", 1, 3, "neither");
	mistake("- rule: new\n", 1, 3, "no condition");
	mistake("- rule: New\n  condition: mem.anon\n", 1, 9, "name");
	mistake("- rule: x\n  condition: fd.nam = /x\n", 2, 14, "fd.name");
	mistake("- rule: x\n  condition: fd.name\n", 2, 21, "comparison");
	mistake("- rule: x\n  condition: fd.name > 3\n", 2, 14, "compared");
	mistake("- rule: x\n  condition: proc.pid = abc\n", 2, 25, "number");
	mistake("- rule: x\n  condition: mem.anon = yes\n", 2, 25, "true");
	mistake("- rule: x\n  condition: mem.anon mem.written\n", 2, 23,
	    "missing");
	mistake("- rule: x\n  condition: (mem.anon\n", 2, 23, "missing");
	mistake("- rule: x\n  condition: fd.name in /x\n", 2, 25, "list");
	mistake("- rule: x\n  condition: fd.name in (/x\n", 2, 28, "missing");
	mistake("- rule: x\n  condition: not\n", 2, 17, "field");
	mistake("- rule: x\n  condition: mem.anon\n  action: deny\n", 3, 11,
	    "action");
	mistake("- rule: x\n  condition: mem.anon\n  output: x\n", 3, 3,
	    "output");
	mistake("- rule: x\n  condition: mem.anon\n- rule: x\n", 3, 3,
	    "already");
	mistake("- list: x\n", 1, 3, "items");
}

/* Words that are almost something: a list, a rule of the house, a call. */
static void
test_misspelt(void **state)
{
	static const char lists[] = "- list: our_tools\n  items: [/a]\n"
				    "- rule: x\n  condition: fd.name in (%s)\n";
	char text[200];

	(void)state;
	(void)snprintf(text, sizeof(text), lists, "our_tool");
	mistake(text, 4, 26, "did you mean our_tools?");
	(void)snprintf(text, sizeof(text), lists, "'our_tool', kernal_files");
	mistake(text, 4, 38, "did you mean kernel_files?");
	(void)snprintf(text, sizeof(text), lists, "'our_tool', our_tools, a_b");
	assert_int_equal(read_file(text), 0);
	mistake("- rule: write_boots\n", 1, 3, "no condition");
	assert_non_null(strstr(wrong.v[0].hint, "\"write_boot\""));
	assert_int_equal(read_file("- rule: x\n  condition: mem.anon and "
	    "evt.type in (execve, open_by_handle_at)\n"), 0);
	assert_null(cond_unknown(&rule("x")->cond));
	assert_int_equal(read_file("- rule: x\n  condition: not mem.anon or "
	    "evt.type in (execve, execv)\n"), 0);
	assert_string_equal(cond_unknown(&rule("x")->cond), "execv");
	assert_int_equal(rule("x")->line, 2);
	assert_int_equal(rule("x")->column, 14);
	for (unsigned i = 0; i < rules.n; i++)
		if (rules.rule[i].line == 0)
			assert_null(cond_unknown(&rules.rule[i].cond));
}

static void
test_bounds(void **state)
{
	char text[8000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "- rule: x\n  condition: ");
	for (int i = 0; i < 40; i++)
		text[n++] = '(';
	text[n] = '\0';
	mistake(text, 2, 14 + COND_DEPTH, "brackets");
	n = (size_t)snprintf(text, sizeof(text), "- rule: x\n  condition: "
	    "mem.anon");
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    " or mem.anon");
	assert_int_equal(read_file(text), -1);
	n = 0;
	for (int i = 0; i < RULES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "- rule: r%d\n  condition: mem.anon\n", i);
	assert_int_equal(read_file(text), -1);
	assert_non_null(strstr(wrong.v[0].text, "more than"));
}

/* What the kernel may refuse: only what it knows as the house has it. */
static void
test_denied(void **state)
{
	(void)state;
	assert_int_equal(read_file(""), 0);
	assert_int_equal(rules_denied(&rules), DENY_RUN | DENY_CRED);
	assert_int_equal(read_file("- rule: write_boot\n  action: kill\n"
	    "- rule: write_dev\n  action: kill\n"
	    "- rule: run_memory\n  action: log\n"
	    "- rule: credentials_changed\n  enabled: false\n"), 0);
	assert_int_equal(rules_denied(&rules), DENY_BOOT | DENY_DEV);
	/* the operator's own words are not known there */
	assert_int_equal(read_file("- rule: write_boot\n  action: kill\n"
	    "  condition: evt.is_write and fd.name startswith /boot/efi\n"
	    "- rule: write_dev\n  action: kill\n"
	    "- rule: write_proc\n  action: kill\n"
	    "- list: plain_devices\n  items: ['1:3', '10:229']\n"), 0);
	assert_int_equal(rules_denied(&rules), DENY_RUN | DENY_CRED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_files, setup),
	    cmocka_unit_test_setup(test_nodes, setup),
	    cmocka_unit_test_setup(test_denied, setup),
	    cmocka_unit_test_setup(test_memory, setup),
	    cmocka_unit_test_setup(test_rest, setup),
	    cmocka_unit_test_setup(test_words, setup),
	    cmocka_unit_test_setup(test_hostile, setup),
	    cmocka_unit_test_setup(test_file, setup),
	    cmocka_unit_test_setup(test_mistakes, setup),
	    cmocka_unit_test_setup(test_misspelt, setup),
	    cmocka_unit_test_setup(test_bounds, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
