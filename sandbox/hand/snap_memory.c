/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap_memory.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/util.h"

#define PAGE 4096u
#define WHOLE (256u << 10)  /* up to this a mapping is copied as it is */
#define FILE_WHOLE (16u << 20) /* ... of a file: a debugger wants its code */
#define HUGE_MAP (1ull << 30) /* from here on it may be empty altogether */
#define PAGES_MAX (1ull << 24) /* looked at in all: 64 GiB of addresses */
#define GAP 16u		       /* absent pages that do not end a run */
#define ENTRIES 65536u
#define REGIONS 4096u
#define FILES 65536u	       /* places for such mappings */
#define STRETCH (8ull << 20)   /* between two looks at the clock */

#define PM_PRESENT (1ull << 63)
#define PM_SWAPPED (1ull << 62)

#ifndef PAGEMAP_SCAN /* Linux 6.7; its numbers and its argument */
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)

struct page_region {
	uint64_t start, end, categories;
};

struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages,
	    category_inverted, category_mask, category_anyof_mask, return_mask;
};
#endif

struct snap_shared {
	uint64_t lo[SNAP_WORKERS + 1], hi[SNAP_WORKERS + 1];
	uint64_t bad[SNAP_WORKERS + 1];
	int64_t until; /* us */
	size_t n;
};

int
snap_memory_open(struct snap_memory *m, struct snap_store *s)
{
	const int how = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;

	memset(m, 0, sizeof(*m));
	m->store = s;
	m->pages_left = PAGES_MAX;
	/* an eighth is for what a core begins with, and for the rest */
	m->most = s->most / 8 * 7;
	m->whole = calloc(FILES, sizeof(*m->whole));
	m->ops = mmap(NULL, SNAP_OPS_MAX * sizeof(*m->ops),
	    PROT_READ | PROT_WRITE, how, -1, 0);
	m->shared = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE, how,
	    -1, 0);
	return m->ops == MAP_FAILED || m->shared == MAP_FAILED ||
	    m->whole == NULL ? -1 : 0;
}

/* ---- workers ---- */

/* A page that cannot be read is left as it is, zeros. */
static uint64_t
copy_stretch(const struct snap_op *op, uint8_t *map, uint64_t skip,
    uint64_t len)
{
	uint64_t done = 0, bad = 0;

	while (done < len) {
		struct iovec to = {map + op->to + skip + done, len - done};
		struct iovec from = {
		    (void *)(uintptr_t)(op->from + skip + done), len - done};
		ssize_t n = process_vm_readv(op->pid, &to, 1, &from, 1, 0);

		if (n > 0) {
			done += (uint64_t)n;
			continue;
		}
		if (n < 0 && errno == ESRCH)
			return bad + (len - done) / PAGE;
		bad++;
		done += PAGE - (op->from + skip + done) % PAGE;
	}
	return bad;
}

static void
work(struct snap_memory *m, unsigned me)
{
	struct snap_shared *s = m->shared;
	uint64_t lo = s->lo[me], hi = s->hi[me];

	for (size_t i = 0; i < s->n; i++) {
		const struct snap_op *op = &m->ops[i];
		uint64_t a = MAX_OF(op->to, lo);
		uint64_t b = MIN_OF(op->to + op->len, hi);

		for (; a < b; a += STRETCH) {
			uint64_t n = MIN_OF(b - a, STRETCH);

			if (clock_mono().us > s->until)
				s->bad[me] += n / PAGE;
			else
				s->bad[me] += copy_stretch(op, m->store->map,
				    a - op->to, n);
		}
	}
}

static void
worker(struct snap_memory *m, unsigned me, int go, int done, uint64_t bytes)
{
	char c = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	snap_store_ready(m->store, bytes);
	if (write(done, &c, 1) != 1 || read(go, &c, 1) != 1)
		_exit(1);
	work(m, me);
	(void)!write(done, &c, 1);
	_exit(0);
}

static bool
hire(struct snap_memory *m, unsigned me, uint64_t bytes)
{
	int go[2], done[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0)
		return false;
	if (pipe2(done, O_CLOEXEC) < 0) {
		(void)close(go[0]);
		(void)close(go[1]);
		return false;
	}
	pid = fork();
	if (pid == 0) {
		(void)close(go[1]);
		(void)close(done[0]);
		worker(m, me, go[0], done[1], bytes);
	}
	(void)close(go[0]);
	(void)close(done[1]);
	m->go[me] = go[1];
	m->done[me] = done[0];
	if (pid > 0)
		return true;
	(void)close(go[1]);
	(void)close(done[0]);
	return false;
}

void
snap_memory_ready(struct snap_memory *m, uint64_t bytes)
{
	unsigned want;
	cpu_set_t set;
	char c;

	want = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 :
	    (unsigned)CPU_COUNT(&set);
	want = MIN_OF(want, SNAP_WORKERS + 1) - 1;
	while (m->workers < want && hire(m, m->workers, bytes))
		m->workers++;
	snap_store_ready(m->store, bytes);
	/* they have their pages as well; who fell is found at the copying */
	for (unsigned i = 0; i < m->workers; i++)
		(void)!read(m->done[i], &c, 1);
}

void
snap_memory_copy(struct snap_memory *m, uint64_t *unreadable)
{
	struct snap_shared *s = m->shared;
	uint64_t lo, hi, part;
	unsigned n = m->workers + 1;
	char c = 0;

	*unreadable = 0;
	if (m->n == 0)
		return;
	lo = m->ops[0].to;
	hi = m->ops[m->n - 1].to + m->ops[m->n - 1].len;
	part = ((hi - lo) / n + PAGE) / PAGE * PAGE;
	s->n = m->n;
	s->until = clock_mono().us + SNAP_COPY_MS * 1000;
	for (unsigned i = 0; i < n; i++) {
		s->lo[i] = lo + i * part;
		s->hi[i] = MIN_OF(hi, lo + (i + 1) * part);
	}
	for (unsigned i = 0; i < m->workers; i++)
		(void)!write(m->go[i], &c, 1);
	work(m, m->workers);
	for (unsigned i = 0; i < m->workers; i++) {
		if (read(m->done[i], &c, 1) == 1)
			continue;
		s->bad[i] = 0;
		work(m, i); /* it fell: its part is ours */
	}
	for (unsigned i = 0; i < n; i++)
		*unreadable += s->bad[i];
}

void
snap_memory_close(struct snap_memory *m)
{
	for (unsigned i = 0; i < m->workers; i++) {
		(void)close(m->go[i]);
		(void)close(m->done[i]);
	}
	m->workers = 0;
}

/* ---- what there is ---- */

static uint64_t
fnv(const char *p, size_t n, uint64_t seed)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * UINT64_C(0x100000001b3);
	return h | 1;
}

bool
snap_map_next(const char **p, const char *end, struct snap_map *m)
{
	const char *line = *p, *nl, *at;
	char buf[160], *q;
	size_t n;

	if (line >= end || (nl = memchr(line, '\n', (size_t)(end - line))) ==
	    NULL)
		return false;
	*p = nl + 1;
	n = MIN_OF((size_t)(nl - line), sizeof(buf) - 1);
	memcpy(buf, line, n);
	buf[n] = '\0';
	memset(m, 0, sizeof(*m));
	m->start = strtoull(buf, &q, 16);
	if (*q++ != '-')
		return false;
	m->end = strtoull(q, &q, 16);
	if (*q++ != ' ' || m->end <= m->start || strlen(q) < 5)
		return false;
	memcpy(m->perms, q, 4);
	m->offset = strtoull(q + 5, &q, 16);
	m->what = fnv(line + (q - buf), (size_t)(nl - line) - (size_t)(q - buf),
	    m->offset ^ (m->end - m->start) << 20);
	/* device and inode; then the name, if it has one */
	for (int i = 0; i < 2 && *q == ' '; i++)
		q += 1 + strcspn(q + 1, " ");
	at = line + (q - buf);
	while (at < nl && *at == ' ')
		at++;
	m->name = at;
	m->name_len = (size_t)(nl - at);
	m->device = (m->name_len >= 5 && memcmp(at, "[vvar", 5) == 0) ||
	    (m->name_len >= 9 && memcmp(at, "[vsyscall", 9) == 0);
	return true;
}

/* Bytes of a mapping that are in memory, by smaps; 0: none, or not known. */
static uint64_t
resident(int proc, pid_t pid, const struct snap_map *v)
{
	char path[32], line[256], want[40];
	uint64_t kb = 0;
	bool in = false;
	FILE *f;
	int fd;

	(void)snprintf(path, sizeof(path), "%d/smaps", (int)pid);
	(void)snprintf(want, sizeof(want), "%llx-",
	    (unsigned long long)v->start);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (f = fdopen(fd, "r")) == NULL) {
		close_fd(&fd);
		return 0;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, want, strlen(want)) == 0)
			in = true;
		else if (in && strncmp(line, "Rss:", 4) == 0) {
			kb = strtoull(line + 4, NULL, 10);
			break;
		}
	}
	(void)fclose(f);
	return kb << 10;
}

static bool
add_op(struct snap_memory *m, pid_t pid, uint64_t from, uint64_t len)
{
	uint64_t to;

	if (m->n == SNAP_OPS_MAX || len > m->most ||
	    m->store->used > m->most - len || !snap_store_room(m->store, len, &to)) {
		m->cut = true;
		return false;
	}
	m->ops[m->n++] = (struct snap_op){pid, from, len, to};
	return true;
}

struct plan {
	struct snap_memory *m;
	int proc;
	pid_t pid;
	int pagemap; /* -1: it may not be looked at */
	struct core_seg *segs;
	size_t n;
};

static void
add_seg(struct plan *p, const struct snap_map *v, uint64_t from, uint64_t len)
{
	if (p->n == CORE_SEGS_MAX ||
	    (len > 0 && !add_op(p->m, p->pid, from, len))) {
		p->m->cut = true;
		len = 0;
	}
	if (p->n == CORE_SEGS_MAX)
		return;
	/* an absent page between two runs belongs to the one before */
	if (p->n > 0 && p->segs[p->n - 1].start >= v->start &&
	    p->segs[p->n - 1].start < v->end)
		p->segs[p->n - 1].memsz = from - p->segs[p->n - 1].start;
	p->segs[p->n++] = (struct core_seg){.start = from,
	    .memsz = v->end - from, .filesz = len,
	    .flags = (v->perms[0] == 'r' ? PF_R : 0u) |
		(v->perms[1] == 'w' ? PF_W : 0u) |
		(v->perms[2] == 'x' ? PF_X : 0u)};
}

struct run {
	const struct snap_map *v;
	uint64_t from, end; /* of what is there and no segment yet */
	bool any;
};

/* Pages that are there, behind those of before; few that are not end no run. */
static void
run_add(struct plan *p, struct run *r, uint64_t from, uint64_t end)
{
	if (r->end > r->from && from - r->end >= GAP * PAGE) {
		add_seg(p, r->v, r->from, r->end - r->from);
		r->from = r->end = from;
	} else if (r->end == r->from) {
		r->from = from;
	}
	r->end = end;
	r->any = true;
}

/*
 * By ranges, from *at on, as far as there is room for them: a tenth of the time
 * of a look at each page. false: the kernel has it not.
 */
static bool
scan(struct plan *p, struct run *r, uint64_t *at)
{
	static struct page_region there[REGIONS];
	struct pm_scan_arg a = {.size = sizeof(a),
	    .vec = (uintptr_t)there, .vec_len = NELEM(there),
	    .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED};
	int n;

	while (*at < r->v->end && p->m->pages_left > 0) {
		a.start = *at;
		a.end = *at + MIN_OF(r->v->end - *at, p->m->pages_left * PAGE);
		n = ioctl(p->pagemap, PAGEMAP_SCAN, &a);
		if (n < 0 || a.walk_end <= *at)
			return false;
		for (int i = 0; i < n; i++)
			run_add(p, r, there[i].start, there[i].end);
		p->m->pages_left -= (a.walk_end - *at) / PAGE;
		*at = a.walk_end;
	}
	return true;
}

/* By a look at each page: before Linux 6.7. */
static void
look(struct plan *p, struct run *r, uint64_t *at)
{
	static uint64_t e[ENTRIES];

	while (*at < r->v->end && p->m->pages_left > 0) {
		uint64_t want = MIN_OF((r->v->end - *at) / PAGE, ENTRIES);
		ssize_t n;

		want = MIN_OF(want, p->m->pages_left);
		n = pread(p->pagemap, e, want * sizeof(*e),
		    (off_t)(*at / PAGE * sizeof(*e)));
		if (n <= 0)
			break;
		want = (uint64_t)n / sizeof(*e);
		p->m->pages_left -= want;
		for (uint64_t i = 0; i < want; i++, *at += PAGE)
			if ((e[i] & (PM_PRESENT | PM_SWAPPED)) != 0)
				run_add(p, r, *at, *at + PAGE);
	}
}

/* Runs of pages that are there, by the kernel's own map of them. */
static void
runs(struct plan *p, const struct snap_map *v)
{
	struct run r = {.v = v};
	uint64_t at = v->start;

	if (!scan(p, &r, &at))
		look(p, &r, &at);
	if (at < v->end)
		p->m->cut = true;
	if (r.end > r.from)
		add_seg(p, v, r.from, r.end - r.from);
	else if (!r.any)
		add_seg(p, v, v->start, 0);
}

/* Code and tables that many processes share are in the first one's core. */
static bool
has_whole(struct snap_memory *m, const struct snap_map *v)
{
	uint32_t i = (uint32_t)(v->what >> 16) % FILES;

	for (unsigned k = 0; k < 64; k++, i = (i + 1) % FILES) {
		if (m->whole[i] == v->what)
			return true;
		if (m->whole[i] == 0) {
			m->whole[i] = v->what;
			return false;
		}
	}
	return false;
}

static void
mapping(struct plan *p, const struct snap_map *v)
{
	uint64_t len = v->end - v->start;
	bool file = v->name_len > 0 && v->name[0] == '/';

	if (v->perms[0] != 'r' || v->device)
		add_seg(p, v, v->start, 0);
	else if (file && v->perms[1] != 'w' && len > PAGE &&
	    len <= FILE_WHOLE && has_whole(p->m, v))
		add_seg(p, v, v->start, PAGE); /* by it a debugger knows it */
	else if (len <= WHOLE || (file && len <= FILE_WHOLE))
		add_seg(p, v, v->start, len);
	else if (len >= HUGE_MAP && resident(p->proc, p->pid, v) == 0)
		add_seg(p, v, v->start, 0);
	else if (p->pagemap >= 0)
		runs(p, v);
	else if (len < HUGE_MAP) /* it forbids a dump: all of it, then */
		add_seg(p, v, v->start, len);
	else {
		p->m->cut = true;
		add_seg(p, v, v->start, 0);
	}
}

size_t
snap_memory_plan(struct snap_memory *m, int proc, pid_t pid, const char *maps,
    size_t len, struct core_seg *segs)
{
	struct plan p = {.m = m, .proc = proc, .pid = pid, .segs = segs};
	const char *at = maps;
	struct snap_map v;
	char path[32];

	(void)snprintf(path, sizeof(path), "%d/pagemap", (int)pid);
	p.pagemap = openat(proc, path, O_RDONLY | O_CLOEXEC);
	while (snap_map_next(&at, maps + len, &v))
		mapping(&p, &v);
	close_fd(&p.pagemap);
	return p.n;
}
