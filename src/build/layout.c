/* SPDX-License-Identifier: Apache-2.0 */
#include "build/layout.h"

#include "base/err.h"
#include "base/path.h"
#include "image/load.h"
#include "sandbox/userns.h"

int layout_open(struct store *s, const char *spec, char **ref, struct err *e)
{
	/* The tag stands behind the last colon, if no '/' follows it. */
	struct slice dir = slice_of(spec);
	size_t colon = slice_rfind(dir, ':');
	const char *tag = NULL;
	if (colon < dir.n && !strchr(spec + colon, '/')) {
		tag = spec + colon + 1;
		dir = slice_head(dir, colon);
	}
	_free_ char *path = slice_dup(dir);
	_cleanup_(image_loads_done) struct image_loads loaded = { 0 };
	struct image_load_opts o = { .what = tag, .unnamed = true };
	if (userns_enter(e) < 0 || image_load(s, -1, path, &o, &loaded, e) < 0)
		return -1;
	if (loaded.n != 1) {
		err_set(e, ERR_USER, "'%s' holds %zu images", path, loaded.n);
		return err_hint(e, "say which: oci-layout://%s:TAG", path);
	}
	char text[DIGEST_LEN];
	*ref = str_dup(digest_text(&loaded.p[0].manifest, text));
	return 0;
}
