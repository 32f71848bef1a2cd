/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dlib.h"

#include <dlfcn.h>
#include <string.h>

#include "base/err.h"

#ifdef DLIB_LINKED
int dlib_open(const char *soname, const char *package, const struct dlib_fn *fns, size_t n,
	      struct err *e)
{
	(void)soname, (void)package, (void)e;
	for (size_t i = 0; i < n; i++)
		memcpy(fns[i].slot, &fns[i].linked, sizeof(void *));
	return 0;
}
#else
int dlib_open(const char *soname, const char *package, const struct dlib_fn *fns, size_t n,
	      struct err *e)
{
	void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		const char *why = dlerror();
		err_set(e, ERR_ABSENT, "the library %s cannot be opened: %s", soname,
			why ? why : "no reason was given");
		return err_hint(e, "install the package %s (Debian's name)", package);
	}
	for (size_t i = 0; i < n; i++) {
		void *fn = dlsym(lib, fns[i].name);
		if (!fn) {
			err_set(e, ERR_DATA, "the library %s has no function %s", soname,
				fns[i].name);
			return err_hint(e, "it is too old: install a newer %s", package);
		}
		memcpy(fns[i].slot, &fn, sizeof fn);
	}
	return 0;
}
#endif
