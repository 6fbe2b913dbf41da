/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_i2p.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "transport/engine/door.h"
#include "transport/engine/opener.h"
#include "transport/engine/sam.h"
#include "transport/engine/store.h"

/* reticulum-transport.md 8.3, 10.5 */
#define I2P_BITRATE 256000
#define I2P_MTU 1064
#define IDLE_S 10 /* nothing written: two flags */
#define STALE_S 20 /* nothing read: said in the statistics */
#define DEAD_S 110 /* nothing read: the connection is closed */
#define AGAIN_PEER_S 8
#define AGAIN_SERVER_S 15
/* ours: a router builds tunnels meanwhile; it is told when it has failed */
#define SAM_S 300.0

/* One connection to the bridge. */
struct samsock {
	struct nif *n;
	int fd; /* -1: none */
	ev_io io;
	bool up; /* a session */
	struct sam sam;
};

struct i2p {
	struct samsock session, stream;
	ev_timer late;
	char address[64];
	uint64_t rx, tx; /* bytes when something last came, and went */
	struct mono rx_at, tx_at;
};

const char *
i2p_address(const struct nif *n)
{
	const struct i2p *x = n->more;

	return x != NULL && n->id == 0 ? x->address : "";
}

/* ---- connections to the bridge ---- */

static void
sock_close(struct samsock *s)
{
	if (s->fd < 0)
		return;
	ev_io_stop(s->n->e->loop, &s->io);
	(void)close(s->fd);
	s->fd = -1;
	s->up = false;
}

/* The section is up when somebody can come, or one of its peers is. */
static void
section_changed(struct nif *section)
{
	const struct i2p *x = section->more;
	const struct nif *n;
	bool up = x != NULL && x->session.up;

	TAILQ_FOREACH(n, &section->e->ifs, link)
		up = up || (n->parent == section && n->online);
	nif_online(section, up);
	if (up)
		section->error[0] = '\0';
}

static struct nif *
section_of(struct nif *n)
{
	return n->parent != NULL ? n->parent : n;
}

/* All of it ends, and begins anew later. */
static void
i2p_failed(struct nif *n, int error, const char *why)
{
	struct i2p *x = n->more;

	ev_timer_stop(n->e->loop, &x->late);
	sock_close(&x->session);
	sock_close(&x->stream);
	if (n->id == 0) /* nobody can come to it now */
		x->address[0] = '\0';
	opener_failed(n, n->id != 0 ? "no tunnel to the peer" :
	    "cannot be reached through I2P", error, why);
	section_changed(section_of(n));
	if (n->id != 0 && !n->parent->online && !n->conf->connectable)
		opener_why(n->parent, "%s", n->error);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	i2p_failed(w->data, ETIMEDOUT, "");
}

static int
say(struct samsock *s, const char *line)
{
	size_t len = strlen(line);

	/* it is empty, and takes a line; one that does not is broken */
	return send(s->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)len ? 0 : -1;
}

/*
 * The next line without its LF, if it is there; what comes behind it stays in
 * the socket. 1: a line, 0: none yet, -1: the end, or no line.
 */
static int
read_line(int fd, char line[SAM_LINE_MAX])
{
	ssize_t n = recv(fd, line, SAM_LINE_MAX, MSG_PEEK | MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if ((end = memchr(line, '\n', (size_t)n)) == NULL)
		return n == SAM_LINE_MAX ? -1 : 0;
	n = recv(fd, line, (size_t)(end - line) + 1, MSG_DONTWAIT);
	if (n != end - line + 1)
		return -1;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return 1;
}

/* ---- the key of a section that can be reached ---- */

static void
load_key(struct nif *n, struct sam *s)
{
	char file[69];
	ssize_t len = -1;
	int dir;

	s->key[0] = '\0';
	if (n->e->store == NULL ||
	    (dir = dir_open(store_dir(n->e->store), "i2p", false, 0)) < 0)
		return;
	for (int old = 1; old >= 0 && len < 0; old--) {
		sam_key_file(n->conf->name, &n->e->identity_hash, old != 0,
		    file);
		len = file_read(dir, file, s->key, sizeof(s->key) - 1);
	}
	(void)close(dir);
	while (len > 0 && (s->key[len - 1] == '\n' || s->key[len - 1] == '\r'))
		len--;
	s->key[MAX_OF(len, 0)] = '\0';
	if (len >= 0 && !sam_key_ok(s->key)) {
		log_warnx(n->conf->name, "storage/i2p/%s holds no key: a new "
		    "one is made, and with it another address", file);
		s->key[0] = '\0';
	}
}

static void
keep_key(struct nif *n, const struct sam *s)
{
	struct i2p *x = n->more;
	char file[69], b32[53];
	int dir;

	if (sam_b32(s->key, b32)) {
		(void)snprintf(x->address, sizeof(x->address), "%s.b32.i2p",
		    b32);
		log_notice(n->conf->name, "can be reached as %s", x->address);
	}
	if (!s->made || n->e->store == NULL)
		return;
	sam_key_file(n->conf->name, &n->e->identity_hash, false, file);
	dir = dir_open(store_dir(n->e->store), "i2p", true, 0700);
	if (dir < 0 || file_replace(dir, file, s->key, strlen(s->key),
	    0600) < 0)
		log_warn(n->conf->name, "storage/i2p/%s cannot be written, so "
		    "the address ends with the program", file);
	if (dir >= 0)
		(void)close(dir);
}

/* ---- streams ---- */

static void
peer_lost(void *arg, int error)
{
	struct nif *n = arg;
	struct i2p *x = n->more;

	opener_why(n, "tunnel lost: %s", error != 0 ? strerror(error) :
	    "closed by the other end");
	sock_close(&x->session);
	opener_lost(n);
	nif_online(n, false);
	section_changed(n->parent);
}

static void
caller_gone(void *arg, int error)
{
	struct nif *n = arg, *section = n->parent;

	if (nif_visit_said(n))
		log_info(n->name, "%s", error != 0 ? strerror(error) :
		    "closed by the other end");
	nif_free(n);
	section_changed(section);
}

static void
carry(struct nif *n)
{
	struct i2p *x = n->more;

	x->rx = n->s.rx_bytes;
	x->tx = n->s.tx_bytes;
	x->rx_at = x->tx_at = clock_mono();
}

/* The stream to a peer stands. */
static void
peer_up(struct nif *n, int fd)
{
	n->s.gone = peer_lost;
	if (fsock_open(&n->s, fd, RNS_FRAME_HDLC, nif_frame_limit(n)) < 0) {
		(void)close(fd);
		i2p_failed(n, ENOMEM, "");
		return;
	}
	carry(n);
	opener_done(n);
	log_notice(n->name, "tunnel stands");
	nif_online(n, true);
	section_changed(n->parent);
}

static struct nif *i2p_new(struct nif *section, const struct nif_kind *);
static const struct nif_kind i2p_peer_kind, i2p_caller_kind;

/* Somebody has connected to a section. */
static void
caller_up(struct nif *section, int fd)
{
	static const struct sockaddr_storage through = {0};
	struct nif *n = NULL;

	if (!door_ask(section, &through) ||
	    (n = i2p_new(section, &i2p_caller_kind)) == NULL) {
		section->refused += n == NULL;
		(void)close(fd);
		return;
	}
	(void)snprintf(n->name, sizeof(n->name), "I2PInterfacePeer[Connected "
	    "peer on %s]", section->conf->name);
	n->online = true;
	n->s.gone = caller_gone;
	if (fsock_open(&n->s, fd, RNS_FRAME_HDLC, nif_frame_limit(n)) < 0) {
		(void)close(fd);
		section->refused++;
		nif_free(n);
		return;
	}
	carry(n);
	if (nif_attach(n) < 0) {
		section->refused++;
		nif_free(n);
		return;
	}
	section->accepted++;
	door_came(n, &through);
	if (nif_visit_said(n))
		log_info(n->name, "accepted");
}

/* What was asked for on this connection is there. */
static void
sock_done(struct samsock *s)
{
	struct nif *n = s->n;
	struct i2p *x = n->more;
	int fd;

	ev_timer_stop(n->e->loop, &x->late);
	if (s == &x->session) {
		s->up = true;
		if (n->id == 0) {
			keep_key(n, &s->sam);
			opener_done(n);
			section_changed(n);
		}
		opener_ask(n); /* for the stream */
		return;
	}
	fd = s->fd;
	ev_io_stop(n->e->loop, &s->io);
	s->fd = -1;
	if (n->id != 0) {
		peer_up(n, fd);
		return;
	}
	caller_up(n, fd);
	opener_ask(n); /* for the next one */
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	static char line[SAM_LINE_MAX], out[SAM_LINE_MAX];
	struct samsock *s = w->data;
	struct nif *n = s->n;
	struct i2p *x = n->more;
	int got = read_line(s->fd, line);

	(void)revents;
	if (got == 0)
		return;
	if (got < 0) {
		if (n->s.fd >= 0) /* the stream ends with its session */
			fsock_fail(&n->s, ECONNRESET);
		else
			i2p_failed(n, 0, "the SAM bridge closed the connection");
		return;
	}
	if (s->up) /* nothing that we asked for */
		return;
	switch (sam_line(&s->sam, line, out)) {
	case SAM_WAIT:
		ev_timer_stop(loop, &x->late); /* a caller may take days */
		break;
	case SAM_SAY:
		if (say(s, out) < 0)
			i2p_failed(n, errno, "");
		break;
	case SAM_DONE:
		sock_done(s);
		break;
	case SAM_FAILED:
		i2p_failed(n, 0, s->sam.why);
		break;
	}
	explicit_bzero(line, sizeof(line));
	explicit_bzero(out, sizeof(out));
}

static void
sock_begin(struct samsock *s, int fd)
{
	struct nif *n = s->n;
	struct i2p *x = n->more;
	char out[SAM_LINE_MAX];
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	s->fd = fd;
	ev_io_set(&s->io, fd, EV_READ);
	ev_io_start(n->e->loop, &s->io);
	ev_timer_stop(n->e->loop, &x->late);
	ev_timer_set(&x->late, SAM_S, 0.);
	ev_timer_start(n->e->loop, &x->late);
	sam_begin(&s->sam, out);
	if (say(s, out) < 0)
		i2p_failed(n, errno, "");
}

static void
new_session(struct nif *n, struct sam *s, int number)
{
	memset(s, 0, sizeof(*s));
	s->role = SAM_SESSION;
	(void)snprintf(s->id, sizeof(s->id), "reticulum-");
	for (int i = 0; i < 6; i++)
		s->id[10 + i] = (char)('a' + randombytes_uniform(26));
	if (number < 0) {
		load_key(n, s);
		return;
	}
	s->transient = true;
	(void)snprintf(s->peer, sizeof(s->peer), "%s",
	    n->conf->i2p_peers[number]);
}

static void
new_stream(const struct nif *n, struct i2p *x)
{
	struct sam *s = &x->stream.sam;

	memset(s, 0, sizeof(*s));
	s->role = n->id != 0 ? SAM_CONNECT : SAM_ACCEPT;
	memcpy(s->id, x->session.sam.id, sizeof(s->id));
	memcpy(s->peer, x->session.sam.peer, sizeof(s->peer));
}

/* Which of the section's peers it is; -1: the section itself. */
static int
number_of(const struct nif *n)
{
	const struct nif *k;
	int number = 0;

	if (n->id == 0)
		return -1;
	TAILQ_FOREACH(k, &n->e->ifs, link) {
		if (k == n)
			break;
		number += k->parent == n->parent && k->kind == n->kind;
	}
	return number;
}

static void
i2p_opened(struct nif *n, const struct nif_open *o)
{
	struct i2p *x = n->more;
	int fd = o->fd, error = o->error;
	const char *text = o->text;

	if (fd < 0) {
		char why[300];

		(void)snprintf(why, sizeof(why), "the SAM bridge of the I2P "
		    "router: %s", *text != '\0' ? text : strerror(error));
		i2p_failed(n, error, why);
		return;
	}
	if (x->session.fd < 0) {
		new_session(n, &x->session.sam, number_of(n));
		sock_begin(&x->session, fd);
	} else if (x->stream.fd < 0 && n->s.fd < 0) {
		new_stream(n, x);
		sock_begin(&x->stream, fd);
	} else {
		(void)close(fd);
	}
}

/* ---- the kinds ---- */

static void
i2p_second(struct nif *n)
{
	static const uint8_t flags[] = {0x7e, 0x7e};
	struct i2p *x = n->more;
	struct mono now = clock_mono();

	if (n->s.fd < 0)
		return;
	/* what is read and waits for its turn is life as well */
	if (n->s.rx_bytes != x->rx || n->s.behind) {
		x->rx = n->s.rx_bytes;
		x->rx_at = now;
	}
	if (n->s.tx_bytes != x->tx) {
		x->tx = n->s.tx_bytes;
		x->tx_at = now;
	}
	if (mono_sub(now, x->rx_at) >= DEAD_S * MONO_SECOND)
		fsock_fail(&n->s, ETIMEDOUT);
	else if (mono_sub(now, x->tx_at) >= IDLE_S * MONO_SECOND)
		fsock_idle(&n->s, flags, sizeof(flags));
}

static void
i2p_stop(struct nif *n)
{
	struct i2p *x = n->more;

	if (n->kind == &i2p_caller_kind)
		door_went(n);
	if (x == NULL)
		return;
	ev_timer_stop(n->e->loop, &x->late);
	sock_close(&x->session);
	sock_close(&x->stream);
	explicit_bzero(x, sizeof(*x));
	free(x);
	n->more = NULL;
}

static int
more_new(struct nif *n)
{
	struct i2p *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -1;
	n->more = x;
	x->session.n = x->stream.n = n;
	x->session.fd = x->stream.fd = -1;
	ev_init(&x->session.io, on_readable);
	ev_init(&x->stream.io, on_readable);
	x->session.io.data = &x->session;
	x->stream.io.data = &x->stream;
	ev_init(&x->late, on_late);
	x->late.data = n;
	return 0;
}

static struct nif *
i2p_new(struct nif *section, const struct nif_kind *kind)
{
	struct nif *n = nif_new(section->e, kind, section->conf, section);

	if (n == NULL)
		return NULL;
	n->cfg = section->cfg;
	if (more_new(n) == 0)
		return n;
	nif_free(n);
	return NULL;
}

static int
i2p_configure(struct nif *n)
{
	struct nif *peer;

	if (nif_configure(n, I2P_BITRATE) < 0 || more_new(n) < 0)
		return -1;
	n->cfg.hw_mtu = I2P_MTU;
	for (unsigned i = 0; i < n->conf->ni2p_peers; i++) {
		if ((peer = i2p_new(n, &i2p_peer_kind)) == NULL)
			return -1;
		/* reticulum-transport.md 8.3, the second quirk */
		peer->cfg.mode = RNS_MODE_FULL;
		peer->cfg.ar_target_s = 0;
		peer->cfg.wants_tunnel = true; /* it dials */
		(void)snprintf(peer->name, sizeof(peer->name),
		    "I2PInterfacePeer[%.100s to %.100s]", n->conf->name,
		    n->conf->i2p_peers[i]);
		if (nif_attach(peer) < 0)
			return -1;
	}
	return 0;
}

static void
i2p_start(struct nif *n)
{
	if (n->conf->connectable)
		opener_ask(n);
}

static void
i2p_stats(const struct nif *n, struct stats_if *s)
{
	const struct i2p *x = n->more;

	if (n->id == 0) {
		s->i2p = true;
		s->i2p_connectable = n->conf->connectable;
		s->i2p_b32 = x->address[0] != '\0' ? x->address : NULL;
		return;
	}
	s->i2p_peer = true;
	/* reticulum-transport.md 10.5: the words of the reference */
	if (!n->online)
		s->tunnelstate = "Creating Tunnel";
	else if (mono_sub(n->e->now, x->rx_at) > STALE_S * MONO_SECOND)
		s->tunnelstate = "Tunnel Unresponsive";
	else
		s->tunnelstate = "Tunnel Active";
}

static const struct nif_kind i2p_peer_kind = {
	.name = "I2PInterfacePeer",
	.carries = true,
	.lasts = true,
	.retry_s = AGAIN_PEER_S,
	.start = opener_ask,
	.opened = i2p_opened,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
	.second = i2p_second,
	.stats = i2p_stats,
	.stop = i2p_stop,
};

static const struct nif_kind i2p_caller_kind = {
	.name = "I2PInterfacePeer",
	.carries = true,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
	.second = i2p_second,
	.stats = i2p_stats,
	.stop = i2p_stop,
};

const struct nif_kind i2p_kind = {
	.name = "I2PInterface",
	.retry_s = AGAIN_SERVER_S,
	.configure = i2p_configure,
	.start = i2p_start,
	.opened = i2p_opened,
	.stats = i2p_stats,
	.stop = i2p_stop,
};
