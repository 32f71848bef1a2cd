/* SPDX-License-Identifier: Apache-2.0 */
/* build/plan.h: the graph of steps that a target needs. A plan is made from the Dockerfile, the
 * build arguments and the configs of base images alone, before anything runs: environment, working
 * directory, user and history of every step are known then. Only files are not. */
#pragma once
#include "base/map.h"
#include "build/build.h"
#include "build/config_instr.h"
#include "build/copy.h"
#include "build/rootfs.h"
#include "dockerfile/dockerfile.h"

/* What a FROM stands on. */
enum base_kind { BASE_SCRATCH, BASE_IMAGE, BASE_ROOTFS };
struct base {
	enum base_kind kind;
	char *name;                  /* as people know it */
	struct digest key;           /* of the content */
	struct strs snaps;           /* lowest first */
	size_t hidden;               /* so many of them are no layers of the image (rootfs:/) */
	struct image_config config;
	struct rootfs *rootfs;       /* it stands on this machine's files; in plan */
};

enum node_kind { NODE_BASE, NODE_RUN, NODE_COPY, NODE_WORKDIR };
enum node_state { NODE_WAITING, NODE_RUNNING, NODE_DONE };

/* Where one argument of a COPY or a mount comes from. */
struct plan_source {
	struct node *node;           /* the state of a stage or image; NULL: dir */
	struct source_tree *dir;     /* build context or named directory */
	char *stage;                 /* name for messages; NULL: the build context */
	char *workdir;               /* of that stage, for messages */
};

struct plan_text {               /* a here-document */
	char *name;
	struct slice text;
};

struct run_mount {               /* RUN --mount */
	const struct mount_opt *opt; /* expanded; in the plan's arena */
	struct plan_source from;
};

struct node {
	enum node_kind kind;
	struct node *prev;           /* below; NULL for NODE_BASE */
	struct stage_plan *stage;
	ARRAY_OF(struct node *) inputs; /* besides prev */
	char *title;                 /* "RUN make"; with its place in the stage once all are known */
	const struct instr *instr;   /* borrowed from the Dockerfile or the plan's arena; NULL: none */
	unsigned number;             /* for display; 0: not shown */

	struct base *base;           /* NODE_BASE */

	/* NODE_RUN */
	struct strs argv, env, key_env; /* key_env: without proxies */
	char *cwd, *user, *hostname;
	ARRAY_OF(struct plan_text) scripts; /* files under /dev/pipes */
	ARRAY_OF(struct run_mount) mounts;
	bool net_none, insecure;

	/* NODE_COPY */
	bool add, link, parents, unpack, unpack_set;
	ARRAY_OF(struct plan_source) from;  /* one for each argument; for texts unused */
	struct strs paths;
	ARRAY_OF(struct slice) texts;       /* p NULL: not a text */
	char *dest, *chown;
	const struct chmod_spec *chmod; /* in the plan's arena */
	const char *chmod_text;
	struct strs excludes;

	/* NODE_WORKDIR: cwd, user */

	/* while it is built */
	struct source_tree *files;   /* its state as files, once wanted (chain_tree) */
	struct copy_job *job;        /* NODE_COPY, once its key was wanted */
	ARRAY_OF(struct copy_job *) binds; /* NODE_RUN: one for each bind mount */
	enum node_state state;
	bool exported;               /* a layer of the result */
	bool fresh;                  /* --no-cache */
	bool was_cached;
	struct digest key;
	char snap[SNAP_ID];          /* "" for NODE_BASE */
	struct timespec created;
};

struct history_plan {
	struct history entry;        /* created is filled in at the end for new ones */
	struct node *node;           /* layer it describes, or NULL */
	bool from_base;
};

struct stage_plan {
	const struct dockerfile_stage *stage; /* NULL: an image used by name in COPY --from */
	char *name;                  /* for messages: name, or number, or reference */
	struct node *tip;
	struct image_config config;
	struct strs env;             /* build environment: ENV and ARG, the later one wins */
	struct kvs args;             /* ARGs with a value, in order of declaration */
	struct config_names config_names;
	struct named env_at, args_at;
	ARRAY_OF(struct history_plan) history;
	bool cmd_set, planning, planned, workdir_set;
	bool parent_is_stage;
};

struct plan {
	struct store *store;
	const struct build_opts *opts;
	struct dockerfile *file;     /* borrowed */
	struct arena arena;
	ARRAY_OF(struct node *) nodes;      /* each after what it needs */
	ARRAY_OF(struct stage_plan *) stages; /* by index of the Dockerfile */
	ARRAY_OF(struct stage_plan *) images; /* used by COPY --from */
	struct stage_plan *target;
	ARRAY_OF(struct base *) bases;
	struct source_tree *context; /* NULL until it is needed */
	struct layer_set layers;     /* all that were looked into */
	struct map dirs;             /* named directory contexts: name -> source_tree */
	struct map obtained;         /* names of images that opts->obtain was asked for */
	struct rootfs *rootfs;       /* opened once */
	struct platform platform;
	struct strs globals;         /* ARGs before the first FROM, and the predefined ones, K=V */
	struct named globals_at;
	struct strs predefined;      /* TARGETPLATFORM …, K=V */
	bool *args_used;             /* of opts->args */
	char *id;                    /* tells this build from all others */
	int64_t epoch;               /* SOURCE_DATE_EPOCH, -1: not given */
	int64_t now;
};

int plan_make(struct store *s, const struct build_opts *o, struct dockerfile *file, struct plan *out,
	      struct err *e) _must_check_;
void plan_done(struct plan *p);

/* ---- between the files of this module ---- */
/* A stage of the Dockerfile, planned with all it needs. */
int plan_stage(struct plan *p, struct stage_plan *st, struct err *e) _must_check_;
/* A new node on top of the stage's tip. */
struct node *plan_node(struct plan *p, struct stage_plan *st, enum node_kind kind);
void plan_history(struct stage_plan *st, char *created_by, struct node *node);
/* Gives *e the place of `word` (or all) of the node's instruction, unless it has a place. -1. */
int node_err_at(struct err *e, const struct node *n, const char *word);
/* Expands and applies one instruction to a stage. */
int plan_instr(struct plan *p, struct stage_plan *st, const struct instr *in, struct err *e) _must_check_;
/* Environment for expanding in a stage. */
struct plan_env {
	struct plan *plan;
	struct stage_plan *st;       /* NULL: global */
	const struct instr *in;
};
struct expand_env plan_expand_env(struct plan_env *pe, char escape);
/* The build argument of this name, or NULL; it counts as used. */
const char *plan_build_arg(struct plan *p, const char *name);

/* ---- plan_base.c ---- */
const struct build_named *plan_named(const struct plan *p, const char *name);
/* The start of a stage: scratch, image, named context (not a stage). Adds its first node(s). */
int plan_base(struct plan *p, struct stage_plan *st, const char *ref, struct err *e) _must_check_;
int plan_named_base(struct plan *p, struct stage_plan *st, const struct build_named *named,
		    struct err *e) _must_check_;
/* The build context, opened on first use. */
int plan_context(struct plan *p, struct source_tree **out, struct err *e) _must_check_;
/* What --from= means: a stage by name or number, a named context, else an image. */
/* Only whether the name may stand there: in stages that are not built. */
int plan_from_check(struct plan *p, const struct stage_plan *asking, const char *name, struct err *e) _must_check_;
int plan_from(struct plan *p, struct stage_plan *asking, const char *name, struct plan_source *out,
	      struct err *e) _must_check_;
