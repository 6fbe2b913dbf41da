/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs over one link to one node, one after the other, by the submitter's own
 * machine: roundtrip CONFIGDIR PERSONDIR JOB.yaml DEST N
 *
 * Prints "job US" for each: from the envelope's first byte until the receipt
 * is here and verified. Signing the manifest comes before the clock starts;
 * no result folder is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/util.h"

#include "node/cli/cli.h"
#include "node/cli/jobfile.h"
#include "node/cli/remote.h"
#include "node/cli/session.h"
#include "node/cli/submitter.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_build.h"

#define CONTACT_US (30 * MONO_SECOND)
#define DEADLINE_S 600

static struct cli cli = {.verb = "bench"};
static struct person person;
static struct session *session;
static struct remote node;
static struct job_file job;
static struct submitter sub;
static uint8_t envelope[ENV_MANIFEST_MAX], buf[PROTO_SLICE];
static crypto_hash_sha256_state log_hash[2];

static void
on_stream(unsigned stream, const uint8_t *p, size_t n, bool eof)
{
	sub_stream(&sub, stream, p, n, eof);
	if (eof)
		session_wake(session);
}

static void
on_stdout(void *arg, const uint8_t *p, size_t n, bool eof)
{
	(void)arg;
	on_stream(1, p, n, eof);
}

static void
on_stderr(void *arg, const uint8_t *p, size_t n, bool eof)
{
	(void)arg;
	on_stream(2, p, n, eof);
}

static bool
log_write(void *arg, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	(void)arg;
	if (offset == 0)
		crypto_hash_sha256_init(&log_hash[stream - 1]);
	crypto_hash_sha256_update(&log_hash[stream - 1], p, n);
	return true;
}

static bool
log_digest(void *arg, unsigned stream, struct id32 *out)
{
	crypto_hash_sha256_state h = log_hash[stream - 1];

	(void)arg;
	crypto_hash_sha256_final(&h, out->b);
	return true;
}

static bool
sign(void)
{
	struct manifest *m = &job.m;
	char why[MANIFEST_WHY] = "", *payload;
	struct env_signed sig;
	uint8_t aux[32];
	size_t len;

	m->submitter = person.fp;
	memcpy(m->submitter_urn, person.urn, sizeof(m->submitter_urn));
	m->node = node.fp;
	memcpy(m->node_urn, node.urn, sizeof(m->node_urn));
	m->has |= HAS_NODE;
	randombytes_buf(m->nonce, sizeof(m->nonce));
	m->deadline = node.time + DEADLINE_S;
	m->not_after = m->deadline;
	if ((payload = manifest_build(m, &len, why)) == NULL) {
		fprintf(stderr, "manifest: %s\n", why);
		return false;
	}
	randombytes_buf(aux, sizeof(aux));
	sig.fp = person.fp;
	memset(&sub, 0, sizeof(sub));
	if (pae_sign(sig.sig, &person.secret, TYPE_MANIFEST, payload, len, aux))
		sub.envelope_len = env_build_binary(envelope,
		    sizeof(envelope), TYPE_MANIFEST, payload, len, &sig, 1);
	free(payload);
	return sub.envelope_len > 0;
}

static bool
prove(void)
{
	uint8_t proof[PROTO_PROOF_LEN], aux[32];
	struct id32 digest;
	const struct hash16 *link = hash16_at(session_link_id(session));

	if (link == NULL)
		return false;
	randombytes_buf(proof + 64, 32);
	randombytes_buf(aux, sizeof(aux));
	challenge_digest(&digest, link, sub.proof_n, proof + 64, person.rns_pub,
	    node.rns_pub);
	if (!secp_sign(proof, &person.secret, &digest, aux))
		return false;
	sub_prove(&sub, proof);
	return true;
}

/* One job; false: it did not end as it should. */
static bool
converse(void)
{
	struct proto_req req;
	struct proto_ans ans;
	struct mono at;

	sub_init(&sub, clock_mono());
	while (sub.phase != SUB_END) {
		if (!sub_next(&sub, clock_mono(), &req, &at)) {
			if (sub.proof_wanted && !sub.has_proof) {
				if (!prove())
					return false;
			} else if (at.us != INT64_MAX) {
				session_run(session,
				    mono_sub(at, clock_mono()));
			}
			if (session_interrupted(session))
				return false;
			continue;
		}
		if (req.path == PATH_FOLLOW && session_stream(session,
		    req.stream, req.stream == 1 ? on_stdout : on_stderr,
		    NULL) != 0)
			return false;
		if (session_ask(session, &req, &ans, NULL, NULL) != CLI_OK)
			return false;
		if (getenv("BENCH_VERBOSE") != NULL)
			fprintf(stderr, "%lld %s %llu\n",
			    (long long)clock_mono().us, proto_path(req.path),
			    (unsigned long long)ans.status);
		sub_answer(&sub, clock_mono(), &ans);
	}
	if (sub.end != SUB_DONE || sub.r.outcome != JOB_EXITED ||
	    sub.r.code != 0) {
		fprintf(stderr, "the job: %s %s, outcome %d\n", sub.code,
		    sub.why, (int)sub.r.outcome);
		return false;
	}
	return true;
}

static int
run(const char *file, const char *dest, unsigned rounds)
{
	struct session_opts o = {.contact_us = CONTACT_US, .identify = true};
	enum node_by by;

	if (person_load(&cli, &person) != CLI_OK ||
	    job_file_read(&cli, file, &job) != CLI_OK ||
	    session_open(&session, &cli, &person) != CLI_OK ||
	    nodes_resolve(&cli, session, &person, dest, CONTACT_US, &node.dest,
		&by) != CLI_OK ||
	    session_connect(session, &node.dest, &o) != CLI_OK ||
	    remote_describe(&cli, session, &person, &node) != CLI_OK)
		return 1;
	for (unsigned i = 0; i < rounds; i++) {
		int64_t t;

		if (!sign())
			return 1;
		sub.manifest = &job.m;
		sub.envelope = envelope;
		sub.binding = person.binding;
		sub.node_key = node.key;
		sub.slice_max = node.slice;
		sub.buf = buf;
		sub.store.log = log_write;
		sub.store.log_digest = log_digest;
		crypto_hash_sha256_init(&log_hash[0]);
		crypto_hash_sha256_init(&log_hash[1]);
		t = clock_mono().us;
		if (!converse())
			return 1;
		printf("job %lld\n", (long long)(clock_mono().us - t));
		fflush(stdout);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	int rc;

	if (argc != 6 || sodium_init() < 0)
		return 2;
	cli.config = argv[1];
	cli.identity = argv[2];
	person.dir = job.dir = -1;
	rc = run(argv[3], argv[4], (unsigned)strtoul(argv[5], NULL, 10));
	session_close(session);
	job_file_clear(&job);
	person_clear(&person);
	return rc;
}
