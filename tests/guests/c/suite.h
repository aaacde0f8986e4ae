/* The named checks of one guest in C: the same lines as the guests in Rust print (tests/guests/src/suite.rs).
 *
 *     ok NAME = VALUE
 *     FAIL NAME = VALUE, expected WANTED
 *
 * These guests are about what a C library makes of WASI, end to end, so they call nothing but that library. */
#ifndef SUITE_H
#define SUITE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;
static char group_name[64];

/* Prefixes the names of the checks that follow. */
static inline void group(const char *name) {
    snprintf(group_name, sizeof group_name, "%s/", name);
}

/* One of a few buffers in turn, so that a check can show several values. */
static inline char *slot(void) {
    static char slots[8][512];
    static int next;
    return slots[next++ % 8];
}

static inline const char *num(long long value) {
    char *text = slot();
    snprintf(text, 512, "%lld", value);
    return text;
}

static inline const char *yes(bool value) { return value ? "true" : "false"; }

/* Bytes in quotes, as the guests in Rust show them. */
static inline const char *bytes(const void *data, size_t len) {
    const unsigned char *from = data;
    char *text = slot(), *to = text;
    *to++ = '"';
    for (size_t i = 0; i < len && to < text + 500; i++) {
        unsigned char c = from[i];
        if (c == '\n') to += sprintf(to, "\\n");
        else if (c == '\r') to += sprintf(to, "\\r");
        else if (c == '\t') to += sprintf(to, "\\t");
        else if (c == '"' || c == '\\' || c == '\'') to += sprintf(to, "\\%c", c);
        else if (c < 32 || c > 126) to += sprintf(to, "\\x%02x", c);
        else *to++ = (char)c;
    }
    *to++ = '"';
    *to = 0;
    return text;
}

static inline const char *str(const char *text) { return text ? bytes(text, strlen(text)) : "NULL"; }

/* The name of an errno. */
static inline const char *name_of(int error) {
    static const struct { int error; const char *name; } names[] = {
#define NAME(e) {e, #e}
        NAME(E2BIG), NAME(EACCES), NAME(EAGAIN), NAME(EBADF), NAME(EBUSY), NAME(EDOM), NAME(EEXIST), NAME(EFAULT),
        NAME(EFBIG), NAME(EILSEQ), NAME(EINTR), NAME(EINVAL), NAME(EIO), NAME(EISDIR), NAME(ELOOP), NAME(EMFILE),
        NAME(EMLINK), NAME(ENAMETOOLONG), NAME(ENFILE), NAME(ENODEV), NAME(ENOENT), NAME(ENOMEM), NAME(ENOSPC),
        NAME(ENOSYS), NAME(ENOTDIR), NAME(ENOTEMPTY), NAME(ENOTSOCK), NAME(ENOTSUP), NAME(ENOTTY), NAME(ENXIO),
        NAME(EOVERFLOW), NAME(EPERM), NAME(EPIPE), NAME(ERANGE), NAME(EROFS), NAME(ESPIPE), NAME(EXDEV),
        NAME(ENOTCAPABLE),
#undef NAME
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error) return names[i].name;
    return num(error);
}

/* `ok` for a call that did not return -1, else the errno's name. */
static inline const char *err(long long result) { return result == -1 ? name_of(errno) : "ok"; }

/* The result of a call, or the errno's name for -1. */
static inline const char *ret(long long result) { return result == -1 ? name_of(errno) : num(result); }

/* `want` may list several answers, separated by `|`. */
static inline void is(const char *name, const char *got, const char *want) {
    size_t len = strlen(got);
    for (const char *one = want; one; one = strchr(one, '|'), one += one != NULL) {
        if (strncmp(one, got, len) == 0 && (one[len] == '|' || one[len] == 0)) {
            printf("ok %s%s = %s\n", group_name, name, got);
            return;
        }
    }
    failed = 1;
    printf("FAIL %s%s = %s, expected %s\n", group_name, name, got, want);
}

/* Shows a value for comparison between hosts, with no expectation. */
static inline void note(const char *name, const char *got) { printf("ok %s%s = %s\n", group_name, name, got); }

/* A step that the following checks need. */
static inline void need(const char *name, bool done) {
    if (done) return;
    printf("FAIL %s%s = %s, expected ok\n", group_name, name, name_of(errno));
    exit(1);
}

/* Makes the file `path` with `text`. */
static inline void put(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    need(path, file && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* The content of the file `path`, in quotes. */
static inline const char *get(const char *path) {
    char content[200];
    FILE *file = fopen(path, "r");
    if (!file) return name_of(errno);
    size_t len = fread(content, 1, sizeof content, file);
    fclose(file);
    return bytes(content, len);
}

#endif
