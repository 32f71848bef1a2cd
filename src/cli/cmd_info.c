/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/version.h"
#include "oci/platform.h"
#include "report/gotemplate.h"
#include "sandbox/userns.h"
#include "store/image.h"

struct info_args {
	bool json;
	const char *format;
};

static const struct opt opts[] = {
	OPT_STR('f', "format", struct info_args, format, "FORMAT",
		"'json' or a Go template: '{{.Store}}'"),
	OPT_FLAG(0, "json", struct info_args, json, "print JSON"),
	{ 0 },
};

static json_t *sandbox_lines(void)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	json_t *lines = json_array();
	userns_describe(&text);
	struct slice rest = slice_trim_right(buf_view(&text)), line;
	while (rest.n && slice_split(&rest, '\n', &line))
		(void)json_array_append_new(lines, js_text(slice_trim(line)));
	return lines;
}

/* A store that was not made yet is no error here. */
static int add_store(struct cli *c, json_t *o, struct err *e)
{
	_cleanup_(image_rows_done) struct image_rows rows = { 0 };
	struct store *s = cli_store(c, false, e);
	if (!s && e->kind == ERR_ABSENT) {
		_cleanup_(buf_done) struct buf line = { 0 };
		err_line(e, &line);
		err_done(e);
		(void)json_object_set_new(o, "Store", json_null());
		(void)json_object_set_new(o, "StoreMode", js_text(buf_view(&line)));
		(void)json_object_set_new(o, "Images", json_integer(0));
		return 0;
	}
	if (!s || images_list(s, false, &rows, e) < 0)
		return -1;
	size_t built = 0;
	arr_each(row, &rows)
		built += !digest_is_zero(&row->manifest);
	(void)json_object_set_new(o, "Store", js_text(slice_of(store_path(s))));
	(void)json_object_set_new(o, "StoreMode", json_string(store_is_user(s) ? "user" : "root"));
	(void)json_object_set_new(o, "Images", json_integer((json_int_t)built));
	return 0;
}

static json_t *describe(struct cli *c, struct err *e)
{
	struct platform p = { 0 };
	struct utsname u = { 0 };
	json_t *o = json_object();
	platform_host(&p);
	(void)uname(&u);
	(void)json_object_set_new(o, "Version", json_string(THIMBLE_VERSION));
	(void)json_object_set_new(o, "GitCommit", json_string(THIMBLE_COMMIT));
	int r = add_store(c, o, e);
	(void)json_object_set_new(o, "Sandbox", sandbox_lines());
	(void)json_object_set_new(o, "OSType", json_string(p.os));
	(void)json_object_set_new(o, "Architecture", json_string(p.arch));
	(void)json_object_set_new(o, "KernelVersion", json_string(u.release));
	(void)json_object_set_new(o, "NCPU", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	(void)json_object_set_new(o, "Rootless", json_boolean(geteuid() != 0));
	platform_done(&p);
	if (r == 0)
		return o;
	json_decref(o);
	return NULL;
}

static const char standard[] =
	"Version:       {{.Version}}{{if .GitCommit}} (commit {{.GitCommit}}){{end}}\n"
	"Store:         {{if .Store}}{{.Store}} ({{.StoreMode}}){{else}}none yet: {{.StoreMode}}{{end}}\n"
	"Images:        {{.Images}}\n"
	"Sandbox:       {{range $i, $line := .Sandbox}}{{if $i}}               {{end}}{{$line}}\n{{end}}"
	"Platform:      {{.OSType}}/{{.Architecture}}, kernel {{.KernelVersion}}, {{.NCPU}} CPUs";

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	static const struct gotemplate_field fields[] = { { "Store", GOTEMPLATE_TEXT }, { 0 } };
	const struct info_args *a = args;
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)words;
	const char *format = a->format ? a->format : standard;
	if (strcmp(format, "json") == 0)
		format = "{{json .}}";
	_cleanup_(gotemplate_freep) struct gotemplate *t = gotemplate_parse(slice_of(format), e);
	json_t *o = t ? describe(c, e) : NULL;
	if (!o)
		return -1;
	if (a->json) {
		show_json(c, o);
		return 0;
	}
	int r = gotemplate_run(t, o, &(struct gotemplate_opts){ .fields = fields }, &out, e);
	json_decref(o);
	buf_char(&out, '\n');
	if (r == 0)
		cli_print(c, &out, true);
	return r;
}

const struct cmd cmd_info = {
	"info",
	"[OPTIONS]",
	"tell how thimble works on this machine",
	opts,
	sizeof(struct info_args),
	run,
	.group = GROUP_STORE,
	.examples = "  thimble info\n"
		    "  thimble info --format '{{.Store}}'\n",
};
