using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ProxyD;
using ProxyD.Activation;
using ProxyD.Cli;
using ProxyD.Interop;
using ProxyD.Observability;

if (ToolProgram.TakesOver(args))
    return ToolProgram.Replace(args);
RunOptions? options = CommandLine.Parse(args, out int exitCode, out string? problem);
if (problem is not null)
    Stderr.Fail(problem);
if (options is null)
    return exitCode;

using Signals signals = new();
ILoggerFactory logs = LogSetup.Create(options.LogLevel, Stderr.IsJournal);
Daemon daemon;
try
{
    daemon = Daemon.Start(options, logs.CreateLogger("proxyd"));
    signals.AtSecond = () =>
    {
        daemon.Kill();
        LogSetup.Close(logs);
    };
}
catch (Exception e) when (e is StartupException or SysException)
{
    Stderr.Fail(e.Message);
    return CommandLine.ExitFailure;
}

// Clients are being served from here on; the host is built beside that.
HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new() { DisableDefaults = true });
builder.Services.AddSingleton(logs);
// Made here, not by the container: what it need not look up by reflection saves 0.14 MB of the memory at rest.
builder.Services.AddSingleton<IHostLifetime>(host => new DaemonLifetime(host.GetRequiredService<IHostApplicationLifetime>(), daemon, signals));
builder.Services.AddHostedService(_ => daemon);
// How long the end may take is --drain-time's business.
builder.Services.AddSingleton(Options.Create(new HostOptions { ShutdownTimeout = Timeout.InfiniteTimeSpan }));
try
{
    using (daemon)
    using (IHost host = builder.Build())
        await host.RunAsync().ConfigureAwait(false);
    return daemon.ExitCode;
}
finally
{
    LogSetup.Close(logs);
}
