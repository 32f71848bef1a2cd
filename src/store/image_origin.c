/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image_origin.h"

#include "base/buf.h"
#include "base/err.h"
#include "store/internal.h"

enum { LINES_MAX = 16 };

static void lines_read(struct store *s, const char *kind, const struct digest *key,
		       struct strs *out)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct slice text, line;
	if (cache_get(s, kind, key, &b, NULL) != 1)
		return;
	text = buf_view(&b);
	while (slice_split(&text, '\n', &line))
		if (line.n)
			strs_addf(out, "%.*s", SLF(line));
}

/* The line moves to the end if it is there. */
static int line_add(struct store *s, const char *kind, const struct digest *key, const char *line,
		    struct err *e)
{
	_cleanup_(strs_done) struct strs lines = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	lines_read(s, kind, key, &lines);
	if (lines.n && strcmp(lines.p[lines.n - 1], line) == 0)
		return 0;
	size_t kept = 0;
	arr_each(it, &lines)
		kept += strcmp(*it, line) != 0;
	arr_each(it, &lines)
		if (strcmp(*it, line) != 0 && kept-- < LINES_MAX)
			buf_printf(&b, "%s\n", *it);
	buf_printf(&b, "%s\n", line);
	return cache_put(s, kind, key, buf_view(&b), e);
}

int image_origin_add(struct store *s, const struct digest *manifest, const char *repo,
		     const struct digest *digest, struct err *e)
{
	char text[DIGEST_LEN];
	_free_ char *line = str_printf("%s@%s", repo, digest_text(digest, text));
	return line_add(s, ORIGIN_KIND, manifest, line, e);
}

void image_origins(struct store *s, const struct digest *manifest, struct strs *out)
{
	lines_read(s, ORIGIN_KIND, manifest, out);
}

int blob_place_add(struct store *s, const struct digest *blob, const char *repo, struct err *e)
{
	return line_add(s, PLACE_KIND, blob, repo, e);
}

void blob_places(struct store *s, const struct digest *blob, struct strs *repos)
{
	lines_read(s, PLACE_KIND, blob, repos);
}
