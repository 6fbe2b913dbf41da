/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/air.h"
#include "transport/engine/engine.h"
#include "transport/engine/linebuf.h"
#include "transport/engine/linesaid.h"
#include "transport/engine/opener.h"
#include "transport/engine/reach.h"
#include "transport/engine/tcpopts.h"

#define READ_BYTES 4096 /* ours: one read a turn */
/*
 * ours: after a read that filled it, 2 MB/s at most: more than any port
 * carries, and a pseudo-terminal that is flooded costs the others little.
 */
#define READ_PAUSE_S 0.002
/* ours: it has not taken a byte for so long, and what it holds at its pace */
#define STUCK_S 60.0
#define BITS_A_BYTE 10.0
/* ours: of a TCP connection, so that what waits waits here */
#define TCP_UNSENT 1024

struct line_port {
	struct line *l;
	struct nif *n; /* NULL: it went */
	unsigned no;
};

struct line {
	struct nif *n; /* the section's */
	struct modem *m;
	void (*free_modem)(struct modem *);
	bool framed;
	int fd; /* -1: not open */
	ev_io rd, wr;
	ev_timer tick, pause, stuck;
	struct linebuf out;
	bool busy;   /* the line has still to take what was written */
	bool inside; /* the machine, or what it has called, runs */
	bool faulted;
	char fault[160];
	struct line_port *port[MODEM_PORTS];
	unsigned last; /* the port that has sent last */
	unsigned nreasons;
	uint64_t counts[NIF_COUNTS]; /* as the machine's reasons() */
	uint64_t lost, stalled;
	struct linesaid said, remarks;
};

/* "/dev/ttyUSB0", or "HOST port N" */
static const char *
where(const struct line *l, char *out, size_t cap)
{
	const struct rnsconf_if *c = l->n->conf;

	if (c->tty != NULL)
		(void)snprintf(out, cap, "%.120s", c->tty);
	else
		(void)snprintf(out, cap, "%.100s port %u", c->target_host,
		    c->target_port);
	return out;
}

static void
log_more(const struct line *l, const char *text, unsigned more)
{
	if (more > 0)
		log_warnx(l->n->conf->name, "%s (%u times more since it was "
		    "last said)", text, more);
	else
		log_warnx(l->n->conf->name, "%s", text);
}

/* To the log, unless it was said a short while ago. */
static void
say(struct line *l, const char *text)
{
	unsigned more;

	if (linesaid_trouble(&l->said, text, l->n->e->now, &more))
		log_more(l, text, more);
	else
		log_debug(l->n->conf->name, "%s", text);
}

/* How long its packets last, as configured and as the device says. */
static void
medium_known(struct line_port *p)
{
	const struct modem *m = p->l->m;
	struct airtime a = {.how = AIRTIME_BITS, .bitrate = p->n->cfg.bitrate,
	    .paced = p->l->n->conf->bitrate != 0};

	if (m->kind->airtime != NULL)
		m->kind->airtime(m, p->no, &a);
	air_up(p->n, &a);
}

static void
port_online(struct line_port *p, bool up)
{
	struct nif *n = p->n;
	size_t packets, bytes;

	if (n == NULL)
		return;
	if (up)
		medium_known(p);
	nif_online(n, up);
	if (up || (packets = airq_clear(n->medium->q, &bytes)) == 0)
		return;
	n->s.tx_drops += packets;
	n->s.tx_drop_bytes += bytes;
}

/* ---- closing ---- */

static void
let_go(struct line *l)
{
	struct engine *e = l->n->e;

	ev_io_stop(e->loop, &l->rd);
	ev_io_stop(e->loop, &l->wr);
	ev_timer_stop(e->loop, &l->tick);
	ev_timer_stop(e->loop, &l->pause);
	ev_timer_stop(e->loop, &l->stuck);
	(void)close(l->fd);
	l->fd = -1;
	linebuf_clear(&l->out);
	l->busy = false;
}

/*
 * The parent lets go of it as well: a device that was pulled out keeps its
 * name for as long as somebody has it open, and comes back under another one.
 * Of an interface that goes, whoever takes it away says so.
 */
static void
tell_parent(const struct line *l)
{
	struct engine *e = l->n->e;
	struct msg_LEFT m = {.index = l->n->conf->index,
	    .generation = e->generation};

	if (!e->stopping && engine_ipc(e, PROGRAM_PARENT) != NULL &&
	    program_send_LEFT(&e->program, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_PARENT);
}

static void
failed(struct line *l, const char *text)
{
	struct nif *n = l->n;

	say(l, text);
	opener_why(n, "%s", text);
	opener_again(n);
	reach_changed(n->e);
}

/* What is to be said of it was written before. */
static void
down(struct line *l, const char *text)
{
	let_go(l);
	tell_parent(l);
	for (unsigned i = 0; i < MODEM_PORTS; i++)
		if (l->port[i] != NULL && l->n->kind->port == NULL)
			port_online(l->port[i], false);
		else if (l->port[i] != NULL)
			l->n->kind->port(l->n, i, false);
	if (!l->n->kind->carries)
		nif_online(l->n, false);
	failed(l, text);
}

/* ---- what the machine says ---- */

static void
on_write(void *arg, const uint8_t *p, size_t len)
{
	struct line *l = arg;

	if (l->faulted || len == 0)
		return;
	if (linebuf_put(&l->out, p, len))
		return;
	l->faulted = true;
	l->stalled++;
	(void)snprintf(l->fault, sizeof(l->fault), "does not take what is "
	    "written to it");
}

static void
on_packet(void *arg, unsigned port, const uint8_t *p, size_t len,
    const struct rns_signal *signal)
{
	struct line *l = arg;
	struct nif *n = line_port_nif(l->n, port);

	if (n == NULL || l->faulted)
		return;
	n->s.rx_frames++;
	n->s.rx_bytes += len;
	if (signal == NULL)
		nif_frame(n, p, len);
	else
		nif_frame_signal(n, p, len, signal);
	airq_heard(n->medium->q, rns_rx_kind(n->e->rns), len, n->e->now);
}

/* The section of several is up while one of them is. */
static bool
any_up(const struct line *l)
{
	for (unsigned k = 0; k < MODEM_PORTS; k++)
		if (l->port[k] != NULL && l->port[k]->n != NULL &&
		    l->port[k]->n->online)
			return true;
	return false;
}

static void
on_up(void *arg, unsigned port, bool up)
{
	struct line *l = arg;
	char place[160], text[200];

	if (port >= MODEM_PORTS || l->faulted)
		return;
	if (l->n->kind->port == NULL && l->port[port] == NULL)
		return;
	if (up) {
		opener_done(l->n);
		if (l->port[port] != NULL && l->port[port]->n != NULL)
			l->port[port]->n->error[0] = '\0';
		(void)snprintf(text, sizeof(text), "%s is open", where(l,
		    place, sizeof(place)));
		if (linesaid_over(&l->said, text, l->n->e->now))
			log_notice(l->n->conf->name, "%s", text);
	}
	if (l->n->kind->port != NULL) {
		l->n->kind->port(l->n, port, up);
		return;
	}
	port_online(l->port[port], up);
	if (!l->n->kind->carries)
		nif_online(l->n, any_up(l));
}

static void
on_count(void *arg, unsigned reason)
{
	struct line *l = arg;

	if (reason < l->nreasons)
		l->counts[reason]++;
}

static void
on_remark(void *arg, unsigned reason, const char *text)
{
	struct line *l = arg;
	unsigned more;

	if (l->faulted)
		return;
	on_count(l, reason);
	l->n->remark = text;
	l->n->remarked = l->n->e->now;
	if (linesaid_new(&l->remarks, text, l->n->e->now, &more))
		log_more(l, text, more);
}

/* One port alone; its section's others go on. */
static void
on_trouble(void *arg, unsigned port, unsigned reason, const char *why)
{
	struct line *l = arg;
	char text[300];

	if (port >= MODEM_PORTS || l->port[port] == NULL ||
	    l->port[port]->n == NULL || l->faulted)
		return;
	on_count(l, reason);
	port_online(l->port[port], false);
	(void)snprintf(text, sizeof(text), "%.160s: %.120s",
	    l->port[port]->n->name, why);
	say(l, text);
	opener_why(l->port[port]->n, "%s", why);
}

static void
on_ready(void *arg, unsigned port)
{
	struct line *l = arg;

	/* when it left; what is next is asked by leave() */
	if (port < MODEM_PORTS && l->port[port] != NULL &&
	    l->port[port]->n != NULL &&
	    airq_sent(l->port[port]->n->medium->q, l->n->e->now))
		air_sent(l->port[port]->n);
}

static void
on_fault(void *arg, unsigned reason, const char *text)
{
	struct line *l = arg;

	if (l->faulted)
		return;
	on_count(l, reason);
	l->faulted = true;
	(void)snprintf(l->fault, sizeof(l->fault), "%s", text);
}

static struct mono
on_beacon_at(void *arg, unsigned port, size_t len)
{
	struct line *l = arg;
	struct nif *n = line_port_nif(l->n, port);
	struct mono at;

	if (n == NULL)
		return MONO_NEVER;
	at = airq_beacon_at(n->medium->q, len, l->n->e->now);
	if (at.us == MONO_NEVER.us) {
		n->s.tx_drops++;
		n->s.tx_drop_bytes += len;
	}
	return at;
}

/* Of the machine's own, which counts as sent. */
static void
on_beacon(void *arg, unsigned port, size_t len)
{
	struct line *l = arg;
	struct nif *n = line_port_nif(l->n, port);

	if (n == NULL)
		return;
	n->s.tx_frames++;
	if (!l->framed)
		n->s.tx_bytes += len;
	airq_beacon(n->medium->q, len, l->n->e->now);
}

static const struct modem_out out = {
	.write = on_write,
	.packet = on_packet,
	.up = on_up,
	.ready = on_ready,
	.fault = on_fault,
	.count = on_count,
	.remark = on_remark,
	.trouble = on_trouble,
	.beacon_at = on_beacon_at,
	.beacon = on_beacon,
};

/* ---- what leaves ---- */

/*
 * Poll says that a tty can be written to when it has fewer than 256 bytes left
 * to send (and a socket by TCP_NOTSENT_LOWAT): until then it is busy.
 */
static void
write_out(struct line *l)
{
	ssize_t n;

	/* of an error's cause the reader hears, in its own turn */
	while (l->fd >= 0 && (n = linebuf_write(&l->out, l->fd)) > 0) {
		if (l->framed && l->port[0] != NULL && l->port[0]->n != NULL)
			l->port[0]->n->s.tx_bytes += (uint64_t)n;
		ev_timer_again(l->n->e->loop, &l->stuck);
		l->busy = true;
	}
	l->busy = l->busy || !linebuf_empty(&l->out);
	if (l->busy && l->fd >= 0 && !ev_is_active(&l->wr)) {
		ev_timer_again(l->n->e->loop, &l->stuck);
		ev_io_start(l->n->e->loop, &l->wr);
	}
}

/* One packet of the next port that has one and may; false: none. */
static bool
send_one(struct line *l)
{
	struct mono now = l->n->e->now;
	struct airq_packet p;

	if (l->fd < 0 || l->busy || l->faulted)
		return false;
	for (unsigned i = 1; i <= MODEM_PORTS; i++) {
		unsigned k = (l->last + i) % MODEM_PORTS;
		struct line_port *port = l->port[k];

		if (port == NULL || port->n == NULL ||
		    !mono_reached(now, airq_due(port->n->medium->q, now)) ||
		    !l->m->kind->takes(l->m, k) ||
		    !airq_next(port->n->medium->q, &p, now))
			continue;
		l->last = k;
		air_left(port->n, p.kind, p.len);
		port->n->s.tx_frames++;
		if (!l->framed)
			port->n->s.tx_bytes += p.len;
		l->m->kind->send(l->m, k, p.data, p.len, now);
		return true;
	}
	return false;
}

/* When the machine wants to be asked again, or the next packet may go. */
static void
set_tick(struct line *l)
{
	struct mono now = l->n->e->now, at = l->m->kind->deadline(l->m);
	double s;

	for (unsigned k = 0; !l->busy && k < MODEM_PORTS; k++) {
		struct mono due = l->port[k] == NULL ||
		    l->port[k]->n == NULL ? MONO_NEVER :
		    airq_due(l->port[k]->n->medium->q, now);

		if (!mono_reached(now, due))
			at = mono_min(at, due);
	}
	ev_timer_stop(l->n->e->loop, &l->tick);
	if (l->fd < 0 || at.us == MONO_NEVER.us)
		return;
	s = (double)mono_sub(at, now) / MONO_SECOND;
	ev_timer_set(&l->tick, MAX_OF(s, 0.001), 0.);
	ev_timer_start(l->n->e->loop, &l->tick);
}

/*
 * Around every call of the machine, which may cause packets to be sent on this
 * very line: they wait until it has come back.
 */
static void
enter(struct line *l)
{
	l->inside = true;
}

static void
leave(struct line *l)
{
	char place[160], text[400];

	do
		write_out(l);
	while (send_one(l));
	l->inside = false;
	for (unsigned k = 0; k < MODEM_PORTS; k++)
		if (l->port[k] != NULL && l->port[k]->n != NULL)
			nif_bitrate(l->port[k]->n,
			    l->m->kind->bitrate(l->m, k));
	if (l->faulted) {
		l->faulted = false;
		(void)snprintf(text, sizeof(text), "%s: %s", where(l, place,
		    sizeof(place)), l->fault);
		down(l, text);
		return;
	}
	set_tick(l);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct line *l = w->data;

	(void)revents;
	ev_io_stop(loop, w);
	ev_timer_stop(loop, &l->stuck);
	l->busy = false;
	enter(l);
	leave(l);
}

static void
on_stuck(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct line *l = w->data;
	char place[160], text[300];

	(void)loop;
	(void)revents;
	l->stalled++;
	(void)snprintf(text, sizeof(text), "%s takes no bytes: does the device "
	    "hang?", where(l, place, sizeof(place)));
	down(l, text);
}

/* ---- what comes in ---- */

static void
gone(struct line *l, int error)
{
	char place[160], text[300];

	l->lost++;
	if (error == 0 || error == EIO || error == ENXIO || error == ENODEV)
		(void)snprintf(text, sizeof(text), "%s is gone: %s", where(l,
		    place, sizeof(place)), l->n->conf->tty != NULL ? "was it "
		    "unplugged?" : "closed by the other end");
	else
		(void)snprintf(text, sizeof(text), "%s: %s", where(l, place,
		    sizeof(place)), strerror(error));
	down(l, text);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	static uint8_t buf[READ_BYTES];
	struct line *l = w->data;
	ssize_t n = read(l->fd, buf, sizeof(buf));

	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		gone(l, n < 0 ? errno : 0);
		return;
	}
	if (n == (ssize_t)sizeof(buf)) {
		ev_io_stop(loop, &l->rd);
		ev_timer_set(&l->pause, READ_PAUSE_S, 0.);
		ev_timer_start(loop, &l->pause);
	}
	enter(l);
	l->m->kind->bytes(l->m, buf, (size_t)n, l->n->e->now);
	leave(l);
}

static void
on_pause(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct line *l = w->data;

	(void)revents;
	ev_io_start(loop, &l->rd);
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct line *l = w->data;

	(void)loop;
	(void)revents;
	enter(l);
	/* silence is measured when all that came has been read */
	if (!ev_is_active(&l->pause) &&
	    mono_reached(l->n->e->now, l->m->kind->deadline(l->m)))
		l->m->kind->tick(l->m, l->n->e->now);
	leave(l);
}

/* ---- as the kinds of interfaces have it ---- */

int
line_port(struct nif *section, unsigned port, struct nif *n)
{
	struct line *l = section->more;
	struct line_port *p;

	if (port < MODEM_PORTS && (p = l->port[port]) != NULL &&
	    p->n == NULL) {
		if (air_new(n) < 0)
			return -1;
		p->n = n;
		n->own = p;
		return 0;
	}
	if (port >= MODEM_PORTS || l->port[port] != NULL ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return -1;
	if (air_new(n) < 0) {
		free(p);
		return -1;
	}
	p->l = l;
	p->n = n;
	p->no = port;
	l->port[port] = p;
	n->own = p;
	return 0;
}

void
line_port_up(struct nif *n)
{
	medium_known(n->own);
}

int
line_new(struct nif *n, struct modem *m, void (*free_it)(struct modem *),
    bool framed)
{
	struct line *l = calloc(1, sizeof(*l));
	double byte_s = n->conf->speed == 0 ? 0 : BITS_A_BYTE / n->conf->speed;

	if (l == NULL)
		return -1;
	l->n = n;
	l->fd = -1;
	l->framed = framed;
	ev_init(&l->rd, on_readable);
	ev_init(&l->wr, on_writable);
	ev_init(&l->tick, on_tick);
	ev_init(&l->pause, on_pause);
	ev_timer_init(&l->stuck, on_stuck, 0., STUCK_S +
	    byte_s * (double)rns_frame_max(RNS_FRAME_HDLC, nif_frame_limit(n)));
	/* before a tick of the same turn, which looks how long it was silent */
	ev_set_priority(&l->rd, 1);
	l->rd.data = l->wr.data = l->tick.data = l->pause.data =
	    l->stuck.data = l;
	n->more = l;
	if (n->kind->carries && line_port(n, 0, n) < 0) {
		n->more = NULL;
		free(l);
		return -1;
	}
	l->m = m;
	l->free_modem = free_it;
	m->out = &out;
	m->arg = l;
	while (l->nreasons < NIF_COUNTS && m->kind->reasons != NULL &&
	    m->kind->reasons[l->nreasons] != NULL)
		l->nreasons++;
	return 0;
}

static struct line *
line_of(const struct nif *n)
{
	return n->more != NULL ? n->more :
	    n->own != NULL ? ((struct line_port *)n->own)->l : NULL;
}

struct nif *
line_port_nif(const struct nif *section, unsigned port)
{
	const struct line *l = section->more;

	return l != NULL && port < MODEM_PORTS && l->port[port] != NULL ?
	    l->port[port]->n : NULL;
}

unsigned
line_port_no(const struct nif *n)
{
	return n->own != NULL ? ((const struct line_port *)n->own)->no : 0;
}

struct modem *
line_modem(const struct nif *n)
{
	struct line *l = line_of(n);

	return l != NULL ? l->m : NULL;
}

/* What a connection can do that a cable cannot; a tty has none of it. */
static void
set_options(int fd)
{
	tcpopts_set(fd, false);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
	    &(int){TCP_UNSENT}, sizeof(int));
}

void
line_opened(struct nif *n, const struct nif_open *o)
{
	struct line *l = n->more;
	char place[160], text[400];

	if (o->send_fd >= 0)
		(void)close(o->send_fd);
	if (o->fd < 0) {
		(void)snprintf(text, sizeof(text), "cannot use %s: %.200s",
		    where(l, place, sizeof(place)), o->text[0] != '\0' ?
		    o->text : strerror(o->error));
		failed(l, text);
		return;
	}
	if (l->fd >= 0) { /* there is one already */
		(void)close(o->fd);
		return;
	}
	if (n->conf->tty == NULL)
		set_options(o->fd);
	l->fd = o->fd;
	ev_io_set(&l->rd, l->fd, EV_READ);
	ev_io_set(&l->wr, l->fd, EV_WRITE);
	ev_io_start(n->e->loop, &l->rd);
	enter(l);
	l->m->kind->opened(l->m, n->e->now);
	leave(l);
}

bool
line_take(struct nif *n, const struct rns_tx *tx)
{
	if (n->online && n->medium != NULL && airq_put(n->medium->q, tx, n->e->now))
		return true;
	n->s.tx_drops++;
	n->s.tx_drop_bytes += tx->len;
	return false;
}

void
line_flush(struct nif *n)
{
	struct line *l = line_of(n);

	if (l->inside || l->fd < 0)
		return;
	enter(l);
	leave(l);
}

size_t
line_waiting(const struct nif *n)
{
	return n->medium != NULL ? airq_waiting(n->medium->q) : 0;
}

unsigned
line_counts(const struct nif *n, struct nif_count c[NIF_COUNTS])
{
	const struct line *l = n->more;
	unsigned k = 0;

	if (l == NULL) /* of a port; its section says it */
		return 0;
	c[k++] = (struct nif_count){"line_lost", l->lost};
	c[k++] = (struct nif_count){"line_stalled", l->stalled};
	for (unsigned i = 0; i < l->nreasons && k < NIF_COUNTS; i++)
		c[k++] = (struct nif_count){l->m->kind->reasons[i],
		    l->counts[i]};
	return k;
}

void
line_stop(struct nif *n)
{
	struct line *l = n->more;

	if (l == NULL) { /* a port's, before its section's */
		if (n->own != NULL)
			((struct line_port *)n->own)->n = NULL;
		n->own = NULL;
		air_free(n);
		return;
	}
	if (l->fd >= 0) {
		l->inside = true;
		if (l->m->kind->closing != NULL)
			l->m->kind->closing(l->m);
		write_out(l);
		let_go(l);
	}
	for (unsigned i = 0; i < MODEM_PORTS; i++)
		free(l->port[i]);
	air_free(n);
	l->free_modem(l->m);
	free(l);
	n->more = n->own = NULL;
}
