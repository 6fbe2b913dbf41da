/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/judge.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/attested.h"
#include "common/ipc.h"
#include "common/ipc_msg.h"
#include "common/listed.h"
#include "common/log.h"
#include "common/program.h"

/* What node has to know of the law, whole. */

static void
tell_lines(struct judge *j)
{
	struct msg_V_AUTHORITY m;

	for (unsigned i = 0; law_line(j->law, i, &m); i++)
		(void)program_send_V_AUTHORITY(&j->prog, &m, NULL, 0);
	m = (struct msg_V_AUTHORITY){.name = ""};
	(void)program_send_V_AUTHORITY(&j->prog, &m, NULL, 0);
}

static void
tell_policy(struct judge *j)
{
	struct msg_V_POLICY m;

	for (unsigned i = 0; law_policy(j->law, i, &m); i++)
		(void)program_send_V_POLICY(&j->prog, &m, NULL, 0);
	m = (struct msg_V_POLICY){.kind = POLICY_END};
	(void)program_send_V_POLICY(&j->prog, &m, NULL, 0);
}

static void
tell_listed(struct judge *j)
{
	struct msg_V_LISTED m = {.count = 0};
	struct listed *l;
	uint8_t *out;
	int fd = -1;
	size_t n;

	if ((l = law_listed(j->law, &n)) == NULL ||
	    (out = malloc(n * LISTED_BYTES + 1)) == NULL) {
		log_errx(NULL, "no memory: node is not told who is revoked");
		free(l);
		return;
	}
	listed_put(out, l, n);
	m.count = (uint32_t)n;
	if (n > 0 && (fd = memfd_sealed("listed", out, n * LISTED_BYTES)) < 0)
		log_err(NULL, "node is not told who is revoked");
	else
		(void)program_send_V_LISTED(&j->prog, &m, fd >= 0 ? &fd : NULL,
		    fd >= 0);
	if (fd >= 0)
		(void)close(fd);
	free(out);
	free(l);
}

static void
tell_anchored(struct judge *j)
{
	size_t n;
	const struct anchored *l = law_anchored(j->law, &n);
	struct msg_V_ANCHORED m = {.count = (uint32_t)n};
	int fd = -1;

	if (n > 0 && (fd = memfd_sealed("anchored", l, n * sizeof(*l))) < 0)
		log_err(NULL, "node is not told which images are anchored");
	else
		(void)program_send_V_ANCHORED(&j->prog, &m,
		    fd >= 0 ? &fd : NULL, fd >= 0);
	if (fd >= 0)
		(void)close(fd);
}

static void
tell_attested(struct judge *j)
{
	struct msg_V_ATTESTED m = {.count = 0};
	size_t n;
	const struct attested *l = law_attested(j->law, &n, &m.serial);
	uint8_t *out = malloc(n * ATTESTED_BYTES + 1);
	int fd = -1;

	if (out == NULL) {
		log_errx(NULL, "no memory: node is not told which images are "
		    "signed");
		return;
	}
	m.count = (uint32_t)n;
	attested_put(out, l, n);
	if (n > 0 && (fd = memfd_sealed("attested", out,
		n * ATTESTED_BYTES)) < 0)
		log_err(NULL, "node is not told which images are signed");
	else
		(void)program_send_V_ATTESTED(&j->prog, &m,
		    fd >= 0 ? &fd : NULL, fd >= 0);
	if (fd >= 0)
		(void)close(fd);
	free(out);
}

static void
tell_vouched(struct judge *j)
{
	size_t n;
	const struct vouched *v = law_vouched(j->law, &n);
	struct msg_V_VOUCHED m = {.count = (uint32_t)n};
	uint8_t *out = malloc(n * VOUCHED_BYTES + 1);
	int fd = -1;

	if (out == NULL) {
		log_errx(NULL, "no memory: node is not told who has signed");
		return;
	}
	vouched_put(out, v, n);
	if (n > 0 && (fd = memfd_sealed("vouched", out,
		n * VOUCHED_BYTES)) < 0)
		log_err(NULL, "node is not told who has signed");
	else
		(void)program_send_V_VOUCHED(&j->prog, &m,
		    fd >= 0 ? &fd : NULL, fd >= 0);
	if (fd >= 0)
		(void)close(fd);
	free(out);
}

void
judge_tell(struct judge *j)
{
	tell_lines(j);
	tell_policy(j);
	tell_listed(j);
	tell_anchored(j);
	tell_attested(j);
	tell_vouched(j);
}

void
judge_tell_time(struct judge *j)
{
	const struct klp_clock *c = &j->law->clock;
	struct msg_V_TIME m = {c->floor, c->behind, law_signed_at(j->law),
	    j->lowered, 0};

	if (program_channel(&j->prog, PROGRAM_NODE) != NULL)
		(void)program_send_V_TIME(&j->prog, &m, NULL, 0);
}
