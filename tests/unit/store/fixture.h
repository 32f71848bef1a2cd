/* SPDX-License-Identifier: Apache-2.0 */
/* A store of its own for each test; as an ordinary user inside a namespace with one id, so that
 * what needs the namespace is tested as well. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* wants what is above it */

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/stream.h"
#include "layer/tree.h"
#include "store/image.h"

struct fixture {
	char dir[64];
	char *root; /* of the store, below dir */
	struct store *s;
	struct err e;
};

static inline _unused_ void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static _unused_ bool stay_outside; /* of the namespace: for tests of what a user meets there */

static inline _unused_ void enter_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];
	if (uid == 0 || stay_outside)
		return;
	if (unshare(CLONE_NEWUSER) < 0)
		fail_msg("no user namespace: %s", strerror(errno));
	put_text("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof map, "0 %u 1", uid);
	put_text("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof map, "0 %u 1", gid);
	put_text("/proc/self/gid_map", map);
}

static inline _unused_ struct store *open_again(struct fixture *f)
{
	return store_open(&(struct store_opts){ .root = f->root, .create = true }, &f->e);
}

/* Fails with the whole error when r < 0. */
#define ok(f, r)                                                     \
	do {                                                         \
		long ok_ = (long)(r);                                \
		if (ok_ < 0) {                                       \
			_cleanup_(buf_done) struct buf ok_b = { 0 }; \
			err_format(&(f)->e, false, &ok_b);           \
			fail_msg("%s: %s", #r, ok_b.p);              \
		}                                                    \
	} while (0)
#define refused(f, want, r)                            \
	do {                                           \
		err_done(&(f)->e);                     \
		(f)->e = (struct err){ 0 };            \
		assert_int_equal((r), -1);             \
		assert_int_equal((f)->e.kind, (want)); \
	} while (0)

static inline _unused_ int set_up(void **state)
{
	struct fixture *f = NEW(struct fixture);
	enter_namespace();
	unsetenv("THIMBLE_BOOT_ID");
	strcpy(f->dir, "/tmp/thimble-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->root = str_printf("%s/store", f->dir);
	f->s = open_again(f);
	if (!f->s)
		ok(f, -1);
	*state = f;
	return 0;
}

static inline _unused_ int tear_down(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	_close_ int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = fs_remove(tmp, f->dir + strlen("/tmp/"), NULL);
	err_done(&f->e);
	free(f->root);
	free(f);
	unsetenv("THIMBLE_BOOT_ID");
	return r;
}

/* Puts a file into a tree and its index. */
static inline _unused_ void add_file(struct fixture *f, int tree, struct index *x, const char *name,
				     const char *text, bool digest)
{
	struct stat st;
	int fd = openat(tree, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	struct entry *ent = index_add(x, slice_of(name), ENTRY_FILE);
	const char *path = ent->path;
	ok(f, entry_from_file(&x->arena, tree, name, &st, ent, &f->e));
	ent->path = path;
	if (digest) {
		digest_of(slice_of(text), &ent->digest);
		ent->has_digest = true;
	}
}

/* A snapshot with one file. */
static inline _unused_ void make_snap(struct fixture *f, struct store *s, const char *name,
				      const char *text, bool digest, char id[static SNAP_ID])
{
	struct snap_draft d = SNAP_DRAFT_INIT;
	struct index x;
	index_init(&x);
	ok(f, snap_begin(s, &d, &f->e));
	add_file(f, d.treefd, &x, name, text, digest);
	index_sort(&x);
	ok(f, snap_commit(s, &d, &x, NULL, id, &f->e));
	index_done(&x);
}

static inline _unused_ void make_image(struct fixture *f, struct store *s, const char *text,
				       const char *name, struct digest *manifest, struct digest *id)
{
	char snap[SNAP_ID];
	make_snap(f, s, "hello", text, true, snap);
	char *snaps[] = { snap };
	struct image_config cfg = { 0 };
	cfg.created = (struct timespec){ 1700000000, 5 };
	cfg.has_created = true;
	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	strs_add(&cfg.cmd, "/hello");
	cfg.has_cmd = true;
	ok(f, image_put(s, &(struct image_new){ .cfg = &cfg, .snaps = snaps, .snaps_n = 1 },
			manifest, id, &f->e));
	image_config_done(&cfg);
	if (name)
		ok(f, name_set(s, name, manifest, &f->e));
}

static inline _unused_ size_t count_in(struct fixture *f, const char *dir)
{
	_free_ char *cmd = str_printf("ls -A %s/%s | wc -l", f->root, dir);
	FILE *p = popen(cmd, "re");
	char text[32] = "";
	assert_non_null(p);
	assert_non_null(fgets(text, sizeof text, p));
	pclose(p);
	return strtoul(text, NULL, 10);
}

static inline _unused_ bool mentions(const struct err *e, const char *word)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	err_format(e, false, &b);
	return b.p && strstr(b.p, word);
}
