/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/stream.h"
#include "cli/cli.h"
#include "cli/copying.h"
#include "image/outfile.h"
#include "image/save.h"

struct save_args {
	const char *output, *format, *compression;
	struct strs allow;
};
static const struct save_args defaults = { .format = "oci", .compression = "gzip" };

static const struct opt opts[] = {
	OPT_LIST(0, "allow", struct save_args, allow, "WHAT",
		 "rootfs.export: also an image that stands on this machine's own files"),
	OPT_CHOICE(0, "compression", struct save_args, compression, "gzip|zstd|none",
		   "of layers in oci and oci-dir (default gzip)"),
	OPT_CHOICE(0, "format", struct save_args, format, "oci|oci-dir|docker",
		   "OCI archive, OCI layout directory, docker-archive (default oci)"),
	OPT_STR('o', "output", struct save_args, output, "FILE",
		"write there; without it standard output"),
	OPT_LATER(0, "platform", "OS/ARCH", "images for several platforms come in a later version"),
	{ 0 },
};

static int hint_dir(const char *path, struct err *e)
{
	struct stat st;
	if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_hint(e, "name a file, or write a layout with --format oci-dir");
	return -1;
}

static int save_archive(struct store *s, const struct strs *names, const struct save_opts *o,
			const char *path, struct err *e)
{
	_cleanup_(outfile_done) struct outfile out = OUTFILE_INIT;
	if (outfile_open(&out, path, e) < 0)
		return hint_dir(path, e);
	_cleanup_(sink_closep) struct sink *sink = sink_fd(out.fd);
	if (image_save(s, names, o, sink, e) < 0 || sink_finish(sink, e) < 0)
		return -1;
	return outfile_finish(&out, e);
}

static int read_opts(struct cli *c, const struct save_args *a, struct save_opts *o, struct err *e)
{
	o->format = strcmp(a->format, "docker") == 0    ? SAVE_DOCKER
		    : strcmp(a->format, "oci-dir") == 0 ? SAVE_OCI_DIR
							: SAVE_OCI;
	o->compression = strcmp(a->compression, "zstd") == 0   ? COMP_ZSTD
			 : strcmp(a->compression, "none") == 0 ? COMP_NONE
							       : COMP_GZIP;
	if (copying_allow(c, &a->allow, &o->allow_rootfs, e) < 0)
		return -1;
	if (o->format == SAVE_OCI_DIR && (!a->output || strcmp(a->output, "-") == 0))
		return cli_wrong(c, e, "--format oci-dir needs -o DIR");
	if (o->format != SAVE_OCI_DIR && (!a->output || strcmp(a->output, "-") == 0) && c->out_tty)
		return cli_wrong(c, e, "an archive would go to the terminal; use -o FILE");
	return 0;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct save_args *a = args;
	struct save_opts o = { 0 };
	struct strs names = { 0 };
	if (read_opts(c, a, &o, e) < 0)
		return -1;
	for (size_t i = 0; i < words->n; i++) {
		if (cli_no_scratch(words->p[i], "save", e) < 0) {
			strs_done(&names);
			return -1;
		}
		strs_add(&names, words->p[i]);
	}
	struct store *s = cli_store_trees(c, false, e);
	int r = -1;
	if (s && o.format == SAVE_OCI_DIR)
		r = image_save_dir(s, &names, &o, a->output, e);
	else if (s)
		r = save_archive(s, &names, &o, a->output, e);
	strs_done(&names);
	return r < 0 ? err_add(e, "cannot save") : 0;
}

const struct cmd cmd_save = {
	"save",
	"[OPTIONS] IMAGE...",
	"write images to an archive",
	opts,
	sizeof(struct save_args),
	run,
	.unwinds = true,
	.min = 1,
	.max = ARGS_ANY,
	.defaults = &defaults,
	.group = GROUP_IMAGES,
	.details =
		"The same image gives the same bytes. An archive of either format is taken by 'docker load'.\n",
	.examples = "  thimble save -o hello.tar hello:gcc\n"
		    "  thimble save hello:gcc | docker load\n"
		    "  thimble save --format oci-dir -o layout hello:gcc hello:scratch\n",
};
