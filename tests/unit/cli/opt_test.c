/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "cli/opt.h"
#include "unit.h"

struct args {
	bool interactive, tty, rm;
	const char *file, *progress, *pull;
	struct strs env;
	int64_t count;
};

static const struct opt opts[] = {
	OPT_FLAG('i', "interactive", struct args, interactive, "keep stdin open"),
	OPT_FLAG('t', "tty", struct args, tty, "a terminal"),
	OPT_FLAG(0, "rm", struct args, rm, "remove"),
	OPT_STR('f', "file", struct args, file, "PATH", "the file"),
	OPT_CHOICE(0, "progress", struct args, progress, "auto|plain", "progress"),
	OPT_OPTVAL(0, "pull", struct args, pull, "WHEN", "always", "pull"),
	OPT_LIST('e', "env", struct args, env, "K=V", "a variable"),
	OPT_INT('n', "count", struct args, count, "N", "how many"),
	OPT_LATER('d', "detach", NULL, "containers that stay come later"),
	OPT_LATER('p', "publish", "PORTS", "ports come later"),
	{ 0 },
};

#define WORDS_MAX 12
struct parsed {
	struct args args;
	struct words words;
	bool help;
	struct err e;
	int r;
};

static void parsed_done(struct parsed *p)
{
	opt_done(opts, &p->args);
	arr_done(&p->words);
	err_done(&p->e);
}

/* line: words separated by one blank. */
static void parse(const char *line, bool stop, struct parsed *p)
{
	static char words[WORDS_MAX][32];
	char *argv[WORDS_MAX];
	int argc = 0;
	struct slice rest = slice_of(line), word;
	*p = (struct parsed){ 0 };
	while (rest.n && argc < WORDS_MAX && slice_split(&rest, ' ', &word)) {
		assert_true(word.n < sizeof words[0]);
		memcpy(words[argc], word.p, word.n);
		words[argc][word.n] = 0;
		argv[argc] = words[argc];
		argc++;
	}
	p->r = opt_parse(opts, stop, argc, argv, &p->args, &p->words, &p->help, &p->e);
}

static void describe(const struct parsed *p, struct buf *out)
{
	const struct args *a = &p->args;
	buf_printf(out, "%s%s%s", a->interactive ? "i" : "", a->tty ? "t" : "", a->rm ? "R" : "");
	if (a->file)
		buf_printf(out, " f=%s", a->file);
	if (a->progress)
		buf_printf(out, " progress=%s", a->progress);
	if (a->pull)
		buf_printf(out, " pull=%s", a->pull);
	arr_each(e, &a->env)
		buf_printf(out, " e=%s", *e);
	if (a->count)
		buf_printf(out, " n=%lld", (long long)a->count);
	for (size_t i = 0; i < p->words.n; i++)
		buf_printf(out, " [%s]", p->words.p[i]);
	if (p->help)
		buf_str(out, " help");
}

static void flags__are_read_as_pflag_reads_them(void **state)
{
	static const struct {
		const char *line, *want;
		bool stop;
	} cases[] = {
		{ "", "" },
		{ "a b", " [a] [b]" },
		{ "-i -t", "it" },
		{ "-it", "it" },
		{ "--interactive --tty=false --rm=1", "iR" },
		{ "-i=false -t=T", "t" },
		{ "-f x", " f=x" },
		{ "-fx", " f=x" },
		{ "-f=x", " f=x" },
		{ "-itfx", "it f=x" },
		{ "-itf x y", "it f=x [y]" },
		{ "--file x", " f=x" },
		{ "--file=x", " f=x" },
		{ "--file=", " f=" },
		{ "--file -t", " f=-t" },
		{ "--file a --file b", " f=b" },
		{ "-f -", " f=-" },
		{ "- x", " [-] [x]" },
		{ "a -i b --file c d", "i f=c [a] [b] [d]" },
		{ "-i a -t b", "i [a] [-t] [b]", true },
		{ "-- -i", " [-i]" },
		{ "a -- -i -- b", " [a] [-i] [--] [b]" },
		{ "-- a -i", " [a] [-i]", true },
		{ "--pull x", " pull=always [x]" },
		{ "--pull=never", " pull=never" },
		{ "-e A=1 -eB=2 --env=C=3", " e=A=1 e=B=2 e=C=3" },
		{ "-n 5", " n=5" },
		{ "-n=-7", " n=-7" },
		{ "--progress plain", " progress=plain" },
		{ "--help", " help" },
		{ "-h --nosuch", " help" },
		{ "-ith", "it help" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(parsed_done) struct parsed p;
		_cleanup_(buf_done) struct buf out = { 0 };
		parse(cases[i].line, cases[i].stop, &p);
		describe(&p, &out);
		if (p.r < 0 || strcmp(out.p ? out.p : "", cases[i].want) != 0)
			fail_msg("'%s' gives %s, not %s (%s)", cases[i].line, out.p, cases[i].want,
				 p.e.n ? p.e.chain[0] : "no error");
	}
}

static void flags__that_are_wrong_are_named(void **state)
{
	static const struct {
		const char *line, *message, *hint;
	} cases[] = {
		{ "--fiel x", "unknown flag '--fiel'", "did you mean '--file'?" },
		{ "--interact", "unknown flag '--interact'", "did you mean '--interactive'?" },
		{ "--xyzzyplugh", "unknown flag '--xyzzyplugh'", NULL },
		{ "--fiel=x", "unknown flag '--fiel'", "did you mean '--file'?" },
		{ "-x", "unknown flag '-x'", NULL },
		{ "-ix", "unknown flag '-x' in '-ix'", NULL },
		{ "-f", "flag needs an argument: -f", NULL },
		{ "--file", "flag needs an argument: --file", NULL },
		{ "-itf", "flag needs an argument: -f", NULL },
		{ "--tty=maybe", "flag --tty is true or false, not 'maybe'", NULL },
		{ "--tty=", "flag --tty is true or false, not ''", NULL },
		{ "--count=x", "flag --count wants a whole number, not 'x'", NULL },
		{ "--count=99999999999999999999",
		  "flag --count wants a whole number, not '99999999999999999999'", NULL },
		{ "--count=", "flag --count wants a whole number, not ''", NULL },
		{ "--progress fast", "flag --progress does not know 'fast'", "one of auto|plain" },
		{ "--progress=", "flag --progress does not know ''", "one of auto|plain" },
		{ "--progress plai", "flag --progress does not know 'plai'", "one of auto|plain" },
		{ "-d", "flag -d, --detach: containers that stay come later", NULL },
		{ "--detach=false", "flag -d, --detach: containers that stay come later", NULL },
		{ "-p 80:80", "flag -p, --publish: ports come later", NULL },
		{ "-p80", "flag -p, --publish: ports come later", NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(parsed_done) struct parsed p;
		parse(cases[i].line, false, &p);
		if (p.r == 0)
			fail_msg("'%s' is taken", cases[i].line);
		assert_int_equal(p.e.kind, ERR_USER);
		assert_string_equal(p.e.chain[0], cases[i].message);
		assert_int_equal(p.e.hints_n, cases[i].hint != NULL);
		if (cases[i].hint)
			assert_string_equal(p.e.hints[0], cases[i].hint);
	}
}

static void nearest__is_near_or_nothing(void **state)
{
	static const char *const names[] = { "images", "inspect", "import", "info",
					     "rmi",    "run",     "cp" };
	(void)state;
	assert_string_equal(opt_nearest("imags", names, COUNT_OF(names)), "images");
	assert_string_equal(opt_nearest("imagse", names, COUNT_OF(names)), "images");
	assert_string_equal(opt_nearest("insp", names, COUNT_OF(names)), "inspect");
	assert_string_equal(opt_nearest("rum", names, COUNT_OF(names)), "run");
	assert_null(opt_nearest("x", names, COUNT_OF(names)));
	assert_null(opt_nearest("", names, COUNT_OF(names)));
	assert_null(opt_nearest("frobnicate", names, COUNT_OF(names)));
}

static void help__tells_all_but_what_is_hidden(void **state)
{
	static const struct cmd cmd = { "try",
					"[OPTIONS] WORD",
					"try it",
					opts,
					sizeof(struct args),
					NULL,
					.examples = "  thimble try x\n" };
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)state;
	opt_help(&cmd, "image try", &out);
	assert_string_equal(out.p,
			    "Usage:  thimble image try [OPTIONS] WORD\n\nTry it\n\nOptions:\n"
			    "  -i, --interactive           keep stdin open\n"
			    "  -t, --tty                   a terminal\n"
			    "      --rm                    remove\n"
			    "  -f, --file PATH             the file\n"
			    "      --progress auto|plain   progress\n"
			    "      --pull[=WHEN]           pull\n"
			    "  -e, --env K=V               a variable\n"
			    "  -n, --count N               how many\n"
			    "  -h, --help                  print this help\n"
			    "\nExamples:\n  thimble try x\n"
			    "\nMore in the manual: man thimble-try\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags__are_read_as_pflag_reads_them),
		cmocka_unit_test(flags__that_are_wrong_are_named),
		cmocka_unit_test(nearest__is_near_or_nothing),
		cmocka_unit_test(help__tells_all_but_what_is_hidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
