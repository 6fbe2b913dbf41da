/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver of devices behind a line of bytes, with a device that obeys. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/air.h"
#include "transport/engine/engine.h"
#include "transport/engine/line.h"
#include "transport/engine/store.h"
#include "transport/modem/airq.h"
#include "transport/engine/opener.h"
#include "tests/until.h"

static struct engine e;
static struct nif section, sub; /* sub: of a device with two ports */
static struct nif_kind kind;
static struct rnsconf_if conf;
static int far; /* the device's end */
static unsigned agains, lefts, frames;
static uint64_t rate;
static double stuck_s; /* what it waits for a device that takes nothing */

/* ---- what line.c has to do with ---- */

int
store_dir(const struct store *s)
{
	(void)s;
	return -1;
}

static void
random_bytes(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	memset(out, 7, n);
}

/* It never has an interface: what comes and goes is counted here. */
static struct rns *
new_core(struct mono now)
{
	struct rns_config c = {.random = random_bytes, .identity = {1, 2}};

	rns_limits_default(&c.limits);
	return rns_new(&c, now);
}

int
program_send_LEFT(const struct process *p, const struct msg_LEFT *m,
    const int *fds, unsigned nfds)
{
	(void)p;
	(void)fds;
	(void)nfds;
	assert_int_equal(m->index, conf.index);
	lefts++;
	return 0;
}

void
opener_again(struct nif *n)
{
	assert_ptr_equal(n, &section);
	agains++;
}

void
opener_done(struct nif *n)
{
	n->error[0] = '\0';
}

void
opener_why(struct nif *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(n->error, sizeof(n->error), fmt, ap);
	va_end(ap);
}

void
nif_online(struct nif *n, bool online)
{
	n->online = online;
}

void
nif_bitrate(struct nif *n, uint64_t bitrate)
{
	if (bitrate != 0)
		n->cfg.bitrate = bitrate;
}

size_t
nif_frame_limit(const struct nif *n)
{
	(void)n;
	return 500;
}

static bool send_back; /* what comes is sent on over the same line */

static bool
put(struct nif *n, const char *text)
{
	static const struct hash16 dest;
	struct rns_tx tx = {.data = (const uint8_t *)text,
	    .len = strlen(text), .dest = &dest};

	return line_take(n, &tx);
}

void
nif_frame_signal(struct nif *n, const uint8_t *p, size_t len,
    const struct rns_signal *signal)
{
	(void)p;
	(void)len;
	(void)signal;
	frames++;
	if (send_back) {
		assert_true(put(n, "back."));
		line_flush(n);
	}
}

void
nif_frame(void *n, const uint8_t *p, size_t len)
{
	nif_frame_signal(n, p, len, NULL);
}

/* The time after which a device that takes nothing is given up: short. */
void __real_ev_timer_again(struct ev_loop *, ev_timer *);
void __wrap_ev_timer_again(struct ev_loop *, ev_timer *);

void
__wrap_ev_timer_again(struct ev_loop *loop, ev_timer *w)
{
	if (w->repeat > 1)
		stuck_s = w->repeat;
	w->repeat = 0.03;
	__real_ev_timer_again(loop, w);
}

/* ---- a device ---- */

/*
 * Each byte is an order: '0' to '9' say that something came on that port, 'u'
 * and 'd' that port 0 is up or down, 'U' port 3; 'F' a fault, 'T' trouble of
 * port 3, 'R' that it has sent what it was given, 'B' a beacon, 'C' something odd, 'M' a remark of its own, 'W' it says more than the line takes.
 */
enum { FAKE_FAULT, FAKE_ODD, FAKE_TROUBLE };
struct fake {
	struct modem m;
	bool inside;
	bool up[MODEM_PORTS];
	unsigned opens, sends, fed;
	struct mono at;
	unsigned ticks;
	struct mono room; /* for a beacon */
};
static struct fake *fake;

static void
enter(void)
{
	/* the machine is never called while it runs */
	assert_false(fake->inside);
	fake->inside = true;
}

static void
f_opened(struct modem *m, struct mono now)
{
	(void)m;
	(void)now;
	enter();
	fake->opens++;
	memset(fake->up, 0, sizeof(fake->up));
	fake->inside = false;
}

static void
order(struct modem *m, uint8_t c)
{
	static uint8_t much[20000];

	switch (c) {
	case 'u':
	case 'd':
		fake->up[0] = c == 'u';
		m->out->up(m->arg, 0, c == 'u');
		break;
	case 'U':
		fake->up[3] = true;
		m->out->up(m->arg, 3, true);
		break;
	case 'F':
		m->out->fault(m->arg, FAKE_FAULT, "is of no use");
		break;
	case 'T':
		fake->up[3] = false;
		m->out->trouble(m->arg, 3, FAKE_TROUBLE, "is out of order");
		break;
	case 'M':
		m->out->remark(m->arg, FAKE_ODD, "it complains");
		break;
	case 'C':
		m->out->count(m->arg, FAKE_ODD);
		break;
	case 'B':
		fake->room = m->out->beacon_at(m->arg, 0, 15);
		if (mono_reached(e.now, fake->room))
			m->out->beacon(m->arg, 0, 15);
		break;
	case 'R':
		m->out->ready(m->arg, 0);
		break;
	case 'W':
		m->out->write(m->arg, much, sizeof(much));
		break;
	default:
		if (c >= '0' && c <= '9')
			m->out->packet(m->arg, c - '0', &c, 1, NULL);
	}
}

static void
f_bytes(struct modem *m, const uint8_t *p, size_t n, struct mono now)
{
	(void)now;
	enter();
	fake->fed += (unsigned)n;
	for (size_t i = 0; i < n; i++)
		order(m, p[i]);
	fake->inside = false;
}

static void
f_tick(struct modem *m, struct mono now)
{
	(void)m;
	enter();
	assert_true(mono_reached(now, fake->at));
	fake->at = MONO_NEVER;
	fake->ticks++;
	fake->inside = false;
}

static struct mono
f_deadline(const struct modem *m)
{
	(void)m;
	return fake->at;
}

static bool
f_takes(const struct modem *m, unsigned port)
{
	(void)m;
	return fake->up[port];
}

static void
f_send(struct modem *m, unsigned port, const uint8_t *p, size_t n,
    struct mono now)
{
	(void)now;
	enter();
	assert_true(fake->up[port]);
	fake->sends++;
	m->out->write(m->arg, p, n);
	fake->inside = false;
}

static void
f_closing(struct modem *m)
{
	m->out->write(m->arg, (const uint8_t *)"bye", 3);
}

static uint64_t
f_bitrate(const struct modem *m, unsigned port)
{
	(void)m;
	return port == 0 ? rate : 0;
}

static const char *const f_reasons[] = {"fake_faults", "fake_odd",
    "fake_trouble", NULL};
static const struct modem_kind fake_kind = {
	.opened = f_opened,
	.bytes = f_bytes,
	.tick = f_tick,
	.deadline = f_deadline,
	.takes = f_takes,
	.send = f_send,
	.closing = f_closing,
	.bitrate = f_bitrate,
	.reasons = f_reasons,
};

static void
free_fake(struct modem *m)
{
	assert_ptr_equal(m, &fake->m);
	free(m);
}

/* ---- each test has a new one ---- */

static void
open_it(void)
{
	struct nif_open o = {.send_fd = -1, .text = ""};
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	if (far >= 0)
		(void)close(far);
	far = sv[1];
	o.fd = sv[0];
	line_opened(&section, &o);
}

static void
turn(void)
{
	e.now = clock_mono();
	(void)ev_run(e.loop, EVRUN_NOWAIT);
}

#define UNTIL(what, cond)                                                      \
	do {                                                                   \
		struct until u = until_begin(what, PATIENCE_MS);               \
                                                                               \
		turn();                                                        \
		while (!(cond) && until_step(&u))                              \
			turn();                                                \
		assert_true(cond);                                             \
	} while (0)

/* Orders for the device; they have been read when it returns. */
static void
say(const char *text)
{
	unsigned want = fake->fed + (unsigned)strlen(text);

	assert_int_equal(write(far, text, strlen(text)), strlen(text));
	UNTIL("the orders were read", fake->fed >= want);
}

/* Whether so many bytes have come over the line, these among them. */
static bool
came(char *got, size_t *n, size_t want)
{
	ssize_t k = read(far, got + *n, want - *n);

	if (k > 0)
		*n += (size_t)k;
	return *n == want;
}

static void
reads(const char *text)
{
	char got[64] = "";
	size_t n = 0;

	assert_true(strlen(text) < sizeof(got));
	UNTIL("what the line was told", came(got, &n, strlen(text)));
	assert_string_equal(got, text);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	memset(&e, 0, sizeof(e));
	memset(&section, 0, sizeof(section));
	memset(&sub, 0, sizeof(sub));
	kind = (struct nif_kind){.name = "Fake", .carries = true};
	conf = (struct rnsconf_if){.name = "far", .tty = "/dev/fake",
	    .speed = 1200, .index = 5};
	e.loop = ev_loop_new(EVFLAG_AUTO);
	e.now = clock_mono();
	if ((e.rns = new_core(e.now)) == NULL)
		return -1;
	section.e = sub.e = &e;
	section.kind = sub.kind = &kind;
	section.conf = sub.conf = &conf;
	(void)snprintf(sub.name, sizeof(sub.name), "Fake[sub]");
	agains = lefts = frames = 0;
	rate = 0;
	stuck_s = 0;
	send_back = false;
	far = -1;
	if ((fake = calloc(1, sizeof(*fake))) == NULL)
		return -1;
	fake->m.kind = &fake_kind;
	fake->at = MONO_NEVER;
	return line_new(&section, &fake->m, free_fake, true);
}

static int
teardown(void **state)
{
	(void)state;
	line_stop(&sub);
	line_stop(&section);
	assert_null(section.more);
	if (far >= 0)
		(void)close(far);
	rns_free(e.rns);
	ev_loop_destroy(e.loop);
	return 0;
}

static uint64_t
count_of(const char *name)
{
	struct nif_count c[NIF_COUNTS];
	unsigned n = line_counts(&section, c);

	for (unsigned i = 0; i < n; i++)
		if (strcmp(c[i].name, name) == 0)
			return c[i].n;
	fail_msg("no count %s", name);
	return 0;
}

static void
closed_for(const char *why)
{
	assert_false(section.online);
	assert_int_equal(agains, 1);
	assert_int_equal(lefts, 1);
	assert_non_null(strstr(section.error, why));
	assert_int_equal(line_waiting(&section), 0);
	assert_false(put(&section, "x"));
}

/* ---- tests ---- */

/* The next packet is written when the line has taken the last one. */
static void
one_by_one(void **state)
{
	char got[64] = "";

	(void)state;
	open_it();
	assert_int_equal(fake->opens, 1);
	assert_false(put(&section, "x")); /* not up: dropped */
	say("u");
	assert_true(section.online);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(put(&section, "packet."));
		line_flush(&section);
	}
	assert_int_equal(fake->sends, 1);
	assert_int_equal(line_waiting(&section), 4 * 7);
	UNTIL("all were sent", fake->sends == 5);
	assert_int_equal(line_waiting(&section), 0);
	reads("packet.packet.packet.packet.packet.");
	assert_int_equal(section.s.tx_frames, 5);
	assert_int_equal(section.s.tx_bytes, 35);
	say("B");
	assert_int_equal(section.s.tx_frames, 6);
	assert_int_equal(section.s.tx_drops, 1);
	/* at the end it has its last words */
	line_stop(&section);
	memset(got, 0, sizeof(got));
	assert_int_equal(read(far, got, sizeof(got)), 3);
	assert_string_equal(got, "bye");
	assert_int_equal(lefts, 0); /* who takes it away says so */
}

/*
 * A device that says late that it has sent, since its channel was busy: from
 * then on the window of the duty cycle counts, in which no second one fits.
 */
#define LATE_US 50000

static void
ready_late(void **state)
{
	char limits[] = "150 10000000 0 0 far\n";
	struct airq_view v;
	struct mono due, later;

	(void)state;
	e.airtime = limits;
	e.airtime_len = strlen(limits);
	section.cfg.bitrate = 5600; /* 10 ms a packet, of 15 ms */
	open_it();
	say("u");
	assert_true(put(&section, "packet."));
	assert_true(put(&section, "packet."));
	line_flush(&section);
	assert_int_equal(fake->sends, 1);
	airq_view(section.medium->q, &v, clock_mono());
	assert_int_equal(v.limit_us, 15000);
	due = v.due;
	later = mono_add(clock_mono(), LATE_US);
	UNTIL("it is late", mono_reached(clock_mono(), later));
	say("R");
	airq_view(section.medium->q, &v, clock_mono());
	assert_true(mono_sub(v.due, due) >= LATE_US - 20000);
	due = v.due;
	say("R"); /* of nothing that it was given */
	airq_view(section.medium->q, &v, clock_mono());
	assert_int_equal(v.due.us, due.us);
	assert_int_equal(fake->sends, 1);
	/* a beacon alone is more than the window has */
	say("B");
	assert_int_equal(fake->room.us, MONO_NEVER.us);
	assert_int_equal(section.s.tx_drops, 1);
}

/* A relay sends on over the line that it came from: when the machine is done. */
static void
back_again(void **state)
{
	(void)state;
	open_it();
	send_back = true;
	say("u000");
	assert_int_equal(frames, 3);
	assert_int_equal(section.s.rx_frames, 3);
	reads("back.back.back.");
}

static void
ends(void **state)
{
	(void)state;
	open_it();
	say("u");
	assert_true(put(&section, "a"));
	assert_true(put(&section, "b"));
	(void)close(far);
	far = -1;
	UNTIL("its end", agains == 1);
	closed_for("/dev/fake is gone: was it unplugged?");
	assert_int_equal(count_of("line_lost"), 1);
	assert_int_equal(section.s.tx_drops, 3);
	/* and is there again */
	open_it();
	assert_int_equal(fake->opens, 2);
	say("u");
	assert_true(section.online);
	assert_int_equal(section.error[0], 0);
}

static void
faults(void **state)
{
	(void)state;
	open_it();
	say("uCCFuC0");
	closed_for("/dev/fake: is of no use");
	assert_int_equal(count_of("fake_faults"), 1);
	/* what it says after that does not count */
	assert_int_equal(frames, 0);
	assert_int_equal(count_of("fake_odd"), 3);
	assert_int_equal(count_of("line_lost"), 0);
}

/* What the device complains of is kept, with its time, and it goes on. */
static void
complaints(void **state)
{
	(void)state;
	open_it();
	say("u");
	assert_null(section.remark);
	say("MMM");
	assert_string_equal(section.remark, "it complains");
	assert_int_equal(section.remarked.us, e.now.us);
	assert_int_equal(count_of("fake_odd"), 3);
	assert_true(section.online && section.error[0] == '\0');
}

static void
says_too_much(void **state)
{
	(void)state;
	open_it();
	say("uW");
	closed_for("does not take what is written to it");
	assert_int_equal(count_of("line_stalled"), 1);
}

static void
never_reads(void **state)
{
	char text[401];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	open_it();
	say("u");
	for (unsigned i = 0; i < 10000 && put(&section, text); i++) {
		line_flush(&section);
		(void)ev_run(e.loop, EVRUN_NOWAIT);
	}
	/* it is bounded here, and there */
	assert_true(line_waiting(&section) > AIRQ_BYTES - 500);
	assert_true(section.online);
	UNTIL("it is given up", agains == 1);
	closed_for("takes no bytes");
	assert_int_equal(count_of("line_stalled"), 1);
	/* 60 s, and what 1,000 bytes take at 1,200 baud */
	assert_true(stuck_s > 68 && stuck_s < 69);
}

static void
floods(void **state)
{
	static char noise[100000];
	size_t sent = 0;
	ssize_t n;

	(void)state;
	memset(noise, 'x', sizeof(noise));
	open_it();
	n = write(far, noise, sizeof(noise));
	assert_true(n > 10000);
	sent = (size_t)n;
	e.now = clock_mono();
	UNTIL("some was read", fake->fed > 0);
	/* not all at once */
	assert_true(fake->fed <= 8192);
	UNTIL("all was read", fake->fed == sent);
}

static void
timers(void **state)
{
	const struct mono at = mono_add(clock_mono(), 20000);

	(void)state;
	open_it();
	fake->at = at;
	say("x"); /* the machine is asked for its deadline */
	UNTIL("the deadline", fake->ticks == 1);
	assert_true(mono_reached(clock_mono(), at));
}

static void
cannot_open(void **state)
{
	struct nif_open o = {.fd = -1, .send_fd = -1, .error = EBUSY,
	    .text = "another program has it"};

	(void)state;
	line_opened(&section, &o);
	assert_string_equal(section.error, "cannot use /dev/fake: another "
	    "program has it");
	assert_int_equal(agains, 1);
	o.text = "";
	line_opened(&section, &o);
	assert_non_null(strstr(section.error, strerror(EBUSY)));
	assert_int_equal(fake->opens, 0);
}

/* Two ports of a device: by turns, and one may be of no use. */
static void
ports(void **state)
{
	char got[64] = "";

	(void)state;
	assert_int_equal(line_port(&section, 3, &sub), 0);
	assert_true(line_port(&section, 3, &sub) < 0);
	assert_true(line_port(&section, MODEM_PORTS, &sub) < 0);
	open_it();
	rate = 5468;
	say("uU");
	assert_true(section.online && sub.online);
	assert_int_equal(section.cfg.bitrate, 5468);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(put(&section, "a"));
		assert_true(put(&sub, "b"));
	}
	line_flush(&sub);
	UNTIL("all were sent", fake->sends == 6);
	assert_int_equal(read(far, got, sizeof(got)), 6);
	assert_true(strcmp(got, "ababab") == 0 || strcmp(got, "bababa") == 0);
	say("3");
	assert_int_equal(sub.s.rx_frames, 1);
	say("5"); /* nobody's */
	assert_int_equal(frames, 1);
	say("T");
	assert_false(sub.online);
	assert_true(section.online);
	assert_string_equal(sub.error, "is out of order");
	assert_int_equal(count_of("fake_trouble"), 1);
	assert_int_equal(agains, 0);
	say("U");
	assert_true(sub.online);
	assert_int_equal(sub.error[0], 0);
	/* it goes before its section; what comes for it then is nobody's */
	line_stop(&sub);
	say("3");
	assert_int_equal(frames, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(one_by_one), T(ready_late), T(back_again), T(ends), T(faults),
		T(complaints), T(says_too_much), T(never_reads), T(floods),
		T(timers), T(cannot_open), T(ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
