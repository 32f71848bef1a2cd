/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: the command in a sandbox on the layers so far; what it changed is the new layer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>

#include "base/err.h"
#include "base/path.h"
#include "base/walk.h"
#include "build/copy_job.h"
#include "sandbox/sandbox.h"

struct run_mounts {
	ARRAY_OF(struct sandbox_mount) list;
	ARRAY_OF(int) fds;
	ARRAY_OF(char *) temps;   /* "tmp/NAME" with what a bind mount shows */
	struct strs targets;
};

static void run_mounts_done(struct plan *p, struct run_mounts *m)
{
	struct err ignored = { 0 }; /* swept by the next run */
	arr_each(fd, &m->fds)
		(void) close(*fd);
	arr_each(t, &m->temps) {
		(void) !fs_remove(store_fd(p->store), *t, &ignored);
		free(*t);
	}
	err_done(&ignored);
	arr_done(&m->list);
	arr_done(&m->fds);
	arr_done(&m->temps);
	strs_done(&m->targets);
}

/* A bind mount shows a copy of what COPY would take: rules of .dockerignore hold, and writes go
 * nowhere. */
static int bind_mount(struct plan *p, struct copy_job *j, struct sandbox_mount *m, struct run_mounts *all,
		      struct err *e)
{
	_close_ int dirfd = -1;
	char *name = store_tmp_dir(p->store, &dirfd, e);
	if (!name)
		return -1;
	arr_push(&all->temps, name);
	struct view empty = { 0 };
	_cleanup_(copy_plan_done) struct copy_plan made = { 0 };
	if (copy_map(&j->spec, &j->sel, &empty, &made, e) < 0)
		return -1;
	const struct entry *top = copy_job_top(j);
	if (top) /* COPY gives its destination's, and here there is none: the mount is the directory itself */
		for (size_t i = 0; i < made.index.entries.n; i++) {
			struct entry *ent = &made.index.entries.p[i];
			if (*ent->path)
				continue;
			ent->mode = top->mode;
			ent->uid = top->uid;
			ent->gid = top->gid;
		}
	if (copy_write(&j->spec, &made, dirfd, store_tree_opts(p->store), NULL, e) < 0)
		return -1;
	view_done(&empty);
	const struct copy_group *g = &j->sel.groups.p[0];
	int fd = g->is_dir ? take_fd(&dirfd) : openat(dirfd, g->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open what is to be mounted at '%s'", m->target);
	arr_push(&all->fds, fd);
	m->kind = SANDBOX_BIND;
	m->source_fd = fd;
	return 0;
}

/* ---- cache mounts: directories that stay from build to build, by id ---- */

struct cache_lock {
	char hex[SHA256_HEX];
	int how;
};

static void cache_id(struct plan *p, const struct mount_opt *o, char hex[static SHA256_HEX])
{
	struct digest id;
	_free_ char *text = str_printf("%s/%s", kvs_get(&p->opts->args, "BUILDKIT_CACHE_MOUNT_NS") ?: "",
				       o->id && *o->id ? o->id : o->target);
	digest_of(slice_of(text), &id);
	(void) digest_hex(&id, hex);
}

static int by_hex(const void *a, const void *b)
{
	return strcmp(((const struct cache_lock *)a)->hex, ((const struct cache_lock *)b)->hex);
}

static int lock_wait(int fd, int how, struct err *e)
{
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return err_sys(e, "lock a cache mount");
	return 0;
}

/* Which build was the last to empty it. */
static bool emptied_by(int dirfd, const char *build)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct err ignored = { 0 }; /* nobody yet */
	bool yes = fs_read(dirfd, "emptied", 64, &b, &ignored) == 0 && slice_is(buf_view(&b), build);
	err_done(&ignored);
	return yes;
}

static int empty_cache(struct plan *p, int dirfd, struct err *e)
{
	if (fs_remove(dirfd, "tree", e) < 0)
		return -1;
	return fs_write(dirfd, dirfd, "emptied", slice_of(p->id), 0600, false, e);
}

/* With --no-cache the first step of a build that wants it empties it, when nobody else has it. */
static int lock_cache(struct plan *p, const struct cache_lock *l, bool fresh, struct run_mounts *all, struct err *e)
{
	/* Said before it is looked at, so that a prune beside us leaves it alone. */
	if (store_use(p->store, STORE_MOUNT, l->hex, e) < 0)
		return -1;
	_free_ char *name = str_printf("mounts/%s", l->hex);
	if (fs_mkdirs(store_fd(p->store), name, 0700, e) < 0)
		return -1;
	int fd = openat(store_fd(p->store), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open a cache mount");
	arr_push(&all->fds, fd);
	if (!fresh || emptied_by(fd, p->id))
		return lock_wait(fd, l->how, e);
	if (lock_wait(fd, LOCK_EX, e) < 0 || (!emptied_by(fd, p->id) && empty_cache(p, fd, e) < 0))
		return -1;
	return l->how == LOCK_EX ? 0 : lock_wait(fd, l->how, e);
}

/* Locked ones are waited for. All of a step are taken in the order of their ids, each once: two steps
 * that want the same ones in another order do not wait for each other, nor one for itself. */
static int lock_caches(struct plan *p, struct node *n, struct run_mounts *all, struct err *e)
{
	ARRAY_OF(struct cache_lock) locks = { 0 };
	arr_each(rm, &n->mounts) {
		if (rm->opt->type != MOUNT_CACHE)
			continue;
		struct cache_lock *l = arr_add(&locks);
		cache_id(p, rm->opt, l->hex);
		l->how = rm->opt->sharing == SHARING_LOCKED ? LOCK_EX : LOCK_SH;
	}
	if (locks.n > 1)
		qsort(locks.p, locks.n, sizeof *locks.p, by_hex);
	int r = 0;
	for (size_t i = 0; r == 0 && i < locks.n;) {
		struct cache_lock l = locks.p[i];
		for (; i < locks.n && strcmp(locks.p[i].hex, l.hex) == 0; i++)
			if (locks.p[i].how == LOCK_EX)
				l.how = LOCK_EX;
		r = lock_cache(p, &l, n->fresh, all, e);
	}
	arr_done(&locks);
	return r;
}

/* It appears with its owner and mode; one that appeared meanwhile stays. */
static int make_cache(struct plan *p, const struct mount_opt *o, const char *tree, struct err *e)
{
	struct entry ent = { .type = ENTRY_DIR, .mode = o->has_mode ? o->mode : 0755,
			     .uid = o->uid, .gid = o->gid, .mtime = p->now };
	_close_ int tmp = -1;
	_free_ char *name = store_tmp_dir(p->store, &tmp, e);
	if (!name || tree_set_meta(store_fd(p->store), name, &ent, store_tree_opts(p->store), e) < 0)
		return -1;
	if (renameat2(store_fd(p->store), name, store_fd(p->store), tree, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make the cache mount '%s'", o->target);
	return store_discard(p->store, name, e);
}

static int cache_mount(struct plan *p, const struct mount_opt *o, struct sandbox_mount *m, struct run_mounts *all,
		       struct err *e)
{
	char hex[SHA256_HEX];
	cache_id(p, o, hex);
	_free_ char *tree = str_printf("mounts/%s/tree", hex);
	int fd = openat(store_fd(p->store), tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		if (make_cache(p, o, tree, e) < 0)
			return -1;
		fd = openat(store_fd(p->store), tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, "open the cache mount '%s'", o->target);
	arr_push(&all->fds, fd);
	m->kind = SANDBOX_BIND;
	m->source_fd = fd;
	m->read_only = o->readonly;
	return 0;
}

static int collect_mounts(struct plan *p, struct node *n, struct run_mounts *all, struct err *e)
{
	size_t bind = 0;
	if (lock_caches(p, n, all, e) < 0)
		return -1;
	arr_each(rm, &n->mounts) {
		const struct mount_opt *o = rm->opt;
		struct sandbox_mount m = { .source_fd = -1 };
		strs_take(&all->targets, path_join(slice_of(n->cwd), slice_of(o->target)));
		m.target = all->targets.p[all->targets.n - 1];
		int r = 0;
		if (o->type == MOUNT_TMPFS) {
			m.kind = SANDBOX_TMPFS;
			m.size = o->size;
			m.mode = 01777;
			m.exec_ok = true; /* BuildKit's tmpfs is nosuid, and no more */
		} else if (o->type == MOUNT_CACHE) {
			r = cache_mount(p, o, &m, all, e);
		} else {
			m.read_only = o->readonly;
			r = bind_mount(p, n->binds.p[bind++], &m, all, e);
		}
		if (r < 0)
			return -1;
		arr_push(&all->list, m);
	}
	arr_each(t, &n->scripts) {
		strs_addf(&all->targets, "/dev/pipes/%s", t->name);
		struct sandbox_mount m = { .kind = SANDBOX_TEXT, .source_fd = -1, .read_only = true,
					   .exec_ok = true, .mode = 0755, .text = t->text.p,
					   .text_n = t->text.n,
					   .target = all->targets.p[all->targets.n - 1] };
		arr_push(&all->list, m);
	}
	return 0;
}

static int find_identity(struct plan *p, struct node *n, struct identity *who, struct err *e)
{
	_cleanup_(buf_done) struct buf passwd = { 0 }, group = { 0 };
	if (chain_read(p, n->prev, "etc/passwd", 4u << 20, &passwd, e) < 0 ||
	    chain_read(p, n->prev, "etc/group", 4u << 20, &group, e) < 0)
		return -1;
	return identity_find(slice_of(n->user), buf_view(&passwd), buf_view(&group), who, e);
}

/* What the command was, as the Dockerfile has it, for messages. */
static char *shown(const struct node *n)
{
	return strs_join(&n->argv, " ");
}

static int not_executed(const struct node *n, const struct sandbox_end *end, struct err *e)
{
	const char *prog = n->argv.p[0];
	if (end->cwd_failed) {
		err_set(e, ERR_PROG, "the working directory '%s' cannot be entered: %s", n->cwd,
			strerror(end->status));
		err_hint(e, "earlier steps may have put something else there: "
			    "name a directory with WORKDIR");
	} else if (end->status == ENOENT) {
		err_set(e, ERR_PROG, "exec: \"%s\": executable file not found in $PATH", prog);
		if (strcmp(prog, "/bin/sh") == 0) {
			err_hint(e, "RUN in string form needs /bin/sh, and this image has none (FROM scratch "
				    "holds only what was copied)");
			err_hint(e, "run it in a stage that has a shell, and COPY --from= the result; or write "
				    "RUN [\"/program\", \"argument\"] for a static program of the image");
		} else {
			err_hint(e, "if the file is there, it needs a loader (ELF interpreter) or a #! interpreter "
				    "that the image does not have");
		}
	} else {
		err_set(e, ERR_PROG, "exec \"%s\": %s", end->program ? end->program : prog, strerror(end->status));
		if (end->status == ENOEXEC)
			err_hint(e, "it is for another processor, or a script without a #! line");
		if (end->status == EACCES)
			err_hint(e, "make it executable: COPY --chmod=755, or chmod in an earlier RUN");
	}
	e->sys_errno = end->status == ENOENT ? 127 : 126;
	return -1;
}

static int judge(const struct node *n, const struct sandbox_end *end, struct err *e)
{
	if (end->kind == SANDBOX_EXITED && end->status == 0)
		return 0;
	if (end->kind == SANDBOX_NOT_EXECUTED)
		return not_executed(n, end, e);
	_free_ char *what = shown(n);
	int status = sandbox_status(end);
	err_set(e, ERR_PROG, "process \"%s\" did not complete successfully: exit code: %d", what, status);
	e->sys_errno = status;
	if (end->kind == SANDBOX_SIGNALED && end->status == SIGKILL)
		err_hint(e, "it was killed (signal 9): most often because memory ran out");
	else if (end->kind == SANDBOX_SIGNALED)
		err_hint(e, "it was ended by signal %d (%s)", end->status, strsignal(end->status));
	else if (status == 127)
		err_hint(e, "127 means that a command was not found: install it in an earlier RUN, or write its path");
	else if (status == 126)
		err_hint(e, "126 means that a command was found but could not be executed");
	return -1;
}

static void add_home(const struct node *n, const struct identity *who, struct strs *env)
{
	strs_copy(env, &n->env);
	if (!env_get(env, "HOME"))
		strs_addf(env, "HOME=%s", who->home && *who->home ? who->home : "/");
}

/* Overlay shows the upper directory's own owner and mode for "/": they are to be those of the image
 * so far. */
static int root_like_below(struct plan *p, const struct strs *lowers, int treefd, struct err *e)
{
	struct stat st;
	if (lowers->n == 0)
		return 0;
	const char *top = lowers->p[lowers->n - 1];
	if (fstatat(store_fd(p->store), top, &st, 0) < 0)
		return err_sys(e, "look at the layer '%s'", top);
	if (fchown(treefd, st.st_uid, st.st_gid) < 0 || fchmod(treefd, st.st_mode & 07777) < 0)
		return err_sys(e, "set the owner and mode of the new layer's root");
	return 0;
}

/* Runs; 0 when the command ended well. *root: "/" as it was given to the command. */
static int run_it(struct plan *p, struct node *n, struct snap_draft *d, int out_fd, int err_fd,
		  struct stat *root, struct strs *stubs, struct err *e)
{
	_cleanup_(strs_done) struct strs snaps = { 0 }, lowers = { 0 }, env = { 0 };
	chain_snaps(n->prev, &snaps);
	for (size_t i = 0; i < snaps.n; i++) {
		char path[SNAP_PATH];
		strs_add(&lowers, snap_tree_path(snaps.p[i], path));
	}
	_cleanup_(identity_done) struct identity who = { 0 };
	if (find_identity(p, n, &who, e) < 0)
		return -1;
	add_home(n, &who, &env);
	_free_ char *upper = str_printf("%s/tree", d->name);
	_free_ char *work = str_printf("%s/work", d->name);
	if (mkdirat(store_fd(p->store), work, 0700) < 0)
		return err_sys(e, "make '%s'", work);
	if (root_like_below(p, &lowers, d->treefd, e) < 0)
		return -1;
	if (fstat(d->treefd, root) < 0)
		return err_sys(e, "look at the new layer's root");
	struct base *b = chain_base(n);
	struct run_mounts mounts = { 0 };
	int r = collect_mounts(p, n, &mounts, e);
	_free_ char **argv = strs_argv(&n->argv);
	_free_ char **envp = strs_argv(&env);
	_cleanup_(buf_done) struct buf hosts = { 0 };
	if (p->opts->add_hosts.n) {
		buf_printf(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
		for (size_t i = 0; i < p->opts->add_hosts.n; i++)
			buf_printf(&hosts, "%s\t%s\n", p->opts->add_hosts.p[i].v, p->opts->add_hosts.p[i].k);
	}
	struct sandbox_spec spec = {
		.root = { .dirfd = store_fd(p->store),
			  .lowers = (const char *const *)lowers.p,
			  .lowers_n = lowers.n,
			  .upper = upper,
			  .work = work,
			  .keep_work = true, /* snap_commit and snap_abort discard it */
			  .stubs = "stubs",
			  .host_dirs = b->rootfs ? (const char *const *)b->rootfs->dirs.p : NULL,
			  .host_dirs_n = b->rootfs ? b->rootfs->dirs.n : 0,
			  .is_user = store_is_user(p->store) },
		.mounts = mounts.list.p,
		.mounts_n = mounts.list.n,
		.argv = argv,
		.envp = envp,
		.cwd = n->cwd,
		.make_cwd = true,
		.cwd_for_who = true, /* as WORKDIR itself would make it: dockerfile.md §3, USER */
		.who = who,
		.insecure = n->insecure,
		.network = n->net_none ? SANDBOX_NET_NONE : SANDBOX_NET_HOST,
		.hostname = n->hostname,
		.hosts = hosts.len ? hosts.p : NULL,
		.resolv = true,
		.shm_size = p->opts->shm_size,
		.init = true,
		.stdio = { -1, out_fd, err_fd },
	};
	struct sandbox box = SANDBOX_INIT;
	struct sandbox_end end = { 0 };
	if (r == 0)
		r = sandbox_start(&spec, &box, e);
	if (r == 0)
		r = sandbox_wait(&box, &end, e);
	if (r == 0)
		r = judge(n, &end, e);
	strs_copy(stubs, &end.stubs);
	sandbox_end_done(&end);
	run_mounts_done(p, &mounts);
	return r;
}

/* Mount points that had to be made go away again, if they still are empty. The command may have put
 * links where directories were: what they lead to outside is not ours to remove. */
static void remove_stubs(int treefd, const struct strs *stubs)
{
	for (size_t i = stubs->n; i-- > 0;) {
		struct stat st;
		const char *name;
		struct err ignored = { 0 };
		_free_ char *key = path_key(slice_of(stubs->p[i]));
		_close_ int dir = root_open_parent(treefd, key, &name, &ignored);
		err_done(&ignored);
		if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0)))
			(void) unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
	}
}

/* Nothing was added, replaced or removed, and "/" itself is as it was given to the step. */
static bool is_unchanged(int fd, const struct stat *before)
{
	struct stat now;
	if (fstat(fd, &now) < 0 || now.st_mode != before->st_mode || now.st_uid != before->st_uid ||
	    now.st_gid != before->st_gid)
		return false;
	struct err ignored = { 0 };
	_cleanup_(walk_closep) struct walk *w = walk_open(fd, ".", &ignored);
	struct walk_entry ent;
	int r = w ? walk_next(w, &ent, &ignored) : -1;
	err_done(&ignored);
	return r == 0;
}

int step_run(struct plan *p, struct node *n, int out_fd, int err_fd, char id[static SNAP_ID], struct err *e)
{
	struct snap_draft d = SNAP_DRAFT_INIT;
	if (snap_begin(p->store, &d, e) < 0)
		return -1;
	_cleanup_(strs_done) struct strs stubs = { 0 };
	_cleanup_(index_done) struct index x = { 0 };
	index_init(&x);
	struct stat root = { 0 };
	int r = run_it(p, n, &d, out_fd, err_fd, &root, &stubs, e);
	if (r == 0)
		remove_stubs(d.treefd, &stubs);
	if (r == 0 && !is_unchanged(d.treefd, &root)) {
		struct source_tree *below = NULL;
		r = chain_tree(p, n->prev, &below, e);
		struct tree_lower lower = { below ? below->view : NULL, source_tree_open_cb, below };
		if (r == 0)
			r = tree_diff(d.treefd, store_tree_opts(p->store), &lower, &x, e);
	}
	if (r == 0)
		r = chain_commit(p, n, &d, &x, NULL, id, e);
	if (r < 0)
		(void) node_err_at(e, n, NULL);
	snap_abort(p->store, &d);
	return r;
}
