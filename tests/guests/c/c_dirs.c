/* Directories and names: mkdir, rmdir, opendir, readdir, seekdir, link, symlink, rename, chdir, and the *at functions. */
#include "suite.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names that a listing still gives, sorted, with `.` and `..` left out. */
static const char *names(DIR *dir) {
    static char text[512];
    char *found[200];
    size_t n = 0;
    struct dirent *entry;
    errno = 0;
    while (n < 200 && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) found[n++] = strdup(entry->d_name);
    if (errno) return name_of(errno);
    qsort(found, n, sizeof *found, by_name);
    text[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (strlen(text) + strlen(found[i]) + 2 < sizeof text) strcat(strcat(text, i ? " " : ""), found[i]);
        free(found[i]);
    }
    return text;
}

static const char *names_in(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) return name_of(errno);
    const char *all = names(dir);
    closedir(dir);
    return all;
}

static void directories(void) {
    group("mkdir");
    struct stat st;
    is("new", err(mkdir("d", 0700)), "ok");
    is("again", err(mkdir("d", 0700)), "EEXIST");
    is("slash", err(mkdir("d/e/", 0700)), "ok");
    is("below nothing", err(mkdir("x/y", 0700)), "ENOENT");
    is("it is one", stat("d", &st) ? name_of(errno) : yes(S_ISDIR(st.st_mode)), "true");
    put("d/file", "x");
    is("over a file", err(mkdir("d/file", 0700)), "EEXIST");
    is("below a file", err(mkdir("d/file/x", 0700)), "ENOTDIR");
    group("rmdir");
    is("not empty", err(rmdir("d")), "ENOTEMPTY");
    is("a file", err(rmdir("d/file")), "ENOTDIR");
    is("missing", err(rmdir("missing")), "ENOENT");
    unlink("d/file");
    is("empty", err(rmdir("d/e")), "ok");
    is("then its parent", err(rmdir("d")), "ok");
    is("gone", err(stat("d", &st)), "ENOENT");
}

static void listing(void) {
    group("readdir");
    need("mkdir", mkdir("l", 0700) == 0);
    is("empty", names_in("l"), "");
    char path[32];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "l/f%d", i);
        put(path, "x");
    }
    need("mkdir", mkdir("l/sub", 0700) == 0 && symlink("f0", "l/link") == 0);
    is("all", names_in("l"), "f0 f1 f2 f3 f4 link sub");
    DIR *dir = opendir("l");
    need("opendir", dir);
    int dots = 0, types = 0, inodes = 0;
    struct dirent *entry;
    struct stat st;
    while ((entry = readdir(dir))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) {
            dots += entry->d_type == DT_DIR;
            continue;
        }
        unsigned char want = !strcmp(entry->d_name, "sub") ? DT_DIR : !strcmp(entry->d_name, "link") ? DT_LNK : DT_REG;
        types += entry->d_type == want;
        snprintf(path, sizeof path, "l/%s", entry->d_name);
        inodes += !lstat(path, &st) && st.st_ino == entry->d_ino;
    }
    is("dots", num(dots), "2");
    is("types", num(types), "7");
    is("inodes", num(inodes), "7");
    rewinddir(dir);
    is("rewinddir", names(dir), "f0 f1 f2 f3 f4 link sub");

    /* Whatever the order is, a place that was told is a place to go back to. */
    rewinddir(dir);
    char third[300] = "", again[300] = "";
    readdir(dir);
    readdir(dir);
    long place = telldir(dir);
    if ((entry = readdir(dir))) strcpy(third, entry->d_name);
    while (readdir(dir)) continue;
    seekdir(dir, place);
    if ((entry = readdir(dir))) strcpy(again, entry->d_name);
    is("seekdir goes back", yes(third[0] && !strcmp(third, again)), "true");
    rewinddir(dir);
    int removed = 0;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] == 'f') {
            snprintf(path, sizeof path, "l/%s", entry->d_name);
            removed += unlink(path) == 0;
        }
    is("removing what is listed", num(removed), "5");
    rewinddir(dir);
    is("what is left", names(dir), "link sub");
    is("closedir", err(closedir(dir)), "ok");

    struct dirent **sorted;
    int n = scandir("l", &sorted, NULL, alphasort);
    is("scandir", num(n), "4");
    is("scandir sorts", n == 4 ? sorted[2]->d_name : "-", "link");
    for (int i = 0; i < n; i++) free(sorted[i]);
    if (n >= 0) free(sorted);

    is("opendir of nothing", opendir("missing") ? "ok" : name_of(errno), "ENOENT");
    put("l/file", "x");
    is("opendir of a file", opendir("l/file") ? "ok" : name_of(errno), "ENOTDIR");
    int fd = open("l", O_RDONLY | O_DIRECTORY);
    dir = fdopendir(fd);
    need("fdopendir", dir);
    is("fdopendir", names(dir), "file link sub");
    is("dirfd", yes(dirfd(dir) == fd), "true");
    closedir(dir);
    is("closedir closes it", err(close(fd)), "EBADF");

    group("many");
    need("mkdir", mkdir("many", 0700) == 0);
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "many/%d", i);
        int file = open(path, O_WRONLY | O_CREAT, 0600);
        need("create", file >= 0 && close(file) == 0);
    }
    dir = opendir("many");
    long sum = 0;
    int count = 0;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.') sum += atoi(entry->d_name), count++;
    is("count", num(count), "2000");
    is("each once", num(sum), "1999000");
    if (dir) closedir(dir);
}

static void links(void) {
    group("link");
    put("one", "content");
    struct stat a, b;
    is("link", err(link("one", "two")), "ok");
    is("one inode", stat("one", &a) || stat("two", &b) ? name_of(errno) : yes(a.st_ino == b.st_ino), "true");
    is("links", num((long long)a.st_nlink), "2");
    is("exists", err(link("one", "two")), "EEXIST");
    is("missing", err(link("missing", "three")), "ENOENT");
    put("one", "changed");
    is("both change", get("two"), "\"changed\"");
    is("unlink one", err(unlink("one")), "ok");
    is("the other stays", get("two"), "\"changed\"");
    need("mkdir", mkdir("ld", 0700) == 0);
    is("a directory", err(link("ld", "ld2")), "EPERM|EISDIR|EACCES");
    group("symlink");
    char target[64];
    is("symlink", err(symlink("two", "to")), "ok");
    ssize_t n = readlink("to", target, sizeof target);
    is("readlink", n < 0 ? name_of(errno) : bytes(target, (size_t)n), "\"two\"");
    n = readlink("to", target, 2);
    is("readlink cuts", n < 0 ? name_of(errno) : bytes(target, (size_t)n), "\"tw\"");
    is("read through it", get("to"), "\"changed\"");
    is("not followed", err(open("to", O_RDONLY | O_NOFOLLOW)), "ELOOP");
    is("exists", err(symlink("x", "to")), "EEXIST");
    is("readlink of a file", err(readlink("two", target, 9)), "EINVAL");
    is("dangling", err(symlink("nowhere", "dangling")), "ok");
    is("open a dangling one", err(open("dangling", O_RDONLY)), "ENOENT");
    is("loop", err(symlink("loop", "loop")), "ok");
    is("open a loop", err(open("loop", O_RDONLY)), "ELOOP");
    is("through a directory", err(symlink("ld", "to-ld")), "ok");
    put("to-ld/inside", "in");
    is("lands inside", get("ld/inside"), "\"in\"");
    is("unlink removes the link", err(unlink("to-ld")), "ok");
    is("not what it points to", get("ld/inside"), "\"in\"");
}

static void renaming(void) {
    group("rename");
    put("r1", "first");
    put("r2", "second");
    is("to a new name", err(rename("r1", "r3")), "ok");
    is("over a file", err(rename("r3", "r2")), "ok");
    is("content", get("r2"), "\"first\"");
    is("missing", err(rename("missing", "r4")), "ENOENT");
    need("mkdir", !mkdir("rd", 0700) && !mkdir("rd/sub", 0700) && !mkdir("re", 0700));
    put("rd/file", "moved");
    is("a directory", err(rename("rd", "rf")), "ok");
    is("all it holds", get("rf/file"), "\"moved\"");
    is("over an empty one", err(rename("rf", "re")), "ok");
    is("into itself", err(rename("re", "re/sub/x")), "EINVAL");
    is("a file over a directory", err(rename("r2", "re")), "EISDIR");
    is("a directory over a file", err(rename("re", "r2")), "ENOTDIR");
    need("mkdir", !mkdir("rg", 0700));
    is("over one that is not empty", err(rename("rg", "re")), "ENOTEMPTY|EEXIST");
    is("to itself", err(rename("r2", "r2")), "ok");
}

static void places(void) {
    group("chdir");
    char cwd[100];
    is("at first", str(getcwd(cwd, sizeof cwd)), "\"/\"");
    need("mkdir", !mkdir("c", 0700) && !mkdir("c/e", 0700));
    is("chdir", err(chdir("c")), "ok");
    is("getcwd", str(getcwd(cwd, sizeof cwd)), "\"/c\"");
    put("here", "relative");
    is("absolute", get("/c/here"), "\"relative\"");
    is("dot dot inside", get("e/../here"), "\"relative\"");
    is("to nothing", err(chdir("missing")), "ENOENT");
    is("to a file", err(chdir("here")), "ENOTDIR");
    is("back", err(chdir("/")), "ok");

    group("at");
    int dir = open("c", O_RDONLY | O_DIRECTORY);
    need("open", dir >= 0);
    struct stat st;
    int fd = openat(dir, "at", O_RDWR | O_CREAT, 0600);
    is("openat", ret(write(fd, "12345", 5)), "5");
    close(fd);
    is("it is there", get("c/at"), "\"12345\"");
    is("fstatat", fstatat(dir, "at", &st, 0) ? name_of(errno) : num(st.st_size), "5");
    is("mkdirat", err(mkdirat(dir, "atdir", 0700)), "ok");
    is("symlinkat", err(symlinkat("at", dir, "atlink")), "ok");
    is("fstatat of a link", fstatat(dir, "atlink", &st, AT_SYMLINK_NOFOLLOW) ? name_of(errno) : yes(S_ISLNK(st.st_mode)),
       "true");
    is("linkat", err(linkat(dir, "at", dir, "at2", 0)), "ok");
    is("renameat", err(renameat(dir, "at2", dir, "atdir/at3")), "ok");
    is("faccessat", err(faccessat(dir, "atdir/at3", R_OK, 0)), "ok");
    is("above it", err(openat(dir, "../two", O_RDONLY)), "EPERM|ENOTCAPABLE");
    is("unlinkat a directory", err(unlinkat(dir, "atdir", 0)), "EISDIR|EPERM");
    is("unlinkat not empty", err(unlinkat(dir, "atdir", AT_REMOVEDIR)), "ENOTEMPTY");
    is("unlinkat", err(unlinkat(dir, "atdir/at3", 0)), "ok");
    is("unlinkat empty", err(unlinkat(dir, "atdir", AT_REMOVEDIR)), "ok");
    is("relative to a file", err(openat(open("two", O_RDONLY), "x", O_RDONLY)), "ENOTDIR");
    is("relative to nothing", err(openat(4000, "x", O_RDONLY)), "EBADF");
    close(dir);
}

int main(void) {
    directories();
    listing();
    links();
    renaming();
    places();
    return failed;
}
