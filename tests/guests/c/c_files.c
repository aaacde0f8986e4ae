/* Descriptors as POSIX has them: open, read, write, lseek, ftruncate, pread, preadv, stat, unlink. */
#include "suite.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* What is left to read. */
static const char *rest(int fd) {
    char buffer[200];
    ssize_t n = read(fd, buffer, sizeof buffer);
    return n < 0 ? name_of(errno) : bytes(buffer, (size_t)n);
}

static const char *at(int fd, off_t offset, size_t len) {
    char buffer[200];
    ssize_t n = pread(fd, buffer, len, offset);
    return n < 0 ? name_of(errno) : bytes(buffer, (size_t)n);
}

static void opening(void) {
    group("open");
    is("missing", err(open("f", O_RDONLY)), "ENOENT");
    int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0600);
    need("create", fd >= 0);
    is("write", ret(write(fd, "0123456789", 10)), "10");
    is("close", err(close(fd)), "ok");
    is("close again", err(close(fd)), "EBADF");
    is("read when closed", err(read(fd, &fd, 1)), "EBADF");
    is("exclusive again", err(open("f", O_RDWR | O_CREAT | O_EXCL, 0600)), "EEXIST");
    is("directory wanted", err(open("f", O_RDONLY | O_DIRECTORY)), "ENOTDIR");
    is("below a file", err(open("f/g", O_RDONLY)), "ENOTDIR");
    is("slash behind a file", err(open("f/", O_RDONLY)), "ENOTDIR");
    /* Before the host is asked, wasi-libc makes `.` of it. */
    is("empty path", err(open("", O_RDONLY)), "ENOENT|ok");
    is("above the root", err(open("../f", O_RDONLY)), "EPERM|ENOTCAPABLE|ok");
    char name[300];
    memset(name, 'n', sizeof name);
    name[256] = 0;
    is("name of 256 bytes", err(open(name, O_WRONLY | O_CREAT, 0600)), "ENAMETOOLONG");
    name[255] = 0;
    is("name of 255 bytes", err(close(open(name, O_WRONLY | O_CREAT, 0600))), "ok");
    is("remove it", err(unlink(name)), "ok");

    fd = open("f", O_RDONLY);
    is("read-only: write", err(write(fd, "x", 1)), "EBADF");
    is("read-only: read", rest(fd), "\"0123456789\"");
    is("read-only: ftruncate", err(ftruncate(fd, 1)), "EBADF|EINVAL|ENOTCAPABLE");
    close(fd);
    fd = open("f", O_WRONLY);
    is("write-only: read", err(read(fd, name, 1)), "EBADF");
    is("write-only: write", ret(write(fd, "A", 1)), "1");
    close(fd);
    is("written over", get("f"), "\"A123456789\"");
    fd = open("f", O_RDWR | O_TRUNC);
    is("truncated", ret(lseek(fd, 0, SEEK_END)), "0");
    close(fd);
}

static void seeking(void) {
    group("lseek");
    put("s", "0123456789");
    int fd = open("s", O_RDWR);
    is("set", ret(lseek(fd, 4, SEEK_SET)), "4");
    is("cur", ret(lseek(fd, 2, SEEK_CUR)), "6");
    is("end", ret(lseek(fd, -3, SEEK_END)), "7");
    is("reads there", rest(fd), "\"789\"");
    is("at the end", rest(fd), "\"\"");
    is("negative", err(lseek(fd, -1, SEEK_SET)), "EINVAL");
    is("past the end", ret(lseek(fd, 5, SEEK_END)), "15");
    is("write there", ret(write(fd, "!", 1)), "1");
    is("a hole of zeros", at(fd, 8, 20), "\"89\\x00\\x00\\x00\\x00\\x00!\"");
    close(fd);
    is("closed", err(lseek(fd, 0, SEEK_SET)), "EBADF");
}

static void sizes(void) {
    group("ftruncate");
    put("t", "0123456789");
    int fd = open("t", O_RDWR);
    struct stat st;
    is("shorter", err(ftruncate(fd, 4)), "ok");
    is("content", at(fd, 0, 20), "\"0123\"");
    is("longer", err(ftruncate(fd, 6)), "ok");
    is("zeros", at(fd, 0, 20), "\"0123\\x00\\x00\"");
    is("the offset stays", ret(lseek(fd, 0, SEEK_CUR)), "0");
    is("negative", err(ftruncate(fd, -1)), "EINVAL|EFBIG");
    is("a gigabyte", err(ftruncate(fd, 1 << 30)), "ok");
    is("fstat", fstat(fd, &st) ? name_of(errno) : num(st.st_size), "1073741824");
    is("read near its end", at(fd, (1 << 30) - 2, 20), "\"\\x00\\x00\"");
    close(fd);
    is("by path", err(truncate("t", 3)), "ok");
    is("content after that", get("t"), "\"012\"");
    is("of a directory", err(truncate(".", 3)), "EISDIR|EBADF|EINVAL");
    is("of nothing", err(truncate("missing", 3)), "ENOENT");
}

static void appending(void) {
    group("append");
    put("a", "abc");
    int fd = open("a", O_RDWR | O_APPEND);
    is("at first", ret(lseek(fd, 0, SEEK_CUR)), "0");
    is("write", ret(write(fd, "d", 1)), "1");
    is("seek back", ret(lseek(fd, 0, SEEK_SET)), "0");
    is("write again", ret(write(fd, "e", 1)), "1");
    is("content", get("a"), "\"abcde\"");
    int flags = fcntl(fd, F_GETFL);
    is("flags say so", yes(flags & O_APPEND), "true");
    is("access mode", yes((flags & O_ACCMODE) == O_RDWR), "true");
    is("turned off", err(fcntl(fd, F_SETFL, flags & ~O_APPEND)), "ok");
    is("seek", ret(lseek(fd, 1, SEEK_SET)), "1");
    is("then it writes there", ret(write(fd, "B", 1)), "1");
    is("content after that", get("a"), "\"aBcde\"");
    close(fd);
}

static void positioned(void) {
    group("positioned");
    put("p", "0123456789");
    int fd = open("p", O_RDWR);
    is("pwrite", ret(pwrite(fd, "AB", 2, 3)), "2");
    is("pread", at(fd, 2, 4), "\"2AB5\"");
    is("the offset stays", ret(lseek(fd, 0, SEEK_CUR)), "0");
    is("pread past the end", at(fd, 100, 4), "\"\"");
    is("negative offset", err(pread(fd, &fd, 0, -1)), "EINVAL");
    char one[3], two[4];
    struct iovec in[] = {{one, 3}, {NULL, 0}, {two, 4}};
    /* A host may stop after the first part. */
    ssize_t n = preadv(fd, in, 3, 1);
    is("preadv", yes(n == 7 || n == 3), "true");
    is("preadv, first part", bytes(one, 3), "\"12A\"");
    struct iovec out[] = {{"xy", 2}, {"z", 1}};
    n = pwritev(fd, out, 2, 8);
    is("pwritev", yes(n == 3 || n == 2), "true");
    is("pwritev, first part", at(fd, 8, 2), "\"xy\"");
    n = writev(fd, out, 2);
    is("writev", yes(n == 3 || n == 2), "true");
    is("writev moves the offset", yes(lseek(fd, 0, SEEK_CUR) == n), "true");
    lseek(fd, 5, SEEK_SET);
    n = readv(fd, in, 3);
    is("readv", yes(n >= 3), "true");
    is("readv, first part", bytes(one, 3), "\"567\"");
    is("too many", err(readv(fd, in, -1)), "EINVAL");
    close(fd);
}

static void metadata(void) {
    group("stat");
    put("m", "four");
    need("symlink", symlink("m", "to-m") == 0);
    struct stat by_path, by_fd, link;
    int fd = open("m", O_RDONLY);
    is("stat", err(stat("m", &by_path)), "ok");
    is("fstat", err(fstat(fd, &by_fd)), "ok");
    is("regular", yes(S_ISREG(by_path.st_mode)), "true");
    is("size", num(by_path.st_size), "4");
    is("links", num((long long)by_path.st_nlink), "1");
    is("same inode", yes(by_path.st_ino == by_fd.st_ino && by_path.st_dev == by_fd.st_dev), "true");
    is("lstat of a symlink", lstat("to-m", &link) ? name_of(errno) : yes(S_ISLNK(link.st_mode)), "true");
    is("its size is that of its target", num(link.st_size), "1");
    is("stat follows it", stat("to-m", &link) ? name_of(errno) : yes(S_ISREG(link.st_mode)), "true");
    is("directory", stat(".", &link) ? name_of(errno) : yes(S_ISDIR(link.st_mode)), "true");
    is("missing", err(stat("missing", &link)), "ENOENT");
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    is("futimens", err(futimens(fd, times)), "ok");
    is("modified", fstat(fd, &by_fd) ? name_of(errno) : num(by_fd.st_mtim.tv_sec), "2000");
    is("modified, nanoseconds", num(by_fd.st_mtim.tv_nsec), "7");
    is("accessed", num(by_fd.st_atim.tv_sec), "1000");
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 3000;
    is("utimensat", err(utimensat(AT_FDCWD, "m", times, 0)), "ok");
    stat("m", &by_path);
    is("accessed as it was", num(by_path.st_atim.tv_sec), "1000");
    is("modified again", num(by_path.st_mtim.tv_sec), "3000");
    is("access", err(access("m", R_OK | W_OK)), "ok");
    is("access of nothing", err(access("missing", F_OK)), "ENOENT");
    is("fsync", err(fsync(fd)), "ok");
    is("fdatasync", err(fdatasync(fd)), "ok");
    is("posix_fadvise", num(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL)), "0");
    is("isatty", num(isatty(fd)), "0");
    is("isatty says why", name_of(errno), "ENOTTY");
    close(fd);
    unlink("to-m");
}

static void unlinking(void) {
    group("unlink");
    put("u", "kept");
    int fd = open("u", O_RDWR);
    struct stat st;
    is("an open file", err(unlink("u")), "ok");
    is("its name is gone", err(stat("u", &st)), "ENOENT");
    is("its content is not", rest(fd), "\"kept\"");
    is("it takes writes", ret(write(fd, "!", 1)), "1");
    is("links", fstat(fd, &st) ? name_of(errno) : num((long long)st.st_nlink), "0");
    is("size", num(st.st_size), "5");
    is("the name can be used again", err(close(open("u", O_WRONLY | O_CREAT | O_EXCL, 0600))), "ok");
    is("by another file", get("u"), "\"\"");
    close(fd);
    is("missing", err(unlink("missing")), "ENOENT");
    is("a directory", err(unlink(".")), "EISDIR|EPERM|EBUSY|EINVAL");
}

int main(void) {
    opening();
    seeking();
    sizes();
    appending();
    positioned();
    metadata();
    unlinking();
    return failed;
}
