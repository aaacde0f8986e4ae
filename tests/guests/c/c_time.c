/* Clocks, sleeping, and waiting: clock_gettime, nanosleep, poll, select. The test gives `input\n` on stdin. */
#include "suite.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static bool later(struct timespec a, struct timespec b) {
    return b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec);
}

static void clocks(void) {
    group("clocks");
    struct timespec a, b, resolution;
    is("realtime", err(clock_gettime(CLOCK_REALTIME, &a)), "ok");
    is("not before 1970", yes(a.tv_sec >= 0 && a.tv_nsec >= 0 && a.tv_nsec < 1000000000), "true");
    is("monotonic", err(clock_gettime(CLOCK_MONOTONIC, &a)), "ok");
    clock_gettime(CLOCK_MONOTONIC, &b);
    is("never back", yes(later(a, b)), "true");
    is("resolution", err(clock_getres(CLOCK_MONOTONIC, &resolution)), "ok");
    is("it is something", yes(resolution.tv_sec > 0 || resolution.tv_nsec > 0), "true");
    struct timeval now;
    is("gettimeofday", err(gettimeofday(&now, NULL)), "ok");
    time_t seconds = time(NULL);
    is("time agrees", yes(seconds >= now.tv_sec && seconds - now.tv_sec < 60), "true");
    struct tm *parts = gmtime(&(time_t){951782400});
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", parts);
    is("gmtime", text, "2000-02-29T00:00:00");
    is("mktime", num(mktime(parts)), "951782400");
}

static void sleeping(void) {
    group("sleeping");
    struct timespec a, b, ms = {0, 1000000}, bad = {0, -1};
    clock_gettime(CLOCK_MONOTONIC, &a);
    is("nanosleep", err(nanosleep(&ms, NULL)), "ok");
    is("clock_nanosleep", num(clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL)), "0");
    is("to a time in the past", num(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL)), "0");
    is("usleep", err(usleep(1)), "ok");
    is("sleep", num(sleep(0)), "0");
    clock_gettime(CLOCK_MONOTONIC, &b);
    is("never back", yes(later(a, b)), "true");
    is("negative", err(nanosleep(&bad, NULL)), "EINVAL");
}

static void polling(void) {
    group("poll");
    int file = open("file", O_RDWR | O_CREAT, 0600);
    need("open", write(file, "12345", 5) == 5);
    struct pollfd one = {.fd = file, .events = POLLIN | POLLOUT};
    is("file", num(poll(&one, 1, -1)), "1");
    is("file is ready", yes(one.revents == (POLLIN | POLLOUT)), "true");
    struct pollfd out = {.fd = 1, .events = POLLOUT};
    is("stdout", num(poll(&out, 1, 1000)), "1");
    is("stdout is ready", yes(out.revents & POLLOUT), "true");
    is("nothing but time", num(poll(NULL, 0, 1)), "0");
    struct pollfd closed = {.fd = 4000, .events = POLLIN};
    // As on wasmtime: the call fails, where POSIX would mark the descriptor (POLLNVAL).
    is("no such descriptor", ret(poll(&closed, 1, 0)), "EBADF");
    struct pollfd in = {.fd = 0, .events = POLLIN};
    is("stdin", num(poll(&in, 1, -1)), "1");
    is("stdin is ready", yes(in.revents & POLLIN), "true");

    group("select");
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(0, &readable);
    FD_SET(file, &readable);
    FD_SET(file, &writable);
    is("three", num(select(file + 1, &readable, &writable, NULL, NULL)), "3");
    is("stdin can be read", yes(FD_ISSET(0, &readable)), "true");
    is("the file can be written", yes(FD_ISSET(file, &writable)), "true");
    struct timeval soon = {0, 1000};
    is("only time", num(select(0, NULL, NULL, NULL, &soon)), "0");
    char text[10];
    ssize_t n = read(0, text, sizeof text);
    is("stdin has what was promised", n < 0 ? name_of(errno) : bytes(text, (size_t)n), "\"input\\n\"");
    close(file);
}

static void randomness(void) {
    group("random");
    unsigned char a[32], b[32];
    is("getentropy", err(getentropy(a, sizeof a)), "ok");
    is("getentropy again", err(getentropy(b, sizeof b)), "ok");
    is("differ", yes(memcmp(a, b, sizeof a) != 0), "true");
    is("too much at once", err(getentropy(a, 257)), "EIO");
}

int main(void) {
    clocks();
    sleeping();
    polling();
    randomness();
    return failed;
}
