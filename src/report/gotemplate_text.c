/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that docker adds. */
#include <string.h>

#include "base/err.h"
#include "base/js.h"
#include "report/gotemplate_func.h"

int gt_call_json(CALL)
{
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (r->opts->heading && gt_is_text(a[0])) {
		*out = a[0];
		return 0;
	}
	if (a[0].kind == GT_V_JSON)
		js_dump(a[0].json, &b);
	else
		buf_str(&b,
			a[0].kind == GT_V_NULL && a[0].zero == GOTEMPLATE_TEXT ? "\"\"" : "null");
	return gt_give(r, &b, out, e);
}

/* lower, upper, title: ASCII letters; others stay. */
int gt_call_case(CALL)
{
	struct slice s;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (gt_arg_text(f, a[0], &s, e) < 0)
		return -1;
	bool start = true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
		if (f->what == 'l' && upper)
			buf_char(&b, (char)(c + 32));
		else if (lower && (f->what == 'u' || (f->what == 't' && start)))
			buf_char(&b, (char)(c - 32));
		else
			buf_char(&b, c);
		start = !(lower || upper || (c >= '0' && c <= '9') || c == '_' || (c & 0x80));
	}
	if (r->opts->heading) {
		*out = a[0];
		return 0;
	}
	return gt_give(r, &b, out, e);
}

int gt_call_split(CALL)
{
	struct slice s, sep;
	if (gt_arg_text(f, a[0], &s, e) < 0 || gt_arg_text(f, a[1], &sep, e) < 0 ||
	    gt_steps(r, s.n / 16, e) < 0)
		return -1;
	json_t *list = json_array();
	*out = gt_own(r, list);
	while (sep.n) {
		size_t at = slice_search(s, sep);
		(void)json_array_append_new(list, js_text(slice_head(s, at)));
		if (at == s.n)
			return gt_steps(r, json_array_size(list), e);
		s = slice_from(s, at + sep.n);
	}
	for (size_t i = 0, w; i < s.n; i += w) { /* between characters */
		for (w = 1; i + w < s.n && (s.p[i + w] & 0xc0) == 0x80; w++)
			;
		(void)json_array_append_new(list, js_text((struct slice){ s.p + i, w }));
	}
	return gt_steps(r, json_array_size(list), e);
}

int gt_call_join(CALL)
{
	struct slice sep, s;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (!gt_is_list(a[0]))
		return err_set(e, ERR_USER, "'join' wants a list of strings, not %s",
			       gt_kind_name(a[0]));
	if (gt_arg_text(f, a[1], &sep, e) < 0)
		return -1;
	for (size_t i = 0; i < gt_list_len(a[0]); i++) {
		struct gt_value item = { .kind = GT_V_JSON, .json = json_array_get(a[0].json, i) };
		if (i)
			buf_slice(&b, sep);
		if (gt_arg_text(f, item, &s, e) < 0)
			return -1;
		buf_slice(&b, s);
	}
	return gt_give(r, &b, out, e);
}

int gt_call_truncate(CALL)
{
	struct slice s;
	int64_t n_bytes;
	if (gt_arg_text(f, a[0], &s, e) < 0 || gt_arg_int(f, a[1], &n_bytes, e) < 0)
		return -1;
	if (n_bytes < 0)
		return err_set(e, ERR_USER, "'truncate' to a negative length");
	if (r->opts->heading || (uint64_t)n_bytes >= s.n) {
		*out = a[0];
		return 0;
	}
	*out = gt_text(r, slice_head(s, (size_t)n_bytes));
	return gt_steps(r, (size_t)n_bytes / 16, e);
}

int gt_call_pad(CALL)
{
	struct slice s;
	int64_t before, after;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (gt_arg_text(f, a[0], &s, e) < 0 || gt_arg_int(f, a[1], &before, e) < 0 ||
	    gt_arg_int(f, a[2], &after, e) < 0)
		return -1;
	if (before < 0 || after < 0 || before > WIDTH_MAX || after > WIDTH_MAX)
		return err_set(e, ERR_USER, "'pad' takes 0 to %d blanks", WIDTH_MAX);
	if (s.n)
		buf_printf(&b, "%*s%.*s%*s", (int)before, "", SLF(s), (int)after, "");
	return gt_give(r, &b, out, e);
}
