/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* nftw */
#include "tests/bench/graph_law.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "trust/doc/digest.h"
#include "trust/doc/frame.h"
#include "trust/law.h"

#define NOW 1800000000u
#define PATH "mesh-overlay.json"
#define CAP ((size_t)48 << 20)

static char where[] = "/tmp/warren-graph-XXXXXX";
static int top, klp, own;

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "graph: %s\n", what);
	exit(1);
}

static void
put(int dir, const char *name, const void *p, size_t n)
{
	need(file_replace(dir, name, p, n, 0600) == 0, name);
}

static int
folder(int dir, const char *name)
{
	int fd = dir_open(dir, name, true, 0700);

	need(fd >= 0, name);
	return fd;
}

/* ---- the authority "bench", with one key for all roles ---- */

static size_t
sign(uint8_t *out, size_t cap, const struct klp_secret *s, const char *type,
    const void *p, size_t n)
{
	struct env_signed sig;
	struct klp_key k;

	need(secret_public(&k, s), "key");
	key_fp(&sig.fp, &k);
	need(pae_sign(sig.sig, s, type, p, n, NULL), "signature");
	n = strcmp(type, TYPE_HEAD) == 0 ? frame_put(out, cap, p, n, &sig, 1) :
	    env_build_json(out, cap, type, p, n, &sig, 1);
	need(n > 0, type);
	return n;
}

static size_t
root(uint8_t *out, const struct klp_secret *s, uint8_t atag[8])
{
	char key[KEY_TEXT_MAX], fp[65], text[2048];
	struct klp_key k;
	struct id32 id;
	struct fp f;
	int n;

	need(secret_public(&k, s), "key");
	key_text(key, &k);
	key_fp(&f, &k);
	hex_encode(fp, HASH_BYTES(f));
	n = snprintf(text, sizeof(text), "{\"_type\":\"klp.root\","
	    "\"authority\":\"bench\",\"documents\":{\"" PATH "\":{\"max\":%zu,"
	    "\"role\":\"head\",\"type\":\"klp.trust-graph\"}},\"expires\":%u,"
	    "\"issued\":%u,\"keys\":{\"%s\":{\"key\":\"%s\",\"scheme\":\"%s\"}},"
	    "\"roles\":{\"head\":{\"keys\":[\"%s\"],\"threshold\":1},\"root\":"
	    "{\"keys\":[\"%s\"],\"threshold\":1}},\"transports\":[],"
	    "\"version\":1}", CAP, NOW + 86400, NOW, fp, key,
	    k.kind == KEY_ED25519 ? "ed25519" : "ecdsa", fp, fp);
	digest_of(&id, text, (size_t)n);
	memcpy(atag, id.b, 8);
	return sign(out, ROOT_BYTES, s, TYPE_ROOT, text, (size_t)n);
}

static void
publish(int dir, const struct klp_secret *s, const void *payload, size_t len)
{
	int roots = folder(dir, "authorities"), docs = folder(dir, "documents");
	int mine = folder(docs, "bench");
	struct head h = {.root_version = 1, .version = 1, .issued = NOW,
	    .expires = NOW + 86400, .n = 1};
	uint8_t *out = malloc(CAP), frame[HEAD_FRAME(1)];
	size_t n;

	need(out != NULL, "memory");
	n = root(out, s, h.atag);
	put(roots, "bench.root.json", out, n);
	n = sign(out, CAP, s, TYPE_GRAPH, payload, len);
	put(mine, PATH, out, n);
	head_ptag(h.docs[0].ptag, PATH);
	h.docs[0].version = 1;
	h.docs[0].length = (uint32_t)n;
	digest_of(&h.docs[0].sha256, out, n);
	n = sign(out, HEAD_BYTES, s, TYPE_HEAD, frame,
	    head_put(frame, sizeof(frame), &h));
	put(mine, "head", out, n);
	free(out);
	(void)close(roots);
	(void)close(docs);
	(void)close(mine);
}

/* ---- the judge ---- */

static double
cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
no_event(void *ctx, enum event_kind kind, unsigned severity, const char *code,
    const char *text)
{
	(void)ctx;
	(void)kind;
	(void)severity;
	(void)code;
	(void)text;
}

static void
life(const char *what, const struct node_config *c)
{
	const struct law_ops ops = {NULL, no_event, NULL, NULL,
	    NULL};
	struct bindstore *store = bindstore_new(8);
	struct law *l = law_new(dup(klp), own, store, &ops);
	double worst = 0, clock = 0;
	unsigned n = 0;

	need(l != NULL, "memory");
	law_configure(l, c);
	(void)law_look(l, NOW, false);
	for (; law_busy(l); n++) {
		struct mono began = clock_mono();
		double t = cpu_ms();

		(void)law_work(l, NOW);
		t = cpu_ms() - t;
		worst = MAX_OF(worst, t);
		clock = MAX_OF(clock,
		    (double)mono_sub(clock_mono(), began) / 1000);
	}
	need(l->graph != NULL && graph_edges(l->graph) > 49000, "not taken");
	printf("%s-slice-ms %.1f %s-slice-wall-ms %.1f %s-slices %u ", what,
	    worst, what, clock, what, n);
	law_free(l);
	bindstore_free(store);
}

static int
rm_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* By a child, whose memory is not the judge's. */
bool
graph_law_files(const struct klp_secret *role, const void *payload, size_t len)
{
	int status = -1;
	pid_t pid;

	need(mkdtemp(where) != NULL, "mkdtemp");
	need((top = open(where, O_RDONLY | O_DIRECTORY)) >= 0, where);
	klp = folder(top, "klp");
	own = folder(top, "own");
	(void)fflush(NULL);
	if ((pid = fork()) == 0) {
		publish(klp, role, payload, len);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

void
graph_law_lives(void)
{
	static const char yaml[] = "trust_graph: klp://bench/" PATH "\n";
	struct node_config *conf = NULL;
	struct mistakes bad = {0};

	need(node_config_parse(&conf, yaml, sizeof(yaml) - 1, &bad) == 0,
	    "node.yaml");
	life("first", conf);
	life("restart", conf);
	node_config_free(conf);
	(void)close(klp);
	(void)close(own);
	(void)close(top);
	(void)nftw(where, rm_one, 8, FTW_DEPTH | FTW_PHYS);
}
