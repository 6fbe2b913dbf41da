/* SPDX-License-Identifier: BSD-2-Clause */
/* warren result JOB [--out DIR] */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/options.h"
#include "node/cli/result_here.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/cli/converse.h"
#include "node/cli/mail.h"
#include "node/cli/target.h"

struct fetch {
	struct target t;
	const char *out;
	bool by_mail;
	struct mail_nodes via;
	struct manifest m;
	char *envelope;
	size_t envelope_len;
	struct talk talk;
};

static bool
set_option(struct cli *c, void *ctx, int option, const char *value)
{
	struct fetch *f = ctx;

	if (option == OPT_VIA_LXMF) {
		f->by_mail = true;
		return mail_via(c, value, &f->via);
	}
	if (option == OPT_STRICT)
		f->talk.strict = true;
	else if (option == OPT_OUT)
		f->out = value;
	else
		return target_option(&f->t, option, value);
	return true;
}

static int
fetch_remote(struct fetch *f)
{
	struct talk *t = &f->talk;
	int rc = target_manifest(&f->t, &f->m, &f->envelope, &f->envelope_len);

	if (rc != CLI_OK)
		return rc;
	if (!id32_eq(&f->m.job, &f->t.job)) {
		cli_error(f->t.cli, "%s holds another job", f->t.folder);
		return CLI_FAILED;
	}
	rc = f->by_mail ? target_attach(&f->t) : target_connect(&f->t);
	if (rc != CLI_OK ||
	    (rc = jobdir_open(&t->dir, f->t.cli,
		 f->out != NULL ? f->out : f->t.folder, &f->m,
		 (const uint8_t *)f->envelope,
		 f->envelope_len)) != CLI_OK)
		return rc;
	t->c = f->t.cli;
	t->person = &f->t.person;
	t->session = f->t.session;
	t->node = &f->t.node;
	t->manifest = &f->m;
	t->sub.resume = true;
	if (f->by_mail) {
		struct mail m = {.c = t->c, .person = t->person,
		    .session = t->session, .via = &f->via,
		    .timeout_us = (int64_t)f->t.timeout_ms * 1000};

		rc = mail_result(&m, t);
	} else {
		rc = talk_run(t);
	}
	talk_note(t);
	return rc;
}

int
verb_result(struct cli *c, int argc, char **argv)
{
	struct fetch *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return CLI_FAILED;
	target_init(&f->t, c);
	jobdir_init(&f->talk.dir);
	manifest_init(&f->m);
	rc = cli_options(c, VERB_RESULT, argc, argv, set_option, f);
	if (rc == CLI_OK)
		rc = target_find(&f->t, argv[c->arg]);
	if (rc == CLI_OK && f->t.here && f->out != NULL) {
		rc = result_here(c, f->t.id, f->out);
	} else if (rc == CLI_OK && f->t.here) {
		rc = ask(c, ASK_NODE,
		    json_pack("{s:s,s:s}", "verb", "result", "id", f->t.id),
		    ask_print, c);
	} else if (rc == CLI_OK) {
		rc = fetch_remote(f);
	}
	jobdir_close(&f->talk.dir);
	target_close(&f->t);
	manifest_clear(&f->m);
	free(f->envelope);
	free(f);
	return rc < 0 ? CLI_OK : rc;
}
