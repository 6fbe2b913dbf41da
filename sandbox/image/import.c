/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/import.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/clock.h"
#include "common/numbers.h"
#include "sandbox/jail/jail.h"
#include "sandbox/base/handstart.h"
#include "sandbox/base/basefilter.h"
#include "sandbox/base/report.h"
#include "sandbox/base/root.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/import_group.h"
#include "sandbox/image/source.h"
#include "sandbox/image/store.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tree.h"
#include "sandbox/base/userns.h"
#include "common/util.h"

#define HAND_FSIZE (16ull << 30)

/*
 * As root hand is a user of its own, who may not be able to read what root
 * can: a folder's files are handed out one by one. A user's hand has the
 * user's rights, and the folder attached read-only: a descriptor of a user's
 * own file would be enough to change its mode.
 */
struct step {
	const struct image_import *in;
	bool root;
	struct source source;
	char *tag;         /* of in, to be handed to hand */
	uint32_t left_out; /* of a plain folder, by the packer */
	bool unconfined;   /* hand could not be started */
	pid_t self;      /* whose children end with it */
	int hand;        /* a copy in memory: the child may open no file */
	int work;        /* the fresh folder, and */
	char tmp[32];    /* its name in the store */
	int in_r, out_w, report_w; /* hand's ends */
	struct filter never, job, seal;
	struct import_group group;
};

static int
fail(char *why, size_t cap, const char *what, int err)
{
	(void)snprintf(why, cap, "%s: %s", what, strerror(err));
	errno = err;
	return -1;
}

static void
say_fail(int fd, const char *what)
{
	struct report r = {.kind = REPORT_FAIL};
	int err = errno;

	(void)snprintf(r.code, sizeof(r.code), "internal");
	(void)snprintf(r.why, sizeof(r.why), "%s: %s", what, strerror(err));
	report_send(fd, &r);
	_exit(1);
}

/* ---- inside ---- */

static bool
attached(const struct step *s)
{
	return s->source.kind == SOURCE_DOCS && !s->root;
}

static void
become_hand(struct step *s, int abi)
{
	struct root_step root = {.tree = -1, .path = "/stage",
	    .src = attached(s) ? "/vol/0" : NULL};
	const struct landlock_path paths[] = {
		{"/v", LANDLOCK_MAY_READ | LANDLOCK_MAY_WRITE},
		{"/s", LANDLOCK_MAY_READ}};
	char name[] = "warren-hand", import[] = "import";
	char plain[] = "import-plain", share[] = "share";
	char *argv[5] = {name};
	struct hand_start h = {.in = s->in_r, .out = s->out_w,
	    .report = s->report_w, .hand = s->hand,
	    .limits = {.pids = HAND_PIDS, .fsize = HAND_FSIZE,
		.data = HAND_DATA_IMPORT},
	    .landlock_abi = abi, .paths = paths, .npaths = NELEM(paths),
	    .filters = {&s->never, &s->job, &s->seal}, .argv = argv};
	const char *what;
	unsigned n = 1;

	if (s->in->share)
		argv[n++] = share;
	argv[n++] = s->source.kind == SOURCE_PLAIN ? plain : import;
	argv[n] = s->source.kind == SOURCE_PLAIN ? NULL : s->tag;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    userns_take_id() < 0)
		say_fail(s->report_w, "ids");
	if (root_step_build(&root, &what) < 0)
		say_fail(s->report_w, what);
	what = hand_start(&h);
	say_fail(h.report, what);
}

/* From here on nothing that we do reaches outside the fresh folder. */
static void
confine(struct step *s, int sync)
{
	struct base_dirs dirs = {.images = s->work, .stage = s->work};
	uint32_t id = s->in->base + JAIL_SLOT_UID; /* slot 0 */
	uid_t uid = geteuid(); /* asked before they are unmapped */
	gid_t gid = getegid();
	const char *what = "namespaces";
	int abi = landlock_abi(), status;
	char c = 'U';
	pid_t pid;

	if (attached(s))
		dirs.volumes[dirs.nvolumes++] = s->source.fd;
	(void)setsid();
	/* where that is refused the rlimits of hand hold */
	(void)import_group_join(&s->group);
	/* who was killed before that tells nobody */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != s->self)
		say_fail(s->report_w, what);
	if (s->root) {
		if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0 ||
		    base_build(&dirs, true, &what) < 0)
			say_fail(s->report_w, what);
		what = "ids";
		if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
		    setresuid(id, id, id) < 0 ||
		    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
		    getppid() != s->self || unshare(CLONE_NEWUSER) < 0 || write(sync, &c, 1) != 1 ||
		    read(sync, &c, 1) != 1)
			say_fail(s->report_w, what);
	} else if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ||
	    unshare(CLONE_NEWUSER) < 0 ||
	    userns_map(getpid(), uid, gid, true) < 0) {
		say_fail(s->report_w, "user namespace");
	}
	what = "namespaces";
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
	    CLONE_NEWPID) < 0)
		say_fail(s->report_w, what);
	if (!s->root && base_build(&dirs, false, &what) < 0)
		say_fail(s->report_w, what);
	if ((pid = fork()) == 0)
		become_hand(s, abi);
	if (pid < 0)
		say_fail(s->report_w, "fork");
	/* the streams are hand's alone */
	if (sys_close_range(3, ~0u) < 0)
		_exit(1);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* ---- outside ---- */

static int
copy_hand(struct step *s, char *why, size_t cap)
{
	char buf[65536];
	off_t off = 0;
	ssize_t n;

	s->hand = memfd_create("warren-hand", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	while (s->hand >= 0 && (n = pread(s->in->hand, buf, sizeof(buf),
	    off)) > 0) {
		if (write(s->hand, buf, (size_t)n) != n)
			break;
		off += n;
	}
	if (s->hand < 0 || off == 0 || n != 0 ||
	    fcntl(s->hand, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
	    F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return fail(why, cap, "warren-hand", errno);
	return 0;
}

static int
make_work(struct step *s, char *why, size_t cap)
{
	uint32_t id = s->in->base + JAIL_SLOT_UID;
	uint8_t random[8];
	struct stat st;
	char hex[17];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fail(why, cap, "random", errno);
	hex_encode(hex, random, sizeof(random));
	(void)snprintf(s->tmp, sizeof(s->tmp), "tmp-%s", hex);
	(void)store_sweep(s->in->images, false);
	if (store_make(s->in->images) < 0 ||
	    mkdirat(s->in->images, s->tmp, 0700) < 0)
		return fail(why, cap, "store", errno);
	s->work = openat(s->in->images, s->tmp, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	/* a sweep takes what nobody holds; ours may be gone before we do */
	if (s->work < 0 || flock(s->work, LOCK_EX) < 0 ||
	    fstat(s->work, &st) < 0 ||
	    (s->root && fchown(s->work, id, id) < 0))
		return fail(why, cap, "store", errno);
	if (st.st_nlink == 0)
		return fail(why, cap, "store", EAGAIN);
	return 0;
}

static int
feed(void *arg, const void *p, size_t n)
{
	return write_full(*(const int *)arg, p, n);
}

/* What hand says, each stream until it ends. */
struct said {
	int fd;
	uint8_t *buf;
	size_t cap, n;
};

/* The file that hand reads: a socket to ask on, a pipe to feed, or nothing. */
static int
make_input(struct step *s, int in[2])
{
	switch (s->source.kind) {
	case SOURCE_FILE:
		in[0] = fcntl(s->source.fd, F_DUPFD_CLOEXEC, 3);
		return in[0];
	case SOURCE_DOCS:
		if (s->root)
			return socketpair(AF_UNIX, SOCK_SEQPACKET |
			    SOCK_CLOEXEC, 0, in);
		break;
	case SOURCE_PLAIN:
		break;
	}
	return pipe2(in, O_CLOEXEC);
}

static pid_t
start(struct step *s, int *in_w, int *out_r, int *report_r, char *why,
    size_t cap)
{
	int in[2] = {-1, -1}, out[2], rep[2], sync[2];
	uint32_t id = s->in->base + JAIL_SLOT_UID;
	pid_t pid;
	char c;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(rep, O_CLOEXEC) < 0 ||
	    make_input(s, in) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync) < 0)
		return fail(why, cap, "pipe", errno);
	s->in_r = in[0];
	s->out_w = out[1];
	s->report_w = rep[1];
	s->self = getpid();
	if ((pid = fork()) == 0) {
		(void)close(sync[0]); /* else its end is never seen */
		if (in[1] >= 0)
			(void)close(in[1]);
		confine(s, sync[1]);
	}
	(void)close(out[1]);
	(void)close(rep[1]);
	(void)close(in[0]);
	(void)close(sync[1]);
	*in_w = in[1];
	*out_r = out[0];
	*report_r = rep[0];
	if (pid >= 0 && s->root && read(sync[0], &c, 1) == 1 &&
	    userns_map(pid, id, id, false) == 0)
		(void)!write(sync[0], "M", 1);
	(void)close(sync[0]);
	return pid < 0 ? fail(why, cap, "fork", errno) : pid;
}

/* Reads both, and answers what is asked, until both end or time is over. */
static void
attend(const struct step *s, int ask, struct said said[2], int64_t until_us)
{
	bool open[2] = {true, true};
	int64_t left;

	while ((open[0] || open[1]) &&
	    (left = (until_us - clock_mono().us) / 1000) > 0) {
		struct pollfd p[3] = {{ask, POLLIN, 0},
		    {open[0] ? said[0].fd : -1, POLLIN, 0},
		    {open[1] ? said[1].fd : -1, POLLIN, 0}};

		if (poll(p, NELEM(p), (int)left + 1) < 0 && errno != EINTR)
			return;
		if (p[0].revents != 0 && source_answer(&s->source, ask) < 0)
			ask = -1;
		for (int i = 0; i < 2; i++) {
			struct said *w = &said[i];
			ssize_t k;

			if (p[i + 1].revents == 0)
				continue;
			k = read(w->fd, w->buf + w->n, w->cap - w->n);
			if (k > 0)
				w->n += (size_t)k;
			if (k <= 0 || w->n == w->cap)
				open[i] = false;
		}
	}
}

/* The last report of those in buf. */
static struct report
last_report(const uint8_t *buf, size_t n)
{
	struct report r, one;

	memset(&r, 0, sizeof(r));
	for (size_t off = 0, k; off < n; off += k) {
		if ((k = report_parse(buf + off, n - off, &one)) == 0)
			break;
		r = one;
	}
	return r;
}

static int
run(struct step *s, uint8_t *record, size_t *len, char *why, size_t cap)
{
	int64_t until = clock_mono().us + IMAGE_IMPORT_MS * 1000ll;
	_cleanup_fd_ int in_w = -1, out_r = -1, report_r = -1;
	bool plain = s->source.kind == SOURCE_PLAIN;
	uint8_t buf[4 * REPORT_MAX];
	struct tree_report tree = {.why = ""};
	struct report r;
	int status = 0, packed = 0; /* errno */
	pid_t pid = start(s, &in_w, &out_r, &report_r, why, cap);

	if (pid < 0)
		return -1;
	if (plain && tree_pack(s->source.fd, TREE_ROOT, feed, &in_w, &tree) <
	    0)
		packed = errno;
	s->left_out = tree.dropped;
	if (plain || attached(s))
		close_fd(&in_w);
	struct said said[2] = {{out_r, record, IMAGE_RECORD_MAX, 0},
	    {report_r, buf, sizeof(buf), 0}};
	attend(s, in_w, said, until);
	*len = said[0].n;
	if (clock_mono().us >= until)
		(void)kill(pid, SIGKILL);
	close_fd(&in_w);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* EPIPE: hand has more to say of that */
	if (packed != 0 && packed != EPIPE) {
		(void)snprintf(why, cap, packed == EINVAL || packed == E2BIG ?
		    "%s (a tar of the folder is taken too, and has wider "
		    "bounds)" :
		    "%s", tree.why);
		return -1;
	}
	r = last_report(buf, said[1].n);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
	    r.kind != REPORT_HAND || !r.ok) {
		s->unconfined = r.kind == REPORT_FAIL;
		(void)snprintf(why, cap, "%s%s", s->unconfined ?
		    "its reader cannot be confined here: " : "",
		    r.why[0] != '\0' ? r.why : "the import ended early");
		return -1;
	}
	return 0;
}

static int
adopt(struct step *s, const uint8_t *record, size_t len,
    struct image_imported *out, char *why, size_t cap)
{
	struct image_record r;
	struct store_adopted done;
	_cleanup_fd_ int lock = -1;
	char hex[65], gone[GONE_WHY];

	if (!image_record_parse(record, len, &r))
		return fail(why, cap, "record", EINVAL);
	out->digest = r.digest;
	out->bytes = r.bytes;
	out->members = r.members;
	out->layers = r.layers;
	out->dropped = r.dropped + s->left_out;
	if (s->left_out > 0)
		(void)snprintf(out->note, sizeof(out->note), "%u devices, "
		    "pipes or sockets were left out", s->left_out);
	else
		(void)snprintf(out->note, sizeof(out->note), "%s", r.note);
	hex_encode(hex, HASH_BYTES(r.digest));
	if (store_buried(s->in->images, &r.digest, gone)) {
		(void)snprintf(why, cap, "image sha256:%s was removed from "
		    "this node: %s. Only when no list names it any more, "
		    "remove warren/images/meta/%s.gone and import it again",
		    hex, gone, hex);
		return -1;
	}
	lock = store_lock(s->in->images);
	if (lock < 0 || store_adopt(s->in->images, s->tmp, record, len,
	    &done) < 0)
		return fail(why, cap, "store", errno);
	out->was_here = done.here;
	out->mended = done.mended;
	out->list = done.list;
	out->shared = done.shared;
	if (s->in->name != NULL &&
	    store_set_name(s->in->images, s->in->name, &r.digest) < 0) {
		(void)snprintf(why, cap, "names: %s", store_why(errno));
		return -1;
	}
	return 0;
}

static void
drop_work(const struct step *s)
{
	if (s->work < 0)
		return;
	(void)tree_empty(s->work);
	(void)close(s->work);
	(void)unlinkat(s->in->images, s->tmp, AT_REMOVEDIR);
}

int
image_import(const struct image_import *in, struct image_imported *out,
    char *why, size_t cap)
{
	struct step s = {.in = in, .root = numbers_usable(in->base),
	    .source = {.fd = -1}, .hand = -1, .work = -1};
	static uint8_t record[IMAGE_RECORD_MAX];
	void (*pipe_was)(int) = signal(SIGPIPE, SIG_IGN);
	char full[STORE_NAME_MAX + 1];
	size_t len = 0;
	int rv = -1;

	memset(out, 0, sizeof(*out));
	why[0] = '\0';
	s.tag = in->tag == NULL ? NULL : strdup(in->tag);
	(void)import_group_make(&s.group);
	if (in->name != NULL && !store_name_ok(in->name, full))
		(void)snprintf(why, cap, "a name is small letters, digits and "
		    "._-/ , then :TAG");
	else if (base_build_filter(BASE_NEVER, &s.never) < 0 ||
	    base_build_filter(BASE_JOB, &s.job) < 0 ||
	    base_build_filter(BASE_SEAL, &s.seal) < 0)
		(void)snprintf(why, cap, "filter");
	else if (source_open(&s.source, in->path, why, cap) == 0 &&
	    copy_hand(&s, why, cap) == 0 &&
	    make_work(&s, why, cap) == 0 &&
	    run(&s, record, &len, why, cap) == 0)
		rv = adopt(&s, record, len, out, why, cap);
	out->unconfined = s.unconfined;
	import_group_remove(&s.group);
	drop_work(&s);
	free(s.never.insns);
	free(s.job.insns);
	free(s.seal.insns);
	if (s.source.fd >= 0)
		(void)close(s.source.fd);
	free(s.tag);
	if (s.hand >= 0)
		(void)close(s.hand);
	(void)signal(SIGPIPE, pipe_was);
	return rv;
}
