/* SPDX-License-Identifier: MIT */
/*
 * What the operations must do, in byte loops that are written for being obviously right. It shares
 * nothing with the library or the model: constants stand here again, from the facts about the
 * device.
 */
#ifndef SVA_TESTS_UNIT_REFERENCE_H
#define SVA_TESTS_UNIT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The same numbers in every run. */
uint32_t ref_random(void);
uint32_t ref_below(uint32_t n);
void ref_random_bytes(uint8_t *to, size_t n);

/* Fill of n bytes with a pattern of width (8 or 16) bytes. */
void ref_fill(uint8_t *to, size_t n, const uint8_t *pattern, size_t width);

/*
 * CRC-32C; the two bypasses as the device has them. From seed 0 without bypasses it is the common
 * CRC-32C.
 */
uint32_t ref_crc32c(const uint8_t *from, size_t n, uint32_t seed, bool bypass_inversion,
		    bool bypass_reflection);
/* The 64-bit CRC of NVMe, likewise. */
uint64_t ref_crc64(const uint8_t *from, size_t n, uint64_t seed, bool bypass_inversion,
		   bool bypass_reflection);
/* The guard of T10 protection information. */
uint16_t ref_crc_t10(const uint8_t *from, size_t n, uint16_t seed);

/* Delta record of n bytes (a multiple of 8): its size. It has room for n / 8 * 10. */
size_t ref_create_delta(const uint8_t *old, const uint8_t *new, size_t n, uint8_t *record);

/* Protection information of one block: 8 bytes, big-endian. */
void ref_dif_tuple(uint8_t tuple[8], const uint8_t *block, size_t size, uint16_t guard_seed,
		   bool invert, uint16_t app, uint32_t ref);

#endif
