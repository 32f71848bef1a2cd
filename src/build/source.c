/* SPDX-License-Identifier: Apache-2.0 */
#include "build/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/err.h"
#include "base/log.h"
#include "base/path.h"

/* Opens below the directory without following any link: the view has resolved them before. */
static int open_plain(int dirfd, const char *key, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;
	do
		fd = (int)syscall(SYS_openat2, dirfd, *key ? key : ".", &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

/* The descriptor of a directory, kept for the look-ups that follow. */
static int dir_of(struct source_tree *t, struct slice key)
{
	if (t->list_key && slice_is(key, t->list_key))
		return t->list_fd;
	_free_ char *name = slice_dup(key);
	int fd = open_plain(t->dirfd, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return -1;
	if (t->list_fd >= 0)
		(void) close(t->list_fd);
	t->list_fd = fd;
	str_set(&t->list_key, take_ptr(&name));
	return fd;
}

static int list_names(struct source_tree *t, const char *key, struct strs *names, struct err *e)
{
	int fd = dir_of(t, slice_of(key));
	if (fd < 0)
		return err_sys(e, "read the directory '%s/%s'", t->path, key);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read the directory '%s/%s'", t->path, key);
	char block[32768];
	struct dirent64_ {
		uint64_t ino;
		int64_t off;
		unsigned short len;
		unsigned char type;
		char name[];
	};
	for (;;) {
		long n = syscall(SYS_getdents64, fd, block, sizeof block);
		if (n < 0)
			return err_sys(e, "read the directory '%s/%s'", t->path, key);
		if (n == 0)
			return 0;
		for (long at = 0; at < n;) {
			const struct dirent64_ *d = (const void *)(block + at);
			at += d->len;
			if (strcmp(d->name, ".") != 0 && strcmp(d->name, "..") != 0)
				strs_add(names, d->name);
		}
	}
}

/* Is anything below an excluded directory let in again by a "!" rule? */
static int holds_included(struct source_tree *t, const char *key, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (list_names(t, key, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = *key ? str_printf("%s/%s", key, names.p[i]) : str_dup(names.p[i]);
		struct stat st;
		int fd = dir_of(t, slice_of(key));
		if (fd < 0 || fstatat(fd, names.p[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bool excluded = ignore_match(t->ignore, slice_of(path), NULL);
		if (!excluded)
			return 1;
		if (S_ISDIR(st.st_mode) && ignore_may_include_below(t->ignore, slice_of(path))) {
			int r = holds_included(t, path, e);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

/* 1: told, 0: left out by the ignore rules. */
static int let_in(struct source_tree *t, const char *key, bool dir, struct err *e)
{
	if (!t->ignore || *key == 0 || !ignore_match(t->ignore, slice_of(key), NULL))
		return 1;
	if (!dir || !ignore_may_include_below(t->ignore, slice_of(key)))
		return 0;
	return holds_included(t, key, e);
}

/* An entry of a directory with what tells whether the file is still the one that was looked at. */
struct dir_entry {
	struct entry ent; /* first */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtim, ctim;
	const struct digest *known; /* in the cache of digests, or NULL */
};

const struct digest *source_recalled(const struct entry *ent)
{
	return ((const struct dir_entry *)ent)->known;
}

void source_seen(const struct entry *ent, struct stat *out)
{
	const struct dir_entry *d = (const struct dir_entry *)ent;
	*out = (struct stat){ .st_dev = d->dev, .st_ino = d->ino, .st_size = d->size, .st_mtim = d->mtim,
			      .st_ctim = d->ctim };
}

bool source_is_same(const struct entry *ent, const struct stat *st)
{
	const struct dir_entry *d = (const struct dir_entry *)ent;
	return st->st_dev == d->dev && st->st_ino == d->ino && st->st_size == d->size &&
	       st->st_mtim.tv_sec == d->mtim.tv_sec && st->st_mtim.tv_nsec == d->mtim.tv_nsec &&
	       st->st_ctim.tv_sec == d->ctim.tv_sec && st->st_ctim.tv_nsec == d->ctim.tv_nsec;
}

static bool is_not_there(int no)
{
	return no == ENOENT || no == ENOTDIR || no == ELOOP || no == EXDEV || no == ENAMETOOLONG;
}

/* Does the file system of the directory fd move a file's ctime when its attributes change? Those of
 * the kernel that write to disks of this machine do; others (network, FUSE) may not. */
static bool ctime_tells(struct source_tree *t, int fd, dev_t dev)
{
	static const long local[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
				      F2FS_SUPER_MAGIC, TMPFS_MAGIC };
	struct statfs fs;
	struct stat st;
	if (t->any_told && t->told_dev == dev)
		return t->told;
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0 || st.st_dev != dev)
		return false;
	t->told = false;
	for (size_t i = 0; i < COUNT_OF(local); i++)
		t->told |= (long)fs.f_type == local[i];
	t->told_dev = dev;
	t->any_told = true;
	return t->told;
}

/* From what is known of a regular file: without asking for its extended attributes, if it had none
 * and did not change. */
static int read_entry(struct source_tree *t, struct arena *arena, int fd, const char *name,
		      const struct stat *st, struct dir_entry *d, struct err *e)
{
	bool plain = false;
	if (S_ISREG(st->st_mode) && st->st_size > 0)
		d->known = ctxcache_find(t->digests, st, &plain);
	if (!plain || !ctime_tells(t, fd, st->st_dev))
		return entry_from_file(arena, fd, name, st, &d->ent, e);
	entry_from_stat(st, &d->ent);
	return 0;
}

static int dir_lookup(void *ctx, const char *key, struct arena *arena, const struct entry **out,
		      struct err *e)
{
	struct source_tree *t = ctx;
	if (t->allowed && !t->allowed(key))
		return 0;
	const char *slash = strrchr(key, '/'), *name = slash ? slash + 1 : *key ? key : ".";
	struct slice parent = { key, slash ? (size_t)(slash - key) : 0 };
	struct stat st;
	int fd = *key ? dir_of(t, parent) : t->dirfd;
	if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_not_there(errno) ? 0 : err_sys(e, "look at '%s/%s'", t->path, key);
	int r = let_in(t, key, S_ISDIR(st.st_mode), e);
	if (r <= 0)
		return r;
	if (*key)
		fd = dir_of(t, parent); /* let_in may have moved on */
	if (fd < 0)
		return err_sys(e, "look at '%s/%s'", t->path, key);
	struct dir_entry *d = ARENA_NEW(arena, struct dir_entry);
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	d->size = st.st_size;
	d->mtim = st.st_mtim;
	d->ctim = st.st_ctim;
	if (S_ISSOCK(st.st_mode)) { /* as BuildKit's transfer of a context does */
		st.st_mode = S_IFREG | (st.st_mode & 07777);
		st.st_size = 0;
	}
	if (read_entry(t, arena, fd, name, &st, d, e) < 0)
		return err_add(e, "look at '%s/%s'", t->path, key);
	d->ent.path = arena_str(arena, slice_of(key));
	d->ent.uid = d->ent.gid = 0;
	/* Hard links: the low bits of the inode tell files of one inode apart well enough to ask;
	 * copying compares device and inode again. */
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		d->ent.group = (uint32_t)(st.st_ino ^ (st.st_ino >> 32)) | 1;
	*out = &d->ent;
	return 1;
}

/* As dir_lookup would tell it: 1, 0, -1. */
static int is_told(struct source_tree *t, const char *dir, const char *name, const char *path, struct err *e)
{
	if (t->allowed && !t->allowed(path))
		return 0;
	if (!t->ignore || !ignore_match(t->ignore, slice_of(path), NULL))
		return 1;
	struct stat st;
	int fd = dir_of(t, slice_of(dir));
	if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return let_in(t, path, S_ISDIR(st.st_mode), e);
}

static int dir_list(void *ctx, const char *key, struct strs *names, struct err *e)
{
	struct source_tree *t = ctx;
	if (!t->allowed && !t->ignore)
		return list_names(t, key, names, e);
	_cleanup_(strs_done) struct strs all = { 0 };
	if (list_names(t, key, &all, e) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		_free_ char *path = *key ? str_printf("%s/%s", key, all.p[i]) : str_dup(all.p[i]);
		int r = is_told(t, key, all.p[i], path, e);
		if (r < 0)
			return -1;
		if (r > 0)
			strs_add(names, all.p[i]);
	}
	return 0;
}

int source_tree_dir(struct store *s, const char *path, struct slice ignore_text,
		    const char *ignore_name, struct source_tree *out, struct err *e)
{
	*out = (struct source_tree)SOURCE_TREE_INIT;
	out->store = s;
	out->path = realpath(path, NULL);
	out->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!out->path || out->dirfd < 0)
		return err_sys(e, "open the directory '%s'", path);
	if (ignore_text.p) {
		out->ignore = NEW(struct ignore);
		if (ignore_parse(ignore_text, ignore_name, out->ignore, e) < 0)
			return -1;
		out->ignore_name = str_dup(ignore_name);
	}
	out->bottom = (struct view_bottom){ out, dir_lookup, dir_list };
	view_set_bottom(&out->own_view, &out->bottom);
	out->view = &out->own_view;
	out->digests = ctxcache_open(s, out->path);
	return 0;
}

void layer_set_done(struct layer_set *l)
{
	map_each(it, &l->snaps) {
		snap_close(it->value);
		free(it->value);
	}
	map_done(&l->snaps);
}

static struct snap *open_layer(struct layer_set *l, const char *id, struct err *e)
{
	struct snap *sn = map_get(&l->snaps, slice_of(id));
	if (sn)
		return sn;
	sn = NEW(struct snap);
	*sn = (struct snap)SNAP_INIT;
	if (snap_open(l->store, id, sn, e) < 0 || snap_load_index(l->store, sn, e) < 0) {
		snap_close(sn);
		free(sn);
		return NULL;
	}
	(void) close(sn->dirfd); /* a build may have hundreds of layers open */
	sn->dirfd = -1;
	map_put(&l->snaps, slice_of(id), sn);
	return sn;
}

static int push_layer(struct layer_set *l, struct source_tree *t, const char *id, struct err *e)
{
	struct snap *sn = open_layer(l, id, e);
	if (!sn)
		return -1;
	arr_push(&t->layers, sn);
	view_push(&t->own_view, &sn->index);
	return 0;
}

int source_tree_layers(struct layer_set *l, char *const *snaps, size_t n, struct source_tree *under,
		       struct source_tree *out, struct err *e)
{
	*out = (struct source_tree)SOURCE_TREE_INIT;
	out->store = l->store;
	out->under = under;
	out->view = &out->own_view;
	if (under)
		view_set_bottom(&out->own_view, &under->bottom);
	for (size_t i = 0; i < n; i++)
		if (push_layer(l, out, snaps[i], e) < 0)
			return -1;
	return 0;
}

int source_tree_above(struct layer_set *l, struct source_tree *below, bool take, const char *snap,
		      struct source_tree *out, struct err *e)
{
	*out = (struct source_tree)SOURCE_TREE_INIT;
	out->store = l->store;
	out->under = below->under;
	out->view = &out->own_view;
	arr_each(sn, &below->layers)
		arr_push(&out->layers, *sn);
	if (take) {
		out->own_view = below->own_view;
		below->own_view = (struct view){ 0 };
		source_tree_done(below);
	} else {
		view_copy(&below->own_view, &out->own_view);
	}
	return push_layer(l, out, snap, e);
}

void source_tree_done(struct source_tree *t)
{
	view_done(&t->own_view);
	arr_done(&t->layers);
	if (t->digests)
		ctxcache_save_close(t->digests);
	if (t->ignore) {
		ignore_done(t->ignore);
		free(t->ignore);
	}
	if (t->dirfd >= 0)
		(void) close(t->dirfd);
	if (t->list_fd >= 0)
		(void) close(t->list_fd);
	free(t->path);
	free(t->ignore_name);
	free(t->list_key);
	*t = (struct source_tree)SOURCE_TREE_INIT;
}

int source_tree_open(struct source_tree *t, const struct view_hit *hit, struct err *e)
{
	if (hit->layer >= 0)
		return snap_file(t->layers.p[hit->layer], hit->entry->path, e);
	struct source_tree *dir = t->under ? t->under : t;
	int fd = open_plain(dir->dirfd, hit->entry->path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 && errno == ENXIO) /* a socket, told as an empty file */
		fd = open_plain(dir->dirfd, hit->entry->path, O_PATH);
	if (fd < 0)
		return err_sys(e, "open '%s/%s'", dir->path, hit->entry->path);
	return fd;
}

int source_tree_open_cb(void *t, const struct view_hit *hit, struct err *e)
{
	return source_tree_open(t, hit, e);
}

int source_tree_read(struct source_tree *t, const char *path, size_t max, struct buf *out, struct err *e)
{
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = view_resolve(t->view, path, true, &key, &hit, e);
	if (r <= 0)
		return r;
	if (hit.entry->type != ENTRY_FILE)
		return 0;
	_close_ int fd = source_tree_open(t, &hit, e);
	if (fd < 0)
		return -1;
	out->max = max;
	return fd_slurp(fd, out, path, e) < 0 ? -1 : 1;
}
