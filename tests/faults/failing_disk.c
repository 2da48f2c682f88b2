/* Fails one chosen call on the files of a database: LD_PRELOAD=failing_disk.so FAILING_FILES=<part of their names>.
   fail_call(nth, error) arms it: of the calls below, the nth from now on fails with the error; 0 as the error makes a
   write a short one. failed() tells which call it was, 0 while none has failed. A failed fsync is not made at all, so
   that what a second one would claim to have kept was never kept by it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long left;
static int error_number, failed_call;
enum { WRITE = 1, SYNC = 2, TRUNCATE = 3 };

void fail_call(long nth, int error) { left = nth; error_number = error; failed_call = 0; }
int failed(void) { return failed_call; }

static int is_watched(int file) {
    char link[64], path[4096];
    const char *part = getenv("FAILING_FILES");
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = part ? readlink(link, path, sizeof path - 1) : -1;
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, part) != NULL;
}

static int is_the_one(int file, int call) {
    if (left <= 0 || !is_watched(file) || --left > 0) return 0;
    failed_call = call;
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
