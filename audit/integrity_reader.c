/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/integrity_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sodium.h>

#include "audit/filelist.h"
#include "audit/filesum_read.h"
#include "audit/integrity_walk.h"
#include "audit/trail_verify.h"
#include "common/beneath.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "trust/doc/digest.h"

#define READER_NOFILE 64
#define SAW_US 1000000 /* between two R_SAW */
/* linux/ioprio.h, which not every distribution has */
#define IOPRIO_PROCESS 1
#define IOPRIO_IDLE (3 << 13)

/* What is known of an image's files (integrity_walk.h). */
struct known {
	struct id32 image, list;
	uint64_t *seen;
	uint32_t n;
	uint64_t used; /* when: larger is later */
};

struct reader_process {
	struct ipc *channel;
	bool idle;
	int images, trail;
	uint32_t seq;
	uint64_t bytes; /* of the request at hand */
	int64_t began_us, saw_us;
	unsigned found;
	uint8_t key[16];
	struct known known[READER_SEEN_IMAGES];
	uint64_t turn;
};

/* ---- its rights ---- */

/* Folders as mounts of their own; nothing to write, no root to look into. */
static void
confine(struct process *p, struct reader_process *r)
{
	struct priv_dir dirs[2];
	int *fds[] = {&r->images, &r->trail}, own;
	size_t n = 0;

	if (priv_session(READER_NOFILE) < 0)
		fatal("session and limits");
	if (p->root && priv_namespaces(true) < 0)
		fatal("namespaces");
	for (size_t i = 0; i < NELEM(fds); i++) {
		if (*fds[i] < 0)
			continue;
		if (p->root && priv_detach(fds[i], PRIV_READ) < 0)
			fatal("a folder as a mount of its own");
		dirs[n++] = (struct priv_dir){*fds[i], PRIV_READ};
	}
	if (p->root && priv_root(-1) < 0)
		fatal("an empty root directory");
	if (priv_ids(p->root ? p->base + program_row(p->self)->number : 0) < 0)
		fatal("giving up rights");
	if (priv_landlock(dirs, n, false, &p->landlock_abi) < 0)
		fatal("Landlock");
	for (size_t i = 0; i < NELEM(fds); i++) {
		own = *fds[i] < 0 ? -1 : openat(*fds[i], ".", O_RDONLY |
		    O_DIRECTORY | O_CLOEXEC);
		if (own >= 0)
			close_fd(fds[i]);
		if (own >= 0)
			*fds[i] = own;
	}
	/* reset by the change of ids; audit may have ended meanwhile */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    priv_filter_reader() < 0)
		fatal("filter");
}

static void
be_idle(void)
{
	struct sched_param none = {.sched_priority = 0};

	/* where neither is given the rate alone holds it back */
	if (sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		log_debug("integrity", "no idle class of the processor");
	if (syscall(SYS_ioprio_set, IOPRIO_PROCESS, 0, IOPRIO_IDLE) < 0)
		log_debug("integrity", "no idle class of the disk");
}

/* ---- while it reads ---- */

static void
drain(struct reader_process *r, int ms)
{
	struct pollfd p = {ipc_fd(r->channel), POLLOUT, 0};

	while (ipc_pending(r->channel)) {
		if (ipc_flush(r->channel) < 0)
			_exit(0); /* audit is gone */
		if (ipc_pending(r->channel))
			(void)poll(&p, 1, ms);
	}
}

static bool
slice(void *ctx, uint64_t bytes)
{
	struct reader_process *r = ctx;
	struct msg_R_SAW m = {.seq = r->seq};
	int64_t now = clock_mono().us, due;
	char c;

	r->bytes += bytes;
	if (recv(ipc_fd(r->channel), &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		_exit(0); /* audit has ended */
	if (now - r->saw_us >= SAW_US) {
		r->saw_us = now;
		m.bytes = r->bytes;
		(void)ipc_send_R_SAW(r->channel, &m, NULL, 0);
		drain(r, IPC_HELD_MS);
	}
	if (!r->idle)
		return true;
	due = r->began_us +
	    (int64_t)(r->bytes * 1000000 / READER_IDLE_RATE);
	if (due > now)
		(void)poll(NULL, 0, (int)((due - now) / 1000));
	return true;
}

static bool
differs(void *ctx, const char *path, enum walk_diff what)
{
	struct reader_process *r = ctx;
	struct msg_R_FOUND m = {.seq = r->seq, .what = (uint8_t)what};
	static char safe[4 * 4096];
	const size_t room = sizeof(m.path) - 4;
	size_t n;

	/* its end says more than its beginning */
	(void)text_escape(safe, sizeof(safe), path, strlen(path));
	n = strlen(safe);
	(void)snprintf(m.path, sizeof(m.path), "%s%.297s", n <= room ? "" :
	    "...", n <= room ? safe : safe + n - room);
	(void)ipc_send_R_FOUND(r->channel, &m, NULL, 0);
	drain(r, IPC_HELD_MS);
	return ++r->found < READER_FOUND_MAX;
}

static void
begin(struct reader_process *r, uint32_t seq)
{
	r->seq = seq;
	r->bytes = 0;
	r->found = 0;
	r->began_us = r->saw_us = clock_mono().us;
}

static void
done(struct reader_process *r, struct msg_R_DONE *m)
{
	m->seq = r->seq;
	m->bytes = r->bytes;
	if (ipc_send_R_DONE(r->channel, m, NULL, 0) < 0)
		_exit(0);
	drain(r, IPC_HELD_MS);
}

static void
failed(struct msg_R_DONE *m, const char *what)
{
	m->end = READ_FAILED;
	(void)snprintf(m->why, sizeof(m->why), "%s: %s", what,
	    strerror(errno));
}

/* ---- images ---- */

static void
forget(struct known *k)
{
	free(k->seen);
	*k = (struct known){.n = 0};
}

/* What is known of it, zeros at first; NULL: no room, it is read whole. */
static uint64_t *
known(struct reader_process *r, const struct id32 *image,
    const struct id32 *list, uint32_t n)
{
	struct known *k = NULL, *oldest;
	uint64_t all;

	for (;;) {
		oldest = NULL;
		all = n;
		for (size_t i = 0; i < NELEM(r->known); i++) {
			struct known *o = &r->known[i];

			if (o->seen == NULL) {
				k = o;
				continue;
			}
			if (id32_eq(&o->image, image)) {
				if (id32_eq(&o->list, list)) {
					o->used = ++r->turn;
					return o->seen;
				}
				forget(o);
				k = o;
				continue;
			}
			all += o->n;
			if (oldest == NULL || o->used < oldest->used)
				oldest = o;
		}
		if (all <= READER_SEEN_MAX && k != NULL)
			break;
		if (oldest == NULL)
			return NULL;
		forget(oldest);
	}
	k->seen = calloc((size_t)n + 1, sizeof(*k->seen));
	if (k->seen == NULL)
		return NULL;
	k->image = *image;
	k->list = *list;
	k->n = n + 1;
	k->used = ++r->turn;
	return k->seen;
}

static void
name_of(char out[80], const char *folder, const struct id32 *image,
    const char *end)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(*image));
	(void)snprintf(out, 80, "%s%s%s", folder, hex, end);
}

/* Its list, NUL behind it; free it. NULL: m says why. */
static char *
list_of(struct reader_process *r, const struct id32 *image, size_t *len,
    struct msg_R_DONE *m)
{
	_cleanup_fd_ int meta = r->images < 0 ? -1 :
	    beneath_open(r->images, "meta", O_RDONLY | O_DIRECTORY);
	char name[80], *list;

	name_of(name, "", image, ".files");
	list = meta < 0 ? NULL : file_load(meta, name, FILELIST_BYTES_MAX,
	    len);
	if (list != NULL) {
		digest_of(&m->list, list, *len);
		return list;
	}
	if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
		failed(m, "the list of its files");
	else
		m->end = READ_UNLISTED;
	return NULL;
}

static void
walk(struct reader_process *r, int root, const char *list, size_t len,
    uint32_t n, bool whole, struct msg_R_DONE *m)
{
	struct walk w = {.ctx = r, .differs = differs, .slice = slice,
	    .now = clock_wall_us() / 1000000};

	memcpy(w.key, r->key, sizeof(w.key));
	w.seen = r->idle ? NULL : known(r, &m->image, &m->list, n);
	if (whole && w.seen != NULL)
		memset(w.seen, 0, ((size_t)n + 1) * sizeof(*w.seen));
	if (walk_check(&w, root, (const uint8_t *)list, len) < 0)
		failed(m, "its files");
	else
		m->end = r->found > 0 ? READ_CHANGED : READ_GOOD;
	m->entries = w.entries;
	m->looked = w.looked;
	m->kept = w.kept;
}

/*
 * What was found of a folder that has gone meanwhile, or changed places with a
 * good one, is nothing that was found of the image.
 */
static void
look_again(struct reader_process *r, int root, const char *name,
    struct msg_R_DONE *m)
{
	_cleanup_fd_ int now = beneath_open(r->images, name, O_RDONLY |
	    O_DIRECTORY);
	struct stat was, is;

	if (m->end == READ_GOOD || (now < 0 && errno != ENOENT))
		return;
	if (now < 0) {
		m->end = READ_GONE;
	} else if (fstat(root, &was) < 0 || fstat(now, &is) < 0 ||
	    was.st_ino != is.st_ino) {
		m->end = READ_FAILED;
		(void)snprintf(m->why, sizeof(m->why),
		    "its files were replaced meanwhile");
	}
}

static void
on_image(struct reader_process *r, const struct msg_R_IMAGE *q)
{
	struct msg_R_DONE m = {.image = q->image, .end = READ_GONE};
	_cleanup_fd_ int root = -1;
	_cleanup_free_ char *list = NULL;
	char name[80];
	size_t len = 0;
	uint32_t n;

	begin(r, q->seq);
	name_of(name, "roots/", &q->image, "");
	root = r->images < 0 ? -1 : beneath_open(r->images, name, O_RDONLY |
	    O_DIRECTORY);
	if (root < 0 && r->images >= 0 && errno != ENOENT) {
		m.end = READ_CHANGED;
		(void)snprintf(m.why, sizeof(m.why), "its folder: %s",
		    strerror(errno));
	} else if (root >= 0 && (list = list_of(r, &q->image, &len, &m)) !=
	    NULL) {
		if (filelist_check((const uint8_t *)list, len, &n)) {
			walk(r, root, list, len, n, q->whole, &m);
		} else {
			m.end = READ_CHANGED;
			(void)snprintf(m.why, sizeof(m.why),
			    "the list of its files is none");
		}
	}
	if (root >= 0)
		look_again(r, root, name, &m);
	done(r, &m);
}

/* The one behind it, in the order of their digests. */
static void
on_next(struct reader_process *r, const struct msg_R_NEXT *q)
{
	struct msg_R_DONE m = {.end = READ_GONE};
	DIR *d = r->images < 0 ? NULL : dir_take(beneath_open(r->images,
	    "roots", O_RDONLY | O_DIRECTORY));
	struct dirent *de;
	struct id32 id;

	begin(r, q->seq);
	while (d != NULL && (de = readdir(d)) != NULL) {
		if (!hex_decode(HASH_BYTES(id), de->d_name,
		    strlen(de->d_name)) ||
		    (!q->first && memcmp(id.b, HASH_BYTES(q->after)) <= 0) ||
		    (m.end == READ_GOOD &&
		    memcmp(id.b, HASH_BYTES(m.image)) >= 0))
			continue;
		m.image = id;
		m.end = READ_GOOD;
	}
	if (d != NULL)
		(void)closedir(d);
	done(r, &m);
}

/* ---- files, the trail ---- */

static void
on_file(struct reader_process *r, const struct msg_R_FILE *q, int fd)
{
	struct msg_R_DONE m = {.end = READ_GOOD};
	struct id32 sum;
	struct stat st;
	int n = 0;

	begin(r, q->seq);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		m.end = READ_CHANGED;
		(void)snprintf(m.why, sizeof(m.why), "it is no file");
	} else if (!filesum_kept(fd, &sum) && (n = filesum_read(fd,
	    (uint64_t)st.st_size, slice, r, &sum)) != 0) {
		m.end = READ_CHANGED;
		(void)snprintf(m.why, sizeof(m.why), "it cannot be read: %s",
		    strerror(errno));
	} else if (!id32_eq(&sum, &q->sum)) {
		m.end = READ_CHANGED;
		(void)snprintf(m.why, sizeof(m.why), "its bytes have changed");
	}
	m.looked = 1;
	done(r, &m);
}

static void
a_line(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	(void)l;
	(void)text;
	(void)slice(arg, len);
}

static void
on_trail(struct reader_process *r, const struct msg_R_TRAIL *q)
{
	struct msg_R_DONE m = {.end = READ_GOOD};
	struct trail_expect want = {.key = q->has_key ? q->key : NULL,
	    .digest = q->has_line ? &q->line : NULL};
	struct trail_verdict v;

	begin(r, q->seq);
	if (trail_verify(r->trail, &want, &v, a_line, r) < 0) {
		failed(&m, "the trail");
	} else if (!v.ok) {
		m.end = READ_CHANGED;
		if (v.segment != 0)
			(void)snprintf(m.why, sizeof(m.why),
			    "%08u.jsonl line %llu: %s", v.segment,
			    (unsigned long long)v.line, v.why);
		else
			(void)snprintf(m.why, sizeof(m.why), "%s", v.why);
	} else if (q->has_line && !v.met) {
		m.end = READ_CHANGED;
		(void)snprintf(m.why, sizeof(m.why),
		    "the line that was written last is not in it");
	}
	done(r, &m);
}

/* ---- what is asked ---- */

#define TAKE(name, fn, ...)                                                    \
	case IPC_##name: {                                                     \
		struct msg_##name m;                                           \
		if (!msg_get_##name(in->body, &m))                             \
			_exit(1);                                              \
		fn(r, &m __VA_ARGS__);                                         \
		break;                                                         \
	}

static void
serve_one(struct reader_process *r, struct ipc_in *in)
{
	switch (in->type) {
	TAKE(R_NEXT, on_next)
	TAKE(R_IMAGE, on_image)
	TAKE(R_FILE, on_file, , in->fds[0])
	TAKE(R_TRAIL, on_trail)
	default:
		_exit(1);
	}
}

static void
serve(struct reader_process *r)
{
	struct pollfd p = {ipc_fd(r->channel), POLLIN, 0};
	struct ipc_in in;
	int got;

	for (;;) {
		while ((got = ipc_recv(r->channel, &in)) > 0) {
			serve_one(r, &in);
			ipc_in_done(&in);
		}
		if (got < 0)
			_exit(0);
		(void)poll(&p, 1, -1);
	}
}

static void
be_reader(struct process *p, int channel, enum reader which)
{
	static struct reader_process r;

	r.idle = which == READER_IDLE;
	r.images = settings_take(p, SET_DIR_IMAGES, "");
	r.trail = settings_take(p, SET_DIR_TRAIL, "");
	/* what else audit was handed is not for us */
	for (size_t i = 0; i < p->nsettings; i++)
		close_fd(&p->settings[i].fd);
	for (size_t i = 0; i < p->nnamed; i++)
		close_fd(&p->named[i].fd);
	ipc_free(p->parent); /* and its descriptor */
	(void)prctl(PR_SET_NAME, r.idle ? "warren-audit-idl" : "warren-audit-rd",
	    0, 0, 0);
	randombytes_buf(r.key, sizeof(r.key));
	if (r.idle)
		be_idle();
	r.channel = ipc_new(channel, PROGRAM_AUDIT, PROGRAM_AUDIT);
	if (r.channel == NULL)
		fatal("channel to audit");
	confine(p, &r);
	serve(&r);
}

int
reader_start(struct process *p, enum reader which)
{
	int fds[2];
	pid_t pid;

	if (ipc_pair(fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		be_reader(p, fds[1], which);
		_exit(1);
	}
	(void)close(fds[1]);
	if (pid < 0)
		close_fd(&fds[0]);
	return fds[0];
}
