/* SPDX-License-Identifier: Apache-2.0 */
#include "build/rootfs.h"

#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/path.h"
#include "base/walk.h"
#include "build/dirs_digest.h"
#include "sandbox/userns.h"

/* Directories of the machine that lie beneath the layers, if it has them. */
static const char *const TOP[] = { "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32" };

/* Files and directories of /etc that programs expect and that hold no secrets: patterns, those with
 * a slash at the end are directories taken whole. The machine's users are needed by tools that ask
 * for a name. */
static const char *const ETC[] = {
	"alternatives/", "bash.bashrc", "ca-certificates.conf", "debian_version", "environment",
	"ethers", "fonts/", "gai.conf", "group", "host.conf", "inputrc", "issue", "java*/",
	"ld.so.cache", "ld.so.conf", "ld.so.conf.d/", "ld-musl-*.path", "locale.alias", "localtime",
	"login.defs", "magic*", "mime.types", "networks", "nsswitch.conf", "os-release", "passwd",
	"perl/", "profile", "protocols", "python*/", "rpc", "services", "shells", "skel/",
	"terminfo/", "timezone", "xattr.conf",
};
/* The same, one level down. */
static const char *const ETC_SSL[] = { "certs/", "openssl.cnf" };

/* Empty directories that a program may expect. */
static const struct {
	const char *path;
	uint32_t mode;
} EMPTY[] = { { "home", 0755 }, { "media", 0755 }, { "mnt", 0755 }, { "opt", 0755 },
	      { "root", 0700 }, { "run", 0755 },   { "srv", 0755 }, { "tmp", 01777 },
	      { "var", 0755 },  { "var/cache", 0755 }, { "var/lib", 0755 }, { "var/log", 0755 },
	      { "var/tmp", 01777 } };

bool rootfs_shows(const char *key)
{
	if (!*key)
		return true;
	for (size_t i = 0; i < COUNT_OF(TOP); i++) {
		size_t n = strlen(TOP[i]);
		if (strncmp(key, TOP[i], n) == 0 && (key[n] == 0 || key[n] == '/'))
			return true;
	}
	return false;
}

static void hash_stat(struct sha256 *sum, const char *path, const struct stat *st)
{
	uint64_t v[] = { (uint64_t)st->st_ino, (uint64_t)st->st_size, st->st_mode,
			 (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec };
	sha256_field(sum, path, strlen(path));
	sha256_add(sum, v, sizeof v);
}

/* A file that is not there is a fact too: the key then changes when it appears. */
static void hash_path(struct sha256 *sum, int dirfd, const char *path)
{
	struct stat st = { 0 };
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		st = (struct stat){ 0 };
	hash_stat(sum, path, &st);
}

static int hash_dir(struct sha256 *sum, int dirfd, const char *path, struct err *e)
{
	struct digest d;
	if (dirs_digest(dirfd, path, &d, e) < 0)
		return -1;
	sha256_add(sum, d.b, sizeof d.b);
	return 0;
}

static int find_key(struct rootfs *r, struct digest *etc, struct err *e)
{
	static const char *const databases[] = { "var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite",
						 "usr/lib/sysimage/rpm/rpmdb.sqlite",
						 "lib/apk/db/installed", "var/lib/pacman/local" };
	static const char *const tops[] = { "usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64",
					    "usr/libexec", "usr/include", "usr/share", "usr/local",
					    "bin", "sbin", "lib", "lib64", "lib32", "libx32" };
	struct sha256 sum;
	sha256_begin(&sum);
	sha256_field(&sum, "rootfs 1", 8);
	sha256_add(&sum, etc->b, sizeof etc->b);
	/* The package database is written anew by each installation, so its change time says what its
	 * digest would. */
	for (size_t i = 0; i < COUNT_OF(databases); i++)
		hash_path(&sum, r->tree.dirfd, databases[i]);
	for (size_t i = 0; i < COUNT_OF(tops); i++)
		hash_path(&sum, r->tree.dirfd, tops[i]);
	if (hash_dir(&sum, r->tree.dirfd, "usr/local", e) < 0)
		return -1;
	sha256_end(&sum, r->key.b);
	return 0;
}

/* The paths ("etc/…") that are shown and there, a slash at the end of directories. */
static int list_etc(int dirfd, struct strs *out, struct err *e)
{
	static const struct {
		const char *dir;
		const char *const *patterns;
		size_t n;
	} lists[] = { { "etc", ETC, COUNT_OF(ETC) }, { "etc/ssl", ETC_SSL, COUNT_OF(ETC_SSL) } };
	for (size_t l = 0; l < COUNT_OF(lists); l++) {
		if (!fs_exists(dirfd, lists[l].dir))
			continue;
		_cleanup_(walk_closep) struct walk *w = walk_open(dirfd, lists[l].dir, e);
		struct walk_entry ent;
		int r;
		while ((r = walk_next(w, &ent, e)) > 0) {
			bool dir = S_ISDIR(ent.st.st_mode);
			if (dir)
				walk_skip(w);
			_free_ char *name = str_printf("%s%s", ent.name, dir ? "/" : "");
			for (size_t i = 0; i < lists[l].n; i++) {
				if (path_match(slice_of(lists[l].patterns[i]), slice_of(name)) != 1)
					continue;
				strs_addf(out, "%s/%s", lists[l].dir, name);
				break;
			}
		}
		if (r < 0)
			return -1;
	}
	return 0;
}

static int hash_etc(int dirfd, const struct strs *shown, struct digest *out, struct err *e)
{
	struct sha256 sum;
	sha256_begin(&sum);
	sha256_field(&sum, "etc 1", 5);
	for (size_t i = 0; i < shown->n; i++) {
		const char *path = shown->p[i];
		hash_path(&sum, dirfd, path);
		if (path[strlen(path) - 1] != '/')
			continue;
		if (hash_dir(&sum, dirfd, path, e) < 0)
			return -1;
	}
	sha256_end(&sum, out->b);
	return 0;
}

static struct entry *add_dir(struct index *x, const char *path, uint32_t mode)
{
	struct entry *ent = index_add(x, slice_of(path), ENTRY_DIR);
	ent->mode = mode;
	return ent;
}

/* Copies one file, link or directory of /etc; what cannot be read as this user is left out: it was
 * not for others to see. */
static int take_etc(struct index *x, int treefd, int rootfd, const char *path, const struct tree_opts *o,
		    struct err *e)
{
	struct stat st;
	if (fstatat(rootfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode) && !(st.st_mode & 0004))
		return 0;
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	struct entry ent = { 0 };
	if (entry_from_file(&x->arena, rootfd, path, &st, &ent, e) < 0)
		return -1;
	ent.uid = ent.gid = ent.group = 0;
	ent.xattrs_n = 0;
	_free_ char *dir = slice_dup(path_dir(slice_of(path)));
	if (!fs_exists(treefd, dir) && fs_mkdirs(treefd, dir, 0755, e) < 0)
		return -1;
	if (ent.type == ENTRY_FILE) {
		_close_ int in = openat(rootfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (in < 0)
			return 0;
		_close_ int out = openat(treefd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (out < 0)
			return err_sys(e, "write '%s'", path);
		if (fd_copy(in, out, &ent.size, e) < 0)
			return -1;
	} else if (ent.type == ENTRY_DIR) {
		if (fs_mkdirs(treefd, path, 0755, e) < 0)
			return -1;
		ent.mode = 0755;
	} else if (tree_make(treefd, path, &ent, o, e) < 0) {
		return -1;
	}
	(void) index_add_copy(x, &ent, path);
	return ent.type == ENTRY_DIR ? 0 : tree_set_meta(treefd, path, &ent, o, e);
}

static int take_etc_dir(struct index *x, int treefd, int rootfd, const char *path,
			const struct tree_opts *o, struct err *e)
{
	_cleanup_(walk_closep) struct walk *w = walk_open(rootfd, path, e);
	struct walk_entry ent;
	int r;
	while ((r = walk_next(w, &ent, e)) > 0) {
		_free_ char *full = str_printf("%s/%s", path, ent.path);
		if (take_etc(x, treefd, rootfd, full, o, e) < 0)
			return -1;
	}
	return r;
}

static int make_layer(struct store *s, struct rootfs *r, const struct strs *shown, struct snap_draft *d,
		      struct err *e)
{
	const struct tree_opts *o = store_tree_opts(s);
	_cleanup_(index_done) struct index x = { 0 };
	index_init(&x);
	add_dir(&x, "", 0755);
	add_dir(&x, "etc", 0755);
	/* Directories of the list's own paths; duplicates end in index_sort. */
	add_dir(&x, "etc/ssl", 0755);
	for (size_t i = 0; i < shown->n; i++) {
		_free_ char *path = str_dup(shown->p[i]);
		size_t n = strlen(path);
		bool whole = path[n - 1] == '/';
		if (whole)
			path[n - 1] = 0;
		if (take_etc(&x, d->treefd, r->tree.dirfd, path, o, e) < 0 ||
		    (whole && take_etc_dir(&x, d->treefd, r->tree.dirfd, path, o, e) < 0))
			return -1;
	}
	if (fs_mkdirs(d->treefd, "etc/ssl", 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(EMPTY); i++) {
		add_dir(&x, EMPTY[i].path, EMPTY[i].mode);
		if (fs_mkdirs(d->treefd, EMPTY[i].path, 0755, e) < 0)
			return -1;
	}
	index_sort(&x);
	for (size_t i = x.entries.n; i-- > 0;) {
		const struct entry *ent = &x.entries.p[i];
		if (ent->type == ENTRY_DIR && tree_set_meta(d->treefd, *ent->path ? ent->path : ".", ent, o, e) < 0)
			return -1;
	}
	if (tree_digest(d->treefd, &x, e) < 0)
		return -1;
	return snap_commit(s, d, &x, NULL, r->snap, e);
}

/* The small layer is made once for a state of /etc. */
static int find_layer(struct store *s, struct rootfs *r, const struct strs *shown, const struct digest *etc,
		      struct err *e)
{
	_cleanup_(buf_done) struct buf id = { .max = SNAP_ID };
	int have = cache_get(s, "rootfs", etc, &id, e);
	if (have < 0)
		return -1;
	if (have > 0 && id.len < SNAP_ID && snap_exists(s, id.p)) {
		memcpy(r->snap, id.p, id.len + 1);
		return 0;
	}
	struct snap_draft d = SNAP_DRAFT_INIT;
	if (userns_enter(e) < 0 || snap_begin(s, &d, e) < 0)
		return -1;
	int done = make_layer(s, r, shown, &d, e);
	snap_abort(s, &d);
	if (done < 0)
		return err_add(e, "take what rootfs:/ shows of /etc");
	return cache_put(s, "rootfs", etc, slice_of(r->snap), e);
}

int rootfs_open(struct store *s, struct rootfs *out, struct err *e)
{
	*out = (struct rootfs){ .tree = SOURCE_TREE_INIT };
	if (source_tree_dir(s, "/", (struct slice){ 0 }, NULL, &out->tree, e) < 0)
		return -1;
	out->tree.allowed = rootfs_shows;
	for (size_t i = 0; i < COUNT_OF(TOP); i++)
		if (fs_exists(out->tree.dirfd, TOP[i]))
			strs_add(&out->dirs, TOP[i]);
	_cleanup_(strs_done) struct strs shown = { 0 };
	struct digest etc;
	if (list_etc(out->tree.dirfd, &shown, e) < 0 || hash_etc(out->tree.dirfd, &shown, &etc, e) < 0 ||
	    find_layer(s, out, &shown, &etc, e) < 0)
		return -1;
	return find_key(out, &etc, e);
}

void rootfs_done(struct rootfs *r)
{
	source_tree_done(&r->tree);
	strs_done(&r->dirs);
}
