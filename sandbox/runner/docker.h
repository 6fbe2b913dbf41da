/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_DOCKER_H
#define WARREN_SANDBOX_RUNNER_DOCKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/runner.h"

/*
 * What is said to Docker's daemon (its Engine API, 1.41), and what its answers
 * say. Pure: tests/unit/test_docker.c has both word for word.
 *
 * Nothing of a manifest or of a job's image is in it: a container is made of an
 * image that holds warren-inner and empty folders, with the ids of a slot, one
 * socket of ours and nothing else of the machine. warren-inner asks there for
 * what a job is (arrive.h).
 */
#define DOCKER_TEXT 4096
#define DOCKER_NAME 64	 /* of a container: "warren-12345678-..." */
#define DOCKER_NODE 9	 /* of a node: 8 hex digits, for names and labels */
#define DOCKER_ID 65	 /* 64 hex digits */
#define DOCKER_WHY 200
#define DOCKER_LISTED 256u

/* In the container; TAR members of its image as well. */
#define DOCKER_INNER "warren-inner"
#define DOCKER_JOB "job"
#define DOCKER_SOCKET "meet"

struct docker_container {
	char node[DOCKER_NODE];
	char name[DOCKER_NAME];
	uint32_t id;	    /* its user and group */
	const char *socket; /* absolute, in the daemon's file system */
};

/*
 * Requests: the whole of a head, with the content where that is a text. How many
 * bytes, 0: no room.
 */
size_t docker_version_request(char *out, size_t cap);
size_t docker_info_request(char *out, size_t cap);
/* An archive of `bytes` follows. meet: where the node's sockets are. */
size_t docker_image_request(char *out, size_t cap, const char *node,
    const char *meet, uint64_t bytes);
size_t docker_image_remove(char *out, size_t cap, const char *node);
size_t docker_create(char *out, size_t cap, const struct docker_container *);
size_t docker_start(char *out, size_t cap, const char *name);
size_t docker_remove(char *out, size_t cap, const char *name);
/* Images of nodes, of all of them. */
size_t docker_images_list(char *out, size_t cap);
/* The containers of this node, of all lives: the latest DOCKER_ASKED of them. */
#define DOCKER_ASKED 64
size_t docker_list(char *out, size_t cap, const char *node);

/* One of those: whose it is, and where that node's sockets were. */
#define DOCKER_MEET 256
struct docker_image {
	char node[DOCKER_NODE];
	char meet[DOCKER_MEET];
};

/* Answers' content; false: not what was asked for, nothing is written. */
bool docker_version_read(uint16_t out[RUNNER_PARTS], const char *text);
/* Does it have systemd make its groups? false: no, or it does not say. */
bool docker_info_systemd(const char *text);
/* Ids of a list; of more than DOCKER_LISTED the first. */
bool docker_list_read(char out[DOCKER_LISTED][DOCKER_ID], size_t *n,
    const char *text);
/*
 * What is tagged as a node's, with the labels that a node gives it; all else is
 * left out. Of more than DOCKER_LISTED the first.
 */
bool docker_images_read(struct docker_image out[DOCKER_LISTED], size_t *n,
    const char *text);
/* The daemon's own words on a refusal; "" where it has none. Printable. */
void docker_message(char out[DOCKER_WHY], const char *text);
/* An image that came to nothing says so in a content of status 200. */
bool docker_image_taken(const char *text, char why[DOCKER_WHY]);

#endif
