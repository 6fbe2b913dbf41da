/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-transport as somebody else wrote it, for the real house: started by
 * warrend in its place, with its rights, its channels and its neighbours. It
 * dials what is not configured, lets in whom nobody vouches for, signs what was
 * not asked, and says in the log what came of it (tests/system/standin.py).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/program.h"
#include "common/util.h"
#include "node/proto/proto.h"

#define ROUNDS 20

struct hostile {
	struct process prog;
	unsigned asked, opened, refused;
	unsigned requests, replies;
	bool told, off;
};

static void
dial(struct hostile *h)
{
	static const uint32_t indices[] = {0, 1, 2, 99, 0x7fffffff,
	    0xffffffff};

	for (size_t i = 0; i < NELEM(indices); i++) {
		struct msg_DIAL d = {.index = indices[i], .seq = h->asked};
		struct msg_BIND b = {.index = indices[i], .seq = h->asked + 1};

		(void)program_send_DIAL(&h->prog, &d, NULL, 0);
		(void)program_send_BIND(&h->prog, &b, NULL, 0);
		h->asked += 2;
	}
}

/* A link of a peer that never was, and what he asks for. */
static void
requests(struct hostile *h, unsigned round)
{
	struct msg_T_LINK link = {.link = {{(uint8_t)round, 1}}, .ifid = 1,
	    .bitrate = 1000000, .rtt_us = 1000, .hops = 1, .mtu = 500,
	    .mdu = 431};
	struct msg_T_IDENTIFIED who = {.link = link.link,
	    .rns_hash = {{9, (uint8_t)round}}};
	struct msg_T_REQUEST q = {.link = link.link};

	memset(who.rns_public, (int)round + 1, sizeof(who.rns_public));
	(void)program_send_T_LINK(&h->prog, &link, NULL, 0);
	(void)program_send_T_IDENTIFIED(&h->prog, &who, NULL, 0);
	for (unsigned p = 0; p < PATH_COUNT; p++) {
		struct hash16 hash;

		proto_path_hash(&hash, (enum proto_path)p);
		q.path_hash = hash;
		q.request.b[0] = (uint8_t)(p + 1);
		q.request.b[1] = (uint8_t)round;
		/* nothing, a map without end, an envelope that nobody signed */
		memset(q.data, 0xdf, sizeof(q.data));
		q.data_len = (uint16_t)(round * 37 % sizeof(q.data));
		q.len = q.data_len;
		(void)program_send_T_REQUEST(&h->prog, &q, NULL, 0);
		h->requests++;
	}
}

static void
hello(struct hostile *h)
{
	struct msg_T_HELLO m = {.dest = {{1}}};

	memcpy(m.rns_public, h->prog.params.rns_public, sizeof(m.rns_public));
	(void)program_send_T_HELLO(&h->prog, &m, NULL, 0);
	for (unsigned i = 0; i < ROUNDS; i++)
		requests(h, i);
}

/* A half of a binding that was not asked for, and one with no signature. */
static void
sign(struct hostile *h, uint32_t serial)
{
	struct msg_B_SIGNED m = {.serial = serial};

	(void)program_send_B_SIGNED(&h->prog, &m, NULL, 0);
	m.serial = serial + 1;
	memset(m.sig, 0x5a, sizeof(m.sig));
	(void)program_send_B_SIGNED(&h->prog, &m, NULL, 0);
}

static void
tell(struct hostile *h)
{
	static const uint8_t off_the_table[8] = {0, IPC_J_RUN, 1, 2, 3};

	if (h->told || h->opened + h->refused < h->asked || h->asked == 0 ||
	    h->requests == 0)
		return;
	h->told = true;
	log_warnx("hostile", "dials %u refused %u opened %u", h->asked,
	    h->refused, h->opened);
	log_warnx("hostile", "requests %u answered", h->requests);
	/* a plan, from who has no business with plans */
	(void)!write(ipc_fd(program_channel(&h->prog, PROGRAM_NODE)),
	    off_the_table, sizeof(off_the_table));
}

static enum ipc_done
message(void *ctx, struct ipc_in *in)
{
	struct hostile *h = ctx;
	struct msg_OPENED opened;
	struct msg_B_SIGN ask;

	if (in->type == IPC_OPENED && msg_get_OPENED(in->body, &opened)) {
		if (opened.error == 0 || in->nfds > 0)
			h->opened++;
		else
			h->refused++;
	} else if (in->type == IPC_N_REPLY) {
		h->replies++;
	} else if (in->type == IPC_B_SIGN && msg_get_B_SIGN(in->body, &ask)) {
		sign(h, ask.serial);
	}
	tell(h);
	return IPC_DONE;
}

static void
up(void *ctx, enum program who)
{
	struct hostile *h = ctx;

	if (who == PROGRAM_NODE)
		hello(h);
	if (who == PROGRAM_KEYS)
		sign(h, 7);
}

static void
stop(void *ctx)
{
	struct hostile *h = ctx;

	ev_break(h->prog.loop, EVBREAK_ALL);
}

static void
down(void *ctx, enum program who, int error)
{
	(void)ctx;
	if (who == PROGRAM_NODE)
		log_warnx("hostile", "node has ended the channel, error %d",
		    error);
}

static const struct program_ops ops = {.message = message, .up = up,
	.down = down, .stop = stop};

int
main(int argc, char **argv)
{
	static struct hostile h;
	struct ev_loop *loop;

	program_start(&h.prog, PROGRAM_TRANSPORT, argc, argv, NULL, NULL);
	if ((loop = ev_default_loop(0)) == NULL)
		return 1;
	if (program_attach(&h.prog, loop, &ops, &h) < 0 ||
	    program_ready(&h.prog) < 0)
		return 1;
	dial(&h);
	ev_run(loop, 0);
	return 0;
}
