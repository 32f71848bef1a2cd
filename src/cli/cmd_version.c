/* SPDX-License-Identifier: Apache-2.0 */
/* Must start in no time: opens no store. */
#include <stdio.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "cli/version.h"
#include "oci/platform.h"
#include "report/gotemplate.h"

struct version_args {
	bool json;
	const char *format;
};

static const struct opt opts[] = {
	OPT_STR('f', "format", struct version_args, format, "FORMAT",
		"'json' or a Go template: '{{.Client.Version}}'"),
	OPT_FLAG(0, "json", struct version_args, json, "print JSON"),
	{ 0 },
};

static json_t *describe(void)
{
	struct platform p = { 0 };
	struct utsname u = { 0 };
	platform_host(&p);
	(void)uname(&u);
	json_t *client = json_object();
	(void)json_object_set_new(client, "Version", json_string(THIMBLE_VERSION));
	(void)json_object_set_new(client, "GitCommit", json_string(THIMBLE_COMMIT));
	(void)json_object_set_new(client, "Os", json_string(p.os));
	(void)json_object_set_new(client, "Arch", json_string(p.arch));
	(void)json_object_set_new(client, "KernelVersion", json_string(u.release));
	platform_done(&p);
	json_t *all = json_object();
	(void)json_object_set_new(all, "Client", client);
	return all;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct version_args *a = args;
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)words;
	if (a->json || (a->format && strcmp(a->format, "json") == 0)) {
		show_json(c, describe());
		return 0;
	}
	const char *format =
		a->format ? a->format
			  : "thimble {{.Client.Version}}"
			    "{{if .Client.GitCommit}} (commit {{.Client.GitCommit}}){{end}}"
			    ", {{.Client.Os}}/{{.Client.Arch}}";
	_cleanup_(gotemplate_freep) struct gotemplate *t = gotemplate_parse(slice_of(format), e);
	if (!t)
		return -1;
	json_t *all = describe();
	int r = gotemplate_run(t, all, NULL, &out, e);
	json_decref(all);
	buf_char(&out, '\n');
	if (r == 0)
		cli_print(c, &out, false);
	return r;
}

const struct cmd cmd_version = {
	"version",
	"[OPTIONS]",
	"print the version",
	opts,
	sizeof(struct version_args),
	run,
	.group = GROUP_STORE,
	.examples = "  thimble version\n"
		    "  thimble version --format '{{.Client.Version}}'\n",
};
