/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/named.h"

void named_done(struct named *x)
{
	map_done(&x->at);
	x->n = 0;
}

/* The position of a name, or n. */
static size_t place(const struct named *x, struct slice name, size_t n)
{
	size_t at = (size_t)(uintptr_t)map_get(&x->at, name);
	return at ? at - 1 : n;
}

static void note(struct named *x, struct slice name)
{
	(void)map_put(&x->at, name, (void *)(uintptr_t)++x->n);
}

static size_t env_place(const struct strs *env, struct named *x, struct slice name)
{
	while (x->n < env->n) {
		struct slice entry = slice_of(env->p[x->n]);
		size_t eq = slice_find(entry, '=');
		if (eq < entry.n)
			note(x, slice_head(entry, eq));
		else
			x->n++; /* an image's, without a value: it is no variable */
	}
	return place(x, name, env->n);
}

const char *env_get_in(const struct strs *env, struct named *x, struct slice name)
{
	size_t at = env_place(env, x, name);
	return at < env->n ? env->p[at] + name.n + 1 : NULL;
}

void env_set_in(struct strs *env, struct named *x, struct slice name, struct slice value)
{
	size_t at = env_place(env, x, name);
	char *entry = str_printf("%.*s=%.*s", SLF(name), SLF(value));
	if (at < env->n)
		str_set(&env->p[at], entry);
	else
		strs_take(env, entry);
}

void kvs_set_in(struct kvs *l, struct named *x, struct slice k, struct slice v)
{
	while (x->n < l->n)
		note(x, slice_of(l->p[x->n].k));
	size_t at = place(x, k, l->n);
	struct kv one = { NULL, slice_dup(v) };
	if (at < l->n) {
		str_set(&l->p[at].v, one.v);
		return;
	}
	one.k = slice_dup(k);
	arr_push(l, one);
}
