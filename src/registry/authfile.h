/* SPDX-License-Identifier: Apache-2.0 */
/* registry/authfile.h: who the user is at which registry: ~/.docker/config.json and the files of
 * containers-auth.json(5), with credential stores and helpers (docker-credential-*).
 *
 * Read, the first that has an entry for the host (or a repository below it) wins: --authfile, else
 * $REGISTRY_AUTH_FILE, else $XDG_RUNTIME_DIR/containers/auth.json,
 * $XDG_CONFIG_HOME/containers/auth.json, $DOCKER_CONFIG/config.json (~/.docker/config.json).
 * Written: --authfile, $REGISTRY_AUTH_FILE, else Docker's file. Written whole, by rename, 0600, and
 * what we do not know in it is kept. A file that others can read is used, and told with a warning.
 *
 * Docker Hub is https://index.docker.io/v1/ in these files. Passwords are wiped from memory when
 * they end and appear in no message. */
#pragma once
#include <stdbool.h>

#include "base/array.h"
#include "base/attr.h"

struct err;

struct creds {
	char *user, *password; /* or: */
	char *token; /* an identity (refresh) token; user may be "<token>" */
	char *from; /* the file or helper it comes from, for messages */
	char *host; /* of --creds: the registry that they went to, or NULL */
};
void creds_done(struct creds *c);
/* Whether what a user gave by --creds is for this registry. A command may ask several (a Dockerfile
 * names what it likes): they are for the first one, and for no other. */
bool creds_are_for(struct creds *c, const char *host);

struct authfile_opts {
	const char *path; /* --authfile, or NULL */
	void (*warn)(void *ctx, const char *text); /* or NULL */
	void *ctx;
};

/* host: "docker.io", "localhost:5000"; path: "library/gcc" or NULL. 1, 0 if there is none (anonymous),
 * -1: a file is malformed, a helper fails (its words are in the error; "not found" is 0). Names of
 * helpers hold only letters, digits, '-', '_', '.': no '/' (design.md §6, 9). */
int authfile_get(const struct authfile_opts *o, const char *host, const char *path,
		 struct creds *out, struct err *e) _must_check_;
/* host may be "HOST/PATH" from here on: credentials for the repositories below it, as podman has them.
 *
 * Keeps it in the helper that the file names for the host, else in the file. *where: what it is kept
 * in, for people (caller frees); *plain: it is a file, only encoded. */
int authfile_put(const struct authfile_opts *o, const char *host, const struct creds *c,
		 char **where, bool *plain, struct err *e) _must_check_;
/* 1, 0 if there was none, -1. */
int authfile_del(const struct authfile_opts *o, const char *host, char **where, struct err *e)
	_must_check_;
/* All that authfile_del can take away, with the paths (`logout --all`). */
int authfile_hosts(const struct authfile_opts *o, struct strs *hosts, struct err *e) _must_check_;
