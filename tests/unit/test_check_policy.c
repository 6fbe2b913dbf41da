/* SPDX-License-Identifier: BSD-2-Clause */
/* image_policy as an operator would write it wrong, and as it is right. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/pattern.h"
#include "common/util.h"
#include "node/check/check_policy.h"
#include "tests/unit/vec.h"

static struct mistake found;
static char kind; /* of the first finding: 'm'istake, 'o'ff, 'n'ote; 0: none */
static unsigned nfound;

static void
hear(void *ctx, bool note, const char *file, const struct mistake *m)
{
	(void)ctx;
	assert_string_equal(file, "node.yaml");
	assert_true(m->line > 0 && m->column > 0);
	if (nfound++ > 0)
		return;
	found = *m;
	kind = note ? 'n' : 'm';
}

static void
look(const char *yaml)
{
	struct check c = {.fn = hear};
	struct mistakes bad = {0};
	struct node_config *conf;

	if (node_config_parse(&conf, yaml, strlen(yaml), &bad) < 0)
		fail_msg("%s\nline %u: %s", yaml, bad.v[0].line, bad.v[0].text);
	nfound = 0;
	kind = 0;
	check_policy(&c, conf);
	if (nfound > 0 && c.off > 0)
		kind = 'o';
	node_config_free(conf);
}

struct row {
	const char *text;
	char kind;
	const char *says, *hint;
};

static void
judge(const struct row *r, unsigned line, unsigned column)
{
	if (r->kind == 0) {
		if (nfound > 0)
			fail_msg("%s: %s", r->text, found.text);
		return;
	}
	if (kind != r->kind || nfound != 1)
		fail_msg("%s: kind %c, %u findings: %s", r->text, kind, nfound,
		    found.text);
	if (strstr(found.text, r->says) == NULL)
		fail_msg("%s: %s", r->text, found.text);
	if (r->hint != NULL && strstr(found.hint, r->hint) == NULL)
		fail_msg("%s: hint: %s", r->text, found.hint);
	if (found.line != line || (column != 0 && found.column != column))
		fail_msg("%s: at %u:%u", r->text, found.line, found.column);
}

static const char signers[] = "    any_of: [{klp_role: {authority: a.kos, "
    "role: images}}]\n";

/* ---- which images ---- */

static void
test_images(void **state)
{
	static const char digest[] = "sha256:00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff";
	const struct row rows[] = {
	    {"*", 0, NULL, NULL}, {"registry.example/ns/*", 0, NULL, NULL},
	    {"registry.example/ns/app:*", 0, NULL, NULL},
	    {"registry.example:5000/ns/app:v1.2-RC", 0, NULL, NULL},
	    {"*/app", 'm', "has its tag", "*/app:*"},
	    {"*app*", 0, NULL, NULL}, {"sha256:00*", 0, NULL, NULL},
	    {digest, 0, NULL, NULL},
	    {"registry.example/ns/app", 'm', "has its tag behind a colon",
		"registry.example/ns/app:*"},
	    {"localhost:5000/app", 'm', "has its tag", "localhost:5000/app:*"},
	    {"https://registry.example/ns/*", 'm', "no URLs",
		"registry.example/ns/*"},
	    {"docker://registry.example/ns/*", 'm', "no URLs", "registry"},
	    {"^registry\\\\.example/ns/.*$", 'm', "about no image",
		"registry.example/ns/*"},
	    {"registry.example/(a|b)", 'm', "regular expression", NULL},
	    {"Registry.Example/ns/*", 'm', "are of a-z", NULL},
	    {"registry.example/ns /*", 'm', "are of a-z", NULL},
	    {"registry.example/a:1@sha256:00", 'm', "by its digest alone",
		"sha256:00"},
	    {"sha256:0011", 'm', "64 digits", NULL},
	    {"sha256:AB*", 'm', "64 digits", NULL},
	    {"sha256:*", 0, NULL, NULL},
	    {"registry.example:5000/NS/*", 'm', "are of a-z", NULL},
	    {"localhost:5000/Foo:*", 'm', "are of a-z", NULL},
	    {"*/Foo", 'm', "are of a-z", NULL},
	    {"localhost:5000/foo:RC*", 0, NULL, NULL},
	    {"localhost:5000/foo*RC", 0, NULL, NULL},
	};
	char yaml[2000];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		(void)snprintf(yaml, sizeof(yaml), "image_policy:\n"
		    "  - image: \"%s\"\n%s", rows[i].text, signers);
		look(yaml);
		judge(&rows[i], 2, 12);
	}
	(void)snprintf(yaml, sizeof(yaml), "image_policy:\n  - image: \"a/*\"\n"
	    "%s  - image: \"b/*\"\n%s  - image: \"a/*\"\n%s", signers, signers,
	    signers);
	look(yaml);
	judge(&(struct row){"twice", 'n', "as in line 2: both", "one any_of"},
	    6, 12);
}

/* ---- whom ---- */

#define GITHUB "https://token.actions.githubusercontent.com"
#define FLOW "https://github.com/org/repo/.github/workflows/release.yml"

static void
test_issuers(void **state)
{
	static const struct row rows[] = {
	    {"https://accounts.example", 0, NULL, NULL},
	    {"https://accounts.google.com", 0, NULL, NULL},
	    {"https://accounts.goggle.com", 'n', "nearly one",
		"https://accounts.google.com"},
	    {"https://acounts.google.com", 'n', "nearly one",
		"https://accounts.google.com"},
	    {"https://accounts.google.com/", 'o', "compared as it is",
		"https://accounts.google.com"},
	    {"http://accounts.google.com", 'o', "compared as it is", "https"},
	    {"https://Accounts.Google.com", 'o', "compared as it is", "https"},
	    {"accounts.google.com", 'o', "compared as it is",
		"https://accounts.google.com"},
	    {"Google", 'o', "is a URL", "https://accounts.example"},
	    {"https://accounts.*", 'o', "with `*` in it", "one entry"},
	    {"^https://accounts.example$", 'o', "no regular expression",
		"did you mean: https://accounts.example"},
	    {" https://accounts.example", 'o', "a blank", NULL},
	    {"https://[2001:db8::1]/dex", 'n', "a regular expression", NULL},
	};
	char yaml[2000];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		(void)snprintf(yaml, sizeof(yaml), "image_policy:\n"
		    "  - image: \"*\"\n    any_of:\n      - keyless:\n"
		    "          roots: r\n          subject: me@example.org\n"
		    "          issuer: \"%s\"\n", rows[i].text);
		look(yaml);
		judge(&rows[i], 7, 19);
	}
}

static void
subjects(const char *issuer, const struct row *rows, size_t n)
{
	char yaml[2000];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(yaml, sizeof(yaml), "image_policy:\n"
		    "  - image: \"*\"\n    any_of:\n      - keyless:\n"
		    "          roots: r\n          issuer: %s\n"
		    "          subject: \"%s\"\n", issuer, rows[i].text);
		look(yaml);
		judge(&rows[i], 7, 20);
	}
}

static void
test_subjects(void **state)
{
	static const struct row github[] = {
	    {FLOW "@refs/tags/v1", 0, NULL, NULL}, {FLOW "@*", 0, NULL, NULL},
	    {"https://github.com/org/*", 0, NULL, NULL},
	    {"https://github.com/org/repo/.github/workflows/*", 0, NULL, NULL},
	    {"https://github.com/org/*/.github/workflows/release.*", 0, NULL,
		NULL},
	    {FLOW, 'o', "it never matches", FLOW "@*"},
	    {"https://github.com/org/repo", 'o', "it never matches",
		"https://github.com/org/repo/.github/workflows/*"},
	    {"https://github.com/org/repo/", 'o', "it never matches",
		"https://github.com/org/repo/.github/workflows/*"},
	    {"github.com/org/*", 'o', "it never matches",
		"https://github.com/org/*"},
	    {"org/repo", 'o', "it never matches",
		"https://github.com/org/repo/.github/workflows/*"},
	    {"https://githib.com/org/repo/.github/workflows/*", 'o',
		"it never matches", "https://github.com/ORG"},
	    {"me@example.org", 'o', "no certificate for " GITHUB,
		"https://github.com/ORG"},
	    {"repo:org/repo:ref:refs/heads/main", 'o', "it never matches",
		NULL},
	    {"^https://github.com/org/repo/.*$", 'o', "no regular expression",
		"did you mean: https://github.com/org/repo/*"},
	    {"https://github\\\\.com/org/.+", 'o', "no regular expression",
		"did you mean: https://github.com/org/*"},
	    {"https://github.com/org/(a|b)/*", 'n', "a regular expression",
		"one entry for each"},
	    {"https://github.com/org/(?:a)/*", 'o', "no regular expression",
		"one entry for each"},
	    {"https://github.com/(a|b)*", 'm', "whose name begins so", NULL},
	    {"https://github.com/org/.*", 'n', "a dot and anything", "alone"},
	    {"https://github.com/*", 'm', "anybody who has an account",
		"https://github.com/ORG"},
	    {"https://github.com/*/repo/.github/workflows/*", 'm',
		"anybody who has an account", NULL},
	    {"https://github.com/org*", 'm', "whose name begins so", NULL},
	    {"*/org/repo/.github/workflows/*", 'm', "any owner", NULL},
	    {"https://*/repo/*", 'm', "any owner", NULL},
	    {FLOW "@* ", 'o', "a blank", NULL},
	};
	static const struct row google[] = {
	    {"me@example.org", 0, NULL, NULL}, {"*@example.org", 0, NULL, NULL},
	    {"ci@p.iam.gserviceaccount.com", 0, NULL, NULL},
	    {"me", 'o', "it never matches", "NAME@DOMAIN"},
	    {FLOW "@refs/heads/main", 'o', "it never matches", "NAME@DOMAIN"},
	    {".*@example\\\\.org", 'o', "no regular expression",
		"*@example.org"},
	    {"*@gmail.com", 'm', "anybody who has an address there", NULL},
	    {"me@gmail.com", 0, NULL, NULL},
	    {"ci*@gmail.com", 'm', "anybody who has an address there", NULL},
	    {"c*i@GMail.com", 'm', "anybody who has an address there", NULL},
	    {"ci-*@example.org", 0, NULL, NULL},
	    {"*example.org", 'm', "any domain, or any host", NULL},
	    {"me*", 'm', "any domain, or any host", NULL},
	    {"https:/*.org", 'm', "any domain, or any host", NULL},
	    {"me@*.org", 'm', "within the domain", NULL},
	    {"me@example.*", 'm', "within the domain", NULL},
	};
	static const struct row other[] = {
	    {"me@example.org", 0, NULL, NULL},
	    {"https://forge.example/*", 0, NULL, NULL},
	    {"user!example.org", 0, NULL, NULL},
	    {"dependabot[bot]@example.org", 'n', "a regular expression", NULL},
	    {"first.+tag@example.org", 'n', "a regular expression",
		"if it is one: first*tag@example.org"},
	    {"a|b@example.org", 'n', "a regular expression", NULL},
	    {"spiffe://example.org/ns/x", 0, NULL, NULL},
	    {"somebody", 'o', "names an address", "NAME!DOMAIN"},
	    {"https://*.example/org/*", 'm', "within the host", NULL},
	    {"https://forge*", 'm', "within the host", NULL},
	    {"*://forge.example/x", 'm', "before the host", NULL},
	    {"*@example.org", 0, NULL, NULL}, {"h*@example.org", 0, NULL, NULL},
	    {"urn:example:*", 0, NULL, NULL}, {"*!example.org", 0, NULL, NULL},
	    {"me*", 'm', "any domain, or any host", NULL},
	    {"https:/*/org/x", 'm', "any domain, or any host", NULL},
	    {"https:/*@example.org", 'm', "any domain, or any host", NULL},
	    {"https:*/x", 'm', "any domain, or any host", NULL},
	    {"h*x", 'm', "any domain, or any host", NULL},
	    {"*@refs/heads/main", 'm', "any domain, or any host", NULL},
	    {"spiffe:*", 'm', "any domain, or any host", NULL},
	    {"user!*", 'm', "within the domain", NULL},
	};
	static const struct row gitlab[] = {
	    {"https://gitlab.com/g/p//.gitlab-ci.yml@refs/heads/main", 0, NULL,
		NULL},
	    {"https://gitlab.com/g/*", 0, NULL, NULL},
	    {"https://gitlab.com/g/p", 'o', "it never matches", "gitlab-ci"},
	    {"https://gitlab.com/*", 'm', "anybody", NULL},
	};

	(void)state;
	subjects(GITHUB, github, NELEM(github));
	subjects("https://accounts.google.com", google, NELEM(google));
	subjects("https://accounts.example", other, NELEM(other));
	subjects("https://gitlab.com", gitlab, NELEM(gitlab));
}

/* ---- what they must have said ---- */

static void
test_types(void **state)
{
	static const struct row rows[] = {
	    {"https://slsa.dev/provenance/v1", 0, NULL, NULL},
	    {"https://slsa.dev/provenance/v0.2", 0, NULL, NULL},
	    {"https://spdx.dev/Document", 0, NULL, NULL},
	    {"https://example.org/what-we-say/v1", 0, NULL, NULL},
	    {"urn:example:x", 0, NULL, NULL},
	    {"https://example.org/a.+b", 0, NULL, NULL},
	    {"https://slsa.dev/provenance/v1.0", 'n', "nearly a known one",
		"https://slsa.dev/provenance/v1"},
	    {"https://slsa.dev/provenence/v1", 'n', "nearly a known one",
		"https://slsa.dev/provenance/v1"},
	    {"http://slsa.dev/provenance/v1", 'n', "nearly a known one",
		"https://slsa.dev/provenance/v1"},
	    {"slsaprovenance", 'o', "never", "v0.2"},
	    {"slsaprovenance1", 'o', "never", "provenance/v1"},
	    {"cyclonedx", 'o', "never", "https://cyclonedx.org/bom"},
	    {"provenance", 'o', "is a URI", NULL},
	    {"https://slsa.dev/provenance/*", 'o', "as it is", "whole type"},
	    {"^https://slsa.dev/provenance/v1$", 'o', "as it is", NULL},
	    {"https://sigstore.dev/cosign/sign/v1", 'o', "plain signature",
		"leave it out"},
	};
	char yaml[2000];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		(void)snprintf(yaml, sizeof(yaml), "image_policy:\n"
		    "  - image: \"*\"\n%s    require:\n      - \"%s\"\n",
		    signers, rows[i].text);
		look(yaml);
		judge(&rows[i], 5, 9);
		(void)snprintf(yaml, sizeof(yaml), "image_policy:\n"
		    "  - image: \"*\"\n%s    require:\n      - type: \"%s\"\n",
		    signers, rows[i].text);
		look(yaml);
		judge(&rows[i], 5, 15);
	}
}

static void
members(const char *type, const struct row *rows, size_t n)
{
	char yaml[2000];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(yaml, sizeof(yaml), "image_policy:\n"
		    "  - image: \"*\"\n%s    require:\n      - type: %s\n"
		    "        where:\n          %s\n", signers, type,
		    rows[i].text);
		look(yaml);
		judge(&rows[i], 7, 0);
	}
}

static void
test_members(void **state)
{
	static const struct row v1[] = {
	    {"predicate.runDetails.builder.id: x*", 0, NULL, NULL},
	    {"predicate.buildDefinition.externalParameters.workflow.ref: "
	     "refs/tags/*", 0, NULL, NULL},
	    {"predicate.buildDefinition.resolvedDependencies.digest.gitCommit: "
	     "\"00*\"", 0, NULL, NULL},
	    {"subject.name: \"*\"", 0, NULL, NULL},
	    {"_type: https://in-toto.io/Statement/v1", 0, NULL, NULL},
	    {"_type: https://in-toto.io/Statement/v2", 'o', "v1 or v0.1",
		NULL},
	    {"predicateType: https://slsa.dev/provenance/*", 0, NULL, NULL},
	    {"predicateType: https://slsa.dev/provenance/v0.2", 'o',
		"is another", NULL},
	    {"predicate.builder.id: x", 'o', "has no builder.id",
		"predicate.runDetails.builder.id"},
	    {"predicate.materials.digest.sha1: x", 'o', "never matches",
		"predicate.buildDefinition.resolvedDependencies.digest.sha1"},
	    {"predicate.buildType: x", 'o', "never matches",
		"predicate.buildDefinition.buildType"},
	    {"builder.id: x", 'o', "and no builder", "predicate.builder.id"},
	    {"runDetails.builder.id: x", 'o', "and no runDetails",
		"predicate.runDetails.builder.id"},
	    {"predicat.runDetails.builder.id: x", 'o', "and no predicat",
		"predicate.runDetails.builder.id"},
	    {"predicate.runDetails.builder: x", 'o', "no text", NULL},
	    {"predicate: x", 'o', "no text", NULL},
	    {"predicate.runDetail.builder.id: x", 'n', "of its own",
		"predicate.runDetails.builder.id"},
	    {"predicate.runDetails.extension.x: x", 'n', "of its own", NULL},
	    {"predicate.buildDefinition.externalParamters.workflow.ref: x",
		'n', "of its own", "did you mean: predicate.buildDefinition."
		"externalParameters.workflow.ref"},
	    {"predicate.buildDefinition.externalParamters: x", 'n',
		"of its own", "predicate.buildDefinition.externalParameters."
		"NAME"},
	    {"subject.digest.sha256: \"sha256:0011\"", 'o', "algorithm",
		"0011"},
	    {"predicate.runDetails.builder.id: ^https://b.example/.*$", 'n',
		"regular expression", "https://b.example/*"},
	};
	static const struct row v02[] = {
	    {"predicate.builder.id: x", 0, NULL, NULL},
	    {"predicate.invocation.configSource.digest.sha1: x", 0, NULL, NULL},
	    {"predicate.materials.uri: git+https://*", 0, NULL, NULL},
	    {"predicate.metadata.reproducible: true", 0, NULL, NULL},
	    {"predicate.runDetails.builder.id: x", 'o', "of v0.2 has no",
		"predicate.builder.id"},
	    {"predicate.buildDefinition.resolvedDependencies.uri: x", 'o',
		"never matches", "predicate.materials.uri"},
	    {"predicate.builder: x", 'o', "no text", NULL},
	    {"predicate.bulider.id: x", 'n', "of its own",
		"predicate.builder.id"},
	};
	static const struct row others[] = {
	    {"predicate.anything.at.all: x", 0, NULL, NULL},
	    {"anything: x", 'o', "never matches", "predicate.anything"},
	};

	(void)state;
	members("https://slsa.dev/provenance/v1", v1, NELEM(v1));
	members("https://slsa.dev/provenance/v0.2", v02, NELEM(v02));
	members("https://example.org/x", others, NELEM(others));
}

/* Of no rule that holds by a public tool's statement it is said that it never does. */
static void
test_statements(void **state)
{
	const json_t *doc = vec_load("statements.json"), *c, *r, *w;
	const json_t *cases = vec_array(doc, "cases");
	char yaml[4000];
	const char *path;
	size_t i, k, n;
	json_t *v;

	(void)state;
	json_array_foreach(cases, i, c) {
		if (!vec_bool(c, "says"))
			continue;
		json_array_foreach(vec_array(c, "rules"), k, r) {
			w = json_object_get(r, "where");
			n = (size_t)snprintf(yaml, sizeof(yaml),
			    "image_policy:\n  - image: \"*\"\n%s    require:\n"
			    "      - type: \"%s\"\n%s", signers,
			    vec_str(r, "type"), json_object_size(w) > 0 ?
			    "        where:\n" : "");
			json_object_foreach((json_t *)(uintptr_t)w, path, v)
				n += (size_t)snprintf(yaml + n, sizeof(yaml) -
				    n, "          \"%s\": \"%s\"\n", path,
				    json_string_value(v));
			assert_true(n < sizeof(yaml));
			look(yaml);
			if (vec_bool(r, "holds") && nfound > 0 && kind != 'n')
				fail_msg("%s\n%s", yaml, found.text);
		}
	}
}

/* ---- patterns that meet ---- */

static void
test_meet(void **state)
{
	static const struct {
		const char *a, *b;
		bool is;
	} rows[] = {
	    {"", "", true}, {"", "*", true}, {"", "a", false},
	    {"a", "a", true}, {"a", "b", false}, {"*", "*", true},
	    {"a*", "*b", true}, {"a*c", "*b*", true}, {"ab*", "a*c", true},
	    {"ab", "a*c", false}, {"a*b*c", "a*d*c", true},
	    {"*a", "*b", false}, {"a*", "b*", false}, {"x*@*", "*@y", true},
	    {"**", "a", true}, {"a**b", "ab", true}, {"*a*", "b", false},
	};
	char large[PATTERN_MEET_MAX + 2];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		assert_int_equal(pattern_meet(rows[i].a, strlen(rows[i].a),
		    rows[i].b, strlen(rows[i].b)), rows[i].is);
		assert_int_equal(pattern_meet(rows[i].b, strlen(rows[i].b),
		    rows[i].a, strlen(rows[i].a)), rows[i].is);
	}
	memset(large, 'a', sizeof(large));
	assert_true(pattern_meet(large, sizeof(large), "b", 1));
	assert_false(pattern_meet(large, PATTERN_MEET_MAX, "b", 1));
	assert_true(pattern_meet(large, PATTERN_MEET_MAX, "*a*", 3));
}

/* Where one has no `*`, it is pattern_name(): all of three letters. */
static void
test_meet_all(void **state)
{
	static const char letters[] = "ab*";

	(void)state;
	for (unsigned x = 0; x < 81 * 27; x++) {
		char a[5] = "", b[4] = "";
		unsigned v = x;

		for (unsigned i = 0; i < 4; i++, v /= 3)
			a[i] = letters[v % 3];
		for (unsigned i = 0; i < 3; i++, v /= 3)
			b[i] = letters[v % 3];
		if (strchr(b, '*') == NULL)
			assert_int_equal(pattern_meet(a, 4, b, 3),
			    pattern_name(a, 4, b, 3, false));
		/* no wider than what a longer one would take */
		if (pattern_meet(a, 4, b, 3))
			assert_true(pattern_meet("*", 1, b, 3));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_images),
	    cmocka_unit_test(test_issuers),
	    cmocka_unit_test(test_subjects),
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_members),
	    cmocka_unit_test(test_statements),
	    cmocka_unit_test(test_meet),
	    cmocka_unit_test(test_meet_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
