/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of the RPC socket (reticulum-transport.md 13.4) on a core, against
 * recorded answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/nif.h"
#include "transport/engine/rpc.h"
#include "transport/engine/rpc_calls.h"
#include "transport/engine/rpc_stats.h"
#include "tests/unit/vec.h"
#include "tests/unit/vec_mpk.h"

#define WALL_US (1700000000 * MONO_SECOND)

static const struct nif_kind kind = {
	.name = "TCPClientInterface", .carries = true};
static const struct nif_kind server_kind = {.name = "TCPServerInterface"};

static void
unpredictable(void *arg, uint8_t *out, size_t n)
{
	static uint8_t next;

	(void)arg;
	memset(out, next++, n);
}

static int
setup(void **state)
{
	static const char text[] = "[reticulum]\nenable_transport = yes\n";
	struct rns_config cfg = {.random = unpredictable, .transport = true,
	    .wall_us = WALL_US, .identity = {1}};
	struct engine *e = calloc(1, sizeof(*e));
	struct mistakes m = {0};

	assert_non_null(e);
	TAILQ_INIT(&e->ifs);
	TAILQ_INIT(&e->dirty);
	e->loop = ev_loop_new(EVFLAG_NOENV);
	e->now.us = MONO_SECOND;
	assert_int_equal(rnsconf_parse(&e->conf, text, strlen(text), &m), 0);
	rns_limits_default(&cfg.limits);
	e->rns = rns_new(&cfg, e->now);
	assert_non_null(e->rns);
	e->identity_hash = *hash16_at(rns_identity_hash(e->rns));
	assert_non_null(e->holes = holes_new(e));
	*state = e;
	return 0;
}

static int
teardown(void **state)
{
	struct engine *e = *state;
	struct nif *n;

	while ((n = TAILQ_LAST(&e->ifs, nif_list)) != NULL)
		nif_free(n);
	holes_free(e->holes);
	rns_free(e->rns);
	rnsconf_free(e->conf);
	ev_loop_destroy(e->loop);
	free(e);
	return 0;
}

static struct nif *
interface(struct engine *e, const char *name, uint64_t bitrate)
{
	struct nif *n = nif_new(e, &kind, NULL, NULL);

	assert_non_null(n);
	(void)snprintf(n->name, sizeof(n->name), "TCPInterface[%s]", name);
	n->cfg.kind = RNS_IF_NET;
	n->cfg.mode = RNS_MODE_FULL;
	n->cfg.bitrate = bitrate;
	n->cfg.out = n->online = true;
	assert_int_equal(nif_attach(n), 0);
	return n;
}

static void
known(struct engine *e, const struct hash16 *dest, uint8_t seed)
{
	struct rns_cmd cmd = {.type = RNS_CMD_KNOWN_ADD};

	cmd.known.dest = *dest;
	memset(cmd.known.public_key, seed, RNS_KEY);
	cmd.known.heard_us = WALL_US;
	assert_int_equal(rns_submit(e->rns, &cmd, e->now), RNS_OK);
}

static void
path(struct engine *e, const struct nif *n, uint8_t dest, uint8_t via,
    uint8_t hops)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_ADD};

	memset(cmd.path.dest.b, dest, RNS_HASH);
	memset(cmd.path.next_hop.b, via, RNS_HASH);
	cmd.path.hops = hops;
	cmd.path.ifid = n->id;
	cmd.path.learned_us = WALL_US;
	cmd.path.expires_us = WALL_US + 1000 * MONO_SECOND;
	assert_int_equal(rns_submit(e->rns, &cmd, e->now), RNS_OK);
}

/* ---- calls ---- */

static bool
call(struct engine *e, const uint8_t *p, size_t n, const json_t *want)
{
	size_t len, extra = 0;
	uint8_t *got = rpc_call(e, p, n, &len);
	struct rd r;

	if (got == NULL)
		return false;
	r = rd_make(got, len);
	if (want != NULL) {
		vec_mpk_same(&r, want, &extra);
		assert_true(rd_end(&r));
	}
	free(got);
	return true;
}

/* A request and an answer, written as the vectors write them. */
static bool
ask(struct engine *e, const char *request, const char *want)
{
	json_t *q = json_loads(request, 0, NULL);
	json_t *a = want != NULL ? json_loads(want, JSON_DECODE_ANY, NULL) :
	    NULL;
	uint8_t buf[512];
	struct wr w = wr_make(buf, sizeof(buf));
	bool ok;

	assert_non_null(q);
	assert_true(want == NULL || a != NULL);
	vec_mpk_put(&w, q);
	assert_true(wr_ok(&w));
	ok = call(e, buf, w.len, a);
	json_decref(q);
	json_decref(a);
	return ok;
}

/* Those whose answers are a node's own; blackholed() asks for the list. */
static bool
elsewhere(const json_t *request)
{
	static const char *const keys[] = {"manage"};
	const json_t *get = json_object_get(request, "get");

	for (size_t i = 0; i < NELEM(keys); i++)
		if (json_object_get(request, keys[i]) != NULL)
			return true;
	return get != NULL &&
	    (strcmp(json_string_value(get), "blackholed_identities") == 0 ||
	    strcmp(json_string_value(get), "interface_stats") == 0);
}

static uint8_t *
wire(const json_t *c, const char *step, size_t *n)
{
	json_t *list = vec_array(c, "wire"), *m;
	uint8_t *p = NULL;
	size_t i;

	json_array_foreach(list, i, m)
		if (json_object_get(m, "step") != NULL &&
		    strcmp(vec_str(m, "step"), step) == 0)
			p = vec_bytes(m, "hex", n);
	assert_non_null(p);
	assert_true(*n > 4);
	*n -= 4;
	return vec_copy(p + 4, *n);
}

static void
of_1_4_2(void **state)
{
	json_t *file = vec_load("rpc-calls.json"), *c;
	json_t *list = vec_array(file, "calls");
	struct engine *e = *state;
	struct hash16 peer;
	size_t i, n, seen = 0;
	uint8_t *p;

	vec_exact(file, "peer_destination", peer.b, sizeof(peer.b));
	known(e, &peer, 1);
	json_array_foreach(list, i, c) {
		if (elsewhere(json_object_get(c, "call")))
			continue;
		p = wire(c, "request", &n);
		assert_true(call(e, p, n, json_object_get(c, "result")));
		seen++;
	}
	assert_true(seen >= 18);
}

static void
of_1_5_7(void **state)
{
	json_t *list = vec_array(vec_load("rpc-calls-1.5.json"), "calls"), *c;
	struct engine *e = *state;
	size_t i, n, seen = 0;
	uint8_t *p;

	(void)interface(e, "a", 10000000);
	json_array_foreach(list, i, c) {
		if (elsewhere(json_object_get(c, "call")))
			continue;
		p = vec_bytes(c, "request_hex", &n);
		assert_true(call(e, p, n, json_object_get(c, "result")));
		seen++;
	}
	assert_int_equal(seen, 4);
}

/* The same, pickled both ways; what each answer is test_rpc_pickle compares. */
static void
of_1_3_3(void **state)
{
	json_t *list = vec_array(vec_load("rpc-legacy-pickle.json"), "calls");
	struct engine *e = *state;
	size_t i, n, len, seen = 0;
	uint8_t *p, *got;
	json_t *c;

	json_array_foreach(list, i, c) {
		const json_t *q = json_object_get(c, "request");
		const json_t *get = json_object_get(q, "get");

		if (elsewhere(q) && (get == NULL || strcmp(json_string_value(
		    get), "interface_stats") != 0))
			continue;
		p = vec_bytes(c, "request_hex", &n);
		got = rpc_call(e, p + 4, n - 4, &len);
		assert_non_null(got);
		assert_int_equal(got[0], 0x80);
		assert_int_equal(got[1], 4);
		assert_int_equal(got[len - 1], '.');
		free(got);
		assert_null(rpc_call(e, p + 4, n - 5, &len));
		seen++;
	}
	assert_true(seen >= 10);
}

#define H16(b) b b b b b b b b b b b b b b b b
#define BIN(b) "{\"$bin\":\"" H16(b) "\"}"

static void
paths(void **state)
{
	struct engine *e = *state;
	struct nif *a = interface(e, "a", 10000), *b = interface(e, "b", 1000);

	path(e, a, 0x11, 0xaa, 2);
	path(e, a, 0x22, 0xbb, 3);
	path(e, b, 0x33, 0xaa, 4);
	assert_true(ask(e, "{\"get\":\"next_hop\",\"destination_hash\":"
	    BIN("11") "}", BIN("aa")));
	assert_true(ask(e, "{\"get\":\"next_hop_if_name\","
	    "\"destination_hash\":" BIN("33") "}", "\"TCPInterface[b]\""));
	assert_true(ask(e, "{\"get\":\"first_hop_timeout\","
	    "\"destination_hash\":" BIN("33") "}", "10"));
	assert_true(ask(e, "{\"get\":\"path_table\",\"max_hops\":2}",
	    "[{\"hash\":" BIN("11") ",\"timestamp\":1700000000,\"via\":"
	    BIN("aa") ",\"hops\":2,\"expires\":1700001000,\"interface\":"
	    "\"TCPInterface[a]\"}]"));
	assert_true(ask(e, "{\"drop\":\"all_via\",\"destination_hash\":"
	    BIN("aa") "}", "2"));
	assert_true(ask(e, "{\"drop\":\"all_via\",\"destination_hash\":"
	    BIN("aa") "}", "0"));
	assert_true(ask(e, "{\"drop\":\"path\",\"destination_hash\":"
	    BIN("22") "}", "true"));
	assert_true(ask(e, "{\"drop\":\"path\",\"destination_hash\":"
	    BIN("22") "}", "false"));
	assert_true(ask(e, "{\"get\":\"path_table\",\"max_hops\":null}",
	    "[]"));
	assert_true(ask(e, "{\"drop\":\"announce_queues\"}", "null"));
}

static void
blackholed(void **state)
{
	struct engine *e = *state;

	assert_true(ask(e, "{\"get\":\"blackholed_identities\"}", "{}"));
	assert_true(ask(e, "{\"blackhole_identity\":" BIN("ab") ",\"until\":"
	    "null,\"reason\":\"spam\"}", "true"));
	assert_true(ask(e, "{\"blackhole_identity\":" BIN("ab") "}", "null"));
	assert_true(ask(e, "{\"get\":\"is_blackholed\",\"identity_hash\":"
	    BIN("ab") "}", "true"));
	/* one whose time is over stays until it is looked for */
	assert_true(ask(e, "{\"blackhole_identity\":" BIN("cd") ",\"until\":"
	    "1000000000}", "true"));
	assert_true(ask(e, "{\"get\":\"blackholed_identities\"}", NULL));
	assert_int_equal(holes_count(e->holes), 2);
	assert_true(ask(e, "{\"unblackhole_identity\":" BIN("ab") "}",
	    "true"));
	assert_true(ask(e, "{\"unblackhole_identity\":" BIN("ab") "}",
	    "null"));
	assert_true(ask(e, "{\"get\":\"is_blackholed\",\"identity_hash\":"
	    BIN("ab") "}", "false"));
	assert_false(ask(e, "{\"blackhole_identity\":\"ab\"}", NULL));
}

/* All destinations of one identity, and no other. */
static void
retained(void **state)
{
	struct engine *e = *state;
	struct hash16 d[3], id;
	uint8_t pub[RNS_KEY], buf[64];
	struct wr w = wr_make(buf, sizeof(buf));
	struct rns_known k;

	for (int i = 0; i < 3; i++) {
		memset(d[i].b, i + 1, RNS_HASH);
		known(e, &d[i], i < 2 ? 5 : 6);
	}
	memset(pub, 5, sizeof(pub));
	rns_identity_hash_of(&id, pub);
	mpk_put_map(&w, 2);
	mpk_put_str(&w, "identity_data");
	mpk_put_str(&w, "retain");
	mpk_put_str(&w, "identity_hash");
	mpk_put_bin(&w, HASH_BYTES(id));
	assert_true(call(e, buf, w.len, json_true()));
	for (int i = 0; i < 3; i++) {
		assert_true(rns_known_get(e->rns, &d[i], &k));
		assert_int_equal(k.used_us < 0, i < 2);
	}
	assert_true(ask(e, "{\"destination_data\":\"used\","
	    "\"destination_hash\":" BIN("01") "}", "false"));
	assert_true(ask(e, "{\"destination_data\":\"unretain\","
	    "\"destination_hash\":" BIN("01") "}", "true"));
	assert_true(ask(e, "{\"destination_data\":\"used\","
	    "\"destination_hash\":" BIN("01") "}", "true"));
}

/* What an interface of radio measured, to a program that has the packet. */
static void
signals(void **state)
{
	static const uint8_t raw[] = {0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
	    12, 13, 14, 15, 16, 0, 'x'};
	const struct rns_signal some = {.has = RNS_SIGNAL_RSSI |
	    RNS_SIGNAL_SNR, .rssi = -101, .snr = 2.5F};
	static const char *const gets[] = {"packet_rssi", "packet_snr",
	    "packet_q"};
	static const char *const want[] = {"-101", "2.5", "null"};
	struct engine *e = *state;
	uint8_t buf[128], hashed[sizeof(raw) - 1] = {0};
	struct id32 hash;
	json_t *value;
	struct wr w;

	memcpy(hashed + 1, raw + 2, sizeof(raw) - 2);
	rns_sha256(&hash, hashed, sizeof(hashed));
	nif_frame_signal(interface(e, "radio", 1200), raw, sizeof(raw), &some);
	for (size_t i = 0; i < NELEM(gets); i++) {
		w = wr_make(buf, sizeof(buf));
		mpk_put_map(&w, 2);
		mpk_put_str(&w, "get");
		mpk_put_str(&w, gets[i]);
		mpk_put_str(&w, "packet_hash");
		mpk_put_bin(&w, HASH_BYTES(hash));
		value = json_loads(want[i], JSON_DECODE_ANY, NULL);
		assert_non_null(value);
		assert_true(call(e, buf, w.len, value));
		json_decref(value);
	}
	assert_true(ask(e, "{\"get\":\"packet_rssi\"}", "null"));
	assert_true(ask(e, "{\"get\":\"packet_rssi\",\"packet_hash\":"
	    BIN("01") "}", "null"));
}

/* What is no call, or lacks something, has no answer. */
static void
unknown(void **state)
{
	static const char *const bad[] = {"{}", "{\"get\":\"\"}",
	    "{\"get\":\"everything\"}", "{\"get\":1}", "{\"got\":\"path\"}",
	    "{\"get\":\"next_hop\"}", "{\"drop\":\"path\"}",
	    "{\"drop\":\"all_via\"}", "{\"drop\":\"all\"}",
	    "{\"get\":\"next_hop\",\"destination_hash\":\"text\"}",
	    "{\"get\":\"next_hop\",\"destination_hash\":{\"$bin\":\"00\"}}",
	    "{\"get\":\"is_blackholed\"}", "{\"destination_data\":\"used\"}",
	    "{\"destination_data\":\"lost\",\"destination_hash\":" BIN("01")
	    "}", "{\"identity_data\":\"retain\"}", "{\"get\":[]}",
	    "{\"get\":\"an-endless-word-an-endless-word-an-endless-word\"}"};
	struct engine *e = *state;
	size_t len;

	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(ask(e, bad[i], NULL));
	assert_null(rpc_call(e, (const uint8_t *)"", 0, &len));
	assert_null(rpc_call(e, (const uint8_t *)"\x80\x80", 2, &len));
	assert_null(rpc_call(e, (const uint8_t *)"\xc0", 1, &len));
	/* nothing that is not needed is looked at */
	assert_true(ask(e, "{\"get\":\"link_count\",\"more\":1}", "0"));
}

/* ---- statistics ---- */

/* n pairs of a key and a plain value; what else there is, is null. */
static json_t *
members(struct rd *r, size_t n)
{
	json_t *o = json_object();
	struct mpk k, v;

	while (n-- > 0) {
		char key[64] = "";

		assert_true(mpk_get(r, &k));
		memcpy(key, k.p, k.n);
		assert_true(mpk_get(r, &v));
		(void)json_object_set_new(o, key,
		    v.type == MPK_UINT ? json_integer((json_int_t)v.u) :
		    v.type == MPK_FLOAT ? json_real(v.d) :
		    v.type == MPK_STR ? json_stringn((const char *)v.p,
		    v.n) : json_null());
	}
	return o;
}

static json_t *
stats(struct engine *e)
{
	json_t *o, *list = json_array();
	struct mpk k;
	size_t len, n, rows = 0, keys;
	uint8_t *p = rpc_stats(e, &len);
	struct rd r;

	assert_non_null(p);
	r = rd_make(p, len);
	assert_true(mpk_get_map(&r, &n));
	assert_true(mpk_get(&r, &k) && mpk_get_array(&r, &rows));
	while (rows-- > 0) {
		assert_true(mpk_get_map(&r, &keys));
		(void)json_array_append_new(list, members(&r, keys));
	}
	o = members(&r, n - 1);
	assert_true(rd_end(&r));
	(void)json_object_set_new(o, "interfaces", list);
	free(p);
	return o;
}

static json_int_t
number(const json_t *row, const char *key)
{
	return (json_int_t)json_number_value(json_object_get(row, key));
}

/* Sorted; rates since the last look; a server keeps what its clients had. */
static void
statistics(void **state)
{
	struct engine *e = *state;
	struct nif *slow = interface(e, "slow", 1000), *server, *peer;
	json_t *o, *row;

	(void)interface(e, "fast", 2000);
	server = nif_new(e, &server_kind, NULL, NULL);
	assert_non_null(server);
	(void)snprintf(server->name, sizeof(server->name), "Server");
	server->cfg.bitrate = 500;
	peer = nif_new(e, &kind, NULL, server);
	assert_non_null(peer);
	peer->s.rx_bytes = 100;
	slow->s.tx_bytes = 1000;
	e->now.us += MONO_SECOND;
	rpc_stats_tick(e);
	slow->s.tx_bytes += 500;
	peer->s.rx_bytes += 50;
	e->now.us += 2 * MONO_SECOND;
	rpc_stats_tick(e);
	o = stats(e);
	row = json_array_get(json_object_get(o, "interfaces"), 0);
	assert_string_equal(vec_str(row, "name"), "TCPInterface[fast]");
	row = json_array_get(json_object_get(o, "interfaces"), 1);
	assert_int_equal(number(row, "txb"), 1500);
	assert_int_equal(number(row, "txs"), 2000);
	row = json_array_get(json_object_get(o, "interfaces"), 2);
	assert_int_equal(number(row, "clients"), 1);
	assert_int_equal(number(row, "rxb"), 150);
	assert_int_equal(number(row, "rxs"), 200);
	row = json_array_get(json_object_get(o, "interfaces"), 3);
	assert_string_equal(vec_str(row, "parent_interface_name"), "Server");
	assert_int_equal(number(row, "rxs"), 0);
	json_decref(o);
	nif_free(peer);
	o = stats(e);
	row = json_array_get(json_object_get(o, "interfaces"), 2);
	assert_int_equal(number(row, "clients"), 0);
	assert_int_equal(number(row, "rxb"), 150);
	json_decref(o);
	/* the sums of all do not fall when one goes */
	nif_free(slow);
	nif_free(server);
	o = stats(e);
	assert_int_equal(json_array_size(json_object_get(o, "interfaces")), 1);
	assert_int_equal(number(o, "txb"), 1500);
	assert_int_equal(number(o, "rxb"), 150);
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(of_1_4_2), T(of_1_5_7), T(of_1_3_3), T(paths), T(blackholed),
		T(signals), T(retained),
		T(unknown), T(statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
