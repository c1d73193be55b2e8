namespace ProxyD.EndToEnd;

/// <summary>What the tests share: the lab, units that go away with the test, and the journal when a test fails.</summary>
public abstract class EndToEndTest(Lab lab) : IDisposable
{
    private readonly List<Trio> _trios = [];
    private readonly List<IDisposable> _kept = [];

    protected Lab Lab => lab;

    public void Dispose()
    {
        bool failed = TestContext.Current.TestState?.Result == TestResult.Failed;
        foreach (Trio trio in _trios)
        {
            if (failed)
                Say($"--- journal ---\n{trio.History}");
            trio.Dispose();
        }
        _kept.ForEach(kept => kept.Dispose());
        GC.SuppressFinalize(this);
    }

    /// <summary>Installs units for the time of this test and starts their socket.</summary>
    internal Trio Install(UnitFiles files, string instance = "")
    {
        Trio trio = new(lab, files, instance);
        // Noted before it starts, so that a failed start is cleared away too.
        _trios.Add(trio);
        trio.Start();
        return trio;
    }

    /// <summary>Has it disposed with the test, after the units are gone.</summary>
    private protected T Keep<T>(T kept)
        where T : IDisposable
    {
        _kept.Add(kept);
        return kept;
    }

    /// <summary>Writes a line into the test's output.</summary>
    protected static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    /// <summary>Asks at the address; the answer must be 200, and echo the token as both servers in Backends do.</summary>
    private protected Answer MustServe(string address, string token = "")
    {
        Answer answer = lab.Get(address, token);
        Assert.Equal(200, answer.Status);
        Assert.Contains(token, answer.Body, StringComparison.Ordinal);
        return answer;
    }
}
