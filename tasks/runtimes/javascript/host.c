// Runs a JavaScript program as a task: QuickJS, and this file between it and WASI.
//
// What a program sees (`readFile`, `console`, `stdin` …) is written in JavaScript, in prelude.js; it gets the few
// functions below that touch the system. This file also runs the program: module, jobs, timers, exit code.

#include "quickjs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/// The program that runs if no argument names one: a function task has no arguments of its own.
#define DEFAULT_PROGRAM "/task.js"

/// How deep JavaScript may nest, in bytes of the value stack: about 1,600 calls of a simple function, and then a
/// RangeError. The browser's own compiler needs a little more of its native stack, of which it has about a megabyte;
/// what nests in it without nesting much here (as a deep JSON text) runs on the interpreter instead.
#define STACK_BYTES (512 * 1024)

// In engine.c.
void bound_stack(JSRuntime *rt, size_t bytes);

static const char prelude_source[] = {
#embed "prelude.js"
    , 0};

/// What prelude.js returns: functions that this file calls.
static JSValue prelude = JS_UNDEFINED;

// Errors and bytes

/// An Error with `code` (such as ENOENT), as Node.js has it.
static JSValue fail(JSContext *ctx, const char *what, const char *path) {
    static const struct {
        int number;
        const char *code;
    } codes[] = {{EACCES, "EACCES"},   {EEXIST, "EEXIST"}, {EINVAL, "EINVAL"},       {EISDIR, "EISDIR"},
                 {ENOENT, "ENOENT"},   {ENOSPC, "ENOSPC"}, {ENOTDIR, "ENOTDIR"},     {ENOTEMPTY, "ENOTEMPTY"},
                 {ENOTCAPABLE, "EPERM"}, {EPERM, "EPERM"},   {EROFS, "EROFS"}};
    int number = errno;
    JSValue error = JS_NewPlainError(ctx, "cannot %s %s: %s", what, path, strerror(number));
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].number == number) {
            JS_SetPropertyStr(ctx, error, "code", JS_NewString(ctx, codes[i].code));
        }
    }
    return JS_Throw(ctx, error);
}

/// What QuickJS asks of an ArrayBuffer's owner: size 0 frees it.
static void *resize_buffer(JSRuntime *rt, void *opaque, void *data, size_t size) {
    (void)rt, (void)opaque;
    if (size > 0) return realloc(data, size);
    free(data);
    return NULL;
}

/// Bytes that grow while something is read.
struct bytes {
    uint8_t *data;
    size_t length, capacity;
};

/// Reads from a descriptor until `most` bytes are there or it ends; -1 with errno set if it fails.
static int read_some(int fd, size_t most, struct bytes *into) {
    while (into->length < most) {
        if (into->length == into->capacity) {
            size_t capacity = into->capacity ? 2 * into->capacity : 4096;
            uint8_t *data = realloc(into->data, capacity);
            if (!data) return -1;
            into->data = data;
            into->capacity = capacity;
        }
        size_t room = into->capacity - into->length;
        size_t wanted = most - into->length;
        ssize_t got = read(fd, into->data + into->length, room < wanted ? room : wanted);
        if (got < 0) return -1;
        if (got == 0) break;
        into->length += got;
    }
    return 0;
}

static int write_all(int fd, const uint8_t *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0) return -1;
        data += written;
        length -= written;
    }
    return 0;
}

/// All of a file, with a zero behind it that `length` does not count; no data if it fails.
static struct bytes load(const char *path) {
    struct bytes content = {0};
    int fd = open(path, O_RDONLY);
    if (fd < 0) return content;
    bool good = read_some(fd, SIZE_MAX, &content) == 0;
    int number = errno;
    close(fd);
    uint8_t *data = good ? realloc(content.data, content.length + 1) : NULL;
    if (!data) {
        free(content.data);
        errno = good ? ENOMEM : number;
        return (struct bytes){0};
    }
    data[content.length] = 0;
    return (struct bytes){data, content.length, content.length + 1};
}

// The functions that prelude.js gets

/// read(path): all of a file, as an ArrayBuffer.
static JSValue host_read(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    struct bytes content = load(path);
    JSValue result = content.data
                         ? JS_NewArrayBuffer(ctx, content.data, content.length, 0, resize_buffer, NULL, false)
                         : fail(ctx, "read", path);
    JS_FreeCString(ctx, path);
    return result;
}

/// write(path, buffer, append): makes a file, or adds to it.
static JSValue host_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t length;
    const uint8_t *data = JS_GetArrayBuffer(ctx, &length, argv[1]);
    if (!data && length) return JS_EXCEPTION;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    int how = JS_ToBool(ctx, argv[2]) ? O_APPEND : O_TRUNC;
    int fd = open(path, O_WRONLY | O_CREAT | how, 0666);
    bool good = fd >= 0 && write_all(fd, data, length) == 0;
    int number = errno;
    if (fd >= 0) close(fd);
    errno = number;
    JSValue result = good ? JS_UNDEFINED : fail(ctx, "write", path);
    JS_FreeCString(ctx, path);
    return result;
}

/// put(descriptor, buffer): writes to standard output or error.
static JSValue host_put(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    int32_t fd;
    size_t length;
    if (JS_ToInt32(ctx, &fd, argv[0])) return JS_EXCEPTION;
    const uint8_t *data = JS_GetArrayBuffer(ctx, &length, argv[1]);
    if (!data && length) return JS_EXCEPTION;
    return write_all(fd, data, length) == 0 ? JS_UNDEFINED : fail(ctx, "write", fd == 1 ? "stdout" : "stderr");
}

/// get(): what is there of standard input, waiting for it if need be; an empty buffer at its end.
static JSValue host_get(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc, (void)argv;
    uint8_t piece[4096];
    ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
    return got < 0 ? fail(ctx, "read", "stdin") : JS_NewArrayBufferCopy(ctx, piece, got);
}

/// list(path): the names in a directory.
static JSValue host_list(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    DIR *directory = opendir(path);
    JSValue names = directory ? JS_NewArray(ctx) : fail(ctx, "list", path);
    uint32_t count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        JS_SetPropertyUint32(ctx, names, count++, JS_NewString(ctx, entry->d_name));
    }
    if (directory) closedir(directory);
    JS_FreeCString(ctx, path);
    return names;
}

/// remove(path): a file or an empty directory.
static JSValue host_remove(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue result = remove(path) == 0 ? JS_UNDEFINED : fail(ctx, "remove", path);
    JS_FreeCString(ctx, path);
    return result;
}

/// mkdir(path)
static JSValue host_mkdir(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue result = mkdir(path, 0777) == 0 ? JS_UNDEFINED : fail(ctx, "make the directory", path);
    JS_FreeCString(ctx, path);
    return result;
}

/// stat(path): "file", "directory" or "other"; nothing if there is none.
static JSValue host_stat(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    struct stat found;
    bool there = stat(path, &found) == 0;
    JS_FreeCString(ctx, path);
    if (!there) return JS_NULL;
    return JS_NewString(ctx, S_ISREG(found.st_mode) ? "file" : S_ISDIR(found.st_mode) ? "directory" : "other");
}

/// encode(text): its UTF-8 as an ArrayBuffer.
static JSValue host_encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t length;
    const char *text = JS_ToCStringLen(ctx, &length, argv[0]);
    if (!text) return JS_EXCEPTION;
    JSValue buffer = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, length);
    JS_FreeCString(ctx, text);
    return buffer;
}

/// decode(buffer, start, end): the text whose UTF-8 it holds there.
static JSValue host_decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t length;
    uint32_t start, end;
    const uint8_t *data = JS_GetArrayBuffer(ctx, &length, argv[0]);
    if (!data && length) return JS_EXCEPTION;
    if (JS_ToUint32(ctx, &start, argv[1]) || JS_ToUint32(ctx, &end, argv[2])) return JS_EXCEPTION;
    if (start > end || end > length) return JS_ThrowRangeError(ctx, "no such bytes");
    return JS_NewStringLen(ctx, (const char *)data + start, end - start);
}

/// random(): from 0 up to 1, from the 53 random bits that a double can hold.
static JSValue host_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc, (void)argv;
    uint64_t bits;
    if (getentropy(&bits, sizeof bits) != 0) return fail(ctx, "get", "random bytes");
    return JS_NewFloat64(ctx, (double)(bits >> 11) * 0x1p-53);
}

/// now(): the monotonic clock, in milliseconds.
static JSValue host_now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc, (void)argv;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return JS_NewFloat64(ctx, now.tv_sec * 1e3 + now.tv_nsec / 1e6);
}

/// sleep(milliseconds)
static JSValue host_sleep(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    double milliseconds;
    if (JS_ToFloat64(ctx, &milliseconds, argv[0])) return JS_EXCEPTION;
    if (!(milliseconds > 0)) return JS_UNDEFINED;
    struct timespec time = {.tv_sec = milliseconds / 1e3};
    time.tv_nsec = (milliseconds - time.tv_sec * 1e3) * 1e6;
    nanosleep(&time, NULL);
    return JS_UNDEFINED;
}

/// exit(code)
static JSValue host_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    int32_t code;
    if (JS_ToInt32(ctx, &code, argv[0])) return JS_EXCEPTION;
    exit(code);
}

static const JSCFunctionListEntry host_functions[] = {
    JS_CFUNC_DEF("read", 1, host_read),     JS_CFUNC_DEF("write", 3, host_write),   JS_CFUNC_DEF("put", 2, host_put),
    JS_CFUNC_DEF("get", 0, host_get),       JS_CFUNC_DEF("list", 1, host_list),     JS_CFUNC_DEF("remove", 1, host_remove),
    JS_CFUNC_DEF("mkdir", 1, host_mkdir),   JS_CFUNC_DEF("stat", 1, host_stat),     JS_CFUNC_DEF("encode", 1, host_encode),
    JS_CFUNC_DEF("decode", 3, host_decode), JS_CFUNC_DEF("random", 0, host_random), JS_CFUNC_DEF("now", 0, host_now),
    JS_CFUNC_DEF("sleep", 1, host_sleep),   JS_CFUNC_DEF("exit", 1, host_exit),
};

// Running

/// Calls a function of the prelude; it reports what is thrown in it, if it can.
static JSValue call_prelude(JSContext *ctx, const char *name, int argc, JSValueConst *argv) {
    JSValue function = JS_GetPropertyStr(ctx, prelude, name);
    JSValue result = JS_Call(ctx, function, JS_UNDEFINED, argc, argv);
    JS_FreeValue(ctx, function);
    return result;
}

/// Reports an exception on standard error and ends the program.
static _Noreturn void die(JSContext *ctx, JSValue error) {
    JSValue told = call_prelude(ctx, "report", 1, (JSValueConst[]){error});
    // Telling can itself run out of memory.
    if (JS_IsException(told)) fputs("error: an exception that cannot be shown, perhaps for want of memory\n", stderr);
    exit(1);
}

static void reject(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque) {
    (void)opaque;
    JS_FreeValue(ctx, call_prelude(ctx, handled ? "handled" : "unhandled", 2, (JSValueConst[]){promise, reason}));
}

/// Other modules: `import { f } from "./f.js"`, by their paths.
static JSModuleDef *load_module(JSContext *ctx, const char *path, void *opaque) {
    (void)opaque;
    struct bytes source = load(path);
    if (!source.data) {
        fail(ctx, "import", path);
        return NULL;
    }
    JSValue module =
        JS_Eval(ctx, (char *)source.data, source.length, path, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    free(source.data);
    if (JS_IsException(module)) return NULL;
    JSModuleDef *definition = JS_VALUE_GET_PTR(module);
    // The context keeps the module.
    JS_FreeValue(ctx, module);
    return definition;
}

/// Reactions to promises, until there are no more.
static void run_jobs(JSContext *ctx) {
    JSContext *of;
    for (int more = 1; more != 0;) {
        more = JS_ExecutePendingJob(JS_GetRuntime(ctx), &of);
        if (more < 0) die(ctx, JS_GetException(of));
    }
    JSValue done = call_prelude(ctx, "afterJobs", 0, NULL);
    if (JS_IsException(done)) die(ctx, JS_GetException(ctx));
}

static void start_prelude(JSContext *ctx, int argc, char **argv) {
    JSValue host = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, host, host_functions, sizeof host_functions / sizeof *host_functions);
    JSValue args = JS_NewArray(ctx);
    for (int i = 2; i < argc; i++) JS_SetPropertyUint32(ctx, args, i - 2, JS_NewString(ctx, argv[i]));
    JSValue env = JS_NewArray(ctx);
    extern char **environ;
    for (uint32_t i = 0; environ[i]; i++) JS_SetPropertyUint32(ctx, env, i, JS_NewString(ctx, environ[i]));

    JSValue make = JS_Eval(ctx, prelude_source, sizeof prelude_source - 1, "<prelude>", JS_EVAL_TYPE_GLOBAL);
    prelude = JS_Call(ctx, make, JS_UNDEFINED, 3, (JSValueConst[]){host, args, env});
    if (JS_IsException(prelude)) {
        JSValue error = JS_GetException(ctx);
        fprintf(stderr, "error in the prelude: %s\n", JS_ToCString(ctx, error));
        exit(1);
    }
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : DEFAULT_PROGRAM;
    JSRuntime *rt = JS_NewRuntime();
    bound_stack(rt, STACK_BYTES);
    JSContext *ctx = JS_NewContext(rt);
    start_prelude(ctx, argc, argv);
    JS_SetHostPromiseRejectionTracker(rt, reject, NULL);
    JS_SetModuleLoaderFunc(rt, NULL, load_module, NULL);

    struct bytes source = load(path);
    if (!source.data) {
        fprintf(stderr, "cannot read the program %s: %s\n", path, strerror(errno));
        return 2;
    }
    JSValue end = JS_Eval(ctx, (char *)source.data, source.length, path, JS_EVAL_TYPE_MODULE);
    if (JS_IsException(end)) die(ctx, JS_GetException(ctx));
    JS_PromiseMarkAsHandled(ctx, end);
    run_jobs(ctx);
    // A rejected module ends the program before its timers run.
    for (bool more = true; more && JS_PromiseState(ctx, end) != JS_PROMISE_REJECTED;) {
        JSValue ran = call_prelude(ctx, "nextTimer", 0, NULL);
        if (JS_IsException(ran)) die(ctx, JS_GetException(ctx));
        more = JS_ToBool(ctx, ran);
        run_jobs(ctx);
    }
    switch (JS_PromiseState(ctx, end)) {
    case JS_PROMISE_REJECTED:
        die(ctx, JS_PromiseResult(ctx, end));
    case JS_PROMISE_PENDING:
        fprintf(stderr, "%s: an `await` waits for something that never comes\n", path);
        return 1;
    default:
        // Freeing everything first would only take steps.
        return 0;
    }
}
