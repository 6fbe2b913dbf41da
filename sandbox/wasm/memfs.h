/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_MEMFS_H
#define WARREN_SANDBOX_WASM_MEMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/wasm/wasierr.h"

/*
 * A volume of a module as a tree in memory, filled from the normalised tar of
 * compute.md 2.2 and packed to it: nothing that the module does to files reaches
 * the kernel's. Pure. What it says are numbers of wasi_errno, 0 is success.
 *
 * Content and names are bounded at the start; growing beyond is NOSPC. One that
 * may be written is to fit a tmpfs of these bounds when it is packed and
 * unpacked there, and is counted as that would count it: content by pages, the
 * root and each name of a file as a node, and, since an archive has no second
 * names, the content once for each name. Paths lead nowhere but beneath the folder that they begin at: `..` above it, an
 * absolute path and a link that leads there are NOTCAPABLE.
 */
#define MEMFS_NODES 65536
#define MEMFS_PAGE 4096
#define MEMFS_LINK_INNER 127 /* bytes of a link's target that take no page */
#define MEMFS_NAME 255
#define MEMFS_PATH 4096
#define MEMFS_LINKS 40 /* followed on one way */

enum memfs_kind { MEMFS_DIR = 3, MEMFS_FILE = 4, MEMFS_LINK = 7 }; /* WASI's */

struct mnode;
struct memfs;

/* bytes: rounded up to pages; of one that is only read, as they are. */
struct memfs *memfs_new(uint64_t bytes, uint32_t nodes, bool writable);
void memfs_free(struct memfs *); /* NULL is fine; no node is open */
struct mnode *memfs_root(struct memfs *);
bool memfs_writable(const struct memfs *);

struct memfs_stat {
	enum memfs_kind kind;
	uint64_t ino, size, links, accessed, modified, changed; /* ns */
};
void memfs_stat(const struct mnode *, struct memfs_stat *);
enum memfs_kind memfs_kind(const struct mnode *);

/* An open node stays, though its last name goes. */
void memfs_open(struct mnode *);
void memfs_close(struct memfs *, struct mnode *);

/* Where a path leads: a node, or the place where one could be made. */
struct memfs_at {
	struct mnode *dir; /* NULL: node is the folder it began at */
	char name[MEMFS_NAME + 1];
	struct mnode *node; /* NULL: there is none */
	bool must_dir;	    /* a slash at the end */
};
/* follow: the last component too, when it is a link. */
enum wasi_errno memfs_find(struct mnode *from, const char *path, size_t len,
    bool follow, struct memfs_at *);

/* now: ns, for the times of what changes. */
enum wasi_errno memfs_make(struct memfs *, const struct memfs_at *,
    enum memfs_kind, uint64_t now, struct mnode **out);
enum wasi_errno memfs_symlink(struct memfs *, const struct memfs_at *,
    const char *target, size_t len, uint64_t now);
enum wasi_errno memfs_hardlink(struct memfs *, struct mnode *,
    const struct memfs_at *to, uint64_t now);
enum wasi_errno memfs_remove(struct memfs *, const struct memfs_at *,
    bool dir, uint64_t now);
enum wasi_errno memfs_rename(struct memfs *, const struct memfs_at *from,
    const struct memfs_at *to, uint64_t now);

/* A link's target; not ended by a NUL. */
const char *memfs_target(const struct mnode *, size_t *len);
size_t memfs_read(const struct mnode *, uint64_t off, void *, size_t);
enum wasi_errno memfs_write(struct memfs *, struct mnode *, uint64_t off,
    const void *, size_t, uint64_t now);
enum wasi_errno memfs_resize(struct memfs *, struct mnode *, uint64_t size,
    uint64_t now);
void memfs_times(struct mnode *, uint64_t accessed, uint64_t modified);

/* Entries behind a cookie, in the order in which they were made; 0: all. */
struct memfs_entry {
	const char *name;
	const struct mnode *node;
	uint64_t cookie;
};
bool memfs_next(struct mnode *dir, uint64_t cookie, struct memfs_entry *);

/*
 * Fill an empty tree from an archive that comes in pieces: memfs_fill_begin(),
 * memfs_fill() for each, memfs_fill_end(). NULL, or what is wrong: a literal.
 */
struct memfs_fill;
struct memfs_fill *memfs_fill_begin(struct memfs *);
const char *memfs_fill(struct memfs_fill *, const void *, size_t);
const char *memfs_fill_end(struct memfs_fill *); /* frees */

/*
 * Pack it. sink: 0, or -1 to stop. 0 or -1; *left: how many have no form in an
 * archive, such as a name with control characters.
 */
int memfs_pack(struct memfs *, int (*sink)(void *, const void *, size_t),
    void *arg, uint32_t *left);

#endif
