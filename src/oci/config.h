/* SPDX-License-Identifier: Apache-2.0 */
/* oci/config.h: the image config (OCI image-spec config.md, and Docker's additions: Healthcheck,
 * OnBuild, Shell, ArgsEscaped). Unknown members survive reading and writing. */
#pragma once
#include <jansson.h>
#include <time.h>
#include "base/array.h"
#include "base/buf.h"
#include "oci/digest.h"
#include "oci/platform.h"

struct health {
	struct strs test;              /* ["NONE"], ["CMD", …], ["CMD-SHELL", text] */
	int64_t interval, timeout, start_period, start_interval; /* nanoseconds, 0: default */
	int64_t retries;
};
void health_done(struct health *h);

struct history {
	struct timespec created;
	bool has_created, empty_layer;
	char *created_by, *author, *comment; /* each or NULL */
};

struct kv {
	char *k, *v;
};
struct kvs {
	struct kv *p;
	size_t n, cap;
};
void kvs_done(struct kvs *l);
void kvs_set(struct kvs *l, struct slice k, struct slice v); /* in place, or appended */
const char *kvs_get(const struct kvs *l, const char *k);     /* NULL if absent */
void kvs_copy(struct kvs *to, const struct kvs *from);

struct image_config {
	struct timespec created;
	bool has_created;
	char *author;
	struct platform platform;
	/* "config" */
	char *user, *working_dir, *stop_signal; /* NULL or "": unset */
	struct strs env;                        /* "K=V" */
	struct strs entrypoint, cmd, shell;
	bool has_entrypoint, has_cmd, has_shell; /* false: null/absent; true with n == 0: [] */
	bool args_escaped;
	struct strs volumes, ports;             /* keys, sorted when written */
	struct kvs labels;
	struct strs onbuild;
	struct health *health;                  /* or NULL */
	/* "rootfs", "history" */
	ARRAY_OF(struct digest) diff_ids;
	ARRAY_OF(struct history) history;
	json_t *extra, *extra_config;           /* unknown members of each object, or NULL */
};
void image_config_done(struct image_config *c);
void image_config_copy(struct image_config *to, const struct image_config *from); /* to is ended first */
/* ERR_DATA if it is malformed, or names no os or architecture. `out` is not ended first. */
int image_config_parse(struct slice text, struct image_config *out, struct err *e) _must_check_;
/* Deterministic bytes: members in the order Docker's BuildKit writes them (architecture, config,
 * created, history, os, rootfs, variant … sorted keys). */
void image_config_write(const struct image_config *c, struct buf *out);
/* The "config" object alone (for inspect and for -c/--change). New reference. */
json_t *image_config_json(const struct image_config *c);
const char *env_get(const struct strs *env, const char *name); /* value (the last one) or NULL */
void env_set(struct strs *env, struct slice name, struct slice value); /* in place, or appended */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
