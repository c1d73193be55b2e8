namespace ProxyD.Backend;

/// <summary>A way to bring a backend up, and to put it to sleep. Called and calling back on the control queue, one at a time.</summary>
internal interface IActivator
{
    /// <summary>What is started, as a user knows it: the unit's name, or null when nothing is to be started.</summary>
    string? Name { get; }

    /// <summary>It is up, on its way there or on its way down, or somebody else's business; only when it isn't, a start makes sense.</summary>
    bool IsRunning { get; }

    /// <summary>Its start, if it has one, has been carried out.</summary>
    bool IsActive { get; }

    /// <summary>Takes what happens to it. Set once, before anything else.</summary>
    Action<ActivatorEvent>? Report { get; set; }

    /// <summary>Orders the start. What becomes of it is reported.</summary>
    void Start();

    /// <summary>Stops what runs; it may be started again afterwards.</summary>
    /// <param name="done">Called when it is down: with null, or with why it is not.</param>
    void Stop(Action<UnitProblem?> done);

    /// <summary>Freezes what runs: it keeps its memory and gets no processor time.</summary>
    /// <param name="done">Called with null, or with why it can't be frozen.</param>
    void Freeze(Action<UnitProblem?> done);

    /// <summary>Ends a freeze.</summary>
    /// <param name="done">Called with null, or with why it can't be thawed.</param>
    void Thaw(Action<string?> done);

    /// <summary>proxyd ends: leaves nothing behind that only proxyd could end; completes when that is done.</summary>
    Task EndAsync();

    /// <summary>The same now, without waiting, and for whatever is started after that. From any thread.</summary>
    void Kill();
}

/// <summary>What happens to what an activator has started, or watches.</summary>
internal enum ActivatorEventKind
{
    /// <summary>The start that was asked for has been ordered.</summary>
    Ordered,

    /// <summary>A start was carried out, whoever ordered it. It need not listen yet.</summary>
    Started,

    /// <summary>The start that was asked for cannot succeed, or did not; <c>Cause</c> says why.</summary>
    Refused,

    /// <summary>The start that was asked for could not be ordered just now; <c>Cause</c> says what is missing.</summary>
    Unreachable,

    /// <summary>What it takes to start and watch it is missing; <c>Cause</c> says what.</summary>
    Lost,

    /// <summary>What was missing is back.</summary>
    Reachable,

    /// <summary>What ran has ended; <c>Cause</c>, <c>IsOrderly</c> and <c>CannotCome</c> say how.</summary>
    Ended,
}

/// <summary>One such event; which fields mean something is said at its <see cref="ActivatorEventKind"/>.</summary>
internal readonly record struct ActivatorEvent(ActivatorEventKind Kind)
{
    /// <summary>In words: "it was killed by signal 11".</summary>
    internal string? Cause { get; init; }

    /// <summary>It left of its own accord or because it was told to, with nothing to complain about.</summary>
    internal bool IsOrderly { get; init; }

    /// <summary>It has failed for whoever waits now: to wait on for it makes no sense.</summary>
    internal bool CannotCome { get; init; }

    internal static ActivatorEvent Ended(string cause, bool isOrderly) => new(ActivatorEventKind.Ended) { Cause = cause, IsOrderly = isOrderly };
}

/// <summary>The backend is started by others: units that systemd orders, or nobody.</summary>
internal sealed class NoActivator : IActivator
{
    public string? Name => null;

    public bool IsRunning => true;

    public bool IsActive => true;

    public Action<ActivatorEvent>? Report { get; set; }

    public void Start() { }

    public void Stop(Action<UnitProblem?> done) => done(new("proxyd has not started it", IsPassing: false));

    public void Freeze(Action<UnitProblem?> done) => done(new("proxyd has not started it", IsPassing: false));

    public void Thaw(Action<string?> done) => done(null);

    public Task EndAsync() => Task.CompletedTask;

    public void Kill() { }
}
