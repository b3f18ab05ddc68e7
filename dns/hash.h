/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_HASH_H
#define TCPCONNECT_DNS_HASH_H

/*
 * Internal to the room: the keyed hash of an IPv4 or IPv6 address, or of a name.
 *
 * Servers choose both, so the hash must not be one that they can work out.
 * Each step multiplies two 64-bit numbers, both mixed with secret ones, and folds
 * the 128-bit product. That is no cryptographic function: it would not stand if its
 * values could be seen. They never leave the process, and it costs a tenth of one
 * that would, which is what lets several look-ups wait for memory at the same time.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
	uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
	uint64_t other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);

	low = other << 32 | (low & UINT32_MAX);
	return low ^ ((a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32));
#endif
}

/* length: 4 or 16, in memory of 16 bytes. Words are read in the machine's byte order. */
static inline uint32_t hash_address(const uint64_t key[2], const uint8_t *address, size_t length)
{
	uint64_t words[2] = {0, length};

	if (length == 16)
		memcpy(words, address, 16);
	else
		memcpy(words, address, 4);
	words[0] = hash_fold(words[0] ^ key[0], words[1] ^ key[1]);
	return (uint32_t)hash_fold(words[0] ^ key[1], key[0] | 1);
}

#define HASH_CASE 0x2020202020202020 /* the bits that tell upper from lower case */

/* Of a name as in struct dns_name. The same for all that dns_name_equal() takes for one name. */
static inline uint32_t hash_name(const uint64_t key[2], const uint8_t *wire, size_t length)
{
	uint64_t state = key[0] ^ length;

	for (size_t at = 0; at < length; at += 8) {
		uint64_t word = 0;

		if (length - at >= 8)
			memcpy(&word, wire + at, 8);
		else
			memcpy(&word, wire + at, length - at);
		state = hash_fold((word | HASH_CASE) ^ state, key[1] | 1);
	}
	return (uint32_t)hash_fold(state ^ key[1], key[0] | 1);
}

#endif
