/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/member.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/report.h"
#include "sandbox/base/root.h"
#include "sandbox/jail/birth.h"
#include "sandbox/jail/slot.h"

#define WORD_MAX (8 + PLACES_ALL * (PLACE_PATH_MAX + 8))

int
member_init(struct member *m)
{
	memset(m, 0, sizeof(*m));
	m->ns = m->told[0] = m->told[1] = -1;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, m->told);
}

/* ctime of a folder that was renamed, away or back, is another one. */
static void
look(struct member_image *i, const struct shape *s)
{
	char path[96] = "/images/roots/";
	struct stat st;

	memset(i, 0, sizeof(*i));
	if (s->wasm)
		return;
	hex_encode(path + strlen(path), HASH_BYTES(s->image));
	if (lstat(path, &st) < 0)
		return;
	*i = (struct member_image){.dev = st.st_dev, .ino = st.st_ino,
	    .changed_s = st.st_ctim.tv_sec, .changed_ns = st.st_ctim.tv_nsec};
}

static bool
image_same(const struct member *m)
{
	struct member_image now;

	look(&now, &m->shape);
	/* no folder is number 0 */
	return (m->shape.wasm || now.ino != 0) && now.dev == m->image.dev &&
	    now.ino == m->image.ino && now.changed_s == m->image.changed_s &&
	    now.changed_ns == m->image.changed_ns;
}

/* As init_member() writes it: the serial, then each place. */
static bool
word_read(const uint8_t *buf, size_t len, uint32_t *serial,
    struct place places[PLACES_ALL])
{
	struct rd r = rd_make(buf, len);
	uint8_t n;

	memset(places, 0, PLACES_ALL * sizeof(places[0]));
	if (!rd_u32(&r, serial) || !rd_u8(&r, &n) || n > PLACES_ALL)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!rd_bool(&r, &places[i].in_tmp) ||
		    !rd_str(&r, places[i].path, sizeof(places[i].path)))
			return false;
	return rd_end(&r);
}

/* What has come of those that were begun: the last one counts. */
static void
collect(struct member *m)
{
	static struct place places[PLACES_ALL];
	static uint8_t buf[WORD_MAX];
	int fds[SLOT_FDS_MAX];
	uint32_t serial;
	ssize_t n;

	while ((n = slot_recv(m->told[0], buf, sizeof(buf), fds)) > 0) {
		if (word_read(buf, (size_t)n, &serial, places) &&
		    serial == m->serial) {
			close_fd(&m->ns);
			m->ns = steal_fd(&fds[0]);
			memcpy(m->places, places, sizeof(places));
		}
		for (int i = 0; i < SLOT_FDS_MAX; i++)
			close_fd(&fds[i]);
	}
}

void
member_drop(struct member *m, bool forget)
{
	collect(m);
	close_fd(&m->ns);
	m->used = false;
	/* one that is still built comes too late */
	m->serial++;
	if (forget)
		m->known = false;
}

/* The bytes of the targets, from a sealed memfd; false: they are not there. */
static bool
targets_read(uint8_t *out, const struct plan *p, int args)
{
	return p->targets_len <= PLAN_TARGETS_BYTES &&
	    pread(args, out, p->targets_len, 0) == (ssize_t)p->targets_len;
}

enum member_how
member_take(struct member *m, const struct plan *p, int args)
{
	static uint8_t targets[PLAN_TARGETS_BYTES];
	bool alone = shape_alone(p) && targets_read(targets, p, args);
	enum member_how how = MEMBER_TAKEN;
	struct shape s;

	shape_of(&s, p);
	collect(m);
	if (!alone)
		how = MEMBER_WRITABLE;
	else if (m->ns < 0 || m->used)
		how = MEMBER_NONE;
	else if (!m->known || !shape_eq(&s, &m->shape) ||
	    p->targets_len != m->targets_len ||
	    memcmp(targets, m->targets, m->targets_len) != 0)
		how = MEMBER_SHAPE;
	else if (!image_same(m))
		how = MEMBER_IMAGE;
	if (how != MEMBER_TAKEN)
		member_drop(m, false);
	m->known = alone;
	m->shape = s;
	m->targets_len = alone ? p->targets_len : 0;
	memcpy(m->targets, targets, m->targets_len);
	m->used = true;
	m->serial++;
	return how;
}

pid_t
member_begin(struct member *m, int group, int *pidfd, struct init_member *out)
{
	pid_t pid;

	member_drop(m, false);
	if (!m->known) {
		errno = 0;
		return -1;
	}
	look(&m->image, &m->shape);
	pid = birth_beside(group, pidfd);
	if (pid == 0)
		*out = (struct init_member){.shape = m->shape,
		    .targets = m->targets, .targets_len = m->targets_len,
		    .serial = m->serial, .told = m->told[1]};
	return pid;
}

void
init_member(const struct init_env *e, const struct init_member *m)
{
	static struct plan_args targets;
	static struct place places[PLACES_ALL];
	static uint8_t word[WORD_MAX];
	struct report r = {.kind = REPORT_READY};
	struct wr w = wr_make(word, sizeof(word));
	struct root_plan root;
	const char *what;
	char hex[65];
	int ns;

	init_take_ids(e, m->report);
	/* while there is a /proc of ours to open it in */
	ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		init_fail(m->report, "internal", "mount namespace", errno);
	/* in mounts of our own, as a job reads its own */
	if (plan_targets_parse(m->targets, m->targets_len, &targets) != NULL)
		init_fail(m->report, "internal", "targets", EINVAL);
	init_root(&m->shape, m->report, &targets, hex, places, &root);
	if (root_prepare(&root, &what) < 0)
		init_fail(m->report, "internal", what, errno);
	wr_u32(&w, m->serial);
	wr_u8(&w, (uint8_t)(PLACE_FIXED + targets.ntargets));
	for (unsigned i = 0; i < PLACE_FIXED + targets.ntargets; i++) {
		wr_bool(&w, places[i].in_tmp);
		wr_str(&w, places[i].path);
	}
	if (!wr_ok(&w) || slot_send(m->told, word, w.len, &ns, 1) < 0)
		init_fail(m->report, "internal", "its slot", errno);
	report_send(m->report, &r);
	_exit(0);
}
