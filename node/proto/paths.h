/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_PATHS_H
#define WARREN_NODE_PROTO_PATHS_H

/*
 * The paths of a node (compute.md 3): node reads and answers them, the command
 * line asks for them, and the relay, which looks into no request, hands those
 * of these paths to node.
 */
#define PROTO_PATHS(P)                                                         \
	P(DESCRIBE, "/klp/v1/describe")                                        \
	P(CHALLENGE, "/klp/v1/challenge")                                      \
	P(SUBMIT, "/klp/v1/job/submit")                                        \
	P(BLOB_HAVE, "/klp/v1/blob/have")                                      \
	P(BLOB_PUT, "/klp/v1/blob/put")                                        \
	P(BLOB_GET, "/klp/v1/blob/get")                                        \
	P(STATUS, "/klp/v1/job/status")                                        \
	P(LOG, "/klp/v1/job/log")                                              \
	P(FOLLOW, "/klp/v1/job/follow")                                        \
	P(RESULT, "/klp/v1/job/result")                                        \
	P(CANCEL, "/klp/v1/job/cancel")                                        \
	P(LIST, "/klp/v1/job/list")                                            \
	P(REVIEW, "/klp/v1/job/review")                                        \
	P(APPROVE, "/klp/v1/job/approve")                                      \
	P(ROOT, "/klp/v1/root")                                                \
	P(HEAD, "/klp/v1/head")                                                \
	P(GET, "/klp/v1/get")                                                  \
	P(DELTA, "/klp/v1/delta")                                              \
	P(SET, "/klp/v1/set")                                                  \
	P(TLOG, "/klp/v1/log")                                                 \
	P(EVENTS, "/klp/v1/events")                                            \
	P(ALERT, "/klp/v1/alert")                                              \
	P(IMAGE_PART, "/klp/v1/image/part")                                    \
	P(IMAGE_GET, "/klp/v1/image/get")

enum proto_path {
#define PROTO_PATH_NAME(NAME, text) PATH_##NAME,
	PROTO_PATHS(PROTO_PATH_NAME)
#undef PROTO_PATH_NAME
	PATH_COUNT
};

#define PROTO_REQUEST_MAX 266240u /* compute.md 3: packed, as it travels */

#endif
