/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-wasm itself, outside a jail: what it makes of modules, good and bad,
 * and how their ends are told (compute.md 5).
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/base/report.h"
#include "sandbox/plan/plan.h"
#include "sandbox/plan/wasm.h"
#include "sandbox/wasm/lock.h"
#include "tests/unit/wasmkit.h"

#define MODULE_ROOM (1u << 20)
#define POISONS 64

struct row {
	const char *words[4];
	int status;	  /* a signal: -N */
	const char *says; /* somewhere in what it wrote */
	struct how how;
};

static void
all(const char *module, const struct row *rows, size_t n, unsigned more)
{
	int file = wasm_file(module), codes[2];
	struct ended e;

	/* with fuel, and without */
	for (unsigned long i = 0; i < 2; i++) {
		codes[i] = wasm_compile(file, more, i, &e);
		if (e.status != 0 || !e.report.ok)
			fail_msg("%s: %s", module, e.report.why);
	}
	for (size_t i = 0; i < n; i++) {
		struct how how = rows[i].how;

		how.flags |= more;
		wasm_run(codes[how.fuel != 0], &how, rows[i].words, &e);
		if (e.status != rows[i].status ||
		    strstr(e.out, rows[i].says) == NULL)
			fail_msg("%s %s, flags %u: %d, %s", module,
			    rows[i].words[0], how.flags, e.status, e.out);
	}
	(void)close(codes[0]);
	(void)close(codes[1]);
	(void)close(file);
}

#define HOW_TIME {.ms = 200}
#define HOW_FUEL {.fuel = 10000000}
static const struct row ends[] = {
    {{"hello"}, 0, "hello test", {0}},
    {{"args", "x", "y z"}, 0, "[acts][args][x][y z]", {0}},
    {{"exit", "42"}, 42, "", {0}}, {{"exit", "125"}, 125, "", {0}},
    {{"exit", "126"}, 126, "", {0}}, {{"exit", "255"}, 255, "", {0}},
    {{"exit", "256"}, 255, "", {0}}, {{"exit", "259"}, 3, "", {0}},
    {{"exit", "-1"}, 255, "", {0}},
    {{"unreachable"}, -SIGABRT, "warren: unreachable", {0}},
    {{"abort"}, -SIGABRT, "warren: unreachable", {0}},
    {{"outside"}, -SIGSEGV, "warren: memory out of bounds", {0}},
    {{"zero"}, -SIGFPE, "warren: division by zero", {0}},
    {{"call"}, -SIGSEGV, "warren: call of a function", {0}},
    {{"stack"}, -SIGSEGV, "warren: ", {0}},
    {{"loop"}, -SIGXCPU, "warren: out of time", HOW_TIME},
    {{"loop"}, -SIGXCPU, "warren: out of fuel", HOW_FUEL},
    {{"grow", "500"}, 0, " MiB", {0}},
    {{"sleep", "0"}, 0, "", {0}},
    {{"cat", "/etc/passwd"}, 1, "/etc/passwd: ", {0}},
    {{"cat", "../secret"}, 1, "../secret: ", {0}},
    {{"list", "/"}, 1, "/: ", {0}}};

static void
test_ends(void **state)
{
	(void)state;
	all("acts.wasm", ends, NELEM(ends), 0);
	all("acts.wasm", ends, NELEM(ends), WASM_EMULATED);
}

static void
test_interpreted(void **state)
{
	static const struct row rows[] = {
	    {{"hello"}, 0, "hello test", {0}},
	    {{"unreachable"}, -SIGABRT, "warren: unreachable", {0}},
	    {{"stack"}, -SIGSEGV, "warren: ", {0}},
	    {{"loop"}, -SIGXCPU, "warren: out of fuel", HOW_FUEL}};

	(void)state;
	all("acts.wasm", rows, NELEM(rows), WASM_INTERPRETED);
	all("acts.wasm", rows, NELEM(rows), WASM_INTERPRETED | WASM_EMULATED);
}

/* exit(42) of a component is told as one bit. */
static void
test_component(void **state)
{
	static const struct row rows[] = {
	    {{"hello"}, 0, "hello test", {0}},
	    {{"exit", "0"}, 0, "", {0}}, {{"exit", "42"}, 1, "", {0}},
	    {{"unreachable"}, -SIGABRT, "warren: unreachable", {0}},
	    {{"loop"}, -SIGXCPU, "warren: out of time", HOW_TIME},
	    {{"loop"}, -SIGXCPU, "warren: out of fuel", HOW_FUEL},
	    {{"cat", "/etc/passwd"}, 1, "/etc/passwd: ", {0}}};
	static const struct row no[] = {
	    {{"hello"}, 126, "with `files: memory`", {0}}};

	(void)state;
	all("acts.component.wasm", rows, NELEM(rows), 0);
	all("acts.component.wasm", rows, NELEM(rows), WASM_EMULATED);
	all("acts.component.wasm", no, NELEM(no), WASM_FIXED);
}

/*
 * What a component says of the functions that it imports is its own word, and
 * is not taken (tests/wasm/odd).
 */
static void
test_odd(void **state)
{
	static const struct {
		const char *module, *says;
		int status; /* 0: SIGABRT, of WASI of our own */
	} rows[] = {
	    {"odd/type-of-result.wasm", "type mismatch", 0},
	    {"odd/number-of-arguments.wasm", "another type", 0},
	    {"odd/list-of-others.wasm", "another type", 0},
	    {"odd/no-end-of-resources.wasm", "too many resources", 0},
	    {"odd/socket.wasm", "has not been defined", 0},
	    /* its functions' names are in what the engine says */
	    {"odd/names.wasm", "warren: unreachable", 0},
	    {"odd/pointer.wasm", "warren: memory out of bounds", -SIGSEGV}};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		int file = wasm_file(rows[i].module), code;
		int status = rows[i].status != 0 ? rows[i].status : -SIGABRT;
		const struct how how = {.flags = rows[i].status == 0 ?
		    WASM_EMULATED : 0};
		struct ended e;

		code = wasm_compile(file, 0, 0, &e);
		if (e.status != 0)
			fail_msg("%s: %s", rows[i].module, e.report.why);
		wasm_run(code, &how, (const char *[]){NULL}, &e);
		if (e.status != status || strstr(e.out, rows[i].says) == NULL)
			fail_msg("%s: %d, %s", rows[i].module, e.status, e.out);
		(void)close(code);
		(void)close(file);
	}
}

/* Nothing of it runs. */
static void
test_odd_refused(void **state)
{
	static const struct {
		const char *module, *says;
	} rows[] = {
	    /* the engine itself knows what a method is of */
	    {"odd/number-for-a-resource.wasm", "first argument"},
	    {"odd/run-of-another-type.wasm", "whose run takes nothing"},
	    {"odd/run-of-no-result.wasm", "whose run takes nothing"}};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		int file = wasm_file(rows[i].module);
		struct ended e;

		(void)close(wasm_compile(file, 0, 0, &e));
		assert_int_equal(e.status, 1);
		if (strstr(e.report.why, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].module, e.report.why);
		(void)close(file);
	}
}

/* No more is done than the result of a call can say. */
static void
test_transfer(void **state)
{
	const struct how how = {.flags = WASM_EMULATED, .unheard = true};
	int file = wasm_file("odd/transfer.wasm"), code;
	struct ended e;

	(void)state;
	code = wasm_compile(file, 0, 0, &e);
	assert_int_equal(e.status, 0);
	wasm_run(code, &how, (const char *[]){NULL}, &e);
	assert_int_equal(e.status, 42);
	(void)close(code);
	(void)close(file);
}

/* ---- files ---- */

/* Of a module, and of a component. */
static const char *const both[] = {"acts.wasm", "acts.component.wasm"};

static void
files_of(const char *module)
{
	static const unsigned ways[] = {0, WASM_EMULATED};
	int file = wasm_file(module), code;
	char in[128], out[128], link[128], text[64];
	struct ended e;
	FILE *f;

	code = wasm_compile(file, 0, 0, &e);
	(void)snprintf(in, sizeof(in), "%s", wasm_in_folder("in"));
	(void)snprintf(out, sizeof(out), "%s", wasm_in_folder("out"));
	(void)snprintf(link, sizeof(link), "%s", wasm_in_folder("link"));
	for (size_t i = 0; i < NELEM(ways); i++) {
		struct how ro = {.flags = ways[i]}, rw = ro;

		rw.writable = true;
		wasm_write_file("in", "some content\n");
		wasm_run(code, &ro, (const char *[]){"cat", in, NULL}, &e);
		assert_string_equal(e.out, "some content\n");
		wasm_run(code, &ro, (const char *[]){"put", out, "x", NULL}, &e);
		assert_int_equal(e.status, 1);
		assert_int_equal(access(out, F_OK), -1);
		wasm_run(code, &rw, (const char *[]){"copy", in, out, NULL}, &e);
		assert_int_equal(e.status, 0);
		assert_non_null(f = fopen(out, "re"));
		assert_non_null(fgets(text, sizeof(text), f));
		(void)fclose(f);
		assert_string_equal(text, "some content\n");
		/* two folders in one call: what a component lends is two */
		wasm_run(code, &rw, (const char *[]){"move", out, link, NULL},
		    &e);
		assert_int_equal(e.status, 0);
		assert_string_equal(e.out, "some content\n");
		wasm_run(code, &rw, (const char *[]){"move", link, out, NULL},
		    &e);
		assert_int_equal(e.status, 0);
		/* a link that leads out is neither made nor followed */
		wasm_run(code, &rw, (const char *[]){"link", "/etc/passwd", link,
		    NULL}, &e);
		assert_int_equal(e.status, 1);
		assert_null(strstr(e.out, "root:"));
		assert_int_equal(access(link, F_OK), -1);
		wasm_run(code, &rw, (const char *[]){"link", "../../etc/passwd",
		    link, NULL}, &e);
		assert_null(strstr(e.out, "root:"));
		(void)unlink(link);
		assert_int_equal(unlink(out), 0);
	}
	/* one that is there already, put by somebody else */
	assert_int_equal(symlink("/etc/passwd", link), 0);
	for (size_t i = 0; i < NELEM(ways); i++) {
		struct how ro = {.flags = ways[i]};

		wasm_run(code, &ro, (const char *[]){"cat", link, NULL}, &e);
		assert_int_equal(e.status, 1);
		assert_null(strstr(e.out, "root:"));
	}
	(void)unlink(link);
	/* what is emulated is bounded by the job's output */
	wasm_run(code, &(struct how){.flags = WASM_EMULATED, .writable = true},
	    (const char *[]){"fill", out, NULL}, &e);
	assert_true(strtoll(e.out, NULL, 10) <= 1 << 20);
	assert_non_null(strstr(e.out, "No space"));
	assert_int_equal(unlink(out), 0);
	wasm_run(code, &(struct how){.flags = WASM_EMULATED, .writable = true},
	    (const char *[]){"many", wasm_folder, "300", NULL}, &e);
	assert_string_equal(e.out, "255: No space left on device\n");
	/* and the one that it could make, but not write */
	for (int i = 0; i < 256; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_int_equal(unlink(wasm_in_folder(text)), 0);
	}
	wasm_run(code, &(struct how){.flags = WASM_EMULATED}, (const char *[]){
	    "list", wasm_folder, NULL}, &e);
	assert_string_equal(e.out, "in\n");
	(void)unlink(in);
	(void)close(code);
	(void)close(file);
}

static void
test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(both); i++)
		files_of(both[i]);
}

/* What runs into its time with files in memory keeps what it wrote. */
static void
time_of(const char *module)
{
	struct how how = {.flags = WASM_EMULATED, .ms = 200, .writable = true};
	int file = wasm_file(module), code;
	const char *out = wasm_in_folder("late");
	struct ended e;

	code = wasm_compile(file, 0, 0, &e);
	wasm_run(code, &how, (const char *[]){"keep", out, "loop", NULL}, &e);
	assert_int_equal(e.status, -SIGXCPU);
	assert_int_equal(unlink(out), 0);
	wasm_run(code, &how, (const char *[]){"keep", out, "sleep", "15", NULL},
	    &e);
	assert_int_equal(e.status, -SIGXCPU);
	assert_non_null(strstr(e.out, "warren: out of time"));
	assert_int_equal(unlink(out), 0);
	how.ms = 60000;
	wasm_run(code, &how, (const char *[]){"keep", out, "sleep", "0", NULL},
	    &e);
	assert_int_equal(e.status, 0);
	assert_int_equal(unlink(out), 0);
	(void)close(code);
	(void)close(file);
}

static void
test_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(both); i++)
		time_of(both[i]);
}

/* A component only with files in memory. */
static void
fixed_of(const char *module, unsigned folders, const char *seen)
{
	const unsigned ways[] = {WASM_FIXED | folders,
	    WASM_FIXED | WASM_EMULATED};
	int file = wasm_file(module), code;
	char first[4096] = "";
	struct ended e;

	code = wasm_compile(file, 0, 0, &e);
	for (size_t i = 0; i < 4; i++) {
		struct how how = {.flags = ways[i % 2]};

		wasm_run(code, &how, (const char *[]){"chance", NULL}, &e);
		assert_int_equal(e.status, 0);
		if (i == 0)
			memcpy(first, e.out, sizeof(first));
		assert_string_equal(e.out, first);
	}
	/* nor does anything that it waits for, or writes */
	wasm_run(code, &(struct how){.flags = WASM_FIXED | WASM_EMULATED,
	    .writable = true}, (const char *[]){"times", wasm_in_folder("times"),
	    NULL}, &e);
	assert_string_equal(e.out, seen);
	assert_int_equal(unlink(wasm_in_folder("times")), 0);
	(void)close(code);
	(void)close(file);
}

static void
test_fixed(void **state)
{
	(void)state;
	fixed_of(both[0], 0, "946684800 0.000001000\n");
	/* whose clock is read once more on the way */
	fixed_of(both[1], WASM_EMULATED, "946684800 0.000002000\n");
}

/* ---- the last filter ---- */

static void *
other_filter(void *arg)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = {.len = 1, .filter = &all};
	int *pipes = arg;
	char c = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;

	(void)!write(pipes[1], &c, 1);
	(void)pause();
	return NULL;
}

/* A thread that cannot take it is an error, as everything else is. */
static void
test_lock(void **state)
{
	int pipes[2];
	pthread_t t;
	pid_t pid;
	char c = 0;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    pthread_create(&t, NULL, other_filter, pipes) != 0 ||
		    read(pipes[0], &c, 1) != 1 || c != 1)
			_exit(9);
		_exit(lock_down(false) == -1 ? 0 : 1);
	}
	assert_int_equal(wasm_status(pid, NULL), 0);
	pid = fork();
	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? 9 :
		    lock_down(false) == 0 && open("/", O_RDONLY) == -1 ? 0 : 1);
	assert_int_equal(wasm_status(pid, NULL), 0);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

/* ---- what is refused ---- */

static void
refused(const uint8_t *p, size_t n, const char *says)
{
	struct ended e;
	int fd = wasm_memfd(p, n), code = wasm_compile(fd, 0, 0, &e);
	struct stat st;

	(void)close(fd);
	if (e.status != 1 || e.report.kind != REPORT_HAND || e.report.ok ||
	    strstr(e.report.why, says) == NULL)
		fail_msg("%d: %s, not: %s", e.status, e.report.why, says);
	assert_int_equal(fstat(code, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)close(code);
}
#define REFUSED(bytes, says)                                                   \
	refused((const uint8_t *)bytes, sizeof(bytes) - 1, says)

#define HEAD "\0asm\1\0\0\0"
#define TYPE "\1\4\1\x60\0\0"
#define FUNCTION "\3\2\1\0" /* one, of that type */
#define START "\7\12\1\6_start\0\0"

static void
test_refused(void **state)
{
	(void)state;
	REFUSED("", "no WebAssembly");
	REFUSED("(module)", "no WebAssembly");
	REFUSED("\x7f" "ELF\2\1\1\0\0\0\0\0", "no WebAssembly");
	REFUSED(HEAD, "exports no _start");
	REFUSED("\0asm\2\0\0\0", "module: ");
	/* an import that there is not, and one of another kind */
	REFUSED(HEAD TYPE "\2\13\1\3env\3foo\0\0" START,
	    "module imports env.foo, not offered here");
	REFUSED(HEAD TYPE "\2\x23\1\x16wasi_snapshot_preview1\10fd_bogus\0\0"
	    "\7\12\1\6_start\0\0", "wasi_snapshot_preview1.fd_bogus");
	/* one that there is, of another type */
	REFUSED(HEAD TYPE "\2\x25\1\x16wasi_snapshot_preview1\12random_get\0\0"
	    START, "imports random_get of another type, not offered here");
	/* a command takes nothing, and gives nothing */
	REFUSED(HEAD "\1\5\1\x60\1\x7f\0" FUNCTION START "\12\4\1\2\0\x0b",
	    "no _start that takes and gives nothing");
	REFUSED(HEAD "\1\5\1\x60\0\1\x7f" FUNCTION START
	    "\12\6\1\4\0\x41\0\x0b", "no _start that takes and gives nothing");
	/* proposals that are switched off, each by its name */
	REFUSED(HEAD "\5\4\1\3\1\1", "threads must be enabled");
	REFUSED(HEAD "\5\3\1\4\1", "memory64");
	REFUSED(HEAD "\5\5\2\0\1\0\1", "multiple memories");
	REFUSED(HEAD TYPE FUNCTION "\12\6\1\4\0\x12\0\x0b", "tail calls");
	REFUSED(HEAD TYPE "\15\3\1\0\0", "exceptions");
	REFUSED(HEAD "\1\5\1\x5f\1\x7f\0", "gc feature");
	REFUSED(HEAD TYPE FUNCTION "\12\10\1\6\0\xd0\x70\x14\0\x0b",
	    "function references");
	REFUSED(HEAD TYPE FUNCTION "\5\3\1\0\1"
	    "\12\13\1\11\0\x41\0\xfe\20\2\0\x1a\x0b", "threads");
	REFUSED(HEAD TYPE FUNCTION "\12\20\1\16\0\x42\0\x42\0\x42\0\x42\0"
	    "\xfc\x13\x1a\x1a\x0b", "wide arithmetic");
	/* a component that wants what is not offered here */
	REFUSED("\0asm\15\0\1\0" "\7\5\1\x42\0\0", "component: ");
}

/* A name with what a terminal would take for an order. */
static void
test_refused_names(void **state)
{
	static const uint8_t m[] = HEAD TYPE
	    "\2\13\1\3\33[7\3f\no\0\0" START;
	struct ended e;
	int fd = wasm_memfd(m, sizeof(m) - 1), code = wasm_compile(fd, 0, 0, &e);

	(void)state;
	assert_int_equal(e.status, 1);
	for (const char *p = e.report.why; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20);
	(void)close(code);
	(void)close(fd);
}

/* A full disk is no fault of the module's: the job may run later. */
static void
test_full(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int file = wasm_file("acts.wasm");
	struct ended e;

	(void)state;
	assert_true(full >= 0);
	wasm_compile_to(full, file, 0, 0, &e);
	assert_int_equal(e.status, 1);
	assert_int_equal(e.report.kind, REPORT_FAIL);
	assert_string_equal(e.report.code, "internal");
	assert_non_null(strstr(e.report.why, "No space"));
	(void)close(full);
	(void)close(file);
}

static size_t
leb(uint8_t *out, uint32_t v)
{
	size_t n = 0;

	do {
		out[n] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		n++;
	} while ((v >>= 7) != 0);
	return n;
}

static size_t
section(uint8_t *out, uint8_t id, const uint8_t *body, size_t len)
{
	size_t n = 0;

	out[n++] = id;
	n += leb(out + n, (uint32_t)len);
	memcpy(out + n, body, len);
	return n + len;
}

/* So many functions, each with so many additions; the first is _start. */
static size_t
many(uint8_t *out, uint32_t functions, uint32_t adds)
{
	static uint8_t body[MODULE_ROOM];
	size_t n = 0, k;

	memcpy(out, HEAD TYPE, 14);
	n = 14;
	k = leb(body, functions);
	memset(body + k, 0, functions);
	n += section(out + n, 3, body, k + functions);
	memcpy(out + n, START, sizeof(START) - 1);
	n += sizeof(START) - 1;
	k = leb(body, functions);
	for (uint32_t i = 0; i < functions; i++) {
		uint8_t one[4096];
		size_t m = 0;

		one[m++] = 0;	 /* no locals */
		one[m++] = 0x41; /* i32.const */
		m += leb(one + m, i & 63);
		for (uint32_t j = 0; j < adds; j++) {
			one[m++] = 0x41;
			m += leb(one + m, j & 63);
			one[m++] = (uint8_t)(0x6a + (i + j) % 3);
		}
		one[m++] = 0x1a; /* drop */
		one[m++] = 0x0b;
		k += leb(body + k, (uint32_t)m);
		memcpy(body + k, one, m);
		k += m;
	}
	return n + section(out + n, 10, body, k);
}

static void
test_many_functions(void **state)
{
	static uint8_t m[MODULE_ROOM];
	size_t n = many(m, 6000, 28);
	struct ended e;
	int fd = wasm_memfd(m, n), code = wasm_compile(fd, 0, 0, &e);

	(void)state;
	if (e.status != 0 || !e.report.ok)
		fail_msg("%d %s", e.status, e.report.why);
	wasm_run(code, &(struct how){0}, (const char *[]){NULL}, &e);
	assert_int_equal(e.status, 0);
	(void)close(code);
	(void)close(fd);
}

/*
 * Poison: good modules with bytes changed, cut and doubled. Each compiles or is
 * refused with a reason, within memory and time, and never ends by a signal.
 */
static void
test_poison(void **state)
{
	static uint8_t good[MODULE_ROOM], m[MODULE_ROOM];
	static const char *const files[] = {"acts.wasm",
	    "acts.component.wasm"};
	uint64_t seed = 7;

	(void)state;
	for (size_t k = 0; k < NELEM(files); k++) {
		int file = wasm_file(files[k]);
		size_t len = wasm_slurp(file, good, sizeof(good));

		(void)close(file);
		for (unsigned i = 0; i < POISONS / 2; i++) {
			size_t n = len;
			struct ended e;
			int fd, code;

			memcpy(m, good, len);
			for (unsigned j = 0; j <= i % 8; j++) {
				seed = seed * 6364136223846793005u + 1442695u;
				m[(seed >> 33) % len] ^=
				    (uint8_t)(1u << (seed >> 30) % 8);
			}
			if (i % 4 == 1)
				n = (size_t)(seed >> 20) % len;
			if (i % 8 == 2 && 2 * n <= sizeof(m))
				memcpy(m + n, good, n), n *= 2;
			fd = wasm_memfd(m, n);
			code = wasm_compile(fd, 0, 0, &e);
			if ((e.status != 0 && e.status != 1) ||
			    e.report.ok != (e.status == 0) ||
			    (e.report.ok) == (e.report.why[0] != '\0'))
				fail_msg("%s %u: %d %s", files[k], i,
				    e.status, e.report.why);
			(void)close(code);
			(void)close(fd);
		}
	}
}

/* Code that is not ours is not run. */
static void
test_code(void **state)
{
	static const char *const bad[] = {"", "wrncode", "wrncode2",
	    "wrncomp2", "wrncode1 and more", "anything else",
	    "wrncode2" "01234567890123456789012345678901",
	    "wrncomp2" "01234567890123456789012345678901\x7f" "ELF"};
	struct ended e;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		int code = wasm_memfd(bad[i], strlen(bad[i]));

		wasm_run(code, &(struct how){0}, (const char *[]){NULL}, &e);
		if (e.status != 126 || strstr(e.out, "warren: ") == NULL)
			fail_msg("%s: %d %s", bad[i], e.status, e.out);
		(void)close(code);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_interpreted),
	    cmocka_unit_test(test_component), cmocka_unit_test(test_odd),
	    cmocka_unit_test(test_odd_refused),
	    cmocka_unit_test(test_transfer),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_time), cmocka_unit_test(test_fixed),
	    cmocka_unit_test(test_lock), cmocka_unit_test(test_full),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_refused_names),
	    cmocka_unit_test(test_many_functions),
	    cmocka_unit_test(test_poison),
	    cmocka_unit_test(test_code)};

	return cmocka_run_group_tests(tests, wasm_make_folder,
	    wasm_remove_folder);
}
