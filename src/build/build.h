/* SPDX-License-Identifier: Apache-2.0 */
/* build/build.h: from a Dockerfile and a context to an image in the store. The life of a build:
 * parse, plan (graph of steps for the target), keys, what is cached, then the steps that are left,
 * as many at once as are ready; then config and manifest. docs/architecture.md tells it in full. */
#pragma once
#include "build/events.h"
#include "oci/config.h"
#include "store/image.h"

/* --build-context NAME=VALUE */
struct build_named {
	char *name;
	char *value; /* directory, "rootfs:/", "oci-layout://DIR[:TAG]", "docker-image://REF" */
};

/* A source of COPY --from that is not there. */
struct build_miss {
	struct view *view;           /* of the stage or image */
	const char *path;            /* as written, expanded */
	const char *stage;           /* as it stands after --from= */
	const char *workdir;         /* of that stage, or NULL */
	const char *instruction;     /* its text, one line, or NULL */
	const char *dest;            /* or NULL */
};

struct build_opts {
	const char *context;         /* directory; NULL: an empty one */
	const char *dockerfile_name; /* for messages: as the user wrote it */
	struct slice dockerfile;     /* its text */
	/* text and name of the ignore file that goes with it; p NULL: .dockerignore of the context */
	struct slice ignore;
	const char *ignore_name;
	const char *target;          /* or NULL */
	struct kvs args;             /* --build-arg, values final */
	struct kvs labels;
	ARRAY_OF(struct build_named) named;
	struct strs no_cache_filter; /* stage names, lower case */
	bool no_cache;
	const char *platform;        /* or NULL: this machine's */
	/* Called with the name of each image of FROM and --from= before the store is asked for it, in the
	 * process that plans, once a name: pulls it if it has to. NULL: the store alone counts. */
	int (*obtain)(void *ctx, const char *name, struct err *e);
	void *obtain_ctx;
	const char *network;         /* NULL, "default", "host", "none" */
	struct kvs add_hosts;        /* name -> address */
	uint64_t shm_size;
	bool rewrite_timestamp;      /* with an epoch: also files in new layers are not younger */
	bool docker_format;          /* Docker v2s2 manifest instead of OCI */
	struct kvs annotations;
	const struct build_events *events; /* or NULL */
	/* Says why, and what to write instead (explain/copy_miss.h lies above this room): replaces
	 * *e. Never NULL. */
	int (*explain_miss)(const struct build_miss *m, struct err *e);
	/* An instruction that thimble does not support yet is refused by name. */
};

struct build_result {
	struct digest manifest, id;
	struct image_config config;  /* of the image */
	ARRAY_OF(char *) snaps;      /* its layers, lowest first */
	bool on_rootfs;
	unsigned steps, cached;      /* of the target's graph */
};
void build_result_done(struct build_result *r);

/* Builds the target; the image is in the store, not named. Enters the user namespace (userns.h)
 * when a step has to run, so the caller has no threads. */
int build_run(struct store *s, const struct build_opts *o, struct build_result *out, struct err *e) _must_check_;

/* Applies one instruction of those that only change the config (CMD ENTRYPOINT ENV EXPOSE LABEL
 * ONBUILD STOPSIGNAL USER VOLUME WORKDIR HEALTHCHECK SHELL MAINTAINER) to cfg: `import --change`.
 * Others are refused by name. */
int build_apply_change(struct image_config *cfg, const char *text, struct err *e) _must_check_;
