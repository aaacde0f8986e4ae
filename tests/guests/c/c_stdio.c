/* Streams: buffering, modes, positions, and standard input (the test gives `input\n`). */
#include "suite.h"
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

static long size_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? -1 : (long)st.st_size;
}

static void modes(void) {
    group("modes");
    is("r of nothing", fopen("m", "r") ? "ok" : name_of(errno), "ENOENT");
    is("r+ of nothing", fopen("m", "r+") ? "ok" : name_of(errno), "ENOENT");
    is("unknown", fopen("m", "q") ? "ok" : name_of(errno), "EINVAL");
    FILE *f = fopen("m", "wx");
    need("wx", f);
    is("fputs", yes(fputs("one\ntwo\n", f) >= 0), "true");
    is("fclose", num(fclose(f)), "0");
    is("wx again", fopen("m", "wx") ? "ok" : name_of(errno), "EEXIST");
    f = fopen("m", "a");
    fputs("three\n", f);
    fclose(f);
    is("a appends", get("m"), "\"one\\ntwo\\nthree\\n\"");
    f = fopen("m", "r+");
    char line[20];
    is("r+ reads", str(fgets(line, sizeof line, f)), "\"one\\n\"");
    is("fseek", num(fseek(f, 0, SEEK_CUR)), "0");
    fputs("TWO", f);
    fclose(f);
    is("r+ writes in place", get("m"), "\"one\\nTWO\\nthree\\n\"");
    f = fopen("m", "a+");
    is("a+ reads", yes(fseek(f, 0, SEEK_SET) == 0 && fgets(line, sizeof line, f)), "true");
    fseek(f, 0, SEEK_SET);
    fputs("end", f);
    fclose(f);
    is("a+ writes at the end", get("m"), "\"one\\nTWO\\nthree\\nend\"");
    f = fopen("m", "w+");
    is("w+ empties", num(size_of("m")), "0");
    fputs("again", f);
    rewind(f);
    is("w+ reads", str(fgets(line, sizeof line, f)), "\"again\"");
    fclose(f);
    f = fopen("m", "r");
    is("write when reading", num(fputs("x", f)), "-1");
    is("ferror", yes(ferror(f)), "true");
    clearerr(f);
    is("clearerr", yes(ferror(f)), "false");
    fclose(f);
}

static void buffers(void) {
    group("buffers");
    FILE *f = fopen("b", "w");
    fputs("hidden\n", f);
    is("full: nothing yet", num(size_of("b")), "0");
    is("fflush", num(fflush(f)), "0");
    is("full: after fflush", num(size_of("b")), "7");
    fclose(f);
    f = fopen("b", "w");
    setvbuf(f, NULL, _IOLBF, 100);
    fputs("half", f);
    is("line: half a line", num(size_of("b")), "0");
    fputs(" whole\n", f);
    is("line: a whole one", num(size_of("b")), "11");
    fclose(f);
    f = fopen("b", "w");
    setvbuf(f, NULL, _IONBF, 0);
    fputc('x', f);
    is("none: at once", num(size_of("b")), "1");
    fclose(f);
    f = fopen("b", "w");
    for (int i = 0; i < 10000; i++) fprintf(f, "%d,", i % 10);
    long before = size_of("b");
    is("full: what is over goes out", yes(before > 0 && before < 20000), "true");
    fclose(f);
    is("fclose writes the rest", num(size_of("b")), "20000");
}

static void positions(void) {
    group("positions");
    FILE *f = fopen("p", "w+");
    fwrite("0123456789", 1, 10, f);
    is("ftell", num(ftell(f)), "10");
    fseek(f, 3, SEEK_SET);
    is("fgetc", num(fgetc(f)), "51");
    is("ungetc", num(ungetc('X', f)), "88");
    is("ftell after ungetc", num(ftell(f)), "3");
    is("fgetc gives it back", num(fgetc(f)), "88");
    is("then the next", num(fgetc(f)), "52");
    is("fseek from the end", num(fseek(f, -2, SEEK_END)), "0");
    char two[10];
    is("fread short", num((long long)fread(two, 1, 10, f)), "2");
    is("feof", yes(feof(f)), "true");
    fpos_t place;
    fseek(f, 5, SEEK_SET);
    fgetpos(f, &place);
    fgetc(f);
    is("fsetpos", num(fsetpos(f, &place)), "0");
    is("is where it was", num(fgetc(f)), "53");
    is("feof is cleared", yes(feof(f)), "false");
    is("negative", err(fseek(f, -1, SEEK_SET)), "EINVAL");
    fseek(f, 20, SEEK_SET);
    fputc('!', f);
    fclose(f);
    is("a hole", num(size_of("p")), "21");
    f = fopen("p", "r");
    long a = 0, b = 0;
    is("fscanf", num(fscanf(f, "%4ld%ld", &a, &b)), "2");
    is("numbers", num(a * 1000000 + b), "123456789");
    fclose(f);
    f = fopen("p", "w+");
    for (int i = 0; i < 3; i++) fprintf(f, "line %d\n", i);
    rewind(f);
    char *line = NULL;
    size_t room = 0, total = 0;
    ssize_t n;
    while ((n = getline(&line, &room, f)) > 0) total += (size_t)n;
    is("getline", num((long long)total), "21");
    free(line);
    fclose(f);
}

static void streams(void) {
    group("streams");
    int fd = open("s", O_RDWR | O_CREAT | O_TRUNC, 0600);
    FILE *f = fdopen(fd, "r+");
    need("fdopen", f);
    is("fileno", yes(fileno(f) == fd), "true");
    fputs("by descriptor", f);
    is("freopen", yes((f = freopen("s2", "w", f)) != NULL), "true");
    is("it writes the first", get("s"), "\"by descriptor\"");
    fputs("second", f);
    fclose(f);
    is("and the second", get("s2"), "\"second\"");
    is("remove a file", err(remove("s2")), "ok");
    need("mkdir", mkdir("dir", 0700) == 0);
    is("remove a directory", err(remove("dir")), "ok");
    is("remove nothing", err(remove("s2")), "ENOENT");
    is("fopen a directory for writing", fopen(".", "w") ? "ok" : name_of(errno), "EISDIR");
    char text[64];
    is("printf of everything",
       (snprintf(text, sizeof text, "%5d|%-4s|%x|%.3f|%e|%c|%lld", 42, "ab", 255, 1.0 / 3, 12345.678, 'z', 1LL << 40), text),
       "   42|ab  |ff|0.333|1.234568e+04|z|1099511627776");
}

static void standard_input(void) {
    group("stdin");
    char line[20];
    is("ungetc first", num(ungetc('>', stdin)), "62");
    is("fgets", str(fgets(line, sizeof line, stdin)), "\">input\\n\"");
    is("at the end", num(getchar()), "-1");
    is("feof", yes(feof(stdin)), "true");
    is("no error", yes(ferror(stdin)), "false");
    is("seek", err(fseek(stdin, 0, SEEK_SET)), "ESPIPE");
    is("read at the end", ret(read(0, line, sizeof line)), "0");
    is("write to it", err(write(0, "x", 1)), "EBADF");
    is("read stdout", err(read(1, line, 1)), "EBADF");
}

int main(void) {
    modes();
    buffers();
    positions();
    streams();
    standard_input();
    fflush(stdout);
    fputs("a line on stderr\n", stderr);
    return failed;
}
