/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the ledger, which lie on a disk; the first byte says of what: a job,
 * a letter, a vote. What is read is written again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "node/work/jobs.h"
#include "node/work/mailbag.h"
#include "node/work/votes.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A row of each. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
job(const uint8_t *p, size_t n)
{
	static uint8_t out[JOB_RECORD_MAX], twice[JOB_RECORD_MAX];
	struct job *j = job_decode(p, n), *again;
	struct left_item it;
	size_t len, at = 0, k;

	if (j == NULL)
		return;
	took(0);
	len = job_encode(out, sizeof(out), j);
	/* what packing left out, and more bytes than it says: few of them */
	must(len > 0);
	again = job_decode(out, len);
	must(again != NULL);
	k = job_encode(twice, sizeof(twice), again);
	must(k == len && memcmp(out, twice, k) == 0);
	must(id32_eq(&j->id, &again->id) && j->state == again->state);
	while (j->left != NULL && left_next(j->left, &at, &it))
		must(at <= j->left->len && left_text(it.reason) != NULL);
	job_free(again);
	job_free(j);
}

static void
letter(const uint8_t *p, size_t n)
{
	static uint8_t out[1 << 16];
	static const struct id32 id = {{1}};
	struct mailbag b;
	struct mail *m;

	mailbag_init(&b);
	if (n <= sizeof(out) && mail_decode(&b, &id, p, n)) {
		took(1);
		m = mailbag_find(&b, &id);
		must(m != NULL && b.nopen + b.nover == 1);
		must(!mail_decode(&b, &id, p, n));
		p = NULL;
		must(mail_encode(out, sizeof(out), m) == n);
		mailbag_over(&b, m);
		must(b.bytes == 0 && b.nopen == 0);
	}
	mailbag_clear(&b);
}

static void
vote(const uint8_t *p, size_t n)
{
	static const struct id32 of = {{1}};
	static const struct fp who = {{2}};
	uint8_t out[VOTE_RECORD];
	struct vote v;

	if (!vote_decode(&v, &of, &who, p, n))
		return;
	took(2);
	vote_encode(out, &v);
	must(n == sizeof(out) && memcmp(out, p, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 1)
		return 0;
	switch (p[0]) {
	case 'm':
		letter(p + 1, n - 1);
		break;
	case 'v':
		vote(p + 1, n - 1);
		break;
	default:
		job(p + 1, n - 1);
	}
	return 0;
}
