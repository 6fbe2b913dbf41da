/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/parent.h"

#define SEEN_US 200000 /* ours: whoever asks, it is looked at not more often */

/* Of a small file of /proc; "" when it may not be read. */
static void
read_proc(char *out, size_t cap, pid_t pid, const char *name)
{
	_cleanup_fd_ int fd = -1;
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	n = (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 ? -1 :
	    read(fd, out, cap - 1);
	out[MAX_OF(n, 0)] = '\0';
}

static void
look(struct msg_MEMORY *m, pid_t pid)
{
	char text[2048];
	const char *at;
	uint64_t n;

	read_proc(text, sizeof(text), pid, "statm");
	if (sscanf(text, "%*u %" SCNu64, &n) == 1)
		m->rss = n * (uint64_t)sysconf(_SC_PAGESIZE);
	read_proc(text, sizeof(text), pid, "smaps_rollup");
	if ((at = strstr(text, "\nPss:")) != NULL &&
	    sscanf(at, "\nPss: %" SCNu64, &n) == 1)
		m->pss = n * 1024;
}

static void
look_at_all(struct parent *p)
{
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		pid_t pid = i == PROGRAM_PARENT ? getpid() : p->child[i].pid;

		p->memory[i] = (struct msg_MEMORY){.program = (uint8_t)i};
		if (pid != 0)
			look(&p->memory[i], pid);
	}
}

void
memory_tell(struct child *t, uint32_t seq)
{
	struct msg_MEMORY end = {.seq = seq, .program = PROGRAM_COUNT}, *m;
	struct ipc *c = ipc_ev_channel(t->ev);
	struct parent *p = t->parent;
	int64_t now = clock_mono().us;
	bool ok = true;

	if (now >= p->memory_until) {
		look_at_all(p);
		p->memory_until = now + SEEN_US;
	}
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		m = &p->memory[i];
		m->seq = seq;
		if (m->rss != 0)
			ok &= ipc_send_MEMORY(c, m, NULL, 0) == 0;
	}
	if (ipc_send_MEMORY(c, &end, NULL, 0) < 0 || !ok)
		log_debug("transport", "MEMORY");
}
