/* SPDX-License-Identifier: MIT */
/*
 * The CRCs of the model, as plain shift registers: no inversion at either end. The two reflected
 * ones (CRC-32C, CRC-64/NVMe) take the lowest bit of each byte first, and their register is the bit
 * reversal of the textbook's; T10 takes the highest.
 */
#ifndef SVA_MODEL_CHECKSUM_H
#define SVA_MODEL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t model_crc32c(uint32_t reg, const uint8_t *bytes, size_t len);
uint64_t model_crc64(uint64_t reg, const uint8_t *bytes, size_t len);
uint16_t model_crc16_t10(uint16_t reg, const uint8_t *bytes, size_t len);
/* That of what is copied on the way; the buffers do not overlap. */
uint16_t model_copy_crc16_t10(uint16_t reg, uint8_t *to, const uint8_t *from, size_t len);

/* The same by tables, wherever the model runs. */
uint32_t model_crc32c_portable(uint32_t reg, const uint8_t *bytes, size_t len);
uint64_t model_crc64_portable(uint64_t reg, const uint8_t *bytes, size_t len);
uint16_t model_crc16_t10_portable(uint16_t reg, const uint8_t *bytes, size_t len);

#endif
