/* SPDX-License-Identifier: Apache-2.0 */
/* One instruction of a stage: expanded, then a node of the graph, a change of the config, or both. */
#include "base/err.h"
#include "base/path.h"
#include "build/config_instr.h"
#include "build/plan.h"

static int refuse(const struct instr *in, struct err *e, const char *what, const char *word)
{
	err_set(e, ERR_USER, "%s %s is not supported yet", instr_name(in->kind), what);
	err_hint(e, "it comes in a later version; nothing is ignored silently");
	return instr_err_at(e, in, word);
}

static int apply_arg(struct plan *p, struct stage_plan *st, const struct instr *in, struct err *e)
{
	struct plan_env pe = { .plan = p, .st = st, .in = in };
	struct expand_env env = plan_expand_env(&pe, in->escape);
	struct instr shown = *in;
	shown.pairs.p = arena_alloc(&p->arena, (in->pairs.n + 1) * sizeof *shown.pairs.p);
	for (size_t i = 0; i < in->pairs.n; i++) {
		const char *name = in->pairs.p[i].key;
		struct pair *out = &shown.pairs.p[i];
		if (arg_expand(in, i, plan_build_arg(p, name), &env, &p->arena, out, e) < 0)
			return -1;
		/* Without a default of its own it takes that of the global ARG or the predefined one. */
		if (!out->value && !in->pairs.p[i].value)
			out->value = env_get_in(&p->globals, &p->globals_at, slice_of(name));
		if (!out->value)
			continue;
		env_set_in(&st->env, &st->env_at, slice_of(name), slice_of(out->value));
		kvs_set_in(&st->args, &st->args_at, slice_of(name), slice_of(out->value));
	}
	plan_history(st, config_created_by(&st->config, &shown, NULL), NULL);
	return 0;
}

/* ---- RUN ---- */

static int plan_mounts(struct plan *p, struct stage_plan *st, struct node *n, const struct instr *in, struct err *e)
{
	for (size_t i = 0; i < in->mounts.n; i++) {
		const struct mount_opt *o = &in->mounts.p[i];
		if (o->type == MOUNT_SECRET || o->type == MOUNT_SSH)
			return refuse(in, e, o->type == MOUNT_SECRET ? "--mount=type=secret" : "--mount=type=ssh", NULL);
		if (o->type == MOUNT_CACHE && (o->from || (o->source && *o->source)))
			return refuse(in, e, "--mount=type=cache with from= or source=", NULL);
		if (o->type == MOUNT_CACHE && o->sharing == SHARING_PRIVATE)
			return refuse(in, e, "--mount=type=cache,sharing=private", NULL);
		struct run_mount m = { .opt = o };
		if (o->type == MOUNT_BIND) {
			if (o->from && *o->from && strspn(o->from, "0123456789") == strlen(o->from)) {
				err_set(e, ERR_USER, "--mount=from=%s: a mount takes the name of a stage, not its number",
					o->from);
				err_hint(e, "give the stage a name, FROM … AS NAME, and write from=NAME");
				return instr_err_at(e, in, o->from);
			}
			int r = o->from ? plan_from(p, st, o->from, &m.from, e) : plan_context(p, &m.from.dir, e);
			if (r < 0)
				return e->span.file ? -1 : instr_err_at(e, in, o->from);
			if (m.from.node)
				arr_push(&n->inputs, m.from.node);
		}
		arr_push(&n->mounts, m);
	}
	return 0;
}

/* ENV and ARG; the proxy arguments in both cases, outside of keys and history unless declared. */
static void run_env(struct plan *p, struct stage_plan *st, struct node *n)
{
	static const char *const proxies[] = { "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy" };
	strs_copy(&n->key_env, &st->env);
	strs_copy(&n->env, &st->env);
	for (size_t i = 0; i < p->opts->args.n; i++) {
		const char *name = p->opts->args.p[i].k;
		for (size_t k = 0; k < COUNT_OF(proxies); k++) {
			if (strcasecmp(name, proxies[k]) != 0 || env_get(&st->env, name))
				continue;
			struct slice value = slice_of(p->opts->args.p[i].v);
			_free_ char *upper = str_dup(proxies[k]);
			for (char *c = upper; *c; c++)
				*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
			env_set(&n->env, slice_of(proxies[k]), value);
			env_set(&n->env, slice_of(upper), value);
		}
	}
}

static int plan_run(struct plan *p, struct stage_plan *st, const struct instr *in, struct err *e)
{
	if (in->has_security && in->insecure)
		return refuse(in, e, "--security=insecure", "--security=insecure");
	if (in->devices.n)
		return refuse(in, e, "--device", NULL);
	if (in->has_network && in->network == RUN_NET_HOST) {
		/* Steps have the machine's network anyway (design: "network: the host's for builds"), but
		 * asking for it by name needs the entitlement that docker asks for. */
		err_set(e, ERR_USER, "entitlement network.host is not allowed");
		err_hint(e, "leave --network=host out: steps have this machine's network already");
		return instr_err_at(e, in, "--network=host");
	}
	if (in->json && in->args.n == 0) {
		err_set(e, ERR_USER, "RUN [] has nothing to run");
		return instr_err_at(e, in, NULL);
	}
	_cleanup_(strs_done) struct strs args = { 0 };
	for (size_t i = 0; i < st->args.n; i++)
		strs_addf(&args, "%s=%s", st->args.p[i].k, st->args.p[i].v);
	char *created_by = config_created_by(&st->config, in, &args);

	struct node *n = plan_node(p, st, NODE_RUN);
	n->instr = in;
	n->title = str_printf("RUN %s", in->original + strcspn(in->original, " \t") +
						 strspn(in->original + strcspn(in->original, " \t"), " \t"));
	plan_history(st, created_by, n);
	if (in->json)
		for (size_t i = 0; i < in->args.n; i++)
			strs_add(&n->argv, in->args.p[i]);
	else
		config_shell(&st->config, in->text, &n->argv);
	if (in->run_script)
		arr_push(&n->scripts, (struct plan_text){ (char *)in->heredocs.p[0].name, in->heredocs.p[0].body });
	run_env(p, st, n);
	n->cwd = path_clean(slice_of(st->config.working_dir && *st->config.working_dir ? st->config.working_dir : "/"));
	n->user = str_dup(st->config.user ? st->config.user : "");
	const char *host = plan_build_arg(p, "BUILDKIT_SANDBOX_HOSTNAME");
	n->hostname = str_dup(host ? host : "buildkitsandbox");
	const char *net = in->has_network && in->network == RUN_NET_NONE ? "none" : p->opts->network;
	n->net_none = net && strcmp(net, "none") == 0 && !(in->has_network && in->network == RUN_NET_DEFAULT);
	return plan_mounts(p, st, n, in, e);
}

/* ---- COPY, ADD ---- */

static bool is_remote(const char *s)
{
	return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0 || strncmp(s, "git://", 6) == 0 ||
	       strncmp(s, "git@", 4) == 0 || strncmp(s, "ssh://", 6) == 0;
}

/* CopyIgnoredFile: what is named, or all of it, is left out, and no rule lets anything in again. */
static void check_ignored(struct plan *p, const struct stage_plan *st, const struct instr *in,
			  const struct source_tree *tree)
{
	if (!tree || !tree->ignore || tree->ignore->has_negated)
		return;
	for (size_t i = 0; i < in->args.n; i++) {
		_free_ char *path = path_clean(slice_of(in->args.p[i]));
		const char *key = path + (path[0] == '/');
		bool hidden = *key && strcmp(key, ".") != 0
				      ? ignore_match(tree->ignore, slice_of(key), NULL)
				      : ignore_hides_all(tree->ignore);
		if (hidden)
			dockerfile_warn(p->file, CHECK_COPY_IGNORED_FILE, in,
					st->stage ? (int)st->stage->index : -1, in->args.p[i],
					"Attempting to %s file \"%s\" that is excluded by %s",
					in->kind == INSTR_ADD ? "Add" : "Copy", in->args.p[i],
					tree->ignore_name);
	}
}

static int plan_copy(struct plan *p, struct stage_plan *st, const struct instr *in, struct err *e)
{
	struct plan_source from = { 0 };
	for (size_t i = 0; i < in->args.n; i++) {
		if (!is_remote(in->args.p[i]))
			continue;
		if (in->kind == INSTR_ADD)
			return refuse(in, e, "of a URL or a git repository", in->args.p[i]);
		err_set(e, ERR_USER, "source can't be a URL for COPY");
		return instr_err_at(e, in, in->args.p[i]);
	}
	if (in->checksum) {
		err_set(e, ERR_USER, "--checksum requires HTTP(S) or Git sources");
		return instr_err_at(e, in, NULL);
	}
	if (in->keep_git_dir == 1)
		return refuse(in, e, "--keep-git-dir", "--keep-git-dir");
	if (in->args.n) {
		int r = in->from ? plan_from(p, st, in->from, &from, e) : plan_context(p, &from.dir, e);
		if (r < 0)
			return e->span.file ? -1 : instr_err_at(e, in, in->from);
		check_ignored(p, st, in, from.dir);
	}
	char *created_by = config_created_by(&st->config, in, NULL);
	struct node *n = plan_node(p, st, NODE_COPY);
	n->instr = in;
	plan_history(st, created_by, n);
	_cleanup_(buf_done) struct buf title = { 0 };
	buf_str(&title, instr_name(in->kind));
	if (in->from)
		buf_printf(&title, " --from=%s", in->from);
	for (size_t i = 0; i < in->args.n; i++) {
		buf_printf(&title, " %s", in->args.p[i]);
		strs_add(&n->paths, in->args.p[i]);
		arr_push(&n->texts, (struct slice){ 0 });
		arr_push(&n->from, (struct plan_source){ .node = from.node, .dir = from.dir,
							 .stage = str_dup(from.stage),
							 .workdir = str_dup(from.workdir) });
	}
	free(from.stage);
	free(from.workdir);
	for (size_t i = 0; i < in->heredocs.n; i++) {
		const struct heredoc *h = &in->heredocs.p[i];
		buf_printf(&title, " <<%s", h->name);
		strs_add(&n->paths, h->name);
		arr_push(&n->texts, (struct slice){ h->body.p ? h->body.p : "", h->body.n });
		arr_push(&n->from, (struct plan_source){ 0 });
	}
	buf_printf(&title, " %s", in->dest);
	n->title = buf_take(&title);
	if (from.node)
		arr_push(&n->inputs, from.node);
	n->add = in->kind == INSTR_ADD;
	n->unpack_set = in->unpack >= 0;
	n->unpack = in->unpack == 1;
	n->parents = in->parents;
	/* With --chmod, --link silently behaves as without: BuildKit's code (dockerfile.md §4). */
	n->link = in->link && !in->chmod;
	n->dest = str_dup(in->dest);
	n->chown = str_dup(in->chown);
	n->chmod = in->chmod_spec;
	n->chmod_text = in->chmod;
	for (size_t i = 0; i < in->excludes.n; i++)
		strs_add(&n->excludes, in->excludes.p[i]);
	n->cwd = str_dup(st->config.working_dir && *st->config.working_dir ? st->config.working_dir : "/");
	return 0;
}

static void plan_workdir(struct plan *p, struct stage_plan *st, const struct instr *in)
{
	_free_ char *now = path_clean(slice_of(st->config.working_dir));
	struct node *n = NULL;
	if (strcmp(now, "/") != 0) {
		n = plan_node(p, st, NODE_WORKDIR);
		n->instr = in;
		n->title = str_printf("WORKDIR %s", st->config.working_dir);
		n->cwd = take_ptr(&now);
		n->user = str_dup(st->config.user ? st->config.user : "");
	}
	plan_history(st, str_printf("WORKDIR %s", st->config.working_dir), n);
}

int plan_instr(struct plan *p, struct stage_plan *st, const struct instr *in, struct err *e)
{
	if (in->kind == INSTR_ARG)
		return apply_arg(p, st, in, e);
	struct plan_env pe = { .plan = p, .st = st, .in = in };
	struct expand_env env = plan_expand_env(&pe, in->escape);
	struct instr *x = ARENA_NEW(&p->arena, struct instr);
	if (instr_expand(in, &env, &p->arena, x, e) < 0)
		return -1;
	if (x->kind == INSTR_RUN)
		return plan_run(p, st, x, e);
	if (x->kind == INSTR_COPY || x->kind == INSTR_ADD)
		return plan_copy(p, st, x, e);
	char *created_by = x->kind == INSTR_WORKDIR ? NULL : config_created_by(&st->config, x, NULL);
	config_instr_apply(&st->config, &st->config_names, x, &st->cmd_set);
	if (x->kind == INSTR_ENV)
		for (size_t i = 0; i < x->pairs.n; i++)
			env_set_in(&st->env, &st->env_at, slice_of(x->pairs.p[i].key),
				   slice_of(x->pairs.p[i].value));
	if (x->kind == INSTR_WORKDIR)
		plan_workdir(p, st, x);
	else if (created_by)
		plan_history(st, created_by, NULL);
	return 0;
}

int build_apply_change(struct image_config *cfg, const char *text, struct err *e)
{
	struct arena arena = { 0 };
	struct instr in, x;
	struct plan p = { 0 };
	struct stage_plan st = { 0 };
	/* ENV of the image itself is what a change can refer to. */
	strs_copy(&st.env, &cfg->env);
	struct plan_env pe = { .plan = &p, .st = &st };
	struct expand_env env = plan_expand_env(&pe, '\\');
	env.unset = NULL;
	int r = dockerfile_parse_change(slice_of(text), &arena, &in, e);
	if (r == 0 && !config_instr_is(in.kind)) {
		r = err_set(e, ERR_USER, "%s is not an instruction for --change", instr_name(in.kind));
		err_hint(e, "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME "
			    "and WORKDIR are; for others build FROM the imported image");
	}
	if (r == 0)
		r = instr_expand(&in, &env, &arena, &x, e);
	bool cmd_set = true;
	if (r == 0)
		config_instr_apply(cfg, &st.config_names, &x, &cmd_set);
	strs_done(&st.env);
	named_done(&st.env_at);
	config_names_done(&st.config_names);
	arena_done(&arena);
	return r;
}
