/* SPDX-License-Identifier: BSD-2-Clause */
/* warren receipt verify JOB */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rns/rns.h>

#include "node/cli/format.h"
#include "node/cli/outcome.h"
#include "node/cli/oldsig.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/cli/jobdir.h"
#include "node/cli/jobdir_read.h"
#include "node/cli/person.h"
#include "trust/doc/binding.h"
#include "trust/doc/receipt.h"
#include "common/layers.h"
#include "common/util.h"

/* What result.json says must be what was signed; NULL, or what is not. */
static const char *
compare(const struct jobdir_proof *p, const struct job_receipt *r,
    const struct binding *b, const struct klp_key *key)
{
	struct hash16 hash, dest;
	struct fp fp;
	char urn[URN_MAX];

	key_fp(&fp, key);
	if (p->has_node && !fp_eq(&p->node, &fp))
		return "the receipt is of another node than the manifest names";
	rns_hash_of(&hash, b->rns);
	if (!urn_make(urn, "kindai", "device", &fp) ||
	    strcmp(urn, p->urn) != 0 ||
	    rns_dest_hash(&dest, "klp.node", &hash) != RNS_OK ||
	    !hash16_eq(&dest, &p->dest))
		return "result.json names another node";
	if (!id32_eq(&p->id, &r->job) ||
	    !id32_eq(&p->image, &r->image) ||
	    strcmp(p->outcome, outcome_name(r->outcome)) != 0 ||
	    p->code != r->code)
		return "result.json says otherwise than the receipt";
	return NULL;
}

/* NULL when everything holds, else what does not. */
static const char *
verify(const struct jobdir_proof *p, struct job_receipt *r,
    struct klp_key *key)
{
	struct binding b;
	struct id32 root;
	const char *why;

	if (!binding_parse(&b, p->binding, BINDING_LEN) ||
	    !binding_key(key, &b))
		return "the node's binding is malformed";
	if (!job_receipt_parse(r, p->receipt, p->receipt_len))
		return "the receipt is malformed";
	if (!job_receipt_verify(r, key))
		return "the receipt is not signed by the node's key";
	why = binding_check_at(&b, r->started != 0 ? r->started : b.not_before);
	if (why != NULL)
		return why;
	if (!id32_eq(&r->job, &p->job))
		return "the receipt is for another job than the manifest";
	if (!outputs_root(&root, p->out, p->nout) ||
	    !id32_eq(&root, &r->outputs))
		return "the outputs are not those that were signed";
	logs_root(&root, &p->log_sha[0], p->log_size[0], &p->log_sha[1],
	    p->log_size[1]);
	if (!id32_eq(&root, &r->logs))
		return "stdout or stderr is not the one that was signed";
	return compare(p, r, &b, key);
}

static void
print_receipt(struct cli *c, const struct job_receipt *r,
    const struct jobdir_proof *p)
{
	char job[65], fp[33], layers[256], started[24], wall[24], cpu[24],
	    mem[24], outcome[64], runner[RUNNER_TEXT];

	hex_encode(job, HASH_BYTES(r->job));
	hex_encode(fp, r->node, FP16_LEN);
	layers_text(layers, sizeof(layers), r->layers);
	runner_text(runner, sizeof(runner), r->runner, r->version);
	outcome_words(outcome, sizeof(outcome), r->outcome, r->code, NULL);
	if (c->json) {
		json_t *o = json_pack(
		    "{s:b,s:s,s:s,s:s,s:i,s:I,s:I,s:I,s:I,s:I,s:o,s:s,s:I,"
		    "s:{s:I,s:I}}", "ok",
		    1, "job", job, "node", fp, "outcome",
		    outcome_name(r->outcome), "code", (int)r->code, "attempts",
		    (json_int_t)r->attempts, "started", (json_int_t)r->started,
		    "wall_ms", (json_int_t)r->wall_ms, "cpu_ms",
		    (json_int_t)r->cpu_ms, "memory_kb",
		    (json_int_t)r->memory_kb, "layers",
		    cli_layers_json(r->layers), "runner", runner, "outputs",
		    (json_int_t)p->nout, "watched", "events",
		    (json_int_t)r->bpf_events, "lost",
		    (json_int_t)r->bpf_lost);

		cli_json(o);
		return;
	}
	printf("receipt   valid: signed by node %s\n", fp);
	printf("job       %s\n", job);
	printf("outcome   %s, attempt %u\n", outcome, r->attempts);
	printf("started   %s, ran %s, cpu %s, memory peak %s\n",
	    cli_time(started, r->started), cli_duration(wall, r->wall_ms),
	    cli_duration(cpu, r->cpu_ms),
	    cli_memory(mem, r->memory_kb));
	printf("outputs   %u, stdout %llu bytes, stderr %llu bytes: as "
	       "signed\n",
	    p->nout, (unsigned long long)p->log_size[0],
	    (unsigned long long)p->log_size[1]);
	printf("layers    %s\n", layers);
	if (r->runner != RUNNER_NATIVE)
		printf("runner    %s\n", runner);
	if ((r->layers & LAYER_BPF) != 0)
		printf("watched   %u acts, %u of them lost\n", r->bpf_events,
		    r->bpf_lost);
}

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	(void)c;
	return oldsig_option(ctx, option, value);
}

/*
 * When it was signed nobody else says: at the end of what it tells of. One that
 * never started has no time.
 */
static uint32_t
made_at(const struct job_receipt *r)
{
	uint64_t end = r->started + (uint64_t)r->wall_ms / 1000;

	return r->started == 0 || end > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)end;
}

/* The folder itself, or that of a job that was submitted from here. */
static const char *
folder_of(struct cli *c, const char *text, struct job_note *note)
{
	struct person p;
	int found;

	if (access(text, F_OK) == 0)
		return text;
	person_peek(c, &p);
	found = person_find_job(&p, text, note);
	person_clear(&p);
	return found == 1 && note->folder[0] != '\0' ? note->folder : text;
}

int
verb_receipt_verify(struct cli *c, int argc, char **argv)
{
	struct jobdir_proof p;
	struct job_note note;
	struct job_receipt r;
	struct oldsig old = {.list = NULL};
	struct klp_key key;
	const char *why;
	bool counts;
	uint8_t seed[32] = {0};
	int rc = cli_options(c, VERB_RECEIPT_VERIFY, argc, argv, set, &old);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (!secp_init(seed)) /* verifies only: nothing secret to blind */
		return CLI_FAILED;
	rc = jobdir_read(c, folder_of(c, argv[c->arg], &note), &p);
	if (rc != CLI_OK)
		return rc;
	why = verify(&p, &r, &key);
	if (why == NULL) {
		rc = oldsig_counts(c, &old, &key, made_at(&r), &counts);
		if (rc != CLI_OK)
			return rc;
		why = counts ? NULL : old.why;
	}
	if (why != NULL) {
		cli_error(c, "NOT valid: %s", why);
		return CLI_FAILED;
	}
	print_receipt(c, &r, &p);
	if (old.why[0] != '\0')
		cli_note(c, "%s, and what it signed before that counts",
		    old.why);
	return CLI_OK;
}
