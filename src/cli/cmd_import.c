/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/stream.h"
#include "build/build.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "image/import.h"
#include "oci/reference.h"

struct import_args {
	struct strs changes;
	const char *message, *platform;
	bool json;
};

static const struct opt opts[] = {
	OPT_LIST('c', "change", struct import_args, changes, "INSTRUCTION",
		 "a Dockerfile instruction for the config: 'CMD [\"/bin/sh\"]', 'ENV K=V' …"),
	OPT_FLAG(0, "json", struct import_args, json, "print JSON"),
	OPT_STR('m', "message", struct import_args, message, "TEXT",
		"comment of the image's history"),
	OPT_STR(0, "platform", struct import_args, platform, "OS/ARCH",
		"platform of the files: this machine's"),
	{ 0 },
};

static int open_tar(struct cli *c, const char *path, struct err *e)
{
	struct stat st;
	if (strcmp(path, "-") == 0) {
		if (isatty(STDIN_FILENO)) {
			err_set(e, ERR_USER, "a terminal gives no tar");
			return err_hint(e, "tar -C DIR -c . | thimble %s - NAME", c->said);
		}
		int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		return fd >= 0 ? fd : err_sys(e, "read standard input");
	}
	if (strstr(path, "://")) {
		err_set(e, ERR_USER, "'%s' is a URL; they are not fetched yet", path);
		return err_hint(e, "curl -L URL | thimble %s - NAME", c->said);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		(void)close(fd);
		err_set(e, ERR_USER, "'%s' is a directory, not a tar", path);
		return err_hint(e, "tar -C '%s' -c . | thimble %s - NAME", path, c->said);
	}
	return fd;
}

/* SOURCE_DATE_EPOCH, else now. */
static int created(struct timespec *out, struct err *e)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;
	*out = clock_now();
	if (!epoch || !*epoch)
		return 0;
	if (num_parse(slice_of(epoch), INT64_MAX / 2, &seconds) < 0)
		return err_set(e, ERR_USER, "SOURCE_DATE_EPOCH is not a number of seconds: '%s'",
			       epoch);
	*out = (struct timespec){ .tv_sec = (time_t)seconds };
	return 0;
}

static int make_config(const struct import_args *a, const char *path, struct image_config *cfg,
		       struct err *e)
{
	if (created(&cfg->created, e) < 0)
		return -1;
	cfg->has_created = true;
	if (!a->platform)
		platform_host(&cfg->platform);
	else if (platform_parse(slice_of(a->platform), &cfg->platform, e) < 0)
		return -1;
	struct history *h = arr_add(&cfg->history);
	h->created = cfg->created;
	h->has_created = true;
	h->comment = a->message ? str_dup(a->message) : str_printf("Imported from %s", path);
	arr_each(change, &a->changes)
		if (build_apply_change(cfg, *change, e) < 0)
			return err_add(e, "--change %s", *change);
	return 0;
}

static void show(struct cli *c, const struct import_args *a, const struct digest *id,
		 const char *name)
{
	char text[DIGEST_LEN];
	if (!a->json) {
		(void)printf("%s\n", digest_text(id, text));
		return;
	}
	json_t *o = json_object();
	(void)json_object_set_new(o, "ID", show_id(id, true));
	(void)json_object_set_new(o, "Name", name ? json_string(name) : json_null());
	show_json(c, o);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct import_args *a = args;
	const char *path = words->p[0], *name = words->n > 1 ? words->p[1] : NULL;
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	struct digest manifest, id;
	if (name && cli_no_scratch(name, NULL, e) < 0)
		return -1;
	if (name && reference_parse(slice_of(name), &ref, e) < 0)
		return err_add(e, "cannot name an image '%s'", name);
	if (ref.has_digest)
		return err_set(e, ERR_USER, "'%s' has a digest, and a digest cannot be chosen",
			       name);
	if (make_config(a, path, &cfg, e) < 0)
		return -1;
	_close_ int fd = open_tar(c, path, e);
	struct store *s = fd >= 0 ? cli_store_trees(c, true, e) : NULL;
	if (!s)
		return -1;
	_cleanup_(source_closep) struct source *in = source_fd(fd);
	if (image_import(s, in, &cfg, false, &manifest, &id, e) < 0)
		return err_add(e, "cannot import '%s'", path);
	_free_ char *full = name ? reference_text(&ref) : NULL,
		    *familiar = name ? reference_familiar(&ref) : NULL;
	if (full && name_set(s, full, &manifest, e) < 0)
		return -1;
	show(c, a, &id, familiar);
	return 0;
}

const struct cmd cmd_import = {
	"import",
	"[OPTIONS] TAR|- [NAME[:TAG]]",
	"make an image of a root file system",
	opts,
	sizeof(struct import_args),
	run,
	.unwinds = true,
	.min = 1,
	.max = 2,
	.group = GROUP_IMAGES,
	.details =
		"TAR may be compressed (gzip, zstd, bzip2, xz); '-' is standard input. Prints the image ID.\n",
	.examples = "  mmdebstrap --variant=minbase bookworm - | thimble import - debian\n"
		    "  thimble import -c 'CMD [\"/bin/sh\"]' rootfs.tar base:1\n",
};
