/* SPDX-License-Identifier: Apache-2.0 */
/* tree_diff against the kernel's overlayfs: what was changed in a real mount, read as a layer,
 * must give the same merged tree again: with the tree that is left, with one unpacked from the
 * layer's tar, and in a view without any mount. */
#include "base/proc.h"
#include "fixture.h"
#include <sys/mount.h>
#include <unistd.h>

static bool can_mount(struct fixture *f)
{
	static int able = -1;
	if (able >= 0)
		return able;
	able = 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("# SKIP needs root\n");
		return false;
	}
	(void)f;
	able = 1;
	return true;
}

struct gen { /* one generation of layers */
	struct index x;
	int fd;
	char name[16];
};

struct world {
	struct fixture *f;
	struct tree_opts o;
	struct gen g[8]; /* the lowest first */
	int n;
	struct view view;
	uint64_t seed;
	bool links;
	bool judged; /* by GNU tar and bsdtar: takes a while */
};

static unsigned rnd(struct world *w, unsigned below)
{
	w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->seed >> 33) % below;
}

static int open_hit(void *ctx, const struct view_hit *hit, struct err *e)
{
	struct world *w = ctx;
	return root_open(w->g[hit->layer].fd, hit->entry->path, O_RDONLY, e);
}

/* Mounts the generations, topmost `upper` (may be NULL: read-only), at "merged". */
static int mount_at(struct world *w, int n, const char *upper)
{
	_cleanup_(buf_done) struct buf o = { 0 };
	buf_str(&o, "lowerdir=");
	for (int i = n; i-- > 0;)
		buf_printf(&o, "%s%s/%s", i == n - 1 ? "" : ":", w->f->dir, w->g[i].name);
	if (n == 1 && !upper) { /* an overlay without upper needs two */
		(void)mkdirat(w->f->fd, "nothing", 0755);
		buf_printf(&o, ":%s/nothing", w->f->dir);
	}
	if (upper)
		buf_printf(&o, ",upperdir=%s/%s,workdir=%s/work", w->f->dir, upper, w->f->dir);
	buf_str(&o, w->o.mode == TREE_USER ? ",userxattr"
					   : ",redirect_dir=nofollow,index=off,metacopy=off");
	_free_ char *at = str_printf("%s/merged", w->f->dir);
	(void)mkdirat(w->f->fd, "merged", 0755);
	(void)mkdirat(w->f->fd, "work", 0755);
	if (mount("overlay", at, "overlay", 0, o.p) < 0)
		fail_msg("mount %s: %s", o.p, strerror(errno));
	/* not by f->fd: that is of the mount namespace before */
	return open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void unmount(struct world *w, int fd)
{
	_free_ char *at = str_printf("%s/merged", w->f->dir);
	close(fd);
	assert_int_equal(umount2(at, 0), 0);
	ok(w->f, fs_remove(w->f->fd, "work", &w->f->e));
}

/* ---- mutations ---- */

static char *pick(struct world *w, bool existing_dir)
{
	/* now and then: what is no UTF-8, sorts around '/', or is as long as a name may be (for links
	 * and tar's headers) */
	static const char *const names[] = { "a",
					     "b",
					     "c",
					     "a.x",
					     "d",
					     "\xc3\xa4\xff\x01'\\",
					     "a-",
#define TEN   "nnnnnnnnnn"
#define FIFTY TEN TEN TEN TEN TEN
					     FIFTY FIFTY FIFTY FIFTY FIFTY "nnnnn" };
	_cleanup_(buf_done) struct buf b = { 0 };
	unsigned n = rnd(w, 4) ? 5 : COUNT_OF(names);
	buf_str(&b, names[rnd(w, n)]);
	for (unsigned depth = rnd(w, existing_dir ? 2 : 3); depth--;)
		buf_printf(&b, "/%s", names[rnd(w, n)]);
	return buf_take(&b);
}

static void put_file(struct world *w, int fd, const char *path)
{
	_close_ int file = openat(fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK,
				  0600);
	static const char *const text[] = { "", "one", "another", "long long long long" };
	struct stat st;
	const char *s = text[rnd(w, 4)];
	if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode))
		assert_true(write(file, s, strlen(s)) >= 0);
}

/* A file with holes before, between and behind its bytes. */
static void put_sparse(struct world *w, int fd, const char *path)
{
	_close_ int file = openat(fd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0640);
	struct stat st;
	if (file < 0 || fstat(file, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	assert_int_equal(ftruncate(file, 4096 * rnd(w, 20) + rnd(w, 2)), 0);
	for (unsigned i = rnd(w, 4); i--;)
		assert_int_equal(pwrite(file, "data", 4, 4096 * rnd(w, 16) + rnd(w, 2)), 4);
}

/* File capabilities (cap_chown, as setcap(8) writes them); where they cannot be set, none. */
static void set_caps(int fd, const char *path)
{
	static const unsigned char caps[20] = { 1, 0, 0, 2, 1 };
	char dir[FS_PROC_LEN];
	struct stat st;
	_free_ char *name = str_printf("%s/%s", fs_proc_path(fd, dir), path);
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		(void)lsetxattr(name, "security.capability", caps, sizeof caps, 0);
}

/* The same file once more: bytes, owner, mode, time. */
static void recreate(int fd, const char *path)
{
	struct stat st;
	char text[64];
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)sizeof text)
		return;
	_close_ int old = openat(fd, path, O_RDONLY);
	ssize_t n = fd_read(old, text, sizeof text);
	assert_true(n >= 0);
	assert_int_equal(unlinkat(fd, path, 0), 0);
	_close_ int file = openat(fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(file, text, (size_t)n), n);
	assert_int_equal(fchown(file, st.st_uid, st.st_gid), 0);
	assert_int_equal(fchmod(file, st.st_mode & 07777), 0);
	assert_int_equal(futimens(file, (struct timespec[]){ st.st_mtim, st.st_mtim }), 0);
}

/* The same directory once more, its metadata kept and one name inside it again. */
static void recreate_dir(struct world *w, int fd, const char *path)
{
	struct stat st;
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return;
	assert_int_equal(fs_remove(fd, path, NULL), 0);
	assert_int_equal(mkdirat(fd, path, st.st_mode & 07777), 0);
	_free_ char *child = str_printf("%s/a", path);
	if (rnd(w, 2))
		put_file(w, fd, child);
	assert_int_equal(fchownat(fd, path, st.st_uid, st.st_gid, 0), 0);
	assert_int_equal(fchmodat(fd, path, st.st_mode & 07777, 0), 0);
	assert_int_equal(utimensat(fd, path, (struct timespec[]){ st.st_mtim, st.st_mtim }, 0), 0);
}

static void touch_open(int fd, const char *path)
{
	struct stat st;
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode)) {
		_close_ int file = openat(fd, path, O_WRONLY); /* copied up, nothing changed */
		assert_true(file >= 0);
	}
}

static void set_attr(struct world *w, int fd, const char *path)
{
	char dir[FS_PROC_LEN];
	_free_ char *name = str_printf("%s/%s", fs_proc_path(fd, dir), path);
	char v = (char)('0' + rnd(w, 3));
	if (v == '0')
		(void)lremovexattr(name, "user.t");
	else
		(void)lsetxattr(name, "user.t", &v, 1, 0);
	if (w->n && rnd(w, 4) == 0) /* as a nested overlay would */
		(void)lsetxattr(name,
				w->o.mode == TREE_USER ? "user.overlay.opaque"
						       : "trusted.overlay.opaque",
				"y", 1, 0);
}

static void mutate(struct world *w, int fd)
{
	_free_ char *path = pick(w, false), *other = pick(w, false), *dir = pick(w, true);
	struct timespec t = { 1000 + rnd(w, 5), rnd(w, 3) * 5 };
	switch (rnd(w, 25)) {
	case 0:
	case 1:
	case 2: put_file(w, fd, path); break;
	case 3:
	case 4:
	case 5: (void)!mkdirat(fd, dir, 0700 + rnd(w, 0100)); break;
	case 6: (void)!symlinkat(other, fd, path); break;
	case 7: (void)!mkfifoat(fd, path, 0600); break;
	case 8:
	case 9: assert_true(fs_remove(fd, path, NULL) == 0 || errno); break;
	case 10: (void)!fs_remove(fd, dir, NULL); break;
	case 11: (void)!renameat(fd, path, fd, other); break;
	case 12: (void)!renameat(fd, dir, fd, other); break;
	case 13: (void)!fchmodat(fd, path, rnd(w, 010000), 0); break;
	case 22: put_sparse(w, fd, path); break;
	case 23: set_caps(fd, path); break;
	case 24:
		if (rnd(w, 2)) /* in place, so that links stay links */
			put_file(w, fd, path);
		break;
	case 14: (void)!fchownat(fd, path, rnd(w, 3), rnd(w, 3), AT_SYMLINK_NOFOLLOW); break;
	case 15: set_attr(w, fd, path); break;
	case 16: recreate(fd, path); break;
	case 17: recreate_dir(w, fd, dir); break;
	case 18: touch_open(fd, path); break;
	case 19:
		if (w->links)
			(void)!linkat(fd, path, fd, other, 0);
		break;
	case 20:
		(void)!utimensat(fd, path, (struct timespec[]){ t, t }, AT_SYMLINK_NOFOLLOW);
		break;
	case 21:
		(void)!mknodat(fd, path, rnd(w, 2) ? S_IFSOCK | 0600 : S_IFCHR | 0600,
			       makedev(1, 3));
		break;
	}
}

/* ---- what has to be the same ---- */

static void view_text(struct world *w, struct buf *out)
{
	struct view_walk *walk = view_walk_open(&w->view, "", &w->f->e);
	struct view_hit hit;
	while (view_walk_next(walk, &hit, &w->f->e) > 0) {
		const struct entry *ent = hit.entry;
		char hex[SHA256_HEX];
		buf_printf(out, "%s %d %04o %u:%u %lld.%09u %llu %u:%u %s", ent->path, ent->type,
			   ent->mode, ent->uid, ent->gid, (long long)ent->mtime, ent->mtime_ns,
			   (unsigned long long)ent->size, ent->major, ent->minor,
			   ent->link ? ent->link : "-");
		for (size_t i = 0; i < ent->xattrs_n; i++) {
			buf_printf(out, " %s=", ent->xattrs[i].name);
			for (size_t j = 0; j < ent->xattrs[i].len; j++)
				buf_printf(out, "%02x", (unsigned char)ent->xattrs[i].value[j]);
		}
		if (ent->type == ENTRY_FILE)
			buf_printf(out, " %.12s", digest_hex(&ent->digest, hex));
		buf_char(out, '\n');
	}
	view_walk_close(walk);
}

/* Names of one inode: "second first" for each. */
static void list_links(int fd, struct strs *out)
{
	_cleanup_(walk_closep) struct walk *w = walk_open(fd, ".", NULL);
	struct walk_entry at;
	struct {
		ino_t ino;
		char *path;
	} seen[200];
	size_t n = 0;
	while (walk_next(w, &at, NULL) > 0) {
		if (S_ISDIR(at.st.st_mode) || S_ISSOCK(at.st.st_mode) || at.st.st_nlink < 2)
			continue;
		size_t i = 0;
		while (i < n && seen[i].ino != at.st.st_ino)
			i++;
		if (i < n) {
			strs_addf(out, "%s %s", at.path, seen[i].path);
		} else {
			assert_true(n < COUNT_OF(seen));
			seen[n].ino = at.st.st_ino;
			seen[n++].path = str_dup(at.path);
		}
	}
	while (n)
		free(seen[--n].path);
}

/* What was linked is linked. There may be more: a lower link that a copy-up broke is whole again
 * when the copy is dropped as unchanged. */
static void assert_linked(int fd, const struct strs *links)
{
	for (size_t i = 0; i < links->n; i++) {
		struct stat a, b;
		size_t blank = strcspn(links->p[i], " ");
		_free_ char *one = str_ndup(links->p[i], blank);
		assert_int_equal(fstatat(fd, one, &a, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(fstatat(fd, links->p[i] + blank + 1, &b, AT_SYMLINK_NOFOLLOW), 0);
		if (a.st_ino != b.st_ino)
			print_message("# %s not linked: %s\n", test_note, links->p[i]);
		assert_true(a.st_ino == b.st_ino);
	}
}

/* No entry that could be left out: each differs from the lower view, or has something below. */
static void assert_minimal(struct world *w, const struct index *x)
{
	for (size_t i = 0; i < x->entries.n; i++) {
		const struct entry *ent = &x->entries.p[i];
		struct view_hit low;
		if (ent->type == ENTRY_WHITEOUT || ent->opaque)
			assert_int_equal(view_lookup(&w->view, ent->path, &low, NULL), 1);
		if (ent->opaque)
			assert_int_equal(low.entry->type, ENTRY_DIR);
	}
}

static void shell(struct world *w, const char *script)
{
	_free_ char *all = str_printf("cd %s && LC_ALL=C.UTF-8 && export LC_ALL && %s", w->f->dir,
				      script);
	char *argv[] = { (char *)"sh", (char *)"-c", all, NULL };
	ok(w->f, proc_run(argv, NULL, &w->f->e));
}

/* GNU tar and bsdtar unpack our tar to what we unpack it to, times too (whole seconds: ustar's);
 * and what they pack of `src` we unpack to that, times too where the format has them. */
static void judge(struct world *w, const char *src, struct slice tar, const struct buf *unpacked)
{
	static const char *const readers[] = {
		"tar --xattrs --xattrs-include='*' --same-owner -xpf ours.tar -C read",
		/* 1: it complains of names in pax records that are no UTF-8, and takes them as they are */
		"{ bsdtar --xattrs --same-owner -xpf ours.tar -C read || [ $? = 1 ]; }",
	};
	static const struct {
		const char *script;
		bool times;
	} writers[] = {
		{ "tar --format=pax --xattrs --xattrs-include='*' -C %s -cf theirs.tar .", true },
		{ "tar --format=pax -S --xattrs --xattrs-include='*' -C %s -cf theirs.tar .",
		  true },
		{ "tar --format=gnu -S -C %s -cf theirs.tar .", false },
		{ "bsdtar --format=pax --xattrs -C %s -cf theirs.tar .", true },
	};
	struct fixture *f = w->f;
	_close_ int out = openat(f->fd, "ours.tar", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ok(f, fd_write_all(out, tar.p, tar.n, &f->e));
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		_cleanup_(buf_done) struct buf got = { 0 };
		_close_ int fd = new_dir(f, "read");
		shell(w, readers[i]);
		tree_text_of(fd, true, true, &got);
		assert_same_text(unpacked, &got);
		ok(f, fs_remove(f->fd, "read", &f->e));
	}
	for (size_t i = 0; i < COUNT_OF(writers); i++) {
		_cleanup_(buf_done) struct buf want = { 0 }, got = { 0 }, theirs = { 0 };
		struct index x;
		_close_ int from = openat(f->fd, src, O_RDONLY | O_DIRECTORY);
		_free_ char *pack = str_printf(writers[i].script, src);
		shell(w, pack);
		ok(f, fs_read(f->fd, "theirs.tar", 64u << 20, &theirs, &f->e));
		_close_ int fd = new_dir(f, "read");
		ok(f, apply_bytes(fd, buf_view(&theirs), &w->o, &x, &f->e));
		tree_text_of(from, writers[i].times, true, &want);
		tree_text_of(fd, writers[i].times, true, &got);
		if (i != 2 || !strchr(want.p, '=')) /* xattrs are not in that format */
			assert_same_text(&want, &got);
		ok(f, tree_verify(fd, &x, &f->e));
		index_done(&x);
		ok(f, fs_remove(f->fd, "read", &f->e));
	}
}

static void generation(struct world *w, int steps)
{
	struct fixture *f = w->f;
	struct gen *g = &w->g[w->n];
	struct tree_lower lower = { &w->view, open_hit, w };
	_cleanup_(buf_done) struct buf want = { 0 }, want_plain = { 0 }, got = { 0 };
	_cleanup_(strs_done) struct strs links = { 0 };

	(void)snprintf(g->name, sizeof g->name, "g%d", w->n);
	g->fd = new_dir(f, g->name);
	int fd = w->n ? mount_at(w, w->n, g->name) : dup(g->fd);
	for (int i = 0; i < steps; i++)
		mutate(w, fd);
	tree_text_of(fd, true, false, &want);
	list_links(fd, &links);
	if (w->n)
		unmount(w, fd);
	else
		close(fd);

	ok(f, tree_diff(g->fd, &w->o, &lower, &g->x, &f->e));
	struct tree_stream sum;
	if (w->n % 2) /* two ways to the same digests */
		ok(f, tree_digest(g->fd, &g->x, &f->e));
	else
		ok(f, tree_sum(g->fd, &g->x, &sum, &f->e));
	assert_true(index_is_complete(&g->x));
	assert_minimal(w, &g->x);
	ok(f, tree_verify(g->fd, &g->x, &f->e));
	view_push(&w->view, &g->x);
	w->n++;

	/* the tree that is left */
	fd = mount_at(w, w->n, NULL);
	tree_text_of(fd, true, false, &got);
	tree_text_of(fd, false, false, &want_plain);
	assert_linked(fd, &links);
	unmount(w, fd);
	assert_same_text(&want, &got); /* the tree */

	/* the view */
	buf_clear(&got);
	buf_clear(&want);
	fd = mount_at(w, w->n, NULL);
	tree_text_of(fd, true, false, &want);
	unmount(w, fd);
	view_text(w, &got);
	assert_same_text(&want, &got);

	/* the tar, unpacked in the tree's place */
	_cleanup_(buf_done) struct buf tar = { 0 }, again = { 0 };
	struct index x;
	tar_of(f, g->fd, &g->x, &tar);
	int fd2 = new_dir(f, "copy");
	ok(f, apply_bytes(fd2, buf_view(&tar), &w->o, &x, &f->e));
	tar_of(f, fd2, &x, &again);
	assert_int_equal(tar.len, again.len);
	assert_memory_equal(tar.p, again.p, tar.len);
	char kept[sizeof g->name];
	memcpy(kept, g->name, sizeof kept);
	(void)snprintf(g->name, sizeof g->name, "copy");
	fd = mount_at(w, w->n, NULL);
	buf_clear(&got);
	tree_text_of(fd, false, false, &got);
	assert_linked(fd, &links);
	unmount(w, fd);
	memcpy(g->name, kept, sizeof kept);
	if (w->judged && w->n == 1) {
		_cleanup_(buf_done) struct buf unpacked = { 0 };
		tree_text_of(fd2, true, true, &unpacked);
		judge(w, g->name, buf_view(&tar), &unpacked);
	}
	/* marks of a nested overlay do not travel in archives */
	if (!strstr(want_plain.p ? want_plain.p : "", "overlay.opaque="))
		assert_same_text(&want_plain, &got);
	index_done(&x);
	close(fd2);
	ok(f, fs_remove(f->fd, "copy", &f->e));
}

static void play(struct fixture *f, uint64_t seed, enum tree_mode mode, int generations)
{
	struct world w = { .f = f,
			   .seed = seed * 7919 + 1,
			   .o = root_opts(),
			   .links = seed % 2,
			   .judged = seed % 8 < 2 };
	w.o.mode = mode;
	for (int i = 0; i < generations; i++)
		generation(&w, i ? 25 : 60);
	view_done(&w.view);
	for (int i = 0; i < w.n; i++) {
		index_done(&w.g[i].x);
		close(w.g[i].fd);
		ok(f, fs_remove(f->fd, w.g[i].name, &f->e));
	}
}

static void rounds(struct fixture *f, enum tree_mode mode)
{
	const char *more = getenv("LAYER_ROUNDS");
	const char *from = getenv("LAYER_SEED");
	unsigned long n = more ? strtoul(more, NULL, 10) : 40;
	unsigned long first = from ? strtoul(from, NULL, 10) : 0;
	for (unsigned long i = first; i < first + n; i++) {
		(void)snprintf(test_note, sizeof test_note, "LAYER_SEED=%lu mode %d: ", i, mode);
		play(f, i, mode, 3);
	}
}

static void diff__gives_the_merged_tree_again(void **state)
{
	struct fixture *f = *state;
	if (not_root() || !can_mount(f))
		skip();
	rounds(f, TREE_TRUSTED);
}

static void diff__works_with_user_xattrs(void **state)
{
	struct fixture *f = *state;
	if (no_owners() || !can_mount(f))
		skip();
	rounds(f, TREE_USER);
}

/* One script in a mounted overlay over a fixed lower tree, and the layer that it must give:
 * "path" a file or link, "path/" a directory, "path!" an opaque one, "-path" a deletion,
 * "path=N" a member of link group N. */
static void diff__table(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *script, *want;
	} cases[] = {
		{ "true", "" },
		{ "touch new; rm new; touch d/new; rm d/new; touch -d @1000 d", "" },
		{ "exec 3<>f; chmod 600 g; chmod 644 g", "" },
		{ "printf 1234 > f; touch -d @1000 f", "f" }, /* only the bytes differ */
		{ "rm f; printf 0123 > f; touch -d @1000 f", "" },
		{ "touch -d @1001 f", "f" },
		{ "chown 7 f", "f" },
		{ "chmod 700 d/e", "d/ d/e/" },
		{ "rm f", "-f" },
		{ "rm -r d", "-d" },
		{ "rm -r d; mkdir d", "d!" },
		{ "rm -r d; mkdir d; touch d/x", "d! d/x" },
		{ "cp -a d n; rm -r d; mv n d",
		  "d! d/e/ d/x" }, /* hidden below, so nothing is left out */
		{ "rm -r d; touch d", "d" },
		{ "rm f; mkdir f", "f/" },
		{ "rm d/x; touch -d @1000 d", "d/ -d/x" },
		{ "ln f c; touch -d @1000 f", "c=1 f=1" }, /* f is as it was, but c is its link */
		{ "ln f c; rm c; touch -d @1000 f", "" },
		{ "ln h1 c", "c=1 h1=1" },
		{ "chmod 600 h1", "h1" },
		{ "rm h2; ln h1 h2", "" }, /* linked below as well */
		{ "rm g; ln h1 g", "g=1 h1=1" },
		{ "rm f; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"f\")'",
		  "-f" },
		{ "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'", "" },
		{ "mkdir -p n/m; touch n/m/x", "n/ n/m/ n/m/x" },
		{ "mkdir n; touch n/x; mv n d/n", "d/ d/n/ d/n/x" },
		{ "ln -sfn other l; touch -h -d @1000 l", "l" },
		{ "rm l; ln -s f l; touch -h -d @1000 l", "" },
		{ "chmod 711 .", "./" },
		{ "setfattr -n user.k -v v f; setfattr -x user.k f", "" },
		{ "setfattr -n user.k -v v d", "d/" },
	};
	if (not_root() || !can_mount(f))
		skip();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world w = { .f = f, .o = root_opts(), .n = 1 };
		struct tree_lower lower = { &w.view, open_hit, &w };
		_cleanup_(buf_done) struct buf got = { 0 };
		struct index x;
		(void)snprintf(w.g[0].name, sizeof w.g[0].name, "low");
		w.g[0].fd = new_dir(f, "low");
		_free_ char *make = str_printf(
			"cd %s/low && printf 0123 > f; touch g; mkdir -p d/e; touch d/x; "
			"ln -s f l; touch h1; ln h1 h2; find . -depth -exec touch -h -d "
			"@1000 {} +",
			f->dir);
		char *argv[] = { (char *)"sh", (char *)"-c", make, NULL };
		ok(f, proc_run(argv, NULL, &f->e));
		struct tree_lower none = { 0 };
		ok(f, tree_diff(w.g[0].fd, &w.o, &none, &w.g[0].x, &f->e));
		if (i % 2) /* with and without known digests */
			ok(f, tree_digest(w.g[0].fd, &w.g[0].x, &f->e));
		view_push(&w.view, &w.g[0].x);
		int up = new_dir(f, "up"), fd = mount_at(&w, 1, "up");
		_free_ char *run = str_printf("cd %s/merged && { %s; }", f->dir, cases[i].script);
		argv[2] = run;
		ok(f, proc_run(argv, NULL, &f->e));
		unmount(&w, fd);
		ok(f, tree_diff(up, &w.o, &lower, &x, &f->e));
		buf_str(&got, "");
		arr_each(ent, &x.entries) {
			buf_printf(&got, "%s%s%s%s", got.len ? " " : "",
				   ent->type == ENTRY_WHITEOUT ? "-" : "",
				   *ent->path ? ent->path : ".",
				   ent->opaque              ? "!"
				   : ent->type == ENTRY_DIR ? "/"
							    : "");
			if (ent->group)
				buf_printf(&got, "=%u", ent->group);
		}
		if (strcmp(got.p, cases[i].want) != 0)
			print_message("# %s\n", cases[i].script);
		assert_string_equal(got.p, cases[i].want);
		ok(f, tree_digest(up, &x, &f->e));
		ok(f, tree_verify(up, &x, &f->e));
		view_done(&w.view);
		index_done(&x);
		index_done(&w.g[0].x);
		close(w.g[0].fd);
		close(up);
		ok(f, fs_remove(f->fd, "low", &f->e));
		ok(f, fs_remove(f->fd, "up", &f->e));
	}
}

/* Owners and devices that the lower tree could not hold are not lost by a copy-up. */
static void diff__gives_back_what_the_tree_could_not_hold(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = { .mode = TREE_USER, .uid_max = 65535, .gid_max = 65535 };
	struct index low, x;
	struct view v = { 0 };
	struct tree_lower lower = { &v, NULL, NULL };
	if (not_root())
		skip();
	index_init(&low);
	struct entry *ent = index_add(&low, SL("null"), ENTRY_CHAR);
	ent->major = 1;
	ent->minor = 3;
	ent->mode = 0666;
	ent = index_add(&low, SL("f"), ENTRY_FILE);
	ent->uid = 100000;
	ent->mode = 0644;
	ent->has_digest = true;
	digest_of(SL(""), &ent->digest);
	index_sort(&low);
	view_push(&v, &low);
	_close_ int up = new_dir(f, "up");
	struct timespec t[2] = { { 0, 0 }, { 0, 0 } };
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "f" : "null";
		_close_ int fd = openat(up, name, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(fchmod(fd, i ? 0644 : 0600), 0);
		assert_int_equal(futimens(fd, t), 0);
	}
	ok(f, tree_diff(up, &o, &lower, &x, &f->e));
	assert_int_equal(x.entries.n, 1); /* f is as it was */
	assert_string_equal(x.entries.p[0].path, "null");
	assert_int_equal(x.entries.p[0].type, ENTRY_CHAR);
	assert_int_equal(x.entries.p[0].minor, 3);
	assert_int_equal(x.entries.p[0].mode, 0600);
	view_done(&v);
	index_done(&low);
	index_done(&x);
}

static void diff__refuses_a_tree_that_is_not_whole(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	struct tree_lower lower = { 0 };
	struct index x;
	if (not_root())
		skip();
	_close_ int up = new_dir(f, "up");
	assert_int_equal(mkdirat(up, "d", 0755), 0);
	_free_ char *path = str_printf("%s/up/d", f->dir);
	assert_int_equal(setxattr(path, "trusted.overlay.redirect", "/e", 2, 0), 0);
	assert_int_equal(tree_diff(up, &o, &lower, &x, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_DATA);
}

static void set_meta__escapes_marks_of_a_nested_overlay(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (not_root())
		skip();
	struct xattr mark = { (char *)"trusted.overlay.opaque", (char *)"y", 1 };
	struct entry ent = {
		.path = "d", .type = ENTRY_DIR, .mode = 0755, .xattrs = &mark, .xattrs_n = 1
	};
	struct entry back = { 0 };
	struct arena a = { 0 };
	struct stat st;
	ok(f, tree_make(f->fd, "d", &ent, &o, &f->e));
	ok(f, tree_set_meta(f->fd, "d", &ent, &o, &f->e));
	_cleanup_(xattrs_done) struct xattrs raw = { 0 };
	ok(f, xattrs_read(f->fd, "d", &raw, &f->e));
	assert_int_equal(raw.n, 1);
	assert_string_equal(raw.p[0].name, "trusted.overlay.overlay.opaque");
	assert_int_equal(fstatat(f->fd, "d", &st, 0), 0);
	ok(f, entry_from_file(&a, f->fd, "d", &st, &back, &f->e));
	assert_int_equal(back.xattrs_n, 1);
	assert_string_equal(back.xattrs[0].name, "trusted.overlay.opaque");
	arena_done(&a);
}

int main(void)
{
	tests_begin();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(diff__table, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(diff__gives_back_what_the_tree_could_not_hold,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(diff__refuses_a_tree_that_is_not_whole,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(set_meta__escapes_marks_of_a_nested_overlay,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(diff__gives_the_merged_tree_again, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(diff__works_with_user_xattrs, fixture_setup,
						fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
