/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

#include "base/err.h"
#include "build/exec.h"
#include "build/result.h"

/* Warnings of the stages that the target needs. */
static void tell_warnings(const struct build_opts *o, const struct dockerfile *file, const struct plan *p)
{
	const struct build_events *ev = o->events;
	if (!ev || !ev->warned)
		return;
	arr_each(w, &file->warnings) {
		if (w->stage >= 0 && (size_t)w->stage < p->stages.n && !p->stages.p[w->stage]->planned)
			continue;
		ev->warned(ev->ctx, &(struct build_warning){ .rule = check_name(w->rule), .text = w->detail,
							     .span = &w->span });
	}
}

static int verdict(const struct dockerfile *file, const struct plan *p, struct err *e)
{
	bool *needed = mem_array(p->stages.n + 1, sizeof *needed);
	for (size_t i = 0; i < p->stages.n; i++)
		needed[i] = p->stages.p[i]->planned;
	int r = checks_verdict(file, needed, e);
	free(needed);
	return r;
}

int build_run(struct store *s, const struct build_opts *o, struct build_result *out, struct err *e)
{
	_cleanup_(dockerfile_done) struct dockerfile file = { 0 };
	_cleanup_(plan_done) struct plan p = { 0 };
	const char *syntax = NULL, *check = NULL;
	for (size_t i = 0; i < o->args.n; i++) {
		if (strcmp(o->args.p[i].k, "BUILDKIT_SYNTAX") == 0)
			syntax = o->args.p[i].v;
		if (strcmp(o->args.p[i].k, "BUILDKIT_DOCKERFILE_CHECK") == 0)
			check = o->args.p[i].v;
	}
	if (dockerfile_parse_with(o->dockerfile, o->dockerfile_name, syntax, check, &file, e) < 0)
		return -1;
	int r = plan_make(s, o, &file, &p, e);
	if (r == 0 || p.stages.n)
		tell_warnings(o, &file, &p);
	if (r < 0 || verdict(&file, &p, e) < 0)
		return -1;
	if (exec_plan(&p, e) < 0)
		return -1;
	return result_make(&p, out, e);
}
