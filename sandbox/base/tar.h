/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_TAR_H
#define WARREN_SANDBOX_BASE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The normalised tar of compute.md 2.2: one folder has one digest wherever it
 * is packed. Pure: bytes in, members out, and back. The reader accepts what
 * the writer makes and nothing else: it takes a header apart, builds it anew
 * and wants the same 512 bytes.
 */
#define TAR_BLOCK 512
#define TAR_PATH_MAX 255 /* without a folder's last slash */
#define TAR_DEPTH_MAX 32
#define TAR_MEMBERS_MAX 65536
#define TAR_LINK_MAX 100
#define TAR_SIZE_MAX 077777777777u /* 11 octal digits */

#define TAR_FILE '0'
#define TAR_LINK '2'
#define TAR_DIR '5'

enum tar_err {
	TAR_OK,
	TAR_ENAME,     /* not a legal path, or it cannot be split */
	TAR_EDEPTH,    /* more than TAR_DEPTH_MAX components */
	TAR_ELINK,     /* a link that may lead out, or is too long */
	TAR_ETYPE,     /* no file, folder or link */
	TAR_ESIZE,     /* too large, or content where there is none */
	TAR_EHEADER,   /* not the header that the writer makes */
	TAR_EORDER,    /* twice, or not ascending */
	TAR_EPARENT,   /* its folder is not an earlier member */
	TAR_EMEMBERS,  /* more than TAR_MEMBERS_MAX */
	TAR_EPADDING,  /* not NUL behind content */
	TAR_EEND,      /* end missing, or bytes behind it */
	TAR_ENOMEM,
};
/* A literal for people. */
const char *tar_strerror(enum tar_err);

struct tar_member {
	char path[TAR_PATH_MAX + 1]; /* no slash at the end */
	char type;                   /* TAR_FILE, TAR_LINK, TAR_DIR */
	uint16_t mode;               /* 0 to 0777; ignored for links */
	uint64_t size;               /* of a file's content */
	char link[TAR_LINK_MAX + 1]; /* a link's target */
	bool any_link; /* of an image's root: its target is not judged */
};

/* Is this a path that a member may have? */
enum tar_err tar_check_path(const char *path);
/* Is this a target that a link at `path` may have? */
enum tar_err tar_check_link(const char *path, const char *target);
/* Build a member's header; everything is checked. out is undefined on error. */
enum tar_err tar_header(uint8_t out[TAR_BLOCK], const struct tar_member *);
/* NULs behind a content of size bytes. */
size_t tar_padding(uint64_t size);

struct tar_reader; /* about 100 kB, and the paths of the folders seen */

/* NULL: out of memory. */
struct tar_reader *tar_reader_new(void);
/* NULL is fine. */
void tar_reader_free(struct tar_reader *);
/* For the files of an image, whose links are followed inside it only. */
void tar_reader_any_links(struct tar_reader *);

enum tar_event {
	TAR_MORE,   /* all of the input is consumed */
	TAR_MEMBER, /* *m is a new member */
	TAR_DATA,   /* data, n: content of the present file */
	TAR_BAD,    /* refused: tar_reader_error(); sticky */
};
/*
 * Take bytes of the archive, cut anywhere, and advance *in; call until it
 * says TAR_MORE. m and data stay valid until the next call (data points into
 * the input).
 */
enum tar_event tar_read(struct tar_reader *, const struct tar_member **m,
    const uint8_t **data, size_t *n, const uint8_t **in, size_t *in_len);
/* At the end of the input: TAR_OK, or why the archive is not whole. */
enum tar_err tar_reader_end(struct tar_reader *);
/* Why it said TAR_BAD, or tar_reader_end() was not content. */
enum tar_err tar_reader_error(const struct tar_reader *);
/* The folders seen, in order: their modes are set when all is written. */
unsigned tar_reader_folders(const struct tar_reader *);
const char *tar_reader_folder(const struct tar_reader *, unsigned i,
    uint16_t *mode);

#endif
