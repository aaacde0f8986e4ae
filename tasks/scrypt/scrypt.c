// A function task: writes scrypt(N = 1024, r = 1, p = 1) of input.txt, in hexadecimal, to output.txt. The input, padded
// with zeros to 80 bytes, is both password and salt: the proof of work of Litecoin and Dogecoin, whose block headers
// have that size.
//
// The four steps are from RFC 7914: PBKDF2 makes a block of 128 bytes, ROMix stirs it with N memories of itself, and
// PBKDF2 makes the result from that. Below them are SHA-256 (FIPS 180-4) and HMAC.

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PASSWORD_BYTES = 80, BLOCK_BYTES = 128, BLOCK_WORDS = BLOCK_BYTES / 4, COST = 1024, RESULT_BYTES = 32 };

// SHA-256

struct sha256 {
    uint32_t state[8];
    uint8_t block[64];
    uint64_t length;
};

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_left(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

static uint32_t rotate_right(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static uint32_t load_big(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void store_big(uint8_t *at, uint32_t word) {
    for (int i = 0; i < 4; i++) at[i] = word >> (24 - 8 * i);
}

static void sha256_block(uint32_t state[8], const uint8_t block[64]) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) w[i] = load_big(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t v[8];
    memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t one = v[7] + s1 + choice + round_constants[i] + w[i];
        uint32_t s0 = rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + s0 + majority;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

static void sha256_start(struct sha256 *hash) {
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, start, sizeof start);
    hash->length = 0;
}

static void sha256_add(struct sha256 *hash, const void *data, size_t length) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++) {
        hash->block[hash->length++ % 64] = bytes[i];
        if (hash->length % 64 == 0) sha256_block(hash->state, hash->block);
    }
}

static void sha256_finish(struct sha256 *hash, uint8_t digest[32]) {
    uint64_t bits = hash->length * 8;
    sha256_add(hash, "\x80", 1);
    while (hash->length % 64 != 56) sha256_add(hash, "", 1);
    uint8_t length[8];
    store_big(length, bits >> 32);
    store_big(length + 4, bits);
    sha256_add(hash, length, 8);
    for (int i = 0; i < 8; i++) store_big(digest + 4 * i, hash->state[i]);
}

// HMAC and PBKDF2

struct hmac {
    struct sha256 inner, outer;
};

static void hmac_start(struct hmac *mac, const uint8_t *key, size_t length) {
    uint8_t padded[64] = {0};
    if (length <= sizeof padded) {
        memcpy(padded, key, length);
    } else {
        struct sha256 hash;
        sha256_start(&hash);
        sha256_add(&hash, key, length);
        sha256_finish(&hash, padded);
    }
    for (int i = 0; i < 64; i++) padded[i] ^= 0x36;
    sha256_start(&mac->inner);
    sha256_add(&mac->inner, padded, sizeof padded);
    for (int i = 0; i < 64; i++) padded[i] ^= 0x36 ^ 0x5c;
    sha256_start(&mac->outer);
    sha256_add(&mac->outer, padded, sizeof padded);
}

static void hmac_finish(struct hmac *mac, uint8_t digest[32]) {
    sha256_finish(&mac->inner, digest);
    sha256_add(&mac->outer, digest, 32);
    sha256_finish(&mac->outer, digest);
}

/// With one iteration, which is all that scrypt asks for.
static void pbkdf2(const uint8_t *password, size_t password_length, const void *salt, size_t salt_length, uint8_t *out,
                   size_t length) {
    for (uint32_t index = 1; length > 0; index++) {
        struct hmac mac;
        uint8_t number[4], digest[32];
        store_big(number, index);
        hmac_start(&mac, password, password_length);
        sha256_add(&mac.inner, salt, salt_length);
        sha256_add(&mac.inner, number, sizeof number);
        hmac_finish(&mac, digest);
        size_t part = length < sizeof digest ? length : sizeof digest;
        memcpy(out, digest, part);
        out += part;
        length -= part;
    }
}

// scrypt

/// One half of a block: the Salsa20 core with 8 rounds, on 16 words.
static void salsa20_8(uint32_t x[16]) {
    static const uint8_t quarters[8][4] = {{0, 4, 8, 12}, {5, 9, 13, 1}, {10, 14, 2, 6}, {15, 3, 7, 11},
                                           {0, 1, 2, 3},  {5, 6, 7, 4},  {10, 11, 8, 9}, {15, 12, 13, 14}};
    uint32_t z[16];
    memcpy(z, x, sizeof z);
    for (int round = 0; round < 8; round += 2) {
        for (int i = 0; i < 8; i++) {
            const uint8_t *q = quarters[i];
            z[q[1]] ^= rotate_left(z[q[0]] + z[q[3]], 7);
            z[q[2]] ^= rotate_left(z[q[1]] + z[q[0]], 9);
            z[q[3]] ^= rotate_left(z[q[2]] + z[q[1]], 13);
            z[q[0]] ^= rotate_left(z[q[3]] + z[q[2]], 18);
        }
    }
    for (int i = 0; i < 16; i++) x[i] += z[i];
}

/// Mixes the two halves of a block; with r = 1 they stay in order.
static void block_mix(uint32_t block[BLOCK_WORDS]) {
    uint32_t *first = block, *second = block + 16;
    for (int i = 0; i < 16; i++) first[i] ^= second[i];
    salsa20_8(first);
    for (int i = 0; i < 16; i++) second[i] ^= first[i];
    salsa20_8(second);
}

/// What costs memory: the block's whole history is kept, and then read in an order that only the block knows.
static void ro_mix(uint32_t block[BLOCK_WORDS]) {
    static uint32_t history[COST][BLOCK_WORDS];
    for (int i = 0; i < COST; i++) {
        memcpy(history[i], block, BLOCK_BYTES);
        block_mix(block);
    }
    for (int i = 0; i < COST; i++) {
        const uint32_t *past = history[block[16] % COST];
        for (int j = 0; j < BLOCK_WORDS; j++) block[j] ^= past[j];
        block_mix(block);
    }
}

static void scrypt(const uint8_t password[PASSWORD_BYTES], uint8_t result[RESULT_BYTES]) {
    // WebAssembly is little-endian, and so are scrypt's words.
    union {
        uint32_t words[BLOCK_WORDS];
        uint8_t bytes[BLOCK_BYTES];
    } block;
    pbkdf2(password, PASSWORD_BYTES, password, PASSWORD_BYTES, block.bytes, BLOCK_BYTES);
    ro_mix(block.words);
    pbkdf2(password, PASSWORD_BYTES, block.bytes, BLOCK_BYTES, result, RESULT_BYTES);
}

// Files

static int fail(const char *what) {
    fprintf(stderr, "scrypt: cannot %s: %s\n", what, strerror(errno));
    return 1;
}

int main(void) {
    FILE *input = fopen("input.txt", "rb");
    if (!input) return fail("read input.txt");
    // One byte more than fits, to notice it.
    uint8_t password[PASSWORD_BYTES + 1] = {0};
    size_t length = fread(password, 1, sizeof password, input);
    if (ferror(input)) return fail("read input.txt");
    fclose(input);
    if (length > PASSWORD_BYTES) {
        fprintf(stderr, "scrypt: input.txt has more than %d bytes\n", PASSWORD_BYTES);
        return 1;
    }

    uint8_t result[RESULT_BYTES];
    scrypt(password, result);

    FILE *output = fopen("output.txt", "wb");
    if (!output) return fail("write output.txt");
    for (int i = 0; i < RESULT_BYTES; i++) fprintf(output, "%02x", result[i]);
    return fclose(output) == 0 ? 0 : fail("write output.txt");
}
