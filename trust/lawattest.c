/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/ipc.h"
#include "common/log.h"
#include "common/pattern.h"
#include "common/util.h"
#include "trust/attesting.h"
#include "trust/lawio.h"
#include "trust/lawpolicy.h"
#include "trust/sigroots.h"
#include "trust/vouching.h"

/*
 * Signatures of images, klp/attestations/: NAME.json is one, NAME.jsonl one a
 * line. They are looked through when a file or what judges it has changed, one
 * signature a turn; until the end what was known holds.
 */
#define FILES_MAX 512
#define FILE_MAX (1u << 20)
#define ROLE_KEYS_MAX 64 /* of a signer that is a role */
#define RUNS_MAX 512 /* ours: of verifiers, a look */
#define SLOW_MAX 3 /* ours: hangs of a program in a look; then it is let be */
#define HUNG_MAX 512 /* ours: signatures that made one hang */
#define ANSWER_MAX 16384 /* node/parent/verifier.h */

struct lawattest {
	/* the files, and what they are judged by: of the list, of this look */
	struct id32 seen, now;
	bool ever;
	uint64_t serial; /* of the rules that the list is about */
	struct klpdir_stamp *file; /* of this look; NULL: none is under way */
	unsigned nfiles, at;
	bool more; /* files than are looked at */
	char *text; /* of the file at hand */
	size_t len, pos;
	unsigned line;
	struct sigroots roots; /* of this look */
	struct attesting facts;
	struct vouching who; /* it is owed to */
	unsigned read, good, unlooked;
	char first[400]; /* that does not count */
	/* the signature that verifiers are asked about; NULL: none is */
	const char *asked;
	size_t asked_len;
	unsigned next; /* of attest_conf_verifier() */
	unsigned runs; /* of this look */
	bool waits, told; /* for an answer; it has come */
	bool counted;	  /* some signer is found */
	bool again;	  /* one failed: the next look asks anew */
	int64_t due;	  /* when one counts that is of the future; 0: none */
	char *answer;	  /* or NULL: answer_why */
	size_t answer_len;
	char answer_why[160];
	unsigned slow[ATTEST_VERIFIERS_MAX]; /* hangs in this look */
	struct id32 hung[HUNG_MAX]; /* program and signature; the last ones */
	unsigned nhung; /* in all */
	/* the result */
	struct attested *list;
	size_t nlist;
};

/* ---- what was looked at ---- */

static const struct attest_conf *
conf(const struct law *l)
{
	return &l->conf->attest;
}

static void
complain(struct lawattest *x, const char *name, const char *why)
{
	char safe[100];

	/* what was given up before says more than what came of it */
	if (x->first[0] != '\0')
		return;
	(void)text_escape(safe, sizeof(safe), name, strlen(name));
	if (x->line > 0)
		(void)snprintf(x->first, sizeof(x->first), "%s, line %u: %s",
		    safe, x->line, why);
	else
		(void)snprintf(x->first, sizeof(x->first), "%s: %s", safe, why);
}

/* Revoked, or suspended, by the list: it signs for nobody. */
static bool
is_revoked(const struct law *l, const struct fp *fp)
{
	return revset_state(&l->standing.revoked, REV_KEY, fp->b) != REV_NONE;
}

static bool
role_signed(const struct law *l, const struct attest_signer *s,
    const struct attest *a)
{
	struct klp_key keys[ENV_KEYS_MAX];
	unsigned threshold, have = 0;
	size_t n = law_role(l, s->authority, s->role, keys, &threshold);

	for (size_t i = 0; threshold > 0 && i < n && i < ROLE_KEYS_MAX; i++) {
		struct pemkey k = {.kind = PEMKEY_KLP, .klp = keys[i]};

		key_fp(&k.fp, &keys[i]);
		have += !is_revoked(l, &k.fp) && attest_by(a, &k);
	}
	return threshold > 0 && have >= threshold;
}

/* Whom a certificate names; its key may be revoked as any other. */
static bool
keyless_signed(const struct law *l, const struct attest_signer *s,
    struct sigroots_who *w)
{
	const struct keyless_who *who = sigroots_who(w, s->roots);

	return who != NULL && !is_revoked(l, &who->key) &&
	    keyless_is(who, s->issuer, s->subject);
}

/* A key that several rules name is asked once. */
static uint32_t
signers(const struct law *l, const struct attest *a, struct sigroots_who *w)
{
	const struct attest_conf *c = conf(l);
	uint32_t out = 0;

	for (unsigned i = 0; i < c->nsigners; i++) {
		const struct attest_signer *s = &c->signer[i];
		unsigned k = 0;
		bool is;

		while (k < i && !attest_conf_same_key(&c->signer[k], s))
			k++;
		if (s->verifier != NULL)
			is = false; /* asked later */
		else if (s->issuer != NULL)
			is = keyless_signed(l, s, w);
		else if (k < i)
			is = out >> k & 1;
		else
			is = s->authority != NULL ? role_signed(l, s, a) :
			    !is_revoked(l, &s->key.fp) &&
			    attest_by(a, &s->key) && sigroots_logged(w, s);
		out |= (uint32_t)is << i;
	}
	return out;
}

/* ---- what is wrong with it ---- */

/* Why nobody's signature counts. */
static void
complain_nobody(struct lawattest *x, const char *name, struct sigroots_who *w)
{
	char subject[150], issuer[100], why[300];

	for (unsigned i = 0; i < x->roots.n; i++) {
		if (!w->by[i].good)
			continue;
		(void)text_escape(subject, sizeof(subject),
		    w->by[i].who.subject, strlen(w->by[i].who.subject));
		(void)text_escape(issuer, sizeof(issuer),
		    w->by[i].who.issuer, strlen(w->by[i].who.issuer));
		(void)snprintf(why, sizeof(why), "%s (%s) is nobody whom "
		    "image_policy names", subject, issuer);
		complain(x, name, why);
		return;
	}
	complain(x, name, w->why != NULL ? w->why :
	    "no key of image_policy has signed it");
}

static void
count(struct law *l, struct lawattest *x, const struct attest_said *s,
    uint32_t who, struct sigroots_who *w)
{
	x->good += !x->counted;
	x->counted = true;
	attesting_add(&x->facts, conf(l), s, who);
	vouching_add(&x->who, conf(l), s, who, w);
}

/* All verifiers, in turns of their own. */
static void
ask_about(const struct law *l, struct lawattest *x, const char *text,
    size_t len)
{
	x->counted = false;
	x->next = 0;
	x->asked = attest_conf_verifier(conf(l), 0) == NULL ||
	    len > ATTEST_TEXT_MAX ? NULL : text;
	x->asked_len = len;
}

static void
one(struct law *l, struct lawattest *x, const char *text, size_t len)
{
	const char *name = x->file[x->at].name, *why = "";
	struct attest a;
	struct sigroots_who w = {.roots = &x->roots, .a = &a, .now = l->now};
	struct attest_said s;
	uint32_t who;

	x->read++;
	ask_about(l, x, text, len);
	if (attest_read(&a, text, len, &why) < 0) {
		if (x->asked == NULL)
			complain(x, name, why);
		return;
	}
	who = signers(l, &a, &w);
	x->unlooked += w.unlooked;
	if (w.not_before != 0 && (x->due == 0 || w.not_before < x->due))
		x->due = w.not_before;
	if (who == 0) {
		if (x->asked == NULL)
			complain_nobody(x, name, &w);
	} else if (attest_says(&s, &a, &why) < 0) {
		complain(x, name, why);
	} else {
		count(l, x, &s, who, &w);
		attest_said_clear(&s);
	}
	attest_clear(&a);
}

/* ---- programs that verify ---- */

/* What one has said of it; false: *why it does not count. */
static bool
told(struct law *l, struct lawattest *x, const char *program, const char **why)
{
	const struct attest_conf *c = conf(l);
	struct sigroots_who w = {.roots = &x->roots};
	char who[ATTEST_WHO_MAX + 1];
	struct attest_said s;
	uint32_t signers = 0;

	if (x->answer == NULL) {
		*why = x->answer_why;
		return false;
	}
	if (attest_told(&s, who, x->answer, x->answer_len, why) < 0)
		return false;
	w.told = who;
	for (unsigned i = 0; i < c->nsigners; i++) {
		const struct attest_signer *g = &c->signer[i];

		if (g->verifier != NULL && strcmp(g->verifier, program) == 0 &&
		    (g->subject == NULL || pattern_name(g->subject,
			strlen(g->subject), who, strlen(who), false)))
			signers |= 1u << i;
	}
	if (signers != 0)
		count(l, x, &s, signers, &w);
	else
		*why = "is of somebody whom image_policy does not name";
	attest_said_clear(&s);
	return signers != 0;
}

static void
take_answer(struct law *l, struct lawattest *x)
{
	const char *program = attest_conf_verifier(conf(l), x->next);
	const char *name = x->file[x->at].name, *why = "";
	char text[400];

	x->told = false;
	if (program != NULL && !told(l, x, program, &why) && !x->counted) {
		(void)snprintf(text, sizeof(text), "%.150s: %.200s", program,
		    why);
		complain(x, name, text);
	}
	free(x->answer);
	x->answer = NULL;
	x->next++;
}

static void
hung_id(struct id32 *out, const char *program, const char *text, size_t len)
{
	crypto_hash_sha256_state h;

	(void)crypto_hash_sha256_init(&h);
	(void)crypto_hash_sha256_update(&h, (const uint8_t *)program,
	    strlen(program) + 1);
	(void)crypto_hash_sha256_update(&h, (const uint8_t *)text, len);
	(void)crypto_hash_sha256_final(&h, out->b);
}

/* That one hangs by this signature holds up those behind it no second time. */
static bool
has_hung(struct lawattest *x, const char *program)
{
	struct id32 id;

	if (x->nhung == 0)
		return false;
	hung_id(&id, program, x->asked, x->asked_len);
	for (unsigned i = 0; i < x->nhung && i < HUNG_MAX; i++)
		if (id32_eq(&x->hung[i], &id)) {
			complain(x, x->file[x->at].name, "is not asked about "
			    "until the next reload: its verifier hung by it");
			return true;
		}
	return false;
}

static void
note_hung(const struct law *l, struct lawattest *x)
{
	x->slow[x->next]++;
	hung_id(&x->hung[x->nhung++ % HUNG_MAX],
	    attest_conf_verifier(conf(l), x->next), x->asked, x->asked_len);
}

/* The next of them; false: all have been asked. */
static bool
ask(struct law *l, struct lawattest *x)
{
	struct msg_V_VERIFY m = {.serial = conf(l)->serial};
	const char *program;

	while ((program = attest_conf_verifier(conf(l), x->next)) != NULL &&
	    (x->slow[x->next] == SLOW_MAX || has_hung(x, program)))
		x->next++;
	if (program == NULL)
		return false;
	if (x->runs == RUNS_MAX) {
		complain(x, x->file[x->at].name, "more signatures than "
		    "verifiers are asked about");
		return false;
	}
	x->runs++;
	m.seq = ++l->verify_seq;
	m.index = (uint8_t)x->next;
	x->waits = l->ops.verify != NULL && l->ops.verify(l->ops.ctx, &m,
	    x->asked, x->asked_len) == 0;
	if (!x->waits) {
		(void)snprintf(x->answer_why, sizeof(x->answer_why),
		    "cannot be asked");
		x->told = x->again = true;
	}
	return true;
}

bool
law_verified(struct law *l, const struct msg_V_VERIFIED *m, int fd)
{
	struct lawattest *x = l->attest;
	const uint8_t *text = NULL;
	size_t n = 0;

	if (x != NULL && x->waits && m->seq == l->verify_seq) {
		x->waits = false;
		x->told = true;
		(void)snprintf(x->answer_why, sizeof(x->answer_why), "%s",
		    m->end == VERIFY_SAID ? "said nothing" : m->why);
		if (m->end == VERIFY_SLOW)
			note_hung(l, x);
		x->again |= m->end == VERIFY_SLOW || m->end == VERIFY_FAILED;
		if (m->end == VERIFY_SAID && m->len > 0 && fd >= 0)
			text = memfd_map(fd, &n, ANSWER_MAX);
		if (text != NULL && (x->answer = malloc(n)) != NULL) {
			memcpy(x->answer, text, n);
			x->answer_len = n;
		}
		memfd_unmap(text, n);
	}
	if (fd >= 0)
		(void)close(fd);
	return false; /* what follows from it does in a turn */
}

/* ---- turns ---- */

static void
drop(struct lawattest *x)
{
	free(x->text);
	x->text = NULL;
	x->asked = NULL;
	x->waits = x->told = false;
	free(x->answer);
	x->answer = NULL;
	free(x->file);
	x->file = NULL;
	vouching_drop(&x->who);
	attesting_clear(&x->facts);
	sigroots_clear(&x->roots);
}

static bool
same(const struct lawattest *x, const struct attested *list, size_t n)
{
	if (n != x->nlist)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!id32_eq(&list[i].image, &x->list[i].image) ||
		    list[i].rules != x->list[i].rules)
			return false;
	return true;
}

static void
finish(struct law *l, struct lawattest *x)
{
	size_t n;
	struct attested *list = attesting_rules(&x->facts, conf(l), &n);

	/* node has to hear of rules of another node.yaml at once */
	if (!same(x, list, n) || x->serial != conf(l)->serial)
		l->changed = true;
	free(x->list);
	x->list = list;
	x->nlist = n;
	l->changed |= vouching_settle(&x->who, list, n);
	x->ever = !x->again;
	x->seen = x->now;
	x->serial = conf(l)->serial;
	if (x->nfiles > 0)
		log_notice("klp/attestations", "signatures=%u good=%u images=%zu"
		    "%s%s%s", x->read, x->good, n, x->first[0] != '\0' ?
		    "; not counted: " : "", x->first, x->more ||
		    x->facts.full ? "; more is there than is looked at" : "");
	if (x->unlooked > 0)
		log_notice("klp/attestations", "%u good by a key alone: their "
		    "entries are of logs that no roots of image_policy know",
		    x->unlooked);
	lawpolicy_say(l);
	drop(x);
}

/* true: a line of it. */
static bool
next_line(struct lawattest *x, const char **text, size_t *len)
{
	const char *nl;

	while (x->pos < x->len) {
		*text = x->text + x->pos;
		nl = memchr(*text, '\n', x->len - x->pos);
		*len = nl == NULL ? x->len - x->pos : (size_t)(nl - *text);
		x->pos += *len + (nl != NULL);
		x->line++;
		if (*len > 0)
			return true;
	}
	return false;
}

static void
close_file(struct lawattest *x)
{
	free(x->text);
	x->text = NULL;
	x->line = 0;
	x->at++;
}

/* One signature, or one file opened. */
void
lawattest_step(struct law *l)
{
	struct lawattest *x = l->attest;
	const struct klpdir_stamp *f;
	const char *text;
	size_t len;

	if (x->at >= x->nfiles) {
		finish(l, x);
		return;
	}
	f = &x->file[x->at];
	if (x->asked != NULL) {
		if (x->told)
			take_answer(l, x);
		if (x->waits || ask(l, x))
			return;
		x->asked = NULL;
		if (!f->lines)
			close_file(x);
	} else if (x->text == NULL) {
		x->pos = 0;
		x->text = klpdir_attestation(&l->dir, f->name, FILE_MAX,
		    &x->len);
		if (x->text == NULL) {
			complain(x, f->name, strerror(errno));
			close_file(x);
		}
	} else if (!f->lines) {
		one(l, x, x->text, x->len);
		if (x->asked == NULL)
			close_file(x);
	} else if (next_line(x, &text, &len)) {
		one(l, x, text, len);
	} else {
		close_file(x);
	}
}

bool
lawattest_busy(const struct law *l)
{
	return l->attest != NULL && l->attest->file != NULL &&
	    !l->attest->waits;
}

/* ---- when ---- */

/* Whose keys a role has, and how many must sign. */
static void
stamp_role(const struct law *l, const struct attest_signer *s,
    crypto_hash_sha256_state *h)
{
	struct klp_key keys[ENV_KEYS_MAX];
	unsigned threshold;
	size_t n = law_role(l, s->authority, s->role, keys, &threshold);
	struct fp fp;

	(void)crypto_hash_sha256_update(h, (const uint8_t *)&threshold,
	    sizeof(threshold));
	for (size_t i = 0; i < n; i++) {
		key_fp(&fp, &keys[i]);
		(void)crypto_hash_sha256_update(h, fp.b, sizeof(fp.b));
	}
}

/* Files as the folder tells them, the rules, and whose keys count. */
static void
stamp(const struct law *l, struct lawattest *x, struct id32 *out)
{
	crypto_hash_sha256_state h;

	(void)crypto_hash_sha256_init(&h);
	(void)crypto_hash_sha256_update(&h, (const uint8_t *)&conf(l)->serial,
	    sizeof(conf(l)->serial));
	for (unsigned i = 0; i < x->nfiles; i++) {
		const struct klpdir_stamp *f = &x->file[i];
		const uint64_t is[3] = {f->size, f->changed_ns, f->inode};

		(void)crypto_hash_sha256_update(&h, (const uint8_t *)f->name,
		    strlen(f->name) + 1);
		(void)crypto_hash_sha256_update(&h, (const uint8_t *)is,
		    sizeof(is));
	}
	for (size_t i = 0; i < l->standing.revoked.n; i++)
		if (l->standing.revoked.e[i].kind == REV_KEY)
			(void)crypto_hash_sha256_update(&h,
			    l->standing.revoked.e[i].id, 32);
	for (unsigned i = 0; i < conf(l)->nsigners; i++)
		if (conf(l)->signer[i].authority != NULL)
			stamp_role(l, &conf(l)->signer[i], &h);
	for (unsigned i = 0; i < x->roots.n; i++) {
		(void)crypto_hash_sha256_update(&h, x->roots.f[i].sum.b, 32);
		(void)crypto_hash_sha256_update(&h,
		    (const uint8_t *)&x->roots.f[i].last,
		    sizeof(x->roots.f[i].last));
	}
	(void)crypto_hash_sha256_final(&h, out->b);
}

static void
no_policy(struct law *l)
{
	struct lawattest *x = l->attest;

	lawpolicy_note(l, NULL);
	if (x == NULL)
		return;
	if (x->nlist > 0)
		l->changed = true;
	lawattest_free(l);
}

/* Nothing is new since the last look, nor can it come to anything else. */
static bool
is_known(const struct law *l, const struct lawattest *x,
    const struct lawattest *is)
{
	return x->file == NULL && x->ever && id32_eq(&is->now, &x->seen) &&
	    (x->due == 0 || (int64_t)l->now < x->due);
}

/* Does a look that is under way look at the same? Then it goes on. */
static bool
goes_on(const struct lawattest *x, const struct lawattest *is)
{
	return x->file != NULL && id32_eq(&x->now, &is->now);
}

void
lawattest_look(struct law *l)
{
	struct lawattest *x, is = {.file = NULL};

	if (conf(l)->nrules == 0) {
		no_policy(l);
		return;
	}
	if (l->attest == NULL &&
	    (l->attest = calloc(1, sizeof(*l->attest))) == NULL) {
		log_errx("klp/attestations", "no memory to look at it");
		return;
	}
	x = l->attest;
	is.file = klpdir_attestations(&l->dir, FILES_MAX, &is.nfiles, &is.more);
	if (is.file == NULL) {
		log_errx("klp/attestations", "no memory to look at it");
		return;
	}
	sigroots_load(&is.roots, l);
	lawpolicy_note(l, &is.roots);
	stamp(l, &is, &is.now);
	if (goes_on(x, &is) || is_known(l, x, &is)) {
		drop(&is);
		return;
	}
	drop(x);
	x->file = is.file;
	x->nfiles = is.nfiles;
	x->more = is.more;
	x->roots = is.roots;
	x->now = is.now;
	x->at = x->line = x->read = x->good = x->unlooked = x->runs = 0;
	memset(x->slow, 0, sizeof(x->slow));
	x->again = false;
	x->due = 0;
	x->len = x->pos = 0;
	x->first[0] = '\0';
}

/* Other rules are about to count, or a person asks. */
void
lawattest_stop(struct law *l)
{
	if (l->attest == NULL)
		return;
	drop(l->attest);
	l->attest->ever = false;
	l->attest->nhung = 0;
}

void
lawattest_free(struct law *l)
{
	if (l->attest == NULL)
		return;
	drop(l->attest);
	free(l->attest->list);
	vouching_clear(&l->attest->who);
	free(l->attest);
	l->attest = NULL;
}

const struct attested *
law_attested(const struct law *l, size_t *n, uint64_t *serial)
{
	const struct lawattest *x = l->attest;

	*n = x == NULL ? 0 : x->nlist;
	/* 0: nobody has looked yet */
	*serial = x == NULL ? 0 : x->serial;
	return x == NULL ? NULL : x->list;
}

const struct vouched *
law_vouched(const struct law *l, size_t *n)
{
	*n = l->attest == NULL ? 0 : l->attest->who.n;
	return l->attest == NULL ? NULL : l->attest->who.list;
}
