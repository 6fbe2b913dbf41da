/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs of a log on lines: what tests/oracle/proof.py asks, and the answers.
 *
 *   proof VKEY RECORD TEXT WITNESS   hex of a record and of a tlog-proof; a
 *                                    witness' verifier key, or -
 *   growth VKEY TEXT                 ... of a growth (klp.md 8)
 *
 * "form"; "origin", "unsigned" or "forged", of the log's key; "not" where the
 * hashes prove nothing; else "good INDEX SIZE", and of the witness "none",
 * "forged" or when it has signed, by its name and by its key alone.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "trust/doc/merkle.h"
#include "trust/doc/tlog.h"

static void __attribute__((noreturn))
bad(const char *what)
{
	fprintf(stderr, "proof_lines: %s\n", what);
	exit(2);
}

/* In a block of its very length, for who watches over its end. */
static char *
bytes(const char *hex, size_t *len)
{
	char *p;

	*len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	p = malloc(*len == 0 ? 1 : *len);
	if (p == NULL || (*len > 0 && !hex_decode((uint8_t *)p, *len, hex,
		2 * *len)))
		bad("hex");
	return p;
}

static void
say_witness(enum snote_sig is, uint64_t when)
{
	if (is == SNOTE_GOOD)
		printf(" %" PRIu64, when);
	else
		printf(" %s", is == SNOTE_NOT ? "none" : "forged");
}

/* NULL: it is the log's; else what is wrong. */
static const char *
head_of(struct snote *n, struct tlog_head *h, const struct vkey *k,
    const char *note, size_t len)
{
	if (!snote_parse(n, note, len) ||
	    !tlog_head_parse(h, n->text, n->text_len))
		return "form";
	if (strcmp(h->origin, k->name) != 0)
		return "origin";
	switch (snote_signed(n, k, NULL)) {
	case SNOTE_NOT:
		return "unsigned";
	case SNOTE_BAD:
		return "forged";
	default:
		return NULL;
	}
}

static void
proof(const struct vkey *k, const char *record, size_t record_len,
    const char *text, size_t len, const struct vkey *w)
{
	const char *why = "form";
	struct tlog_proof p;
	struct tlog_head h;
	struct id32 leaf;
	uint64_t when = 0;
	struct snote n;

	if (tlog_proof_parse(&p, text, len))
		why = head_of(&n, &h, k, p.note, p.note_len);
	if (why != NULL) {
		printf("%s\n", why);
		return;
	}
	merkle_leaf(&leaf, record, record_len);
	if (tlog_includes(&h, p.index, &leaf, p.hash, p.n))
		printf("good %" PRIu64 " %" PRIu64, p.index, h.size);
	else
		printf("not");
	if (w != NULL) {
		enum snote_sig is = snote_signed(&n, w, &when);

		say_witness(is, when);
		is = snote_cosigned(&n, w->key, &when);
		say_witness(is, when);
	}
	printf("\n");
}

static void
growth(const struct vkey *k, const char *text, size_t len)
{
	const char *why = "form";
	struct tlog_growth g;
	struct tlog_head h;
	struct snote n;

	if (tlog_growth_parse(&g, text, len))
		why = head_of(&n, &h, k, g.note, g.note_len);
	if (why != NULL)
		printf("%s\n", why);
	else if (!tlog_extends(&g.old, &h, g.hash, g.n))
		printf("not\n");
	else
		printf("good %" PRIu64 " %" PRIu64 "\n", g.old.size, h.size);
}

static void
take(char *line)
{
	char *word[5] = {NULL}, *save = NULL, *a, *b;
	struct vkey k, w;
	unsigned n = 0;
	size_t na, nb;

	for (char *s = strtok_r(line, " \n", &save); s != NULL && n < 5;
	     s = strtok_r(NULL, " \n", &save))
		word[n++] = s;
	if (n < 3 || !vkey_parse(&k, word[1], strlen(word[1])))
		bad("a line");
	a = bytes(word[2], &na);
	if (strcmp(word[0], "growth") == 0) {
		growth(&k, a, na);
	} else {
		if (n != 5 || (strcmp(word[4], "-") != 0 &&
			!vkey_parse(&w, word[4], strlen(word[4]))))
			bad("a line");
		b = bytes(word[3], &nb);
		proof(&k, a, na, b, nb, strcmp(word[4], "-") == 0 ? NULL : &w);
		free(b);
	}
	free(a);
}

int
main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		take(line);
	free(line);
	return 0;
}
