/* What meter.c and load.c share: errors, numbers, clocks, and addresses written as 127.0.0.1's PORT or as /PATH of a Unix socket. */
#ifndef NET_H
#define NET_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Nothing waits longer for an answer. */
enum { ANSWER_TIMEOUT_S = 10, BACKLOG = 4096 };

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

static inline void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline void check(int ok, const char *what)
{
    if (!ok)
        fail("%s: %s", what, strerror(errno));
}

static inline long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1)
        fail("not a number of at least 1: %s", text);
    return value;
}

static inline int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The kernel's own clock of each process (posix_cpu_clock_get): nanoseconds of the scheduler's accounting, not ticks; of all
 * its threads, those that have ended too. */
static inline int64_t cpu_ns(char **pids)
{
    int64_t sum_ns = 0;
    for (; *pids != NULL; pids++) {
        clockid_t clock;
        struct timespec used;
        int error = clock_getcpuclockid(number(*pids), &clock);
        if (error != 0)
            fail("clock_getcpuclockid of %s: %s", *pids, strerror(error));
        check(clock_gettime(clock, &used) == 0, "clock_gettime");
        sum_ns += used.tv_sec * 1000000000LL + used.tv_nsec;
    }
    return sum_ns;
}

union address {
    struct sockaddr any;
    struct sockaddr_in ip;
    struct sockaddr_un path;
};

static inline socklen_t parse_address(const char *text, union address *address)
{
    memset(address, 0, sizeof *address);
    if (text[0] == '/') {
        if (strlen(text) >= sizeof address->path.sun_path)
            fail("too long a path: %s", text);
        address->path.sun_family = AF_UNIX;
        strcpy(address->path.sun_path, text);
        return sizeof address->path;
    }
    address->ip.sin_family = AF_INET;
    address->ip.sin_port = htons(number(text));
    address->ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof address->ip;
}

static inline int listen_at(const char *text)
{
    union address address;
    socklen_t length = parse_address(text, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    check(fd >= 0, "socket");
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0, "SO_REUSEADDR");
    check(bind(fd, &address.any, length) == 0, text);
    check(text[0] != '/' || chmod(text, 0666) == 0, text);
    check(listen(fd, BACKLOG) == 0, "listen");
    return fd;
}

static inline int connect_to(const char *text)
{
    union address address;
    socklen_t length = parse_address(text, &address);
    struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    check(fd >= 0, "socket");
    if (address.any.sa_family == AF_INET)
        check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
    check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "SO_RCVTIMEO");
    check(connect(fd, &address.any, length) == 0, text);
    return fd;
}

static inline void send_request(int fd)
{
    check(send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) == sizeof REQUEST - 1, "send");
}

/* Reads one whole answer, which must have a Content-Length. Returns its length; 0 when the connection failed. */
static inline size_t try_read_answer(int fd)
{
    char answer[65536];
    size_t have = 0, want = sizeof answer - 1;
    while (have < want) {
        ssize_t got = recv(fd, answer + have, sizeof answer - 1 - have, 0);
        if (got <= 0)
            return 0;
        have += got;
        answer[have] = '\0';
        char *body = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length:");
        if (body != NULL && (length == NULL || length > body))
            fail("an answer without Content-Length");
        if (body != NULL)
            want = body + 4 - answer + strtoul(length + 17, NULL, 10);
    }
    return have;
}

static inline size_t read_answer(int fd)
{
    errno = 0;
    size_t length = try_read_answer(fd);
    if (length == 0)
        fail("the connection ended before its answer did: %s", errno != 0 ? strerror(errno) : "end of stream");
    return length;
}
#endif
