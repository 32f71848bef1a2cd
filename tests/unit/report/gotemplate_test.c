/* SPDX-License-Identifier: Apache-2.0 */
/* The expected texts of the rows without `data` were printed by docker 28 (`docker context ls
 * --format …`), which is Go's text/template with docker's functions. */
#include "base/buf.h"
#include "base/js.h"
#include "report/gotemplate.h"
#include "unit.h"

static const char image[] =
	"{\"Name\":\"default\",\"Current\":true,\"Size\":1140,\"List\":[\"b\",\"a\"],\"Empty\":[],"
	"\"Config\":{\"Env\":[\"A=1\",\"B=2\"],\"Cmd\":null,\"Labels\":{\"x.y\":\"z\",\"a\":\"b\"},"
	"\"Ports\":{\"80/tcp\":{}}},\"Nothing\":null}";

static const struct gotemplate_field fields[] = {
	{ "Cmd", GOTEMPLATE_LIST },
	{ "Healthcheck", GOTEMPLATE_NIL },
	{ "Volumes", GOTEMPLATE_MAP },
	{ "User", GOTEMPLATE_TEXT },
	{ 0 },
};

/* 0 and *out, or -1 and the error's line. */
static int render(const char *text, struct buf *out)
{
	_cleanup_(err_done) struct err e = { 0 };
	_json_ json_t *data = js_parse(slice_of(image), "data", &e);
	json_t *config = json_object_get(data, "Config");
	const json_t *maps[] = { json_object_get(config, "Labels"),
				 json_object_get(config, "Ports") };
	struct gotemplate_opts o = { .fields = fields, .maps = maps, .maps_n = COUNT_OF(maps) };
	_cleanup_(gotemplate_freep) struct gotemplate *t = gotemplate_parse(slice_of(text), &e);
	if (t && gotemplate_run(t, data, &o, out, &e) == 0)
		return 0;
	assert_true(e.n > 0);
	assert_int_equal(e.kind, ERR_USER);
	err_line(&e, out);
	if (e.hints_n)
		buf_printf(out, " [%s]", e.hints[0]);
	return -1;
}

struct row {
	const char *text, *want;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(buf_done) struct buf out = { 0 };
		int r = render(rows[i].text, &out);
		if (r < 0 || strcmp(out.p ? out.p : "", rows[i].want) != 0)
			fail_msg("%s\n  gives %s\n  not   %s", rows[i].text, out.p, rows[i].want);
	}
}

static void values__print_as_docker_prints_them(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "plain } text }}", "plain } text }}" },
		{ "{{.Name}}", "default" },
		{ "{{.Current}} {{.Size}} {{.List}} {{.Empty}}", "true 1140 [b a] []" },
		{ "{{1.5}} {{1e20}} {{1e21}} {{0.00001}} {{100000.0}} {{1e6}}",
		  "1.5 1e+20 1e+21 1e-05 100000 1e+06" },
		{ "{{-3}} {{- 3}} {{0x1f}} {{'a'}} {{true}}", "-33 31 97 true" },
		{ "{{\"tab\\tx\"}} {{\"\\u00e9\\x41\"}} {{`a\\d`}}", "tab\tx éA a\\d" },
		{ "{{print nil}}", "<nil>" },
		{ "{{json .Config.Env}} {{json \"a<b>&\\\"é\"}}",
		  "[\"A=1\",\"B=2\"] \"a<b>&\\\"é\"" },
		{ "{{.Nothing}}", "<no value>" },
	};
	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

static void control__follows_go(void **state)
{
	static const struct row rows[] = {
		{ "{{if .Current}}y{{else}}n{{end}}", "y" },
		{ "{{if .Empty}}y{{else}}n{{end}}", "n" },
		{ "{{if false}}a{{else if true}}b{{else}}c{{end}}", "b" },
		{ "{{$x := 5}}{{if gt $x 3}}big{{else}}small{{end}}", "big" },
		{ "{{with \"x\"}}{{.}}{{else}}none{{end}}|{{with \"\"}}{{.}}{{else}}none{{end}}",
		  "x|none" },
		{ "{{with 0}}a{{else with 1}}b{{.}}{{else}}c{{end}}", "b1" },
		{ "{{with $x := 3}}{{$x}}{{end}}", "3" },
		{ "{{range .List}}{{.}};{{else}}none{{end}}", "b;a;" },
		{ "{{range .Empty}}{{.}};{{else}}none{{end}}", "none" },
		{ "{{range $i, $c := split \"a,b,c\" \",\"}}{{$i}}={{$c}};{{end}}",
		  "0=a;1=b;2=c;" },
		{ "{{range split \"a,b,c\" \",\"}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}",
		  "ac" },
		{ "{{range split \"a,b,c\" \",\"}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}",
		  "a" },
		{ "{{range 3}}{{.}}{{end}} {{range $i := 3}}{{$i}}{{end}}", "012 012" },
		{ "{{$x := \"a\"}}{{if true}}{{$x = \"b\"}}{{end}}{{$x}}", "b" },
		{ "{{$x := \"a\"}}{{if true}}{{$x := \"b\"}}{{end}}{{$x}}", "a" },
		{ "{{range .List}}{{$.Name}}{{end}}", "defaultdefault" },
		{ "a {{- \"b\" -}}  c {{/* comment */}}d{{- /* x */ -}} e", "abc de" },
		{ "x  {{- /* only */ -}}  y", "xy" },
	};
	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

static void functions__are_gos_and_dockers(void **state)
{
	static const struct row rows[] = {
		{ "{{printf \"%5.2f|%-6s|%06d|%x|%X|%q|%v|%t\" 1.5 \"ab\" -42 255 \"hi\" \"a\\\"b\" 3 true}}",
		  " 1.50|ab    |-00042|ff|6869|\"a\\\"b\"|3|true" },
		{ "{{printf \"%+d %o %b %c %e %g %G\" 5 8 5 65 12345.678 1e21 1e-7}}",
		  "+5 10 101 A 1.234568e+04 1e+21 1E-07" },
		{ "{{printf \"%*d|%.2s|%-5d|\" 5 42 \"héllo\" 7}}", "   42|hé|7    |" },
		{ "{{printf \"%5t|%08.3f|%+.2e|% d|%#x\" true 3.14159 12345.678 7 255}}",
		  " true|0003.142|+1.23e+04| 7|0xff" },
		{ "{{printf \"%v %s\" .List .List}} {{printf \"%q\" .List}}",
		  "[b a] [b a] [\"b\" \"a\"]" },
		{ "{{printf \"%d%%\" 5}}", "5%" },
		{ "{{print 1 2 \"a\" \"b\" 3}}|{{println 1 \"a\"}}|{{print \"a\" 1 2}}",
		  "1 2ab3|1 a\n|a1 2" },
		{ "{{len \"héllo\"}} {{index \"abc\" 1}} {{slice \"abcdef\" 1 3}}", "6 98 bc" },
		{ "{{len .List}} {{len .Config.Labels}} {{index .List 1}}", "2 2 a" },
		{ "{{join .List \"-\"}} {{split \"a,b\" \",\"}} {{split \"abc\" \"\"}}",
		  "b-a [a b] [a b c]" },
		{ "{{\"abc\" | upper | printf \"%s!\"}} {{title \"hello world foo_bar it's a-b\"}}",
		  "ABC! Hello World Foo_bar It'S A-B" },
		{ "{{and 1 0 2}} {{or 0 \"\" \"x\"}} {{not 0}} {{and true \"yes\"}}",
		  "0 x true yes" },
		{ "{{eq 1 1}} {{eq 1 2 1}} {{ne \"a\" \"b\"}} {{lt 1 2}} {{le \"a\" \"a\"}} {{ge 2.5 1.5}}",
		  "true true true true true true" },
		{ "{{truncate \"hello\" 3}}|{{truncate \"hi\" 9}}|{{pad \"x\" 2 3}}|{{pad \"\" 2 3}}",
		  "hel|hi|  x   |" },
		{ "{{(print \"a\" \"b\") | len}} {{print (1 | print 2) 3}}", "2 2 13" },
		{ "{{or true (index .Empty 5)}}",
		  "true" }, /* what is not needed is not looked at */
	};
	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

static void maps_and_nils__are_told_apart_from_structs(void **state)
{
	static const struct row rows[] = {
		{ "{{.Config.Labels}}", "map[a:b x.y:z]" },
		{ "{{index .Config.Labels \"x.y\"}}|{{index .Config.Labels \"none\"}}|", "z||" },
		{ "{{.Config.Labels.none}}", "<no value>" },
		{ "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a=b x.y=z " },
		{ "{{range $p, $c := .Config.Ports}}{{$p}}{{end}}", "80/tcp" },
		{ "{{.Config.Cmd}} {{len .Config.Cmd}} {{json .Config.Cmd}}", "[] 0 null" },
		{ "{{.Config.Healthcheck}} {{json .Config.Healthcheck}}", "<nil> null" },
		{ "{{if .Config.Healthcheck}}y{{else}}n{{end}}", "n" },
		{ "{{.Config.Volumes}} {{range .Config.Volumes}}x{{end}}", "map[] " },
		{ "[{{.Config.User}}] {{eq .Config.User \"\"}} {{json .Config.User}}",
		  "[] true \"\"" },
		{ "{{index .Config \"Env\"}}", "[A=1 B=2]" },
	};
	(void)state;
	check_rows(rows, COUNT_OF(rows));
}

/* want: what the message must hold. */
static void mistakes__are_named(void **state)
{
	static const struct row rows[] = {
		{ "{{.Foo}}", "no field 'Foo'" },
		{ "{{.Foo}}", ".Name .Current" },
		{ "{{.Config.Healthcheck.Test}}", "not set" },
		{ "{{.Name.Foo}}", "only objects have fields" },
		{ "{{.List.Foo}}", "only objects have fields" },
		{ "{{foo .}}", "no function 'foo'" },
		{ "{{Name}}", "'.Name'" },
		{ "{{html \"x\"}}", "'html' is not supported" },
		{ "{{define \"x\"}}{{end}}", "{{define}} is not supported" },
		{ "{{template \"x\"}}", "{{template}} is not supported" },
		{ "{{block \"x\" .}}{{end}}", "{{block}} is not supported" },
		{ "{{nil}}", "nil" },
		{ "{{}}", "missing" },
		{ "{{if}}x{{end}}", "missing" },
		{ "{{if true}}", "{{end}} is missing" },
		{ "{{if true}}{{else}}{{else}}{{end}}", "second {{else}}" },
		{ "{{if true}}{{else x}}{{end}}", "}} is missing here" },
		{ "{{if true}}{{end x}}", "}} is missing here" },
		{ "{{else}}", "{{else}} without" },
		{ "{{end}}", "{{end}} without" },
		{ "{{break}}", "outside of {{range}}" },
		{ "{{range .List}}{{end}}{{continue}}", "outside of {{range}}" },
		{ "{{$y}}", "'$y'" },
		{ "{{$y = 1}}", "'$y'" },
		{ "{{if true}}{{$z := 1}}{{end}}{{$z}}", "'$z'" },
		{ "{{.Name}", "cannot stand" },
		{ "{{.Name", "ends inside" },
		{ "{{/* unclosed", "no end" },
		{ "{{\"unclosed}}", "no end" },
		{ "{{\"a\\q\"}}", "escape" },
		{ "{{(print 1}}", "not closed" },
		{ "{{1 | 2}}", "only go on into a function" },
		{ "{{\"a\" \"b\"}}", "only functions take arguments" },
		{ "{{99999999999999999999}}",
		  "" }, /* a float, as in Go's untyped constants it is none: printed */
		{ "{{1x}}", "no number" },
		{ "{{not}}", "1 argument, not 0" },
		{ "{{eq 1}}", "at least 2" },
		{ "{{eq 1 \"a\"}}", "cannot compare" },
		{ "{{eq 1 1.0}}", "cannot compare" },
		{ "{{lt true false}}", "cannot compare" },
		{ "{{eq .List .List}}", "cannot compare" },
		{ "{{index .List 5}}", "out of range" },
		{ "{{index .List -1}}", "out of range" },
		{ "{{slice \"abc\" 2 9}}", "out of range" },
		{ "{{slice \"abc\" 2 1}}", "from 2 to 1" },
		{ "{{len 3}}", "'len'" },
		{ "{{lower 3}}", "wants a string" },
		{ "{{join \"a\" \",\"}}", "wants a list" },
		{ "{{range .Name}}x{{end}}", "cannot go through" },
		{ "{{printf \"%d\" \"a\"}}", "cannot show" },
		{ "{{printf \"%d\"}}", "no argument" },
		{ "{{printf \"x\" 1}}", "too many" },
		{ "{{printf \"%99999d\" 1}}", "at most" },
		{ "{{printf \"%\" 1}}", "ends inside" },
		{ "{{pad \"x\" 999999 0}}", "blanks" },
		{ "{{range 99999999}}{{end}}", "steps" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(buf_done) struct buf out = { 0 };
		int r = render(rows[i].text, &out);
		if (!*rows[i].want)
			continue;
		if (r == 0 || !strstr(out.p, rows[i].want))
			fail_msg("%s\n  gives %s\n  not   …%s…", rows[i].text, out.p, rows[i].want);
	}
}

static void place__is_that_of_the_operand(void **state)
{
	_cleanup_(err_done) struct err e = { 0 };
	_json_ json_t *data = json_object();
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)state;
	_cleanup_(gotemplate_freep) struct gotemplate *t =
		gotemplate_parse(SL("a\nbc {{.Foo.Bar}} d"), &e);
	assert_non_null(t);
	assert_int_equal(gotemplate_run(t, data, NULL, &out, &e), -1);
	assert_int_equal(e.span.first, 2);
	assert_int_equal(e.span.col, 6);
	assert_int_equal(e.span.width, 8);
	assert_string_equal(e.span.lines, "bc {{.Foo.Bar}} d");
	assert_int_equal(out.len, 0);
}

static void depth__is_bounded(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf text = { 0 };
	for (int i = 0; i < 5000; i++)
		buf_str(&text, "{{if true}}");
	_cleanup_(err_done) struct err e = { 0 };
	assert_null(gotemplate_parse(buf_view(&text), &e));
	assert_string_equal(e.chain[0], "more than 100 levels of nesting");
	buf_clear(&text);
	buf_str(&text, "{{");
	for (int i = 0; i < 5000; i++)
		buf_char(&text, '(');
	_cleanup_(err_done) struct err e2 = { 0 };
	assert_null(gotemplate_parse(buf_view(&text), &e2));
}

static void output__is_bounded(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf out = { 0 };
	_json_ json_t *data = json_object();
	_cleanup_(gotemplate_freep) struct gotemplate *t =
		gotemplate_parse(SL("{{range 60000}}{{printf \"%1000d\" .}}{{end}}"), &e);
	assert_non_null(t);
	assert_int_equal(gotemplate_run(t, data, NULL, &out, &e), -1);
	assert_int_equal(out.len, 0);
}

static void heading__leaves_names_as_they_are(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf out = { 0 };
	_json_ json_t *data = json_pack("{s:s}", "ID", "IMAGE ID");
	struct gotemplate_opts o = { .heading = true };
	_cleanup_(gotemplate_freep) struct gotemplate *t = gotemplate_parse(
		SL("{{lower .ID}} {{truncate .ID 3}} {{json .ID}} {{title .ID}}"), &e);
	assert_int_equal(gotemplate_run(t, data, &o, &out, &e), 0);
	assert_string_equal(out.p, "IMAGE ID IMAGE ID IMAGE ID IMAGE ID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values__print_as_docker_prints_them),
		cmocka_unit_test(control__follows_go),
		cmocka_unit_test(functions__are_gos_and_dockers),
		cmocka_unit_test(maps_and_nils__are_told_apart_from_structs),
		cmocka_unit_test(mistakes__are_named),
		cmocka_unit_test(place__is_that_of_the_operand),
		cmocka_unit_test(depth__is_bounded),
		cmocka_unit_test(output__is_bounded),
		cmocka_unit_test(heading__leaves_names_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
