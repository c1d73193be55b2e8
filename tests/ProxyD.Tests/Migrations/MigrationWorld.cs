using ProxyD.Migrations;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tests.Migrations;

/// <summary>Trios as texts, and what migrate makes of them.</summary>
internal static class MigrationWorld
{
    internal const string Folder = "/etc/systemd/system";
    internal const string Socket = "[Socket]\nListenStream=8080\n";
    internal const string SocketProxyd = "/lib/systemd/systemd-socket-proxyd";
    internal const string AppUnit = "[Service]\nExecStart=/usr/bin/app --port 18080\n";

    internal static Migration Minimal(params (string Name, string Text)[] files) => Build(new("/opt/proxyd"), files);

    internal static Migration Resident(params (string Name, string Text)[] files) => Build(new("/opt/proxyd") { IsResident = true }, files);

    /// <summary>Why nothing is proposed.</summary>
    internal static string Refusal(Func<Migration> build) => Assert.Throws<NotUnderstoodException>(build).Message;

    /// <param name="files">Units by their names, and other files by their paths.</param>
    internal static Migration Build(MigrationWishes wishes, params (string Name, string Text)[] files)
    {
        Dictionary<string, string> others = files.Where(file => file.Name.StartsWith('/')).ToDictionary(file => file.Name, file => file.Text);
        UnitSet set = UnitSet.FromFiles(files.Where(file => !others.ContainsKey(file.Name)).Select(unit => UnitFile.Parse(unit.Text, $"{Folder}/{unit.Name}")));
        MigrationTrio trio = new(set.Units.First(unit => unit.Type == UnitType.Socket), set, others.GetValueOrDefault);
        MinimalForm minimal = new(trio, wishes, new(Folder, _ => false));
        return wishes.IsResident ? new ResidentForm(trio, wishes, minimal).Build() : minimal.Build();
    }

    internal static PublicAddress Public(string text) =>
        PublicAddress.TryParse(text, out PublicAddress? address, out string? problem) ? address : throw new ArgumentException(problem, nameof(text));

    internal static string Text(this Migration made, string name) =>
        UnitText.Decode(made.Files.Single(file => file.Path == $"{Folder}/{name}").After!).Text;

    /// <summary>The value of a key in a file that is made, as it is written; null when it has none.</summary>
    internal static string? Line(this Migration made, string name, string key) =>
        made.Text(name).Split('\n').LastOrDefault(line => line.StartsWith(key + "=", StringComparison.Ordinal))?[(key.Length + 1)..];
}
