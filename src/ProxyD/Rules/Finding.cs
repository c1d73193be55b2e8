namespace ProxyD.Rules;

/// <summary>How bad it is.</summary>
internal enum Severity
{
    /// <summary>Worth knowing; never changes the exit status.</summary>
    Note,

    /// <summary>It works until something happens that does happen.</summary>
    Warning,

    /// <summary>It doesn't work, or will end with a dead port.</summary>
    Error,
}

/// <summary>One place where a rule is broken.</summary>
/// <param name="RuleId"><c>PXD001</c> and so on; never reused for another rule.</param>
/// <param name="Unit">The unit's name.</param>
/// <param name="Path">The file to change.</param>
/// <param name="Line">In that file, from 1; 1 also when what is wrong is that something is missing.</param>
/// <param name="Why">One line without a full stop.</param>
/// <param name="Fix">What to write instead; one line.</param>
internal sealed record Finding(string RuleId, Severity Severity, string Unit, string Path, int Line, string Why, string Fix);
