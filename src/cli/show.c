/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/js.h"
#include "base/num.h"
#include "base/path.h"
#include "cli/cli.h"
#include "oci/digest.h"
#include "oci/reference.h"

json_t *show_size(uint64_t bytes)
{
	char text[NUM_SIZE_LEN];
	return json_string(num_size(bytes, text));
}

json_t *show_id(const struct digest *d, bool whole)
{
	char text[DIGEST_LEN];
	if (whole)
		return json_string(digest_text(d, text));
	return json_stringn(digest_hex(d, text), 12);
}

static bool is_known(const struct timespec *t)
{
	return t && t->tv_sec > 0;
}

json_t *show_ago(const struct timespec *t)
{
	char text[CLOCK_LEN];
	return json_string(is_known(t) ? clock_ago(*t, clock_now(), text) : "N/A");
}

json_t *show_at(const struct timespec *t)
{
	char text[80];
	struct tm tm;
	if (!is_known(t) || !localtime_r(&t->tv_sec, &tm) ||
	    !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z %Z", &tm))
		return json_string("N/A");
	return json_string(text);
}

json_t *show_rfc3339(const struct timespec *t)
{
	char text[CLOCK_LEN];
	return t ? json_string(clock_rfc3339(*t, text)) : json_null();
}

json_t *show_line(const char *s)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	for (s = s ? s : ""; *s; s++)
		buf_char(&b, *s == '\t' || *s == '\n' || *s == '\r' ? ' ' : *s);
	return js_text(buf_view(&b));
}

json_t *show_cut(const char *s, size_t n)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	size_t chars = 0, end = 0, cut = 0;
	for (; s[end]; end++)
		if ((s[end] & 0xc0) != 0x80 && ++chars == n)
			cut = end;
	if (chars <= n)
		return js_text(slice_of(s));
	buf_add(&b, s, cut);
	buf_str(&b, "…");
	return js_text(buf_view(&b));
}

void show_json(struct cli *c, json_t *v)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	js_dump_pretty(v, 4, &b);
	buf_char(&b, '\n');
	cli_print(c, &b, true);
	json_decref(v);
}

int cli_name_matches(const struct reference *ref, const char *pattern)
{
	struct slice p = slice_of(pattern);
	_free_ char *whole = reference_familiar(ref), *name = reference_familiar_name(ref);
	if (slice_starts(p, SL("docker.io/")))
		p = slice_from(p, 10);
	if (slice_starts(p, SL("library/")) && slice_search(p, SL("/")) == 7)
		p = slice_from(p, 8);
	int r = path_match(p, slice_of(whole));
	return r != 0 ? r : path_match(p, slice_of(name));
}
