/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals, injected: each in a process of its own, since entering is once for all. As root these
 * processes become daemon first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/proc.h"
#include "sandbox/caps.h"
#include "sandbox/userns.h"

struct world {
	char path[64];
	char *user; /* name of the one who will enter */
};
static struct world w;

static void become_user(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) < 0 || setresgid(1, 1, 1) < 0 || setresuid(1, 1, 1) < 0) /* daemon */
		_exit(90);
}

static char *file_path(const char *name)
{
	return str_printf("%s/%s", w.path, name);
}

static void make_file(const char *name, const char *text)
{
	_free_ char *path = file_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
	(void)close(fd);
}

struct attempt {
	const char *test; /* THIMBLE_TEST_USERNS */
	const char *procsys; /* directory below the world, or NULL */
	const char *subuid, *subgid; /* files below the world */
	const char *path; /* PATH, or NULL */
	bool stay_root;
};

/* The error of userns_enter in another process, formatted; "entered" if there is none. */
static char *attempt(const struct attempt *a)
{
	char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	pid_t pid = fork();
	if (pid == 0) {
		struct err e = { 0 };
		struct buf b = { 0 };
		_free_ char *subuid = file_path(a->subuid ? a->subuid : "subuid");
		_free_ char *subgid = file_path(a->subgid ? a->subgid : "subuid");
		_free_ char *procsys = file_path(a->procsys ? a->procsys : "nothing");
		if (!a->stay_root)
			become_user();
		(void)setenv("THIMBLE_TEST_SUBUID", subuid, 1);
		(void)setenv("THIMBLE_TEST_SUBGID", subgid, 1);
		(void)setenv("THIMBLE_TEST_PROCSYS", procsys, 1);
		if (a->test)
			(void)setenv("THIMBLE_TEST_USERNS", a->test, 1);
		if (a->path)
			(void)setenv("PATH", a->path, 1);
		if (a->stay_root && caps_limit(~(1ull << CAP_SYS_ADMIN)) < 0)
			_exit(91);
		if (userns_enter(&e) < 0)
			err_format(&e, false, &b);
		else
			buf_str(&b, "entered");
		strncpy(shared, b.p, 8191);
		err_done(&e);
		buf_done(&b);
		_exit(0);
	}
	assert_int_equal(proc_wait(pid), 0);
	char *text = str_dup(shared);
	(void)munmap(shared, 8192);
	return text;
}

static void assert_says(const struct attempt *a, const char *words)
{
	_free_ char *text = attempt(a);
	if (!strstr(text, words))
		fail_msg("'%s' is not in:\n%s", words, text);
}

static void userns_enter__explains_apparmor(void **state)
{
	(void)state;
	static const char *const errors[] = { "eacces", "eperm" };
	for (size_t i = 0; i < 2; i++) {
		const struct attempt a = { .test = errors[i], .procsys = "ubuntu" };
		assert_says(&a, "kernel.apparmor_restrict_unprivileged_userns=1");
		assert_says(&a, "/etc/apparmor.d/thimble");
		assert_says(&a, "sysctl kernel.apparmor_restrict_unprivileged_userns=0");
	}
}

static void userns_enter__explains_other_refusals(void **state)
{
	(void)state;
	assert_says(&(struct attempt){ .test = "eperm", .procsys = "debian" },
		    "sysctl kernel.unprivileged_userns_clone=1");
	assert_says(&(struct attempt){ .test = "eperm", .procsys = "nothing" }, "seccomp");
	assert_says(&(struct attempt){ .test = "enospc", .procsys = "nothing" },
		    "sysctl user.max_user_namespaces=65536");
	assert_says(&(struct attempt){ .test = "eperm", .procsys = "zero" },
		    "sysctl user.max_user_namespaces=65536");
}

static void userns_enter__names_the_missing_line(void **state)
{
	(void)state;
	_free_ char *line = str_printf("usermod --add-subuids 165536-231071 %s", w.user);
	assert_says(&(struct attempt){ .subuid = "others" }, "has no subordinate user ids");
	assert_says(&(struct attempt){ .subuid = "others" }, line);
	_free_ char *first = str_printf("usermod --add-subuids 100000-165535 %s", w.user);
	assert_says(&(struct attempt){ .subuid = "missing" }, first);
	_free_ char *group = str_printf("usermod --add-subgids 165536-231071 %s", w.user);
	assert_says(&(struct attempt){ .subgid = "others" }, "has no subordinate group ids");
	assert_says(&(struct attempt){ .subgid = "others" }, group);
	/* directories */
	assert_says(&(struct attempt){ .subuid = "ubuntu" }, "Is a directory");
	assert_says(&(struct attempt){ .subgid = "debian" }, "Is a directory");
}

static void userns_enter__names_the_missing_program(void **state)
{
	(void)state;
	assert_says(&(struct attempt){ .path = "/nowhere" }, "there is no program 'newuidmap'");
	assert_says(&(struct attempt){ .path = "/nowhere" }, "apt-get install uidmap");
}

static void userns_enter__tells_what_newuidmap_said(void **state)
{
	(void)state;
	/* the forged file has a range that /etc/subuid does not grant */
	assert_says(&(struct attempt){ 0 }, "newuidmap failed with status 1: newuidmap:");
}

static void userns_enter__explains_root_without_the_capability(void **state)
{
	(void)state;
	assert_says(&(struct attempt){ .stay_root = true }, "root without CAP_SYS_ADMIN");
	assert_says(&(struct attempt){ .stay_root = true }, "--cap-add SYS_ADMIN");
}

static void userns_describe__names_the_way(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { 0 };
	userns_describe(&b);
	assert_non_null(strstr(b.p, geteuid() == 0 ? "root: a private mount namespace" : "user "));
	assert_false(userns_inside());
}

static int world_make(void **state)
{
	(void)state;
	(void)umask(022);
	strcpy(w.path, "/tmp/thimble-userns.XXXXXX");
	if (!mkdtemp(w.path) || chmod(w.path, 0755) < 0)
		return -1;
	char *argv[] = { "id", "-un", NULL };
	struct buf name = { 0 };
	if (geteuid() == 0)
		buf_str(&name, "daemon");
	else if (proc_run(argv, &name, NULL) < 0)
		return -1;
	w.user = slice_dup(slice_trim(buf_view(&name)));
	buf_done(&name);
	static const char *const dirs[] = { "ubuntu/kernel", "debian/kernel", "zero/user" };
	int fd = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		assert_int_equal(fs_mkdirs(fd, dirs[i], 0755, NULL), 0);
	(void)close(fd);
	make_file("ubuntu/kernel/apparmor_restrict_unprivileged_userns", "1\n");
	make_file("debian/kernel/unprivileged_userns_clone", "0\n");
	make_file("zero/user/max_user_namespaces", "0\n");
	_free_ char *range = str_printf("someone:1:2\n%s:3000000000:65536\n", w.user);
	make_file("subuid", range);
	make_file("others", "# comment\nsomeone:100000:65536\nbroken\n");
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fs_remove(parent, w.path + strlen("/tmp/"), NULL);
	(void)close(parent);
	free(w.user);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(userns_enter__explains_apparmor),
		cmocka_unit_test(userns_enter__explains_other_refusals),
		cmocka_unit_test(userns_enter__names_the_missing_line),
		cmocka_unit_test(userns_enter__names_the_missing_program),
		cmocka_unit_test(userns_enter__tells_what_newuidmap_said),
		cmocka_unit_test(userns_describe__names_the_way),
		cmocka_unit_test(userns_enter__explains_root_without_the_capability),
	};
	/* the last one is about root only */
	size_t n = COUNT_OF(tests) - (geteuid() != 0);
	return _cmocka_run_group_tests("userns", tests, n, world_make, world_end);
}
