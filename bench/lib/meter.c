/* The measuring tool of bench/compare.sh: what must be exact to the microsecond, and what a shell can't do.
 * An ADDRESS is a port of 127.0.0.1 or the path of a Unix socket.
 *
 *   meter cpu [PID...]                  CPU time of the processes so far, in ns
 *   meter pass ADDRESS COMMAND...       binds ADDRESS and becomes COMMAND, which inherits the listener as systemd passes it
 *   meter start ADDRESS TIMES COMMAND.. median ms from exec(2) of COMMAND to the first byte of the answer for a client that
 *                                       waits in the inherited listener's queue
 *   meter latency ADDRESS MODE TIMES    median µs of one request at a time, MODE new (a connection for each) or kept (one for all)
 *   meter hold ADDRESS COUNT [TRIES]    opens COUNT connections, sends one request on each, prints how many were answered, ends
 *                                       with its stdin; with "tries" fewer than COUNT are no error: it stops at the first failure
 *   meter serve ADDRESS                 answers every request with six bytes, one connection at a time per event
 *
 * METER_UID in the environment is the uid that COMMAND runs as. An error is one line on stderr and exit code 1.
 */
#include "net.h"
#include <grp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { END_TIMEOUT_MS = 5000, FIRST_PASSED_FD = 3, LAST_ANSWER_TIMEOUT_S = 2 };

static int64_t median(int64_t *values, long count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static void drop_privileges(void)
{
    const char *uid = getenv("METER_UID");
    if (uid == NULL || *uid == '\0')
        return;
    check(setgroups(0, NULL) == 0 && setgid(number(uid)) == 0 && setuid(number(uid)) == 0, "setuid");
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
    drop_privileges();
    if (exec_ns != NULL)
        *exec_ns = now_ns();
    execvp(command[0], command);
    fail("%s: %s", command[0], strerror(errno));
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

static int64_t start_once(const char *address, int64_t *exec_ns, char **command)
{
    int listener = listen_at(address);
    int client = connect_to(address);
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

static void start(const char *address, long times, char **command)
{
    int64_t *took = calloc(times, sizeof *took);
    int64_t *exec_ns = mmap(NULL, sizeof *exec_ns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(took != NULL && exec_ns != MAP_FAILED, "memory");
    for (long i = 0; i < times; i++)
        took[i] = start_once(address, exec_ns, command);
    printf("%.3f\n", median(took, times) / 1e6);
}

static void latency(const char *address, int kept, long times)
{
    int64_t *took = calloc(times, sizeof *took);
    check(took != NULL, "memory");
    int fd = kept ? connect_to(address) : -1;
    for (long i = -20; i < times; i++) { /* the first 20 only warm up */
        int64_t begin_ns = now_ns();
        if (!kept)
            fd = connect_to(address);
        send_request(fd);
        read_answer(fd);
        if (i >= 0)
            took[i] = now_ns() - begin_ns;
        if (!kept)
            close(fd);
    }
    printf("%.1f\n", median(took, times) / 1e3);
}

static void hold(const char *address, long count, int tries)
{
    struct timeval limit = {.tv_sec = tries ? LAST_ANSWER_TIMEOUT_S : ANSWER_TIMEOUT_S};
    long answered = 0;
    for (; answered < count; answered++) {
        int fd = connect_to(address);
        check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0, "SO_RCVTIMEO");
        send_request(fd);
        if (try_read_answer(fd) != 0)
            continue;
        if (!tries)
            fail("connection %ld was not answered", answered + 1);
        close(fd);
        break;
    }
    printf("%ld\n", answered);
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

static void serve(const char *address)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listen_at(address)};
    int listener = event.data.fd, poll = epoll_create1(EPOLL_CLOEXEC);
    check(poll >= 0 && epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) == 0, "epoll");
    while (epoll_wait(poll, &event, 1, -1) >= 0 || errno == EINTR) {
        char request[4096];
        int fd = event.data.fd;
        if (fd == listener) {
            event.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            check(event.data.fd >= 0 && epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event) == 0, "accept");
        } else if (recv(fd, request, sizeof request, 0) <= 0) {
            close(fd);
        } else {
            send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
        }
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    /* Commands inherit this, as they do from systemd (IgnoreSIGPIPE=, on by default). */
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(what, "cpu") == 0) {
        printf("%lld\n", (long long)cpu_ns(argv + 2));
    } else if (strcmp(what, "pass") == 0 && argc > 3) {
        become(listen_at(argv[2]), NULL, argv + 3);
    } else if (strcmp(what, "start") == 0 && argc > 4) {
        start(argv[2], number(argv[3]), argv + 4);
    } else if (strcmp(what, "latency") == 0 && argc == 5) {
        latency(argv[2], strcmp(argv[3], "kept") == 0, number(argv[4]));
    } else if (strcmp(what, "hold") == 0 && (argc == 4 || argc == 5)) {
        hold(argv[2], number(argv[3]), argc == 5);
    } else if (strcmp(what, "serve") == 0 && argc == 3) {
        serve(argv[2]);
    } else {
        fail("usage: meter cpu|pass|start|latency|hold|serve ..., see the head of meter.c");
    }
    return 0;
}
