/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_VERB_H
#define WARREN_NODE_CLI_VERB_H

#include "node/cli/cli.h"

/*
 * The verbs, one file each or a family; verbs.c has their table. argv[0] is the
 * verb's last word. The result is the exit status; what went wrong is said.
 */
typedef int cli_verb_fn(struct cli *, int argc, char **argv);
cli_verb_fn verb_approve, verb_audit_anchor, verb_audit_check,
    verb_audit_export, verb_audit_tail, verb_audit_verify,
    verb_audit_verify_bundle, verb_audit_witness, verb_cancel,
    verb_check_config, verb_describe, verb_discovered, verb_doctor,
    verb_explain, verb_forensics, verb_identity, verb_image_import,
    verb_image_gc, verb_image_inspect, verb_image_list, verb_image_pull,
    verb_image_remove, verb_image_verify, verb_jobs,
    verb_klp_get, verb_klp_keygen, verb_klp_mirror, verb_klp_publish, verb_klp_sign, verb_klp_verify,
    verb_interfaces, verb_logs, verb_nodes, verb_paths, verb_peers, verb_receipt_verify, verb_reject,
    verb_reload, verb_result, verb_revoke, verb_run, verb_show, verb_status, verb_submit,
    verb_top, verb_trust_clock, verb_trust_show, verb_trust_why;

#endif
