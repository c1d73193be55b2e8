using System.Globalization;

namespace ProxyD.Shell;

/// <summary>curl(1) and wget(1) as guards use them: what they ask, and how long they try by themselves.</summary>
internal static class GuardWeb
{
    private const string CurlValues = "omwHXduAebcxKTDPQrtyYzEFCU";

    private static readonly string[] s_curlLongValues =
    [
        "--output", "--max-time", "--connect-timeout", "--write-out", "--header", "--request", "--data", "--user", "--user-agent", "--retry",
        "--retry-delay", "--retry-max-time", "--unix-socket", "--abstract-unix-socket", "--resolve", "--cacert", "--cert", "--key", "--url",
        "--interface", "--proxy", "--referer", "--cookie", "--data-raw", "--data-binary", "--json", "--form", "--connect-to", "--limit-rate",
    ];

    private const string WgetValues = "OotTwQPUaei";

    /// <summary>curl's first pause between two tries; each is twice as long as the one before, up to ten minutes (curl(1)).</summary>
    private const double CurlFirstPauseSeconds = 1;
    private const double CurlLongestPauseSeconds = 600;

    /// <summary>From here on a status is an error (RFC 9110, 15).</summary>
    private const int ErrorStatusMin = 400;

    /// <summary>CURLE_HTTP_RETURNED_ERROR; wget has another, and nobody tells them apart.</summary>
    private const int FailedStatus = 22;

    /// <summary>Asks a URL.</summary>
    /// <param name="stages">The whole pipeline when something looks at the answer, else empty.</param>
    /// <returns>The exit status.</returns>
    internal static int Ask(GuardRun run, IReadOnlyList<string> words, List<IReadOnlyList<string>> stages)
    {
        bool isCurl = GuardCommands.NameOf(words[0]) == "curl";
        Dictionary<string, string> options = Options(words, isCurl, out string? url);
        if (url is null)
        {
            run.DoOther($"whom {GuardCommands.NameOf(words[0])} asks is not understood");
            return run.Ask(new(ProbeKind.Http, ""));
        }
        if (Method(options) is { } method && !s_safeMethods.Contains(method))
            run.DoOther($"it sends {method} to {ShellUnset.Shown(url)}");
        string? path = options.GetValueOrDefault("--unix-socket");
        bool isPlain = url.StartsWith("http://", StringComparison.Ordinal) || !url.Contains("://", StringComparison.Ordinal);
        isPlain &= !s_special.Any(options.ContainsKey) && stages.Count == 0;
        bool fails = !isCurl || options.ContainsKey("-f") || options.Keys.Any(key => key.StartsWith("--fail", StringComparison.Ordinal));
        GuardProbe probe = isPlain
            ? new(ProbeKind.Http, path is null ? WithoutScheme(url) : $"{path}:{PathOf(url)}") { TakesAnyStatus = !fails }
            : new(ProbeKind.Command, stages.Count > 0 ? string.Join(" | ", stages.Select(GuardProbes.ShellText)) : GuardProbes.ShellText(words));
        int status = run.Ask(Known(run, probe.Named()));
        if (isPlain && run.HttpStatus is { } answered)
        {
            string format = options.GetValueOrDefault("-w") ?? options.GetValueOrDefault("--write-out") ?? "";
            bool isShown = format.Contains("http_code", StringComparison.Ordinal) || format.Contains("response_code", StringComparison.Ordinal);
            run.Output.Append(isShown ? answered.ToString(CultureInfo.InvariantCulture) : GuardRun.Mark.ToString());
            // curl(1): --fail makes an error of 400 and more, and follows no redirect by itself.
            status = fails && answered >= ErrorStatusMin ? FailedStatus : 0;
        }
        else
            run.Output.Append(GuardRun.Mark);
        if (status != 0)
            run.Pass(1000 * (isCurl ? CurlSeconds(options) : WgetSeconds(options)));
        return status;
    }

    /// <summary>They make a request that <c>--ready=http:</c> can't.</summary>
    private static readonly string[] s_special =
    [
        "-H", "--header", "-u", "--user", "-X", "--request", "-d", "--data", "--data-raw", "--data-binary", "--json", "-b", "--cookie", "-F", "--form",
        "--post-data",
    ];

    /// <summary>Methods that change nothing, however often they come (RFC 9110, 9.2.1).</summary>
    private static readonly string[] s_safeMethods = ["GET", "HEAD", "OPTIONS"];

    private static string? Method(Dictionary<string, string> options) =>
        options.GetValueOrDefault("-X") ?? options.GetValueOrDefault("--request") ?? options.GetValueOrDefault("--method");

    /// <summary>The same question as before may have been given the status that it wants meanwhile.</summary>
    private static GuardProbe Known(GuardRun run, GuardProbe probe) =>
        run.Probes.Find(known => known.Kind == probe.Kind && known.Target == probe.Target) ?? probe;

    private static string WithoutScheme(string url) =>
        url.StartsWith("http://", StringComparison.Ordinal) ? url["http://".Length..] : url;

    private static string PathOf(string url)
    {
        string rest = WithoutScheme(url);
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? "/" : rest[slash..];
    }

    private static Dictionary<string, string> Options(IReadOnlyList<string> words, bool isCurl, out string? url)
    {
        Dictionary<string, string> options = new(StringComparer.Ordinal);
        List<string> operands = [];
        for (int i = 1; i < words.Count; i++)
        {
            string word = words[i];
            if (!word.StartsWith('-') || word.Length < 2)
                operands.Add(word);
            else if (word.StartsWith("--", StringComparison.Ordinal))
            {
                bool hasValue = isCurl && s_curlLongValues.Contains(word) && i + 1 < words.Count;
                string[] parts = word.Split('=', 2);
                options[parts[0]] = parts.Length == 2 ? parts[1] : hasValue ? words[++i] : "";
            }
            else
                i += ShortOptions(word, i + 1 < words.Count ? words[i + 1] : "", isCurl ? CurlValues : WgetValues, options);
        }
        url = options.GetValueOrDefault("--url") ?? (operands.Count > 0 ? operands[^1] : null);
        return options;
    }

    /// <summary><c>-sfo /dev/null</c>, <c>-m2</c>; how many words more were taken.</summary>
    private static int ShortOptions(string word, string next, string withValues, Dictionary<string, string> options)
    {
        for (int i = 1; i < word.Length; i++)
        {
            if (!withValues.Contains(word[i], StringComparison.Ordinal))
                options[$"-{word[i]}"] = "";
            else
            {
                bool isAttached = i + 1 < word.Length;
                options[$"-{word[i]}"] = isAttached ? word[(i + 1)..] : next;
                return isAttached ? 0 : 1;
            }
        }
        return 0;
    }

    private static double Number(Dictionary<string, string> options, double standard, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string text = options.GetValueOrDefault(name, "");
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
                return value;
        }
        return standard;
    }

    /// <summary>How long it tries in all. A backend that listens but doesn't answer costs each try its time-out.</summary>
    private static double CurlSeconds(Dictionary<string, string> options)
    {
        double each = Number(options, 0, "-m", "--max-time");
        double retries = Number(options, 0, "--retry");
        bool retriesRefused = options.ContainsKey("--retry-connrefused") || options.ContainsKey("--retry-all-errors");
        if (!retriesRefused)
            return each;
        double pause = Number(options, 0, "--retry-delay");
        double seconds = each;
        for (int i = 0; i < Math.Min(retries, 10_000); i++)
            seconds += each + (pause > 0 ? pause : Math.Min(CurlFirstPauseSeconds * Math.Pow(2, i), CurlLongestPauseSeconds));
        double limit = Number(options, 0, "--retry-max-time");
        return limit > 0 ? Math.Min(seconds, limit + each) : seconds;
    }

    /// <summary>It tries 20 times, pausing 1, 2, … up to 10 s, but where the connection is refused only when told to (wget(1)).</summary>
    private static double WgetSeconds(Dictionary<string, string> options)
    {
        double each = Number(options, 0, "-T", "--timeout", "--read-timeout");
        double tries = Number(options, 20, "-t", "--tries");
        if (!options.ContainsKey("--retry-connrefused"))
            return each;
        double longest = Number(options, 10, "--waitretry");
        double seconds = each;
        for (int i = 1; i < Math.Min(tries, 10_000); i++)
            seconds += each + Math.Min(i, longest);
        return seconds;
    }
}
