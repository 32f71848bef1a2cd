/* SPDX-License-Identifier: Apache-2.0 */
#include "build/config_instr.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/path.h"

bool config_instr_is(enum instr_kind k)
{
	switch (k) {
	case INSTR_CMD:
	case INSTR_ENTRYPOINT:
	case INSTR_ENV:
	case INSTR_EXPOSE:
	case INSTR_HEALTHCHECK:
	case INSTR_LABEL:
	case INSTR_MAINTAINER:
	case INSTR_ONBUILD:
	case INSTR_SHELL:
	case INSTR_STOPSIGNAL:
	case INSTR_USER:
	case INSTR_VOLUME:
	case INSTR_WORKDIR:
		return true;
	default:
		return false;
	}
}

static void set_words(struct strs *out, const struct words *w)
{
	strs_done(out);
	for (size_t i = 0; i < w->n; i++)
		strs_add(out, w->p[i]);
}

/* Adds those that are not there yet. One EXPOSE may list every port there is. */
static void add_once(struct strs *l, const struct words *more)
{
	_cleanup_(map_done) struct map known = { 0 };
	arr_each(s, l)
		map_put(&known, slice_of(*s), *s);
	for (size_t i = 0; i < more->n; i++)
		if (!map_put(&known, slice_of(more->p[i]), l))
			strs_add(l, more->p[i]);
}

void config_shell(const struct image_config *cfg, const char *text, struct strs *out)
{
	if (cfg->has_shell && cfg->shell.n) {
		strs_copy(out, &cfg->shell);
	} else {
		strs_done(out);
		strs_add(out, "/bin/sh");
		strs_add(out, "-c");
	}
	strs_add(out, text);
}

char *config_workdir(const struct image_config *cfg, const char *arg)
{
	if (*arg == '/')
		return str_dup(arg);
	const char *now = cfg->working_dir && *cfg->working_dir ? cfg->working_dir : "/";
	return path_join(slice_of(now), slice_of(arg));
}

static void set_health(struct image_config *cfg, const struct instr *in)
{
	struct health *h = NEW(struct health);
	if (in->health_none) {
		strs_add(&h->test, "NONE");
	} else if (in->json) {
		strs_add(&h->test, "CMD");
		for (size_t i = 0; i < in->args.n; i++)
			strs_add(&h->test, in->args.p[i]);
	} else {
		strs_add(&h->test, "CMD-SHELL");
		strs_add(&h->test, in->text);
	}
	h->interval = in->health_interval;
	h->timeout = in->health_timeout;
	h->start_period = in->health_start_period;
	h->start_interval = in->health_start_interval;
	h->retries = in->health_retries;
	if (cfg->health) {
		health_done(cfg->health);
		free(cfg->health);
	}
	cfg->health = h;
}

static void set_command(struct image_config *cfg, const struct instr *in, bool *cmd_set)
{
	struct strs *to = in->kind == INSTR_CMD ? &cfg->cmd : &cfg->entrypoint;
	if (in->json)
		set_words(to, &in->args);
	else
		config_shell(cfg, in->text, to);
	if (in->kind == INSTR_CMD) {
		cfg->has_cmd = true;
		cfg->args_escaped = true;
		*cmd_set = true;
		return;
	}
	cfg->has_entrypoint = to->n > 0;
	if (!*cmd_set) {
		strs_done(&cfg->cmd);
		cfg->has_cmd = false;
	}
}

void config_names_done(struct config_names *names)
{
	named_done(&names->env);
	named_done(&names->labels);
}

void config_instr_apply(struct image_config *cfg, struct config_names *names, const struct instr *in,
			bool *cmd_set)
{
	switch (in->kind) {
	case INSTR_CMD:
	case INSTR_ENTRYPOINT:
		set_command(cfg, in, cmd_set);
		break;
	case INSTR_ENV:
		for (size_t i = 0; i < in->pairs.n; i++)
			env_set_in(&cfg->env, &names->env, slice_of(in->pairs.p[i].key),
				   slice_of(in->pairs.p[i].value));
		break;
	case INSTR_LABEL:
		for (size_t i = 0; i < in->pairs.n; i++)
			kvs_set_in(&cfg->labels, &names->labels, slice_of(in->pairs.p[i].key),
				   slice_of(in->pairs.p[i].value));
		break;
	case INSTR_EXPOSE:
		add_once(&cfg->ports, &in->args);
		break;
	case INSTR_VOLUME:
		add_once(&cfg->volumes, &in->args);
		break;
	case INSTR_HEALTHCHECK:
		set_health(cfg, in);
		break;
	case INSTR_MAINTAINER:
		str_set(&cfg->author, str_dup(in->args.p[0]));
		break;
	case INSTR_ONBUILD:
		strs_add(&cfg->onbuild, in->trigger);
		break;
	case INSTR_SHELL:
		set_words(&cfg->shell, &in->args);
		cfg->has_shell = true;
		break;
	case INSTR_STOPSIGNAL:
		str_set(&cfg->stop_signal, str_dup(in->args.p[0]));
		break;
	case INSTR_USER:
		str_set(&cfg->user, str_dup(in->args.p[0]));
		break;
	case INSTR_WORKDIR: {
		char *dir = config_workdir(cfg, in->args.p[0]);
		str_set(&cfg->working_dir, dir);
		break;
	}
	default:
		break;
	}
}

/* ---- history ---- */

static void add_quoted(struct buf *b, const struct words *w)
{
	buf_char(b, '[');
	for (size_t i = 0; i < w->n; i++)
		buf_printf(b, "%s\"%s\"", i ? " " : "", w->p[i]);
	buf_char(b, ']');
}

static void add_plain(struct buf *b, const struct words *w)
{
	buf_char(b, '[');
	for (size_t i = 0; i < w->n; i++)
		buf_printf(b, "%s%s", i ? " " : "", w->p[i]);
	buf_char(b, ']');
}

static void add_command(const struct image_config *cfg, const struct instr *in, struct buf *b)
{
	if (in->json) {
		add_quoted(b, &in->args);
		return;
	}
	_cleanup_(strs_done) struct strs argv = { 0 };
	config_shell(cfg, in->text, &argv);
	struct words w = { (const char **)argv.p, argv.n };
	add_quoted(b, &w);
}

static void add_pairs(struct buf *b, const struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		buf_printf(b, "%s%s", i ? " " : "", p->p[i].key);
		if (p->p[i].value)
			buf_printf(b, "=%s", p->p[i].value);
	}
}

static void add_run(const struct image_config *cfg, const struct instr *in, const struct strs *args, struct buf *b)
{
	buf_str(b, "RUN ");
	if (args->n) {
		buf_printf(b, "|%zu", args->n);
		for (size_t i = 0; i < args->n; i++)
			buf_printf(b, " %s", args->p[i]);
		buf_char(b, ' ');
	}
	_cleanup_(strs_done) struct strs argv = { 0 };
	if (in->json)
		for (size_t i = 0; i < in->args.n; i++)
			strs_add(&argv, in->args.p[i]);
	else
		config_shell(cfg, in->text, &argv);
	_free_ char *line = strs_join(&argv, " ");
	buf_printf(b, "%s # buildkit", line);
}

static void add_copy(const struct instr *in, struct buf *b)
{
	buf_str(b, instr_name(in->kind));
	if (in->parents)
		buf_str(b, " --parents");
	if (in->chown)
		buf_printf(b, " --chown=%s", in->chown);
	if (in->chmod)
		buf_printf(b, " --chmod=%s", in->chmod);
	for (size_t i = 0; i < in->args.n; i++)
		buf_printf(b, " %s", in->args.p[i]);
	for (size_t i = 0; i < in->heredocs.n; i++)
		buf_printf(b, " <<%s", in->heredocs.p[i].name);
	buf_printf(b, " %s # buildkit", in->dest);
}

static void add_health(const struct instr *in, struct buf *b)
{
	char t[4][CLOCK_LEN];
	buf_str(b, "HEALTHCHECK {Test:[");
	if (in->health_none) {
		buf_str(b, "NONE");
	} else {
		buf_str(b, in->json ? "CMD" : "CMD-SHELL");
		for (size_t i = 0; in->json && i < in->args.n; i++)
			buf_printf(b, " %s", in->args.p[i]);
		if (!in->json)
			buf_printf(b, " %s", in->text);
	}
	buf_printf(b, "] Interval:%s Timeout:%s StartPeriod:%s StartInterval:%s Retries:%lld}",
		   clock_duration(in->health_interval, t[0]), clock_duration(in->health_timeout, t[1]),
		   clock_duration(in->health_start_period, t[2]),
		   clock_duration(in->health_start_interval, t[3]), (long long)in->health_retries);
}

char *config_created_by(const struct image_config *cfg, const struct instr *in, const struct strs *args)
{
	struct buf b = { 0 };
	switch (in->kind) {
	case INSTR_FROM:
	case INSTR_ONBUILD:
		return NULL;
	case INSTR_RUN:
		add_run(cfg, in, args, &b);
		break;
	case INSTR_COPY:
	case INSTR_ADD:
		add_copy(in, &b);
		break;
	case INSTR_WORKDIR: {
		_free_ char *dir = config_workdir(cfg, in->args.p[0]);
		buf_printf(&b, "WORKDIR %s", dir);
		break;
	}
	case INSTR_ENV:
	case INSTR_LABEL:
	case INSTR_ARG:
		buf_printf(&b, "%s ", instr_name(in->kind));
		add_pairs(&b, &in->pairs);
		break;
	case INSTR_CMD:
	case INSTR_ENTRYPOINT:
		buf_printf(&b, "%s ", instr_name(in->kind));
		add_command(cfg, in, &b);
		break;
	case INSTR_EXPOSE:
	case INSTR_VOLUME:
	case INSTR_SHELL:
		buf_printf(&b, "%s ", instr_name(in->kind));
		add_plain(&b, &in->args);
		break;
	case INSTR_HEALTHCHECK:
		add_health(in, &b);
		break;
	default:
		buf_printf(&b, "%s %s", instr_name(in->kind), in->args.p[0]);
	}
	return buf_take(&b);
}
