using System.Collections.Concurrent;
using System.Diagnostics;
using ProxyD.Interop;
using static ProxyD.Interop.LibcConstants;

namespace ProxyD.Backend;

/// <summary>Our end of the bus: carries out orders for one unit and tells how the unit stands, from a thread of its own.</summary>
/// <remarks>
/// The thread blocks while it calls, so calls are written one after the other. Signals that come during a call are read after it:
/// the end of a job can't be missed, because its path is known by then. Everything is told through <c>post</c>.
/// When the bus goes away it is looked for until it is back, and once more whenever there is an order.
/// </remarks>
internal sealed unsafe class SystemdClient
{
    private const string Systemd = "org.freedesktop.systemd1";
    private const string Path = "/org/freedesktop/systemd1";
    private const string Manager = "org.freedesktop.systemd1.Manager";
    private const string Properties = "org.freedesktop.DBus.Properties";
    private const string BusName = "org.freedesktop.DBus";

    /// <summary>What a job's end is called when the bus went away before it: its real end will not be told.</summary>
    internal const string JobLost = "lost";

    private const int LookAgainMinMs = 100;
    private const int LookAgainMaxMs = 10_000;

    private readonly string _unit;
    private readonly bool _ofUser;
    private readonly Action<Action> _post;
    private readonly ConcurrentQueue<Order> _orders = new();
    private readonly Dictionary<string, Action<string>> _jobs = [];
    private readonly int _wakeFd;
    private Bus? _bus;
    private UnitStatus _status = UnitStatus.Unheard;
    private (string Path, string Id) _identity;
    private bool _hasReloaded;
    private UnitProblem? _unreachable;
    private int _lookAgainMs = LookAgainMinMs;
    private volatile bool _ending;

    /// <param name="unit">The unit's full name.</param>
    /// <param name="ofUser">The user manager's rather than the system's.</param>
    /// <param name="post">Runs something where the callbacks are to be called.</param>
    /// <exception cref="SysException">There is no descriptor left.</exception>
    internal SystemdClient(string unit, bool ofUser, Action<Action> post)
    {
        (_unit, _ofUser, _post) = (unit, ofUser, post);
        _wakeFd = SysResult.From(Libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)).OrThrow("eventfd");
    }

    /// <summary>The unit's state has changed, or is known (again) since the bus is there.</summary>
    internal Action<UnitStatus>? Changed { get; set; }

    /// <summary>The bus has been found (null), or why not; told when that changes.</summary>
    internal Action<UnitProblem?>? Reached { get; set; }

    internal void Start() => new Thread(Run) { Name = "bus", IsBackground = true }.Start();

    /// <summary>Orders something from the service manager.</summary>
    /// <param name="verb">For messages: start, stop, …</param>
    /// <param name="method">The manager's method.</param>
    /// <param name="mode">The job mode, for methods that queue a job.</param>
    /// <param name="accepted">Called with null, or with why it was refused; then nothing more follows.</param>
    /// <param name="ended">Called with the job's result when it has ended: done, failed, canceled, … or <see cref="JobLost"/>.</param>
    internal void Call(string verb, string method, string? mode, Action<UnitProblem?> accepted, Action<string>? ended = null)
    {
        _orders.Enqueue(new(verb, method, mode, accepted, ended));
        Wake();
    }

    /// <summary>Ends the thread. What was ordered and has not been carried out is dropped: wait for its answer before.</summary>
    internal void End()
    {
        _ending = true;
        Wake();
    }

    private void Wake()
    {
        ulong one = 1;
        Libc.write(_wakeFd, (byte*)&one, sizeof(ulong));
    }

    private void Run()
    {
        long lookAtMs = 0;
        while (!_ending)
        {
            long nowMs = NowMs();
            if (_bus is null && (nowMs >= lookAtMs || !_orders.IsEmpty))
            {
                Connect();
                lookAtMs = nowMs + _lookAgainMs;
                _lookAgainMs = Math.Min(_lookAgainMs * 2, LookAgainMaxMs);
            }
            while (_orders.TryDequeue(out Order? order))
                CarryOut(order);
            ReadSignals();
            if (FollowReload())
                continue;
            WaitForWork(_bus is null ? (int)Math.Max(lookAtMs - NowMs(), 1) : -1);
        }
        _bus?.Close();
        Libc.close(_wakeFd);
    }

    private void WaitForWork(int timeoutMs)
    {
        if (!_orders.IsEmpty)
            return;
        pollfd* items = stackalloc pollfd[2];
        items[0] = new() { fd = _wakeFd, events = POLLIN };
        items[1] = new() { fd = _bus?.Fd ?? -1, events = _bus?.Events ?? 0 };
        Libc.poll(items, 2, timeoutMs);
        ulong count;
        Libc.read(_wakeFd, (byte*)&count, sizeof(ulong));
    }

    /// <summary>Matches first, then Subscribe, then the state: whatever changes from then on is told.</summary>
    private void Connect()
    {
        try
        {
            _bus = Bus.Open(_ofUser);
            _identity = Identify();
            (string unitPath, string name) = _identity;
            Match($"type='signal',sender='{Systemd}',path='{Path}',interface='{Manager}',member='Reloading'");
            Match($"type='signal',sender='{Systemd}',path='{Path}',interface='{Manager}',member='JobRemoved',arg2='{name}'");
            Match($"type='signal',sender='{Systemd}',path='{unitPath}',interface='{Properties}',member='PropertiesChanged'");
            _bus.Call(Systemd, Path, Manager, "Subscribe").Dispose();
            // Without an interface: the properties of all of them, as the D-Bus specification allows and systemd does it.
            using BusMessage properties = _bus.Call(Systemd, unitPath, Properties, "GetAll", "");
            _status = UnitStatus.Unheard;
            _lookAgainMs = LookAgainMinMs;
            Update(properties.ReadProperties(UnitStatus.Names));
            Tell(null);
        }
        catch (BusException e)
        {
            Lose(e);
        }
    }

    /// <summary>Jobs bear the unit's own name, which an alias is not.</summary>
    private (string Path, string Id) Identify()
    {
        using BusMessage loaded = _bus!.Call(Systemd, Path, Manager, "LoadUnit", _unit);
        string path = loaded.ReadText()!;
        using BusMessage id = _bus.Call(Systemd, path, Properties, "Get", "org.freedesktop.systemd1.Unit", "Id");
        return (path, id.ReadVariant() ?? _unit);
    }

    /// <summary>After a reload an alias may be another unit, whose signals we do not get: then everything begins anew.</summary>
    /// <returns>Whether it does.</returns>
    private bool FollowReload()
    {
        if (!_hasReloaded || _bus is null)
            return false;
        _hasReloaded = false;
        try
        {
            if (Identify() == _identity)
                return false;
            Drop();
        }
        catch (BusException e)
        {
            Lose(e);
        }
        return true;
    }

    private void Match(string rule) => _bus!.Call(BusName, "/org/freedesktop/DBus", BusName, "AddMatch", rule).Dispose();

    private void CarryOut(Order order)
    {
        UnitProblem? problem = _unreachable;
        if (_bus is not null)
        {
            problem = null;
            try
            {
                using BusMessage reply = order.Mode is null
                    ? _bus.Call(Systemd, Path, Manager, order.Method, _unit)
                    : _bus.Call(Systemd, Path, Manager, order.Method, _unit, order.Mode);
                if (order.Ended is not null)
                    _jobs[reply.ReadText()!] = order.Ended;
            }
            catch (BusException e)
            {
                problem = UnitProblem.From(e, order.Verb, _unit, _ofUser);
                if (problem.IsPassing)
                    Lose(e);
            }
        }
        _post(() => order.Accepted(problem));
    }

    private void ReadSignals()
    {
        try
        {
            while (_bus?.Receive() is { } message)
            {
                using (message)
                    OnSignal(message);
            }
        }
        catch (BusException e)
        {
            Lose(e);
        }
    }

    private void OnSignal(BusMessage message)
    {
        if (message.Member == "PropertiesChanged")
        {
            // The interface whose they are.
            message.ReadText();
            Update(message.ReadProperties(UnitStatus.Names));
        }
        else if (message.Member == "Reloading")
            // At its beginning true, at its end false.
            _hasReloaded |= message.ReadText() == "0";
        else if (message.Member == "JobRemoved")
        {
            // id, job, unit, result
            message.ReadText();
            string job = message.ReadText() ?? "";
            message.ReadText();
            string result = message.ReadText() ?? "";
            if (_jobs.Remove(job, out Action<string>? ended))
                _post(() => ended(result));
        }
    }

    private void Update(Dictionary<string, string> properties)
    {
        UnitStatus status = _status.With(properties);
        if (status == _status)
            return;
        _status = status;
        _post(() => Changed?.Invoke(status));
    }

    private void Lose(BusException error)
    {
        Drop();
        Tell(UnitProblem.From(error, "watch", _unit, _ofUser));
    }

    private void Drop()
    {
        _bus?.Close();
        _bus = null;
        foreach (Action<string> ended in _jobs.Values)
            _post(() => ended(JobLost));
        _jobs.Clear();
    }

    private void Tell(UnitProblem? problem)
    {
        if (problem == _unreachable && problem is not null)
            return;
        _unreachable = problem;
        _post(() => Reached?.Invoke(problem));
    }

    private static long NowMs() => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000);

    private sealed record Order(string Verb, string Method, string? Mode, Action<UnitProblem?> Accepted, Action<string>? Ended);
}
