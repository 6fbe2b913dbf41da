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
 * it to whom, its fields (ipc_fields.h), and how many descriptors go with it.
 * ipc_msg.c turns this list into structs, readers, writers and the table that ipc.c checks
 * before any handler runs; ipc_dispatch.h makes each receiver's switch of it.
 * Adding a message is adding it here and in docs/ARCHITECTURE.md, and writing
 * on_NAME() in the file of its receiver, without which that does not build.
 *
 * On the wire: type u16, then the fields in order, big-endian; `var` is a u16
 * length and as many bytes, `str` the same without NULs; nothing behind them.
 */
#define IPC_MAX 4096   /* bytes of a message, header included */
#define IPC_FDS_MAX 24 /* descriptors of a message */
/* Signed frames that messages carry whole; trust/doc names them as its own. */
#define IPC_BINDING 242 /* bytes: klp.md 5 */
#define IPC_RECEIPT 324 /* bytes: compute.md 7; version 1: zeros at its end */
#define IPC_APPROVAL 113 /* bytes: klp.md 6.1, with one signature */
#define IPC_BUNDLE 182 /* bytes: klp.md 7.1 */
#define IPC_ALERT 111 /* bytes: klp.md 7, with its signature */
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
	SET_DIR_FORENSICS,
	SET_DIR_EVENTS, /* of other nodes, when hub.dir says where */
	SET_DIR_KLP,
	SET_DIR_IMAGES,
	SET_CG_JOBS,     /* v2 directory jobs/ */
	SET_CG_V1,       /* v1 directory jobs/ of a controller; name */
	SET_LISTEN_DATA, /* shared instance, data socket */
	SET_LISTEN_RPC,  /* shared instance, RPC socket */
	SET_LISTEN_MESH, /* warren/run/mesh.sock */
	SET_LISTEN_NODE, /* warren/run/node.sock */
	SET_VOLUME,      /* directory of a profile volume; name = index */
	SET_WASM,        /* a file of the runner of modules; name */
	/* text: config as it is now, of which the interfaces count */
	SET_RNS_INTERFACES,
	SET_NETWORK_ID,  /* 64 bytes: network_identity of Reticulum's config */
	SET_LISTEN_METRICS, /* metrics of node.yaml */
	SET_WEB_CA,    /* text: certificates, PEM, that servers are held to */
	/* text, a line each: hosts that may lie in networks of one's own */
	SET_WEB_HOSTS,
	SET_RULES,	    /* text: rules.yaml, for what jobs do */
	SET_HUB_POST, /* common/hubset.h: where events go, for egress */
	SET_HUB,      /* ... and what goes there, for audit; empty: nothing */
	SET_HUB_PEER, /* text: whom audit may ask over the mesh, hex; or none */
	SET_INTEGRITY,	    /* text: seconds from one pass to the next */
	SET_LXMF, /* text: lxmf of node.yaml, transport/lxmf/lxmfset.h */
	SET_AIRTIME, /* text: airtime of node.yaml, transport/modem/airset.h */
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
	EVK_EVENTS_LOST = 45, /* of a program (code); a: how many, b: from which */
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
	EVK_CLOCK_STEP = 46, /* it was set; a: from, b: to, unix seconds */
	EVK_CONTRACT = 59,	/* one is in force; what of it is not kept here */
	EVK_VIOLATION = 60,	/* of a contract; a: the rule */
	EVK_DEVIATION = 61,	/* from what a contract says is typical */
	EVK_PENALTY = 62, /* points for a broken contract; a: now, b: level */
	EVK_JOB_PROCESS = 70, /* a program that a job runs, or how one ends */
	EVK_RULE = 71,	/* a job broke one of rules.yaml; a: its number, b: us */
	EVK_JOB_WATCHED = 72, /* what it did; a: records, b: that are lost */
	EVK_JOB_OBSERVED = 74, /* ... in sum; code: the record's digest */
	EVK_HUB = 90, /* the hub takes no events, or takes them again */
	EVK_PEER_ALARM = 91,  /* of a node whose events are kept here */
	EVK_PEER_BROKEN = 92, /* ... whose lines do not follow each other */
	EVK_BUNDLE = 76, /* of evidence; a: members, b: us that it stood still */
	EVK_INTEGRITY = 80, /* a file is not what it was */
	EVK_VERIFIED = 81,  /* an image is, or is known from now on */
	EVK_WATCHDOG = 100, /* a verdict; code: what came of it, a: permille */
	EVK_WATCHDOG_LINES = 101, /* dropped ones; a: how many */
	EVK_WATCHDOG_THERE = 102, /* it is present, or absent */
	EVK_WATCHDOG_DID = 103, /* to a job; code: the action, b: seconds */
	EVK_ANCHOR = 64, /* is a job's image in a log? code: anchored, absent */
	EVK_UNANSWERED = 63, /* by a sibling, in its time; a: the job's slot */
};

#include "common/ipc_fields.h"

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
#define IPC_SET_TRUST_AUDIT (IPC_BIT(TRUST) | IPC_BIT(AUDIT))
#define IPC_SET_PARENT_AUDIT (IPC_BIT(PARENT) | IPC_BIT(AUDIT))
/* read before the loop, and wiped in place: no handler (trust/keys.c) */
#define IPC_SET_KEYS_START IPC_BIT(KEYS)
/* audit's own processes among each other (audit/integrity_reader.c) */
#define IPC_SET_READER IPC_BIT(AUDIT)
/* the command that pulls an image, in the parent's place (node/cli/puller.c) */
#define IPC_SET_PULLER IPC_BIT(PARENT)
/* who has something to say for the trail */
#define IPC_SET_WITNESS                                                        \
	(IPC_BIT(PARENT) | IPC_BIT(NODE) | IPC_BIT(TRUST) | IPC_BIT(KEYS))
/* ... by itself (common/witness.c), not through its queue */
#define IPC_SET_WITNESS_SELF IPC_SET_WITNESS

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
#define IPC_HAS_TRUST_TRUST_AUDIT ~,
#define IPC_HAS_KEYS_KEYS ~,
#define IPC_HAS_EGRESS_EGRESS ~,
#define IPC_HAS_JAIL_JAIL ~,
#define IPC_HAS_AUDIT_AUDIT ~,
#define IPC_HAS_AUDIT_NODE_AUDIT ~,
#define IPC_HAS_AUDIT_TRUST_AUDIT ~,
#define IPC_HAS_AUDIT_PARENT_AUDIT ~,
#define IPC_HAS_PARENT_WITNESS ~,
#define IPC_HAS_NODE_WITNESS ~,
#define IPC_HAS_TRUST_WITNESS ~,
#define IPC_HAS_KEYS_WITNESS ~,
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
	M(N_BURY, NODE, PARENT, 0, 0)                                          \
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
	M(T_ALERT, TRANSPORT, NODE, 0, 0)                                      \
	M(N_ALERT_TAKEN, NODE, TRANSPORT, 0, 0)                                \
	M(T_MAIL, TRANSPORT, NODE, 1, 1)                                       \
	M(T_MAIL_END, TRANSPORT, NODE, 0, 0)                                   \
	M(N_MAIL_TAKEN, NODE, TRANSPORT, 0, 0)                                 \
	M(N_MAIL, NODE, TRANSPORT, 1, 1)                                       \
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
	M(V_ALERT, NODE, TRUST, 0, 0)                                          \
	M(V_ALERTED, TRUST, NODE, 0, 0)                                        \
	M(V_LIVE, NODE, TRUST, 0, 0)                                           \
	M(V_LIVE_OK, TRUST, NODE, 0, 0)                                        \
	M(V_SPREAD, TRUST, NODE, 0, 0)                                         \
	M(V_GIVE, NODE, TRUST, 0, 0)                                           \
	M(V_GIVEN, TRUST, NODE, 0, 1)                                          \
	M(V_CHANGED, TRUST, NODE, 0, 0)                                        \
	M(V_TIME, TRUST, NODE, 0, 0)                                           \
	M(V_LOWER, NODE, TRUST, 0, 0)                                          \
	M(V_LISTED, TRUST, NODE, 0, 1)                                         \
	M(V_ANCHORED, TRUST, NODE, 0, 1)                                       \
	M(V_ATTESTED, TRUST, NODE, 0, 1)                                       \
	M(V_VOUCHED, TRUST, NODE, 0, 1)                                        \
	M(V_VERIFY, TRUST, PARENT, 1, 1)                                       \
	M(V_VERIFIED, PARENT, TRUST, 0, 1)                                     \
	M(V_AUTHORITY, TRUST, NODE, 0, 0)                                      \
	M(V_POLICY, TRUST, NODE, 0, 0)                                         \
	M(FETCH, TRUST, EGRESS, 0, 0)                                          \
	M(FETCHED, EGRESS, TRUST, 0, 1)                                        \
	M(M_ASK, TRUST_AUDIT, TRANSPORT, 0, 1)                                 \
	M(M_ANSWER, TRANSPORT, TRUST_AUDIT, 0, 1)                              \
	M(POST, AUDIT, EGRESS, 1, 1)                                           \
	M(POSTED, EGRESS, AUDIT, 0, 1)                                         \
	M(M_HEARD, TRANSPORT, TRUST, 0, 0)                                     \
	M(PULL, PULLER, EGRESS, 0, 1)                                          \
	M(PULL_WANT, EGRESS, PULLER, 0, 0)                                     \
	M(PULL_FILE, PULLER, EGRESS, 1, 1)                                     \
	M(PULL_GOT, EGRESS, PULLER, 0, 0)                                      \
	M(PULL_AT, EGRESS, PULLER, 0, 0)                                       \
	M(PULL_END, EGRESS, PULLER, 0, 0)                                      \
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
	M(K_BUNDLE, AUDIT, KEYS, 0, 0)                                         \
	M(K_BUNDLED, KEYS, AUDIT, 0, 0)                                        \
	M(K_ALERT, AUDIT, KEYS, 0, 0)                                          \
	M(K_ALERTED, KEYS, AUDIT, 0, 0)                                        \
	M(J_RUN, NODE, JAIL, 2, 21)                                            \
	M(J_STEP, NODE, JAIL, 0, 0)                                            \
	M(J_KILL, NODE, JAIL, 0, 0)                                            \
	M(J_FREEZE, NODE, JAIL, 0, 0)                                          \
	M(J_SNAP, NODE, JAIL, 0, 0)                                            \
	M(J_SNAP_GO, NODE, JAIL, 0, 0)                                         \
	M(J_FORGET, NODE, JAIL, 0, 0)                                          \
	M(J_WARM, NODE, JAIL, 0, 0)                                            \
	M(J_STARTED, JAIL, NODE, 3, 3)                                         \
	M(J_FAILED, JAIL, NODE, 0, 0)                                          \
	M(J_EXITED, JAIL, NODE, 0, 0)                                          \
	M(J_STEP_OPEN, JAIL, NODE, 1, 1)                                       \
	M(J_STEP_DONE, JAIL, NODE, 0, 0)                                       \
	M(J_SNAP_READY, JAIL, NODE, 0, 0)                                      \
	M(J_SNAPPED, JAIL, NODE, 0, 1)                                         \
	M(J_FORGOTTEN, JAIL, NODE, 0, 0)                                       \
	M(J_RUNNING, JAIL, NODE, 3, 3)                                         \
	M(J_STAGING, JAIL, NODE, 0, 0)                                         \
	M(J_POSTURE, JAIL, NODE, 0, 0)                                         \
	M(J_POOL, JAIL, NODE, 0, 0)                                            \
	M(EVENT, WITNESS, AUDIT, 0, 0)                                         \
	M(EVENT_RUN, WITNESS_SELF, AUDIT, 0, 0)                                \
	M(EVENT_ACK, AUDIT, WITNESS, 0, 0)                                     \
	M(W_POSTURE, AUDIT, NODE, 0, 0)                                        \
	M(W_JOB, NODE, AUDIT, 0, 3)                                            \
	M(W_READY, AUDIT, NODE, 0, 0)                                          \
	M(W_FLAG, AUDIT, NODE, 0, 0)                                           \
	M(W_OVER, NODE, AUDIT, 0, 0)                                           \
	M(W_BUNDLE, NODE, AUDIT, 0, 4)                                         \
	M(W_BUNDLED, AUDIT, NODE, 0, 0)                                        \
	M(W_DONE, AUDIT, NODE, 0, 0)                                           \
	M(HUB_STATE, AUDIT, NODE, 0, 0)                                        \
	M(R_NEXT, READER, READER, 0, 0)                                        \
	M(R_IMAGE, READER, READER, 0, 0)                                       \
	M(R_FILE, READER, READER, 1, 1)                                        \
	M(R_TRAIL, READER, READER, 0, 0)                                       \
	M(R_FOUND, READER, READER, 0, 0)                                       \
	M(R_SAW, READER, READER, 0, 0)                                         \
	M(R_DONE, READER, READER, 0, 0)                                        \
	M(I_CHECK, NODE, AUDIT, 0, 0)                                          \
	M(I_CHECKED, AUDIT, NODE, 0, 0)                                        \
	M(I_PASS, NODE, AUDIT, 0, 0)                                           \
	M(I_STATE, AUDIT, NODE, 0, 0)                                          \
	M(I_FOUND, AUDIT, NODE, 0, 0)                                          \
	M(I_WANT, AUDIT, PARENT, 0, 0)                                         \
	M(I_FILE, PARENT, AUDIT, 0, 1)                                         \
	M(I_FILES_END, PARENT, AUDIT, 0, 0)                                    \
	M(D_CONF, PARENT, AUDIT, 0, 0)                                         \
	M(D_PIPES, PARENT, AUDIT, 2, 2)                                        \
	M(D_THERE, AUDIT, NODE, 0, 0)                                          \
	M(D_LOG, NODE, AUDIT, 0, 0)                                            \
	M(D_ACT, AUDIT, NODE, 0, 0)                                            \
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
