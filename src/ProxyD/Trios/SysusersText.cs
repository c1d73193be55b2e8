namespace ProxyD.Trios;

/// <summary>The file with which systemd-sysusers(8) makes the user that proxyd runs as.</summary>
internal static class SysusersText
{
    /// <param name="user">Its name.</param>
    /// <param name="name">Whom it is for, as units are called. What the field for it can't hold is replaced: a colon ends it in passwd(5), and a
    /// backslash is taken for the beginning of something else; sysusers.d(5).</param>
    internal static string Text(string user, string name) =>
        $"# sysusers.d(5): the user that proxyd runs as.\nu {user} - \"proxyd for {name.Replace(':', '-').Replace('\\', '-')}\"\n";
}
