/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: one file a process, locked (flock) while it lives; each line of it is something that the
 * process uses. What dies with a process is the lock, whatever way it dies, so nothing has to be
 * cleaned up for the others to go on.
 *
 * The gate (leases/gate) is held shared while somebody writes "I use X" and looks whether X is
 * there, and exclusively by prune while it reads the leases and renames its victims away. So X was
 * either claimed before prune looked, and stays, or is already gone when its user looks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "store/record.h"

#define LEASE_MAX (16u << 20)

static int lock(int fd, int how)
{
	int r;
	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR && !interrupt_pending());
	return r;
}

/* A lock that is refused, by what is not another lock. */
static int no_lock(const struct store *s, const char *name, struct err *e)
{
	int no = errno;
	err_sys(e, "lock '%s/leases/%s'", s->path, name);
	if (no == ENOLCK || no == ENOSYS || no == EOPNOTSUPP || no == EINVAL)
		err_hint(e, "the file system of the store has to know locks (flock): put the store "
			    "elsewhere with --root DIR or THIMBLE_ROOT");
	return -1;
}

/* Made, then locked; a sweeper that comes between the two takes it for dead and unlinks it under
 * its own lock, so look afterwards whether it is still there. 1, 0 try again, -1. */
static int try_lease(struct store *s, struct err *e)
{
	_free_ char *name = fs_temp_name("");
	name[8] = '\0';
	_free_ char *path = str_printf("leases/%s", name);
	_close_ int fd = openat(s->fd, path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
				0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : err_sys(e, "make a lease in '%s/leases'", s->path);
	if (lock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		(void)no_lock(s, name, e);
		(void)unlinkat(s->fd, path, 0);
		return -1;
	}
	struct stat st;
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return 0;
	s->lease_fd = take_fd(&fd);
	s->lease_name = take_ptr(&name);
	return 1;
}

const char *lease_name(struct store *s, struct err *e)
{
	for (int i = 0; !s->lease_name && i < 64; i++)
		if (try_lease(s, e) < 0)
			return NULL;
	if (!s->lease_name) {
		err_set(e, ERR_SYS, "cannot take a lease in '%s/leases'", s->path);
		err_hint(e, "another process locks each file that is made there: try again when it "
			    "has ended");
	}
	return s->lease_name;
}

void lease_end(struct store *s)
{
	if (s->lease_name && !s->within) {
		_free_ char *path = str_printf("leases/%s", s->lease_name);
		(void)unlinkat(s->fd, path, 0);
	}
	if (s->lease_fd >= 0)
		(void)close(s->lease_fd);
	if (s->gate_fd >= 0)
		(void)close(s->gate_fd);
	s->lease_fd = s->gate_fd = -1;
}

void store_after_fork(struct store *s)
{
	if (s->lease_fd >= 0)
		(void)close(s->lease_fd);
	if (s->gate_fd >= 0)
		(void)close(s->gate_fd);
	s->lease_fd = s->gate_fd = -1;
	s->gate_depth = 0;
	s->within = false;
	free(take_ptr(&s->lease_name));
	map_done(&s->used);
	s->used = (struct map){ 0 };
	snap_records_forget(s);
}

void store_after_fork_within(struct store *s, unsigned nr)
{
	if (!s->lease_name) {
		store_after_fork(s);
		return;
	}
	/* The gate's lock belongs to the open file: two processes need two. */
	if (s->gate_fd >= 0)
		(void)close(s->gate_fd);
	s->gate_fd = -1;
	s->gate_depth = 0;
	s->within = true;
	s->nr = nr;
	s->tmp_n = 0;
}

unsigned store_child(struct store *s)
{
	return STORE_CHILDREN + s->children++;
}

int store_lease(struct store *s, struct err *e)
{
	return lease_name(s, e) ? 0 : -1;
}

int store_use(struct store *s, enum store_kind kind, const char *name, struct err *e)
{
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = lease_use(s, kind, name, e);
	gate_leave(s);
	return r;
}

int lease_use(struct store *s, enum store_kind kind, const char *name, struct err *e)
{
	_free_ char *word = str_printf("%c %s\n", (char)kind, name);
	struct slice key = { word, strlen(word) - 1 };
	if (memchr(key.p, '\n', key.n))
		return err_set(e, ERR_USER, "'%s' cannot be the name of anything in a store", name);
	if (map_has(&s->used, key))
		return 0;
	_cleanup_(err_done) struct err why = { 0 };
	if (!lease_name(s, &why)) {
		/* On a file system that can only be read nothing can be said, and what is there can
		 * still be looked at. Whoever wants to write comes to the same error a step later. */
		if (err_is_errno(&why, EROFS)) {
			log_debug("no lease: the store can only be read");
			map_put(&s->used, key, s);
			return 0;
		}
		if (e)
			err_move(e, &why);
		return err_add(e, "write the lease");
	}
	if (fd_write_all(s->lease_fd, word, key.n + 1, e) < 0)
		return err_add(e, "write the lease");
	map_put(&s->used, key, s);
	return 0;
}

int gate_enter(struct store *s, bool exclusive, struct err *e)
{
	if (s->gate_depth > 0 && !exclusive) {
		s->gate_depth++;
		return 0;
	}
	if (s->gate_fd < 0)
		s->gate_fd = openat(s->fd, "leases/gate", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
				    0600);
	if (s->gate_fd < 0 && errno == EROFS) /* a store that can only be read; see lease_use */
		s->gate_fd = openat(s->fd, "leases/gate", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (s->gate_fd < 0)
		return err_sys(e, "open '%s/leases/gate'", s->path);
	if (lock(s->gate_fd, exclusive ? LOCK_EX : LOCK_SH) < 0)
		return no_lock(s, LEASES_GATE, e);
	s->gate_depth = 1;
	return 0;
}

void gate_leave(struct store *s)
{
	if (--s->gate_depth == 0)
		(void)lock(s->gate_fd, LOCK_UN);
}

static bool is_lease(const char *name)
{
	return strcmp(name, LEASES_GATE) != 0 && strcmp(name, LEASES_TURNS) != 0;
}

static void add_words(struct slice text, struct map *words)
{
	struct slice line;
	while (slice_split(&text, '\n', &line))
		if (line.n > 2)
			map_put(words, line, words);
}

int leases_read(struct store *s, struct map *words, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(s, "leases", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (!is_lease(names.p[i]) || !lease_is_alive(s, names.p[i]))
			continue;
		_free_ char *path = str_printf("leases/%s", names.p[i]);
		_cleanup_(buf_done) struct buf b = { 0 };
		if (store_read(s, path, LEASE_MAX, &b, e) < 0)
			return -1;
		add_words(buf_view(&b), words);
	}
	return 0;
}

bool lease_is_alive(struct store *s, const char *name)
{
	if (s->lease_name && strcmp(s->lease_name, name) == 0)
		return true;
	_free_ char *path = str_printf("leases/%s", name);
	_close_ int fd = openat(s->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno != ENOENT; /* not to be told: leave it alone */
	/* Shared: two that ask at once do not take each other for its owner. */
	return lock(fd, LOCK_SH | LOCK_NB) < 0;
}

/* Under an exclusive lock, so that a lease being taken just now is seen as gone by its taker. */
static void drop_dead_lease(struct store *s, const char *name)
{
	_free_ char *path = str_printf("leases/%s", name);
	_close_ int fd = openat(s->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && lock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(s->fd, path, 0);
}

/* Entries of tmp/ are called LEASE.N, or LEASE.CHILD-N; discarded ones end in STORE_DISCARDED.
 * closing: this process is done, and what its children left because they were killed goes too. */
static bool is_garbage(struct store *s, const char *name, bool closing)
{
	struct slice lease = slice_of(name);
	size_t dot = slice_find(lease, '.');
	if (dot == 0 || dot == lease.n)
		return false; /* not ours to judge */
	_free_ char *owner = slice_dup(slice_head(lease, dot));
	if (s->lease_name && !s->within && strcmp(owner, s->lease_name) == 0)
		return closing || slice_ends(slice_of(name), SL(STORE_DISCARDED));
	return !lease_is_alive(s, owner);
}

static int sweep(struct store *s, bool closing, struct err *e)
{
	_cleanup_(strs_done) struct strs tmp = { 0 }, leases = { 0 };
	if (store_list(s, "tmp", &tmp, e) < 0 || store_list(s, "leases", &leases, e) < 0)
		return -1;
	for (size_t i = 0; i < tmp.n; i++)
		if (is_garbage(s, tmp.p[i], closing)) {
			log_debug("sweep tmp/%s", tmp.p[i]);
			if (fs_remove(s->tmp, tmp.p[i], e) < 0)
				return err_add(e, "remove what an earlier run left in '%s/tmp'",
					       s->path);
		}
	for (size_t i = 0; i < leases.n; i++) {
		if (is_lease(leases.p[i]) && !lease_is_alive(s, leases.p[i]))
			drop_dead_lease(s, leases.p[i]);
	}
	return 0;
}

int store_sweep(struct store *s, struct err *e)
{
	return sweep(s, false, e);
}

int sweep_closing(struct store *s, struct err *e)
{
	return sweep(s, true, e);
}
