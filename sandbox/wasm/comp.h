/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_COMP_H
#define WARREN_SANDBOX_WASM_COMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasmtime/component/component.h>
#include <wasmtime/component/linker.h>
#include <wasmtime/component/val.h>

#include "sandbox/wasm/memwasi.h"

/*
 * WASI 0.2 by functions of ours, over the trees and streams of memwasi.h, as a
 * command component imports it: wasi:cli, clocks, filesystem, io, random. What
 * else it imports, such as sockets, ends it when it is called.
 *
 * The library does not compare the type of such a function with the one that a
 * component says for it: what a call brings is looked at before it is taken.
 */
#define COMP_THINGS 1024 /* ours: resources at once */
#define COMP_CHUNK 16384u /* ours: bytes that go in one call; 32 here for each */

enum comp_kind {
	COMP_FREE,
	COMP_DESCRIPTOR,
	COMP_FOLDER,   /* directory-entry-stream */
	COMP_IN,       /* input-stream */
	COMP_OUT,      /* output-stream */
	COMP_POLLABLE,
	COMP_ERROR,
	COMP_TERM_IN,  /* of terminals there are none */
	COMP_TERM_OUT,
	COMP_KINDS
};
struct comp_thing {
	enum comp_kind kind;
	struct memfs *fs; /* NULL: a stream of the process */
	struct mnode *node;
	int stream;
	bool read, write;
	bool append;	 /* OUT: always at the end */
	uint64_t at;	 /* place in a file, cookie of a FOLDER */
	uint64_t due;	 /* POLLABLE: monotonic, ns; 0: it is ready */
	enum wasi_errno error; /* ERROR */
};

struct comp {
	struct memwasi *w;
	wasmtime_context_t *x; /* of the call that runs */
	wasmtime_error_t *end; /* ... which ends the component; NULL */
	struct comp_thing thing[COMP_THINGS]; /* a resource is its index */
};

typedef wasmtime_component_val_t comp_val;

/*
 * args: a letter for each: D F I O P E for a resource, of which run() gets the
 * index (comp_of()), p a list of pollables, and b s y u U f e v r l for bool,
 * string, u8, u32, u64, flags, enum, variant, result and list; "!" first: it has
 * no result. run() takes what is so, and sets the
 * result, or calls comp_end().
 */
struct comp_call {
	const char *name, *args;
	void (*run)(struct comp *, const comp_val *args, comp_val *result);
};
struct comp_resource {
	const char *name;
	enum comp_kind kind;
};
struct comp_interface {
	const char *name; /* without its version */
	const struct comp_call *calls;
	size_t ncalls;
	const struct comp_resource *resources;
	size_t nresources;
};

/*
 * What a component imports; c and w stay the caller's, and are used by what
 * runs.
 */
wasmtime_error_t *comp_define(wasmtime_component_linker_t *,
    const wasm_engine_t *, const wasmtime_component_t *, struct comp *c,
    struct memwasi *w);
/* Drops what is open still. */
void comp_clear(struct comp *);

/* ---- for its other files ---- */

extern const struct comp_interface comp_io[], comp_fs[], comp_cli[];
extern const size_t comp_nio, comp_nfs, comp_ncli;

struct comp_thing *comp_of(struct comp *, const comp_val *);
/* The component ends here: what it did wrong, a literal. */
void comp_end(struct comp *, const char *why);
/* A new one of this kind; NULL: there are too many. */
struct comp_thing *comp_make(struct comp *, enum comp_kind);
/* ... as a result, owned by the component from then on. */
void comp_give(struct comp *, comp_val *, const struct comp_thing *);
/* A pollable that is ready at due: monotonic, ns; 0: now. */
void comp_pollable(struct comp *, comp_val *, uint64_t due);
/* A node stays open while things of it are. */
void comp_node(struct comp_thing *, struct memfs *, struct mnode *);
bool comp_flag(const comp_val *flags, const char *name);
bool comp_is(const wasm_name_t *, const char *);
/* A list whose elements are all of the kind; else the component has ended. */
bool comp_list(struct comp *, const comp_val *, wasmtime_component_valkind_t);
/* Bytes of a list<u8>, at most cap. false: it has ended. */
bool comp_bytes(struct comp *, const comp_val *, uint8_t *, size_t cap,
    size_t *n);

/* Results: they take what they are given. */
void comp_text(comp_val *, const char *, size_t);
void comp_enum(comp_val *, const char *);
void comp_u64(comp_val *, uint64_t);
void comp_put_bytes(comp_val *, const uint8_t *, size_t);
void comp_ok(comp_val *, comp_val *);	/* NULL: nothing in it */
void comp_fail(comp_val *, comp_val *); /* the same for an error */
void comp_some(comp_val *, comp_val *); /* NULL: none */
/* An array of n, of the kind LIST or TUPLE; its elements are to be set. */
comp_val *comp_array(comp_val *, wasmtime_component_valkind_t, size_t n);
/* datetime, of ns since 1970. */
void comp_datetime(comp_val *, uint64_t ns);
/* A record: the fields one after the other. */
void comp_record(comp_val *, size_t n);
void comp_field(comp_val *, size_t i, const char *name, const comp_val *);

#endif
