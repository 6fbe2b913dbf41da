/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_policy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/util.h"
#include "node/check/policytext.h"

#define FILE_NAME "node.yaml"

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* true: it was one, and that is said. */
static bool
is_regex(struct check *c, const struct ynode *n, const char *what)
{
	char as[POLICY_HINT_MAX], hint[POLICY_HINT_MAX + 40];
	const char *sign = policy_regex(n->text, as);

	if (sign == NULL || policy_literal(sign))
		return false;
	(void)snprintf(hint, sizeof(hint), "%s%s", as[0] != '\0' ?
	    "did you mean: " : "one entry for each, without it", as);
	policy_never(c, n, hint, "%s is no "
	    "regular expression (%s): `*` stands for anything and all else for "
	    "itself, so it never matches", what, sign);
	return true;
}

/* One perhaps, that may be meant as it stands. */
static void
like_regex(struct check *c, const struct ynode *n, const char *what)
{
	char as[POLICY_HINT_MAX], hint[POLICY_HINT_MAX + 40];
	const char *sign = policy_regex(n->text, as);

	if (sign == NULL)
		return;
	(void)snprintf(hint, sizeof(hint), "if it is one: %s", as[0] != '\0' ?
	    as : "one entry for each, without it");
	check_tell(c, true, FILE_NAME, n->line, n->column, hint, "%s looks like "
	    "a regular expression (%s): `*` stands for anything and all else "
	    "for itself", what, sign);
}

/* Blanks that quotes have kept. */
static bool
has_blank(struct check *c, const struct ynode *n, const char *what)
{
	if (n->text[strcspn(n->text, " \t\r\n")] == '\0')
		return false;
	policy_never(c, n, "take it out",
	    "%s has a blank in it, so it never matches", what);
	return true;
}

/* ---- which images ---- */

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-/*"
#define TAG_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" NAME_CHARS

static bool
is_digest(const char *s)
{
	return starts(s, "sha256:") && strlen(s) == 7 + 64 &&
	    s[7 + strspn(s + 7, "0123456789abcdef")] == '\0';
}

/* Why no image has such a name, and what may be meant; NULL: one may. */
static const char *
no_name(const char *s, char hint[POLICY_HINT_MAX])
{
	size_t n = strspn(s, NAME_CHARS ":");
	const char *last = strrchr(s, '/');
	const char *base = last != NULL ? last + 1 : s;
	/* where the tag's colon is, or may be */
	const char *tag = strpbrk(base, ":*");
	char as[POLICY_HINT_MAX];

	hint[0] = '\0';
	if (policy_regex(s, as) != NULL) {
		if (as[0] != '\0')
			(void)snprintf(hint, POLICY_HINT_MAX,
			    "did you mean: %.270s", as);
		return "it is no regular expression";
	}
	if (strstr(s, "://") != NULL) {
		(void)snprintf(hint, POLICY_HINT_MAX, "did you mean: %s",
		    strstr(s, "://") + 3);
		return "image names are no URLs";
	}
	if (strchr(s, '@') != NULL) {
		(void)snprintf(hint, POLICY_HINT_MAX, "did you mean: %s",
		    strchr(s, '@') + 1);
		return "an image goes by NAME:TAG, or by its digest alone";
	}
	/* behind a tag's colon there may be capitals */
	if (s[n] != '\0' && (s[strspn(s, TAG_CHARS ":")] != '\0' ||
		tag == NULL || s + n < tag))
		return "image names are of a-z, 0-9 and . _ - / before their "
		    "tag";
	if (starts(s, "sha256:") && (strchr(s, '*') == NULL ? !is_digest(s) :
		s[7 + strspn(s + 7, "0123456789abcdef*")] != '\0'))
		return "a digest is sha256: and 64 digits of 0-9 a-f";
	/* a tag has no slash: it is behind the last one, if not in a `*` */
	if (tag != NULL)
		return NULL;
	(void)snprintf(hint, POLICY_HINT_MAX, "did you mean: %s:*", s);
	return "an image's name has its tag behind a colon";
}

static void
check_image(struct check *c, const struct ynode *n)
{
	char hint[POLICY_HINT_MAX];
	const char *why;

	if (n == NULL || n->kind != YNODE_SCALAR)
		return;
	if ((why = no_name(n->text, hint)) != NULL)
		check_tell(c, false, FILE_NAME, n->line, n->column,
		    hint[0] != '\0' ? hint : NULL, "this rule is about no "
		    "image, so nothing has to be signed by it: %s", why);
}

/* Both must hold: who writes a second one may think that either will do. */
static void
check_twice(struct check *c, const struct ynode *list, const struct ynode *rule)
{
	const struct ynode *n = ynode_get(rule, "image"), *m;

	for (const struct ynode *o = list->first; o != rule; o = o->next) {
		m = ynode_get(o, "image");
		if (n != NULL && m != NULL && n->kind == YNODE_SCALAR &&
		    m->kind == YNODE_SCALAR && strcmp(n->text, m->text) == 0) {
			check_tell(c, true, FILE_NAME, n->line, n->column,
			    "signers of whom one is enough stand in one any_of",
			    "as in line %u: both rules must hold", m->line);
			return;
		}
	}
}

/* ---- where somebody logs in, and whom a certificate then names ---- */

#define EMAIL "*@*"

/* Issuers of sigstore's public instance. owners: what stands before an owner. */
static const struct issuer {
	const char *url, *form, *like, *owners;
} issuers[] = {
    {"https://token.actions.githubusercontent.com",
	"https://github.com/*/*/.github/workflows/*@*",
	"https://github.com/ORG/REPO/.github/workflows/FILE@REF",
	"https://github.com/"},
    {"https://gitlab.com", "https://gitlab.com/*//*@*",
	"https://gitlab.com/GROUP/PROJECT//.gitlab-ci.yml@REF",
	"https://gitlab.com/"},
    {"https://agent.buildkite.com", "https://buildkite.com/*",
	"https://buildkite.com/ORG/PIPELINE", "https://buildkite.com/"},
    {"https://accounts.google.com", EMAIL, "NAME@DOMAIN", NULL},
    {"https://github.com/login/oauth", EMAIL, "NAME@DOMAIN", NULL},
    {"https://login.microsoftonline.com", EMAIL, "NAME@DOMAIN", NULL},
    {"https://oauth2.sigstore.dev/auth", EMAIL, "NAME@DOMAIN", NULL},
};

static const struct issuer *
issuer_of(const char *url)
{
	for (size_t i = 0; i < NELEM(issuers); i++)
		if (strcmp(issuers[i].url, url) == 0)
			return &issuers[i];
	return NULL;
}

/* Without scheme and last slash. */
static const char *
bare(const char *url, size_t *n)
{
	const char *s = strstr(url, "://");

	s = s == NULL ? url : s + 3;
	*n = strlen(s);
	while (*n > 0 && s[*n - 1] == '/')
		(*n)--;
	return s;
}

static bool
same_bare(const char *a, const char *b)
{
	size_t n, m;

	a = bare(a, &n);
	b = bare(b, &m);
	return n == m && strncasecmp(a, b, n) == 0;
}

/* true: something is said of it. */
static bool
near_issuer(struct check *c, const struct ynode *n)
{
	char hint[POLICY_HINT_MAX];

	for (size_t i = 0; i < NELEM(issuers); i++) {
		bool same = same_bare(n->text, issuers[i].url);

		if (!same && word_distance(n->text, issuers[i].url) > 3)
			continue;
		(void)snprintf(hint, sizeof(hint), "did you mean: %s",
		    issuers[i].url);
		if (same)
			policy_never(c, n, hint, "issuer is compared as it "
			    "is: no certificate names this one");
		else
			check_tell(c, true, FILE_NAME, n->line, n->column, hint,
			    "issuer is nearly one that many use");
		return true;
	}
	if (strstr(n->text, "://") != NULL)
		return false;
	policy_never(c, n, "such as https://accounts.example",
	    "issuer is a URL: where somebody logs in");
	return true;
}

static void
check_issuer(struct check *c, const struct ynode *n)
{
	if (is_regex(c, n, "issuer") || has_blank(c, n, "issuer"))
		return;
	if (strchr(n->text, '*') != NULL)
		policy_never(c, n, "one entry "
		    "of any_of for each issuer", "issuer is compared as it is: "
		    "with `*` in it, it never matches");
	else if (issuer_of(n->text) == NULL && !near_issuer(c, n))
		like_regex(c, n, "issuer");
}

/* ---- whom ---- */

static bool
is_url(const char *s)
{
	return starts(s, "https://") || starts(s, "http://");
}

static bool
can_be(const char *subject, const struct issuer *i)
{
	/* a `*` in front may be all of a URL's beginning, and of an address's */
	return policy_meets(subject, i->form) &&
	    (strcmp(i->form, EMAIL) != 0 || !is_url(subject));
}

/* What was perhaps meant; "" is no idea. */
static void
mend_subject(char hint[POLICY_HINT_MAX], const char *s, const struct issuer *i)
{
	static const char *const ways[][2] = {{"", ".github/workflows/*"},
	    {"", "/.github/workflows/*"}, {"", "@*"}, {"https://", ""},
	    {"https://", "/.github/workflows/*"}, {"https://", "@*"},
	    {"https://github.com/", ""},
	    {"https://github.com/", "/.github/workflows/*"},
	    {"https://github.com/", "@*"}};
	const bool flow = strstr(s, ".github/") != NULL;
	const bool slash = *s != '\0' && s[strlen(s) - 1] == '/';
	char text[POLICY_HINT_MAX];

	for (size_t k = 0; k < NELEM(ways); k++) {
		/* of GitHub's alone; a workflow once, behind one slash */
		if ((ways[k][1][0] == '.' && !slash) ||
		    (ways[k][1][0] == '/' && slash) ||
		    (ways[k][1][0] != '@' && ways[k][1][0] != '\0' && flow) ||
		    (ways[k][0][0] != '\0' && is_url(s)) ||
		    i != &issuers[0] ||
		    snprintf(text, sizeof(text), "%s%s%s", ways[k][0], s,
			ways[k][1]) >= (int)sizeof(text) - 14 ||
		    !can_be(text, i) || (strchr(s, '@') != NULL && !is_url(s)))
			continue;
		(void)snprintf(hint, POLICY_HINT_MAX, "did you mean: %.280s",
		    text);
		return;
	}
	(void)snprintf(hint, POLICY_HINT_MAX, "it is like %s", i->like);
}

/* Who comes to be meant by a `*` that stands too far in front; NULL: none. */
static const char *
anybody_url(const char *s, const struct issuer *i)
{
	const char *star = strchr(s, '*'), *host, *end;

	if (star == NULL)
		return NULL;
	if (i != NULL && i->owners != NULL) {
		size_t n = strlen(i->owners);

		if (star < s + n)
			return "`*` before the owner is any owner: anybody has "
			    "an account there";
		end = strchr(s + n, '/');
		if (end != NULL && star > end)
			return NULL;
		return star == s + n ? "`*` in the owner's place is anybody "
		    "who has an account there" : "`*` within the owner is "
		    "everybody whose name begins so: a / is wanted before it";
	}
	host = strstr(s, "://");
	if (host == NULL || star < host)
		return "`*` before the host is any host";
	end = strchr(host + 3, '/');
	return end != NULL && star > end ? NULL : "`*` within the host is any "
	    "host, with anything behind it";
}

/*
 * Of an address, or NAME!DOMAIN. With a scheme, or a path behind the @, it is a
 * URL after all, whose host is in the `*`.
 */
static const char *
anybody_email(const char *s)
{
	static const char *const open[] = {"gmail.com", "googlemail.com",
	    "outlook.com", "hotmail.com", "live.com", "yahoo.com",
	    "icloud.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net",
	    "web.de", "mail.ru", "qq.com", "163.com"};
	const char *star = strchr(s, '*'), *colon = strchr(s, ':');
	const char *at = strrchr(s, '@');

	if (star == NULL)
		return NULL;
	if (at == NULL)
		at = strrchr(s, '!');
	/* such as urn:example:*, which has no host */
	if (at == NULL && colon != NULL && colon + 1 < star && colon[1] != '/')
		return NULL;
	if (at == NULL || strchr(at, '/') != NULL || starts(s, "https:") ||
	    starts(s, "http:"))
		return "without NAME@DOMAIN it is any domain, or any host";
	if (strchr(at, '*') != NULL)
		return "`*` within the domain is any domain";
	for (size_t i = 0; i < NELEM(open); i++)
		if (strcasecmp(at + 1, open[i]) == 0)
			return "it is anybody who has an address there";
	return NULL;
}

static void
check_subject(struct check *c, const struct ynode *n, const char *issuer)
{
	const struct issuer *i = issuer_of(issuer);
	const char *s = n->text, *why;
	char hint[POLICY_HINT_MAX];

	if (is_regex(c, n, "subject") || has_blank(c, n, "subject"))
		return;
	if (i != NULL && !can_be(s, i)) {
		mend_subject(hint, s, i);
		policy_never(c, n, hint,
		    "it never matches: no certificate for %s has such a "
		    "subject", issuer);
		return;
	}
	if (!policy_meets(s, EMAIL) && !policy_meets(s, "*:*") &&
	    !policy_meets(s, "*!*")) {
		policy_never(c, n,
		    "NAME@DOMAIN, https://... or NAME!DOMAIN", "it never "
		    "matches: a certificate names an address, a URL, or a "
		    "name with its domain behind !");
		return;
	}
	if (i != NULL ? i->owners != NULL : strstr(s, "://") != NULL)
		why = anybody_url(s, i);
	else
		why = anybody_email(s);
	if (why != NULL)
		check_tell(c, false, FILE_NAME, n->line, n->column,
		    i != NULL && i->owners != NULL ? i->like : NULL,
		    "subject: %s", why);
	else if (strstr(s, "/.*") != NULL)
		check_tell(c, true, FILE_NAME, n->line, n->column, "did you "
		    "mean `*` alone?", "subject: `.*` is a dot and anything");
	else
		like_regex(c, n, "subject");
}

/* ---- all of it ---- */

static bool
is_text(const struct ynode *n)
{
	return n != NULL && n->kind == YNODE_SCALAR;
}

static void
check_signer(struct check *c, const struct ynode *e)
{
	const struct ynode *k = ynode_get(e, "keyless");
	const struct ynode *issuer = ynode_get(k, "issuer");
	const struct ynode *subject = ynode_get(k, "subject");

	if (!is_text(issuer) || !is_text(subject))
		return;
	check_issuer(c, issuer);
	check_subject(c, subject, issuer->text);
}

void
check_policy(struct check *c, const struct node_config *conf)
{
	const struct ynode *list = ynode_get(ydoc_root(conf->doc),
	    "image_policy"), *any;
	unsigned i = 0;

	for (const struct ynode *n = list == NULL ? NULL : list->first;
	    n != NULL; n = n->next, i++) {
		/* one that no signature can ever satisfy in this build */
		const char *why = i >= conf->attest.nrules ? NULL :
		    attest_conf_unsupported(&conf->attest, i);

		if (why != NULL)
			check_tell(c, true, FILE_NAME, n->line, n->column,
			    NULL, "%s", why);
		check_image(c, ynode_get(n, "image"));
		check_twice(c, list, n);
		any = ynode_get(n, "any_of");
		for (const struct ynode *e = any == NULL ? NULL : any->first;
		    e != NULL; e = e->next)
			check_signer(c, e);
		check_wants(c, ynode_get(n, "require"));
	}
}
