/* SPDX-License-Identifier: Apache-2.0 */
/* What an ordinary user meets outside of the user namespace. Root becomes daemon first. */
#include "fixture.h"

#include <grp.h>
#include <sys/prctl.h>

/* The error of store_open in f->e. */
static void refuse_open(struct fixture *f, const struct store_opts *o, enum err_kind kind)
{
	err_done(&f->e);
	f->e = (struct err){ 0 };
	assert_null(store_open(o, &f->e));
	assert_int_equal(f->e.kind, kind);
}

static void store_open__needs_a_place(void **state)
{
	static const char *const names[] = { "THIMBLE_ROOT", "XDG_DATA_HOME", "HOME" };
	static const char *const homes[] = { NULL, "", "home" }; /* a relative one is none */
	struct fixture *f = *state;
	char *was[COUNT_OF(names)];
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		was[i] = getenv(names[i]) ? str_dup(getenv(names[i])) : NULL;
		unsetenv(names[i]);
	}
	for (size_t i = 0; i < COUNT_OF(homes); i++) {
		if (homes[i])
			setenv("HOME", homes[i], 1);
		refuse_open(f, &(struct store_opts){ .create = true }, ERR_USER);
		assert_string_equal(f->e.chain[0], "no place for the store: HOME is not set");
		assert_string_equal(f->e.hints[0], "give one with --root DIR or THIMBLE_ROOT");
	}
	setenv("HOME", f->dir, 1);
	struct store *s = store_open(&(struct store_opts){ .create = true }, &f->e);
	assert_non_null(s);
	_free_ char *want = str_printf("%s/.local/share/thimble", f->dir);
	assert_string_equal(store_path(s), want);
	store_close(s);
	unsetenv("HOME");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (was[i])
			setenv(names[i], was[i], 1);
		free(was[i]);
	}
}

static void store_open__cannot_look_into_anothers(void **state)
{
	struct fixture *f = *state;
	_free_ char *closed = str_printf("%s/closed", f->dir);
	_free_ char *want = str_printf("open the store '%s': Permission denied", closed);
	assert_int_equal(mkdir(closed, 0), 0);
	refuse_open(f, &(struct store_opts){ .root = closed, .create = true }, ERR_SYS);
	assert_string_equal(f->e.chain[0], want);
	assert_string_equal(f->e.hints[0], "use a store of your own: --root DIR or THIMBLE_ROOT");
}

static void write_stamp(struct fixture *f, const char *text)
{
	_free_ char *path = str_printf("%s/stamp", f->root);
	assert_int_equal(truncate(path, 0), 0);
	put_text(path, text);
}

static void store_open__refuses_a_store_of_other_ids(void **state)
{
	static const struct store_ids mine = {
		.sub_uid = 200000, .sub_uid_n = 1000, .sub_gid = 300000, .sub_gid_n = 2000
	};
	struct fixture *f = *state;
	const struct store_opts o = { .root = f->root, .ids = &mine };
	_free_ char *stamp = NULL, *want = NULL;
	str_set(&stamp, str_printf("thimble-store 1\nmode user\nowner 424242 %u\n", getegid()));
	write_stamp(f, stamp);
	refuse_open(f, &o, ERR_DENIED);
	str_set(&want, str_printf("the store '%s' was made by uid 424242, this is uid %u", f->root,
				  geteuid()));
	assert_string_equal(f->e.chain[0], want);
	assert_true(mentions(&f->e, "save -o images.tar"));

	static const char *const ranges[] = { "200001 1000 300000 2000", "200000 1001 300000 2000",
					      "200000 1000 300001 2000",
					      "200000 1000 300000 2001" };
	for (size_t i = 0; i < COUNT_OF(ranges); i++) {
		str_set(&stamp, str_printf("thimble-store 1\nmode user\nowner %u %u\n"
					   "subordinate %s\n",
					   geteuid(), getegid(), ranges[i]));
		write_stamp(f, stamp);
		refuse_open(f, &o, ERR_DENIED);
		unsigned v[4];
		struct slice rest = slice_of(ranges[i]), word;
		for (size_t k = 0; slice_split(&rest, ' ', &word); k++)
			v[k] = (unsigned)strtoul(word.p, NULL, 10);
		str_set(&want,
			str_printf("the store '%s' was made with subordinate ids %u+%u (groups "
				   "%u+%u), yours are now 200000+1000 (groups 300000+2000)",
				   f->root, v[0], v[1], v[2], v[3]));
		assert_string_equal(f->e.chain[0], want);
		assert_true(mentions(&f->e, "save -o images.tar"));
	}
	str_set(&stamp, str_printf("thimble-store 1\nmode user\nowner %u %u\n"
				   "subordinate 200000 1000 300000 2000\n",
				   geteuid(), getegid()));
	write_stamp(f, stamp);
	struct store *s = store_open(&o, &f->e);
	assert_non_null(s);
	store_close(s);
}

static void prune__wants_the_namespace(void **state)
{
	struct fixture *f = *state;
	struct prune_result r = { 0 };
	refused(f, ERR_DENIED, store_prune(f->s, &(struct prune_opts){ .all = true }, &r, &f->e));
	assert_string_equal(f->e.chain[0], "prune has to run inside the user namespace: files "
					   "belong to subordinate ids");
}

static void snap__of_another_boot_wants_the_namespace(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	struct snap sn = SNAP_INIT;
	setenv("THIMBLE_BOOT_ID", "boot-1", 1);
	store_close(f->s);
	f->s = open_again(f);
	make_snap(f, f->s, "hello", "Hello!", true, id);
	ok(f, snap_open(f->s, id, &sn, &f->e));
	snap_close(&sn);
	setenv("THIMBLE_BOOT_ID", "boot-2", 1);
	store_close(f->s);
	f->s = open_again(f);
	refused(f, ERR_DENIED, snap_open(f->s, id, &sn, &f->e));
	_free_ char *want = str_printf("snapshot '%s' can be checked only in the user namespace",
				       id);
	assert_string_equal(f->e.chain[0], want);
	assert_true(snap_exists(f->s, id)); /* it is not taken for damaged */
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	stay_outside = true;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(1, 1, 1) < 0 ||
			       setresuid(1, 1, 1) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0))
		return 99;
	const struct CMUnitTest tests[] = {
		T(store_open__needs_a_place),
		T(store_open__cannot_look_into_anothers),
		T(store_open__refuses_a_store_of_other_ids),
		T(prune__wants_the_namespace),
		T(snap__of_another_boot_wants_the_namespace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
