using BenchmarkDotNet.Attributes;
using ProxyD.Interop;
using ProxyD.Relay;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Benchmarks;

/// <summary>The event loop on its own thread: what an event, a second turn and a posted action cost.</summary>
[MemoryDiagnoser]
public class EventLoopBenchmarks
{
    /// <summary>Steps of one chain: enough that beginning and ending it on another thread do not count.</summary>
    private const int Steps = 10_000;

    private readonly EventLoop _loop = new();
    private readonly ManualResetEventSlim _done = new(initialState: false, spinCount: 0);
    private readonly Thread _thread;
    private readonly Chain _chain;
    private readonly Action _postOnce;
    private readonly Action _postNext;
    private readonly Action _raiseFirst;
    private readonly Action _runFirst;
    private int _left;
    private int _answered;

    public EventLoopBenchmarks()
    {
        _chain = new(_loop, _done);
        _postOnce = () => Volatile.Write(ref _answered, 1);
        _postNext = PostNext;
        _raiseFirst = () => _chain.Raise(Steps);
        _runFirst = () => _chain.RunTurns(Steps);
        _thread = new(_loop.Run) { IsBackground = true };
        _thread.Start();
    }

    [GlobalCleanup]
    public void Close()
    {
        _loop.Stop();
        _thread.Join();
        _chain.Dispose();
        _done.Dispose();
    }

    /// <summary>write(2) to an eventfd, epoll_wait(2), the sink is found and called.</summary>
    [Benchmark(OperationsPerInvoke = Steps)]
    public void DispatchEvent() => RunChain(_raiseFirst);

    /// <summary>A sink whose budget was used up asks for another turn: epoll_wait(2) without waiting, then the sink is called.</summary>
    [Benchmark(OperationsPerInvoke = Steps)]
    public void RunAgain() => RunChain(_runFirst);

    /// <summary>Posted on the loop's own thread, where no wake-up is needed.</summary>
    [Benchmark(OperationsPerInvoke = Steps)]
    public void PostFromLoop()
    {
        _left = Steps;
        RunChain(_postNext);
    }

    /// <summary>Posted from another thread to a loop that sleeps, until that thread sees the effect: two threads, one wake-up.</summary>
    [Benchmark]
    public void PostAcrossThreads()
    {
        Volatile.Write(ref _answered, 0);
        _loop.Post(_postOnce);
        SpinWait spin = default;
        while (Volatile.Read(ref _answered) == 0)
            spin.SpinOnce(sleep1Threshold: -1);
    }

    private void RunChain(Action first)
    {
        _done.Reset();
        _loop.Post(first);
        _done.Wait();
    }

    private void PostNext()
    {
        if (--_left > 0)
            _loop.Post(_postNext);
        else
            _done.Set();
    }

    /// <summary>A sink whose every event or turn causes the next one.</summary>
    private sealed unsafe class Chain : EventSink, IDisposable
    {
        private readonly EventLoop _loop;
        private readonly ManualResetEventSlim _done;
        private readonly int _fd;
        private int _left;

        internal Chain(EventLoop loop, ManualResetEventSlim done)
        {
            _loop = loop;
            _done = done;
            _fd = SysResult.From(Libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)).OrThrow("eventfd");
            // Before the loop's thread runs, so that this one may touch the loop.
            loop.Watch(_fd, EPOLLIN, loop.TakeSlot(this), 0).OrThrow("epoll_ctl");
        }

        public void Dispose() => Libc.close(_fd);

        internal void Raise(int steps)
        {
            _left = steps;
            Raise();
        }

        internal void RunTurns(int steps)
        {
            _left = steps;
            _loop.RunAgain(this);
        }

        internal override void OnEvents(uint events, int tag)
        {
            if (--_left > 0)
                Raise();
            else
                _done.Set();
        }

        internal override void OnTurn()
        {
            if (--_left > 0)
                _loop.RunAgain(this);
            else
                _done.Set();
        }

        private void Raise()
        {
            ulong one = 1;
            Libc.write(_fd, (byte*)&one, sizeof(ulong));
        }
    }
}
