/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/mount.h: RUN --mount and --device, comma-separated options. */
#pragma once
#include "dockerfile/instr.h"

/* What can be said before variables are known: the text is CSV, and `from` holds no variable. */
int mount_check(struct slice text, struct err *e) _must_check_;
/* All of it, values expanded (but from). */
int mount_parse(struct slice text, const struct expand_env *env, struct arena *arena,
		struct mount_opt *out, struct err *e) _must_check_;
int device_parse(struct slice text, struct arena *arena, struct device_opt *out, struct err *e)
	_must_check_;
