/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "layer/view.h"

/* "name/" a directory, "name!" an opaque one, "-name" a whiteout, "name>target" a link, else a
 * file; separated by blanks. */
static void layer(struct index *x, const char *spec)
{
	struct slice rest = slice_of(spec), one;
	index_init(x);
	while (slice_split(&rest, ' ', &one)) {
		if (one.n == 0)
			continue;
		size_t arrow = slice_find(one, '>');
		char last = one.p[one.n - 1];
		if (one.p[0] == '-')
			index_add(x, slice_from(one, 1), ENTRY_WHITEOUT);
		else if (arrow < one.n)
			index_add(x, slice_head(one, arrow), ENTRY_SYMLINK)->link =
				arena_str(&x->arena, slice_from(one, arrow + 1));
		else if (last == '/' || last == '!')
			index_add(x, slice_head(one, one.n - 1), ENTRY_DIR)->opaque = last == '!';
		else
			index_add(x, one, ENTRY_FILE);
	}
	index_sort(x);
}

static void walk_text(struct view *v, const char *key, struct buf *out)
{
	struct view_walk *w = view_walk_open(v, key, NULL);
	struct view_hit hit;
	int r;
	buf_clear(out);
	buf_str(out, "");
	while ((r = view_walk_next(w, &hit, NULL)) > 0)
		buf_printf(out, "%s%s@%d", out->len ? " " : "", hit.entry->path, hit.layer);
	assert_int_equal(r, 0);
	view_walk_close(w);
}

static void push__merges_as_overlayfs_does(void **state)
{
	(void)state;
	static const struct {
		const char *layers[4], *want;
	} cases[] = {
		{ { "a/ a/x a/y b" }, "a@0 a/x@0 a/y@0 b@0" },
		{ { "a/ a/x a/y b", "a/ a/x" }, "a@1 a/x@1 a/y@0 b@0" },
		{ { "a/ a/x a/y b", "-a" }, "b@0" },
		{ { "a/ a/x a/y a.b ab", "-a" }, "a.b@0 ab@0" },
		{ { "a/ a/x a/y b", "a" }, "a@1 b@0" },
		{ { "a/ a/x a/y b", "a! a/z" }, "a@1 a/z@1 b@0" },
		{ { "a/ a/x a/y b", "a! a/y/ a/y/q" }, "a@1 a/y@1 a/y/q@1 b@0" },
		{ { "a/ a/x/ a/x/1 a/x/2 a/y", "a/ a/x!" }, "a@1 a/x@1 a/y@0" },
		{ { "a/ a/x/ a/x/1 a/y", "a! a/b a/x/" }, "a@1 a/b@1 a/x@1" },
		{ { "a/ a/x", "-a", "a/ a/y" }, "a@2 a/y@2" },
		{ { "a/ a/x", "a", "a/ a/y" }, "a@2 a/y@2" },
		{ { "a", "a/ a/y" }, "a@1 a/y@1" },
		{ { "a/ a/b/ a/b/c", "a/ -a/b" }, "a@1" },
		{ { "a/ a/b/ a/b/c", "a/ -a/b", "a/ a/b/ a/b/d" }, "a@2 a/b@2 a/b/d@2" },
		{ { "a b", "-nothing" }, "a@0 b@0" },
		{ { "a/ a/b", "! c" }, "c@1" },
		{ { "a>b", "a/ a/x" }, "a@1 a/x@1" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct view v = { 0 };
		struct index x[4] = { 0 };
		_cleanup_(buf_done) struct buf got = { 0 };
		for (int j = 0; j < 4 && cases[i].layers[j]; j++) {
			layer(&x[j], cases[i].layers[j]);
			struct view below =
				v; /* each time on a copy, which must not need its model */
			view_copy(&below, &v);
			view_done(&below);
			view_push(&v, &x[j]);
		}
		walk_text(&v, "", &got);
		const char *p = got.p;
		if (strcmp(cases[i].layers[0], "a/ a/b") == 0 && strncmp(p, "@1 ", 3) == 0)
			p += 3;
		assert_string_equal(p, cases[i].want);
		view_done(&v);
		for (int j = 0; j < 4; j++)
			index_done(&x[j]);
	}
}

static void resolve__follows_as_the_kernel_does(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *path;
		bool follow;
		int want;
		const char *key;
	} cases[] = {
		{ "/", true, 1, "" },
		{ "", true, 1, "" },
		{ "/usr/lib/x", true, 1, "usr/lib/x" },
		{ "lib/x", true, 1, "usr/lib/x" },
		{ "/lib", false, 1, "lib" },
		{ "/lib", true, 1, "usr/lib" },
		{ "/lib/", false, 1, "usr/lib" },
		{ "abs/x", true, 1, "usr/lib/x" },
		{ "../../usr/../usr/lib/./x", true, 1, "usr/lib/x" },
		{ "lib/..", true, 1, "usr" },
		{ "up/usr", true, 1, "usr" },
		{ "dangling", true, 0, "no/where" },
		{ "dangling", false, 1, "dangling" },
		{ "lib/new/er", true, 0, "usr/lib/new/er" },
		{ "usr/lib/x/y", true, -1, NULL },
		{ "loop", true, -1, NULL },
		{ "loop/x", false, -1, NULL },
		{ "chain", true, 1, "usr/lib/x" },
	};
	struct view v = { 0 };
	struct index x;
	layer(&x, "usr/ usr/lib/ usr/lib/x lib>usr/lib abs>/usr/lib up>../../.. dangling>no/where "
		  "loop>loop chain>usr/link usr/link>../lib/x");
	view_push(&v, &x);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *key = NULL;
		struct view_hit hit;
		int r = view_resolve(&v, cases[i].path, cases[i].follow, &key, &hit, &f->e);
		assert_int_equal(r, cases[i].want);
		if (r >= 0)
			assert_string_equal(key, cases[i].key);
		if (r > 0 && *key)
			assert_string_equal(hit.entry->path, key);
	}
	view_done(&v);
	index_done(&x);
}

/* Each link leaves more behind it to be resolved than there was; 40 of them would be taken. */
static void resolve__ends_where_the_path_becomes_too_long(void **state)
{
	struct fixture *f = *state;
	struct view v = { 0 };
	struct index x;
	struct view_hit hit;
	char *key = NULL;
	_cleanup_(buf_done) struct buf target = { 0 };
	index_init(&x);
	buf_str(&target, "l");
	for (int i = 0; i < 16; i++)
		buf_printf(&target, "/%0250d", i);
	index_add(&x, SL("l"), ENTRY_SYMLINK)->link = target.p;
	view_push(&v, &x);
	assert_int_equal(view_resolve(&v, "/l", true, &key, &hit, &f->e), -1);
	assert_null(key);
	assert_int_equal(f->e.kind, ERR_DATA);
	assert_string_equal(f->e.chain[0], "'/l': the path becomes too long");
	view_done(&v);
	index_done(&x);
}

static void absent_keys__are_named(void **state)
{
	struct fixture *f = *state;
	struct view v = { 0 };
	struct index x;
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(sink_closep) struct sink *to = sink_buf(&out);
	layer(&x, "a/ a/b");
	view_push(&v, &x);
	assert_null(view_walk_open(&v, "a/c", &f->e));
	assert_int_equal(f->e.kind, ERR_ABSENT);
	assert_string_equal(f->e.chain[0], "there is no '/a/c'");
	assert_int_equal(tree_write_view(&v, "a/d", NULL, NULL, -1, to, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_ABSENT);
	assert_string_equal(f->e.chain[0], "there is no '/a/d'");
	assert_int_equal(out.len, 0);
	view_done(&v);
	index_done(&x);
}

static void list__tells_direct_names(void **state)
{
	struct fixture *f = *state;
	struct view v = { 0 };
	struct index x, y;
	struct strs names = { 0 };
	layer(&x, "a/ a/b/ a/b/c a/b/d a/b.c a/z b");
	layer(&y, "a/ -a/z a/c");
	view_push(&v, &x);
	view_push(&v, &y);
	ok(f, view_list(&v, "a", &names, &f->e));
	_free_ char *text = strs_join(&names, " ");
	assert_string_equal(text, "b b.c c");
	assert_int_equal(view_list(&v, "b", &names, &f->e), -1);
	assert_int_equal(view_list(&v, "q", &names, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_ABSENT);
	strs_done(&names);
	view_done(&v);
	index_done(&x);
	index_done(&y);
}

static void walk__skips(void **state)
{
	(void)state;
	struct view v = { 0 };
	struct index x;
	struct view_hit hit;
	layer(&x, "a/ a/b/ a/b/c a/d e");
	view_push(&v, &x);
	struct view_walk *w = view_walk_open(&v, "", NULL);
	assert_int_equal(view_walk_next(w, &hit, NULL), 1);
	assert_int_equal(view_walk_next(w, &hit, NULL), 1);
	assert_string_equal(hit.entry->path, "a/b");
	view_walk_skip(w);
	assert_int_equal(view_walk_next(w, &hit, NULL), 1);
	assert_string_equal(hit.entry->path, "a/d");
	view_walk_close(w);
	view_done(&v);
	index_done(&x);
}

/* A bottom made of an index of its own, so that a plain view can judge. */
struct fake {
	struct index x;
	unsigned asked;
};

static int fake_lookup(void *ctx, const char *key, struct arena *arena, const struct entry **out,
		       struct err *e)
{
	(void)arena, (void)e;
	struct fake *b = ctx;
	b->asked++;
	*out = index_find(&b->x, key);
	return *out != NULL;
}

static int fake_list(void *ctx, const char *key, struct strs *names, struct err *e)
{
	(void)e;
	struct fake *b = ctx;
	size_t n = strlen(key);
	for (size_t i = b->x.entries.n; i-- > 0;) {
		const char *p = b->x.entries.p[i].path;
		if (n && (strncmp(p, key, n) != 0 || p[n] != '/'))
			continue;
		p += n ? n + 1 : 0;
		if (*p && !strchr(p, '/'))
			strs_add(names, p);
	}
	return 0;
}

static void strip_layers(struct buf *b, int by)
{
	for (char *p = b->p; (p = strchr(p, '@')); p++)
		if (p[1] == '-')
			memmove(p + 1, p + 2, strlen(p + 1)), p[1] = '0';
		else
			p[1] = (char)(p[1] + by);
}

static void bottom__is_seen_as_a_lowest_layer(void **state)
{
	struct fixture *f = *state;
	static const char *const bottom =
		"usr/ usr/bin/ usr/bin/cc usr/bin/ld usr/lib/ usr/lib/libc etc/ "
		"etc/passwd lib>usr/lib";
	static const char *const layers[][3] = {
		{ "usr/ usr/bin/ usr/bin/new" },
		{ "-usr new" },
		{ "usr! usr/x" },
		{ "usr/ usr/bin" },
		{ "usr/ usr/bin!", "usr/ usr/bin/ usr/bin/q" },
		{ "-usr", "usr/ usr/y" },
		{ "usr/ usr/lib", "usr/ usr/lib/ usr/lib/a" },
		{ "etc/ -etc/passwd", "etc/ etc/passwd" },
	};
	for (size_t i = 0; i < COUNT_OF(layers); i++) {
		struct fake fake = { 0 };
		struct view_bottom vb = { &fake, fake_lookup, fake_list };
		struct view with = { 0 }, plain = { 0 };
		struct index x[3] = { 0 };
		_cleanup_(buf_done) struct buf a = { 0 }, b = { 0 };
		layer(&fake.x, bottom);
		view_set_bottom(&with, &vb);
		view_push(&plain, &fake.x);
		for (int j = 0; j < 3 && layers[i][j]; j++) {
			layer(&x[j], layers[i][j]);
			struct view below = with;
			view_copy(&below, &with);
			view_done(&below);
			view_push(&with, &x[j]);
			view_push(&plain, &x[j]);
		}
		walk_text(&with, "", &a);
		walk_text(&plain, "", &b);
		strip_layers(&a, 1);
		assert_string_equal(a.p, b.p);
		for (size_t j = 0; j < fake.x.entries.n; j++) {
			struct view_hit p, q;
			const char *key = fake.x.entries.p[j].path;
			int r = view_lookup(&with, key, &p, &f->e);
			assert_int_equal(r, view_lookup(&plain, key, &q, &f->e));
			if (r)
				assert_int_equal(p.entry->type, q.entry->type);
		}
		unsigned before = fake.asked;
		struct view_hit hit;
		(void)!view_lookup(&with, "etc", &hit, NULL);
		assert_int_equal(fake.asked, before); /* remembered */
		view_done(&with);
		view_done(&plain);
		index_done(&fake.x);
		for (int j = 0; j < 3; j++)
			index_done(&x[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(push__merges_as_overlayfs_does),
		cmocka_unit_test_setup_teardown(resolve__follows_as_the_kernel_does, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(resolve__ends_where_the_path_becomes_too_long,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(absent_keys__are_named, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(list__tells_direct_names, fixture_setup,
						fixture_teardown),
		cmocka_unit_test(walk__skips),
		cmocka_unit_test_setup_teardown(bottom__is_seen_as_a_lowest_layer, fixture_setup,
						fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
