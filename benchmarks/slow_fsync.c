/* Makes every fsync and fdatasync of a process take as long as a small file says (a 32-bit number of microseconds):
   LD_PRELOAD=slow_fsync.so FSYNC_DELAY_FILE=... The real call is made as well. On a RAM disk, where it costs nothing,
   the delay is then the cost of an fsync, the same on every machine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static volatile int32_t *delay;

__attribute__((constructor)) static void look(void) {
    const char *path = getenv("FSYNC_DELAY_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, sizeof(int32_t), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) delay = page;
    close(file);
}

static void wait_a_while(void) {
    if (!delay || *delay <= 0) return;
    struct timespec until;
    prctl(PR_SET_TIMERSLACK, 1);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)*delay * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)) { }
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_a_while();
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_a_while();
    return real(file);
}
