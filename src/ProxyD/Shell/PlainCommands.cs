namespace ProxyD.Shell;

/// <summary>Commands that prepare a start, and plainly wait for nobody.</summary>
internal static class PlainCommands
{
    private static readonly HashSet<string> s_names =
    [
        ":", "true", "false", "echo", "printf", "logger", "exit", "return", "break", "continue", "trap", "export", "local", "readonly", "declare", "unset",
        "set", "shopt", "umask", "ulimit", "cd", "let", "expr", "seq", "date", "id", "[", "[[", "test",
        "mkdir", "rmdir", "rm", "ln", "cp", "mv", "touch", "install", "mktemp", "chown", "chmod", "chgrp", "setfacl", "setcap", "chcon", "restorecon",
        "truncate", "mkfifo", "mknod", "sed", "modprobe", "sysctl", "systemd-tmpfiles",
    ];

    /// <param name="reading">Of something that waits by no loop and no sleep.</param>
    /// <returns>Whether that is all there is to say of it: every command in it is known, and none asks anybody.</returns>
    internal static bool Are(GuardReading reading) =>
        reading is { Kind: ReadingKind.None, Asks: false } && reading.Commands.All(command => s_names.Contains(GuardCommands.NameOf(command)));
}
