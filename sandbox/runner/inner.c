/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/inner.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/layers.h"
#include "sandbox/base/attr.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/command.h"
#include "sandbox/base/report.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"
#include "sandbox/jail/init_label.h"
#include "sandbox/runner/arrive.h"
#include "sandbox/runner/stub.h"

#define PROC "/proc"

/*
 * What it says goes to jail by its own pipe; its end is a good one to the tool
 * in each case, so that the tool's word is about the tool alone.
 */
static void
refuse(const char *code, const char *what, int err)
{
	struct report r = {.kind = REPORT_FAIL};

	(void)snprintf(r.code, sizeof(r.code), "%s", code);
	(void)snprintf(r.why, sizeof(r.why), "%s%s%s", what,
	    err != 0 ? ": " : "", err != 0 ? strerror(err) : "");
	report_send(INNER_REPORT, &r);
	_exit(0);
}

static void *
map(int fd, size_t *len)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0 || st.st_size <= 0)
		return NULL;
	*len = (size_t)st.st_size;
	p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void
look(struct inner_seen *s)
{
	struct statvfs fs;
	struct stat st;
	char path[32];

	for (unsigned i = 0; i < INNER_NS; i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
		    inner_ns_names[i]);
		if (stat(path, &st) == 0)
			s->ns[i] = st.st_ino;
	}
	s->read_only = statvfs("/", &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
}

/* The floor is asked for in any case; of groups jail knows. */
static void
compare(const struct inner *m, uint32_t layers)
{
	uint32_t lacking = (m->required | LAYERS_FLOOR |
	    (m->plan.read_only ? LAYER_READONLY : 0)) & ~layers &
	    (LAYERS_FLOOR | LAYER_UTS | LAYER_READONLY | LAYER_LANDLOCK |
	    LAYER_RLIMITS | LAYER_CGROUP);
	char names[200], text[256];

	if (lacking == 0)
		return;
	layers_text(names, sizeof(names), lacking);
	(void)snprintf(text, sizeof(text), "the runner gave no %s", names);
	refuse("posture", text, 0);
}

/*
 * The tool may have put us under a policy of its own, from which no way leads to
 * the job's: then it has none, which is refused if it was asked for.
 */
static void
label(struct command *c, const struct inner *m)
{
	if (m->lsm == LSM_NONE)
		return;
	if (attr_try(m->lsm, PROC, m->label) == 0) {
		c->lsm = m->lsm;
		c->label = m->label;
		c->proc = PROC;
	} else if (((m->plan.layers | m->required) & LAYER_LSM) != 0)
		refuse("posture", "a label in the runner's container", errno);
}

static void
start(const struct inner *m, uint32_t layers)
{
	static struct plan_args args;
	static struct command c;
	struct report r = {.kind = REPORT_READY};
	const char *why;
	size_t nargs = 0, nown = 0, nbase = 0;
	const uint8_t *buf = map(INNER_ARGS, &nargs);
	void *own = map(INNER_FILTER, &nown);
	struct sock_filter *base = map(INNER_BASE, &nbase);
	struct filter job = {.insns = base, .len = (unsigned short)m->njob};
	struct filter seal = {.len = (unsigned short)m->nseal};
	struct filter never = {.len = (unsigned short)m->nnever};
	pid_t pid;

	if (buf == NULL || own == NULL || base == NULL ||
	    nown != m->plan.filter_len * sizeof(struct sock_filter) ||
	    nbase != (m->njob + m->nseal + m->nnever) *
	    sizeof(struct sock_filter) ||
	    nargs != m->plan.args_len ||
	    plan_args_parse(buf, nargs, &args) != NULL)
		refuse("internal", "what jail has sent", EINVAL);
	seal.insns = base + m->njob;
	never.insns = seal.insns + m->nseal;
	if (never.len > 0 && filter_load(&never) < 0)
		refuse("internal", "the filter of all", errno);
	c = (struct command){.plan = &m->plan, .args = &args,
	    .out = INNER_OUT, .err = INNER_ERR, .root = m->root,
	    .file_max = m->file_max, .slots = m->slots,
	    .no_memory_group = m->no_memory_group,
	    .landlock_abi = m->landlock_abi, .job = &job, .seal = &seal,
	    .own = {.insns = own, .len = (unsigned short)m->plan.filter_len}};
	command_paths(&c, m->places);
	label(&c, m);
	pid = vfork();
	if (pid == 0)
		command_run(&c);
	if (pid < 0)
		refuse("internal", "fork", errno);
	if ((why = init_unlabelled(&c)) != NULL)
		refuse("posture", why, 0);
	if (c.failed != NULL)
		refuse("internal", (const char *)c.failed, c.error);
	if ((why = init_labelled(&c, pid, &r.layers)) != NULL)
		refuse("posture", why, 0);
	r.layers |= layers;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (caps_drop_all() < 0)
		refuse("internal", "capabilities", errno);
	report_send(INNER_REPORT, &r);
	if (dup2(INNER_REPORT, 0) < 0 || sys_close_range(1, ~0u) < 0)
		_exit(0);
	report_reap(pid, 0, false);
}

int
main(int argc, char *argv[])
{
	static const char whose[] = "warren-inner is a part of warren-runner, "
				    "which starts it.\n";
	static struct inner m;
	static struct inner_seen seen;
	struct report r = {.kind = REPORT_TOOL};
	const uint8_t *buf;
	const char *what;
	size_t n = 0;

	/* until here nobody of the job's user is there to look */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (getpid() == 1 && argc == 2 && strcmp(argv[1], ARRIVE_WORD) == 0) {
		if (arrive(&seen, &what) < 0)
			refuse("internal", what, errno);
		argc--;
	}
	buf = getpid() != 1 || argc > 1 ? NULL : map(INNER_MSG, &n);
	if (buf == NULL || !inner_decode(rd_make(buf, n), &m)) {
		(void)!write(STDERR_FILENO, whose, sizeof(whose) - 1);
		return 2;
	}
	if (m.stub && stub_leave(&what) < 0)
		refuse("internal", what, errno);
	if (m.proc && stub_proc(&what) < 0)
		refuse("internal", what, errno);
	if (getuid() != USERNS_ID &&
	    userns_nest(USERNS_ID, getuid(), getgid()) < 0)
		refuse("internal", "the job's user", errno);
	look(&seen);
	seen.label = m.trial && m.lsm != LSM_NONE &&
	    attr_try(m.lsm, PROC, m.label) == 0;
	r.layers = inner_layers(&m, &seen);
	compare(&m, r.layers);
	if (!m.trial)
		start(&m, r.layers);
	memcpy(r.version, m.version, sizeof(r.version));
	report_send(INNER_REPORT, &r);
	return 0;
}
