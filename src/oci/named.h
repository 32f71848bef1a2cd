/* SPDX-License-Identifier: Apache-2.0 */
/* oci/named.h: lists of "K=V" and of pairs to which one name after the other is set, tens of thousands by
 * a Dockerfile that a program wrote. The index beside such a list says where each name stands; it is
 * brought up to date by what uses it. It holds as long as the list only grows, and values change in their
 * places (env_set, kvs_set): a list that is replaced wants a new one.
 *
 *	struct named at = { 0 };
 *	env_set_in(&env, &at, SL("PATH"), SL("/bin"));
 *	named_done(&at); */
#pragma once
#include "base/map.h"
#include "oci/config.h"

struct named {
	struct map at; /* position + 1 of the last entry with this name */
	size_t n; /* entries that are in it */
};
void named_done(struct named *x);
const char *env_get_in(const struct strs *env, struct named *x, struct slice name); /* as env_get */
void env_set_in(struct strs *env, struct named *x, struct slice name, struct slice value); /* as env_set */
void kvs_set_in(struct kvs *l, struct named *x, struct slice k, struct slice v); /* as kvs_set */
