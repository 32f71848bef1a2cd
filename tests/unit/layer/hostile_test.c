/* SPDX-License-Identifier: Apache-2.0 */
/* Archives made to do harm, unpacked as layers (tree_apply) and as plain archives (tree_unpack, which
 * is import and ADD). Beside the tree lies `outside`, whose files, names, modes and times must be
 * after each case what they were. */
#include "base/alloc.h"
#include "fixture.h"
#include "layer/compress.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEASURES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEASURES 0
#endif
#endif
#ifndef MEASURES
#define MEASURES 1
#endif

typedef int unpack_fn(int, struct source *, const struct tree_opts *, struct index *, struct err *);
static int apply(int fd, struct source *in, const struct tree_opts *o, struct index *x,
		 struct err *e)
{
	struct tree_stream sum;
	return tree_apply(fd, in, o, &sum, x, e);
}
static unpack_fn *const ways[] = { apply, tree_unpack };

static void make_outside(struct fixture *f)
{
	_close_ int dir = new_dir(f, "outside");
	_close_ int file = openat(dir, "canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	assert_int_equal(write(file, "alive", 5), 5);
	assert_int_equal(mkdirat(dir, "dir", 0750), 0);
	assert_int_equal(symlinkat("canary", dir, "link"), 0);
}

static void outside_text(struct fixture *f, struct buf *out)
{
	_close_ int dir = openat(f->fd, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	tree_text(dir, true, out);
}

/* Unpacks in a new directory. 0 or -1, and the error's line in *line. */
static int attempt(struct fixture *f, unpack_fn *how, struct slice bytes, const struct tree_opts *o,
		   struct buf *line)
{
	static unsigned nr;
	_free_ char *name = str_printf("tree%u", nr++);
	_close_ int fd = new_dir(f, name);
	_cleanup_(source_closep) struct source *in = source_mem(bytes.p, bytes.n);
	_cleanup_(err_done) struct err e = { 0 };
	struct index x;
	int r = how(fd, in, o, &x, &e);
	buf_clear(line);
	buf_str(line, "");
	if (r < 0) {
		assert_int_not_equal(e.kind, 0);
		err_line(&e, line);
		return -1;
	}
	ok(f, tree_verify(fd, &x, &f->e)); /* all that the index says is in the tree, and no more */
	index_done(&x);
	return 0;
}

struct member {
	const char *name;
	char type;
	const char *link;
};

/* OUT in a name or link is the absolute path of `outside`. */
static char *expand(struct fixture *f, const char *text)
{
	const char *at = text ? strstr(text, "OUT") : NULL;
	if (!text)
		return NULL;
	return at ? str_printf("%.*s%s/outside%s", (int)(at - text), text, f->dir, at + 3)
		  : str_dup(text);
}

static void hostile__nothing_is_written_outside(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	/* layer, plain: NULL: it is contained; else what the error says */
	static const struct {
		struct member m[5];
		const char *layer, *plain;
	} cases[] = {
		{ { { "../outside/new" } }, "leads out", "leads out" },
		{ { { "../../../../../../../../tmp/thimble-new" } }, "leads out", "leads out" },
		{ { { "a/../../outside/canary" } }, "leads out", "leads out" },
		{ { { "./.././outside/canary" } }, "leads out", "leads out" },
		{ { { "..", '5' } }, "leads out", "leads out" },
		{ { { "OUT/canary" } }, NULL, NULL },
		{ { { "//OUT/canary" } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "l/canary" } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "l/new", '5' } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "l/dir", '5' }, { "l/dir/x" } }, NULL, NULL },
		{ { { "l", '2', "../outside" }, { "l/canary" } }, NULL, NULL },
		{ { { "l", '2', "../../../../../../../.." }, { "l/tmp/thimble-new" } }, NULL, NULL },
		{ { { "l", '2', "OUT/canary" }, { "l" } }, NULL, NULL },
		{ { { "l", '2', "OUT/canary" }, { "l", '5' } }, NULL, NULL },
		{ { { "l", '2', "OUT/new" }, { "l" } }, NULL, NULL },
		{ { { "l", '2', "OUT/dir" }, { "l", '5' }, { "l/x" } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "m", '2', "l" }, { "m/canary" } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "d/m", '2', "../l/dir" }, { "d/m/x" } }, NULL, NULL },
		{ { { "l", '2', "." }, { "l/l/l/l/../outside/x" } }, "leads out", "leads out" },
		{ { { "l", '2', "/proc/self/cwd" }, { "l/x" } }, NULL, NULL },
		{ { { "l", '2', "/proc/self/root" }, { "l/tmp/thimble-new" } }, NULL, NULL },
		{ { { "l", '2', "/proc/self/fd/3" }, { "l/x" } }, NULL, NULL },
		{ { { "h", '1', "../outside/canary" } }, "leads out", "leads out" },
		{ { { "h", '1', "OUT/canary" } }, "not in this archive", "not in this archive" },
		{ { { "l", '2', "OUT" }, { "h", '1', "l/canary" } },
		  "not in this archive",
		  "not in this archive" },
		{ { { "l", '2', "OUT/canary" }, { "h", '1', "l" }, { "h" } }, NULL, NULL },
		{ { { "l", '2', "OUT/canary" }, { "h", '1', "l" }, { "h", '5' }, { "h/x" } },
		  NULL,
		  NULL },
		{ { { "h", '1', "/etc/shadow" } }, "not in this archive", "not in this archive" },
		{ { { "l", '2', "OUT" }, { "l/p", '6' } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "l/canary", '2', "/etc/passwd" } }, NULL, NULL },
		{ { { "d/x" }, { "d", '2', "OUT" }, { "d/canary" } }, NULL, NULL },
		{ { { "d/x" }, { "d", '2', "OUT" }, { "d", '5' }, { "d/canary" } }, NULL, NULL },
		{ { { "d", '5' }, { "d/l", '2', "OUT" }, { "d" } }, NULL, NULL },
		/* deletions: in a plain archive they are names like others */
		{ { { "l", '2', "OUT" }, { "l/.wh.canary" } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { "l/.wh..wh..opq" } }, NULL, NULL },
		{ { { "l", '2', "OUT" }, { ".wh.l" } }, NULL, NULL },
		{ { { ".wh.." } }, "whiteout of nothing", NULL },
		{ { { ".wh..." } }, "whiteout of nothing", NULL },
		{ { { "d/.wh..." } }, "whiteout of nothing", NULL },
		{ { { "../.wh.outside" } }, "leads out", "leads out" },
		{ { { "d/../../.wh.outside" } }, "leads out", "leads out" },
		{ { { ".wh.d/../../outside/canary" } }, "leads out", "leads out" },
		{ { { ".wh.d", '2', "OUT" }, { ".wh.d/canary" } }, "below a deletion", NULL },
		{ { { ".wh.d", '5' }, { ".wh.d/x" } }, "below a deletion", NULL },
		{ { { "d", '5' }, { "d/x" }, { ".wh.d" }, { "d/../../outside/x" } },
		  "leads out",
		  "leads out" },
	};
	_cleanup_(buf_done) struct buf before = { 0 }, after = { 0 }, line = { 0 };
	make_outside(f);
	outside_text(f, &before);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t k = 0; k < COUNT_OF(ways); k++) {
			_cleanup_(buf_done) struct buf tar = { 0 };
			const char *want = k ? cases[i].plain : cases[i].layer;
			for (const struct member *m = cases[i].m; m < cases[i].m + 5 && m->name;
			     m++) {
				_free_ char *name = expand(f, m->name), *link = expand(f, m->link);
				tar_put(&tar, (struct tarh){ .name = name,
							     .type = m->type,
							     .link = link,
							     .mode = 0777,
							     .data = m->type ? NULL : "dead" });
			}
			tar_end(&tar);
			int r = attempt(f, ways[k], buf_view(&tar), &o, &line);
			if ((r < 0) != (want != NULL) || (want && !strstr(line.p, want)))
				fail_msg("case %zu (%s), way %zu: %s", i, cases[i].m[0].name, k,
					 r < 0 ? line.p : "unpacked");
			buf_clear(&after);
			outside_text(f, &after);
			assert_same_text(&before, &after);
			assert_false(fs_exists(AT_FDCWD, "/tmp/thimble-new"));
		}
}

/* ---- lengths ---- */

static void fill_name(struct buf *b, size_t n, size_t part)
{
	buf_clear(b);
	buf_str(b, "");
	for (size_t i = 0; i < n; i++)
		buf_char(b, i % (part + 1) == part && i + 1 < n ? '/' : 'n');
}

static void hostile__names_have_a_limit(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	/* in parts of at most 255 bytes, and of one part */
	static const struct {
		size_t n, part;
		bool fine;
	} lengths[] = {
		{ 1, 255, true },      { 99, 255, true },       { 100, 255, true },
		{ 101, 255, true },    { 255, 255, true },      { 256, 256, false },
		{ 257, 255, true },    { 4095, 255, true },     { 4095, 15, true },
		{ 4096, 255, false },  { 4096, 4096, false },   { 4097, 255, false },
		{ 65536, 255, false }, { 65536, 65536, false },
	};
	_cleanup_(buf_done) struct buf name = { 0 }, line = { 0 };
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		for (size_t carrier = 0; carrier < 4; carrier++)
			for (size_t k = 0; k < COUNT_OF(ways); k++) {
				_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 };
				bool is_link = carrier & 1;
				fill_name(&name, lengths[i].n, lengths[i].part);
				if (carrier < 2) {
					pax_record(&pax, is_link ? "linkpath" : "path", name.p,
						   name.len);
					tar_pax(&tar, pax.p, pax.len);
				} else {
					tar_put(&tar, (struct tarh){ .name = "././@LongLink",
								     .type = is_link ? 'K' : 'L',
								     .gnu = true,
								     .data = name.p,
								     .size = name.len + 1 });
				}
				tar_put(&tar, (struct tarh){ .name = "x",
							     .type = is_link ? '2' : '0',
							     .link = is_link ? "x" : NULL });
				tar_end(&tar);
				/* what a link says is not judged until it is followed */
				bool fine = lengths[i].fine || (is_link && lengths[i].n < 4096);
				int r = attempt(f, ways[k], buf_view(&tar), &o, &line);
				if ((r == 0) != fine)
					fail_msg("%zu bytes in parts of %zu, carrier %zu: %s",
						 lengths[i].n, lengths[i].part, carrier,
						 r < 0 ? line.p : "unpacked");
				if (r < 0)
					assert_non_null(strstr(line.p, "long"));
			}
}

/* Neither the archive's name nor the link's target is too long, what they come to is. */
static void hostile__links_lead_to_no_longer_names(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const struct {
		size_t target, part, name;
		const char *prefix, *layer, *plain;
	} cases[] = {
		{ 256, 256, 1, "", "the name is too long once links are followed",
		  "the name is too long once links are followed" },
		{ 4000, 250, 94, "", NULL, NULL },
		{ 4000, 250, 95, "", "the name is longer than 4095 bytes",
		  "the name is longer than 4095 bytes" },
		{ 4000, 250, 94, ".wh.", NULL, "the name is longer than 4095 bytes" },
		{ 4000, 250, 95, ".wh.", "the name is too long",
		  "the name is longer than 4095 bytes" },
	};
	_cleanup_(buf_done) struct buf target = { 0 }, name = { 0 }, line = { 0 };
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t k = 0; k < COUNT_OF(ways); k++) {
			_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 };
			const char *want = k ? cases[i].plain : cases[i].layer;
			fill_name(&target, cases[i].target, cases[i].part);
			fill_name(&name, cases[i].name, cases[i].name);
			pax_record(&pax, "linkpath", target.p, target.len);
			tar_pax(&tar, pax.p, pax.len);
			tar_put(&tar, (struct tarh){ .name = "l", .type = '2', .link = "x" });
			_free_ char *below = str_printf("l/%s%s", cases[i].prefix, name.p);
			buf_clear(&pax);
			pax_record(&pax, "path", below, strlen(below));
			tar_pax(&tar, pax.p, pax.len);
			tar_put(&tar, (struct tarh){ .name = "x" });
			tar_end(&tar);
			int r = attempt(f, ways[k], buf_view(&tar), &o, &line);
			/* the line ends with the cause */
			bool said = want && r < 0 && slice_ends(buf_view(&line), slice_of(want));
			if (want ? !said : r < 0)
				fail_msg("case %zu, way %zu: %s", i, k,
					 r < 0 ? line.p : "unpacked");
		}
}

/* ---- cut off, everywhere ---- */

static void hostile__survives_every_cut(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 }, line = { 0 };
	_free_ char *text = mem_alloc(1500);
	memset(text, 't', 1500);
	pax_record(&pax, "path", text, 200);
	pax_record(&pax, "SCHILY.xattr.user.a", text, 300);
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "x", .data = text, .size = 1500 });
	tar_put(&tar,
		(struct tarh){ .name = "././@LongLink", .type = 'L', .data = text, .size = 150 });
	tar_put(&tar, (struct tarh){ .name = "x", .type = '5' });
	tar_put(&tar, (struct tarh){ .name = "l", .type = '2', .link = "x" });
	buf_clear(&pax);
	pax_record(&pax, "GNU.sparse.major", "1", 1);
	pax_record(&pax, "GNU.sparse.minor", "0", 1);
	pax_record(&pax, "GNU.sparse.realsize", "700", 3);
	tar_pax(&tar, pax.p, pax.len);
	_free_ char *map = mem_alloc(512 + 600);
	memset(map, 0, 512 + 600);
	memcpy(map, "1\n100\n600\n", 10);
	tar_put(&tar, (struct tarh){ .name = "sparse", .data = map, .size = 512 + 600 });
	size_t whole = tar.len;
	tar_end(&tar);
	assert_int_equal(attempt(f, apply, buf_view(&tar), &o, &line), 0);
	unsigned refused = 0;
	for (size_t at = 0; at < whole; at += at % 512 == 0 ? 1 : at % 512 == 1 ? 255 : 256)
		for (size_t k = 0; k < COUNT_OF(ways); k++)
			refused += attempt(f, ways[k], slice_head(buf_view(&tar), at), &o, &line) <
				   0;
	assert_true(refused > 50); /* without zeros at the end, whole members are an archive */
}

/* ---- without end ---- */

struct endless {
	struct source base;
	struct buf head, again; /* once, then for ever */
	size_t at;
	bool in_again;
	uint64_t given;
};

static ssize_t endless_read(struct source *s, void *p, size_t n, struct err *e)
{
	struct endless *x = (struct endless *)s;
	(void)e;
	const struct buf *b = x->in_again ? &x->again : &x->head;
	if (x->at == b->len) {
		x->in_again = true;
		x->at = 0;
		b = &x->again;
	}
	size_t some = b->len - x->at < n ? b->len - x->at : n;
	memcpy(p, b->p + x->at, some);
	x->at += some;
	x->given += some;
	return (ssize_t)some;
}

static void endless_close(struct source *s)
{
	(void)s;
}

static struct endless endless_new(void)
{
	static const struct source_ops ops = { endless_read, endless_close };
	return (struct endless){ .base = { &ops } };
}

static void endless_done(struct endless *x)
{
	buf_done(&x->head);
	buf_done(&x->again);
}

static void hostile__ends_what_has_no_end(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	static const char *const what[] = { "x",        "g",           "L",     "K",
					    "V",        "files",       "zeros", "sparse",
					    "one file", "directories", "links" };
	o.max_bytes = 8 << 20;
	o.max_entries = 3000;
	for (size_t i = 0; i < COUNT_OF(what); i++) {
		_cleanup_(endless_done) struct endless x = endless_new();
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(buf_done) struct buf records = { 0 };
		struct index ignored;
		_free_ char *dir = str_printf("endless%zu", i);
		_close_ int fd = new_dir(f, dir);
		const char *w = what[i];
		if (strcmp(w, "zeros") == 0) { /* behind the end of the archive */
			tar_put(&x.head, (struct tarh){ .name = "a" });
			buf_zero(&x.again, 4096);
		} else if (strcmp(w, "one file") == 0) {
			tar_head(&x.head,
				 &(struct tarh){ .name = "a", .size_field = "77777777777" }, 0);
			buf_zero(&x.again, 4096);
		} else if (strcmp(w, "sparse") ==
			   0) { /* GNU's map goes on in blocks that hold nothing */
			tar_head(&x.head, &(struct tarh){ .name = "a", .type = 'S', .gnu = true },
				 0);
			x.head.p[482] = 1;
			tar_seal(x.head.p);
			buf_zero(&x.again, 512);
			x.again.p[504] = 1;
		} else if (strcmp(w, "files") == 0) {
			tar_put(&x.again, (struct tarh){ .name = "a", .data = "x" });
		} else if (strcmp(w, "directories") == 0) {
			tar_put(&x.again, (struct tarh){ .name = "a/b/c/d" });
			tar_put(&x.again, (struct tarh){ .name = "a" });
		} else if (strcmp(w, "links") == 0) {
			tar_put(&x.again, (struct tarh){ .name = "l", .type = '2', .link = "OUT" });
		} else {
			if (*w == 'x' || *w == 'g')
				pax_record(&records, "comment", "c", 1);
			tar_put(&x.again, (struct tarh){ .name = "h",
							 .type = *w,
							 .data = records.p ? records.p : "name",
							 .size = records.p ? records.len : 5 });
		}
		assert_int_equal(tree_apply(fd, &x.base, &o, NULL, &ignored, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_true(x.given < 80u << 20);
	}
}

/* ---- memory ---- */

/* In a process of its own; it returns MiB of its peak. */
static long peak_of(struct fixture *f, const struct tree_opts *o, struct slice bytes,
		    enum compression packed, const char *want)
{
	static unsigned nr;
	_free_ char *name = str_printf("peak%u", nr++);
	_close_ int fd = new_dir(f, name);
	pid_t pid = fork();
	if (pid == 0) {
		struct err e = { 0 };
		struct buf line = { 0 };
		struct index x;
		struct source *in = source_mem(bytes.p, bytes.n);
		if (packed != COMP_NONE)
			in = comp_source_auto(in, NULL, &e);
		int r = tree_apply(fd, in, o, NULL, &x, &e);
		err_line(&e, &line);
		if (r == 0 || !strstr(line.p, want))
			fprintf(stderr, "# %s\n", r ? line.p : "unpacked");
		_exit(r == 0 || !strstr(line.p, want));
	}
	struct rusage used;
	int status;
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	assert_int_equal(status, 0);
	return used.ru_maxrss / 1024;
}

static void hostile__memory_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 }, deep = { 0 }, text = { 0 };

	/* a short name for each of 2000 directories */
	o.max_about = 8 << 20;
	for (int i = 0; i < 40; i++) {
		buf_clear(&deep);
		buf_printf(&deep, "%d", i);
		while (deep.len < 4000)
			buf_str(&deep, "/aaaaaaa");
		buf_clear(&pax);
		pax_record(&pax, "path", deep.p, deep.len);
		tar_pax(&tar, pax.p, pax.len);
		tar_put(&tar, (struct tarh){ .name = "x" });
	}
	tar_end(&tar);
	long peak = peak_of(f, &o, buf_view(&tar), COMP_NONE, "names and attributes");
	if (MEASURES)
		assert_true(peak < 64);

	/* attributes that a global header gives to every file */
	buf_clear(&tar);
	buf_clear(&pax);
	buf_zero(&text, 60000);
	for (int i = 0; i < 16; i++) {
		_free_ char *key = str_printf("SCHILY.xattr.user.a%d", i);
		pax_record(&pax, key, text.p, text.len);
	}
	tar_put(&tar, (struct tarh){ .name = "g", .type = 'g', .data = pax.p, .size = pax.len });
	for (int i = 0; i < 500; i++) {
		_free_ char *name = str_printf("p%d", i);
		tar_put(&tar, (struct tarh){ .name = name, .type = '6' });
	}
	tar_end(&tar);
	o.mode =
		TREE_USER; /* and so kept in the index alone, where a file system has no room for it */
	peak = peak_of(f, &o, buf_view(&tar), COMP_NONE, "names and attributes");
	if (MEASURES)
		assert_true(peak < 64);
	o = root_opts();

	/* 256 MiB of zeros in 256 KiB */
	buf_clear(&tar);
	_cleanup_(buf_done) struct buf packed = { 0 };
	tar_head(&tar, &(struct tarh){ .name = "bomb" }, 256 << 20);
	buf_zero(&tar, 256 << 20);
	tar_end(&tar);
	static const enum compression kinds[] = { COMP_GZIP, COMP_ZSTD };
	o.max_bytes = 16 << 20;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		buf_clear(&packed);
		_cleanup_(sink_closep) struct sink *to = sink_buf(&packed);
		_cleanup_(sink_closep) struct sink *comp = comp_sink(to, kinds[i], 0, &f->e);
		assert_non_null(comp);
		ok(f, sink_write(comp, tar.p, tar.len, &f->e));
		ok(f, sink_finish(comp, &f->e));
		assert_true(packed.len < 2 << 20);
		(void)peak_of(f, &o, buf_view(&packed), kinds[i], "expands to more than");
	}
}

/* ---- while another process moves things ---- */

struct racer {
	int treefd;
	const char *outside;
	atomic_bool stop;
	unsigned turns;
};

/* A directory that is being filled becomes a link to outside, and a directory again. */
static void *race(void *arg)
{
	struct racer *r = arg;
	while (!r->stop) {
		if (renameat(r->treefd, "d", r->treefd, "was") < 0)
			continue;
		(void)symlinkat(r->outside, r->treefd, "d");
		for (volatile int i = 0; i < 2000; i++)
			;
		(void)unlinkat(r->treefd, "d", 0);
		(void)renameat(r->treefd, "was", r->treefd, "d");
		r->turns++;
	}
	return NULL;
}

static void hostile__a_racing_link_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, before = { 0 }, after = { 0 };
	make_outside(f);
	outside_text(f, &before);
	_free_ char *outside = str_printf("%s/outside", f->dir);
	for (int i = 0; i < 600; i++) { /* the parent directory is opened anew for each */
		_free_ char *d = str_printf("d/%d", i), *other = str_printf("e/%d", i);
		tar_put(&tar, (struct tarh){ .name = d, .data = "x", .mode = 0777 });
		tar_put(&tar, (struct tarh){ .name = other, .type = i % 3 ? '5' : '6' });
		tar_put(&tar, (struct tarh){ .name = "d/canary", .data = "dead", .mode = 0777 });
		tar_put(&tar, (struct tarh){ .name = "d/dir", .type = '5', .mode = 0777 });
	}
	tar_end(&tar);
	unsigned turns = 0;
	for (int k = 0; k < 12; k++) {
		_free_ char *name = str_printf("raced%d", k);
		_close_ int fd = new_dir(f, name);
		struct racer r = { .treefd = fd, .outside = outside };
		pthread_t t;
		assert_int_equal(pthread_create(&t, NULL, race, &r), 0);
		_cleanup_(source_closep) struct source *in = source_mem(tar.p, tar.len);
		_cleanup_(err_done) struct err e = { 0 };
		struct index x;
		if (ways[k & 1](fd, in, &o, &x, &e) == 0)
			index_done(&x);
		r.stop = true;
		pthread_join(t, NULL);
		turns += r.turns;
		outside_text(f, &after);
		assert_same_text(&before, &after);
		buf_clear(&after);
	}
	assert_true(turns > 0);
}

/* ---- what is kept, but in no way that acts ---- */

static void hostile__attributes_do_not_act(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (not_root())
		skip();
	static const struct {
		const char *key, *value;
		size_t n;
		bool refused, kept;
	} cases[] = {
		{ "trusted.overlay.opaque", "y", 1, false, false },
		{ "trusted.overlay.redirect", "/etc", 4, false, false },
		{ "trusted.overlay.metacopy", "", 0, false, false },
		{ "trusted.overlay.overlay.opaque", "y", 1, false, false },
		{ "trusted.overlay.", "y", 1, false, false },
		{ "user.overlay.opaque", "y", 1, false, false },
		{ "user.overlay.redirect", "/etc", 4, false, false },
		{ "user.overlay.whiteouts", "y", 1, false, false },
		{ "security.selinux", "x", 1, false, false },
		{ "security.capability", "xyz", 3, true, false },
		{ "security.capability", "\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, true,
		  false },
		{ "security.capability", "\1\0\0\2\xff\xff\xff\xff\0\0\0\0\xff\1\0\0\0\0\0\0", 20,
		  false, true },
		{ "user.a", "b", 1, false, true },
		{ "no-such-namespace", "b", 1, true, false },
		{ "system.posix_acl_access", "bad", 3, true, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 }, line = { 0 };
		_free_ char *key = str_printf("SCHILY.xattr.%s", cases[i].key);
		_free_ char *dir = str_printf("a%zu", i),
			    *path = str_printf("%s/a%zu/f", f->dir, i);
		_close_ int fd = new_dir(f, dir);
		_cleanup_(err_done) struct err e = { 0 };
		struct index x;
		char value[64];
		pax_record(&pax, key, cases[i].value, cases[i].n);
		tar_pax(&tar, pax.p, pax.len);
		tar_put(&tar, (struct tarh){ .name = "f", .data = "x", .mode = 06755 });
		tar_end(&tar);
		int r = apply_bytes(fd, buf_view(&tar), &o, &x, &e);
		if ((r < 0) != cases[i].refused)
			fail_msg("case %zu (%s)", i, cases[i].key);
		if (r < 0) {
			err_line(&e, &line);
			assert_non_null(strstr(line.p, cases[i].key));
			continue;
		}
		assert_int_equal(getxattr(path, cases[i].key, value, sizeof value) >= 0,
				 cases[i].kept);
		assert_int_equal(index_find(&x, "f")->xattrs_n, cases[i].kept);
		assert_int_equal(index_find(&x, "f")->mode, 06755);
		index_done(&x);
	}
}

int main(void)
{
	tests_begin();
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(hostile__nothing_is_written_outside),    T(hostile__names_have_a_limit),
		T(hostile__links_lead_to_no_longer_names), T(hostile__survives_every_cut),
		T(hostile__ends_what_has_no_end),          T(hostile__memory_is_bounded),
		T(hostile__a_racing_link_leads_nowhere),   T(hostile__attributes_do_not_act),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
