/* Kills its process group before the CRASH_AT-th call that writes below the directory CRASH_BELOW.
 *
 * Loaded into `terrane` and every program that it starts. The calls of all of them are counted together, in eight
 * bytes of the file CRASH_COUNT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const char *below;
static uint64_t at;
static uint64_t *count;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("CRASH_COUNT");
    const char *number = getenv("CRASH_AT");
    const char *directory = getenv("CRASH_BELOW");
    if (!file || !number || !directory) return;
    int (*open_real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = open_real(file, O_RDWR | O_CLOEXEC);
    void *page = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || page == MAP_FAILED) abort();
    close(fd);
    at = strtoull(number, NULL, 10);
    count = page;
    below = directory;
}

static void reached(const char *path) {
    size_t length = strlen(below);
    if (strncmp(path, below, length) != 0 || path[length] != '/') return;
    if (__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST) != at) return;
    kill(0, SIGKILL);
    for (;;) pause();
}

/* Writes where a file descriptor leads, and returns how long that is. */
static size_t target(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) length = 0;
    path[length] = 0;
    return (size_t)length;
}

static void by_name(int directory, const char *name) {
    char path[2 * PATH_MAX];
    if (!below) return;
    if (name[0] == '/') {
        reached(name);
        return;
    }
    if (directory != AT_FDCWD) target(directory, path, PATH_MAX);
    else if (!getcwd(path, PATH_MAX)) return;
    size_t length = strlen(path);
    snprintf(path + length, sizeof path - length, "/%s", name);
    reached(path);
}

static void by_descriptor(int fd) {
    char path[PATH_MAX];
    if (below && target(fd, path, sizeof path)) reached(path);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...) {                     \
        REAL(name);                                                  \
        va_list rest;                                                \
        va_start(rest, flags);                                       \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                \
        if (flags & (O_CREAT | O_TRUNC)) by_name(AT_FDCWD, path);    \
        return real(path, flags, mode);                              \
    }
#define OPENAT(name)                                                 \
    int name(int directory, const char *path, int flags, ...) {      \
        REAL(name);                                                  \
        va_list rest;                                                \
        va_start(rest, flags);                                       \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                \
        if (flags & (O_CREAT | O_TRUNC)) by_name(directory, path);   \
        return real(directory, path, flags, mode);                   \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                  \
    FILE *name(const char *path, const char *mode) {                 \
        REAL(name);                                                  \
        if (mode[0] != 'r') by_name(AT_FDCWD, path);                 \
        return real(path, mode);                                     \
    }
FOPEN(fopen)
FOPEN(fopen64)

#define CALL(type, name, parameters, arguments, before)              \
    type name parameters {                                           \
        REAL(name);                                                  \
        before;                                                      \
        return real arguments;                                       \
    }
CALL(int, rename, (const char *from, const char *to), (from, to), by_name(AT_FDCWD, to))
CALL(int, renameat, (int one, const char *from, int other, const char *to), (one, from, other, to), by_name(other, to))
CALL(int, renameat2, (int one, const char *from, int other, const char *to, unsigned flags),
     (one, from, other, to, flags), by_name(other, to))
CALL(int, link, (const char *from, const char *to), (from, to), by_name(AT_FDCWD, to))
CALL(int, linkat, (int one, const char *from, int other, const char *to, int flags), (one, from, other, to, flags),
     by_name(other, to))
CALL(int, unlink, (const char *path), (path), by_name(AT_FDCWD, path))
CALL(int, unlinkat, (int directory, const char *path, int flags), (directory, path, flags), by_name(directory, path))
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), by_name(AT_FDCWD, path))
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), by_name(AT_FDCWD, path))
CALL(int, fsync, (int fd), (fd), by_descriptor(fd))
CALL(int, fdatasync, (int fd), (fd), by_descriptor(fd))
CALL(int, ftruncate64, (int fd, off64_t length), (fd, length), by_descriptor(fd))
CALL(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), by_descriptor(fd))
CALL(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t offset), (fd, data, size, offset),
     by_descriptor(fd))
