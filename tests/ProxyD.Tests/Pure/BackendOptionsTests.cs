using ProxyD.Cli;

namespace ProxyD.Tests.Pure;

/// <summary>The options about who starts the backend, when it is ready and when it sleeps.</summary>
public sealed class BackendOptionsTests
{
    [Theory]
    [InlineData("web-backend", "web-backend.service")]
    [InlineData("web-backend.service", "web-backend.service")]
    [InlineData("app@8001", "app@8001.service")]
    [InlineData("app@8001.service", "app@8001.service")]
    [InlineData("my.app", "my.app.service")]
    [InlineData("all.target", "all.target")]
    [InlineData(@"dev-\x2dx.service", @"dev-\x2dx.service")]
    public void A_unit_is_named_as_for_systemctl(string given, string expected)
    {
        // Goal: a missing suffix means .service, an instance is a unit like any other.
        Assert.Equal(expected, Parse($"--backend-unit={given}").BackendUnit);
    }

    [Theory]
    [InlineData("http:/health", ReadyKind.Http, "/health", "")]
    [InlineData("http:/health,204", ReadyKind.Http, "/health", "204-204")]
    [InlineData("http:/health,200-399,401", ReadyKind.Http, "/health", "200-399 401-401")]
    [InlineData("http:/a,b?c=d,503", ReadyKind.Http, "/a,b?c=d", "503-503")]
    [InlineData("unit", ReadyKind.Unit, "", "")]
    [InlineData("exec:pg_isready -q", ReadyKind.Command, "pg_isready -q", "")]
    public void A_readiness_check_is_a_path_the_unit_or_a_command(string given, object kind, string text, string statuses)
    {
        // Goal: each form is read, with its parts.
        ReadyCheck check = Parse("--backend-unit=x", $"--ready={given}").Ready!;
        Assert.Equal(((ReadyKind)kind, text), (check.Kind, check.Text));
        Assert.Equal(statuses, string.Join(' ', check.Statuses.Select(range => $"{range.From}-{range.To}")));
    }

    [Fact]
    public void Every_option_reaches_its_place()
    {
        // Goal: no two are mixed up, and a flag takes no value.
        RunOptions options = Parse("--user", "--backend-unit=x", "--backend-idle-stop=10min", "--idle-by=bytes", "--backend-min-up=30s");
        Assert.True(options.IsUserUnit);
        Assert.Equal(TimeSpan.FromMinutes(10), options.IdleStop);
        Assert.Null(options.IdleFreeze);
        Assert.True(options.IdleByBytes);
        Assert.Equal(TimeSpan.FromSeconds(30), options.BackendMinUp);
        Assert.Equal(TimeSpan.FromSeconds(7), Parse("--backend-unit=x", "--backend-idle-freeze=7").IdleFreeze);
    }

    [Fact]
    public void Without_any_of_them_nothing_is_started_asked_or_put_to_sleep()
    {
        // Goal: the drop-in stays what it was.
        RunOptions options = Parse();
        Assert.Null(options.BackendUnit);
        Assert.Null(options.Ready);
        Assert.Null(options.IdleStop);
        Assert.Null(options.IdleFreeze);
        Assert.False(options.IdleByBytes);
        Assert.Equal(TimeSpan.Zero, options.BackendMinUp);
    }

    [Theory]
    [InlineData("4711", 4711, true)]
    [InlineData("4711", 1, false)]
    [InlineData(null, 1, false)]
    [InlineData("x", 0, false)]
    public void A_service_of_a_user_manager_has_its_units_there(string? managerPid, int parent, bool expected)
    {
        // Goal: under systemctl --user nobody needs to say --user; a shell below a user manager is no service of it.
        Assert.Equal(expected, BackendOptions.IsBelowUserManager(name => name == "MANAGERPID" ? managerPid : null, parent));
    }

    [Theory]
    [InlineData("--backend-unit", "a b", "expected a unit's name")]
    [InlineData("--backend-unit", "../x", "expected a unit's name")]
    [InlineData("--backend-unit", "@x", "expected a unit's name")]
    [InlineData("--backend-unit", ".service", "expected a unit's name")]
    [InlineData("--backend-unit", "app@", "expected an instance of that template, such as app@NAME.service")]
    [InlineData("--ready", "http://127.0.0.1/x", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "http:/x y", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "http:/x,99", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "http:/x,399-200", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "http:/x,200-", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "http:/x,ok", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "exec: ", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--ready", "yes", "expected http:/PATH[,STATUS…], unit or exec:COMMAND")]
    [InlineData("--idle-by", "requests", "expected connections or bytes")]
    [InlineData("--backend-idle-stop", "soon", "expected a time span like 5s")]
    [InlineData("--backend-idle-freeze", "-1", "expected a time span like 5s")]
    [InlineData("--backend-min-up", "x", "expected a time span like 5s")]
    public void A_bad_value_is_named_with_its_option_and_what_is_accepted(string option, string value, string expected)
    {
        // Goal: the user need not open the manual.
        string problem = Problem($"{option}={value}");
        Assert.StartsWith($"{option}: '{value}' is not accepted", problem, StringComparison.Ordinal);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--exec=x --backend-unit=x", "expected one of them")]
    [InlineData("--backend-unit=x a=h:2", "2 destinations are given; expected one destination")]
    [InlineData("--exec=x a=h:2", "2 destinations are given; expected one destination")]
    [InlineData("--ready=http:/x a=h:2", "2 destinations are given; expected one destination")]
    [InlineData("--user", "expected --backend-unit=UNIT")]
    [InlineData("--ready=unit", "expected --backend-unit=UNIT")]
    [InlineData("--ready=unit --exec=x", "expected --backend-unit=UNIT")]
    [InlineData("--backend-idle-stop=1s", "expected --backend-unit=UNIT or --exec=COMMAND")]
    [InlineData("--backend-idle-freeze=1s --exec=x", "expected --backend-unit=UNIT")]
    [InlineData("--backend-unit=x --backend-idle-stop=1s --backend-idle-freeze=1s", "expected one of them")]
    [InlineData("--backend-unit=x --idle-by=bytes", "expected --backend-idle-stop=TIME")]
    [InlineData("--backend-unit=x --backend-min-up=1s", "expected --backend-idle-stop=TIME")]
    [InlineData("--backend-unit=x --backend-idle-stop=1s --backend-min-up=infinity", "expected a time")]
    [InlineData("--backend-unit=x --wait-bind=0", "expected a longer time")]
    [InlineData("--backend-unit=x --backend-idle-stop=0", "--backend-idle-stop=0 leaves")]
    [InlineData("--backend-unit=x --backend-idle-freeze=0", "--backend-idle-freeze=0 leaves")]
    [InlineData("--backend-unit=x --backend-idle-stop=10s --exit-idle-time=10s", "expected a time longer than")]
    [InlineData("--ready=http:/x --wait-bind=0", "expected a longer time")]
    public void What_does_not_go_together_is_said_with_what_would(string line, string expected)
    {
        // Goal: no option is taken and then silently ignored.
        Assert.Contains(expected, Problem(line.Split(' ')), StringComparison.Ordinal);
    }

    private static RunOptions Parse(params string[] arguments)
    {
        RunOptions? options = CommandLine.Parse([.. arguments, "h:1"], out int exitCode, out string? problem);
        Assert.Null(problem);
        Assert.Equal(0, exitCode);
        return options!;
    }

    private static string Problem(params string[] arguments)
    {
        Assert.Null(CommandLine.Parse([.. arguments, "h:1"], out int exitCode, out string? problem));
        Assert.Equal(CommandLine.ExitFailure, exitCode);
        Assert.NotNull(problem);
        Assert.DoesNotContain('\n', problem);
        return problem;
    }
}
