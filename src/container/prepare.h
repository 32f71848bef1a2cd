/* SPDX-License-Identifier: Apache-2.0 */
/* container/prepare.h: from an image and options to a sandbox_spec. Everything that the spec points
 * to lives in struct prepared, which must not move. */
#pragma once
#include "build/rootfs.h"
#include "container/place.h"
#include "container/run.h"
#include "container/volume.h"

struct prepared {
	struct store *store;
	const struct image *im;
	struct place place;
	ARRAY_OF(struct snap) snaps;    /* lowest first, opened: checked and held */
	struct image_fs fs;             /* only if has_fs */
	bool has_fs, has_rootfs;
	struct rootfs rootfs;
	struct strs lowers, argv, env;
	struct identity who;
	char *cwd, *hostname, *hosts;
	ARRAY_OF(struct sandbox_mount) mounts;
	struct strs targets;            /* what mounts[].target points to */
	ARRAY_OF(int) fds;              /* their sources */
	char **argvp, **envp;
	struct sandbox_spec spec;       /* all but stdio and tty */
};

int prepare(const struct run_opts *o, struct store *s, const struct image *im, struct prepared *p,
	    struct err *e) _must_check_;
/* Removes the run's directory too. */
int prepared_done(struct prepared *p, struct err *e);
