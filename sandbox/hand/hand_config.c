/* SPDX-License-Identifier: BSD-2-Clause */
/* What an image says of itself: its configuration. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/hand/hand_image.h"

void
image_note(struct image *img, const char *text)
{
	size_t n = strlen(img->note);

	(void)snprintf(img->note + n, sizeof(img->note) - n, "%s%s",
	    n > 0 ? "; " : "", text);
}

static int
take_texts(struct import *im, const json_t *list, const char **out,
    uint32_t *count, uint32_t max)
{
	size_t i;
	json_t *v;

	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return import_fail(im, "configuration: a list of text");
	json_array_foreach (list, i, v) {
		if (!json_is_string(v) || *count >= max ||
		    strlen(json_string_value(v)) != json_string_length(v))
			return import_fail(im, "configuration: a list of text");
		out[(*count)++] = json_string_value(v);
	}
	return 0;
}

static bool
env_name_ok(const char *s)
{
	size_t n = strcspn(s, "=");

	if (n == 0 || s[n] != '=' || n > 128 || strlen(s + n) > 4097)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' &&
		    s[i] <= 'z') || s[i] == '_' || (i > 0 && s[i] >= '0' &&
		    s[i] <= '9')))
			return false;
	return true;
}

static const char *
text_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);

	/* one with a NUL in it is none */
	return s != NULL && strlen(s) == json_string_length(v) ? s : NULL;
}

static bool
has_room(size_t *left, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text);

	if (n > *left)
		return false;
	*left -= n;
	return true;
}

/* For people; what has no room is left out, and labels are counted. */
static void
take_about(struct image *img, const json_t *c)
{
	struct image_about *a = &img->about;
	const struct {
		const char **to;
		const json_t *of;
		const char *name;
	} texts[] = {{&a->os, img->config, "os"},
	    {&a->arch, img->config, "architecture"},
	    {&a->variant, img->config, "variant"}, {&a->user, c, "User"},
	    {&a->created, img->config, "created"},
	    {&a->author, img->config, "author"}};
	size_t left = ABOUT_TEXT_BYTES;
	const char *name;
	json_t *labels = json_object_get(c, "Labels"), *v;

	for (size_t i = 0; i < NELEM(texts); i++) {
		const char *s = text_of(texts[i].of, texts[i].name);

		if (has_room(&left, s))
			*texts[i].to = s;
	}
	json_object_foreach(labels, name, v) {
		const char *value = json_string_value(v);

		if (value == NULL || strlen(value) != json_string_length(v) ||
		    a->nlabels == ABOUT_LABELS_MAX ||
		    strlen(name) + strlen(value) > left) {
			a->lost++;
			continue;
		}
		left -= strlen(name) + strlen(value);
		a->labels[a->nlabels][0] = name;
		a->labels[a->nlabels++][1] = value;
	}
}

static int
check_platform(struct import *im, const struct image *img)
{
	const char *arch = text_of(img->config, "architecture");
	const char *os = text_of(img->config, "os");
	const char *variant = text_of(img->config, "variant");

	if (platform_rank(&img->here, os, arch, variant) >= 0)
		return 0;
	if (os != NULL && os[0] != '\0' && strcmp(os, img->here.os) != 0)
		return import_fail(im, "image for %.20s, not for linux", os);
	return import_fail(im, "image for %.20s%s%.10s, this machine is %s",
	    arch == NULL ? "" : arch, variant == NULL ? "" : "/",
	    variant == NULL ? "" : variant, img->here.arch);
}

int
image_take_config(struct import *im, struct image *img)
{
	const json_t *c = json_object_get(img->config, "config");
	const char *cwd, *user;
	uint32_t all = 0;

	if (!json_is_object(img->config))
		return import_fail(im, "configuration: it is no object");
	if (check_platform(im, img) < 0)
		return -1;
	if (take_texts(im, json_object_get(c, "Entrypoint"), img->rec.argv,
	    &img->rec.argc, IMAGE_ARGS_MAX) < 0 ||
	    take_texts(im, json_object_get(c, "Cmd"), img->rec.argv,
	    &img->rec.argc, IMAGE_ARGS_MAX) < 0 ||
	    take_texts(im, json_object_get(c, "Env"), img->rec.env, &all,
	    IMAGE_ENV_MAX) < 0)
		return -1;
	for (uint32_t i = 0; i < all; i++) {
		if (env_name_ok(img->rec.env[i]))
			img->rec.env[img->rec.envc++] = img->rec.env[i];
		else
			image_note(img, "an environment variable was left out");
	}
	cwd = json_string_value(json_object_get(c, "WorkingDir"));
	img->rec.cwd = cwd == NULL || cwd[0] != '/' ? "/" : cwd;
	user = json_string_value(json_object_get(c, "User"));
	if (user != NULL && user[0] != '\0' && strcmp(user, "1000") != 0)
		image_note(img, "its user is ignored: jobs run as 1000");
	take_about(img, c);
	return 0;
}

const json_t *
image_diff_ids(const struct image *img)
{
	const json_t *ids = json_object_get(json_object_get(img->config,
	    "rootfs"), "diff_ids");

	return json_is_array(ids) ? ids : NULL;
}

int
image_layer(struct import *im, struct image *img,
    const struct reader_sums *sums, const char *want)
{
	struct about_layer *l = &img->about.layers[img->about.nlayers];
	char hex[65];

	hex_encode(hex, HASH_BYTES(sums->diff));
	if (want != NULL && (strncmp(want, "sha256:", 7) != 0 ||
	    strcmp(want + 7, hex) != 0))
		return import_fail(im, "its content has another digest than "
		    "the configuration says");
	*l = (struct about_layer){.digest = sums->raw, .diff = sums->diff,
	    .size = sums->raw_bytes, .bytes = sums->diff_bytes};
	img->about.nlayers++;
	img->rec.layers++;
	return 0;
}

int
image_write_about(struct import *im, struct image *img)
{
	static uint8_t buf[IMAGE_ABOUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	_cleanup_fd_ int fd = openat(im->v, "about", O_WRONLY | O_CREAT |
	    O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	img->about.digest = img->rec.digest;
	image_about_encode(&w, &img->about);
	if (!wr_ok(&w))
		return import_fail(im, "what it says of itself is too large");
	if (fd < 0 || write_full(fd, buf, w.len) < 0 || fchmod(fd, 0444) < 0)
		return import_fail(im, "what it says of itself cannot be "
		    "kept: %s", strerror(errno));
	return 0;
}
