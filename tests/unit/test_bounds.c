/* SPDX-License-Identifier: BSD-2-Clause */
/* Contracts against what the probes tell, and what was observed in sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/bounds.h"
#include "audit/observed.h"
#include "common/pattern.h"
#include "common/util.h"

static struct contract c;
static struct bounds b;
static uint8_t denied[8 * WATCH_CALLS];

static int
setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	memset(denied, 0, sizeof(denied));
	c.anonymous_exec = true;
	return 0;
}

static void
add(struct contract_paths *l, const char *path, bool beneath)
{
	l->given = true;
	l->v[l->n++] = (struct contract_path){path, beneath, 0, 0};
}

/* As node sends it. */
static void
begin(void)
{
	static uint8_t rec[CONTRACT_RECORD_MAX];
	static struct bounds none;
	size_t n = contract_record_put(rec, sizeof(rec), &c);

	assert_true(n > 0);
	assert_true(bounds_init(&b, rec, n, denied, (struct mono){0}));
	for (size_t cut = 0; cut < n; cut++)
		assert_false(bounds_init(&none, rec, cut, denied,
		    (struct mono){0}));
}

static unsigned
act(enum rec_type type, uint32_t call, int ret, const char *path)
{
	struct watch_event e = {.type = type, .number = call, .ret = ret,
	    .call = "x", .mode = S_IFREG | 0644};

	(void)snprintf(e.path, sizeof(e.path), "%s", path);
	return bounds_event(&b, &e);
}

static void
test_places(void **state)
{
	static const struct {
		const char *path;
		bool in;
	} rows[] = {{"/agent/data", true}, {"/agent/data/a/b", true},
	    {"/agent/datas", false}, {"/agent", false}, {"/", false},
	    {"/bin/sh", true}, {"/bin/sh/x", false}, {"/bin/s", false},
	    {"//bin//sh", true}, {"", false}, {"/agent/dat", false},
	    /* the probes have room for 31 bytes of a name */
	    {"/long/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/x", true},
	    {"/long/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/x", false},
	    {"/long/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab/x", false}};

	(void)state;
	add(&c.read, "/agent/data", true);
	add(&c.read, "/bin/sh", false);
	add(&c.read, "/long/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true);
	begin();
	for (size_t i = 0; i < NELEM(rows); i++) {
		if (bounds_place(&b.c.read, rows[i].path) != rows[i].in)
			fail_msg("%s", rows[i].path);
	}
	c.read.n = 0;
	add(&c.read, "/", true);
	begin();
	assert_true(bounds_place(&b.c.read, "/any/thing"));
	assert_true(bounds_place(&b.c.read, "/"));
	c.read.n = 0; /* an empty list allows nothing */
	begin();
	assert_false(bounds_place(&b.c.read, "/"));
}

/* Within a segment, never over its end; names are cut by the probes. */
static void
test_patterns(void **state)
{
	static const struct {
		const char *path;
		bool in;
	} rows[] = {{"/out/a.log", true}, {"/out/.log", true},
	    {"/out/a.log.log", true}, {"/out/a.lo", false}, {"/out", false},
	    {"/out/", false}, {"/out/a.log/b", false}, {"/out/d/a.log", false},
	    {"/u/one/in/x/y", true}, {"/u/one/in", true}, {"/u/one/out", false},
	    {"/u/in", false}, {"/u/a/b/in", false}, {"/x-1-y", true},
	    {"/x--y", true}, {"/x-y", false}, {"/x-1-y2", false},
	    {"/out/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
	    {"/x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
	    {"/y-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false}};

	(void)state;
	add(&c.write, "/out/*.log", false);
	add(&c.write, "/u/*/in", true);
	add(&c.write, "/x-*-y", false);
	begin();
	for (size_t i = 0; i < NELEM(rows); i++) {
		if (bounds_place(&b.c.write, rows[i].path) != rows[i].in)
			fail_msg("%s", rows[i].path);
	}
	assert_int_equal(act(REC_OPEN, 0, 3, "/out/a.log"), RULE_NONE);
	assert_int_equal(act(REC_OPEN, 0, 3, "/out/a.txt"), RULE_DISK_WRITE);
	assert_int_equal(act(REC_PATH, 0, 0, "/out/d"), RULE_DISK_WRITE);
}

/* What could take for ever is done at once. */
static void
test_long_patterns(void **state)
{
	char pattern[256], name[32];

	(void)state;
	for (size_t i = 0; i < 254; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	memset(name, 'a', sizeof(name));
	for (int i = 0; i < 20000; i++)
		assert_false(pattern_name(pattern, 254, name, sizeof(name),
		    false));
	pattern[253] = 'b';
	for (int i = 0; i < 20000; i++)
		assert_true(pattern_name(pattern, 254, name, sizeof(name),
		    true));
}

static void
test_files(void **state)
{
	(void)state;
	/* nothing declared, nothing broken */
	begin();
	assert_int_equal(act(REC_PATH, SYS_openat, -EACCES, "/etc/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_REFUSED, SYS_openat, -EACCES, "/etc/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_REFUSED, SYS_execve, -EACCES, "/etc/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_EXEC, ~0u, 0, "/bin/x"), RULE_NONE);
	add(&c.write, "/agent/tmp", true);
	add(&c.read, "/agent/data", true);
	add(&c.exec, "/bin", true);
	begin();
	/* writes */
	assert_int_equal(act(REC_PATH, SYS_openat, -EACCES, "/etc/x"),
	    RULE_DISK_WRITE);
	assert_int_equal(act(REC_PATH, SYS_mkdirat, -EROFS, "/etc/x"),
	    RULE_DISK_WRITE);
	assert_int_equal(act(REC_PATH, SYS_openat, -ENOENT, "/etc/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_PATH, SYS_openat, -EACCES, "/agent/tmp/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_PATH, SYS_openat, -EACCES, "/dev/sda"),
	    RULE_NONE);
	assert_int_equal(act(REC_PATH, SYS_openat, -EACCES, "/proc/1/mem"),
	    RULE_NONE);
	assert_int_equal(act(REC_OPEN, SYS_openat, 3, "/tmp/x"),
	    RULE_DISK_WRITE);
	assert_int_equal(act(REC_OPEN, SYS_openat, 3, "/agent/tmp/x"),
	    RULE_NONE);
	/* reads: what may be run may be read */
	assert_int_equal(act(REC_REFUSED, SYS_openat, -EACCES, "/etc/passwd"),
	    RULE_DISK_READ);
	assert_int_equal(act(REC_REFUSED, SYS_openat, -EACCES, "/bin/sh"),
	    RULE_NONE);
	assert_int_equal(act(REC_REFUSED, SYS_openat, -EACCES,
	    "/agent/data/no"), RULE_NONE);
	assert_int_equal(act(REC_REFUSED, SYS_openat, -EACCES, "/dev/x"),
	    RULE_NONE);
	/* runs */
	assert_int_equal(act(REC_REFUSED, SYS_execve, -EACCES,
	    "/agent/tmp/sh"), RULE_DISK_EXEC);
	assert_int_equal(act(REC_REFUSED, SYS_execveat, -EACCES, "/bin/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_EXEC, ~0u, 0, "/bin/sh"), RULE_NONE);
	assert_int_equal(act(REC_EXEC, ~0u, 0, "/tmp/sh"), RULE_DISK_EXEC);
	/* who runs a module, where the kernel has let it */
	assert_int_equal(act(REC_EXEC, ~0u, 0, "/sys/warren/ld.so"),
	    RULE_NONE);
	assert_int_equal(act(REC_EXEC, ~0u, 0, "/sys/warren/sh"),
	    RULE_DISK_EXEC);
	assert_int_equal(act(REC_REFUSED, SYS_execve, -EACCES,
	    "/sys/warren/ld.so"), RULE_DISK_EXEC);
	/* by a loader: what it may write, and not its libraries */
	assert_int_equal(act(REC_CODE, SYS_mmap, 0, "/agent/tmp/x"),
	    RULE_DISK_EXEC);
	assert_int_equal(act(REC_CODE, SYS_mmap, 0, "/lib/libc.so.6"),
	    RULE_NONE);
	assert_int_equal(act(REC_CODE, SYS_mmap, 0, "/bin/sh"), RULE_NONE);
	c.write.given = false;
	begin();
	assert_int_equal(act(REC_CODE, SYS_mmap, 0, "/tmp/x"), RULE_DISK_EXEC);
	assert_int_equal(act(REC_CODE, SYS_mmap, 0, "/agent/tmp/x"),
	    RULE_NONE);
}

/* A place that is full is somebody's fault where a limit is on it. */
static void
test_full(void **state)
{
	(void)state;
	add(&c.write, "/agent/tmp", true);
	add(&c.write, "/tmp", true);
	c.write.v[0].max_bytes = 1000;
	c.write.v[1].max_files = 5;
	begin();
	assert_int_equal(act(REC_FULL, SYS_write, -ENOSPC, "/agent/tmp/x"),
	    RULE_DISK_MAX_BYTES);
	assert_int_equal(act(REC_FULL, SYS_write, -ENOSPC, "/tmp/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_PATH, SYS_openat, -ENOSPC, "/agent/tmp/x"),
	    RULE_NONE);
	assert_int_equal(act(REC_PATH, SYS_openat, -ENOSPC, "/tmp/x"),
	    RULE_DISK_MAX_FILES);
}

static unsigned
died(int signal, uint32_t call)
{
	const struct watch_event e = {.type = REC_EXIT, .call = "procexit",
	    .code = (uint32_t)signal, .number = call};

	return bounds_event(&b, &e);
}

static void
test_calls(void **state)
{
	struct watch_bounds wb;
	struct watch_event e = {.type = REC_MEMORY, .call = "mmap",
	    .what = MEM_ANON};

	(void)state;
	begin();
	bounds_calls(&b, &wb);
	for (unsigned i = 0; i < WATCH_CALLS; i++)
		assert_true(wb.denied[i] == 0);
	assert_int_equal(bounds_event(&b, &e), RULE_NONE);
	denied[SYS_mkdirat / 8] |= (uint8_t)(1u << SYS_mkdirat % 8);
	c.anonymous_exec = false;
	begin();
	bounds_calls(&b, &wb);
	assert_true((wb.denied[SYS_mkdirat / 64] >> SYS_mkdirat % 64 & 1) != 0);
	assert_true((wb.denied[SYS_mprotect / 64] >> SYS_mprotect % 64 & 1) !=
	    0);
	assert_int_equal(act(REC_CALL, SYS_mkdirat, -EPERM, ""),
	    RULE_SYSCALLS);
	assert_int_equal(act(REC_CALL, SYS_mprotect, -EPERM, ""),
	    RULE_ANONYMOUS_EXEC);
	assert_int_equal(act(REC_CALL, SYS_chdir, -EPERM, ""), RULE_NONE);
	assert_int_equal(act(REC_CALL, UINT32_MAX, -EPERM, ""), RULE_NONE);
	/* killed by its filter; another one's SIGSYS is no rule of ours */
	assert_int_equal(died(SIGSYS, SYS_mkdirat), RULE_SYSCALLS);
	assert_int_equal(died(SIGSYS, SYS_memfd_create), RULE_ANONYMOUS_EXEC);
	assert_int_equal(died(SIGSYS, SYS_tgkill), RULE_NONE);
	assert_int_equal(died(SIGKILL, SYS_mkdirat), RULE_NONE);
	assert_int_equal(died(31 << 8, SYS_mkdirat), RULE_NONE);
	/* what was not to be possible */
	assert_int_equal(bounds_event(&b, &e), RULE_ANONYMOUS_EXEC);
	e.what = MEM_UNKNOWN;
	assert_int_equal(bounds_event(&b, &e), RULE_NONE);
	e = (struct watch_event){.type = REC_EXEC, .memfd = true,
	    .deleted = true, .path = "/memfd:x"};
	assert_int_equal(bounds_event(&b, &e), RULE_ANONYMOUS_EXEC);
	add(&c.exec, "/", true);
	begin();
	assert_int_equal(bounds_event(&b, &e), RULE_DISK_EXEC);
}

static struct mono
ms(int64_t t)
{
	return (struct mono){t * 1000};
}

static void
test_rate(void **state)
{
	uint64_t sum = 0;
	uint32_t wait;

	(void)state;
	begin();
	assert_int_equal(bounds_written(&b, ms(1), UINT64_MAX, &wait),
	    RULE_NONE);
	assert_int_equal(bounds_read(&b, UINT64_MAX), RULE_NONE);
	c.max_read_bytes = 10;
	c.max_write_rate = 1000;
	begin();
	assert_int_equal(bounds_read(&b, 10), RULE_NONE);
	assert_int_equal(bounds_read(&b, 11), RULE_DISK_READ_BYTES);
	/* a second's worth at once, then at its rate, for hours */
	sum = 1000;
	assert_int_equal(bounds_written(&b, ms(1), sum, &wait), RULE_NONE);
	for (int i = 1; i < 40000; i++) {
		sum += 100;
		if (bounds_written(&b, ms(1 + i * 100), sum, &wait) !=
		    RULE_NONE)
			fail_msg("round %d: %llu over", i,
			    (unsigned long long)b.over);
	}
	/* one more is too many, and says how long it takes */
	sum += 2000;
	assert_int_equal(bounds_written(&b, ms(4000000), sum, &wait),
	    RULE_DISK_WRITE_RATE);
	assert_in_range(wait, 2300, 2600);
	/* said once for that time, and again when it goes on */
	sum += 5000;
	assert_int_equal(bounds_written(&b, ms(4001000), sum, &wait),
	    RULE_NONE);
	assert_int_equal(bounds_written(&b, ms(4002700), sum, &wait),
	    RULE_DISK_WRITE_RATE);
	/* never for long at a time, whatever it did */
	begin();
	assert_int_equal(bounds_written(&b, ms(5), UINT64_MAX, &wait),
	    RULE_DISK_WRITE_RATE);
	assert_int_equal(wait, BOUNDS_WAIT_MS);
	/* a clock that stands, a sum that falls */
	assert_int_equal(bounds_written(&b, ms(5), 0, &wait), RULE_NONE);
	assert_int_equal(bounds_written(&b, ms(0), 5, &wait), RULE_NONE);
	assert_int_equal(bounds_written(&b, (struct mono){INT64_MAX}, 6,
	    &wait), RULE_NONE);
	assert_true(b.over <= 1001);
}

/* ---- what was observed ---- */

static json_t *
record(const struct observed *o, const struct watch_group *g, bool whole,
    struct id32 *digest)
{
	const struct observed_sums s = {12, 34, 56};
	char text[OBSERVED_TEXT];
	size_t n = observed_put(text, digest, o, &s, g, whole);
	char *again;
	json_t *j;

	assert_true(n > 0);
	j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	/* canonical: its members in order, no space */
	again = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	assert_int_equal(strlen(again), n);
	assert_memory_equal(again, text, n);
	free(again);
	return j;
}

static void
see(struct observed *o, enum rec_type type, const char *path)
{
	struct watch_event e = {.type = type};

	(void)snprintf(e.path, sizeof(e.path), "%s", path);
	observed_event(o, &e);
}

static void
test_observed(void **state)
{
	struct observed o = {.n = 0}, p = {.n = 0};
	struct watch_group g = {.read_bytes = UINT64_MAX, .opened = 7};
	struct id32 one, two;
	char hex[65], path[32];
	uint8_t want[32];
	json_t *j;

	(void)state;
	g.calls[0] = 1 | 1u << 5;
	g.calls[7] = UINT64_C(1) << 63;
	j = record(&o, &g, true, &one);
	assert_int_equal(json_integer_value(json_object_get(j, "read_bytes")),
	    (INT64_C(1) << 53) - 1);
	assert_int_equal(json_integer_value(json_object_get(j, "wall_ms")), 56);
	assert_int_equal(json_integer_value(json_object_get(j, "processes")), 1);
	assert_true(json_is_true(json_object_get(j, "whole")));
	(void)crypto_hash_sha256(want, (const uint8_t *)"[0,5,511]", 9);
	hex_encode(hex, want, 32);
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(j, "calls"), "set")), hex);
	json_decref(j);
	/* the order in which files come does not matter, nor how often */
	see(&o, REC_OPEN, "/a");
	see(&o, REC_EXEC, "/b");
	see(&o, REC_OPEN, "/a");
	see(&o, REC_PATH, "/c");
	see(&p, REC_EXEC, "/b");
	see(&p, REC_OPEN, "/a");
	json_decref(record(&o, &g, true, &one));
	json_decref(record(&p, &g, true, &two));
	assert_true(id32_eq(&one, &two));
	see(&p, REC_EXEC, "/a");
	j = record(&p, &g, true, &two);
	assert_false(id32_eq(&one, &two));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j,
	    "files"), "run")), 2);
	json_decref(j);
	/* bounded, and it says so */
	for (int i = 0; i < 2 * OBSERVED_FILES; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		see(&o, REC_OPEN, path);
	}
	assert_int_equal(o.n, OBSERVED_FILES);
	j = record(&o, &g, true, &one);
	assert_true(json_is_false(json_object_get(j, "whole")));
	json_decref(j);
	g.lost = 1;
	j = record(&p, &g, true, &one);
	assert_true(json_is_false(json_object_get(j, "whole")));
	json_decref(j);
	/* at its largest it fits */
	memset(&g, 0xff, sizeof(g));
	g.seen[REC_FORK]--;
	json_decref(record(&p, &g, false, &one));
	observed_clear(&o);
	observed_clear(&p);
}

/* ---- records of these ---- */

static void
test_records(void **state)
{
	struct rec_path r = {.h = {.type = REC_REFUSED, .size = sizeof(r),
	    .call = SYS_openat, .ret = -EACCES}, .text = "/etc/../etc/passwd"};
	struct rec_call k = {.h = {.type = REC_CALL, .size = sizeof(k),
	    .call = SYS_mprotect, .ret = -EPERM}};
	struct rec_full f = {.h = {.type = REC_FULL, .size = sizeof(f),
	    .call = SYS_write, .ret = -ENOSPC}};
	struct watch_event e;
	char text[200], want[64];

	(void)state;
	assert_true(event_decode(&e, &r, sizeof(r)));
	assert_string_equal(e.path, "/etc/passwd");
	assert_false(e.write); /* it is to read */
	assert_int_equal(e.number, SYS_openat);
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "openat /etc/passwd: EACCES");
	r.h.type = REC_PATH;
	assert_true(event_decode(&e, &r, sizeof(r)));
	assert_true(e.write);
	r.h.type = REC_KEPT; /* the same, told by itself */
	assert_true(event_decode(&e, &r, sizeof(r)));
	assert_true(e.write);
	assert_int_equal(e.type, REC_PATH);
	assert_true(event_decode(&e, &k, sizeof(k)));
	event_text(text, sizeof(text), &e);
	(void)snprintf(want, sizeof(want), "asks for mprotect (call %d): EPERM",
	    SYS_mprotect);
	assert_string_equal(text, want);
	f.file.magic = 0x01021994;
	f.file.links = f.file.depth = 1;
	memcpy(f.file.names[0], "x", 2);
	assert_true(event_decode(&e, &f, sizeof(f)));
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "write /x: ENOSPC");
	f.h.type = REC_CODE;
	f.h.call = SYS_mmap;
	assert_true(event_decode(&e, &f, sizeof(f)));
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "maps the code of /x");
	e.type = REC_OPEN; /* held by a descriptor alone */
	e.call = "fchmod";
	event_text(text, sizeof(text), &e);
	assert_string_equal(text, "fchmod /x: ENOSPC");
	for (size_t n = 0; n < sizeof(f); n++)
		assert_false(event_decode(&e, &f, n));
	for (size_t n = 0; n < sizeof(k); n++)
		assert_false(event_decode(&e, &k, n));
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup(x, setup)
	const struct CMUnitTest tests[] = {T(test_places), T(test_patterns),
	    T(test_long_patterns), T(test_files),
	    T(test_full), T(test_calls), T(test_rate), T(test_observed),
	    T(test_records)};

	return sodium_init() < 0 ? 1 :
	    cmocka_run_group_tests(tests, NULL, NULL);
}
