/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/instr.h: one instruction, parsed and checked. All strings and arrays lie in the arena
 * of the Dockerfile it belongs to (after instr_expand: in the arena given there). */
#pragma once
#include "dockerfile/lex.h"
#include "dockerfile/values.h"

struct expand_env;

enum instr_kind {
	INSTR_ADD, INSTR_ARG, INSTR_CMD, INSTR_COPY, INSTR_ENTRYPOINT, INSTR_ENV, INSTR_EXPOSE,
	INSTR_FROM, INSTR_HEALTHCHECK, INSTR_LABEL, INSTR_MAINTAINER, INSTR_ONBUILD, INSTR_RUN,
	INSTR_SHELL, INSTR_STOPSIGNAL, INSTR_USER, INSTR_VOLUME, INSTR_WORKDIR,
};
const char *instr_name(enum instr_kind k); /* "ADD" */
/* The instruction that a word names (case ignored), or -1. */
int instr_kind_of(struct slice word);

struct words {
	const char **p;
	size_t n;
};
struct pair {
	const char *key;
	const char *value;  /* NULL: ARG without default */
};
struct pairs {
	struct pair *p;
	size_t n;
};

enum mount_type { MOUNT_BIND, MOUNT_CACHE, MOUNT_TMPFS, MOUNT_SECRET, MOUNT_SSH };
enum mount_sharing { SHARING_SHARED, SHARING_PRIVATE, SHARING_LOCKED };
struct mount_opt {          /* RUN --mount, expanded, defaults filled in where §3 has them */
	enum mount_type type;
	const char *from;   /* stage, context or image; NULL: build context (bind), nothing (cache) */
	const char *source; /* path in from, "" if not given */
	const char *target; /* as written (relative to WORKDIR or absolute); NULL: none (secret, ssh) */
	const char *id;     /* cache: NULL means the cleaned target; secret: set; ssh: "default" */
	const char *env;    /* secret: NULL if not exported */
	bool readonly;
	bool required;
	enum mount_sharing sharing;
	uint64_t size;      /* tmpfs; 0: no limit */
	bool has_mode, has_uid, has_gid;
	uint32_t mode, uid, gid; /* defaults of the type if not given */
};
struct mounts {
	struct mount_opt *p;
	size_t n;
};

struct device_opt {         /* RUN --device */
	const char *name;
	bool required;
};

enum run_network { RUN_NET_DEFAULT, RUN_NET_NONE, RUN_NET_HOST };

struct instr {
	enum instr_kind kind;
	const char *keyword;      /* as written */
	const char *original;     /* the instruction on one (glued) line, without here-documents */
	struct err_span span;     /* all its lines; `file` and `lines` are in the arena */
	const char *doc;          /* comment block above, or NULL */
	const char *check_skip;   /* rules that are silent here (comma list), or NULL */
	char escape;              /* of the text it came from */
	const struct instr *origin; /* what it was expanded from; NULL: it is as parsed */

	/* Arguments:
	 *	RUN CMD ENTRYPOINT SHELL HEALTHCHECK-CMD  json: the argv; else empty, see `text`
	 *	COPY ADD                                  sources that are no here-documents
	 *	EXPOSE                                    as written; expanded: "80/tcp", each port
	 *	VOLUME                                    paths
	 *	USER WORKDIR STOPSIGNAL MAINTAINER        one: the whole rest */
	struct words args;
	bool json;
	/* Shell form of RUN CMD ENTRYPOINT HEALTHCHECK-CMD: what follows SHELL's words. For a RUN
	 * with here-documents all is in it: the body alone, or command, bodies and terminators. */
	const char *text;
	struct heredocs heredocs; /* RUN, COPY, ADD; COPY and ADD expanded: bodies expanded */
	/* RUN <<EOF whose body starts with "#!": the body is to be a file /dev/pipes/NAME (0755,
	 * read-only) and `text` is its path; heredocs.p[0] has name and body. */
	bool run_script;

	struct pairs pairs;       /* ENV LABEL ARG */
	bool legacy_pair;         /* "ENV k v" */

	/* FROM */
	const char *image;
	const char *platform;     /* --platform, or NULL */
	const char *stage_name;   /* lower case, or NULL */
	const char *stage_name_raw;
	const char *as_word;      /* "AS" as written, or NULL */

	/* COPY, ADD */
	const char *dest;
	const char *from;         /* COPY --from as written, or NULL */
	const char *chown;        /* or NULL */
	const char *chmod;        /* or NULL; expanded: chmod_spec is it, parsed */
	const struct chmod_spec *chmod_spec;
	bool link, parents;
	struct words excludes;
	const char *checksum;     /* ADD, or NULL */
	int keep_git_dir, unpack; /* ADD: 1, 0, or -1 if not given */

	/* RUN */
	struct words mount_texts; /* --mount as written */
	struct mounts mounts;     /* only after instr_expand */
	enum run_network network;
	bool has_network;
	bool insecure;            /* --security=insecure */
	bool has_security;
	struct { struct device_opt *p; size_t n; } devices;

	/* HEALTHCHECK; 0: not given */
	bool health_none;
	int64_t health_interval, health_timeout, health_start_period, health_start_interval;
	int64_t health_retries;

	/* ONBUILD: the instruction to be stored, here-documents with it; and its kind, -1 if it is
	 * no known instruction (that fails when it is triggered). */
	const char *trigger;
	int trigger_kind;
};

/* From a logical line. */
int instr_parse(const struct lex_line *line, char escape, struct arena *arena, struct instr *out,
		struct err *e) _must_check_;

/* The instruction with everything expanded that the builder expands (dockerfile.md §2), and what
 * can only be checked then checked: mounts, modes, ports, signals, empty volumes. Strings that need
 * no change are shared with `in`, so both must live. On error *e has the place.
 *	FROM           image, platform (give the environment of the global ARGs)
 *	ARG            not here: arg_expand, since each sees those before it
 *	ENV LABEL      all pairs see the environment as it is before the instruction
 *	RUN CMD …      texts are left alone; RUN --mount is expanded and parsed */
int instr_expand(const struct instr *in, const struct expand_env *env, struct arena *arena,
		 struct instr *out, struct err *e) _must_check_;
/* Pair i of an ARG. With `given` (a build argument) the default is not looked at. value is NULL
 * if there is none. */
int arg_expand(const struct instr *in, size_t i, const char *given, const struct expand_env *env,
	       struct arena *arena, struct pair *out, struct err *e) _must_check_;

/* Gives *e the place of `word`, which is looked up in the instruction as written (NULL, or not
 * there: the whole instruction). Returns -1. */
int instr_err_at(struct err *e, const struct instr *in, const char *word);
/* The same as a span; its strings are new ones in the arena. */
struct err_span instr_span_of(const struct instr *in, const char *word, struct arena *arena);
