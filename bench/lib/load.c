/* Load that wrk and iperf3 can't make: through Unix sockets, and more than 128 streams to one server.
 * One epoll loop on each side. An ADDRESS is a port of 127.0.0.1 or the path of a Unix socket; PIDs are the proxy's.
 *
 *   load sink COUNTER ADDRESS...                     server of bulk streams; adds what it receives to the file COUNTER
 *   load bulk COUNTER ADDRESS STREAMS up|down|both SECONDS [PID...]
 *                                                    prints bytes received, Gb/s and the PIDs' CPU ns, all of one window
 *   load http ADDRESS CONNECTIONS SECONDS [PID...]   requests on kept connections, one at a time on each;
 *                                                    prints requests, requests/s, p50, p99, p99.9 in µs, CPU ns
 */
#include "net.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>

enum { PIECE_BYTES = 128 * 1024, CONNECTIONS_MAX = 4096, WARM_UP_MS = 200 };

/* What a stream does here. The first byte of a stream says what the server shall do. */
enum { SENDS = 1, RECEIVES = 2 };

struct stream {
    int fd;
    int role; /* 0 while the server waits for the first byte */
    int64_t sent_ns;
    size_t answer_left;
};

static char piece[PIECE_BYTES];
static int poll_fd;

static void watch(struct stream *stream, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = stream};
    check(epoll_ctl(poll_fd, operation, stream->fd, &event) == 0, "epoll_ctl");
}

static uint32_t events_of(int role)
{
    return (role & SENDS ? EPOLLOUT : 0) | (role & RECEIVES ? EPOLLIN : 0);
}

static int64_t *map_counter(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    check(fd >= 0 && ftruncate(fd, sizeof(int64_t)) == 0, path);
    int64_t *counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(counter != MAP_FAILED, "mmap");
    return counter;
}

/* Moves one piece each way; returns what was received, or -1 at the end of the stream. */
static ssize_t move(struct stream *stream, uint32_t events)
{
    ssize_t got = 0;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        got = recv(stream->fd, piece, sizeof piece, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return -1;
    }
    if (events & EPOLLOUT && send(stream->fd, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        return -1;
    return got > 0 ? got : 0;
}

static void accept_stream(int listener)
{
    struct stream *stream = calloc(1, sizeof *stream);
    check(stream != NULL, "memory");
    stream->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (stream->fd >= 0)
        watch(stream, EPOLLIN, EPOLL_CTL_ADD);
}

static void sink(int64_t *counter, char **addresses)
{
    static struct stream listeners[8];
    for (int i = 0; addresses[i] != NULL && i < 8; i++) {
        listeners[i] = (struct stream){.fd = listen_at(addresses[i])};
        watch(&listeners[i], EPOLLIN, EPOLL_CTL_ADD);
    }
    struct epoll_event events[256];
    while (1) {
        int count = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct stream *stream = events[i].data.ptr;
            if (stream >= listeners && stream < listeners + 8) {
                accept_stream(stream->fd);
                continue;
            }
            char role = 0;
            ssize_t got = stream->role != 0 ? move(stream, events[i].events) : recv(stream->fd, &role, 1, MSG_DONTWAIT) - 1;
            if (got < 0) {
                close(stream->fd);
                free(stream);
            } else if (stream->role == 0) {
                stream->role = role;
                watch(stream, events_of(role), EPOLL_CTL_MOD);
            } else {
                *counter += got;
            }
        }
    }
}

/* Runs for so long; returns what was received here. */
static int64_t pump(int64_t until_ns)
{
    struct epoll_event events[256];
    int64_t received = 0;
    while (now_ns() < until_ns) {
        int count = epoll_wait(poll_fd, events, 256, 10);
        for (int i = 0; i < count; i++) {
            ssize_t got = move(events[i].data.ptr, events[i].events);
            if (got < 0)
                fail("a stream ended early");
            received += got;
        }
    }
    return received;
}

static void bulk(int64_t *counter, const char *address, long streams, const char *way, long seconds, char **pids)
{
    int role = *way == 'u' ? SENDS : *way == 'd' ? RECEIVES : SENDS | RECEIVES;
    char other = role == SENDS ? RECEIVES : role == RECEIVES ? SENDS : role;
    for (long i = 0; i < streams; i++) {
        struct stream *stream = calloc(1, sizeof *stream);
        check(stream != NULL, "memory");
        *stream = (struct stream){.fd = connect_to(address), .role = role};
        check(send(stream->fd, &other, 1, MSG_NOSIGNAL) == 1, "send");
        watch(stream, events_of(role), EPOLL_CTL_ADD);
    }
    pump(now_ns() + WARM_UP_MS * 1000000LL);
    int64_t cpu = cpu_ns(pids), begin_ns = now_ns(), there = *(volatile int64_t *)counter;
    int64_t bytes = pump(begin_ns + seconds * 1000000000LL);
    bytes += *(volatile int64_t *)counter - there;
    int64_t end_ns = now_ns();
    cpu = cpu_ns(pids) - cpu;
    printf("%lld %.4f %lld\n", (long long)bytes, bytes * 8.0 / (end_ns - begin_ns), (long long)cpu);
}

static void http(const char *address, long connections, long seconds, char **pids)
{
    size_t answer_bytes = 0, count = 0, room = 1 << 20;
    int64_t *took = malloc(room * sizeof *took);
    check(took != NULL, "memory");
    for (long i = 0; i < connections; i++) {
        struct stream *stream = calloc(1, sizeof *stream);
        check(stream != NULL, "memory");
        stream->fd = connect_to(address);
        send_request(stream->fd); /* all answers are as long as the first */
        answer_bytes = read_answer(stream->fd);
        watch(stream, EPOLLIN, EPOLL_CTL_ADD);
        *stream = (struct stream){.fd = stream->fd, .sent_ns = now_ns(), .answer_left = answer_bytes};
        send_request(stream->fd);
    }
    int64_t cpu = cpu_ns(pids), begin_ns = now_ns(), now = begin_ns;
    struct epoll_event events[256];
    while (now < begin_ns + seconds * 1000000000LL) {
        int ready = epoll_wait(poll_fd, events, 256, 10);
        for (int i = 0; i < ready; i++) {
            struct stream *stream = events[i].data.ptr;
            ssize_t got = recv(stream->fd, piece, stream->answer_left, MSG_DONTWAIT);
            if (got <= 0)
                fail("a connection ended early");
            stream->answer_left -= got;
            if (stream->answer_left > 0)
                continue;
            now = now_ns();
            if (count == room)
                check((took = realloc(took, (room *= 2) * sizeof *took)) != NULL, "memory");
            took[count++] = now - stream->sent_ns;
            stream->answer_left = answer_bytes;
            stream->sent_ns = now;
            send_request(stream->fd);
        }
        now = now_ns();
    }
    cpu = cpu_ns(pids) - cpu;
    if (count == 0)
        fail("no request was answered");
    qsort(took, count, sizeof *took, by_value);
    printf("%zu %.1f %.1f %.1f %.1f %lld\n", count, count * 1e9 / (now - begin_ns), took[count / 2] / 1e3,
        took[count * 99 / 100] / 1e3, took[count * 999 / 1000] / 1e3, (long long)cpu);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    check(poll_fd >= 0, "epoll_create1");
    if (strcmp(what, "sink") == 0 && argc > 3)
        sink(map_counter(argv[2]), argv + 3);
    else if (strcmp(what, "bulk") == 0 && argc > 6)
        bulk(map_counter(argv[2]), argv[3], number(argv[4]), argv[5], number(argv[6]), argv + 7);
    else if (strcmp(what, "http") == 0 && argc > 4)
        http(argv[2], number(argv[3]), number(argv[4]), argv + 5);
    else
        fail("usage: load sink|bulk|http ..., see the head of load.c");
    return 0;
}
