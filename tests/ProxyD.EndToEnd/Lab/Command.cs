using System.Diagnostics;

namespace ProxyD.EndToEnd;

/// <summary>What a finished command left behind.</summary>
internal sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Errors)
{
    /// <summary>The output of a command that must succeed.</summary>
    /// <exception cref="InvalidOperationException">It did not; the message holds everything it printed.</exception>
    public string Expect() => ExitCode == 0 ? Output : throw new InvalidOperationException(ToString());

    public override string ToString() => $"`{CommandLine}` exited {ExitCode}\n{Output}{Errors}";
}

/// <summary>Runs one program to its end, within a bound.</summary>
internal static class Command
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <exception cref="TimeoutException">The program ran longer than a minute and was killed.</exception>
    public static CommandResult Run(string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = Prepare(program, arguments);
        string commandLine = string.Join(' ', start.ArgumentList.Prepend(program));
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        // A daemon that the program leaves behind may keep the pipes open: their end is bounded too.
        if (!process.WaitForExit(s_bound) || !Task.WaitAll([output, errors], s_bound))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"`{commandLine}` ran longer than {s_bound.TotalSeconds} s");
        }
        return new CommandResult(commandLine, process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>A start with all three standard streams redirected and an environment that is the same on every machine.</summary>
    public static ProcessStartInfo Prepare(string program, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = "/root";
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["TERM"] = "dumb";
        start.Environment["SYSTEMD_PAGER"] = "";
        start.Environment["SYSTEMD_COLORS"] = "0";
        return start;
    }
}
