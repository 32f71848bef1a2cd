/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a URL, or, behind a newline, as a Location for it: what is taken is http: or https:,
 * has a clean host and path, and its text is read again as the same. */
#include <assert.h>
#include <stdint.h>

#include "base/alloc.h"
#include "registry/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct url *u)
{
	_cleanup_(url_done) struct url again = { 0 };
	_free_ char *text = url_text(u), *shown = url_shown(u);
	assert(strcmp(u->scheme, "http") == 0 || strcmp(u->scheme, "https") == 0);
	assert(u->port > 0 && u->port < 65536 && *u->host && u->path[0] == '/');
	assert(!strpbrk(u->host, "/?#@\\ ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
	assert(!strpbrk(u->path, "?# \\") && !strstr(u->path, "/../"));
	for (const char *p = text; *p; p++)
		assert((unsigned char)*p > ' ' && (unsigned char)*p < 0x7f);
	if (strlen(text) > URL_MAX)
		return; /* a port or a slash was added */
	assert(url_parse(slice_of(text), &again, NULL) == 0);
	assert(url_same_origin(u, &again) && strcmp(u->path, again.path) == 0);
	_free_ char *twice = url_text(&again);
	assert(strcmp(text, twice) == 0);
	assert(!strchr(u->query ? "" : shown, '?'));
	(void)host_is_loopback(u->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = { (const char *)data, size }, ref = { 0 };
	_cleanup_(url_done) struct url base = { 0 }, to = { 0 };
	size_t line = slice_find(s, '\n');
	if (line < s.n) {
		ref = slice_from(s, line + 1);
		s = slice_head(s, line);
	}
	if (url_parse(s, &base, NULL) < 0)
		return 0;
	check(&base);
	if (url_resolve(&base, ref, &to, NULL) == 0)
		check(&to);
	return 0;
}
