/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "image/import.h"
#include "image/output.h"

/* An image from a directory that a shell makes. */
static void open_tree(struct fixture *f, const char *script, struct image_fs *fs)
{
	struct digest m, id;
	struct image im = { 0 };
	struct image_config cfg = { 0 };
	_free_ char *cmd = str_printf(
		"set -e; mkdir '%s/tree'; cd '%s/tree'; %s; tar --format=posix -cf ../tree.tar .",
		f->dir, f->dir, script);
	_free_ char *file = str_printf("%s/tree.tar", f->dir);
	assert_int_equal(system(cmd), 0);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	_cleanup_(source_closep) struct source *in = source_fd_take(fd);
	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	ok(f, image_import(f->s, in, &cfg, false, &m, &id, &f->e));
	image_config_done(&cfg);
	ok(f, image_open_digest(f->s, &m, &im, &f->e));
	ok(f, image_fs_open(f->s, im.snaps.p, im.snaps.n, fs, &f->e));
	image_done(&im);
}

static const char tree[] =
	"mkdir -p a/b closed; echo one >a/one; ln a/one a/b/two; ln -s ../one a/b/link; ln -s /etc/passwd a/out;"
	"echo x >closed/x; chmod 0555 closed; chmod 0751 a; chmod 0640 a/one; mkfifo pipe;"
	"touch -h -d @1000000 a/b/link; touch -d @2000000 a/one; touch -d @3000000 a/b; touch -d @3500000 closed";

static void shell(struct fixture *f, const char *script)
{
	_free_ char *cmd = str_printf("set -e; cd '%s'; %s", f->dir, script);
	if (system(cmd) != 0)
		fail_msg("%s", script);
}

static void output__writes_the_tree(void **state)
{
	struct fixture *f = *state;
	_cleanup_(image_fs_close) struct image_fs fs = { 0 };
	_free_ char *dest = str_printf("%s/new/dest", f->dir);
	open_tree(f, tree, &fs);
	ok(f, image_output_dir(&fs, "", dest, &f->e));
	shell(f, "rm tree/pipe; diff -r --no-dereference tree new/dest");
	shell(f,
	      "[ \"$(stat -c %h new/dest/a/one)\" = 2 ]; [ new/dest/a/one -ef new/dest/a/b/two ]");
	shell(f, "[ \"$(cd tree; find . -mindepth 1 -printf '%p %m %T@ %l\\n' | sort)\" = "
		 "\"$(cd new/dest; find . -mindepth 1 -printf '%p %m %T@ %l\\n' | sort)\" ]");
	ok(f, image_output_dir(&fs, "", dest, &f->e)); /* over itself */
	shell(f, "diff -r --no-dereference tree new/dest");
}

static void output__of_a_part_is_relative_to_it(void **state)
{
	struct fixture *f = *state;
	_cleanup_(image_fs_close) struct image_fs fs = { 0 };
	_free_ char *dest = str_printf("%s/dest", f->dir);
	open_tree(f, tree, &fs);
	ok(f, image_output_dir(&fs, "a", dest, &f->e));
	shell(f, "diff -r --no-dereference tree/a dest");
}

static void output__follows_no_link_that_lies_there(void **state)
{
	struct fixture *f = *state;
	_cleanup_(image_fs_close) struct image_fs fs = { 0 };
	_free_ char *dest = str_printf("%s/dest", f->dir);
	open_tree(f, tree, &fs);
	shell(f,
	      "mkdir away dest dest/closed dest/kept; ln -s ../away dest/a; echo mine >away/one; echo k >dest/kept/k;"
	      "mkdir dest/closed/x; echo y >dest/closed/x/y");
	ok(f, image_output_dir(&fs, "", dest, &f->e));
	shell(f,
	      "[ \"$(ls away)\" = one ]; [ \"$(cat away/one)\" = mine ]; [ \"$(cat dest/kept/k)\" = k ]");
	shell(f,
	      "[ -d dest/a ]; [ ! -L dest/a ]; [ \"$(cat dest/a/one)\" = one ]; [ \"$(cat dest/closed/x)\" = x ]");
	shell(f, "[ -z \"$(find dest -name '.thimble-*')\" ]");
}

static void output__as_a_tar_is_what_tar_expects(void **state)
{
	struct fixture *f = *state;
	_cleanup_(image_fs_close) struct image_fs fs = { 0 };
	_free_ char *file = str_printf("%s/out.tar", f->dir);
	open_tree(f, tree, &fs);
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	_cleanup_(sink_closep) struct sink *out = sink_fd(fd);
	ok(f, image_output_tar(&fs, "", -1, out, &f->e));
	ok(f, sink_finish(out, &f->e));
	close(fd);
	shell(f,
	      "mkdir dest; tar -xf out.tar -C dest; rm tree/pipe dest/pipe; diff -r --no-dereference tree dest");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(output__writes_the_tree),
		T(output__of_a_part_is_relative_to_it),
		T(output__follows_no_link_that_lies_there),
		T(output__as_a_tar_is_what_tar_expects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
