/* SPDX-License-Identifier: Apache-2.0 */
#include "container/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"
#include "container/env.h"
#include "container/peek.h"
#include "sandbox/userns.h"

#define ENV_FILE_MAX (1u << 20)
#define ETC_FILE_MAX (4u << 20)
#define STUBS        "stubs" /* in the store: the mount points that every run has */

/* ---- the image ---- */

static int open_layers(struct prepared *p, struct err *e)
{
	char path[SNAP_PATH];
	if (p->im->on_rootfs) {
		p->has_rootfs = true;
		if (rootfs_open(p->store, &p->rootfs, e) < 0)
			return -1;
	}
	size_t n = p->im->snaps.n + (p->has_rootfs ? 1 : 0);
	(void)arr_reserve(&p->snaps, n);
	for (size_t i = 0; i < n; i++) {
		const char *id = !p->has_rootfs ? p->im->snaps.p[i]
				 : i == 0       ? p->rootfs.snap
						: p->im->snaps.p[i - 1];
		arr_push(&p->snaps, (struct snap)SNAP_INIT);
		if (snap_open(p->store, id, arr_last(&p->snaps), e) < 0)
			return -1;
		strs_add(&p->lowers, snap_tree_path(id, path));
	}
	return 0;
}

/* The merged view; slow for big images, so only where it is needed. */
static int need_fs(struct prepared *p, struct err *e)
{
	if (p->has_fs)
		return 0;
	ARRAY_OF(char *) ids = { 0 };
	arr_each(sn, &p->snaps)
		arr_push(&ids, sn->id);
	int r = image_fs_open(p->store, ids.p, ids.n, &p->fs, e);
	arr_done(&ids);
	p->has_fs = r == 0;
	return r;
}

static int read_etc(struct prepared *p, const char *name, struct buf *out, struct err *e)
{
	ARRAY_OF(int) trees = { 0 };
	arr_each(sn, &p->snaps)
		arr_push(&trees, sn->treefd);
	int r = peek_file(trees.p, trees.n, "etc", name, store_is_user(p->store), ETC_FILE_MAX, out,
			  e);
	arr_done(&trees);
	if (r != 2)
		return r;
	_free_ char *path = str_printf("/etc/%s", name);
	return need_fs(p, e) < 0 ? -1 : image_fs_read(&p->fs, path, ETC_FILE_MAX, out, e);
}

static int find_identity(struct prepared *p, const char *user, struct err *e)
{
	_cleanup_(buf_done) struct buf passwd = { 0 }, group = { 0 };
	if (read_etc(p, "passwd", &passwd, e) < 0 || read_etc(p, "group", &group, e) < 0)
		return -1;
	return identity_find(slice_of(user), buf_view(&passwd), buf_view(&group), &p->who, e);
}

/* ---- names, command, environment ---- */

static int host_text(const char *path, struct buf *out, struct err *e)
{
	return fs_read_optional(AT_FDCWD, path, ENV_FILE_MAX, out, e) < 0 ? -1 : 0;
}

/* As docker: with the machine's network its name and its hosts file too. */
static int make_names(struct prepared *p, const struct run_opts *o, bool host_net, struct err *e)
{
	char name[HOST_NAME_MAX + 1] = "";
	if (o->hostname) {
		if (!o->hostname[0] || strlen(o->hostname) > HOST_NAME_MAX ||
		    strpbrk(o->hostname, " \t\n/"))
			return err_set(e, ERR_USER, "invalid host name '%s'", o->hostname);
		p->hostname = str_dup(o->hostname);
	} else if (host_net && gethostname(name, sizeof name - 1) == 0 && name[0]) {
		p->hostname = str_dup(name);
	} else {
		p->hostname = str_dup(p->place.id);
	}
	_cleanup_(buf_done) struct buf hosts = { 0 };
	if (host_net && host_text("/etc/hosts", &hosts, e) < 0)
		return -1;
	if (hosts.len == 0)
		buf_str(&hosts,
			"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (hosts.p[hosts.len - 1] != '\n')
		buf_char(&hosts, '\n');
	if (!host_net || o->hostname)
		buf_printf(&hosts, "127.0.1.1\t%s\n", p->hostname);
	p->hosts = buf_take(&hosts);
	return 0;
}

static int make_env(struct prepared *p, const struct run_opts *o, struct err *e)
{
	_cleanup_(strs_done) struct strs more = { 0 };
	for (size_t i = 0; i < o->env_files.n; i++) {
		_cleanup_(buf_done) struct buf text = { 0 };
		const char *name = o->env_files.p[i];
		if (fs_read(AT_FDCWD, name, ENV_FILE_MAX, &text, e) < 0 ||
		    env_file_parse(buf_view(&text), name, &more, e) < 0)
			return err_add(e, "read the environment file '%s'", name);
	}
	for (size_t i = 0; i < o->env.n; i++)
		if (env_add(&more, o->env.p[i], e) < 0)
			return -1;
	environment_make(&p->im->config, p->hostname, o->tty, p->who.home, &more, &p->env);
	return 0;
}

/* ---- mounts ---- */

static void add_mount(struct prepared *p, struct sandbox_mount m, const char *target)
{
	strs_add(&p->targets, target);
	m.target = p->targets.p[p->targets.n - 1];
	arr_push(&p->mounts, m);
}

static void add_bind(struct prepared *p, int fd, bool read_only, const char *target)
{
	arr_push(&p->fds, fd);
	add_mount(p,
		  (struct sandbox_mount){
			  .kind = SANDBOX_BIND, .source_fd = fd, .read_only = read_only },
		  target);
}

static bool has_target(const struct prepared *p, const char *target)
{
	return strs_find(&p->targets, target) >= 0;
}

/* A fresh directory with what the image has there. */
static int add_fresh(struct prepared *p, const char *target, bool read_only, struct err *e)
{
	_free_ char *name = str_printf("v%zu", p->fds.n);
	if (need_fs(p, e) < 0 || volume_fill(p->store, &p->fs, target, p->place.dirfd, name, e) < 0)
		return -1;
	int fd = openat(p->place.dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open a new volume");
	add_bind(p, fd, read_only, target);
	return 0;
}

/* docker makes a missing path; a typing mistake then gives an empty directory of root's. We refuse. */
static int open_path(const char *source, struct err *e)
{
	int fd = open(source, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	err_sys(e, "mount '%s'", source);
	if (errno == ENOENT)
		err_hint(
			e,
			"make it first: mkdir -p '%s'; or give a name without '/' for a volume that is "
			"kept in the store",
			source);
	return -1;
}

static int add_volume(struct prepared *p, const char *text, struct err *e)
{
	_cleanup_(volume_done) struct volume v = { 0 };
	if (volume_parse(text, &v, e) < 0)
		return -1;
	if (has_target(p, v.target))
		return err_set(e, ERR_USER, "duplicate mount point: %s", v.target);
	if (v.kind == VOLUME_ANONYMOUS)
		return add_fresh(p, v.target, v.read_only, e);
	int fd;
	if (v.kind == VOLUME_PATH) {
		fd = open_path(v.source, e);
	} else {
		fd = need_fs(p, e) < 0 ? -1 : volume_open(p->store, &p->fs, &v, e);
	}
	if (fd < 0)
		return -1;
	add_bind(p, fd, v.read_only, v.target);
	return 0;
}

static int add_tmpfs(struct prepared *p, const char *text, struct err *e)
{
	_cleanup_(tmpfs_done) struct tmpfs_spec t = { 0 };
	if (tmpfs_parse(text, &t, e) < 0)
		return -1;
	if (has_target(p, t.target))
		return err_set(e, ERR_USER, "duplicate mount point: %s", t.target);
	add_mount(p,
		  (struct sandbox_mount){ .kind = SANDBOX_TMPFS,
					  .source_fd = -1,
					  .size = t.size,
					  .mode = t.mode,
					  .read_only = t.read_only,
					  .exec_ok = t.exec },
		  t.target);
	return 0;
}

/* Outer ones first, whatever the order of the options. */
static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct sandbox_mount *)a)->target,
		      ((const struct sandbox_mount *)b)->target);
}

static int make_mounts(struct prepared *p, const struct run_opts *o, struct err *e)
{
	const struct strs *declared = &p->im->config.volumes;
	for (size_t i = 0; i < o->volumes.n; i++)
		if (add_volume(p, o->volumes.p[i], e) < 0)
			return -1;
	for (size_t i = 0; i < o->tmpfs.n; i++)
		if (add_tmpfs(p, o->tmpfs.p[i], e) < 0)
			return -1;
	for (size_t i = 0; i < declared->n; i++) {
		_free_ char *path = path_join(SL("/"), slice_of(declared->p[i]));
		if (path[1] && !has_target(p, path) && add_fresh(p, path, false, e) < 0)
			return -1;
	}
	if (p->mounts.n > 1)
		qsort(p->mounts.p, p->mounts.n, sizeof *p->mounts.p, by_target);
	return 0;
}

/* ---- all of it ---- */

static int find_network(const char *name, enum sandbox_network *out, struct err *e)
{
	if (!name || strcmp(name, "host") == 0)
		*out = SANDBOX_NET_HOST;
	else if (strcmp(name, "none") == 0)
		*out = SANDBOX_NET_NONE;
	else {
		err_set(e, ERR_USER, "the network '%s' is not supported", name);
		return err_hint(e, "there are 'host' and 'none' until a later version");
	}
	return 0;
}

static int find_cwd(struct prepared *p, const char *workdir, struct err *e)
{
	const char *own = p->im->config.working_dir;
	if (workdir && workdir[0] != '/') {
		err_set(e, ERR_USER,
			"the working directory '%s' is invalid, it needs to be an absolute path",
			workdir);
		return -1;
	}
	p->cwd = workdir         ? path_clean(slice_of(workdir))
		 : own && own[0] ? path_join(SL("/"), slice_of(own))
				 : str_dup("/");
	return 0;
}

int prepare(const struct run_opts *o, struct store *s, const struct image *im, struct prepared *p,
	    struct err *e)
{
	enum sandbox_network network = SANDBOX_NET_HOST;
	*p = (struct prepared){
		.store = s, .im = im, .place = PLACE_INIT, .rootfs = { .tree = SOURCE_TREE_INIT }
	};
	if (find_network(o->network, &network, e) < 0 ||
	    command_make(&im->config, o->entrypoint, o->args, o->args_n, &p->argv, e) < 0 ||
	    find_cwd(p, o->workdir, e) < 0 || userns_enter(e) < 0 || open_layers(p, e) < 0 ||
	    place_open(s, o->name, &p->place, e) < 0)
		return -1;
	const char *user = o->user ? o->user : im->config.user;
	bool host_net = network == SANDBOX_NET_HOST;
	if (find_identity(p, user ? user : "", e) < 0 || make_names(p, o, host_net, e) < 0 ||
	    make_env(p, o, e) < 0 || make_mounts(p, o, e) < 0)
		return -1;
	p->argvp = strs_argv(&p->argv);
	p->envp = strs_argv(&p->env);
	p->spec = (struct sandbox_spec){
		.root = { .dirfd = store_fd(s),
			  .lowers = (const char *const *)p->lowers.p,
			  .lowers_n = p->lowers.n,
			  .upper = p->place.upper,
			  .work = p->place.work,
			  .keep_work = true, /* place_close removes it, or keeps it */
			  .stubs = STUBS,
			  .host_dirs = (const char *const *)p->rootfs.dirs.p,
			  .host_dirs_n = p->rootfs.dirs.n,
			  .read_only = o->read_only,
			  .is_user = store_is_user(s) },
		.mounts = p->mounts.p,
		.mounts_n = p->mounts.n,
		.argv = p->argvp,
		.envp = p->envp,
		.cwd = p->cwd,
		.make_cwd = true, /* root's, as docker run has it */
		.who = p->who,
		.network = network,
		.hostname = p->hostname,
		.hosts = p->hosts,
		.resolv = true,
		.hostname_file = true,
		.shm_size = o->shm_size,
		.init = true,
		.stdio = { -1, -1, -1 },
	};
	return 0;
}

int prepared_done(struct prepared *p, struct err *e)
{
	int r = place_close(p->store, &p->place, e);
	arr_each(sn, &p->snaps)
		snap_close(sn);
	arr_done(&p->snaps);
	if (p->has_fs)
		image_fs_close(&p->fs);
	if (p->has_rootfs)
		rootfs_done(&p->rootfs);
	arr_each(fd, &p->fds)
		(void)close(*fd);
	arr_done(&p->fds);
	arr_done(&p->mounts);
	strs_done(&p->targets);
	strs_done(&p->lowers);
	strs_done(&p->argv);
	strs_done(&p->env);
	identity_done(&p->who);
	free(p->cwd);
	free(p->hostname);
	free(p->hosts);
	free(p->argvp);
	free(p->envp);
	return r;
}
