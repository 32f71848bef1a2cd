/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of instructions: which there are, and what is given. */
#include "dockerfile/instr_in.h"

#include "base/num.h"
#include "dockerfile/words.h"

enum flag_type { FLAG_BOOL, FLAG_TEXT, FLAG_LIST };
static const struct {
	const char *name;
	enum flag_type type;
} flags[F_COUNT] = {
	[F_PLATFORM] = { "platform", FLAG_TEXT },
	[F_MOUNT] = { "mount", FLAG_LIST },
	[F_NETWORK] = { "network", FLAG_TEXT },
	[F_SECURITY] = { "security", FLAG_TEXT },
	[F_DEVICE] = { "device", FLAG_LIST },
	[F_FROM] = { "from", FLAG_TEXT },
	[F_CHOWN] = { "chown", FLAG_TEXT },
	[F_CHMOD] = { "chmod", FLAG_TEXT },
	[F_LINK] = { "link", FLAG_BOOL },
	[F_PARENTS] = { "parents", FLAG_BOOL },
	[F_EXCLUDE] = { "exclude", FLAG_LIST },
	[F_CHECKSUM] = { "checksum", FLAG_TEXT },
	[F_KEEP_GIT_DIR] = { "keep-git-dir", FLAG_BOOL },
	[F_UNPACK] = { "unpack", FLAG_BOOL },
	[F_INTERVAL] = { "interval", FLAG_TEXT },
	[F_TIMEOUT] = { "timeout", FLAG_TEXT },
	[F_START_PERIOD] = { "start-period", FLAG_TEXT },
	[F_START_INTERVAL] = { "start-interval", FLAG_TEXT },
	[F_RETRIES] = { "retries", FLAG_TEXT },
};

static const unsigned kind_flags[INSTR_WORKDIR + 1] = {
	[INSTR_FROM] = BIT(F_PLATFORM),
	[INSTR_RUN] = BIT(F_MOUNT) | BIT(F_NETWORK) | BIT(F_SECURITY) | BIT(F_DEVICE),
	[INSTR_COPY] = BIT(F_FROM) | BIT(F_CHOWN) | BIT(F_CHMOD) | BIT(F_LINK) | BIT(F_PARENTS) |
		       BIT(F_EXCLUDE),
	[INSTR_ADD] = BIT(F_CHOWN) | BIT(F_CHMOD) | BIT(F_LINK) | BIT(F_EXCLUDE) | BIT(F_CHECKSUM) |
		      BIT(F_KEEP_GIT_DIR) | BIT(F_UNPACK),
	[INSTR_HEALTHCHECK] = BIT(F_INTERVAL) | BIT(F_TIMEOUT) | BIT(F_START_PERIOD) |
			      BIT(F_START_INTERVAL) | BIT(F_RETRIES),
};

static int unknown_flag(struct parse *p, struct slice name, const char *word)
{
	const char *names[F_COUNT];
	size_t n = 0;
	for (int f = 0; f < F_COUNT; f++)
		if (kind_flags[p->in->kind] & BIT(f))
			names[n++] = flags[f].name;
	const char *near = nearest_name(name, names, n);
	if (near)
		err_set(p->e, ERR_USER, "unknown flag: --%.*s (did you mean --%s?)", SLF(name), near);
	else
		err_set(p->e, ERR_USER, "unknown flag: --%.*s", SLF(name));
	_free_ char *all = strs_join(&(struct strs){ .p = (char **)names, .n = n }, ", --");
	if (n)
		err_hint(p->e, "%s knows --%s", instr_name(p->in->kind), all);
	else
		err_hint(p->e, "%s has no flags", instr_name(p->in->kind));
	return parse_fail(p, word);
}

static int set_bool(struct parse *p, int f, struct slice name, struct slice value, const char *word)
{
	if (!value.p) {
		p->on[f] = true;
		return 0;
	}
	if (value.n == 0)
		err_set(p->e, ERR_USER, "missing a value on flag: --%.*s", SLF(name));
	else if (bool_parse(value, &p->on[f]) == 0)
		return 0;
	else
		err_set(p->e, ERR_USER, "expecting boolean value for flag --%.*s, not: %.*s", SLF(name),
			SLF(value));
	err_hint(p->e, "write --%s, --%s=true or --%s=false", flags[f].name, flags[f].name,
		 flags[f].name);
	return parse_fail(p, word);
}

static int set_flag(struct parse *p, const char *word)
{
	struct slice name, value = slice_of(word + 2);
	(void)slice_split(&value, '=', &name);
	int f = 0;
	while (f < F_COUNT && !(kind_flags[p->in->kind] & BIT(f) && slice_is(name, flags[f].name)))
		f++;
	_free_ char *shown = str_printf("--%.*s", SLF(name));
	if (f == F_COUNT)
		return unknown_flag(p, name, shown);
	if (p->given & BIT(f) && flags[f].type != FLAG_LIST) {
		err_set(p->e, ERR_USER, "duplicate flag specified: %s", shown);
		return parse_fail(p, shown);
	}
	p->given |= BIT(f);
	if (flags[f].type == FLAG_BOOL)
		return set_bool(p, f, name, value, shown);
	if (!value.p) {
		err_set(p->e, ERR_USER, "missing a value on flag: %s", shown);
		err_hint(p->e, "write %s=VALUE, without a blank", shown);
		return parse_fail(p, shown);
	}
	if (flags[f].type == FLAG_LIST)
		strs_take(&p->lists[f], slice_dup(value));
	else
		p->value[f] = arena_str(p->arena, value);
	return 0;
}

int parse_flags(struct parse *p)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	words_flags(&p->rest, p->in->escape, &words);
	enum instr_kind k = p->in->kind;
	struct slice rest = p->rest;
	if (k == INSTR_ARG || k == INSTR_STOPSIGNAL ||
	    (k == INSTR_HEALTHCHECK && slice_eq_nocase(words_first(&rest), SL("NONE"))))
		return 0; /* BuildKit never looks at theirs */
	for (size_t i = 0; i < words.n; i++)
		if (set_flag(p, words.p[i]) < 0)
			return -1;
	return 0;
}

const char *parse_flag_name(int f)
{
	return flags[f].name;
}
