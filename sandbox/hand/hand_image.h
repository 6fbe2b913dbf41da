/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_IMAGE_H
#define WARREN_SANDBOX_HAND_HAND_IMAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_path.h"
#include "common/platform.h"
#include "sandbox/plan/about.h"
#include "sandbox/plan/record.h"

/*
 * The image that an import is at, for the files of warren-hand that make one:
 * hand_import.c (documents and layers, the step), hand_plain.c (a folder),
 * hand_choose.c (one of several), hand_config.c (what it says of itself).
 */
struct image {
	json_t *config; /* holds the texts of record and about */
	struct platform here;
	struct image_record rec;
	struct image_about about;
	char note[IMAGE_NOTE_MAX];
};

/* Another thing that was ignored. */
void image_note(struct image *, const char *text);

/* ---- hand_config.c ---- */

/* From img->config into record and about. 0, or -1: why is set. */
int image_take_config(struct import *, struct image *);
/* The list of what its layers are without compression, or NULL: none is given. */
const json_t *image_diff_ids(const struct image *);
/*
 * Layer i is there: into about. It must be what the configuration says, when it
 * says it (want: its word). 0, or -1: why is set.
 */
int image_layer(struct import *, struct image *, const struct reader_sums *,
    const char *want);
/* about, into a file of the import's own folder. */
int image_write_about(struct import *, struct image *);

/* ---- hand_choose.c ---- */

/* The one of an index that is meant; named: by a name. NULL: why is set. */
const json_t *image_choose(struct import *, const struct platform *,
    const json_t *manifests, bool named);
/* The same of the list in manifest.json. */
const json_t *image_choose_saved(struct import *, const json_t *list);

/* ---- hand_import.c ---- */

/* The image of one layer, and an empty configuration. 0 or -1. */
int image_plain(struct import *, struct image *, const struct reader_sums *);
/* Begin and end of the step; finish gives its exit status. */
bool image_start(struct import *, struct image *, bool share);
int image_finish(struct import *, struct image *, int rv);

#endif
