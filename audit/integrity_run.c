/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* POLLRDHUP */
#include "audit/integrity_run.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/integrity.h"
#include "audit/integrity_reader.h"
#include "audit/integrity_walk.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"

#define CHECKS_MAX 512	/* that wait; ours: more than there are slots */
#define FILES_MAX 160	/* of the parent's, a pass */
#define TRAIL_TRIES 3	/* it is rewritten while it is read, when it is full */
#define CLOSE_MS 300	/* for a reader to end */
#define FILES_S 30.	/* the parent's answer; then on without */

enum phase { PHASE_NONE, PHASE_NEXT, PHASE_IMAGE, PHASE_FILES, PHASE_TRAIL };

struct file {
	struct msg_I_FILE m;
	int fd;
};

struct asked {
	struct integrity_run *run;
	enum reader which;
	struct ipc_ev *ev;
	bool busy;
	uint32_t seq;
	unsigned found;
	char why[INTEGRITY_WHY]; /* the first R_FOUND */
};

struct check {
	struct msg_I_CHECK m;
	bool asked; /* what is read now answers it */
};

struct integrity_run {
	struct process *prog;
	struct ev_loop *loop;
	struct integrity_ops ops;
	int dir;
	struct integrity known;
	int channel[READERS]; /* until integrity_open() */
	struct asked reader[READERS];
	struct check check[CHECKS_MAX];
	unsigned nchecks;
	uint8_t how; /* of the check that is read now */
	struct id32 given;
	/* the pass */
	ev_timer timer, parent;
	enum phase phase;
	bool first, again; /* again: it was asked for while one runs */
	struct id32 after;
	struct file file[FILES_MAX];
	unsigned nfiles, at;
	uint32_t want;
	bool all_files;
	unsigned tries;
	int64_t began_us;
	uint64_t before; /* bytes of what is read through */
	struct msg_I_STATE state, now;
};

static void integrity_pass(struct integrity_run *);

/* ---- what is said ---- */

static const char *
kind_name(uint8_t kind)
{
	static const char *const names[] = {[FOUND_IMAGE] = "image",
	    [FOUND_PROGRAM] = "program", [FOUND_PROFILE] = "profile",
	    [FOUND_KEY] = "key", [FOUND_TRAIL] = "trail"};

	return kind < NELEM(names) && names[kind] != NULL ? names[kind] :
	    "file";
}

static uint32_t
seconds(void)
{
	return (uint32_t)(clock_wall_us() / 1000000);
}

/* Into the trail, and where it is no good news to the parent and the log. */
static void
report(struct integrity_run *r, uint16_t event, uint8_t severity, uint8_t kind,
    const char *text)
{
	struct msg_EVENT e = {.kind = event, .severity = severity,
	    .when_us = clock_wall_us(), .a = kind};
	struct msg_ALARM a = {.severity = severity};

	(void)snprintf(e.code, sizeof(e.code), "%s", kind_name(kind));
	(void)snprintf(e.text, sizeof(e.text), "%s", text);
	r->ops.event(r->ops.ctx, &e);
	if (severity < 3) {
		log_info("integrity", "%s", text);
		return;
	}
	(void)snprintf(a.text, sizeof(a.text), "integrity: %.500s", text);
	log_errx("integrity", "%s", text);
	(void)ipc_send_ALARM(r->prog->parent, &a, NULL, 0);
}

static void
tell_found(struct integrity_run *r, uint8_t kind, const struct id32 *image,
    const char *name, const char *why, uint32_t at)
{
	struct msg_I_FOUND m = {.kind = kind, .at = at};

	if (image != NULL)
		m.image = *image;
	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	(void)program_send_I_FOUND(r->prog, &m, NULL, 0);
}

static void
tell_state(struct integrity_run *r)
{
	r->state.running = r->phase != PHASE_NONE;
	r->state.done = r->now.bytes;
	r->state.found = r->known.total;
	(void)program_send_I_STATE(r->prog, &r->state, NULL, 0);
}

static void
save(struct integrity_run *r)
{
	static char text[INTEGRITY_STATE_MAX];
	size_t n = integrity_write(&r->known, text, sizeof(text));

	if (file_replace(r->dir, INTEGRITY_STATE, text, n, 0600) < 0)
		log_warn("trail/" INTEGRITY_STATE, "cannot be written: what is "
		    "held against images would be forgotten at a start");
}

static void
image_said(struct integrity_run *r, const struct integrity_saw *s,
    enum integrity_say say)
{
	char text[768], hex[65], list[65];

	if (say == SAY_NOTHING)
		return;
	hex_encode(hex, HASH_BYTES(s->image));
	hex_encode(list, HASH_BYTES(s->list));
	save(r);
	switch (say) {
	case SAY_KNOWN:
		(void)snprintf(text, sizeof(text), "image sha256:%s has the "
		    "files of list sha256:%s", hex, list);
		report(r, EVK_VERIFIED, 1, FOUND_IMAGE, text);
		break;
	case SAY_LIFTED:
		(void)snprintf(text, sizeof(text), "image sha256:%s is as it "
		    "was imported, and may run again: files of list sha256:%s",
		    hex, list);
		report(r, EVK_VERIFIED, 2, FOUND_IMAGE, text);
		tell_found(r, FOUND_IMAGE, &s->image, hex, "", seconds());
		break;
	case SAY_UNLISTED:
		(void)snprintf(text, sizeof(text), "image sha256:%s has no "
		    "list of its files, so nobody can tell whether they "
		    "change: import it again", hex);
		report(r, EVK_INTEGRITY, 2, FOUND_IMAGE, text);
		break;
	default:
		(void)snprintf(text, sizeof(text), "image sha256:%s: %s; it is "
		    "not run until `warren image verify` or an import finds it "
		    "good", hex, s->why);
		report(r, EVK_INTEGRITY, 4, FOUND_IMAGE, text);
		tell_found(r, FOUND_IMAGE, &s->image, hex, s->why, seconds());
		break;
	}
}

static void
other_said(struct integrity_run *r, uint8_t kind, const char *name,
    const char *why, uint8_t severity)
{
	char text[768];

	if (!integrity_other(&r->known, kind, name, why, seconds()))
		return;
	(void)snprintf(text, sizeof(text), "%s %s: %s", kind_name(kind), name,
	    why[0] != '\0' ? why : "is as it was again");
	report(r, why[0] != '\0' ? EVK_INTEGRITY : EVK_VERIFIED,
	    why[0] != '\0' ? severity : 2, kind, text);
	tell_found(r, kind, NULL, name, why, seconds());
}

/* ---- readers ---- */

static struct ipc *
ask(struct integrity_run *r, enum reader which, uint32_t *seq)
{
	struct asked *a = &r->reader[which];

	a->busy = true;
	a->found = 0;
	a->why[0] = '\0';
	*seq = ++a->seq;
	return ipc_ev_channel(a->ev);
}

/* The text of what was found: the first, and how many more. */
static void
found_text(const struct asked *a, const struct msg_R_DONE *m,
    char out[INTEGRITY_WHY])
{
	if (a->found == 0)
		(void)snprintf(out, INTEGRITY_WHY, "%.300s", m->why);
	else if (a->found == 1)
		(void)snprintf(out, INTEGRITY_WHY, "%s", a->why);
	else
		(void)snprintf(out, INTEGRITY_WHY, "%.360s; and %u%s more",
		    a->why, a->found - 1, a->found < READER_FOUND_MAX ? "" :
		    " or");
}

static enum read_end
take_image(struct integrity_run *r, const struct asked *a,
    const struct msg_R_DONE *m, uint8_t how, const struct id32 *given,
    struct integrity_saw *s)
{
	enum integrity_say say;
	enum read_end end;

	*s = (struct integrity_saw){.image = m->image, .list = m->list,
	    .given = *given, .how = how, .end = m->end};
	found_text(a, m, s->why);
	end = integrity_image(&r->known, s, seconds(), &say);
	image_said(r, s, say);
	return end;
}

/* ---- checks that somebody waits for ---- */

static void
check_next(struct integrity_run *r)
{
	struct asked *a = &r->reader[READER_PROMPT];
	struct msg_R_IMAGE q = {.whole = false};
	const struct msg_I_CHECK *first = &r->check[0].m;

	if (a->busy || r->nchecks == 0)
		return;
	q.image = first->image;
	r->how = first->how;
	r->given = first->list;
	/* one look answers all of the kind that wait now */
	for (unsigned i = 0; i < r->nchecks; i++) {
		const struct msg_I_CHECK *m = &r->check[i].m;

		r->check[i].asked = m->how == first->how &&
		    id32_eq(&m->image, &first->image) &&
		    id32_eq(&m->list, &first->list);
	}
	q.whole = first->how != CHECK_START;
	if (ipc_send_R_IMAGE(ask(r, READER_PROMPT, &q.seq), &q, NULL, 0) < 0)
		fatal("a reader");
}

static void
check_done(struct integrity_run *r, const struct msg_R_DONE *d)
{
	struct integrity_saw s;
	enum read_end end = take_image(r, &r->reader[READER_PROMPT], d, r->how,
	    &r->given, &s);
	unsigned kept = 0;

	for (unsigned i = 0; i < r->nchecks; i++) {
		const struct check *c = &r->check[i];
		struct msg_I_CHECKED m = {.image = c->m.image,
		    .job = c->m.job, .how = c->m.how, .end = (uint8_t)end};

		if (!c->asked) {
			r->check[kept++] = *c;
			continue;
		}
		(void)snprintf(m.why, sizeof(m.why), "%s", s.why);
		(void)program_send_I_CHECKED(r->prog, &m, NULL, 0);
	}
	r->nchecks = kept;
	check_next(r);
}

void
integrity_check(struct integrity_run *r, const struct msg_I_CHECK *m,
    struct ipc_in *in)
{
	struct msg_I_CHECKED full = {.image = m->image, .job = m->job,
	    .how = m->how, .end = READ_FAILED};

	(void)in;
	if (r->nchecks == CHECKS_MAX) {
		(void)snprintf(full.why, sizeof(full.why), "%u wait already",
		    CHECKS_MAX);
		(void)program_send_I_CHECKED(r->prog, &full, NULL, 0);
		return;
	}
	r->check[r->nchecks++] = (struct check){.m = *m};
	check_next(r);
}

/* ---- the pass ---- */

static void
pass_end(struct integrity_run *r)
{
	int64_t took = clock_mono().us - r->began_us;

	r->phase = PHASE_NONE;
	ev_timer_stop(r->loop, &r->parent);
	r->state.passes++;
	r->state.at = seconds();
	r->state.took_ms = (uint32_t)MIN_OF(took / 1000, INT64_C(0xffffffff));
	r->state.images = r->now.images;
	r->state.files = r->now.files;
	r->state.kept = r->now.kept;
	r->state.bytes = r->now.bytes;
	log_info("integrity", "looked at everything images=%u files=%u "
	    "bytes=%llu ms=%u found=%u", r->state.images, r->state.files,
	    (unsigned long long)r->state.bytes, r->state.took_ms,
	    r->known.total);
	tell_state(r);
	if (!r->again)
		return;
	r->again = false;
	integrity_pass(r);
}

static void
pass_trail(struct integrity_run *r)
{
	struct msg_R_TRAIL q = {.has_key = false};

	r->phase = PHASE_TRAIL;
	r->ops.trail(r->ops.ctx, &q);
	if (ipc_send_R_TRAIL(ask(r, READER_IDLE, &q.seq), &q, NULL, 0) < 0)
		fatal("a reader");
}

static void
trail_done(struct integrity_run *r, const struct msg_R_DONE *m)
{
	char why[INTEGRITY_WHY];

	if (m->end != READ_GOOD && ++r->tries < TRAIL_TRIES) {
		pass_trail(r);
		return;
	}
	if (m->end == READ_CHANGED) {
		(void)snprintf(why, sizeof(why), "%.290s; checkpoints stop "
		    "until warren/trail and warren/keys/checkpoint are moved "
		    "away", m->why);
		other_said(r, FOUND_TRAIL, "warren/trail", why, 5);
		r->ops.trail_bad(r->ops.ctx);
	} else if (m->end != READ_GOOD) {
		log_warnx("integrity", "the trail was not looked at: %s",
		    m->why);
	}
	pass_end(r);
}

/* Why it is not good, "" when it is; and how bad that is. */
static void
file_why(const struct file *f, const struct msg_R_DONE *m, char *why,
    size_t cap, uint8_t *severity)
{
	*severity = 4;
	why[0] = '\0';
	if (f->m.error != 0) {
		(void)snprintf(why, cap, "cannot be opened: %s",
		    strerror(f->m.error));
	} else if (m->end != READ_GOOD && f->m.kind == FOUND_PROGRAM &&
	    f->m.other) {
		*severity = 3;
		(void)snprintf(why, cap, "another file lies there than the one "
		    "that runs, as after an upgrade: start warrend anew, and "
		    "if nobody has put it there, install it again");
	} else if (m->end != READ_GOOD && f->m.kind == FOUND_PROFILE) {
		(void)snprintf(why, cap, "%.200s since it was read: put it "
		    "right, or `warren reload` takes it as it is", m->why);
	} else if (m->end != READ_GOOD) {
		(void)snprintf(why, cap, "%.300s", m->why);
	} else if (f->m.rights != RIGHTS_SAME) {
		(void)snprintf(why, cap, "its %s has changed", f->m.rights ==
		    RIGHTS_MODE ? "mode" : "owner");
	}
}

static void
file_done(struct integrity_run *r, const struct msg_R_DONE *m)
{
	struct file *f = &r->file[r->at];
	char why[INTEGRITY_WHY];
	uint8_t severity;

	file_why(f, m, why, sizeof(why), &severity);
	other_said(r, f->m.kind, f->m.name, why, severity);
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	r->at++;
	r->now.files++;
}

/* The next of the parent's files, as far as they have come. */
static void
pass_files(struct integrity_run *r)
{
	static const struct msg_R_DONE none = {.end = READ_FAILED};

	while (r->phase == PHASE_FILES && !r->reader[READER_IDLE].busy &&
	    r->at < r->nfiles) {
		struct file *f = &r->file[r->at];
		struct msg_R_FILE q = {.sum = f->m.sum};

		if (f->m.error != 0 || f->fd < 0) {
			file_done(r, &none);
			continue;
		}
		if (ipc_send_R_FILE(ask(r, READER_IDLE, &q.seq), &q, &f->fd,
		    1) < 0)
			fatal("a reader");
	}
	if (r->phase == PHASE_FILES && !r->reader[READER_IDLE].busy &&
	    r->all_files)
		pass_trail(r);
}

static void
drop_files(struct integrity_run *r)
{
	for (unsigned i = r->at; i < r->nfiles; i++)
		if (r->file[i].fd >= 0)
			(void)close(r->file[i].fd);
	r->nfiles = r->at = 0;
}

static void
want_files(struct integrity_run *r)
{
	struct msg_I_WANT m = {.seq = ++r->want};

	drop_files(r);
	r->phase = PHASE_FILES;
	r->all_files = false;
	ev_timer_set(&r->parent, FILES_S, 0.);
	ev_timer_start(r->loop, &r->parent);
	if (ipc_send_I_WANT(r->prog->parent, &m, NULL, 0) < 0)
		fatal("the parent");
}

void
integrity_file(struct integrity_run *r, const struct msg_I_FILE *m,
    struct ipc_in *in)
{
	int fd = in->nfds > 0 ? ipc_in_take(in, 0) : -1;

	if (r->phase != PHASE_FILES || m->seq != r->want ||
	    r->nfiles == FILES_MAX) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	r->file[r->nfiles++] = (struct file){*m, fd};
	pass_files(r);
}

void
integrity_files_end(struct integrity_run *r, const struct msg_I_FILES_END *m,
    struct ipc_in *in)
{
	(void)in;
	if (r->phase != PHASE_FILES || m->seq != r->want)
		return;
	r->all_files = true;
	ev_timer_stop(r->loop, &r->parent);
	pass_files(r);
}

static void
on_parent_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct integrity_run *r = w->data;

	(void)loop;
	(void)revents;
	log_warnx("integrity", "the parent has not handed out all files");
	r->all_files = true;
	pass_files(r);
}

static void
pass_next(struct integrity_run *r)
{
	struct msg_R_NEXT q = {.first = r->first, .after = r->after};

	r->phase = PHASE_NEXT;
	if (ipc_send_R_NEXT(ask(r, READER_IDLE, &q.seq), &q, NULL, 0) < 0)
		fatal("a reader");
}

static void
next_done(struct integrity_run *r, const struct msg_R_DONE *m)
{
	struct msg_R_IMAGE q = {.image = m->image, .whole = true};

	if (m->end != READ_GOOD) {
		want_files(r);
		return;
	}
	r->first = false;
	r->after = m->image;
	r->phase = PHASE_IMAGE;
	if (ipc_send_R_IMAGE(ask(r, READER_IDLE, &q.seq), &q, NULL, 0) < 0)
		fatal("a reader");
}

static void
pass_done(struct integrity_run *r, const struct msg_R_DONE *m)
{
	static const struct id32 none;
	struct integrity_saw s;

	r->now.bytes = r->before + m->bytes;
	r->before = r->now.bytes;
	switch (r->phase) {
	case PHASE_NEXT:
		next_done(r, m);
		break;
	case PHASE_IMAGE:
		(void)take_image(r, &r->reader[READER_IDLE], m, 0, &none, &s);
		r->now.images++;
		r->now.files += m->entries;
		r->now.kept += m->kept;
		pass_next(r);
		break;
	case PHASE_FILES:
		file_done(r, m);
		pass_files(r);
		break;
	case PHASE_TRAIL:
		trail_done(r, m);
		break;
	case PHASE_NONE:
		break;
	}
}

static void
integrity_pass(struct integrity_run *r)
{
	if (r->phase != PHASE_NONE) {
		r->again = true; /* what it has passed may have changed */
		return;
	}
	r->now = (struct msg_I_STATE){.end_ = 0};
	r->before = 0;
	r->tries = 0;
	r->first = true;
	r->began_us = clock_mono().us;
	pass_next(r);
	tell_state(r);
}

void
integrity_ask(struct integrity_run *r, const struct msg_I_PASS *m,
    struct ipc_in *in)
{
	(void)m;
	(void)in;
	integrity_pass(r);
}

static void
on_time(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	integrity_pass(w->data);
}

/* ---- what readers say ---- */

static void
on_found(struct asked *a, const struct msg_R_FOUND *m)
{
	if (a->found++ == 0)
		(void)snprintf(a->why, sizeof(a->why), "%s%s%s",
		    m->path[0] != '\0' ? m->path : "its folder", ": ",
		    walk_text((enum walk_diff)m->what));
}

static void
on_saw(struct asked *a, const struct msg_R_SAW *m)
{
	struct integrity_run *r = a->run;

	if (a->which != READER_IDLE)
		return;
	r->now.bytes = r->before + m->bytes;
	tell_state(r);
}

static void
on_message(void *ctx, struct ipc_in *in)
{
	struct asked *a = ctx;
	struct msg_R_FOUND found;
	struct msg_R_DONE done;
	struct msg_R_SAW saw;

	if (in->type == IPC_R_FOUND && msg_get_R_FOUND(in->body, &found) &&
	    found.seq == a->seq && a->busy) {
		on_found(a, &found);
	} else if (in->type == IPC_R_SAW && msg_get_R_SAW(in->body, &saw) &&
	    saw.seq == a->seq && a->busy) {
		on_saw(a, &saw);
	} else if (in->type == IPC_R_DONE && msg_get_R_DONE(in->body, &done) &&
	    done.seq == a->seq && a->busy) {
		a->busy = false;
		if (a->which == READER_IDLE)
			pass_done(a->run, &done);
		else
			check_done(a->run, &done);
	} else {
		fatalx("a reader says what was not asked");
	}
}

/* It has ended, and so do we: the parent starts all of us again. */
static void
on_gone(void *ctx, int error)
{
	(void)ctx;
	fatalx("a reader has ended (%s)", error == 0 ? "by itself" :
	    strerror(error));
}

static const struct ipc_ev_handlers handlers = {on_message, on_gone, NULL};

/* ---- start ---- */

struct integrity_run *
integrity_start(struct process *p)
{
	struct integrity_run *r = calloc(1, sizeof(*r));
	int images;

	if (r == NULL)
		fatalx("out of memory");
	r->prog = p;
	for (unsigned i = 0; i < READERS; i++)
		if ((r->channel[i] = reader_start(p, (enum reader)i)) < 0)
			fatal("a reader");
	/* theirs alone */
	images = settings_take(p, SET_DIR_IMAGES, "");
	if (images >= 0)
		(void)close(images);
	return r;
}

void
integrity_open(struct integrity_run *r, struct ev_loop *loop, int dir,
    const struct integrity_ops *ops)
{
	size_t len;
	char *text;

	r->loop = loop;
	r->dir = dir;
	r->ops = *ops;
	text = file_load(dir, INTEGRITY_STATE, INTEGRITY_STATE_MAX, &len);
	if (text != NULL)
		integrity_read(&r->known, text, len);
	free(text);
	for (unsigned i = 0; i < READERS; i++) {
		struct ipc *c = ipc_new(r->channel[i], PROGRAM_AUDIT,
		    PROGRAM_AUDIT);
		struct asked *a = &r->reader[i];

		a->run = r;
		a->which = (enum reader)i;
		a->ev = c == NULL ? NULL : ipc_ev_new(loop, c, &handlers, a);
		if (a->ev == NULL)
			fatal("channel to a reader");
	}
	ev_timer_init(&r->parent, on_parent_late, FILES_S, 0.);
	ev_init(&r->timer, on_time);
	r->timer.data = r->parent.data = r;
	text = settings_text(r->prog, SET_INTEGRITY, "", 32, &len);
	integrity_every(r, text);
	free(text);
	ev_timer_set(&r->timer, INTEGRITY_FIRST_S, r->timer.repeat);
	ev_timer_start(loop, &r->timer);
}

void
integrity_every(struct integrity_run *r, const char *text)
{
	bool active = ev_is_active(&r->timer);
	unsigned long s = text == NULL ? 0 : strtoul(text, NULL, 10);

	r->state.every_s = s == 0 || s > UINT32_MAX ? INTEGRITY_EVERY_S :
	    (uint32_t)s;
	r->timer.repeat = r->state.every_s;
	if (active)
		ev_timer_again(r->loop, &r->timer);
}

void
integrity_up(struct integrity_run *r)
{
	char hex[65];

	for (unsigned i = 0; i < r->known.nimages; i++) {
		const struct integrity_image *im = &r->known.image[i];

		hex_encode(hex, HASH_BYTES(im->image));
		if (im->bad)
			tell_found(r, FOUND_IMAGE, &im->image, hex, im->why,
			    im->at);
	}
	for (unsigned i = 0; i < r->known.nfound; i++)
		tell_found(r, r->known.found[i].kind, NULL,
		    r->known.found[i].name, r->known.found[i].why,
		    r->known.found[i].at);
	tell_state(r);
}

/* Their group is removed behind us: they go first, as soon as they see it. */
void
integrity_close(struct integrity_run *r)
{
	for (unsigned i = 0; i < READERS; i++) {
		int fd = ipc_fd(ipc_ev_channel(r->reader[i].ev));
		struct pollfd p = {fd, POLLRDHUP, 0};

		if (shutdown(fd, SHUT_WR) == 0)
			(void)poll(&p, 1, CLOSE_MS);
		ipc_ev_free(r->reader[i].ev);
	}
	drop_files(r);
	ev_timer_stop(r->loop, &r->timer);
	ev_timer_stop(r->loop, &r->parent);
	free(r);
}
