/* SPDX-License-Identifier: Apache-2.0 */
/* registry/authfile_in.h: what reading and writing files of credentials share. */
#pragma once
#include <jansson.h>
#include <sys/types.h>

#include "registry/authfile.h"

enum { AUTHFILE_MAX = 1 << 20 };

struct authfile {
	char *path, *name; /* name: for people */
	json_t *root;
	mode_t mode;
};

void authfile_done(struct authfile *f);
/* 1, 0 if there is no such file, -1. *f, fresh, is to be ended in any case. */
int authfile_load(const char *path, struct authfile *f, struct err *e) _must_check_;

/* The file that --authfile or $REGISTRY_AUTH_FILE names, or NULL; borrowed. */
const char *authfile_named(const struct authfile_opts *o);
/* Docker's own, or NULL without a home. */
char *authfile_docker(void);

/* A mark without credentials, as docker leaves it for what is in a store. */
bool authfile_entry_is_empty(const json_t *entry);
/* *name: the helper for this host, or NULL (borrowed); *own: named for just this host. */
int authfile_helper(const struct authfile *f, const char *host, const char **name, bool *own,
		    struct err *e) _must_check_;
