/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/identity.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void build_id_from_notes(const uint8_t *notes, size_t length, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	while (length - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr header;

		memcpy(&header, notes + at, sizeof(header));
		at += sizeof(header);

		uint64_t name_size = (header.n_namesz + 3ull) & ~3ull;
		uint64_t value_size = (header.n_descsz + 3ull) & ~3ull;

		if (name_size > length - at || value_size > length - at - name_size)
			return;
		if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
		    memcmp(notes + at, "GNU", 4) == 0 && 2ull * header.n_descsz < size) {
			for (size_t i = 0; i < header.n_descsz; i++)
				snprintf(text + 2 * i, 3, "%02x", notes[at + name_size + i]);
			return;
		}
		at += name_size + value_size;
	}
}

/* What a small file of the kernel's holds: bytes, 0 where it cannot be read. */
static size_t read_file(const char *path, void *data, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd >= 0) {
		got = read(fd, data, size);
		close(fd);
	}
	return got > 0 ? (size_t)got : 0;
}

void kernel_identify(struct kernel_identity *identity)
{
	uint8_t notes[4096];

	memset(identity, 0, sizeof(*identity));
	uname(&identity->name);
	read_file("/proc/version_signature", identity->signature, sizeof(identity->signature) - 1);
	build_id_from_notes(notes, read_file("/sys/kernel/notes", notes, sizeof(notes)),
			    identity->build_id, sizeof(identity->build_id));
}

/*
 * The first word of the text that is a version: "Debian 4.19.316-1" has 4.19.316, and "Debian
 * 1:6.6.62-1", with an epoch, 6.6.62.
 */
static uint32_t version_in(const char *text)
{
	unsigned long part[3] = {0};
	char *end = (char *)text + strcspn(text, "0123456789");
	size_t digits = strspn(end, "0123456789");

	if (end[digits] == ':')
		end += digits + 1;
	for (int i = 0; i < 3 && isdigit((unsigned char)*end); i++) {
		part[i] = strtoul(end, &end, 10);
		if (*end != '.')
			break;
		end++;
	}
	if (part[2] > 255)
		part[2] = 255;
	return (uint32_t)((part[0] & 65535) << 16 | (part[1] & 255) << 8 | part[2]);
}

uint32_t kernel_version_code(const struct kernel_identity *identity)
{
	const char *debian = strstr(identity->name.version, "Debian ");
	const char *ubuntu = strrchr(identity->signature, ' ');

	/* Their releases stay the same from patch to patch: "4.19.0-27-amd64", "4.15.0-20". */
	return version_in(debian ? debian : ubuntu ? ubuntu : identity->name.release);
}
