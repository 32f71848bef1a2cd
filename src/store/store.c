/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "store/owner.h"
#include "store/record.h"

/* The stamp is written last, so a store without one is still being made, by us or by another
 * process: making it again is harmless. */
static const char *const store_dirs[] = {
	"blobs", "snapshots", "names", "cache", "containers", "volumes", "mounts", "leases", "tmp",
};

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

/* ---- making one ---- */

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
		r = stamp_check(s, buf_view(&stamp), who, e);
	if (r < 0)
		return -1;
	return r == 0 ? stamp_write(s, who, e) : 0;
}

/* Where the kernel has none all boots are one; one that cannot be read must not look like another. */
static int find_boot_id(struct store *s, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { .max = BOOT_ID_LEN - 1 };
	_cleanup_(err_done) struct err why = { 0 };
	const char *forged =
		getenv("THIMBLE_BOOT_ID"); /* for tests of what happens after a crash */
	if (forged && *forged) {
		buf_str(&b, forged);
	} else if (fs_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_LEN - 1, &b, &why) <
		   0) {
		if (why.kind != ERR_ABSENT) {
			if (e)
				err_move(e, &why);
			return err_add(e, "tell this boot from others");
		}
		buf_str(&b, "unknown");
	}
	struct slice id = slice_trim(buf_view(&b));
	memcpy(s->boot, id.p, id.n);
	s->boot[id.n] = '\0';
	return 0;
}

/* ---- opening ---- */

struct store *store_open(const struct store_opts *o, struct err *e)
{
	struct owner who;
	if (owner_find(o, &who, e) < 0)
		return NULL;
	_free_ char *root = o->root && *o->root ? str_dup(o->root) : default_root(&who, e);
	if (!root)
		return NULL;
	_cleanup_(store_closep) struct store *s = NEW(struct store);
	s->fd = s->tmp = s->lease_fd = s->gate_fd = -1;
	if (open_root(s, root, o->create, e) < 0 || owner_check(s, e) < 0 ||
	    find_boot_id(s, e) < 0 || read_or_make(s, o->create, &who, e) < 0)
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

bool store_is_user(const struct store *s)
{
	return s->user;
}

const struct tree_opts *store_tree_opts(const struct store *s)
{
	return &s->tree;
}
