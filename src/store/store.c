/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/num.h"
#include "base/path.h"
#include "store/record.h"

#define STORE_FORMAT 1
#define STAMP_MAX    4096

/* The stamp is written last, so a store without one is still being made, by us or by another
 * process: making it again is harmless. */
static const char *const store_dirs[] = {
	"blobs", "snapshots", "names", "cache", "containers", "volumes", "mounts", "leases", "tmp",
};

/* ---- who we are ---- */

struct owner {
	bool user; /* not the machine's root */
	bool entered; /* in a namespace made for one user, where that user is 0 */
	bool ids_known;
	struct store_ids ids;
};

struct extent {
	uint64_t inside, outside, n;
};

static size_t read_id_map(const char *path, struct extent *out, size_t max)
{
	_cleanup_(buf_done) struct buf b = { .max = STAMP_MAX };
	if (fs_read(AT_FDCWD, path, STAMP_MAX, &b, NULL) < 0)
		return 0;
	struct slice rest = buf_view(&b), line;
	size_t n = 0;
	while (n < max && slice_split(&rest, '\n', &line)) {
		uint64_t v[3];
		size_t k = 0;
		struct slice word;
		while (k < 3 && slice_split(&line, ' ', &word))
			if (word.n && num_parse(word, UINT32_MAX, &v[k++]) < 0)
				return 0;
		if (k == 3)
			out[n++] = (struct extent){ v[0], v[1], v[2] };
	}
	return n;
}

/* The id that is 0 inside, and the range that follows it. */
static bool map_ids(const struct extent *x, size_t n, uint32_t *id, uint32_t *sub, uint32_t *sub_n)
{
	bool found = false;
	for (size_t i = 0; i < n; i++) {
		if (x[i].inside == 0) {
			*id = (uint32_t)x[i].outside;
			found = true;
		}
		if (x[i].inside == 0 && x[i].n > 1) {
			*sub = (uint32_t)x[i].outside + 1;
			*sub_n = (uint32_t)x[i].n - 1;
		} else if (x[i].inside == 1) {
			*sub = (uint32_t)x[i].outside;
			*sub_n = (uint32_t)x[i].n;
		}
	}
	return found;
}

static int find_owner(const struct store_opts *o, struct owner *out, struct err *e)
{
	*out = (struct owner){ 0 };
	if (geteuid() != 0) {
		out->user = true;
		if (o->ids)
			out->ids = *o->ids;
		out->ids.uid = geteuid();
		out->ids.gid = getegid();
		out->ids_known = out->ids.sub_uid_n > 0;
		return 0;
	}
	struct extent u[8], g[8];
	size_t un = read_id_map("/proc/self/uid_map", u, COUNT_OF(u));
	size_t gn = read_id_map("/proc/self/gid_map", g, COUNT_OF(g));
	if (un == 1 && u[0].inside == 0 && u[0].outside == 0 && u[0].n == UINT32_MAX)
		return 0;
	out->user = true;
	if (!map_ids(u, un, &out->ids.uid, &out->ids.sub_uid, &out->ids.sub_uid_n) ||
	    !map_ids(g, gn, &out->ids.gid, &out->ids.sub_gid, &out->ids.sub_gid_n)) {
		err_set(e, ERR_DENIED, "the user namespace's id maps cannot be read");
		return err_hint(e, "is /proc mounted?");
	}
	for (size_t i = 0; i < un; i++) /* nobody gives a whole container one id */
		out->entered = out->entered || (u[i].inside == 0 && u[i].n == 1);
	out->ids_known = true;
	return 0;
}

/* ---- where it is ---- */

static char *default_root(const struct owner *who, struct err *e)
{
	const char *v = getenv("THIMBLE_ROOT");
	if (v && *v)
		return str_dup(v);
	if (!who->user || (geteuid() == 0 && !who->entered))
		return str_dup("/var/lib/thimble");
	v = getenv("XDG_DATA_HOME");
	if (v && *v == '/')
		return str_printf("%s/thimble", v);
	v = getenv("HOME");
	if (v && *v == '/')
		return str_printf("%s/.local/share/thimble", v);
	err_set(e, ERR_USER, "no place for the store: HOME is not set");
	err_hint(e, "give one with --root DIR or THIMBLE_ROOT");
	return NULL;
}

static int make_root(const char *path, struct err *e)
{
	struct slice dir = path_dir(slice_of(path));
	_free_ char *parent = slice_dup(dir);
	if (fs_mkdirs(AT_FDCWD, parent, 0755, e) < 0)
		return err_add(e, "make the directory for the store");
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the store '%s'", path);
	return 0;
}

static int open_root(struct store *s, const char *path, bool create, struct err *e)
{
	s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 && errno == ENOENT && create) {
		if (make_root(path, e) < 0)
			return -1;
		s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (s->fd < 0 && errno == ENOENT)
		return err_set(e, ERR_ABSENT, "there is no store at '%s'", path);
	if (s->fd < 0) {
		int no = errno;
		err_sys(e, "open the store '%s'", path);
		if (no == EACCES)
			err_hint(e, "use a store of your own: --root DIR or THIMBLE_ROOT");
		return -1;
	}
	s->path = realpath(path, NULL);
	if (!s->path)
		return err_sys(e, "find the real path of '%s'", path);
	return 0;
}

static int check_owner(const struct store *s, const struct owner *who, struct err *e)
{
	struct stat st;
	if (fstat(s->fd, &st) < 0)
		return err_sys(e, "stat '%s'", s->path);
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_DENIED, "the store '%s' belongs to another user (uid %u)", s->path,
			(unsigned)st.st_uid);
		return err_hint(e,
				"use one of your own (--root DIR); to copy images, its owner runs "
				"'thimble --root %s save -o images.tar NAME...', then you "
				"'thimble load -i images.tar'",
				s->path);
	}
	if ((st.st_mode & 077) || (st.st_mode & 0700) != 0700) {
		err_set(e, ERR_DENIED, "the store '%s' has mode %04o, so others could change it",
			s->path, (unsigned)st.st_mode & 07777);
		return err_hint(e, "chmod 0700 '%s', if nobody else could write there until now",
				s->path);
	}
	return 0;
}

/* ---- stamp ---- */

struct stamp {
	uint64_t format;
	bool user, has_ids;
	struct store_ids ids;
};

static int write_stamp(struct store *s, const struct owner *who, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_printf(&b, "thimble-store %d\nmode %s\n", STORE_FORMAT, who->user ? "user" : "root");
	if (who->user)
		buf_printf(&b, "owner %u %u\n", who->ids.uid, who->ids.gid);
	if (who->user && who->ids_known)
		buf_printf(&b, "subordinate %u %u %u %u\n", who->ids.sub_uid, who->ids.sub_uid_n,
			   who->ids.sub_gid, who->ids.sub_gid_n);
	return store_write(s, "stamp", buf_view(&b), true, e);
}

static bool parse_words(struct slice line, size_t want, uint32_t *out)
{
	struct slice word;
	size_t n = 0;
	while (slice_split(&line, ' ', &word)) {
		uint64_t v;
		if (n == want || num_parse(word, UINT32_MAX, &v) < 0)
			return false;
		out[n++] = (uint32_t)v;
	}
	return n == want;
}

static int parse_stamp(struct slice text, struct stamp *out)
{
	struct slice line;
	while (slice_split(&text, '\n', &line)) {
		uint32_t v[4];
		struct slice rest = line, key;
		if (line.n == 0)
			continue;
		if (!slice_split(&rest, ' ', &key) || !rest.p)
			return -1;
		if (slice_is(key, "thimble-store")) {
			if (num_parse(rest, UINT32_MAX, &out->format) < 0)
				return -1;
			if (out->format != STORE_FORMAT)
				return 0; /* the rest may mean anything */
		} else if (slice_is(key, "mode")) {
			out->user = slice_is(rest, "user");
			if (!out->user && !slice_is(rest, "root"))
				return -1;
		} else if (slice_is(key, "owner")) {
			if (!parse_words(rest, 2, v))
				return -1;
			out->ids.uid = v[0];
			out->ids.gid = v[1];
		} else if (slice_is(key, "subordinate")) {
			if (!parse_words(rest, 4, v))
				return -1;
			out->has_ids = true;
			out->ids.sub_uid = v[0];
			out->ids.sub_uid_n = v[1];
			out->ids.sub_gid = v[2];
			out->ids.sub_gid_n = v[3];
		} else {
			return -1;
		}
	}
	return out->format ? 0 : -1;
}

static int refuse_stamp(const struct store *s, struct err *e)
{
	return err_hint(
		e,
		"use another one (--root DIR); to copy images, 'thimble --root %s save -o images.tar "
		"NAME...' as it was made for, then 'thimble load -i images.tar' here",
		s->path);
}

/* 1: fine, 0: fine but without the range that is known now, -1. */
static int check_stamp(struct store *s, struct slice text, struct owner *who, struct err *e)
{
	struct stamp st = { 0 };
	if (parse_stamp(text, &st) < 0) {
		err_set(e, ERR_DATA, "the stamp of the store '%s' is damaged", s->path);
		return err_hint(e, "move '%s' away, or use another store with --root DIR", s->path);
	}
	if (st.format != STORE_FORMAT) {
		err_set(e, ERR_USER, "the store '%s' has format %llu, this thimble knows %d",
			s->path, (unsigned long long)st.format, STORE_FORMAT);
		return err_hint(e,
				"use the thimble that made it, or another store with --root DIR");
	}
	if (st.user != who->user) {
		err_set(e, ERR_DENIED, "the store '%s' was made %s, this is %s", s->path,
			st.user ? "in a user namespace" : "by the machine's root",
			who->user ? "a user namespace" : "the machine's root");
		return refuse_stamp(s, e);
	}
	if (st.user && st.ids.uid != who->ids.uid) {
		err_set(e, ERR_DENIED, "the store '%s' was made by uid %u, this is uid %u", s->path,
			st.ids.uid, who->ids.uid);
		return refuse_stamp(s, e);
	}
	if (!st.user || !st.has_ids)
		return st.user && who->ids_known ? 0 : 1;
	if (who->ids_known &&
	    (st.ids.sub_uid != who->ids.sub_uid || st.ids.sub_uid_n != who->ids.sub_uid_n ||
	     st.ids.sub_gid != who->ids.sub_gid || st.ids.sub_gid_n != who->ids.sub_gid_n)) {
		err_set(e, ERR_DENIED,
			"the store '%s' was made with subordinate ids %u+%u (groups %u+%u), yours are now "
			"%u+%u (groups %u+%u)",
			s->path, st.ids.sub_uid, st.ids.sub_uid_n, st.ids.sub_gid, st.ids.sub_gid_n,
			who->ids.sub_uid, who->ids.sub_uid_n, who->ids.sub_gid, who->ids.sub_gid_n);
		return refuse_stamp(s, e);
	}
	if (!who->ids_known) {
		who->ids.sub_uid = st.ids.sub_uid;
		who->ids.sub_uid_n = st.ids.sub_uid_n;
		who->ids.sub_gid = st.ids.sub_gid;
		who->ids.sub_gid_n = st.ids.sub_gid_n;
		who->ids_known = true;
	}
	return 1;
}

/* A directory that holds other things is not made a store: it is probably a slip of the hand. */
static int check_empty(struct store *s, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(s, ".", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		bool ours = strcmp(names.p[i], "stamp") == 0 ||
			    strcmp(names.p[i], "lost+found") == 0;
		for (size_t k = 0; k < COUNT_OF(store_dirs); k++)
			ours = ours || strcmp(names.p[i], store_dirs[k]) == 0;
		if (!ours) {
			err_set(e, ERR_USER, "'%s' is not a store: it holds '%s'", s->path,
				names.p[i]);
			return err_hint(e, "give an empty or a new directory with --root DIR");
		}
	}
	return 0;
}

/* What is born in these has nothing to do with its neighbours. ext4 then spreads it over the disk (the
 * hint is chattr's T) instead of laying it where the last ones have just been removed: to step over
 * such inodes one by one was half the time of a RUN step. Other file systems have no such hint. */
static void spread_below(int dirfd, const char *name)
{
	_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int flags;
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return;
	flags |= FS_TOPDIR_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int make_dirs(struct store *s, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(store_dirs); i++)
		if (mkdirat(s->fd, store_dirs[i], 0700) < 0 && errno != EEXIST)
			return err_sys(e, "make '%s/%s'", s->path, store_dirs[i]);
	spread_below(s->fd, "containers");
	spread_below(s->fd, "tmp");
	if (mkdirat(s->fd, "blobs/sha256", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make '%s/blobs/sha256'", s->path);
	return 0;
}

static int open_tmp(struct store *s, struct err *e)
{
	s->tmp = openat(s->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->tmp < 0 ? err_sys(e, "open '%s/tmp'", s->path) : 0;
}

static int read_or_make(struct store *s, bool create, struct owner *who, struct err *e)
{
	_cleanup_(buf_done) struct buf stamp = { 0 };
	int r = store_read(s, "stamp", STAMP_MAX, &stamp, e);
	if (r < 0)
		return -1;
	if (r == 0 && !create)
		return err_set(e, ERR_ABSENT, "there is no store at '%s'", s->path);
	if (r == 0 && (check_empty(s, e) < 0 || make_dirs(s, e) < 0))
		return -1;
	if (open_tmp(s, e) < 0)
		return -1;
	if (r == 1)
		r = check_stamp(s, buf_view(&stamp), who, e);
	if (r < 0)
		return -1;
	return r == 0 ? write_stamp(s, who, e) : 0;
}

struct store *store_open(const struct store_opts *o, struct err *e)
{
	struct owner who;
	if (find_owner(o, &who, e) < 0)
		return NULL;
	_free_ char *root = o->root && *o->root ? str_dup(o->root) : default_root(&who, e);
	if (!root)
		return NULL;
	_cleanup_(store_closep) struct store *s = NEW(struct store);
	s->fd = s->tmp = s->lease_fd = s->gate_fd = -1;
	if (open_root(s, root, o->create, e) < 0 || check_owner(s, &who, e) < 0 ||
	    read_or_make(s, o->create, &who, e) < 0)
		return NULL;
	s->user = who.user;
	s->enter = o->enter;
	s->tree = (struct tree_opts){
		.mode = who.user ? TREE_USER : TREE_TRUSTED,
		.uid_max = who.user ? who.ids.sub_uid_n : UINT32_MAX,
		.gid_max = who.user ? who.ids.sub_gid_n : UINT32_MAX,
		.devices = !who.user,
	};
	return take_ptr(&s);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->tmp >= 0 && s->path && (!s->user || geteuid() == 0)) {
		if (sweep_closing(s, NULL) < 0)
			log_debug("cannot sweep tmp/; a later run tries again");
	}
	if (s->fd >= 0)
		lease_end(s);
	if (s->tmp >= 0)
		(void)close(s->tmp);
	if (s->fd >= 0)
		(void)close(s->fd);
	map_done(&s->used);
	snap_records_forget(s);
	free(s->lease_name);
	free(s->path);
	free(s);
}

const char *store_path(const struct store *s)
{
	return s->path;
}

int store_fd(const struct store *s)
{
	return s->fd;
}

int store_tmp(const struct store *s)
{
	return s->tmp;
}

bool store_is_user(const struct store *s)
{
	return s->user;
}

const struct tree_opts *store_tree_opts(const struct store *s)
{
	return &s->tree;
}

const char *store_boot_id(struct store *s)
{
	if (s->boot[0])
		return s->boot;
	_cleanup_(buf_done) struct buf b = { .max = BOOT_ID_LEN - 1 };
	const char *forged =
		getenv("THIMBLE_BOOT_ID"); /* for tests of what happens after a crash */
	if (forged && *forged)
		buf_str(&b, forged);
	else if (fs_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_LEN - 1, &b, NULL) <
		 0)
		buf_str(&b, "unknown");
	struct slice id = slice_trim(buf_view(&b));
	memcpy(s->boot, id.p, id.n);
	s->boot[id.n] = '\0';
	return s->boot;
}

/* ---- small files ---- */

char *store_tmp_name(struct store *s, struct err *e)
{
	const char *lease = lease_name(s, e);
	if (!lease)
		return NULL;
	return s->within ? str_printf("tmp/%s.%u-%u", lease, s->nr, s->tmp_n++)
			 : str_printf("tmp/%s.%u", lease, s->tmp_n++);
}

int store_discard(struct store *s, const char *path, struct err *e)
{
	if (!s->within)
		return fs_remove(s->fd, path, e);
	_free_ char *name = store_tmp_name(s, e);
	_free_ char *to = name ? str_printf("%s" STORE_DISCARDED, name) : NULL;
	if (!to)
		return -1;
	if (renameat(s->fd, path, s->fd, to) == 0 || errno == ENOENT)
		return 0;
	return fs_remove(s->fd, path, e);
}

char *store_tmp_dir(struct store *s, int *dirfd, struct err *e)
{
	_free_ char *name = store_tmp_name(s, e);
	if (!name)
		return NULL;
	if (mkdirat(s->fd, name, 0700) < 0) {
		err_sys(e, "make a directory in '%s/tmp'", s->path);
		return NULL;
	}
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, "open '%s/%s'", s->path, name);
		(void)unlinkat(s->fd, name, AT_REMOVEDIR);
		return NULL;
	}
	*dirfd = fd;
	return take_ptr(&name);
}

int store_write_new(struct store *s, const char *tmp, struct slice data, bool sync, struct err *e)
{
	_close_ int fd = openat(s->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make a file in '%s/tmp'", s->path);
	if (fd_write_all(fd, data.p, data.n, e) < 0)
		return -1;
	if (sync && fsync(fd) < 0)
		return err_sys(e, "write '%s/%s' to the disk", s->path, tmp);
	return 0;
}

/* Another process may take an empty parent away between our making it and the rename. */
static int rename_into(struct store *s, const char *tmp, const char *path, struct err *e)
{
	_free_ char *parent = slice_dup(path_dir(slice_of(path)));
	for (int tries = 0; tries < 1000; tries++) {
		if (renameat(s->fd, tmp, s->fd, path) == 0)
			return 0;
		if (errno != ENOENT)
			break;
		_cleanup_(err_done) struct err why = { 0 };
		if (fs_mkdirs(s->fd, parent, 0700, &why) < 0 && !err_is_errno(&why, ENOENT)) {
			if (e)
				err_move(e, &why);
			return -1;
		}
	}
	return err_sys(e, "write '%s/%s'", s->path, path);
}

int store_write(struct store *s, const char *path, struct slice data, bool sync, struct err *e)
{
	_free_ char *tmp = store_tmp_name(s, e);
	if (!tmp)
		return -1;
	if (store_write_new(s, tmp, data, sync, e) < 0 || rename_into(s, tmp, path, e) < 0) {
		(void)unlinkat(s->fd, tmp, 0);
		return -1;
	}
	return 0;
}

int store_read(struct store *s, const char *path, size_t max, struct buf *out, struct err *e)
{
	_close_ int fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(e, "open '%s/%s'", s->path, path);
	out->max = out->len + max;
	if (fd_slurp(fd, out, path, e) < 0)
		return err_add(e, "read '%s/%s'", s->path, path);
	return 1;
}

int store_list(struct store *s, const char *path, struct strs *names, struct err *e)
{
	int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		err_sys(e, "open '%s/%s'", s->path, path);
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	const struct dirent *ent;
	while ((errno = 0, ent = readdir(d)))
		if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
			strs_add(names, ent->d_name);
	int r = errno ? err_sys(e, "read '%s/%s'", s->path, path) : 0;
	(void)closedir(d);
	strs_sort(names);
	return r;
}
