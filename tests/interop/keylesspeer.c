/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Warren says of bundles of sigstore, for a comparison with others: a line
 * of JSON in, {"bundle", "roots": files, "issuer", "subject", "sum": hex of what
 * was signed, "now": seconds or 0}, or "key", a PEM, in the place of issuer and
 * subject: signed by it and in a log; a line out: {"ok": true, "issuer",
 * "subject", "when"} or {"ok": false, "why"}. With --can: status 0 in a build
 * that can check certificates.
 */
#include "config.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "trust/doc/keyless.h"

static const char *
text(const json_t *q, const char *name)
{
	const char *s = json_string_value(json_object_get(q, name));

	return s == NULL ? "" : s;
}

static bool
is_about(const struct attest_said *s, const char *hex)
{
	struct id32 sum;

	if (!hex_decode(sum.b, sizeof(sum.b), hex, strlen(hex)))
		return false;
	for (unsigned i = 0; i < s->nimages; i++)
		if (id32_eq(&s->image[i], &sum))
			return true;
	return false;
}

static const char *
by_key(const char *pem, int64_t now, const struct attest *a,
    const struct sigroot *r)
{
	const char *why = NULL;
	int64_t not_before;
	struct pemkey k;

	if (!pemkey_parse(&k, pem, strlen(pem), &why) ||
	    keyless_logged(&not_before, a, &k, r, now, &why) < 0)
		return why;
	return NULL;
}

static const char *
check(struct keyless_who *w, const json_t *q, const struct attest *a,
    const struct sigroot *r)
{
	int64_t now = json_integer_value(json_object_get(q, "now"));
	const char *why = NULL, *key = text(q, "key");
	struct attest_said s;
	bool about;

	if (now == 0)
		now = (int64_t)time(NULL);
	if (key[0] != '\0') {
		if ((why = by_key(key, now, a, r)) != NULL)
			return why;
	} else if (keyless_check(w, a, r, now, &why) < 0) {
		return why;
	}
	if (key[0] == '\0' && !keyless_is(w, text(q, "issuer"), text(q, "subject")))
		return "somebody else";
	if (attest_says(&s, a, &why) < 0)
		return why;
	about = is_about(&s, text(q, "sum"));
	attest_said_clear(&s);
	return about ? NULL : "about something else";
}

static const char *
answer(struct keyless_who *w, const json_t *q)
{
	size_t n = 0, m = 0;
	_cleanup_free_ char *bundle = file_load(AT_FDCWD, text(q, "bundle"),
	    ATTEST_TEXT_MAX, &n);
	_cleanup_free_ char *roots = file_load(AT_FDCWD, text(q, "roots"),
	    SIGROOT_TEXT_MAX, &m);
	static char bad[SIGROOT_WHY_MAX];
	const char *why = NULL;
	struct sigroot *r;
	struct attest a;

	if (bundle == NULL || roots == NULL)
		return "a file that cannot be read";
	if ((r = sigroot_parse(roots, m, bad)) == NULL)
		return bad;
	if (attest_read(&a, bundle, n, &why) == 0) {
		why = check(w, q, &a, r);
		attest_clear(&a);
	}
	sigroot_free(r);
	return why;
}

static int
can(void)
{
#ifdef HAVE_LIBCRYPTO
	return 0;
#else
	return 1;
#endif
}

int
main(int argc, char **argv)
{
	char line[65536];

	if (argc == 2 && strcmp(argv[1], "--can") == 0)
		return can();

	while (fgets(line, sizeof(line), stdin) != NULL) {
		json_t *q = json_loads(line, 0, NULL), *out;
		struct keyless_who w = {.when = 0};
		const char *why = q == NULL ? "no question" : answer(&w, q);

		out = why == NULL ? json_pack("{s:b,s:s,s:s,s:I}", "ok", 1,
		    "issuer", w.issuer, "subject", w.subject, "when",
		    (json_int_t)w.when) : json_pack("{s:b,s:s}", "ok", 0,
		    "why", why);
		(void)json_dumpf(out, stdout, JSON_COMPACT);
		(void)putchar('\n');
		(void)fflush(stdout);
		json_decref(out);
		json_decref(q);
	}
	return 0;
}
