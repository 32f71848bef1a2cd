/* SPDX-License-Identifier: Apache-2.0 */
/* layer/apply.c: tar streams into trees.
 *
 * What the stream says about a path is resolved here, in memory, against what this layer has made
 * so far (its own symbolic links included), so every key in the index is a real place. The tree is
 * then only touched through (directory opened inside the root, one name), with O_EXCL, so that
 * even a mistake here cannot leave it. Owners, modes and times of directories wait until all
 * their content is there. */
#include "base/err.h"
#include "base/map.h"
#include "base/path.h"
#include "base/stream.h"
#include "base/walk.h"
#include "layer/entry.h"
#include "layer/meta.h"
#include "layer/place.h"
#include "layer/readahead.h"
#include "layer/tar_read.h"
#include "layer/tree.h"
#include "layer/whiteout.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define HOLES_MAX (256ull << 30)
#define ABOUT_MAX (512ull << 20)
enum { LINKS_MAX = 40, KEY_MAX = PATH_MAX - 1, ENTRIES_MAX = 4000000 };

struct apply {
	int treefd;
	const struct tree_opts *o;
	bool layer; /* ".wh." names are deletions */
	struct tar *tar;
	struct index x;
	struct map keys; /* key -> position in x.entries + 1; what is gone is not in it */
	struct place at;
	uint32_t groups;
	uint64_t bytes, max_bytes, max_entries;
	uint64_t about, max_about; /* a short header can ask for much of it: a name of 4096 bytes
				      stands for 2000 directories, a global header's attributes for
				      those of every file */
	uint64_t holes; /* bytes of them: an archive holds them for nothing, hashing does not */
};

static void apply_done(struct apply *a)
{
	tar_close(a->tar);
	index_done(&a->x);
	map_done(&a->keys);
	place_done(&a->at);
}

static struct entry *find(const struct apply *a, const char *key)
{
	uintptr_t at = (uintptr_t)map_get(&a->keys, slice_of(key));
	return at ? &a->x.entries.p[at - 1] : NULL;
}

/* Says what is about to be kept in memory. */
static int count_about(struct apply *a, uint64_t n, struct err *e)
{
	a->about += n;
	if (a->about <= a->max_about)
		return 0;
	return err_set(e, ERR_DATA,
		       "the names and attributes of the archive are larger than %llu bytes",
		       (unsigned long long)a->max_about);
}

/* The entry is valid until the next one is added. */
static struct entry *add(struct apply *a, const char *key, enum entry_type type, struct err *e)
{
	if (a->x.entries.n >= a->max_entries) {
		(void)err_set(e, ERR_DATA, "the archive has more than %llu entries",
			      (unsigned long long)a->max_entries);
		return NULL;
	}
	if (count_about(a, strlen(key), e) < 0)
		return NULL;
	struct entry *ent = index_add(&a->x, slice_of(key), type);
	map_put(&a->keys, slice_of(key), (void *)(uintptr_t)a->x.entries.n);
	return ent;
}

/* ---- names ---- */

/* A name of the archive as a key: leading "/" and "." dropped, ".." refused. */
static char *clean_name(const char *name, size_t component_max, struct err *e)
{
	struct slice rest = slice_of(name), one;
	_cleanup_(buf_done) struct buf key = { 0 };
	buf_str(&key, "");
	while (path_next(&rest, &one)) {
		if (slice_is(one, "."))
			continue;
		if (slice_is(one, "..")) {
			(void)err_set(e, ERR_DATA, "the name leads out of the archive ('..')");
			return NULL;
		}
		if (one.n > component_max) {
			(void)err_set(e, ERR_DATA, "a part of the name is longer than 255 bytes");
			return NULL;
		}
		if (key.len)
			buf_char(&key, '/');
		buf_slice(&key, one);
	}
	if (key.len > KEY_MAX) {
		(void)err_set(e, ERR_DATA, "the name is longer than %d bytes", KEY_MAX);
		return NULL;
	}
	return buf_take(&key);
}

static int make_implied(struct apply *a, const char *key, struct err *e);

static void go_up(struct buf *b)
{
	char *slash = b->len ? strrchr(b->p, '/') : NULL;
	b->len = slash ? (size_t)(slash - b->p) : 0;
	if (b->p)
		b->p[b->len] = '\0';
}

/* The real directory that `dir` (a cleaned name) means in this layer: its own links are followed,
 * inside the root; what is missing is made. The caller frees. */
static char *resolve_dir(struct apply *a, const char *dir, struct err *e)
{
	const struct entry *known = find(a, dir);
	if (known && known->type == ENTRY_DIR)
		return str_dup(dir); /* a key in the map is a real place already */
	_cleanup_(buf_done) struct buf key = { 0 };
	_free_ char *rest = str_dup(dir);
	size_t at = 0;
	int links = 0;

	buf_str(&key, "");
	for (;;) {
		at += strspn(rest + at, "/");
		size_t n = strcspn(rest + at, "/");
		struct slice one = { rest + at, n };
		at += n;
		if (n == 0)
			break;
		if (slice_is(one, "."))
			continue;
		if (slice_is(one, "..")) {
			go_up(&key);
			continue;
		}
		if (key.len)
			buf_char(&key, '/');
		buf_slice(&key, one);
		if (n > NAME_MAX || key.len > KEY_MAX) {
			(void)err_set(e, ERR_DATA, "the name is too long once links are followed");
			return NULL;
		}
		const struct entry *ent = find(a, key.p);
		if (!ent || ent->type == ENTRY_WHITEOUT) {
			if (make_implied(a, key.p, e) < 0)
				return NULL;
		} else if (ent->type == ENTRY_SYMLINK) {
			if (++links > LINKS_MAX) {
				(void)err_set(e, ERR_DATA, "'/%s' is one of too many links", key.p);
				return NULL;
			}
			str_set(&rest, str_printf("%s/%s", ent->link, rest + at));
			at = 0;
			go_up(&key);
			if (ent->link[0] == '/') {
				buf_clear(&key);
				buf_str(&key, "");
			}
		} else if (ent->type != ENTRY_DIR) {
			(void)err_set(e, ERR_DATA, "'/%s' is a %s and not a directory", key.p,
				      entry_type_name(ent->type));
			return NULL;
		}
	}
	return buf_take(&key);
}

/* The real key for a cleaned name, whose last component is not followed. */
static char *resolve(struct apply *a, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');
	if (!slash)
		return str_dup(name);
	_free_ char *dir = str_ndup(name, (size_t)(slash - name));
	_free_ char *real = resolve_dir(a, dir, e);
	if (!real)
		return NULL;
	char *key = str_printf("%s%s%s", real, *real ? "/" : "", slash + 1);
	if (strlen(key) <= KEY_MAX)
		return key;
	(void)err_set(e, ERR_DATA, "the name is longer than %d bytes", KEY_MAX);
	free(key);
	return NULL;
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
	const struct entry *old = find(a, key);
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
	const struct entry *old = find(a, key);
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

/* A directory that the archive does not list. */
static int make_implied(struct apply *a, const char *key, struct err *e)
{
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *ent = add(a, key, ENTRY_DIR, e);
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

static int apply_dir(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	struct entry *old = find(a, key);
	if (old && old->type == ENTRY_DIR) {
		set_meta(a, old, from); /* set in the tree at the end */
		return 0;
	}
	if (!*key) {
		struct entry *root = add(a, key, ENTRY_DIR, e);
		if (root)
			set_meta(a, root, from);
		return root ? 0 : -1;
	}
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *ent = add(a, key, ENTRY_DIR, e);
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

static int apply_file(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	const char *name;
	bool hidden;
	if (count_bytes(a, from->size, e) < 0 || clear_way(a, key, &hidden, e) < 0)
		return -1;
	int dirfd = place_at(&a->at, key, &name, e);
	if (dirfd < 0)
		return -1;
	struct entry *ent = add(a, key, ENTRY_FILE, e);
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

static int apply_node(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
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
	struct entry *ent = add(a, key, types[from->type], e);
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

static int apply_link(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
{
	_free_ char *name = clean_name(from->link, NAME_MAX, e);
	if (!name)
		return err_add(e, "hard link to '%s'", from->link);
	_free_ char *target = resolve(a, name, e);
	if (!target)
		return -1;
	if (strcmp(target, key) == 0)
		return err_set(e, ERR_DATA, "it is a hard link to itself");
	bool hidden;
	if (clear_way(a, key, &hidden, e) < 0)
		return -1;
	struct entry *of = find(a, target);
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
	struct entry *ent = add(a, key, copy.type, e);
	if (!ent)
		return -1;
	copy.path = ent->path; /* link and xattrs are in the same arena */
	*ent = copy;
	return 0;
}

/* ---- deletions ---- */

static int apply_whiteout(struct apply *a, const char *key, struct err *e)
{
	struct entry *old = find(a, key);
	if (old && old->type == ENTRY_DIR)
		return set_opaque(a, old,
				  e); /* what this layer added stays: layer.md, "Whiteouts" */
	if (old)
		return 0;
	struct entry *ent = add(a, key, ENTRY_WHITEOUT, e);
	return ent ? make_plain(a, ent, e) : -1;
}

static int apply_opaque(struct apply *a, const char *dir, struct err *e)
{
	if (!*dir && !find(a, "")) {
		struct entry *root = add(a, "", ENTRY_DIR, e);
		if (!root)
			return -1;
		root->mode = 0755;
	}
	return set_opaque(a, find(a, dir), e);
}

/* 1: the name was a deletion and is dealt with; 0: it is a file; -1. */
static int apply_deletion(struct apply *a, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	struct slice hidden = { 0 };
	int kind = whiteout_parse(slice_of(last), &hidden, e);
	if (kind <= WHITEOUT_NONE)
		return kind;
	if (kind == WHITEOUT_AUFS)
		return 1; /* as Docker skips them */
	_free_ char *dir = slash ? str_ndup(name, (size_t)(slash - name)) : str_dup("");
	_free_ char *real = resolve_dir(a, dir, e);
	if (!real)
		return -1;
	if (kind == WHITEOUT_OPAQUE)
		return apply_opaque(a, real, e) < 0 ? -1 : 1;
	_free_ char *key = str_printf("%s%s%.*s", real, *real ? "/" : "", SLF(hidden));
	if (strlen(key) > KEY_MAX || hidden.n > NAME_MAX)
		return err_set(e, ERR_DATA, "the name is too long");
	return apply_whiteout(a, key, e) < 0 ? -1 : 1;
}

/* A component above the last that begins with ".wh.": 1 AUFS bookkeeping, -1 anything else. */
static int check_parents(const char *name, struct err *e)
{
	for (const char *p = name, *slash; (slash = strchr(p, '/')); p = slash + 1) {
		struct slice one = { p, (size_t)(slash - p) };
		if (slice_starts(one, SL(".wh..wh.")))
			return 1;
		if (slice_starts(one, SL(WHITEOUT_PREFIX)))
			return err_set(e, ERR_DATA, "it lies below a deletion ('%.*s')", SLF(one));
	}
	return 0;
}

/* ---- all of it ---- */

static int apply_entry(struct apply *a, const struct tar_entry *from, struct err *e)
{
	size_t longest = NAME_MAX + (a->layer ? strlen(WHITEOUT_PREFIX) : 0);
	_free_ char *name = clean_name(from->path, longest, e);
	if (!name)
		return -1;
	if (a->layer) {
		int r = check_parents(name, e);
		if (r == 0)
			r = apply_deletion(a, name, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
	}
	_free_ char *key = resolve(a, name, e);
	if (!key)
		return -1;
	if (!*key && from->type != TAR_DIR)
		return err_set(e, ERR_DATA, "the root of the archive is not a directory");
	const char *slash = strrchr(key, '/');
	if (strlen(slash ? slash + 1 : key) > NAME_MAX)
		return err_set(e, ERR_DATA, "a part of the name is longer than 255 bytes");
	uint64_t about = from->type == TAR_SYMLINK ? strlen(from->link) : 0;
	for (size_t i = 0; i < from->xattrs_n; i++)
		about += strlen(from->xattrs[i].name) + from->xattrs[i].len;
	if (count_about(a, about, e) < 0)
		return -1;
	switch (from->type) {
	case TAR_FILE: return apply_file(a, key, from, e);
	case TAR_DIR: return apply_dir(a, key, from, e);
	case TAR_HARDLINK: return apply_link(a, key, from, e);
	default: return apply_node(a, key, from, e);
	}
}

/* Entries that were replaced are in the array still, but not in the map. */
static void drop_replaced(struct apply *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->x.entries.n; i++) {
		struct entry ent = a->x.entries.p[i];
		if ((uintptr_t)map_get(&a->keys, slice_of(ent.path)) == i + 1)
			a->x.entries.p[n++] = ent; /* positions in the map are stale from here on */
	}
	a->x.entries.n = n;
}

static int set_dirs(struct apply *a, struct err *e)
{
	for (size_t i = a->x.entries.n; i-- > 0;) {
		const struct entry *ent = &a->x.entries.p[i];
		const char *name;
		if (ent->type != ENTRY_DIR)
			continue;
		int dirfd = place_at(&a->at, ent->path, &name, e);
		if (dirfd < 0 || tree_set_meta(dirfd, name, ent, a->o, e) < 0)
			return err_add(e, "'/%s'", ent->path);
	}
	return 0;
}

static int apply_all(struct apply *a, struct err *e)
{
	struct tar_entry ent;
	int r;
	while ((r = tar_next(a->tar, &ent, e)) > 0)
		if (apply_entry(a, &ent, e) < 0)
			return err_add(e, "'%s'", ent.path);
	if (r < 0)
		return -1;
	drop_replaced(a);
	index_sort(&a->x);
	index_settle_groups(&a->x);
	return set_dirs(a, e);
}

/* sum: NULL if the stream's own digest is not wanted. */
static int unpack(int treefd, struct source *tar, const struct tree_opts *o, bool layer,
		  struct tree_stream *sum, struct index *out, struct err *e)
{
	_cleanup_(source_closep) struct source *ahead = source_readahead(tar);
	_cleanup_(apply_done) struct apply a = {
		.treefd = treefd,
		.o = o,
		.layer = layer,
		.at = PLACE_INIT(treefd),
		.max_bytes = o->max_bytes ? o->max_bytes : INT64_MAX,
		.max_entries = o->max_entries ? o->max_entries : ENTRIES_MAX,
		.max_about = o->max_about ? o->max_about : ABOUT_MAX,
	};
	struct sha256 sha;
	sha256_begin(&sha);
	a.tar = tar_open(ahead);
	if (sum) {
		sum->size = 0;
		tar_hash(a.tar, &sha, &sum->size);
	}
	if (apply_all(&a, e) < 0)
		return -1;
	if (sum)
		sha256_end(&sha, sum->digest.b);
	*out = a.x;
	index_init(&a.x);
	return 0;
}

int tree_apply(int treefd, struct source *tar, const struct tree_opts *o, struct tree_stream *sum,
	       struct index *out, struct err *e)
{
	return unpack(treefd, tar, o, true, sum, out, e);
}

int tree_unpack(int treefd, struct source *tar, const struct tree_opts *o, struct index *out,
		struct err *e)
{
	return unpack(treefd, tar, o, false, NULL, out, e);
}
