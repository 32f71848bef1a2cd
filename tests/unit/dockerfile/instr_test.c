/* SPDX-License-Identifier: Apache-2.0 */
#include "df.h"

/* The last instruction of the text, expanded. */
struct expanded {
	struct parsed p;
	struct arena a;
	struct instr in;
	struct err e;
	struct vars v;
	int r;
};

static void expanded_done(struct expanded *x)
{
	parsed_done(&x->p);
	arena_done(&x->a);
	err_done(&x->e);
	strs_done(&x->v.unset);
}

static struct expanded expand(const char *text, const char *const *vars)
{
	struct expanded x = { .p = parse(text), .v = { .p = vars } };
	if (x.p.r < 0)
		fail_msg("%s: %s", text, x.p.line.p);
	struct expand_env env = { .get = vars_get, .unset = vars_unset, .ctx = &x.v };
	x.r = instr_expand(arr_last(&x.p.df.instrs), &env, &x.a, &x.in, &x.e);
	return x;
}
#define EXPANDED _cleanup_(expanded_done) struct expanded

#define assert_expand_refused(text, vars, word)                                          \
	do {                                                                             \
		EXPANDED x_ = expand(text, vars);                                        \
		if (x_.r == 0)                                                           \
			fail_msg("accepted: %s", text);                                  \
		if (!strstr(err_words(&x_.e), word))                                     \
			fail_msg("%s: said '%s', not '%s'", text, err_words(&x_.e), word); \
		assert_non_null(x_.e.span.file);                                         \
	} while (0)

static const char *join(const struct words *w)
{
	static char text[512];
	struct strs l = { .p = (char **)w->p, .n = w->n };
	_free_ char *s = strs_join(&l, "|");
	(void)snprintf(text, sizeof text, "%s", s);
	return text;
}

static void instr__unknown_ones_get_a_suggestion(void **state)
{
	(void)state;
	assert_refused("FROM x\nFNTRYPOINT [\"x\"]", "did you mean ENTRYPOINT?"); /* LEX25 */
	assert_refused("FROM x\nfoo bar", "unknown instruction: foo (did you mean from?)"); /* LEX26 */
	assert_refused("FROM x\nxyzzy", "unknown instruction: xyzzy");
	PARSED p = parse("FROM x\nRUN a &&\n  make install\n");
	assert_int_equal(p.e.span.first, 3);
	assert_int_equal(p.e.span.col, 3);
	assert_int_equal(p.e.span.width, 4);
	assert_true(hinted(&p.e, "line 2 must end in '\\'"));
}

static void flags__are_checked(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nCOPY -- --odd /d\nCOPY --link --parents=FALSE \"--chown=a b\" "
			 "--exclude=*.c --exclude=x y /z\nADD --unpack=false a /\nADD a /\nARG --x foo");
	assert_int_equal(p.r, 0);
	assert_string_equal(join(&IN(p, 1)->args), "--odd"); /* LEX27 */
	assert_true(IN(p, 2)->link && !IN(p, 2)->parents);
	assert_null(IN(p, 2)->chown); /* a quote is not "--": it is a source */
	assert_int_equal(IN(p, 3)->unpack, 0);
	assert_int_equal(IN(p, 4)->unpack, -1);
	assert_int_equal(IN(p, 5)->pairs.n, 1);
	assert_string_equal(IN(p, 5)->pairs.p[0].key, "foo");
	PARSED q = parse("FROM x\nCOPY --chown=\"a b\" --chmod='7'55 --exclude=*.c --exclude=x y /z");
	assert_string_equal(IN(q, 1)->chown, "a b");
	assert_string_equal(IN(q, 1)->chmod, "755");
	assert_string_equal(join(&IN(q, 1)->excludes), "*.c|x");

	assert_refused("FROM x\nCOPY --link=yes a /", "expecting boolean value"); /* LEX28 */
	assert_refused("FROM x\nCOPY --link= a /", "missing a value");
	assert_refused("FROM x\nCOPY --from a /", "missing a value on flag: --from"); /* LEX29 */
	assert_refused("FROM x\nCOPY --chown=1 --chown=2 a /", "duplicate flag"); /* LEX30 */
	assert_refused("FROM x\nRUN --mont=type=tmpfs x", "unknown flag: --mont (did you mean --mount?)"); /* LEX31 */
	assert_refused("FROM x\nENV --x a=b", "unknown flag: --x");
	assert_refused("FROM x\nCOPY --LINK a /", "unknown flag");
	assert_refused("FROM x\nRUN --network=bridge x", "invalid network mode");
	assert_refused("FROM x\nRUN --security=none x", "not supported");
	PARSED at = parse("FROM x\nRUN --network=none \\\n  --mont=a x");
	assert_int_equal(at.e.span.first, 3);
	assert_int_equal(at.e.span.col, 3);
}

static void instr__exec_and_shell_form(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool json;
		const char *want;
	} cases[] = {
		{ "CMD ['echo','x']", false, "['echo','x']" },           /* LEX32 */
		{ "CMD [\"echo\", \"no end!]", false, "[\"echo\", \"no end!]" }, /* LEX33 */
		{ "ENTRYPOINT []random", false, "[]random" },            /* LEX35 */
		{ "RUN [\"echo\",\"hi\"]oops", false, "[\"echo\",\"hi\"]oops" }, /* LEX36 */
		{ "CMD [ \"a\" , \"b\\n\\u00e4\" ]", true, "a|b\n\xc3\xa4" },
		{ "CMD [\"a\\ud800\", \"\\uDC00b\", \"\\ud83d\\ude00\", \"\\ud800\\n\"]", true,
		  "a\xef\xbf\xbd|\xef\xbf\xbd" "b|\xf0\x9f\x98\x80|\xef\xbf\xbd\n" },
		{ "CMD [\"\xff\xc3\xa4\", \"\\\\u0000\", \"\\\"\"]", true,
		  "\xef\xbf\xbd\xc3\xa4|\\u0000|\"" },
		{ "CMD [\"\\ud8\"]", false, "[\"\\ud8\"]" },
		{ "CMD []", true, "" }, { "ENTRYPOINT []", true, "" }, { "CMD", false, "" },
		{ "RUN", false, "" }, { "SHELL [\"/bin/bash\", \"-c\"]", true, "/bin/bash|-c" },
		{ "HEALTHCHECK CMD a b", false, "a b" },                 /* CFG12 */
		{ "HEALTHCHECK --retries=2 cmd [\"a\", \"b\"]", true, "a|b" },
		{ "RUN --network=none $x \"y\"", false, "$x \"y\"" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *text = str_printf("FROM x\n%s", cases[i].text);
		PARSED p = parse(text);
		if (p.r < 0)
			fail_msg("%s: %s", text, p.line.p);
		assert_int_equal(IN(p, 1)->json, cases[i].json);
		assert_string_equal(cases[i].json ? join(&IN(p, 1)->args) : IN(p, 1)->text, cases[i].want);
	}
	assert_refused("FROM x\nCMD [\"a\", 1]", "strings only"); /* LEX34 */
	assert_refused("FROM x\nCMD [\"a\",[\"b\"]]", "strings only");
	/* what BuildKit's reader takes, and ours by itself does not */
	assert_refused("FROM x\nCMD [\"a\", \"b\\u0000c\"]", "\\u0000 cannot be in an argument");
	assert_refused("FROM x\nCOPY [\"a\\u0000\", \"/\"]", "\\u0000 cannot be in an argument");
	assert_refused("FROM x\nCMD [\"\\u0000\", 1]", "strings only");
	assert_refused("FROM x\nRUN []", "RUN requires at least one"); /* RUN02 */
	assert_refused("FROM x\nSHELL sh -c", "SHELL requires the arguments to be in JSON form");
	assert_refused("FROM x\nSHELL []", "at least one");
}

static void instr__arity(void **state)
{
	(void)state;
	static const char *const one[] = { "WORKDIR", "USER", "MAINTAINER", "STOPSIGNAL" };
	static const char *const some[] = { "ENV", "LABEL", "EXPOSE", "VOLUME", "ONBUILD", "HEALTHCHECK",
					    "ARG", "SHELL" };
	for (size_t i = 0; i < COUNT_OF(one); i++) {
		_free_ char *t = str_printf("FROM x\n%s", one[i]);
		assert_refused(t, "requires exactly one argument");
	}
	for (size_t i = 0; i < COUNT_OF(some); i++) {
		_free_ char *t = str_printf("FROM x\n%s", some[i]);
		assert_refused(t, "requires at least one argument");
	}
	assert_refused("FROM x\nCOPY", "requires at least two arguments, but only none");
	assert_refused("FROM x\nADD a", "Destination could not be determined");
	assert_refused("FROM x\nCOPY [\"a\"]", "Destination could not be determined");
	assert_refused("FROM x\nVOLUME []", "at least one");
	PARSED p = parse("FROM x\nUSER a b\nWORKDIR /a b");
	assert_string_equal(IN(p, 1)->args.p[0], "a b");
	assert_string_equal(IN(p, 2)->args.p[0], "/a b");
}

static void from__stages(void **state)
{
	(void)state;
	PARSED p = parse("ARG V=1\nFROM a:$V AS Web\nRUN x\nFROM --platform=$P web as two\nFROM scratch\nCMD y");
	assert_int_equal(p.df.globals, 1);
	assert_int_equal(p.df.stages.n, 3);
	assert_string_equal(p.df.stages.p[0].name, "web");
	assert_int_equal(p.df.stages.p[0].from, 1);
	assert_int_equal(p.df.stages.p[0].first, 2);
	assert_int_equal(p.df.stages.p[0].end, 3);
	assert_int_equal(p.df.stages.p[1].first, p.df.stages.p[1].end);
	assert_null(p.df.stages.p[2].name);
	assert_string_equal(IN(p, 3)->platform, "$P");
	assert_ptr_equal(dockerfile_stage_find(&p.df, "wEB", SIZE_MAX, false), &p.df.stages.p[0]); /* FRM02 */
	assert_null(dockerfile_stage_find(&p.df, "Web", 1, true)); /* FRM03 */
	assert_null(dockerfile_stage_find(&p.df, "two", 1, true));
	assert_string_equal(dockerfile_stage_near(&p.df, "wep"), "web");
	assert_refused("FROM x AS 1a", "invalid name for build stage"); /* FRM01 */
	assert_refused("FROM a b", "either one or three arguments");
	assert_refused("FROM a b c", "either one or three arguments");
	assert_refused("FROM", "either one or three arguments");
	assert_refused("FROM a AS b_$", "invalid name");

	EXPANDED x = expand("FROM --platform=$P img:${V:-2}", VARS("P=linux/arm64"));
	assert_string_equal(x.in.image, "img:2");
	assert_string_equal(x.in.platform, "linux/arm64");
	assert_expand_refused("FROM $T", VARS(NULL), "base name ($T) should not be blank"); /* FRM04 */
	assert_expand_refused("FROM --platform=$NOPE x", VARS(NULL), "empty platform value"); /* FRM05 */
}

static void env__pairs(void **state)
{
	(void)state;
	EXPANDED x = expand("FROM x\nENV a=bye d=$a n='a\\'b'' s=a\\ b e=", VARS("a=hello")); /* VAR17, VAR21 */
	assert_int_equal(x.r, 0);
	assert_int_equal(x.in.pairs.n, 5);
	static const char *const want[] = { "a=bye", "d=hello", "n=a\\b", "s=a b", "e=" };
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		_free_ char *got = str_printf("%s=%s", x.in.pairs.p[i].key, x.in.pairs.p[i].value);
		assert_string_equal(got, want[i]);
	}
	assert_false(x.in.legacy_pair);
	EXPANDED old = expand("FROM x\nENV ONE TWO= THREE=w", VARS(NULL)); /* VAR18 */
	assert_true(old.in.legacy_pair);
	assert_string_equal(old.in.pairs.p[0].value, "TWO= THREE=w");
	assert_refused("FROM x\nENV a=b c", "can't find = in \"c\""); /* VAR19 */
	assert_refused("FROM x\nENV PATH", "ENV must have two arguments"); /* VAR20 */
	assert_refused("FROM x\nENV =b", "ENV names can not be blank");
	assert_refused("FROM x\nLABEL =b", "LABEL names can not be blank");
	EXPANDED l = expand("FROM x\nLABEL \"a b\"=$v x-$v=\"$v  c\"", VARS("v=1"));
	assert_string_equal(l.in.pairs.p[0].key, "a b");
	assert_string_equal(l.in.pairs.p[1].key, "x-1");
	assert_string_equal(l.in.pairs.p[1].value, "1  c");
}

static void arg__is_expanded_one_by_one(void **state)
{
	(void)state;
	PARSED p = parse("ARG A=1 B=$A C D=\nARG E=${F:?m}\nFROM x");
	struct arena a = { 0 };
	struct err e = { 0 };
	struct vars none = { .p = VARS(NULL) }, with = { .p = VARS("A=1") };
	struct expand_env env = { .get = vars_get, .ctx = &none };
	struct pair out;
	env.ctx = &with;
	assert_int_equal(arg_expand(IN(p, 0), 1, NULL, &env, &a, &out, NULL), 0); /* VAR22 */
	assert_string_equal(out.value, "1");
	assert_int_equal(arg_expand(IN(p, 0), 2, NULL, &env, &a, &out, NULL), 0); /* VAR24 */
	assert_null(out.value);
	assert_int_equal(arg_expand(IN(p, 0), 3, NULL, &env, &a, &out, NULL), 0);
	assert_string_equal(out.value, "");
	env.ctx = &none;
	assert_int_equal(arg_expand(IN(p, 1), 0, "given $x", &env, &a, &out, NULL), 0); /* VAR23 */
	assert_string_equal(out.value, "given $x");
	assert_int_equal(arg_expand(IN(p, 1), 0, NULL, &env, &a, &out, &e), -1);
	assert_says(&e, "F: m");
	assert_true(hinted(&e, "--build-arg F="));
	err_done(&e);
	arena_done(&a);
	assert_refused("ARG =x\nFROM x", "ARG names can not be blank");
}

static void copy__is_expanded(void **state)
{
	(void)state;
	EXPANDED x = expand("FROM x\nCOPY --from=s --chown=$u:1 --chmod=$m --exclude=$e a$u <<E <<'F' \"$d\"/\n$u\nE\n$u\nF",
			    VARS("u=me", "m=u=rwX", "d=/dst"));
	if (x.r < 0)
		fail_msg("%s", err_words(&x.e));
	assert_string_equal(join(&x.in.args), "ame");
	assert_string_equal(x.in.dest, "/dst/");
	assert_string_equal(x.in.chown, "me:1");
	assert_string_equal(x.in.excludes.p[0], "$e");
	assert_int_equal(chmod_apply(x.in.chmod_spec, 0644, false), 0644);
	assert_true(slice_is(x.in.heredocs.p[0].body, "me\n"));
	assert_true(slice_is(x.in.heredocs.p[1].body, "$u\n"));
	assert_ptr_equal(x.in.origin, arr_last(&x.p.df.instrs));
	EXPANDED json = expand("FROM x\nCOPY [\"a b\", \"$d\", \"/x y/\"]", VARS("d=q"));
	assert_string_equal(join(&json.in.args), "a b|q");
	assert_string_equal(json.in.dest, "/x y/");
	EXPANDED empty = expand("FROM x\nCOPY f $none", VARS(NULL)); /* CPY02 */
	assert_string_equal(empty.in.dest, "");
	assert_string_equal(empty.v.unset.p[0], "none");
	assert_expand_refused("FROM x\nCOPY \"a b\" /x", VARS(NULL), "double-quote");
	assert_expand_refused("FROM x\nCOPY --chmod=64a f /", VARS(NULL), "octal"); /* CPY26 */
	assert_refused("FROM x\nCOPY --from=$X a /", "doesn't support variable expansion"); /* CPY34 */
}

static void run__mounts(void **state)
{
	(void)state;
	EXPANDED x = expand("FROM x\nRUN --mount=type=$T,target=$P --mount=target=/c,rw,from=st,source=a "
			    "--mount=type=cache,dst=/k,id=i,sharing=locked,uid=1001,mode=751,ro "
			    "--mount=type=tmpfs,target=/t,size=128m --mount=type=secret,id=a/tok,required "
			    "--mount=type=secret,env=TOK,src=s --mount=type=ssh '--mount=type=cache,\"target=/a,b\"' x",
			    VARS("T=tmpfs", "P=/p")); /* RUN10 */
	if (x.r < 0)
		fail_msg("%s", err_words(&x.e));
	/* a flag in quotes is no flag: the last one is part of the command */
	assert_int_equal(x.in.mounts.n, 7);
	const struct mount_opt *m = x.in.mounts.p;
	assert_int_equal(m[0].type, MOUNT_TMPFS);
	assert_string_equal(m[0].target, "/p");
	assert_int_equal(m[1].type, MOUNT_BIND);
	assert_false(m[1].readonly);
	assert_string_equal(m[1].from, "st");
	assert_string_equal(m[1].source, "a");
	assert_int_equal(m[2].type, MOUNT_CACHE);
	assert_true(m[2].readonly && m[2].has_uid && m[2].uid == 1001 && m[2].mode == 0751);
	assert_int_equal(m[2].sharing, SHARING_LOCKED);
	assert_int_equal(m[3].size, 128u << 20);
	assert_string_equal(m[4].target, "/run/secrets/tok");
	assert_true(m[4].required && m[4].readonly && m[4].mode == 0400);
	assert_string_equal(m[5].id, "s");
	assert_null(m[5].target);
	assert_string_equal(m[6].id, "default");
	EXPANDED q = expand("FROM x\nRUN --mount=type=cache,\\\"target=/a,b\\\" x", VARS(NULL));
	assert_string_equal(q.in.mounts.p[0].target, "/a,b");

	assert_expand_refused("FROM x\nRUN --mount=size=1m,type=tmpfs,target=/t x", VARS(NULL), "unexpected key 'size'"); /* RUN07 */
	assert_refused("FROM x\nRUN --mount=from=$S,target=/x y", "define alias stage"); /* RUN11 */
	assert_expand_refused("FROM x\nRUN --mount=typ=tmpfs,target=/x y", VARS(NULL), "unexpected key 'typ' in --mount (did you mean type?)"); /* RUN14 */
	assert_expand_refused("FROM x\nRUN --mount=type=tmp,target=/x y", VARS(NULL), "did you mean tmpfs?"); /* RUN15 */
	assert_expand_refused("FROM x\nRUN --mount=target=/ y", VARS(NULL), "invalid mount target"); /* RUN16 */
	assert_expand_refused("FROM x\nRUN --mount=target=/a/.. y", VARS(NULL), "invalid mount target");
	assert_expand_refused("FROM x\nRUN --mount=type=bind,sharing=locked,target=/x y", VARS(NULL), "unexpected key 'sharing'"); /* RUN17 */
	assert_expand_refused("FROM x\nRUN --mount=type=cache y", VARS(NULL), "no target");
	assert_expand_refused("FROM x\nRUN --mount=type=secret y", VARS(NULL), "invalid secret mount");
	assert_expand_refused("FROM x\nRUN --mount=type=secret,id=a,source=b y", VARS(NULL), "both source and id");
	assert_expand_refused("FROM x\nRUN --mount=type=ssh,source=b y", VARS(NULL), "unexpected key 'source'");
	assert_expand_refused("FROM x\nRUN --mount=target y", VARS(NULL), "must be a key=value pair");
	assert_expand_refused("FROM x\nRUN --mount=type=cache,target=/x,mode=9 y", VARS(NULL), "invalid value \"9\"");
}

static void run__other_options(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nRUN --network=host --security=insecure --device=vendor.com/class=a,required "
			 "--device=name=b,required=false x");
	assert_int_equal(IN(p, 1)->network, RUN_NET_HOST);
	assert_true(IN(p, 1)->insecure);
	assert_int_equal(IN(p, 1)->devices.n, 2);
	assert_string_equal(IN(p, 1)->devices.p[0].name, "vendor.com/class=a");
	assert_true(IN(p, 1)->devices.p[0].required);
	assert_string_equal(IN(p, 1)->devices.p[1].name, "b");
	assert_false(IN(p, 1)->devices.p[1].required);
	assert_refused("FROM x\nRUN --device=required x", "needs the name");
}

static void expose__ports(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "EXPOSE 5000 80/udp 90-92", "5000/tcp|80/udp|90/tcp|91/tcp|92/tcp" }, /* CFG05 */
		{ "EXPOSE $P", "3000/tcp|4000/udp" },                                   /* CFG06 */
		{ "EXPOSE 2375 5000 1234/udp", "1234/udp|2375/tcp|5000/tcp" },          /* IMG03 */
		{ "EXPOSE 0.0.0.0:1-2:3-4/tcp", "3/tcp|4/tcp" },                        /* CFG08 */
		{ "EXPOSE [::1]:80:80 53/UDP", "53/udp|80/tcp" },                       /* CFG09 */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *t = str_printf("FROM x\n%s", cases[i].text);
		EXPANDED x = expand(t, VARS("P=3000 4000/udp"));
		if (x.r < 0)
			fail_msg("%s: %s", t, err_words(&x.e));
		assert_string_equal(join(&x.in.args), cases[i].want);
	}
	assert_expand_refused("FROM x\nEXPOSE 80/foo", VARS(NULL), "invalid proto"); /* CFG07 */
	assert_expand_refused("FROM x\nEXPOSE 70000", VARS(NULL), "invalid containerPort");
	assert_expand_refused("FROM x\nEXPOSE 9-8", VARS(NULL), "invalid containerPort");
	assert_expand_refused("FROM x\nEXPOSE 80/", VARS(NULL), "invalid proto");
}

static void config__values(void **state)
{
	(void)state;
	static const char *const good[] = { "sigterm", "9", "SIGRTMIN+3", "$S" }; /* CFG10 */
	static const char *const bad[] = { "FOO", "0", "65", "SIG", "$none" };
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		_free_ char *t = str_printf("FROM x\nSTOPSIGNAL %s", good[i]);
		EXPANDED x = expand(t, VARS("S=INT"));
		assert_int_equal(x.r, 0);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		_free_ char *t = str_printf("FROM x\nSTOPSIGNAL %s", bad[i]);
		assert_expand_refused(t, VARS(NULL), "invalid signal");
	}
	EXPANDED v = expand("FROM x\nVOLUME [\"/a b\", \"$d\"]", VARS("d=/e")); /* CFG11 */
	assert_string_equal(join(&v.in.args), "/a b|/e");
	assert_refused("FROM x\nVOLUME [\"\"]", "can not be an empty string");
	assert_expand_refused("FROM x\nVOLUME $none", VARS(NULL), "can not be an empty string");
	EXPANDED w = expand("FROM x\nWORKDIR $unset/x", VARS(NULL)); /* VAR34 */
	assert_string_equal(w.in.args.p[0], "/x");
	assert_string_equal(w.v.unset.p[0], "unset");
	EXPANDED u = expand("FROM x\nUSER ${u:-def}", VARS(NULL)); /* VAR29 */
	assert_string_equal(u.in.args.p[0], "def");
	assert_expand_refused("FROM x\nUSER ${u:?no user}", VARS(NULL), "u: no user");
}

static void healthcheck__options(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nHEALTHCHECK --interval=1m30s --timeout=5s --start-period=0s --start-interval=500ms "
			 "--retries=3 CMD a\nHEALTHCHECK NONE\nHEALTHCHECK --bogus NONE");
	if (p.r < 0)
		fail_msg("%s", p.line.p);
	assert_int_equal(IN(p, 1)->health_interval, 90000000000);
	assert_int_equal(IN(p, 1)->health_start_interval, 500000000);
	assert_int_equal(IN(p, 1)->health_retries, 3);
	assert_true(IN(p, 2)->health_none && IN(p, 3)->health_none);
	assert_refused("FROM x\nHEALTHCHECK --interval=50ns CMD x", "cannot be less than 1ms"); /* CFG13 */
	assert_refused("FROM x\nHEALTHCHECK --interval=-1s CMD x", "cannot be less than 1ms");
	assert_refused("FROM x\nHEALTHCHECK --interval=5 CMD x", "invalid duration");
	assert_refused("FROM x\nHEALTHCHECK --retries=-1 CMD x", "--retries");
	assert_refused("FROM x\nHEALTHCHECK NONE x", "takes no arguments"); /* CFG14 */
	assert_refused("FROM x\nHEALTHCHECK CONNECT t", "Unknown type \"CONNECT\"");
	assert_refused("FROM x\nHEALTHCHECK CMD", "Missing command");
	assert_refused("FROM x\nHEALTHCHECK CMD []", "Missing command");
}

static void onbuild__triggers(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nONBUILD run  a \\\n b\nONBUILD nonsense x");
	assert_string_equal(IN(p, 1)->trigger, "run  a  b");
	assert_int_equal(IN(p, 1)->trigger_kind, INSTR_RUN);
	assert_int_equal(IN(p, 2)->trigger_kind, -1);
	assert_refused("FROM x\nONBUILD ONBUILD RUN x", "Chaining ONBUILD"); /* CFG18 */
	assert_refused("FROM x\nONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger");
	assert_refused("FROM x\nONBUILD maintainer x", "MAINTAINER isn't allowed");
	struct arena a = { 0 };
	struct err e = { 0 };
	struct instr in;
	assert_int_equal(dockerfile_parse_trigger(SL("nonsense x"), &IN(p, 0)->span, &a, &in, &e), -1);
	assert_says(&e, "unknown instruction: nonsense");
	assert_int_equal(e.span.first, 1);
	assert_string_equal(e.span.file, "Dockerfile");
	assert_int_equal(dockerfile_parse_trigger(SL("FROM y"), NULL, &a, &in, &e), -1);
	assert_int_equal(dockerfile_parse_trigger(SL("RUN a\nRUN b"), NULL, &a, &in, &e), -1);
	assert_says(&e, "more than one instruction");
	assert_int_equal(dockerfile_parse_trigger(SL(""), NULL, &a, &in, &e), -1);
	assert_int_equal(dockerfile_parse_change(SL("ENV a=b"), &a, &in, &e), 0);
	assert_int_equal(in.kind, INSTR_ENV);
	err_done(&e);
	arena_done(&a);
}

static void places__of_words(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nCOPY libfoo.so \\\n  lib /usr/lib");
	struct err e = { 0 };
	err_set(&e, ERR_USER, "x");
	assert_int_equal(instr_err_at(&e, IN(p, 1), "lib"), -1);
	assert_int_equal(e.span.first, 3); /* not in "libfoo.so" */
	assert_int_equal(instr_err_at(&e, IN(p, 1), "/usr/lib"), -1);
	assert_int_equal(e.span.first, 3);
	assert_int_equal(e.span.col, 7);
	assert_int_equal(e.span.width, 8);
	assert_string_equal(e.span.lines, "  lib /usr/lib");
	assert_int_equal(instr_err_at(&e, IN(p, 1), "nowhere"), -1);
	assert_int_equal(e.span.first, 2);
	assert_int_equal(e.span.last, 3);
	assert_int_equal(e.span.col, 0);
	err_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instr__unknown_ones_get_a_suggestion),
		cmocka_unit_test(flags__are_checked),
		cmocka_unit_test(instr__exec_and_shell_form),
		cmocka_unit_test(instr__arity),
		cmocka_unit_test(from__stages),
		cmocka_unit_test(env__pairs),
		cmocka_unit_test(arg__is_expanded_one_by_one),
		cmocka_unit_test(copy__is_expanded),
		cmocka_unit_test(run__mounts),
		cmocka_unit_test(run__other_options),
		cmocka_unit_test(expose__ports),
		cmocka_unit_test(config__values),
		cmocka_unit_test(healthcheck__options),
		cmocka_unit_test(onbuild__triggers),
		cmocka_unit_test(places__of_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
