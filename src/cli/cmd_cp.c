/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/stream.h"
#include "cli/cli.h"
#include "cli/copy_out.h"
#include "store/image.h"

struct cp_args {
	bool archive, follow, quiet;
};

static const struct opt opts[] = {
	OPT_FLAG('a', "archive", struct cp_args, archive,
		 "keep owners, setuid bits and attributes (else the files are yours)"),
	OPT_FLAG('L', "follow-link", struct cp_args, follow,
		 "if PATH is a symbolic link, copy what it leads to"),
	OPT_FLAG_HIDDEN('q', "quiet", struct cp_args, quiet),
	{ 0 },
};

/* IMAGE:PATH at the first ":/", else at the last ':'. A port is followed by digits, a tag holds no
 * '/', so the first ":/" cannot belong to a name. */
static int split_source(struct cli *c, const char *text, char **image, const char **path,
			struct err *e)
{
	const char *colon = strstr(text, ":/");
	if (!colon)
		colon = strrchr(text, ':');
	if (!colon || colon == text || !colon[1]) {
		cli_wrong(c, e, "'%s' is not IMAGE:PATH", text);
		return err_hint(e, "for example hello:gcc:/etc/passwd");
	}
	*image = str_ndup(text, (size_t)(colon - text));
	*path = colon + 1;
	return 0;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct cp_args *a = args;
	const char *dest = words->p[1], *path = NULL;
	_free_ char *name = NULL;
	_cleanup_(image_done) struct image im = { 0 };
	if (strcmp(words->p[0], "-") == 0 || (!strchr(words->p[0], ':') && strchr(dest, ':'))) {
		cli_wrong(c, e, "an image cannot be copied into");
		return err_hint(e,
				"write a Dockerfile with FROM and COPY, and use 'thimble build'");
	}
	if (split_source(c, words->p[0], &name, &path, e) < 0 ||
	    cli_no_scratch(name, "copy", e) < 0)
		return -1;
	bool tar = strcmp(dest, "-") == 0;
	if (tar && c->out_tty) {
		err_set(e, ERR_USER, "a tar would go to the terminal");
		return err_hint(e, "send it somewhere: … - | tar -tv");
	}
	struct store *s = cli_store_trees(c, false, e);
	struct image_fs fs = { 0 };
	if (!s || image_open(s, name, &im, e) < 0) {
		if (*path != '/')
			err_hint(e, "write '%s:/PATH' if '%s' is the image", words->p[0],
				 words->p[0]);
		return err_add(e, "cannot copy from '%s'", name);
	}
	if (image_fs_open(s, im.snaps.p, im.snaps.n, &fs, e) < 0)
		return err_add(e, "cannot copy from '%s'", name);
	struct copy_out out = { .fs = &fs,
				.src = path,
				.follow = a->follow,
				.meta = a->archive ? store_tree_opts(s) : NULL };
	int r;
	if (tar) {
		_cleanup_(sink_closep) struct sink *sink = sink_fd(STDOUT_FILENO);
		r = copy_out_tar(&out, sink, e);
		if (r == 0)
			r = sink_finish(sink, e);
	} else {
		r = copy_out_to(&out, dest, e);
	}
	arr_each(dev, &out.skipped)
		cli_warn(c, "'%s' is a device file and was left out: only root can make one", *dev);
	strs_done(&out.skipped);
	image_fs_close(&fs);
	return r < 0 ? err_add(e, "cannot copy '%s' to '%s'", words->p[0], dest) : 0;
}

const struct cmd cmd_cp = {
	"cp",
	"[OPTIONS] IMAGE:PATH DEST|-",
	"copy files out of an image",
	opts,
	sizeof(struct cp_args),
	run,
	.unwinds = true,
	.min = 2,
	.max = 2,
	.group = GROUP_IMAGES,
	.details =
		"If DEST is a directory PATH is copied into it, else DEST is the new name. PATH/. means what\n"
		"is in the directory PATH. '-' writes a tar to standard output. No shell is needed in the image.\n",
	.examples = "  thimble cp hello:gcc:/etc/os-release .\n"
		    "  thimble cp hello:scratch:/ - | tar -tv\n",
};
