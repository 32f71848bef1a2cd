/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/cli.h"
#include "oci/reference.h"
#include "store/image.h"

struct tag_args {
	char unused;
};

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(image_done) struct image im = { 0 };
	(void)args;
	const char *from = words->p[0], *to = words->p[1];
	if (cli_no_scratch(from, "tag", e) < 0)
		return -1;
	if (reference_parse(slice_of(to), &ref, e) < 0)
		return err_add(e, "cannot name an image '%s'", to);
	if (ref.has_digest) {
		err_set(e, ERR_USER, "'%s' has a digest, and a digest cannot be chosen", to);
		return err_hint(e, "write NAME or NAME:TAG");
	}
	if (cli_no_scratch(to, NULL, e) < 0)
		return -1;
	struct store *s = cli_store(c, false, e);
	if (!s || image_open(s, from, &im, e) < 0)
		return err_add(e, "cannot tag '%s'", from);
	_free_ char *name = reference_text(&ref);
	return name_set(s, name, &im.manifest_digest, e);
}

const struct cmd cmd_tag = {
	"tag",
	"IMAGE NAME[:TAG]",
	"give an image another name",
	NULL,
	sizeof(struct tag_args),
	run,
	.min = 2,
	.max = 2,
	.group = GROUP_IMAGES,
	.examples = "  thimble tag hello:gcc hello:old\n"
		    "  thimble tag 3f9a1c0b77de registry.example.org/hello:1.0\n",
};
