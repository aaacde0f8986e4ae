/* Arguments, environment, and the ways to end. The first argument says which. */
#include "suite.h"
#include <limits.h>
#include <sched.h>
#include <unistd.h>

static void first(void) { puts("ok atexit first = ran last"); }
static void second(void) { puts("ok atexit second = ran first"); }

static void leave(int depth, int status) {
    if (depth == 0) exit(status);
    volatile int next = depth - 1;
    leave(next, status);
    puts("FAIL returned = true, expected false");
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    int status = argc > 2 ? atoi(argv[2]) : 0;
    if (!strcmp(how, "exit")) {
        atexit(first);
        atexit(second);
        printf("ok before = exit\n");
        leave(20, status);
    }
    if (!strcmp(how, "_Exit")) {
        atexit(first);
        printf("lost, for nothing flushes it");
        write(1, "ok before = _Exit\n", 18);
        _Exit(status);
    }
    if (!strcmp(how, "return")) {
        atexit(first);
        return status;
    }
    if (!strcmp(how, "abort")) {
        write(1, "ok before = abort\n", 18);
        abort();
    }
    group("args");
    is("argc", num(argc), "4");
    is("name", str(argv[0]), "\"c_process\"");
    is("empty", str(argv[1]), "\"\"");
    is("with spaces", str(argv[2]), "\"two words\"");
    is("not ASCII", str(argv[3]), "\"\\xc3\\xa9\"");
    is("ends with", yes(argv[argc] == NULL), "true");
    group("env");
    is("one", str(getenv("A")), "\"1\"");
    is("empty", str(getenv("EMPTY")), "\"\"");
    is("with equals", str(getenv("B")), "\"x=y\"");
    is("missing", str(getenv("MISSING")), "NULL");
    is("setenv", err(setenv("NEW", "value", 1)), "ok");
    is("is there", str(getenv("NEW")), "\"value\"");
    is("unsetenv", err(unsetenv("A")), "ok");
    is("is gone", str(getenv("A")), "NULL");
    group("others");
    is("sched_yield", err(sched_yield()), "ok");
    is("page size", num(sysconf(_SC_PAGESIZE)), "65536");
    is("isatty", num(isatty(1)), "0");
    /* Used, lest the compiler leave the allocation out. */
    char *volatile much = malloc(50u << 20);
    is("malloc of 50 MiB", much ? num(much[49 << 20] = 7) : name_of(errno), "7");
    free(much);
    much = malloc(UINT_MAX - 100000);
    is("malloc of nearly everything", much ? "ok" : name_of(errno), "ENOMEM");
    return failed;
}
