/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_IPC_FIELDS_H
#define WARREN_COMMON_IPC_FIELDS_H

/*
 * What each message between two programs says; ipc_msg.h, which includes this,
 * has who sends it to whom, and the kinds and numbers named here.
 */

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
	F(u32, cg_v2, 0) /* layers memory, cpu, pids, devices of v2: bits */   \
	F(u32, cg_v1, 0) /* ... that v1 gives, of compute.md 7 */              \
	F(boolean, compute, 0)                                                 \
	F(str, io_disk, 23) /* of node: whose io.max a job's group has; "" */
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
/*
 * node to parent: this image is revoked, for the reason of klp.md 4.1, and no
 * job has it any more; said again until it is gone
 */
#define MSG_N_BURY(F) F(id32, image, 0) F(u8, reason, 0)
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
	F(u8, hops, 0) F(u32, mtu, 0) F(u32, mdu, 0) F(u32, frame_us, 0)       \
	F(u16, loss_permille, 0) F(u32, slot_us, 0) F(boolean, direct, 0)      \
	F(u32, listen_us, 0) F(u16, frame, 0) F(u32, asker_rtt_us, 0)          \
	F(boolean, duplex, 0)
#define MSG_T_IDENTIFIED(F)                                                    \
	F(hash16, link, 0) F(arr, rns_public, 64) F(hash16, rns_hash, 0)
#define MSG_T_CLOSED(F) F(hash16, link, 0) F(u8, reason, 0)
/* data inline, or len bytes in one sealed memfd (then data is empty) */
#define MSG_T_REQUEST(F)                                                       \
	F(hash16, link, 0) F(hash16, request, 0) F(hash16, path_hash, 0)       \
	F(u32, len, 0) F(u32, took_ms, 0) F(var, data, 3600)
#define MSG_T_FOLLOW_END(F) F(hash16, link, 0) F(u16, stream, 0)
/*
 * A message for our lxmf.delivery, len bytes in one sealed memfd. pub: what was
 * announced of its source, when known. End: of a message of N_MAIL; tag 0: of
 * all.
 */
#define MAIL_MESSAGE_MAX 262144u /* bytes */
#define MSG_T_MAIL(F)                                                          \
	F(u64, handle, 0) F(boolean, known, 0) F(arr, pub, 64) F(u32, len, 0)
enum mail_end { MAIL_DELIVERED = 1, MAIL_STORED, MAIL_FAILED };
#define MSG_T_MAIL_END(F) F(u64, tag, 0) F(u8, end, 0) F(str, why, 120)
/* ---- node to transport ---- */
/*
 * kept: it will not be lost any more. N_MAIL: the data of a letter, len bytes in
 * one sealed memfd, for this lxmf.delivery, whose key this is; written then
 * (unix seconds), which makes its bytes and its id the same each time.
 */
#define MSG_N_MAIL_TAKEN(F) F(u64, handle, 0) F(boolean, kept, 0)
#define MSG_N_MAIL(F)                                                          \
	F(u64, tag, 0) F(hash16, dest, 0) F(arr, pub, 64) F(u32, wrote, 0)     \
	F(u32, within_s, 0) F(u32, len, 0)
#define MSG_N_REPLY(F)                                                         \
	F(hash16, link, 0) F(hash16, request, 0) F(u32, len, 0)                \
	F(var, data, 3600)
/* one descriptor: the read end of a pipe; its EOF is the stream's */
#define MSG_N_FOLLOW(F) F(hash16, link, 0) F(u16, stream, 0)
#define MSG_N_CLOSE(F) F(hash16, link, 0)
/*
 * what klp.node says of itself, from now on, and whether at once; thrifty: not
 * where a slow interface has no air left for it; once: this time alone
 */
#define MSG_N_APP_DATA(F)                                                      \
	F(boolean, announce, 0) F(var, data, 316) F(boolean, thrifty, 0)       \
	F(boolean, once, 0) F(boolean, slow, 0) F(u32, not_if, 0)
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
	X(WARM, "warren_warm_roots", "gauge", "",                              \
	    "Roots that are prepared for jobs to come.")                       \
	X(STARTS, "warren_job_roots_total", "counter", "root",                 \
	    "Starts of jobs since jail's own: warm, or why not.")              \
	X(WARM_FAILED, "warren_warm_roots_failed_total", "counter", "",        \
	    "Roots that could not be prepared, since jail's own start.")       \
	X(LETTERS, "warren_letters_total", "counter", "what",                  \
	    "Messages of lxmf.delivery, and answers, by what became of them.") \
	X(LETTERS_OPEN, "warren_letters_open", "gauge", "",                    \
	    "Letters that are not answered yet.")                              \
	X(USED_UP, "warren_budgets_used_up", "gauge", "budget",                \
	    "Peers and owners with nothing left of a budget.")                 \
	X(HUB_SENT, "warren_hub_events_sent_total", "counter", "",             \
	    "Lines of the trail sent to the hub, again among them.")           \
	X(HUB_ACKED, "warren_hub_acked", "gauge", "",                          \
	    "The last line of the trail that the hub has taken.")              \
	X(HUB_BEHIND, "warren_hub_behind", "gauge", "",                        \
	    "Lines of the trail that the hub has not taken yet.")              \
	X(HUB_FAILED, "warren_hub_failures_total", "counter", "",              \
	    "Batches that the hub has not taken.")                             \
	X(SPOOL, "warren_spool_bytes", "gauge", "",                            \
	    "What peers have here on the disk.")                               \
	X(LOOKED, "warren_integrity_passes_total", "counter", "",              \
	    "How often all that lies on the disk was looked at.")              \
	X(FOUND, "warren_integrity_findings_total", "counter", "",             \
	    "Files that were found changed.")                                  \
	X(HELD, "warren_integrity_open", "gauge", "",                          \
	    "Files that are not what they were, now.")                         \
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
/*
 * What is to be announced of authorities: heads, atag and version each, from now
 * on; say, of trust/doc/spread.h: at once, and which frame besides.
 */
#define MSG_V_SPREAD(F)                                                        \
	F(u8, say, 0) F(var, heads, 96) F(var, frame, 277)                     \
	F(u32, not_if, 0) /* where it came from: M_HEARD */
/* ---- documents that others ask this node for (klp.md 1.6) ---- */
enum give_what {
	GIVE_ROOT, GIVE_HEAD, GIVE_DOC, GIVE_DELTA, GIVE_SET, GIVE_LOG
};
/* version: as it is asked for; max 0: not said; id16: behind it, of a set; of this
 * key, a log */
#define MSG_V_GIVE(F)                                                          \
	F(u64, qid, 0) F(u8, what, 0) F(arr, atag, 8) F(arr, ptag, 4)          \
	F(str, uri, 512) F(u32, version, 0) F(boolean, has_have, 0)            \
	F(u64, offset, 0) F(u32, n, 0) F(u64, max, 0)                          \
	F(boolean, has_id16, 0) F(arr, id16, 16)
/*
 * status: of node/proto/proto.h; got bytes in one sealed memfd, of deltas with
 * a u16 of its length before each; version, len, sha: of the whole
 */
#define MSG_V_GIVEN(F)                                                         \
	F(u64, qid, 0) F(u8, status, 0) F(u32, version, 0) F(u32, len, 0)      \
	F(id32, sha, 0) F(boolean, end, 0) F(u32, got, 0) F(str, why, 64)
/* an alarm that came as a packet: whose it is, of those that hub.accept names */
#define MSG_T_ALERT(F) F(id32, packet, 0) F(arr, frame, IPC_ALERT)
#define MSG_N_ALERT_TAKEN(F) F(id32, packet, 0) /* it is proved then */
#define MSG_V_ALERT(F) F(id32, packet, 0) F(arr, frame, IPC_ALERT)
#define MSG_V_ALERTED(F)                                                       \
	F(id32, packet, 0) F(boolean, ok, 0) F(fp, fp, 0) F(hash16, rns, 0)    \
	F(arr, frame, IPC_ALERT)
#define MSG_V_LIVE_OK(F) F(u64, qid, 0) F(boolean, ok, 0)
#define MSG_V_CHANGED(F) /* cached verdicts are void */
/*
 * The least time that there is (klp.md 1.7), so many seconds ahead of the clock;
 * the latest time that an authority has signed; how often it was lowered.
 */
#define MSG_V_TIME(F)                                                          \
	F(u32, floor, 0) F(u32, behind, 0) F(u32, signed_at, 0) F(u32, lowered, 0)
#define MSG_V_LOWER(F) /* the operator says that the clock is right */
/* all that is revoked: count entries in one sealed memfd (common/listed.h) */
#define MSG_V_LISTED(F) F(u32, count, 0)
/* all images that a log vouches for, in one sealed memfd (common/anchored.h) */
#define MSG_V_ANCHORED(F) F(u32, count, 0)
/* A memfd of common/attested.h; serial: of the rules, 0: nobody has looked. */
#define MSG_V_ATTESTED(F) F(u64, serial, 0) F(u32, count, 0)
/* A memfd of common/vouched.h: whom that is owed to, for people. */
#define MSG_V_VOUCHED(F) F(u32, count, 0)
enum verify_end {
	VERIFY_SAID = 0, /* it took it; len bytes in one sealed memfd */
	VERIFY_NO,	 /* it did not */
	VERIFY_SLOW,	 /* it was ended for its time */
	VERIFY_FAILED,	 /* it did not run, or fell */
};
/*
 * The signature in a memfd, for the index-th verifier of these rules; what the
 * program said, len bytes in a memfd, or why that does not count.
 */
#define MSG_V_VERIFY(F) F(u64, serial, 0) F(u32, seq, 0) F(u8, index, 0)
#define MSG_V_VERIFIED(F)                                                      \
	F(u32, seq, 0) F(u8, end, 0) /* of enum verify_end */                   \
	F(u32, len, 0) F(str, why, 120)
/* an authority or a document, for status; the name "" ends them */
#define MSG_V_AUTHORITY(F)                                                     \
	F(str, name, 256) F(str, path, 512) F(u32, root_version, 0)            \
	F(u32, version, 0) F(u8, fresh, 0) /* of enum fresh */                 \
	F(u32, expires, 0) F(u32, entries, 0) F(str, held, 200)                \
	F(u32, checked, 0) F(str, from, 200) /* found current last */          \
	F(str, failed, 400) /* a source, and why it gives nothing; "" */
/*
 * What image_policy stands on, for status; POLICY_END ends them. A rule for
 * which nobody can sign has its number as version.
 */
enum policy_kind { POLICY_END, POLICY_FILE, POLICY_DOCUMENT, POLICY_RULE };
#define MSG_V_POLICY(F)                                                        \
	F(u8, kind, 0) /* of enum policy_kind */                               \
	F(str, name, 512) F(u32, version, 0) F(u8, fresh, 0) /* enum fresh */  \
	F(u32, since, 0) /* the file is there, it was issued */                \
	F(u32, until, 0) F(str, what, 120) /* ends then; 0: nothing */         \
	F(boolean, near, 0) F(u32, entries, 0) /* 0: why it counts for nothing */ \
	F(str, why, 200)
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
/*
 * ---- trust, audit and transport: one request to the klp.node of an identity;
 * seq comes back, whose it is is known by the channel ----
 * data inline, or len bytes in one sealed memfd (then data is empty); 0: nil.
 * The answer is what the peer has sent and nobody has looked at: max bytes at
 * most, in one sealed memfd. slow: also where the next hop's interface has less
 * than IPC_MESH_FAST bit/s. identify: as this node, so that it is more than a
 * stranger there.
 */
#define IPC_MESH_BODY 266240	     /* bytes: compute.md 3 */
#define IPC_MESH_BYTES (1u << 20)    /* the most of an answer */
#define IPC_MESH_MS (3600u * 1000)   /* ... and waited */
#define IPC_MESH_FAST 20000u	     /* bit/s: klp.md 1.5 */
#define IPC_MESH_PATH 64
#define MSG_M_ASK(F)                                                           \
	F(u32, seq, 0) F(hash16, identity, 0) F(str, path, IPC_MESH_PATH)      \
	F(u32, max, 0) F(u32, deadline_ms, 0) F(boolean, identify, 0)          \
	F(boolean, slow, 0) F(boolean, packet, 0) /* no link: data is all */   \
	F(u32, len, 0) F(var, data, 3600)
enum mesh_end {
	MESH_OK = 0,
	MESH_NO_PATH,	/* nobody has heard of it, or it is ourselves */
	MESH_NO_LINK,	/* it does not answer, or closes the link */
	MESH_TIMEOUT,	/* no answer in time */
	MESH_TOO_LARGE, /* more than max */
	MESH_SLOW,	/* its way is slow, and it was not to be asked there */
	MESH_LATER,	/* too many at once: ask again */
	MESH_OWN,	/* our own: memory, or a question out of its bounds */
};
#define MSG_M_ANSWER(F)                                                        \
	F(u32, seq, 0) F(u8, end, 0) F(u32, len, 0) F(u64, bitrate, 0)         \
	F(str, why, 128)
/*
 * ---- audit and egress: events for the hub, which the parent has named to
 * egress (common/hubset.h): whoever asks cannot choose where they go. One
 * descriptor, len bytes in a sealed memfd; what it answers comes as of FETCH,
 * with any 2xx ----
 */
#define IPC_POST_BYTES (256u << 10) /* klp.md 7 */
#define IPC_POSTED_BYTES 4096u	    /* the most that is answered */
enum post_kind { POST_HUB = 1 };    /* events, a line each */
#define MSG_POST(F)                                                            \
	F(u32, seq, 0) F(u8, kind, 0) F(u32, max, 0) F(u32, deadline_ms, 0)    \
	F(u32, len, 0)
#define MSG_POSTED(F)                                                          \
	F(u32, seq, 0) F(u8, end, 0) F(u16, code, 0) F(u32, len, 0)            \
	F(u32, wait_s, 0) F(str, why, 200)
/* An announce of a klp.node: what it says has not been looked at. */
#define MSG_M_HEARD(F)                                                         \
	F(hash16, identity, 0) F(arr, rns_public, 64) F(u8, hops, 0)           \
	F(u64, bitrate, 0) F(u32, ifid, 0) F(var, data, 316)
/*
 * ---- egress and the command that started it: an image of a registry (OCI
 * distribution 1.1). Named hosts come as SET_WEB_HOSTS, HOST or HOST:PORT a
 * line, certificates as SET_WEB_CA. max: bytes of all blobs; the descriptor: a
 * sealed memfd, "NAME:PASSWORD". Egress wants a file for each index on the way,
 * the manifest of this machine's image, and each blob, in that order; gets one
 * to read and write that may hold a beginning of it, and says when all of it is
 * in there and has that digest ----
 */
#define IPC_PULL_PIN 72	      /* sha256// and base64 of 32 bytes */
#define IPC_PULL_SECRET 16384 /* bytes of the descriptor */
#define MSG_PULL(F)                                                            \
	F(str, host, 253) F(u16, port, 0) F(boolean, insecure, 0)              \
	F(boolean, hub, 0) F(str, repo, 255) F(str, ref, 128)                  \
	F(u64, max, 0) F(str, pin, IPC_PULL_PIN)
enum pull_kind { PULL_INDEX = 1, PULL_MANIFEST = 2, PULL_BLOB = 3 };
/* type: of a document, of media */
#define MSG_PULL_WANT(F)                                                       \
	F(u8, kind, 0) F(id32, digest, 0) F(u64, size, 0) F(str, type, 80)
#define MSG_PULL_FILE(F) F(id32, digest, 0)
#define MSG_PULL_GOT(F) F(id32, digest, 0)
/* bytes that are here, of all, and those that were fetched just now */
#define MSG_PULL_AT(F) F(u64, done, 0) F(u64, total, 0) F(u64, fetched, 0)
#define MSG_PULL_END(F)                                                        \
	F(u8, end, 0) /* of enum fetch_end */ F(str, why, 400)                 \
	F(u16, layers, 0) F(u64, total, 0) F(u64, fetched, 0)
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
	F(u32, bytes_out, 0) F(u32, bpf_events, 0) F(u32, bpf_lost, 0)         \
	F(u8, runner, 0) F(u16, runner_1, 0) F(u16, runner_2, 0)               \
	F(u16, runner_3, 0)
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
/* a bundle of evidence (trust/doc/bundle.h); keys adds the time, and signs */
#define MSG_K_BUNDLE(F)                                                        \
	F(u64, qid, 0) F(u8, kind, 0) F(id32, job, 0) F(u64, size, 0)          \
	F(id32, digest, 0) F(id32, sums, 0)
#define MSG_K_BUNDLED(F)                                                       \
	F(u64, qid, 0) F(boolean, ok, 0) F(arr, frame, IPC_BUNDLE)
/* an alarm for a hub (trust/doc/alert.h), as one packet */
#define MSG_K_ALERT(F)                                                         \
	F(u32, seq, 0) F(u8, severity, 0) F(u16, class_uid, 0)                 \
	F(u8, activity, 0) F(u8, disposition, 0) F(u32, time, 0)               \
	F(u32, line, 0) F(u16, count, 0) F(arr, subject, 16)                   \
	F(arr, chain, 8)
#define MSG_K_ALERTED(F)                                                       \
	F(u32, seq, 0) F(boolean, ok, 0) F(arr, frame, IPC_ALERT)
/* ---- node and jail; plan: sandbox/plan/plan.h ---- */
/*
 * fds: argv and env (memfd), seccomp program (memfd), a blob per volume; of a
 * module plan_wasm_fds(): itself and where its code goes, or its code
 */
#define MSG_J_RUN(F) F(var, plan, 3800)
enum jail_step { STEP_FILL = 1, STEP_PACK = 2, STEP_CLEAN = 3, STEP_COMPILE = 4 };
#define MSG_J_STEP(F) F(id32, job, 0) F(u8, step, 0) F(u8, volume, 0)
/* why: of enum kill_reason; kept by jail, and told with the end */
#define MSG_J_KILL(F) F(id32, job, 0) F(u8, why, 0)
#define MSG_J_FREEZE(F) F(id32, job, 0) F(boolean, on, 0) /* its clock */
#define MSG_J_FORGET(F) F(id32, job, 0)
/* fds: stdout, stderr (read ends), pidfd of the job's first process */
#define MSG_J_STARTED(F)                                                       \
	F(id32, job, 0) F(u32, slot, 0) F(u32, layers, 0) F(id32, policy, 0)   \
	F(u32, compile_ms, 0) /* processor time of a module's compilation */
/* code: of compute.md 4 or 5 ("volume", "image", "posture", "internal"); slot:
 * that it holds until J_FORGET; 0: none */
#define MSG_J_FAILED(F)                                                        \
	F(id32, job, 0) F(u32, slot, 0) F(str, code, 32) F(str, why, 256)      \
	F(u8, kill, 0) F(u32, compile_ms, 0)
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
/*
 * A snapshot of a job that runs (common/snapshot.h): what is bits of it, bytes
 * the most that it may take. J_SNAP_READY: now it is to stand still; then
 * J_SNAP_GO. J_SNAPPED ends it: ok, with the memfd, or why not.
 */
#define MSG_J_SNAP(F) F(id32, job, 0) F(u8, what, 0) F(u64, bytes, 0)
#define MSG_J_SNAP_READY(F) F(id32, job, 0)
#define MSG_J_SNAP_GO(F) F(id32, job, 0)
#define MSG_J_SNAPPED(F) F(id32, job, 0) F(boolean, ok, 0) F(str, why, 256)
#define MSG_J_FORGOTTEN(F) F(id32, job, 0) F(u32, slot, 0)
/* a job that runs, or ran while nobody listened; fds as STARTED */
#define MSG_J_RUNNING(F)                                                       \
	F(id32, job, 0) F(u32, slot, 0) F(u32, layers, 0) F(id32, policy, 0)   \
	F(boolean, exited, 0) F(u8, how, 0) F(i32, code, 0) F(u8, kill, 0)     \
	F(u64, ran_ms, 0) /* but for what it was frozen */                     \
	F(u32, compile_ms, 0)
/* a job whose volumes are filled, or whose root is built; J_STARTED follows */
#define MSG_J_STAGING(F) F(id32, job, 0) F(u32, slot, 0) F(u8, kill, 0)
/* at hello, after the J_RUNNINGs and J_STAGINGs: what this machine gives, and why not more */
#define MSG_J_POSTURE(F) /* runner: common/runner.h, its version, and what its \
	processes get beside a job's */                                       \
	F(u32, layers, 0) F(u32, slots, 0) F(str, missing, 1024)               \
	F(u8, runner, 0) F(u16, runner_1, 0) F(u16, runner_2, 0)               \
	F(u16, runner_3, 0) F(u32, room_pids, 0) F(u64, room_memory, 0)
/*
 * ---- roots that are prepared for jobs to come (sandbox/jail/member.h) ----
 * J_WARM: whatever is prepared goes, and nothing more is prepared of a job that
 * has run; from here on each slot keeps one, or none, for so long.
 * J_POOL: how many there are now; of the starts since that jail began, those
 * into one, and the others by why not: none was there, a job of another shape,
 * one with a root to write to, an image's folder that is another
 * one; and how many could not be prepared
 */
#define MSG_J_WARM(F) F(boolean, on, 0) F(u32, idle_s, 0)
#define MSG_J_POOL(F)                                                          \
	F(u32, prepared, 0) F(u64, warm, 0) F(u64, none, 0) F(u64, shape, 0)   \
	F(u64, writable, 0) F(u64, image, 0) F(u64, failed, 0)
/* ---- to audit ---- */
#define MSG_EVENT(F) /* run, number: first, for common/witness.h */            \
	F(u64, run, 0) F(u64, number, 0)                                       \
	F(u16, kind, 0) F(u8, severity, 0) F(i64, when_us, 0)                  \
	F(u64, qid, 0) /* not 0: answer HEAD when it is in the trail */        \
	F(var, job, 32) F(var, peer, 32) /* fp, or Reticulum identity hash */  \
	F(str, code, 64) F(str, text, 768) F(i64, a, 0) F(i64, b, 0)           \
	F(u64, limit, 0) F(u64, value, 0) /* of a refusal; both 0: none */
/*
 * At audit's hello, before and behind what is sent again: settled up to acked;
 * what up to upto has not come will not. Audit's answer, now and then: it is in
 * the trail up to here, or the trail says what is lost.
 */
#define MSG_EVENT_RUN(F) F(u64, run, 0) F(u64, acked, 0) F(u64, upto, 0)
#define MSG_EVENT_ACK(F) F(u64, run, 0) F(u64, upto, 0)
/*
 * ---- node and audit: probes in the kernel that watch a job ----
 * W_POSTURE: at hello; layers: LAYER_BPF or 0; missing: why not the first; by:
 * how jobs are watched
 */
#define MSG_W_POSTURE(F) F(u32, layers, 0) F(str, missing, 200) F(str, by, 400)
/* Files of a job's group, by bits of W_JOB, whose descriptors come in order. */
enum watch_file {
	WATCH_CPU,    /* cpu.stat */
	WATCH_MEMORY, /* memory.events, or v1: memory.oom_control */
	WATCH_PIDS,   /* pids.events */
	WATCH_FILES
};
/*
 * its v2 group; files: 1 << WATCH_ of each descriptor. late: it runs
 * already. Answered by W_READY, before which it must not start; ok: it is
 * watched from its start on. record: its contract's (trust/doc/contract.h), or
 * nothing; denied: a bit for each call of its syscalls.deny. Said again when a
 * contract is known later.
 */
#define MSG_W_JOB(F)                                                           \
	F(id32, job, 0) F(u64, group, 0) F(u32, cpu_milli, 0)                  \
	F(u8, files, 0) F(boolean, late, 0) F(boolean, nested, 0)              \
	F(arr, denied, 64)                                                     \
	F(var, record, IPC_CONTRACT_RECORD)
#define MSG_W_READY(F) F(id32, job, 0) F(boolean, ok, 0)
/*
 * end it or stop it; rule: of trust/doc/contract.h, name: of the file's. BROKEN:
 * a rule of its contract, which says itself what follows; wait_ms: of a rate,
 * for how long it must stand still to keep it
 */
enum watch_does { WATCH_KILL = 1, WATCH_FREEZE = 2, WATCH_BROKEN = 3 };
#define MSG_W_FLAG(F)                                                          \
	F(id32, job, 0) F(u8, does, 0) F(u8, rule, 0) F(u32, wait_ms, 0)       \
	F(str, name, 48) F(str, text, 256)
/* it has ended, status as wait(2) has it; answered by what the receipt says */
#define MSG_W_OVER(F)                                                          \
	F(id32, job, 0) F(u64, cpu_ms, 0) F(u64, memory_kb, 0)                 \
	F(u64, wall_ms, 0) F(u32, status, 0)
#define MSG_W_DONE(F) F(id32, job, 0) F(u32, events, 0) F(u32, lost, 0)
/*
 * What the hub has: at hello, and when it changes. Lines sent, the last one it
 * has taken, lines it waits for; why: of the last failure, "": none since.
 */
#define MSG_HUB_STATE(F)                                                       \
	F(boolean, on, 0) F(u64, sent, 0) F(u64, acked, 0) F(u64, behind, 0)   \
	F(u64, failed, 0) F(u32, acked_at, 0) F(u32, failed_at, 0)             \
	F(u32, wait_s, 0) F(u8, end, 0) /* of enum fetch_end, of that failure */ \
	F(u16, code, 0) F(str, why, 200)
/*
 * Make a bundle (audit/bundle.h): of a job, or of the lines from..to of the
 * trail. fds: bits of what goes along, in this order; count, bytes: of all
 * bundles that may be there.
 */
enum bundle_fds {
	BUNDLE_FD_ABOUT = 1,	/* text: what node knows of the job */
	BUNDLE_FD_SNAPSHOT = 2, /* common/snapshot.h */
	BUNDLE_FD_STDOUT = 4,	/* its logs, to read */
	BUNDLE_FD_STDERR = 8,
};
#define MSG_W_BUNDLE(F)                                                        \
	F(u64, qid, 0) F(u8, kind, 0) F(id32, job, 0) F(u8, fds, 0)            \
	F(u64, from, 0) F(u64, to, 0) F(u32, count, 0) F(u64, bytes, 0)
/* name: beneath warren/forensics; or why there is none */
#define MSG_W_BUNDLED(F)                                                       \
	F(u64, qid, 0) F(boolean, ok, 0) F(str, name, 128) F(u64, size, 0)     \
	F(u32, members, 0) F(u32, pause_us, 0) F(str, why, 200)
/*
 * ---- integrity: what lies on the disk (audit/integrity.h) ----
 * Audit and its readers, processes of its own (audit/integrity_reader.h); seq
 * comes back. R_NEXT: the image behind this one. whole: what is known of its
 * files does not count. R_FILE: one descriptor. R_TRAIL: what is known of it.
 */
#define MSG_R_NEXT(F) F(u32, seq, 0) F(boolean, first, 0) F(id32, after, 0)
#define MSG_R_IMAGE(F) F(u32, seq, 0) F(id32, image, 0) F(boolean, whole, 0)
#define MSG_R_FILE(F) F(u32, seq, 0) F(id32, sum, 0)
#define MSG_R_TRAIL(F)                                                         \
	F(u32, seq, 0) F(boolean, has_key, 0) F(arr, key, 32)                  \
	F(boolean, has_line, 0) F(id32, line, 0)
#define MSG_R_FOUND(F) /* walk_diff, and where */                              \
	F(u32, seq, 0) F(u8, what, 0) F(str, path, 300)
#define MSG_R_SAW(F) F(u32, seq, 0) F(u64, bytes, 0)
enum read_end {
	READ_GOOD,
	READ_CHANGED,  /* R_FOUNDs, or why, say what */
	READ_UNLISTED, /* there is no list of its files */
	READ_GONE,     /* there is no such image (no more) */
	READ_FAILED,   /* it cannot be said: why */
};
#define MSG_R_DONE(F)                                                          \
	F(u32, seq, 0) F(u8, end, 0) F(id32, image, 0) F(id32, list, 0)        \
	F(u64, bytes, 0) F(u32, entries, 0) F(u32, looked, 0) F(u32, kept, 0)  \
	F(str, why, 300)
/*
 * Node and audit. I_CHECK: is this image as it was imported: for a job that is
 * to start, by word of a person, who lifts what is held against it, or after
 * an import, with the list's digest. job: zeros for persons.
 */
enum check_how { CHECK_START = 1, CHECK_VERIFY, CHECK_IMPORTED };
#define MSG_I_CHECK(F)                                                         \
	F(id32, image, 0) F(id32, job, 0) F(u8, how, 0) F(id32, list, 0)
#define MSG_I_CHECKED(F)                                                       \
	F(id32, image, 0) F(id32, job, 0) F(u8, how, 0)                        \
	F(u8, end, 0) /* of enum read_end */ F(str, why, 400)
#define MSG_I_PASS(F) /* look at everything now */
#define MSG_I_STATE(F) /* for status; done: of the pass that runs */           \
	F(boolean, running, 0) F(u64, done, 0) F(u32, passes, 0)               \
	F(u32, at, 0) F(u32, took_ms, 0) F(u32, images, 0) F(u32, files, 0)    \
	F(u32, kept, 0) /* of files: by fs-verity */                           \
	F(u64, bytes, 0) F(u32, found, 0) F(u32, every_s, 0)
/* what is not as it was; why "": it is again. image: of an image's */
enum found_kind { FOUND_IMAGE = 1, FOUND_PROGRAM, FOUND_PROFILE, FOUND_KEY,
	FOUND_TRAIL };
#define MSG_I_FOUND(F)                                                         \
	F(u8, kind, 0) F(id32, image, 0) F(str, name, 200) F(str, why, 400)    \
	F(u32, at, 0)
/*
 * Audit and parent, at each pass: files as they lie there now, each with the
 * digest (audit/filesum.h) of what is in use; error: an errno, and no
 * descriptor. other: another file lies there than was opened. rights: who may
 * write or run it is not as it was.
 */
enum file_rights { RIGHTS_SAME, RIGHTS_MODE, RIGHTS_OWNER };
#define MSG_I_WANT(F) F(u32, seq, 0)
#define MSG_I_FILE(F)                                                          \
	F(u32, seq, 0) F(u8, kind, 0) F(str, name, 200) F(id32, sum, 0)        \
	F(boolean, other, 0) F(u8, rights, 0) F(i32, error, 0)
#define MSG_I_FILES_END(F) F(u32, seq, 0)
/*
 * ---- the watchdog (klp.md 10). D_CONF: parent to audit; act: its verdicts
 * have an effect, else they are noted. D_PIPES: the end to write to, the end to
 * read from. D_THERE: audit to node; D_LOG: what a job has printed, seq bytes
 * behind the beginning of its stream ----
 */
enum dog_there { DOG_NONE, DOG_WAITED_FOR, DOG_PRESENT, DOG_ABSENT };
enum dog_action {
	DOG_NOTE,
	DOG_FLAG,
	DOG_THROTTLE,
	DOG_FREEZE,
	DOG_KILL,
	DOG_PROPOSE,
	DOG_ACTIONS
};
#define MSG_D_CONF(F) F(boolean, on, 0) F(boolean, act, 0) F(boolean, corroborate, 0)
#define MSG_D_PIPES(F)
#define MSG_D_THERE(F) F(u8, there, 0)
#define MSG_D_LOG(F)                                                           \
	F(id32, job, 0) F(u8, stream, 0) F(u64, seq, 0) F(var, text, 1024)
#define MSG_D_ACT(F)                                                           \
	F(id32, job, 0) F(u8, action, 0) F(u32, ttl_s, 0) F(str, reason, 256)
/* seq 0: the event could not be written (disk full, or no trail) */
#define MSG_HEAD(F) F(u64, qid, 0) F(u64, seq, 0) F(id32, digest, 0)

#endif
