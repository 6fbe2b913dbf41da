/* SPDX-License-Identifier: BSD-2-Clause */
/* warren image inspect IMAGE: all that is known of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/ydoc.h"
#include "node/cli/ask.h"
#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/imagedir.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "node/config/profile.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/about.h"

struct inspect {
	struct cli *c;
	int images;
	struct id32 digest;
	json_t *o;
};

/* Texts of strangers: JSON has no bytes that are no UTF-8. */
static json_t *
text(const char *s)
{
	char *safe;
	json_t *v;

	if (s == NULL || utf8_valid(s, strlen(s)))
		return json_string(s == NULL ? "" : s);
	safe = malloc(4 * strlen(s) + 1);
	if (safe == NULL)
		return json_string("");
	(void)text_escape(safe, 4 * strlen(s) + 1, s, strlen(s));
	v = json_string(safe);
	free(safe);
	return v;
}

static json_t *
texts(const char *const *v, uint32_t n)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < n; i++)
		(void)json_array_append_new(list, text(v[i]));
	return list;
}

static json_t *
digest_text(const struct id32 *digest)
{
	char out[72] = "sha256:";

	hex_encode(out + 7, HASH_BYTES(*digest));
	return json_string(out);
}

static void
put(json_t *o, const char *key, json_t *steal)
{
	(void)json_object_set_new(o, key, steal);
}

/* ---- its record ---- */

static int
add_record(struct inspect *k)
{
	static uint8_t buf[IMAGE_RECORD_MAX];
	struct image_record r;
	char name[80] = "meta/";
	struct stat st;

	if (store_record(k->images, &k->digest, buf, &r) < 0) {
		cli_error(k->c, "its record cannot be read: %s",
		    strerror(errno));
		cli_hint(k->c, "Import it again.");
		return CLI_FAILED;
	}
	put(k->o, "digest", digest_text(&k->digest));
	put(k->o, "command", texts(r.argv, r.argc));
	put(k->o, "environment", texts(r.env, r.envc));
	put(k->o, "workdir", text(r.cwd));
	put(k->o, "bytes", json_integer((json_int_t)r.bytes));
	put(k->o, "members", json_integer(r.members));
	put(k->o, "left_out", json_integer(r.dropped));
	put(k->o, "note", text(r.note));
	hex_encode(name + 5, HASH_BYTES(k->digest));
	if (fstatat(k->images, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		put(k->o, "imported", json_integer((json_int_t)st.st_mtime));
	return CLI_OK;
}

/* ---- what it says of itself, and layers that others have ---- */

static bool
load_about(int images, const struct id32 *digest, uint8_t *buf,
    struct image_about *a)
{
	_cleanup_fd_ int meta = dir_open(images, "meta", false, 0);
	char name[80];
	ssize_t n;

	hex_encode(name, HASH_BYTES(*digest));
	(void)snprintf(name + 64, sizeof(name) - 64, ".about");
	n = meta < 0 ? -1 : file_read(meta, name, buf, IMAGE_ABOUT_MAX);
	return n >= 0 && image_about_parse(buf, (size_t)n, a);
}

struct common {
	int images;
	const struct image_about *of;
	unsigned others[ABOUT_LAYERS_MAX]; /* images that have layer i too */
};

static bool
count_layers(void *ctx, const struct id32 *digest)
{
	static uint8_t buf[IMAGE_ABOUT_MAX];
	static struct image_about a;
	struct common *m = ctx;

	if (id32_eq(digest, &m->of->digest) ||
	    !load_about(m->images, digest, buf, &a))
		return true;
	for (uint32_t i = 0; i < m->of->nlayers; i++)
		for (uint32_t j = 0; j < a.nlayers; j++)
			if (id32_eq(&m->of->layers[i].diff,
			    &a.layers[j].diff)) {
				m->others[i]++;
				break;
			}
	return true;
}

static void
add_about(struct inspect *k)
{
	static uint8_t buf[IMAGE_ABOUT_MAX];
	static struct image_about a;
	struct common m = {.images = k->images, .of = &a};
	json_t *layers = json_array(), *labels = json_object();

	if (load_about(k->images, &k->digest, buf, &a)) {
		(void)store_each_root(k->images, count_layers, &m);
		put(k->o, "config", digest_text(&a.config));
		put(k->o, "created", text(a.created));
		put(k->o, "author", text(a.author));
		put(k->o, "os", text(a.os));
		put(k->o, "architecture", text(a.arch));
		put(k->o, "variant", text(a.variant));
		put(k->o, "user", text(a.user));
	}
	for (uint32_t i = 0; i < a.nlabels; i++) {
		/* a key in JSON is text too */
		json_t *key = text(a.labels[i][0]);

		put(labels, json_string_value(key), text(a.labels[i][1]));
		json_decref(key);
	}
	for (uint32_t i = 0; i < a.nlayers; i++)
		(void)json_array_append_new(layers, json_pack(
		    "{s:o,s:o,s:I,s:I,s:I}", "digest",
		    digest_text(&a.layers[i].digest), "diff_id",
		    digest_text(&a.layers[i].diff), "size",
		    (json_int_t)a.layers[i].size, "bytes",
		    (json_int_t)a.layers[i].bytes, "others",
		    (json_int_t)m.others[i]));
	put(k->o, "labels", labels);
	put(k->o, "labels_left_out", json_integer(a.lost));
	put(k->o, "layers", layers);
}

static void
add_weight(struct inspect *k)
{
	char path[80] = "roots/";
	_cleanup_fd_ int root = -1;
	_cleanup_free_ char *list = NULL;
	uint64_t alone = 0, shared = 0;
	size_t len;

	hex_encode(path + 6, HASH_BYTES(k->digest));
	root = openat(k->images, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	list = root < 0 ? NULL : store_list(k->images, &k->digest, &len);
	if (list == NULL || share_weigh(root, (const uint8_t *)list, len,
	    &alone, &shared) != 0)
		return; /* `warren image verify` says what is wrong */
	put(k->o, "alone", json_integer((json_int_t)alone));
	put(k->o, "shared", json_integer((json_int_t)shared));
}

/* Is what others need to pull it kept? */
static void
add_parts(struct inspect *k)
{
	char path[80] = "meta/";

	hex_encode(path + 5, HASH_BYTES(k->digest));
	(void)snprintf(path + 69, sizeof(path) - 69, ".parts");
	put(k->o, "for_others", json_boolean(faccessat(k->images, path, F_OK,
	    0) == 0));
}

/* ---- who means it ---- */

static bool
add_name(void *ctx, const char *name, const struct id32 *digest)
{
	struct inspect *k = ctx;

	if (id32_eq(digest, &k->digest))
		(void)json_array_append_new(json_object_get(k->o, "names"),
		    json_string(name));
	return true;
}

/* Of jobs that are not over, by the node that runs here. */
static void
add_jobs(struct inspect *k)
{
	json_t *list = json_array(), *all = json_object(), *v;
	char hex[65];
	size_t i;

	put(k->o, "jobs", list);
	hex_encode(hex, HASH_BYTES(k->digest));
	if (ask_possible(k->c, ASK_NODE) && ask_answers(k->c, ASK_NODE) &&
	    ask_whole(k->c, ASK_NODE, "jobs", all) == CLI_OK)
		json_array_foreach(json_object_get(all, "jobs"), i, v) {
			const char *state = ask_text(v, "state");

			if (strcmp(ask_text(v, "image"), hex) == 0 &&
			    cli_job_goes_on(state))
				(void)json_array_append_new(list, json_pack(
				    "{s:s,s:s}", "id", ask_text(v, "id"),
				    "state", state));
		}
	json_decref(all);
}

static void
add_profile(struct inspect *k, int profiles, const char *file, json_t *list)
{
	struct mistakes m = {0};
	struct profile *p;
	struct id32 digest;
	size_t len, n = strlen(file);
	_cleanup_free_ char *yaml = n < 6 ||
	    strcmp(file + n - 5, ".yaml") != 0 ? NULL :
	    file_load(profiles, file, YDOC_BYTES_MAX, &len);

	if (yaml == NULL || profile_parse(&p, yaml, len, &m) < 0)
		return;
	if (p->image != NULL && store_resolve(k->images, p->image, &digest) ==
	    0 && id32_eq(&digest, &k->digest))
		(void)json_array_append_new(list, json_stringn(file, n - 5));
	profile_free(p);
}

static void
add_profiles(struct inspect *k)
{
	char dir[CLI_PATH], path[CLI_PATH];
	json_t *list = json_array();
	struct dirent *de;
	DIR *d = NULL;

	put(k->o, "profiles", list);
	if (cli_config_dir(k->c, dir) && cli_path(path, dir, "profiles"))
		d = opendir(path);
	while (d != NULL && (de = readdir(d)) != NULL)
		add_profile(k, dirfd(d), de->d_name, list);
	if (d != NULL)
		(void)closedir(d);
}

/* ---- for people ---- */

static void
line(const char *head, const char *value)
{
	char safe[1024];

	if (value == NULL || value[0] == '\0')
		return;
	(void)text_printable(safe, sizeof(safe), value, strlen(value));
	printf("%-13s%s\n", head, safe);
}

static void
lines(const char *head, const json_t *list)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		line(i == 0 ? head : "", json_is_string(v) ?
		    json_string_value(v) : ask_text(v, "id"));
}

static void
print_layers(const json_t *list)
{
	char size[24], bytes[24];
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		printf("%-13s%.19s %s, %s unpacked%s\n", i == 0 ? "layers" :
		    "", ask_text(v, "digest"), cli_bytes(size,
		    (uint64_t)ask_int(v, "size")), cli_bytes(bytes,
		    (uint64_t)ask_int(v, "bytes")), ask_int(v, "others") > 0 ?
		    ", shared" : "");
}

static void
print(const json_t *o)
{
	char size[24], other[24], when[24], all[512];
	const char *key;
	json_t *v;

	line("digest", ask_text(o, "digest"));
	lines("names", json_object_get(o, "names"));
	line("imported", cli_time(when, ask_int(o, "imported")));
	line("created", ask_text(o, "created"));
	line("author", ask_text(o, "author"));
	(void)snprintf(all, sizeof(all), "%s/%s%s%s", ask_shown(o, "os"),
	    ask_shown(o, "architecture"), ask_text(o, "variant")[0] != '\0' ?
	    "/" : "", ask_text(o, "variant"));
	line("platform", strcmp(all, "-/-") == 0 || strcmp(all, "/") == 0 ?
	    "" : all);
	line("config", ask_text(o, "config"));
	lines("command", json_object_get(o, "command"));
	lines("environment", json_object_get(o, "environment"));
	line("workdir", ask_text(o, "workdir"));
	line("user", ask_text(o, "user"));
	json_object_foreach(json_object_get(o, "labels"), key, v) {
		(void)snprintf(all, sizeof(all), "%.200s=%.300s", key,
		    json_string_value(v));
		line("label", all);
	}
	print_layers(json_object_get(o, "layers"));
	printf("%-13s%s in %lld members", "files", cli_bytes(size,
	    (uint64_t)ask_int(o, "bytes")), (long long)ask_int(o, "members"));
	if (json_object_get(o, "alone") != NULL)
		printf(": %s its own, %s shared with others", cli_bytes(size,
		    (uint64_t)ask_int(o, "alone")), cli_bytes(other,
		    (uint64_t)ask_int(o, "shared")));
	printf("\n");
	if (json_is_true(json_object_get(o, "for_others")))
		line("others", "may pull it from here, by image_serve of "
		    "node.yaml");
	line("note", ask_text(o, "note"));
	lines("jobs", json_object_get(o, "jobs"));
	lines("profiles", json_object_get(o, "profiles"));
}

int
verb_image_inspect(struct cli *c, int argc, char **argv)
{
	struct inspect k = {.c = c, .images = -1};
	int rc = cli_options(c, VERB_IMAGE_INSPECT, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	k.images = imagedir_open(c, false, &rc);
	if (k.images < 0 && rc != CLI_OK)
		return rc;
	rc = imagedir_find(c, k.images, argv[c->arg], &k.digest);
	k.o = json_object();
	put(k.o, "names", json_array());
	if (rc == CLI_OK && (rc = add_record(&k)) == CLI_OK) {
		if (store_each(k.images, add_name, &k) < 0) {
			cli_error(c, "the store cannot be read: %s",
			    store_why(errno));
			rc = CLI_FAILED;
		}
	}
	if (rc == CLI_OK) {
		add_about(&k);
		add_weight(&k);
		add_parts(&k);
		add_jobs(&k);
		add_profiles(&k);
		if (c->json)
			cli_json(json_incref(k.o));
		else
			print(k.o);
	}
	json_decref(k.o);
	if (k.images >= 0)
		(void)close(k.images);
	return rc;
}
