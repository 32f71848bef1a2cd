/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "cli/copying.h"
#include "cli/registry_args.h"
#include "cli/transfers.h"
#include "image/copy.h"
#include "image/outfile.h"
#include "registry/secret.h"

struct copy_args {
	struct registry_args reg;
	const char *compression, *format, *platform, *digestfile;
	const char *src_creds, *dest_creds, *src_authfile, *dest_authfile;
	const char *src_cert_dir, *dest_cert_dir, *src_tls, *dest_tls;
	int64_t level;
	struct strs allow;
	bool all, preserve, quiet, json;
	bool dest_compress, dest_decompress; /* skopeo's words */
};
static const struct copy_args defaults = { .format = "keep" };

static const struct opt opts[] = {
	OPT_FLAG('a', "all", struct copy_args, all, "an index with all its images"),
	OPT_LIST(0, "allow", struct copy_args, allow, "WHAT",
		 "rootfs.export: also an image that stands on this machine's own files"),
	OPT_CHOICE(0, "compression", struct copy_args, compression, "gzip|zstd|none",
		   "compress layers anew that have another one"),
	OPT_INT(0, "compression-level", struct copy_args, level, "N", "for what is compressed"),
	OPT_STR(0, "digestfile", struct copy_args, digestfile, "FILE",
		"write the digest of what was copied there"),
	OPT_CHOICE('f', "format", struct copy_args, format, "keep|oci|docker|v2s2",
		   "manifests as they are (keep), OCI's, or Docker's (docker, v2s2)"),
	OPT_FLAG(0, "json", struct copy_args, json, "print a JSON object"),
	OPT_STR(0, "platform", struct copy_args, platform, "OS/ARCH",
		"of images for several, take this one"),
	OPT_FLAG(0, "preserve-digests", struct copy_args, preserve,
		 "fail rather than change a digest"),
	OPT_FLAG('q', "quiet", struct copy_args, quiet, "print nothing"),
	OPT_STR(0, "src-authfile", struct copy_args, src_authfile, "FILE",
		"--authfile, for the source only"),
	OPT_STR(0, "src-cert-dir", struct copy_args, src_cert_dir, "DIR",
		"--cert-dir, for the source only"),
	OPT_STR(0, "src-creds", struct copy_args, src_creds, "USER[:PASSWORD]",
		"--creds, for the source only"),
	OPT_OPTVAL(0, "src-tls-verify", struct copy_args, src_tls, "BOOL", "true",
		   "--tls-verify, for the source only"),
	OPT_STR(0, "dest-authfile", struct copy_args, dest_authfile, "FILE",
		"--authfile, for the destination only"),
	OPT_STR(0, "dest-cert-dir", struct copy_args, dest_cert_dir, "DIR",
		"--cert-dir, for the destination only"),
	OPT_STR(0, "dest-creds", struct copy_args, dest_creds, "USER[:PASSWORD]",
		"--creds, for the destination only"),
	OPT_OPTVAL(0, "dest-tls-verify", struct copy_args, dest_tls, "BOOL", "true",
		   "--tls-verify, for the destination only"),
	REGISTRY_OPTS(struct copy_args, reg),
	OPT_FLAG_HIDDEN(0, "dest-compress", struct copy_args, dest_compress),
	OPT_FLAG_HIDDEN(0, "dest-decompress", struct copy_args, dest_decompress),
	{ 0 },
};

/* --creds USER: the password is asked for once, and only if a registry is to get it. *whole, which
 * `both` borrows: "USER:PASSWORD". */
static int ask_once(struct cli *c, const struct copy_args *a, bool from, bool to,
		    struct registry_args *both, char **whole, struct err *e)
{
	_cleanup_(creds_done) struct creds typed = { 0 };
	bool wanted = (from && !a->src_creds) || (to && !a->dest_creds);
	if (!wanted)
		both->creds = NULL;
	if (!both->creds || strchr(both->creds, ':'))
		return 0;
	if (registry_args_creds(c, "--creds", both->creds, &typed, e) < 0)
		return -1;
	*whole = str_printf("%s:%s", typed.user, typed.password);
	both->creds = *whole;
	return 0;
}

/* Who we are on one side: what holds for it alone, else what holds for both. */
static int side(struct cli *c, const struct registry_args *both, const char *flag,
		const char *creds, const char *authfile, const char *cert_dir, const char *tls,
		struct registry_opts *out, struct creds *store, struct err *e)
{
	struct registry_args one = *both;
	if (authfile)
		one.authfile = authfile;
	if (cert_dir)
		one.cert_dir = cert_dir;
	if (tls) {
		one.tls_verify = tls;
		one.insecure = false;
	}
	if (creds)
		one.creds = NULL;
	if (registry_args_opts(c, &one, out, store, e) < 0)
		return -1;
	if (creds && registry_args_creds(c, flag, creds, store, e) < 0)
		return -1;
	if (creds)
		out->creds = store;
	return 0;
}

static int read_opts(struct cli *c, const struct copy_args *a, struct image_copy_opts *o,
		     struct err *e)
{
	const char *comp = a->compression;
	if (a->dest_compress && a->dest_decompress)
		return cli_wrong(c, e, "--dest-compress and --dest-decompress are contrary");
	if (!comp && (a->dest_compress || a->dest_decompress))
		comp = a->dest_compress ? "gzip" : "none";
	o->compress = comp != NULL;
	o->compression = !comp || strcmp(comp, "gzip") == 0 ? COMP_GZIP
			 : strcmp(comp, "zstd") == 0        ? COMP_ZSTD
							    : COMP_NONE;
	int64_t most = o->compression == COMP_ZSTD ? 22 : 12;
	if (a->level < 0 || a->level > most)
		return cli_wrong(c, e, "--compression-level goes from 1 to 12 (gzip) or 22 (zstd)");
	o->level = (int)a->level;
	o->format = copying_format(a->format);
	o->all = a->all;
	o->preserve = a->preserve;
	if (a->all && a->platform)
		return cli_wrong(c, e, "--all takes all platforms, --platform one of them");
	return copying_allow(c, &a->allow, &o->allow_rootfs, e);
}

static int write_digest(const char *path, const struct digest *d, struct err *e)
{
	char text[DIGEST_LEN];
	_cleanup_(outfile_done) struct outfile f = OUTFILE_INIT;
	digest_text(d, text);
	if (outfile_open(&f, path, e) < 0 || fd_write_all(f.fd, text, strlen(text), e) < 0 ||
	    outfile_finish(&f, e) < 0)
		return err_add(e, "write the digest to '%s'", path);
	return 0;
}

static int copy(struct cli *c, const struct copy_args *a, const struct locator *from,
		const struct locator *to, struct image_copy_opts *o, struct err *e)
{
	bool trees = from->kind == LOCATOR_STORE || to->kind == LOCATOR_STORE;
	bool create = from->kind != LOCATOR_STORE;
	struct store *s = trees ? cli_store_trees(c, create, e) : cli_store(c, create, e);
	struct image_copied done = { 0 };
	if (!s)
		return -1;
	struct transfers *t = transfers_new(c, a->quiet ? PROGRESS_QUIET : progress_mode(NULL),
					    to->kind == LOCATOR_REGISTRY);
	o->events = transfers_events(t);
	int r = image_copy(s, from, to, o, &done, e);
	transfers_free(t);
	if (r < 0)
		return -1;
	r = a->digestfile ? write_digest(a->digestfile, &done.top.digest, e) : 0;
	if (r == 0)
		copying_show(c, &done, a->json, a->quiet, true);
	image_copied_done(&done);
	return r;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct copy_args *a = args;
	_cleanup_(locator_done) struct locator from = { 0 }, to = { 0 };
	_cleanup_(platform_done) struct platform platform = { 0 };
	_cleanup_(creds_done) struct creds from_creds = { 0 }, to_creds = { 0 };
	_secret_ char *whole = NULL;
	struct registry_args both = a->reg;
	struct registry_opts from_registry, to_registry;
	struct image_copy_opts o = { 0 };
	if (read_opts(c, a, &o, e) < 0 || locator_parse(words->p[0], &from, e) < 0 ||
	    locator_parse(words->p[1], &to, e) < 0)
		return -1;
	if (a->platform && platform_parse(slice_of(a->platform), &platform, e) < 0)
		return -1;
	if (ask_once(c, a, from.kind == LOCATOR_REGISTRY, to.kind == LOCATOR_REGISTRY, &both,
		     &whole, e) < 0)
		return -1;
	if (side(c, &both, "--src-creds", a->src_creds, a->src_authfile, a->src_cert_dir,
		 a->src_tls, &from_registry, &from_creds, e) < 0 ||
	    side(c, &both, "--dest-creds", a->dest_creds, a->dest_authfile, a->dest_cert_dir,
		 a->dest_tls, &to_registry, &to_creds, e) < 0)
		return -1;
	o.platform = a->platform ? &platform : NULL;
	o.from_registry = &from_registry;
	o.to_registry = &to_registry;
	return copy(c, a, &from, &to, &o, e);
}

const struct cmd cmd_copy = {
	"copy",
	"[OPTIONS] SOURCE DESTINATION",
	"copy an image between registries, files and the store",
	opts,
	sizeof(struct copy_args),
	run,
	.min = 2,
	.max = 2,
	.defaults = &defaults,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.details =
		"SOURCE and DESTINATION are docker://REF, oci:DIR[:TAG], oci-archive:FILE[:TAG],\n"
		"docker-archive:FILE[:REF], dir:DIR, and thimble:NAME or just NAME for the store.\n"
		"Everything goes as it is, byte by byte, unless the destination cannot hold it so.\n",
	.examples = "  thimble copy hello:gcc docker://localhost:5000/hello:gcc\n"
		    "  thimble copy --all docker://localhost:5000/app:1 oci:mirror:app-1\n"
		    "  thimble copy oci-archive:hello.tar hello:again\n",
};
