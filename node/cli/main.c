/* SPDX-License-Identifier: BSD-2-Clause */
/* warren: finds the verb and runs it. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "common/log.h"
#include "common/lookup.h"

#include "node/cli/dispatch.h"
#include "node/cli/say.h"
#include "node/cli/term.h"
#include "node/cli/verb.h"

static cli_verb_fn *const run[VERB_COUNT] = {
    [VERB_RUN] = verb_run,
    [VERB_SUBMIT] = verb_submit,
    [VERB_JOBS] = verb_jobs,
    [VERB_SHOW] = verb_show,
    [VERB_LOGS] = verb_logs,
    [VERB_RESULT] = verb_result,
    [VERB_CANCEL] = verb_cancel,
    [VERB_APPROVE] = verb_approve,
    [VERB_REJECT] = verb_reject,
    [VERB_RECEIPT_VERIFY] = verb_receipt_verify,
    [VERB_NODES] = verb_nodes,
    [VERB_DESCRIBE] = verb_describe,
    [VERB_IDENTITY] = verb_identity,
    [VERB_STATUS] = verb_status,
    [VERB_PEERS] = verb_peers,
    [VERB_INTERFACES] = verb_interfaces,
    [VERB_PATHS] = verb_paths,
    [VERB_DISCOVERED] = verb_discovered,
    [VERB_TOP] = verb_top,
    [VERB_EXPLAIN] = verb_explain,
    [VERB_IMAGE_IMPORT] = verb_image_import,
    [VERB_IMAGE_PULL] = verb_image_pull,
    [VERB_IMAGE_LIST] = verb_image_list,
    [VERB_IMAGE_INSPECT] = verb_image_inspect,
    [VERB_IMAGE_VERIFY] = verb_image_verify,
    [VERB_IMAGE_REMOVE] = verb_image_remove,
    [VERB_IMAGE_GC] = verb_image_gc,
    [VERB_AUDIT_CHECK] = verb_audit_check,
    [VERB_AUDIT_TAIL] = verb_audit_tail,
    [VERB_AUDIT_VERIFY] = verb_audit_verify,
    [VERB_AUDIT_ANCHOR] = verb_audit_anchor,
    [VERB_AUDIT_WITNESS] = verb_audit_witness,
    [VERB_AUDIT_EXPORT] = verb_audit_export,
    [VERB_AUDIT_VERIFY_BUNDLE] = verb_audit_verify_bundle,
    [VERB_FORENSICS] = verb_forensics,
    [VERB_KLP_KEYGEN] = verb_klp_keygen,
    [VERB_KLP_SIGN] = verb_klp_sign,
    [VERB_KLP_VERIFY] = verb_klp_verify,
    [VERB_KLP_PUBLISH] = verb_klp_publish,
    [VERB_KLP_GET] = verb_klp_get,
    [VERB_KLP_MIRROR] = verb_klp_mirror,
    [VERB_REVOKE] = verb_revoke,
    [VERB_TRUST_SHOW] = verb_trust_show,
    [VERB_TRUST_WHY] = verb_trust_why,
    [VERB_TRUST_CLOCK] = verb_trust_clock,
    [VERB_CHECK_CONFIG] = verb_check_config,
    [VERB_DOCTOR] = verb_doctor,
    [VERB_RELOAD] = verb_reload,
};

int
main(int argc, char **argv)
{
	struct cli c = {0};
	enum cli_verb_id id;
	int rc;

	const struct rlimit no_core = {1, 1};

	if (argc == 3 && strcmp(argv[0], LOOKUP_NAME) == 0)
		return lookup_main(argv[1], argv[2]);
	log_init("warren", LOG_WARN);
	/* keys of a person are in its memory: 1, since 0 stops no handler */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	/* who reads our output may leave; the job's results are fetched all
	 * the same */
	(void)signal(SIGPIPE, SIG_IGN);
	rc = cli_dispatch(&argc, argv, &id, &c.json);
	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	cli_terminal(&c);
	c.verb = cli_verbs[id].name;
	rc = run[id](&c, argc, argv);
	if (rc != CLI_OK && c.interrupted)
		cli_error(&c, "interrupted");
	return rc;
}
