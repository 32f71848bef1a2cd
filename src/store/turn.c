/* SPDX-License-Identifier: Apache-2.0 */
/* Turns are record locks on bytes of one file, leases/turns, so that taking one makes and removes
 * nothing. Two keys may share a byte (one in a million): then one waits for nothing, which does no
 * harm. The byte itself is 1 when the last one to hold it has failed. The locks are fcntl's classic
 * ones, not those of open files: only they tell who holds them. */
#include "store/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/num.h"
#include "store/internal.h"

#define SLOTS      (1u << 20)
#define TOLD_NS    1000000000ll
#define PAUSE_MIN  1000000ll
#define PAUSE_MAX  50000000ll

static struct flock record_of(uint64_t slot, short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)slot, .l_len = 1 };
}

/* 1, 0 if another process has it, -1. */
static int try_lock(int fd, uint64_t slot)
{
	struct flock l = record_of(slot, F_WRLCK);
	if (fcntl(fd, F_SETLK, &l) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES || errno == EINTR ? 0 : -1;
}

static bool is_stopped(pid_t pid)
{
	_cleanup_(buf_done) struct buf b = { .max = 4096 };
	_free_ char *path = str_printf("/proc/%d/stat", (int)pid);
	struct err gone = { 0 }; /* then it is not stopped */
	bool stopped = false;
	if (fs_read(AT_FDCWD, path, 4096, &b, &gone) == 0) {
		size_t at = slice_rfind(buf_view(&b), ')');
		stopped = at + 2 < b.len && (b.p[at + 2] == 'T' || b.p[at + 2] == 't');
	}
	err_done(&gone);
	return stopped;
}

static bool holder_is_stopped(int fd, uint64_t slot)
{
	struct flock l = record_of(slot, F_WRLCK);
	return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0 && is_stopped(l.l_pid);
}

static bool last_failed(int fd, uint64_t slot)
{
	char c = 0;
	return pread(fd, &c, 1, (off_t)slot) == 1 && c == 1;
}

int turn_take(struct store *s, const struct digest *key, void (*waits)(void *ctx), void *ctx,
	      struct turn *t, struct err *e)
{
	uint64_t slot = be64_at(key->b) % SLOTS;
	_close_ int fd = openat(s->fd, "leases/" LEASES_TURNS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
				0600);
	if (fd < 0)
		return err_sys(e, "open '%s/leases/" LEASES_TURNS "'", s->path);
	int64_t begin = clock_mono_ns();
	int r;
	bool waited = false;
	while ((r = try_lock(fd, slot)) == 0) {
		int64_t past = clock_mono_ns() - begin;
		waited = true;
		if (holder_is_stopped(fd, slot))
			return 0;
		if (waits && past > TOLD_NS) {
			waits(ctx);
			waits = NULL;
		}
		int64_t pause = past / 8 < PAUSE_MIN ? PAUSE_MIN : past / 8 > PAUSE_MAX ? PAUSE_MAX : past / 8;
		(void)nanosleep(&(struct timespec){ .tv_nsec = (long)pause }, NULL);
	}
	if (r < 0)
		return err_sys(e, "lock '%s/leases/" LEASES_TURNS "'", s->path);
	if (waited && last_failed(fd, slot))
		return 0; /* closing the file lets the next one go too */
	t->fd = take_fd(&fd);
	t->slot = slot;
	return 0;
}

void turn_end(struct turn *t, bool done)
{
	if (t->fd < 0)
		return;
	char now = !done;
	if (last_failed(t->fd, t->slot) != !done)
		(void)!pwrite(t->fd, &now, 1, (off_t)t->slot); /* only those who wait lose by it */
	(void)close(t->fd);
	*t = (struct turn)TURN_INIT;
}
