/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <sys/wait.h>

#include "base/js.h"
#include "registry/authfile.h"
#include "registry/helper.h"
#include "registry/secret.h"

/* A home of one's own, and no other file of the machine. */
static struct tmpdir home;
static struct strs warnings;

static void on_warn(void *ctx, const char *text)
{
	(void)ctx;
	strs_add(&warnings, text);
}

static const struct authfile_opts plain = { .warn = on_warn };

static int set_up(void **state)
{
	(void)state;
	home = tmpdir_make();
	_free_ char *run = str_printf("%s/run", home.path);
	_free_ char *path = str_printf("%s/bin:/usr/bin:/bin", home.path);
	assert_int_equal(setenv("HOME", home.path, 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", run, 1), 0);
	assert_int_equal(setenv("PATH", path, 1), 0);
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("REGISTRY_AUTH_FILE");
	assert_int_equal(fs_mkdirs(home.fd, ".docker", 0700, NULL), 0);
	assert_int_equal(fs_mkdirs(home.fd, "run/containers", 0700, NULL), 0);
	assert_int_equal(fs_mkdirs(home.fd, ".config/containers", 0700, NULL), 0);
	assert_int_equal(fs_mkdirs(home.fd, "bin", 0700, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tmpdir_done(&home);
	strs_done(&warnings);
	return 0;
}

static void put(const char *name, const char *text)
{
	put_file(home.fd, name, text);
	assert_int_equal(fchmodat(home.fd, name, 0600, 0), 0);
}

static char *text_of(const char *name)
{
	struct buf b = { 0 };
	assert_int_equal(fs_read(home.fd, name, 1 << 20, &b, NULL), 0);
	return buf_take(&b);
}

/* "user/password/token (from)", "none", or the error. The caller frees. */
static char *who(const struct authfile_opts *o, const char *host, const char *path)
{
	_cleanup_(creds_done) struct creds c = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	int r = authfile_get(o, host, path, &c, &e);
	if (r < 0)
		return str_printf("error: %s", err_words(&e));
	if (r == 0) {
		assert_null(c.user);
		return str_dup("none");
	}
	return str_printf("%s/%s/%s (%s)", c.user ? c.user : "-", c.password ? c.password : "-",
			  c.token ? c.token : "-", c.from);
}

static void expect(const char *host, const char *path, const char *want)
{
	_free_ char *got = who(&plain, host, path);
	if (strcmp(got, want) != 0)
		fail_msg("%s %s\n  got  %s\n  want %s", host, path ? path : "", got, want);
}

/* YTpi is "a:b", YzpkOmU= "c:d:e", ZTpm "e:f", Zzpo "g:h" */
static void authfile_get__finds_the_entry(void **state)
{
	(void)state;
	put(".docker/config.json",
	    "{\"auths\":{"
	    "\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"},"
	    "\"quay.io\":{\"auth\":\"YzpkOmU=\"},"
	    "\"quay.io/team\":{\"auth\":\"ZTpm\"},"
	    "\"quay.io/team/app\":{\"auth\":\"Zzpo\"},"
	    "\"https://one.example/v2/\":{\"auth\":\"YTpi\"},"
	    "\"http://two.example:5000\":{\"auth\":\"YTpi\"},"
	    "\"both.example\":{\"auth\":\"YTpi\"},\"https://both.example\":{\"auth\":\"ZTpm\"},"
	    "\"token.example\":{\"auth\":\"YTo=\",\"identitytoken\":\"tok\"},"
	    "\"bare.example\":{\"identitytoken\":\"tok\"},"
	    "\"named.example\":{\"username\":\"u\",\"password\":\"p\"},"
	    "\"nul.example\":{\"auth\":\"YTpiAAA=\"},"
	    "\"unpadded.example\":{\"auth\":\"YzpkOmU\"},"
	    "\"empty.example\":{}},\"credHelpers\":{}}");
	expect("docker.io", "library/gcc", "a/b/- (~/.docker/config.json)");
	expect("quay.io", NULL, "c/d:e/- (~/.docker/config.json)");
	expect("quay.io", "other/app", "c/d:e/- (~/.docker/config.json)");
	expect("quay.io", "teams/app", "c/d:e/- (~/.docker/config.json)");
	expect("quay.io", "team/x", "e/f/- (~/.docker/config.json)");
	expect("quay.io", "team/app", "g/h/- (~/.docker/config.json)");
	expect("quay.io", "team/app/deep", "g/h/- (~/.docker/config.json)");
	expect("quay.io", "team/apple", "e/f/- (~/.docker/config.json)");
	expect("QUAY.IO", NULL, "c/d:e/- (~/.docker/config.json)");
	expect("one.example", "v2/x", "a/b/- (~/.docker/config.json)");
	expect("two.example:5000", NULL, "a/b/- (~/.docker/config.json)");
	expect("both.example", NULL, "a/b/- (~/.docker/config.json)");
	expect("token.example", NULL, "a/-/tok (~/.docker/config.json)");
	expect("bare.example", NULL, "-/-/tok (~/.docker/config.json)");
	expect("named.example", NULL, "u/p/- (~/.docker/config.json)");
	expect("nul.example", NULL, "a/b/- (~/.docker/config.json)");
	expect("unpadded.example", NULL, "c/d:e/- (~/.docker/config.json)");
	expect("empty.example", NULL, "none");
	/* look-alikes */
	expect("two.example", NULL, "none");
	expect("quay.io.evil.example", NULL, "none");
	expect("uay.io", NULL, "none");
	expect("quay.io:443", NULL, "none");
	assert_int_equal(warnings.n, 0);
}

static void authfile_get__takes_the_first_file_that_knows(void **state)
{
	(void)state;
	put(".docker/config.json",
	    "{\"auths\":{\"x\":{\"auth\":\"YTpi\"},\"y\":{\"auth\":\"YTpi\"},"
	    "\"z\":{\"auth\":\"YTpi\"}}}");
	put(".config/containers/auth.json",
	    "{\"auths\":{\"x\":{\"auth\":\"ZTpm\"},\"y\":{\"auth\":\"ZTpm\"}}}");
	put("run/containers/auth.json", "{\"auths\":{\"x\":{\"auth\":\"Zzpo\"}}}");
	expect("x", NULL, "g/h/- (~/run/containers/auth.json)");
	expect("y", NULL, "e/f/- (~/.config/containers/auth.json)");
	expect("z", NULL, "a/b/- (~/.docker/config.json)");

	put("own.json", "");
	_free_ char *own = str_printf("%s/own.json", home.path),
		    *gone = str_printf("%s/gone", home.path);
	assert_int_equal(setenv("REGISTRY_AUTH_FILE", own, 1), 0);
	expect("x", NULL, "none");
	assert_int_equal(warnings.n, 0);
	assert_int_equal(setenv("REGISTRY_AUTH_FILE", gone, 1), 0);
	expect("x", NULL, "none");
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.p[0], "which is not there"));
	struct authfile_opts named = { .path = own };
	_free_ char *none = who(&named, "x", NULL);
	assert_string_equal(none, "none");
	named.path = gone;
	_free_ char *error = who(&named, "x", NULL);
	assert_non_null(strstr(error, "there is no file"));
	(void)unsetenv("REGISTRY_AUTH_FILE");
	_free_ char *dir = str_printf("%s/.config", home.path);
	assert_int_equal(setenv("DOCKER_CONFIG", dir, 1), 0);
	expect("z", NULL, "none");
}

static void authfile_get__refuses_without_telling_secrets(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "{\"auths\":{\"x\":{\"auth\":\"SECRET", "is not valid JSON (line 1" },
		{ "{\"auths\":{\"x\":{\"auth\":\"S3cr3t:SECRET!\"}}}",
		  "not base64 of USER:PASSWORD" },
		{ "{\"auths\":{\"x\":{\"auth\":\"U0VDUkVU\"}}}", "not base64 of USER:PASSWORD" },
		{ "{\"auths\":{\"x\":{\"auth\":\"OlNFQ1JFVA==\"}}}",
		  "not base64 of USER:PASSWORD" },
		{ "{\"auths\":{\"x\":{\"auth\":\"YQA6U0VDUkVU\"}}}",
		  "not base64 of USER:PASSWORD" },
		{ "{\"auths\":{\"x\":{\"auth\":[\"SECRET\"]}}}", "'auth' must be a string" },
		{ "{\"auths\":{\"x\":\"SECRET\"}}", "is no JSON object" },
		{ "{\"auths\":[\"SECRET\"]}", "'auths' must be an object" },
		{ "{\"auths\":{\"x\":{\"password\":\"SECRET\"}}}", "a password without a user" },
		{ "[\"SECRET\"]", "is not a JSON object" },
		{ "\"SECRET\" x", "is not valid JSON" },
		{ "{\"a\":\"SECRET\",\"a\":\"SECRET\"}", "is not valid JSON" },
		{ "{\"credsStore\":\"../evil\"}", "no name of a credential helper" },
		{ "{\"credsStore\":\"-x/y\"}", "no name of a credential helper" },
		{ "{\"credHelpers\":{\"x\":7}}", "is no string" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		put(".docker/config.json", cases[i].text);
		_free_ char *got = who(&plain, "x", NULL);
		if (!strstr(got, cases[i].says) || strstr(got, "SECRET") || strstr(got, "U0VD"))
			fail_msg("%s\n  got  %s\n  want %s", cases[i].text, got, cases[i].says);
	}
}

static void authfile_get__warns_of_open_files(void **state)
{
	(void)state;
	put(".docker/config.json", "{\"auths\":{\"x\":{\"auth\":\"YTpi\"}}}");
	assert_int_equal(fchmodat(home.fd, ".docker/config.json", 0644, 0), 0);
	expect("y", NULL, "none");
	assert_int_equal(warnings.n, 0);
	expect("x", NULL, "a/b/- (~/.docker/config.json)");
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.p[0], "others can read it"));
}

static void authfile_put__writes_what_it_reads(void **state)
{
	(void)state;
	_free_ char *where = NULL, *again = NULL, *third = NULL;
	bool is_plain = false;
	struct creds a = { .user = (char *)"al", .password = (char *)"p:w ä" };
	struct creds t = { .user = (char *)"<token>", .token = (char *)"tok" };
	struct stat st;
	put(".docker/config.json",
	    "{\"auths\":{\"docker.io\":{\"auth\":\"YTpi\"},\"quay.io/t\":{\"auth\":\"YTpi\"}},"
	    "\"detachKeys\":\"ctrl-a\",\"nested\":{\"text\":\"a\\nb\"}}");
	assert_int_equal(authfile_put(&plain, "docker.io", &a, &where, &is_plain, NULL), 0);
	assert_string_equal(where, "~/.docker/config.json");
	assert_true(is_plain);
	assert_int_equal(authfile_put(&plain, "quay.io", &t, &again, &is_plain, NULL), 0);
	expect("docker.io", NULL, "al/p:w ä/- (~/.docker/config.json)");
	expect("quay.io", NULL, "<token>/-/tok (~/.docker/config.json)");
	expect("quay.io", "t", "a/b/- (~/.docker/config.json)");
	_free_ char *text = text_of(".docker/config.json");
	assert_non_null(strstr(
		text, "\t\"detachKeys\": \"ctrl-a\",\n\t\"nested\": {\n\t\t\"text\": \"a\\nb\"\n"));
	assert_non_null(strstr(text, "\"https://index.docker.io/v1/\": {\n"));
	assert_null(strstr(text, "\"docker.io\"")); /* it would be found first by some */
	assert_int_equal(fstatat(home.fd, ".docker/config.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(authfile_del(&plain, "quay.io", &third, NULL), 1);
	assert_string_equal(third, "~/.docker/config.json");
	expect("quay.io", NULL, "none");
	expect("quay.io", "t", "a/b/- (~/.docker/config.json)");
	_free_ char *fourth = NULL;
	assert_int_equal(authfile_del(&plain, "quay.io", &fourth, NULL), 0);
	assert_null(fourth);
	_cleanup_(strs_done) struct strs hosts = { 0 };
	assert_int_equal(authfile_hosts(&plain, &hosts, NULL), 0);
	_free_ char *all = strs_join(&hosts, " ");
	assert_string_equal(all, "quay.io/t docker.io");
}

static void authfile_put__makes_the_file_and_keeps_links(void **state)
{
	(void)state;
	_free_ char *where = NULL, *again = NULL;
	bool is_plain;
	struct creds a = { .user = (char *)"a", .password = (char *)"b" };
	struct creds bad = { .user = (char *)"a:x", .password = (char *)"b" };
	struct stat st;
	_free_ char *path = str_printf("%s/deep/er/auth.json", home.path);
	struct authfile_opts o = { .path = path };
	assert_int_equal(authfile_put(&o, "localhost:5000", &a, &where, &is_plain, NULL), 0);
	_free_ char *got = who(&o, "localhost:5000", "x/y");
	assert_string_equal(got, "a/b/- (~/deep/er/auth.json)");
	assert_int_equal(fstatat(home.fd, "deep/er", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(authfile_put(&o, "x", &bad, &again, &is_plain, &e), -1);
	assert_says(&e, "cannot hold a ':'");

	put("real.json", "{}");
	assert_int_equal(symlinkat("../real.json", home.fd, ".docker/config.json"), 0);
	assert_int_equal(authfile_put(&plain, "x", &a, &again, &is_plain, NULL), 0);
	assert_int_equal(fstatat(home.fd, ".docker/config.json", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	_free_ char *text = text_of("real.json");
	assert_non_null(strstr(text, "YTpi"));
	/* a damaged file is not written over */
	put("real.json", "{\"auths\"");
	free(take_ptr(&again));
	assert_int_equal(authfile_put(&plain, "x", &a, &again, &is_plain, NULL), -1);
	_free_ char *still = text_of("real.json");
	assert_string_equal(still, "{\"auths\"");
}

/* A link that leads to nothing yet, over another one and into a directory that is not there. */
static void authfile_put__writes_what_links_lead_to(void **state)
{
	(void)state;
	_free_ char *where = NULL, *more = NULL;
	bool is_plain;
	struct creds a = { .user = (char *)"a", .password = (char *)"b" };
	struct stat st;
	assert_int_equal(symlinkat("../dotfiles/link", home.fd, ".docker/config.json"), 0);
	assert_int_equal(mkdirat(home.fd, "dotfiles", 0700), 0);
	assert_int_equal(symlinkat("new/config.json", home.fd, "dotfiles/link"), 0);
	assert_int_equal(authfile_put(&plain, "x", &a, &where, &is_plain, NULL), 0);
	assert_int_equal(fstatat(home.fd, ".docker/config.json", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fstatat(home.fd, "dotfiles/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	_free_ char *text = text_of("dotfiles/new/config.json");
	assert_non_null(strstr(text, "YTpi"));
	/* a loop */
	_cleanup_(err_done) struct err e = { 0 };
	_free_ char *path = str_printf("%s/loop", home.path);
	struct authfile_opts o = { .path = path };
	assert_int_equal(symlinkat("loop", home.fd, "loop"), 0);
	assert_int_equal(authfile_put(&o, "x", &a, &more, &is_plain, &e), -1);
	assert_says(&e, "Too many levels of symbolic links");
}

static void authfile__waits_for_no_pipe(void **state)
{
	(void)state;
	_free_ char *path = str_printf("%s/pipe", home.path), *where = NULL;
	struct authfile_opts o = { .path = path }, null = { .path = "/dev/null" };
	struct creds a = { .user = (char *)"a", .password = (char *)"b" }, c = { 0 };
	bool is_plain;
	_cleanup_(err_done) struct err e = { 0 }, e2 = { 0 };
	assert_int_equal(mkfifoat(home.fd, "pipe", 0600), 0);
	(void)alarm(20);
	assert_int_equal(authfile_get(&o, "x", "", &c, &e), -1);
	assert_says(&e, "~/pipe' is no regular file");
	assert_int_equal(authfile_put(&o, "x", &a, &where, &is_plain, &e2), -1);
	assert_says(&e2, "~/pipe' is no regular file");
	(void)alarm(0);
	assert_int_equal(authfile_get(&null, "x", "", &c, NULL), 0);
}

/* ---- helpers ---- */

static void put_helper(const char *name, const char *script)
{
	_free_ char *path = str_printf("bin/docker-credential-%s", name);
	put_file(home.fd, path, script);
	assert_int_equal(fchmodat(home.fd, path, 0755, 0), 0);
}

/* Keeps one file for each server. */
static const char keeper[] =
	"#!/bin/sh\n"
	"d=$HOME/kept; mkdir -p \"$d\"\n"
	"echo \"$1\" >>\"$HOME/verbs\"\n"
	"name() { tr '/:' '__'; }\n"
	"case $1 in\n"
	"store) in=$(cat); url=$(printf %s \"$in\" | sed 's/.*\"ServerURL\":\"\\([^\"]*\\)\".*/\\1/' | name)\n"
	"  printf %s \"$in\" >\"$d/$url\" ;;\n"
	"get) f=$d/$(name)\n"
	"  if [ -e \"$f\" ]; then cat \"$f\"; else echo 'credentials not found in native keychain'; exit 1; fi ;;\n"
	"erase) rm -f \"$d/$(name)\" ;;\n"
	"list) echo '{\"https://index.docker.io/v1/\":\"u\",\"other.example\":\"u\"}' ;;\n"
	"esac\n";

static void authfile_put__uses_the_store(void **state)
{
	(void)state;
	_free_ char *where = NULL, *gone = NULL;
	bool is_plain = true;
	struct creds a = { .user = (char *)"al", .password = (char *)"p\"w\\ä" };
	put_helper("keep", keeper);
	put(".docker/config.json",
	    "{\"credsStore\":\"keep\",\"auths\":{\"docker.io\":{\"auth\":\"YTpi\"}},"
	    "\"credHelpers\":{\"plain.example\":\"\"}}");
	expect("docker.io", NULL, "a/b/- (~/.docker/config.json)");
	assert_int_equal(authfile_put(&plain, "docker.io", &a, &where, &is_plain, NULL), 0);
	assert_string_equal(where, "docker-credential-keep");
	assert_false(is_plain);
	expect("docker.io", NULL, "al/p\"w\\ä/- (docker-credential-keep)");
	_free_ char *text = text_of(".docker/config.json");
	assert_null(strstr(text, "YTpi"));
	assert_non_null(strstr(text, "\"https://index.docker.io/v1/\": {}"));
	_cleanup_(strs_done) struct strs hosts = { 0 };
	assert_int_equal(authfile_hosts(&plain, &hosts, NULL), 0);
	_free_ char *all = strs_join(&hosts, " ");
	assert_string_equal(all, "docker.io plain.example other.example");
	assert_int_equal(authfile_del(&plain, "docker.io", &gone, NULL), 1);
	assert_string_equal(gone, "docker-credential-keep");
	expect("docker.io", NULL, "none");
	free(take_ptr(&gone));
	assert_int_equal(authfile_del(&plain, "docker.io", &gone, NULL), 0);

	/* "" takes a host out of the store */
	free(take_ptr(&where));
	assert_int_equal(authfile_put(&plain, "plain.example", &a, &where, &is_plain, NULL), 0);
	assert_true(is_plain);
}

static void helper_get__says_what_went_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		int r;
		const char *says;
	} cases[] = {
		{ "#!/bin/sh\necho '{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"s\"}'", 1,
		  "u s -" },
		{ "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"s\"}'", 1,
		  "<token> - s" },
		{ "#!/bin/sh\necho '{\"Username\":\"\",\"Secret\":\"\"}'", 0, NULL },
		{ "#!/bin/sh\necho 'credentials not found in native keychain'; exit 1", 0, NULL },
		{ "#!/bin/sh\necho 'the keychain is locked'; exit 1", -1,
		  "the keychain is locked" },
		{ "#!/bin/sh\necho 'gpg: SECRET' >&2; exit 3", -1, "failed with status 3" },
		{ "#!/bin/sh\necho '{\"Secret\":\"SECRET\"'; exit 1", -1, "failed with status 1" },
		{ "#!/bin/sh\necho 'SECRET'", -1, "something else than a JSON object" },
		{ "#!/bin/sh\necho '{\"Username\":[\"SECRET\"]}'", -1,
		  "'Username' must be a string" },
		{ "#!/bin/sh\nhead -c 100000 /dev/zero", -1, "writes more than" },
		{ "#!/bin/sh\nkill -9 $$", -1, "signal 9" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(creds_done) struct creds c = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		put_helper("x", cases[i].script);
		int r = helper_get("x", "host", &c, &e);
		if (r != cases[i].r)
			fail_msg("%s: %d %s", cases[i].script, r, err_words(&e));
		if (r == 1) {
			_free_ char *got = str_printf("%s %s %s", c.user,
						      c.password ? c.password : "-",
						      c.token ? c.token : "-");
			assert_string_equal(got, cases[i].says);
		}
		if (r >= 0)
			continue;
		_cleanup_(buf_done) struct buf b = { 0 };
		err_format(&e, false, &b);
		if (!strstr(b.p, cases[i].says) || (strstr(b.p, "SECRET") && !strstr(b.p, "gpg")))
			fail_msg("%s: %s", cases[i].script, b.p);
	}
}

static void helper_get__wants_a_name(void **state)
{
	(void)state;
	_cleanup_(creds_done) struct creds c = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(helper_get("", "host", &c, &e), -1);
	assert_says(&e, "the name of a credential helper is empty");
}

/* Whatever it does with a password: nobody else sees it. */
static void authfile_put__shows_no_password_that_a_helper_repeats(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"cat >&2; exit 3", "cat; exit 3", "echo bad: $(cat); exit 3",
		"sed 's/.*Secret\":\"\\([^}]*\\)\"}.*/bad \\1/'; exit 3",
		"printf '%s\\n' 'bad s3kr\"t\\x' >&2; exit 3",
	};
	struct creds a = { .user = (char *)"al", .password = (char *)"s3kr\"t\\x" };
	put(".docker/config.json", "{\"credsStore\":\"leaky\"}");
	for (size_t i = 0; i < COUNT_OF(scripts); i++) {
		_free_ char *script = str_printf("#!/bin/sh\n%s\n", scripts[i]), *where = NULL;
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(buf_done) struct buf text = { 0 };
		bool is_plain;
		put_helper("leaky", script);
		assert_int_equal(authfile_put(&plain, "x", &a, &where, &is_plain, &e), -1);
		err_format(&e, false, &text);
		if (strstr(text.p, "s3kr"))
			fail_msg("%s: %s", scripts[i], text.p);
		assert_says(&e, "failed with status 3");
	}
	put_helper("leaky", "#!/bin/sh\necho the store is locked >&2\nexit 1\n");
	_free_ char *where = NULL;
	_cleanup_(err_done) struct err e = { 0 };
	bool is_plain;
	assert_int_equal(authfile_put(&plain, "x", &a, &where, &is_plain, &e), -1);
	assert_string_equal(e.output, "the store is locked");
}

static void authfile_get__gives_up_on_a_silent_helper(void **state)
{
	(void)state;
	struct creds c = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	put(".docker/config.json", "{\"credsStore\":\"slow\"}");
	put_helper("slow", "#!/bin/sh\nexec sleep 60\n");
	assert_int_equal(setenv("THIMBLE_TEST_HELPER_MS", "400", 1), 0);
	(void)alarm(30);
	assert_int_equal(authfile_get(&plain, "x", "", &c, &e), -1);
	assert_says(&e, "it does not end, and has written nothing for 0.4 s");
	/* what says something now and then is waited for */
	put_helper("slow", "#!/bin/sh\nfor i in 1 2 3 4; do echo >&2; sleep 0.2; done\n"
			   "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'\n");
	assert_int_equal(authfile_get(&plain, "x", "", &c, NULL), 1);
	assert_string_equal(c.password, "s");
	creds_done(&c);
	(void)alarm(0);
	assert_int_equal(unsetenv("THIMBLE_TEST_HELPER_MS"), 0);
}

static void authfile_get__stands_without_its_store(void **state)
{
	(void)state;
	put(".docker/config.json", "{\"credsStore\":\"desktop-of-somebody\","
				   "\"auths\":{\"x\":{\"auth\":\"YTpi\"}},"
				   "\"credHelpers\":{\"own.example\":\"not-there\"}}");
	expect("y", NULL, "none");
	assert_int_equal(warnings.n, 1);
	assert_non_null(strstr(warnings.p[0], "docker-credential-desktop-of-somebody"));
	expect("x", NULL, "a/b/- (~/.docker/config.json)");
	_free_ char *got = who(&plain, "own.example", NULL);
	assert_non_null(strstr(got, "docker-credential-not-there"));
}

static void base64__goes_and_comes_back(void **state)
{
	(void)state;
	static const char bytes[] = "\x00\xff\x80 any:thing";
	for (size_t n = 0; n < sizeof bytes; n++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		size_t len = 99;
		base64_put((struct slice){ bytes, n }, &b);
		_free_ char *back = base64_get(buf_view(&b), &len);
		assert_non_null(back);
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
		assert_int_equal(b.len % 4, 0);
	}
	static const char *const bad[] = { "a", "YTpi!", "YT pi", "YTpiY", "=", "YTpi====" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		size_t n;
		_free_ char *text = base64_get(slice_of(bad[i]), &n);
		if (text && strcmp(bad[i], "=") != 0)
			fail_msg("taken: %s", bad[i]);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(authfile_get__finds_the_entry),
		T(authfile_get__takes_the_first_file_that_knows),
		T(authfile_get__refuses_without_telling_secrets),
		T(authfile_get__warns_of_open_files),
		T(authfile_put__writes_what_it_reads),
		T(authfile_put__makes_the_file_and_keeps_links),
		T(authfile_put__writes_what_links_lead_to),
		T(authfile__waits_for_no_pipe),
		T(authfile_put__uses_the_store),
		T(helper_get__says_what_went_wrong),
		T(helper_get__wants_a_name),
		T(authfile_put__shows_no_password_that_a_helper_repeats),
		T(authfile_get__gives_up_on_a_silent_helper),
		T(authfile_get__stands_without_its_store),
		cmocka_unit_test(base64__goes_and_comes_back),
	};
	return cmocka_run_group_tests_name("registry/authfile", tests, NULL, NULL);
}
