/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "cli/registry_args.h"
#include "cli/show.h"
#include "registry/client.h"
#include "report/rows.h"

#define LIMIT_MAX  100 /* as Docker Hub and docker have it */
#define DESCRIBE_N 45 /* characters, as docker cuts them */

struct search_args {
	struct registry_args reg;
	int64_t limit;
	const char *format;
	struct strs filter;
	bool no_trunc, json;
};
static const struct search_args defaults = { .limit = 25 };

static const struct opt opts[] = {
	OPT_LIST('f', "filter", struct search_args, filter, "FILTER",
		 "only what matches: is-official=true|false, stars=N (at least)"),
	OPT_STR(0, "format", struct search_args, format, "FORMAT",
		"'table', 'table TEMPLATE', 'json' or a Go template: '{{.Name}}'"),
	OPT_FLAG(0, "json", struct search_args, json, "print a JSON array"),
	OPT_INT(0, "limit", struct search_args, limit, "N", "at most N results (default 25)"),
	OPT_FLAG(0, "no-trunc", struct search_args, no_trunc, "do not cut descriptions"),
	REGISTRY_OPTS(struct search_args, reg),
	{ 0 },
};

static const struct rows_field fields[] = {
	{ "Name", "NAME" },
	{ "Description", "DESCRIPTION" },
	{ "StarCount", "STARS" },
	{ "IsOfficial", "OFFICIAL" },
	{ "IsAutomated", "AUTOMATED" },
	{ 0 },
};
#define STANDARD "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}"

struct want {
	int official; /* -1: either */
	uint64_t stars;
};

static int read_filters(struct cli *c, const struct strs *filters, struct want *w, struct err *e)
{
	*w = (struct want){ .official = -1 };
	arr_each(f, filters) {
		if (strcmp(*f, "is-official=true") == 0) {
			w->official = 1;
		} else if (strcmp(*f, "is-official=false") == 0) {
			w->official = 0;
		} else if (strncmp(*f, "stars=", 6) != 0 ||
			   num_parse(slice_of(*f + 6), INT64_MAX, &w->stars) < 0) {
			cli_wrong(c, e, "--filter %s is not supported", *f);
			return err_hint(e, "filters: is-official=true|false, stars=N");
		}
	}
	return 0;
}

/* "HOST/TERM" if what stands before the first '/' looks like a host, as in names of images. */
static char *split_host(const char **term)
{
	const char *slash = strchr(*term, '/');
	size_t n = slash ? (size_t)(slash - *term) : 0;
	struct slice first = { *term, n };
	if (!slash || (slice_find(first, '.') == n && slice_find(first, ':') == n &&
		       !slice_is(first, "localhost")))
		return str_dup("docker.io");
	*term = slash + 1;
	return slice_dup(first);
}

static bool is_wanted(const struct search_row *r, const struct want *w)
{
	return (w->official < 0 || r->official == w->official) &&
	       (r->stars < 0 ? 0 : (uint64_t)r->stars) >= w->stars;
}

static json_t *row(const struct search_row *r, const struct search_args *a)
{
	json_t *o = json_object();
	bool raw = a->json || (a->format && strcmp(a->format, "json") == 0);
	(void)json_object_set_new(o, "Name", show_line(r->name));
	_json_ json_t *line = show_line(r->description);
	(void)json_object_set_new(o, "Description",
				  a->no_trunc || raw
					  ? json_incref(line)
					  : show_cut(json_string_value(line), DESCRIBE_N));
	if (a->json) {
		(void)json_object_set_new(o, "StarCount", json_integer(r->stars));
		(void)json_object_set_new(o, "IsOfficial", json_boolean(r->official));
		(void)json_object_set_new(o, "IsAutomated", json_boolean(r->automated));
		return o;
	}
	_free_ char *stars = str_printf("%lld", (long long)r->stars);
	const char *yes = raw ? "true" : "[OK]", *no = raw ? "false" : "";
	(void)json_object_set_new(o, "StarCount", json_string(stars));
	(void)json_object_set_new(o, "IsOfficial", json_string(r->official ? yes : no));
	(void)json_object_set_new(o, "IsAutomated", json_string(r->automated ? yes : no));
	return o;
}

static int show(struct cli *c, const struct search_args *a, const struct search_rows *found,
		const struct want *w, struct err *e)
{
	_json_ json_t *rows = json_array();
	arr_each(it, found)
		if (is_wanted(it, w))
			(void)json_array_append_new(rows, row(it, a));
	if (a->json) {
		show_json(c, json_incref(rows));
		return 0;
	}
	_cleanup_(buf_done) struct buf out = { 0 };
	if (rows_print(rows, fields, STANDARD, a->format, NULL, &out, e) < 0)
		return -1;
	cli_print(c, &out, true);
	return 0;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct search_args *a = args;
	const char *term = words->p[0];
	struct registry_opts o;
	struct want w;
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(search_rows_done) struct search_rows found = { 0 };
	_free_ char *host = split_host(&term);
	if (a->limit < 1 || a->limit > LIMIT_MAX)
		return cli_wrong(c, e, "--limit goes from 1 to %d", LIMIT_MAX);
	if (read_filters(c, &a->filter, &w, e) < 0 ||
	    registry_args_opts(c, &a->reg, &o, &creds, e) < 0)
		return -1;
	if (registry_search(&o, host, term, (size_t)a->limit, &found, e) < 0)
		return err_add(e, "search '%s' for '%s'", host, term);
	return show(c, a, &found, &w, e);
}

const struct cmd cmd_search = {
	"search",
	"[OPTIONS] [HOST/]TERM",
	"search a registry for images",
	opts,
	sizeof(struct search_args),
	run,
	.min = 1,
	.max = 1,
	.defaults = &defaults,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.details =
		"Without a host it is Docker Hub's search; other registries have a catalogue, which is\n"
		"looked through for names that hold TERM. 'HOST/' alone lists all of them.\n",
	.examples = "  thimble search --filter is-official=true gcc\n"
		    "  thimble search localhost:5000/app\n",
};
