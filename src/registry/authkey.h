/* SPDX-License-Identifier: Apache-2.0 */
/* registry/authkey.h: keys of "auths" in files of credentials, and what they stand for.
 *
 * They were written by many programs: "quay.io", "quay.io/team" (podman), "https://quay.io",
 * "https://quay.io/v2/", "https://index.docker.io/v1/" (docker). With a scheme, what follows the host
 * means nothing; without, it is the path of repositories. The longest path wins, then the plainest
 * key. */
#pragma once
#include "base/array.h"
#include "base/slice.h"

struct auth_key {
	struct slice host, path; /* path: without slashes around it */
	unsigned plain; /* 3 "host", 2 "https://host…", 1 "http://host…" */
};

struct auth_key auth_key_of(const char *text); /* slices of text */
bool auth_key_same(const char *a, const char *b);
/* How well a key suits; 0: not at all. path may be NULL. */
size_t auth_key_suits(const char *text, const char *host, const char *path);
/* The key to write for HOST or HOST/PATH; borrowed. */
const char *auth_key_to_write(const char *host);
/* What helpers know a host as, in the order to ask. */
void auth_key_servers(const char *host, struct strs *l);

/* Docker Hub has several names. */
bool auth_host_is_hub(struct slice host);
bool auth_host_same(struct slice a, struct slice b);
