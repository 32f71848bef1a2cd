/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "registry/hosts.h"

static struct tmpdir home;

static int set_up(void **state)
{
	(void)state;
	home = tmpdir_make();
	assert_int_equal(setenv("HOME", home.path, 1), 0);
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("CONTAINERS_REGISTRIES_CONF");
	assert_int_equal(fs_mkdirs(home.fd, ".config/containers/registries.conf.d", 0700, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_done(&home);
	return 0;
}

static const char conf[] = ".config/containers/registries.conf";

/* "host path[ insecure][ mirror]; …", or the error. The caller frees. */
static char *places(const char *name, bool pull, bool insecure)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(endpoints_done) struct endpoints l = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	struct hosts_opts o = { .insecure = insecure };
	assert_int_equal(reference_parse(slice_of(name), &ref, NULL), 0);
	if (hosts_find(&o, &ref, pull, &l, &e) < 0) {
		assert_int_equal(l.n, 0);
		return str_printf("error %d: %s", e.kind == ERR_DENIED, err_words(&e));
	}
	arr_each(ep, &l)
		buf_printf(&b, "%s%s %s%s%s", b.len ? "; " : "", ep->host, ep->path,
			   ep->insecure ? " insecure" : "", ep->mirror ? " mirror" : "");
	return buf_take(&b);
}

static void expect(const char *name, bool pull, const char *want)
{
	_free_ char *got = places(name, pull, false);
	if (strcmp(got, want) != 0)
		fail_msg("%s\n  got  %s\n  want %s", name, got, want);
}

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void hosts_find__without_a_file_is_the_registry(void **state)
{
	(void)state;
	put_file(home.fd, conf, "");
	expect("gcc", true, "registry-1.docker.io library/gcc");
	expect("quay.io/a/b:1", true, "quay.io a/b");
	expect("localhost:5000/x", false, "localhost:5000 x");
	_free_ char *got = places("quay.io/a", true, true);
	assert_string_equal(got, "quay.io a insecure");
}

static void hosts_find__rewrites_and_mirrors(void **state)
{
	(void)state;
	put_file(home.fd, conf,
		 "[[registry]]\nprefix = \"example.com/foo\"\nlocation = \"internal.example/bar\"\n"
		 "[[registry.mirror]]\nlocation = \"m0.local/mirror-for-foo\"\n"
		 "[[registry.mirror]]\nlocation = \"m1.local/mirrors/foo/\"\ninsecure = true\n"
		 "pull-from-mirror = \"digest-only\"\n"
		 "[[registry.mirror]]\nlocation = \"m2.local\"\npull-from-mirror = \"tag-only\"\n"
		 "[[registry]]\nprefix = \"example.com/foo/deep\"\nlocation = \"deep.example\"\n"
		 "[[registry]]\nlocation = \"plain.example:5000\"\ninsecure = true\n"
		 "[[registry]]\nlocation = \"docker.io\"\nmirror-by-digest-only = true\n"
		 "[[registry.mirror]]\nlocation = \"hub.local/proxy\"\n"
		 "[[registry]]\nprefix = \"blocked.example/x\"\nlocation = \"b\"\nblocked = true\n"
		 "[[registry]]\nprefix = \"*.wild.example\"\n"
		 "[[registry.mirror]]\nlocation = \"wild.local\"\n"
		 "[[registry]]\nprefix = \"*.more.wild.example\"\nlocation = \"more.local\"\n"
		 "[[registry]]\nprefix = \"tag.example/a:1\"\nlocation = \"t.local/b\"\n");
	expect("example.com/foo/image", true,
	       "m0.local mirror-for-foo/image mirror; m2.local image mirror; internal.example bar/image");
	expect("example.com/foo/image@sha256:" HEX, true,
	       "m0.local mirror-for-foo/image mirror; m1.local mirrors/foo/image insecure mirror; "
	       "internal.example bar/image");
	expect("example.com/foo/image:t@sha256:" HEX, true,
	       "m0.local mirror-for-foo/image mirror; m1.local mirrors/foo/image insecure mirror; "
	       "internal.example bar/image");
	expect("example.com/foo/deep/x", true, "deep.example x");
	/* pushing is never redirected */
	expect("example.com/foo/image", false, "example.com foo/image");
	/* prefixes end where names end */
	expect("example.com/food", true, "example.com food");
	expect("example.com", true, "registry-1.docker.io library/example.com");
	expect("sub.example.com/foo/x", true, "sub.example.com foo/x");
	expect("plain.example:5000/x", true, "plain.example:5000 x insecure");
	expect("plain.example:5000/x", false, "plain.example:5000 x insecure");
	expect("plain.example:50000/x", true, "plain.example:50000 x");
	expect("plain.example/x", true, "plain.example x");
	/* docker.io by its canonical names */
	expect("gcc:13", true, "registry-1.docker.io library/gcc");
	expect("gcc@sha256:" HEX, true,
	       "hub.local proxy/library/gcc mirror; registry-1.docker.io library/gcc");
	/* subdomains */
	expect("a.wild.example/x", true, "wild.local x mirror; a.wild.example x");
	expect("a.b.wild.example:5000/x", true,
	       "wild.local:5000 x mirror; a.b.wild.example:5000 x");
	expect("wild.example/x", true, "wild.example x");
	expect("awild.example/x", true, "awild.example x");
	expect("a.more.wild.example/x/y", true, "more.local x/y");
	expect("a.wild.example.evil/x", true, "a.wild.example.evil x");
	expect("tag.example/a:1", true, "t.local b");
	expect("tag.example/a:12", true, "tag.example a");
	_free_ char *got = places("blocked.example/x/y", true, false);
	assert_non_null(strstr(got, "error 1: "));
	assert_non_null(strstr(got, "is blocked by"));
	assert_non_null(strstr(got, "registries.conf"));
	_free_ char *push = places("blocked.example/x/y", false, false);
	assert_non_null(strstr(push, "is blocked by"));
	expect("blocked.example/xy", true, "blocked.example xy");
	expect("plain.example:5000/x:latest", true, "plain.example:5000 x insecure");
}

static void hosts_find__a_prefix_of_a_host_is_no_prefix_of_its_ports(void **state)
{
	(void)state;
	put_file(home.fd, conf, "[[registry]]\nprefix = \"example.com\"\nlocation = \"other\"\n");
	expect("example.com/x", true, "other x");
	expect("example.com:5000/x", true, "example.com:5000 x");
}

static void hosts_find__knows_a_registry_as_a_whole(void **state)
{
	(void)state;
	_cleanup_(endpoints_done) struct endpoints l = { 0 };
	struct reference ref = { .host = (char *)"a.example", .path = (char *)"" };
	put_file(home.fd, conf,
		 "[[registry]]\nprefix = \"a.example\"\nlocation = \"one\"\ninsecure = true\n"
		 "[[registry]]\nprefix = \"a.example/x\"\nlocation = \"two\"\n");
	assert_int_equal(hosts_find(&(struct hosts_opts){ 0 }, &ref, true, &l, NULL), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.p[0].host, "a.example");
	assert_string_equal(l.p[0].path, "");
	assert_true(l.p[0].insecure && !l.p[0].mirror);
}

static void hosts_find__drop_ins_come_after(void **state)
{
	(void)state;
	put_file(home.fd, conf,
		 "[[registry]]\nprefix = \"a.example\"\nlocation = \"one\"\n"
		 "[[registry]]\nprefix = \"b.example\"\nlocation = \"one\"\n");
	put_file(home.fd, ".config/containers/registries.conf.d/20.conf",
		 "[[registry]]\nprefix = \"a.example\"\nlocation = \"three\"\n");
	put_file(home.fd, ".config/containers/registries.conf.d/10.conf",
		 "[[registry]]\nprefix = \"a.example\"\nlocation = \"two\"\n"
		 "[[registry]]\nprefix = \"c.example\"\nlocation = \"two\"\n");
	put_file(home.fd, ".config/containers/registries.conf.d/README", "no TOML at all");
	expect("a.example/x", true, "three x");
	expect("b.example/x", true, "one x");
	expect("c.example/x", true, "two x");
	_free_ char *named = str_printf("%s/named.conf", home.path);
	assert_int_equal(setenv("CONTAINERS_REGISTRIES_CONF", named, 1), 0);
	_free_ char *got = places("b.example/x", true, false);
	assert_non_null(strstr(got, "there is no file"));
	put_file(home.fd, "named.conf",
		 "[[registry]]\nprefix = \"b.example\"\nlocation = \"four\"\n");
	expect("b.example/x", true, "four x");
	expect("a.example/x", true, "three x");
}

static void hosts_find__refuses_files_that_make_no_sense(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "[registries.search]\nregistries = ['docker.io']", "version 1" },
		{ "x = ", "a value is expected" },
		{ "registry = 1", "'registry' must be an array" },
		{ "registry = [1]", "it is no table" },
		{ "[[registry]]\nblocked = true", "neither prefix nor location" },
		{ "[[registry]]\nprefix = \"a\"", "has no location" },
		{ "[[registry]]\nprefix = 1", "'prefix' must be a string" },
		{ "[[registry]]\nlocation = \"https://a\"", "but no URL" },
		{ "[[registry]]\nlocation = \"a b\"", "no name may hold" },
		{ "[[registry]]\nlocation = \"a//b\"", "a part that is empty" },
		{ "[[registry]]\nlocation = \"a/../b\"", "'..'" },
		{ "[[registry]]\nlocation = \"/b\"", "there is no host" },
		{ "[[registry]]\nlocation = \"a/b:1\"", "names a tag" },
		{ "[[registry]]\nlocation = \"a\"\ninsecure = \"yes\"", "'insecure' must be" },
		{ "[[registry]]\nprefix = \"a.*.b\"\nlocation=\"x\"", "may stand only as" },
		{ "[[registry]]\nprefix = \"*.b/c\"\nlocation=\"x\"", "may stand only as" },
		{ "[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\ninsecure = true",
		  "it has no location" },
		{ "[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\nlocation = \"m\"\n"
		  "pull-from-mirror = \"some\"",
		  "none of all, digest-only" },
		{ "[[registry]]\nlocation = \"a\"\nmirror-by-digest-only = true\n"
		  "[[registry.mirror]]\nlocation = \"m\"\npull-from-mirror = \"all\"",
		  "cannot stand beside" },
		{ "[[registry]]\nprefix = \"q/x\"\nlocation = \"other\"",
		  "but no repository in it" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		put_file(home.fd, conf, cases[i].text);
		_cleanup_(reference_done) struct reference ref = { 0 };
		_cleanup_(endpoints_done) struct endpoints l = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		struct hosts_opts o = { 0 };
		ref = (struct reference){ .host = str_dup("q"),
					  .path = str_dup("x"),
					  .tag = str_dup("t") };
		if (hosts_find(&o, &ref, true, &l, &e) == 0)
			fail_msg("taken: %s", cases[i].text);
		/* text and file: "with its place" */
		_cleanup_(buf_done) struct buf b = { 0 };
		err_format(&e, false, &b);
		if (!strstr(b.p, cases[i].says) || !strstr(b.p, "registries.conf") ||
		    e.kind != ERR_DATA)
			fail_msg("%s\n  got  %s\n  want %s", cases[i].text, b.p, cases[i].says);
	}
}

/* "insecure; ca …; cert key", paths without the home. */
static char *tls(const struct hosts_opts *o, const char *host)
{
	_cleanup_(hosts_tls_done) struct http_tls t = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (hosts_tls(o, host, false, &t, &e) < 0)
		return str_printf("error: %s", err_words(&e));
	buf_str(&b, t.insecure ? "insecure" : "checked");
	arr_each(ca, &t.ca_files)
		buf_printf(&b, " %s",
			   strncmp(*ca, home.path, strlen(home.path)) == 0
				   ? *ca + strlen(home.path) + 1
				   : *ca);
	if (t.cert_file)
		buf_printf(&b, "; %s %s", t.cert_file + strlen(home.path) + 1,
			   t.key_file + strlen(home.path) + 1);
	return buf_take(&b);
}

static void hosts_tls__finds_certificates(void **state)
{
	(void)state;
	struct hosts_opts o = { 0 };
	assert_int_equal(
		fs_mkdirs(home.fd, ".config/containers/certs.d/x.example:5000", 0700, NULL), 0);
	assert_int_equal(fs_mkdirs(home.fd, ".config/docker/certs.d/x.example:5000", 0700, NULL),
			 0);
	assert_int_equal(fs_mkdirs(home.fd, ".config/docker/certs.d/y.example", 0700, NULL), 0);
	assert_int_equal(fs_mkdirs(home.fd, "certs", 0700, NULL), 0);
	put_file(home.fd, ".config/containers/certs.d/x.example:5000/b.crt", "");
	put_file(home.fd, ".config/containers/certs.d/x.example:5000/a.crt", "");
	put_file(home.fd, ".config/containers/certs.d/x.example:5000/me.cert", "");
	put_file(home.fd, ".config/containers/certs.d/x.example:5000/me.key", "");
	put_file(home.fd, ".config/containers/certs.d/x.example:5000/readme.txt", "");
	put_file(home.fd, ".config/docker/certs.d/x.example:5000/c.crt", "");
	put_file(home.fd, ".config/docker/certs.d/y.example/y.crt", "");
	put_file(home.fd, "certs/own.crt", "");
	static const struct {
		const char *host, *want;
	} cases[] = {
		{ "x.example:5000", "checked .config/containers/certs.d/x.example:5000/a.crt "
				    ".config/containers/certs.d/x.example:5000/b.crt "
				    ".config/docker/certs.d/x.example:5000/c.crt; "
				    ".config/containers/certs.d/x.example:5000/me.cert "
				    ".config/containers/certs.d/x.example:5000/me.key" },
		{ "x.example", "checked" },
		{ "x.example:500", "checked" },
		{ "y.example", "checked .config/docker/certs.d/y.example/y.crt" },
		{ "y.example:443", "checked .config/docker/certs.d/y.example/y.crt" },
		{ "y.example:5000", "checked" },
		{ "[::1]:443", "checked" },
		{ "../certs", "error: '../certs' is no host" },
		{ "..", "error: '..' is no host" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *got = tls(&o, cases[i].host);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s\n  got  %s\n  want %s", cases[i].host, got, cases[i].want);
	}
	_free_ char *dir = str_printf("%s/certs", home.path),
		    *gone = str_printf("%s/gone", home.path);
	o.cert_dir = dir;
	o.insecure = true;
	_free_ char *own = tls(&o, "x.example:5000");
	assert_string_equal(own, "insecure certs/own.crt");
	put_file(home.fd, "certs/me.cert", "");
	_free_ char *alone = tls(&o, "x");
	assert_non_null(strstr(alone, "stands without 'me.key'"));
	o.cert_dir = gone;
	_free_ char *no_dir = tls(&o, "x");
	assert_non_null(strstr(no_dir, "No such file"));
	o = (struct hosts_opts){ .cacert = gone };
	_free_ char *no_file = tls(&o, "x");
	assert_non_null(strstr(no_file, "No such file"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hosts_find__without_a_file_is_the_registry),
		T(hosts_find__rewrites_and_mirrors),
		T(hosts_find__a_prefix_of_a_host_is_no_prefix_of_its_ports),
		T(hosts_find__knows_a_registry_as_a_whole),
		T(hosts_find__drop_ins_come_after),
		T(hosts_find__refuses_files_that_make_no_sense),
		T(hosts_tls__finds_certificates),
	};
	return cmocka_run_group_tests_name("registry/hosts", tests, NULL, NULL);
}
