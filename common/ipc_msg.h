/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_IPC_MSG_H
#define WARREN_COMMON_IPC_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/left.h"
#include "common/wire.h"

/*
 * The interface of the house: every message between two programs, who may send
 * it to whom, its fields, and how many descriptors go with it. ipc_msg.c turns
 * this list into structs, readers, writers and the table that ipc.c checks
 * before any handler runs; ipc_dispatch.h makes each receiver's switch of it.
 * Adding a message is adding it here and in docs/ARCHITECTURE.md, and writing
 * on_NAME() in the file of its receiver, without which that does not build.
 *
 * On the wire: type u16, then the fields in order, big-endian; `var` is a u16
 * length and as many bytes, `str` the same without NULs; nothing behind them.
 */
#define IPC_MAX 4096   /* bytes of a message, header included */
#define IPC_FDS_MAX 20 /* descriptors of a message */
/* Signed frames that messages carry whole; trust/doc names them as its own. */
#define IPC_BINDING 242 /* bytes: klp.md 5 */
#define IPC_RECEIPT 317 /* bytes: compute.md 7 */
#define IPC_APPROVAL 113 /* bytes: klp.md 6.1, with one signature */
#define IPC_APPROVAL_MAX 1133 /* ... with sixteen */
/* Who signed an approval: a fingerprint, and the Reticulum identity hash that
 * goes with it, or zeros. */
#define IPC_SIGNER 48
#define IPC_SIGNERS_MAX 16	 /* of one frame */
#define IPC_JOB_SIGNERS_MAX 32 /* of all for one job */
#define IPC_CONTRACT_RECORD 3800 /* bytes: a behaviour contract */

enum program {
	PROGRAM_PARENT,
	PROGRAM_TRANSPORT,
	PROGRAM_NODE,
	PROGRAM_TRUST,
	PROGRAM_KEYS,
	PROGRAM_EGRESS,
	PROGRAM_JAIL,
	PROGRAM_AUDIT,
	PROGRAM_COUNT
};
const char *program_name(enum program); /* "parent", "transport", ... */

/*
 * What a SETTING carries; fd is a sealed memfd (text), a directory (O_PATH or
 * O_RDONLY) or a listening socket. name: "" unless stated.
 */
enum setting {
	SET_RNS_CONFIG = 1, /* text: Reticulum's config */
	SET_NODE_YAML,      /* text */
	SET_PROFILE,        /* text of a container profile; name */
	/* text of a seccomp profile; name, "" the file that the profile names */
	SET_SECCOMP,
	SET_DIR_STORAGE,
	SET_DIR_NODE,
	SET_DIR_TRUST,
	SET_DIR_TRAIL,
	SET_DIR_KLP,
	SET_DIR_IMAGES,
	SET_CG_JOBS,     /* v2 directory jobs/ */
	SET_CG_V1,       /* v1 directory jobs/ of a controller; name */
	SET_LISTEN_DATA, /* shared instance, data socket */
	SET_LISTEN_RPC,  /* shared instance, RPC socket */
	SET_LISTEN_MESH, /* warren/run/mesh.sock */
	SET_LISTEN_NODE, /* warren/run/node.sock */
	SET_VOLUME,      /* directory of a profile volume; name = index */
	/* text: config as it is now, of which the interfaces count */
	SET_RNS_INTERFACES,
	SET_NETWORK_ID,  /* 64 bytes: network_identity of Reticulum's config */
	SET_LISTEN_METRICS, /* metrics of node.yaml */
	SET_WEB_CA,    /* text: certificates, PEM, that servers are held to */
	/* text, a line each: hosts that may lie in networks of one's own */
	SET_WEB_HOSTS,
	SET_RULES,	    /* text: rules.yaml, for what jobs do */
};

/* Kinds of events for the trail (klp.md 7); numbers are never reused. */
enum event_kind {
	EVK_START = 1,
	EVK_STOP = 2,
	EVK_CONFIG = 3,
	EVK_PROGRAM_FELL = 4,
	EVK_LINK_IDENTIFIED = 10,
	EVK_BINDING_OK = 11,
	EVK_BINDING_BAD = 12,
	EVK_CHALLENGE_OK = 13,
	EVK_CHALLENGE_BAD = 14,
	EVK_PEER_THROTTLED = 15,
	EVK_PEER_BLOCKED = 16,
	EVK_JOB_ADMITTED = 20,
	EVK_JOB_REFUSED = 21,
	EVK_JOB_STATE = 22,
	EVK_JOB_STARTED = 23,
	EVK_JOB_EXITED = 24,
	EVK_JOB_CANCELLED = 25,
	EVK_BLOB_BAD = 26,
	EVK_VOLUME_DROPPED = 27,
	EVK_SIGNED = 30,
	EVK_SIGN_REFUSED = 31,
	EVK_IPC_VIOLATION = 40,
	EVK_TRAIL_TORN = 41,
	EVK_LAYER_MISSING = 42,
	EVK_DISK_LOW = 43,
	EVK_LEDGER_ROW = 44, /* a row that cannot be written */
	EVK_LENDING = 47,    /* the machine is lent, or no more */
	EVK_RELOADED = 49,   /* node goes by changed files */
	EVK_JOB_FROZEN = 48, /* ... and a job stands still, or goes on */
	EVK_APPROVAL = 57,	/* one that counted; a: approve 1, reject 0 */
	EVK_BOARD_ABSENT = 58,	/* approved_by that nothing maps */
	EVK_AUTHORITY = 50, /* a document was taken, or is not good */
	EVK_ROLLBACK = 51,
	EVK_EQUIVOCATION = 52,
	EVK_CLOCK = 53,
	EVK_BRAKE = 54,
	EVK_REVOKED = 55, /* a revocation was applied to somebody here */
	EVK_SELF_REVOKED = 56,
	EVK_CONTRACT = 59,	/* one is in force; what of it is not kept here */
	EVK_VIOLATION = 60,	/* of a contract; a: the rule */
	EVK_DEVIATION = 61,	/* from what a contract says is typical */
	EVK_PENALTY = 62, /* points for a broken contract; a: now, b: level */
	EVK_JOB_PROCESS = 70, /* a program that a job runs, or how one ends */
	EVK_RULE = 71,	/* a job broke one of rules.yaml; a: its number, b: us */
	EVK_JOB_WATCHED = 72, /* what it did; a: records, b: that are lost */
	EVK_UNANSWERED = 63, /* by a sibling, in its time; a: the job's slot */
};

/*
 * F(kind, name, size); size only for arr (exact), var and str (most). hash16,
 * id32 and fp are the structs of these names.
 */

/* ---- parent to any ---- */
#define MSG_SETTING(F) F(u8, what, 0) F(str, name, 256)
#define MSG_PARAMS(F)                                                          \
	F(u8, loglevel, 0) F(boolean, root, 0)                                 \
	F(str, instance, 64) /* 8 hex digits of the identity hash */           \
	F(hash16, identity_hash, 0) F(arr, rns_public, 64)                     \
	F(u32, cg_v2, 0) /* layers memory, cpu, pids that v2 gives: bits */    \
	F(u32, cg_v1, 0) /* ... that v1 gives, of compute.md 7 */              \
	F(boolean, compute, 0)
#define MSG_JAIL_LIMITS(F)                                                     \
	F(u32, required, 0) /* layers, bits of compute.md 7 */                 \
	F(u64, memory, 0) F(u32, cpu_milli, 0) F(u32, pids, 0)                 \
	F(u64, time_ms, 0) F(u64, output, 0) F(u32, slots, 0)
#define MSG_KEY_MATERIAL(F)                                                    \
	F(arr, mesh, 32) F(arr, audit, 32) F(arr, rns_public, 64)              \
	F(var, binding, IPC_BINDING)                                           \
	/* the last checkpoint; size 0: none is known */                      \
	F(u64, size, 0) F(id32, root, 0) F(arr, sig, 64)
#define MSG_START_DONE(F)
#define MSG_STOP(F)
/* parent to node, each 10 s: what compute_when asks for (parent/facts.h) */
#define MSG_FACTS(F)                                                           \
	F(u32, busy_milli, 0) F(boolean, jobs_known, 0) F(u32, jobs_milli, 0)  \
	F(boolean, mains, 0) F(u64, memory_free, 0) F(i32, offset_s, 0)        \
	F(u32, next_at, 0) F(i32, next_offset_s, 0)
#define MSG_NEIGHBOUR(F) F(u8, program, 0)
#define MSG_PROGRAM(F) /* for status: a program's life */                      \
	F(u8, program, 0) F(boolean, running, 0) F(u32, restarts, 0) F(u32, pid, 0)
/* ---- any to parent ---- */
#define MSG_HELLO(F) F(id32, build, 0)
#define MSG_READY(F)
#define MSG_ALARM(F) F(u8, severity, 0) F(str, text, 512)
/*
 * One that stands in no configuration (autoconnect_discovered_interfaces);
 * family 4 or 6, or 0 and the name of a host. Answered as index RNSCONF_FOUND.
 */
#define MSG_DIAL_FOUND(F)                                                      \
	F(u32, seq, 0) F(u8, family, 0) F(arr, addr, 16) F(u16, port, 0)       \
	F(str, host, 253)
/* an interface is closed: end what was opened for it, until asked again */
#define MSG_LEFT(F) F(u32, index, 0) F(u32, generation, 0)
/*
 * ---- transport and parent; index: of the [[interface]] in config, and how
 * many SET_RNS_INTERFACES have come since the start: which config ----
 */
#define MSG_DIAL(F) F(u32, index, 0) F(u32, seq, 0) F(u32, generation, 0)
#define MSG_BIND(F) F(u32, index, 0) F(u32, seq, 0) F(u32, generation, 0)
/*
 * the answer: error is an errno (ESTALE: config has changed meanwhile, ask
 * again), or 0 and a descriptor; of one of datagrams a
 * second to send from, and to which IPv4 address and port (0: it does not send)
 */
#define MSG_OPENED(F)                                                          \
	F(u32, index, 0) F(u32, seq, 0) F(i32, error, 0) F(str, text, 256)     \
	F(u32, to, 0) F(u16, to_port, 0)
/*
 * Run the program that reachable_on or location_cmd of this interface names,
 * once; seq comes back with what it says, or why it does not.
 */
enum say_what { SAY_REACHABLE_ON = 1, SAY_LOCATION };
#define MSG_SAY(F)                                                             \
	F(u32, index, 0) F(u32, seq, 0) F(u32, generation, 0) F(u8, what, 0)
#define MSG_SAID(F)                                                            \
	F(u32, index, 0) F(u32, seq, 0) F(u8, what, 0) F(boolean, ok, 0)       \
	F(str, text, 255)
/* an interface has failed for good, for panic_on_interface_error */
#define MSG_PANIC(F) F(str, name, 128)
/* let me go before others (transport/engine/promptness.h); 0 or an errno */
#define MSG_PROMPT(F)
#define MSG_PROMPTED(F) F(i32, error, 0)
/* for the watchdog of systemd: your loop turns? seq comes back */
#define MSG_ALIVE(F) F(u32, seq, 0)
#define MSG_ALIVE_STILL(F) F(u32, seq, 0)
/*
 * Numbers for /metrics and the RPC. Parent: MEMORY for each program that runs,
 * bytes, 0: it may not be read here; PROGRAM_COUNT ends them. Node: N_NUMBER.
 */
#define MSG_NUMBERS(F) F(u32, seq, 0)
#define MSG_MEMORY(F)                                                          \
	F(u32, seq, 0) F(u8, program, 0) F(u64, rss, 0) F(u64, pss, 0)
/*
 * A device of an AutoInterface, as long as transport's BIND of that number
 * stands: its link-local address, and sockets of the group, of discovery and
 * of data, in this order; again when the address is another. Without sockets:
 * gone, or why (errno) it cannot be used.
 */
#define MSG_DEVICE(F)                                                          \
	F(u32, index, 0) F(u32, seq, 0) F(u32, device, 0) F(str, name, 15)     \
	F(arr, addr, 16) F(i32, error, 0)
/* ---- transport to parent and back: `warren reload`, asked at mesh.sock ---- */
#define MSG_RELOAD(F) F(u32, seq, 0)
enum reload_said { RELOAD_CHANGED = 1, RELOAD_WAITS, RELOAD_NOTE, RELOAD_MISTAKE };
#define MSG_RELOAD_SAID(F) F(u32, seq, 0) F(u8, kind, 0) F(str, text, 1000)
#define MSG_RELOAD_END(F) F(u32, seq, 0) F(boolean, ok, 0)
/* ---- transport to node ---- */
#define MSG_T_HELLO(F) F(arr, rns_public, 64) F(hash16, dest, 0)
#define MSG_T_LINK(F)                                                          \
	F(hash16, link, 0) F(u32, ifid, 0) F(u64, bitrate, 0) F(u32, rtt_us, 0)\
	F(u8, hops, 0) F(u32, mtu, 0) F(u32, mdu, 0)
#define MSG_T_IDENTIFIED(F)                                                    \
	F(hash16, link, 0) F(arr, rns_public, 64) F(hash16, rns_hash, 0)
#define MSG_T_CLOSED(F) F(hash16, link, 0) F(u8, reason, 0)
/* data inline, or len bytes in one sealed memfd (then data is empty) */
#define MSG_T_REQUEST(F)                                                       \
	F(hash16, link, 0) F(hash16, request, 0) F(hash16, path_hash, 0)       \
	F(u32, len, 0) F(var, data, 3600)
#define MSG_T_FOLLOW_END(F) F(hash16, link, 0) F(u16, stream, 0)
/* ---- node to transport ---- */
#define MSG_N_REPLY(F)                                                         \
	F(hash16, link, 0) F(hash16, request, 0) F(u32, len, 0)                \
	F(var, data, 3600)
/* one descriptor: the read end of a pipe; its EOF is the stream's */
#define MSG_N_FOLLOW(F) F(hash16, link, 0) F(u16, stream, 0)
#define MSG_N_CLOSE(F) F(hash16, link, 0)
#define MSG_N_APP_DATA(F) F(boolean, announce, 0) F(var, data, 316)
/* all zeros with on false: all that node has asked for */
#define MSG_N_BLACKHOLE(F) F(hash16, rns_hash, 0) F(boolean, on, 0)
#define MSG_N_HOLD(F) F(hash16, link, 0) F(u32, ms, 0)
/*
 * Answers NUMBERS; families and their labels: NUMBER_LIST. Family NUMBER_END
 * ends them.
 */
#define NUMBER_LABEL 32
#define MSG_N_NUMBER(F)                                                        \
	F(u32, seq, 0) F(u8, family, 0) F(str, label, NUMBER_LABEL)            \
	F(u64, value, 0)
/* X(NAME, metric, type, label's name or "", help) */
#define NUMBER_LIST(X)                                                         \
	X(JOBS, "warren_jobs", "gauge", "state",                               \
	    "Jobs that are remembered, by state.")                             \
	X(SLOTS, "warren_job_slots", "gauge", "",                              \
	    "Jobs that can run at a time.")                                    \
	X(READY, "warren_jobs_ready", "gauge", "",                             \
	    "Queued jobs that lack nothing but their turn.")                   \
	X(PARKED, "warren_requests_parked", "gauge", "",                       \
	    "Requests that wait for another program.")                         \
	X(REQUESTS, "warren_requests_total", "counter", "",                    \
	    "Requests of peers.")                                              \
	X(ADMITTED, "warren_jobs_admitted_total", "counter", "",               \
	    "Jobs that were taken.")                                           \
	X(REFUSED, "warren_refusals_total", "counter", "reason",               \
	    "Requests and jobs that were refused, by code.")                   \
	X(BUSY, "warren_busy_total", "counter", "reason",                      \
	    "Requests that were told to come again, by code.")                 \
	X(USED_UP, "warren_budgets_used_up", "gauge", "budget",                \
	    "Peers and owners with nothing left of a budget.")                 \
	X(SPOOL, "warren_spool_bytes", "gauge", "",                            \
	    "What peers have here on the disk.")                               \
	X(DISK_FREE, "warren_disk_free_bytes", "gauge", "",                    \
	    "What may still come, above the reserve.")
enum number_family {
	NUMBER_END,
#define NUMBER_NAME(name, metric, type, label, help) NUMBER_##name,
	NUMBER_LIST(NUMBER_NAME)
#undef NUMBER_NAME
	NUMBER_FAMILIES
};
/* ---- node and trust; qid: the asker's number, echoed ---- */
#define MSG_V_ASK(F) /* who is this, and how far trusted in this scope */      \
	F(u64, qid, 0) F(arr, rns_public, 64) F(var, binding, IPC_BINDING)     \
	F(str, scope, 64)
enum verdict_status {
	VERDICT_OK = 0,          /* fp, key, level are set */
	VERDICT_NO_BINDING = 1,  /* no key is known for the identity */
	VERDICT_BAD_BINDING = 2, /* a binding came and is not valid */
	VERDICT_REVOKED = 3,     /* fp and key as in OK, where known */
	VERDICT_SUSPENDED = 4,   /* likewise */
};
/* klp.md 1.8: what an old revocation list does to jobs of this peer */
enum verdict_jobs { VJOBS_TAKEN, VJOBS_NOT_NEW, VJOBS_NOT_STARTED };
enum key_kind { KEY_SECP256K1 = 1, KEY_ED25519 = 2 };
#define MSG_V_VERDICT(F)                                                       \
	F(u64, qid, 0) F(hash16, rns_hash, 0) F(u8, status, 0)                 \
	F(i32, level, 0) F(fp, fp, 0) F(u8, key_kind, 0)                       \
	F(boolean, bip340, 0) F(var, key, 33)                                  \
	F(u32, valid_until, 0)   /* unix seconds: ask again then */            \
	F(boolean, live_needed, 0) /* require_live_secp asks for a proof */    \
	F(u8, jobs, 0)           /* of enum verdict_jobs; why says it then */  \
	F(boolean, pinned, 0)    /* the level is a pin's of the operator */    \
	F(str, why, 256)
#define MSG_V_ENVELOPE(F) /* one descriptor: the envelope */                   \
	F(u64, qid, 0) F(u32, len, 0) F(fp, fp, 0) F(u8, key_kind, 0)          \
	F(boolean, bip340, 0) F(var, key, 33)
/*
 * ok: one sealed memfd, the manifest as a record (trust/doc/manifest.h), and
 * which keys of the board it names have signed the envelope too
 */
#define MSG_V_MANIFEST(F)                                                      \
	F(u64, qid, 0) F(boolean, ok, 0) F(id32, job, 0) F(u32, len, 0)        \
	F(str, why, 256) F(var, cosigned, IPC_SIGNER * IPC_SIGNERS_MAX)
enum approval_status {
	APPROVAL_OK = 0,      /* the signers that count are named */
	APPROVAL_FORM = 1,    /* no such frame */
	APPROVAL_TRUST = 2,   /* no signature counts, or not at this time */
	APPROVAL_REVOKED = 3, /* none but of a key that is revoked */
};
#define MSG_V_APPROVAL(F) /* a frame, and who brought it */                    \
	F(u64, qid, 0) F(arr, rns_public, 64)                                  \
	F(var, frame, IPC_APPROVAL_MAX)
#define MSG_V_APPROVED(F)                                                      \
	F(u64, qid, 0) F(u8, status, 0) F(boolean, approve, 0)                 \
	F(id32, job, 0) F(u32, issued, 0) F(u32, expires, 0)                   \
	F(var, signers, IPC_SIGNER * IPC_SIGNERS_MAX) F(str, why, 128)
#define MSG_V_REVIEW(F) /* what are these worth now; board "": none */         \
	F(u64, qid, 0) F(str, board, 255)                                      \
	F(var, signers, IPC_SIGNER * IPC_JOB_SIGNERS_MAX)
/* a bit for each signer; threshold 0: nobody knows the board's keys */
#define MSG_V_REVIEWED(F)                                                      \
	F(u64, qid, 0) F(u32, reviewers, 0) F(u32, members, 0)                 \
	F(u32, revoked, 0) F(u8, threshold, 0)
#define MSG_V_WHY(F) /* the operator asks: why has he that level */            \
	F(u64, qid, 0) F(boolean, is_rns, 0) /* id: its 16 bytes, and zeros */ \
	F(fp, id, 0) F(u8, scope, 0)
#define MSG_V_HOP(F) /* an edge of a path that decided, from an anchor on */   \
	F(u64, qid, 0) F(u8, path, 0) F(fp, source, 0) F(fp, target, 0)        \
	F(i32, level, 0) F(u16, conf, 0) F(u16, left, 0) /* permille */        \
	F(u32, issued, 0) F(u32, expires, 0)
#define MSG_V_BECAUSE(F) /* after the hops */                                  \
	F(u64, qid, 0) F(i32, level, 0) F(u8, revoked, 0)                      \
	F(boolean, has_fp, 0) F(fp, fp, 0) F(boolean, has_rns, 0)              \
	F(hash16, rns, 0) F(u32, valid_until, 0) F(str, why, 256)              \
	F(str, jobs_why, 256)
enum contract_status {
	CONTRACT_OK = 0,
	CONTRACT_BAD = 1,
	CONTRACT_REVOKED = 2,
};
#define MSG_V_CONTRACT(F) /* one descriptor: the envelope; whose job it is */  \
	F(u64, qid, 0) F(u32, len, 0) F(arr, rns_public, 64)
/* level: of its signer, for contract.sign; record: trust/doc/contract.h */
#define MSG_V_CONTRACTED(F)                                                    \
	F(u64, qid, 0) F(u8, status, 0) F(i32, level, 0) F(fp, signer, 0)      \
	F(var, record, IPC_CONTRACT_RECORD) F(str, why, 128)
#define MSG_V_LIVE(F) /* check s and m of a live proof */                      \
	F(u64, qid, 0) F(hash16, link, 0) F(arr, n, 32) F(arr, s, 64)          \
	F(arr, m, 32) F(arr, initiator, 64) F(arr, responder, 64)              \
	F(boolean, bip340, 0) F(arr, key, 33)
#define MSG_V_LIVE_OK(F) F(u64, qid, 0) F(boolean, ok, 0)
#define MSG_V_CHANGED(F) /* cached verdicts are void */
/* all that is revoked: count entries in one sealed memfd (common/listed.h) */
#define MSG_V_LISTED(F) F(u32, count, 0)
/* an authority or a document, for status; the name "" ends them */
#define MSG_V_AUTHORITY(F)                                                     \
	F(str, name, 256) F(str, path, 512) F(u32, root_version, 0)            \
	F(u32, version, 0) F(u8, fresh, 0) /* of enum fresh */                 \
	F(u32, expires, 0) F(u32, entries, 0) F(str, held, 200)                \
	F(u32, checked, 0) F(str, from, 200) /* found current last */          \
	F(str, failed, 400) /* a source, and why it gives nothing; "" */
/*
 * ---- trust and egress: a file of a web server; seq comes back. Refusals and
 * failures have a text for people in why; wait_s: not again before then ----
 */
#define IPC_URL 800
#define IPC_FETCH_BYTES (48u << 20) /* the most that is asked for */
#define IPC_FETCH_MS 120000	     /* ... and waited */
enum fetch_kind { FETCH_KLP = 1 }; /* klp.md 1.7 */
#define MSG_FETCH(F)                                                           \
	F(u32, seq, 0) F(u8, kind, 0) F(u32, max, 0) F(u32, deadline_ms, 0)    \
	F(str, url, IPC_URL)
enum fetch_end {
	FETCH_OK = 0,	   /* len bytes in one sealed memfd; 0: none */
	FETCH_ABSENT,	   /* the server has no such file */
	FETCH_REFUSED,	   /* where that lies nothing is fetched from */
	FETCH_NAME,	   /* its host has no address */
	FETCH_UNREACHABLE, /* nobody answers there */
	FETCH_TLS,	   /* nobody who can show that he is that host */
	FETCH_HTTP,	   /* code is none that has a file behind it */
	FETCH_REDIRECT,
	FETCH_SIZE,	   /* more than max */
	FETCH_SLOW,
	FETCH_BROKEN,	   /* ended before it was whole */
	FETCH_LATER,	   /* too many at once, or too many failures there */
	FETCH_OWN,	   /* our own: memory, or no certificates */
};
#define MSG_FETCHED(F)                                                         \
	F(u32, seq, 0) F(u8, end, 0) F(u16, code, 0) F(u32, len, 0)            \
	F(u32, wait_s, 0) F(str, why, 200)
/* ---- egress and parent: the addresses of a host; none: why ---- */
#define IPC_ADDR 17 /* 4 or 6, and 16 bytes of which 4 count or all */
#define MSG_LOOK_UP(F) F(u32, seq, 0) F(str, host, 253)
#define MSG_LOOKED_UP(F)                                                       \
	F(u32, seq, 0) F(var, addrs, 8 * IPC_ADDR) F(str, why, 128)
/* ---- node and keys ---- */
#define MSG_K_RECEIPT(F) /* compute.md 7; keys adds magic, version, fp16 */    \
	F(u64, qid, 0) F(u8, outcome, 0) F(i32, code, 0) F(u8, attempts, 0)    \
	F(u32, layers, 0) F(id32, job, 0) F(id32, image, 0)                    \
	F(id32, outputs, 0) F(id32, logs, 0) F(id32, policy, 0)                \
	F(id32, trail, 0) F(u32, started, 0) F(u32, wall_ms, 0)                \
	F(u32, cpu_ms, 0) F(u32, memory_kb, 0) F(u32, bytes_in, 0)             \
	F(u32, bytes_out, 0) F(u32, bpf_events, 0) F(u32, bpf_lost, 0)
#define MSG_K_SIGNED(F)                                                        \
	F(u64, qid, 0) F(boolean, ok, 0) F(arr, receipt, IPC_RECEIPT)
#define MSG_K_CHALLENGE(F)                                                     \
	F(u64, qid, 0) F(hash16, link, 0) F(arr, n, 32)                        \
	F(arr, initiator, 64) /* zeros: not identified */
#define MSG_K_CHALLENGED(F)                                                    \
	F(u64, qid, 0) F(boolean, ok, 0) F(arr, s, 64) F(arr, m, 32)
#define MSG_K_APPROVE(F) /* node.sock asked; keys adds `issued` and signs */     \
	F(u64, qid, 0) F(id32, job, 0) F(boolean, approve, 0)                  \
	F(u32, expires, 0)
#define MSG_K_APPROVED(F)                                                      \
	F(u64, qid, 0) F(boolean, ok, 0) F(arr, approval, IPC_APPROVAL)
#define MSG_K_BINDING(F) /* keys' present binding, standalone form */          \
	F(arr, binding, IPC_BINDING) F(fp, fp, 0)
/* ---- keys and transport: the other half of a binding ---- */
#define MSG_B_SIGN(F)                                                          \
	F(u8, flags, 0) F(arr, secp, 33) F(u32, serial, 0)                     \
	F(u32, not_before, 0) F(u32, not_after, 0)
#define MSG_B_SIGNED(F) F(u32, serial, 0) F(arr, sig, 64)
/* ---- keys to parent: write warren/keys/binding ---- */
#define MSG_BINDING_MADE(F) F(arr, binding, IPC_BINDING)
/*
 * The last checkpoint that was signed: to the parent, which writes
 * warren/keys/checkpoint, and to an audit that is new.
 */
#define MSG_CHECKPOINT(F)                                                      \
	F(u64, size, 0) F(id32, root, 0) F(arr, sig, 64) F(arr, key, 32)
/* ---- audit and keys ---- */
#define MSG_C_SIGN(F) F(u64, size, 0) F(id32, root, 0)
#define MSG_C_SIGNED(F)                                                        \
	F(u64, size, 0) F(boolean, ok, 0) F(arr, sig, 64) F(arr, key, 32)
/* ---- node and jail; plan: sandbox/plan/plan.h ---- */
/* fds: argv and env (memfd), seccomp program (memfd), a blob per volume */
#define MSG_J_RUN(F) F(var, plan, 3800)
enum jail_step { STEP_FILL = 1, STEP_PACK = 2, STEP_CLEAN = 3 };
#define MSG_J_STEP(F) F(id32, job, 0) F(u8, step, 0) F(u8, volume, 0)
/* why: of enum kill_reason; kept by jail, and told with the end */
#define MSG_J_KILL(F) F(id32, job, 0) F(u8, why, 0)
#define MSG_J_FREEZE(F) F(id32, job, 0) F(boolean, on, 0) /* its clock */
#define MSG_J_FORGET(F) F(id32, job, 0)
/* fds: stdout, stderr (read ends), pidfd of the job's first process */
#define MSG_J_STARTED(F)                                                       \
	F(id32, job, 0) F(u32, slot, 0) F(u32, layers, 0) F(id32, policy, 0)
/* code: of compute.md 4 or 5 ("volume", "image", "posture", "internal"); slot:
 * that it holds until J_FORGET; 0: none */
#define MSG_J_FAILED(F)                                                        \
	F(id32, job, 0) F(u32, slot, 0) F(str, code, 32) F(str, why, 256)      \
	F(u8, kill, 0)
enum exit_how { EXIT_CODE = 0, EXIT_SIGNAL = 1, EXIT_JAIL_TIME = 2 };
/* kill: the reason of the first J_KILL that came before its end, or 0 */
#define MSG_J_EXITED(F)                                                        \
	F(id32, job, 0) F(u8, how, 0) F(i32, code, 0) F(u8, kill, 0)           \
	F(u64, ran_ms, 0)
#define MSG_J_STEP_OPEN(F) /* one descriptor: the step's output */             \
	F(id32, job, 0) F(u8, step, 0) F(u8, volume, 0)
#define MSG_J_STEP_DONE(F)                                                     \
	F(id32, job, 0) F(u8, step, 0) F(u8, volume, 0) F(boolean, ok, 0)      \
	F(u32, dropped, 0) F(var, left, LEFT_BYTES) F(str, why, 256)
#define MSG_J_FORGOTTEN(F) F(id32, job, 0) F(u32, slot, 0)
/* a job that runs, or ran while nobody listened; fds as STARTED */
#define MSG_J_RUNNING(F)                                                       \
	F(id32, job, 0) F(u32, slot, 0) F(u32, layers, 0) F(id32, policy, 0)   \
	F(boolean, exited, 0) F(u8, how, 0) F(i32, code, 0) F(u8, kill, 0)     \
	F(u64, ran_ms, 0) /* but for what it was frozen */
/* a job whose volumes are filled, or whose root is built; J_STARTED follows */
#define MSG_J_STAGING(F) F(id32, job, 0) F(u32, slot, 0) F(u8, kill, 0)
/* at hello, after the J_RUNNINGs and J_STAGINGs: what this machine gives, and why not more */
#define MSG_J_POSTURE(F)                                                       \
	F(u32, layers, 0) F(u32, slots, 0) F(str, missing, 1024)
/* ---- to audit ---- */
#define MSG_EVENT(F)                                                           \
	F(u16, kind, 0) F(u8, severity, 0) F(i64, when_us, 0)                  \
	F(u64, qid, 0) /* not 0: answer HEAD when it is in the trail */        \
	F(var, job, 32) F(var, peer, 32) /* fp, or Reticulum identity hash */  \
	F(str, code, 64) F(str, text, 768) F(i64, a, 0) F(i64, b, 0)           \
	F(u64, limit, 0) F(u64, value, 0) /* of a refusal; both 0: none */
/*
 * ---- node and audit: probes in the kernel that watch a job ----
 * W_POSTURE: at hello; layers: LAYER_BPF or 0, and then why
 */
#define MSG_W_POSTURE(F) F(u32, layers, 0) F(str, missing, 200)
/*
 * its v2 group; one descriptor or none: the group's cpu.stat. late: it runs
 * already. Answered by W_READY, before which it must not start; ok: it is
 * watched from its start on.
 */
#define MSG_W_JOB(F)                                                           \
	F(id32, job, 0) F(u64, group, 0) F(u32, cpu_milli, 0)                  \
	F(boolean, late, 0)
#define MSG_W_READY(F) F(id32, job, 0) F(boolean, ok, 0)
/* end it or stop it; rule: of trust/doc/contract.h, name: of the file's */
enum watch_does { WATCH_KILL = 1, WATCH_FREEZE = 2 };
#define MSG_W_FLAG(F)                                                          \
	F(id32, job, 0) F(u8, does, 0) F(u8, rule, 0) F(str, name, 48)         \
	F(str, text, 256)
/* it has ended; answered by what the receipt says of it */
#define MSG_W_OVER(F) F(id32, job, 0)
#define MSG_W_DONE(F) F(id32, job, 0) F(u32, events, 0) F(u32, lost, 0)
/* seq 0: the event could not be written (disk full, or no trail) */
#define MSG_HEAD(F) F(u64, qid, 0) F(u64, seq, 0) F(id32, digest, 0)

/*
 * Who sends and who receives, as one word each; what a word stands for is a
 * mask of programs.
 */
#define IPC_BIT(p) (1u << PROGRAM_##p)
#define IPC_SET_PARENT IPC_BIT(PARENT)
#define IPC_SET_TRANSPORT IPC_BIT(TRANSPORT)
#define IPC_SET_NODE IPC_BIT(NODE)
#define IPC_SET_TRUST IPC_BIT(TRUST)
#define IPC_SET_KEYS IPC_BIT(KEYS)
#define IPC_SET_EGRESS IPC_BIT(EGRESS)
#define IPC_SET_JAIL IPC_BIT(JAIL)
#define IPC_SET_AUDIT IPC_BIT(AUDIT)
#define IPC_SET_ALL 0xffu
#define IPC_SET_ANY (0xffu & ~IPC_BIT(PARENT))
#define IPC_SET_TRANSPORT_NODE (IPC_BIT(TRANSPORT) | IPC_BIT(NODE))
#define IPC_SET_PARENT_NODE (IPC_BIT(PARENT) | IPC_BIT(NODE))
#define IPC_SET_JAIL_NODE (IPC_BIT(JAIL) | IPC_BIT(NODE))
#define IPC_SET_NODE_AUDIT (IPC_BIT(NODE) | IPC_BIT(AUDIT))
#define IPC_SET_PARENT_AUDIT (IPC_BIT(PARENT) | IPC_BIT(AUDIT))
/* read before the loop, and wiped in place: no handler (trust/keys.c) */
#define IPC_SET_KEYS_START IPC_BIT(KEYS)
/* who has something to say for the trail */
#define IPC_SET_WITNESS                                                        \
	(IPC_BIT(PARENT) | IPC_BIT(NODE) | IPC_BIT(TRUST) | IPC_BIT(KEYS))

/*
 * IPC_HAS(program, word): 1 when the program has a handler of its own for a
 * row with this word, else 0, while the preprocessor runs. ANY as the program
 * is what common/program.c does for each of them.
 */
#define IPC_HAS_PARENT_PARENT ~,
#define IPC_HAS_PARENT_PARENT_AUDIT ~,
#define IPC_HAS_PARENT_PARENT_NODE ~,
#define IPC_HAS_TRANSPORT_TRANSPORT ~,
#define IPC_HAS_TRANSPORT_TRANSPORT_NODE ~,
#define IPC_HAS_NODE_NODE ~,
#define IPC_HAS_NODE_TRANSPORT_NODE ~,
#define IPC_HAS_NODE_NODE_AUDIT ~,
#define IPC_HAS_NODE_PARENT_NODE ~,
#define IPC_HAS_TRUST_TRUST ~,
#define IPC_HAS_KEYS_KEYS ~,
#define IPC_HAS_EGRESS_EGRESS ~,
#define IPC_HAS_JAIL_JAIL ~,
#define IPC_HAS_AUDIT_AUDIT ~,
#define IPC_HAS_AUDIT_NODE_AUDIT ~,
#define IPC_HAS_AUDIT_PARENT_AUDIT ~,
#define IPC_HAS_ANY_ANY ~,
#define IPC_HAS_ANY_ALL ~,
#define IPC_HAS_ANY_JAIL_NODE ~,
/* ... and 1 when the program sends it (only what somebody asks for) */
#define IPC_BY_NODE_NODE ~,
#define IPC_BY_NODE_WITNESS ~,
#define IPC_BY(program, word) IPC_FOUND(IPC_BY_##program##_##word)
#define IPC_SECOND(a, b, ...) b
#define IPC_FOUND(probe) IPC_SECOND(probe 1, 0, ~)
#define IPC_HAS(program, word) IPC_FOUND(IPC_HAS_##program##_##word)
/* IPC_IF(0 or 1)(what then stands there) */
#define IPC_IF(yes) IPC_IF_(yes)
#define IPC_IF_(yes) IPC_IF_##yes
#define IPC_IF_0(...)
#define IPC_IF_1(...) __VA_ARGS__
/* IPC_ONE(word): 1 when it stands for one program */
#define IPC_ONE_TRANSPORT ~,
#define IPC_ONE_PARENT ~,
#define IPC_ONE_NODE ~,
#define IPC_ONE_TRUST ~,
#define IPC_ONE_KEYS ~,
#define IPC_ONE_EGRESS ~,
#define IPC_ONE_JAIL ~,
#define IPC_ONE_AUDIT ~,
#define IPC_ONE(word) IPC_FOUND(IPC_ONE_##word)

/* M(name, senders, receivers, least descriptors, most) */
#define IPC_MESSAGES(M)                                                        \
	M(SETTING, PARENT, ANY, 1, 1)                                          \
	M(PARAMS, PARENT, ANY, 0, 0)                                           \
	M(JAIL_LIMITS, PARENT, JAIL_NODE, 0, 0)                                \
	M(KEY_MATERIAL, PARENT, KEYS_START, 0, 0)                              \
	M(START_DONE, PARENT, ANY, 0, 0)                                       \
	M(STOP, PARENT, ANY, 0, 0)                                             \
	M(NEIGHBOUR, PARENT, ANY, 1, 1)                                        \
	M(PROGRAM, PARENT, TRANSPORT_NODE, 0, 0)                               \
	M(FACTS, PARENT, NODE, 0, 0)                                           \
	M(HELLO, ALL, ALL, 0, 0)                                               \
	M(READY, ANY, PARENT, 0, 0)                                            \
	M(ALARM, ANY, PARENT, 0, 0)                                            \
	M(DIAL, TRANSPORT, PARENT, 0, 0)                                       \
	M(BIND, TRANSPORT, PARENT, 0, 0)                                       \
	M(DIAL_FOUND, TRANSPORT, PARENT, 0, 0)                                 \
	M(LEFT, TRANSPORT, PARENT, 0, 0)                                       \
	M(OPENED, PARENT, TRANSPORT, 0, 2)                                     \
	M(DEVICE, PARENT, TRANSPORT, 0, 3)                                     \
	M(RELOAD, TRANSPORT, PARENT, 0, 0)                                     \
	M(SAY, TRANSPORT, PARENT, 0, 0)                                        \
	M(SAID, PARENT, TRANSPORT, 0, 0)                                       \
	M(PANIC, TRANSPORT, PARENT, 0, 0)                                      \
	M(PROMPT, TRANSPORT, PARENT, 0, 0)                                     \
	M(PROMPTED, PARENT, TRANSPORT, 0, 0)                                   \
	M(NUMBERS, TRANSPORT, PARENT_NODE, 0, 0)                               \
	M(MEMORY, PARENT, TRANSPORT, 0, 0)                                     \
	M(ALIVE, PARENT, TRANSPORT, 0, 0)                                      \
	M(ALIVE_STILL, TRANSPORT, PARENT, 0, 0)                                \
	M(RELOAD_SAID, PARENT, TRANSPORT, 0, 0)                                \
	M(RELOAD_END, PARENT, TRANSPORT, 0, 0)                                 \
	M(T_HELLO, TRANSPORT, NODE, 0, 0)                                      \
	M(T_LINK, TRANSPORT, NODE, 0, 0)                                       \
	M(T_IDENTIFIED, TRANSPORT, NODE, 0, 0)                                 \
	M(T_CLOSED, TRANSPORT, NODE, 0, 0)                                     \
	M(T_REQUEST, TRANSPORT, NODE, 0, 1)                                    \
	M(T_FOLLOW_END, TRANSPORT, NODE, 0, 0)                                 \
	M(N_REPLY, NODE, TRANSPORT, 0, 1)                                      \
	M(N_FOLLOW, NODE, TRANSPORT, 1, 1)                                     \
	M(N_CLOSE, NODE, TRANSPORT, 0, 0)                                      \
	M(N_APP_DATA, NODE, TRANSPORT, 0, 0)                                   \
	M(N_BLACKHOLE, NODE, TRANSPORT, 0, 0)                                  \
	M(N_HOLD, NODE, TRANSPORT, 0, 0)                                       \
	M(N_NUMBER, NODE, TRANSPORT, 0, 0)                                     \
	M(V_ASK, NODE, TRUST, 0, 0)                                            \
	M(V_VERDICT, TRUST, NODE, 0, 0)                                        \
	M(V_ENVELOPE, NODE, TRUST, 1, 1)                                       \
	M(V_MANIFEST, TRUST, NODE, 0, 1)                                       \
	M(V_APPROVAL, NODE, TRUST, 0, 0)                                       \
	M(V_APPROVED, TRUST, NODE, 0, 0)                                       \
	M(V_REVIEW, NODE, TRUST, 0, 0)                                         \
	M(V_REVIEWED, TRUST, NODE, 0, 0)                                       \
	M(V_WHY, NODE, TRUST, 0, 0)                                            \
	M(V_HOP, TRUST, NODE, 0, 0)                                            \
	M(V_BECAUSE, TRUST, NODE, 0, 0)                                        \
	M(V_CONTRACT, NODE, TRUST, 1, 1)                                       \
	M(V_CONTRACTED, TRUST, NODE, 0, 0)                                     \
	M(V_LIVE, NODE, TRUST, 0, 0)                                           \
	M(V_LIVE_OK, TRUST, NODE, 0, 0)                                        \
	M(V_CHANGED, TRUST, NODE, 0, 0)                                        \
	M(V_LISTED, TRUST, NODE, 0, 1)                                         \
	M(V_AUTHORITY, TRUST, NODE, 0, 0)                                      \
	M(FETCH, TRUST, EGRESS, 0, 0)                                          \
	M(FETCHED, EGRESS, TRUST, 0, 1)                                        \
	M(LOOK_UP, EGRESS, PARENT, 0, 0)                                       \
	M(LOOKED_UP, PARENT, EGRESS, 0, 0)                                     \
	M(K_RECEIPT, NODE, KEYS, 0, 0)                                         \
	M(K_SIGNED, KEYS, NODE, 0, 0)                                          \
	M(K_CHALLENGE, NODE, KEYS, 0, 0)                                       \
	M(K_CHALLENGED, KEYS, NODE, 0, 0)                                      \
	M(K_APPROVE, NODE, KEYS, 0, 0)                                         \
	M(K_APPROVED, KEYS, NODE, 0, 0)                                        \
	M(K_BINDING, KEYS, NODE_AUDIT, 0, 0)                                   \
	M(B_SIGN, KEYS, TRANSPORT, 0, 0)                                       \
	M(B_SIGNED, TRANSPORT, KEYS, 0, 0)                                     \
	M(BINDING_MADE, KEYS, PARENT, 0, 0)                                    \
	M(CHECKPOINT, KEYS, PARENT_AUDIT, 0, 0)                                \
	M(C_SIGN, AUDIT, KEYS, 0, 0)                                           \
	M(C_SIGNED, KEYS, AUDIT, 0, 0)                                         \
	M(J_RUN, NODE, JAIL, 2, 18)                                            \
	M(J_STEP, NODE, JAIL, 0, 0)                                            \
	M(J_KILL, NODE, JAIL, 0, 0)                                            \
	M(J_FREEZE, NODE, JAIL, 0, 0)                                          \
	M(J_FORGET, NODE, JAIL, 0, 0)                                          \
	M(J_STARTED, JAIL, NODE, 3, 3)                                         \
	M(J_FAILED, JAIL, NODE, 0, 0)                                          \
	M(J_EXITED, JAIL, NODE, 0, 0)                                          \
	M(J_STEP_OPEN, JAIL, NODE, 1, 1)                                       \
	M(J_STEP_DONE, JAIL, NODE, 0, 0)                                       \
	M(J_FORGOTTEN, JAIL, NODE, 0, 0)                                       \
	M(J_RUNNING, JAIL, NODE, 3, 3)                                         \
	M(J_STAGING, JAIL, NODE, 0, 0)                                         \
	M(J_POSTURE, JAIL, NODE, 0, 0)                                         \
	M(EVENT, WITNESS, AUDIT, 0, 0)                                         \
	M(W_POSTURE, AUDIT, NODE, 0, 0)                                        \
	M(W_JOB, NODE, AUDIT, 0, 1)                                            \
	M(W_READY, AUDIT, NODE, 0, 0)                                          \
	M(W_FLAG, AUDIT, NODE, 0, 0)                                           \
	M(W_OVER, NODE, AUDIT, 0, 0)                                           \
	M(W_DONE, AUDIT, NODE, 0, 0)                                           \
	M(HEAD, AUDIT, NODE, 0, 0)

enum ipc_type {
	IPC_NONE = 0,
#define IPC_ENUM(name, s, r, lo, hi) IPC_##name,
	IPC_MESSAGES(IPC_ENUM)
#undef IPC_ENUM
	    IPC_TYPES
};

/* Each message's struct: struct msg_SETTING, ... */
#define IPC_FIELD_u8(n, z) uint8_t n;
#define IPC_FIELD_u16(n, z) uint16_t n;
#define IPC_FIELD_u32(n, z) uint32_t n;
#define IPC_FIELD_u64(n, z) uint64_t n;
#define IPC_FIELD_i32(n, z) int32_t n;
#define IPC_FIELD_i64(n, z) int64_t n;
#define IPC_FIELD_boolean(n, z) bool n;
#define IPC_FIELD_arr(n, z) uint8_t n[z];
#define IPC_FIELD_hash16(n, z) struct hash16 n;
#define IPC_FIELD_id32(n, z) struct id32 n;
#define IPC_FIELD_fp(n, z) struct fp n;
#define IPC_FIELD_var(n, z)                                                    \
	uint16_t n##_len;                                                      \
	uint8_t n[z];
#define IPC_FIELD_str(n, z) char n[(z) + 1];
#define IPC_FIELD(kind, n, z) IPC_FIELD_##kind(n, z)
#define IPC_STRUCT(name, s, r, lo, hi)                                         \
	struct msg_##name {                                                    \
		MSG_##name(IPC_FIELD) char end_; /* no field, no empty struct */ \
	};                                                                     \
	/* the fields, without the type */                                     \
	void msg_put_##name(struct wr *, const struct msg_##name *);           \
	/* false: malformed, or bytes left over */                             \
	bool msg_get_##name(struct rd, struct msg_##name *);
IPC_MESSAGES(IPC_STRUCT)

/* The longest message of each type, its type included: IPC_SIZE_SETTING ... */
#define IPC_MOST_u8(z) 1
#define IPC_MOST_u16(z) 2
#define IPC_MOST_u32(z) 4
#define IPC_MOST_u64(z) 8
#define IPC_MOST_i32(z) 4
#define IPC_MOST_i64(z) 8
#define IPC_MOST_boolean(z) 1
#define IPC_MOST_arr(z) (z)
#define IPC_MOST_hash16(z) 16
#define IPC_MOST_id32(z) 32
#define IPC_MOST_fp(z) 32
#define IPC_MOST_var(z) (2 + (z))
#define IPC_MOST_str(z) (2 + (z))
#define IPC_MOST(kind, n, z) +IPC_MOST_##kind(z)
enum {
#define IPC_SIZE(name, s, r, lo, hi) IPC_SIZE_##name = 2 MSG_##name(IPC_MOST),
	IPC_MESSAGES(IPC_SIZE)
#undef IPC_SIZE
};

struct ipc_row {
	const char *name;
	uint8_t senders, receivers;
	uint8_t fds_min, fds_max;
	uint16_t size_min, size_max; /* of the fields */
};
/* NULL: no such type. */
const struct ipc_row *ipc_row(unsigned type);
/* They have a message for each other, and so a channel. */
bool ipc_related(enum program, enum program);

#endif
