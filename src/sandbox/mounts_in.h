/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/mounts_in.h: what the files of mounting share. */
#pragma once
#include "sandbox/mounts.h"
#include "sandbox/target.h"

#define CLEAN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define EMPTY "empty" /* on the stage: what hides directories */

/* Made before the root was there. */
struct ready {
	const char *target;
	int fd;
};

struct inside {
	const struct mounts *m;
	struct root made; /* what the parent has made */
	struct target_root root;
	int dev, sys, cgroup, proc; /* mounts; -1: none */
	struct ready texts[3];
	size_t texts_n;
	int stage; /* the tmpfs where texts are born */
	unsigned staged; /* names in it */
	int board; /* the springboard, on a mount of its own */
	int null; /* /dev/null, opened while nothing of the image or the caller lay over it */
};

/* ---- mounts.c ---- */
/* Adds options of a mount, of all below it too with `all`. path "": fd itself. */
int mount_set(int fd, const char *path, unsigned set, bool all, struct err *e) _must_check_;
/* A detached tmpfs, or -1 with errno. */
int tmpfs_new(unsigned attrs, uint64_t size, uint32_t mode, uint32_t uid, uint32_t gid);

/* ---- mounts_root.c ---- */
int root_send(const struct root *r, int sock, struct err *e) _must_check_;
int root_receive(int sock, struct root *out, struct err *e) _must_check_;

/* ---- mounts_dev.c ---- */
/* An empty /dev over "/" (in->dev), with the stage in it. */
int dev_open(struct inside *in, struct err *e) _must_check_;
int dev_fill(struct inside *in, struct err *e) _must_check_;
/* A detached mount of this machine's device, or -1 with errno. */
int clone_device(const char *name);

/* ---- mounts_stage.c ---- */
/* In /dev, which is there: in->stage. */
int stage_open(struct inside *in, struct err *e) _must_check_;
/* A detached mount of a file of this text. */
int stage_text(struct inside *in, const struct sandbox_mount *sm, struct err *e) _must_check_;
int stage_springboard(struct inside *in, struct err *e) _must_check_;
/* hosts, resolv.conf, hostname: in->texts. */
int stage_usual_texts(struct inside *in, struct err *e) _must_check_;

/* ---- mounts_hide.c ---- */
/* In the root, which has all its mounts. */
int hide_all(struct inside *in, struct err *e) _must_check_;
