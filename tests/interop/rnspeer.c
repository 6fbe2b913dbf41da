/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counterpart of peer.py on librns and transport/client: it serves and
 * visits the same destination (interop.peer) with the same words and lines.
 *
 *   rnspeer serve CONFIGDIR
 *   rnspeer visit CONFIGDIR DEST STEPS...
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/client/attach.h"
#include "common/mpk.h"
#include "common/util.h"

#define PATTERN 251
#define RESOURCE_SIZE 2000000
#define MESSAGE 0x0101

static struct ev_loop *loop;
static struct attach *att;
static uint8_t identity[RNS_KEY];
static struct hash16 identity_hash, dest;

static void
pattern(uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i % PATTERN);
}

static const char *
hex(const uint8_t *p, size_t n)
{
	static char out[4][600];
	static unsigned turn;
	char *s = out[turn++ % 4];

	hex_encode(s, p, MIN_OF(n, (size_t)299));
	return s;
}

static void
submit(const struct rns_cmd *cmd, const char *what)
{
	int err = attach_submit(att, cmd);

	if (err != RNS_OK)
		fprintf(stderr, "%s: %s\n", what, rns_strerror(err));
}

/* ---- serve ---- */

static struct hash16 echo_hash, size_hash;

/* Received plain resources, one at a time is enough. */
static crypto_hash_sha256_state res_hash;
static uint64_t res_size;

/* Answers to messages, for when the channel's window has room. */
static struct answer {
	struct hash16 link;
	uint8_t data[1024];
	size_t len;
} answers[16];
static size_t answers_n;

/* What came on stream 0 and has to go back: at most one message's worth. */
static uint8_t back[65536];
static size_t back_len, back_from;
static struct hash16 back_link;

static void
send_answers(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_SEND};
	size_t done = 0;
	int err;

	for (; done < answers_n; done++) {
		cmd.channel.link = answers[done].link;
		cmd.channel.msgtype = MESSAGE;
		cmd.channel.data = answers[done].data;
		cmd.channel.len = answers[done].len;
		if ((err = attach_submit(att, &cmd)) == RNS_EAGAIN)
			break; /* CHANNEL_READY comes */
		if (err != RNS_OK)
			fprintf(stderr, "message: %s\n", rns_strerror(err));
	}
	answers_n -= done;
	memmove(answers, answers + done, answers_n * sizeof(*answers));
}

static void
send_back(void)
{
	size_t taken = 0;
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_SEND,
	    .stream.taken = &taken};

	while (back_from < back_len) {
		cmd.stream.link = back_link;
		cmd.stream.stream = 0;
		cmd.stream.data = back + back_from;
		cmd.stream.len = back_len - back_from;
		if (attach_submit(att, &cmd) != RNS_OK)
			return; /* CHANNEL_READY comes */
		back_from += taken;
	}
	back_from = back_len = 0;
}

static void
on_request(const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESPOND};
	static uint8_t big[1 << 20]; /* stays while it is sent */
	struct wr w = wr_make(big, sizeof(big));
	struct rd r = rd_make(ev->request.data, ev->request.len);
	uint64_t n;

	cmd.respond.link = ev->request.link;
	cmd.respond.request_id = ev->request.request_id;
	if (hash16_eq(&ev->request.path_hash, &size_hash) &&
	    mpk_get_uint(&r, &n) && n < sizeof(big) - 8) {
		mpk_put_bin_head(&w, n);
		pattern(big + w.len, n);
		w.len += n;
	} else {
		wr_bytes(&w, ev->request.data, ev->request.len);
	}
	cmd.respond.data = big;
	cmd.respond.len = w.len;
	submit(&cmd, "respond");
}

static void
on_link(const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_OPEN};
	struct hash16 id;

	id = ev->link.id;
	cmd.hash = id;
	submit(&cmd, "channel");
	cmd.type = RNS_CMD_STREAM_OPEN;
	memset(&cmd.stream, 0, sizeof(cmd.stream));
	cmd.stream.link = id;
	submit(&cmd, "stream");
	printf("{\"event\":\"link\"}\n");
}

static void
on_message(const struct rns_event *ev)
{
	size_t n = MIN_OF(ev->channel.len, sizeof(answers->data) / 2);
	struct answer *a = &answers[answers_n];

	if (answers_n == NELEM(answers)) {
		fprintf(stderr, "more messages than places\n");
		return;
	}
	a->link = ev->channel.link;
	memcpy(a->data, ev->channel.data, n);
	memcpy(a->data + n, ev->channel.data, n);
	a->len = 2 * n;
	answers_n++;
	send_answers();
}

static void
on_stream(const struct rns_event *ev)
{
	size_t n = MIN_OF(ev->channel.len, sizeof(back) - back_len);

	back_link = ev->channel.link;
	memcpy(back + back_len, ev->channel.data, n);
	back_len += n;
	send_back();
}

static void
on_resource_done(const struct rns_event *ev)
{
	struct id32 digest;

	crypto_hash_sha256_final(&res_hash, digest.b);
	printf("{\"event\":\"resource\",\"ok\":%s,\"size\":%llu,"
	    "\"sha256\":\"%s\"}\n", ev->resource.status == RNS_RES_COMPLETE ?
	    "true" : "false", (unsigned long long)res_size,
	    hex(HASH_BYTES(digest)));
	crypto_hash_sha256_init(&res_hash);
	res_size = 0;
}

static void
serve_event(void *arg, const struct rns_event *ev)
{
	(void)arg;
	switch (ev->type) {
	case RNS_EV_PACKET:
		printf("{\"event\":\"packet\",\"data\":\"%s\","
		    "\"ratchet\":null}\n", hex(ev->packet.data,
		    ev->packet.len));
		break;
	case RNS_EV_LINK_UP:
		on_link(ev);
		break;
	case RNS_EV_LINK_IDENTIFIED:
		printf("{\"event\":\"identified\",\"hash\":\"%s\"}\n",
		    hex(HASH_BYTES(ev->link.identity_hash)));
		break;
	case RNS_EV_LINK_CLOSED:
		printf("{\"event\":\"closed\"}\n");
		break;
	case RNS_EV_REQUEST:
		on_request(ev);
		break;
	case RNS_EV_CHANNEL_MESSAGE:
		on_message(ev);
		break;
	case RNS_EV_STREAM_DATA:
		on_stream(ev);
		break;
	case RNS_EV_CHANNEL_READY:
		send_answers();
		send_back();
		break;
	case RNS_EV_RESOURCE_DATA:
		crypto_hash_sha256_update(&res_hash, ev->resource.data,
		    ev->resource.len);
		res_size += ev->resource.len;
		break;
	case RNS_EV_RESOURCE_DONE:
		on_resource_done(ev);
		break;
	default:
		break;
	}
	fflush(stdout);
}

static void
add_handler(const char *path)
{
	struct rns_cmd cmd = {.type = RNS_CMD_HANDLER_ADD};

	cmd.handler.dest = dest;
	cmd.handler.path = path;
	cmd.handler.allow = RNS_ALLOW_ALL;
	cmd.handler.compress_max = 1 << 20;
	submit(&cmd, "handler");
}

static void
on_stdin(struct ev_loop *l, ev_io *w, int revents)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	char line[64];
	ssize_t n = read(0, line, sizeof(line));

	(void)w;
	(void)revents;
	if (n <= 0 || memcmp(line, "quit", MIN_OF((size_t)n, 4u)) == 0) {
		ev_break(l, EVBREAK_ALL);
		return;
	}
	cmd.announce.dest = dest;
	submit(&cmd, "announce");
	printf("{\"event\":\"announced\"}\n");
	fflush(stdout);
}

static void
serve(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	ev_io in;

	crypto_hash_sha256_init(&res_hash);
	(void)rns_dest_hash(&dest, "interop.peer", &identity_hash);
	rns_path_hash(&echo_hash, "/echo");
	rns_path_hash(&size_hash, "/size");
	cmd.dest.type = RNS_SINGLE;
	cmd.dest.name = "interop.peer";
	memcpy(cmd.dest.identity, identity, RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.prove = RNS_PROVE_ALL;
	cmd.dest.accept_links = true;
	cmd.dest.resources = RNS_ACCEPT_ALL;
	submit(&cmd, "destination");
	add_handler("/echo");
	add_handler("/size");
	cmd.type = RNS_CMD_APP_DATA;
	memset(&cmd.announce, 0, sizeof(cmd.announce));
	cmd.announce.dest = dest;
	cmd.announce.app_data = (const uint8_t *)"interop";
	cmd.announce.app_data_len = 7;
	submit(&cmd, "app data");
	attach_on_event(att, serve_event, NULL);
	printf("{\"event\":\"ready\",\"dest\":\"%s\",\"identity\":\"%s\"}\n",
	    hex(HASH_BYTES(dest)), hex(HASH_BYTES(identity_hash)));
	fflush(stdout);
	ev_io_init(&in, on_stdin, 0, EV_READ);
	ev_io_start(loop, &in);
	ev_run(loop, 0);
}

/* ---- visit: one step after the other ---- */

static struct attach_link *lnk;
static char **steps;
static int nsteps, step_no;
static ev_timer step_timer;
static ev_tstamp step_start;
static bool started, heard, sent_message[5];
static uint8_t *expected;
static size_t expected_len, got_len;
static bool got_wrong;
static unsigned messages;
static char extra[256];

static void step_begin(struct ev_loop *, ev_timer *, int);

static void
step_end(bool ok)
{
	printf("{\"step\":\"%s\",\"ok\":%s,\"took\":%.3f%s}\n",
	    steps[step_no], ok ? "true" : "false", ev_now(loop) - step_start,
	    extra);
	fflush(stdout);
	extra[0] = '\0';
	step_no++;
	ev_timer_stop(loop, &step_timer);
	ev_timer_init(&step_timer, step_begin, 0, 0);
	ev_timer_start(loop, &step_timer);
}

static void
step_late(struct ev_loop *l, ev_timer *w, int revents)
{
	(void)l;
	(void)w;
	(void)revents;
	step_end(false);
}

static void
step_limit(double s)
{
	ev_timer_stop(loop, &step_timer);
	ev_timer_init(&step_timer, step_late, s, 0);
	ev_timer_start(loop, &step_timer);
}

static bool
at(const char *name)
{
	return started && step_no < nsteps && strcmp(steps[step_no], name) == 0;
}

static void
on_announce(void *arg, const struct rns_event *ev)
{
	(void)arg;
	if (!hash16_eq(&ev->announce.dest, &dest) ||
	    ev->announce.app_data_len != 7 ||
	    memcmp(ev->announce.app_data, "interop", 7) != 0)
		return;
	heard = true;
	if (at("announce"))
		step_end(true);
}

static void
on_path(void *arg, bool found)
{
	struct rns_path p;

	(void)arg;
	if (found && rns_path_get(attach_rns(att), &dest, &p))
		(void)snprintf(extra, sizeof(extra), ",\"hops\":%u", p.hops);
	step_end(found);
}

static void
on_link_state(void *arg, struct attach_link *l, enum attach_link_state s)
{
	struct rns_link_info info;

	(void)arg;
	(void)l;
	if (s == ATTACH_LINK_UP) {
		if (attach_link_info(lnk, &info))
			(void)snprintf(extra, sizeof(extra), ",\"mtu\":%u,"
			    "\"rtt\":%g", info.mtu,
			    (double)info.rtt_us / 1e6);
		step_end(true);
	} else if (s >= ATTACH_LINK_FAILED) {
		lnk = NULL;
		if (step_no < nsteps)
			step_end(false);
	}
}

static void
on_answer(void *arg, const struct attach_response *r)
{
	struct rd rd = rd_make(r->data, r->len);
	const uint8_t *p = NULL;
	size_t n = 0;

	(void)arg;
	step_end(r->result == ATTACH_ANSWERED && mpk_get_bin(&rd, &p, &n) &&
	    rd_end(&rd) && n == expected_len &&
	    memcmp(p, expected, n) == 0);
}

static void
request(const char *path, size_t n, bool echo)
{
	struct attach_request_opts opts = {.repeat = true};
	uint8_t *data = malloc(n + 16);
	struct wr w = wr_make(data, n + 16);

	expected = realloc(expected, n);
	expected_len = n;
	pattern(expected, n);
	if (echo)
		mpk_put_bin(&w, expected, n);
	else
		mpk_put_uint(&w, n);
	if (lnk == NULL || attach_request(lnk, path, data, w.len, &opts,
	    on_answer, NULL) == NULL)
		step_end(false);
	free(data);
}

static void
pump_channel(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_SEND};
	char text[32];

	for (int i = 0; i < 5; i++) {
		if (sent_message[i])
			continue;
		cmd.channel.link = *hash16_at(attach_link_id(lnk));
		cmd.channel.msgtype = MESSAGE;
		cmd.channel.data = (uint8_t *)text;
		cmd.channel.len = (size_t)snprintf(text, sizeof(text),
		    "message %d", i);
		if (attach_submit(att, &cmd) != RNS_OK)
			return;
		sent_message[i] = true;
	}
}

static void
pump_buffer(void)
{
	size_t taken = 0;
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_SEND,
	    .stream.taken = &taken};

	while (back_from < expected_len) {
		cmd.stream.link = *hash16_at(attach_link_id(lnk));
		cmd.stream.stream = 0;
		cmd.stream.data = expected + back_from;
		cmd.stream.len = expected_len - back_from;
		if (attach_submit(att, &cmd) != RNS_OK)
			return;
		back_from += taken;
	}
}

static void
on_bytes(void *arg, const uint8_t *p, size_t n, bool eof)
{
	(void)arg;
	(void)eof;
	if (got_len + n > expected_len ||
	    memcmp(expected + got_len, p, n) != 0)
		got_wrong = true;
	got_len += n;
	if (at("buffer") && (got_wrong || got_len == expected_len))
		step_end(!got_wrong);
}

static void
send_resource(bool random)
{
	static uint8_t data[RESOURCE_SIZE];
	struct id32 digest;
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};

	if (random)
		randombytes_buf(data, sizeof(data));
	else
		pattern(data, sizeof(data));
	crypto_hash_sha256(digest.b, data, sizeof(data));
	(void)snprintf(extra, sizeof(extra), ",\"sha256\":\"%s\"",
	    hex(HASH_BYTES(digest)));
	cmd.resource.link = *hash16_at(attach_link_id(lnk));
	cmd.resource.data = data;
	cmd.resource.len = sizeof(data);
	cmd.resource.compress = true;
	cmd.resource.tag = 4711;
	submit(&cmd, "resource");
}

static void
packet(void)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PACKET};

	cmd.packet.dest = dest;
	cmd.packet.data = (const uint8_t *)"a single packet";
	cmd.packet.len = 15;
	cmd.packet.receipt = true;
	submit(&cmd, "packet");
}

static void
visit_event(void *arg, const struct rns_event *ev)
{
	(void)arg;
	switch (ev->type) {
	case RNS_EV_RECEIPT:
		if (!at("packet"))
			break;
		if (ev->receipt.status == RNS_RECEIPT_DELIVERED)
			step_end(true);
		else
			packet(); /* the proof was late; step_limit() ends it */
		break;
	case RNS_EV_CHANNEL_MESSAGE:
		messages++;
		if (at("channel") && messages == 5)
			step_end(true);
		break;
	case RNS_EV_CHANNEL_READY:
		if (at("channel"))
			pump_channel();
		else if (at("buffer"))
			pump_buffer();
		break;
	case RNS_EV_SENT:
		if (ev->sent.tag == 4711)
			step_end(ev->sent.status == RNS_RES_COMPLETE);
		break;
	default:
		break;
	}
}

static void
step_begin(struct ev_loop *l, ev_timer *w, int revents)
{
	struct attach_link_opts opts = {.identity = identity};
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_OPEN};

	(void)w;
	(void)revents;
	step_start = ev_now(l);
	if (step_no == nsteps) {
		printf("{\"event\":\"done\"}\n");
		fflush(stdout);
		ev_break(l, EVBREAK_ALL);
		return;
	}
	step_limit(120);
	if (at("announce")) {
		if (heard)
			step_end(true);
	} else if (at("path")) {
		(void)attach_path(att, &dest, 0, on_path, NULL);
	} else if (at("packet")) {
		packet();
	} else if (at("open")) {
		lnk = attach_link_open(att, &dest, &opts, on_link_state, NULL);
	} else if (at("identify")) {
		step_end(true); /* open did it */
	} else if (lnk == NULL) {
		step_end(false);
	} else if (at("echo100")) {
		request("/echo", 100, true);
	} else if (at("echo20k")) {
		request("/echo", 20000, true);
	} else if (at("size500k")) {
		request("/size", 500000, false);
	} else if (at("channel")) {
		cmd.hash = *hash16_at(attach_link_id(lnk));
		submit(&cmd, "channel");
		pump_channel();
	} else if (at("buffer")) {
		expected = realloc(expected, 20000);
		expected_len = 20000;
		got_len = back_from = 0;
		pattern(expected, 20000);
		(void)attach_stream(lnk, 0, on_bytes, NULL);
		pump_buffer();
	} else if (at("resource2m")) {
		send_resource(true);
	} else if (at("resource2mtext")) {
		send_resource(false);
	} else if (at("close")) {
		attach_link_close(lnk);
		lnk = NULL;
		step_end(true);
	} else {
		step_end(false);
	}
}

static void
on_go(struct ev_loop *l, ev_io *w, int revents)
{
	char line[16];

	(void)revents;
	ev_io_stop(l, w);
	started = true;
	if (read(0, line, sizeof(line)) <= 0)
		exit(1);
	ev_timer_init(&step_timer, step_begin, 0, 0);
	ev_timer_start(l, &step_timer);
}

static void
visit(const char *hash)
{
	ev_io in;

	if (!hex_decode(HASH_BYTES(dest), hash, strlen(hash)))
		exit(2);
	attach_on_event(att, visit_event, NULL);
	if (attach_on_announce(att, "interop.peer", on_announce, NULL) < 0)
		exit(1);
	printf("{\"event\":\"ready\",\"identity\":\"%s\"}\n",
	    hex(HASH_BYTES(identity_hash)));
	fflush(stdout);
	ev_io_init(&in, on_go, 0, EV_READ);
	ev_io_start(loop, &in);
	ev_run(loop, 0);
}

int
main(int argc, char **argv)
{
	uint8_t pub[RNS_KEY];
	char why[400];

	if (argc < 3 || sodium_init() < 0)
		return 2;
	randombytes_buf(identity, sizeof(identity));
	if (rns_identity_derive(pub, &identity_hash, identity) != RNS_OK)
		return 1;
	loop = ev_default_loop(0);
	if (attach_open(&att, loop, argv[2], why, sizeof(why)) < 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	if (strcmp(argv[1], "serve") == 0) {
		serve();
	} else if (argc > 3) {
		steps = argv + 4;
		nsteps = argc - 4;
		visit(argv[3]);
	}
	attach_close(att);
	free(expected);
	return 0;
}
