/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "node/work/mail.h"
#include "tests/unit/fakehost.h"

/* The ledger's rows of letters, which outlive a restart, and transport. */
#define ROWS 5000
static struct {
	struct id32 id;
	uint8_t *rec;
	size_t len;
} rows[ROWS];
static unsigned nrows;

void
fake_mail_none(void)
{
	while (nrows > 0)
		free(rows[--nrows].rec);
}

unsigned
fake_mail_rows(void)
{
	return nrows;
}

void
fake_mail_restore(struct world *w)
{
	for (unsigned i = 0; i < nrows; i++)
		mail_restore(&w->n, &rows[i].id, rows[i].rec, rows[i].len);
}

bool
fake_keep_mail(void *ctx, const struct mail *m)
{
	unsigned i = 0;

	(void)ctx;
	while (i < nrows && !id32_eq(&rows[i].id, &m->id))
		i++;
	assert_true(i < ROWS);
	if (i == nrows)
		nrows++;
	else
		free(rows[i].rec);
	rows[i].id = m->id;
	rows[i].rec = malloc(m->len + MAIL_RECORD);
	assert_non_null(rows[i].rec);
	rows[i].len = mail_encode(rows[i].rec, m->len + MAIL_RECORD, m);
	assert_true(rows[i].len > 0);
	return true;
}

void
fake_drop_mail(void *ctx, const struct id32 *id)
{
	unsigned i = 0;

	(void)ctx;
	while (i < nrows && !id32_eq(&rows[i].id, id))
		i++;
	assert_true(i < nrows);
	free(rows[i].rec);
	memmove(&rows[i], &rows[i + 1], (nrows - i - 1) * sizeof(rows[0]));
	nrows--;
}

void
fake_N_MAIL_TAKEN(void *ctx, const struct msg_N_MAIL_TAKEN *m)
{
	struct world *w = ctx;

	w->mail_said++;
	w->mail_taken = *m;
}

/* The test answers it. */
void
fake_V_ALERT(void *ctx, const struct msg_V_ALERT *m)
{
	struct world *w = ctx;

	w->alerts++;
	w->alert = *m;
}

void
fake_N_ALERT_TAKEN(void *ctx, const struct msg_N_ALERT_TAKEN *m)
{
	struct world *w = ctx;

	w->alerts_taken++;
	w->alert_taken = *m;
}

void
fake_mail(void *ctx, struct msg_N_MAIL *m, const uint8_t *letter, size_t len)
{
	struct world *w = ctx;

	w->mails++;
	w->mail = *m;
	assert_true(len <= sizeof(w->mail_bytes));
	memcpy(w->mail_bytes, letter, len);
	w->mail_len = len;
}
