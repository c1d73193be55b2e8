using System.Globalization;

namespace ProxyD.EndToEnd;

/// <summary>A look at /proc: who is whose child, and what a PID namespace calls its processes.</summary>
internal static class Processes
{
    /// <summary>The child of <paramref name="parent"/> that is PID 1 of a namespace of its own; 0 while there is none.</summary>
    public static int FirstOfNamespaceBelow(int parent) =>
        All().FirstOrDefault(process => process.Parent == parent && process.Depth > 1 && process.PidInside == 1).Pid;

    /// <summary>Every process of the PID namespace that <paramref name="leader"/> is in.</summary>
    public static IEnumerable<ProcessNumbers> InsideOf(int leader)
    {
        string? space = NamespaceOf(leader);
        return All().Where(process => process.Depth > 1 && NamespaceOf(process.Pid) == space);
    }

    /// <summary>Every process whose command line holds exactly this argument.</summary>
    public static IEnumerable<int> WithArgument(string argument) =>
        All().Select(process => process.Pid).Where(pid => Arguments(pid).Contains(argument));

    /// <summary>Whether a process has ended, which includes that it has closed all its files.</summary>
    public static bool IsGone(int pid)
    {
        try
        {
            // "PID (name) STATE ...": the first thread of a zombie is all that is left; a thread more would keep the files open.
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is 'Z' or 'X' && Directory.GetDirectories($"/proc/{pid}/task").Length == 1;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string[] Arguments(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static string? NamespaceOf(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/ns/pid").LinkTarget;
        }
        catch (IOException)
        {
            // Gone since it was listed.
            return null;
        }
    }

    private static IEnumerable<ProcessNumbers> All()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int pid))
                continue;
            string[] status;
            try
            {
                status = File.ReadAllLines($"{folder}/status");
            }
            catch (IOException)
            {
                continue;
            }
            int[] namespacePids = Numbers(status, "NSpid:");
            if (namespacePids.Length > 0)
                yield return new ProcessNumbers(pid, Numbers(status, "PPid:")[0], namespacePids.Length, namespacePids[^1]);
        }
    }

    private static int[] Numbers(string[] status, string field)
    {
        string line = Array.Find(status, text => text.StartsWith(field, StringComparison.Ordinal)) ?? field;
        return [.. line[field.Length..].Split('\t', StringSplitOptions.RemoveEmptyEntries)
            .Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
    }
}

/// <summary>A process as this machine and as its innermost PID namespace number it.</summary>
/// <param name="Pid">This machine's number.</param>
/// <param name="Parent">This machine's number of its parent.</param>
/// <param name="Depth">In how many nested PID namespaces it is; 1 means none of its own.</param>
/// <param name="PidInside">Its number in the innermost.</param>
internal readonly record struct ProcessNumbers(int Pid, int Parent, int Depth, int PidInside);
