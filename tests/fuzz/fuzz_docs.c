/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The documents of an image as they lie in its folder: what is found by a path
 * of a stranger, read as JSON, and taken for the blob that a descriptor names.
 * The first byte says in which form; the document follows.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/file.h"
#include "common/util.h"
#include "sandbox/hand/hand_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

#define DEPTH_MAX 32 /* of hand_docs.c */
#define PART "blobs/sha256/"

static int folder = -1, doc = -1;

static void
must(bool so)
{
	if (!so)
		abort();
}

/* A folder that nobody else finds; what is in it goes with the process. */
static void
folder_new(void)
{
	char path[] = "/tmp/fuzz_docs.XXXXXX";

	must(mkdtemp(path) != NULL);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(folder >= 0 && rmdir(path) == 0);
	doc = memfd_create("doc", MFD_CLOEXEC);
	must(doc >= 0);
}

static void
digest(struct id32 *out, const uint8_t *p, size_t n)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, sizeof(out->b), out->b);
}

static unsigned
depth(const json_t *v)
{
	unsigned most = 0, n;
	const json_t *x;
	void *at;

	if (!json_is_array(v) && !json_is_object(v))
		return 0;
	for (size_t i = 0; i < json_array_size(v); i++) {
		n = depth(json_array_get(v, i));
		most = MAX_OF(most, n);
	}
	for (at = json_object_iter((json_t *)(uintptr_t)v); at != NULL;
	    at = json_object_iter_next((json_t *)(uintptr_t)v, at)) {
		x = json_object_iter_value(at);
		n = depth(x);
		most = MAX_OF(most, n);
	}
	return most + 1;
}

/* As a path, and what a descriptor names: nothing of it is there. */
static void
found(struct import *im, const json_t *v, const char *text)
{
	struct id32 id;

	must(docs_open(im, text) < 0 || text[0] == '\0' ||
	    strspn(text, "./") == strlen(text));
	(void)docs_has(im, text);
	im->why[0] = '\0';
	must(docs_blob(im, v, ".tar", &id) < 0 && im->why[0] != '\0');
	must(docs_layer(im, v, json_string_value(json_object_get(v, "diff")),
	    &id) < 0);
	im->flat = true;
	must(docs_blob(im, v, ".tar", &id) < 0);
	im->flat = false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct import im;
	struct id32 is, got;
	uint64_t size;
	char *text;
	json_t *v;

	if (n < 1)
		return 0;
	if (folder < 0)
		folder_new();
	memset(&im, 0, sizeof(im));
	im.src = folder;
	im.ask = -1;
	must((text = malloc(n)) != NULL);
	memcpy(text, p + 1, n - 1);
	text[n - 1] = '\0';
	must(ftruncate(doc, 0) == 0 && lseek(doc, 0, SEEK_SET) == 0 &&
	    write_full(doc, p + 1, n - 1) == 0);
	digest(&is, p + 1, n - 1);
	must(docs_digest(doc, &got, &size) == 0 && id32_eq(&is, &got) &&
	    size == n - 1);
	/* what has changed since is not read */
	got.b[p[0] & 31] ^= 1;
	must(docs_json(&im, doc, "doc", &got) == NULL && im.why[0] != '\0');
	im.why[0] = '\0';
	v = docs_json(&im, doc, "doc", &is);
	must((v == NULL) == (im.why[0] != '\0'));
	must(strnlen(im.why, sizeof(im.why)) < sizeof(im.why));
	if (v != NULL) {
		must(depth(v) <= DEPTH_MAX);
		fuzz_taken++;
	}
	found(&im, v, text);
	json_decref(v);
	free(text);
	return 0;
}
