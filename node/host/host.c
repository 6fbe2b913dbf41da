/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "node/host/blobs.h"
#include "node/host/evidence.h"
#include "node/host/ledger.h"
#include "node/host/logs.h"
#include "node/host/outbox.h"
#include "node/host/peerlog.h"
#include "node/host/outputs.h"
#include "node/host/start.h"
#include "node/host/volumes.h"
#include "node/host/wasmcache.h"
#include "node/work/verified.h"
#include "node/host/watchfeed.h"
#include "sandbox/base/places.h"
#include "sandbox/base/sys.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/parts.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/compile.h"
#include "trust/doc/manifest_record.h"

/* THREATS.md 4.6; ours: the smaller of the two */
#define RESERVE_BYTES (UINT64_C(64) << 20)
#define RESERVE_PART 20
#define RESERVE_FILES 64 /* ours */
#define CONTENTS_US (50 * 1000) /* ours: for contents of an image */

void
host_now(struct warren_node *wn)
{
	node_time(&wn->node, clock_mono(), clock_wall_us());
}

static void
do_random(void *ctx, uint8_t *p, size_t n)
{
	(void)ctx;
	if (getrandom(p, n, 0) != (ssize_t)n)
		fatal("no random bytes");
}

uint64_t
host_disk_free(struct warren_node *wn)
{
	struct statvfs st;
	uint64_t total, avail, reserve;

	if (fstatvfs(wn->dir, &st) != 0 || (st.f_flag & ST_RDONLY) != 0)
		return 0;
	/* a disk without room for another name is as full; 0: it counts none */
	if (st.f_files != 0 && st.f_favail < RESERVE_FILES)
		return 0;
	total = (uint64_t)st.f_blocks * st.f_frsize;
	avail = (uint64_t)st.f_bavail * st.f_frsize;
	reserve = MIN_OF(total / RESERVE_PART, RESERVE_BYTES);
	return avail > reserve ? avail - reserve : 0;
}

static uint64_t
disk_free(void *ctx)
{
	return host_disk_free(ctx);
}

static bool
disk_readonly(void *ctx)
{
	const struct warren_node *wn = ctx;
	struct statvfs st;

	return fstatvfs(wn->dir, &st) == 0 && (st.f_flag & ST_RDONLY) != 0;
}

/* ---- logs ---- */

static bool
log_seal(void *ctx, struct job *j)
{
	bool whole = logs_seal(((struct warren_node *)ctx)->logs, j);

	watchfeed(ctx, j); /* its last words */
	return whole;
}

static ssize_t
log_read(void *ctx, const struct job *j, unsigned stream, uint64_t offset,
    uint8_t *buf, size_t n)
{
	return logs_read(((struct warren_node *)ctx)->logs, j, stream, offset,
	    buf, n);
}

static size_t
log_runs(void *ctx, const struct job *j, uint64_t from, uint8_t *out,
    size_t max)
{
	return logs_runs(((struct warren_node *)ctx)->logs, j, from, out, max);
}

static void
log_drop(void *ctx, const struct job *j)
{
	logs_drop(((struct warren_node *)ctx)->logs, j);
}

static bool
follow(void *ctx, const struct hash16 *link, unsigned stream,
    const struct job *j, uint64_t offset)
{
	struct warren_node *wn = ctx;
	struct msg_N_FOLLOW m = {.stream = (uint16_t)stream};
	int fd = logs_follow(wn->logs, link, stream, j, offset);

	if (fd < 0)
		return false;
	m.link = *link;
	outbox_N_FOLLOW(wn, &m, &fd, 1);
	return true;
}

static void
unfollow(void *ctx, const struct hash16 *link, unsigned stream)
{
	logs_unfollow(((struct warren_node *)ctx)->logs, link, stream);
}

static void
log_end(void *ctx, const struct job *j)
{
	struct warren_node *wn = ctx;

	outputs_drop(wn->outputs, &j->id);
	logs_end(wn->logs, j);
}

/* ---- blobs ---- */

/* What has to be done bit by bit is done between other things. */
void
host_kick(struct warren_node *wn)
{
	if (!volumes_idle(wn->volumes) || !wasmcache_idle(wn->wasm))
		ev_timer_start(wn->loop, &wn->work);
}

static bool
blob_has(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t *size)
{
	return blobs_has(((struct warren_node *)ctx)->blobs, fp, sha, size);
}

static uint64_t
blob_to_come(void *ctx, const struct fp *fp, const struct blob_ref *whole,
    const struct blob_ref *list)
{
	return volumes_to_come(((struct warren_node *)ctx)->volumes, fp,
	    whole, list);
}

static uint64_t
blob_claimed(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	return volumes_claimed(((struct warren_node *)ctx)->volumes, fp, sha);
}

static enum blob_put
blob_put(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint64_t offset, const uint8_t *data, size_t n, uint64_t *have)
{
	struct warren_node *wn = ctx;
	enum blob_put r = volumes_put(wn->volumes, fp, sha, size, offset, data,
	    n, wn->node.own_now, have);

	host_kick(wn);
	return r;
}

static enum volume_is
volume_begin(void *ctx, const struct fp *fp, const struct blob_ref *whole,
    const struct blob_ref *list, const char **why)
{
	struct warren_node *wn = ctx;
	enum volume_is is = volumes_begin(wn->volumes, fp, whole, list,
	    wn->node.own_now, why);

	host_kick(wn);
	return is;
}

static enum volume_is
volume_lacks(void *ctx, const struct fp *fp, const struct id32 *whole,
    struct id32 *out, unsigned max, unsigned *n, bool *more)
{
	return volumes_lacks(((struct warren_node *)ctx)->volumes, fp, whole,
	    out, max, n, more);
}

static bool
chunk_of(void *ctx, const struct fp *fp, const struct id32 *chunk,
    struct id32 *whole, uint64_t *size)
{
	return volumes_chunk(((struct warren_node *)ctx)->volumes, fp, chunk,
	    whole, size);
}

static void
chunks_here(void *ctx, const struct fp *fp, const struct id32 *d, unsigned n,
    bool *here)
{
	volumes_here(((struct warren_node *)ctx)->volumes, fp, d, n, here);
}

static enum blob_put
chunk_put(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint64_t offset, const uint8_t *data, size_t n, uint64_t *have)
{
	struct warren_node *wn = ctx;
	enum blob_put r = volumes_put_chunk(wn->volumes, fp, sha, size, offset,
	    data, n, wn->node.own_now, have);

	host_kick(wn);
	return r;
}

static ssize_t
blob_get(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	struct warren_node *wn = ctx;
	ssize_t got = blobs_get(wn->blobs, fp, sha, offset, buf, n, size);

	return got >= 0 ? got : volumes_get(wn->volumes, fp, sha, offset, buf,
	    n, size);
}

static uint64_t
blob_held(void *ctx, const struct fp *fp)
{
	return blobs_held(((struct warren_node *)ctx)->blobs, fp);
}

static bool
blob_room(void *ctx, const struct fp *fp, uint64_t more)
{
	return blobs_room(((struct warren_node *)ctx)->blobs, fp, more);
}

static void
blob_use(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	struct warren_node *wn = ctx;

	blobs_use(wn->blobs, fp, sha, wn->node.own_now);
}

static void
blob_drop(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	blobs_drop(((struct warren_node *)ctx)->blobs, fp, sha);
}

/* ---- ledger ---- */

static bool
keep_body(void *ctx, const struct job *j, const uint8_t *record, size_t rlen,
    const uint8_t *envelope, size_t elen)
{
	return ledger_put_body(((struct warren_node *)ctx)->ledger, &j->id,
	    record, rlen, envelope, elen);
}

static bool
load_body(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;
	_cleanup_free_ uint8_t *record = NULL;
	size_t n;

	record = ledger_manifest(wn->ledger, &j->id, &n);
	if (record == NULL || (j->m = malloc(sizeof(*j->m))) == NULL)
		return false;
	if (manifest_record_get(j->m, record, n)) {
		j->m->job = j->id;
		return true;
	}
	free(j->m);
	j->m = NULL;
	return false;
}

static void
drop_body(void *ctx, const struct job *j)
{
	(void)ledger_drop_body(((struct warren_node *)ctx)->ledger, &j->id);
}

static size_t
envelope_of(void *ctx, const struct id32 *job, uint8_t *out, size_t cap)
{
	return ledger_envelope(((struct warren_node *)ctx)->ledger, job, out,
	    cap);
}

static bool
keep_mail(void *ctx, const struct mail *m)
{
	return ledger_put_mail(((struct warren_node *)ctx)->ledger, m);
}

static void
drop_mail(void *ctx, const struct id32 *id)
{
	(void)ledger_drop_mail(((struct warren_node *)ctx)->ledger, id);
}

static void
keep_vote(void *ctx, const struct vote *v)
{
	(void)ledger_put_vote(((struct warren_node *)ctx)->ledger, v);
}

static void
drop_vote(void *ctx, const struct vote *v)
{
	(void)ledger_drop_vote(((struct warren_node *)ctx)->ledger, v);
}

static void
forget(void *ctx, const struct job *j)
{
	struct warren_node *wn = ctx;

	(void)ledger_forget(wn->ledger, &j->id, j->kept ? j->not_after : 0);
	logs_drop(wn->logs, j);
}

/* ---- images, profiles ---- */

static enum image_state
image_here(void *ctx, const struct id32 *digest)
{
	struct warren_node *wn = ctx;
	struct image_record rec;
	static uint8_t buf[IMAGE_RECORD_MAX];

	if (wn->images < 0 || (id32_eq(digest, &wn->going.image) &&
	    wn->node.now.us < wn->going.until.us))
		return IMAGE_UNKNOWN;
	if (verified_held(&wn->node, digest) != NULL)
		return IMAGE_CHANGED;
	if (store_record(wn->images, digest, buf, &rec) == 0)
		return IMAGE_HERE;
	return errno == ENOENT ? IMAGE_UNKNOWN : IMAGE_BROKEN;
}

struct about {
	const struct attest_conf *conf;
	const struct id32 *image;
	bool named;
	uint32_t rules;
};

static bool
about(void *ctx, const char *name, const struct id32 *digest)
{
	struct about *a = ctx;

	if (id32_eq(digest, a->image)) {
		a->named = true;
		a->rules |= attest_conf_about(a->conf, name);
	}
	return true;
}

/*
 * By each name that it has here, and by its digest as one. An image of the store
 * that has lost its name, to a newer one of it, could have had any.
 */
static uint32_t
image_rules(void *ctx, const struct id32 *digest)
{
	struct warren_node *wn = ctx;
	struct about a = {.conf = &wn->conf->attest, .image = digest};
	char name[7 + 65] = "sha256:";

	hex_encode(name + 7, HASH_BYTES(*digest));
	a.rules = attest_conf_about(a.conf, name);
	/* names that cannot be read could be any, too */
	if (wn->images >= 0 && (store_each(wn->images, about, &a) < 0 ||
		(!a.named && image_here(ctx, digest) != IMAGE_UNKNOWN)))
		a.rules = attest_conf_all(a.conf);
	return a.rules;
}

static enum image_state
image(void *ctx, const struct manifest *m, struct id32 *digest)
{
	struct warren_node *wn = ctx;
	enum image_state s;

	if (wn->images < 0)
		return IMAGE_UNKNOWN;
	if (store_resolve(wn->images, m->image, digest) != 0)
		return errno == EBADMSG ? IMAGE_BROKEN : IMAGE_UNKNOWN;
	/* a name of something that is not there is a broken store */
	s = image_here(ctx, digest);
	return s == IMAGE_UNKNOWN && strncmp(m->image, "sha256:", 7) != 0 ?
	    IMAGE_BROKEN : s;
}

/* What jail would find when it builds the job's root. */
static const char *
volumes(void *ctx, const struct manifest *m, const struct id32 *image,
    char why[HOST_WHY])
{
	struct warren_node *wn = ctx;
	static struct place places[PLACES_ALL];
	const char *targets[PLAN_VOLUMES_ALL];
	char path[80] = "roots/";
	_cleanup_fd_ int root = -1;

	_Static_assert(PLACES_WHY <= HOST_WHY, "room for the reason");
	hex_encode(path + strlen(path), HASH_BYTES(*image));
	root = sys_openat2(wn->images, path, O_PATH | O_DIRECTORY | O_CLOEXEC,
	    SYS_BENEATH);
	if (root < 0) {
		(void)snprintf(why, HOST_WHY, "not complete here");
		return "image";
	}
	return places_find(places, root, targets,
	    plan_targets(targets, m, wn->profile), why);
}

struct image_list {
	struct proto_image *out;
	unsigned n, max;
};
static char image_names[PROTO_IMAGES_MAX][STORE_NAME_MAX + 1];
static struct id32 image_digests[PROTO_IMAGES_MAX];

static bool
one_image(void *ctx, const char *name, const struct id32 *digest)
{
	struct image_list *l = ctx;

	(void)snprintf(image_names[l->n], sizeof(image_names[0]), "%s", name);
	image_digests[l->n] = *digest;
	l->out[l->n] = (struct proto_image){pstr_of(image_names[l->n]),
	    image_digests[l->n].b};
	l->n++;
	return l->n < l->max;
}

static unsigned
images(void *ctx, struct proto_image *out, unsigned max)
{
	struct warren_node *wn = ctx;
	struct image_list l = {out, 0, MIN_OF(max, PROTO_IMAGES_MAX)};

	/* as many as are known when the rest cannot be read */
	if (wn->images >= 0)
		(void)store_each(wn->images, one_image, &l);
	return l.n;
}

static bool
image_named(void *ctx, struct pstr text, struct id32 *digest)
{
	struct warren_node *wn = ctx;
	char name[STORE_NAME_MAX + 80];

	if (wn->images < 0 || text.n >= sizeof(name) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return false;
	pstr_copy(name, sizeof(name), text);
	return store_resolve(wn->images, name, digest) == 0;
}

static ssize_t
image_part(void *ctx, const struct id32 *image, uint64_t part,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	struct warren_node *wn = ctx;
	struct image_parts p;
	ssize_t got;

	if (parts_open(&p, wn->images, image) < 0)
		return -1;
	got = parts_part(&p, part, offset, buf, n, size);
	parts_close(&p);
	return got;
}

/* A line for each image: whoever asks can ask for it again and again. */
static void
content_bad(struct warren_node *wn, const struct id32 *image)
{
	char hex[65];

	wn->node.count.contents_bad++;
	for (unsigned i = 0; i < wn->nodd; i++)
		if (id32_eq(&wn->odd[i], image))
			return;
	if (wn->nodd == HOST_ODD_MAX)
		return;
	wn->odd[wn->nodd++] = *image;
	hex_encode(hex, HASH_BYTES(*image));
	log_warnx(hex, "what its files hold is not what it was imported with, "
	    "and is not given to others: `warren image verify` says more");
}

/* Reads of a disk that may be cold, in the loop: the rest is asked again. */
static ssize_t
image_contents(void *ctx, const struct id32 *image, struct plist digests,
    uint8_t *buf, size_t n)
{
	struct warren_node *wn = ctx;
	const struct mono end = mono_add(clock_mono(), CONTENTS_US);
	struct image_parts p;
	const uint8_t *d;
	size_t have = 0;
	ssize_t got;

	if (parts_open(&p, wn->images, image) < 0)
		return -1;
	while (plist_next(&digests, &d)) {
		/* one is given however small a slice is wanted */
		got = parts_content(&p, id32_at(d), buf + have, have == 0 ?
		    PROTO_SLICE : n - have);
		if (got < 0 && errno == EBADMSG)
			content_bad(wn, image);
		if (got <= 0)
			break;
		have += (size_t)got;
		if (have >= n || mono_reached(clock_mono(), end))
			break;
	}
	parts_close(&p);
	return have > 0 ? (ssize_t)have : -1;
}

static void
roots(void *ctx, bool (*fn)(void *, const struct id32 *), void *arg)
{
	struct warren_node *wn = ctx;

	if (wn->images >= 0)
		(void)store_each_root(wn->images, fn, arg);
}

static const char *
seccomp(void *ctx, const char *name)
{
	return start_seccomp(ctx, name) != NULL ? NULL :
	    "this node has no profile of that name";
}

void
host_fill(struct host *h, struct warren_node *wn)
{
	*h = (struct host){.ctx = wn, .random = do_random,
	    .start = start_job, .kill = start_kill,
	    .run = start_run, .watch = start_watch,
	    .freeze = start_freeze, .slow = start_slow, .usage = start_usage,
	    .bundle = evidence_send,
	    .ending = start_ending, .free_slot = start_free_slot,
	    .log_seal = log_seal, .log_read = log_read, .log_runs = log_runs,
	    .log_drop = log_drop,
	    .follow = follow, .unfollow = unfollow, .log_end = log_end,
	    .blob_has = blob_has, .blob_to_come = blob_to_come,
	    .blob_claimed = blob_claimed,
	    .blob_put = blob_put, .blob_get = blob_get,
	    .volume_begin = volume_begin, .volume_lacks = volume_lacks,
	    .chunk_of = chunk_of, .chunks_here = chunks_here,
	    .chunk_put = chunk_put,
	    .blob_held = blob_held, .blob_room = blob_room,
	    .blob_use = blob_use, .blob_drop = blob_drop,
	    .disk_free = disk_free, .disk_readonly = disk_readonly,
	    .keep_body = keep_body,
	    .load_body = load_body, .drop_body = drop_body, .forget = forget,
	    .envelope_of = envelope_of, .keep_vote = keep_vote,
	    .drop_vote = drop_vote, .keep_mail = keep_mail,
	    .drop_mail = drop_mail,
	    .events_last = peerlog_last, .events_keep = peerlog_keep,
	    .image = image, .image_here = image_here, .image_rules = image_rules, .images = images,
	    .image_named = image_named, .image_part = image_part,
	    .image_contents = image_contents,
	    .roots = roots,
	    .volumes = volumes,
	    .seccomp = seccomp};
	outbox_fill(h);
}
