/* SPDX-License-Identifier: Apache-2.0 */
#include "image/locator.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"

static const struct {
	const char *prefix;
	enum locator_kind kind;
} known[] = {
	{ "docker://", LOCATOR_REGISTRY },      { "oci:", LOCATOR_LAYOUT },
	{ "oci-archive:", LOCATOR_ARCHIVE },    { "docker-archive:", LOCATOR_DOCKER },
	{ "dir:", LOCATOR_DIR },                { "thimble:", LOCATOR_STORE },
};

/* What skopeo and others have besides. */
static const struct {
	const char *prefix, *instead;
} others[] = {
	{ "docker-daemon:", "'docker save NAME | thimble load' takes an image from docker" },
	{ "containers-storage:", "'podman save NAME | thimble load' takes an image from podman" },
	{ "ostree:", NULL },
	{ "sif:", NULL },
	{ "tarball:", "'thimble import FILE NAME' takes a root file system" },
	{ "atomic:", NULL },
};

void locator_done(struct locator *l)
{
	if (!l)
		return;
	free(l->text);
	free(l->path);
	free(l->tag);
	reference_done(&l->ref);
	*l = (struct locator){ 0 };
}

static int unknown(const char *text, size_t n, struct err *e)
{
	err_set(e, ERR_USER, "'%.*s' is no kind of place for images", (int)n, text);
	return err_hint(e, "known are docker://REF, oci:DIR[:TAG], oci-archive:FILE[:TAG], "
			   "docker-archive:FILE[:REF], dir:DIR and thimble:NAME");
}

/* "foo:1" is a name, "foo:/x", "foo://x" and "foo:./x" can be none. */
static int check_prefix(const char *text, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		size_t n = strlen(others[i].prefix);
		if (strncmp(text, others[i].prefix, n) != 0)
			continue;
		unknown(text, n, e);
		return others[i].instead ? err_hint(e, "%s", others[i].instead) : -1;
	}
	const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	if (!colon || (slash && slash < colon) || (colon[1] != '/' && colon[1] != '.'))
		return 0;
	bool url = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
	unknown(text, (size_t)(colon - text) + 1, e);
	return url ? err_hint(e, "a registry is docker://HOST/NAME:TAG") : -1;
}

static int read_rest(struct locator *l, const char *rest, struct err *e)
{
	const char *colon = strchr(rest, ':');
	if (l->kind == LOCATOR_REGISTRY)
		return reference_parse(slice_of(rest), &l->ref, e);
	if (l->kind == LOCATOR_STORE || l->kind == LOCATOR_DIR)
		colon = NULL;
	l->path = colon ? str_ndup(rest, (size_t)(colon - rest)) : str_dup(rest);
	l->tag = colon && colon[1] ? str_dup(colon + 1) : NULL;
	if (!*l->path)
		return err_set(e, ERR_USER, "'%s' names no %s", l->text,
			       l->kind == LOCATOR_STORE ? "image" : "file");
	return 0;
}

int locator_parse(const char *text, struct locator *out, struct err *e)
{
	_cleanup_(locator_done) struct locator l = { .text = str_dup(text) };
	const char *rest = text;
	size_t i = 0;
	for (; i < COUNT_OF(known); i++)
		if (strncmp(text, known[i].prefix, strlen(known[i].prefix)) == 0)
			break;
	if (i < COUNT_OF(known)) {
		l.kind = known[i].kind;
		rest += strlen(known[i].prefix);
	} else if (check_prefix(text, e) < 0) {
		return -1;
	}
	if (read_rest(&l, rest, e) < 0)
		return -1;
	struct reference unused = { 0 };
	if (i == COUNT_OF(known) && (*text == '/' || *text == '.') &&
	    reference_parse(slice_of(text), &unused, NULL) < 0) {
		err_set(e, ERR_USER, "'%s' is not the name of an image", text);
		return locator_hint(&l, e);
	}
	reference_done(&unused);
	*out = l;
	l = (struct locator){ 0 };
	return 0;
}

int locator_hint(const struct locator *l, struct err *e)
{
	struct stat st;
	/* also "DIR:TAG", since that is what is written after "oci:" */
	_free_ char *path = str_ndup(l->path, strcspn(l->path, ":"));
	if (l->kind != LOCATOR_STORE || (stat(path, &st) < 0 && stat(l->path, &st) < 0))
		return -1;
	if (S_ISDIR(st.st_mode))
		return err_hint(e, "for the directory write oci:%s or dir:%s", l->path, path);
	return err_hint(e, "for the file write oci-archive:%s or docker-archive:%s", l->path,
			l->path);
}
