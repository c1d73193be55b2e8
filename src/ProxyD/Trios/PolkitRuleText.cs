namespace ProxyD.Trios;

/// <summary>The rule with which polkit lets an unprivileged proxyd start its backend, and nothing else; polkit(8).</summary>
internal static class PolkitRuleText
{
    /// <summary>The action that systemd asks for, with the details "unit" and "verb".</summary>
    internal const string Action = "org.freedesktop.systemd1.manage-units";

    /// <param name="user">As whom proxyd runs.</param>
    /// <param name="unit">The backend's full name.</param>
    /// <param name="stops">Whether proxyd puts the backend to sleep.</param>
    internal static string Text(string user, string unit, bool stops) => $$"""
        // Lets the user {{user}}, as whom proxyd runs, start {{(stops ? "and stop " : "")}}{{unit}}, and nothing else.
        polkit.addRule(function (action, subject) {
          if (action.id !== "{{Action}}") return polkit.Result.NOT_HANDLED;
          if (action.lookup("unit") !== {{Literal(unit)}} || subject.user !== {{Literal(user)}}) return polkit.Result.NOT_HANDLED;
          var verbs = [
            "start",        // for the first client that waits
            "reset-failed", // for a backend that comes and goes more often than a start limit allows
        {{(stops ? "    \"stop\",         // when nobody needs it any more\n" : "")}}  ];
          return verbs.indexOf(action.lookup("verb")) >= 0 ? polkit.Result.YES : polkit.Result.NOT_HANDLED;
        });

        """;

    /// <summary>A unit's name may hold backslashes, as systemd-escape(1) writes them.</summary>
    private static string Literal(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal)}\"";
}
