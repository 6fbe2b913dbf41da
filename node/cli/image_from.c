/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/image_from.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/nodes.h"
#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "node/cli/say.h"
#include "node/cli/session.h"
#include "sandbox/image/chunksof.h"
#include "sandbox/plan/recipe.h"
#include "trust/doc/digest.h"

#define TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define BATCH 64 /* ours: digests of a request, as many as nodes give at once */
/*
 * Up to 64 KiB an answer is compressed when that helps, so that no relay is held
 * up by more: recipes always are worth it, contents on a slow link.
 */
#define PACKED_MOST 65000u
#define ANSWER_MS 60000u /* ours */
#define WANTS_MAX (4u << 20) /* ours: contents of an image, 180 MB here */
#define BLOCK 4096u /* ours: what the smallest file takes of a disk */
#define LOOK_US (100 * 1000) /* ours: how often an interrupt is looked for */

struct want {
	struct id32 digest;
	uint32_t size, seq;
	bool have;
};

struct image_from {
	struct cli *c;
	struct image_from_ask ask;
	struct person person;
	struct session *s;
	struct remote remote;
	uint32_t kib_ms, max_s; /* of a slow link; 0 */
	uint32_t most;		/* bytes of contents in one answer */
	struct id32 image;
	char text[72]; /* sha256:... */
	bool by_digest; /* it was asked for by image */
	uint8_t *head_bytes;
	struct image_head head;
	struct want *want; /* by digest */
	uint32_t *order;   /* of want, as they come in the layers */
	uint32_t nwant;
	bool here[IMAGE_HEAD_LAYERS]; /* the layer is whole in the layout */
	uint64_t missing; /* bytes of contents that are to be fetched */
	struct image_from_done done;
	struct mono begun, looked;
};

/* ---- questions ---- */

static int
refused(struct image_from *f, const struct proto_ans *a)
{
	if (a->status != ST_NOT_FOUND)
		return session_refused(f->c, a);
	cli_error(f->c, "%s: that node has no such image to give",
	    f->ask.image);
	cli_hint(f->c, "It gives those that were imported there with --share.");
	return CLI_FAILED;
}

/*
 * More of a part of the image, from offset on: CLI_OK with *b, and the size
 * that the node says the part has.
 */
static int
ask_part(struct image_from *f, const char *image, uint64_t part, uint64_t off,
    struct proto_ans *a, struct pbin *b)
{
	struct proto_req q = {.path = PATH_IMAGE_PART,
	    .image = pstr_of(image), .part = part, .offset = off,
	    .n = MIN_OF(f->most, PACKED_MOST)};
	int rc = session_ask(f->s, &q, a, NULL, NULL);

	if (rc != CLI_OK)
		return rc;
	if (a->status != ST_OK)
		return refused(f, a);
	if (!a->meta.has_size || a->meta.sha == NULL ||
	    !proto_get_bytes(b, a) || off > a->meta.size || b->n == 0 ||
	    b->n > a->meta.size - off) {
		cli_error(f->c, "the node's answer is no part of an image");
		return CLI_FAILED;
	}
	f->done.fetched += b->n;
	return CLI_OK;
}

/* ---- the head ---- */

static int
head_bad(struct image_from *f, const char *why)
{
	cli_error(f->c, "%s: what the node gives is not the image: %s",
	    f->ask.image, why);
	return CLI_FAILED;
}

/* Longer than the node lets a job keep it busy, and not wanted so. */
static int
too_slow(struct image_from *f, uint64_t bytes)
{
	uint64_t s = bytes / 1024 * f->kib_ms / 1000;
	char size[24], t[24];

	if (f->kib_ms == 0 || f->ask.slow || f->max_s == 0 || s <= f->max_s)
		return CLI_OK;
	cli_error(f->c, "%s more of it take about %s over this link",
	    cli_bytes(size, bytes), cli_duration(t, (int64_t)s * 1000));
	cli_hint(f->c, "With --slow it is pulled all the same; what has come "
	    "stays.");
	return CLI_REFUSED;
}

static void
set_image(struct image_from *f, const struct id32 *image)
{
	char hex[65];

	f->image = *image;
	hex_encode(hex, HASH_BYTES(f->image));
	(void)snprintf(f->text, sizeof(f->text), "sha256:%s", hex);
}

static int
fetch_head(struct image_from *f)
{
	struct proto_ans a;
	struct pbin b;
	struct id32 is;
	const char *why;
	uint64_t size = 0, n = 0, recipes = 0;
	int rc;

	do {
		rc = ask_part(f, n == 0 && !f->by_digest ? f->ask.image :
		    f->text, 0, n, &a, &b);
		if (rc != CLI_OK)
			return rc;
		if (n == 0) {
			if (f->by_digest &&
			    !id32_eq(id32_at(a.meta.sha), &f->image))
				return head_bad(f, "it is another one");
			size = a.meta.size;
			if (size > IMAGE_HEAD_MAX ||
			    (f->head_bytes = malloc(size)) == NULL)
				return head_bad(f, "it is too large");
			set_image(f, id32_at(a.meta.sha));
			if ((rc = too_slow(f, size - b.n)) != CLI_OK)
				return rc;
		}
		if (a.meta.size != size)
			return head_bad(f, "it has changed meanwhile");
		memcpy(f->head_bytes + n, b.p, b.n);
		n += b.n;
	} while (n < size);
	if (!image_head_read(&f->head, f->head_bytes, size, &why))
		return head_bad(f, why);
	digest_of(&is, f->head.manifest, f->head.manifest_len);
	if (!id32_eq(&is, &f->image))
		return head_bad(f, "its manifest has another digest");
	for (unsigned i = 0; i < f->head.nlayers; i++) {
		f->done.total += f->head.layer[i].size;
		recipes += f->head.layer[i].recipe_len;
	}
	if (f->done.total <= f->ask.max && recipes <= f->ask.max)
		return CLI_OK;
	cli_error(f->c, "%s: its layers are larger than --max", f->ask.image);
	return CLI_REFUSED;
}

/* An answer whose link breaks is lost whole: on a slow one it takes a minute. */
static void
how_much(struct image_from *f, const struct proto_describe *d)
{
	f->most = f->remote.slice > 0 ? f->remote.slice : PROTO_SLICE;
	f->max_s = (uint32_t)MIN_OF(d->air.max_s, (uint64_t)UINT32_MAX);
	if (f->remote.slow)
		f->most = MIN_OF(f->most, PACKED_MOST);
	if (d->air.bitrate == 0 || d->air.kib16_ms <= d->air.kib_ms)
		return;
	f->kib_ms = (uint32_t)MIN_OF((d->air.kib16_ms - d->air.kib_ms) / 15 +
	    1, (uint64_t)UINT32_MAX);
	f->most = MIN_OF(f->most, MAX_OF(ANSWER_MS / f->kib_ms, 1u) * 1024);
}

static int
find(struct image_from *f)
{
	struct session_opts o = {.identify = true,
	    .outage_us = SESSION_CONTACT_MS * INT64_C(1000)};
	struct proto_describe d;
	enum node_by by;
	int rc = nodes_resolve(f->c, f->s, &f->person, f->ask.node,
	    SESSION_CONTACT_MS * INT64_C(1000), &f->remote.dest, &by);

	if (rc == CLI_OK)
		rc = session_connect(f->s, &f->remote.dest, &o);
	if (rc == CLI_OK)
		rc = remote_describe_full(f->c, f->s, &f->person, &f->remote,
		    &d);
	if (rc == CLI_OK)
		rc = remote_trust(f->c, &f->person, &f->remote, by);
	if (rc != CLI_OK)
		return rc;
	how_much(f, &d);
	return CLI_OK;
}

int
image_from_open(struct cli *c, struct image_from **out,
    const struct image_from_ask *ask, struct id32 *digest)
{
	struct image_from *f = calloc(1, sizeof(*f));
	int rc;

	if ((*out = f) == NULL)
		return CLI_FAILED;
	f->c = c;
	f->ask = *ask;
	f->person.dir = -1;
	f->by_digest = ask->by_digest;
	if (f->by_digest)
		set_image(f, digest);
	if ((rc = person_load(c, &f->person)) == CLI_OK &&
	    (rc = session_open(&f->s, c, &f->person)) == CLI_OK &&
	    (rc = find(f)) == CLI_OK && (rc = fetch_head(f)) == CLI_OK)
		*digest = f->image;
	return rc;
}

void
image_from_close(struct image_from *f)
{
	if (f == NULL)
		return;
	session_close(f->s);
	person_clear(&f->person);
	free(f->head_bytes);
	free(f->want);
	free(f->order);
	free(f);
}

/* ---- what is in the layout ---- */

static void
blob_name(char name[65], const struct id32 *digest)
{
	hex_encode(name, HASH_BYTES(*digest));
}

static bool
is_blob(const struct image_from *f, const struct id32 *digest, uint64_t size)
{
	static uint8_t buf[65536];
	_cleanup_fd_ int fd = -1;
	struct sha256_ctx ctx;
	struct stat st;
	struct id32 is;
	char name[65];
	ssize_t n;

	blob_name(name, digest);
	if (fstatat(f->ask.at->blobs, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size ||
	    (fd = openat(f->ask.at->blobs, name, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW)) < 0)
		return false;
	sha256_init(&ctx);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sha256_update(&ctx, (size_t)n, buf);
	sha256_digest(&ctx, sizeof(is.b), is.b);
	return n == 0 && id32_eq(&is, digest);
}

static int
no_place(struct image_from *f)
{
	cli_error(f->c, "warren/images/" PULLED_FOLDER ": %s",
	    strerror(errno));
	return CLI_FAILED;
}

static int
keep_blob(struct image_from *f, const struct id32 *digest, const void *p,
    size_t n)
{
	_cleanup_fd_ int fd = pulled_blob(f->ask.at, digest, n);

	if (fd < 0 || ftruncate(fd, 0) < 0 || write_full(fd, p, n) < 0)
		return no_place(f);
	return CLI_OK;
}

/* ---- recipes ---- */

/* The rest of it, of which n bytes are in fd. */
static int
rest_of_recipe(struct image_from *f, unsigned i, int fd, uint64_t n)
{
	const struct image_head_layer *l = &f->head.layer[i];
	struct proto_ans a;
	struct pbin b;
	int rc;

	if (ftruncate(fd, (off_t)n) < 0)
		return no_place(f);
	while (n < l->recipe_len) {
		cli_progress(f->c, "pulling %s: layer %u of %u", f->ask.image,
		    i + 1, f->head.nlayers);
		rc = ask_part(f, f->text, i + 1u, n, &a, &b);
		if (rc != CLI_OK)
			return rc;
		if (a.meta.size != l->recipe_len ||
		    !id32_eq(id32_at(a.meta.sha), &f->image))
			return head_bad(f, "a recipe of another length");
		if (pwrite(fd, b.p, b.n, (off_t)n) != (ssize_t)b.n)
			return no_place(f);
		n += b.n;
	}
	return CLI_OK;
}

static int
fetch_recipe(struct image_from *f, unsigned i)
{
	const struct image_head_layer *l = &f->head.layer[i];
	_cleanup_fd_ int fd = pulled_blob(f->ask.at, &l->recipe,
	    l->recipe_len);
	struct stat st;
	uint64_t n;
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		return no_place(f);
	n = (uint64_t)st.st_size;
	if (n >= l->recipe_len) /* and it is not that, as was seen */
		n = 0;
	rc = rest_of_recipe(f, i, fd, n);
	/* who gave the beginning, another time, may have lied, and not this */
	if (rc == CLI_OK && n > 0 && !is_blob(f, &l->recipe, l->recipe_len))
		rc = rest_of_recipe(f, i, fd, 0);
	if (rc != CLI_OK || is_blob(f, &l->recipe, l->recipe_len))
		return rc;
	(void)!ftruncate(fd, 0);
	return head_bad(f, "a recipe has another digest");
}

/* Borrowed from *bytes, which is freed by the caller. */
static int
read_recipe(struct image_from *f, unsigned i, struct recipe *r, char **bytes)
{
	const struct image_head_layer *l = &f->head.layer[i];
	const char *why = "it cannot be read";
	char name[65];
	size_t len;

	blob_name(name, &l->recipe);
	*bytes = file_load(f->ask.at->blobs, name, RECIPE_MAX, &len);
	if (*bytes == NULL || !recipe_read(r, (const uint8_t *)*bytes, len,
		&why))
		return head_bad(f, why);
	if (r->total != l->size)
		return head_bad(f, "a recipe of another layer");
	return CLI_OK;
}

/* ---- what is wanted ---- */

static int
by_digest(const void *a, const void *b)
{
	const struct want *x = a, *y = b;
	int rel = memcmp(x->digest.b, y->digest.b, sizeof(x->digest.b));

	return rel != 0 ? rel : x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int
add_wants(struct image_from *f, unsigned i)
{
	_cleanup_free_ char *bytes = NULL;
	struct want *more;
	struct recipe r;
	int rc = read_recipe(f, i, &r, &bytes);

	if (rc != CLI_OK)
		return rc;
	if (r.ncontents > WANTS_MAX - f->nwant ||
	    (more = reallocarray(f->want, (size_t)f->nwant + r.ncontents + 1,
	    sizeof(*more))) == NULL)
		return head_bad(f, "no memory for so many contents");
	f->want = more;
	for (uint32_t k = 0; k < r.ncontents; k++, f->nwant++)
		f->want[f->nwant] = (struct want){.digest = *recipe_digest(&r,
		    k), .size = recipe_size(&r, k), .seq = f->nwant};
	return CLI_OK;
}

static struct want *
find_want(struct image_from *f, const struct id32 *digest)
{
	size_t from = 0, to = f->nwant;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int rel = memcmp(digest->b, f->want[mid].digest.b,
		    sizeof(digest->b));

		if (rel == 0)
			return &f->want[mid];
		if (rel < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

static int
by_seq(const void *a, const void *b, void *ctx)
{
	const struct want *all = ctx;
	uint32_t x = all[*(const uint32_t *)a].seq;
	uint32_t y = all[*(const uint32_t *)b].seq;

	return x < y ? -1 : x > y;
}

/* So many small files as a few bytes of recipes can ask for fill a disk too. */
static int
too_small(struct image_from *f)
{
	uint64_t sum = 0;
	char size[24];

	for (uint32_t i = 0; i < f->nwant; i++)
		sum += MAX_OF(f->want[i].size, BLOCK);
	if (sum <= f->ask.max)
		return CLI_OK;
	cli_error(f->c, "%s: its contents are too small: they take %s here, "
	    "more than --max", f->ask.image, cli_bytes(size, sum));
	return CLI_REFUSED;
}

/* Each once; in the order in which a layer needs them they compress better. */
static int
sort_wants(struct image_from *f)
{
	uint32_t n = 0;

	if (f->nwant == 0)
		return CLI_OK;
	qsort(f->want, f->nwant, sizeof(*f->want), by_digest);
	for (uint32_t i = 0; i < f->nwant; i++)
		if (n == 0 || !id32_eq(&f->want[i].digest,
			&f->want[n - 1].digest))
			f->want[n++] = f->want[i];
	f->nwant = n;
	if ((f->order = malloc(n * sizeof(*f->order))) == NULL)
		return head_bad(f, "no memory for so many contents");
	for (uint32_t i = 0; i < n; i++)
		f->order[i] = i;
	qsort_r(f->order, n, sizeof(*f->order), by_seq, f->want);
	return CLI_OK;
}

/* Between questions the loop does not run: now and then, to be told. */
static bool
interrupted(struct image_from *f)
{
	if (mono_sub(clock_mono(), f->looked) >= LOOK_US) {
		session_run(f->s, 1);
		f->looked = clock_mono();
	}
	return session_interrupted(f->s);
}

/* What an earlier pull has left. */
static void
left_here(struct image_from *f)
{
	for (uint32_t i = 0; i < f->nwant && !interrupted(f); i++) {
		struct want *w = &f->want[i];

		w->have = is_blob(f, &w->digest, w->size);
		if (w->have)
			f->done.reused += w->size;
		else
			f->missing += w->size;
	}
}

static int
chunk_here(void *ctx, const struct id32 *digest, const uint8_t *p, size_t n)
{
	struct image_from *f = ctx;
	struct want *w = find_want(f, digest);

	if (interrupted(f))
		return 1;
	if (w == NULL || w->have || w->size != n)
		return 0;
	if (keep_blob(f, digest, p, n) != CLI_OK)
		return 1;
	w->have = true;
	f->missing -= n;
	f->done.reused += n;
	return f->missing == 0 ? 2 : 0;
}

static int
look_here(struct image_from *f)
{
	int rv = 0;

	cli_progress(f->c, "looking for what is here already of %s ...",
	    f->ask.image);
	left_here(f);
	if (f->missing > 0 && !session_interrupted(f->s))
		rv = chunks_of_store(f->ask.images, chunk_here, f);
	if (session_interrupted(f->s))
		cli_error(f->c, "interrupted; what has come stays");
	if (session_interrupted(f->s) || rv == 1)
		return CLI_FAILED;
	if (rv < 0)
		cli_note(f->c, "not all images here can be read (%s): what "
		    "they have is fetched", strerror(errno));
	return CLI_OK;
}

/* ---- contents ---- */

static void
say_progress(struct image_from *f, uint64_t all)
{
	int64_t ms = mono_sub(clock_mono(), f->begun) / 1000;
	uint64_t got = all - f->missing;
	uint64_t rate = ms > 0 ? got * 1000 / (uint64_t)ms : 0;
	char done[24], total[24], speed[24], left[24];

	(void)cli_bytes(done, got);
	(void)cli_bytes(total, all);
	if (rate > 0)
		cli_progress(f->c, "pulling %s: %s of %s, %s/s, %s left",
		    f->ask.image, done, total, cli_bytes(speed, rate),
		    cli_duration(left, (int64_t)(f->missing * 1000 / rate)));
	else
		cli_progress(f->c, "pulling %s: %s of %s", f->ask.image, done,
		    total);
}

/* What was asked for, one behind the other; as much of it as came. */
static int
take(struct image_from *f, struct want *const *w, size_t n, struct pbin b)
{
	size_t at = 0;

	f->done.fetched += b.n;
	for (size_t i = 0; i < n && at < b.n; i++) {
		struct id32 is;
		int rc;

		if (w[i]->size > b.n - at)
			return head_bad(f, "a content is cut off");
		digest_of(&is, b.p + at, w[i]->size);
		if (!id32_eq(&is, &w[i]->digest))
			return head_bad(f, "a content has another digest");
		rc = keep_blob(f, &is, b.p + at, w[i]->size);
		if (rc != CLI_OK)
			return rc;
		w[i]->have = true;
		f->missing -= w[i]->size;
		at += w[i]->size;
	}
	return at == b.n && at > 0 ? CLI_OK :
	    head_bad(f, "more, or nothing, than was asked for");
}

static int
ask_contents(struct image_from *f, struct want *const *w, size_t n)
{
	static struct id32 digests[BATCH];
	struct proto_req q = {.path = PATH_IMAGE_GET, .id = f->image.b,
	    .digests_put = digests, .ndigests = n, .n = f->most};
	struct proto_ans a;
	struct pbin b;
	int rc;

	for (size_t i = 0; i < n; i++)
		digests[i] = w[i]->digest;
	if ((rc = session_ask(f->s, &q, &a, NULL, NULL)) != CLI_OK)
		return rc;
	if (a.status == ST_NOT_FOUND)
		return head_bad(f, "it has a part of it no more; what has come "
		    "stays");
	if (a.status != ST_OK)
		return session_refused(f->c, &a);
	if (!proto_get_bytes(&b, &a))
		return head_bad(f, "an answer without bytes");
	return take(f, w, n, b);
}

static int
fetch_contents(struct image_from *f)
{
	uint64_t all = f->missing;
	struct want *batch[BATCH];
	int rc = CLI_OK;

	f->begun = clock_mono();
	for (uint32_t at = 0; rc == CLI_OK && f->missing > 0;) {
		uint64_t bytes = 0;
		size_t n = 0;

		/* those that came less than they were asked for, again */
		while (at < f->nwant && f->want[f->order[at]].have)
			at++;
		for (uint32_t i = at; i < f->nwant && n < BATCH; i++) {
			struct want *w = &f->want[f->order[i]];

			if (w->have)
				continue;
			if (n > 0 && bytes + w->size > f->most)
				break;
			batch[n++] = w;
			bytes += w->size;
		}
		say_progress(f, all);
		session_to_move(f->s, f->missing);
		rc = n > 0 ? ask_contents(f, batch, n) :
		    head_bad(f, "its sums are wrong");
	}
	cli_progress_end(f->c);
	return rc;
}

/* ---- layers ---- */

static int
put_piece(struct image_from *f, int out, struct sha256_ctx *ctx,
    const struct recipe *r, const struct recipe_piece *p)
{
	static uint8_t buf[CHUNK_MAX];
	const uint8_t *bytes = p->bytes;
	char name[65];
	ssize_t got;

	if (bytes == NULL) {
		blob_name(name, recipe_digest(r, p->i));
		got = file_read(f->ask.at->blobs, name, buf, sizeof(buf));
		if (got < 0)
			return no_place(f);
		if ((size_t)got != p->n)
			return head_bad(f, "a content has another length");
		bytes = buf;
	}
	sha256_update(ctx, p->n, bytes);
	return p->n == 0 || write_full(out, bytes, p->n) == 0 ? CLI_OK :
	    no_place(f);
}

static int
put_layer(struct image_from *f, unsigned i)
{
	const struct image_head_layer *l = &f->head.layer[i];
	_cleanup_free_ char *bytes = NULL;
	_cleanup_fd_ int out = -1;
	struct recipe_at at = {0};
	struct recipe_piece piece;
	struct sha256_ctx ctx;
	struct recipe r;
	struct id32 is;
	int rc = read_recipe(f, i, &r, &bytes);

	if (rc != CLI_OK)
		return rc;
	out = pulled_blob(f->ask.at, &l->diff, l->size);
	if (out < 0 || ftruncate(out, 0) < 0)
		return no_place(f);
	cli_progress(f->c, "putting together %s: layer %u of %u", f->ask.image,
	    i + 1, f->head.nlayers);
	sha256_init(&ctx);
	while (rc == CLI_OK && recipe_next(&r, &at, &piece))
		rc = put_piece(f, out, &ctx, &r, &piece);
	sha256_digest(&ctx, sizeof(is.b), is.b);
	if (rc == CLI_OK && !id32_eq(&is, &l->diff)) {
		(void)!ftruncate(out, 0);
		rc = head_bad(f, "a layer has another digest");
	}
	return rc;
}

static int
documents(struct image_from *f)
{
	struct id32 config;
	int rc = keep_blob(f, &f->image, f->head.manifest,
	    f->head.manifest_len);

	digest_of(&config, f->head.config, f->head.config_len);
	if (rc == CLI_OK)
		rc = keep_blob(f, &config, f->head.config, f->head.config_len);
	if (rc == CLI_OK && pulled_index(f->ask.at, &f->image,
	    f->head.manifest_len, TYPE_MANIFEST) < 0)
		rc = no_place(f);
	return rc;
}

int
image_from_fetch(struct image_from *f, struct image_from_done *done)
{
	uint64_t recipes = 0;
	int rc;

	for (unsigned i = 0; i < f->head.nlayers; i++) {
		const struct image_head_layer *l = &f->head.layer[i];

		f->here[i] = is_blob(f, &l->diff, l->size);
		if (!f->here[i])
			recipes += l->recipe_len;
	}
	/* most of them are digests, which do not compress */
	rc = too_slow(f, recipes);
	for (unsigned i = 0; rc == CLI_OK && i < f->head.nlayers; i++) {
		if (f->here[i])
			continue;
		if (!is_blob(f, &f->head.layer[i].recipe,
			f->head.layer[i].recipe_len))
			rc = fetch_recipe(f, i);
		if (rc == CLI_OK)
			rc = add_wants(f, i);
	}
	if (rc == CLI_OK)
		rc = sort_wants(f);
	if (rc == CLI_OK)
		rc = too_small(f);
	if (rc == CLI_OK)
		rc = look_here(f);
	if (rc == CLI_OK && (rc = too_slow(f, f->missing)) == CLI_OK)
		rc = fetch_contents(f);
	for (unsigned i = 0; rc == CLI_OK && i < f->head.nlayers; i++)
		if (!f->here[i])
			rc = put_layer(f, i);
	if (rc == CLI_OK)
		rc = documents(f);
	cli_progress_end(f->c);
	*done = f->done;
	return rc;
}

void
image_from_drop(struct image_from *f)
{
	char name[65];

	for (uint32_t i = 0; i < f->nwant; i++) {
		blob_name(name, &f->want[i].digest);
		(void)unlinkat(f->ask.at->blobs, name, 0);
	}
	for (unsigned i = 0; i < f->head.nlayers; i++) {
		/* recipes stay: other images have the layer too */
		blob_name(name, &f->head.layer[i].diff);
		(void)unlinkat(f->ask.at->blobs, name, 0);
	}
}
