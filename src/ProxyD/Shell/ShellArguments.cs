using System.Globalization;

namespace ProxyD.Shell;

/// <summary>What a script or a function was called with, <c>$1</c> and its like, among the variables of a run.</summary>
internal static class ShellArguments
{
    /// <summary>In order, without <c>$0</c>.</summary>
    internal static List<string> Of(Dictionary<string, string> variables)
    {
        List<string> words = [];
        while (variables.TryGetValue(Name(words.Count + 1), out string? word))
            words.Add(word);
        return words;
    }

    /// <summary>Puts others in their place.</summary>
    internal static void Set(Dictionary<string, string> variables, IEnumerable<string> words)
    {
        List<string> given = [.. words.Where(word => !ShellUnset.IsGone(word))];
        for (int i = Of(variables).Count; i > given.Count; i--)
            variables.Remove(Name(i));
        for (int i = 0; i < given.Count; i++)
            variables[Name(i + 1)] = given[i];
    }

    private static string Name(int number) => number.ToString(CultureInfo.InvariantCulture);
}
