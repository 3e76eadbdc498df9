/* SPDX-License-Identifier: MIT */
/*
 * The three CRCs as the model uses them (ISA-L where it has them) and by tables, against one bit at
 * a time: every length to 600, every alignment, every start value of a set, and with the last byte
 * before a page that cannot be read.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "model/checksum.h"
#include "trial.h"

static uint8_t *page_end; /* the byte here cannot be read */
static unsigned long cases, wrong;

static void note(bool good, const char *name, size_t len)
{
	cases++;
	if (!good && !wrong++)
		printf("# %s of %zu bytes\n", name, len);
}

static void compare(const uint8_t *data, size_t len, uint64_t start)
{
	uint64_t a = ref_reverse((uint32_t)start, 32), b = ref_reverse(start, 64),
		 c = (uint16_t)start;

	for (size_t i = 0; i < len; i++) {
		a = ref_crc_bits(a, 32, 0x1edc6f41, data[i], true);
		b = ref_crc_bits(b, 64, 0xad93d23594c93659, data[i], true);
		c = ref_crc_bits(c, 16, 0x8bb7, data[i], false);
	}
	a = ref_reverse(a, 32);
	b = ref_reverse(b, 64);
	note(model_crc32c((uint32_t)start, data, len) == a, "CRC-32C", len);
	note(model_crc32c_portable((uint32_t)start, data, len) == a, "CRC-32C by table", len);
	note(model_crc64(start, data, len) == b, "CRC-64", len);
	note(model_crc64_portable(start, data, len) == b, "CRC-64 by table", len);
	note(model_crc16_t10((uint16_t)start, data, len) == c, "T10", len);
	note(model_crc16_t10_portable((uint16_t)start, data, len) == c, "T10 by table", len);
}

/*
 * Check values of the catalogues of CRCs, of the tables and of what the model uses. The guards of
 * other texts are those of Linux's self-test of the same CRC; a device makes none of them, as its
 * blocks have 512 bytes and more.
 */
static void published(void)
{
	static const char check[] = "123456789";
	static const struct {
		const char *name, *text;
		uint16_t guard;
	} t10[] = {
		{"T10 check value", check, 0xd0db},
		{"T10 of abc", "abc", 0x443b},
		{"T10 of a row of d", "abcddddddddddddddddddddddddddddddddddddddddddddddddddddd",
		 0x9ce3},
	};

	is(~model_crc32c(UINT32_MAX, (const uint8_t *)check, 9) & UINT32_MAX, 0xe3069283,
	   "CRC-32C of the check string");
	is(~model_crc32c_portable(UINT32_MAX, (const uint8_t *)check, 9) & UINT32_MAX, 0xe3069283,
	   "CRC-32C of the check string, by table");
	is(~model_crc64(UINT64_MAX, (const uint8_t *)check, 9), 0xae8b14860a799888,
	   "CRC-64/NVMe of the check string");
	is(~model_crc64_portable(UINT64_MAX, (const uint8_t *)check, 9), 0xae8b14860a799888,
	   "CRC-64/NVMe of the check string, by table");
	for (size_t i = 0; i < sizeof(t10) / sizeof(t10[0]); i++) {
		subject("T10 DIF guard, %s", t10[i].name);
		is(model_crc16_t10(0, (const uint8_t *)t10[i].text, strlen(t10[i].text)),
		   t10[i].guard, "as the model computes it");
		is(model_crc16_t10_portable(0, (const uint8_t *)t10[i].text, strlen(t10[i].text)),
		   t10[i].guard, "computed by table");
	}
}

/* More bytes than an int can count: one piece of memory, mapped again and again. */
static void very_long(void)
{
	const size_t piece = 64u << 20, len = 1ull << 31;
	const int fd = memfd_create("bytes", 0);
	uint8_t *all =
		mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool mapped = fd >= 0 && all != MAP_FAILED && !ftruncate(fd, (off_t)piece);
	uint32_t halves;

	for (size_t at = 0; mapped && at < len; at += piece)
		mapped = mmap(all + at, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			      0) != MAP_FAILED;
	if (mapped) {
		memset(all, 0x5a, piece);
		halves = model_crc32c(model_crc32c(1, all, len / 2), all, len / 2);
		is(model_crc32c(1, all, len), halves, "CRC-32C of 2 GiB");
	} else {
		skip("CRC-32C of 2 GiB", "no room to map it");
	}
	if (all != MAP_FAILED)
		munmap(all, len);
	close(fd);
}

int main(void)
{
	static const uint64_t starts[] = { 0, UINT64_MAX, 0x0123456789abcdef };
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 4 * page;
	uint8_t *map =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t random = 7;
	uint8_t flip;

	if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE))
		skip_all("no memory with a page that cannot be read");
	page_end = map + room;
	for (size_t i = 0; i < room; i++)
		map[i] = (uint8_t)random_next(&random);

	for (size_t len = 0; len <= 600; len++)
		compare(page_end - len, len, starts[len % 3]);
	for (size_t align = 0; align < 64; align++) {
		for (size_t len = 0; len < 40; len++)
			compare(map + align, len * 13, starts[len % 3]);
	}
	for (size_t len = 1000; len < room; len += 911)
		compare(page_end - len, len, starts[len % 3]);
	if (!ok(!wrong, "%lu CRCs are as computed bit by bit, %lu are wrong", cases, wrong))
		return done();

	/* Negative control: one byte flipped. */
	wrong = 0;
	flip = page_end[-100];
	for (int i = 0; i < 6; i++) {
		uint32_t a = model_crc32c(0, page_end - 300, 300);
		uint64_t b = model_crc64(0, page_end - 300, 300);
		uint16_t c = model_crc16_t10(0, page_end - 300, 300);

		page_end[-100] ^= (uint8_t)(1 << i);
		wrong += (a == model_crc32c(0, page_end - 300, 300)) +
			 (b == model_crc64(0, page_end - 300, 300)) +
			 (c == model_crc16_t10(0, page_end - 300, 300));
		page_end[-100] = flip;
	}
	ok(!wrong, "control: a flipped bit changes each CRC");
	published();
	very_long();
	ok(cases, "no case differs from the reference, of %lu that were compared", cases);
	return done();
}
