/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core writer: a child of ours read back from what was copied of it, and
 * what a /proc that is cut short, or lies, makes of it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "sandbox/hand/snap_memory.h"

#define MOST (64u << 20)
#define KNOWN 24u /* pages of the child that we know, every third of them */

static struct snap_store store;
static struct snap_memory memory;
static struct core_seg *segs;
static int fd;

static int
setup(void **state)
{
	(void)state;
	fd = memfd_create("snap", MFD_CLOEXEC);
	segs = calloc(CORE_SEGS_MAX, sizeof(*segs));
	return fd < 0 || segs == NULL ||
	    snap_store_open(&store, fd, MOST) < 0 ||
	    snap_memory_open(&memory, &store) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	snap_memory_close(&memory);
	free(memory.whole); /* hand ends with it */
	(void)munmap(store.map, store.most);
	(void)munmap(store.table.buf, store.table.cap);
	(void)close(fd);
	free(segs);
	return 0;
}

/* ---- the front ---- */

static const Elf64_Nhdr *
note_at(const uint8_t *p, size_t *at)
{
	const Elf64_Nhdr *h = (const void *)(p + *at);

	*at += sizeof(*h) + ((h->n_namesz + 3u) & ~3u) +
	    ((h->n_descsz + 3u) & ~3u);
	return h;
}

static void
test_front(void **state)
{
	static const uint32_t want[] = {NT_PRSTATUS, NT_PRPSINFO, NT_AUXV,
	    NT_FILE, NT_FPREGSET, NT_PRSTATUS, NT_SIGINFO};
	struct core_thread t[2] = {
	    {.tid = 7, .fp = {(char[]){"fpregs!"}, 8}},
	    {.tid = 8, .siginfo = {(char[]){"signal"}, 7}}};
	const struct core_seg s[2] = {{0x1000, 0x3000, 0x2000, PF_R | PF_X},
	    {0x9000, 0x1000, 0, PF_R | PF_W}};
	const struct core_file f[1] = {{0x1000, 0x4000, 0x2000, "/bin/x", 6}};
	struct core_of c = {.pid = 7, .ppid = 1, .state = 'S', .uid = 1000,
	    .name = "x", .args = "x y", .threads = t, .nthreads = 2,
	    .segs = s, .nsegs = 2, .files = f, .nfiles = 1,
	    .auxv = {(char[]){"auxv"}, 5}};
	size_t n = core_front_size(&c), at, k;
	uint8_t *p = malloc(n + 1);
	const Elf64_Ehdr *e = (const void *)p;
	const Elf64_Phdr *ph = (const void *)(p + sizeof(*e));

	(void)state;
	assert_true(n % CORE_PAGE == 0);
	p[n] = 0x5a;
	core_front(p, &c);
	assert_int_equal(p[n], 0x5a);
	assert_memory_equal(e->e_ident, ELFMAG, SELFMAG);
	assert_int_equal(e->e_type, ET_CORE);
	assert_int_not_equal(e->e_machine, EM_NONE);
	assert_int_equal(e->e_phnum, 3);
	assert_int_equal(ph[0].p_type, PT_NOTE);
	/* contents follow in their order, from the next page on */
	assert_int_equal(ph[1].p_offset, n);
	assert_int_equal(ph[1].p_filesz, 0x2000);
	assert_int_equal(ph[1].p_memsz, 0x3000);
	assert_int_equal(ph[2].p_offset, n + 0x2000);
	assert_int_equal(ph[2].p_vaddr, 0x9000);
	at = ph[0].p_offset;
	for (k = 0; at < ph[0].p_offset + ph[0].p_filesz; k++) {
		size_t before = at;
		const Elf64_Nhdr *h = note_at(p, &at);
		struct elf_prstatus st;

		assert_true(k < NELEM(want));
		assert_int_equal(h->n_type, want[k]);
		if (h->n_type != NT_PRSTATUS)
			continue;
		assert_int_equal(h->n_descsz, sizeof(st));
		memcpy(&st, p + before + sizeof(*h) + 8, sizeof(st));
		assert_int_equal(st.pr_pid, k == 0 ? 7 : 8);
		assert_int_equal(st.pr_ppid, 1);
	}
	assert_int_equal(k, NELEM(want));
	assert_int_equal(at, ph[0].p_offset + ph[0].p_filesz);
	free(p);
}

/* ---- a child, read back ---- */

static pid_t
child(uint8_t **known)
{
	int ready[2];
	pid_t pid;
	char c;

	*known = mmap(NULL, KNOWN * CORE_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(*known != MAP_FAILED);
	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (unsigned i = 0; i < KNOWN; i += 3)
			memset(*known + i * CORE_PAGE, 'a' + (int)i,
			    CORE_PAGE);
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static size_t
maps_of(pid_t pid, char *out, size_t cap)
{
	char path[40];
	size_t n = 0;
	ssize_t k;
	int in;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	in = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(in >= 0);
	while ((k = read(in, out + n, cap - n)) > 0)
		n += (size_t)k;
	(void)close(in);
	assert_true(n > 0 && n < cap);
	return n;
}

/* Without what a sanitizer keeps of a process: more than there is room for. */
static size_t
usual(char *maps, size_t len)
{
	const char *at = maps, *line = maps;
	struct snap_map v;
	size_t n = 0;

	while (snap_map_next(&at, maps + len, &v)) {
		size_t part = (size_t)(at - line);

		if (v.end - v.start < MOST / 4) {
			memmove(maps + n, line, part);
			n += part;
		}
		line = at;
	}
	return n;
}

/* What the core has at this address: where its bytes are, NULL: none. */
static const uint8_t *
at_address(size_t n, uint64_t where)
{
	uint64_t off = n == 0 ? 0 : memory.ops[0].to;

	for (size_t i = 0; i < n; i++) {
		if (where >= segs[i].start &&
		    where < segs[i].start + segs[i].filesz)
			return store.map + off + (where - segs[i].start);
		off += segs[i].filesz;
	}
	return NULL;
}

static void
test_child(void **state)
{
	static char maps[1 << 20];
	uint8_t *known;
	pid_t pid = child(&known);
	size_t len = usual(maps, maps_of(pid, maps, sizeof(maps))), n;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t bad = 0, all = 0, copied = 0;

	(void)state;
	snap_memory_ready(&memory, 1 << 20);
	n = snap_memory_plan(&memory, proc, pid, maps, len, segs);
	assert_true(n > 0);
	assert_false(memory.cut);
	snap_memory_copy(&memory, &bad);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || segs[i].start >= segs[i - 1].start +
		    segs[i - 1].memsz);
		assert_true(segs[i].filesz <= segs[i].memsz);
		all += segs[i].filesz;
	}
	for (size_t i = 0; i < memory.n; i++) {
		assert_true(memory.ops[i].pid == pid);
		copied += memory.ops[i].len;
	}
	assert_int_equal(all, copied);
	for (unsigned i = 0; i < KNOWN; i++) {
		const uint8_t *p = at_address(n, (uintptr_t)known +
		    i * CORE_PAGE);

		assert_true(p != NULL || i % 3 != 0);
		for (unsigned k = 0; p != NULL && k < CORE_PAGE; k++)
			assert_int_equal(p[k], i % 3 != 0 ? 0 : 'a' + i);
	}
	(void)close(proc);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)munmap(known, KNOWN * CORE_PAGE);
}

/* ---- a /proc that is cut short, or lies ---- */

static void
every_map(const char *text, size_t len)
{
	char *copy = malloc(len + 1); /* nothing behind it is read */
	const char *at = copy;
	struct snap_map v;

	memcpy(copy, text, len);
	while (snap_map_next(&at, copy + len, &v)) {
		assert_true(v.start < v.end);
		assert_true(at <= copy + len);
		assert_true(v.name_len == 0 || (v.name >= copy &&
		    v.name + v.name_len <= copy + len));
	}
	free(copy);
}

static const char lies[] =
    "ffffffffffffffff-fffffffffffffffe r-xp 0 00:00 0 /a\n";
static const char *const hostile[] = {"", "\n", "-", "0-0 rwxp 0 0:0 0\n",
    lies, "1000-2000", "1000-2000 ", "1000-2000 rw", "1000-2000 rwxp",
    "1000-2000 rwxp 0 00:00 0", "zzzz-2000 rwxp 0 00:00 0\n",
    "2000-1000 r--p 0 00:00 0\n", "1001-2001 r--p 0 00:00 0 /odd\n",
    "1000-ffffffffffffffffffffffff r--p 0 00:00 0\n",
    "1000-2000 r--p 0 00:00 0 \n1000-2000 r--p 0 00:00 0 /again\n",
    "0-fffffffffffff000 rw-p 0 00:00 0\n",
    "1000-2000 r--p ffffffffffffffff ff:ff 18446744073709551615 /x\\012y\n"};

static void
test_maps(void **state)
{
	static char maps[1 << 20];
	size_t len = maps_of(getpid(), maps, sizeof(maps));

	(void)state;
	len = MIN_OF(len, (size_t)3000);
	for (size_t cut = 0; cut <= len; cut++)
		every_map(maps, cut);
	for (size_t i = 0; i < NELEM(hostile); i++)
		for (size_t cut = 0; cut <= strlen(hostile[i]); cut++)
			every_map(hostile[i], cut);
}

/* Whatever its maps say, and its pages: bounded, and never read from us. */
static void
test_lies(void **state)
{
	char dir[] = "/tmp/snap-test-XXXXXX";
	uint8_t pages[4096];
	uint64_t bad;
	pid_t pid;
	int proc, file;

	(void)state;
	if ((pid = fork()) == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid); /* nobody is there */
	assert_non_null(mkdtemp(dir));
	proc = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	(void)snprintf((char *)pages, sizeof(pages), "%d", (int)pid);
	assert_int_equal(mkdirat(proc, (char *)pages, 0700), 0);
	(void)snprintf((char *)pages, sizeof(pages), "%d/pagemap", (int)pid);
	file = openat(proc, (char *)pages, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	memset(pages, 0xff, sizeof(pages));
	assert_int_equal(pwrite(file, pages, sizeof(pages), 0), sizeof(pages));
	snap_memory_ready(&memory, 1 << 20);
	for (size_t i = 0; i < NELEM(hostile); i++) {
		size_t n = snap_memory_plan(&memory, proc, pid, hostile[i],
		    strlen(hostile[i]), segs);

		assert_true(n <= CORE_SEGS_MAX);
		for (size_t k = 0; k < n; k++)
			assert_true(segs[k].filesz <= MOST);
	}
	assert_true(store.used <= store.most);
	snap_memory_copy(&memory, &bad);
	for (uint64_t i = CORE_PAGE; i < store.used; i++)
		assert_int_equal(store.map[i], 0);
	(void)close(file);
	(void)snprintf((char *)pages, sizeof(pages), "%d/pagemap", (int)pid);
	assert_int_equal(unlinkat(proc, (char *)pages, 0), 0);
	(void)snprintf((char *)pages, sizeof(pages), "%d", (int)pid);
	assert_int_equal(unlinkat(proc, (char *)pages, AT_REMOVEDIR), 0);
	(void)close(proc);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_front),
	    T(test_child), cmocka_unit_test(test_maps), T(test_lies)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
