using ProxyD.Interop;
using ProxyD.Trios;

namespace ProxyD.Migrations;

/// <summary>What a migration makes.</summary>
internal enum MigrationForm
{
    /// <summary>The trio as it is, with proxyd in it and without its guards.</summary>
    Minimal,

    /// <summary>A proxyd that stays, unprivileged, and owns the backend.</summary>
    Resident,

    /// <summary>A trio in place of a service that had no proxy.</summary>
    Plain,
}

/// <summary>What the user asks of a migration.</summary>
/// <param name="Proxyd">The program's path.</param>
internal sealed record MigrationWishes(string Proxyd)
{
    /// <summary>The recommended shape instead of the minimal one.</summary>
    internal bool IsResident { get; init; }

    /// <summary>The units are a user manager's.</summary>
    internal bool IsUser { get; init; }

    /// <summary>Of a plain service: where clients are to come; null for where it listens now.</summary>
    internal PublicAddress? Public { get; init; }

    /// <summary>Of a plain service: where it is to listen, with a port; null for a port that is chosen.</summary>
    internal Address? Backend { get; init; }

    /// <summary>Of a plain service: the environment variable that tells it its port; null for one that is found.</summary>
    internal string? PortVariable { get; init; }

    /// <summary>The first of the options that are about a plain service; null when none is given.</summary>
    internal string? PlainOption => Public is not null ? "--public" : Backend is not null ? "--backend" : PortVariable is not null ? "--port-variable" : null;

    /// <summary>After how long without connections the backend sleeps; null for what the units say.</summary>
    internal string? IdleStop { get; init; }

    /// <summary>How long a client waits for the backend; null for what the guards say, or the daemon's own time.</summary>
    internal string? WaitBind { get; init; }

    /// <summary>Where new unit files go.</summary>
    internal string UnitFolder { get; init; } = "/etc/systemd/system";

    /// <summary>The units are not the manager's, but files in a folder; what else is made, goes there too.</summary>
    internal bool IsFolderOnly { get; init; }

    /// <summary>Where a kind of file goes.</summary>
    internal string FolderOf(FileHome home) => home switch
    {
        _ when home == FileHome.Unit || IsFolderOnly => UnitFolder,
        FileHome.Sysusers => "/etc/sysusers.d",
        _ => "/etc/polkit-1/rules.d",
    };
}

/// <summary>A proposal; nothing is written yet.</summary>
/// <param name="Socket">The public socket's unit, as it will be.</param>
/// <param name="Service">The proxy's unit, as it will be.</param>
/// <param name="Backend">The backend's unit; null where none is tied to the proxy.</param>
internal sealed record Migration(MigrationForm Form, string Socket, string Service, string? Backend)
{
    /// <summary>Empty when there is nothing to do.</summary>
    internal required IReadOnlyList<MigratedFile> Files { get; init; }

    /// <summary>What was done and what was left, a line each.</summary>
    internal required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The <c>--wait-bind=</c> that stands for the guards; null when there were none.</summary>
    internal string? WaitBind { get; init; }

    /// <summary>The <c>--ready=</c> that stands for what the guards asked; null when connecting is proof enough.</summary>
    internal string? Ready { get; init; }

    /// <summary>Units to stop before the files change: what runs the old form. A template means all its instances.</summary>
    internal IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Units that nothing starts at boot any more.</summary>
    internal IReadOnlyList<string> Disables { get; init; } = [];

    /// <summary>The socket is new, and is to be enabled and started.</summary>
    internal bool IsSocketNew { get; init; }

    /// <summary>The socket's own settings change, so that it has to be opened anew.</summary>
    internal bool IsSocketChanged { get; init; }

    /// <summary>The user whom a new polkit rule lets start the backend; null without one.</summary>
    internal string? RuleFor { get; init; }
}

/// <summary>A unit is not understood, and is left alone; the message is the one line that says why.</summary>
internal sealed class NotUnderstoodException(string message) : Exception(message);
