/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"
#include "fixture.h"
#include <sys/socket.h>
#include <sys/un.h>

/* What the index says, one line an entry. */
static void index_text(const struct index *x, struct buf *out)
{
	buf_str(out, "");
	arr_each(ent, &x->entries)
		buf_printf(out, "%s%s%s", out->len ? " " : "",
			   ent->type == ENTRY_WHITEOUT ? "-" : "", *ent->path ? ent->path : "."),
			buf_str(out, ent->opaque              ? "!"
				     : ent->type == ENTRY_DIR ? "/"
							      : "");
}

struct member {
	const char *name;
	char type;
	const char *link, *data;
};

static void apply__table(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct {
		struct member m[6];
		const char *want; /* index, or NULL and the error has `err` */
		const char *err;
	} cases[] = {
		{ { { "a", '0', NULL, "x" } }, "a", NULL },
		{ { { "./a/b/c", '0', NULL, "x" } }, "a/ a/b/ a/b/c", NULL },
		{ { { "/abs", '0', NULL, "x" } }, "abs", NULL },
		{ { { "./", '5' }, { "a", '0' } }, "./ a", NULL },
		{ { { "d/", '0' } }, "d/", NULL },
		{ { { "../a", '0', NULL, "x" } }, NULL, "leads out" },
		{ { { "a/../../b", '0', NULL, "x" } }, NULL, "leads out" },
		{ { { "a/..", '5' } }, NULL, "leads out" },
		{ { { ".", '0', NULL, "x" } }, NULL, "not a directory" },
		/* whiteouts */
		{ { { ".wh.x", '0' } }, "-x", NULL },
		{ { { "a/.wh.x", '0' } }, "a/ -a/x", NULL },
		{ { { "a/.wh..wh..opq", '0' } }, "a!", NULL },
		{ { { "x", '0', NULL, "1" }, { ".wh.x", '0' } }, "x", NULL },
		{ { { ".wh.x", '0' }, { "x", '0', NULL, "1" } }, "x", NULL },
		{ { { ".wh.x", '0' }, { "x/", '5' } }, "x!", NULL },
		{ { { ".wh.x", '0' }, { "x/y", '0' } }, "x! x/y", NULL },
		{ { { "x/y", '0' }, { ".wh.x", '0' } }, "x! x/y", NULL },
		{ { { "x/.wh.y", '0' }, { "x/.wh.y", '0' } }, "x/ -x/y", NULL },
		{ { { ".wh.", '0' } }, NULL, "whiteout of nothing" },
		{ { { ".wh..", '0' } }, NULL, "whiteout of nothing" },
		{ { { "a/.wh...", '0' } }, NULL, "whiteout of nothing" },
		{ { { ".wh.x/y", '0' } }, NULL, "below a deletion" },
		{ { { ".wh..wh.plnk/1.2", '0' }, { ".wh..wh.aufs", '0' } }, "", NULL },
		{ { { "a", '0' }, { "a/.wh.x", '0' } }, NULL, "is a file and not a directory" },
		/* links made by the layer itself */
		{ { { "lib", '2', "usr/lib" }, { "lib/x", '0', NULL, "1" } },
		  "lib usr/ usr/lib/ usr/lib/x",
		  NULL },
		{ { { "lib", '2', "/usr/lib" }, { "lib/.wh.x", '0' } },
		  "lib usr/ usr/lib/ -usr/lib/x",
		  NULL },
		{ { { "out", '2', "../../../tmp" }, { "out/x", '0', NULL, "1" } },
		  "out tmp/ tmp/x",
		  NULL },
		{ { { "out", '2', "/etc" }, { "out/x/y", '0', NULL, "1" } },
		  "etc/ etc/x/ etc/x/y out",
		  NULL },
		{ { { "l", '2', "l" }, { "l/x", '0' } }, NULL, "too many links" },
		{ { { "a", '2', "b" }, { "b", '2', "a" }, { "a/x", '0' } }, NULL, "too many links" },
		{ { { "s", '2', "t" }, { "s", '0', NULL, "1" } }, "s", NULL },
		{ { { "s", '2', "t" }, { "s/", '5' }, { "s/x", '0' } }, "s/ s/x", NULL },
		{ { { "s", '2', "" } }, NULL, "empty link target" },
		/* hard links */
		{ { { "a", '0', NULL, "1" }, { "b", '1', "a" } }, "a b", NULL },
		{ { { "a", '0', NULL, "1" }, { "b", '1', "./a" }, { "c", '1', "/b" } },
		  "a b c",
		  NULL },
		{ { { "b", '1', "a" } }, NULL, "not in this archive" },
		{ { { "b", '1', "../a" } }, NULL, "leads out" },
		{ { { "b", '1', "/etc/passwd" } }, NULL, "not in this archive" },
		{ { { "a", '0' }, { "a", '1', "a" } }, NULL, "link to itself" },
		{ { { "d/", '5' }, { "b", '1', "d" } }, NULL, "to the directory" },
		{ { { "out", '2', "/etc/passwd" }, { "b", '1', "out" } }, "b out", NULL },
		{ { { "e", '2', "/etc" }, { "b", '1', "e/passwd" } }, NULL, "not in this archive" },
		{ { { "d/a", '0' }, { "d", '1', "d/a" } }, NULL, "not in this archive" },
		{ { { "d/a", '0' }, { ".wh.q", '0' }, { "b", '1', "q" } },
		  NULL,
		  "not in this archive" },
		/* one name twice */
		{ { { "a", '0', NULL, "1" }, { "a", '0', NULL, "22" } }, "a", NULL },
		{ { { "a/b/c", '0', NULL, "1" }, { "a", '0', NULL, "1" } }, "a", NULL },
		{ { { "a/b/c", '0' }, { "a", '0' }, { "a/", '5' }, { "a/q", '0' } },
		  "a/ a/q",
		  NULL },
		{ { { "a/b", '0' }, { "a/", '5' } }, "a/ a/b", NULL },
		{ { { "a", '0' }, { "a/b", '0' } }, NULL, "is a file and not a directory" },
		/* devices */
		{ { { "c", '3' } }, NULL, "0:0" },
		{ { { "c", '4' } }, NULL, "0:0" },
		{ { { "p", '6' } }, "p", NULL },
		{ { { "q", 'Z' } }, NULL, "type that is not known" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 }, text = { 0 }, line = { 0 };
		_free_ char *dir = str_printf("t%zu", i);
		_close_ int fd = new_dir(f, dir);
		struct index x;
		for (size_t j = 0; j < 6 && cases[i].m[j].name; j++) {
			const struct member *m = &cases[i].m[j];
			struct tarh h = {
				.name = m->name, .type = m->type, .link = m->link, .data = m->data
			};
			tar_put(&tar, h);
		}
		tar_end(&tar);
		int r = apply_bytes(fd, buf_view(&tar), &o, &x, &f->e);
		if (!cases[i].want) {
			err_line(&f->e, &line);
			if (r == 0 || !strstr(line.p, cases[i].err))
				print_message("# case %zu (%s): %s\n", i, cases[i].m[0].name,
					      line.p);
			assert_int_equal(r, -1);
			assert_int_equal(f->e.kind, ERR_DATA);
			assert_non_null(strstr(line.p, cases[i].err));
			continue;
		}
		if (r < 0)
			print_message("# case %zu (%s)\n", i, cases[i].m[0].name);
		ok(f, r);
		index_text(&x, &text);
		assert_string_equal(text.p, cases[i].want);
		assert_true(index_is_complete(&x));
		ok(f, tree_verify(fd, &x, &f->e));
		index_done(&x);
	}
	assert_false(fs_exists(f->fd, "a"));
	assert_false(fs_exists(f->fd, "x"));
}

static void apply__keeps_all_metadata(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (not_root())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 }, again = { 0 };
	static const char cap_v3[24] = { 1, 0, 0, 3, 0, 4, 0, 0, 0,    0, 0, 0,
					 0, 0, 0, 0, 0, 0, 0, 0, 0x39, 5, 0, 0 };
	struct index x, y;
	struct stat st;

	pax_record(&pax, "SCHILY.xattr.security.capability", cap_v3, sizeof cap_v3);
	pax_record(&pax, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	pax_record(&pax, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	pax_record(&pax, "SCHILY.xattr.user.b", "x\0y", 3);
	pax_record(&pax, "SCHILY.xattr.user.a", "", 0);
	pax_record(&pax, "mtime", "1700000000.123456789123", 23);
	pax_record(&pax, "uid", "3000000000", 10);
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "ping", .data = "bytes", .mode = 04755, .uid = 7 });
	buf_clear(&pax);
	pax_record(&pax, "mtime", "-1.5", 4);
	pax_record(&pax, "SCHILY.xattr.user.c", "on a link", 9);
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "l", .type = '2', .link = "ping", .uid = 5 });
	tar_put(&tar,
		(struct tarh){ .name = "null", .type = '3', .major = 1, .minor = 3, .mode = 0666 });
	tar_put(&tar, (struct tarh){ .name = "d", .type = '5', .mode = 01777, .uid = 42 });
	tar_put(&tar, (struct tarh){ .name = "d/x" });
	tar_end(&tar);
	_close_ int fd = new_dir(f, "t");
	ok(f, apply_bytes(fd, buf_view(&tar), &o, &x, &f->e));

	const struct entry *ping = index_find(&x, "ping");
	assert_int_equal(ping->uid, 3000000000u);
	assert_int_equal(ping->mtime, 1700000000);
	assert_int_equal(ping->mtime_ns, 123456789);
	assert_int_equal(ping->xattrs_n, 3);
	assert_string_equal(ping->xattrs[0].name, "security.capability");
	assert_int_equal(ping->xattrs[0].len, 20);
	assert_string_equal(ping->xattrs[1].name, "user.a");
	assert_int_equal(fstatat(fd, "ping", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_uid, 3000000000u);
	assert_int_equal(index_find(&x, "l")->mtime, -2);
	assert_int_equal(index_find(&x, "l")->mtime_ns, 500000000);
	assert_int_equal(index_find(&x, "l")->xattrs_n, 1);
	assert_int_equal(fstatat(fd, "null", &st, 0), 0);
	assert_int_equal(st.st_rdev, makedev(1, 3));
	assert_int_equal(fstatat(fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1000000);
	assert_int_equal(st.st_mode, S_IFDIR | 01777);
	ok(f, tree_verify(fd, &x, &f->e));

	/* through the canonical form and back: only the fractions of times are lost */
	tar_of(f, fd, &x, &again);
	_close_ int fd2 = new_dir(f, "t2");
	ok(f, apply_bytes(fd2, buf_view(&again), &o, &y, &f->e));
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	tree_text(fd, false, &one);
	tree_text(fd2, false, &two);
	assert_same_text(&one, &two);
	assert_int_equal(index_find(&y, "l")->xattrs_n, 1);
	assert_int_equal(index_find(&y, "l")->mtime, -2);
	index_done(&x);
	index_done(&y);
}

static void apply__stands_in_for_what_cannot_be_set(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (not_root())
		skip();
	o.mode = TREE_USER;
	o.devices = false;
	o.uid_max = o.gid_max = 65535;
	_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 };
	struct index x;
	struct stat st;
	char value[4];

	pax_record(&pax, "SCHILY.xattr.trusted.x", "1", 1);
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "f", .uid = 100000 });
	tar_put(&tar,
		(struct tarh){ .name = "null", .type = '3', .major = 1, .minor = 3, .mode = 0666 });
	tar_put(&tar, (struct tarh){ .name = "d/.wh..wh..opq" });
	tar_end(&tar);
	_close_ int fd = new_dir(f, "t");
	ok(f, apply_bytes(fd, buf_view(&tar), &o, &x, &f->e));
	assert_int_equal(index_find(&x, "f")->uid, 100000);
	assert_int_equal(index_find(&x, "f")->xattrs_n, 1);
	assert_int_equal(fstatat(fd, "f", &st, 0), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(fstatat(fd, "null", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0666);
	assert_int_equal(index_find(&x, "null")->major, 1);
	_free_ char *path = str_printf("%s/t/d", f->dir);
	assert_int_equal(getxattr(path, "user.overlay.opaque", value, sizeof value), 1);
	assert_int_equal(getxattr(path, "trusted.overlay.opaque", value, sizeof value), -1);
	ok(f, tree_verify(fd, &x, &f->e));
	index_done(&x);
}

/* Headers that lie. Each must be refused as ERR_DATA, and quickly. */
static void apply__refuses_what_is_malformed(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	static const struct {
		const char *why, *records;
		struct tarh h;
		bool cut;
	} cases[] = {
		{ "checksum", NULL, { .name = "a", .bad_sum = true }, false },
		{ "negative size",
		  NULL,
		  { .name = "a", .size_field = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
		  false },
		{ "huge size",
		  NULL,
		  { .name = "a", .size_field = "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
		  false },
		{ "size past the end", NULL, { .name = "a", .size_field = "00000777777" }, false },
		{ "size is text", NULL, { .name = "a", .size_field = "abcdefghijk" }, false },
		{ "long name too long",
		  NULL,
		  { .name = "././@LongLink", .type = 'L', .size_field = "00000077777" },
		  false },
		{ "pax too long",
		  NULL,
		  { .name = "x", .type = 'x', .size_field = "00010000000" },
		  false },
		{ "pax without a member", "10 path=a\n", { .name = "x" }, true },
		{ "record length 0", "0 path=a\n", { .name = "x" }, false },
		{ "record too long", "99 path=a\n", { .name = "x" }, false },
		{ "record too short", "5 path=a\n", { .name = "x" }, false },
		{ "no newline", "10 path=ab", { .name = "x" }, false },
		{ "no equals", "9 pathab\n", { .name = "x" }, false },
		{ "length not a number", "1x path=a\n", { .name = "x" }, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 };
		_free_ char *dir = str_printf("m%zu", i);
		_close_ int fd = new_dir(f, dir);
		struct index x;
		if (cases[i].records)
			tar_pax(&tar, cases[i].records, strlen(cases[i].records));
		if (!cases[i].cut)
			tar_put(&tar, cases[i].h);
		tar_end(&tar);
		int r = apply_bytes(fd, buf_view(&tar), &o, &x, &f->e);
		if (r == 0)
			print_message("# accepted: %s\n", cases[i].why);
		assert_int_equal(r, -1);
		assert_int_equal(f->e.kind, ERR_DATA);
	}
}

/* A number that a header cannot mean. */
static void apply__refuses_wild_numbers(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	static const struct {
		char type;
		size_t at, n; /* field of the header */
		const char *bytes, *says;
	} cases[] = {
		{ '0', 100, 8, "\x80\0\0\1\0\0\0\0",
		  "the mode in the archive is too large (4294967296)" },
		{ '0', 100, 8, "\xff\xff\xff\xff\xff\xff\xff\xff",
		  "the mode in the archive is negative" },
		{ '0', 108, 8, "\x80\0\0\0\xff\xff\xff\xff",
		  "the owner in the archive is too large (4294967295)" },
		{ '0', 116, 8, "\x80\0\0\0\xff\xff\xff\xff",
		  "the group in the archive is too large (4294967295)" },
		{ '0', 124, 12, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
		  "the size in the archive is too large (9223372036854775807)" },
		{ '0', 124, 12, "\x80\0\0\0\x80\0\0\0\0\0\0\0",
		  "the size in the archive is too large" },
		{ '0', 124, 12, "\x80\0\0\1\0\0\0\0\0\0\0\0",
		  "the size in the archive is too large" },
		{ '0', 124, 12, "777777777778", "the size in the archive is no number" },
		{ '0', 136, 12, "\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
		  "the time in the archive is too large" },
		{ '0', 136, 12, "\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff",
		  "the time in the archive is too large" },
		{ '3', 329, 8, "0010000", "the device number in the archive is too large (4096)" },
		{ '4', 337, 8, "04000000",
		  "the device number in the archive is too large (1048576)" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		_free_ char *dir = str_printf("n%zu", i);
		_close_ int fd = new_dir(f, dir);
		struct index x;
		tar_put(&tar, (struct tarh){ .name = "a", .type = cases[i].type });
		memcpy(tar.p + cases[i].at, cases[i].bytes, cases[i].n);
		tar_seal(tar.p);
		tar_end(&tar);
		assert_int_equal(apply_bytes(fd, buf_view(&tar), &o, &x, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.chain[0], cases[i].says);
		if (cases[i].at !=
		    124) /* the size is read before it is known whether it is a file's */
			assert_string_equal(e.chain[1], "'a'");
	}
}

static void put_attribute(struct buf *pax, const char *name, size_t n)
{
	_free_ char *key = str_printf("SCHILY.xattr.%s", name);
	_cleanup_(buf_done) struct buf value = { 0 };
	buf_zero(&value, n);
	pax_record(pax, key, value.p, n);
}

static void many_pieces(struct buf *tar)
{
	_cleanup_(buf_done) struct buf pax = { 0 }, map = { 0 };
	for (unsigned i = 0; i <= 1u << 16; i++)
		buf_str(&map, i ? ",0,0" : "0,0");
	pax_record(&pax, "GNU.sparse.size", "9", 1);
	pax_record(&pax, "GNU.sparse.map", map.p, map.len);
	tar_pax(tar, pax.p, pax.len);
}

static void large_attribute(struct buf *tar)
{
	_cleanup_(buf_done) struct buf pax = { 0 };
	put_attribute(&pax, "user.large", 65537);
	tar_pax(tar, pax.p, pax.len);
}

/* More than one header may hold. */
static void many_attributes(struct buf *tar)
{
	for (int i = 0; i < 17; i++) {
		_cleanup_(buf_done) struct buf pax = { 0 };
		_free_ char *name = str_printf("user.a%d", i);
		put_attribute(&pax, name, 65536);
		tar_pax(tar, pax.p, pax.len);
	}
}

static void global_path(struct buf *tar)
{
	_cleanup_(buf_done) struct buf pax = { 0 };
	pax_record(&pax, "path", "a", 1);
	tar_put(tar, (struct tarh){ .name = "g", .type = 'g', .data = pax.p, .size = pax.len });
}

static void zeros_before(struct buf *tar)
{
	buf_zero(tar, 512);
}

/* GNU's own end in a NUL, which is counted; without it there is room for one byte too many. */
static void long_text(struct buf *tar, char type)
{
	_free_ char *text = mem_alloc(4097);
	memset(text, 'n', 4097);
	tar_put(tar, (struct tarh){ .name = "././@LongLink",
				    .type = type,
				    .gnu = true,
				    .data = text,
				    .size = 4097 });
}

static void long_name(struct buf *tar)
{
	long_text(tar, 'L');
}

static void long_link(struct buf *tar)
{
	long_text(tar, 'K');
}

static void large_holes(struct buf *tar)
{
	static const char *const sizes[] = { "1",
					     "274877906944" }; /* 256 GiB is still one file's */
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		_cleanup_(buf_done) struct buf pax = { 0 };
		pax_record(&pax, "GNU.sparse.size", sizes[i], strlen(sizes[i]));
		pax_record(&pax, "GNU.sparse.map", "", 0);
		tar_pax(tar, pax.p, pax.len);
		if (i == 0)
			tar_put(tar, (struct tarh){ .name = "one" });
	}
}

/* What stands before a member: `before`. */
static void apply__refuses_too_much_about_a_member(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct {
		void (*before)(struct buf *tar);
		char type;
		const char *says;
	} cases[] = {
		{ many_pieces, '0', "a sparse file has more than 65536 pieces" },
		{ large_attribute, '0', "the attribute user.large is larger than 65536 bytes" },
		{ many_attributes, '0',
		  "the attributes of one file are larger than 1048576 bytes" },
		{ global_path, '0', "a global extended header sets path for all files" },
		{ zeros_before, '0', "the archive is damaged (a block of zeros before a header)" },
		{ long_name, '0', "a name in the archive is longer than 4096 bytes" },
		{ long_link, '2', "a link target in the archive is longer than 4096 bytes" },
		{ large_holes, '0', "its sparse files have more than 274877906944 bytes of holes" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		_free_ char *dir = str_printf("b%zu", i);
		_close_ int fd = new_dir(f, dir);
		struct index x;
		cases[i].before(&tar);
		tar_put(&tar, (struct tarh){ .name = "x", .type = cases[i].type, .link = "x" });
		tar_end(&tar);
		assert_int_equal(apply_bytes(fd, buf_view(&tar), &o, &x, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.chain[0], cases[i].says);
	}
}

static void apply__refuses_wild_pax_records(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct {
		const char *pairs; /* "key=value;key=value" */
		const char *data, *err;
	} cases[] = {
		{ "size=-1", NULL, "bad value for size" },
		{ "size=9223372036854775808", NULL, "bad value for size" },
		{ "size=9223372036854775807", "x", "ends in the middle" },
		{ "uid=4294967295", NULL, "bad value for uid" },
		{ "gid=-1", NULL, "bad value for gid" },
		{ "mtime=1x", NULL, "bad value for mtime" },
		{ "mtime=1.2x", NULL, "bad value for mtime" },
		{ "mtime=99999999999999999999", NULL, "bad value for mtime" },
		{ "path=", NULL, NULL },
		{ "SCHILY.xattr.=x", NULL, "bad name" },
		{ "GNU.sparse.map=0,1,2,3", NULL, "map of a sparse file is damaged" },
		{ "GNU.sparse.size=9;GNU.sparse.map=0,1,2", NULL, "bad value for GNU.sparse.map" },
		{ "GNU.sparse.size=9;GNU.sparse.map=0,4,2,4", "12345678", "not in order" },
		{ "GNU.sparse.size=9;GNU.sparse.map=4,4,0,4", "12345678", "not in order" },
		{ "GNU.sparse.size=9;GNU.sparse.map=5,8", "12345678", "not in order" },
		{ "GNU.sparse.size=9;GNU.sparse.map=9223372036854775807,9223372036854775807", NULL,
		  "not in order" },
		{ "GNU.sparse.size=9;GNU.sparse.map=0,4", "12345678", "its bytes differ" },
		{ "GNU.sparse.size=9;GNU.sparse.map=0,9", "12345678", "its bytes differ" },
		{ "GNU.sparse.size=9;GNU.sparse.offset=0", NULL,
		  "map of a sparse file is damaged" },
		{ "GNU.sparse.size=9;GNU.sparse.numbytes=0", NULL, "bad value" },
		{ "GNU.sparse.size=999999999999;GNU.sparse.map=", NULL, "larger than" },
		{ "GNU.sparse.size=9;GNU.sparse.map=0,8,8,1", "123456789", NULL },
		{ "GNU.sparse.major=2;GNU.sparse.minor=0;GNU.sparse.realsize=9", NULL,
		  "sparse format 2.0" },
		{ "GNU.sparse.major=1;GNU.sparse.minor=0;GNU.sparse.realsize=9", "x\n",
		  "is damaged" },
		{ "GNU.sparse.major=1;GNU.sparse.minor=0;GNU.sparse.realsize=9", "99999999\n",
		  "more than" },
		{ "GNU.sparse.major=1;GNU.sparse.minor=0;GNU.sparse.realsize=9", "1\n0\n1\n",
		  "is damaged" },
		{ "GNU.sparse.major=1;GNU.sparse.minor=0;GNU.sparse.realsize=9", "1",
		  "is damaged" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 }, line = { 0 };
		struct slice rest = slice_of(cases[i].pairs), pair;
		_free_ char *dir = str_printf("p%zu", i);
		_close_ int fd = new_dir(f, dir);
		struct index x;
		while (slice_split(&rest, ';', &pair)) {
			size_t eq = slice_find(pair, '=');
			_free_ char *key = slice_dup(slice_head(pair, eq));
			pax_record(&pax, key, pair.p + eq + 1, pair.n - eq - 1);
		}
		tar_pax(&tar, pax.p, pax.len);
		tar_put(&tar, (struct tarh){ .name = "x", .data = cases[i].data });
		tar_end(&tar);
		int r = apply_bytes(fd, buf_view(&tar), &o, &x, &f->e);
		if (!cases[i].err) {
			ok(f, r);
			index_done(&x);
			continue;
		}
		assert_int_equal(r, -1);
		assert_int_equal(f->e.kind, ERR_DATA);
		err_line(&f->e, &line);
		if (!strstr(line.p, cases[i].err))
			print_message("# %s: %s\n", cases[i].pairs, line.p);
		assert_non_null(strstr(line.p, cases[i].err));
	}
}

static void apply__keeps_its_limits(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, deep = { 0 }, bomb = { 0 };
	struct index x;
	for (int i = 0; i < 20; i++) {
		_free_ char *name = str_printf("f%d", i);
		tar_put(&tar, (struct tarh){ .name = name, .data = "0123456789" });
	}
	tar_end(&tar);
	_close_ int a = new_dir(f, "a"), b = new_dir(f, "b"), c = new_dir(f, "c"),
		    d = new_dir(f, "d");
	o.max_entries = 19;
	assert_int_equal(apply_bytes(a, buf_view(&tar), &o, &x, &f->e), -1);
	o.max_entries = 0;
	o.max_bytes = 199;
	assert_int_equal(apply_bytes(b, buf_view(&tar), &o, &x, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_DATA);
	o.max_bytes = 200;
	ok(f, apply_bytes(c, buf_view(&tar), &o, &x, &f->e));
	index_done(&x);

	/* implied directories count */
	buf_str(&deep, "a");
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, "/a");
	_cleanup_(buf_done) struct buf pax = { 0 };
	pax_record(&pax, "path", deep.p, deep.len);
	tar_pax(&bomb, pax.p, pax.len);
	tar_put(&bomb, (struct tarh){ .name = "x" });
	tar_end(&bomb);
	o.max_entries = 500;
	assert_int_equal(apply_bytes(d, buf_view(&bomb), &o, &x, &f->e), -1);
}

static void apply__reads_sparse_files_of_every_kind(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const char *const formats[] = { "--format=gnu", "--sparse-version=0.0",
					       "--sparse-version=0.1", "--sparse-version=1.0" };
	_close_ int src = new_dir(f, "src");
	_close_ int fd = openat(src, "holes", O_WRONLY | O_CREAT, 0644);
	for (int i = 0; i < 40; i++) /* more pieces than one old header and one block hold */
		assert_int_equal(pwrite(fd, "data", 4, (off_t)i * 100000 + 50000), 4);
	assert_int_equal(ftruncate(fd, 8000000), 0);
	_free_ char *src_path = str_printf("%s/src", f->dir);
	struct digest want;
	ok(f, entry_digest(src, "holes", &want, &f->e));
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 };
		const char *gnu = i == 0 ? "--format=gnu" : "--format=pax";
		char *argv[] = { (char *)"tar", (char *)"-C",    src_path,
				 (char *)"-S",  (char *)gnu,     (char *)formats[i],
				 (char *)"-c",  (char *)"holes", NULL };
		ok(f, proc_run(argv, &tar, &f->e));
		assert_true(tar.len < 1000000);
		_free_ char *dir = str_printf("s%zu", i);
		_close_ int to = new_dir(f, dir);
		struct index x;
		struct stat st;
		ok(f, apply_bytes(to, buf_view(&tar), &o, &x, &f->e));
		const struct entry *ent = index_find(&x, "holes");
		assert_non_null(ent);
		assert_int_equal(ent->size, 8000000);
		assert_true(digest_eq(&ent->digest, &want));
		assert_int_equal(fstatat(to, "holes", &st, 0), 0);
		assert_true(st.st_blocks * 512 < 4000000);
		ok(f, tree_verify(to, &x, &f->e));
		index_done(&x);
	}
}

static void apply__reads_what_gnu_tar_and_bsdtar_write(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const char *const writers[] = { "tar --format=v7",     "tar --format=ustar",
					       "tar --format=gnu",    "tar --format=oldgnu",
					       "tar --format=pax",    "bsdtar --format=ustar",
					       "bsdtar --format=pax", "bsdtar --format=gnutar",
					       "bsdtar --format=v7" };
	_close_ int src = new_dir(f, "src");
	_free_ char *longest = mem_alloc(256);
	memset(longest, 'n', 200);
	_close_ int d = (assert_int_equal(mkdirat(src, "dir", 0750), 0),
			 openat(src, "dir", O_RDONLY));
	assert_int_equal(symlinkat("dir/f", src, "link"), 0);
	_close_ int file = openat(d, "f", O_WRONLY | O_CREAT, 0640);
	assert_int_equal(write(file, "hello\n", 6), 6);
	assert_int_equal(linkat(d, "f", src, "hard", 0), 0);
	struct timespec t[2] = { { 1234567890, 0 }, { 1234567890, 0 } };
	for (size_t i = 0; i < COUNT_OF(writers); i++) {
		if (i == 4) { /* from here on all formats can do it */
			assert_int_equal(mkdirat(d, longest, 0700), 0);
			_close_ int deep = openat(d, longest, O_RDONLY);
			assert_int_equal(symlinkat(longest, deep, longest), 0);
		}
		if (strstr(writers[i], "bsdtar --format=ustar") ||
		    strstr(writers[i], "bsdtar --format=v7"))
			continue;
		assert_int_equal(utimensat(d, "f", t, 0), 0);
		assert_int_equal(utimensat(src, "link", t, AT_SYMLINK_NOFOLLOW), 0);
		if (i >= 4) {
			_free_ char *in = str_printf("%s/%s", longest, longest);
			assert_int_equal(utimensat(d, in, t, AT_SYMLINK_NOFOLLOW), 0);
			assert_int_equal(utimensat(d, longest, t, 0), 0);
		}
		assert_int_equal(utimensat(src, "dir", t, 0), 0);
		_free_ char *script = str_printf("cd %s/src && %s -cf - .", f->dir, writers[i]);
		char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
		_cleanup_(buf_done) struct buf tar = { 0 }, one = { 0 }, two = { 0 };
		ok(f, proc_run(argv, &tar, &f->e));
		_free_ char *name = str_printf("w%zu", i);
		_close_ int to = new_dir(f, name);
		struct index x;
		ok(f, apply_bytes(to, buf_view(&tar), &o, &x, &f->e));
		tree_text(src, true, &one);
		tree_text(to, true, &two);
		assert_same_text(&one, &two);
		ok(f, tree_verify(to, &x, &f->e));
		index_done(&x);
	}
}

static void entry__is_of_a_type_that_layers_hold(void **state)
{
	struct fixture *f = *state;
	struct arena a = { 0 };
	struct entry ent = { 0 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct stat st;
	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s/s", f->dir);
	_close_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(fstatat(f->fd, "s", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(entry_from_file(&a, f->fd, "s", &st, &ent, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_DATA);
	assert_string_equal(f->e.chain[0], "'s' is a socket; a layer cannot hold one");
	st.st_mode &= ~S_IFMT; /* as the kernel tells of what has no type, and FUSE may of a file */
	assert_int_equal(entry_from_file(&a, f->fd, "s", &st, &ent, &f->e), -1);
	assert_string_equal(f->e.chain[0], "'s' is of a type that a layer cannot hold");
	arena_done(&a);
}

/* The index is wrong, for the tree is as it was unpacked. */
static void verify__names_what_the_index_has_and_the_tree_not(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct xattr caps = { (char *)"security.capability", (char *)"x", 1 };
	static const struct {
		const char *path, *says;
		struct entry change; /* type, opaque, has_digest, xattrs, major */
	} cases[] = {
		{ "d",
		  "its mark as a replaced directory differs",
		  { .type = ENTRY_DIR, .opaque = true } },
		{ "f",
		  "its capabilities are lost",
		  { .type = ENTRY_FILE, .has_digest = true, .xattrs = &caps, .xattrs_n = 1 } },
		{ "f", "its content digest is not known", { .type = ENTRY_FILE } },
		{ "f", "the mark of its deletion is gone", { .type = ENTRY_WHITEOUT } },
		{ "w", "it is another device", { .type = ENTRY_CHAR, .major = 1, .minor = 3 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		_free_ char *name = str_printf("t%zu", i), *at = str_printf("'/%s'", cases[i].path);
		_close_ int fd = new_dir(f, name);
		struct index x;
		tar_put(&tar, (struct tarh){ .name = "d", .type = '5' });
		tar_put(&tar, (struct tarh){ .name = "f", .data = "12" });
		tar_put(&tar, (struct tarh){ .name = ".wh.w" });
		tar_end(&tar);
		ok(f, apply_bytes(fd, buf_view(&tar), &o, &x, &f->e));
		ok(f, tree_verify(fd, &x, &f->e));
		const struct entry *to = &cases[i].change;
		arr_each(ent, &x.entries) {
			if (strcmp(ent->path, cases[i].path) != 0)
				continue;
			ent->type = to->type;
			ent->opaque = to->opaque;
			ent->has_digest = to->has_digest;
			ent->xattrs = to->xattrs;
			ent->xattrs_n = to->xattrs_n;
			ent->major = to->major;
			ent->minor = to->minor;
		}
		assert_int_equal(tree_verify(fd, &x, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.chain[0], cases[i].says);
		assert_string_equal(e.chain[1], at);
		index_done(&x);
	}
}

static void digest__names_what_differs(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct {
		const char *script, *says;
	} cases[] = {
		{ "rm f", "it is missing in the tree" },
		{ "rm f; mkdir f", "it should be a file and is something else" },
		{ "printf 123 > f", "it should have 2 bytes and has 3" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		_free_ char *name = str_printf("t%zu", i);
		_close_ int fd = new_dir(f, name);
		struct index x;
		tar_put(&tar, (struct tarh){ .name = "f", .data = "12" });
		tar_end(&tar);
		ok(f, apply_bytes(fd, buf_view(&tar), &o, &x, &f->e));
		_free_ char *script = str_printf("cd %s/%s && %s", f->dir, name, cases[i].script);
		char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
		ok(f, proc_run(argv, NULL, &f->e));
		assert_int_equal(tree_digest(fd, &x, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.chain[0], cases[i].says);
		assert_string_equal(e.chain[1], "'/f'");
		index_done(&x);
	}
}

static void verify_and_digest__name_what_differs(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct {
		const char *script, *err;
	} cases[] = {
		{ "printf 1x > d/f; touch -d @1000000 d/f", "content" },
		{ "printf 123 > d/f", "bytes" },
		{ "rm d/f", "" },
		{ "touch d/new; touch -d @0 d", "should not be there" },
		{ "chmod 600 d/f", "mode" },
		{ "touch d/f", "time" },
		{ "ln -sfn other l; touch -h -d @1000000 l", "leads to" },
		{ "rm d/f; mkdir d/f; touch -d @0 d", "directory" },
		{ "rm z", "missing" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 }, line = { 0 };
		struct index x;
		tar_put(&tar, (struct tarh){ .name = "d/f", .data = "12" });
		tar_put(&tar, (struct tarh){ .name = "l", .type = '2', .link = "d" });
		tar_put(&tar, (struct tarh){ .name = "z", .data = "12" });
		tar_end(&tar);
		_free_ char *name = str_printf("t%zu", i);
		_close_ int fd = new_dir(f, name);
		ok(f, apply_bytes(fd, buf_view(&tar), &o, &x, &f->e));
		arr_each(ent, &x.entries)
			ent->has_digest = false;
		ok(f, tree_digest(fd, &x, &f->e));
		struct digest want;
		digest_of(SL("12"), &want);
		assert_true(digest_eq(&index_find(&x, "d/f")->digest, &want));
		_free_ char *script = str_printf("cd %s/%s && %s", f->dir, name, cases[i].script);
		char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
		ok(f, proc_run(argv, NULL, &f->e));
		assert_int_equal(tree_verify(fd, &x, &f->e), -1);
		assert_int_equal(f->e.kind, ERR_DATA);
		err_line(&f->e, &line);
		if (!strstr(line.p, cases[i].err))
			print_message("# %s: %s\n", cases[i].script, line.p);
		assert_non_null(strstr(line.p, cases[i].err));
		index_done(&x);
	}
}

int main(void)
{
	tests_begin();
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(apply__table),
		T(apply__keeps_all_metadata),
		T(apply__stands_in_for_what_cannot_be_set),
		T(apply__refuses_what_is_malformed),
		T(apply__refuses_wild_numbers),
		T(apply__refuses_too_much_about_a_member),
		T(apply__refuses_wild_pax_records),
		T(apply__keeps_its_limits),
		T(apply__reads_sparse_files_of_every_kind),
		T(apply__reads_what_gnu_tar_and_bsdtar_write),
		T(entry__is_of_a_type_that_layers_hold),
		T(verify__names_what_the_index_has_and_the_tree_not),
		T(digest__names_what_differs),
		T(verify_and_digest__name_what_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
