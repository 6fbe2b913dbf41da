/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_KLPDIR_H
#define WARREN_TRUST_KLPDIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "common/file.h"
#include "common/fp.h"

/*
 * Files of authorities: the operator's klp/ (klp.md 1.2, 1.7), which is only
 * read, and what is kept of them, in warren/trust/klp/. No link is followed.
 */
struct klpdir {
	int klp;  /* or -1: none of the operator's */
	int kept; /* or -1 */
};

/* All: an own allocation, or NULL with errno. */
uint8_t *klpdir_root(const struct klpdir *, const char *authority, size_t max,
    size_t *len);
/* documents/AUTHORITY/PATH and its SUFFIX: a small one. */
uint8_t *klpdir_document(const struct klpdir *, const char *authority,
    const char *path, const char *suffix, size_t max, size_t *len);
/* One that is read in turns: 0 or -1 with errno. */
int klpdir_document_in(const struct klpdir *, struct file_in *,
    const char *authority, const char *path, size_t max);
/* The frames of self-revoked/ and those kept, at most max of them. */
typedef void klpdir_frame_fn(void *ctx, const char *name, const uint8_t *,
    size_t);
void klpdir_self_revoked(const struct klpdir *, unsigned max,
    klpdir_frame_fn *, void *ctx);

int klpdir_blob_in(const struct klpdir *, struct file_in *,
    const struct id32 *sha, size_t max);
uint8_t *klpdir_state(const struct klpdir *, const char *authority, size_t max,
    size_t *len);
/* Written, synced, renamed; _out: in turns. 0 or -1 with errno. */
int klpdir_keep_out(const struct klpdir *, struct file_out *,
    const struct id32 *sha, const void *, size_t);
int klpdir_commit(const struct klpdir *, const char *authority, const void *,
    size_t);
/* A set that was taken, and the delta that signs it (lawset.c). */
uint8_t *klpdir_set(const struct klpdir *, const char *authority, size_t max,
    size_t *len);
int klpdir_keep_set(const struct klpdir *, const char *authority,
    const void *, size_t);
/* Deltas that were applied, in one file (lawdelta.c). */
uint8_t *klpdir_deltas(const struct klpdir *, const char *authority,
    size_t max, size_t *len);
int klpdir_keep_deltas(const struct klpdir *, const char *authority,
    const void *, size_t);
/*
 * For others: so much of a kept file from there on, its bytes or -1 with
 * errno; each root that led to the one that counts; deltas of the list.
 */
ssize_t klpdir_blob_read(const struct klpdir *, const struct id32 *sha,
    uint64_t offset, void *, size_t);
uint8_t *klpdir_kept_root(const struct klpdir *, const char *authority,
    uint32_t version, size_t max, size_t *len);
int klpdir_keep_root(const struct klpdir *, const char *authority,
    uint32_t version, const void *, size_t);
uint8_t *klpdir_history(const struct klpdir *, const char *authority,
    size_t max, size_t *len);
int klpdir_keep_history(const struct klpdir *, const char *authority,
    const void *, size_t);
/* What was seen of an authority's logs (trust/doc/logbook.h). */
uint8_t *klpdir_logs(const struct klpdir *, const char *authority, size_t max,
    size_t *len);
int klpdir_keep_logs(const struct klpdir *, const char *authority,
    const void *, size_t);
/*
 * The proofs of klp/anchors (NAME.tlog-proof) and their records (NAME.json), at
 * most so many: true, when there are more.
 */
typedef void klpdir_proof_fn(void *ctx, const char *name, const char *proof,
    size_t len, const void *record, size_t record_len);
bool klpdir_proofs(const struct klpdir *, unsigned max, size_t proof_max,
    size_t record_max, klpdir_proof_fn *, void *ctx);
/*
 * What lies in klp/attestations, NAME.json and NAME.jsonl (lines), by name: an
 * allocation, *n entries, at most max, *more: there are others; NULL: no
 * memory. Then one of them, as klpdir_root().
 */
struct klpdir_stamp {
	char name[252];
	bool lines;
	uint64_t size, changed_ns, inode;
};
struct klpdir_stamp *klpdir_attestations(const struct klpdir *, unsigned max,
    unsigned *n, bool *more);
char *klpdir_attestation(const struct klpdir *, const char *name, size_t max,
    size_t *len);
/* roots/NAME, of sigstore; *changed: when it did, seconds since 1970. */
char *klpdir_sigroot(const struct klpdir *, const char *name, size_t max,
    size_t *len, int64_t *changed);
/* The signatures of the graph that were found good (sigset.h). */
uint8_t *klpdir_signatures(const struct klpdir *, size_t max, size_t *len);
int klpdir_signatures_out(const struct klpdir *, struct file_out *,
    const void *, size_t);
int klpdir_keep_self(const struct klpdir *, const struct fp *,
    const void *frame, size_t);
/* Two heads of one version, two states of a log; kept until a person removes it. */
int klpdir_evidence(const struct klpdir *, const struct id32 *sha,
    const void *, size_t);
/* Removes each blob that fn does not name, and what was half written. */
typedef int klpdir_named_fn(void *ctx, const struct id32 *sha);
void klpdir_sweep(const struct klpdir *, klpdir_named_fn *, void *ctx);

#endif
