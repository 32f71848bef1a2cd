/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/platform.h"

#include <ctype.h>

#include "base/alloc.h"
#include "base/err.h"

#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#elif defined(__i386__)
#define HOST_ARCH "386"
#elif defined(__arm__)
#define HOST_ARCH "arm"
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ARCH "riscv64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define HOST_ARCH "ppc64le"
#elif defined(__s390x__)
#define HOST_ARCH "s390x"
#elif defined(__loongarch64)
#define HOST_ARCH "loong64"
#else
#error "the name that Go has for this machine is not known here; add it"
#endif

#if defined(__arm__) && __ARM_ARCH < 7
#define HOST_VARIANT "v6"
#elif defined(__arm__)
#define HOST_VARIANT "v7"
#else
#define HOST_VARIANT NULL
#endif

void platform_done(struct platform *p)
{
	if (!p)
		return;
	free(p->os);
	free(p->arch);
	free(p->variant);
	free(p->os_version);
	*p = (struct platform){ 0 };
}

struct alias {
	const char *said, *said_variant; /* NULL: any */
	const char *arch, *variant; /* variant NULL: as it was said */
};

/* containerd/platforms, database.go, normalizeArch */
static const struct alias aliases[] = {
	{ "i386", NULL, "386", "" },       { "i486", NULL, "386", "" },
	{ "i586", NULL, "386", "" },       { "i686", NULL, "386", "" },
	{ "x86_64", "v1", "amd64", "" },   { "x86-64", "v1", "amd64", "" },
	{ "amd64", "v1", "amd64", "" },    { "x86_64", NULL, "amd64", NULL },
	{ "x86-64", NULL, "amd64", NULL }, { "aarch64", "8", "arm64", "" },
	{ "aarch64", "v8", "arm64", "" },  { "arm64", "8", "arm64", "" },
	{ "arm64", "v8", "arm64", "" },    { "aarch64", NULL, "arm64", NULL },
	{ "armhf", NULL, "arm", "v7" },    { "armel", NULL, "arm", "v6" },
	{ "arm", "", "arm", "v7" },        { "arm", "7", "arm", "v7" },
	{ "arm", "5", "arm", "v5" },       { "arm", "6", "arm", "v6" },
	{ "arm", "8", "arm", "v8" },
};

struct normal {
	struct slice os, arch, variant; /* views into the platform or constants */
};

static struct normal normalise(struct slice os, struct slice arch, struct slice variant)
{
	struct normal n = { os, arch, variant };
	if (slice_eq_nocase(os, SL("macos")))
		n.os = SL("darwin");
	for (size_t i = 0; i < COUNT_OF(aliases); i++) {
		const struct alias *a = &aliases[i];
		if (!slice_eq_nocase(arch, slice_of(a->said)) ||
		    (a->said_variant && !slice_eq_nocase(variant, slice_of(a->said_variant))))
			continue;
		n.arch = slice_of(a->arch);
		if (a->variant)
			n.variant = slice_of(a->variant);
		break;
	}
	return n;
}

static char *lower_dup(struct slice s)
{
	char *copy = slice_dup(s);
	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static void set(struct platform *out, struct slice os, struct slice arch, struct slice variant)
{
	struct normal n = normalise(os, arch, variant);
	*out = (struct platform){ .os = lower_dup(n.os),
				  .arch = lower_dup(n.arch),
				  .variant = n.variant.n ? lower_dup(n.variant) : NULL };
}

static bool is_one_of(struct slice s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq_nocase(s, slice_of(names[i])))
			return true;
	return false;
}

static bool is_known_os(struct slice s)
{
	static const char *const names[] = { "linux",   "windows", "darwin",  "macos",
					     "freebsd", "netbsd",  "openbsd", "wasip1" };
	return is_one_of(s, names, COUNT_OF(names));
}

static bool is_known_arch(struct slice s)
{
	static const char *const names[] = { "386",     "amd64",   "arm",      "arm64",  "loong64",
					     "mips",    "mips64",  "mips64le", "mipsle", "ppc64",
					     "ppc64le", "riscv64", "s390x",    "wasm",   "x86_64",
					     "x86-64",  "aarch64", "armhf",    "armel",  "i386",
					     "i686" };
	return is_one_of(s, names, COUNT_OF(names));
}

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isascii((unsigned char)s.p[i]) ||
		    (!isalnum((unsigned char)s.p[i]) && !strchr("_.-", s.p[i])))
			return false;
	return s.n > 0 && s.n < 64;
}

int platform_parse(struct slice s, struct platform *out, struct err *e)
{
	struct slice rest = s, part[3] = { SL(""), SL(""), SL("") }, word;
	size_t n = 0;
	while (slice_split(&rest, '/', &word)) {
		if (n == 3 || !is_word(word)) {
			err_set(e, ERR_USER, "'%.*s' is not a platform", SLF(s));
			return err_hint(e, "write OS/ARCH or OS/ARCH/VARIANT, as linux/amd64 or "
					   "linux/arm/v7");
		}
		part[n++] = word;
	}

	if (n > 1)
		set(out, part[0], part[1], part[2]);
	else if (is_known_os(part[0]))
		set(out, part[0], SL(HOST_ARCH), slice_of(HOST_VARIANT));
	else if (is_known_arch(part[0]))
		set(out, SL("linux"), part[0], SL(""));
	else {
		err_set(e, ERR_USER, "'%.*s' is neither an operating system nor an architecture",
			SLF(s));
		return err_hint(e, "write OS/ARCH, as linux/amd64");
	}
	return 0;
}

void platform_host(struct platform *out)
{
	set(out, SL("linux"), SL(HOST_ARCH), slice_of(HOST_VARIANT));
}

char *platform_text(const struct platform *p)
{
	return str_printf("%s/%s%s%s", p->os ? p->os : "unknown", p->arch ? p->arch : "unknown",
			  p->variant && p->variant[0] ? "/" : "", p->variant ? p->variant : "");
}

bool platform_eq(const struct platform *a, const struct platform *b)
{
	struct normal x = normalise(slice_of(a->os), slice_of(a->arch), slice_of(a->variant));
	struct normal y = normalise(slice_of(b->os), slice_of(b->arch), slice_of(b->variant));
	return slice_eq_nocase(x.os, y.os) && slice_eq_nocase(x.arch, y.arch) &&
	       slice_eq_nocase(x.variant, y.variant);
}

bool platform_is_unknown(const struct platform *p)
{
	return slice_is(slice_of(p->os), "unknown") || slice_is(slice_of(p->arch), "unknown");
}

void platform_copy(struct platform *to, const struct platform *from)
{
	struct platform copy = { str_dup(from->os), str_dup(from->arch), str_dup(from->variant),
				 str_dup(from->os_version) };
	platform_done(to);
	*to = copy;
}
