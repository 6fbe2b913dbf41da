/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_VERBS_H
#define WARREN_NODE_CLI_VERBS_H

#include <stddef.h>

#include "common/opts.h"

/*
 * The one table of the command line: its verbs, what each takes, what each
 * option does. What is parsed, every --help, and the tests of the manual and
 * of the completion read it.
 */
enum cli_verb_id {
	VERB_RUN,
	VERB_SUBMIT,
	VERB_JOBS,
	VERB_SHOW,
	VERB_LOGS,
	VERB_RESULT,
	VERB_CANCEL,
	VERB_APPROVE,
	VERB_REJECT,
	VERB_RECEIPT_VERIFY,
	VERB_NODES,
	VERB_DESCRIBE,
	VERB_IDENTITY,
	VERB_STATUS,
	VERB_PEERS,
	VERB_INTERFACES,
	VERB_PATHS,
	VERB_DISCOVERED,
	VERB_TOP,
	VERB_EXPLAIN,
	VERB_IMAGE_IMPORT,
	VERB_IMAGE_PULL,
	VERB_IMAGE_LIST,
	VERB_IMAGE_INSPECT,
	VERB_IMAGE_VERIFY,
	VERB_IMAGE_REMOVE,
	VERB_IMAGE_GC,
	VERB_AUDIT_TAIL,
	VERB_AUDIT_VERIFY,
	VERB_AUDIT_ANCHOR,
	VERB_AUDIT_WITNESS,
	VERB_AUDIT_EXPORT,
	VERB_AUDIT_VERIFY_BUNDLE,
	VERB_FORENSICS,
	VERB_AUDIT_CHECK,
	VERB_KLP_KEYGEN,
	VERB_KLP_SIGN,
	VERB_KLP_VERIFY,
	VERB_KLP_PUBLISH,
	VERB_KLP_GET,
	VERB_KLP_MIRROR,
	VERB_REVOKE,
	VERB_TRUST_SHOW,
	VERB_TRUST_WHY,
	VERB_TRUST_CLOCK,
	VERB_CHECK_CONFIG,
	VERB_DOCTOR,
	VERB_RELOAD,
	VERB_COUNT
};

enum cli_opt_id {
	OPT_CONFIG = 1, /* 0 ends the options */
	OPT_IDENTITY,
	OPT_JSON,
	OPT_RAW,
	OPT_HELP,
	OPT_WIDE,
	OPT_MINE,
	OPT_ALL,
	OPT_TO,
	OPT_HERE,
	OPT_TIMEOUT,
	OPT_OUT,
	OPT_IN_PLACE,
	OPT_DETACH,
	OPT_STRICT,
	OPT_LABEL,
	OPT_PRINT,
	OPT_FRESH,
	OPT_FOLLOW,
	OPT_STDERR,
	OPT_WAIT,
	OPT_NAME,
	OPT_LINES,
	OPT_VOLUME,
	OPT_ENV,
	OPT_MEMORY,
	OPT_CPU,
	OPT_TIME,
	OPT_PIDS,
	OPT_OUTPUT,
	OPT_LOG,
	OPT_WRITABLE,
	OPT_DEADLINE,
	OPT_RETRIES,
	OPT_WASM,
	OPT_FUEL,
	OPT_DETERMINISTIC,
	OPT_FILES,
	OPT_KEY,
	OPT_RECEIPT,
	OPT_LOG_KEY,
	OPT_WITNESS,
	OPT_WITNESSES,
	OPT_RECORD,
	OPT_ORIGIN,
	OPT_PROOFS,
	OPT_THEN,
	OPT_FROM,
	OPT_HELD,
	OPT_SCHEME,
	OPT_SHOW,
	OPT_EXPIRES,
	OPT_EDGES,
	OPT_ROOT,
	OPT_ROLE,
	OPT_THRESHOLD,
	OPT_LIST,
	OPT_SELF,
	OPT_URI,
	OPT_KIND,
	OPT_REASON,
	OPT_SUSPEND,
	OPT_LIFT,
	OPT_SINCE,
	OPT_ENVELOPE,
	OPT_VIA,
	OPT_VIA_LXMF,
	OPT_DELTA,
	OPT_DRY_RUN,
	OPT_UNNAMED,
	OPT_SCOPE,
	OPT_INSECURE,
	OPT_CA,
	OPT_PIN,
	OPT_AUTH,
	OPT_ALSO,
	OPT_MIRROR,
	OPT_MAX,
	OPT_SLOW,
	OPT_SHARE,
	OPT_LOWER,
};

struct cli_verb {
	const char *name; /* one word or two */
	const char *args; /* of the usage line */
	const char *does; /* one line, for the list of verbs */
	const char *more; /* lines under the options, or NULL */
	int least, most;  /* words that are no options; most -1: no bound */
	const struct opt *options;
	size_t noptions;
};
extern const struct cli_verb cli_verbs[VERB_COUNT];
/* What every verb takes. */
extern const struct opt cli_shared[];
extern const size_t cli_nshared;

#endif
