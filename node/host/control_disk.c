/* SPDX-License-Identifier: BSD-2-Clause */
/* node.sock: what audit says of what lies on the disk. */
#include "node/host/control_impl.h"

#include <stdio.h>
#include <string.h>

#include "common/jsonhex.h"
#include "common/util.h"
#include "node/host/host.h"
#include "node/work/verified.h"
#include "node/work/warm.h"
#include "sandbox/image/store.h"

#define RELEASE_S INT64_C(60) /* ours: longer than a removal takes */

static const char *
kind_name(uint8_t kind)
{
	static const char *const names[] = {[FOUND_IMAGE] = "image",
	    [FOUND_PROGRAM] = "program", [FOUND_PROFILE] = "profile",
	    [FOUND_KEY] = "key", [FOUND_TRAIL] = "trail"};

	return kind < NELEM(names) && names[kind] != NULL ? names[kind] :
	    "file";
}

static json_t *
printable(const char *text)
{
	char safe[4 * 512];

	(void)text_printable(safe, sizeof(safe), text, strlen(text));
	return json_string(safe);
}

json_t *
control_integrity_json(const struct node *n)
{
	const struct verified *v = &n->verified;
	const struct msg_I_STATE *s = &v->state;
	json_t *found = json_array();

	for (unsigned i = 0; i < v->nfound; i++)
		(void)json_array_append_new(found, json_pack(
		    "{s:s,s:o,s:o,s:I}", "kind", kind_name(v->found[i].kind),
		    "name", printable(v->found[i].name), "why",
		    printable(v->found[i].why), "at",
		    (json_int_t)v->found[i].at));
	return json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}",
	    "running", s->running ? 1 : 0, "done", (json_int_t)s->done,
	    "passes", (json_int_t)s->passes, "at", (json_int_t)s->at,
	    "took_ms", (json_int_t)s->took_ms, "images",
	    (json_int_t)s->images, "files", (json_int_t)s->files, "kept",
	    (json_int_t)s->kept, "bytes",
	    (json_int_t)s->bytes, "every_s", (json_int_t)s->every_s,
	    "total", (json_int_t)s->found, "found", found);
}

/* What persons have asked about this image, if there is an answer. */
static void
add_said(json_t *o, const struct verified *v, const struct id32 *image)
{
	static const char *const ends[] = {[READ_GOOD] = "good",
	    [READ_CHANGED] = "changed", [READ_UNLISTED] = "unlisted",
	    [READ_GONE] = "gone", [READ_FAILED] = "failed"};

	for (unsigned i = 0; i < v->nsaid; i++) {
		const struct msg_I_CHECKED *m = &v->said[i];

		if (!id32_eq(&m->image, image))
			continue;
		(void)json_object_set_new(o, "said", json_string(m->end <
		    NELEM(ends) ? ends[m->end] : "failed"));
		(void)json_object_set_new(o, "why_not", printable(m->why));
	}
}

/* Whom it is owed to that a rule of image_policy holds. */
static void
add_vouched(json_t *o, const struct warren_node *wn, const struct id32 *image)
{
	json_t *list = json_array();

	for (size_t i = 0; i < wn->nvouched; i++)
		if (id32_eq(&wn->vouched[i].image, image))
			(void)json_array_append_new(list, json_pack(
			    "{s:i,s:o}", "rule", wn->vouched[i].rule + 1,
			    "who", printable(wn->vouched[i].who)));
	(void)json_object_set_new(o, "vouched", list);
}

/* {"pass": true} begins one; {"image": digest}: what was said of it. */
bool
control_integrity(struct client *c, const json_t *q)
{
	struct node *n = &c->control->wn->node;
	const char *hex = json_string_value(json_object_get(q, "image"));
	struct msg_I_PASS m = {.end_ = 0};
	struct id32 image;
	json_t *o;

	if (hex != NULL && !hex_decode(HASH_BYTES(image), hex, strlen(hex)))
		return client_refuse(c, 2, "image is the digest of one");
	if (!n->up[PROGRAM_AUDIT])
		return client_refuse(c, 1, "warren-audit is not up: it is "
		    "started again, try in a moment");
	if (json_is_true(json_object_get(q, "pass")))
		n->host.send_I_PASS(n->host.ctx, &m);
	o = client_good(true);
	(void)json_object_set_new(o, "integrity", control_integrity_json(n));
	if (hex != NULL) {
		add_said(o, &n->verified, &image);
		add_vouched(o, c->control->wn, &image);
	}
	return client_line(c, o);
}

/* {"image": NAME or sha256:..., "list": hex of an import}: begins. */
bool
control_verify(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const char *name = json_string_value(json_object_get(q, "image"));
	const char *hex = json_string_value(json_object_get(q, "list"));
	struct id32 image, list = {{0}};
	json_t *o;

	if (name == NULL || (hex != NULL && !hex_decode(HASH_BYTES(list), hex,
	    strlen(hex))))
		return client_refuse(c, 2, "image is a name or a digest, list "
		    "64 digits");
	if (wn->images < 0 || store_resolve(wn->images, name, &image) < 0)
		return client_refuse(c, 1, "there is no such image here "
		    "(`warren image list`)");
	/* an import brings back what was removed a moment ago */
	if (hex != NULL && id32_eq(&image, &wn->going.image))
		wn->going.until = wn->node.now;
	if (!verified_ask(&wn->node, &image, hex != NULL ? CHECK_IMPORTED :
	    CHECK_VERIFY, &list))
		return client_refuse(c, 1, "warren-audit is not up, or has "
		    "much to look at: try in a moment");
	o = client_good(true);
	(void)json_object_set_new(o, "digest", json_hex(HASH_BYTES(image)));
	return client_line(c, o);
}

/*
 * {"image": digest}: it is to be removed. Refused while a job runs in it or
 * waits for it; if none does, none is let in with it from now on.
 */
bool
control_release(struct client *c, const json_t *q)
{
	struct warren_node *wn = c->control->wn;
	const char *hex = json_string_value(json_object_get(q, "image"));
	char id[65], why[160];
	struct id32 image;
	const struct job *j;

	if (hex == NULL || !hex_decode(HASH_BYTES(image), hex, strlen(hex)))
		return client_refuse(c, 2, "image is the digest of one");
	TAILQ_FOREACH(j, &wn->node.jobs.live, link) {
		if (!id32_eq(&j->image, &image))
			continue;
		hex_encode(id, HASH_BYTES(j->id));
		(void)snprintf(why, sizeof(why), "job %.16s (%s) needs this "
		    "image: wait for it, or `warren cancel %.16s`", id,
		    job_state_name(j->state), id);
		return client_refuse(c, 3, why);
	}
	wn->going.image = image;
	wn->going.until = (struct mono){wn->node.now.us + RELEASE_S *
	    1000000};
	warm_void(&wn->node);
	return client_line(c, client_good(true));
}
