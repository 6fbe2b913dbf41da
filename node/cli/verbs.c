/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/verbs.h"

#include "common/util.h"

const struct opt cli_shared[] = {
    {OPT_CONFIG, 0, "config", "DIR",
	"Reticulum's folder; else found as rnsd does"},
    {OPT_IDENTITY, 0, "identity", "DIR",
	"your keys; default ~/.config/warren"},
    {OPT_JSON, 0, "json", NULL, "JSON on standard output and nothing else"},
    {OPT_RAW, 0, "raw", NULL, "strangers' bytes unescaped, to a terminal too"},
    {OPT_HELP, 'h', "help", NULL, "this text"},
};
const size_t cli_nshared = NELEM(cli_shared);

#define TIMEOUT_OPTION                                                         \
	{OPT_TIMEOUT, 0, "timeout", "TIME",                                    \
	    "for the first contact (30s, 5m); default 2m"}
/* Of the verbs that are about a job that there is. */
#define TARGET_OPTIONS                                                         \
	{OPT_TO, 't', "to", "NODE", "the job is on this node"},                \
	{OPT_HERE, 0, "here", NULL, "the job is on this machine's node"},      \
	TIMEOUT_OPTION
#define OUT_OPTION                                                             \
	{OPT_OUT, 'o', "out", "DIR", "where results go; default the job's folder"}

#define VIA_LXMF_OPTION                                                        \
	{OPT_VIA_LXMF, 0, "via-lxmf", "HASH,...",                                  \
	    "by message, through these propagation nodes"}

#define SUBMIT_OPTIONS                                                         \
	{OPT_TO, 't', "to", "NODE",                                            \
	    "hash, URN or name; default the one you trust"},                   \
	{OPT_OUT, 'o', "out", "DIR", "where results go; default ./ID"},        \
	{OPT_IN_PLACE, 0, "in-place", NULL,                                    \
	    "rw volumes replace their local folders too"},                     \
	{OPT_DETACH, 'd', "detach", NULL,                                      \
	    "return when the node has everything; print the id"},              \
	VIA_LXMF_OPTION,                                                       \
	{OPT_STRICT, 0, "strict", NULL,                                        \
	    "refuse inputs, fail on outputs that lack something"},             \
	{OPT_FRESH, 0, "fresh", NULL,                                          \
	    "ask the node what it is now, whatever is kept of it"},            \
	{OPT_NAME, 0, "name", "NAME",                                          \
	    "call it so, on this machine; taken for its id"},                  \
	{OPT_LABEL, 'l', "label", "K[=V]",                                     \
	    "note this with it, here; may be repeated"},                       \
	{OPT_PRINT, 0, "print", NULL,                                          \
	    "show the manifest that it would sign; run nothing"},              \
	TIMEOUT_OPTION

static const struct opt submit_options[] = {SUBMIT_OPTIONS};
static const struct opt run_options[] = {
    SUBMIT_OPTIONS,
    {OPT_VOLUME, 'v', "volume", "VOLUME",
	"LOCAL:TARGET:ro or :rw, a folder; may be repeated"},
    {OPT_ENV, 'e', "env", "K[=V]", "environment; K alone: as it is here"},
    {OPT_MEMORY, 'm', "memory", "SIZE", "at most (64MB, 2GB); default the node's"},
    {OPT_CPU, 0, "cpu", "CORES", "at most (0.5, 2); default the node's"},
    {OPT_TIME, 0, "time", "TIME", "it runs (30s, 2h); default the node's"},
    {OPT_PIDS, 0, "pids", "N", "processes at most; default the node's"},
    {OPT_OUTPUT, 0, "output", "SIZE", "in rw volumes; default the node's"},
    {OPT_LOG, 0, "log", "SIZE", "of stdout and stderr; default the node's"},
    {OPT_WRITABLE, 0, "writable", NULL, "let it write to its root, for a while"},
    {OPT_DEADLINE, 0, "deadline", "TIME", "it must have ended by then; default 24h, far away 72h"},
    {OPT_RETRIES, 0, "retries", "N", "again when it is lost (to 16); default 0"},
    {OPT_WASM, 0, "wasm", "FILE", "run this module; there is no IMAGE then"},
    {OPT_FUEL, 0, "fuel", "N", "instructions that a module may take"},
    {OPT_DETERMINISTIC, 0, "deterministic", NULL,
	"of a module: the same clock and chances in each run"},
    {OPT_FILES, 0, "files", "WAY", "of a module: memory, or folders"},
};
#define WIDE_OPTION                                                            \
	{OPT_WIDE, 0, "wide", NULL, "every column, and values whole"}

static const struct opt jobs_options[] = {
    {OPT_TO, 't', "to", "NODE", "yours on this node; with --held all"},
    {OPT_HERE, 0, "here", NULL, "all of this machine's node"},
    {OPT_MINE, 0, "mine", NULL, "yours as noted here; no node is asked"},
    {OPT_LABEL, 'l', "label", "K[=V]", "only those with this label"},
    {OPT_HELD, 0, "held", NULL, "only those that wait for a review"},
    WIDE_OPTION,
    TIMEOUT_OPTION,
};
static const struct opt target_options[] = {TARGET_OPTIONS};
static const struct opt word_options[] = {
    {OPT_TO, 't', "to", "NODE", "the job is, or will be, on this node"},
    {OPT_HERE, 0, "here", NULL, "the job is on this machine's node"},
    TIMEOUT_OPTION,
};
static const struct opt logs_options[] = {
    TARGET_OPTIONS,
    {OPT_FOLLOW, 'f', "follow", NULL, "go on as the job writes more"},
    {OPT_STDERR, 0, "stderr", NULL, "standard error; default standard output"},
};
static const struct opt result_options[] = {
    TARGET_OPTIONS,
    OUT_OPTION,
    VIA_LXMF_OPTION,
    {OPT_STRICT, 0, "strict", NULL, "fail when the outputs lack something"},
};
static const struct opt nodes_options[] = {
    {OPT_WAIT, 'w', "wait", "TIME", "listen so long (1m); default 10s, 0 if any is known"},
    {OPT_ALL, 'a', "all", NULL, "those too that were not heard for a day"},
    WIDE_OPTION,
};
static const struct opt table_options[] = {WIDE_OPTION};
static const struct opt describe_options[] = {TIMEOUT_OPTION};
#define SHARE_OPTION                                                           \
	{OPT_SHARE, 0, "share", NULL,                                          \
	    "keep what other nodes need to pull it from here"}

static const struct opt import_options[] = {
    {OPT_NAME, 0, "name", "NAME:TAG", "what jobs call it; needed"},
    SHARE_OPTION,
};
static const struct opt gc_options[] = {
    {OPT_DRY_RUN, 0, "dry-run", NULL, "say what would go, and leave it"},
    {OPT_UNNAMED, 0, "unnamed", NULL, "images that have no name, too"},
};
/* Whose word counts about a transparency log. */
#define LOG_OPTIONS                                                            \
	{OPT_LOG_KEY, 0, "log-key", "KEY", "of the log, NAME+ID+KEY"},         \
	{OPT_WITNESS, 0, "witness", "KEY",                                     \
	    "of a witness, NAME+ID+KEY; may be repeated"}
static const struct opt verify_options[] = {
    {OPT_KEY, 0, "key", "KEY", "audit's public key, pubkey:ed25519:..."},
    {OPT_RECEIPT, 0, "receipt", "JOB",
	"a job's folder: is its line in this trail"},
    {OPT_LOG, 0, "log", "PATH",
	"a transparency log, or one proof of it"},
    LOG_OPTIONS,
    {OPT_WITNESSES, 0, "witnesses", "N",
	"how many of them must have signed; default all"},
    {OPT_RECORD, 0, "record", "FILE", "that must be in it"},
};
static const struct opt anchor_options[] = {
    {OPT_LOG, 0, "log", "DIR", "the log's folder"},
    {OPT_KEY, 'k', "key", "FILE", "that signs it (klp keygen)"},
    {OPT_ORIGIN, 0, "origin", "NAME",
	"begin a log of this name, as example.org/warren"},
    {OPT_PROOFS, 0, "proofs", "DIR",
	"write there N.json and N.tlog-proof of each"},
};
static const struct opt witness_options[] = {
    {OPT_LOG, 0, "log", "DIR", "the log's folder"},
    {OPT_KEY, 'k', "key", "FILE", "that signs (klp keygen)"},
    {OPT_NAME, 0, "name", "NAME", "of the witness, as w.example.org"},
    {OPT_LOG_KEY, 0, "log-key", "KEY", "of the log, NAME+ID+KEY"},
};
#define OLDSIG_OPTIONS                                                         \
	{OPT_LIST, 0, "list", "FILE", "does this list revoke the key?"},       \
	{OPT_ROOT, 0, "root", "FILE", "a root document: whose list it is"}
static const struct opt receipt_options[] = {
    OLDSIG_OPTIONS,
};
static const struct opt bundle_options[] = {
    {OPT_KEY, 0, "key", "KEY", "the node's mesh key, pubkey:ecc-secp256k1:..."},
    OLDSIG_OPTIONS,
};
static const struct opt forensics_options[] = {
    {OPT_THEN, 0, "then", "WHAT", "resume, kill or stay; default resume"},
};
static const struct opt export_options[] = {
    {OPT_FROM, 0, "from", "N", "the first line; default 1"},
    {OPT_TO, 't', "to", "N", "the last one; default the last there is"},
};
static const struct opt tail_options[] = {
    {OPT_LINES, 'n', "lines", "N", "how many (1 to 100000); default 20"},
};

#define KEY_OPTION(does) {OPT_KEY, 'k', "key", "KEY", does}

static const struct opt keygen_options[] = {
    {OPT_SCHEME, 0, "scheme", "SCHEME",
	"ed25519, ecdsa or bip340; default ed25519"},
    {OPT_SHOW, 0, "show", NULL, "the public half of one that there is"},
};
static const struct opt sign_options[] = {
    KEY_OPTION("a file of klp keygen; may be repeated; default yours"),
    {OPT_OUT, 'o', "out", "FILE", "where it goes; default standard output"},
    {OPT_EXPIRES, 0, "expires", "TIME",
	"issued now, until so much later (24h, 30d)"},
    {OPT_EDGES, 0, "edges", NULL,
	"of a trust graph, those that this key says"},
};
static const struct opt klp_verify_options[] = {
    {OPT_ROOT, 0, "root", "FILE", "a root document: whose signatures count"},
    {OPT_ROLE, 0, "role", "ROLE", "of the root; default what the file is"},
    KEY_OPTION("a key or its file instead; may be repeated"),
    {OPT_THRESHOLD, 0, "threshold", "N",
	"how many must have signed; default all"},
};
static const struct opt publish_options[] = {
    KEY_OPTION("of the role head (klp keygen); may be repeated"),
    {OPT_EXPIRES, 0, "expires", "TIME", "of the head (1m to 14d); default 24h"},
};
static const struct opt get_options[] = {
    {OPT_OUT, 'o', "out", "FILE", "where it goes; default standard output"},
    {OPT_ENVELOPE, 0, "envelope", NULL, "with its signatures, as it was fetched"},
    {OPT_VIA, 0, "via", "NODE", "from this one, over the mesh"},
};
static const struct opt mirror_options[] = {
    {OPT_FROM, 0, "from", "NODE",
	"that has them; default the first that the root names"},
    {OPT_OUT, 'o', "out", "DIR", "instead of klp/documents/NAME"},
};
static const struct opt revoke_options[] = {
    {OPT_LIST, 0, "list", "FILE", "the list, signed or not; replaced"},
    {OPT_KIND, 0, "kind", "KIND", "key, rns, artifact or token; default by ID"},
    {OPT_REASON, 0, "reason", "REASON",
	"key_compromise, policy, ...; default unspecified"},
    {OPT_SINCE, 0, "since", "TIME", "it is not to be trusted from so long ago"},
    {OPT_SUSPEND, 0, "suspend", NULL, "for a while: it can be lifted"},
    {OPT_LIFT, 0, "lift", NULL, "take a suspension back"},
    {OPT_EXPIRES, 0, "expires", "TIME", "of the list; default 30d"},
    {OPT_URI, 0, "uri", "URI", "of a first list (klp://NAME/PATH)"},
    KEY_OPTION("sign it at once; may be repeated; default not signed"),
    {OPT_DELTA, 0, "delta", "DIR", "what changes alone, too, into that folder"},
    {OPT_ROOT, 0, "root", "FILE", "of the authority, the first (for --delta)"},
    {OPT_SELF, 0, "self", "KEY", "this key revokes itself, into --out"},
    {OPT_OUT, 'o', "out", "FILE", "where it goes; default the list"},
};

static const struct opt why_options[] = {
    {OPT_SCOPE, 0, "scope", "SCOPE", "for what; default job.submit"},
};

static const struct opt clock_options[] = {
    {OPT_LOWER, 0, "lower", NULL, "the clock is right: it counts again"},
};

static const struct opt top_options[] = {
    {OPT_WAIT, 'w', "wait", "TIME", "between two looks (500ms, 10s); default 2s"},
    WIDE_OPTION,
};

static const struct opt pull_options[] = {
    {OPT_NAME, 0, "name", "NAME:TAG",
	"call it so; default after what it is called there"},
    {OPT_AUTH, 0, "auth", "FILE",
	"as Docker's config.json, mode 600: who asks"},
    {OPT_CA, 0, "ca", "FILE",
	"certificates of authorities, PEM; default the system's"},
    {OPT_PIN, 0, "pin", "PIN",
	"sha256//BASE64: the registry's public key must be this"},
    {OPT_ALSO, 0, "also", "HOST[:PORT]",
	"named by you, as the registry is; may be repeated"},
    {OPT_MIRROR, 0, "mirror", "HOST[:PORT]",
	"asked first, as nobody in particular"},
    {OPT_INSECURE, 0, "insecure", NULL,
	"plain HTTP, to registry, mirror and --also"},
    {OPT_MAX, 0, "max", "SIZE", "of all its blobs together; default 8GB"},
    {OPT_FROM, 0, "from", "NODE",
	"of this node, over the mesh, instead of a registry"},
    {OPT_SLOW, 0, "slow", NULL, "with --from: however long the link takes"},
    SHARE_OPTION,
};

#define OPTIONS(list) (list), NELEM(list)
#define NO_OPTIONS NULL, 0

const struct cli_verb cli_verbs[VERB_COUNT] = {
    [VERB_RUN] = {"run", "IMAGE|--wasm FILE [OPTION...] [--] [COMMAND...]",
	"run a command on a node, without a file",
	"What it writes comes as it writes it, it has nothing to read, and its\n"
	"exit status is ours. Else: 128+N ended by signal N, 124 killed by the "
	"node\n(a limit), 123 lost, 122 no node was reached, 121 refused, 125 "
	"warren failed.\n"
	"  warren run kai/tools:latest -v ./in:/in:ro -m 256MB -- wc /in/a\n",
	0, -1, OPTIONS(run_options)},
    [VERB_SUBMIT] = {"submit", "JOB.yaml [--to NODE]",
	"run the job of a file on a node",
	"The job's output comes as it is written. `man warren` shows what\n"
	"JOB.yaml holds. Exit status 0 when the job exited 0, 5 when not.\n",
	1, 1, OPTIONS(submit_options)},
    [VERB_JOBS] = {"jobs", "[--to NODE | --here | --mine]", "list jobs",
	"Without --to, --here or --mine: all jobs of this machine's node where\n"
	"one computes, else yours as they are noted.\n", 0, 0,
	OPTIONS(jobs_options)},
    [VERB_SHOW] = {"show", "JOB", "one job in full", NULL, 1, 1,
	OPTIONS(target_options)},
    [VERB_LOGS] = {"logs", "JOB [-f] [--stderr]", "what a job has written",
	NULL, 1, 1, OPTIONS(logs_options)},
    [VERB_RESULT] = {"result", "JOB [--out DIR]",
	"fetch outputs, logs and the receipt",
	"Waits for a job that runs. The exit status is that of submit.\n", 1, 1,
	OPTIONS(result_options)},
    [VERB_CANCEL] = {"cancel", "JOB", "end a job", NULL, 1, 1,
	OPTIONS(target_options)},
    [VERB_APPROVE] = {"approve", "JOB [--to NODE]",
	"let a job run that waits for a review",
	"On the node's own machine the operator's word, signed by the node's\n"
	"key; with --to NODE yours, which counts for a reviewer of that node.\n",
	1, 1, OPTIONS(word_options)},
    [VERB_REJECT] = {"reject", "JOB [--to NODE]",
	"end a job that waits: it is not to run",
	"As for approve.\n", 1, 1, OPTIONS(word_options)},
    [VERB_RECEIPT_VERIFY] = {"receipt verify", "JOB",
	"check a receipt offline",
	"JOB is the folder of a job, or a name or an id that leads to it.\n", 1, 1,
	OPTIONS(receipt_options)},
    [VERB_NODES] = {"nodes", "[--wait TIME]", "compute nodes heard of", NULL, 0,
	0, OPTIONS(nodes_options)},
    [VERB_DESCRIBE] = {"describe", "NODE",
	"what a node offers and would let you do", NULL, 1, 1,
	OPTIONS(describe_options)},
    [VERB_IDENTITY] = {"identity", "[show]",
	"your keys; with --config those of the node", NULL, 0, 1, NO_OPTIONS},
    [VERB_STATUS] = {"status", "", "this node: interfaces, programs, counters",
	NULL, 0, 0, NO_OPTIONS},
    [VERB_PEERS] = {"peers", "", "who is connected, and how much each uses",
	NULL, 0, 0, OPTIONS(table_options)},
    [VERB_INTERFACES] = {"interfaces", "",
	"each interface: state, traffic, what it drops", NULL, 0, 0,
	OPTIONS(table_options)},
    [VERB_PATHS] = {"paths", "", "the path table: who is reached, and how",
	NULL, 0, 0, OPTIONS(table_options)},
    [VERB_DISCOVERED] = {"discovered", "",
	"interfaces that others offer", NULL, 0, 0, OPTIONS(table_options)},
    [VERB_TOP] = {"top", "[--wait TIME]",
	"what passes now, a second, until Ctrl-C",
	"Once, between two looks, with --json or where no terminal reads it.\n",
	0, 0, OPTIONS(top_options)},
    [VERB_EXPLAIN] = {"explain", "JOB|PEER|HASH|hub",
	"why something waits, was dropped, refused or died",
	"On the node's own machine; of a JOB that you sent by letter, where it is and\n"
	"what was tried. A HASH is a destination, a link, a packet or\n"
	"an identity of the mesh: what is known of it, and why it was dropped or\n"
	"held back. A PEER is a Reticulum identity, a key, its\n"
	"fingerprint or URN: its level, its budgets, what it was refused.\n", 1,
	1, NO_OPTIONS},
    [VERB_IMAGE_IMPORT] = {"image import", "PATH[:TAG] --name NAME:TAG",
	"take an image into the store",
	"PATH is a root folder, an OCI layout, a `docker save` archive or a\n"
	"`skopeo dir:` folder, as it is or as a tar; TAG chooses one of several.\n",
	1, 1, OPTIONS(import_options)},
    [VERB_IMAGE_PULL] = {"image pull", "[REGISTRY/]NAME[:TAG][@DIGEST]",
	"fetch an image from a registry, or from a node",
	"Without REGISTRY it is docker.io's, without TAG latest. What is here\n"
	"already of it is not fetched again, also of a pull that was cut. With\n"
	"--from it is called NAME[:TAG] there, or sha256:DIGEST.\n", 1, 1,
	OPTIONS(pull_options)},
    [VERB_IMAGE_LIST] = {"image list", "", "images of the store", NULL, 0, 0,
	OPTIONS(table_options)},
    [VERB_IMAGE_INSPECT] = {"image inspect", "IMAGE",
	"layers, sizes, names, who uses it", NULL, 1, 1,
	NO_OPTIONS},
    [VERB_IMAGE_VERIFY] = {"image verify", "IMAGE",
	"compare its files with those that were imported",
	"By the node that runs here, else by this command. One that is good may\n"
	"run again, whatever was held against it.\n", 1, 1, NO_OPTIONS},
    [VERB_IMAGE_REMOVE] = {"image remove", "IMAGE...",
	"take a name away, and the image with its last one",
	"Refused while a job runs in it or waits for it.\n", 1, -1, NO_OPTIONS},
    [VERB_IMAGE_GC] = {"image gc", "[--dry-run] [--unnamed]",
	"remove what belongs to no image", NULL, 0, 0, OPTIONS(gc_options)},
    [VERB_AUDIT_TAIL] = {"audit tail", "[-n N]",
	"the last lines of the trail", NULL, 0, 0, OPTIONS(tail_options)},
    [VERB_AUDIT_VERIFY] = {"audit verify",
	"[--key KEY] [--receipt JOB] [--log PATH]",
	"check the whole trail, or a transparency log",
	"Exit status 6: whole, by the key beside the trail alone.\n", 0, 0,
	OPTIONS(verify_options)},
    [VERB_AUDIT_ANCHOR] = {"audit anchor", "--log DIR --key FILE WHAT...",
	"write fingerprints into a transparency log",
	"WHAT is node, trail, images, image:NAME or a file with a record of an\n"
	"agent (klp.fingerprint).\n", 1, -1, OPTIONS(anchor_options)},
    [VERB_AUDIT_WITNESS] = {"audit witness",
	"--log DIR --log-key KEY --key FILE --name NAME",
	"sign a log that has only grown", NULL, 0, 0,
	OPTIONS(witness_options)},
    [VERB_AUDIT_EXPORT] = {"audit export", "[--from N] [--to N] FILE",
	"lines of the trail, signed, for others to check",
	"FILE is a zip archive, and is never overwritten. What lies outside of\n"
	"the span is not told, and the chain can be verified all the same.\n", 1,
	1, OPTIONS(export_options)},
    [VERB_AUDIT_VERIFY_BUNDLE] = {"audit verify-bundle", "FILE [--key KEY]",
	"check a bundle of evidence, offline",
	"FILE is what forensics or audit export made. Exit status 6: whole, by\n"
	"the key in it alone; --config of a node that pins that key vouches for\n"
	"it.\n", 1, 1, OPTIONS(bundle_options)},
    [VERB_FORENSICS] = {"forensics", "JOB [--then WHAT]",
	"memory and files of a job here, signed",
	"On the node's own machine. The job stands still while it is copied; the\n"
	"bundle goes into warren/forensics.\n", 1, 1,
	OPTIONS(forensics_options)},
    [VERB_AUDIT_CHECK] = {"audit check", "",
	"compare what lies on the disk with what it was",
	"Images, programs, profiles, public keys, the trail: as the node does by\n"
	"itself each hour. Exit status 1: something is not what it was.\n", 0,
	0, NO_OPTIONS},
    [VERB_KLP_KEYGEN] = {"klp keygen", "FILE", "make a key that signs documents",
	"FILE is made for you alone and never overwritten.\n", 1, 1,
	OPTIONS(keygen_options)},
    [VERB_KLP_SIGN] = {"klp sign", "FILE [--key KEY]",
	"sign a document, or add a signature",
	"FILE is JSON with a _type (klp.root, klp.trust-graph, ...), an\n"
	"envelope that was signed before, or a head.\n", 1, 1,
	OPTIONS(sign_options)},
    [VERB_KLP_VERIFY] = {"klp verify", "FILE [--root FILE | --key KEY]",
	"whose signatures a document has",
	"Exit status 0 only when as many as are asked for are good and it has\n"
	"not expired.\n", 1, 1, OPTIONS(klp_verify_options)},
    [VERB_KLP_PUBLISH] = {"klp publish", "DIR [FILE...] --key KEY",
	"the folder of an authority, with a new head",
	"FILEs are signed documents and roots to be taken into DIR, which has\n"
	"the files of klp/documents/NAME/ of a node and of a web server; a\n"
	"trusted_root.json of sigstore becomes a document and is signed.\n", 1,
	-1, OPTIONS(publish_options)},
    [VERB_KLP_GET] = {"klp get", "URI",
	"a document of an authority, verified",
	"URI is klp://NAME/PATH; ?v=VERSION or ?sha256=DIGEST asks for that one,\n"
	"#/POINTER for a part.\n", 1, 1, OPTIONS(get_options)},
    [VERB_KLP_MIRROR] = {"klp mirror", "NAME",
	"all documents of an authority over the mesh",
	"NAME is that of a pinned root. A running node with klp.mirror_of gives\n"
	"them to others.\n", 1, 1, OPTIONS(mirror_options)},
    [VERB_REVOKE] = {"revoke", "ID --list FILE",
	"withdraw a key, an identity or an artifact",
	"ID is a URN, a key, 32 digits of a Reticulum identity, or sha256: and\n"
	"64 digits. The list goes to nodes by klp publish.\n", 0, 1,
	OPTIONS(revoke_options)},
    [VERB_TRUST_SHOW] = {"trust show", "",
	"what the authorities of this node say", NULL, 0, 0,
	OPTIONS(table_options)},
    [VERB_TRUST_WHY] = {"trust why", "ID",
	"the level of somebody, and who gave it",
	"ID is a URN, a key, a fingerprint or a Reticulum identity.\n", 1, 1,
	OPTIONS(why_options)},
    [VERB_TRUST_CLOCK] = {"trust clock", "",
	"the least time that there is, and how to lower it",
	"A clock that was ahead once leaves it behind.\n", 0, 0,
	OPTIONS(clock_options)},
    [VERB_CHECK_CONFIG] = {"check-config", "",
	"name every mistake in the configuration", NULL, 0, 0, NO_OPTIONS},
    [VERB_DOCTOR] = {"doctor", "",
	"attack the sandbox here; say what it lacks",
	"Exit status 0 when all that jobs need holds, 1 when an attack got\n"
	"through, 3 when a layer that jobs need is missing.\n", 0, 0,
	NO_OPTIONS},
    [VERB_RELOAD] = {"reload", "", "take changed files, and say what changed",
	NULL, 0, 0, NO_OPTIONS},
};
