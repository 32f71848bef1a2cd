/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this room share: a temporary directory, a tar builder, a random tree. */
#pragma once
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/stream.h"
#include "base/walk.h"
#include "layer/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static _unused_ char test_note[64]; /* shown when something differs: which case it was */

struct fixture {
	char dir[64];
	int fd;
	struct err e;
};

static _unused_ int fixture_setup(void **state)
{
	struct fixture *f = NEW(struct fixture);
	(void)snprintf(f->dir, sizeof f->dir, "/tmp/thimble-layer.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static _unused_ int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(fs_remove(AT_FDCWD, f->dir, &f->e), 0);
	close(f->fd);
	err_done(&f->e);
	free(f);
	return 0;
}

static _unused_ void show(struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	err_line(e, &b);
	print_message("# %s%s\n", test_note, b.p ? b.p : "");
}

#define ok(f, call)                    \
	do {                           \
		int ok_ = (call);      \
		if (ok_ < 0)           \
			show(&(f)->e); \
		assert_true(ok_ >= 0); \
	} while (0)

static _unused_ int new_dir(struct fixture *f, const char *name)
{
	assert_int_equal(mkdirat(f->fd, name, 0755), 0);
	int fd = openat(f->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static _unused_ bool real_root; /* not that of a user namespace */

static _unused_ bool put_text(const char *path, const char *text)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* First in main: an ordinary user works as thimble does for one, as root of a user namespace with
 * a single id. Where that is refused, what needs it skips. */
static _unused_ void tests_begin(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	real_root = uid == 0;
	if (real_root || unshare(CLONE_NEWUSER) < 0)
		return;
	_free_ char *uids = str_printf("0 %u 1", uid), *gids = str_printf("0 %u 1", gid);
	if (!put_text("/proc/self/setgroups", "deny") || !put_text("/proc/self/uid_map", uids) ||
	    !put_text("/proc/self/gid_map", gids))
		print_message("# no user namespace: %s\n", strerror(errno));
}

static _unused_ struct tree_opts root_opts(void)
{
	bool root = real_root;
	return (struct tree_opts){ .mode = root ? TREE_TRUSTED : TREE_USER,
				   .uid_max = root ? UINT32_MAX : 0,
				   .gid_max = root ? UINT32_MAX : 0,
				   .devices = root };
}

/* True (and says so) if the test cannot be done by this user. */
static _unused_ bool not_root(void)
{
	if (real_root)
		return false;
	print_message("# SKIP needs root\n");
	return true;
}

/* The same for what root of a user namespace can do, too. */
static _unused_ bool no_owners(void)
{
	if (geteuid() == 0)
		return false;
	print_message("# SKIP needs root\n");
	return true;
}

/* ---- tar archives, right or wrong ---- */

struct tarh {
	const char *name;
	char type;
	const char *link;
	const char *data; /* of `size` bytes; NULL: its own length */
	uint64_t size;
	unsigned mode, major, minor;
	uint64_t uid;
	const char *size_field; /* 12 bytes as they are */
	bool bad_sum, gnu;
};

static _unused_ void tar_pad(struct buf *b)
{
	buf_zero(b, -b->len & 511);
}

/* The checksum of a header. */
static _unused_ void tar_seal(char *block)
{
	unsigned sum = 0;
	memset(block + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum);
}

static _unused_ void tar_head(struct buf *b, const struct tarh *h, uint64_t size)
{
	char block[512] = { 0 };
	char name[101] = { 0 }, link[101] = { 0 };
	memcpy(name, h->name, strnlen(h->name, 100));
	memcpy(block, name, 100);
	(void)snprintf(block + 100, 8, "%07o", (h->mode ? h->mode : 0644) & 07777u);
	(void)snprintf(block + 108, 8, "%07o", (unsigned)h->uid & 07777777u);
	(void)snprintf(block + 116, 8, "%07o", 0);
	(void)snprintf(block + 124, 12, "%011llo", (unsigned long long)size);
	if (h->size_field)
		memcpy(block + 124, h->size_field, 12);
	(void)snprintf(block + 136, 12, "%011o", 1000000);
	block[156] = h->type ? h->type : '0';
	if (h->link) {
		memcpy(link, h->link, strnlen(h->link, 100));
		memcpy(block + 157, link, 100);
	}
	memcpy(block + 257,
	       h->gnu ? "ustar  "
		      : "ustar\0"
			"00",
	       8);
	(void)snprintf(block + 329, 8, "%07o", h->major & 07777777u);
	(void)snprintf(block + 337, 8, "%07o", h->minor & 07777777u);
	tar_seal(block);
	block[153] ^= h->bad_sum; /* its last digit */
	buf_add(b, block, 512);
}

static _unused_ void tar_put(struct buf *b, struct tarh h)
{
	size_t n = h.data ? h.size ? h.size : strlen(h.data) : 0;
	tar_head(b, &h, n);
	if (n)
		buf_add(b, h.data, n);
	tar_pad(b);
}

/* One "x" header with the records given (whole, with their lengths). */
static _unused_ void tar_pax(struct buf *b, const char *records, size_t n)
{
	struct tarh h = { .name = "PaxHeaders/x", .type = 'x', .data = records, .size = n };
	tar_put(b, h);
}

static _unused_ void pax_record(struct buf *b, const char *key, const void *value, size_t n)
{
	size_t rest = strlen(key) + n + 3, len = rest + 1;
	char digits[24];
	for (;;) {
		int d = snprintf(digits, sizeof digits, "%zu", len);
		if (rest + (size_t)d == len)
			break;
		len = rest + (size_t)d;
	}
	buf_printf(b, "%s %s=", digits, key);
	buf_add(b, value, n);
	buf_char(b, '\n');
}

static _unused_ void tar_end(struct buf *b)
{
	buf_zero(b, 1024);
}

/* ---- trees as text, to be compared ---- */

/* One line an entry: type, mode, owner, time, size, device, link, xattrs, digest; hard links by
 * the first name. Sockets are left out. */
static _unused_ void tree_text_of(int fd, bool times, bool with_links, struct buf *out)
{
	_cleanup_(walk_closep) struct walk *w = walk_open(fd, ".", NULL);
	struct walk_entry at;
	struct {
		ino_t ino;
		char *path;
	} *links = NULL;
	size_t n = 0;
	while (walk_next(w, &at, NULL) > 0) {
		struct arena a = { 0 };
		struct entry ent = { 0 };
		if (S_ISSOCK(at.st.st_mode))
			continue;
		_cleanup_(err_done) struct err e = { 0 };
		if (entry_from_file(&a, at.dirfd, at.name, &at.st, &ent, &e) < 0) {
			buf_printf(out, "%s: not readable\n", at.path);
			arena_done(&a);
			continue;
		}
		buf_printf(out, "%s %d %04o %u:%u", at.path, ent.type, ent.mode, ent.uid, ent.gid);
		if (times)
			buf_printf(out, " %lld.%09u", (long long)ent.mtime, ent.mtime_ns);
		buf_printf(out, " %llu %u:%u %s", (unsigned long long)ent.size, ent.major,
			   ent.minor, ent.link ? ent.link : "-");
		/* as they are: in an overlay the kernel hides its own and unescapes nested ones */
		_cleanup_(xattrs_done) struct xattrs raw = { 0 };
		assert_int_equal(xattrs_read(at.dirfd, at.name, &raw, &e), 0);
		for (size_t i = 0; i < raw.n; i++) {
			buf_printf(out, " %s=", raw.p[i].name);
			for (size_t j = 0; j < raw.p[i].len; j++)
				buf_printf(out, "%02x", (unsigned char)raw.p[i].value[j]);
		}
		if (ent.type == ENTRY_FILE) {
			struct digest d;
			char hex[SHA256_HEX];
			assert_int_equal(entry_digest(at.dirfd, at.name, &d, &e), 0);
			buf_printf(out, " %.12s", digest_hex(&d, hex));
		}
		if (with_links && ent.type != ENTRY_DIR && at.st.st_nlink > 1) {
			size_t i = 0;
			while (i < n && links[i].ino != at.st.st_ino)
				i++;
			if (i == n) {
				links = realloc(links, ++n * sizeof *links);
				links[i].ino = at.st.st_ino;
				links[i].path = str_dup(at.path);
			}
			buf_printf(out, " link %s", links[i].path);
		}
		buf_char(out, '\n');
		arena_done(&a);
	}
	while (n)
		free(links[--n].path);
	free(links);
}

static _unused_ void tree_text(int fd, bool times, struct buf *out)
{
	tree_text_of(fd, times, true, out);
}

/* The first line that differs is shown. */
static _unused_ void assert_same_text(const struct buf *a, const struct buf *b)
{
	const char *p = a->p ? a->p : "", *q = b->p ? b->p : "";
	if (strcmp(p, q) == 0)
		return;
	while (*p && *p == *q)
		p++, q++;
	while (p > a->p && p[-1] != '\n')
		p--, q--;
	print_message("# %s\n# one:   %.*s\n# other: %.*s\n", test_note, (int)strcspn(p, "\n"), p,
		      (int)strcspn(q, "\n"), q);
	fail_msg("trees differ");
}

static _unused_ int apply_bytes(int fd, struct slice bytes, const struct tree_opts *o,
				struct index *x, struct err *e)
{
	struct tree_stream sum = { 0 };
	uint8_t want[SHA256_LEN];
	_cleanup_(source_closep) struct source *in = source_mem(bytes.p, bytes.n);
	int r = tree_apply(fd, in, o, &sum, x, e);
	if (r == 0) { /* whatever is in it, the stream's own digest is that of all its bytes */
		sha256_of(bytes.p, bytes.n, want);
		assert_int_equal(sum.size, bytes.n);
		assert_memory_equal(sum.digest.b, want, sizeof want);
	}
	return r;
}

static _unused_ void tar_of(struct fixture *f, int fd, const struct index *x, struct buf *out)
{
	_cleanup_(sink_closep) struct sink *s = sink_buf(out);
	struct tree_stream sum;
	struct index same = *x;
	uint8_t want[SHA256_LEN];
	size_t before = out->len;
	ok(f, tree_write_tar(fd, x, -1, s, &f->e));
	ok(f, sink_finish(s, &f->e));
	ok(f, tree_sum(fd, &same, &sum, &f->e));
	sha256_of(out->p + before, out->len - before, want);
	assert_int_equal(sum.size, out->len - before);
	assert_memory_equal(sum.digest.b, want, sizeof want);
}
