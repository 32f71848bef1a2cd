/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/checks.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/map.h"
#include "dockerfile/dockerfile.h"
#include "dockerfile/words.h"

static const char *const names[CHECK_COUNT] = {
	[CHECK_STAGE_NAME_CASING] = "StageNameCasing",
	[CHECK_FROM_AS_CASING] = "FromAsCasing",
	[CHECK_NO_EMPTY_CONTINUATION] = "NoEmptyContinuation",
	[CHECK_CONSISTENT_INSTRUCTION_CASING] = "ConsistentInstructionCasing",
	[CHECK_DUPLICATE_STAGE_NAME] = "DuplicateStageName",
	[CHECK_RESERVED_STAGE_NAME] = "ReservedStageName",
	[CHECK_JSON_ARGS_RECOMMENDED] = "JSONArgsRecommended",
	[CHECK_MAINTAINER_DEPRECATED] = "MaintainerDeprecated",
	[CHECK_UNDEFINED_ARG_IN_FROM] = "UndefinedArgInFrom",
	[CHECK_WORKDIR_RELATIVE_PATH] = "WorkdirRelativePath",
	[CHECK_UNDEFINED_VAR] = "UndefinedVar",
	[CHECK_MULTIPLE_INSTRUCTIONS_DISALLOWED] = "MultipleInstructionsDisallowed",
	[CHECK_LEGACY_KEY_VALUE_FORMAT] = "LegacyKeyValueFormat",
	[CHECK_INVALID_BASE_IMAGE_PLATFORM] = "InvalidBaseImagePlatform",
	[CHECK_REDUNDANT_TARGET_PLATFORM] = "RedundantTargetPlatform",
	[CHECK_SECRETS_USED_IN_ARG_OR_ENV] = "SecretsUsedInArgOrEnv",
	[CHECK_INVALID_DEFAULT_ARG_IN_FROM] = "InvalidDefaultArgInFrom",
	[CHECK_FROM_PLATFORM_FLAG_CONST_DISALLOWED] = "FromPlatformFlagConstDisallowed",
	[CHECK_COPY_IGNORED_FILE] = "CopyIgnoredFile",
	[CHECK_EXPOSE_PROTO_CASING] = "ExposeProtoCasing",
	[CHECK_EXPOSE_INVALID_FORMAT] = "ExposeInvalidFormat",
	[CHECK_INVALID_DEFINITION_DESCRIPTION] = "InvalidDefinitionDescription",
};

const char *check_name(enum check_rule r)
{
	return names[r];
}

/* ---- the directive ---- */

uint32_t check_rules_parse(struct slice list)
{
	uint32_t bits = 0;
	struct slice word;
	while (slice_split(&list, ',', &word)) {
		word = slice_trim(word);
		if (slice_eq_nocase(word, SL("all")))
			return UINT32_MAX;
		for (unsigned r = 0; r < CHECK_COUNT; r++)
			if (slice_eq_nocase(word, slice_of(names[r])))
				bits |= 1u << r;
	}
	return bits;
}

static int bad_option(struct slice part, struct err *e)
{
	err_set(e, ERR_DATA, "invalid check option '%.*s'", SLF(part));
	return err_hint(e, "write check=skip=Rule,Rule;error=true");
}

int check_opts_parse(struct slice s, struct check_opts *out, struct err *e)
{
	struct check_opts o = { 0 };
	s = slice_trim(s);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ' ' || s.p[i] == '\t')
			s.n = i;
	struct slice part;
	while (slice_split(&s, ';', &part)) {
		struct slice value = part, key;
		(void)slice_split(&value, '=', &key);
		if (!value.p)
			return bad_option(part, e);
		if (slice_is(key, "skip"))
			o.skip = check_rules_parse(value);
		else if (slice_is(key, "experimental"))
			o.experimental = check_rules_parse(value);
		else if (!slice_is(key, "error") || bool_parse(value, &o.error) < 0)
			return bad_option(part, e);
	}
	*out = o;
	return 0;
}

int checks_verdict(const struct dockerfile *df, const bool *needed, struct err *e)
{
	if (!df->checks.error)
		return 0;
	uint32_t seen = 0;
	_cleanup_(buf_done) struct buf b = { 0 };
	arr_each(w, &df->warnings) {
		if ((needed && w->stage >= 0 && !needed[w->stage]) || seen & 1u << w->rule)
			continue;
		seen |= 1u << w->rule;
		buf_printf(&b, "%s%s", b.len ? ", " : "", names[w->rule]);
	}
	if (!seen)
		return 0;
	err_set(e, ERR_USER, "lint violation found for rules: %s", b.p);
	return err_hint(e, "mend them, or leave 'error=true' out of the check directive");
}

/* ---- the rules ---- */

struct run {
	struct dockerfile *df;
	int stage;
};

/* For rules about the file as a whole: not silenced by a comment above one instruction. */
static struct instr file_wide(const struct instr *in)
{
	struct instr copy = *in;
	copy.check_skip = NULL;
	return copy;
}

static bool all_case(const char *s, int (*is)(int))
{
	for (; *s; s++)
		if (isalpha((unsigned char)*s) && !is((unsigned char)*s))
			return false;
	return true;
}

static void check_casing(struct dockerfile *df)
{
	size_t lower = 0, upper = 0;
	arr_each(in, &df->instrs) {
		lower += all_case(in->keyword, islower);
		upper += all_case(in->keyword, isupper);
	}
	bool want_lower = lower > upper;
	int stage = -1;
	arr_each(in, &df->instrs) {
		stage += in->kind == INSTR_FROM;
		if (all_case(in->keyword, want_lower ? islower : isupper))
			continue;
		struct instr wide = file_wide(in);
		dockerfile_warn(df, CHECK_CONSISTENT_INSTRUCTION_CASING, &wide, stage, NULL,
				"Command '%s' should match the case of the command majority (%s)",
				in->keyword, want_lower ? "lowercase" : "uppercase");
	}
}

static void check_stage_names(struct dockerfile *df)
{
	struct map seen = { 0 };
	arr_each(st, &df->stages) {
		struct instr *in = &df->instrs.p[st->from], wide = file_wide(in);
		int i = (int)st->index;
		if (!st->name)
			continue;
		if (strcmp(in->stage_name, in->stage_name_raw) != 0)
			dockerfile_warn(df, CHECK_STAGE_NAME_CASING, in, i, in->stage_name_raw,
					"Stage name '%s' should be lowercase", in->stage_name_raw);
		if (all_case(in->keyword, islower) != all_case(in->as_word, islower))
			dockerfile_warn(df, CHECK_FROM_AS_CASING, in, i, in->as_word,
					"'%s' and '%s' keywords' casing do not match", in->as_word,
					in->keyword);
		if (!strcmp(st->name, "scratch") || !strcmp(st->name, "context"))
			dockerfile_warn(df, CHECK_RESERVED_STAGE_NAME, &wide, i, in->stage_name_raw,
					"Stage name should not use the same name as reserved stage \"%s\"",
					st->name);
		if (map_put(&seen, slice_of(st->name), st))
			dockerfile_warn(df, CHECK_DUPLICATE_STAGE_NAME, &wide, i, in->stage_name_raw,
					"Duplicate stage name \"%s\", stage names should be unique",
					in->stage_name_raw);
	}
	map_done(&seen);
}

/* Is one of the words of NAME (cut at '_') in the list? */
static bool has_word(const char *name, const char *const *list, size_t n)
{
	struct slice rest = slice_of(name), part;
	while (slice_split(&rest, '_', &part))
		for (size_t i = 0; i < n; i++)
			if (slice_eq_nocase(part, slice_of(list[i])))
				return true;
	return false;
}

static void check_secrets(struct run *r, const struct instr *in)
{
	static const char *const bad[] = { "apikey", "auth", "credential", "credentials", "key",
					   "password", "pword", "passwd", "secret", "token" };
	static const char *const good[] = { "public", "file", "version" };
	for (size_t i = 0; i < in->pairs.n; i++) {
		const char *key = in->pairs.p[i].key;
		if (has_word(key, bad, COUNT_OF(bad)) && !has_word(key, good, COUNT_OF(good)))
			dockerfile_warn(r->df, CHECK_SECRETS_USED_IN_ARG_OR_ENV, in, r->stage, key,
					"Do not use ARG or ENV instructions for sensitive data (%s \"%s\")",
					instr_name(in->kind), key);
	}
}

static void check_expose(struct run *r, const struct instr *in)
{
	for (size_t i = 0; i < in->args.n; i++) {
		const char *arg = in->args.p[i];
		struct slice s = slice_of(arg);
		unsigned odd = 0;
		bool ok = !expand_has_vars(s, in->escape) && expose_parse(s, NULL, &odd, NULL) == 0;
		if (ok && odd & EXPOSE_ODD_CASE)
			dockerfile_warn(r->df, CHECK_EXPOSE_PROTO_CASING, in, r->stage, arg,
					"Defined protocol '%s' in EXPOSE instruction should be lowercase", arg);
		if (ok && odd & EXPOSE_ODD_FORM)
			dockerfile_warn(r->df, CHECK_EXPOSE_INVALID_FORMAT, in, r->stage, arg,
					"EXPOSE instruction should not define an IP address or host-port mapping, found '%s'",
					arg);
	}
}

/* What a stage hands on to those that stand on it, and what was seen in it. */
struct seen {
	bool shell, workdir;
	const struct instr *last[3]; /* CMD, ENTRYPOINT, HEALTHCHECK */
};

static void check_repeated(struct run *r, struct seen *s, const struct instr *in)
{
	int slot = in->kind == INSTR_CMD ? 0 : in->kind == INSTR_ENTRYPOINT ? 1 : 2;
	if (s->last[slot])
		dockerfile_warn(r->df, CHECK_MULTIPLE_INSTRUCTIONS_DISALLOWED, s->last[slot], r->stage, NULL,
				"Multiple %s instructions should not be used in the same stage because only the last one will be used",
				instr_name(in->kind));
	s->last[slot] = in;
}

static void check_workdir(struct run *r, struct seen *s, const struct instr *in)
{
	char c = in->args.p[0][0];
	if (c == '"' || c == '\'')
		c = in->args.p[0][1];
	bool is_known = c != '$';                       /* a variable may hold an absolute path */
	bool drive = isalpha((unsigned char)c) && in->args.p[0][1] == ':';
	if (!s->workdir && is_known && c != '/' && c != '\\' && !drive)
		dockerfile_warn(r->df, CHECK_WORKDIR_RELATIVE_PATH, in, r->stage, in->args.p[0],
				"Relative workdir \"%s\" can have unexpected results if the base image changes",
				in->args.p[0]);
	s->workdir = true;
}

static void check_instr(struct run *r, struct seen *s, const struct instr *in)
{
	struct dockerfile *df = r->df;
	switch (in->kind) {
	case INSTR_CMD:
	case INSTR_ENTRYPOINT:
		if (!in->json && !s->shell)
			dockerfile_warn(df, CHECK_JSON_ARGS_RECOMMENDED, in, r->stage, NULL,
					"JSON arguments recommended for %s to prevent unintended behavior related to OS signals",
					instr_name(in->kind));
		check_repeated(r, s, in);
		break;
	case INSTR_HEALTHCHECK: check_repeated(r, s, in); break;
	case INSTR_SHELL: s->shell = true; break;
	case INSTR_MAINTAINER:
		dockerfile_warn(df, CHECK_MAINTAINER_DEPRECATED, in, r->stage, NULL,
				"Maintainer instruction is deprecated in favor of using label");
		break;
	case INSTR_WORKDIR: check_workdir(r, s, in); break;
	case INSTR_ENV:
	case INSTR_LABEL:
		if (in->legacy_pair)
			dockerfile_warn(df, CHECK_LEGACY_KEY_VALUE_FORMAT, in, r->stage, NULL,
					"\"%s key=value\" should be used instead of legacy \"%s key value\" format",
					instr_name(in->kind), instr_name(in->kind));
		if (in->kind == INSTR_ENV)
			check_secrets(r, in);
		break;
	case INSTR_ARG: check_secrets(r, in); break;
	case INSTR_EXPOSE: check_expose(r, in); break;
	case INSTR_ADD:
	case INSTR_COPY:
	case INSTR_FROM:
	case INSTR_ONBUILD:
	case INSTR_RUN:
	case INSTR_STOPSIGNAL:
	case INSTR_USER:
	case INSTR_VOLUME: break;
	}
}

/* ---- FROM with the defaults of the global ARGs ---- */

static const char *const predefined[] = {
	"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "TARGETOSVERSION",
	"BUILDPLATFORM",  "BUILDOS",  "BUILDARCH",  "BUILDVARIANT",  "BUILDOSVERSION",
	"TARGETSTAGE",
};

struct globals {
	struct map values;   /* declared -> value, or NULL without default */
	struct strs missing; /* undeclared names of the word that is expanded now */
};

static const char *global_get(void *ctx, struct slice name)
{
	struct globals *g = ctx;
	return map_get(&g->values, name);
}

static void global_unset(void *ctx, struct slice name)
{
	struct globals *g = ctx;
	_free_ char *s = slice_dup(name);
	if (!map_has(&g->values, name) && strs_find(&g->missing, s) < 0)
		strs_add(&g->missing, s);
}

/* As far as text alone tells: what a reference can never look like. */
static bool is_odd_image(struct slice s)
{
	if (s.n == 0 || strchr(":/@", s.p[0]) || strchr(":/@", s.p[s.n - 1]))
		return true;
	for (size_t i = 0; i + 1 < s.n; i++)
		if (strchr(":/@", s.p[i]) && strchr(":/@", s.p[i + 1]))
			return true;
	for (size_t i = 0; i < s.n; i++)
		if (is_blank(s.p[i]))
			return true;
	return false;
}

static void check_from(struct dockerfile *df, struct globals *g, const struct instr *in, int stage)
{
	struct expand_env env = { .get = global_get, .unset = global_unset, .ctx = g, .escape = in->escape };
	_cleanup_(arena_done) struct arena a = { 0 };
	char *image = expand_word(slice_of(in->image), &env, &a, NULL);
	const char *platform = in->platform;
	if (platform && !expand_word(slice_of(platform), &env, &a, NULL))
		platform = NULL; /* the builder will say why it is wrong */

	const char *known[COUNT_OF(predefined) + 64];
	size_t n = 0;
	map_each(it, &g->values) {
		if (n == COUNT_OF(known))
			break;
		known[n++] = it->key;
	}
	for (size_t i = 0; i < g->missing.n; i++) {
		const char *name = g->missing.p[i], *near = nearest_name(slice_of(name), known, n);
		dockerfile_warn(df, CHECK_UNDEFINED_ARG_IN_FROM, in, stage, name,
				near ? "FROM argument '%s' is not declared (did you mean %s?)"
				     : "FROM argument '%s' is not declared", name, near);
	}
	bool has_vars = expand_has_vars(slice_of(in->image), in->escape);
	if (image && has_vars && !g->missing.n && is_odd_image(slice_of(image))) {
		struct instr wide = file_wide(in);
		dockerfile_warn(df, CHECK_INVALID_DEFAULT_ARG_IN_FROM, &wide, stage, in->image,
				"Default value for ARG %s results in empty or invalid base image name",
				in->image);
	}
	strs_done(&g->missing);
	g->missing = (struct strs){ 0 };
	if (!platform)
		return;
	if (!strcmp(platform, "$TARGETPLATFORM") || !strcmp(platform, "${TARGETPLATFORM}")) {
		dockerfile_warn(df, CHECK_REDUNDANT_TARGET_PLATFORM, in, stage, "--platform",
				"Setting platform to predefined %s in FROM is redundant as this is the default behavior",
				platform);
		return;
	}
	if (expand_has_vars(slice_of(platform), in->escape))
		return;
	struct slice rest = slice_of(platform), part;
	while (in->stage_name && slice_split(&rest, '/', &part)) /* a name such as "amd64-tools" */
		if (part.n && slice_search(slice_of(in->stage_name), part) < strlen(in->stage_name))
			return;
	dockerfile_warn(df, CHECK_FROM_PLATFORM_FLAG_CONST_DISALLOWED, in, stage, "--platform",
			"FROM --platform flag should not use constant value \"%s\"", platform);
}

static void check_froms(struct dockerfile *df)
{
	struct globals g = { 0 };
	_cleanup_(arena_done) struct arena a = { 0 };
	for (size_t i = 0; i < COUNT_OF(predefined); i++)
		(void)map_put(&g.values, slice_of(predefined[i]), (char *)"linux");
	for (size_t i = 0; i < df->globals; i++) {
		struct instr *in = &df->instrs.p[i];
		for (size_t k = 0; k < in->pairs.n; k++) {
			struct expand_env env = { .get = global_get, .ctx = &g };
			struct pair p;
			/* what is wrong here, the builder tells */
			if (arg_expand(in, k, NULL, &env, &a, &p, NULL) == 0 &&
			    (p.value || !map_has(&g.values, slice_of(p.key))))
				(void)map_put(&g.values, slice_of(p.key), (char *)p.value);
		}
	}
	arr_each(st, &df->stages)
		check_from(df, &g, &df->instrs.p[st->from], (int)st->index);
	map_done(&g.values);
}

/* ---- descriptions ---- */

static bool describes(const char *doc, const char *name)
{
	struct slice rest = slice_of(doc), line;
	size_t n = strlen(name);
	while (slice_split(&rest, '\n', &line))
		if (slice_starts(line, slice_of(name)) && (line.n == n || line.p[n] == ' '))
			return true;
	return false;
}

static void check_docs(struct dockerfile *df)
{
	int stage = -1;
	arr_each(in, &df->instrs) {
		stage += in->kind == INSTR_FROM;
		const char *name = in->kind == INSTR_FROM ? in->stage_name_raw
				   : in->kind == INSTR_ARG ? in->pairs.p[0].key : NULL;
		if (name && in->doc && !describes(in->doc, name))
			dockerfile_warn(df, CHECK_INVALID_DEFINITION_DESCRIPTION, in, stage, NULL,
					"Comment for %s should follow the format: `# %s <description>`",
					in->kind == INSTR_FROM ? "build stage" : "build arg", name);
	}
}

void checks_run(struct dockerfile *df)
{
	check_stage_names(df);
	check_froms(df);
	check_casing(df);
	struct run r = { df, -1 };
	for (size_t i = 0; i < df->globals; i++)
		check_instr(&r, &(struct seen){ 0 }, &df->instrs.p[i]);
	struct seen *all = mem_array(df->stages.n + 1, sizeof *all);
	arr_each(st, &df->stages) {
		struct seen *s = &all[st->index];
		const struct dockerfile_stage *base =
			dockerfile_stage_find(df, df->instrs.p[st->from].image, st->index, true);
		if (base)
			*s = (struct seen){ .shell = all[base->index].shell,
					    .workdir = all[base->index].workdir };
		r.stage = (int)st->index;
		for (size_t i = st->first; i < st->end; i++)
			check_instr(&r, s, &df->instrs.p[i]);
	}
	free(all);
	if (df->checks.experimental & 1u << CHECK_INVALID_DEFINITION_DESCRIPTION)
		check_docs(df);
}
