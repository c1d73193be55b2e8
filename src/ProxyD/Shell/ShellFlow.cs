namespace ProxyD.Shell;

/// <summary>Where a run of a script goes on after a command.</summary>
internal enum ShellFlow
{
    /// <summary>At the next command.</summary>
    Next,

    /// <summary>Behind the loop.</summary>
    Break,

    /// <summary>At the loop's next round.</summary>
    Continue,

    /// <summary>Behind the function's call.</summary>
    Return,

    /// <summary>Nowhere: the script has ended.</summary>
    Exit,
}
