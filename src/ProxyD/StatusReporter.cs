using ProxyD.Activation;
using ProxyD.Observability;
using ProxyD.Relay;

namespace ProxyD;

/// <summary>Keeps the status line current and notices when nobody has needed us for the idle time.</summary>
/// <remarks>On the control queue, except for the timer, which only asks.</remarks>
internal sealed class StatusReporter : IDisposable
{
    private readonly RelayServer _relay;
    private readonly Backend.Backend[] _backends;
    private readonly ServiceManager _manager;
    private readonly ControlQueue _control;
    private readonly TimeSpan? _idleTime;
    private readonly Action _idleTimeOver;
    private readonly Timer _idleTimer;
    private string _reported = "";
    private bool _willLookAgain;

    /// <param name="idleTime">Null for ever.</param>
    /// <param name="idleTimeOver">Called when there was no client for the idle time, on a thread of the pool.</param>
    internal StatusReporter(
        RelayServer relay, Backend.Backend[] backends, ServiceManager manager, ControlQueue control, TimeSpan? idleTime, Action idleTimeOver)
    {
        _control = control;
        _idleTimeOver = idleTimeOver;
        _relay = relay;
        _backends = backends;
        _manager = manager;
        _idleTime = idleTime;
        _idleTimer = new(_ => OnIdleTimer());
    }

    /// <summary>"3 connections, 2 waiting for 127.0.0.1:18080"; of a backend that we start, how it stands.</summary>
    internal string Text
    {
        get
        {
            if (_backends is [{ Name: not null } ours])
                return BackendText.Of(ours, _relay.Live, _relay.WaitingFor(0), _control.NowMs);
            string text = Words.Count(_relay.Live, "connection");
            for (int i = 0; i < _backends.Length; i++)
            {
                if (_relay.WaitingFor(i) is > 0 and int waiting)
                    text += $", {waiting} waiting for {_backends[i].Address.Text}";
            }
            return text;
        }
    }

    /// <summary>Connections or waiting clients may have changed: reports that, and the idle time starts anew.</summary>
    internal void Changed()
    {
        RestartIdleTime();
        Report();
    }

    /// <summary>Reports what may have changed; times in it are brought up to date once a second for as long as they run.</summary>
    internal void Report()
    {
        string text = Text;
        if (text != _reported)
            _manager.Status(text);
        _reported = text;
        if (_willLookAgain || !_backends.Any(BackendText.HasTimes))
            return;
        _willLookAgain = true;
        _control.PostAfter(TimeSpan.FromSeconds(1), () =>
        {
            _willLookAgain = false;
            Report();
        });
    }

    public void Dispose() => _idleTimer.Dispose();

    private bool IsBusy => _relay.Live > 0 || Enumerable.Range(0, _backends.Length).Any(i => _relay.WaitingFor(i) > 0);

    private void RestartIdleTime()
    {
        if (_idleTime is { } time)
            _idleTimer.Change(time, Timeout.InfiniteTimeSpan);
    }

    private void OnIdleTimer()
    {
        // While somebody is there nothing is over: their end will be a change, and the time starts anew.
        if (!IsBusy)
            _idleTimeOver();
    }
}
