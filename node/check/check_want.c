/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_policy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/util.h"
#include "node/check/policytext.h"

/*
 * `require` of image_policy: statements of in-toto whose types and members are
 * public (in-toto attestation framework, SLSA). Of types that are not known here
 * nothing is said.
 */

#define FILE_NAME "node.yaml"
#define SLSA_V1 "https://slsa.dev/provenance/v1"
#define SLSA_V02 "https://slsa.dev/provenance/v0.2"
#define SIGN_TYPE "https://sigstore.dev/cosign/sign/v1"
#define STATEMENT "https://in-toto.io/Statement/"

/* ---- types ---- */

static const char *const types[] = {
    SLSA_V1, SLSA_V02, "https://slsa.dev/provenance/v0.1",
    "https://slsa.dev/verification_summary/v1",
    "https://slsa.dev/verification_summary/v0.2",
    "https://in-toto.io/attestation/link/v0.3",
    "https://in-toto.io/Link/v1",
    "https://in-toto.io/attestation/release/v0.1",
    "https://in-toto.io/attestation/runtime-trace/v0.1",
    "https://in-toto.io/attestation/scai/v0.3",
    "https://in-toto.io/attestation/scai/attribute-report/v0.2",
    "https://in-toto.io/attestation/svr/v0.1",
    "https://in-toto.io/attestation/test-result/v0.1",
    "https://in-toto.io/attestation/vulns/v0.1",
    "https://in-toto.io/attestation/vulns/v0.2",
    "https://spdx.dev/Document", "https://spdx.dev/Document/v2.3",
    "https://cyclonedx.org/bom", "https://cyclonedx.org/bom/v1.4",
    "https://cosign.sigstore.dev/attestation/v1",
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://openvex.dev/ns", "https://openvex.dev/ns/v0.2.0",
};

/* As `cosign attest --type` takes them. */
static const char *const words[][2] = {
    {"slsaprovenance", SLSA_V02}, {"slsaprovenance02", SLSA_V02},
    {"slsaprovenance1", SLSA_V1}, {"slsa", SLSA_V1},
    {"link", "https://in-toto.io/Link/v1"},
    {"spdx", "https://spdx.dev/Document"},
    {"spdxjson", "https://spdx.dev/Document"},
    {"cyclonedx", "https://cyclonedx.org/bom"},
    {"vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"},
    {"openvex", "https://openvex.dev/ns"},
    {"custom", "https://cosign.sigstore.dev/attestation/v1"},
};

static const char *
word_of(const char *s)
{
	for (size_t i = 0; i < NELEM(words); i++)
		if (strcasecmp(words[i][0], s) == 0)
			return words[i][1];
	return NULL;
}

static const char *
near_type(const char *s)
{
	const char *best = NULL;
	unsigned least = 4;

	for (size_t i = 0; i < NELEM(types); i++) {
		unsigned d = word_distance(s, types[i]);

		if (strcmp(s, types[i]) == 0)
			return NULL;
		if (d < least) {
			least = d;
			best = types[i];
		}
	}
	return best;
}

static void
check_type(struct check *c, const struct ynode *n)
{
	const char *s = n->text, *word = word_of(s), *near = near_type(s);
	char as[POLICY_HINT_MAX], hint[POLICY_HINT_MAX];
	const char *sign = policy_regex(s, as);

	(void)snprintf(hint, sizeof(hint), "did you mean: %s",
	    word != NULL ? word : near != NULL ? near : "");
	if (strcmp(s, SIGN_TYPE) == 0)
		policy_never(c, n, "leave it out: a rule without require wants "
		    "just that", "a statement of this type is a plain "
		    "signature here, and never a predicate");
	else if (word != NULL)
		policy_never(c, n, hint, "a predicate's type is a URI: this "
		    "never matches");
	else if (strchr(s, '*') != NULL || (sign != NULL &&
		!policy_literal(sign)))
		policy_never(c, n, "one entry with the whole type",
		    "a predicate's type is compared as it is: this never "
		    "matches");
	else if (near != NULL)
		check_tell(c, true, FILE_NAME, n->line, n->column, hint,
		    "a predicate's type that is nearly a known one");
	else if (strchr(s, ':') == NULL)
		policy_never(c, n, "such as " SLSA_V1, "a predicate's type is "
		    "a URI: this never matches");
}

/* ---- members ---- */

/*
 * Of provenance, what it has and where; those with a dot at the end are objects,
 * of which each member will do, those with a star hold what their writer likes.
 */
static const char *const v1[] = {
    "buildDefinition.buildType", "buildDefinition.externalParameters.*",
    "buildDefinition.internalParameters.*",
    "buildDefinition.resolvedDependencies.*", "runDetails.builder.id",
    "runDetails.builder.version.*", "runDetails.builder.builderDependencies.*",
    "runDetails.metadata.invocationId", "runDetails.metadata.startedOn",
    "runDetails.metadata.finishedOn", "runDetails.byproducts.*"};
static const char *const v02[] = {
    "builder.id", "buildType", "invocation.configSource.uri",
    "invocation.configSource.digest.*", "invocation.configSource.entryPoint",
    "invocation.parameters.*", "invocation.environment.*", "buildConfig.*",
    "metadata.buildInvocationId", "metadata.buildInvocationID",
    "metadata.buildStartedOn",
    "metadata.buildFinishedOn", "metadata.completeness.parameters",
    "metadata.completeness.environment", "metadata.completeness.materials",
    "metadata.reproducible", "materials.uri", "materials.digest.*"};

/* What the one calls so and the other so: v1, v0.2. */
static const char *const moved[][2] = {
    {"runDetails.builder.id", "builder.id"},
    {"buildDefinition.buildType", "buildType"},
    {"buildDefinition.externalParameters", "invocation.parameters"},
    {"buildDefinition.internalParameters", "invocation.environment"},
    {"buildDefinition.resolvedDependencies", "materials"},
    {"runDetails.metadata.invocationId", "metadata.buildInvocationId"},
    {"runDetails.metadata.startedOn", "metadata.buildStartedOn"},
    {"runDetails.metadata.finishedOn", "metadata.buildFinishedOn"},
};

/* Is it that, or below it? *rest: what is behind. */
static bool
below(const char *path, const char *top, const char **rest)
{
	size_t n = strlen(top);

	*rest = path + n;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' ||
	    path[n] == '.');
}

enum fit { FIT, FIT_OBJECT, FIT_NOT };

static enum fit
fit_of(const char *path, const char *const *list, size_t n)
{
	size_t len = strlen(path);
	const char *rest;
	enum fit out = FIT_NOT;

	for (size_t i = 0; i < n; i++) {
		char top[80];
		size_t end = strlen(list[i]);
		bool open = list[i][end - 1] == '*';

		(void)snprintf(top, sizeof(top), "%.*s",
		    (int)(open ? end - 2 : end), list[i]);
		if (below(path, top, &rest) && (open ? *rest != '\0' :
			*rest == '\0'))
			return FIT;
		if (strncmp(list[i], path, len) == 0 && list[i][len] == '.')
			out = FIT_OBJECT;
	}
	return out;
}

/* How much of a path has as many names as another. */
static size_t
as_deep(const char *path, const char *other)
{
	size_t n = strcspn(path, ".");

	for (; *other != '\0' && path[n] != '\0'; other++)
		if (*other == '.')
			n += 1 + strcspn(path + n + 1, ".");
	return n;
}

/* Of what holds anything, that which holds it is compared. */
static void
near_member(char hint[POLICY_HINT_MAX], const char *path,
    const char *const *list, size_t n)
{
	unsigned least = 5;

	hint[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		char top[80], head[POLICY_HINT_MAX];
		size_t end = strlen(list[i]), deep = strlen(path);
		bool open = list[i][end - 1] == '*';
		unsigned d;

		(void)snprintf(top, sizeof(top), "%.*s",
		    (int)(open ? end - 2 : end), list[i]);
		if (open)
			deep = as_deep(path, top);
		(void)snprintf(head, sizeof(head), "%.*s", (int)deep, path);
		if ((d = word_distance(head, top)) >= least)
			continue;
		least = d;
		(void)snprintf(hint, POLICY_HINT_MAX, "did you mean: "
		    "predicate.%s%.190s", top, !open ? "" :
		    path[deep] != '\0' ? path + deep : ".NAME");
	}
}

/* At the key, not at what it must be. */
static struct ynode
at_key(const struct ynode *e)
{
	struct ynode n = *e;

	n.line = e->key_line;
	n.column = e->key_column;
	return n;
}

static void
check_member(struct check *c, const struct ynode *e, const char *path, bool is_v1)
{
	const char *const *list = is_v1 ? v1 : v02;
	size_t n = is_v1 ? NELEM(v1) : NELEM(v02);
	enum fit fit = fit_of(path, list, n);
	const struct ynode at = at_key(e);
	char hint[POLICY_HINT_MAX];
	const char *rest;

	if (fit == FIT)
		return;
	for (size_t i = 0; fit == FIT_NOT && i < NELEM(moved); i++)
		if (below(path, moved[i][is_v1], &rest)) {
			(void)snprintf(hint, sizeof(hint), "did you mean: "
			    "predicate.%s%.150s", moved[i][!is_v1], rest);
			policy_never(c, &at, hint, "provenance of %s has no "
			    "%.80s: this never matches", is_v1 ? "v1" : "v0.2",
			    path);
			return;
		}
	if (fit == FIT_OBJECT) {
		policy_never(c, &at, is_v1 ?
		    "predicate.runDetails.builder.id" : "predicate.builder.id",
		    "%.80s has members, and no text that could match", path);
		return;
	}
	near_member(hint, path, list, n);
	check_tell(c, true, FILE_NAME, at.line, at.column, hint, "provenance "
	    "of %s has no %.80s of its own", is_v1 ? "v1" : "v0.2", path);
}

/* ---- paths ---- */

/* What is no member of a statement is perhaps one of its predicate. */
static void
check_top(struct check *c, const struct ynode *e)
{
	static const char *const tops[] = {"predicate", "subject",
	    "predicateType", "_type"};
	const struct ynode at = at_key(e);
	char hint[POLICY_HINT_MAX], top[40];
	size_t n = strcspn(e->key, ".");
	const char *near;

	(void)snprintf(top, sizeof(top), "%.*s", (int)(n < 39 ? n : 39),
	    e->key);
	near = nearest_word(top, tops, NELEM(tops));
	if (near != NULL && strcmp(top, "builder") != 0)
		(void)snprintf(hint, sizeof(hint), "did you mean: %s%.200s",
		    near, e->key + n);
	else
		(void)snprintf(hint, sizeof(hint), "did you mean: "
		    "predicate.%.200s", e->key);
	policy_never(c, &at, hint, "a statement has predicate, subject, "
	    "predicateType and _type, and no %s: this never matches", top);
}

/* The last name of a path that ends in a digest's. */
static bool
is_digest_path(const char *path)
{
	static const char *const ends[] = {".sha1", ".sha256", ".sha512",
	    ".gitCommit"};
	size_t n = strlen(path);

	for (size_t i = 0; i < NELEM(ends); i++)
		if (n > strlen(ends[i]) &&
		    strcmp(path + n - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

static void
check_pattern(struct check *c, const struct ynode *e)
{
	char as[POLICY_HINT_MAX], hint[POLICY_HINT_MAX + 20];
	const char *sign = policy_regex(e->text, as);
	const char *colon = strchr(e->text, ':');

	(void)snprintf(hint, sizeof(hint), "did you mean: %s", as);
	/* what stands in a predicate may have all but these of them */
	if (sign != NULL && (*sign == '^' || *sign == '$' || *sign == '\\' ||
		*sign == '.'))
		check_tell(c, true, FILE_NAME, e->line, e->column,
		    as[0] != '\0' ? hint : NULL, "%.60s looks like a regular "
		    "expression (%s): `*` stands for anything and all else for "
		    "itself", e->key, sign);
	else if (is_digest_path(e->key) && colon != NULL)
		policy_never(c, e, colon[1] != '\0' ? colon + 1 : NULL,
		    "a digest in a statement has no name of its algorithm in "
		    "front: this never matches");
}

static void
check_where(struct check *c, const struct ynode *e, const char *type)
{
	const struct ynode at = at_key(e);
	const char *rest;
	bool slsa = strcmp(type, SLSA_V1) == 0 || strcmp(type, SLSA_V02) == 0;

	if (e->kind != YNODE_SCALAR)
		return; /* told when it was read */
	check_pattern(c, e);
	if (strcmp(e->key, "predicateType") == 0) {
		if (!policy_meets(e->text, type))
			policy_never(c, e, NULL, "the type above is another: "
			    "this never matches");
	} else if (strcmp(e->key, "_type") == 0) {
		if (!policy_meets(e->text, STATEMENT "v1") &&
		    !policy_meets(e->text, STATEMENT "v0.1"))
			policy_never(c, e, STATEMENT "v1", "a statement is of "
			    "v1 or v0.1: this never matches");
	} else if (below(e->key, "predicate", &rest)) {
		if (*rest == '\0')
			policy_never(c, &at, "a path such as "
			    "predicate.builder.id", "the predicate has "
			    "members, and no text that could match");
		else if (slsa)
			check_member(c, e, rest + 1, strcmp(type, SLSA_V1) == 0);
	} else if (!below(e->key, "subject", &rest)) {
		check_top(c, e);
	}
}

void
check_wants(struct check *c, const struct ynode *list)
{
	for (const struct ynode *e = list == NULL ? NULL : list->first;
	    e != NULL; e = e->next) {
		const struct ynode *type = e->kind == YNODE_MAP ?
		    ynode_get(e, "type") : e;
		const struct ynode *where = ynode_get(e, "where");

		if (type == NULL || type->kind != YNODE_SCALAR)
			continue;
		check_type(c, type);
		for (const struct ynode *w = where == NULL ? NULL :
			where->first; w != NULL; w = w->next)
			check_where(c, w, type->text);
	}
}
