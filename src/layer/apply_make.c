/* SPDX-License-Identifier: Apache-2.0 */
/* Making entries, in the tree and in the index, over what this layer had made there before. */
#include "layer/apply_in.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "base/walk.h"
#include "layer/entry.h"
#include "layer/meta.h"

#define HOLES_MAX (256ull << 30)

/* ---- the entries so far ---- */

struct entry *apply_find(const struct apply *a, const char *key)
{
	uintptr_t at = (uintptr_t)map_get(&a->keys, slice_of(key));
	return at ? &a->x.entries.p[at - 1] : NULL;
}

int apply_count_about(struct apply *a, uint64_t n, struct err *e)
{
	a->about += n;
	if (a->about <= a->max_about)
		return 0;
	return err_set(e, ERR_DATA,
		       "the names and attributes of the archive are larger than %llu bytes",
		       (unsigned long long)a->max_about);
}

struct entry *apply_add(struct apply *a, const char *key, enum entry_type type, struct err *e)
{
	if (a->x.entries.n >= a->max_entries) {
		(void)err_set(e, ERR_DATA, "the archive has more than %llu entries",
			      (unsigned long long)a->max_entries);
		return NULL;
	}
	if (apply_count_about(a, strlen(key), e) < 0)
		return NULL;
	struct entry *ent = index_add(&a->x, slice_of(key), type);
	map_put(&a->keys, slice_of(key), (void *)(uintptr_t)a->x.entries.n);
	return ent;
}

/* ---- what stood there before ---- */

/* All below a directory leaves the map; each entry leaves it once, so the sum is bounded. */
static int forget_below(struct apply *a, int dirfd, const char *name, const char *key,
			struct err *e)
{
	_cleanup_(walk_closep) struct walk *w = walk_open(dirfd, name, e);
	struct walk_entry ent;
	int r;
	while ((r = walk_next(w, &ent, e)) > 0) {
		_free_ char *below = str_printf("%s/%s", key, ent.path);
		(void)map_del(&a->keys, slice_of(below));
	}
	return r;
}

static int remove_old(struct apply *a, const char *key, struct err *e)
{
	const char *name;
	const struct entry *old = apply_find(a, key);
	int dirfd = place_at(&a->at, key, &name, e);
	if (dirfd < 0)
		return -1;
	if (old->type == ENTRY_DIR) {
		if (forget_below(a, dirfd, name, key, e) < 0 || fs_remove(dirfd, name, e) < 0)
			return -1;
		place_forget(&a->at);
	} else if (unlinkat(dirfd, name, 0) < 0) {
		return err_sys(e, "remove what this entry replaces");
	}
	(void)map_del(&a->keys, slice_of(key));
	return 0;
}

/* Makes room for a new entry. *hidden: a whiteout of this layer was there, so that a directory in
 * its place must be opaque. */
static int clear_way(struct apply *a, const char *key, bool *hidden, struct err *e)
{
	const struct entry *old = apply_find(a, key);
	*hidden = old && old->type == ENTRY_WHITEOUT;
	return old ? remove_old(a, key, e) : 0;
}

/* ---- making ---- */

static int make_plain(struct apply *a, const struct entry *ent, struct err *e)
{
	const char *name;
	int dirfd = place_at(&a->at, ent->path, &name, e);
	if (dirfd < 0 || tree_make(dirfd, name, ent, a->o, e) < 0)
		return -1;
	if (ent->type == ENTRY_DIR)
		return ent->opaque ? tree_set_opaque(dirfd, name, a->o, e) : 0;
	return tree_set_meta(dirfd, name, ent, a->o, e);
}

static int set_opaque(struct apply *a, struct entry *dir, struct err *e)
{
	const char *name;
	if (dir->opaque)
		return 0;
	dir->opaque = true;
	int dirfd = place_at(&a->at, dir->path, &name, e);
	return dirfd < 0 ? -1 : tree_set_opaque(dirfd, name, a->o, e);
}

int apply_implied(struct apply *a, const char *key, struct err *e)
{
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *ent = apply_add(a, key, ENTRY_DIR, e);
	if (!ent)
		return -1;
	ent->mode = 0755;
	ent->opaque = hidden;
	return make_plain(a, ent, e);
}

static void set_meta(struct apply *a, struct entry *ent, const struct tar_entry *from)
{
	ent->mode = ent->type == ENTRY_SYMLINK ? 0777 : from->mode;
	ent->uid = from->uid;
	ent->gid = from->gid;
	ent->mtime = from->mtime;
	ent->mtime_ns = from->mtime_ns;
	ent->xattrs = NULL;
	ent->xattrs_n = 0;
	if (from->xattrs_n == 0)
		return;
	struct xattr *list = arena_alloc(&a->x.arena, from->xattrs_n * sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < from->xattrs_n; i++) {
		const struct xattr *x = &from->xattrs[i];
		if (xattr_is_overlay(x->name) || xattr_is_hosts(x->name))
			continue; /* marks of somebody's overlay would act in ours */
		struct slice value = arena_slice(&a->x.arena, (struct slice){ x->value, x->len });
		list[n] = (struct xattr){ arena_str(&a->x.arena, slice_of(x->name)),
					  (char *)value.p, value.n };
		xattr_cap_to_v2(&list[n]);
		n++;
	}
	ent->xattrs = n ? list : NULL;
	ent->xattrs_n = n;
}

int apply_dir(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	struct entry *old = apply_find(a, key);
	if (old && old->type == ENTRY_DIR) {
		set_meta(a, old, from); /* set in the tree at the end */
		return 0;
	}
	if (!*key) {
		struct entry *root = apply_add(a, key, ENTRY_DIR, e);
		if (root)
			set_meta(a, root, from);
		return root ? 0 : -1;
	}
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *ent = apply_add(a, key, ENTRY_DIR, e);
	if (!ent)
		return -1;
	set_meta(a, ent, from);
	ent->opaque = hidden;
	return make_plain(a, ent, e);
}

static int count_bytes(struct apply *a, uint64_t n, struct err *e)
{
	a->bytes += n; /* cannot wrap: sizes are below 2^63 and the sum is refused first */
	if (a->bytes <= a->max_bytes)
		return 0;
	return err_set(e, ERR_DATA, "the archive expands to more than %llu bytes",
		       (unsigned long long)a->max_bytes);
}

static void hash_zeros(struct sha256 *sum, uint64_t n)
{
	static const char zeros[64 << 10];
	while (n) {
		size_t some = n < sizeof zeros ? (size_t)n : sizeof zeros;
		sha256_add(sum, zeros, some);
		n -= some;
	}
}

/* Bytes and holes of the member into fd, and their digest. */
static int write_content(struct apply *a, int fd, struct entry *ent, struct err *e)
{
	struct sha256 sum;
	const void *p;
	uint64_t n, done = 0;
	bool hole = false;
	int r;

	sha256_begin(&sum);
	while ((r = tar_data(a->tar, &p, &n, e)) > 0) {
		hole = !p;
		if (!p) {
			a->holes += n;
			if (n > HOLES_MAX || a->holes > HOLES_MAX)
				return err_set(
					e, ERR_DATA,
					"its sparse files have more than %llu bytes of holes",
					HOLES_MAX);
			hash_zeros(&sum, n);
			if (lseek(fd, (off_t)n, SEEK_CUR) < 0)
				return err_sys(e, "seek");
		} else {
			tar_hash_data(a->tar, p, n, &sum);
			if (fd_write_all(fd, p, (size_t)n, e) < 0)
				return -1;
		}
		done += n;
	}
	if (r < 0)
		return -1;
	if (hole && ftruncate(fd, (off_t)done) < 0)
		return err_sys(e, "set the length");
	sha256_end(&sum, ent->digest.b);
	ent->has_digest = true;
	return 0;
}

int apply_file(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	const char *name;
	bool hidden;
	if (count_bytes(a, from->size, e) < 0 || clear_way(a, key, &hidden, e) < 0)
		return -1;
	int dirfd = place_at(&a->at, key, &name, e);
	if (dirfd < 0)
		return -1;
	struct entry *ent = apply_add(a, key, ENTRY_FILE, e);
	if (!ent)
		return -1;
	set_meta(a, ent, from);
	ent->size = from->size;
	_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0600);
	if (fd < 0)
		return err_sys(e, "create");
	if (write_content(a, fd, ent, e) < 0)
		return -1;
	return meta_set_fd(fd, ent, a->o, e);
}

int apply_node(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	static const enum entry_type types[] = {
		[TAR_SYMLINK] = ENTRY_SYMLINK,
		[TAR_CHAR] = ENTRY_CHAR,
		[TAR_BLOCK] = ENTRY_BLOCK,
		[TAR_FIFO] = ENTRY_FIFO,
	};
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *ent = apply_add(a, key, types[from->type], e);
	if (!ent)
		return -1;
	set_meta(a, ent, from);
	ent->major = from->major;
	ent->minor = from->minor;
	if (from->type == TAR_SYMLINK) {
		if (strlen(from->link) >= PATH_MAX)
			return err_set(e, ERR_DATA, "the link's target is too long");
		ent->link = arena_str(&a->x.arena, slice_of(from->link));
	}
	return make_plain(a, ent, e);
}

static int no_target(const char *target, struct err *e)
{
	(void)err_set(e, ERR_DATA,
		      "it is a hard link to '%s', which is not in this archive before it", target);
	return err_hint(
		e, "an archive made with hard links to files of another layer cannot be unpacked; "
		   "make it again with the file itself in it");
}

int apply_link(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	_free_ char *name = apply_clean_name(from->link, NAME_MAX, e);
	if (!name)
		return err_add(e, "hard link to '%s'", from->link);
	_free_ char *target = apply_resolve(a, name, e);
	if (!target)
		return -1;
	if (strcmp(target, key) == 0)
		return err_set(e, ERR_DATA, "it is a hard link to itself");
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *of = apply_find(a, target);
	if (!of || of->type == ENTRY_WHITEOUT)
		return no_target(from->link, e);
	if (of->type == ENTRY_DIR)
		return err_set(e, ERR_DATA, "it is a hard link to the directory '%s'", from->link);

	const char *last, *of_last;
	_cleanup_(place_done) struct place of_at = PLACE_INIT(a->treefd);
	int dirfd = place_at(&a->at, key, &last, e);
	int of_dirfd = dirfd < 0 ? -1 : place_at(&of_at, target, &of_last, e);
	if (of_dirfd < 0)
		return -1;
	if (linkat(of_dirfd, of_last, dirfd, last, 0) < 0)
		return err_sys(e, "link to '%s'", from->link);
	if (!of->group)
		of->group = ++a->groups;
	struct entry copy = *of; /* add may move the entries */
	struct entry *ent = apply_add(a, key, copy.type, e);
	if (!ent)
		return -1;
	copy.path = ent->path; /* link and xattrs are in the same arena */
	*ent = copy;
	return 0;
}

int apply_whiteout(struct apply *a, const char *key, struct err *e)
{
	struct entry *old = apply_find(a, key);
	if (old && old->type == ENTRY_DIR)
		return set_opaque(a, old,
				  e); /* what this layer added stays: layer.md, "Whiteouts" */
	if (old)
		return 0;
	struct entry *ent = apply_add(a, key, ENTRY_WHITEOUT, e);
	return ent ? make_plain(a, ent, e) : -1;
}

int apply_opaque(struct apply *a, const char *dir, struct err *e)
{
	if (!*dir && !apply_find(a, "")) {
		struct entry *root = apply_add(a, "", ENTRY_DIR, e);
		if (!root)
			return -1;
		root->mode = 0755;
	}
	return set_opaque(a, apply_find(a, dir), e);
}
