using System.Diagnostics;

namespace ProxyD.Machine;

/// <summary>Runs a program of the system to its end.</summary>
internal static class OtherProgram
{
    /// <returns>Exit status, standard output, standard error (both without the last line end).</returns>
    /// <exception cref="ToolException">There is no such program.</exception>
    internal static (int ExitStatus, string Output, string Error) Run(string name, params IEnumerable<string> arguments)
    {
        using Process process = Start(name, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.TrimEnd('\n'), error.Result.TrimEnd('\n'));
    }

    /// <summary>Starts it, and leaves its output to the caller.</summary>
    /// <exception cref="ToolException">There is no such program.</exception>
    internal static Process Start(string name, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Whatever it says is read by a program, not by a terminal.
        start.Environment["LC_ALL"] = "C";
        start.Environment["SYSTEMD_COLORS"] = "0";
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new ToolException($"{name} can't be run; expected a machine that has it");
        }
    }
}
