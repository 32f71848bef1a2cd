/* SPDX-License-Identifier: Apache-2.0 */
#include "df.h"


static void lex__refuses_what_is_no_dockerfile(void **state)
{
	(void)state;
	assert_refused("", "cannot be empty");                              /* LEX01 */
	assert_refused("# x\n\n  # y\n", "file with no instructions");      /* LEX02 */
	assert_refused("ARG foo=bar", "contains no stages to build");       /* LEX03 */
	assert_refused("RUN x\nFROM y", "no build stage in current context"); /* LEX04 */
	PARSED zero = parse_n("FROM x\0y", 8);
	assert_int_equal(zero.r, -1);
	assert_non_null(strstr(zero.line.p, "zero byte"));
	_free_ char *large = mem_alloc(DOCKERFILE_MAX + 1);
	memset(large, '\n', DOCKERFILE_MAX + 1);
	PARSED much = parse_n(large, DOCKERFILE_MAX + 1);
	assert_int_equal(much.r, -1);
	assert_non_null(strstr(much.line.p, "Dockerfile is larger than 4194304 bytes"));
	assert_true(hinted(&much.e, "is it the right file?"));
	PARSED enough = parse_n(large, DOCKERFILE_MAX);
	assert_non_null(strstr(enough.line.p, "file with no instructions"));
	PARSED wide = parse_n("\xff\xfe" "F\0R\0", 6);
	assert_non_null(strstr(wide.line.p, "UTF-16"));
}

static void lex__reads_lines(void **state)
{
	(void)state;
	static const struct {
		const char *text, *shell; /* what the RUN of the text hands to the shell */
	} cases[] = {
		{ "\xef\xbb\xbf" "FROM x\nRUN a", "a" },                     /* LEX05 */
		{ "FROM x\r\nRUN a \\\r\n  b\r\n", "a   b" },                /* LEX06 */
		{ "from scratch\nrun x", "x" },                             /* LEX07 */
		{ "FROM x\nRUN echo a \\\n# note\n b", "echo a  b" },       /* LEX17 */
		{ "FROM x\nRUN echo a \\\n   # note\n b", "echo a  b" },
		{ "FROM x\nRUN echo a \\\n\n b", "echo a  b" },             /* LEX18 */
		{ "FROM x\nRUN echo hello\\\n  world", "echo hello  world" }, /* LEX19 */
		{ "FROM x\nRUN echo a  \\  \nb", "echo a  b" },             /* LEX20 */
		{ "FROM x\nRUN a \\", "a" },                                /* LEX22 */
		{ "FROM x\nRUN a \\\n", "a" },
		{ "FROM x\nRUN echo hi # x", "echo hi # x" },               /* LEX23 */
		{ "FROM x\n\\\nRUN a", "a" },
		{ "FROM x\n  RUN\ta  b  ", "a  b" },
		{ "# escape=`\nFROM x\nRUN a `\nb\\", "a b\\" },
		{ "FROM x\nRUN a\\\\\n", "a\\\\" },
		{ "FROM x\nRUN a\\\\\\\n", "a\\\\\\" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		PARSED p = parse(cases[i].text);
		if (p.r < 0)
			fail_msg("case %zu: %s", i, p.line.p);
		assert_int_equal(p.df.instrs.n, 2);
		assert_string_equal(IN(p, 1)->text, cases[i].shell);
	}
}

static void lex__crlf_changes_nothing(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nRUN a \\\n b\nCOPY <<E /f\nt\nE\nUSER u\n");
	PARSED q = parse("FROM x\r\nRUN a \\\r\n b\r\nCOPY <<E /f\r\nt\r\nE\r\nUSER u\r\n");
	assert_int_equal(p.r, 0);
	assert_int_equal(q.r, 0);
	assert_int_equal(p.df.instrs.n, q.df.instrs.n);
	for (size_t i = 0; i < p.df.instrs.n; i++) {
		assert_string_equal(IN(p, i)->original, IN(q, i)->original);
		assert_int_equal(IN(p, i)->span.last, IN(q, i)->span.last);
		assert_string_equal(IN(p, i)->span.lines, IN(q, i)->span.lines);
	}
	assert_true(slice_is(IN(q, 2)->heredocs.p[0].body, "t\r\n")); /* bodies are raw */
}

static void lex__two_escapes_do_not_continue(void **state) /* LEX21 */
{
	(void)state;
	PARSED p = parse("FROM x\nENV C x\\\\\nENV D y");
	assert_int_equal(p.df.instrs.n, 3);
}

static void lex__tells_places(void **state)
{
	(void)state;
	PARSED p = parse("\xef\xbb\xbf# c\n\nFROM x\nRUN wh\\\nat\nCOPY <<A <<B d/\n1\nA\n2\nB\nUSER u");
	assert_int_equal(IN(p, 0)->span.first, 3);
	assert_int_equal(IN(p, 1)->span.first, 4); /* LEX37 */
	assert_int_equal(IN(p, 1)->span.last, 5);
	assert_string_equal(IN(p, 1)->span.lines, "RUN wh\\\nat");
	assert_int_equal(IN(p, 2)->span.first, 6);
	assert_int_equal(IN(p, 2)->span.last, 10);
	assert_int_equal(IN(p, 3)->span.first, 11);

	PARSED bom = parse("\xef\xbb\xbf" "FROM scratch");
	assert_int_equal(IN(bom, 0)->span.first, 1); /* LEX05 */
}

static void lex__line_limit(void **state) /* LEX24 */
{
	(void)state;
	for (size_t n = DOCKERFILE_LINE_MAX; n <= DOCKERFILE_LINE_MAX + 1; n++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		buf_str(&b, "FROM x\n");
		size_t start = b.len;
		buf_str(&b, "RUN ");
		while (b.len - start < n)
			buf_char(&b, 'x');
		buf_str(&b, "\nUSER u");
		PARSED p = parse(b.p);
		assert_int_equal(p.r, n > DOCKERFILE_LINE_MAX ? -1 : 0);
		if (p.r < 0) {
			assert_non_null(strstr(p.line.p, "65535"));
			assert_int_equal(p.e.span.first, 2);
		}
	}
}

static void directives__zone(void **state)
{
	(void)state;
	PARSED win = parse("# escape=`\nFROM x\nENV P `\n\\go"); /* LEX08 */
	assert_int_equal(win.df.directives.escape, '`');
	assert_string_equal(IN(win, 1)->pairs.p[0].value, "\\go");
	PARSED late = parse("# hello\n# escape=`\nFROM x"); /* LEX09 */
	assert_int_equal(late.df.directives.escape, '\\');
	PARSED blank = parse("\n# escape=`\nFROM x"); /* LEX10 */
	assert_int_equal(blank.df.directives.escape, '\\');
	PARSED unknown = parse("# foo=bar\n# syntax=x\nFROM x"); /* LEX11 */
	assert_int_equal(unknown.r, 0);
	assert_null(unknown.df.directives.syntax);
	PARSED indented = parse("   #  ESCAPE = ` \nFROM x");
	assert_int_equal(indented.df.directives.escape, '`');
	PARSED bang = parse("#!/bin/x\n# check=skip=all\n# escape=`\nFROM x"); /* LEX14 */
	assert_int_equal(bang.r, 0);
	assert_string_equal(bang.df.directives.check, "skip=all");
	assert_int_equal(bang.df.directives.check_line, 2);
	assert_int_equal(bang.df.directives.escape, '\\');
	assert_refused("# escape=`\n# escape=`\nFROM x", "only one escape parser directive"); /* LEX12 */
	assert_refused("# escape=x\nFROM x", "invalid escape token 'x'");                    /* LEX13 */
}

static void directives__frontends(void **state)
{
	(void)state;
	static const char *const ours[] = {
		"# syntax=docker/dockerfile:1\nFROM x", "# syntax = docker/dockerfile\nFROM x",
		"#syntax=docker.io/docker/dockerfile-upstream:master-labs extra\nFROM x",
		"# syntax=dockerfile.v0\nFROM x",
	};
	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		PARSED p = parse(ours[i]);
		if (p.r < 0)
			fail_msg("%s: %s", ours[i], p.line.p);
	}
	assert_refused("# syntax=foo/bar:1 x\nFROM x", "'foo/bar:1 x' is not supported");
	assert_refused("//syntax=foo\nFROM x", "'foo' is not supported");  /* LEX15 */
	assert_refused("{\"syntax\": \"foo\"}", "'foo' is not supported"); /* LEX16 */
	PARSED at = parse("# escape=`\n# syntax=foo/bar\nFROM x");
	assert_int_equal(at.e.span.first, 2);

	struct dockerfile df = { 0 };
	struct err e = { 0 };
	assert_int_equal(dockerfile_parse_with(SL("# syntax=foo\nFROM x"), "D", "dockerfile.v0", NULL, &df, &e), 0);
	dockerfile_done(&df);
	assert_int_equal(dockerfile_parse_with(SL("FROM x"), "D", "foo", NULL, &df, &e), -1);
	assert_true(hinted(&e, "BUILDKIT_SYNTAX"));
	err_done(&e);
}

static void heredoc__bodies(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\n"
			 "COPY <<EOF f\nx\nEOF\n"                   /* HER01 */
			 "COPY <<X <<Y /d\nY\nX\nX\nY\n"            /* HER03 */
			 "COPY <<-EOF f\n\t\tx\n\t y\n\tEOF\n"      /* HER08 */
			 "RUN <<eo'f'\n$x\neof\n"                   /* HER16 */
			 "RUN << -EOF\nx\n-EOF\n"
			 "COPY a <<E 3<<-\"E-2\" /d\n# kept\nE\n\t1\nE-2\n"
			 "ADD --chown=1 <<E /d\nE");
	if (p.r < 0)
		fail_msg("%s", p.line.p);
	const struct heredoc *h = IN(p, 1)->heredocs.p;
	assert_string_equal(h[0].name, "EOF");
	assert_true(slice_is(h[0].body, "x\n"));
	assert_true(h[0].expand);
	assert_int_equal(IN(p, 1)->args.n, 0);
	assert_string_equal(IN(p, 1)->dest, "f");
	h = IN(p, 2)->heredocs.p;
	assert_true(slice_is(h[0].body, "Y\n") && slice_is(h[1].body, "X\n"));
	h = IN(p, 3)->heredocs.p;
	assert_true(slice_is(h[0].body, "x\n y\n"));
	assert_true(slice_is(h[0].raw, "\t\tx\n\t y\n"));
	h = IN(p, 4)->heredocs.p;
	assert_string_equal(h[0].name, "eof");
	assert_false(h[0].expand);
	assert_string_equal(IN(p, 4)->text, "$x\n");
	assert_string_equal(IN(p, 5)->heredocs.p[0].name, "-EOF");
	assert_string_equal(IN(p, 5)->text, "x\n");
	h = IN(p, 6)->heredocs.p;
	assert_int_equal(IN(p, 6)->heredocs.n, 2);
	assert_true(slice_is(h[0].body, "# kept\n") && slice_is(h[1].body, "1\n"));
	assert_int_equal(h[1].fd, 3);
	assert_int_equal(IN(p, 6)->args.n, 1);
	assert_string_equal(IN(p, 6)->args.p[0], "a");
	assert_true(slice_is(IN(p, 7)->heredocs.p[0].body, ""));
}

static void heredoc__scripts_of_run(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\n"
			 "RUN <<EOF\na\nb\nEOF\n"                               /* HER09 */
			 "RUN <<EOF\n#!/usr/bin/env python3\nx\nEOF\n"          /* HER10 */
			 "RUN cat <<A | tr a b; cat <<-B\n1\nA\n\t2\n\tB\n"     /* HER12 */
			 "RUN --mount=type=tmpfs,target=/t <<EOF 3<<IN awk\n1\nEOF\n2\nIN"); /* HER13 */
	if (p.r < 0)
		fail_msg("%s", p.line.p);
	assert_string_equal(IN(p, 1)->text, "a\nb\n");
	assert_false(IN(p, 1)->run_script);
	assert_true(IN(p, 2)->run_script);
	assert_string_equal(IN(p, 2)->text, "/dev/pipes/EOF");
	assert_string_equal(IN(p, 3)->text, "cat <<A | tr a b; cat <<-B\n1\nA\n\t2\nB");
	assert_string_equal(IN(p, 4)->text, "<<EOF 3<<IN awk\n1\nEOF\n2\nIN");
}

static void heredoc__what_is_none(void **state)
{
	(void)state;
	static const char *const none[] = { /* HER14 */
		"FROM x\nRUN echo \"<<EOF\"", "FROM x\nRUN [\"<<EOF\"]", "FROM x\nRUN cat <<<x",
		"FROM x\nRUN echo 1 << ", "FROM x\nRUN echo it's <<EOF", "FROM x\nRUN a\\<<EOF",
		"FROM x\nRUN echo $((1<<2))x<<",
	};
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		PARSED p = parse(none[i]);
		if (p.r < 0)
			fail_msg("%s: %s", none[i], p.line.p);
		assert_int_equal(IN(p, 1)->heredocs.n, 0);
	}
	assert_refused("FROM x\nUSER <<X\nX", "unknown instruction: X"); /* HER15 */
}

static void heredoc__errors(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nRUN <<EOF\na\nEOF \nUSER x"); /* HER17 */
	assert_non_null(strstr(p.line.p, "unterminated heredoc"));
	assert_true(hinted(&p.e, "line 4 has blanks"));
	assert_int_equal(p.e.span.first, 2);
	assert_refused("FROM x\nRUN <<EOF", "unterminated heredoc");
	assert_refused("FROM x\nCOPY /foo <<EOF\nEOF", "cannot accept a heredoc as a destination"); /* HER18 */
	assert_refused("FROM x\nCOPY <<EOF\nEOF", "heredoc as a destination");
	assert_refused("FROM x\nCOPY <<\"a b\" /f\na b", "a blank in its name");
	assert_refused("FROM x\nRUN <<'EOF\nEOF", "unmatched quote");
}

static void heredoc__below_onbuild(void **state) /* HER19 */
{
	(void)state;
	PARSED p = parse("FROM x\nONBUILD RUN <<EOF\ntouch /x\nEOF\n");
	assert_string_equal(IN(p, 1)->trigger, "RUN <<EOF\ntouch /x\nEOF");
	struct arena a = { 0 };
	struct instr in;
	assert_int_equal(dockerfile_parse_trigger(slice_of(IN(p, 1)->trigger), &IN(p, 0)->span, &a, &in, NULL), 0);
	assert_string_equal(in.text, "touch /x\n");
	assert_int_equal(in.span.first, 1);
	arena_done(&a);
}

static void comments__are_kept_for_their_instruction(void **state)
{
	(void)state;
	PARSED p = parse("# syntax=docker/dockerfile:1\n\n# one\n\n# web the site\nFROM x AS web\nRUN a\n"
			 "# x\n#\n# y\n# check=skip=UndefinedVar,All\nARG z");
	assert_string_equal(IN(p, 0)->doc, "one\nweb the site");
	assert_null(IN(p, 1)->doc);
	assert_string_equal(IN(p, 2)->doc, "y");
	assert_string_equal(IN(p, 2)->check_skip, "UndefinedVar,All");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lex__refuses_what_is_no_dockerfile),
		cmocka_unit_test(lex__reads_lines),
		cmocka_unit_test(lex__crlf_changes_nothing),
		cmocka_unit_test(lex__two_escapes_do_not_continue),
		cmocka_unit_test(lex__tells_places),
		cmocka_unit_test(lex__line_limit),
		cmocka_unit_test(directives__zone),
		cmocka_unit_test(directives__frontends),
		cmocka_unit_test(heredoc__bodies),
		cmocka_unit_test(heredoc__scripts_of_run),
		cmocka_unit_test(heredoc__what_is_none),
		cmocka_unit_test(heredoc__errors),
		cmocka_unit_test(heredoc__below_onbuild),
		cmocka_unit_test(comments__are_kept_for_their_instruction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
