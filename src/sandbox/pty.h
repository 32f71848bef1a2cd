/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/pty.h: a devpts instance of a sandbox's own, and its first terminal. */
#pragma once
#include "base/attr.h"

struct err;

/* A new devpts as a detached mount; the sandbox mounts it at /dev/pts. */
int pty_mount(struct err *e) _must_check_;
/* Opens a terminal in it: master and slave (the slave's name is known once devpts is mounted). */
int pty_open(int mount, int *master, int *slave, struct err *e) _must_check_;
