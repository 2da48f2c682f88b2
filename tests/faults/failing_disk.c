/* Fails one chosen call on the files of a database: LD_PRELOAD=failing_disk.so FAILING_FILES=<part of their names>.
   fail_call(nth, error, kinds) arms it: of the calls of these kinds, the nth from now on fails with the error; 0 as the
   error makes a write a short one. failed() tells which call it was, 0 while none has failed. A failed fsync is not made at all, so
   that what a second one would claim to have kept was never kept by it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static long left;
static int error_number, watched_kinds, failed_call;
enum { WRITE = 1, SYNC = 2, TRUNCATE = 4, OPEN = 8, READ = 16, MMAP = 32, UNLINK = 64 };

void fail_call(long nth, int error, int kinds) {
    left = nth; error_number = error; watched_kinds = kinds; failed_call = 0;
}
int failed(void) { return failed_call; }

static int is_named(const char *path) {
    const char *part = getenv("FAILING_FILES");
    return part != NULL && strstr(path, part) != NULL;
}

static int is_watched(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_named(path);
}

static int is_due(int call) { return left > 0 && (watched_kinds & call); }

static int is_the_nth(int call) {
    if (--left > 0) return 0;
    failed_call = call;
    return 1;
}

static int is_the_one(int file, int call) { return is_due(call) && is_watched(file) && is_the_nth(call); }

static int is_the_path(const char *path, int call) {
    if (error_number == 0 || !is_due(call) || !is_named(path) || !is_the_nth(call)) return 0;
    errno = error_number;
    return 1;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static ssize_t written(ssize_t (*real)(int, const void *, size_t, off64_t), int file, const void *bytes, size_t count,
                       off64_t at) {
    if (is_the_one(file, WRITE)) {
        if (error_number == 0) return real(file, bytes, count / 2, at);
        errno = error_number;
        return -1;
    }
    return real(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REAL(pwrite64);
    return written(real, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    REAL(pwrite64);
    return written(real, file, bytes, count, at);
}

static int refused(int file, int call) {
    if (error_number == 0 || !is_the_one(file, call)) return 0;
    errno = error_number;
    return 1;
}

int fsync(int file) { REAL(fsync); return refused(file, SYNC) ? -1 : real(file); }
int fdatasync(int file) { REAL(fdatasync); return refused(file, SYNC) ? -1 : real(file); }
int ftruncate64(int file, off64_t size) {
    REAL(ftruncate64);
    return refused(file, TRUNCATE) ? -1 : real(file, size);
}
int ftruncate(int file, off_t size) {
    REAL(ftruncate64);
    return refused(file, TRUNCATE) ? -1 : real(file, size);
}

static ssize_t got(ssize_t (*real)(int, void *, size_t, off64_t), int file, void *bytes, size_t count, off64_t at) {
    return refused(file, READ) ? -1 : real(file, bytes, count, at);
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t at) {
    REAL(pread64);
    return got(real, file, bytes, count, at);
}

ssize_t pread(int file, void *bytes, size_t count, off_t at) {
    REAL(pread64);
    return got(real, file, bytes, count, at);
}

#define OPENED(path, flags)                                                       \
    va_list rest;                                                                 \
    va_start(rest, flags);                                                        \
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;             \
    va_end(rest);                                                                 \
    return is_the_path(path, OPEN) ? -1 : real(path, flags, mode)

int open64(const char *path, int flags, ...) { REAL(open64); OPENED(path, flags); }
int open(const char *path, int flags, ...) { REAL(open64); OPENED(path, flags); }

static void *mapped(void *(*real)(void *, size_t, int, int, int, off64_t), void *place, size_t length, int rights,
                    int flags, int file, off64_t at) {
    return file >= 0 && refused(file, MMAP) ? MAP_FAILED : real(place, length, rights, flags, file, at);
}

void *mmap64(void *place, size_t length, int rights, int flags, int file, off64_t at) {
    REAL(mmap64);
    return mapped(real, place, length, rights, flags, file, at);
}

void *mmap(void *place, size_t length, int rights, int flags, int file, off_t at) {
    REAL(mmap64);
    return mapped(real, place, length, rights, flags, file, at);
}

int unlink(const char *path) { REAL(unlink); return is_the_path(path, UNLINK) ? -1 : real(path); }
