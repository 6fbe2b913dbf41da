/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/tar.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* Offsets and sizes of compute.md 2.2 */
#define NAME_LEN 100
#define MODE_OFF 100
#define UID_OFF 108
#define GID_OFF 116
#define SIZE_OFF 124
#define MTIME_OFF 136
#define SUM_OFF 148
#define TYPE_OFF 156
#define LINK_OFF 157
#define MAGIC_OFF 257
#define DEVMAJOR_OFF 329
#define DEVMINOR_OFF 337
#define PREFIX_OFF 345
#define PREFIX_LEN 155

#define FOLDERS_CHUNK 256

struct folder {
	char *path;
	uint16_t mode;
};

enum state { ST_HEADER, ST_DATA, ST_PADDING, ST_END, ST_AFTER, ST_BAD };

struct tar_reader {
	enum state state;
	enum tar_err err;
	uint8_t block[TAR_BLOCK];
	size_t have;
	uint64_t left; /* of the content, or of its padding */
	unsigned members;
	bool any_links;
	struct tar_member m;
	char last[TAR_PATH_MAX + 1];
	/* ascending as the members are: found by bisection */
	struct folder *folders;
	unsigned nfolders, cap;
};

static const char *const errors[] = {
	[TAR_OK] = "good",
	[TAR_ENAME] = "a path that is not allowed",
	[TAR_EDEPTH] = "too many folders inside each other",
	[TAR_ELINK] = "a link that is too long or may lead out",
	[TAR_ETYPE] = "neither file, folder nor symbolic link",
	[TAR_ESIZE] = "a size that is not allowed",
	[TAR_EHEADER] = "not a normalised header",
	[TAR_EORDER] = "members not in ascending order",
	[TAR_EPARENT] = "a member without its folder",
	[TAR_EMEMBERS] = "too many members",
	[TAR_EPADDING] = "bytes behind a file's content",
	[TAR_EEND] = "no proper end",
	[TAR_ENOMEM] = "out of memory",
};

const char *
tar_strerror(enum tar_err e)
{
	return (unsigned)e < NELEM(errors) ? errors[e] : "unknown";
}

size_t
tar_padding(uint64_t size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* UTF-8 without C0, DEL and C1 controls */
static bool
text_ok(const char *s, size_t n)
{
	if (!utf8_valid(s, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == 0xc2 && i + 1 < n && (uint8_t)s[i + 1] < 0xa0)
			return false;
	}
	return true;
}

enum tar_err
tar_check_path(const char *path)
{
	size_t len = strnlen(path, TAR_PATH_MAX + 1), n;
	unsigned depth = 0;

	if (len == 0 || len > TAR_PATH_MAX || !text_ok(path, len))
		return TAR_ENAME;
	for (const char *p = path;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return TAR_ENAME;
		if (++depth > TAR_DEPTH_MAX)
			return TAR_EDEPTH;
		if (p[n] == '\0')
			return TAR_OK;
	}
}

enum tar_err
tar_check_link(const char *path, const char *target)
{
	size_t len = strnlen(target, TAR_LINK_MAX + 1), n;
	unsigned deep = 0, up = 0;
	bool leading = true;

	if (len == 0 || len > TAR_LINK_MAX || target[0] == '/' ||
	    !text_ok(target, len))
		return TAR_ELINK;
	for (const char *p = path; *p != '\0'; p++)
		if (*p == '/')
			deep++;
	for (const char *p = target;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			/* behind another link a `..` could lead anywhere */
			if (!leading || ++up > deep)
				return TAR_ELINK;
		} else {
			leading = false;
		}
		if (p[n] == '\0')
			return TAR_OK;
	}
}

/* width digits; false when v needs more */
static bool
octal(uint8_t *out, size_t width, uint64_t v)
{
	for (size_t i = width; i > 0; i--, v >>= 3)
		out[i - 1] = (uint8_t)('0' + (v & 7));
	return v == 0;
}

static unsigned
checksum(const uint8_t *h)
{
	unsigned sum = 8 * ' ';

	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (i < SUM_OFF || i >= SUM_OFF + 8)
			sum += h[i];
	return sum;
}

/* Over 100 bytes: cut at the first slash that leaves at most 100. */
static bool
put_path(uint8_t *out, const struct tar_member *m)
{
	char full[TAR_PATH_MAX + 2];
	size_t len = strlen(m->path), cut;

	memcpy(full, m->path, len);
	if (m->type == TAR_DIR)
		full[len++] = '/';
	if (len <= NAME_LEN) {
		memcpy(out, full, len);
		return true;
	}
	for (cut = len - NAME_LEN - 1; cut < len && full[cut] != '/'; cut++)
		;
	if (cut == 0 || cut + 1 >= len || cut > PREFIX_LEN)
		return false;
	memcpy(out + PREFIX_OFF, full, cut);
	memcpy(out, full + cut + 1, len - cut - 1);
	return true;
}

enum tar_err
tar_header(uint8_t out[TAR_BLOCK], const struct tar_member *m)
{
	static const size_t zeros[] = {UID_OFF, GID_OFF, DEVMAJOR_OFF,
	    DEVMINOR_OFF};
	enum tar_err err;

	if ((err = tar_check_path(m->path)) != TAR_OK)
		return err;
	if (m->type != TAR_FILE && m->type != TAR_LINK && m->type != TAR_DIR)
		return TAR_ETYPE;
	if (m->size > TAR_SIZE_MAX || (m->type != TAR_FILE && m->size != 0))
		return TAR_ESIZE;
	if (m->type == TAR_LINK && m->any_link && m->link[0] == '\0')
		return TAR_ELINK;
	if (m->type == TAR_LINK && !m->any_link &&
	    (err = tar_check_link(m->path, m->link)) != TAR_OK)
		return err;
	memset(out, 0, TAR_BLOCK);
	if (!put_path(out, m))
		return TAR_ENAME;
	(void)octal(out + MODE_OFF, 6,
	    m->type == TAR_LINK ? 0777 : m->mode & 0777);
	out[MODE_OFF + 6] = ' ';
	for (size_t i = 0; i < NELEM(zeros); i++) {
		(void)octal(out + zeros[i], 6, 0);
		out[zeros[i] + 6] = ' ';
	}
	(void)octal(out + SIZE_OFF, 11, m->size);
	out[SIZE_OFF + 11] = ' ';
	(void)octal(out + MTIME_OFF, 11, 0);
	out[MTIME_OFF + 11] = ' ';
	out[TYPE_OFF] = (uint8_t)m->type;
	if (m->type == TAR_LINK)
		memcpy(out + LINK_OFF, m->link, strlen(m->link));
	memcpy(out + MAGIC_OFF, "ustar\0" "00", 8);
	(void)octal(out + SUM_OFF, 6, checksum(out));
	out[SUM_OFF + 6] = '\0';
	out[SUM_OFF + 7] = ' ';
	return TAR_OK;
}

static bool
read_octal(const uint8_t *in, size_t width, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < width; i++) {
		if (in[i] < '0' || in[i] > '7')
			return false;
		v = v << 3 | (uint64_t)(in[i] - '0');
	}
	*out = v;
	return true;
}

/* Take a header apart; what is wrong with it is found by building it anew. */
static enum tar_err
parse_header(const uint8_t *h, struct tar_member *m, bool any_link)
{
	const char *c = (const char *)h;
	size_t name = strnlen(c, NAME_LEN);
	size_t prefix = strnlen(c + PREFIX_OFF, PREFIX_LEN);
	size_t link = strnlen(c + LINK_OFF, TAR_LINK_MAX);
	char full[PREFIX_LEN + 1 + NAME_LEN + 1];
	uint8_t again[TAR_BLOCK];
	uint64_t mode, size;
	enum tar_err err;
	size_t len = 0;

	memset(m, 0, sizeof(*m));
	m->any_link = any_link;
	if (prefix > 0) {
		memcpy(full, c + PREFIX_OFF, prefix);
		full[prefix] = '/';
		len = prefix + 1;
	}
	memcpy(full + len, c, name);
	len += name;
	m->type = c[TYPE_OFF];
	if (m->type != TAR_FILE && m->type != TAR_LINK && m->type != TAR_DIR)
		return TAR_ETYPE;
	if (m->type == TAR_DIR) {
		if (len < 2 || full[len - 1] != '/')
			return TAR_ENAME;
		len--;
	}
	if (len == 0 || len > TAR_PATH_MAX)
		return TAR_ENAME;
	memcpy(m->path, full, len);
	if (!read_octal(h + MODE_OFF, 6, &mode) ||
	    !read_octal(h + SIZE_OFF, 11, &size))
		return TAR_EHEADER;
	m->mode = (uint16_t)(mode & 0777);
	m->size = size;
	memcpy(m->link, c + LINK_OFF, link);
	if ((err = tar_header(again, m)) != TAR_OK)
		return err;
	return memcmp(again, h, TAR_BLOCK) == 0 ? TAR_OK : TAR_EHEADER;
}

struct tar_reader *
tar_reader_new(void)
{
	return calloc(1, sizeof(struct tar_reader));
}

void
tar_reader_any_links(struct tar_reader *r)
{
	r->any_links = true;
}

void
tar_reader_free(struct tar_reader *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; i < r->nfolders; i++)
		free(r->folders[i].path);
	free(r->folders);
	free(r);
}

static bool
folder_known(const struct tar_reader *r, const char *path, size_t len)
{
	unsigned lo = 0, hi = r->nfolders;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;
		const char *f = r->folders[mid].path;
		int c = strncmp(f, path, len);

		if (c == 0 && f[len] != '\0')
			c = 1;
		if (c == 0)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool
folder_add(struct tar_reader *r, const struct tar_member *m)
{
	if (r->nfolders == r->cap) {
		unsigned cap = r->cap + FOLDERS_CHUNK + r->cap / 2;
		struct folder *f = realloc(r->folders, cap * sizeof(*f));

		if (f == NULL)
			return false;
		r->folders = f;
		r->cap = cap;
	}
	r->folders[r->nfolders].mode = m->mode;
	if ((r->folders[r->nfolders].path = strdup(m->path)) == NULL)
		return false;
	r->nfolders++;
	return true;
}

/* What a header alone cannot tell: order, parents, number. */
static enum tar_err
take_member(struct tar_reader *r)
{
	const struct tar_member *m = &r->m;
	const char *slash = strrchr(m->path, '/');

	if (r->members == TAR_MEMBERS_MAX)
		return TAR_EMEMBERS;
	if (r->members > 0 && strcmp(r->last, m->path) >= 0)
		return TAR_EORDER;
	if (slash != NULL &&
	    !folder_known(r, m->path, (size_t)(slash - m->path)))
		return TAR_EPARENT;
	if (m->type == TAR_DIR && !folder_add(r, m))
		return TAR_ENOMEM;
	r->members++;
	memcpy(r->last, m->path, sizeof(r->last));
	return TAR_OK;
}

static bool
all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static enum tar_event
bad(struct tar_reader *r, enum tar_err err)
{
	r->state = ST_BAD;
	r->err = err;
	return TAR_BAD;
}

/* Collect one block; false when the input ends first. */
static bool
fill_block(struct tar_reader *r, const uint8_t **in, size_t *in_len)
{
	size_t n = MIN_OF(TAR_BLOCK - r->have, *in_len);

	memcpy(r->block + r->have, *in, n);
	r->have += n;
	*in += n;
	*in_len -= n;
	if (r->have < TAR_BLOCK)
		return false;
	r->have = 0;
	return true;
}

static enum tar_event
read_header(struct tar_reader *r, const struct tar_member **m)
{
	enum tar_err err;

	if (all_zero(r->block, TAR_BLOCK)) {
		r->state = ST_END;
		return TAR_MORE;
	}
	if ((err = parse_header(r->block, &r->m, r->any_links)) != TAR_OK ||
	    (err = take_member(r)) != TAR_OK)
		return bad(r, err);
	r->left = r->m.size;
	r->state = r->left > 0 ? ST_DATA : ST_HEADER;
	*m = &r->m;
	return TAR_MEMBER;
}

enum tar_event
tar_read(struct tar_reader *r, const struct tar_member **m,
    const uint8_t **data, size_t *n, const uint8_t **in, size_t *in_len)
{
	if (r->state == ST_BAD)
		return TAR_BAD;
	while (*in_len > 0) {
		size_t k = (size_t)MIN_OF(r->left, (uint64_t)*in_len);

		switch (r->state) {
		case ST_HEADER:
			if (!fill_block(r, in, in_len))
				break;
			if (read_header(r, m) == TAR_MEMBER)
				return TAR_MEMBER;
			break;
		case ST_DATA:
			*data = *in;
			*n = k;
			*in += k;
			*in_len -= k;
			if ((r->left -= k) == 0) {
				r->left = tar_padding(r->m.size);
				r->state = r->left > 0 ? ST_PADDING : ST_HEADER;
			}
			return TAR_DATA;
		case ST_PADDING:
			if (!all_zero(*in, k))
				return bad(r, TAR_EPADDING);
			*in += k;
			*in_len -= k;
			if ((r->left -= k) == 0)
				r->state = ST_HEADER;
			break;
		case ST_END:
			if (!fill_block(r, in, in_len))
				break;
			if (!all_zero(r->block, TAR_BLOCK))
				return bad(r, TAR_EEND);
			r->state = ST_AFTER;
			break;
		case ST_AFTER:
			return bad(r, TAR_EEND);
		case ST_BAD:
			return TAR_BAD;
		}
		if (r->state == ST_BAD)
			return TAR_BAD;
	}
	return TAR_MORE;
}

enum tar_err
tar_reader_end(struct tar_reader *r)
{
	if (r->state == ST_BAD)
		return r->err;
	if (r->state != ST_AFTER)
		(void)bad(r, TAR_EEND);
	return r->err;
}

enum tar_err
tar_reader_error(const struct tar_reader *r)
{
	return r->err;
}

unsigned
tar_reader_folders(const struct tar_reader *r)
{
	return r->nfolders;
}

const char *
tar_reader_folder(const struct tar_reader *r, unsigned i, uint16_t *mode)
{
	if (i >= r->nfolders)
		return NULL;
	*mode = r->folders[i].mode;
	return r->folders[i].path;
}
