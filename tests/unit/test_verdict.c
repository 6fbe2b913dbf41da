/* SPDX-License-Identifier: BSD-2-Clause */
/* What warren-trust answers (compute.md 4): pure, then the program. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/file.h"
#include "tests/unit/authkit.h"
#include "tests/unit/prog_peer.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_record.h"
#include "trust/verdict.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static uint8_t rns[64], rns_seed[32] = {5};
static struct hash16 rns_hash;
static struct klp_secret secret = {.kind = KEY_SECP256K1, .raw = {1}};
static struct klp_key key;
static struct fp fp;

static int
setup(void **state)
{
	uint8_t sk[64];

	(void)state;
	if (sodium_init() < 0 || !secret_public(&key, &secret))
		return -1;
	key_fp(&fp, &key);
	memset(rns, 6, 32);
	(void)crypto_sign_seed_keypair(rns + 32, sk, rns_seed);
	rns_hash_of(&rns_hash, rns);
	return 0;
}

static struct msg_V_ASK
ask(uint32_t serial, uint32_t from, bool with)
{
	struct msg_V_ASK m = {.qid = 4, .scope = "job.submit"};
	struct binding b = {.serial = serial, .not_before = from,
	    .not_after = from + 1000};

	memcpy(m.rns_public, rns, 64);
	memcpy(b.rns, rns, 64);
	memcpy(b.secp, key.raw, 33);
	assert_true(binding_sign_secp(&b, &secret, NULL));
	assert_true(binding_sign_rns(&b, rns_seed));
	if (with) {
		m.binding_len = BINDING_LEN;
		binding_put(m.binding, &b);
	}
	return m;
}

static void
test_ask(void **state)
{
	struct level_pin pins[2] = {
	    {.level = 2}, {.level = -3, .is_rns = true}};
	struct standing st = {.on_stale = STALE_REFUSE_NEW};
	struct verdicts v = {.s = &st, .live_from = 3,
	    .store = bindstore_new(8)};
	struct msg_V_ASK with = ask(10, 1000, true), without = ask(0, 0, false);
	struct msg_V_ASK older = with;
	struct msg_V_VERDICT out;

	(void)state;
	pins[0].id = fp;
	memcpy(pins[1].id.b, HASH_BYTES(rns_hash));
	/* nothing known */
	assert_int_equal(verdict_ask(&v, &out, &without, 1000), VERDICT_PLAIN);
	assert_int_equal(out.status, VERDICT_NO_BINDING);
	assert_int_equal(out.qid, 4);
	assert_memory_equal(out.rns_hash.b, rns_hash.b, 16);
	assert_int_equal(out.level, 0);
	/* bound, by a stranger */
	assert_int_equal(verdict_ask(&v, &out, &with, 1000), VERDICT_BOUND);
	assert_int_equal(out.status, VERDICT_OK);
	assert_int_equal(out.level, 0);
	assert_memory_equal(out.fp.b, fp.b, FP_LEN);
	assert_memory_equal(out.key, key.raw, 33);
	assert_int_equal(out.valid_until, 1300);
	assert_true(out.why[0] != '\0');
	/* the binding is remembered */
	assert_int_equal(verdict_ask(&v, &out, &without, 1900), VERDICT_PLAIN);
	assert_int_equal(out.status, VERDICT_OK);
	assert_int_equal(out.valid_until, 2000); /* as long as the binding */
	/* pinned */
	st.levels = (struct level_conf){.pins = pins, .npins = 1};
	assert_int_equal(verdict_ask(&v, &out, &with, 1000), VERDICT_PLAIN);
	assert_int_equal(out.level, 2);
	assert_false(out.live_needed);
	v.live_from = LIVE_FROM_ALWAYS;
	(void)verdict_ask(&v, &out, &with, 1000);
	assert_true(out.live_needed);
	with = ask(11, 1001, true);
	assert_int_equal(verdict_ask(&v, &out, &with, 1001),
	    VERDICT_BOUND_KEPT);
	assert_int_equal(verdict_ask(&v, &out, &older, 1001), VERDICT_BAD);
	assert_int_equal(out.status, VERDICT_BAD_BINDING);
	/* the identity at -3: the lower pin counts */
	st.levels.npins = 2;
	(void)verdict_ask(&v, &out, &with, 1001);
	assert_int_equal(out.level, -3);
	/* expired, also when it comes again */
	assert_int_equal(verdict_ask(&v, &out, &with, 2001), VERDICT_BAD);
	assert_int_equal(out.status, VERDICT_BAD_BINDING);
	assert_int_equal(out.level, -3);
	(void)verdict_ask(&v, &out, &without, 2001);
	assert_int_equal(out.key_kind, KEY_ED25519);
	/* bad signature; a byte too few */
	with = ask(12, 1001, true);
	with.binding[150] ^= 1;
	assert_int_equal(verdict_ask(&v, &out, &with, 1001), VERDICT_BAD);
	with.binding_len--;
	assert_int_equal(verdict_ask(&v, &out, &with, 1001), VERDICT_BAD);
	/* another identity shows this binding */
	with = ask(12, 1001, true);
	with.rns_public[0] ^= 1;
	assert_int_equal(verdict_ask(&v, &out, &with, 1001), VERDICT_BAD);
	assert_int_equal(out.level, 0);
	bindstore_free(v.store);
}

static void
test_pinned_identity(void **state)
{
	struct level_pin pin = {.level = 3, .is_rns = true};
	struct standing st = {.on_stale = STALE_REFUSE_NEW};
	struct verdicts v = {.s = &st, .live_from = 3,
	    .store = bindstore_new(8)};
	struct msg_V_ASK m = ask(0, 0, false);
	struct msg_V_VERDICT out;

	(void)state;
	memcpy(pin.id.b, HASH_BYTES(rns_hash));
	st.levels = (struct level_conf){.pins = &pin, .npins = 1};
	(void)verdict_ask(&v, &out, &m, 1000);
	assert_int_equal(out.status, VERDICT_OK);
	assert_int_equal(out.level, 3);
	assert_int_equal(out.key_kind, KEY_ED25519);
	assert_memory_equal(out.key, rns + 32, 32);
	assert_false(out.live_needed); /* the link has proved that key */
	bindstore_free(v.store);
}

/* ---- manifests ---- */

static struct msg_V_ENVELOPE
envelope_of(const struct klp_key *k)
{
	struct msg_V_ENVELOPE m = {.qid = 8, .key_kind = (uint8_t)k->kind,
	    .bip340 = k->bip340, .key_len = k->len};

	memcpy(m.key, k->raw, k->len);
	key_fp(&m.fp, k);
	return m;
}

static struct klp_key
alice(void)
{
	struct klp_secret s = {.kind = KEY_SECP256K1};
	struct klp_key k;

	vec_exact(vec_load("compute-manifest.json"), "private", s.raw, 32);
	assert_true(secret_public(&k, &s));
	return k;
}

static void
test_envelope(void **state)
{
	static uint8_t record[MANIFEST_RECORD_MAX];
	struct verdict_board board = {.text = "kOS Core Trust Board v1.4",
	    .keys = &key, .nkeys = 1, .threshold = 1};
	struct verdicts vs = {.nboards = 0};
	json_t *root = vec_load("compute-manifest.json"), *row;
	struct klp_key k = alice();
	struct klp_secret s = {.kind = KEY_SECP256K1};
	struct msg_V_ENVELOPE m = envelope_of(&k);
	struct msg_V_MANIFEST out;
	struct manifest got;
	size_t n, i, len;
	uint8_t *bin = vec_bytes(root, "binary", &n);
	uint8_t *json = vec_bytes(root, "json", &len), want[32], buf[4096];
	struct env_signed one;

	(void)state;
	vec_exact(root, "job_id", want, 32);
	for (int form = 0; form < 2; form++) {
		size_t rn = verdict_envelope(&vs, record, sizeof(record), &out, &m,
		    form ? json : bin, form ? len : n);

		assert_true(out.ok);
		assert_int_equal(out.len, rn);
		assert_memory_equal(out.job.b, want, 32);
		assert_true(manifest_record_get(&got, record, rn));
		assert_memory_equal(got.job.b, want, 32);
		manifest_clear(&got);
	}
	/* another key; the right key under the other scheme */
	m = envelope_of(&key);
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    bin, n), 0);
	assert_memory_equal(out.why, "signature:", 10);
	m = envelope_of(&k);
	m.bip340 = true;
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    bin, n), 0);
	m.key_len = 5;
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    bin, n), 0);
	m = envelope_of(&k);
	bin[n - 1] ^= 1;
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    bin, n), 0);
	assert_false(out.ok);
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    bin, n - 1), 0);
	assert_memory_equal(out.why, "envelope:", 9);
	/* well signed and ill formed: why names the member */
	vec_exact(root, "private", s.raw, 32);
	row = json_array_get(vec_array(root, "schema"), 1);
	bin = vec_bytes(row, "payload", &n);
	key_fp(&one.fp, &k);
	assert_true(pae_sign(one.sig, &s, TYPE_MANIFEST, bin, n, NULL));
	i = env_build_binary(buf, sizeof(buf), TYPE_MANIFEST, bin, n, &one, 1);
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    buf, i), 0);
	assert_memory_equal(out.why, "nonce:", 6);
	/* of another type */
	assert_true(pae_sign(one.sig, &s, "x", bin, n, NULL));
	i = env_build_binary(buf, sizeof(buf), "x", bin, n, &one, 1);
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    buf, i), 0);
	/* signed by one who is not the submitter */
	bin = vec_bytes(root, "payload", &n);
	assert_true(pae_sign(one.sig, &secret, TYPE_MANIFEST, bin, n, NULL));
	i = env_build_binary(buf, sizeof(buf), TYPE_MANIFEST, bin, n, &one, 1);
	m = envelope_of(&key);
	assert_int_equal(verdict_envelope(&vs, record, sizeof(record), &out, &m,
	    buf, i), 0);
	assert_memory_equal(out.why, "submitter:", 10);
	/* the submitter's signature and that of the board that he names */
	{
		struct env_signed two[2];

		vec_exact(root, "private", s.raw, 32);
		key_fp(&two[0].fp, &k);
		key_fp(&two[1].fp, &key);
		assert_true(pae_sign(two[0].sig, &s, TYPE_MANIFEST, bin, n,
		    NULL));
		assert_true(pae_sign(two[1].sig, &secret, TYPE_MANIFEST, bin,
		    n, NULL));
		i = env_build_binary(buf, sizeof(buf), TYPE_MANIFEST, bin, n,
		    two, 2);
		m = envelope_of(&k);
		assert_true(verdict_envelope(&vs, record, sizeof(record), &out,
		    &m, buf, i) > 0);
		assert_int_equal(out.cosigned_len, 0);
		vs.boards = &board;
		vs.nboards = 1;
		assert_true(verdict_envelope(&vs, record, sizeof(record), &out,
		    &m, buf, i) > 0);
		assert_int_equal(out.cosigned_len, IPC_SIGNER);
		assert_memory_equal(out.cosigned, two[1].fp.b, FP_LEN);
		board.text = "another";
		assert_true(verdict_envelope(&vs, record, sizeof(record), &out,
		    &m, buf, i) > 0);
		assert_int_equal(out.cosigned_len, 0);
	}
}

static void
test_live(void **state)
{
	struct msg_V_LIVE m = {.link = {{1}}, .n = {2}, .m = {3}};
	struct id32 d;

	(void)state;
	memcpy(m.key, key.raw, 33);
	memcpy(m.initiator, rns, 64);
	challenge_digest(&d, &m.link, m.n, m.m, m.initiator, m.responder);
	assert_true(secp_sign(m.s, &secret, &d, NULL));
	assert_true(verdict_live(&m));
	m.link.b[0]++; /* relayed to another link */
	assert_false(verdict_live(&m));
	m.link.b[0]--;
	m.key[0] = 9;
	assert_false(verdict_live(&m));
}

/* ---- the program ---- */

static char dir_path[64];

static int
folder(void)
{
	int fd;

	(void)snprintf(dir_path, sizeof(dir_path), "/tmp/trust-test-XXXXXX");
	assert_non_null(mkdtemp(dir_path));
	fd = open(dir_path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	return fd;
}

/* node.yaml, with a pin for our key, as a setting. */
static void
pinned(struct prog *p, int level)
{
	char yaml[512], hex[65];

	hex_encode(hex, HASH_BYTES(fp));
	(void)snprintf(yaml, sizeof(yaml),
	    "trust_graph: klp://trust.kos/mesh-overlay.json\n"
	    "trust:\n  pins:\n    - {id: \"urn:klp:k:human:%s\", level: %d}\n",
	    hex, level);
	prog_text(p, SET_NODE_YAML, "", yaml);
}

static struct kit_dir klp = {.fd = -1}; /* the operator's, or none */
static struct msg_V_AUTHORITY line[4];
static unsigned nlines;
static uint32_t told_count;

/* All that node is told at once; how much is listed. */
static uint32_t
told(struct ipc *node)
{
	struct msg_V_AUTHORITY m;
	struct msg_V_LISTED l;
	struct msg_V_CHANGED c;

	for (nlines = 0;; nlines++) {
		PROG_GET(V_AUTHORITY, node, &m);
		if (m.name[0] == '\0')
			break;
		assert_true(nlines < NELEM(line));
		line[nlines] = m;
	}
	PROG_GET(V_LISTED, node, &l);
	PROG_GET(V_CHANGED, node, &c);
	return told_count = l.count;
}

static void
start(struct prog *p, int dir)
{
	prog_start_two(p, PROGRAM_TRUST, "trust", dir, "klp", klp.fd);
	prog_params(p, rns);
	pinned(p, 2);
	prog_begin(p);
}

static struct msg_V_VERDICT
question(struct ipc *node, struct msg_V_ASK m)
{
	struct msg_V_VERDICT out;

	assert_int_equal(ipc_send_V_ASK(node, &m, NULL, 0), 0);
	/* it may have told all once more, since it looks when it likes */
	prog_pass[IPC_V_AUTHORITY] = prog_pass[IPC_V_LISTED] =
	    prog_pass[IPC_V_CHANGED] = true;
	PROG_GET(V_VERDICT, node, &out);
	prog_pass[IPC_V_AUTHORITY] = prog_pass[IPC_V_LISTED] =
	    prog_pass[IPC_V_CHANGED] = false;
	return out;
}

static void
send_envelope(struct ipc *node, struct msg_V_ENVELOPE *m, const uint8_t *p,
    size_t n)
{
	int fd = memfd_sealed("envelope", p, n);

	assert_true(fd >= 0);
	m->len = (uint32_t)n;
	assert_int_equal(ipc_send_V_ENVELOPE(node, m, &fd, 1), 0);
	(void)close(fd);
}

static void
test_program(void **state)
{
	uint32_t now = (uint32_t)time(NULL);
	struct msg_V_ASK with = ask(10, now - 10, true), out_of, other;
	struct rlimit full;
	struct msg_V_VERDICT v;
	struct msg_V_MANIFEST man;
	struct klp_key k = alice();
	struct msg_V_ENVELOPE m = envelope_of(&k);
	size_t n, len = 0;
	uint8_t *bin = vec_bytes(vec_load("compute-manifest.json"), "binary",
	    &n);
	struct manifest got;
	struct ipc *node;
	struct ipc_in in;
	const uint8_t *record;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	(void)told(node);
	out_of = ask(0, 0, false);
	v = question(node, out_of);
	assert_int_equal(v.status, VERDICT_NO_BINDING);
	v = question(node, with);
	assert_int_equal(v.status, VERDICT_OK);
	assert_int_equal(v.level, 2);
	/* a pinned peer's binding is on disk before the answer */
	assert_int_equal(faccessat(dir, "bindings", R_OK, 0), 0);

	send_envelope(node, &m, bin, n);
	prog_wait(node, IPC_V_MANIFEST, &in);
	assert_true(msg_get_V_MANIFEST(in.body, &man));
	assert_true(man.ok);
	record = memfd_map(in.fds[0], &len, MANIFEST_RECORD_MAX);
	assert_non_null(record);
	assert_int_equal(len, man.len);
	assert_true(manifest_record_get(&got, record, len));
	manifest_clear(&got);
	memfd_unmap(record, len);
	ipc_in_done(&in);
	bin[n - 1] ^= 1;
	send_envelope(node, &m, bin, n);
	PROG_GET(V_MANIFEST, node, &man);
	assert_false(man.ok);

	/* a full disk: it says so in the log, and answers */
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, NULL, &full), 0);
	full.rlim_cur = 10;
	assert_int_equal(prlimit(p.pid, RLIMIT_FSIZE, &full, NULL), 0);
	other = ask(11, now - 9, true);
	v = question(node, other);
	assert_int_equal(v.status, VERDICT_OK);

	/* falls, and comes back knowing the peer and its serial */
	prog_kill(&p);
	start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	(void)told(node);
	v = question(node, out_of);
	assert_int_equal(v.status, VERDICT_OK);
	assert_int_equal(v.level, 2);
	with = ask(10, now - 11, true); /* the serial, another statement */
	v = question(node, with);
	assert_int_equal(v.status, VERDICT_BAD_BINDING);
	v = question(node, ask(9, now - 12, true));
	assert_int_equal(v.status, VERDICT_BAD_BINDING);
	assert_string_equal(v.why,
	    "binding: older than the one that this identity has shown");
	prog_stop(&p);

	/* a damaged file is set aside, and the program serves */
	assert_int_equal(file_replace(dir, "bindings", "WTB1xxxx", 8, 0600),
	    0);
	start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	(void)told(node);
	v = question(node, out_of);
	assert_int_equal(v.status, VERDICT_NO_BINDING);
	assert_int_equal(faccessat(dir, "bindings.bad", R_OK, 0), 0);
	prog_stop(&p);
	(void)unlinkat(dir, "bindings.bad", 0);
	(void)unlinkat(dir, "bindings", 0);
	(void)unlinkat(dir, "klp", AT_REMOVEDIR);
	(void)close(dir);
	(void)rmdir(dir_path);
}

/* Another node.yaml while it runs: whole or not at all, and node is told. */
static void
test_changed(void **state)
{
	uint32_t now = (uint32_t)time(NULL);
	struct ipc *node;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	(void)told(node);
	assert_int_equal(question(node, ask(10, now - 10, true)).level, 2);
	pinned(&p, -1);
	(void)told(node);
	assert_int_equal(question(node, ask(0, 0, false)).level, -1);
	prog_text(&p, SET_NODE_YAML, "", "trust: {pins: 7}\n");
	prog_quiet(node, 200);
	assert_int_equal(question(node, ask(0, 0, false)).level, -1);
	pinned(&p, 1);
	(void)told(node);
	assert_int_equal(question(node, ask(0, 0, false)).level, 1);
	prog_stop(&p);
	(void)unlinkat(dir, "bindings", 0);
	(void)unlinkat(dir, "klp", AT_REMOVEDIR);
	(void)close(dir);
	(void)rmdir(dir_path);
}

/* What fits the table and does not parse: dropped, told, and nothing ends. */
static void
test_malformed(void **state)
{
	uint8_t zeros[IPC_MAX] = {0};
	struct msg_V_VERDICT v;
	struct msg_ALARM alarm;
	struct ipc *node;
	struct ipc_in in;
	struct prog p;
	int dir = folder();

	(void)state;
	start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	(void)told(node);
	put_u16(zeros, IPC_V_ASK);
	/* one byte is left over */
	for (unsigned i = 1; i <= 5; i++)
		assert_int_equal(ipc_send(node, zeros,
		    ipc_row(IPC_V_ASK)->size_min + 3u, NULL, 0), 0);
	v = question(node, ask(0, 0, false));
	assert_int_equal(v.status, VERDICT_NO_BINDING);
	for (unsigned i = 1; i <= 4; i *= 2) {
		char text[64];

		(void)snprintf(text, sizeof(text),
		    "malformed V_ASK from node, dropped (%u so far)", i);
		prog_wait(p.parent, IPC_ALARM, &in);
		assert_true(msg_get_ALARM(in.body, &alarm));
		assert_string_equal(alarm.text, text);
		ipc_in_done(&in);
	}
	prog_stop(&p);
	(void)unlinkat(dir, "bindings", 0);
	(void)unlinkat(dir, "klp", AT_REMOVEDIR);
	(void)close(dir);
	(void)rmdir(dir_path);
}

/* ---- the operator's folder ---- */

static void
list_yaml(struct prog *p, int level, const char *more)
{
	char yaml[512], hex[65];

	hex_encode(hex, HASH_BYTES(fp));
	(void)snprintf(yaml, sizeof(yaml),
	    "revocation_list: klp://test.kos/" KIT_LIST "\n"
	    "trust:\n  pins:\n    - {id: \"urn:klp:k:human:%s\", level: %d%s}\n",
	    hex, level, more);
	prog_text(p, SET_NODE_YAML, "", yaml);
}

static void
list_start(struct prog *p, int dir)
{
	prog_start_two(p, PROGRAM_TRUST, "trust", dir, "klp", klp.fd);
	prog_params(p, rns);
	list_yaml(p, 2, "");
	prog_begin(p);
}

static void
wait_listed(struct ipc *node, uint32_t n)
{
	while (told(node) != n)
		continue;
}

/* SIGHUP brings node.yaml again, and klp/ is looked through. */
static void
test_list(void **state)
{
	uint32_t now = (uint32_t)time(NULL);
	struct ipc *node;
	struct prog p;
	int dir = folder();

	(void)state;
	kit_dir_make(&klp);

	/* no list yet: he stands at +2, and no new job of his is taken */
	list_start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	assert_int_equal(told(node), 0);
	assert_int_equal(nlines, 1);
	assert_string_equal(line[0].name, "test.kos");
	assert_int_equal(line[0].root_version, 1);
	assert_int_equal(line[0].version, 0);
	{
		struct msg_V_VERDICT v = question(node, ask(10, now - 10,
		    true));

		assert_int_equal(v.status, VERDICT_OK);
		assert_int_equal(v.level, 2);
		assert_int_equal(v.jobs, VJOBS_NOT_NEW);
		assert_true(v.pinned);
	}
	/* the list arrives: his key, and the identity that is bound to it */
	kit_list_here(&klp, &fp, 1, 1, false, 3600);
	list_yaml(&p, 2, "");
	wait_listed(node, 2);
	assert_int_equal(line[0].version, 1);
	assert_int_equal(line[0].entries, 1);
	assert_int_equal(line[0].fresh, FRESH_YES);
	assert_int_equal(question(node, ask(0, 0, false)).status,
	    VERDICT_REVOKED);
	/* an operator who knows better */
	list_yaml(&p, 2, ", ignore_revocation: true");
	wait_listed(node, 0);
	assert_int_equal(question(node, ask(0, 0, false)).level, 2);
	list_yaml(&p, 2, "");
	wait_listed(node, 2);

	/* a restart, and the folder is empty: what was known counts */
	prog_kill(&p);
	kit_dir_put(&klp, "documents/test.kos/head", "", 0);
	list_start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	assert_int_equal(told(node), 2);
	assert_int_equal(question(node, ask(0, 0, false)).status,
	    VERDICT_REVOKED);
	/* suspended, then lifted */
	kit_list_here(&klp, &fp, 2, 1, true, 3600);
	list_yaml(&p, 2, "");
	do
		(void)told(node);
	while (line[0].version != 2);
	assert_int_equal(question(node, ask(0, 0, false)).status,
	    VERDICT_SUSPENDED);
	kit_list_here(&klp, &fp, 3, 0, false, 3600);
	list_yaml(&p, 2, "");
	wait_listed(node, 0);
	assert_int_equal(question(node, ask(0, 0, false)).status, VERDICT_OK);
	/* an older one is not taken */
	kit_list_here(&klp, &fp, 2, 1, false, 3600);
	list_yaml(&p, 2, "");
	wait_listed(node, 0);
	assert_int_equal(question(node, ask(0, 0, false)).status, VERDICT_OK);
	/* it gets old while nobody does anything */
	kit_list_here(&klp, &fp, 4, 0, false, 4);
	list_yaml(&p, 2, "");
	do
		(void)told(node);
	while (line[0].fresh != FRESH_STALE);
	assert_int_equal(question(node, ask(0, 0, false)).jobs, VJOBS_NOT_NEW);
	prog_stop(&p);
	(void)close(dir);
	kit_dir_remove(&klp);
	kit_remove(dir_path);
}

/*
 * klp.md 4.2: a list that takes three of the four who stand at +1 waits for a
 * person; the first one, and one of two, does not.
 */
static void
test_brake(void **state)
{
	static const char pins[] = "}\n"
	    "    - {id: 01000000000000000000000000000000, level: 1}\n"
	    "    - {id: 02000000000000000000000000000000, level: 1}\n"
	    "    - {id: 03000000000000000000000000000000, level: 1";
	struct ipc *node;
	struct prog p;
	char hex[66];
	int dir = folder();

	(void)state;
	kit_dir_make(&klp);
	kit_list_here(&klp, &fp, 1, 1, false, 3600);
	prog_start_two(&p, PROGRAM_TRUST, "trust", dir, "klp", klp.fd);
	prog_params(&p, rns);
	list_yaml(&p, 2, pins);
	prog_begin(&p);
	node = prog_neighbour(&p, PROGRAM_NODE);
	wait_listed(node, 1);
	kit_list_here(&klp, &fp, 2, 3, false, 3600);
	list_yaml(&p, 2, pins);
	wait_listed(node, 3);
	assert_string_equal(line[0].held, "");
	/* 1 and 2 are at -3 by now; all three come again, with a fourth */
	kit_list_here(&klp, &fp, 3, 0, false, 3600);
	list_yaml(&p, 2, pins);
	wait_listed(node, 0);
	kit_list_here(&klp, &fp, 4, 4, false, 3600);
	list_yaml(&p, 2, pins);
	do
		(void)told(node);
	while (line[0].held[0] == '\0');
	assert_int_equal(line[0].version, 3);
	assert_int_equal(told_count, 0);
	/* the wrong digest does not confirm it, the right one does */
	kit_dir_put(&klp, "documents/test.kos/" KIT_LIST ".confirm", "00", 2);
	list_yaml(&p, 2, pins);
	do
		(void)told(node);
	while (strstr(line[0].held, "names another set") == NULL);
	assert_int_equal(line[0].version, 3);
	assert_int_equal(told_count, 0);
	hex_encode(hex, HASH_BYTES(klp.digest));
	hex[64] = '\n';
	kit_dir_put(&klp, "documents/test.kos/" KIT_LIST ".confirm", hex, 65);
	list_yaml(&p, 2, pins);
	wait_listed(node, 4);
	assert_int_equal(line[0].version, 4);
	assert_string_equal(line[0].held, "");
	prog_stop(&p);
	(void)close(dir);
	kit_dir_remove(&klp);
	kit_remove(dir_path);
}

/* Who holds the root's role is an anchor, also after node.yaml came again. */
static void
test_anchors_from(void **state)
{
	static const char yaml[] = "trust: {anchors_from: [test.kos]}\n";
	const struct kit_root r = {.keys = {1u << 1, 1, 1},
	    .issued = 1000000000, .expires = UINT32_MAX};
	const struct klp_secret mine = secret;
	uint32_t now = (uint32_t)time(NULL);
	uint8_t buf[8192];
	struct id32 id;
	struct ipc *node;
	struct prog p;
	int dir = folder();

	secret = kit_secret(1);
	assert_int_equal(setup(state), 0);
	kit_dir_make(&klp);
	kit_dir_put(&klp, "authorities/test.kos.root.json", buf,
	    kit_root(buf, sizeof(buf), &r, &id));
	prog_start_two(&p, PROGRAM_TRUST, "trust", dir, "klp", klp.fd);
	prog_params(&p, rns);
	prog_text(&p, SET_NODE_YAML, "", yaml);
	prog_begin(&p);
	node = prog_neighbour(&p, PROGRAM_NODE);
	(void)told(node);
	assert_int_equal(question(node, ask(10, now - 10, true)).level, 3);
	prog_text(&p, SET_NODE_YAML, "", yaml);
	(void)told(node);
	assert_int_equal(question(node, ask(0, 0, false)).level, 3);
	prog_text(&p, SET_NODE_YAML, "", "trust: {floor: 1}\n");
	(void)told(node);
	assert_int_equal(question(node, ask(0, 0, false)).level, 0);
	prog_stop(&p);
	(void)close(dir);
	kit_dir_remove(&klp);
	kit_remove(dir_path);
	secret = mine;
	assert_int_equal(setup(state), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ask),
	    cmocka_unit_test(test_pinned_identity),
	    cmocka_unit_test(test_envelope),
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_program),
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_list),
	    cmocka_unit_test(test_brake),
	    cmocka_unit_test(test_anchors_from),
	};

	/* what is told of news has tests of its own */
	prog_pass[IPC_V_SPREAD] = prog_pass[IPC_V_ANCHORED] =
	    prog_pass[IPC_V_TIME] = true;
	prog_pass[IPC_V_POLICY] = prog_pass[IPC_V_ATTESTED] =
	    prog_pass[IPC_V_VOUCHED] = true;
	return cmocka_run_group_tests(tests, setup, NULL);
}
