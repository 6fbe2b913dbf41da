/* SPDX-License-Identifier: BSD-2-Clause */
/* words: audit/watchdog_model.c audit/watchdog_hound.c audit/watchdog_http.c */
/*
 * What a model server answers: the bytes of HTTP, and the verdict in them; and
 * what the watchdog is told, a line of JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/watchdog_http.h"
#include "audit/watchdog_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
said(void *ctx, const char *line, size_t n)
{
	struct dog_verdict v;
	const struct id32 *job = ctx;
	const char *why;

	/* always a verdict, and about who was asked about */
	if (dog_line_read(&v, line, n, &why) != DOG_SAYS_VERDICT ||
	    !id32_eq(&v.job, job) || v.action == DOG_PROPOSE)
		abort();
}

static void
whatever(void *ctx, const char *line, size_t n)
{
	struct dog_verdict v;
	const char *why;

	(void)ctx;
	if (dog_line_read(&v, line, n, &why) == DOG_SAYS_NOTHING)
		abort();
}

/* Lines, a second between two; then a question of what was printed. */
static void
hears(const json_t *conf, const char *line, size_t n)
{
	static struct hound h;
	static struct model m;
	struct mono now = {MONO_SECOND};
	char *body;
	json_t *o;

	if (!hound_init(&h, conf, whatever, NULL) || !model_init(&m, conf))
		abort();
	while (n > 0) {
		const char *end = memchr(line, '\n', n);
		size_t len = end == NULL ? n : (size_t)(end - line);

		o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
		hound_hears(&h, o, now);
		model_hears(&m, o, now);
		json_decref(o);
		now = mono_add(now, MONO_SECOND);
		len += end != NULL;
		line += len;
		n -= len;
	}
	if ((body = model_question(&m)) == NULL)
		return;
	o = json_loads(body, 0, NULL);
	if (o == NULL)
		abort();
	json_decref(o);
	free(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct hound h;
	static struct model m;
	const char *body = (const char *)p;
	unsigned code = 0;
	size_t len = n;
	json_t *o = json_pack("{s:[], s:[], s:s}", "rules", "allow", "name",
	    "x");

	if (!hound_init(&h, o, said, &m.asked) || !model_init(&m, o))
		abort();
	hears(o, (const char *)p, n);
	json_decref(o);
	m.asked.b[0] = 7;
	if (n > 0 && p[0] == 'H' && dog_http_read((const char *)p, n, true,
	    MODEL_ANSWER, &code, &body, &len) != DOG_HTTP_WHOLE)
		return 0;
	if (body < (const char *)p || body + len > (const char *)p + n ||
	    len > n)
		abort();
	model_answer(&m, &h, body, len);
	return 0;
}
