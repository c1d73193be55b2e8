/* The measuring tool of bench/compare.sh: what must be exact to the microsecond, and what a shell can't do.
 *
 *   meter cpu [PID...]               CPU time of the processes so far, in ns, all their threads, also those that have ended
 *   meter pass PORT COMMAND...       binds 127.0.0.1:PORT and becomes COMMAND, which inherits the listener as systemd passes it
 *   meter start PORT TIMES COMMAND.. median ms from exec(2) of COMMAND to the first byte of the answer for a client that
 *                                    waits in the inherited listener's queue
 *   meter latency PORT MODE TIMES    median µs of one request at a time, MODE new (a connection for each) or kept (one for all)
 *   meter hold PORT COUNT            opens COUNT connections, sends one request on each, prints "ready", ends with its stdin
 *
 * An error is one line on stderr and exit code 1. Nothing waits longer than ANSWER_TIMEOUT_S.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_TIMEOUT_S = 10, END_TIMEOUT_MS = 5000, BACKLOG = 4096, FIRST_PASSED_FD = 3 };

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("meter: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static void check(int ok, const char *what)
{
    if (!ok)
        fail("%s: %s", what, strerror(errno));
}

static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1)
        fail("not a number of at least 1: %s", text);
    return value;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int64_t median(int64_t *values, long count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static struct sockaddr_in loopback(long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int listen_at(long port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    check(fd >= 0, "socket");
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0, "SO_REUSEADDR");
    check(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    check(listen(fd, BACKLOG) == 0, "listen");
    return fd;
}

static int connect_to(long port)
{
    struct sockaddr_in address = loopback(port);
    struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    check(fd >= 0, "socket");
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
    check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "SO_RCVTIMEO");
    check(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    return fd;
}

static void send_request(int fd)
{
    check(send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) == sizeof REQUEST - 1, "send");
}

/* Reads one whole answer, which must have a Content-Length. */
static void read_answer(int fd)
{
    char answer[65536];
    size_t have = 0, want = sizeof answer - 1;
    while (have < want) {
        ssize_t got = recv(fd, answer + have, sizeof answer - 1 - have, 0);
        check(got >= 0, "recv");
        if (got == 0)
            fail("the connection ended before its answer did");
        have += got;
        answer[have] = '\0';
        char *body = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length:");
        if (body != NULL && (length == NULL || length > body))
            fail("an answer without Content-Length");
        if (body != NULL)
            want = body + 4 - answer + strtoul(length + 17, NULL, 10);
    }
}

/* Becomes the command, with the listener where systemd would have put it (sd_listen_fds(3)). */
static void become(int listener, int64_t *exec_ns, char **command)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    unsetenv("LISTEN_FDNAMES");
    /* dup2(2) drops close-on-exec, but does nothing at all when both are the same. */
    int high = dup(listener);
    check(high >= 0 && dup2(high, FIRST_PASSED_FD) == FIRST_PASSED_FD, "dup2");
    if (high != FIRST_PASSED_FD)
        close(high);
    if (exec_ns != NULL)
        *exec_ns = now_ns();
    execvp(command[0], command);
    fail("%s: %s", command[0], strerror(errno));
}

/* The kernel's own clock of a process (posix_cpu_clock_get): nanoseconds of the scheduler's accounting, not ticks. */
static void cpu(char **pids)
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
    printf("%lld\n", (long long)sum_ns);
}

/* SIGTERM, so that a parent takes its children along; SIGKILL when that takes too long. */
static void end(pid_t child)
{
    struct timespec pause = {.tv_nsec = 1000000};
    kill(child, SIGTERM);
    for (int ms = 0; waitpid(child, NULL, WNOHANG) == 0; ms++) {
        if (ms == END_TIMEOUT_MS)
            kill(child, SIGKILL);
        nanosleep(&pause, NULL);
    }
}

static int64_t start_once(long port, int64_t *exec_ns, char **command)
{
    int listener = listen_at(port);
    int client = connect_to(port);
    send_request(client);
    pid_t child = fork();
    check(child >= 0, "fork");
    if (child == 0)
        become(listener, exec_ns, command);
    char first;
    ssize_t got = recv(client, &first, 1, 0);
    int64_t answered_ns = now_ns();
    int error = errno;
    close(client);
    close(listener);
    end(child);
    if (got != 1)
        fail("%s did not answer the waiting client: %s", command[0], got == 0 ? "end of stream" : strerror(error));
    return answered_ns - *exec_ns;
}

static void start(long port, long times, char **command)
{
    int64_t *took = calloc(times, sizeof *took);
    int64_t *exec_ns = mmap(NULL, sizeof *exec_ns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(took != NULL && exec_ns != MAP_FAILED, "memory");
    for (long i = 0; i < times; i++)
        took[i] = start_once(port, exec_ns, command);
    printf("%.3f\n", median(took, times) / 1e6);
}

static void latency(long port, int kept, long times)
{
    int64_t *took = calloc(times, sizeof *took);
    check(took != NULL, "memory");
    int fd = kept ? connect_to(port) : -1;
    for (long i = -20; i < times; i++) { /* the first 20 only warm up */
        int64_t begin_ns = now_ns();
        if (!kept)
            fd = connect_to(port);
        send_request(fd);
        read_answer(fd);
        if (i >= 0)
            took[i] = now_ns() - begin_ns;
        if (!kept)
            close(fd);
    }
    printf("%.1f\n", median(took, times) / 1e3);
}

static void hold(long port, long count)
{
    for (long i = 0; i < count; i++) {
        int fd = connect_to(port);
        send_request(fd);
        read_answer(fd);
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    /* Commands inherit this, as they do from systemd (IgnoreSIGPIPE=, on by default). */
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(what, "cpu") == 0) {
        cpu(argv + 2);
    } else if (strcmp(what, "pass") == 0 && argc > 3) {
        become(listen_at(number(argv[2])), NULL, argv + 3);
    } else if (strcmp(what, "start") == 0 && argc > 4) {
        start(number(argv[2]), number(argv[3]), argv + 4);
    } else if (strcmp(what, "latency") == 0 && argc == 5) {
        latency(number(argv[2]), strcmp(argv[3], "kept") == 0, number(argv[4]));
    } else if (strcmp(what, "hold") == 0 && argc == 4) {
        hold(number(argv[2]), number(argv[3]));
    } else {
        fail("usage: meter cpu|pass|start|latency|hold ..., see the head of meter.c");
    }
    return 0;
}
