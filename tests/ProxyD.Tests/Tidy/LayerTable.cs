using System.Text.RegularExpressions;

namespace ProxyD.Tests.Tidy;

/// <summary>Which folder of src/ProxyD may use which: the table of src/README.md as code.</summary>
internal static partial class LayerTable
{
    /// <summary>The folder src/ProxyD itself, where everything meets.</summary>
    internal const string Root = "";

    /// <summary>What of the root a layer may see, and which one.</summary>
    private static readonly (string Layer, string Type)[] s_rootTypes =
        [("Cli", "RunOptions"), ("Cli", "Destination"), ("Cli", "ReadyCheck"), ("Cli", "ReadyKind")];

    private static readonly Dictionary<string, string[]> s_mayUse = new()
    {
        [Root] = ["Cli", "Activation", "Backend", "Relay", "Tools", "Rules", "Units", "Observability", "Interop"],
        ["Cli"] = ["Tools", "Machine", "Rules", "Migrations", "Trios", "Shell", "Units", "Observability", "Interop"],
        ["Tools"] = ["Machine", "Rules", "Migrations", "Trios", "Shell", "Units", "Observability", "Interop"],
        ["Machine"] = ["Trios", "Units", "Observability", "Interop"],
        ["Activation"] = ["Observability", "Interop"],
        ["Backend"] = ["Observability", "Interop"],
        ["Relay"] = ["Observability", "Interop"],
        ["Rules"] = ["Trios", "Shell", "Units", "Interop"],
        ["Migrations"] = ["Trios", "Shell", "Units", "Interop"],
        ["Trios"] = ["Shell", "Units", "Interop"],
        ["Shell"] = ["Units"],
        ["Units"] = [],
        ["Observability"] = ["Interop"],
        ["Interop"] = [],
    };

    internal static bool Knows(string layer) => s_mayUse.ContainsKey(layer);

    /// <param name="from">The layer that uses.</param>
    /// <param name="to">The layer that is used.</param>
    /// <param name="type">Which of its types, or null when only the layer is named.</param>
    internal static bool Allows(string from, string to, string? type) =>
        from == to || (to == Root ? s_rootTypes.Contains((from, type ?? "")) : s_mayUse[from].Contains(to));

    /// <summary>What one file's text uses and may not.</summary>
    /// <param name="file">A file of the product.</param>
    /// <param name="rootTypes">Names of the types that lie in the root, visible everywhere without a using.</param>
    internal static IEnumerable<string> Violations(SourceFile file, IReadOnlyCollection<string> rootTypes)
    {
        if (!Knows(file.Layer))
        {
            yield return $"{file.Path}: the folder {file.Layer} is not in the layer table";
            yield break;
        }
        string expected = file.Layer == Root ? "ProxyD" : $"ProxyD.{file.Layer}";
        if (NamespaceOf().Match(file.Code) is { Success: true } declared && declared.Groups[1].Value != expected)
            yield return $"{file.Path}: its namespace is {declared.Groups[1].Value}, its folder {expected}";
        foreach ((string layer, string? type, int position) in References(file, rootTypes))
        {
            if (!Allows(file.Layer, layer, type))
                yield return $"{file.Path}({file.LineOf(position)}): {Name(file.Layer)} may not use {Name(layer)} ({type})";
        }
    }

    internal static string Name(string layer) => layer == Root ? "the root" : layer;

    private static IEnumerable<(string Layer, string? Type, int Position)> References(SourceFile file, IReadOnlyCollection<string> rootTypes)
    {
        foreach (Match match in Qualified().Matches(file.Code))
        {
            if (Knows(match.Groups[1].Value))
                yield return (match.Groups[1].Value, match.Value, match.Index);
        }
        if (file.Layer == Root)
            yield break;
        foreach (Match match in Identifier().Matches(file.Code))
        {
            if (rootTypes.Contains(match.Value))
                yield return (Root, match.Value, match.Index);
        }
    }

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceOf();

    /// <summary><c>ProxyD.Layer</c> in a using or anywhere else, and <c>Layer.Type</c>, which needs no using.</summary>
    [GeneratedRegex(@"(?:(?<!namespace\s+)\bProxyD\.|(?<![\w.]))([A-Z]\w*)(?:\.[A-Z]\w*|\s*;)")]
    private static partial Regex Qualified();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*\b")]
    private static partial Regex Identifier();
}
