/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/authkey.h"

#define HUB_KEY "https://index.docker.io/v1/"

bool auth_host_is_hub(struct slice host)
{
	return slice_eq_nocase(host, SL("docker.io")) ||
	       slice_eq_nocase(host, SL("index.docker.io")) ||
	       slice_eq_nocase(host, SL("registry-1.docker.io"));
}

bool auth_host_same(struct slice a, struct slice b)
{
	return slice_eq_nocase(a, b) || (auth_host_is_hub(a) && auth_host_is_hub(b));
}

struct auth_key auth_key_of(const char *text)
{
	struct slice s = slice_of(text);
	struct auth_key k = { .plain = 3 };
	if (slice_starts(s, SL("https://")))
		k.plain = 2;
	else if (slice_starts(s, SL("http://")))
		k.plain = 1;
	if (k.plain < 3)
		s = slice_from(s, k.plain == 2 ? 8 : 7);
	size_t slash = slice_find(s, '/');
	k.host = slice_head(s, slash);
	if (slash < s.n && k.plain == 3)
		k.path = slice_from(s, slash + 1);
	if (slice_is(k.path, "v1/") || slice_is(k.path, "v2/")) {
		k.plain = 1;
		k.path.n = 0;
	}
	while (k.path.n && k.path.p[k.path.n - 1] == '/')
		k.path.n--;
	return k;
}

bool auth_key_same(const char *a, const char *b)
{
	struct auth_key ka = auth_key_of(a), kb = auth_key_of(b);
	return auth_host_same(ka.host, kb.host) && slice_eq(ka.path, kb.path);
}

size_t auth_key_suits(const char *text, const char *host, const char *path)
{
	struct auth_key k = auth_key_of(text);
	struct slice p = slice_of(path);
	if (!auth_host_same(k.host, slice_of(host)))
		return 0;
	if (k.path.n && (!slice_starts(p, k.path) || (p.n > k.path.n && p.p[k.path.n] != '/')))
		return 0;
	return 4 * k.path.n + k.plain;
}

void auth_key_servers(const char *host, struct strs *l)
{
	if (auth_host_is_hub(slice_of(host))) {
		strs_add(l, HUB_KEY);
		strs_add(l, "docker.io");
	} else {
		strs_add(l, host);
	}
}

const char *auth_key_to_write(const char *host)
{
	struct auth_key k = auth_key_of(host);
	return auth_host_is_hub(k.host) && !k.path.n ? HUB_KEY : host;
}
