using ProxyD.Interop;
using ProxyD.Trios;
using ProxyD.Units;

namespace ProxyD.Tests.Trios;

/// <summary>Requests for a trio, and what is generated for them, as units.</summary>
internal static class TrioWorld
{
    internal static TrioRequest Request(string listen = "8080", string backend = "127.0.0.1:18080", string name = "web") => new()
    {
        Name = name,
        Public = PublicAddress.TryParse(listen, out PublicAddress? address, out _) ? address : throw new ArgumentException(listen, nameof(listen)),
        BackendAddress = Address.TryParse(backend, null, out Address? other, out _) ? other : throw new ArgumentException(backend, nameof(backend)),
        Command = ["/usr/bin/node", "/srv/app.js"],
        Proxyd = "/usr/local/bin/proxyd",
    };

    /// <summary>What is generated; a request with a problem fails the test.</summary>
    internal static IReadOnlyList<GeneratedFile> Files(this TrioRequest request, ExistingUnit? existing = null)
    {
        Assert.Null(request.Problem());
        return TrioFiles.Of(request, existing);
    }

    internal static Unit Unit(this IReadOnlyList<GeneratedFile> files, string name)
    {
        GeneratedFile file = files.Single(file => file.Name == name);
        return new(name, [UnitFile.Parse(file.Text, name)]);
    }

    /// <summary>The last value of a key, or null.</summary>
    internal static string? Value(this Unit unit, string section, string key) => unit.Last(section, key)?.Value;
}
