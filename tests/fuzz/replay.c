/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay DIRECTORY: give a fuzz target each file of the kept corpus, without libFuzzer and under
 * any compiler. What goes wrong aborts.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its own size, so that a byte read beyond it is seen. */
static int give(const char *name)
{
	static uint8_t bytes[1 << 16];
	FILE *file = fopen(name, "rb");
	uint8_t *input;
	size_t size;

	if (!file)
		return -1;
	size = fread(bytes, 1, sizeof(bytes), file);
	if (ferror(file)) {
		fclose(file);
		return -1;
	}
	fclose(file);
	input = malloc(size ? size : 1);
	if (!input)
		return -1;
	memcpy(input, bytes, size);
	LLVMFuzzerTestOneInput(input, size);
	free(input);
	return 0;
}

int main(int argc, char **argv)
{
	const struct dirent *entry;
	unsigned int given = 0;
	DIR *directory;

	if (argc != 2 || chdir(argv[1]) || !(directory = opendir("."))) {
		fprintf(stderr, "replay: needs a directory of inputs\n");
		return 2;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		if (give(entry->d_name)) {
			perror(entry->d_name);
			return 1;
		}
		given++;
	}
	closedir(directory);
	printf("%u inputs\n", given);
	return !given;
}
