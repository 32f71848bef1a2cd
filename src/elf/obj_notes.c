/* SPDX-License-Identifier: Apache-2.0 */
/* Notes: gABI chapter 5, "Note Section". */
#include "elf/obj_in.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"

#define NOTE_DLOPEN      0x407c0c0au
#define NOTE_GO_BUILD_ID 4u

static void read_dlopen_note(struct slice text, struct obj *o)
{
	/* A malformed one is as none: no linker reads it. */
	_json_ json_t *list = js_parse(slice_trim(text), ".note.dlopen", NULL);
	size_t i;
	json_t *it;

	if (!json_is_array(list))
		return;
	json_array_foreach(list, i, it)
	{
		struct obj_dlopen d = { 0 };
		const char *feature = NULL, *priority = NULL, *description = NULL;

		if (o->dlopens.n >= OBJ_NAMES_MAX || !json_is_object(it))
			return;
		if (js_strs(it, "soname", &d.sonames, NULL) < 0 || d.sonames.n == 0) {
			strs_done(&d.sonames);
			continue;
		}
		if (js_str(it, "feature", &feature, NULL) < 0 ||
		    js_str(it, "priority", &priority, NULL) < 0 ||
		    js_str(it, "description", &description, NULL) < 0) {
			strs_done(&d.sonames);
			continue;
		}
		d.feature = str_dup(feature);
		d.priority = str_dup(priority);
		d.description = str_dup(description);
		arr_push(&o->dlopens, d);
	}
}

static void read_properties(struct slice desc, struct obj *o)
{
	size_t align = o->is64 ? 8 : 4;

	if (o->machine != EM_X86_64 && o->machine != EM_386)
		return;
	for (size_t at = 0; desc.n - at >= 8;) {
		uint32_t type = obj_word(o, desc.p + at), n = obj_word(o, desc.p + at + 4);
		at += 8;
		if (n > desc.n - at)
			return;
		if (type == GNU_PROPERTY_X86_ISA_1_NEEDED && n >= 4)
			o->x86_isa |= obj_word(o, desc.p + at);
		size_t step = ((size_t)n + align - 1) & ~(align - 1);
		if (step > desc.n - at)
			return;
		at += step;
	}
}

static void set_build_id(struct slice desc, struct obj *o)
{
	_cleanup_(buf_done) struct buf hex = { 0 };

	if (desc.n == 0 || desc.n > 64)
		return;
	for (size_t i = 0; i < desc.n; i++)
		buf_printf(&hex, "%02x", (unsigned char)desc.p[i]);
	str_set(&o->build_id, buf_take(&hex));
}

static void read_note(struct slice name, uint32_t type, struct slice desc, struct obj *o)
{
	if (slice_eq(name, (struct slice){ "GNU", 4 })) {
		if (type == NT_GNU_ABI_TAG && desc.n >= 16) {
			o->has_abi = true;
			for (int i = 0; i < 4; i++)
				o->abi[i] = obj_word(o, desc.p + 4 * i);
		} else if (type == NT_GNU_BUILD_ID) {
			set_build_id(desc, o);
		} else if (type == NT_GNU_PROPERTY_TYPE_0) {
			read_properties(desc, o);
		}
	} else if (slice_eq(name, (struct slice){ "FDO", 4 }) && type == NOTE_DLOPEN) {
		while (desc.n > 0 && desc.p[desc.n - 1] == 0)
			desc.n--;
		read_dlopen_note(desc, o);
	} else if (slice_eq(name, (struct slice){ "Go\0", 4 }) && type == NOTE_GO_BUILD_ID) {
		o->is_go = true;
	}
}

/* Rounds up to the note's alignment; -1 if that is behind n. */
static int note_align(size_t at, size_t align, size_t n, size_t *out)
{
	size_t up = (at + align - 1) & ~(align - 1);

	if (up > n)
		return -1;
	*out = up;
	return 0;
}

static void read_note_segment(struct slice s, size_t align, struct obj *o)
{
	for (size_t at = 0; s.n - at >= 12;) {
		uint32_t name_n = obj_word(o, s.p + at), desc_n = obj_word(o, s.p + at + 4);
		uint32_t type = obj_word(o, s.p + at + 8);
		struct slice name, desc;

		at += 12;
		if (name_n > s.n - at)
			return;
		name = (struct slice){ s.p + at, name_n };
		if (note_align(at + name_n, align, s.n, &at) < 0 || desc_n > s.n - at)
			return;
		desc = (struct slice){ s.p + at, desc_n };
		read_note(name, type, desc, o);
		if (note_align(at + desc_n, align, s.n, &at) < 0)
			return;
	}
}

int obj_read_notes(const struct obj_bytes *b, struct obj *o, struct err *e)
{
	size_t left = OBJ_NOTES_MAX;

	arr_each(s, &o->segments) {
		uint64_t end;
		if (s->type != PT_NOTE || s->filesz > left || ckd_add(&end, s->offset, s->filesz) ||
		    end > b->size)
			continue;
		left -= (size_t)s->filesz;
		_free_ char *raw = mem_alloc((size_t)s->filesz);
		if (obj_fetch(b, s->offset, raw, (size_t)s->filesz, "a note", e) < 0)
			return -1;
		read_note_segment((struct slice){ raw, (size_t)s->filesz }, s->align == 8 ? 8 : 4,
				  o);
	}
	return 0;
}
