namespace ProxyD.Units;

/// <summary>The section that says what starts a unit at boot; systemd.unit(5).</summary>
internal static class InstallSection
{
    /// <summary>Removes it from a file; at the file's end with the blank lines before it.</summary>
    internal static void Remove(UnitFile file)
    {
        bool isInside = false;
        for (int i = 0; i < file.Items.Count;)
        {
            if (file.Items[i].Kind == UnitItemKind.Section)
                isInside = file.Items[i].Name == "Install";
            if (isInside)
                file.Items.RemoveAt(i);
            else
                i++;
        }
        while (isInside && file.Items is [.., { Kind: UnitItemKind.Blank }])
            file.Items.RemoveAt(file.Items.Count - 1);
    }
}
