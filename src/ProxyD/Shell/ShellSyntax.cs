namespace ProxyD.Shell;

/// <summary>What a token of a shell script is.</summary>
internal enum ShellTokenKind
{
    /// <summary>A word with its quotes and substitutions as they are written.</summary>
    Word,

    /// <summary>A control or redirection operator; a redirection has its descriptor's number before it.</summary>
    Operator,

    /// <summary>The end of a line.</summary>
    NewLine,
}

/// <summary>A token of a shell script.</summary>
internal readonly record struct ShellToken(ShellTokenKind Kind, string Text)
{
    internal bool IsOperator(string text) => Kind == ShellTokenKind.Operator && Text == text;

    internal bool IsRedirection => Kind == ShellTokenKind.Operator && Text.AsSpan().ContainsAny('<', '>');
}

/// <summary>A command of a shell script, as sh(1) and bash(1) have it; what guards are written in, not all of the language.</summary>
internal abstract record ShellNode
{
    /// <summary>The redirections as written, operator and target.</summary>
    internal IReadOnlyList<(string Operator, string Target)> Redirections { get; init; } = [];
}

/// <summary>Assignments and a command with its arguments, each word as written.</summary>
internal sealed record ShellSimple(IReadOnlyList<string> Words) : ShellNode;

/// <summary>Commands joined by <c>|</c>; alone, it is here for its <c>!</c>.</summary>
internal sealed record ShellPipeline(bool IsNegated, IReadOnlyList<ShellNode> Stages) : ShellNode;

/// <summary><c>&amp;&amp;</c>, or <c>||</c> when <paramref name="IsOr"/>.</summary>
internal sealed record ShellAndOr(ShellNode Left, bool IsOr, ShellNode Right) : ShellNode;

/// <summary>Commands one after the other; <c>( )</c> when <paramref name="IsSubshell"/>.</summary>
internal sealed record ShellList(IReadOnlyList<ShellNode> Commands, bool IsSubshell = false) : ShellNode;

/// <summary><c>for NAME in WORDS</c>.</summary>
internal sealed record ShellFor(string Name, IReadOnlyList<string> Words, ShellNode Body) : ShellNode;

/// <summary><c>for ((FIRST; CONDITION; STEP))</c>.</summary>
internal sealed record ShellCountingFor(string First, string Condition, string Step, ShellNode Body) : ShellNode;

/// <summary><c>while</c>, or <c>until</c> when <paramref name="IsUntil"/>.</summary>
internal sealed record ShellWhile(bool IsUntil, ShellNode Condition, ShellNode Body) : ShellNode;

/// <summary><c>if</c>, its <c>elif</c>s, and what follows <c>else</c>.</summary>
internal sealed record ShellIf(IReadOnlyList<(ShellNode Condition, ShellNode Body)> Branches, ShellNode? Otherwise) : ShellNode;

/// <summary><c>NAME() { … }</c>.</summary>
internal sealed record ShellFunction(string Name, ShellNode Body) : ShellNode;
