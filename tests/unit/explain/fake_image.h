/* SPDX-License-Identifier: Apache-2.0 */
/* Images made by hand: a directory a layer, its index read off it, a view on top. */
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include "../elf/make_elf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/walk.h"
#include "explain/explain.h"
#include "oci/config.h"

#define FAKE_LAYERS 3

struct fake {
	char *path[FAKE_LAYERS];
	int fd[FAKE_LAYERS];
	struct index index[FAKE_LAYERS];
	unsigned n;         /* layers begun */
	struct view view;
	struct image_config cfg;
	struct explain_fs fs;
};

static inline int fake_open(void *ctx, const struct view_hit *hit, struct err *e)
{
	return root_open(((struct fake *)ctx)->fd[hit->layer], hit->entry->path, O_RDONLY, e);
}

/* Begins the next layer. */
static inline void fake_layer(struct fake *f)
{
	char dir[] = "/tmp/thimble-explain-XXXXXX";
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	f->path[f->n] = str_dup(dir);
	f->fd[f->n] = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	index_init(&f->index[f->n]);
	f->n++;
}

static inline void fake_init(struct fake *f)
{
	*f = (struct fake){ 0 };
	f->cfg.platform.os = str_dup("linux");
	f->cfg.platform.arch = str_dup("amd64");
	f->fs = (struct explain_fs){ .view = &f->view, .open = fake_open, .ctx = f };
	fake_layer(f);
}

static inline void fake_done(struct fake *f)
{
	view_done(&f->view);
	image_config_done(&f->cfg);
	for (unsigned i = 0; i < f->n; i++) {
		index_done(&f->index[i]);
		close(f->fd[i]);
		assert_int_equal(fs_remove(AT_FDCWD, f->path[i], NULL), 0);
		free(f->path[i]);
	}
}

static inline void fake_put(struct fake *f, const char *path, mode_t mode, struct slice bytes)
{
	_free_ char *full = str_printf("%s/%s", f->path[f->n - 1], path),
		    *dir = slice_dup(path_dir(slice_of(full)));
	assert_int_equal(fs_mkdirs(AT_FDCWD, dir, 0755, NULL), 0);
	_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes.p, bytes.n, NULL), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static inline void fake_elf(struct fake *f, const char *path, const struct make_elf *m)
{
	struct buf b;
	make_elf(m, &b);
	fake_put(f, path, 0755, buf_view(&b));
	buf_done(&b);
}

/* A file of this machine, under its own path or another one. */
static inline void fake_copy(struct fake *f, const char *from, const char *path)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	assert_int_equal(fs_read(AT_FDCWD, from, 64u << 20, &b, NULL), 0);
	fake_put(f, path ? path : from + 1, 0755, buf_view(&b));
}

static inline void fake_link(struct fake *f, const char *path, const char *target)
{
	_free_ char *full = str_printf("%s/%s", f->path[f->n - 1], path),
		    *dir = slice_dup(path_dir(slice_of(full)));
	assert_int_equal(fs_mkdirs(AT_FDCWD, dir, 0755, NULL), 0);
	assert_int_equal(symlink(target, full), 0);
}

static inline void fake_dir(struct fake *f, const char *path, mode_t mode)
{
	_free_ char *full = str_printf("%s/%s", f->path[f->n - 1], path);
	assert_int_equal(fs_mkdirs(AT_FDCWD, full, 0755, NULL), 0);
	assert_int_equal(chmod(full, mode), 0);
}

/* Reads the directories into indexes; owners are told as 0:0, whoever runs the test. */
static inline void fake_seal(struct fake *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		_cleanup_(walk_closep) struct walk *w = walk_open(f->fd[i], ".", NULL);
		struct walk_entry ent;
		assert_non_null(w);
		while (walk_next(w, &ent, NULL) > 0) {
			struct entry *out = index_add(&f->index[i], slice_of(ent.path), ENTRY_FILE);
			const char *path = out->path;
			assert_int_equal(entry_from_file(&f->index[i].arena, ent.dirfd, ent.name,
							 &ent.st, out, NULL),
					 0);
			out->path = path;
			out->uid = out->gid = 0;
		}
		index_sort(&f->index[i]);
		view_push(&f->view, &f->index[i]);
	}
}

static inline void fake_words(struct strs *to, const char *const *words)
{
	for (; *words; words++)
		strs_add(to, *words);
}
#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define GLIBC "/lib64/ld-linux-x86-64.so.2"
#define MUSL "/lib/ld-musl-x86_64.so.1"
#define PROGRAM(...)                                                                     \
	&(struct make_elf)                                                               \
	{                                                                                \
		.is64 = true, .type = ET_DYN, .machine = EM_X86_64, .flags_1 = DF_1_PIE, \
		__VA_ARGS__                                                              \
	}
#define LIB(...)                                                                \
	&(struct make_elf)                                                      \
	{                                                                       \
		.is64 = true, .type = ET_DYN, .machine = EM_X86_64, __VA_ARGS__ \
	}

/* What `thimble run` would print. */
static inline char *fake_text(const struct explanation *x)
{
	_cleanup_(err_done) struct err e = { 0 };
	struct buf b = { 0 };
	(void)explanation_to_err(x, &e);
	err_format(&e, false, &b);
	return buf_take(&b);
}
