/* SPDX-License-Identifier: BSD-2-Clause */
/* words: sandbox/runner/docker.c sandbox/runner/http.c */
/*
 * What Docker's daemon answers, what is said of one, and to the first process
 * in a container; and what another tool says of its version. The first byte says in parts of how many bytes it comes, and
 * what is looked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/runner/docker.h"
#include "sandbox/runner/envoy.h"
#include "sandbox/runner/http.h"
#include "sandbox/runner/inner.h"
#include "sandbox/runner/terms.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
parts(struct http *h, char *content, size_t cap, const char *p, size_t n,
    size_t part)
{
	http_init(h, content, cap);
	for (size_t at = 0; at < n && !http_over(h);) {
		size_t k = n - at < part ? n - at : part;
		size_t taken = http_feed(h, p + at, k);

		must(taken <= k && (taken == k || http_over(h)));
		at += taken;
	}
	http_end(h);
	must(http_over(h) && h->len < cap && strlen(content) <= h->len);
}

/* Two parts or more, the first number that has them; or nothing. */
static void
version_said(const char *said)
{
	uint16_t v[RUNNER_PARTS];
	char text[16 * RUNNER_PARTS];
	const char *at;

	terms_version(v, said);
	(void)snprintf(text, sizeof(text), "%u.%u", v[0], v[1]);
	for (at = said; *at != '\0' && (*at < '0' || *at > '9'); at++)
		continue;
	if (*at == '\0')
		must((v[0] | v[1] | v[2]) == 0);
	/* as it stands there, unless a part is cut or begins with zeros */
	if (v[0] != 0 && v[0] < UINT16_MAX && v[1] < UINT16_MAX &&
	    strchr(said, '0') == NULL)
		must(strstr(said, text) != NULL);
}

/* What was decoded is what is encoded; of a trial nothing is behind it. */
static void
inner(const uint8_t *p, size_t n)
{
	static uint8_t out[sizeof(struct inner)];
	static struct inner m;
	struct wr w = wr_make(out, sizeof(out));

	if (!inner_decode(rd_make(p, n), &m) || m.trial)
		return;
	fuzz_taken++;
	inner_encode(&w, &m);
	must(wr_ok(&w) && w.len == n && memcmp(out, p, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char ids[DOCKER_LISTED][DOCKER_ID];
	static struct http whole, cut;
	char a[512], b[512], why[DOCKER_WHY];
	uint16_t version[RUNNER_PARTS];
	struct envoy_answer said;
	struct envoy_place place;
	struct envoy_ask ask;
	static struct docker_image images[DOCKER_LISTED];
	size_t found;

	if (n == 0)
		return 0;
	parts(&whole, a, sizeof(a), (const char *)p + 1, n - 1, n);
	parts(&cut, b, sizeof(b), (const char *)p + 1, n - 1, 1u + p[0] % 16);
	/* however it comes, it is the same */
	must(whole.at == cut.at);
	if (whole.at == HTTP_DONE)
		must(whole.status == cut.status && whole.status >= 200 &&
		    strcmp(a, b) == 0);
	if (docker_list_read(ids, &found, a))
		must(found <= DOCKER_LISTED);
	if (docker_version_read(version, a))
		must((version[0] | version[1] | version[2]) != 0);
	(void)docker_info_systemd(a);
	version_said(a);
	docker_message(why, a);
	must(strlen(why) < sizeof(why));
	(void)docker_image_taken(a, why);
	must(strlen(why) < sizeof(why));
	inner(p + 1, n - 1);
	if (envoy_place_read(&place, (const char *)p + 1, n - 1))
		must(place.socket[0] == '/' && place.meet[0] == '/');
	(void)envoy_ask_read(&ask, p + 1, n - 1);
	if (docker_images_read(images, &found, a))
		for (size_t i = 0; i < found; i++)
			must(images[i].meet[0] == '/' &&
			    strlen(images[i].node) == DOCKER_NODE - 1);
	if (envoy_answer_read(&said, p + 1, n - 1))
		must(strlen(said.why) < sizeof(said.why));
	return 0;
}
