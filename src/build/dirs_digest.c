/* SPDX-License-Identifier: Apache-2.0 */
#include "build/dirs_digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/sha256.h"

enum { THREADS_MAX = 4, WORTH_THREADS = 12, FEW = 8, BLOCK = 16 << 10 };

struct dir {
	char *path;
	uint64_t files;  /* sum over the files in it, in no order, so that none has to be made */
	struct stat st;
	bool there;
};

struct job {
	int dirfd;
	pthread_mutex_t lock;      /* of all below */
	pthread_cond_t more;
	ARRAY_OF(struct dir) dirs; /* in the order they were found */
	size_t next, busy;
	bool failed;
	struct err err;            /* the first one */
};

static uint64_t mix(const struct stat *st)
{
	uint64_t h = st->st_ino * 0x9e3779b97f4a7c15u ^ (uint64_t)st->st_ctim.tv_sec * 0xc2b2ae3d27d4eb4fu;
	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
	h ^= (uint64_t)st->st_ctim.tv_nsec << 32 ^ (uint64_t)st->st_size ^ (uint64_t)st->st_mode << 48;
	return (h ^ h >> 32) * 0x94d049bb133111ebu;
}

static bool is_absent(int no)
{
	return no == ENOENT || no == ENOTDIR || no == ELOOP || no == EACCES;
}

/* One name: a file counts into *files, a directory is kept for later. */
static void take(int fd, const struct dirent64 *ent, const char *dir, uint64_t *files, struct strs *below)
{
	struct stat st;
	if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0 || ent->d_type == DT_LNK)
		return;
	bool is_dir = ent->d_type == DT_DIR;
	if (!is_dir) {
		if (fstatat(fd, ent->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return; /* removed meanwhile: the directory's change time tells */
		is_dir = S_ISDIR(st.st_mode);
	}
	if (is_dir)
		strs_addf(below, "%s/%s", dir, ent->d_name);
	else
		*files += mix(&st);
}

static int read_dir(const struct job *j, struct dir *d, struct strs *below, struct err *e)
{
	_Alignas(struct dirent64) char block[BLOCK];
	_close_ int fd = openat(j->dirfd, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return is_absent(errno) ? 0 : err_sys(e, "read '/%s'", d->path);
	if (fstat(fd, &d->st) < 0)
		return err_sys(e, "look at '/%s'", d->path);
	d->there = true;
	ssize_t n;
	while ((n = getdents64(fd, block, sizeof block)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *ent = (const void *)(block + at);
			at += ent->d_reclen;
			take(fd, ent, d->path, &d->files, below);
		}
	return n < 0 ? err_sys(e, "read '/%s'", d->path) : 0;
}

/* Reads the next few directories: false when there will be none. Called and left with the lock held. */
static bool step(struct job *j)
{
	while (j->next == j->dirs.n && j->busy && !j->failed)
		pthread_cond_wait(&j->more, &j->lock);
	if (j->next == j->dirs.n || j->failed)
		return false;
	struct dir d[FEW];
	size_t at = j->next, n = (j->dirs.n - at + 1) / 2; /* the rest is for others */
	if (n > FEW)
		n = FEW;
	memcpy(d, j->dirs.p + at, n * sizeof *d);
	j->next += n;
	j->busy++;
	pthread_mutex_unlock(&j->lock);

	_cleanup_(strs_done) struct strs below = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_dir(j, &d[i], &below, &e);

	pthread_mutex_lock(&j->lock);
	j->busy--;
	memcpy(j->dirs.p + at, d, n * sizeof *d);
	bool awaited = below.n || j->busy == 0 || r < 0;
	for (size_t i = 0; i < below.n; i++)
		arr_push(&j->dirs, (struct dir){ .path = below.p[i] });
	below.n = 0; /* their paths have moved */
	if (r < 0 && !j->failed) {
		j->failed = true;
		err_move(&j->err, &e);
	}
	if (awaited)
		pthread_cond_broadcast(&j->more);
	return true;
}

static void *worker(void *arg)
{
	struct job *j = arg;
	pthread_mutex_lock(&j->lock);
	while (step(j))
		;
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static void read_all(struct job *j)
{
	pthread_t ids[THREADS_MAX];
	size_t started = 0;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (size_t)cpus;
	pthread_mutex_lock(&j->lock);
	while (step(j)) {
		if (started || j->dirs.n - j->next < WORTH_THREADS)
			continue;
		while (started + 1 < threads && pthread_create(&ids[started], NULL, worker, j) == 0)
			started++;
		threads = 1; /* not again */
	}
	pthread_mutex_unlock(&j->lock);
	while (started)
		(void) pthread_join(ids[--started], NULL);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct dir *)a)->path, ((const struct dir *)b)->path);
}

int dirs_digest(int dirfd, const char *path, struct digest *out, struct err *e)
{
	struct job j = { .dirfd = dirfd, .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };
	arr_push(&j.dirs, (struct dir){ .path = str_dup(path) });
	read_all(&j);
	qsort(j.dirs.p, j.dirs.n, sizeof *j.dirs.p, by_path);
	struct sha256 sum;
	sha256_begin(&sum);
	arr_each(d, &j.dirs) {
		uint64_t v[] = { d->there, d->there ? mix(&d->st) : 0, d->files };
		sha256_field(&sum, d->path, strlen(d->path));
		sha256_add(&sum, v, sizeof v);
		free(d->path);
	}
	sha256_end(&sum, out->b);
	arr_done(&j.dirs);
	int r = 0;
	if (j.failed) {
		if (e)
			err_move(e, &j.err);
		r = -1;
	}
	err_done(&j.err);
	return r;
}
