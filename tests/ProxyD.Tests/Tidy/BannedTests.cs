namespace ProxyD.Tests.Tidy;

public sealed class BannedTests
{
    [Fact]
    public void The_product_calls_nothing_that_is_banned() =>
        // Goal: the data plane neither blocks, locks nor throws, and the rest keeps to its own clock and processes.
        Rule.IsKept(SourceFile.OfProduct().SelectMany(BannedRules.BannedCode));

    [Fact]
    public void Every_allowance_is_needed() =>
        // Goal: an exception goes when its reason went.
        Rule.IsKept(BannedRules.StaleAllowances(SourceFile.OfProduct()));

    [Fact]
    public void Nothing_is_postponed_in_a_comment() =>
        // Goal: what is to be done is in the issues, in every file of the repository.
        Rule.IsKept(SourceFile.All().SelectMany(BannedRules.Postponed));

    [Fact]
    public void No_code_is_commented_out() =>
        // Goal: what is in a file is meant.
        Rule.IsKept(SourceFile.CSharp().SelectMany(BannedRules.CommentedOutCode));

    [Theory]
    [InlineData("Relay", "internal async Task RunAsync()")]
    [InlineData("Relay", "await x;")]
    [InlineData("Relay", "lock (_sync)")]
    [InlineData("Relay", "Task.Run(x);")]
    [InlineData("Relay", "Thread.Sleep(1);")]
    [InlineData("Relay", "_ = x ?? throw new Exception();")]
    [InlineData("Relay", "int fd = SysResult.From(y).OrThrow(\"other\");")]
    [InlineData("Relay", "done.Task.Wait();")]
    [InlineData("Relay", "Log($\"{File.ReadAllText(path)}\");")]
    [InlineData("Backend", "Process.Start(\"sh\");")]
    [InlineData("Backend", "using Process p = new Process();")]
    [InlineData("Cli", "long now = Environment.TickCount64;")]
    [InlineData("Activation", "DateTime.UtcNow")]
    [InlineData("Activation", "DateTimeOffset.Now")]
    [InlineData("Backend", "Thread.Sleep(10);")]
    [InlineData("Cli", "x.GetAwaiter().GetResult();")]
    [InlineData("Backend", "Console.WriteLine();")]
    [InlineData("Relay", "Console.Error.WriteLine();")]
    [InlineData("Interop", "#pragma warning disable CA1000")]
    public void A_banned_call_is_reported(string layer, string code) =>
        // Goal: each ban finds what it is for.
        Assert.NotEmpty(BannedRules.BannedCode(new($"src/ProxyD/{layer}/Sample.cs", code)));

    [Theory]
    [InlineData("Relay", "// nothing here may throw, await or lock (ever)")]
    [InlineData("Relay", "string s = \"throw\";")]
    [InlineData("Relay", "_clock = BlockSize; Unlock(x); Asynchronous();")]
    [InlineData("Backend", "await Task.Delay(1); throw new Exception();")]
    [InlineData("Observability", "Console.Error.WriteLine(); sinks.Console(x);")]
    [InlineData("Cli", "Console.Out.Flush();")]
    public void What_is_right_is_not_reported(string layer, string code) =>
        // Goal: comments, strings and the other layers are left alone.
        Assert.Empty(BannedRules.BannedCode(new($"src/ProxyD/{layer}/Sample.cs", code)));

    [Fact]
    public void An_allowance_holds_for_its_own_line_only()
    {
        // Goal: one more throw in the same file is reported; without any file all allowances are stale.
        const string Allowed = "int fd = SysResult.From(x).OrThrow(\"eventfd\");";
        Assert.Empty(BannedRules.BannedCode(new("src/ProxyD/Relay/EventLoop.cs", Allowed)));
        Assert.NotEmpty(BannedRules.BannedCode(new("src/ProxyD/Relay/Pipe.cs", Allowed)));
        Assert.NotEmpty(BannedRules.BannedCode(new("src/ProxyD/Relay/EventLoop.cs", "throw new ArgumentException();")));
        Assert.Equal(BannedRules.Allowances.Length, BannedRules.StaleAllowances([]).Count());
    }

    [Theory]
    [InlineData("TO", "DO")]
    [InlineData("FIX", "ME")]
    [InlineData("HA", "CK")]
    public void A_promise_is_reported(string first, string second)
    {
        // Goal: in any file, in any comment style.
        Assert.NotEmpty(BannedRules.Postponed(new("tests/sample.sh", $"# {first}{second}: later")));
        Assert.Empty(BannedRules.Postponed(new("tests/sample.sh", $"# x{first}{second}x")));
    }

    [Theory]
    [InlineData("    // Send(message);", true)]
    [InlineData("    // x = 5;", true)]
    [InlineData("    // int x = 5;", true)]
    [InlineData("    // if (x) {", true)]
    [InlineData("    // return x;", true)]
    [InlineData("    // }", true)]
    [InlineData("    // Nobody is there (EAGAIN), or gone already: the connection is a spare.", false)]
    [InlineData("    // One read a turn;", false)]
    [InlineData("    /// <c>x = 5;</c>", false)]
    [InlineData("    // using the kernel's own count, because it knows", false)]
    public void Dead_code_in_a_comment_is_reported_and_prose_is_not(string line, bool reported) =>
        // Goal: a statement is told from a sentence.
        Assert.Equal(reported, BannedRules.CommentedOutCode(new("src/ProxyD/Sample.cs", line)).Any());
}
